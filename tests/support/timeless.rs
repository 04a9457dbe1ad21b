//! Comparing what two runs leave, which cannot be at the same time.

use bson::{Bson, DateTime, Document};

use crate::Dump;

/// A dump in which every time since `begun` is the same, in new names too, and chunks of files have no ids of their own.
#[must_use]
pub fn timeless(mut dump: Dump, begun: DateTime) -> Dump {
    for chunk in dump.get_mut("fs.chunks").into_iter().flatten() {
        chunk.remove("_id");
    }
    if let Some(chunks) = dump.get_mut("fs.chunks") {
        chunks.sort_by_key(|it| (it.get_object_id("files_id").ok(), it.get_i32("n").ok()));
    }
    dump.values_mut().flatten().for_each(|it| still(it, begun));
    dump
}

fn still(document: &mut Document, begun: DateTime) {
    document.iter_mut().for_each(|(_, it)| still_value(it, begun));
}

fn still_value(value: &mut Bson, begun: DateTime) {
    match value {
        Bson::DateTime(it) if *it >= begun => *it = DateTime::MAX,
        Bson::String(it) => {
            // A dataset whose name another has is renamed after the second in which that was found.
            if let Some(at) = it.to_lowercase().find("-renamed-") {
                it.truncate(at);
            }
        }
        Bson::Document(inner) => still(inner, begun),
        Bson::Array(items) => items.iter_mut().for_each(|it| still_value(it, begun)),
        _ => {}
    }
}

/// The same document with its keys in the order of the alphabet, inside as well.
#[must_use]
pub fn sorted(document: &Document) -> Document {
    let mut keys: Vec<(String, Bson)> =
        document.iter().map(|(key, value)| (key.clone(), sorted_value(value))).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    keys.into_iter().collect()
}

fn sorted_value(value: &Bson) -> Bson {
    match value {
        Bson::Document(inner) => sorted(inner).into(),
        Bson::Array(items) => items.iter().map(sorted_value).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// Insists that two dumps are the same, and names the first difference.
#[track_caller]
pub fn assert_same(what: &str, expected: &Dump, found: &Dump) {
    let names = |it: &Dump| it.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{what}");
    for (name, documents) in expected {
        let ids = |it: &[Document]| it.iter().map(|it| it.get("_id").cloned()).collect::<Vec<_>>();
        assert_eq!(ids(documents), ids(&found[name]), "{what}: {name}");
        for (expected, found) in documents.iter().zip(&found[name]) {
            assert_eq!(expected, found, "{what}: {name}");
        }
    }
}
