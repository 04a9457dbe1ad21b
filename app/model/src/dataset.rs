//! One dataset as its page shows it: where it is, where it can go, and what that does to it.

use serde::{Deserialize, Serialize};

use crate::{Diff, LogLine, PlanQuestion, RunFrame};

/// All that the page of one dataset shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetView {
    /// Its `_id`, as text.
    pub id: String,
    /// What to call it: its name, or its `_id` where it has none.
    pub label: String,
    /// Whether whoever looks may give others rights to it.
    pub may_share: bool,
    /// The version in its document; `None` if there is none.
    pub version: Option<String>,
    /// The version that it is at, which its content shows where its document does not say; `None` if nobody can tell.
    pub head: Option<String>,
    /// The version of the database.
    pub database: Option<String>,
    /// What its media are: `image`, `video`.
    pub media_type: Option<String>,
    /// Its collections of samples and frames.
    pub collections: Vec<DatasetCollection>,
    /// The versions that it can be asked to go to, newest first.
    pub destinations: Vec<String>,
    /// The revisions above it, in the order in which it would cross them.
    pub up: Vec<RevisionAhead>,
    /// The revisions below it, in the order in which it would cross them.
    pub down: Vec<RevisionAhead>,
    /// Where it is asked to go.
    pub destination: String,
    /// What that does to it.
    pub outlook: DatasetOutlook,
    /// What to ask for to have it migrated there; `None` if it has no name to ask by.
    pub question: Option<PlanQuestion>,
    /// The runs that had to do with it, newest first.
    pub history: Vec<DatasetRun>,
    /// What the logs of those runs say of it, newest first.
    pub log: Vec<DatasetLine>,
    /// When it was looked at, as RFC 3339 in UTC.
    pub at: String,
}

/// A collection of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetCollection {
    /// What is in it: `sample` or `frame`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// About how many documents it has; `None` if it does not exist.
    pub documents: Option<u64>,
}

/// A revision that a dataset may cross.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionAhead {
    /// Its version.
    pub version: String,
    /// What it changes in general.
    pub summary: String,
    /// What it does to this dataset.
    pub badge: Badge,
    /// What of this dataset it changes: `samples`, for example.
    pub changes: Vec<String>,
    /// What is lost, what people should know, or why it cannot be crossed.
    pub notes: Vec<String>,
}

/// What a revision does to a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Badge {
    /// Something, all of which the way back brings back by itself.
    Reversible,
    /// Something is lost that the way back alone does not bring back.
    Lossy,
    /// Nothing.
    NoOp,
    /// The dataset cannot cross it.
    Blocked,
    /// The dataset cannot come to it.
    OutOfReach,
}

/// What going to a version does to a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DatasetOutlook {
    /// Nothing: it is there.
    Stays,
    /// It cannot go.
    Blocked {
        /// Why.
        reason: String,
        /// What can be done about it.
        remedies: Vec<DatasetRemedy>,
    },
    /// It can go.
    Goes(Box<WayOfDataset>),
}

/// Something that can be done about what is in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRemedy {
    /// What, in sentences.
    pub text: String,
    /// The commands to type.
    pub command: Option<String>,
    /// What they are commands for.
    pub tool: String,
    /// What can be done here instead.
    pub rename: Option<FieldRename>,
}

/// A field that can get another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRename {
    /// Its path: `created_at`, or `frames.created_at`.
    pub field: String,
    /// A name that is free.
    pub to: String,
}

/// What giving a field another name would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenamePlan {
    /// The `_id` of the dataset, as text.
    pub id: String,
    /// What the dataset is called.
    pub label: String,
    /// The path of the field.
    pub field: String,
    /// The name that it would get.
    pub to: String,
    /// Its type.
    pub kind: String,
    /// What would change, in sentences.
    pub changes: Vec<String>,
    /// Why it cannot be done, if that is so.
    pub refusal: Option<String>,
    /// The name of a rename of this dataset that was begun and not ended: it is under way, or was cut off.
    pub begun: Option<String>,
}

/// A migration of one dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayOfDataset {
    /// Whether it goes down.
    pub down: bool,
    /// The revisions it crosses, in order.
    pub revisions: Vec<String>,
    /// Its new name, if it gets one.
    pub renamed_to: Option<String>,
    /// What people should know.
    pub warnings: Vec<String>,
    /// What the destination does not know, and the archive keeps.
    pub kept: Vec<String>,
    /// What the archive gives back.
    pub given_back: Vec<String>,
    /// What happens in other collections.
    pub elsewhere: Vec<String>,
    /// Its documents before and after.
    pub documents: Vec<DocumentChange>,
    /// What is not shown, in sentences.
    pub left: Vec<String>,
}

/// A document before and after a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentChange {
    /// What it is: `Dataset document`, for example.
    pub title: String,
    /// In which collection.
    pub collection: String,
    /// What becomes of it.
    pub fate: DocumentFate,
    /// What is another in it, and what of it there is, if it is new or removed.
    pub diff: Diff,
    /// How many values are added, removed or replaced.
    pub changes: u64,
    /// What it is, as extended JSON; `None` if it is not there, or too large for a page.
    pub before: Option<String>,
    /// What it will be, as extended JSON; `None` if it will not be there, or is too large for a page.
    pub after: Option<String>,
}

/// What becomes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFate {
    /// It is changed.
    Changed,
    /// It stays as it is.
    Stays,
    /// It is new.
    Added,
    /// It is removed.
    Removed,
}

/// A run that had to do with a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRun {
    /// The run.
    pub frame: RunFrame,
    /// What became of the dataset: `migrated` and so on.
    pub state: String,
    /// Where it was; `None` if its document did not say.
    pub head: Option<String>,
    /// Where it was asked to go.
    pub destination: Option<String>,
    /// When the run was done with it, as RFC 3339 in UTC.
    pub ended: Option<String>,
    /// Why it did not get there, what people should know, what was archived and given back.
    pub notes: Vec<String>,
    /// Whether the run can be undone, or why not.
    pub undo: String,
}

/// A sentence of the log of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetLine {
    /// The id of the run.
    pub run: String,
    /// The sentence.
    pub line: LogLine,
}

impl Badge {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reversible => "Reversible",
            Self::Lossy => "Lossy",
            Self::NoOp => "No-op",
            Self::Blocked => "Blocked",
            Self::OutOfReach => "Out of reach",
        }
    }

    /// The word that styles use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::Lossy => "lossy",
            Self::NoOp => "no_op",
            Self::Blocked => "blocked",
            Self::OutOfReach => "out_of_reach",
        }
    }
}

impl DocumentFate {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Changed => "Changed",
            Self::Stays => "Stays as it is",
            Self::Added => "Added",
            Self::Removed => "Removed",
        }
    }

    /// The word that styles use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Stays => "stays",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

impl FieldRename {
    /// Where one sees what it would change: `id` is that of the dataset.
    pub fn address(&self, id: &str) -> String {
        let [id, field, to] = [id, &self.field, &self.to].map(crate::plan::encoded);
        format!("/datasets/{id}/rename?field={field}&to={to}")
    }
}
