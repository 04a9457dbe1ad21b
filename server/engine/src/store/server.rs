//! The server itself: its version, its process, the collections it has.

use std::collections::BTreeSet;

use bson::{Bson, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use model::Topology;
use mongodb::options::{Acknowledgment, WriteConcern};

use super::{Failure, Store};
use crate::{Error, Result};

/// The oldest server whose update pipelines, `$merge` and `$bsonSize` do what we need.
const OLDEST: (i64, i64) = (4, 4);

/// What answers at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// For example `6.0.5`.
    pub version: String,
}

impl Store {
    /// Reaches the server and checks that it is new enough, unless told not to (`FIFTYONE_DATABASE_VALIDATION`).
    /// The first call of every command.
    ///
    /// # Errors
    ///
    /// If it cannot be reached, refuses us, or is older than 4.4.
    pub async fn server(&self) -> Result<Server> {
        let admin = self.client.database("admin");
        let info = admin.run_command(doc! { "buildInfo": 1 }).await;
        let info = info.map_err(|it| self.error(it.into()))?;
        let version = info.get_str("version").unwrap_or("unknown").to_owned();
        let number = |index: usize| {
            let part = info.get_array("versionArray").ok().and_then(|it| it.get(index));
            part.and_then(|it| it.as_i32().map(i64::from).or_else(|| it.as_i64())).unwrap_or(0)
        };
        if self.validation && (number(0), number(1)) < OLDEST {
            return Err(Error::OldServer { found: version, needed: "4.4" });
        }
        Ok(Server { version })
    }

    /// How many servers there are.
    pub async fn topology(&self) -> Result<Topology, Failure> {
        let hello = self.client.database("admin").run_command(doc! { "hello": 1 }).await?;
        if hello.get_str("msg").is_ok_and(|it| it == "isdbgrid") {
            return Ok(Topology::Sharded);
        }
        let Ok(name) = hello.get_str("setName") else { return Ok(Topology::Standalone) };
        let members = hello.get_array("hosts").map_or(0, Vec::len);
        let members = u64::try_from(members).unwrap_or(u64::MAX);
        Ok(Topology::ReplicaSet { name: name.to_owned(), members })
    }

    /// The version whose features the server has switched on; `None` if it does not say so to our user.
    pub async fn feature_version(&self) -> Option<String> {
        let question = doc! { "getParameter": 1, "featureCompatibilityVersion": 1 };
        let answer = self.client.database("admin").run_command(question).await.ok()?;
        let feature = answer.get_document("featureCompatibilityVersion").ok()?;
        Some(feature.get_str("version").ok()?.to_owned())
    }

    /// Which process answers writes. Another one after a restart or a fail-over: then writes that were
    /// acknowledged before, but not yet durable, may be gone.
    pub async fn process(&self) -> Result<Option<ObjectId>, Failure> {
        let hello = self.client.database("admin").run_command(doc! { "hello": 1 }).await?;
        // Which router answers says nothing of the servers behind it.
        if hello.get_str("msg").is_ok_and(|it| it == "isdbgrid") {
            return Ok(None);
        }
        let topology = hello.get_document("topologyVersion").ok();
        Ok(topology.and_then(|it| it.get("processId").and_then(Bson::as_object_id)))
    }

    /// Insists that the process which answered then still does: everything that it has acknowledged meanwhile is there, and
    /// durable as soon as something after it is. With another one the run goes on later from what was written down.
    pub async fn is_still(&self, process: Option<ObjectId>) -> Result<(), Failure> {
        if self.process().await? == process {
            return Ok(());
        }
        Err(Failure::restarted())
    }

    /// Whether the server still carries out a write that a program of ours has begun on this database: it goes on with
    /// what it has begun when the one that asked is gone. Needs no privilege: only our own user's are looked at.
    pub async fn is_writing(&self) -> Result<bool, Failure> {
        let merging = doc! { "command.pipeline.$merge": { "$exists": true } };
        let stages = [
            doc! { "$currentOp": { "allUsers": false } },
            doc! { "$match": {
                "appName": super::APP_NAME,
                "active": true,
                // What is brought back comes from the journal or the archive.
                "ns": { "$regex": format!(
                    "^({}\\.|{}\\.({}|{})$)",
                    escaped(self.name()),
                    escaped(self.jobs.name()),
                    super::values::VALUES,
                    super::archive::ARCHIVE_VALUES,
                ) },
                "$or": [{ "op": { "$in": ["update", "insert", "remove"] } }, merging],
            } },
            doc! { "$limit": 1 },
        ];
        let mut found = self.client.database("admin").aggregate(stages).await?;
        Ok(found.try_next().await?.is_some())
    }

    /// The names of all collections of the database.
    pub async fn collections(&self) -> Result<BTreeSet<String>, Failure> {
        let names = self.database.list_collection_names().await?;
        Ok(names.into_iter().collect())
    }

    /// Drops a collection, for good when this returns. Nothing happens if it does not exist.
    pub async fn drop_collection(&self, name: &str) -> Result<(), Failure> {
        let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        Ok(self.collection(name).drop().write_concern(durable).await?)
    }
}

/// A text as a regular expression that matches nothing else.
pub(super) fn escaped(name: &str) -> String {
    let letter = |it: char| if it.is_alphanumeric() { it.to_string() } else { format!("\\{it}") };
    name.chars().map(letter).collect()
}

/// A count in any of the types the server uses for counts.
pub(super) fn number(value: Option<&Bson>) -> Option<i64> {
    match value? {
        Bson::Int32(it) => Some(i64::from(*it)),
        Bson::Int64(it) => Some(*it),
        #[expect(clippy::cast_possible_truncation, reason = "counts are whole numbers")]
        Bson::Double(it) => Some(*it as i64),
        _ => None,
    }
}
