//! What a run is going to remove once its datasets are committed, in the runs' own database: `run_leftovers`.
//!
//! Written down before, so that whoever goes on with a run that was killed between the two knows what was left.

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{Failure, Store};

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
    /// Writes down what is going to be removed.
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
        self.jobs_command(doc! { "update": LEFTOVERS, "updates": statements }).await.map(drop)
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

    /// It is removed.
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
