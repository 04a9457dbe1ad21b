//! What a migration would do, as people see it before they start it, and how hard it is to start.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Estimate;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanQuestion {
    /// With what.
    pub scope: PlanScope,
    /// Where to: a compatibility version such as `1.22.1`, or an Enterprise version as `enterprise:2.1.0`; empty for the newest.
    #[serde(default)]
    pub destination: String,
    /// The names of the datasets, one a line, where only some are asked for.
    #[serde(default)]
    pub datasets: String,
    /// The id of a selection, where the datasets were selected.
    #[serde(default)]
    pub selection: String,
}

/// With what a migration deals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanScope {
    /// The database and every dataset.
    #[default]
    Everything,
    /// The database's own version, no dataset.
    Database,
    /// Some datasets, by name.
    Datasets,
    /// The datasets of a selection.
    Selection,
}

/// A word that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope; there are everything, database, datasets and selection")]
pub struct UnknownScope(String);

/// A version that everything can be taken to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDestination {
    /// The compatibility version.
    pub version: String,
    /// The Enterprise versions that belong to it, oldest first.
    pub enterprise: Vec<String>,
    /// Whether a source states each of them, or some were inferred.
    pub stated: bool,
    /// Whether the database is there.
    pub current: bool,
}

/// What a migration would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationPlan {
    /// The name of the database.
    pub database_name: String,
    /// Where to, now that it is decided.
    pub destination: String,
    /// What will happen, in a sentence.
    pub sentence: String,
    /// What happens to the database as a whole; `None` if only datasets were asked for.
    pub database: Option<DatabaseStep>,
    /// How many datasets would be written to.
    pub datasets: u64,
    /// Whether anything goes down.
    pub goes_down: bool,
    /// The datasets, by what happens to them; first what is blocked, then what changes, then what stays.
    pub groups: Vec<PlanGroup>,
    /// What was looked at before, each with what was seen.
    pub checks: Vec<PlanCheck>,
    /// What is lost, with how many datasets lose it.
    pub losses: Vec<Loss>,
    /// What the destination does not know, is kept in the archive, and comes back on the way up.
    pub archived: Vec<Loss>,
    /// What there is to do, what it needs and how long it takes.
    pub estimate: Option<Estimate>,
    /// How many days it can be undone.
    pub undo_days: u32,
    /// What has to be done to start it; `None` if there is nothing to start.
    pub friction: Option<Friction>,
    /// Why whoever asks may not start it.
    pub forbidden: Option<String>,
    /// The id that its run will have. Started twice with the same one, it is one run.
    pub run: String,
    /// What identifies it: another one, and the plan is another.
    pub hash: String,
}

/// What happens to the database as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseStep {
    /// Where it is; `None` if it has no version.
    pub head: Option<String>,
    /// Where it goes; `None` if it stays.
    pub destination: Option<String>,
    /// Collections that no dataset uses and that are dropped.
    pub drops: Vec<String>,
}

/// Datasets to which the same happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanGroup {
    /// What.
    pub change: PlanChange,
    /// How many datasets.
    pub count: u64,
    /// The first of them, by name.
    pub datasets: Vec<String>,
}

/// What happens to a dataset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PlanChange {
    /// It cannot go.
    Blocked {
        /// Why.
        reason: String,
    },
    /// It crosses revisions.
    Crosses {
        /// Where it goes.
        destination: String,
        /// Whether it goes down.
        down: bool,
        /// Which, in order. None of a dataset that does not say where it is: that is known when it is read.
        revisions: Vec<String>,
    },
    /// Only its version is another.
    Version {
        /// Where it goes.
        destination: String,
        /// Whether it goes down.
        down: bool,
    },
    /// It is where it was to go, and gets back what the archive keeps.
    GivenBack,
    /// Nothing.
    Stays,
    /// Different things, each to a few.
    Others,
}

/// How many of a group are named.
pub const NAMED: usize = 50;

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What.
    pub what: String,
    /// How many datasets lose it.
    pub datasets: u64,
}

