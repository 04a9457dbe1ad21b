//! The collection `config`: one document that holds the database's version.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store, durable};
use crate::{Error, Result};

/// The kinds of database this program migrates: `config.type`.
const KNOWN_TYPES: [&str; 2] = ["fiftyone", "fiftyone-teams"];

/// The `config` document: `{ _id, version: String, type: String }`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The document; empty if there is none yet.
    pub document: Document,
}

impl Config {
    /// The database's version, as written; `None` if it has none.
    pub fn version(&self) -> Option<&str> {
        self.document.get_str("version").ok()
    }
}

impl Store {
    /// Reads the `config` document. Unlike FiftyOne, which repairs it while reading, changes nothing.
    ///
    /// # Errors
    ///
    /// If there are several, its type is not ours, or its version is not a text.
    pub async fn config(&self) -> Result<Config> {
        let documents = self.config_documents().await.map_err(|it| self.error(it))?;
        let database = || self.name().to_owned();
        if documents.len() > 1 {
            let versions: Vec<String> = documents
                .iter()
                .map(|it| {
                    format!("{} at {}", id(it), it.get_str("version").unwrap_or("no version"))
                })
                .collect();
            let (count, versions) = (documents.len(), versions.join(", "));
            return Err(Error::SeveralConfigs { database: database(), count, versions });
        }
        let document = documents.into_iter().next().unwrap_or_default();
        match document.get("type") {
            None | Some(Bson::Null) => {}
            Some(Bson::String(found)) if KNOWN_TYPES.contains(&found.as_str()) => {}
            Some(other) => {
                let found = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                let known = KNOWN_TYPES.map(|it| format!("`{it}`")).join(" and ");
                return Err(Error::OtherClient { database: database(), found, known });
            }
        }
        match document.get("version") {
            None | Some(Bson::Null | Bson::String(_)) => Ok(Config { document }),
            Some(other) => {
                let reason = format!("its version is `{other}`, not a text");
                Err(Error::MalformedConfig { database: database(), reason })
            }
        }
    }

    /// Gives the database the `config` document that it had before, if it still is this one.
    ///
    /// Returns whether it did; nothing is written otherwise.
    pub async fn unstamp_database(&self, now: &Config, before: &Config) -> Result<bool, Failure> {
        if !before.document.is_empty() {
            return self.stamp_database(now, before).await;
        }
        let same = doc! { "$eq": ["$$ROOT", { "$literal": &now.document }] };
        let filter = doc! { "_id": now.document.get("_id"), "$expr": same };
        let statement = doc! { "q": filter, "limit": 1 };
        let command =
            doc! { "delete": "config", "deletes": [statement], "writeConcern": durable() };
        Ok(super::server::number(self.command(command).await?.get("n")) == Some(1))
    }

    async fn config_documents(&self) -> Result<Vec<Document>, Failure> {
        // As many as can be told apart in one sentence.
        Ok(self.collection("config").find(doc! {}).limit(10).await?.try_collect().await?)
    }

    /// Stamps the database with a version, if its `config` document is still the one that was read. Keys that
    /// we do not know are kept. A database without one gets one.
    ///
    /// Returns whether it was; nothing is written otherwise.
    pub async fn stamp_database(&self, read: &Config, changed: &Config) -> Result<bool, Failure> {
        let statement = if read.document.is_empty() {
            let mut document = changed.document.clone();
            document.entry("type".to_owned()).or_insert_with(|| KNOWN_TYPES[0].into());
            // Only where there is none. Not `$setOnInsert`, which sorts the keys.
            let absent = doc! { "$eq": [{ "$type": "$_id" }, "missing"] };
            let stage =
                doc! { "$replaceWith": { "$cond": [absent, { "$literal": document }, "$$ROOT"] } };
            doc! { "q": { "_id": { "$exists": true } }, "u": [stage], "upsert": true }
        } else {
            let same = doc! { "$eq": ["$$ROOT", { "$literal": &read.document }] };
            let filter = doc! { "_id": read.document.get("_id"), "$expr": same };
            doc! { "q": filter, "u": &changed.document }
        };
        let command =
            doc! { "update": "config", "updates": [statement], "writeConcern": durable() };
        let answer = self.command(command).await?;
        if read.document.is_empty() {
            // One that somebody else has made meanwhile counts as matched, but not as ours.
            return Ok(answer.contains_key("upserted"));
        }
        Ok(super::server::number(answer.get("n")) == Some(1))
    }
}

fn id(document: &Document) -> String {
    match document.get("_id") {
        Some(Bson::ObjectId(id)) => id.to_hex(),
        Some(other) => other.to_string(),
        None => "?".to_owned(),
    }
}
