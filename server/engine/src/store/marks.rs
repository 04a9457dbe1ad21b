//! How far long passes are, in the runs' own database: `run_marks`, one document per collection under way.
//!
//! A run that goes on begins there and not at the start of a collection of millions.

use bson::{Bson, Document, doc, oid::ObjectId};

use super::{Failure, Store, server::number};

/// Whose pass it is: `{ run, dataset, stage, collection }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The run.
    pub run: ObjectId,
    /// The lease under which it is carried out.
    pub fence: i64,
    /// The `_id` of the dataset.
    pub dataset: Bson,
    /// Which of the dataset's stages.
    pub stage: i64,
    /// The collection that is walked.
    pub collection: String,
    /// What identifies the dataset as it was read and what is done to it: with anything else, the pass is another one.
    pub print: String,
}

/// How far a pass is.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// Every document up to this `_id` has been passed over.
    pub after: Bson,
    /// How many those are.
    pub documents: u64,
}

impl Store {
    /// How far this pass is. `None` if nothing is known of it.
    pub async fn mark(&self, mark: &Mark) -> Result<Option<Arrived>, Failure> {
        let filter = doc! { "_id": mark.id(), "fence": mark.fence, "print": &mark.print };
        let found = self.jobs.collection::<Document>(MARKS).find_one(filter).await?;
        Ok(found.and_then(|mut it| {
            let documents = number(it.get("documents")).and_then(|it| u64::try_from(it).ok());
            Some(Arrived { after: it.remove("after")?, documents: documents.unwrap_or(0) })
        }))
    }

    /// Notes that every document up to `after` has been passed over. To be called when that is so: the server's journal
    /// keeps the order, so that no mark outlives the work before it.
    ///
    /// `documents`: how many those are.
    pub async fn set_mark(&self, mark: &Mark, after: &Bson, documents: u64) -> Result<(), Failure> {
        let documents = i64::try_from(documents).unwrap_or(i64::MAX);
        let whole = doc! {
            "_id": mark.id(), "run": mark.run, "fence": mark.fence, "print": &mark.print, "after": after,
            "documents": documents,
        };
        let filter = doc! { "_id": mark.id(), "fence": { "$lte": mark.fence } };
        let statement = doc! { "q": filter, "u": whole, "upsert": true };
        self.jobs_command(doc! { "update": MARKS, "updates": [statement] }).await.map(drop)
    }

    /// Makes the marks of a run those of the lease that is held now. Only the lease right before it counts: whoever had
    /// one in between may have changed any of these documents.
    pub async fn adopt_marks(
        &self,
        run: ObjectId,
        (before, fence): (i64, i64),
    ) -> Result<(), Failure> {
        self.change_marks(doc! { "run": run, "fence": before }, fence).await?;
        let stale = doc! { "q": { "fence": { "$lt": fence }, "run": run }, "limit": 0 };
        self.jobs_command(doc! { "delete": MARKS, "deletes": [stale] }).await.map(drop)
    }

    /// Makes marks those of another lease or claim.
    pub(super) async fn change_marks(&self, filter: Document, fence: i64) -> Result<(), Failure> {
        let change = doc! { "q": filter, "u": { "$set": { "fence": fence } }, "multi": true };
        self.jobs_command(doc! { "update": MARKS, "updates": [change] }).await.map(drop)
    }

    /// Forgets how far this pass is: it has come to its end, and another one begins at the start.
    pub async fn forget_mark(&self, mark: &Mark) -> Result<(), Failure> {
        let one = doc! { "q": { "_id": mark.id(), "fence": { "$lte": mark.fence } }, "limit": 1 };
        self.jobs_command(doc! { "delete": MARKS, "deletes": [one] }).await.map(drop)
    }

    /// Forgets the marks of a run that has come to its end.
    pub async fn forget_marks(&self, run: ObjectId) -> Result<(), Failure> {
        let all = doc! { "q": { "run": run }, "limit": 0 };
        self.jobs_command(doc! { "delete": MARKS, "deletes": [all] }).await.map(drop)
    }
}

impl Mark {
    fn id(&self) -> Document {
        let Self { run, dataset, stage, collection, .. } = self;
        doc! { "run": run, "dataset": dataset, "stage": stage, "collection": collection }
    }
}

const MARKS: &str = "run_marks";
