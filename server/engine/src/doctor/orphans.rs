//! Documents that belong to a dataset and that no dataset refers to.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use super::{
    Finding, Outcome, Patient, Subject, Surgery,
    finding::{length, many},
    references::{Owner, References},
    surgery::doctor,
};
use crate::{
    pass::Halt,
    store::{Failure, size},
};

/// How old an orphan is at least: a client makes a document before its dataset refers to it.
const AGE: Duration = Duration::from_hours(1);

/// How many bytes of documents one record keeps, and how many documents.
const RECORD_BYTES: usize = 4 << 20;
const RECORD_DOCUMENTS: usize = 100;

/// A collection whose documents datasets refer to.
#[derive(Clone, Copy, Debug)]
pub struct Orphans {
    /// The kind of damage.
    pub kind: &'static str,
    /// Its name.
    pub collection: &'static str,
    /// What one of its documents is called, and several.
    pub words: (&'static str, &'static str),
}

impl Orphans {
    /// Finds those that nobody refers to, by the dataset that they say they belong to.
    pub async fn find(self, patient: &Patient) -> Result<Vec<Finding>, Failure> {
        if patient.is_newer {
            // It is not known what may refer to something there.
            return Ok(Vec::new());
        }
        let references = References::read(&patient.store).await?;
        let now = DateTime::now();
        let parts = doc! { "_dataset_id": 1, "timestamp": 1, "created_at": 1 };
        let mut all = patient.store.look_over(self.collection, parts).await?;
        let mut suspects = Vec::new();
        while let Some(read) = all.try_next().await? {
            let Ok(document) = read else { continue };
            let Ok(id) = document.get_object_id("_id") else { continue };
            let owner = references.owner(document.get("_dataset_id"));
            if !references.has(self.collection, &id)
                && owner != Owner::Unknown
                && is_old(&document, now)
            {
                suspects.push((id, owner));
            }
        }
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        // A dataset may have got them since.
        let references = References::read(&patient.store).await?;
        let mut by_owner: BTreeMap<Option<String>, (Option<Subject>, Vec<ObjectId>)> =
            BTreeMap::new();
        for (id, owner) in suspects {
            if references.has(self.collection, &id) {
                continue;
            }
            let owner = if let Owner::Dataset(it) = owner { Some(it) } else { None };
            let key = owner.as_ref().map(|it| it.id.clone());
            by_owner.entry(key).or_insert_with(|| (owner, Vec::new())).1.push(id);
        }
        Ok(by_owner.into_values().map(|(owner, ids)| self.finding(owner, ids)).collect())
    }

    fn finding(self, owner: Option<Subject>, ids: Vec<ObjectId>) -> Finding {
        let (one, more) = self.words;
        let count = length(&ids);
        let orphans = many(count, one, more);
        let problem = match &owner {
            Some(_) => format!("{orphans} of it that it does not refer to"),
            None => format!("{orphans} of datasets that do not exist"),
        };
        let remedy = doctor(
            "keep a copy in the record of the repair, with the results, and delete the rest",
        );
        let finding = Finding::new(self.kind, owner, problem, remedy);
        finding.count(format!("orphan {more}"), count).about(ids)
    }

    /// Keeps and deletes them, a few at a time.
    pub async fn mend(self, surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
        let store = &surgery.patient.store;
        let references = References::read(store).await?;
        let targets: Vec<ObjectId> = finding
            .targets
            .iter()
            .filter(|it| !references.has(self.collection, it))
            .copied()
            .collect();
        let needed = match self.collection {
            "runs" => files_needed(surgery, &targets).await?,
            _ => HashSet::new(),
        };
        let (mut deleted, mut left) = (0, 0);
        for chunk in targets.chunks(RECORD_DOCUMENTS) {
            let documents = store.read_again(self.collection, chunk).await?;
            for piece in pieces(&documents)? {
                let kept = piece.iter().map(|it| (self.collection.to_owned(), it.clone()));
                let mut files: Vec<ObjectId> =
                    piece.iter().filter_map(|it| it.get_object_id("results").ok()).collect();
                files.retain(|it| !needed.contains(it));
                let record = surgery.begin(finding, kept.collect(), files.clone()).await?;
                let documents: Vec<&Document> = piece.iter().collect();
                let changed = store.delete_unchanged(self.collection, &documents).await?;
                // Whoever has changed one of them may need its results.
                if changed == 0 && !files.is_empty() {
                    store.delete_results(&files).await?;
                }
                deleted += piece.len() - changed;
                left += changed;
                let done = format!("deleted {} of {}", piece.len() - changed, piece.len());
                surgery.end(record, &done).await?;
            }
        }
        let (one, more) = self.words;
        let done = format!("deleted {}", many(u64::try_from(deleted).unwrap_or(0), one, more));
        Ok(if left == 0 {
            Outcome::Mended(done)
        } else {
            Outcome::Left(format!("{done}; {left} were changed by somebody meanwhile"))
        })
    }
}

