//! What was read of all datasets, in the order of the catalog.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bson::{Bson, RawBsonRef, RawDocument, RawDocumentBuf};
use model::{Catalog, DatasetRow, DatasetState, MadeFor, Outlook};
use revisions::{Release, base};

use crate::{store::Entry, versions::newest};

/// How many tags of a dataset are told.
const TAGS: usize = 50;

/// Datasets as they were listed.
#[derive(Debug, Default)]
pub struct Listing {
    documents: Vec<RawDocumentBuf>,
    ids: Vec<String>,
    prints: Vec<u64>,
}

impl Listing {
    /// Puts what was read in order. Nothing is known yet of what a migration does.
    pub fn of(documents: Vec<RawDocumentBuf>) -> (Self, Catalog) {
        let mut states = HashMap::new();
        let mut listed: Vec<(DatasetRow, RawDocumentBuf)> =
            documents.into_iter().map(|it| (row(&it, &mut states), it)).collect();
        listed.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let (rows, documents): (Vec<DatasetRow>, Vec<RawDocumentBuf>) = listed.into_iter().unzip();
        let ids = rows.iter().map(|it| it.id.clone()).collect();
        let prints = documents.iter().map(|it| print(it)).collect();
        (Self { documents, ids, prints }, Catalog::of(rows))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// The text of the `_id` of the dataset at this place.
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    /// A number that is another when anything of the document was changed that can be seen here, its size included.
    pub fn print(&self, at: usize) -> u64 {
        self.prints.get(at).copied().unwrap_or(0)
    }

    /// The dataset at this place, as it is planned with.
    pub fn entry(&self, at: usize) -> Option<Entry> {
        let document = self.documents.get(at)?;
        let value = |key: &str| document.get(key).ok().flatten();
        let whole =
            |key: &str| value(key).and_then(|it| Bson::try_from(it).ok()).unwrap_or_default();
        Some(Entry {
            id: whole("_id"),
            name: value("name").and_then(RawBsonRef::as_str).map(str::to_owned),
            version: whole("version"),
            bytes: usize::try_from(number(document, "bytes")).unwrap_or(0),
        })
    }

    /// The collection that has its samples.
    pub fn samples(&self, at: usize) -> Option<&str> {
        let name = self.documents.get(at)?.get_str("sample_collection_name").ok()?;
        (!name.is_empty()).then_some(name)
    }
}

/// The place of a dataset among all.
fn order(row: &DatasetRow) -> (bool, Option<&str>, &str) {
    Catalog::order(row.name.as_deref(), &row.id)
}

fn print(document: &RawDocument) -> u64 {
    let mut hash = DefaultHasher::new();
    document.as_bytes().hash(&mut hash);
    hash.finish()
}

/// What the browser tells of a dataset. Whatever is there may be anything: clients of ten years have written it, and people.
fn row(document: &RawDocument, states: &mut HashMap<String, DatasetState>) -> DatasetRow {
    let value = |key: &str| document.get(key).ok().flatten();
    let text = |key: &str| value(key).and_then(RawBsonRef::as_str).map(str::to_owned);
    let time = |key: &str| {
        value(key).and_then(RawBsonRef::as_datetime).map(bson::DateTime::timestamp_millis)
    };
    let id = value("_id").and_then(|it| Bson::try_from(it).ok()).unwrap_or_default();
    let (version, state) = version(value("version"), states);
    let tags = value("tags").and_then(RawBsonRef::as_array);
    let tags = tags.into_iter().flatten().filter_map(|it| it.ok()?.as_str());
    let mut told: Vec<String> = Vec::new();
    for tag in tags.take(TAGS) {
        if !told.iter().any(|it| it == tag) {
            told.push(tag.to_owned());
        }
    }
    DatasetRow {
        id: crate::tally::text(&id),
        name: text("name").filter(|it| !it.is_empty()),
        version,
        state,
        media_type: text("media_type").filter(|it| !it.is_empty()),
        persistent: value("persistent").and_then(RawBsonRef::as_bool).unwrap_or(false),
        made_for: text("sample_collection_name").as_deref().and_then(MadeFor::of),
        tags: told,
        fields: number(document, "fields"),
        bytes: number(document, "bytes"),
        samples: None,
        created_ms: time("created_at"),
        modified_ms: time("last_modified_at"),
        outlook: Outlook::Unknown,
    }
}

/// A version as it stands in a document, and how it stands to the newest one.
fn version(
    stored: Option<RawBsonRef<'_>>,
    states: &mut HashMap<String, DatasetState>,
) -> (Option<String>, DatasetState) {
    let text = match stored {
        None | Some(RawBsonRef::Null) => return (None, DatasetState::Unversioned),
        Some(RawBsonRef::String(text)) => text,
        Some(other) => {
            let text = Bson::try_from(other).map(|it| it.to_string()).unwrap_or_default();
            return (Some(text), DatasetState::Unreadable);
        }
    };
    if let Some(state) = states.get(text) {
        return (Some(text.to_owned()), *state);
    }
    let state = match text.parse::<Release>() {
        Err(_) => DatasetState::Unreadable,
        Ok(release) if release == *newest() => DatasetState::Current,
        Ok(release) if base(&release) > *newest() => DatasetState::Ahead,
        Ok(_) => DatasetState::Behind,
    };
    states.insert(text.to_owned(), state);
    (Some(text.to_owned()), state)
}

fn number(document: &RawDocument, key: &str) -> u64 {
    let number = match document.get(key).ok().flatten() {
        Some(RawBsonRef::Int32(it)) => i64::from(it),
        Some(RawBsonRef::Int64(it)) => it,
        _ => 0,
    };
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use bson::{DateTime, doc, oid::ObjectId, rawdoc};
    use model::{DatasetQuery, DatasetTab};

    use super::*;

    fn listed(documents: Vec<RawDocumentBuf>) -> Vec<DatasetRow> {
        let (_, catalog) = Listing::of(documents);
        (0..catalog.len()).filter_map(|it| catalog.row(it)).collect()
    }

    #[test]
    fn a_dataset_is_told_as_it_is_stored() {
        let id = ObjectId::new();
        let rows = listed(vec![rawdoc! {
            "_id": id, "name": "cats", "version": "0.18.0", "media_type": "image",
            "persistent": true, "tags": ["a", 7, "b", "a"], "bytes": 1_234, "fields": 5,
            "created_at": DateTime::from_millis(1), "sample_collection_name": "clips.1",
        }]);
        let wanted = DatasetRow {
            id: id.to_hex(),
            name: Some("cats".to_owned()),
            version: Some("0.18.0".to_owned()),
            state: DatasetState::Behind,
            media_type: Some("image".to_owned()),
            persistent: true,
            made_for: Some(MadeFor::Clips),
            tags: vec!["a".to_owned(), "b".to_owned()],
            fields: 5,
            bytes: 1_234,
            created_ms: Some(1),
            ..DatasetRow::default()
        };
        assert_eq!(rows, [wanted]);
    }

    #[test]
    fn whatever_stands_in_a_document_is_told_somehow() {
        let rows = listed(vec![
            rawdoc! { "_id": 1, "name": 7, "version": 1.5, "tags": "x", "persistent": "yes" },
            rawdoc! { "_id": "two", "name": "", "version": null },
            rawdoc! { "_id": 3, "name": "b", "version": "banana", "created_at": "yesterday" },
            rawdoc! { "_id": 4, "name": "a", "version": "99.0.0" },
        ]);
        let told: Vec<(&str, DatasetState, DatasetTab)> =
            rows.iter().map(|it| (it.label(), it.state, it.tab())).collect();
        assert_eq!(
            told,
            [
                ("a", DatasetState::Ahead, DatasetTab::Datasets),
                ("b", DatasetState::Unreadable, DatasetTab::Datasets),
                ("\"two\"", DatasetState::Unversioned, DatasetTab::Incomplete),
                ("1", DatasetState::Unreadable, DatasetTab::Incomplete),
            ]
        );
    }

    #[test]
    fn a_print_is_another_when_what_was_read_is() {
        let of = |version: &str| {
            let document = rawdoc! { "_id": 1, "name": "a", "version": version };
            Listing::of(vec![document]).0.print(0)
        };
        assert_eq!(of("1.0.0"), of("1.0.0"));
        assert_ne!(of("1.0.0"), of("1.0.1"));
    }

    #[test]
    fn places_are_those_of_the_catalog() {
        let documents =
            ["b", "c", "a"].map(|it| rawdoc! { "_id": it, "name": it, "version": "1.0.0" });
        let (listing, catalog) = Listing::of(documents.into());
        let place = catalog.matching(&DatasetQuery::parse("q=c"))[0];
        let entry = listing.entry(place).unwrap();
        assert_eq!(
            (entry.id, entry.version),
            (doc! { "_": "c" }.remove("_").unwrap(), "1.0.0".into())
        );
        assert_eq!(listing.id(place), catalog.row(place).unwrap().id);
    }
}
