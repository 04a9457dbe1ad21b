//! Media that go elsewhere: what there is, what became of it, and what somebody asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::encoded;

/// What somebody asks for who wants media to go elsewhere, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadQuestion {
    /// The text of the dataset's `_id`.
    pub dataset: String,
    /// The address of the destination.
    #[serde(default)]
    pub to: String,
    /// `keep`, `flat` or a template.
    #[serde(default)]
    pub layout: String,
    /// The folder that is left out of every place; empty for the longest that all files are below.
    #[serde(default)]
    pub root: String,
    /// What becomes of files that would have one place: `refuse`, `suffix` or `folder`.
    #[serde(default)]
    pub on_collision: String,
    /// The names of the fields that are meant, with commas between them; empty for all.
    #[serde(default)]
    pub fields: String,
}

/// Which media a dataset has, and where they would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaSurvey {
    /// The dataset.
    pub name: String,
    /// The destination, as paths in it begin.
    pub destination: String,
    /// The folder that is left out of every place.
    pub root: String,
    /// Each media field.
    pub fields: Vec<FieldSurvey>,
    /// How many files, each once.
    pub files: u64,
    /// How many bytes they are.
    pub bytes: u64,
    /// How many places several files would have.
    pub colliding: u64,
    /// Some of those, with the files.
    pub collisions: Vec<(String, Vec<String>)>,
    /// How many files have no place there, by the reason.
    pub unplaced: BTreeMap<String, u64>,
    /// Some of those.
    pub unplaced_examples: Vec<String>,
    /// Why nothing can be uploaded.
    pub blockers: Vec<String>,
}

/// What was met in one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSurvey {
    /// Its name.
    pub field: String,
    /// How many paths.
    pub paths: u64,
    /// How many files of this system, each once.
    pub files: u64,
    /// How many of them are what scenes refer to.
    pub assets: u64,
    /// How many bytes they are.
    pub bytes: u64,
    /// How many paths are in the cloud.
    pub in_the_cloud: u64,
    /// How many paths are at the destination already, where that is a folder of this system.
    pub at_the_destination: u64,
    /// How many files are not there.
    pub missing: u64,
    /// Some of those.
    pub missing_examples: Vec<String>,
    /// How many files are there and cannot be read.
    pub unreadable: u64,
    /// Why, for some of those, in sentences.
    pub unreadable_examples: Vec<String>,
    /// How many paths are no file of this system, by the reason.
    pub elsewhere: BTreeMap<String, u64>,
    /// Some of those.
    pub elsewhere_examples: Vec<String>,
    /// What is wrong with scenes.
    pub broken_scenes: Vec<String>,
    /// Some files, and where they would go.
    pub examples: Vec<(String, String)>,
}

/// How many files there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCount {
    /// How many.
    pub files: u64,
    /// Of how many bytes, as far as that is known.
    pub bytes: u64,
}

/// What became of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Files that were sent, and of which nobody could say whether they are still there when it was asked last.
    pub unlooked: FileCount,
    /// Why, for some of those, in sentences.
    pub unlooked_examples: Vec<String>,
    /// Files that were there before, proven by their content.
    pub were_there: u64,
    /// Files that have no place there.
    pub unplaced: u64,
    /// The failures, by their cause.
    pub causes: Vec<CauseReport>,
    /// The files that took longest.
    pub slowest: Vec<SlowFile>,
}

/// Failures of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseReport {
    /// The cause, as `--only` takes it.
    pub cause: String,
    /// How many.
    pub files: u64,
    /// Some of them, in sentences.
    pub examples: Vec<String>,
}

/// A file that took long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowFile {
    /// Where it is.
    pub source: String,
    /// How many bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds, with the wait for its turn.
    pub ms: u64,
}

/// One upload of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSummary {
    /// What identifies it.
    pub id: String,
    /// The text of the dataset's `_id`.
    pub dataset: String,
    /// What it is called.
    pub name: String,
    /// Where to.
    pub destination: String,
    /// What was asked for last.
    pub question: UploadQuestion,
    /// Who has run it last.
    pub by: String,
    /// When, in RFC 3339.
    pub begun: String,
    /// Whether somebody is at it.
    pub is_running: bool,
    /// When all of it was verified, in RFC 3339.
    pub verified: Option<String>,
    /// Why it ended last, if it could not go on.
    pub ended: Option<String>,
    /// How many requests go side by side, and how many bytes a second are sent; 0 for any.
    pub limits: (u64, u64),
}

