//! What is written down about runs, without what is another thing each time: numbers of leases, ids of runs, the log.

use std::collections::BTreeSet;

use bson::{Bson, Document, oid::ObjectId};
use tests::Dump;

/// Collections that tell what happened, and not what is.
const HISTORY: [&str; 2] = ["leases", "run_log"];

/// Keys of things that are never the same twice: the order of keeping, counts of what was passed over twice and how fast,
/// what is only noted every now and then, hashes of what has a time in it, and warnings, which nobody knows any more of a
/// dataset that was committed by somebody who was killed right after it.
const PASSING: [&str; 17] = [
    "fence",
    "order",
    "documents",
    "ahead",
    "last_write",
    "after",
    "print",
    "warnings",
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

/// The same for any two runs that came to the same.
pub fn settled(mut dump: Dump) -> Dump {
    dump.retain(|name, documents| !HISTORY.contains(&name.as_str()) && !documents.is_empty());
    let runs = dump.get("runs").into_iter().flatten();
    let runs: BTreeSet<ObjectId> = runs.filter_map(|it| it.get_object_id("_id").ok()).collect();
    // As little as its warnings does anybody know what the archive has of such a dataset.
    for it in dump.get_mut("run_datasets").into_iter().flatten() {
        it.remove("kept");
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