/// Something that was looked at before a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCheck {
    /// What was looked at.
    pub subject: String,
    /// What came of it.
    pub result: CheckResult,
    /// What was seen.
    pub evidence: String,
    /// What that means, if it is not well.
    pub cause: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Nothing is in the way.
    Good,
    /// It can be started, and somebody should look at this.
    Caution,
    /// It is in the way.
    Problem,
    /// It cannot be seen.
    Unknown,
}

/// What has to be done to start a migration: the more can go wrong, the more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Friction {
    /// Nothing: no data changes.
    None,
    /// Looking at the plan.
    Check,
    /// Typing how many datasets it is about.
    TypeCount {
        /// So many.
        count: u64,
    },
    /// Typing the name of the database.
    TypeName {
        /// This one.
        name: String,
    },
}

/// What is at stake in a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    /// How many datasets would be written to.
    pub datasets: u64,
    /// Whether more than versions changes.
    pub changes_data: bool,
    /// Whether anything goes down.
    pub goes_down: bool,
    /// Whether anything is lost.
    pub loses: bool,
}

/// What a person says when they start a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The id that its run shall have.
    pub run: String,
    /// The plan that they have seen.
    pub hash: String,
    /// What they have typed.
    #[serde(default)]
    pub typed: String,
}

/// What came of starting a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Started {
    /// It is a run, which waits for a server.
    Run {
        /// Its id.
        id: String,
    },
    /// Nothing was started.
    Not {
        /// Why.
        why: NotStarted,
    },
}

/// Why nothing was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotStarted {
    /// The plan is another than the one that was shown.
    Changed,
    /// What was typed is not what was to be typed.
    Mistyped,
    /// There is nothing to do any more.
    Nothing,
    /// It goes down, and takes the password of whoever starts it.
    Unconfirmed,
}

impl MigrationPlan {
    /// Whether the database's own version changes.
    pub fn moves_database(&self) -> bool {
        self.database.as_ref().is_some_and(|it| it.destination.is_some())
    }
}

impl PlanScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Everything, Self::Database, Self::Datasets, Self::Selection];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Database => "database",
            Self::Datasets => "datasets",
            Self::Selection => "selection",
        }
    }
}

impl FromStr for PlanScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

impl PlanQuestion {
    /// The names that were typed, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for it in self.datasets.lines().map(str::trim).filter(|it| !it.is_empty()) {
            if !names.iter().any(|name| name == it) {
                names.push(it.to_owned());
            }
        }
        names
    }

    /// The page that shows the plan.
    pub fn address(&self) -> String {
        let parts = [
            ("selection", &self.selection),
            ("destination", &self.destination),
            ("datasets", &self.datasets),
        ];
        let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
        let given = given.map(|(key, value)| format!("&{key}={}", encoded(value)));
        let given: Vec<String> = given.collect();
        format!("/migrate?scope={}{}", self.scope.word(), given.concat())
    }
}

/// A value as it stands in an address.
pub(crate) fn encoded(value: &str) -> String {
    let letter = |it: u8| match it {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(it).to_string()
        }
        it => format!("%{it:02X}"),
    };
    value.bytes().map(letter).collect::<Vec<_>>().concat()
}

impl Started {
    /// Where whoever asked goes on: to the run, or to the plan as it is now.
    pub fn address(&self, question: &PlanQuestion) -> String {
        match self {
            Self::Run { id } => format!("/runs/{id}"),
            Self::Not { why } => format!("{}&not_started={}", question.address(), why.word()),
        }
    }
}

impl NotStarted {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Changed, Self::Mistyped, Self::Nothing, Self::Unconfirmed];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Mistyped => "mistyped",
            Self::Nothing => "nothing",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// The reason with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => {
                "Nothing was started: the plan has changed since it was shown. Below is the plan as it is now."
            }
            Self::Mistyped => {
                "Nothing was started: what was typed is not what had to be typed. Look at the plan once more, and type it again."
            }
            Self::Nothing => "Nothing was started: there is nothing to do any more.",
            Self::Unconfirmed => {
                "Nothing was started: a downgrade takes your password once more. Type it below, beside the name."
            }
        })
    }
}

