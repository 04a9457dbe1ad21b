//! What one dataset has and another has not, in words and counts: what an old version will not see, what comes back.

use bson::{Bson, Document};

use super::slots::{NOUNS, Slots};
use crate::{
    Dataset,
    loss::counted,
    merge::{are_same, is_same},
};

/// What is counted at which key.
const COUNTED: [(&str, &str); 9] = [
    ("saved_views", "saved view"),
    ("tags", "dataset tag"),
    ("label_schemas", "annotation schema"),
    ("active_label_schemas", "active annotation schema"),
    ("skeletons", "keypoint skeleton"),
    ("classes", "class list of a field"),
    ("mask_targets", "mask target list of a field"),
    ("default_classes", "default class"),
    ("default_mask_targets", "default mask target"),
];

/// What of a field is counted for itself.
const OF_FIELDS: [(&str, &str); 2] =
    [("description", "field description"), ("info", "field info document")];

/// Keys of which a user knows by another name.
const CALLED: [(&str, &str); 3] = [
    ("app_config", "settings for the App"),
    ("app_sidebar_groups", "settings for the App"),
    ("default_skeleton", "the default keypoint skeleton"),
];

/// What `more` has that `less` has not, or has in another way.
pub fn inventory(less: &Dataset, more: &Dataset) -> Vec<String> {
    let (less, more) = (Slots::join(less).document, Slots::join(more).document);
    let mut words = Vec::new();
    for (key, noun) in COUNTED {
        let count = news(less.get(key), more.get(key));
        if count > 0 {
            words.push(plural(count, noun));
        }
    }
    words.extend(runs(&less, &more));
    words.extend(fields(&less, &more));
    let known = |key: &str| {
        let counted = COUNTED.iter().chain(&NOUNS).any(|(it, _)| *it == key);
        counted || ["version", "sample_fields", "frame_fields"].contains(&key)
    };
    for (key, value) in more.iter().filter(|(key, _)| !known(key)) {
        if less.get(key).is_none_or(|it| !is_same(it, value)) && !is_empty(value) {
            let called =
                CALLED.iter().find(|(it, _)| it == key).map(|(_, name)| (*name).to_owned());
            words.push(called.unwrap_or_else(|| format!("`{key}`")));
        }
    }
    words.dedup();
    words
}

pub(super) fn is_empty(value: &Bson) -> bool {
    match value {
        Bson::Null => true,
        Bson::Array(items) => items.is_empty(),
        Bson::Document(inner) => inner.is_empty(),
        _ => false,
    }
}

/// How many items or keys are in the second and not in the first.
fn news(less: Option<&Bson>, more: Option<&Bson>) -> usize {
    match (less, more) {
        (less, Some(Bson::Array(more))) => {
            let less = less.and_then(Bson::as_array).map(Vec::as_slice).unwrap_or_default();
            more.iter().filter(|it| !less.iter().any(|less| is_same(less, it))).count()
        }
        (less, Some(Bson::Document(more))) => {
            let less = less.and_then(Bson::as_document);
            let has = |key: &str, it: &Bson| {
                less.and_then(|less| less.get(key)).is_some_and(|less| is_same(less, it))
            };
            more.iter().filter(|(key, it)| !has(key, it)).count()
        }
        _ => 0,
    }
}

fn runs(less: &Document, more: &Document) -> Vec<String> {
    let (mut words, mut details) = (Vec::new(), 0);
    for (field, noun) in NOUNS {
        let Ok(more) = more.get_document(field) else { continue };
        let less = less.get_document(field).ok();
        let less = |key: &str| less.and_then(|it| it.get(key));
        let gone = more.keys().filter(|key| less(key).is_none()).count();
        if gone > 0 {
            words.push(counted(gone, noun));
        }
        let differs = |(key, run): &(&String, &Bson)| {
            less(key).is_some_and(|it| !are_same(&content(it), &content(run)))
        };
        details += more.iter().filter(differs).count();
    }
    if details > 0 {
        words.push(format!("details of {}", counted(details, "run")));
    }
    words
}

/// A dataset document with what its runs hold in their places.
pub(super) fn leave_contents(document: &mut Document) {
    for (field, _) in NOUNS {
        let Ok(slots) = document.get_document_mut(field) else { continue };
        for (_, slot) in slots.iter_mut().filter(|(_, it)| it.as_document().is_some()) {
            *slot = content(slot).into();
        }
    }
}

/// A run without what only says where it is.
fn content(slot: &Bson) -> Document {
    let Some(slot) = slot.as_document() else { return Document::new() };
    let mut run = slot.get_document("$run").unwrap_or(slot).clone();
    for key in ["_id", "_dataset_id", "results"] {
        run.remove(key);
    }
    run
}

fn fields(less: &Document, more: &Document) -> Vec<String> {
    let (mut counts, mut details) = ([0; OF_FIELDS.len()], 0);
    for list in ["sample_fields", "frame_fields"] {
        let less: Vec<&Document> = documents(less, list);
        for field in documents(more, list) {
            let Some(less) = less.iter().find(|it| it.get("name") == field.get("name")) else {
                details += 1;
                continue;
            };
            let mut differs = false;
            for (key, value) in field {
                if is_empty(value) || less.get(key).is_some_and(|it| is_same(it, value)) {
                    continue;
                }
                match OF_FIELDS.iter().position(|(it, _)| it == key) {
                    Some(at) => counts[at] += 1,
                    None => differs = true,
                }
            }
            details += usize::from(differs);
        }
    }
    let counts = OF_FIELDS.iter().zip(counts).filter(|(_, count)| *count > 0);
    let mut words: Vec<String> = counts.map(|((_, noun), count)| counted(count, noun)).collect();
    if details > 0 {
        words.push(format!("details of {}", counted(details, "field")));
    }
    words
}

fn documents<'a>(document: &'a Document, key: &str) -> Vec<&'a Document> {
    let items = document.get_array(key).ok().into_iter().flatten();
    items.filter_map(Bson::as_document).collect()
}

/// `2 class lists of fields`.
fn plural(count: usize, noun: &str) -> String {
    match noun.split_once(" of a ") {
        Some((noun, of)) if count > 1 => format!("{} of {of}s", counted(count, noun)),
        _ if noun.ends_with("class") && count > 1 => format!("{count} {noun}es"),
        _ => counted(count, noun),
    }
}