/// One upload, and what it has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadPage {
    /// Which.
    pub upload: UploadSummary,
    /// What became of its files.
    pub report: UploadReport,
    /// What would become of the paths; `None` where nobody has asked, or the upload goes on.
    pub rewrite: Option<RewriteReport>,
    /// Why nobody can say what would become of the paths, where it was asked.
    pub rewrite_refused: Option<String>,
    /// What was rewritten in the dataset before: the id, and a sentence.
    pub rewritings: Vec<(String, String)>,
    /// Now, in RFC 3339.
    pub at: String,
}

/// What became of paths, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewriteReport {
    /// The dataset.
    pub name: String,
    /// What identifies it, to undo it; `None` if nothing was written.
    pub id: Option<String>,
    /// Each field.
    pub fields: Vec<RewrittenField>,
    /// How many of the new paths were looked for.
    pub looked_for: usize,
    /// New paths with nothing there, in sentences.
    pub not_there: Vec<String>,
}

/// What became of the paths of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewrittenField {
    /// Its name.
    pub field: String,
    /// How many paths were rewritten, or would be.
    pub rewritten: u64,
    /// How many are what they shall be already.
    pub already: u64,
    /// How many nothing is known of.
    pub unmatched: u64,
    /// Some of those.
    pub unmatched_examples: Vec<String>,
    /// How many somebody else changed faster than they could be rewritten.
    pub changed_meanwhile: u64,
    /// Some paths as they were and as they shall be.
    pub examples: Vec<(String, String)>,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanReport {
    /// The dataset.
    pub name: String,
    /// Where the files are now.
    pub destination: String,
    /// How many files were removed, or would be.
    pub files: u64,
    /// How many bytes they are.
    pub bytes: u64,
    /// Some of them.
    pub examples: Vec<String>,
    /// How many were gone before.
    pub gone: u64,
    /// How many were changed since they were uploaded, and stay.
    pub changed: u64,
    /// Some of those.
    pub changed_examples: Vec<String>,
    /// How many stay for another reason.
    pub kept: u64,
    /// The reason, for some of those, in sentences.
    pub kept_examples: Vec<String>,
    /// Why nothing may be removed.
    pub blockers: Vec<String>,
}

/// What came of trying a destination: each thing that was tried, and why it did not work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationTest {
    /// The destination.
    pub destination: String,
    /// `write`, `read`, `list`, `delete`.
    pub steps: Vec<(String, Option<String>)>,
    /// Whether media can be taken there.
    pub is_good: bool,
}

impl UploadQuestion {
    /// The page that shows what it comes to.
    pub fn address(&self) -> String {
        let mut address = format!("/media/new?dataset={}", encoded(&self.dataset));
        let rest = [
            ("to", &self.to),
            ("layout", &self.layout),
            ("root", &self.root),
            ("on_collision", &self.on_collision),
            ("fields", &self.fields),
        ];
        for (key, value) in rest.into_iter().filter(|(_, it)| !it.is_empty()) {
            address.extend(["&", key, "=", &encoded(value)]);
        }
        address
    }
}

impl UploadReport {
    /// Whether every file of the dataset is there, as far as it has a place.
    pub fn is_verified(&self) -> bool {
        let open =
            self.planned.files + self.uploaded.files + self.failed.files + self.unlooked.files;
        open == 0 && self.verified.files + self.cleaned.files > 0
    }

    /// How many files there are.
    pub fn files(&self) -> u64 {
        let all = [&self.planned, &self.uploaded, &self.verified, &self.cleaned, &self.failed];
        all.into_iter().map(|it| it.files).sum()
    }

    /// How many of them have arrived, verified or not.
    pub fn arrived(&self) -> u64 {
        self.uploaded.files + self.verified.files + self.cleaned.files
    }
}

impl RewriteReport {
    /// How many paths were rewritten, or would be.
    pub fn rewritten(&self) -> u64 {
        self.fields.iter().map(|it| it.rewritten).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_verified_once_nothing_of_it_is_open() {
        let some = FileCount { files: 1, bytes: 1 };
        let mut report = UploadReport::default();
        assert!(!report.is_verified(), "nothing was verified");
        report.verified = some;
        assert!(report.is_verified());
        report.failed = some;
        assert!(!report.is_verified());
        assert_eq!((report.files(), report.arrived()), (2, 1));
        report.failed = FileCount::default();
        report.unlooked = some;
        assert!(!report.is_verified(), "nobody knows whether it is still there");
    }
}
