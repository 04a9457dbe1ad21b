//! Looking at one dataset, in bounded pieces: nothing here writes.

use std::{collections::BTreeSet, time::Duration};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use super::{
    Entry, Failure, Job, Store, Values, answered,
    datasets::entry,
    jobs::{RUN_DATASETS, RUNS},
};

/// How long one look at samples or frames may take.
const LOOK: Duration = Duration::from_secs(5);

/// How long it may be searched whether there is anything.
const SEARCH: Duration = Duration::from_millis(300);

impl Store {
    /// The dataset whose `_id` is this text, if there is one.
    pub async fn entry_of(&self, id: &str) -> Result<Option<Entry>, Failure> {
        if let Ok(id) = ObjectId::parse_str(id)
            && let Some(found) = self.entry_at(id.into()).await?
        {
            return Ok(Some(found));
        }
        // FiftyOne makes object ids, but nothing keeps others out.
        let entries = self.entries().await?;
        Ok(entries.into_iter().find(|it| it.id_text() == id))
    }

    async fn entry_at(&self, id: Bson) -> Result<Option<Entry>, Failure> {
        let shape = doc! { "name": 1, "version": 1, "bytes": { "$bsonSize": "$$ROOT" } };
        let datasets = self.collection("datasets");
        let found = datasets.find(doc! { "_id": id }).projection(shape);
        Ok(found.await?.try_next().await?.map(entry))
    }

    /// Which of these collections exist.
    pub async fn existing_collections(&self, names: &[&str]) -> Result<BTreeSet<String>, Failure> {
        let filter = doc! { "name": { "$in": names } };
        Ok(self.database.list_collection_names().filter(filter).await?.into_iter().collect())
    }

    /// The first documents that this selects, by `_id`, but for those that are larger.
    pub async fn first_documents(
        &self,
        collection: &str,
        filter: Document,
        at_most: u32,
        bytes: u32,
    ) -> Result<Vec<Document>, Failure> {
        let small = doc! { "$expr": { "$lte": [{ "$bsonSize": "$$ROOT" }, i64::from(bytes)] } };
        let stages = [
            doc! { "$match": filter },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": i64::from(at_most) },
            doc! { "$match": small },
        ];
        self.looked(collection, stages.to_vec(), LOOK).await
    }

    /// What these stages make of a document, as if it were what the collection holds under its `_id`.
    pub async fn staged(
        &self,
        collection: &str,
        document: &Document,
        stages: &[Document],
    ) -> Result<Vec<Document>, Failure> {
        let mut pipeline = vec![
            doc! { "$match": { "_id": document.get("_id") } },
            doc! { "$replaceWith": { "$literal": document } },
        ];
        pipeline.extend_from_slice(stages);
        self.looked(collection, pipeline, LOOK).await
    }

    /// Whether these stages find anything; `None` if that takes too long to say.
    pub async fn finds(
        &self,
        collection: &str,
        stages: Vec<Document>,
    ) -> Result<Option<bool>, Failure> {
        let mut pipeline = stages;
        pipeline.extend([doc! { "$limit": 1 }, doc! { "$project": { "_id": 1 } }]);
        match self.looked(collection, pipeline, SEARCH).await {
            Err(failure) if failure.is_too_slow() => Ok(None),
            found => Ok(Some(!found?.is_empty())),
        }
    }

    async fn looked(
        &self,
        collection: &str,
        stages: Vec<Document>,
        limit: Duration,
    ) -> Result<Vec<Document>, Failure> {
        let collection = self.collection(collection);
        let found = collection.aggregate(stages).max_time(limit);
        Ok(answered(limit, found).await?.try_collect().await?)
    }

    /// What is kept of these documents: `[{ _id, v }]`, as [`Store::kept_values`] has it.
    pub async fn kept_values_of(
        &self,
        values: &Values,
        ids: &[Bson],
    ) -> Result<Vec<Document>, Failure> {
        let Values { run, dataset, turn, scope, .. } = values;
        let keys: Vec<Document> = ids
            .iter()
            .map(|id| doc! { "run": run, "dataset": dataset, "turn": turn, "scope": scope, "id": id })
            .collect();
        let kept = self.jobs.collection::<Document>(values.place);
        let found: Vec<Document> =
            kept.find(doc! { "_id": { "$in": keys } }).await?.try_collect().await?;
        Ok(found.into_iter().filter_map(super::values::of_document).collect())
    }

    /// The newest runs of this database that had to do with a dataset, with what became of it, newest first.
    pub async fn jobs_about(
        &self,
        dataset: &str,
        among: i64,
    ) -> Result<Vec<(Job, Document)>, Failure> {
        let runs = self.jobs.collection::<Job>(RUNS);
        let newest = runs.find(doc! { "database": self.name() });
        let newest: Vec<Job> = newest
            .sort(doc! { "created": -1, "_id": -1 })
            .limit(among)
            .await?
            .try_collect()
            .await?;
        // By their whole ids, which takes no index of its own.
        let ids: Vec<Document> =
            newest.iter().map(|it| doc! { "run": it.id, "dataset": dataset }).collect();
        let notes = self.jobs.collection::<Document>(RUN_DATASETS);
        let notes: Vec<Document> =
            notes.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
        let about = |it: Job| {
            let note = notes.iter().find(|note| note.get_object_id("run").ok() == Some(it.id))?;
            Some((it, note.clone()))
        };
        Ok(newest.into_iter().filter_map(about).collect())
    }
}