/// Completes repairs that were cut off between deleting runs and deleting their results: no run tells of those any more.
pub async fn complete(surgery: &Surgery) -> Result<(), Halt> {
    let store = &surgery.patient.store;
    let open = store.cut_off_repairs().await?;
    if open.is_empty() {
        return Ok(());
    }
    let needed = files_needed(surgery, &[]).await?;
    for (record, mut files) in open {
        surgery.edge().await?;
        // Those whose runs are there still are found again.
        files.retain(|it| !needed.contains(it));
        if !files.is_empty() {
            store.delete_results(&files).await?;
        }
        surgery.end(record, "it was cut off; the next repair has completed it").await?;
    }
    Ok(())
}

/// The results of other runs than these.
async fn files_needed(
    surgery: &Surgery,
    targets: &[ObjectId],
) -> Result<HashSet<ObjectId>, Failure> {
    let mut needed = HashSet::new();
    let targets: HashSet<&ObjectId> = targets.iter().collect();
    let mut runs = surgery.patient.store.look_over("runs", doc! { "results": 1 }).await?;
    while let Some(read) = runs.try_next().await? {
        let Ok(run) = read else { continue };
        if !run.get_object_id("_id").is_ok_and(|id| targets.contains(&id)) {
            needed.extend(run.get_object_id("results").ok());
        }
    }
    // Datasets from before 0.19 have their runs, and with them the ids of the results, in their own document.
    let mut datasets =
        surgery.patient.store.look_over("datasets", super::references::projection()).await?;
    while let Some(read) = datasets.try_next().await? {
        let Ok(dataset) = read else { continue };
        for key in super::references::RUNS {
            let slots = dataset.get_document(key).into_iter().flatten();
            let embedded = slots.filter_map(|(_, it)| it.as_document());
            needed.extend(embedded.filter_map(|it| it.get_object_id("results").ok()));
        }
    }
    Ok(needed)
}

/// Whether it is older than a client may take from making it to referring to it.
fn is_old(document: &Document, now: DateTime) -> bool {
    // An id may be computed, and a document copied; what is newest counts.
    let id = document.get_object_id("_id").map(|it| it.timestamp()).ok();
    let dates = ["timestamp", "created_at"].into_iter();
    let dates = dates.filter_map(|key| document.get_datetime(key).ok().copied());
    let newest = dates.chain(id).max();
    let age = |it: DateTime| now.timestamp_millis().saturating_sub(it.timestamp_millis());
    newest.is_some_and(|it| u128::try_from(age(it)).is_ok_and(|it| it > AGE.as_millis()))
}

/// Splits documents into pieces that a record has room for.
fn pieces(documents: &[Document]) -> Result<Vec<&[Document]>, Failure> {
    let (mut pieces, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (index, it) in documents.iter().enumerate() {
        let size = size(it)?;
        if index > from && bytes + size > RECORD_BYTES {
            pieces.push(&documents[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += size;
    }
    if from < documents.len() {
        pieces.push(&documents[from..]);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn made(seconds_ago: i64) -> Document {
        let seconds = u32::try_from(NOW / 1000 - seconds_ago).unwrap();
        doc! { "_id": ObjectId::from_parts(seconds, [1; 5], [2; 3]) }
    }

    #[test]
    fn what_may_just_have_been_made_is_no_orphan_yet() {
        let now = DateTime::from_millis(NOW);
        assert!(is_old(&made(3_700), now));
        assert!(!is_old(&made(3_500), now));
        assert!(!is_old(&made(-60), now), "a client's clock may be ahead of ours");
        let mut run = made(1_000_000);
        run.insert("timestamp", DateTime::from_millis(NOW - 1000));
        assert!(!is_old(&run, now), "its id was computed");
        assert!(!is_old(&doc! { "_id": 1 }, now), "nothing is known of its age");
    }

    #[test]
    fn a_record_keeps_no_more_than_it_has_room_for() {
        let large = doc! { "text": "a".repeat(RECORD_BYTES / 2) };
        let documents = vec![large.clone(), large.clone(), doc! {}, large];
        let pieces = pieces(&documents).unwrap();
        assert_eq!(pieces.iter().map(|it| it.len()).collect::<Vec<_>>(), [1, 2, 1]);
    }
}
