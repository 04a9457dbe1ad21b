//! What a migration will do or has done, for people and for scripts.

use model::{Cause, Estimate, FailureGroup, JobState};
use serde::{Deserialize, Serialize};

use crate::policy::may_go_down;

/// One command's plan or result.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// What happens to the database; `None` if only datasets were asked for.
    pub database: Option<DatabaseReport>,
    /// What happens to each dataset that was asked for, by name.
    pub datasets: Vec<DatasetReport>,
    /// Whether it was told to stop before it was through.
    pub stopped: bool,
    /// The run that it was written down as; `None` if there was nothing to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How large the undo journal would be; only in a plan, and if there would be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_journal: Option<JournalSize>,
    /// What there is to do, what it needs and how long it takes; only in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// How that run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_state: Option<JobState>,
    /// Whether it was kept how things were, so that it can be undone.
    #[serde(rename = "can_be_undone")]
    pub is_kept: bool,
    /// The datasets that could not be migrated, by cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureGroup>,
    /// Those among them that were not tried again, because that cannot help until something is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<FailureGroup>,
}

/// How large an undo journal would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JournalSize {
    /// About how many bytes.
    pub bytes: u64,
    /// How many of them are for samples and frames; what is estimated of those is the most that it can be.
    pub samples_at_most: u64,
}

/// What happens to the database as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct DatabaseReport {
    /// Where it was; `None` if it had no version.
    pub head: Option<String>,
    /// Where it is now, or would be.
    pub destination: Option<String>,
    /// The admin revisions it crosses, in order.
    pub revisions: Vec<String>,
    /// Collections that no dataset uses and that are dropped.
    pub drops: Vec<String>,
    /// What became of it.
    pub state: State,
}

impl DatabaseReport {
    /// Whether it is newer where it is going to, as far as both say where they are.
    pub fn goes_up(&self) -> bool {
        release(self.destination.as_deref()) > release(self.head.as_deref())
    }

    /// Whether it is older where it is going to.
    pub fn goes_down(&self) -> bool {
        let (head, destination) =
            (release(self.head.as_deref()), release(self.destination.as_deref()));
        head.zip(destination).is_some_and(|(from, to)| may_go_down(Some(&from), &to))
    }
}

/// The version that a text says. What is none is told where the document is read, and has no way to go.
fn release(text: Option<&str>) -> Option<revisions::Release> {
    text?.parse().ok()
}

/// What happens to one dataset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DatasetReport {
    /// Its `_id`, as text.
    pub id: String,
    /// Its name; `None` if it has none.
    pub name: Option<String>,
    /// Its new name, if a revision renames it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
    /// Where it was; `None` if its document does not say.
    pub head: Option<String>,
    /// Where it was asked to go.
    pub destination: Option<String>,
    /// The revisions it crosses, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<String>,
    /// What became of it.
    pub state: State,
    /// Why it was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind of that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What people should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What verifying it has found that people should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// What it has not where it goes, and what the archive keeps for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// What the archive gives back to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_back: Vec<String>,
    /// How far it is, and when.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How far a dataset of a run is, and when. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How many samples and frames were passed over.
    #[serde(default, skip_serializing_if = "is_none")]
    pub documents: u64,
    /// About how many more there are in the collections that are being passed over.
    #[serde(default, skip_serializing_if = "is_none")]
    pub ahead: u64,
    /// About how many bytes were written: its document, its runs, its samples and frames.
    #[serde(default, skip_serializing_if = "is_none")]
    pub bytes: u64,
    /// When it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// When it was done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// When something of it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_write: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What became of a database or a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is where it was asked to go, and was before.
    Current,
    /// It would be migrated; nothing was written, because that was asked for.
    Planned,
    /// It is at its destination now.
    Migrated,
    /// It cannot go there. Nothing of it was changed.
    Refused,
    /// Something went wrong. Its document is as it was; running the same again is safe.
    Failed,
    /// It was left as it was, because the run was stopped before its turn.
    Untouched,
    /// The run was stopped in the middle of it. Its document is as it was, a part of its samples may be changed
    /// already; running the same again completes it.
    Interrupted,
    /// It is as it was before the run.
    Undone,
    /// It could not be brought back to what it was before the run: somebody has changed it since, for example.
    NotUndone,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Current,
        Self::Planned,
        Self::Migrated,
        Self::Refused,
        Self::Failed,
        Self::Untouched,
        Self::Interrupted,
        Self::Undone,
        Self::NotUndone,
    ];

    /// The word under which it is written down.
    pub fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Planned => "planned",
            Self::Migrated => "migrated",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Untouched => "untouched",
            Self::Interrupted => "interrupted",
            Self::Undone => "undone",
            Self::NotUndone => "not_undone",
        }
    }
}

impl DatasetReport {
    /// Whether it goes down, or might: where it is may not be known.
    pub fn may_go_down(&self) -> bool {
        let head = release(self.head.as_deref());
        release(self.destination.as_deref()).is_some_and(|to| may_go_down(head.as_ref(), &to))
    }

    /// What to call it in a sentence. On one line, and with nothing in it that a terminal would obey.
    pub fn label(&self) -> String {
        self.name.as_deref().map_or_else(|| self.id.clone(), printable)
    }

    /// Whether it was migrated, and there is nothing else to say of it.
    pub(crate) fn is_plainly_migrated(&self) -> bool {
        let silent = self.warnings.is_empty()
            && self.found.is_empty()
            && self.kept.is_empty()
            && self.given_back.is_empty();
        self.state == State::Migrated && self.renamed_to.is_none() && silent
    }

    /// Of which kind its failure is; `None` if it has not failed. One that was noted by an older version of this program
    /// does not say.
    pub fn failure(&self) -> Option<Cause> {
        match self.state {
            State::Refused => Some(self.cause.unwrap_or(Cause::Blocked)),
            State::Failed => Some(self.cause.unwrap_or(Cause::Other)),
            _ => None,
        }
    }

    /// Whether it did not get where it was asked to go.
    pub fn is_failure(&self) -> bool {
        matches!(self.state, State::Refused | State::Failed | State::NotUndone)
    }
}

/// A text with its control characters written out.
pub fn printable(text: &str) -> String {
    let letter = |it: char| match it {
        it if it.is_control() => it.escape_default().to_string(),
        it => it.to_string(),
    };
    text.chars().map(letter).collect()
}

/// The failures among these, by cause.
pub fn failures<'a>(reports: impl IntoIterator<Item = &'a DatasetReport>) -> Vec<FailureGroup> {
    let failed = |it: &DatasetReport| Some((it.failure()?, it.label()));
    FailureGroup::of(reports.into_iter().filter_map(failed))
}

impl Report {
    /// Whether anything of a plan may go down, which takes a right of its own.
    pub fn may_go_down(&self) -> bool {
        let planned = |it: &&DatasetReport| it.state == State::Planned;
        self.database.as_ref().is_some_and(DatabaseReport::goes_down)
            || self.datasets.iter().filter(planned).any(DatasetReport::may_go_down)
    }

    /// Whether the database itself goes somewhere.
    pub fn moves(&self) -> bool {
        self.database.as_ref().is_some_and(|it| it.destination.is_some())
    }

    /// The datasets in this state.
    pub fn count(&self, state: State) -> usize {
        self.datasets.iter().filter(|it| it.state == state).count()
    }
}
