//! What an import writes before its dataset is there, and the records of imports: `imports` in the app's own database.

use bson::{Bson, DateTime, Document, RawArrayBuf, RawDocumentBuf, doc, oid::ObjectId, raw::cstr};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{Failure, Store, datasets::raw, durable};
use crate::mark::mark;

/// An import: what it makes, written down before it is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportRecord {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The FiftyOne database.
    pub database: String,
    /// Where the export is.
    pub folder: String,
    /// How the dataset will be called.
    pub name: String,
    /// Who imports it.
    pub by: String,
    /// Since when.
    pub begun: DateTime,
    /// The dataset.
    pub dataset: ObjectId,
    /// Its collections of samples and frames.
    pub collections: Vec<String>,
    /// Its runs.
    pub runs: Vec<ObjectId>,
    /// Its saved views.
    pub views: Vec<ObjectId>,
    /// Its workspaces.
    pub workspaces: Vec<ObjectId>,
    /// The files of its results.
    pub files: Vec<ObjectId>,
    /// When it was over; `None` while it goes on, and of one that was cut off.
    pub ended: Option<DateTime>,
    /// What became of it.
    pub outcome: Option<String>,
}

/// What tells whether a collection holds exactly the documents that were meant, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub count: u64,
    /// The sum of their hashes.
    pub sum: u128,
}

impl Digest {
    /// With one more document.
    pub fn add(&mut self, document: &[u8]) {
        self.sum = self.sum.wrapping_add(mark(document));
        self.count += 1;
    }
}

impl Store {
    /// Writes down what is going to be imported.
    pub async fn begin_import(&self, record: &ImportRecord) -> Result<(), Failure> {
        let record = bson::serialize_to_document(record);
        let record = record.map_err(|it| Failure::other(it.to_string()))?;
        let command = doc! { "insert": IMPORTS, "documents": [record], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Notes what became of it.
    pub async fn end_import(&self, id: ObjectId, outcome: &str) -> Result<(), Failure> {
        let set = doc! { "$set": { "ended": DateTime::now(), "outcome": outcome } };
        let statement = doc! { "q": { "_id": id }, "u": set };
        let command = doc! { "update": IMPORTS, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Imports that were begun and have not ended.
    pub async fn open_imports(&self) -> Result<Vec<ImportRecord>, Failure> {
        let imports = self.jobs.collection::<ImportRecord>(IMPORTS);
        let found = imports.find(doc! { "database": self.name(), "ended": null });
        Ok(found.await?.try_collect().await?)
    }

    /// Removes everything that an import has made, as long as its dataset is not there. Safe to repeat.
    pub async fn remove_import(&self, record: &ImportRecord) -> Result<(), Failure> {
        for it in &record.collections {
            self.collection(it).drop().await?;
        }
        let made =
            [("runs", &record.runs), ("views", &record.views), ("workspaces", &record.workspaces)];
        for (collection, ids) in made {
            if !ids.is_empty() {
                let all = doc! { "q": { "_id": { "$in": ids } }, "limit": 0 };
                self.command(doc! { "delete": collection, "deletes": [all] }).await?;
            }
        }
        let tags = doc! { "q": { "_dataset_id": record.dataset }, "limit": 0 };
        self.command(doc! { "delete": "tags", "deletes": [tags] }).await?;
        self.delete_results(&record.files).await
    }

    /// Whether there is a dataset with this id.
    pub async fn has_dataset(&self, id: ObjectId) -> Result<bool, Failure> {
        let datasets = self.collection("datasets");
        let found = datasets.find_one(doc! { "_id": id });
        Ok(found.projection(doc! { "_id": 1 }).await?.is_some())
    }

    /// Inserts a batch of new documents.
    pub async fn insert_batch(
        &self,
        collection: &str,
        documents: &[RawDocumentBuf],
    ) -> Result<(), Failure> {
        let mut list = RawArrayBuf::new();
        for it in documents {
            list.push(it.as_ref());
        }
        let mut command = RawDocumentBuf::new();
        command.append(cstr!("insert"), collection);
        command.append(cstr!("ordered"), false);
        command.append(cstr!("documents"), list);
        self.raw_command(command).await.map(drop)
    }

    /// Makes the indexes of a new collection: `(name, keys, whether they are unique)`.
    pub async fn create_indexes(
        &self,
        collection: &str,
        indexes: &[(String, Document, bool)],
    ) -> Result<(), Failure> {
        let index = |(name, keys, unique): &(String, Document, bool)| -> Bson {
            let mut index = doc! { "name": name, "key": keys };
            if *unique {
                index.insert("unique", true);
            }
            index.into()
        };
        let indexes: Vec<Bson> = indexes.iter().map(index).collect();
        // Nobody waits for the collection: it is not part of a dataset yet.
        let mut command = doc! { "createIndexes": collection, "indexes": indexes };
        super::quick(&mut command);
        let answer = self.database.run_command(command).await?;
        super::failure::in_answer(&answer)
    }

    /// Reads a collection back, or those of its documents that are like this.
    pub async fn digest(&self, collection: &str, filter: Document) -> Result<Digest, Failure> {
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        let mut found = collection.find(filter).batch_size(2_000).await?;
        let mut digest = Digest::default();
        while found.advance().await? {
            digest.add(found.current().as_bytes());
        }
        Ok(digest)
    }

    /// Sends every document of a collection that is like this, in this order, until nobody listens any more.
    pub async fn send_all(
        &self,
        collection: &str,
        (filter, sort): (Document, Document),
        to: &mpsc::Sender<Document>,
    ) -> Result<(), Failure> {
        let mut found =
            self.collection(collection).find(filter).sort(sort).batch_size(1_000).await?;
        while let Some(it) = found.try_next().await? {
            if to.send(it).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// How many documents of a dataset a collection has.
    pub async fn count_of(&self, collection: &str, dataset: &Bson) -> Result<u64, Failure> {
        Ok(self.collection(collection).count_documents(doc! { "_dataset_id": dataset }).await?)
    }

    /// Puts a new dataset there. From then on everybody sees it, whole.
    pub async fn insert_dataset(&self, document: &Document) -> Result<(), Failure> {
        let mut documents = RawArrayBuf::new();
        documents.push(raw(document)?);
        let mut command = RawDocumentBuf::new();
        command.append(cstr!("insert"), "datasets");
        command.append(cstr!("documents"), documents);
        command.append(cstr!("writeConcern"), raw(&durable())?);
        self.raw_command(command).await.map(drop)
    }
}

const IMPORTS: &str = "imports";
