//! What is written down about runs, without what is another thing each time: numbers of leases, ids of runs, the log.

use std::collections::BTreeSet;

use bson::{Bson, Document, RawDocument, oid::ObjectId};
use tests::Dump;

/// Collections that tell what happened, and not what is.
const HISTORY: [&str; 2] = ["leases", "run_log"];

/// What is never the same twice of a run and of its datasets: counts of what was passed over twice and how fast, and what is
/// only noted every now and then.
const FIGURES: [&str; 12] = [
    "documents",
    "ahead",
    "last_write",
    "bytes",
    "started",
    "ended",
    "rates",
    "remaining",
    "under_way",
    "verified",
    "to_verify",
    "verifying_since",
];

/// What is never the same twice wherever it is: numbers of leases, the order of keeping, hashes of what has a time in it.
const PASSING: [&str; 4] = ["fence", "order", "print", "hashes"];

/// The documents that are kept as bytes as what they are.
pub fn readable(mut dump: Dump) -> Dump {
    for name in ["run_journal", "archive_documents"] {
        for it in dump.get_mut(name).into_iter().flatten() {
            for key in ["bytes", "changed"] {
                let Some(Bson::Binary(bytes)) = it.get(key) else { continue };
                let whole = RawDocument::from_bytes(&bytes.bytes).ok();
                if let Some(whole) = whole.and_then(|it| Document::try_from(it).ok()) {
                    it.insert(key, whole);
                }
            }
            // Of a document as a whole, which has a time in it.
            if matches!(it.get("after"), Some(Bson::Binary(_))) {
                it.remove("after");
            }
        }
    }
    dump
}

/// The same for any two runs that came to the same.
pub fn settled(mut dump: Dump) -> Dump {
    dump.retain(|name, documents| !HISTORY.contains(&name.as_str()) && !documents.is_empty());
    let runs = dump.get("runs").into_iter().flatten();
    let runs: BTreeSet<ObjectId> = runs.filter_map(|it| it.get_object_id("_id").ok()).collect();
    for name in ["runs", "run_datasets"] {
        for it in dump.get_mut(name).into_iter().flatten() {
            for key in FIGURES {
                it.remove(key);
            }
        }
    }
    for documents in dump.values_mut() {
        for it in documents.iter_mut() {
            settle(it, &runs);
        }
        documents.sort_by_cached_key(|it| it.get("_id").map(ToString::to_string));
        // What was kept twice is as good as what was kept once.
        documents.dedup();
    }
    dump
}

fn settle(document: &mut Document, runs: &BTreeSet<ObjectId>) {
    for key in PASSING {
        document.remove(key);
    }
    // Its id is drawn.
    if document.get_str("kind").is_ok_and(|it| it == "stamps") {
        document.remove("id");
    }
    document.iter_mut().for_each(|(_, it)| settle_value(it, runs));
}

fn settle_value(value: &mut Bson, runs: &BTreeSet<ObjectId>) {
    match value {
        Bson::ObjectId(it) => {
            if let Some(at) = runs.iter().position(|run| run == it) {
                let mut bytes = [0; 12];
                bytes[11] = u8::try_from(at + 1).unwrap();
                *it = ObjectId::from_bytes(bytes);
            }
        }
        Bson::Document(inner) => settle(inner, runs),
        Bson::Array(items) => items.iter_mut().for_each(|it| settle_value(it, runs)),
        _ => {}
    }
}
