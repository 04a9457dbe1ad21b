//! What the undo journal and the archive keep of collections: `run_journal_values` and `archive_values`, copied from there
//! and back by the server itself.

use std::time::Duration;

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use model::Labor;
use mongodb::options::{Acknowledgment, WriteConcern};

use super::{Failure, LONGEST_WRITE, Store, answered, sizes::together};
use crate::progress::Control;

/// How many documents one command brings back.
const RANGE_DOCUMENTS: u64 = 5_000;

/// Where those of the journal are.
pub const VALUES: &str = "run_journal_values";

/// Whose values: `{ run, dataset, turn, scope }`, the beginning of their `_id`.
#[derive(Clone, Debug)]
pub struct Values {
    /// Where they are.
    pub place: &'static str,
    /// The run.
    pub run: ObjectId,
    /// The `_id` of the dataset; null for what belongs to none.
    pub dataset: Bson,
    /// The first, second, .. time that something was kept of it.
    pub turn: i32,
    /// Of what.
    pub scope: String,
}

/// What is kept of a collection.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose values.
    pub values: Values,
    /// The collection.
    pub collection: String,
    /// Which of its documents.
    pub filter: Document,
    /// What of each, as an expression.
    pub expression: Bson,
    /// What that costs.
    pub labor: Labor,
    /// Whether it takes the place of what is kept of a document already. Otherwise that stays, because what is there by now
    /// may be our own work.
    pub replaces: bool,
}

/// What is done with a document of which something was kept.
#[derive(Clone, Debug)]
pub enum Restoring {
    /// It is changed by these stages, in which the kept value is `$$new.v`; nothing happens if it is gone.
    Change(Vec<Document>),
    /// It is put back if it is not there.
    Insert,
}

impl Part {
    fn stages(&self) -> [Document; 2] {
        let Values { run, dataset, turn, scope, .. } = &self.values;
        let id = doc! {
            "run": run, "dataset": { "$literal": dataset }, "turn": { "$literal": turn },
            "scope": { "$literal": scope }, "id": "$_id",
        };
        [
            doc! { "$match": &self.filter },
            doc! { "$replaceWith": { "_id": id, "v": &self.expression } },
        ]
    }
}

impl Values {
    /// The ids of all of them: from the first, below the last.
    fn ends(&self) -> (Document, Document) {
        let Self { run, dataset, turn, scope, .. } = self;
        let first = doc! { "run": run, "dataset": dataset, "turn": turn, "scope": scope };
        let mut last = first.clone();
        last.insert("id", Bson::MaxKey);
        (first, last)
    }
}

