//! What the doctor reads, and how it removes what it has kept.

use std::{collections::BTreeSet, time::Duration};

use bson::{Bson, Document, RawDocumentBuf, doc, oid::ObjectId};
use futures_util::{Stream, TryStreamExt};

use super::{Failure, Range, Store, durable, runs::chunks, server::number};

/// A document that was read, or the `_id` of one that cannot be: it holds a text that is not UTF-8.
pub type Read = Result<Document, Bson>;

/// What a range of documents lacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lacking {
    /// How many of them lack it.
    pub count: u64,
    /// One of those.
    pub example: Option<Bson>,
}

impl Store {
    /// Passes over a collection once, reading a part of each document.
    pub async fn look_over(
        &self,
        collection: &str,
        projection: Document,
    ) -> Result<impl Stream<Item = Result<Read, Failure>> + Unpin + Send + use<>, Failure> {
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        let found = collection.find(doc! {}).projection(projection).batch_size(1000).await?;
        Ok(found.map_ok(read).map_err(Failure::from))
    }

    /// The documents with these ids; those that are gone or cannot be read are left out.
    pub async fn read_again(
        &self,
        collection: &str,
        ids: &[ObjectId],
    ) -> Result<Vec<Document>, Failure> {
        let mut documents = Vec::new();
        for chunk in ids.chunks(1000) {
            let collection = self.database.collection::<RawDocumentBuf>(collection);
            let mut found = collection.find(doc! { "_id": { "$in": chunk } }).await?;
            while let Some(it) = found.try_next().await? {
                documents.extend(read(it).ok());
            }
        }
        Ok(documents)
    }

    /// Which of these ids a collection has.
    pub async fn existing(
        &self,
        collection: &str,
        ids: &[ObjectId],
    ) -> Result<BTreeSet<ObjectId>, Failure> {
        let mut existing = BTreeSet::new();
        for chunk in ids.chunks(10_000) {
            let collection = self.collection(collection);
            let found = collection.find(doc! { "_id": { "$in": chunk } });
            let mut found = found.projection(doc! { "_id": 1 }).await?;
            while let Some(it) = found.try_next().await? {
                existing.extend(it.get_object_id("_id").ok());
            }
        }
        Ok(existing)
    }

