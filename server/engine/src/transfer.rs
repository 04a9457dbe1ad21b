//! Media of a dataset: found, taken elsewhere and verified, its paths rewritten, and files that nobody needs any more removed.
//!
//! The crate `media` carries files; here is what it takes a database for. Uploading changes nothing in FiftyOne's own
//! collections: what is known of every file is in `upload_files`. Rewriting does, under the lease, and keeps what every path was.

mod board;
mod clean;
mod content;
mod each;
mod gather;
mod held;
mod manifest;
mod mapped;
mod progress;
mod record;
mod report;
mod rewrite;
mod subject;
mod survey;
mod undo;
mod upload;
mod verify;

use media::{
    Care, Destination, Fault, environment,
    layout::{Layout, Resolution},
};
use model::{Action, DestinationTest, Permit, UploadQuestion};

pub use board::to_its_end;
pub use progress::{TransferPhase, TransferProgress};
pub use rewrite::{RewriteRequest, RewriteWay};
pub use undo::UndonePaths;

use crate::{Engine, Error, Result, mark::mark};

/// What to upload, where to, and how.
#[derive(Clone, Debug)]
pub struct UploadRequest {
    /// The text of the dataset's `_id`.
    pub dataset: String,
    /// The address of the destination.
    pub to: String,
    /// The fields whose files are meant; none for all of them.
    pub fields: Vec<String>,
    /// How files are laid out there.
    pub layout: Layout,
    /// The folder that is left out of every place; the longest that all files are below if nothing is said.
    pub root: Option<String>,
    /// What becomes of files that would have one place.
    pub on_collision: Resolution,
    /// Whether something else that is in a file's place is replaced.
    pub overwrite: bool,
    /// How many requests go side by side.
    pub side_by_side: u32,
    /// How many bytes a second are sent; 0 for as many as there are.
    pub bytes_per_second: u64,
    /// Only files that have failed for this cause.
    pub only: Option<media::Cause>,
    /// Whether nothing is sent, and only what was sent is verified again.
    pub only_verify: bool,
    /// How closely it is verified.
    pub care: Care,
    /// What was asked for, as it was typed.
    pub question: UploadQuestion,
}

impl Engine {
    /// Tries whether media can be taken to a destination: writes a probe, reads it back, lists and deletes.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or the address makes no sense. What does not work is in the answer.
    pub async fn test_destination(&self, permit: &Permit, to: &str) -> Result<DestinationTest> {
        permit.covers(Action::MoveMedia)?;
        let to = Destination::open(to, &environment).map_err(refused)?;
        let probe = to.probe(&bson::oid::ObjectId::new().to_hex()).await;
        let is_good = probe.is_good();
        let steps = probe.steps.into_iter().map(|it| (it.what.to_owned(), it.fault)).collect();
        Ok(DestinationTest { destination: probe.destination, steps, is_good })
    }

    /// Changes how fast an upload goes, also while it goes on elsewhere.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or there is no such upload.
    pub async fn limit_upload(&self, permit: &Permit, request: &UploadRequest) -> Result<()> {
        permit.covers(Action::MoveMedia)?;
        let to = Destination::open(&request.to, &environment).map_err(refused)?;
        let subject = self.subject(&request.dataset, &[]).await?;
        let changed = self.store.limit_upload(&subject.entry.id, to.url(), request.limits()).await;
        if changed.map_err(|it| self.store.error(it))? {
            return Ok(());
        }
        Err(no_upload(&subject.entry.label(), to.url()))
    }
}

impl UploadRequest {
    /// What somebody asks for in words, with limits that suit most.
    ///
    /// # Errors
    ///
    /// If the words make no sense.
    pub fn asked(question: &UploadQuestion) -> Result<Self> {
        let on_collision = match question.on_collision.as_str() {
            "" | "refuse" => Resolution::Refuse,
            "suffix" => Resolution::Suffix,
            "folder" => Resolution::Folder,
            other => {
                return Err(Error::Refused(format!(
                    "`{other}` is no way to resolve collisions; there are refuse, suffix and folder"
                )));
            }
        };
        let fields = question.fields.split(',').map(str::trim).filter(|it| !it.is_empty());
        let fields = fields.map(str::to_owned).collect();
        Ok(Self {
            dataset: question.dataset.clone(),
            to: question.to.trim().to_owned(),
            fields,
            layout: layout(&question.layout)?,
            root: Some(question.root.trim().to_owned()).filter(|it| !it.is_empty()),
            on_collision,
            overwrite: false,
            side_by_side: SIDE_BY_SIDE,
            bytes_per_second: 0,
            only: None,
            only_verify: false,
            care: Care::Known,
            question: question.clone(),
        })
    }

    /// As it is written down.
    fn limits(&self) -> (i64, i64) {
        let rate = i64::try_from(self.bytes_per_second).unwrap_or(i64::MAX);
        (i64::from(self.side_by_side), rate)
    }
}

/// How many requests go side by side if nobody says otherwise.
pub const SIDE_BY_SIDE: u32 = 16;

/// The layout that a word or a template says.
fn layout(text: &str) -> Result<Layout> {
    match text.trim() {
        "" | "keep" => Ok(Layout::Keep),
        "flat" => Ok(Layout::Flat),
        template => template
            .parse()
            .map(Layout::Template)
            .map_err(|it| Error::Refused(format!("`{template}` is no layout: {it}"))),
    }
}

/// A plan for paths alone: where files would be that somebody has laid out so, below this root.
///
/// # Errors
///
/// If the layout makes no sense.
pub fn placed(text: &str, root: String, dataset: String) -> Result<media::layout::Plan> {
    Ok(media::layout::Plan { layout: layout(text)?, root, dataset })
}

fn no_upload(dataset: &str, to: &str) -> Error {
    Error::Refused(format!(
        "the media of `{dataset}` were never uploaded to {to}; run `fiftyone-migrate upload-media` first"
    ))
}

fn refused(fault: Fault) -> Error {
    Error::Refused(fault.text)
}

/// Whether what is in a place of a destination is this very file.
fn is_same_file(source: &str, to: &Destination, place: &str) -> std::result::Result<bool, Fault> {
    use std::os::unix::fs::MetadataExt;
    if to.provider() != media::Provider::Folder {
        return Ok(false);
    }
    let known = |path: &str| match std::fs::metadata(path) {
        Ok(it) => Ok(Some((it.dev(), it.ino()))),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Fault::reading(path, &why)),
    };
    let there = known(&to.path_of(place))?;
    Ok(there.is_some() && there == known(source)?)
}

/// Does what waits for disks where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|it| {
        Error::Refused(format!("looking at files broke off: {it}; run the same again"))
    })
}
