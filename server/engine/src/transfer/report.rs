//! What became of an upload, out of what is known of its files.

use bson::{Document, doc};
use media::manifest::State;
use model::{CauseReport, FileCount, SlowFile, UploadReport};

use crate::{Engine, Result};

/// The files of which nobody could say whether they are still there.
pub fn unlooked() -> Document {
    let states = [State::Uploaded.word(), State::Verified.word(), State::Cleaned.word()];
    doc! { "state": { "$in": states }, "unverified": { "$exists": true } }
}

/// How many of the slowest files are told.
const SLOWEST: i64 = 10;

/// How many failures are told of each cause.
const EXAMPLES: i64 = 3;

fn add(report: &mut UploadReport, state: State, count: FileCount) {
    let sum = match state {
        State::Planned => &mut report.planned,
        State::Uploaded => &mut report.uploaded,
        State::Verified => &mut report.verified,
        State::Cleaned => &mut report.cleaned,
        State::Failed => &mut report.failed,
    };
    sum.files += count.files;
    sum.bytes += count.bytes;
}

impl Engine {
    /// What is known of these files.
    pub(super) async fn upload_report(&self, all: Document) -> Result<UploadReport> {
        let error = |it| self.store.error(it);
        let mut report = UploadReport::default();
        for (state, cause, count) in self.store.count_files(all.clone()).await.map_err(error)? {
            add(&mut report, state, count);
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
        for (.., count) in self.store.count_files(with(unlooked())).await.map_err(error)? {
            report.unlooked.files += count.files;
            report.unlooked.bytes += count.bytes;
        }
        let examples = self.store.files(with(unlooked()), None, EXAMPLES).await.map_err(error)?;
        report.unlooked_examples =
            examples.into_iter().filter_map(|(_, it)| it.unverified).collect();
        let slow = with(doc! { "millis": { "$exists": true }, "was_there": false });
        for it in self.store.slowest_files(slow, SLOWEST).await.map_err(error)? {
            report.slowest.push(SlowFile {
                bytes: it.sent.map_or(0, |it| it.size),
                ms: it.millis.unwrap_or(0).unsigned_abs(),
                source: it.source,
            });
        }
        Ok(report)
    }
}
