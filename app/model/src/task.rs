//! Imports and exports that were asked for on a page: what was asked, how far it is, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Action, plan::encoded};

/// What somebody asks for who wants to make a dataset out of an export, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportQuestion {
    /// The export, on the server's system: a folder, or an archive of one.
    #[serde(default)]
    pub folder: String,
    /// Where an archive is unpacked; empty for a place of its own below the folder of imports.
    #[serde(default)]
    pub unpack_to: String,
    /// How the dataset shall be called; empty for as in the export.
    #[serde(default)]
    pub name: String,
    /// Below what relative paths are; empty for the export itself.
    #[serde(default)]
    pub rel_dir: String,
    /// Tags that every sample gets, with commas between them.
    #[serde(default)]
    pub tags: String,
    /// Anything: FiftyOne forgets the dataset when its last client goes.
    #[serde(default)]
    pub not_persistent: String,
    /// Anything: saved views stay behind.
    #[serde(default)]
    pub without_views: String,
    /// Anything: runs stay behind.
    #[serde(default)]
    pub without_runs: String,
    /// Anything: workspaces stay behind.
    #[serde(default)]
    pub without_workspaces: String,
}

/// What somebody asks for who wants a dataset as an export, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportQuestion {
    /// The dataset: its name, or the text of its `_id`.
    #[serde(default)]
    pub dataset: String,
    /// Where to, on the server's system: a folder that is empty or not there.
    #[serde(default)]
    pub folder: String,
    /// What becomes of media: `left`, `copied` or `linked`.
    #[serde(default)]
    pub media: String,
    /// Anything: saved views stay behind.
    #[serde(default)]
    pub without_views: String,
    /// Anything: runs stay behind.
    #[serde(default)]
    pub without_runs: String,
    /// Anything: workspaces stay behind.
    #[serde(default)]
    pub without_workspaces: String,
}

/// What is in an export, and what importing it would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// How the dataset will be called.
    pub name: String,
    /// The text of its `_id`, once it is there.
    pub id: Option<String>,
    /// The version it was exported at.
    pub head: String,
    /// The version it will be at.
    pub destination: String,
    /// The revisions it crosses.
    pub revisions: Vec<String>,
    /// Its media type.
    pub media_type: String,
    /// How many samples.
    pub samples: u64,
    /// How many frames.
    pub frames: u64,
    /// How many temporal tags.
    pub temporal_tags: u64,
    /// How many saved views, workspaces and runs come along.
    pub views: usize,
    /// See there.
    pub workspaces: usize,
    /// See there.
    pub runs: usize,
    /// How many bytes of JSON are read.
    pub bytes: u64,
    /// Where an archive is unpacked.
    pub unpack_to: Option<String>,
    /// Where its media are.
    pub media: MediaReport,
    /// What people should know.
    pub warnings: Vec<String>,
    /// Why it cannot be imported; empty if it can.
    pub blockers: Vec<String>,
}

/// Where the media of an export are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaReport {
    /// How many samples have a path of each kind: on this machine, below the export, on Windows, by scheme.
    pub kinds: BTreeMap<String, u64>,
    /// How many files are not there, of those that would be on this machine.
    pub missing: u64,
    /// Some of them.
    pub missing_examples: Vec<String>,
    /// How many samples have the path of another sample.
    pub repeated: u64,
}

/// What was exported, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportReport {
    /// The dataset.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How many samples.
    pub samples: u64,
    /// How many frames.
    pub frames: u64,
    /// How many temporal tags.
    pub temporal_tags: u64,
    /// How many files of media were copied or linked.
    pub media: u64,
    /// What does not come along, and why.
    pub warnings: Vec<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskQuestion {
    /// To make a dataset out of an export.
    Import(ImportQuestion),
    /// To write a dataset as an export.
    Export(ExportQuestion),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskReport {
    /// Of an import.
    Import(Box<ImportReport>),
    /// Of an export.
    Export(ExportReport),
}

/// The kinds of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A dataset out of an export.
    Import,
    /// A dataset as an export.
    Export,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// What identifies it.
    pub id: String,
    /// What it is about: an export, or a dataset.
    pub what: String,
    /// What was asked for.
    pub question: TaskQuestion,
    /// Who has asked.
    pub by: String,
    /// When, in RFC 3339.
    pub begun: String,
    /// How it is.
    pub state: TaskState,
    /// What is being done, in a word or two.
    pub stage: String,
    /// How many documents are done, and of how many; 0 if that is not known.
    pub done: u64,
    /// See there.
    pub of: u64,
    /// Why it was refused or has failed.
    pub refused: Option<String>,
    /// What came of it.
    pub came: Option<TaskReport>,
    /// Whether whoever asks may take media elsewhere.
    pub may_move_media: bool,
}

/// How a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Somebody is at it.
    Running,
    /// All of it is done.
    Done,
    /// Nothing came of it.
    Failed,
    /// Whoever was at it is gone.
    CutOff,
}

impl TaskKind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }

    /// What it takes to begin one, and to see those of one's own.
    pub const fn action(self) -> Action {
        match self {
            Self::Import => Action::ImportDataset,
            Self::Export => Action::ExportDataset,
        }
    }

    /// The page with all of them.
    pub const fn page(self) -> &'static str {
        match self {
            Self::Import => "/import",
            Self::Export => "/exports",
        }
    }
}

impl TaskQuestion {
    /// Of which kind it is.
    pub const fn kind(&self) -> TaskKind {
        match self {
            Self::Import(_) => TaskKind::Import,
            Self::Export(_) => TaskKind::Export,
        }
    }

    /// The page that shows what it comes to.
    pub fn address(&self) -> String {
        let fields = match self {
            Self::Import(it) => it.fields().to_vec(),
            Self::Export(it) => it.fields().to_vec(),
        };
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let given: Vec<String> =
            given.map(|(key, value)| format!("{key}={}", encoded(value))).collect();
        format!("{}?{}", self.kind().page(), given.join("&"))
    }
}

impl ImportQuestion {
    /// Every field with its name.
    pub fn fields(&self) -> [(&'static str, &str); 9] {
        [
            ("folder", &self.folder),
            ("unpack_to", &self.unpack_to),
            ("name", &self.name),
            ("rel_dir", &self.rel_dir),
            ("tags", &self.tags),
            ("not_persistent", &self.not_persistent),
            ("without_views", &self.without_views),
            ("without_runs", &self.without_runs),
            ("without_workspaces", &self.without_workspaces),
        ]
    }
}

impl ExportQuestion {
    /// Every field with its name.
    pub fn fields(&self) -> [(&'static str, &str); 6] {
        [
            ("dataset", &self.dataset),
            ("folder", &self.folder),
            ("media", &self.media),
            ("without_views", &self.without_views),
            ("without_runs", &self.without_runs),
            ("without_workspaces", &self.without_workspaces),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_the_address_of_its_page_without_what_was_left_open() {
        let question = ImportQuestion {
            folder: "/a b".to_owned(),
            tags: "x,y".to_owned(),
            ..ImportQuestion::default()
        };
        assert_eq!(TaskQuestion::Import(question).address(), "/import?folder=%2Fa%20b&tags=x%2Cy");
        let question = ExportQuestion { dataset: "cats".to_owned(), ..ExportQuestion::default() };
        assert_eq!(TaskQuestion::Export(question).address(), "/exports?dataset=cats");
    }
}
