//! Versions of FiftyOne Enterprise, of its SDKs and of databases: which belong together, and which opens which.

use serde::{Deserialize, Serialize};

use crate::Direction;

/// One release of FiftyOne Enterprise, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// For example `2.16.0`; `None` for an SDK from before there were Enterprise versions.
    pub enterprise: Option<String>,
    /// Its Python SDK, for example `0.10.0`; the last number is an `x` where nobody says which.
    pub sdk: String,
    /// The open source version that its data model equals.
    pub compatibility: String,
    /// When it was released, `YYYY-MM-DD`, where known.
    pub released: Option<String>,
    /// Whether a source states the pair, or it was inferred from numbers and dates.
    pub stated: bool,
    /// The revisions between the release before it and this one, oldest first.
    pub crosses: Vec<String>,
}

/// A release as the table lists it, with who has corrected it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRelease {
    /// What it is called in addresses: `2.16.0`, or `sdk-0.7.1`.
    pub name: String,
    /// What is known of it.
    #[serde(flatten)]
    pub row: VersionRow,
    /// `None` if it is as this build has it.
    pub correction: Option<VersionCorrection>,
}

/// All releases that are known of, for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseList {
    /// Newest first.
    pub releases: Vec<ListedRelease>,
    /// The time by the server's clock, RFC 3339.
    pub now: String,
    /// Whether whoever asks may correct them.
    pub corrects: bool,
}

/// Who has corrected a release, or added it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionCorrection {
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
    /// Where they have it from, if they say so.
    pub source: String,
    /// What this build has instead; `None` if it does not know the release.
    pub embedded: Option<VersionRow>,
}

/// What somebody writes of a release, as they have typed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionEntry {
    /// The Enterprise version; empty for an SDK from before there were any.
    #[serde(default)]
    pub enterprise: String,
    /// Its Python SDK.
    #[serde(default)]
    pub sdk: String,
    /// The open source version that its data model equals.
    #[serde(default)]
    pub compatibility: String,
    /// When it was released; empty if that is not known.
    #[serde(default)]
    pub released: String,
    /// `stated` or `inferred`.
    #[serde(default)]
    pub basis: String,
    /// Where they have it from.
    #[serde(default)]
    pub source: String,
}

/// The form in which a release is corrected or added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionForm {
    /// The release as it is listed; `None` for one that is added.
    pub listed: Option<ListedRelease>,
    /// What stands in the fields.
    pub entry: VersionEntry,
    /// The time by the server's clock, RFC 3339.
    pub now: String,
    /// What to know before it is saved, or why it cannot be; `None` if nothing was asked yet.
    pub outcome: Option<Result<Vec<String>, String>>,
}

/// By which of its numbers a release was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbering {
    /// Its own.
    Enterprise,
    /// That of its SDK.
    Sdk,
    /// That of the open source version whose data model it has.
    Compatibility,
}

/// What lies between a database and a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What was asked for.
    pub asked: String,
    /// Which of its numbers that is.
    pub found_by: Numbering,
    /// The release.
    pub goal: VersionRow,
    /// What the database is at, as it says; `None` if it does not.
    pub head: Option<String>,
    /// Which way it would go; `None` if it need not go anywhere, or nobody knows where it is.
    pub direction: Option<Direction>,
    /// The revisions it would cross, in the order they run.
    pub steps: Vec<WayStep>,
}

/// One revision on a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayStep {
    /// The revision.
    pub version: String,
    /// What it changed.
    pub summary: String,
    /// Whether it concerns the database as a whole, not its datasets.
    pub of_database: bool,
    /// What is dropped where it is crossed downwards.
    pub loses: Option<String>,
}

/// The SDK for a database, or for a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdk {
    /// The release it comes with.
    pub row: VersionRow,
    /// Whether that is the one that the database's version belongs to; otherwise it was asked for, or is the newest.
    pub reached: bool,
    /// What the database is at, as it says.
    pub head: Option<String>,
    /// What was asked for; `None` if it is the one for the present version.
    pub asked: Option<String>,
    /// All releases that can be chosen, newest first: `(what to ask for, what it is)`.
    pub choices: Vec<(String, String)>,
}

/// Which kind of FiftyOne connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Whichever the database is for, told by the version of its data model, without the right to migrate.
    #[default]
    Fitting,
    /// Open source, which migrates what it opens unless told not to.
    OpenSource,
    /// The Enterprise SDK, told by its own version, without the right to migrate.
    Enterprise,
}

/// Whether a client can open a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The client, as it was asked for.
    pub client: String,
    /// What the database is at, or would be; `None` if it does not say.
    pub database: Option<String>,
    /// Whether it can.
    pub compatible: bool,
    /// What FiftyOne says where it cannot.
    pub message: Option<String>,
    /// What else one should know, in our words.
    pub note: Option<String>,
}

impl ClientKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Fitting, Self::OpenSource, Self::Enterprise];

    /// The word for it in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fitting => "fitting",
            Self::OpenSource => "open_source",
            Self::Enterprise => "enterprise",
        }
    }

    /// The kind with this word; the usual one for none.
    pub fn named(word: &str) -> Option<Self> {
        if word.is_empty() {
            return Some(Self::default());
        }
        Self::ALL.into_iter().find(|it| it.name() == word)
    }
}

impl VersionRow {
    /// Whether one of its texts contains what somebody searches for, as it is or in other case.
    pub fn matches(&self, searched: &str) -> bool {
        let searched = searched.trim().to_lowercase();
        let stated = if self.stated { "stated" } else { "inferred" };
        let texts = [self.sdk.as_str(), &self.compatibility, stated];
        let more = self.enterprise.iter().chain(&self.released).chain(&self.crosses);
        texts.into_iter().chain(more.map(String::as_str)).any(|it| it.contains(&searched))
    }

    /// What it is called: `Enterprise 2.16.0`, or `SDK 0.7.1`.
    pub fn name(&self) -> String {
        match &self.enterprise {
            Some(version) => format!("Enterprise {version}"),
            None => format!("SDK {}", self.sdk),
        }
    }
}

impl ListedRelease {
    /// By which a form says which correction it was made of: the time of it, or nothing.
    pub fn seen(&self) -> &str {
        self.correction.as_ref().map_or("", |it| &it.at)
    }

    /// Whether one of its texts contains what somebody searches for, as it is or in other case.
    pub fn matches(&self, searched: &str) -> bool {
        let wanted = searched.trim().to_lowercase();
        let corrected = self.correction.as_ref().is_some_and(|it| {
            "corrected".contains(&wanted)
                || it.by.to_lowercase().contains(&wanted)
                || it.source.to_lowercase().contains(&wanted)
        });
        corrected || self.row.matches(searched)
    }
}

impl VersionEntry {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> VersionRow {
        VersionRow {
            enterprise: Some("2.16.0".into()),
            sdk: "2.16.0".into(),
            compatibility: "1.13.0".into(),
            released: Some("2026-02-12".into()),
            stated: true,
            crosses: vec!["1.13.0".into()],
        }
    }

    #[test]
    fn a_row_is_found_by_any_of_its_texts() {
        for found in ["", "2.16", " 1.13.0 ", "2026-02", "STATED"] {
            assert!(row().matches(found), "{found}");
        }
        for missed in ["2.17", "inferred"] {
            assert!(!row().matches(missed), "{missed}");
        }
    }

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for kind in ClientKind::ALL {
            assert_eq!(ClientKind::named(kind.name()), Some(kind));
        }
        assert_eq!(ClientKind::named(""), Some(ClientKind::Fitting));
        assert_eq!(ClientKind::named("teams"), None);
    }
}
