//! Imports and exports that were asked for on a page: `tasks` in the app's own database.

use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{Failure, Holder, Store, durable, millis, server::number};

const TASKS: &str = "tasks";

/// How long somebody who is at one is taken to be there without saying so.
const BEAT: std::time::Duration = std::time::Duration::from_secs(30);

/// How many are listed.
const LISTED: i64 = 200;

/// A task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskRecord {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The FiftyOne database.
    pub database: String,
    /// Of which kind: `import` or `export`.
    pub kind: String,
    /// What it is about.
    pub what: String,
    /// What was asked for, as JSON: it is read by people and programs, and nobody searches it.
    pub question: String,
    /// Who has asked.
    pub by: String,
    /// When.
    pub begun: DateTime,
    /// Who is at it.
    pub holder: Holder,
    /// Until when they are taken to be there.
    pub expires: Option<DateTime>,
    /// Whether somebody wants it to end.
    pub stop: bool,
    /// What is being done.
    pub stage: String,
    /// How many documents are done, and of how many.
    pub done: i64,
    /// See there.
    pub of: i64,
    /// When it was over.
    pub ended: Option<DateTime>,
    /// Why nothing came of it.
    pub refused: Option<String>,
    /// What came of it, as JSON.
    pub came: Option<String>,
}

impl Store {
    /// Writes down that something is begun.
    pub async fn begin_task(&self, record: &TaskRecord) -> Result<(), Failure> {
        let written = bson::serialize_to_document(record);
        let written = written.map_err(|it| Failure::other(it.to_string()))?;
        let command = doc! { "insert": TASKS, "documents": [written], "writeConcern": durable() };
        self.jobs_command(command).await?;
        self.beat_task(record.id, &record.stage, (0, 0)).await.map(drop)
    }

    /// Says that we are still at it, and how far. Returns whether somebody wants it to end.
    pub async fn beat_task(
        &self,
        id: ObjectId,
        stage: &str,
        (done, of): (u64, u64),
    ) -> Result<bool, Failure> {
        let whole = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let set = doc! { "$set": {
            "stage": { "$literal": stage }, "done": whole(done), "of": whole(of),
            "expires": { "$add": ["$$NOW", millis(BEAT)] },
        } };
        let statement = doc! { "q": { "_id": id, "ended": null }, "u": [set] };
        let command = doc! { "update": TASKS, "updates": [statement] };
        if number(self.jobs_command(command).await?.get("n")) != Some(1) {
            return Ok(true);
        }
        Ok(self.task(id).await?.is_none_or(|it| it.stop))
    }

    /// Notes what came of it.
    pub async fn end_task(
        &self,
        id: ObjectId,
        came: Option<&str>,
        refused: Option<&str>,
    ) -> Result<(), Failure> {
        let set = doc! { "$set": { "ended": DateTime::now(), "expires": null, "came": came, "refused": refused } };
        let statement = doc! { "q": { "_id": id }, "u": set };
        let command = doc! { "update": TASKS, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Asks whoever is at it to end.
    pub async fn stop_task(&self, id: ObjectId) -> Result<(), Failure> {
        let statement = doc! { "q": { "_id": id }, "u": { "$set": { "stop": true } } };
        self.jobs_command(doc! { "update": TASKS, "updates": [statement] }).await.map(drop)
    }

    /// The task with this id.
    pub async fn task(&self, id: ObjectId) -> Result<Option<TaskRecord>, Failure> {
        let tasks = self.jobs.collection::<TaskRecord>(TASKS);
        Ok(tasks.find_one(doc! { "_id": id, "database": self.name() }).await?)
    }

    /// The tasks of a kind, the last one first; only those of somebody, if one is named.
    pub async fn tasks(&self, kind: &str, by: Option<&str>) -> Result<Vec<TaskRecord>, Failure> {
        let mut filter: Document = doc! { "database": self.name(), "kind": kind };
        if let Some(by) = by {
            filter.insert("by", by);
        }
        let tasks = self.jobs.collection::<TaskRecord>(TASKS);
        let found = tasks.find(filter).sort(doc! { "begun": -1 }).limit(LISTED);
        Ok(found.await?.try_collect().await?)
    }
}
