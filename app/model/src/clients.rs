//! Who is connected to the database, and what a migration means for them.

use serde::{Deserialize, Serialize};

use crate::VersionRow;

/// Everybody who is connected, as far as our user may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clients {
    /// What the database is at, as it says.
    pub head: Option<String>,
    /// Where a migration would take it.
    pub destination: String,
    /// Programs, FiftyOne's first.
    pub groups: Vec<ClientGroup>,
    /// What to do to see everybody; `None` if everybody is here.
    pub remedy: Option<String>,
    /// The release whose SDK helps those that will be refused.
    pub sdk: Option<VersionRow>,
}

/// Connections that look like those of one program: the same application, machine, platform and user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientGroup {
    /// What it is.
    pub program: Program,
    /// What it calls itself; `None` if it does not.
    pub application: Option<String>,
    /// The drivers it uses, with their versions.
    pub drivers: Vec<String>,
    /// What the drivers run on, for example `CPython 3.11.7.final.0`.
    pub platform: Option<String>,
    /// The machine it comes from.
    pub address: String,
    /// The MongoDB user it has signed in as.
    pub user: Option<String>,
    /// How many connections it has.
    pub connections: u64,
    /// How many of them do something at the moment.
    pub busy: u64,
    /// When the first of those was made of which the server still knows it; RFC 3339.
    pub since: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in one sentence.
    pub reason: String,
}

/// What kind of program is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Program {
    /// FiftyOne: an SDK, the App or a service.
    FiftyOne,
    /// Anything else: shells, backups, monitoring.
    Other,
    /// This app, or its command line.
    Ours,
}

/// What becomes of a client when the database is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It can go on.
    Fine,
    /// It cannot connect any more.
    Refused,
    /// That depends on its version, which nobody knows.
    Unknown,
}

impl Fate {
    /// The word for it on a page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Refused => "will be refused",
            Self::Unknown => "unknown",
        }
    }
}
