//! What happened to runs, in their own database: `run_log`, one document per sentence.

use bson::{Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use model::LogLine;

use super::{Failure, Store};

impl Store {
    /// Adds a sentence to a run's log, at the server's time: the clocks of those who write here may differ.
    pub async fn log(&self, run: ObjectId, by: &str, text: &str) -> Result<(), Failure> {
        let line = doc! { "run": run, "at": "$$NOW", "by": { "$literal": by }, "text": { "$literal": text } };
        // Sent twice, it stays as it was at first.
        let stage = doc! { "$replaceWith": { "$mergeObjects": [line, "$$ROOT"] } };
        let statement = doc! { "q": { "_id": ObjectId::new() }, "u": [stage], "upsert": true };
        self.jobs_command(doc! { "update": LOG, "updates": [statement] }).await.map(drop)
    }

    /// A run's log, from its beginning; of a long one the last part.
    pub async fn log_of(&self, run: ObjectId) -> Result<Vec<LogLine>, Failure> {
        self.log_lines(run, SHOWN.into()).await
    }

    /// The whole log of a run, from its beginning.
    pub async fn whole_log_of(&self, run: ObjectId) -> Result<Vec<LogLine>, Failure> {
        self.log_lines(run, 0).await
    }

    /// The last lines of a run's log; `at_most`: 0 for all.
    async fn log_lines(&self, run: ObjectId, at_most: i64) -> Result<Vec<LogLine>, Failure> {
        let log = self.jobs.collection::<Document>(LOG);
        // The ids of two processes say nothing of what was first within one second.
        let found = log.find(doc! { "run": run }).sort(doc! { "at": -1, "_id": -1 }).limit(at_most);
        let mut found: Vec<Document> = found.await?.try_collect().await?;
        found.reverse();
        let text = |it: &Document, key: &str| it.get_str(key).unwrap_or_default().to_owned();
        let line = |it: &Document| LogLine {
            at: it.get_datetime("at").map_or_else(|_| String::new(), |it| crate::clock::text(*it)),
            by: text(it, "by"),
            text: text(it, "text"),
        };
        Ok(found.iter().map(line).collect())
    }
}

const LOG: &str = "run_log";

/// How many lines are shown.
pub const SHOWN: u16 = 1_000;
