//! Datasets that are where they were to go, and of which the run does not know it: it was cut off between the commit and the
//! note, or did not hear that the commit was made.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc, oid::ObjectId};
use model::Cause;

use crate::{
    job::Hand,
    load::Work,
    report::{DatasetReport, Report, State},
    run::is_unstamped,
    store::{Entry, Failure, Kind, Store},
};

/// The states of datasets that a run may have taken further than it has noted, or somebody else has.
const MAYBE: [&str; 5] = ["planned", "failed", "interrupted", "untouched", "refused"];

/// Those of a run that goes on, as they have to be noted now. The report says the same.
pub async fn unnoted(
    store: &Store,
    hand: &Hand,
    now: &BTreeMap<String, &Entry>,
    report: &mut Report,
) -> Result<Vec<DatasetReport>, Failure> {
    let told: BTreeMap<String, State> =
        report.datasets.iter().map(|it| (it.id.clone(), it.state)).collect();
    let (mut arrived, mut found) = (Vec::new(), Vec::new());
    for it in store.job_datasets(hand.id(), &MAYBE).await? {
        let Ok(it) = bson::deserialize_from_document::<DatasetReport>(it) else { continue };
        // That it is there is known; what verifying has found wrong is no less so.
        if it.cause == Some(Cause::Altered) {
            continue;
        }
        let told = told.get(&it.id).copied();
        match now.get(&it.id) {
            Some(entry) if has_arrived(&it, entry, told) => arrived.push((it, *entry)),
            None if is_over(&it, told) => found.push(current(it)),
            Some(_) | None => {}
        }
    }
    let ids: Vec<Bson> = arrived.iter().map(|(_, entry)| entry.id.clone()).collect();
    // Without a journal nobody knows who it was.
    let ours =
        if hand.keeps_journal() { Some(touched(store, hand.id(), &ids).await?) } else { None };
    for (it, entry) in arrived {
        let refused = it.state == State::Refused;
        found.push(match &ours {
            None if refused => current(it),
            None => migrated(it, entry, None),
            Some(ours) => match ours.get(&entry.id_text()) {
                Some(told) => migrated(it, entry, told.as_ref()),
                None => current(it),
            },
        });
    }
    for it in &found {
        if let Some(told) = report.datasets.iter_mut().find(|told| told.id == it.id) {
            *told = it.clone();
        }
    }
    Ok(found)
}

/// Adds what there is to tell of a dataset to the report of somebody who has not seen it migrated.
pub async fn recall(
    store: &Store,
    run: ObjectId,
    dataset: &Bson,
    report: &mut DatasetReport,
) -> Result<(), Failure> {
    for it in store.told_datasets(run, std::slice::from_ref(dataset)).await? {
        tell(report, it.get_document("told").ok());
    }
    Ok(())
}

/// Whether a dataset is where it was to go. Those from before 0.6.2 do not say.
pub fn is_at(entry: &Entry, destination: &str) -> bool {
    let unstamped = destination.parse().is_ok_and(|it| is_unstamped(&it));
    if unstamped {
        entry.version.as_str().is_none()
    } else {
        entry.version.as_str() == Some(destination)
    }
}

/// Whether a dataset is where it was to go, for all that is `told` of it.
fn has_arrived(noted: &DatasetReport, entry: &Entry, told: Option<State>) -> bool {
    let Some(destination) = &noted.destination else { return false };
    // Somebody has looked at what is in it, where its version does not say.
    let looks = destination.parse().is_ok_and(|it| is_unstamped(&it));
    let looked = told == Some(State::Current);
    is_at(entry, destination) && (looked || !(looks || noted.state == State::Refused))
}

/// Whether there is nothing to do for a dataset that was deleted meanwhile.
fn is_over(noted: &DatasetReport, told: Option<State>) -> bool {
    let failed = matches!(noted.state, State::Failed | State::Refused);
    !failed || told == Some(State::Current)
}

/// Those of these datasets that the journal of the run knows, with what there is to tell of each.
async fn touched(
    store: &Store,
    run: ObjectId,
    datasets: &[Bson],
) -> Result<BTreeMap<String, Option<Document>>, Failure> {
    let mut found = BTreeMap::new();
    if datasets.is_empty() {
        return Ok(found);
    }
    for it in store.entries_about(run, &Bson::Null).await? {
        let stamps = Some(it).filter(|it| Kind::Stamps.is_of(it));
        let ids = stamps.as_ref().and_then(|it| it.get_array("ids").ok());
        found.extend(ids.into_iter().flatten().map(|it| (crate::tally::text(it), None)));
    }
    for mut it in store.told_datasets(run, datasets).await? {
        let told = it.remove("told").and_then(|it| it.as_document().cloned());
        let dataset = it.get_document("_id").ok().and_then(|it| it.get("dataset"));
        found.extend(dataset.map(|it| (crate::tally::text(it), told)));
    }
    Ok(found)
}

fn migrated(mut noted: DatasetReport, entry: &Entry, told: Option<&Document>) -> DatasetReport {
    noted.renamed_to = entry.name.clone().filter(|name| noted.name.as_ref() != Some(name));
    tell(&mut noted, told);
    DatasetReport { state: State::Migrated, reason: None, cause: None, ..noted }
}

/// It is there, or gone, and not because of this run.
fn current(noted: DatasetReport) -> DatasetReport {
    DatasetReport { state: State::Current, reason: None, cause: None, ..noted }
}

fn tell(report: &mut DatasetReport, told: Option<&Document>) {
    let list = |key: &str| -> Vec<String> {
        let all = told.and_then(|it| it.get_array(key).ok()).into_iter().flatten();
        all.filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    report.warnings = list("warnings");
    report.kept = list("kept");
    report.given_back = list("given_back");
}

impl Work {
    /// What there will be to tell of it, if there is anything. It is written down before the commit, for those who find it
    /// committed by somebody who is gone.
    pub(crate) fn told(&self) -> Option<Document> {
        let warnings = self.warnings_told();
        let kept = self.lost.clone().unwrap_or_default();
        let given_back = self.back.as_ref().map(|it| it.what.clone()).unwrap_or_default();
        let nothing = warnings.is_empty() && kept.is_empty() && given_back.is_empty();
        (!nothing).then(|| doc! { "warnings": warnings, "kept": kept, "given_back": given_back })
    }
}
