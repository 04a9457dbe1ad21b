//! What admins have corrected of the releases there are.
//!
//! In `versions` in the runs' own database, one document each. They are facts about FiftyOne, not about one of its databases, as
//! accounts are.

use bson::{DateTime, Document, doc};
use futures_util::TryStreamExt;
use serde::Deserialize;

use super::{Failure, Store, durable, server::number};
use crate::versions::{Correction, MOST};

const VERSIONS: &str = "versions";

/// `{ _id: "2.16.0", enterprise, sdk, compatibility, released, stated, source, by, at }`.
#[derive(Debug, Deserialize)]
struct Stored {
    #[serde(rename = "_id")]
    name: String,
    enterprise: Option<String>,
    sdk: String,
    compatibility: String,
    released: String,
    stated: bool,
    source: String,
    by: String,
    at: DateTime,
}

impl Store {
    /// All corrections.
    pub async fn corrections(&self) -> Result<Vec<Correction>, Failure> {
        let at_most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let versions = self.jobs.collection::<Stored>(VERSIONS);
        let found = versions.find(doc! {}).sort(doc! { "_id": 1 });
        let found: Vec<Stored> = found.limit(at_most).await?.try_collect().await?;
        Ok(found.into_iter().map(Stored::read).collect())
    }

    /// Saves a correction while there is none (`seen` is empty), or while it is still that of this time. Returns whether it was.
    pub async fn save_correction(&self, it: &Correction, seen: &str) -> Result<bool, Failure> {
        let stage = doc! { "$set": {
            "enterprise": { "$literal": it.enterprise.clone() },
            "sdk": { "$literal": &it.sdk },
            "compatibility": { "$literal": &it.compatibility },
            "released": { "$literal": &it.released },
            "stated": it.stated,
            "source": { "$literal": &it.source },
            "by": { "$literal": &it.by },
            "at": "$$NOW",
        } };
        let Some(filter) = filter(&it.name, seen) else { return Ok(false) };
        let statement = doc! { "q": filter, "u": [stage], "upsert": seen.is_empty() };
        let command =
            doc! { "update": VERSIONS, "updates": [statement], "writeConcern": durable() };
        match self.jobs_command(command).await {
            // There is one by now.
            Err(failure) if failure.is_duplicate() => Ok(false),
            answer => Ok(number(answer?.get("n")) == Some(1)),
        }
    }

    /// Removes a correction while it is still that of this time. Returns whether it was.
    pub async fn remove_correction(&self, name: &str, seen: &str) -> Result<bool, Failure> {
        let Some(filter) = filter(name, seen) else { return Ok(false) };
        let statement = doc! { "q": filter, "limit": 1 };
        let command =
            doc! { "delete": VERSIONS, "deletes": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }
}

/// The correction with this name as it was seen; `None` if that is no time.
fn filter(name: &str, seen: &str) -> Option<Document> {
    if seen.is_empty() {
        return Some(doc! { "_id": name, "at": { "$exists": false } });
    }
    Some(doc! { "_id": name, "at": DateTime::parse_rfc3339_str(seen).ok()? })
}

impl Stored {
    fn read(self) -> Correction {
        let Self { name, enterprise, sdk, compatibility, released, stated, source, by, at } = self;
        let at = crate::clock::text(at);
        Correction { name, enterprise, sdk, compatibility, released, stated, source, by, at }
    }
}