impl Store {
    /// Keeps parts of several collections in the same place, by one command; all of them replace, or none.
    pub async fn keep_values(&self, parts: &[Part], limit: Duration) -> Result<(), Failure> {
        let Some(first) = parts.first() else { return Ok(()) };
        let each = parts.iter().map(|it| (it.collection.as_str(), it.stages().to_vec()));
        let Some((source, mut stages)) = together(each) else { return Ok(()) };
        stages.push(doc! { "$merge": {
            "into": { "db": self.jobs.name(), "coll": first.values.place }, "on": "_id",
            "whenMatched": if first.replaces { "replace" } else { "keepExisting" },
            "whenNotMatched": "insert",
        } });
        let source = self.collection(source);
        let found = source.aggregate(stages).max_time(limit).write_concern(quick());
        answered(limit, found).await?.try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// Whether there is a document in any of these collections of which something is to be kept, by one command: where there
    /// is none, as nearly always, that is said in fewer words than keeping it takes.
    pub async fn any_to_keep(&self, parts: &[Part], limit: Duration) -> Result<bool, Failure> {
        let each = parts.iter().map(|it| {
            let one = vec![doc! { "$match": &it.filter }, doc! { "$limit": 1 }];
            (it.collection.as_str(), one)
        });
        let Some((source, mut stages)) = together(each) else { return Ok(false) };
        stages.extend([doc! { "$limit": 1 }, doc! { "$project": { "_id": 1 } }]);
        let source = self.collection(source);
        let found = source.aggregate(stages).max_time(limit);
        Ok(answered(limit, found).await?.try_next().await?.is_some())
    }

    /// Brings values back into a collection, in bounded pieces, as long as `control` lets it go on. Returns whether it came
    /// to the end.
    pub async fn restore_values(
        &self,
        values: &Values,
        collection: &str,
        restoring: &Restoring,
        control: &Control,
    ) -> Result<bool, Failure> {
        let (first, last) = values.ends();
        let (mut after, mut size) = (first, RANGE_DOCUMENTS);
        loop {
            if !control.may_go_on().await {
                return Ok(false);
            }
            let kept = self.jobs.collection::<Document>(values.place);
            let ahead = kept.find(doc! { "_id": { "$gt": &after, "$lt": &last } });
            let ahead = ahead.sort(doc! { "_id": 1 }).projection(doc! { "_id": 1 });
            let end = ahead.skip(size - 1).limit(1).await?.try_next().await?;
            let end = end.and_then(|it| it.get_document("_id").ok().cloned());
            let mut range = doc! { "$gt": &after };
            match &end {
                Some(end) => range.insert("$lte", end),
                None => range.insert("$lt", &last),
            };
            match self.restore_range(values.place, range, collection, restoring).await {
                Err(failure) if failure.is_too_slow() && size > 1 => {
                    size = size.div_ceil(2);
                    continue;
                }
                restored => restored?,
            }
            match end {
                Some(end) => after = end,
                None => return Ok(true),
            }
        }
    }

    async fn restore_range(
        &self,
        place: &str,
        range: Document,
        collection: &str,
        restoring: &Restoring,
    ) -> Result<(), Failure> {
        let (shape, matched, missing): (Bson, Bson, &str) = match restoring {
            Restoring::Change(stages) => {
                let shape = doc! { "_id": "$_id.id", "v": "$v" };
                (shape.into(), stages.clone().into(), "discard")
            }
            // What is there stays. `keepExisting` would say so as well, but sorts the keys of what it inserts.
            Restoring::Insert => {
                ("$v".into(), vec![doc! { "$replaceWith": "$$ROOT" }].into(), "insert")
            }
        };
        let stages = [
            doc! { "$match": { "_id": range } },
            doc! { "$replaceWith": shape },
            doc! { "$merge": {
                "into": { "db": self.name(), "coll": collection }, "on": "_id",
                "whenMatched": matched, "whenNotMatched": missing,
            } },
        ];
        let kept = self.jobs.collection::<Document>(place);
        let found = kept.aggregate(stages).max_time(LONGEST_WRITE).write_concern(quick());
        answered(LONGEST_WRITE, found).await?.try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// The values behind this one, in the order of their ids: `[{ _id, v }]`, `_id` being that of the document that they
    /// are of.
    pub async fn kept_values(
        &self,
        values: &Values,
        after: Option<&Bson>,
        at_most: i64,
    ) -> Result<Vec<Document>, Failure> {
        let (mut first, last) = values.ends();
        first.extend(after.map(|it| ("id".to_owned(), it.clone())));
        let kept = self.jobs.collection::<Document>(values.place);
        let found = kept.find(doc! { "_id": { "$gt": first, "$lt": last } });
        let found: Vec<Document> =
            found.sort(doc! { "_id": 1 }).limit(at_most).await?.try_collect().await?;
        Ok(found.into_iter().filter_map(of_document).collect())
    }

    /// How many bytes these files have.
    pub async fn file_bytes(&self, files: &[ObjectId]) -> Result<u64, Failure> {
        let stages = [
            doc! { "$match": { "_id": { "$in": files } } },
            doc! { "$group": { "_id": null, "bytes": { "$sum": "$length" } } },
        ];
        let found = self.collection("fs.files").aggregate(stages).await?.try_next().await?;
        let bytes = found.and_then(|it| super::server::number(it.get("bytes")));
        Ok(bytes.and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// The largest number of a file's chunks.
    pub async fn last_chunk(&self, file: ObjectId) -> Result<i64, Failure> {
        let chunks = self.collection("fs.chunks");
        let last = chunks.find(doc! { "files_id": file }).sort(doc! { "n": -1 }).limit(1);
        let last = last.projection(doc! { "n": 1 }).await?.try_next().await?;
        Ok(last.and_then(|it| super::server::number(it.get("n"))).unwrap_or(-1))
    }

    /// The definitions of a collection's indexes.
    pub async fn indexes(&self, collection: &str) -> Result<Vec<Document>, Failure> {
        let command = doc! { "listIndexes": collection };
        let found = self.database.run_cursor_command(command).await.map_err(Failure::from);
        match found {
            Ok(found) => Ok(found.try_collect().await?),
            Err(failure) if failure.text.contains("ns does not exist") => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    /// Makes indexes that were there.
    pub async fn make_indexes(
        &self,
        collection: &str,
        indexes: Vec<Document>,
    ) -> Result<(), Failure> {
        if indexes.is_empty() {
            return Ok(());
        }
        self.database.run_command(doc! { "createIndexes": collection, "indexes": indexes }).await?;
        Ok(())
    }

    /// One document of a collection that this selects, in a bounded time.
    pub async fn any(
        &self,
        collection: &str,
        filter: Document,
        limit: Duration,
    ) -> Result<Option<Document>, Failure> {
        let collection = self.collection(collection);
        let found = collection.find_one(filter).projection(doc! { "_id": 1 });
        Ok(found.max_time(limit).await?)
    }
}

/// The entry or the commit that follows waits for all of it.
fn quick() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Nodes(1)).build()
}

/// What is kept of a document, under the `_id` of that document: `{ _id, v }`.
pub(super) fn of_document(mut kept: Document) -> Option<Document> {
    let id = kept.get_document("_id").ok()?.get("id")?.clone();
    Some(doc! { "_id": id, "v": kept.remove("v")? })
}
