//! Passes over sample and frame collections, one bounded piece at a time.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::options::{Acknowledgment, WriteConcern};
use revisions::Update;

use super::{Failure, Range, Store, millis, server::number};

/// How often a document that others keep changing is read again before we give up.
const ATTEMPTS: usize = 5;

/// How many bytes of statements go into one command.
const COMMAND_BYTES: usize = 8 << 20;

/// A document as it was read and as it shall be.
#[derive(Clone, Debug)]
pub struct Rewrite {
    /// As it was read.
    pub read: Document,
    /// As it shall be.
    pub changed: Document,
}

impl Store {
    /// Applies an update pipeline to a range, on the server. Returns how many documents it looked at.
    ///
    /// A [`Failure::is_too_slow`] means that a part of them is changed; the same again, or in smaller ranges,
    /// completes it.
    pub async fn update_range(
        &self,
        collection: &str,
        range: &Range,
        stages: &[Document],
        limit: Duration,
    ) -> Result<u64, Failure> {
        let statement = doc! { "q": range.filter(), "u": stages.to_vec(), "multi": true };
        let limit_ms = millis(limit);
        let command = doc! { "update": collection, "updates": [statement], "maxTimeMS": limit_ms };
        let answer = self.command(command).await?;
        Ok(number(answer.get("n")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// Sets keys of the documents that each filter selects. Returns how many documents it looked at.
    ///
    /// A [`Failure::is_too_slow`] means what it means for [`Self::update_range`].
    pub async fn set_keys(
        &self,
        collection: &str,
        sets: &[(Document, Document)],
        limit: Duration,
    ) -> Result<u64, Failure> {
        let statement = |(filter, keys): &(Document, Document)| -> Bson {
            doc! { "q": filter, "u": { "$set": keys }, "multi": true }.into()
        };
        let statements: Vec<Bson> = sets.iter().map(statement).collect();
        let limit_ms = millis(limit);
        let command = doc! {
            "update": collection, "updates": statements, "ordered": false, "maxTimeMS": limit_ms,
        };
        let answer = self.command(command).await?;
        Ok(number(answer.get("n")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// Inserts documents into a collection, as they are.
    pub async fn plant(&self, collection: &str, documents: &[Document]) -> Result<(), Failure> {
        if !documents.is_empty() {
            self.collection(collection).insert_many(documents).await?;
        }
        Ok(())
    }

    /// Drops the unique indexes that a key is part of. Documents that all lose the key would be each other's
    /// duplicates there.
    pub async fn drop_unique_indexes(&self, collection: &str, key: &str) -> Result<(), Failure> {
        let documents = self.collection(collection);
        let indexes: Vec<mongodb::IndexModel> =
            documents.list_indexes().await?.try_collect().await?;
        for index in indexes.iter().filter(|it| it.keys.contains_key(key)) {
            let options = index.options.clone().unwrap_or_default();
            if let (Some(true), Some(name)) = (options.unique, options.name) {
                documents.drop_index(name).await?;
            }
        }
        Ok(())
    }

    /// Runs an aggregation over a range of `from` and merges what comes out into `into`.
    pub async fn merge_range(
        &self,
        from: &str,
        into: &str,
        range: &Range,
        stages: &[Document],
        limit: Duration,
    ) -> Result<(), Failure> {
        let mut pipeline = vec![doc! { "$match": range.filter() }];
        pipeline.extend_from_slice(stages);
        pipeline.push(doc! { "$merge": {
            "into": into, "on": "_id", "whenMatched": "merge", "whenNotMatched": "discard",
        } });
        let quick = WriteConcern::builder().w(Acknowledgment::Nodes(1)).build();
        let from = self.collection(from);
        let found = from.aggregate(pipeline).max_time(limit).write_concern(quick);
        super::answered(limit, found).await?.try_collect::<Vec<_>>().await?;
        Ok(())
    }

    /// Reads a range, applies updates here, and writes back what changed, where nobody else changed it
    /// meanwhile. Returns how many documents it looked at.
    pub async fn rewrite_range(
        &self,
        collection: &str,
        range: &Range,
        updates: &[Update],
    ) -> Result<u64, Failure> {
        let mut filter = range.filter();
        let mut looked_at = None;
        for _ in 0..ATTEMPTS {
            let mut found = self.collection(collection).find(filter).batch_size(1000).await?;
            let (mut count, mut rewrites, mut bytes, mut ids) = (0, Vec::new(), 0, Vec::new());
            let mut complete = true;
            while let Some(read) = found.try_next().await? {
                count += 1;
                let mut changed = read.clone();
                for update in updates {
                    update.apply(&mut changed);
                }
                if changed == read {
                    continue;
                }
                ids.extend(read.get("_id").cloned());
                let rewrite = Rewrite { read, changed }.statement();
                bytes += super::datasets::size(&rewrite)?;
                rewrites.push(Bson::from(rewrite));
                if bytes > COMMAND_BYTES {
                    complete &= self.rewrite(collection, std::mem::take(&mut rewrites)).await?;
                    bytes = 0;
                }
            }
            looked_at.get_or_insert(count);
            complete &= self.rewrite(collection, rewrites).await?;
            if complete {
                return Ok(looked_at.unwrap_or(0));
            }
            filter = doc! { "_id": { "$in": ids } };
        }
        Err(Failure::edited(format!(
            "documents of `{collection}` are changed by somebody else faster than they can be migrated; \
             pause what writes to the dataset and run this again"
        )))
    }

    /// The documents with these ids.
    pub async fn documents_with(
        &self,
        collection: &str,
        ids: &[Bson],
    ) -> Result<Vec<Document>, Failure> {
        let collection = self.collection(collection);
        let found = collection.find(doc! { "_id": { "$in": ids } });
        Ok(found.batch_size(1000).await?.try_collect().await?)
    }

    /// Writes documents back where nobody has changed what is changed here. Returns whether that was so of all.
    pub async fn rewrite_documents(
        &self,
        collection: &str,
        rewrites: &[Rewrite],
    ) -> Result<bool, Failure> {
        let (mut complete, mut statements, mut bytes) = (true, Vec::new(), 0);
        for it in rewrites {
            let statement = it.statement();
            bytes += super::datasets::size(&statement)?;
            statements.push(Bson::from(statement));
            if bytes > COMMAND_BYTES {
                complete &= self.rewrite(collection, std::mem::take(&mut statements)).await?;
                bytes = 0;
            }
        }
        Ok(self.rewrite(collection, statements).await? && complete)
    }

    /// Whether every statement found its document as it was read.
    async fn rewrite(&self, collection: &str, statements: Vec<Bson>) -> Result<bool, Failure> {
        let wanted = i64::try_from(statements.len()).unwrap_or(i64::MAX);
        if statements.is_empty() {
            return Ok(true);
        }
        let command = doc! { "update": collection, "updates": statements, "ordered": false };
        Ok(number(self.command(command).await?.get("n")) == Some(wanted))
    }
}

impl Rewrite {
    /// Changes only the top-level keys that differ, only while those are what was read: edits of other keys by
    /// others survive.
    fn statement(&self) -> Document {
        let Self { read, changed } = self;
        let removed: Vec<&String> = read.keys().filter(|it| !changed.contains_key(it)).collect();
        let set: Vec<(&String, &Bson)> =
            changed.iter().filter(|(key, value)| read.get(key) != Some(value)).collect();
        let touched = removed.iter().copied().chain(set.iter().map(|(key, _)| *key));
        // A key with a dot in it is not a path, but the server would take it for one.
        if touched.clone().any(|it| it.contains('.') || it.starts_with('$')) {
            let same = doc! { "$eq": ["$$ROOT", { "$literal": read }] };
            return doc! { "q": { "_id": read.get("_id"), "$expr": same }, "u": changed };
        }
        let same: Vec<Bson> = touched
            .map(|key| {
                let path = format!("${key}");
                match read.get(key) {
                    Some(value) => doc! { "$eq": [path, { "$literal": value }] }.into(),
                    None => doc! { "$eq": [{ "$type": path }, "missing"] }.into(),
                }
            })
            .collect();
        let mut stages = Vec::new();
        if !removed.is_empty() {
            let removed: Vec<Bson> = removed.iter().map(|it| Bson::from(it.as_str())).collect();
            stages.push(doc! { "$unset": removed });
        }
        if !set.is_empty() {
            let set: Document = set
                .into_iter()
                .map(|(key, it)| (key.clone(), doc! { "$literal": it }.into()))
                .collect();
            stages.push(doc! { "$set": set });
        }
        doc! { "q": { "_id": read.get("_id"), "$expr": { "$and": same } }, "u": stages }
    }
}
