//! Dataset documents that refer to runs, saved views or workspaces that do not exist: FiftyOne warns of them at each
//! loading, and its own revisions fail at them.

use std::{collections::BTreeSet, time::Duration};

use bson::{Bson, Document, oid::ObjectId};
use futures_util::TryStreamExt;

use super::{
    Finding, Kind, Outcome, Patient, Subject, Surgery,
    finding::{length, many},
    references::{LISTS, RUNS, known_version, projection, references},
    surgery::{Edit, doctor},
};
use crate::{pass::Halt, store::Failure};

pub(super) const KIND: Kind = Kind {
    name: "dangling_references",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

/// How many datasets are looked at together.
const BATCH: usize = 500;

/// How long a client may take between deleting a run and no longer referring to it.
pub(super) const MOMENT: Duration = Duration::from_millis(500);

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    let mut datasets = patient.store.look_over("datasets", projection()).await?;
    let (mut batch, mut found) = (Vec::new(), Vec::new());
    loop {
        let read = datasets.try_next().await?;
        let last = read.is_none();
        // Of what is newer than this program it is not known where the references lead.
        batch.extend(read.and_then(Result::ok).filter(|it| {
            known_version(it).is_some() || matches!(it.get("version"), None | Some(Bson::Null))
        }));
        if batch.len() >= BATCH || last {
            found.extend(check(patient, &batch).await?);
            batch.clear();
        }
        if last {
            return Ok(found);
        }
    }
}

async fn check(patient: &Patient, batch: &[Document]) -> Result<Vec<Finding>, Failure> {
    let suspects = dangling(patient, batch).await?;
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    // Somebody may have been in the middle of deleting something.
    tokio::time::sleep(MOMENT).await;
    let ids: Vec<ObjectId> =
        suspects.iter().filter_map(|(it, _)| it.get_object_id("_id").ok()).collect();
    let again = patient.store.read_again("datasets", &ids).await?;
    let again = dangling(patient, &again).await?;
    Ok(again.into_iter().map(|(document, missing)| finding(&document, missing)).collect())
}

type Missing = Vec<(String, &'static str, ObjectId)>;

/// Those that refer to something that does not exist, with what it is.
async fn dangling(
    patient: &Patient,
    batch: &[Document],
) -> Result<Vec<(Document, Missing)>, Failure> {
    let all: Vec<Missing> = batch.iter().map(references).collect();
    let mut existing = BTreeSet::new();
    for collection in ["runs", "views", "workspaces"] {
        let of = all.iter().flatten().filter(|(_, it, _)| *it == collection);
        let ids: Vec<ObjectId> = of.map(|(.., id)| *id).collect();
        let found = patient.store.existing(collection, &ids).await?;
        existing.extend(found.into_iter().map(|id| (collection, id)));
    }
    let missing = all.into_iter().map(|it| {
        let mut it = it;
        it.retain(|(_, collection, id)| !existing.contains(&(*collection, *id)));
        it
    });
    let pairs = batch.iter().cloned().zip(missing);
    Ok(pairs.filter(|(_, missing)| !missing.is_empty()).collect())
}

fn finding(document: &Document, missing: Missing) -> Finding {
    let problem = format!(
        "it refers to {} that {} not exist",
        many(length(&missing), "run, saved view or workspace", "runs, saved views or workspaces"),
        if missing.len() == 1 { "does" } else { "do" },
    );
    let remedy = doctor("remove these references from the dataset document");
    let mut finding = Finding::new(KIND.name, Some(Subject::of(document)), problem, remedy);
    for collection in ["runs", "views", "workspaces"] {
        let count = missing.iter().filter(|(_, it, _)| *it == collection).count();
        finding = finding.count(format!("missing {collection}"), u64::try_from(count).unwrap_or(0));
    }
    finding = finding.show(missing.iter().map(|(path, _, id)| format!("{path}: {id}")));
    finding.targets = missing.into_iter().map(|(.., id)| id).collect();
    finding
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    // A moment ago they did not exist, and nobody makes a document with an id that is referred to already.
    let missing: BTreeSet<ObjectId> = finding.targets.iter().copied().collect();
    surgery.edit(finding, |document| remove(document, &missing)).await
}

/// Removes these references.
fn remove(document: &mut Document, missing: &BTreeSet<ObjectId>) -> Option<Edit> {
    let dangles = |it: &Bson| it.as_object_id().is_some_and(|id| missing.contains(&id));
    let (mut kept, mut removed) = (Document::new(), 0);
    for key in RUNS {
        let Ok(slots) = document.get_document_mut(key) else { continue };
        let before = slots.clone();
        *slots = before.clone().into_iter().filter(|(_, it)| !dangles(it)).collect();
        if slots.len() < before.len() {
            removed += before.len() - slots.len();
            kept.insert(key, before);
        }
    }
    for (key, _) in LISTS {
        let Ok(items) = document.get_array_mut(key) else { continue };
        let before = items.clone();
        items.retain(|it| !dangles(it));
        if items.len() < before.len() {
            removed += before.len() - items.len();
            kept.insert(key, before);
        }
    }
    let done = format!("removed {removed} references from the dataset document");
    (removed > 0).then_some(Edit { kept, done })
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    const ID: ObjectId = ObjectId::from_bytes([7; 12]);
    const GONE: ObjectId = ObjectId::from_bytes([8; 12]);

    #[test]
    fn only_what_dangles_is_removed_and_what_was_there_is_kept() {
        let mut document = doc! {
            "name": "a", "evaluations": { "a": ID, "b": GONE }, "runs": { "c": ID },
            "saved_views": [GONE, ID], "workspaces": null,
        };
        let edit = remove(&mut document, &BTreeSet::from([GONE])).unwrap();
        assert_eq!(
            document,
            doc! {
                "name": "a", "evaluations": { "a": ID }, "runs": { "c": ID }, "saved_views": [ID],
                "workspaces": null,
            }
        );
        assert_eq!(
            edit.kept,
            doc! { "evaluations": { "a": ID, "b": GONE }, "saved_views": [GONE, ID] }
        );
        assert_eq!(edit.done, "removed 2 references from the dataset document");
        assert!(remove(&mut document, &BTreeSet::from([GONE])).is_none());
    }
}
