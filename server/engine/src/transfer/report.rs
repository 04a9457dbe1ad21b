//! What became of an upload, out of what is known of its files.

use bson::{Document, doc};
use media::manifest::State;
use model::{Action, Permit};
use serde::Serialize;

use crate::{Engine, Result, store::FileCount};

/// How many of the slowest files are told.
const SLOWEST: i64 = 10;

/// How many failures are told of each cause.
const EXAMPLES: i64 = 3;

/// What became of an upload.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UploadReport {
    /// The dataset.
    pub name: String,
    /// Where to.
    pub destination: String,
    /// Files that wait to be sent.
    pub planned: FileCount,
    /// Files that were sent, and not verified yet.
    pub uploaded: FileCount,
    /// Files that are there as they were sent.
    pub verified: FileCount,
    /// Files that were verified, and then removed here.
    pub cleaned: FileCount,
    /// Files that failed.
    pub failed: FileCount,
    /// Files that were there before, proven by their content.
    pub were_there: i64,
    /// Files that have no place there.
    pub unplaced: u64,
    /// The failures, by their cause.
    pub causes: Vec<CauseReport>,
    /// The files that took longest.
    pub slowest: Vec<SlowFile>,
}

/// Failures of one cause.
#[derive(Clone, Debug, Serialize)]
pub struct CauseReport {
    /// The cause, as `--only` takes it.
    pub cause: String,
    /// How many.
    pub files: i64,
    /// Some of them, in sentences.
    pub examples: Vec<String>,
}

/// A file that took long.
#[derive(Clone, Debug, Serialize)]
pub struct SlowFile {
    /// Where it is.
    pub source: String,
    /// How many bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds, with the wait for its turn.
    pub ms: i64,
}

/// One upload of many.
#[derive(Clone, Debug, Serialize)]
pub struct UploadSummary {
    /// The dataset.
    pub name: String,
    /// Where to.
    pub destination: String,
    /// Who has run it last.
    pub by: String,
    /// When, in RFC 3339.
    pub begun: String,
    /// Whether somebody is at it.
    pub is_running: bool,
    /// When all of it was verified.
    pub verified: Option<String>,
}

impl UploadReport {
    /// Whether every file of the dataset is there, as far as it has a place.
    pub fn is_verified(&self) -> bool {
        let open = self.planned.files + self.uploaded.files + self.failed.files;
        open == 0 && self.verified.files + self.cleaned.files > 0
    }

    fn add(&mut self, state: State, count: &FileCount) {
        let sum = match state {
            State::Planned => &mut self.planned,
            State::Uploaded => &mut self.uploaded,
            State::Verified => &mut self.verified,
            State::Cleaned => &mut self.cleaned,
            State::Failed => &mut self.failed,
        };
        sum.files += count.files;
        sum.bytes += count.bytes;
    }
}

impl Engine {
    /// What is known of these files.
    pub(super) async fn upload_report(&self, all: Document) -> Result<UploadReport> {
        let error = |it| self.store.error(it);
        let mut report = UploadReport::default();
        for (state, cause, count) in self.store.count_files(all.clone()).await.map_err(error)? {
            report.add(state, &count);
            if let Some(cause) = cause {
                let mut these = all.clone();
                these.extend(doc! { "state": State::Failed.word(), "fault.cause": &cause });
                let examples = self.store.files(these, None, EXAMPLES).await.map_err(error)?;
                let texts = examples.into_iter().filter_map(|(_, it)| it.fault);
                report.causes.push(CauseReport {
                    cause,
                    files: count.files,
                    examples: texts.map(|it| it.text).collect(),
                });
            }
        }
        let with = |more: Document| {
            let mut filter = all.clone();
            filter.extend(more);
            filter
        };
        let there =
            self.store.count_files(with(doc! { "was_there": true })).await.map_err(error)?;
        report.were_there = there.iter().map(|(.., it)| it.files).sum();
        let slow = with(doc! { "millis": { "$exists": true }, "was_there": false });
        for it in self.store.slowest_files(slow, SLOWEST).await.map_err(error)? {
            report.slowest.push(SlowFile {
                bytes: it.sent.map_or(0, |it| it.size),
                ms: it.millis.unwrap_or(0),
                source: it.source,
            });
        }
        Ok(report)
    }

    /// Every upload of this database, the last one first.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or the server cannot be reached.
    pub async fn uploads(&self, permit: &Permit) -> Result<Vec<UploadSummary>> {
        permit.covers(Action::MoveMedia)?;
        let found = self.store.uploads().await.map_err(|it| self.store.error(it))?;
        let text = |it: bson::DateTime| it.try_to_rfc3339_string().unwrap_or_default();
        let now = bson::DateTime::now();
        Ok(found
            .into_iter()
            .map(|it| UploadSummary {
                is_running: it.expires.is_some_and(|it| it > now),
                name: it.name,
                destination: it.destination,
                by: it.by,
                begun: text(it.begun),
                verified: it.verified.map(text),
            })
            .collect())
    }
}
