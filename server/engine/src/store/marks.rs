//! How far long passes are, in the runs' own database: `run_marks`, one document per collection under way.
//!
//! A run that goes on begins there and not at the start of a collection of millions.

use bson::{Bson, Document, doc, oid::ObjectId};

use super::{Failure, Store};

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

impl Store {
    /// Every document up to this `_id` has been passed over. `None` if nothing is known of this pass.
    pub async fn mark(&self, mark: &Mark) -> Result<Option<Bson>, Failure> {
        let filter = doc! { "_id": mark.id(), "fence": mark.fence, "print": &mark.print };
        let found = self.jobs.collection::<Document>(MARKS).find_one(filter).await?;
        Ok(found.and_then(|mut it| it.remove("after")))
    }

    /// Notes that every document up to `after` has been passed over. To be called when that is so: the server's journal
    /// keeps the order, so that no mark outlives the work before it.
    pub async fn set_mark(&self, mark: &Mark, after: &Bson) -> Result<(), Failure> {
        let whole = doc! {
            "_id": mark.id(), "run": mark.run, "fence": mark.fence, "print": &mark.print, "after": after,
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
