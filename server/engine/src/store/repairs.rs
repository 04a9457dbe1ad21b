//! Records of repairs, in the database of the runs: `repairs`, and beside it the GridFS bucket `repairs` with the
//! files that were removed.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use super::{Failure, Store, durable};

/// How many chunks of a file are copied by one operation: 16 MiB.
const CHUNKS: i32 = 64;

/// One step of a repair, written down before anything is changed: `{ _id, database, kind, dataset, by, begun, found,
/// evidence, kept: [{ collection, document }], files, ended, done }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// The kind of damage.
    pub kind: &'static str,
    /// The dataset, if any: `{ id, name }`.
    pub dataset: Option<Document>,
    /// By whom: `user@host`.
    pub by: String,
    /// What was wrong.
    pub found: String,
    /// How that was seen.
    pub evidence: Document,
    /// What is removed or changed, as it was: the collection and the document, or the parts of it that are changed.
    pub kept: Vec<(String, Document)>,
    /// The result files that are removed; they are kept in the bucket `repairs`.
    pub files: Vec<ObjectId>,
}

impl Store {
    /// Writes down what is going to be repaired, with the originals.
    pub async fn begin_repair(&self, repair: Repair) -> Result<ObjectId, Failure> {
        for file in &repair.files {
            self.keep_file(*file).await?;
        }
        let id = ObjectId::new();
        let kept: Vec<Bson> = repair
            .kept
            .into_iter()
            .map(|(collection, document)| {
                doc! { "collection": collection, "document": document }.into()
            })
            .collect();
        let record = doc! {
            "_id": id,
            "database": self.name(),
            "kind": repair.kind,
            "dataset": repair.dataset,
            "by": repair.by,
            "begun": DateTime::now(),
            "found": repair.found,
            "evidence": repair.evidence,
            "kept": kept,
            "files": repair.files,
            "ended": null,
            "done": null,
        };
        let command = doc! { "insert": REPAIRS, "documents": [record], "writeConcern": durable() };
        self.jobs_command(command).await?;
        Ok(id)
    }

    /// Notes what was done in the end.
    pub async fn end_repair(&self, id: ObjectId, done: &str) -> Result<(), Failure> {
        let set = doc! { "$set": { "ended": DateTime::now(), "done": done } };
        let statement = doc! { "q": { "_id": id }, "u": set };
        let command = doc! { "update": REPAIRS, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// The repairs of a kind of a dataset that were begun and not ended, oldest first: which, and of what there were examples.
    pub async fn open_repairs(
        &self,
        kind: &str,
        dataset: &Bson,
    ) -> Result<Vec<(ObjectId, Vec<String>)>, Failure> {
        let filter = doc! {
            "database": self.name(), "kind": kind, "dataset.id": dataset, "ended": null,
        };
        let repairs = self.jobs.collection::<Document>(REPAIRS);
        let found = repairs.find(filter).projection(doc! { "evidence.examples": 1 });
        let found: Vec<Document> = found.sort(doc! { "_id": 1 }).await?.try_collect().await?;
        let examples = |it: &Document| {
            let evidence = it.get_document("evidence").ok()?;
            let texts = evidence.get_array("examples").into_iter().flatten();
            Some(texts.filter_map(Bson::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let read = |it: &Document| Some((it.get_object_id("_id").ok()?, examples(it)?));
        Ok(found.iter().filter_map(read).collect())
    }

    /// The repairs that were begun and not ended, and that were to delete files: which, and which files.
    pub async fn cut_off_repairs(&self) -> Result<Vec<(ObjectId, Vec<ObjectId>)>, Failure> {
        let filter = doc! { "database": self.name(), "ended": null, "files": { "$ne": [] } };
        let repairs = self.jobs.collection::<Document>(REPAIRS);
        let found = repairs.find(filter).projection(doc! { "files": 1 });
        let found: Vec<Document> = found.await?.try_collect().await?;
        let files = |it: &Document| {
            let files = it.get_array("files").into_iter().flatten();
            files.filter_map(Bson::as_object_id).collect()
        };
        Ok(found.iter().filter_map(|it| Some((it.get_object_id("_id").ok()?, files(it)))).collect())
    }

    /// Copies a file of results into the bucket `repairs`. Copying it again changes nothing.
    async fn keep_file(&self, file: ObjectId) -> Result<(), Failure> {
        let chunks = self.collection("fs.chunks");
        let last = chunks.find_one(doc! { "files_id": file }).sort(doc! { "n": -1 }).await?;
        let last = last.and_then(|it| it.get_i32("n").ok()).unwrap_or(-1);
        let mut from = 0;
        while from <= last {
            let slice = doc! { "files_id": file, "n": { "$gte": from, "$lt": from.saturating_add(CHUNKS) } };
            self.copy("fs.chunks", "repairs.chunks", slice).await?;
            from = from.saturating_add(CHUNKS);
        }
        self.copy("fs.files", "repairs.files", doc! { "_id": file }).await
    }

    async fn copy(&self, from: &str, into: &str, filter: Document) -> Result<(), Failure> {
        let into = doc! { "db": self.jobs.name(), "coll": into };
        let stages = [
            doc! { "$match": filter },
            doc! { "$merge": { "into": into, "on": "_id", "whenMatched": "replace" } },
        ];
        let command = doc! {
            "aggregate": from, "pipeline": stages.to_vec(), "cursor": {}, "writeConcern": durable(),
        };
        self.command(command).await.map(drop)
    }

    /// All `config` documents, the one that FiftyOne goes by first: the newest by `_id`.
    pub async fn configs(&self) -> Result<Vec<Document>, Failure> {
        let found = self.collection("config");
        Ok(found.find(doc! {}).sort(doc! { "_id": -1 }).await?.try_collect().await?)
    }
}

const REPAIRS: &str = "repairs";
