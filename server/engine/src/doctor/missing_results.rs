//! Runs whose results are in a file that does not exist, so that FiftyOne fails when it loads them: a migration was killed
//! between deleting it and saying where the new one is.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;

use super::{
    Finding, Kind, Outcome, Patient, Surgery,
    dangling_references::MOMENT,
    finding::{length, many},
    references::{Owner, References},
    surgery::doctor,
};
use crate::{pass::Halt, store::Failure};

pub(super) const KIND: Kind = Kind {
    name: "missing_results",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

/// How many runs are looked at together.
const BATCH: usize = 1000;

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    let references = References::read(&patient.store).await?;
    let parts = doc! { "_dataset_id": 1, "results": 1 };
    let mut runs = patient.store.look_over("runs", parts).await?;
    let (mut batch, mut suspects) = (Vec::new(), Vec::new());
    loop {
        let read = runs.try_next().await?;
        let last = read.is_none();
        // An orphan is damage of another kind.
        batch.extend(read.and_then(Result::ok).filter(|it| is_referred_to(it, &references)));
        if batch.len() >= BATCH || last {
            suspects.extend(without_file(patient, &batch).await?);
            batch.clear();
        }
        if last {
            break;
        }
    }
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    // Somebody may have been in the middle of writing new ones.
    tokio::time::sleep(MOMENT).await;
    let again = patient.store.read_again("runs", &ids(&suspects)).await?;
    let mut by_owner: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for it in without_file(patient, &again).await? {
        by_owner.entry(format!("{:?}", it.get("_dataset_id"))).or_default().push(it);
    }
    Ok(by_owner.values().filter_map(|runs| finding(runs, &references)).collect())
}

fn is_referred_to(run: &Document, references: &References) -> bool {
    let id = run.get_object_id("_id");
    run.get_object_id("results").is_ok() && id.is_ok_and(|id| references.has("runs", &id))
}

async fn without_file(patient: &Patient, runs: &[Document]) -> Result<Vec<Document>, Failure> {
    let file = |it: &Document| it.get_object_id("results").ok();
    let files: Vec<ObjectId> = runs.iter().filter_map(file).collect();
    let existing = patient.store.existing("fs.files", &files).await?;
    let lacks = |it: &&Document| file(it).is_some_and(|id| !existing.contains(&id));
    Ok(runs.iter().filter(lacks).cloned().collect())
}

fn finding(runs: &[Document], references: &References) -> Option<Finding> {
    let owner = match references.owner(runs.first()?.get("_dataset_id")) {
        Owner::Dataset(owner) => Some(owner),
        Owner::Nobody => None,
        Owner::Unknown => return None,
    };
    let count = length(runs);
    let problem = format!(
        "the results of {} are in files that do not exist, and cannot be loaded",
        many(count, "run", "runs")
    );
    let remedy = doctor(
        "let these runs say that they have no results; they can be computed again, under the same key",
    );
    let finding = Finding::new(KIND.name, owner, problem, remedy);
    Some(finding.count("runs without their results", count).about(ids(runs)))
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    let store = &surgery.patient.store;
    let mut mended = 0;
    for chunk in finding.targets.chunks(100) {
        let read = store.read_again("runs", chunk).await?;
        let runs = without_file(&surgery.patient, &read).await?;
        if runs.is_empty() {
            continue;
        }
        let changed: Vec<Document> = runs.iter().map(without_results).collect();
        let kept = |it: &Document| doc! { "_id": it.get("_id"), "results": it.get("results") };
        let kept = runs.iter().map(|it| ("runs".to_owned(), kept(it))).collect();
        let record = surgery.begin(finding, kept, Vec::new()).await?;
        let swaps: Vec<(&Document, &Document)> = runs.iter().zip(&changed).collect();
        if !store.replace_runs(&swaps).await? {
            surgery.end(record, "a part: somebody has changed some of the runs meanwhile").await?;
            return Ok(Outcome::Left(
                "somebody has changed some of the runs meanwhile; look again".to_owned(),
            ));
        }
        mended += runs.len();
        surgery.end(record, &format!("{} runs say that they have no results", runs.len())).await?;
    }
    Ok(Outcome::Mended(format!("{mended} runs say that they have no results")))
}

fn without_results(run: &Document) -> Document {
    let mut changed = run.clone();
    changed.insert("results", Bson::Null);
    changed
}

fn ids(runs: &[Document]) -> Vec<ObjectId> {
    runs.iter().filter_map(|it| it.get_object_id("_id").ok()).collect()
}
