//! What entries keep, as the merge needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bson::{Bson, Document, RawDocumentBuf, oid::ObjectId};
use revisions::{Dataset, archive::Archived};

use super::unreadable;
use crate::{
    journal::entry_id,
    load::decoded,
    store::{self, ArchiveEntry, Failure, Kind, Store, archived},
};

/// What the entries of a loaded batch keep.
#[derive(Debug, Default)]
pub struct Contents {
    /// By the texts of the run and of the dataset's `_id`.
    documents: HashMap<(ObjectId, String), Vec<Document>>,
}

impl Contents {
    /// Reads all of it, by one query.
    pub async fn of(store: &Store, entries: &[&ArchiveEntry]) -> Result<Self, Failure> {
        let mut documents: HashMap<_, Vec<Document>> = HashMap::new();
        for it in store.archived(entries).await? {
            let Ok(id) = it.get_document("_id") else { continue };
            let (Ok(run), Some(dataset)) = (id.get_object_id("run"), id.get("dataset")) else {
                continue;
            };
            documents.entry((run, dataset.to_string())).or_default().push(it);
        }
        Ok(Self { documents })
    }

    /// The ids of the delegated operations that an entry is about.
    pub fn operations(&self, entry: &ArchiveEntry) -> Vec<Bson> {
        let kept = self.kept(entry).iter().filter(|it| Kind::Operation.is_of(it));
        kept.filter_map(entry_id).cloned().collect()
    }

    /// An entry with all that it keeps.
    ///
    /// # Errors
    ///
    /// If something of it is missing or damaged: the sentence to refuse the dataset with.
    pub fn archived(&self, entry: &ArchiveEntry) -> Result<Archived, String> {
        self.read(entry).map_err(|why| unreadable(&why))
    }

    fn kept(&self, entry: &ArchiveEntry) -> &[Document] {
        let key = (entry.id.run, entry.id.dataset.to_string());
        self.documents.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    fn read(&self, entry: &ArchiveEntry) -> Result<Archived, String> {
        let kept = self.kept(entry);
        let count = i64::try_from(kept.len()).unwrap_or(i64::MAX);
        if count != entry.documents {
            return Err(format!("{count} of its {} documents are there", entry.documents));
        }
        let version = |text: &str| text.parse().map_err(|_| format!("`{text}` is no version"));
        let all = |kind: Kind| -> Result<Vec<Document>, String> {
            kept.iter().filter(|it| kind.is_of(it)).map(archived).collect()
        };
        Ok(Archived {
            from: version(&entry.from)?,
            before: side(kept, "before")?,
            to: version(&entry.to)?,
            after: side(kept, "after")?,
            at: version(&entry.at)?,
            results: entry.results.iter().copied().collect::<BTreeSet<_>>(),
            files: entry.files.iter().copied().collect(),
            views: all(Kind::View)?,
            operations: all(Kind::Operation)?,
        })
    }
}

/// The dataset as it was, or as it was left.
fn side(kept: &[Document], side: &str) -> Result<Dataset, String> {
    let of = |kind: Kind| {
        kept.iter().filter(move |it| {
            let id = entry_id(it).and_then(Bson::as_document);
            kind.is_of(it) && id.is_some_and(|it| it.get_str("side").is_ok_and(|it| it == side))
        })
    };
    let mut parts: Vec<(i32, Vec<u8>)> = of(Kind::Part)
        .map(|it| {
            let at = entry_id(it).and_then(|it| it.as_document()?.get_i32("at").ok());
            (at.unwrap_or_default(), store::bytes(it, "bytes"))
        })
        .collect();
    parts.sort_by_key(|(at, _)| *at);
    let bytes: Vec<u8> = parts.into_iter().flat_map(|(_, it)| it).collect();
    let raw = RawDocumentBuf::from_bytes(bytes).map_err(|it| it.to_string())?;
    let mut runs = BTreeMap::new();
    for it in of(Kind::Run) {
        let run = archived(it)?;
        let id = run.get_object_id("_id").map_err(|it| it.to_string())?;
        runs.insert(id, run);
    }
    Ok(Dataset { document: decoded(&raw)?, runs })
}
