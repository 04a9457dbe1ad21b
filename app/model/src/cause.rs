//! Why a dataset could not be migrated, in the few kinds that differ in what has to be done.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What stood in the way of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// What it holds cannot cross a revision.
    Blocked,
    /// A document of it would be larger than the server stores.
    TooLarge,
    /// The server does not let one of its samples or frames be changed.
    Document,
    /// Somebody edited it faster than it could be migrated.
    Edited,
    /// It was migrated, and a client of an older version has written it back.
    WrittenBack,
    /// It was migrated, and verifying has found that it is not as its version has it.
    Altered,
    /// The server could not be reached.
    Connection,
    /// The server did not end in time what it was asked to do.
    Slow,
    /// This program was asleep or cut off for longer than its lease.
    Lease,
    /// The database user may not do what is needed.
    Privilege,
    /// Anything else; the reason says what.
    Other,
}

use Cause::{
    Altered, Blocked, Connection, Document, Edited, Lease, Other, Privilege, Slow, TooLarge,
    WrittenBack,
};

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 11] = [
        Blocked,
        TooLarge,
        Document,
        Edited,
        WrittenBack,
        Altered,
        Connection,
        Slow,
        Lease,
        Privilege,
        Other,
    ];

    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Blocked => "blocked",
            TooLarge => "too-large",
            Document => "document",
            Edited => "edited",
            WrittenBack => "written-back",
            Altered => "altered",
            Connection => "connection",
            Slow => "slow",
            Lease => "lease",
            Privilege => "privilege",
            Other => "other",
        }
    }

    /// What has to be done.
    pub fn remedy(self) -> &'static str {
        match self {
            Blocked => "change what the reason names, or leave the dataset at its version",
            TooLarge => "delete large runs, `info` or labels of it, or leave it at its version",
            Document => {
                "mend or delete the document that the reason names, or lift the rule it breaks"
            }
            Edited => "pause what writes to it",
            WrittenBack => "disconnect the clients of older versions",
            Altered => {
                "disconnect the clients of older versions, and mend or undo what the reason names"
            }
            Connection => "see that the server can be reached",
            Slow => "wait until the server has less to do, or give the run a smaller pace",
            Lease => "keep the program awake and connected",
            Privilege => "grant the database user what the reason names",
            Other => "see what the reason says",
        }
    }

    /// Whether trying again may help although nobody has changed the dataset. Where it cannot, trying again writes, and
    /// fails at the same place.
    pub fn may_pass(self) -> bool {
        match self {
            Blocked | TooLarge | Document => false,
            Edited | WrittenBack | Altered | Connection | Slow | Lease | Privilege | Other => true,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Blocked => "blocked by what it holds",
            TooLarge => "a document would be too large",
            Document => "a sample or frame cannot be changed",
            Edited => "edited by somebody meanwhile",
            WrittenBack => "written back by an older client",
            Altered => "altered after it was migrated",
            Connection => "the connection was lost",
            Slow => "the server was too slow",
            Lease => "the lease was lost",
            Privilege => "a privilege is missing",
            Other => "something else",
        })
    }
}

/// A word that is no cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no cause; the causes are {words}", words = words())]
pub struct UnknownCause(String);

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| UnknownCause(text.to_owned()))
    }
}

fn words() -> String {
    Cause::ALL.map(|it| format!("`{}`", it.word())).join(", ")
}

/// The datasets that could not be migrated for the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// Why.
    pub cause: Cause,
    /// How many datasets.
    pub count: u64,
    /// What has to be done.
    pub remedy: String,
    /// The first of them, by name; none where names were not asked for, or may not be seen.
    pub datasets: Vec<String>,
}

impl FailureGroup {
    /// Groups datasets by cause; the largest group comes first.
    pub fn of(failures: impl IntoIterator<Item = (Cause, String)>) -> Vec<Self> {
        let mut groups: BTreeMap<Cause, Vec<String>> = BTreeMap::new();
        for (cause, name) in failures {
            groups.entry(cause).or_default().push(name);
        }
        let group = |(cause, mut datasets): (Cause, Vec<String>)| {
            datasets.sort();
            let count = u64::try_from(datasets.len()).unwrap_or(u64::MAX);
            Self::with(cause, count, datasets)
        };
        let mut groups: Vec<Self> = groups.into_iter().map(group).collect();
        groups.sort_by_key(|it| std::cmp::Reverse(it.count));
        groups
    }

    /// So many that failed for a cause, of which these are named.
    pub fn with(cause: Cause, count: u64, datasets: Vec<String>) -> Self {
        Self { cause, count, remedy: cause.remedy().to_owned(), datasets }
    }
}

impl fmt::Display for FailureGroup {
    /// `12 blocked by what it holds (a, b, c and 9 more): change what the reason names`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMED: usize = 3;
        let Self { cause, count, remedy, datasets } = self;
        let named: Vec<&str> = datasets.iter().take(NAMED).map(String::as_str).collect();
        let more = count.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let named = match named.as_slice() {
            [] => String::new(),
            named => format!(" ({}{more})", named.join(", ")),
        };
        write!(f, "{count} {cause}{named}, `{}`: {remedy}", cause.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_word_and_nothing_else_is() {
        for it in Cause::ALL {
            assert_eq!(it.word().parse(), Ok(it));
        }
        let unknown = "bad luck".parse::<Cause>().unwrap_err().to_string();
        assert!(unknown.starts_with("`bad luck` is no cause; the causes are `blocked`, "));
    }

    #[test]
    fn failures_are_grouped_with_the_largest_group_first_and_three_names() {
        let failed = |cause, names: &[&str]| {
            names.iter().map(|it| (cause, (*it).to_owned())).collect::<Vec<_>>()
        };
        let all = [failed(Edited, &["z"]), failed(Blocked, &["d", "a", "c", "b", "e"])].concat();
        let groups = FailureGroup::of(all);
        assert_eq!(
            groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "5 blocked by what it holds (a, b, c and 2 more), `blocked`: change what the reason names, or leave the \
                 dataset at its version",
                "1 edited by somebody meanwhile (z), `edited`: pause what writes to it",
            ]
        );
        assert_eq!(groups[0].datasets.len(), 5);
        let some = FailureGroup::with(Blocked, 70_000, vec!["a".to_owned()]).to_string();
        assert!(some.starts_with("70000 blocked by what it holds (a and 69999 more), "), "{some}");
        let none = FailureGroup::with(Slow, 2, Vec::new()).to_string();
        assert!(none.starts_with("2 the server was too slow, `slow`: "), "{none}");
    }

    #[test]
    fn what_depends_on_the_dataset_itself_does_not_pass_by_itself() {
        let stays: Vec<Cause> = Cause::ALL.into_iter().filter(|it| !it.may_pass()).collect();
        assert_eq!(stays, [Blocked, TooLarge, Document]);
    }
}
