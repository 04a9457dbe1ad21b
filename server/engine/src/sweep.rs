//! Removing what a run that was killed had not removed yet: runs, views and files that its datasets do not refer to any
//! more.

use std::collections::BTreeSet;

use bson::{Bson, Document, oid::ObjectId};

use crate::{
    load::{embedded_runs, run_ids},
    store::{Failure, Leftovers, Store},
};

/// Sweeps after a run, and after those before it that came to their end and could not do it themselves.
pub async fn sweep_all(store: &Store, run: ObjectId) -> Result<(), Failure> {
    sweep(store, run).await?;
    for ended in store.ended_with_leftovers().await? {
        sweep(store, ended).await?;
    }
    Ok(())
}

/// Sweeps after one run. What a dataset still refers to stays: it was not committed, or somebody has put it there again.
async fn sweep(store: &Store, run: ObjectId) -> Result<(), Failure> {
    let left = store.leftovers(run).await?;
    for group in left.chunks(100) {
        let ids: Vec<Bson> = group.iter().map(|it| it.dataset.clone()).collect();
        let documents = store.datasets(&ids).await?;
        let mut swept = Vec::new();
        for (it, document) in group.iter().zip(documents) {
            let document = document.map(|it| Document::try_from(it.as_ref())).transpose();
            // One that cannot be read may refer to anything.
            let Ok(document) = document else { continue };
            remove(store, it, &document.unwrap_or_default()).await?;
            swept.push(it.dataset.clone());
        }
        store.forget_leftovers(run, &swept).await?;
    }
    Ok(())
}

async fn remove(store: &Store, left: &Leftovers, dataset: &Document) -> Result<(), Failure> {
    let runs: BTreeSet<ObjectId> = run_ids(dataset).into_iter().collect();
    let kept = dataset.get_array("saved_views").map(Vec::as_slice).unwrap_or_default();
    let without = |all: &[ObjectId], kept: &BTreeSet<ObjectId>| -> Vec<ObjectId> {
        all.iter().filter(|it| !kept.contains(it)).copied().collect()
    };
    let gone: Vec<Bson> = left.views.iter().filter(|it| !kept.contains(it)).cloned().collect();
    if !gone.is_empty() {
        store.delete_views(&gone).await?;
    }
    let gone = without(&left.runs, &runs);
    let gone: Vec<Document> = store.runs(&gone).await?.into_values().collect();
    if !gone.is_empty() {
        store.delete_runs(&gone.iter().collect::<Vec<_>>()).await?;
    }
    if !left.files.is_empty() {
        let own: Vec<ObjectId> = runs.into_iter().collect();
        let stored = store.runs(&own).await?;
        let files = stored.values().chain(embedded_runs(dataset));
        let files = files.filter_map(|it| it.get_object_id("results").ok()).collect();
        let gone = without(&left.files, &files);
        if !gone.is_empty() {
            store.delete_results(&gone).await?;
        }
    }
    Ok(())
}
