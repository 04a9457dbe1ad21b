//! The manifest of an upload, page by page: every file, where it went, and what became of it.

use bson::doc;
use media::{Destination, environment, manifest::Entry};
use model::{Action, Permit};

use super::{no_upload, refused};
use crate::{Engine, Result};

/// How many files are on a page.
const PAGE: i64 = 2_000;

impl Engine {
    /// Hands out every file of an upload with its whole path at the destination, those that the dataset does not have any more
    /// too, page by page. `take` says no to end it.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such upload, or the server cannot be reached.
    pub async fn manifest_pages<Taken: Future<Output = bool> + Send>(
        &self,
        permit: &Permit,
        dataset: &str,
        to: &str,
        mut take: impl FnMut(Vec<(Entry, String)>) -> Taken + Send,
    ) -> Result<()> {
        permit.covers(Action::MoveMedia)?;
        let error = |it| self.store.error(it);
        let to = Destination::open(to, &environment).map_err(refused)?;
        let subject = self.subject(dataset, &[]).await?;
        let upload = self.store.upload(&subject.entry.id, to.url()).await.map_err(error)?;
        let upload = upload.ok_or_else(|| no_upload(&subject.entry.label(), to.url()))?;
        let mut after = None;
        loop {
            let page = self.store.files(doc! { "upload": upload.id }, after, PAGE).await;
            let page = page.map_err(error)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            let page = page.into_iter().map(|(_, it)| {
                let path = to.path_of(&it.place);
                (it, path)
            });
            if !take(page.collect()).await {
                return Ok(());
            }
        }
    }
}
