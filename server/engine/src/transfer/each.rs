//! Going through what is known of files, many side by side, until somebody asks to stop.

use std::future::Future;

use bson::Document;
use media::manifest::Entry;
use tokio::task::JoinSet;

use super::TransferProgress;
use crate::{Engine, Error, Result};

/// How many files are taken up ahead of those that may go: each of them waits for its turn.
const AHEAD: usize = 64;

/// How many records of files are read at once.
const PAGE: i64 = 1_000;

impl Engine {
    /// Does something with each of these files. It ends once all that was begun has ended.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or something has come to an end that it should not have.
    pub(super) async fn each_file<W: Future<Output = ()> + Send + 'static>(
        &self,
        filter: Document,
        progress: &TransferProgress,
        work: impl Fn(Entry) -> W,
    ) -> Result<()> {
        let (mut tasks, mut after) = (JoinSet::new(), None);
        let ended = |it: std::result::Result<(), tokio::task::JoinError>| {
            it.map_err(|it| Error::Refused(format!("a file broke off: {it}; run the same again")))
        };
        'all: loop {
            let found = self.store.files(filter.clone(), after, PAGE).await;
            let found = found.map_err(|it| self.store.error(it))?;
            let Some((last, _)) = found.last() else { break };
            after = Some(*last);
            for (_, entry) in found {
                if progress.throttle.is_stopped() {
                    break 'all;
                }
                while tasks.len() >= AHEAD {
                    tasks.join_next().await.map_or(Ok(()), ended)?;
                }
                tasks.spawn(work(entry));
            }
        }
        while let Some(it) = tasks.join_next().await {
            ended(it)?;
        }
        Ok(())
    }
}
