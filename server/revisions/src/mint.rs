//! Ids for what a revision creates.
//!
//! They are computed, not drawn: a migration that is interrupted and run again finds what it created the
//! first time under the same ids, and so never leaves a document twice.

use bson::{Bson, Document, oid::ObjectId};
use sha2::{Digest, Sha256};

/// The id of the thing at `path` that the revision `version` makes for the dataset `document`.
///
/// Its creation time is the dataset's own, because an id must not depend on when the migration runs.
pub(crate) fn mint(document: &Document, version: &str, path: &[&str]) -> ObjectId {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    let time = match document.get("_id") {
        Some(Bson::ObjectId(id)) => {
            part(&id.bytes());
            [id.bytes()[0], id.bytes()[1], id.bytes()[2], id.bytes()[3]]
        }
        other => {
            part(format!("{other:?}").as_bytes());
            [0; 4]
        }
    };
    part(version.as_bytes());
    for it in path {
        part(it.as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&time);
    bytes[4..].copy_from_slice(&digest[..8]);
    ObjectId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn the_same_thing_gets_the_same_id_and_another_thing_another() {
        let id = ObjectId::from_bytes([7; 12]);
        let dataset = doc! { "_id": id };
        let minted = mint(&dataset, "0.19.0", &["evaluations", "eval"]);
        assert_eq!(minted, mint(&dataset, "0.19.0", &["evaluations", "eval"]));
        assert_ne!(minted, mint(&dataset, "0.19.0", &["evaluationse", "val"]));
        assert_ne!(minted, mint(&dataset, "0.23.0", &["evaluations", "eval"]));
        assert_ne!(minted, mint(&doc! { "_id": 1 }, "0.19.0", &["evaluations", "eval"]));
        assert_eq!(minted.timestamp(), id.timestamp());
    }
}