impl CheckResult {
    /// The word that styles use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Caution => "todo",
            Self::Problem => "problem",
            Self::Unknown => "unknown",
        }
    }

    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "Fine",
            Self::Caution => "Look at this",
            Self::Problem => "In the way",
            Self::Unknown => "Not known",
        }
    }
}

impl Friction {
    /// More datasets than this are many.
    const MANY: u64 = 1_000;

    /// What it takes to start something in this database.
    pub fn of(stakes: Stakes, database: &str) -> Self {
        if stakes.goes_down || stakes.loses {
            return Self::TypeName { name: database.to_owned() };
        }
        if !stakes.changes_data {
            return Self::None;
        }
        if stakes.datasets > Self::MANY {
            return Self::TypeCount { count: stakes.datasets };
        }
        Self::Check
    }

    /// Whether what was typed is enough. Numbers may have separators.
    pub fn accepts(&self, typed: &str) -> bool {
        match self {
            Self::None | Self::Check => true,
            Self::TypeCount { count } => {
                let separates =
                    |it: &char| it.is_whitespace() || [',', '.', '_', '’', '\''].contains(it);
                let digits: String = typed.chars().filter(|it| !separates(it)).collect();
                digits == count.to_string()
            }
            Self::TypeName { name } => typed.trim() == name.trim(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn friction(stakes: Stakes) -> Friction {
        Friction::of(stakes, "fiftyone")
    }

    #[test]
    fn what_changes_no_data_takes_nothing_however_many_datasets_there_are() {
        let stakes = Stakes { datasets: 9_411, ..Stakes::default() };
        assert_eq!(friction(stakes), Friction::None);
        assert!(friction(stakes).accepts(""));
    }

    #[test]
    fn the_ordinary_is_looked_at_and_of_many_the_count_is_typed() {
        let ordinary = Stakes { datasets: 1_000, changes_data: true, ..Stakes::default() };
        assert_eq!(friction(ordinary), Friction::Check);
        let many = friction(Stakes { datasets: 9_411, ..ordinary });
        assert_eq!(many, Friction::TypeCount { count: 9_411 });
        for typed in ["9411", " 9,411 ", "9\u{202f}411", "9'411"] {
            assert!(many.accepts(typed), "{typed}");
        }
        for typed in ["", "9410", "94110", "all", "fiftyone"] {
            assert!(!many.accepts(typed), "{typed}");
        }
    }

    #[test]
    fn whatever_goes_down_or_loses_something_takes_the_name_of_the_database() {
        let name = Friction::TypeName { name: "fiftyone".into() };
        let one = Stakes { datasets: 1, ..Stakes::default() };
        assert_eq!(friction(Stakes { goes_down: true, ..one }), name);
        assert_eq!(friction(Stakes { loses: true, ..one }), name);
        assert_eq!(friction(Stakes { loses: true, datasets: 9_411, ..one }), name);
        assert!(name.accepts(" fiftyone ") && !name.accepts("FiftyOne") && !name.accepts(""));
    }

    #[test]
    fn a_question_is_an_address_and_a_plan_that_was_not_started_says_why() {
        let question = PlanQuestion {
            scope: PlanScope::Datasets,
            destination: "1.0.0".into(),
            datasets: "cats & dogs\nbirds\n\nbirds ".into(),
            ..PlanQuestion::default()
        };
        let address = "/migrate?scope=datasets&destination=1.0.0&datasets=cats%20%26%20dogs%0Abirds%0A%0Abirds%20";
        assert_eq!(question.address(), address);
        assert_eq!(question.names(), ["cats & dogs", "birds"]);
        let selected = PlanQuestion {
            scope: PlanScope::Selection,
            selection: "64f0".into(),
            ..PlanQuestion::default()
        };
        assert_eq!(selected.address(), "/migrate?scope=selection&selection=64f0");
        let not = Started::Not { why: NotStarted::Mistyped };
        assert_eq!(not.address(&question), format!("{address}&not_started=mistyped"));
        let run = Started::Run { id: "1".into() };
        assert_eq!(run.address(&question), "/runs/1");
        for it in NotStarted::ALL {
            assert_eq!(NotStarted::of(it.word()), Some(it));
        }
        for it in PlanScope::ALL {
            assert_eq!(it.word().parse(), Ok(it));
        }
    }
}
