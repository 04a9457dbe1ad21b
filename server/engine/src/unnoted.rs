//! Datasets that are where they were to go, and of which the run does not know it: it was cut off between the commit and the
//! note, or did not hear that the commit was made.

use std::collections::BTreeMap;

use bson::oid::ObjectId;
use model::Cause;

use crate::{
    report::{DatasetReport, Report, State},
    run::is_unstamped,
    store::{Entry, Failure, Store},
};

/// The states of datasets that a run may have taken further than it has noted.
const MAYBE: [&str; 4] = ["planned", "failed", "interrupted", "untouched"];

/// Those of a run that goes on, as they have to be noted now. The report says the same.
pub async fn unnoted(
    store: &Store,
    run: ObjectId,
    now: &BTreeMap<String, &Entry>,
    report: &mut Report,
) -> Result<Vec<DatasetReport>, Failure> {
    let mut found = Vec::new();
    for it in store.job_datasets(run, &MAYBE).await? {
        let Ok(mut it) = bson::deserialize_from_document::<DatasetReport>(it) else { continue };
        // That it is there is known; what verifying has found wrong is no less so.
        if it.cause == Some(Cause::Altered) {
            continue;
        }
        let Some(destination) = &it.destination else { continue };
        let Some(entry) = now.get(&it.id).filter(|entry| is_at(entry, destination)) else {
            continue;
        };
        it.renamed_to = entry.name.clone().filter(|name| it.name.as_ref() != Some(name));
        (it.state, it.reason) = (State::Migrated, None);
        if let Some(told) = report.datasets.iter_mut().find(|told| told.id == it.id) {
            *told = it.clone();
        }
        found.push(it);
    }
    Ok(found)
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
