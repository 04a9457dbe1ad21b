//! What a run is going to remove once its datasets are committed, in the runs' own database: `run_leftovers`.
//!
//! Written down before, so that whoever goes on with a run that was killed between the two knows what was left.

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use model::JobState;
use serde::{Deserialize, Serialize};

use super::{Failure, Store, durable};

/// What one dataset will not refer to any more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Leftovers {
    /// The `_id` of the dataset.
    pub dataset: Bson,
    /// Run documents.
    pub runs: Vec<ObjectId>,
    /// Saved views.
    pub views: Vec<Bson>,
    /// Files of results.
    pub files: Vec<ObjectId>,
}

impl Leftovers {
    /// Whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.views.is_empty() && self.files.is_empty()
    }
}

impl Store {
    /// Writes down what is going to be removed, durable when this returns: nobody else would know of it.
    pub async fn note_leftovers(&self, run: ObjectId, all: &[Leftovers]) -> Result<(), Failure> {
        let statement = |it: &Leftovers| -> Result<Bson, Failure> {
            let id = doc! { "run": run, "dataset": &it.dataset };
            let mut whole =
                bson::serialize_to_document(it).map_err(|it| Failure::other(it.to_string()))?;
            whole.insert("run", run);
            Ok(doc! { "q": { "_id": id }, "u": whole, "upsert": true }.into())
        };
        let statements: Vec<Bson> = all.iter().map(statement).collect::<Result<_, _>>()?;
        if statements.is_empty() {
            return Ok(());
        }
        let command =
            doc! { "update": LEFTOVERS, "updates": statements, "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// What a run was going to remove, and may not have removed yet.
    pub async fn leftovers(&self, run: ObjectId) -> Result<Vec<Leftovers>, Failure> {
        let found = self.jobs.collection::<Document>(LEFTOVERS).find(doc! { "run": run }).await?;
        let found: Vec<Document> = found.try_collect().await?;
        let read = |it| bson::deserialize_from_document(it);
        found.into_iter().map(read).collect::<Result<_, _>>().map_err(|it: bson::error::Error| {
            Failure::other(format!("what run {run} left behind cannot be read: {it}"))
        })
    }

    /// The runs of this database that have come to their end and have left something all the same: they could not remove it
    /// then, and nobody goes on with them.
    pub async fn ended_with_leftovers(&self) -> Result<Vec<ObjectId>, Failure> {
        let found = self.jobs.collection::<Document>(LEFTOVERS).distinct("run", doc! {}).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let ended = JobState::ALL
            .into_iter()
            .filter(|it| !it.is_active() && !matches!(it, JobState::Planned | JobState::Paused));
        let states: Vec<Bson> = ended.map(super::jobs::text).collect::<Result<_, _>>()?;
        let theirs =
            doc! { "_id": { "$in": found }, "database": self.name(), "state": { "$in": states } };
        self.job_ids(theirs).await
    }

    /// It is removed, and that is durable.
    pub async fn forget_leftovers(&self, run: ObjectId, datasets: &[Bson]) -> Result<(), Failure> {
        if datasets.is_empty() {
            return Ok(());
        }
        let id = |it: &Bson| -> Bson { doc! { "run": run, "dataset": it }.into() };
        let ids: Vec<Bson> = datasets.iter().map(id).collect();
        let done = doc! { "q": { "_id": { "$in": ids } }, "limit": 0 };
        self.jobs_command(doc! { "delete": LEFTOVERS, "deletes": [done] }).await.map(drop)
    }
}

const LEFTOVERS: &str = "run_leftovers";
