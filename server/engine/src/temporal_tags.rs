//! Temporal tags: intervals of samples, documents of `tags` in the database and of `tags.json` in an export.
//!
//! Agrees with `fiftyone.core.tags` of 1.22.1 in what it accepts and stores; a tag that is there twice is stored once. **Differs**:
//! what is wrong is told before anything is written, and samples keep the date of their last change.

use std::collections::HashSet;

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId};
use bundle::{Fault, Piece};

use crate::mark::mark;

/// Where FiftyOne keeps those of all datasets.
pub const TAGS: &str = "tags";

/// A sequence, nanoseconds of a duration, nanoseconds of a timestamp.
const INDEX_TYPES: [i64; 3] = [1, 2, 3];

const KIND: &str = "temporal";

/// Reads the tags of a dataset one by one.
pub struct TagReader {
    dataset: ObjectId,
    now: DateTime,
    met: HashSet<u128>,
}

impl TagReader {
    /// Of this dataset; those without a date are of `now`.
    pub fn new(dataset: ObjectId, now: DateTime) -> Self {
        Self { dataset, now, met: HashSet::new() }
    }

    /// The next one as it is stored; `None` if it was there before.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn read(&mut self, piece: &Piece) -> Result<Option<Document>, Fault> {
        let malformed = |reason: String| Fault::Malformed { place: piece.place.clone(), reason };
        let exported = piece.read()?;
        let tag = self.stored(&exported).map_err(malformed)?;
        let raw = RawDocumentBuf::try_from(&tag).map_err(|it| malformed(it.to_string()))?;
        if !self.met.insert(mark(raw.as_bytes())) {
            return Ok(None);
        }
        let mut document = doc! { "_id": ObjectId::new() };
        document.extend(tag);
        self.provenance(&exported, &mut document).map_err(malformed)?;
        Ok(Some(document))
    }

    /// What tells it from every other.
    fn stored(&self, exported: &Document) -> Result<Document, String> {
        let sample = match exported.get("sample_id") {
            Some(Bson::ObjectId(id)) => Some(*id),
            Some(Bson::String(text)) => ObjectId::parse_str(text).ok(),
            _ => None,
        };
        let sample = sample.ok_or("`sample_id` is not the id of a sample")?;
        let whole = |key: &str| match exported.get(key) {
            Some(Bson::Int32(it)) => Ok(i64::from(*it)),
            Some(Bson::Int64(it)) => Ok(*it),
            _ => Err(format!("`{key}` is not a whole number")),
        };
        let (start, end) = (whole("start")?, whole("end")?);
        if start >= end {
            return Err(format!("`start` is {start}, which is not before `end`, {end}"));
        }
        let index = match exported.get("index_type") {
            None | Some(Bson::Null) => INDEX_TYPES[1],
            Some(_) => whole("index_type")?,
        };
        if !INDEX_TYPES.contains(&index) {
            return Err(format!("`index_type` is {index}, and FiftyOne knows 1, 2 and 3"));
        }
        match exported.get("kind") {
            None | Some(Bson::Null) => {}
            Some(Bson::String(kind)) if kind == KIND => {}
            Some(other) => return Err(format!("`kind` is {other}, and FiftyOne knows `{KIND}`")),
        }
        let tag = text(exported, "tag")?.ok_or("it has no `tag`")?;
        Ok(doc! {
            "_dataset_id": self.dataset,
            "_sample_id": sample,
            "index_type": number(index),
            "anchor": text(exported, "anchor")?,
            "kind": KIND,
            "start": number(start),
            "end": number(end),
            "tag": tag,
        })
    }

    /// By whom it is, and since when.
    fn provenance(&self, exported: &Document, to: &mut Document) -> Result<(), String> {
        let (created, modified) =
            (date(exported, "created_at")?, date(exported, "last_modified_at")?);
        to.insert("created_at", created.or(modified).unwrap_or(self.now));
        let by = text(exported, "created_by")?;
        let last = text(exported, "last_modified_by")?.or_else(|| by.clone());
        for (key, it) in [("created_by", by), ("last_modified_by", last)] {
            if let Some(it) = it {
                to.insert(key, it);
            }
        }
        to.insert("last_modified_at", modified.or(created).unwrap_or(self.now));
        Ok(())
    }
}

/// A tag as it is exported.
///
/// # Errors
///
/// If it does not say of which sample it is.
pub fn exported(stored: &Document) -> Result<Document, Fault> {
    let sample = stored.get_object_id("_sample_id").map_err(|it| Fault::Malformed {
        place: format!("the temporal tag {}", stored.get("_id").unwrap_or(&Bson::Null)),
        reason: it.to_string(),
    })?;
    let sample = sample.to_hex();
    let mut tag = doc! { "sample_id": sample };
    let keys = ["index_type", "start", "end", "tag", "anchor", "created_by", "last_modified_by"];
    let given = |key: &str| stored.get(key).filter(|it| **it != Bson::Null).cloned();
    tag.extend(keys.into_iter().filter_map(|key| Some((key.to_owned(), given(key)?))));
    let dates = ["created_at", "last_modified_at"];
    for (key, other) in dates.into_iter().zip(dates.into_iter().rev()) {
        let date = given(key).or_else(|| given(other)).and_then(|it| it.as_datetime().copied());
        tag.insert(key, iso(date.unwrap_or_else(DateTime::now)));
    }
    tag.extend(given("kind").map(|it| ("kind".to_owned(), it)));
    Ok(tag)
}

