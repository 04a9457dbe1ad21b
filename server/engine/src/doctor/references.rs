//! What dataset documents refer to: runs, saved views and workspaces.

use std::collections::{BTreeMap, HashMap, HashSet};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use revisions::{Release, base};

use super::Subject;
use crate::{
    store::{Failure, Store},
    versions::newest,
};

/// The keys under which a dataset has its runs: `{ key: ObjectId }`. Before 0.19, the runs themselves.
pub const RUNS: [&str; 4] = ["annotation_runs", "brain_methods", "evaluations", "runs"];

/// The keys under which it has lists of ids, and the collections that those are in.
pub const LISTS: [(&str, &str); 2] = [("saved_views", "views"), ("workspaces", "workspaces")];

/// The keys of a dataset document that are needed to know what it refers to.
pub fn projection() -> Document {
    let mut keys = doc! { "name": 1, "version": 1 };
    for key in RUNS.into_iter().chain(LISTS.map(|(key, _)| key)) {
        keys.insert(key, 1);
    }
    keys
}

/// The version that a dataset says it is at, if this program knows what datasets of that version look like.
pub fn known_version(document: &Document) -> Option<Release> {
    let release: Release = document.get_str("version").ok()?.parse().ok()?;
    Some(base(&release)).filter(|it| it <= newest())
}

/// Every reference of a dataset: the path of it, the collection that it leads to, and the id.
pub fn references(document: &Document) -> Vec<(String, &'static str, ObjectId)> {
    let mut found = Vec::new();
    for key in RUNS {
        for (name, slot) in document.get_document(key).into_iter().flatten() {
            found.extend(slot.as_object_id().map(|id| (format!("{key}.{name}"), "runs", id)));
        }
    }
    for (key, collection) in LISTS {
        let items = document.get_array(key).into_iter().flatten();
        found.extend(
            items.filter_map(Bson::as_object_id).map(|id| (key.to_owned(), collection, id)),
        );
    }
    found
}

/// All that is referred to, in the whole database.
#[derive(Debug, Default)]
pub struct References {
    ids: BTreeMap<&'static str, HashSet<ObjectId>>,
    datasets: HashMap<String, Subject>,
    /// Those of which it is not known what they refer to.
    opaque: HashSet<String>,
}

/// Whose something is.
#[derive(Clone, Debug, PartialEq)]
pub enum Owner {
    /// A dataset that exists and does not refer to it.
    Dataset(Subject),
    /// No dataset that exists.
    Nobody,
    /// It cannot be told: its dataset cannot be read, or is newer than this program.
    Unknown,
}

impl References {
    /// Reads them from all datasets.
    pub async fn read(store: &Store) -> Result<Self, Failure> {
        let mut all = Self::default();
        let mut datasets = store.look_over("datasets", projection()).await?;
        while let Some(read) = datasets.try_next().await? {
            match read {
                Ok(document) => all.add(&document),
                Err(id) => _ = all.opaque.insert(text(&id)),
            }
        }
        Ok(all)
    }

    fn add(&mut self, document: &Document) {
        let key = text(document.get("_id").unwrap_or(&Bson::Null));
        // Whoever has no version has had one.
        let nameless = matches!(document.get("version"), None | Some(Bson::Null));
        if !nameless && known_version(document).is_none() {
            self.opaque.insert(key.clone());
        }
        self.datasets.insert(key, Subject::of(document));
        // Whatever looks like a reference is one: what is referred to in a strange way is no orphan.
        for key in RUNS {
            mentions(document.get(key), self.ids.entry("runs").or_default());
        }
        for (key, collection) in LISTS {
            mentions(document.get(key), self.ids.entry(collection).or_default());
        }
    }

    /// Whether some dataset refers to this document of a collection.
    pub fn has(&self, collection: &str, id: &ObjectId) -> bool {
        self.ids.get(collection).is_some_and(|it| it.contains(id))
    }

    /// Whose a document is that says it belongs to this dataset.
    pub fn owner(&self, dataset: Option<&Bson>) -> Owner {
        let key = text(dataset.unwrap_or(&Bson::Null));
        match self.datasets.get(&key) {
            _ if self.opaque.contains(&key) => Owner::Unknown,
            Some(subject) => Owner::Dataset(subject.clone()),
            None => Owner::Nobody,
        }
    }
}

fn mentions(value: Option<&Bson>, found: &mut HashSet<ObjectId>) {
    match value {
        Some(Bson::ObjectId(id)) => _ = found.insert(*id),
        Some(Bson::Array(items)) => items.iter().for_each(|it| mentions(Some(it), found)),
        Some(Bson::Document(inner)) => inner.values().for_each(|it| mentions(Some(it), found)),
        _ => {}
    }
}

fn text(id: &Bson) -> String {
    format!("{id:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ObjectId = ObjectId::from_bytes([7; 12]);
    const RUN: ObjectId = ObjectId::from_bytes([8; 12]);

    #[test]
    fn runs_views_and_workspaces_are_references_and_embedded_runs_are_not() {
        let document = doc! {
            "evaluations": { "a": RUN, "b": { "key": "b", "results": ID } }, "runs": null,
            "saved_views": [ID, 3], "workspaces": "no",
        };
        let found = references(&document);
        assert_eq!(
            found,
            [("evaluations.a".to_owned(), "runs", RUN), ("saved_views".to_owned(), "views", ID)]
        );
    }

    #[test]
    fn what_is_referred_to_in_a_strange_way_is_no_orphan() {
        let mut all = References::default();
        all.add(&doc! { "_id": ID, "version": "1.0.0", "runs": { "a": { "$id": RUN } } });
        assert!(all.has("runs", &RUN) && !all.has("views", &RUN));
    }

    #[test]
    fn of_datasets_that_are_newer_than_this_program_nothing_is_known() {
        let mut all = References::default();
        for (id, version) in [(1, "1.0.0"), (2, "99.0.0"), (3, "garbage")] {
            all.add(&doc! { "_id": id, "name": "a", "version": version });
        }
        assert!(matches!(all.owner(Some(&1.into())), Owner::Dataset(it) if it.label() == "a"));
        assert_eq!(all.owner(Some(&2.into())), Owner::Unknown);
        assert_eq!(all.owner(Some(&3.into())), Owner::Unknown);
        assert_eq!(all.owner(Some(&4.into())), Owner::Nobody);
        assert_eq!(all.owner(None), Owner::Nobody);
    }
}
