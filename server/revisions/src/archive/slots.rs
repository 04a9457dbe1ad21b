//! A dataset document with its runs in the places where it refers to them.
//!
//! Only so can they be merged: below 0.19 that is where they are, and each time they are moved out they get another id.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc, oid::ObjectId};

use crate::{
    Dataset,
    merge::{Path, Places},
};

/// Where a dataset document refers to its runs, or has them.
const FIELDS: [&str; 4] = ["annotation_runs", "brain_methods", "evaluations", "runs"];

/// The key around a run that is a document of its own. No path of MongoDB's begins with a dollar.
const RUN: &str = "$run";

/// The joined document, and the runs that have no place in it.
pub(super) struct Slots {
    /// `{ .., evaluations: { eval: { $run: { .. } } } }`
    pub(super) document: Document,
    others: BTreeMap<ObjectId, Document>,
}

/// How runs are merged: as a whole, if somebody has made another one in the same place.
pub(super) struct Runs {
    /// Whether their ids were drawn on the way up, so that they tell nothing.
    pub(super) ids_are_drawn: bool,
}

impl Slots {
    pub(super) fn join(dataset: &Dataset) -> Self {
        let (mut document, mut others) = (dataset.document.clone(), dataset.runs.clone());
        let owner = document.get("_id").cloned().unwrap_or_default();
        for field in FIELDS {
            let Ok(slots) = document.get_document_mut(field) else { continue };
            for (_, slot) in slots.iter_mut() {
                let Some(id) = slot.as_object_id() else { continue };
                let Some(run) = dataset.runs.get(&id) else { continue };
                let of = run.get("_dataset_id").unwrap_or(&Bson::Null);
                // Those of other datasets are theirs.
                if *of == Bson::Null || *of == owner {
                    others.remove(&id);
                    *slot = doc! { RUN: run.clone() }.into();
                }
            }
        }
        Self { document, others }
    }

    /// The dataset that a merged document is of. `self`: what was there before.
    pub(super) fn with(self, mut merged: Document) -> Dataset {
        let Self { document, others: mut runs } = self;
        for field in FIELDS {
            let Ok(slots) = merged.get_document_mut(field) else { continue };
            for (key, slot) in slots.iter_mut() {
                let Some(mut run) = taken_out(slot) else { continue };
                let here =
                    document.get_document(field).ok().and_then(|it| it.get_document(key).ok());
                let here = here.and_then(|it| it.get_document(RUN).ok()?.get_object_id("_id").ok());
                let Some(mut id) = run.get_object_id("_id").ok().or(here) else { continue };
                // Two places had the same run, and somebody has changed one of them.
                if let Some(here) = here
                    && runs.get(&id).is_some_and(|it| *it != run)
                {
                    id = here;
                    run.insert("_id", id);
                }
                runs.insert(id, run);
                *slot = id.into();
            }
        }
        Dataset { document: merged, runs }
    }
}

fn taken_out(slot: &mut Bson) -> Option<Document> {
    match slot.as_document_mut()?.get_mut(RUN)? {
        Bson::Document(run) => Some(std::mem::take(run)),
        _ => None,
    }
}

impl Places for Runs {
    fn is_same_thing(&self, path: &Path, base: Option<&Document>, current: &Document) -> bool {
        match path.keys().as_deref() {
            Some([field, _]) if FIELDS.contains(field) && !current.contains_key(RUN) => {}
            Some([field, _, RUN]) if FIELDS.contains(field) => {}
            _ => return true,
        }
        let same = |base: &Document, key: &str| base.get(key) == current.get(key);
        base.is_some_and(|it| same(it, "timestamp") && (self.ids_are_drawn || same(it, "_id")))
    }
}

/// A path as people know it.
pub(super) fn shown(path: &str) -> String {
    path.replace(".$run", "")
}

/// The runs inside a dataset document.
pub(super) fn embedded(document: &Document) -> impl Iterator<Item = &Document> {
    all(document).filter_map(Bson::as_document)
}

/// The runs that a dataset document refers to.
pub(super) fn bare(document: &Document) -> impl Iterator<Item = ObjectId> {
    all(document).filter_map(Bson::as_object_id)
}

fn all(document: &Document) -> impl Iterator<Item = &Bson> {
    let fields = FIELDS.iter().filter_map(|it| document.get_document(it).ok());
    fields.flat_map(Document::values)
}

/// Where runs are, with what they are called.
pub(super) const NOUNS: [(&str, &str); 4] = [
    ("annotation_runs", "annotation run"),
    ("brain_methods", "brain run"),
    ("evaluations", "evaluation"),
    ("runs", "custom run"),
];