    /// Deletes documents that still equal what was read, for good when this returns.
    ///
    /// Returns how many were left because somebody has changed them since.
    pub async fn delete_unchanged(
        &self,
        collection: &str,
        read: &[&Document],
    ) -> Result<usize, Failure> {
        let mut deleted = 0;
        for chunk in chunks(read)? {
            let statements: Vec<Bson> = chunk
                .iter()
                .map(|it| {
                    let same = doc! { "$eq": ["$$ROOT", { "$literal": *it }] };
                    doc! { "q": { "_id": it.get("_id"), "$expr": same }, "limit": 1 }.into()
                })
                .collect();
            let answer = self
                .command(doc! {
                    "delete": collection, "deletes": statements, "ordered": false,
                    "writeConcern": durable(),
                })
                .await?;
            deleted += number(answer.get("n")).and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        }
        if deleted == read.len() {
            return Ok(0);
        }
        // Gone already is as good as deleted.
        let ids: Vec<Bson> = read.iter().filter_map(|it| it.get("_id").cloned()).collect();
        let left =
            self.collection(collection).count_documents(doc! { "_id": { "$in": ids } }).await?;
        Ok(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// How many documents of a range lack a key.
    pub async fn count_lacking(
        &self,
        collection: &str,
        range: &Range,
        key: &str,
        limit: Duration,
    ) -> Result<Lacking, Failure> {
        let stages = [
            doc! { "$match": lacking(range, key) },
            doc! { "$group": { "_id": null, "count": { "$sum": 1 }, "example": { "$min": "$_id" } } },
        ];
        let mut found = self.collection(collection).aggregate(stages).max_time(limit).await?;
        let Some(mut it) = found.try_next().await? else { return Ok(Lacking::default()) };
        let count = number(it.get("count")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
        Ok(Lacking { count, example: it.remove("example") })
    }

    /// Sets a key to an expression in those documents of a range that lack it, and returns how many those were.
    ///
    /// A [`Failure::is_too_slow`] means that some of them have it now.
    pub async fn fill_lacking(
        &self,
        collection: &str,
        range: &Range,
        key: &str,
        value: &Bson,
        limit: Duration,
    ) -> Result<u64, Failure> {
        let stages = [doc! { "$set": { key: value } }];
        let statement = doc! { "q": lacking(range, key), "u": stages.to_vec(), "multi": true };
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let command = doc! { "update": collection, "updates": [statement], "maxTimeMS": limit_ms };
        let answer = self.command(command).await?;
        Ok(number(answer.get("n")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// How many documents of a range have a key.
    pub async fn count_having(
        &self,
        collection: &str,
        range: &Range,
        key: &str,
        limit: Duration,
    ) -> Result<u64, Failure> {
        let collection = self.collection(collection);
        Ok(collection.count_documents(having(range, key)).max_time(limit).await?)
    }

    /// Gives a key of those documents of a range that have it another name, and returns how many those were. Done again, it does
    /// nothing; what somebody has written under the old name meanwhile is newer and wins. `dates`: whether dates are, too.
    ///
    /// A [`Failure::is_too_slow`] means that some of them have the new one now.
    pub async fn move_key(
        &self,
        collection: &str,
        range: &Range,
        (from, to): (&str, &str),
        dates: bool,
        limit: Duration,
    ) -> Result<u64, Failure> {
        let mut filter = having(range, from);
        if !dates {
            filter.insert(from, doc! { "$exists": true, "$not": { "$type": "date" } });
        }
        let stages = [doc! { "$set": { to: format!("${from}") } }, doc! { "$unset": from }];
        let statement = doc! { "q": filter, "u": stages.to_vec(), "multi": true };
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let command = doc! { "update": collection, "updates": [statement], "maxTimeMS": limit_ms };
        let answer = self.command(command).await?;
        Ok(number(answer.get("n")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// The indexes of a collection that a field, or something in it, is part of, by name.
    pub async fn indexes_of(&self, collection: &str, key: &str) -> Result<Vec<String>, Failure> {
        let begin = format!("{key}.");
        let found = self.collection(collection).list_indexes().await?;
        let indexes: Vec<mongodb::IndexModel> = found.try_collect().await?;
        let is_of = |it: &&mongodb::IndexModel| {
            it.keys.keys().any(|it| it == key || it.starts_with(&begin))
        };
        let name = |it: &mongodb::IndexModel| it.options.as_ref()?.name.clone();
        Ok(indexes.iter().filter(is_of).map(|it| name(it).unwrap_or_default()).collect())
    }

    /// The saved views and the runs of a dataset.
    pub async fn views_and_runs(&self, dataset: &Bson) -> Result<Vec<Document>, Failure> {
        let mut documents = Vec::new();
        for collection in ["views", "runs"] {
            let collection = self.collection(collection);
            let found = collection.find(doc! { "_dataset_id": dataset }).await?;
            documents.extend(found.try_collect::<Vec<_>>().await?);
        }
        Ok(documents)
    }
}

fn having(range: &Range, key: &str) -> Document {
    let mut filter = range.filter();
    filter.insert(key, doc! { "$exists": true });
    filter
}

fn lacking(range: &Range, key: &str) -> Document {
    let mut filter = range.filter();
    filter.insert(key, doc! { "$exists": false });
    filter
}

fn read(raw: RawDocumentBuf) -> Read {
    Document::try_from(raw.as_ref()).map_err(|_| {
        raw.get("_id").ok().flatten().and_then(|it| Bson::try_from(it).ok()).unwrap_or_default()
    })
}
