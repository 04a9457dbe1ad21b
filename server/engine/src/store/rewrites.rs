//! Paths that were rewritten, with what they were: `rewrites` and `rewrite_values` in the app's own database.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{Failure, Store, durable, server::number};

/// The records of rewrites.
pub const REWRITES: &str = "rewrites";

/// What every path was.
pub const REWRITE_VALUES: &str = "rewrite_values";

/// One rewriting of the paths of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RewriteRecord {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The FiftyOne database.
    pub database: String,
    /// The dataset's `_id`.
    pub dataset: Bson,
    /// What it is called.
    pub name: String,
    /// What was asked for, in words.
    pub what: String,
    /// By whom.
    pub by: String,
    /// When.
    pub begun: DateTime,
    /// When it ended; `None` for one that was cut off, whose paths are rewritten in part.
    pub ended: Option<DateTime>,
    /// The fields that were brought back.
    pub undone: Vec<String>,
}

/// One path that is rewritten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RewriteValue {
    /// What identifies it, and the order in which they were written.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The rewriting.
    pub rewrite: ObjectId,
    /// The field, as people know it.
    pub field: String,
    /// The collection.
    pub collection: String,
    /// The sample or frame.
    pub document: Bson,
    /// Where in it.
    pub at: String,
    /// The path as it was.
    pub from: String,
    /// The path as it is now.
    pub to: String,
    /// Whether the document has a date of its last change.
    pub dated: bool,
}

impl Store {
    /// Writes down that paths are going to be rewritten.
    pub async fn begin_rewrite(&self, record: &RewriteRecord) -> Result<(), Failure> {
        self.have_indexes().await;
        let record = bson::serialize_to_document(record);
        let record = record.map_err(|it| Failure::other(it.to_string()))?;
        let command = doc! { "insert": REWRITES, "documents": [record], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Notes that all of it was done.
    pub async fn end_rewrite(&self, id: ObjectId) -> Result<(), Failure> {
        self.change_rewrite(id, doc! { "$set": { "ended": DateTime::now() } }).await
    }

    /// Notes that a field was brought back.
    pub async fn rewrite_is_undone(&self, id: ObjectId, field: &str) -> Result<(), Failure> {
        self.change_rewrite(id, doc! { "$addToSet": { "undone": field } }).await
    }

    async fn change_rewrite(&self, id: ObjectId, change: Document) -> Result<(), Failure> {
        let statement = doc! { "q": { "_id": id }, "u": change };
        let command =
            doc! { "update": REWRITES, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// The rewriting with this id.
    pub async fn rewriting(&self, id: ObjectId) -> Result<Option<RewriteRecord>, Failure> {
        let rewrites = self.jobs.collection::<RewriteRecord>(REWRITES);
        Ok(rewrites.find_one(doc! { "_id": id, "database": self.name() }).await?)
    }

    /// The rewritings of a dataset, the last one first.
    pub async fn rewritings(&self, dataset: &Bson) -> Result<Vec<RewriteRecord>, Failure> {
        let rewrites = self.jobs.collection::<RewriteRecord>(REWRITES);
        let found = rewrites.find(doc! { "database": self.name(), "dataset": dataset });
        Ok(found.sort(doc! { "begun": -1 }).await?.try_collect().await?)
    }

    /// Writes down what paths are, before they are rewritten.
    pub async fn keep_paths(&self, values: &[RewriteValue]) -> Result<(), Failure> {
        for some in values.chunks(2_000) {
            let documents: Result<Vec<Document>, _> =
                some.iter().map(bson::serialize_to_document).collect();
            let documents = documents.map_err(|it| Failure::other(it.to_string()))?;
            let command = doc! {
                "insert": REWRITE_VALUES, "documents": documents, "ordered": false, "writeConcern": durable(),
            };
            self.jobs_command(command).await?;
        }
        Ok(())
    }

    /// The next paths that a rewriting has changed, newest first.
    pub async fn kept_paths(
        &self,
        rewrite: ObjectId,
        field: &str,
        before: Option<ObjectId>,
        at_most: i64,
    ) -> Result<Vec<RewriteValue>, Failure> {
        let mut filter = doc! { "rewrite": rewrite, "field": field };
        if let Some(before) = before {
            filter.insert("_id", doc! { "$lt": before });
        }
        let values = self.jobs.collection::<RewriteValue>(REWRITE_VALUES);
        Ok(values.find(filter).sort(doc! { "_id": -1 }).limit(at_most).await?.try_collect().await?)
    }

    /// The fields that a rewriting has changed paths of.
    pub async fn rewritten_fields(&self, rewrite: ObjectId) -> Result<Vec<String>, Failure> {
        let values = self.jobs.collection::<Document>(REWRITE_VALUES);
        let found = values.distinct("field", doc! { "rewrite": rewrite }).await?;
        Ok(found.into_iter().filter_map(|it| it.as_str().map(str::to_owned)).collect())
    }

    /// Puts some thousand paths at most into documents of one collection, each only where the path before is still there. Returns how
    /// many were.
    ///
    /// The documents get the date of now as that of their last change, if they have one, as when FiftyOne sets a value.
    pub async fn set_paths(
        &self,
        collection: &str,
        paths: &[(&RewriteValue, &str, &str)],
    ) -> Result<u64, Failure> {
        let statement = |(value, from, to): &(&RewriteValue, &str, &str)| -> Bson {
            let mut change = doc! { "$set": { &value.at: *to } };
            if value.dated {
                change.insert("$currentDate", doc! { "last_modified_at": true });
            }
            doc! { "q": { "_id": &value.document, &value.at: *from }, "u": change }.into()
        };
        let statements: Vec<Bson> = paths.iter().map(statement).collect();
        let command = doc! {
            "update": collection, "updates": statements, "ordered": false, "writeConcern": durable(),
        };
        let done = number(self.command(command).await?.get("n")).unwrap_or(0);
        Ok(u64::try_from(done).unwrap_or(0))
    }
}
