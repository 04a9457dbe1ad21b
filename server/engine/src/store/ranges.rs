//! Ranges of `_id`, so that no operation on a large collection runs without bounds.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store};

/// `after < _id <= until`; open where a side is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range {
    /// The last `_id` before it.
    pub after: Option<Bson>,
    /// The last `_id` in it.
    pub until: Option<Bson>,
}

impl Range {
    /// Every document.
    pub fn all() -> Self {
        Self::default()
    }

    /// The filter that selects it.
    pub fn filter(&self) -> Document {
        // `$gt` alone compares within one type; `$expr` compares across all of them, as the index is sorted.
        let mut parts = Vec::new();
        match (&self.after, &self.until) {
            (Some(Bson::ObjectId(after)), Some(Bson::ObjectId(until))) => {
                return doc! { "_id": { "$gt": after, "$lte": until } };
            }
            (after, until) => {
                parts.extend(
                    after.iter().map(|it| Bson::from(doc! { "$gt": ["$_id", { "$literal": it }] })),
                );
                parts.extend(
                    until
                        .iter()
                        .map(|it| Bson::from(doc! { "$lte": ["$_id", { "$literal": it }] })),
                );
            }
        }
        if parts.is_empty() {
            doc! {}
        } else {
            doc! { "$expr": { "$and": parts } }
        }
    }
}

impl Store {
    /// The range of about `documents` documents that follows `after`; the last one is open to the right.
    pub async fn next_range(
        &self,
        collection: &str,
        after: Option<&Bson>,
        documents: u64,
    ) -> Result<Range, Failure> {
        let from = Range { after: after.cloned(), until: None };
        // With object ids, which is what FiftyOne makes, the index answers this alone.
        let filter = match after {
            Some(Bson::ObjectId(after)) => doc! { "_id": { "$gt": after } },
            _ => from.filter(),
        };
        let collection = self.collection(collection);
        let found = collection.find(filter).sort(doc! { "_id": 1 });
        let found = found.projection(doc! { "_id": 1 }).skip(documents.saturating_sub(1)).limit(1);
        let last = found.await?.try_next().await?;
        let until = last.and_then(|mut it| it.remove("_id"));
        Ok(Range { after: from.after, until })
    }

    /// About how many documents a collection has, without counting them.
    pub async fn about_documents(&self, collection: &str) -> Result<u64, Failure> {
        Ok(self.collection(collection).estimated_document_count().await?)
    }
}
