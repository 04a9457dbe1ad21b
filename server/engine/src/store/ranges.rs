//! Ranges of `_id`, so that no operation on a large collection runs without bounds.

use bson::{Bson, Document, doc, oid::ObjectId};
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

impl Range {
    /// The filters that select the documents of each second in which its object ids were made, each with an id of
    /// that second; or one for all of them, if the second does not matter. `None` if there are more than `at_most`,
    /// or if it is not between two object ids.
    pub fn seconds(&self, matter: bool, at_most: u32) -> Option<Vec<(Document, ObjectId)>> {
        let (Some(Bson::ObjectId(after)), Some(Bson::ObjectId(until))) = (&self.after, &self.until)
        else {
            return None;
        };
        let (first, last) = (second(*after), second(*until));
        // What is later than 2038, servers read as a time before 1970.
        if !matter || first > last || last > i32::MAX.unsigned_abs() {
            return (!matter).then(|| vec![(self.filter(), *until)]);
        }
        if last - first >= at_most {
            return None;
        }
        let part = |at: u32| {
            let lower = if at == first {
                doc! { "$gt": after }
            } else {
                doc! { "$gte": start(at) }
            };
            let upper = if at == last {
                doc! { "$lte": until }
            } else {
                doc! { "$lt": start(at + 1) }
            };
            let mut within = lower;
            within.extend(upper);
            (doc! { "_id": within }, start(at))
        };
        Some((first..=last).map(part).collect())
    }
}

/// The second in which an object id was made.
fn second(id: ObjectId) -> u32 {
    let [a, b, c, d, ..] = id.bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The smallest object id of a second.
fn start(second: u32) -> ObjectId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    ObjectId::from_bytes(bytes)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(second: u32, rest: u8) -> ObjectId {
        let mut bytes = [rest; 12];
        bytes[..4].copy_from_slice(&second.to_be_bytes());
        ObjectId::from_bytes(bytes)
    }

    fn range(after: ObjectId, until: ObjectId) -> Range {
        Range { after: Some(after.into()), until: Some(until.into()) }
    }

    #[test]
    fn every_id_of_a_range_is_in_the_part_of_its_own_second() {
        let (after, until) = (id(7, 4), id(9, 5));
        let parts = range(after, until).seconds(true, 3).unwrap();
        let filters: Vec<&Document> = parts.iter().map(|(it, _)| it).collect();
        assert_eq!(
            filters,
            [
                &doc! { "_id": { "$gt": after, "$lt": id(8, 0) } },
                &doc! { "_id": { "$gte": id(8, 0), "$lt": id(9, 0) } },
                &doc! { "_id": { "$gte": id(9, 0), "$lte": until } },
            ]
        );
        let times: Vec<i64> =
            parts.iter().map(|(_, it)| it.timestamp().timestamp_millis()).collect();
        assert_eq!(times, [7_000, 8_000, 9_000]);
    }

    #[test]
    fn too_many_seconds_or_none_to_tell_are_left_to_the_server() {
        assert_eq!(range(id(7, 0), id(10, 0)).seconds(true, 3), None);
        assert_eq!(range(id(7, 0), id(u32::MAX, 0)).seconds(true, u32::MAX), None);
        assert_eq!(Range::all().seconds(true, 3), None);
        assert_eq!(Range { after: None, until: Some(id(1, 1).into()) }.seconds(false, 3), None);
        let far = range(id(7, 0), id(1_000, 0));
        assert_eq!(far.seconds(false, 3).unwrap(), [(far.filter(), id(1_000, 0))]);
    }
}
