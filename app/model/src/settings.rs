//! What a server runs with: which MongoDB, which databases, and what may be done.

use serde::{Deserialize, Serialize};

/// What a server runs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSettings {
    /// The version of this program's data model.
    pub compatibility: String,
    /// Where MongoDB is, without names and passwords.
    pub hosts: String,
    /// Its version.
    pub server_version: String,
    /// The version whose features it has switched on; `None` if it does not say so to our user.
    pub feature_version: Option<String>,
    /// How many servers it is.
    pub topology: Topology,
    /// How much room there is on its disk; `None` if it does not say.
    pub disk_free_bytes: Option<u64>,
    /// FiftyOne's database.
    pub database: String,
    /// The database beside it in which runs and accounts are.
    pub runs: String,
    /// Why nothing may be migrated from here, if that is so.
    pub barrier: Option<String>,
    /// Whether the server's version is checked.
    pub validation: bool,
    /// For how many days a run can be undone.
    pub undo_days: u32,
    /// The folder that members import from, if there is one.
    pub imports: Option<String>,
}

/// How many servers a MongoDB is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Topology {
    /// One.
    Standalone,
    /// Several with the same data.
    ReplicaSet {
        /// What it is called.
        name: String,
        /// How many of them have data.
        members: u64,
    },
    /// Several that share the data, behind routers.
    Sharded,
}

impl std::fmt::Display for Topology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Standalone => f.write_str("one server, without replication"),
            Self::ReplicaSet { name, members } => {
                write!(f, "replica set `{name}` of {}", crate::words::counted(*members, "member"))
            }
            Self::Sharded => f.write_str("a sharded cluster"),
        }
    }
}
