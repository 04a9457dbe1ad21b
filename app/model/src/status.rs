//! What a deployment is at: the versions, and how many datasets have which.

use serde::{Deserialize, Serialize};

/// The state of a deployment at one moment. Reading it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The name of the database.
    pub database: String,
    /// The newest FiftyOne Enterprise version that belongs to `compatibility_version`.
    pub enterprise_version: EnterpriseVersion,
    /// The open source version this program brings databases to, for example `1.22.1`.
    pub compatibility_version: String,
    /// Which other versions can read a database of this version, for example `>=0.19,<2`.
    pub other_compatible_versions: String,
    /// The version in the database's `config` document; `None` if it has none yet.
    pub database_version: Option<String>,
    /// The MongoDB server's version, for example `6.0.5`.
    pub mongodb_version: String,
    /// Whether this deployment may be migrated from here (`FIFTYONE_DATABASE_ADMIN`).
    pub database_admin: bool,
    /// How many datasets have which version, oldest version first; those without one come first.
    pub datasets: Vec<VersionCount>,
    /// One sentence: whether something needs doing.
    pub verdict: Verdict,
}

/// An Enterprise version and how sure we are of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterpriseVersion {
    /// For example `2.22.1`.
    pub version: String,
    /// Whether a source states the pair, or it was inferred from numbers and dates.
    pub stated: bool,
}

/// The datasets that have one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionCount {
    /// The text in their documents; `None` for datasets without one.
    pub version: Option<String>,
    /// How many there are.
    pub datasets: u64,
    /// Whether this program would have to migrate them to the compatibility version.
    pub needs_migration: bool,
}

/// Whether something needs doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which of the few situations it is.
    pub tone: Tone,
    /// One sentence for a person.
    pub sentence: String,
}

/// How urgent a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Nothing to do.
    Good,
    /// There is something to do.
    Todo,
    /// Something is wrong and has to be looked at.
    Problem,
}

impl Tone {
    /// The word that styles use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Todo => "todo",
            Self::Problem => "problem",
        }
    }
}
