//! What tells a document from any other, key by key, so that it can be said later what of it somebody has changed.

use bson::{
    Binary, Bson, Document, RawDocument, RawDocumentBuf, doc, raw::cstr, spec::BinarySubtype,
};
use sha2::{Digest, Sha256};

/// How many bytes of a hash are kept.
const BYTES: usize = 12;

/// What tells these bytes from others.
pub fn print(bytes: &[u8]) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes: hash(bytes) }.into()
}

/// What tells each top-level value of a document from others: `{ keys: [String], hashes: bytes }`.
pub fn prints(document: &RawDocument) -> Document {
    let (mut keys, mut hashes) = (Vec::new(), Vec::new());
    for (key, hash) in each(document) {
        keys.push(key);
        hashes.extend(hash);
    }
    doc! { "keys": keys, "hashes": Binary { subtype: BinarySubtype::Generic, bytes: hashes } }
}

/// The top-level keys in which a document is not the one of these prints.
pub fn differing(prints: &Document, document: &RawDocument) -> Vec<String> {
    let keys = prints.get_array("keys").cloned().unwrap_or_default();
    let hashes = match prints.get("hashes") {
        Some(Bson::Binary(it)) => it.bytes.clone(),
        _ => Vec::new(),
    };
    let then: Vec<(&str, &[u8])> =
        keys.iter().filter_map(Bson::as_str).zip(hashes.chunks(BYTES)).collect();
    let now: Vec<(String, Vec<u8>)> = each(document).collect();
    let changed = now
        .iter()
        .filter(|(key, hash)| !then.iter().any(|(name, print)| name == key && print == hash));
    let gone = then.iter().filter(|(name, _)| !now.iter().any(|(key, _)| key == name));
    changed.map(|(key, _)| key.clone()).chain(gone.map(|(name, _)| (*name).to_owned())).collect()
}

fn each(document: &RawDocument) -> impl Iterator<Item = (String, Vec<u8>)> {
    document.iter().flatten().map(|(key, value)| {
        let mut alone = RawDocumentBuf::new();
        alone.append(cstr!("v"), value);
        (key.as_str().to_owned(), hash(alone.as_bytes()))
    })
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).iter().take(BYTES).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_added_and_removed_is_named() {
        let raw = |it: Document| RawDocumentBuf::try_from(&it).unwrap();
        let prints = prints(&raw(doc! { "_id": 1, "a": 1, "b": { "c": 1 }, "d": 1 }));
        let now = |it: Document| differing(&prints, &raw(it));
        assert_eq!(now(doc! { "_id": 1, "a": 1, "b": { "c": 1 }, "d": 1 }), [""; 0]);
        assert_eq!(
            now(doc! { "_id": 1, "a": 1_i64, "b": { "c": 2 }, "e": 1 }),
            ["a", "b", "e", "d"]
        );
    }
}