/// The indexes that FiftyOne gives the collection: name, keys, whether unique.
pub fn indexes() -> Vec<(String, Document, bool)> {
    let index = |name: &str, keys: &[&str], unique: bool| {
        let keys = keys.iter().map(|it| ((*it).to_owned(), Bson::Int32(1)));
        (name.to_owned(), keys.collect::<Document>(), unique)
    };
    let range = ["_dataset_id", "_sample_id", "kind", "index_type", "anchor", "start", "end"];
    let mut all = range.to_vec();
    all.push("tag");
    vec![
        index("unique_temporal_tag", &all, true),
        index("temporal_tag_overlap", &range, false),
        index(
            "temporal_tag_sample_range",
            &["_dataset_id", "_sample_id", "kind", "start", "end", "index_type", "anchor", "tag"],
            false,
        ),
        index(
            "temporal_tag_tag_lookup",
            &["_dataset_id", "kind", "tag", "_sample_id", "start", "end", "index_type", "anchor"],
            false,
        ),
        index("temporal_tag_counts", &["_dataset_id", "kind", "anchor", "tag"], false),
    ]
}

/// As small as it can be stored, as FiftyOne does.
fn number(it: i64) -> Bson {
    i32::try_from(it).map_or(Bson::Int64(it), Bson::Int32)
}

fn text(exported: &Document, key: &str) -> Result<Option<String>, String> {
    match exported.get(key) {
        None | Some(Bson::Null) => Ok(None),
        Some(Bson::String(it)) if !it.trim().is_empty() => Ok(Some(it.clone())),
        Some(_) => Err(format!("`{key}` is not a text with something in it")),
    }
}

fn date(exported: &Document, key: &str) -> Result<Option<DateTime>, String> {
    let wrong = || format!("`{key}` is not a date such as 2024-05-06T07:08:09");
    match exported.get(key) {
        None | Some(Bson::Null) => Ok(None),
        Some(Bson::DateTime(it)) => Ok(Some(*it)),
        Some(Bson::String(it)) => {
            // Without a zone it is UTC.
            let parsed = DateTime::parse_rfc3339_str(it);
            let parsed = parsed.or_else(|_| DateTime::parse_rfc3339_str(format!("{it}Z")));
            parsed.map(Some).map_err(|_| wrong())
        }
        Some(_) => Err(wrong()),
    }
}

/// As Python writes a date without a zone: with six digits below a second, or none.
fn iso(date: DateTime) -> String {
    let text = date.try_to_rfc3339_string().unwrap_or_default();
    let text = text.trim_end_matches('Z');
    match text.split_once('.') {
        Some((whole, digits)) => format!("{whole}.{digits:0<6}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str) -> Piece {
        Piece { text: text.as_bytes().to_vec(), is_odd: false, place: "tags.json, byte 9".into() }
    }

    const TAG: &str = r#"{"sample_id": "6b02aa9ce13547af4387f1a1", "index_type": 2, "start": 0, "end": 5000000000, "tag": "rain",
        "created_by": "ada", "created_at": "2024-05-06T07:08:09.120000", "last_modified_at": "2024-05-06T07:08:10", "kind": "temporal"}"#;

    #[test]
    fn a_tag_is_exported_as_it_was_imported_and_stored_once() {
        let mut reader = TagReader::new(ObjectId::new(), DateTime::from_millis(0));
        let stored = reader.read(&piece(TAG)).unwrap().unwrap();
        assert_eq!(stored.get("end"), Some(&Bson::Int64(5_000_000_000)));
        assert_eq!(stored.get("start"), Some(&Bson::Int32(0)));
        assert_eq!(stored.get_str("last_modified_by").unwrap(), "ada");
        let mut expected = bundle::json::document(TAG.as_bytes(), false).unwrap();
        expected.insert("last_modified_by", "ada");
        let found = exported(&stored).unwrap();
        assert_eq!(found.get("created_at"), expected.get("created_at"));
        for (key, value) in &expected {
            assert_eq!(found.get(key), Some(value), "{key}");
        }
        assert!(reader.read(&piece(TAG)).unwrap().is_none());
    }

    #[test]
    fn what_is_no_tag_is_told_with_its_place() {
        for (from, to, part) in [
            ("5000000000", "0", "is not before `end`"),
            ("\"rain\"", "\" \"", "`tag` is not a text"),
            ("6b02aa9ce13547af4387f1a1", "x", "`sample_id`"),
            ("\"index_type\": 2", "\"index_type\": 9", "knows 1, 2 and 3"),
            ("temporal", "spatial", "`kind`"),
            ("2024-05-06T07:08:10", "yesterday", "`last_modified_at` is not a date"),
            ("\"start\": 0", "\"start\": 0.5", "`start` is not a whole number"),
        ] {
            let mut reader = TagReader::new(ObjectId::new(), DateTime::from_millis(0));
            let fault = reader.read(&piece(&TAG.replace(from, to))).unwrap_err().to_string();
            assert!(fault.contains(part) && fault.contains("byte 9"), "{fault}");
        }
    }
}
