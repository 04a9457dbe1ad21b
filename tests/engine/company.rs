//! Migrating while others write: no edit is lost, and two runs at once are as good as one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use mongodb::Collection;
use tests::{
    Deployment, NEWEST, Running, State, Wire, image_dataset, image_samples, program, timeless,
};
use tokio::task::JoinHandle;

/// How much longer than for one edit somebody waits before the next. On a busy machine all take longer, those who edit and
/// those who migrate; somebody who edits without a rest is refused, and that is right.
const REST: u32 = 10;

/// Somebody who keeps counting something in one document.
struct Editor {
    enough: Arc<AtomicBool>,
    edits: Arc<AtomicI32>,
    editing: JoinHandle<()>,
}

/// How often somebody edits while a migration is held, at least.
const EDITS: i32 = 11;

impl Editor {
    fn of(collection: Collection<Document>, id: Bson) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let edits = Arc::new(AtomicI32::new(0));
        let (done, counted) = (Arc::clone(&enough), Arc::clone(&edits));
        let editing = tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let (edit, begun) = (doc! { "$inc": { "edits": 1 } }, Instant::now());
                let edited = collection.update_one(doc! { "_id": &id }, edit).await.unwrap();
                counted.fetch_add(i32::try_from(edited.matched_count).unwrap(), Ordering::Relaxed);
                tokio::time::sleep(begun.elapsed() * REST).await;
            }
        });
        Self { enough, edits, editing }
    }

    /// Waits until there have been so many edits more.
    async fn edits_on(&self) {
        let begun = self.edits.load(Ordering::Relaxed);
        while self.edits.load(Ordering::Relaxed) < begun + EDITS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(self) -> i32 {
        self.enough.store(true, Ordering::Relaxed);
        self.editing.await.unwrap();
        self.edits.load(Ordering::Relaxed)
    }
}

/// The program, and a wire on which it is held when it comes to changing this collection, after it has read what it changes.
async fn held(deployment: &Deployment, arguments: &[&str], collection: &str) -> (Running, Wire) {
    let (there, wire) = deployment.held(1, "update", collection).await;
    let running = there.led_by(program!(arguments)).spawn();
    wire.held(1).await;
    (running, wire)
}

async fn with_samples(dataset: Document, count: u32) -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, image_samples(count)).await;
    deployment
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_a_dataset_during_its_migration_are_all_kept() {
    let dataset = image_dataset("busy");
    let id = dataset.get("_id").unwrap().clone();
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let deployment = with_samples(dataset, 30_000).await;
    let editor = Editor::of(deployment.collection("datasets"), id);
    let (running, wire) = held(&deployment, &["--all"], "samples").await;
    editor.edits_on().await;
    wire.release();
    let ended = running.ended().await;
    let edits = editor.stop().await;
    ended.exits_with(0);
    let after = deployment.dataset("busy").await;
    assert_eq!(after.get_str("version").ok(), Some(NEWEST));
    assert_eq!(after.get_i32("edits").ok(), Some(edits));
    assert_eq!(deployment.collection("runs").count_documents(doc! {}).await.unwrap(), 2);
    let left = doc! { "last_modified_at": null };
    assert_eq!(deployment.collection(&samples).count_documents(left).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_are_added_during_a_migration_are_migrated_too() {
    let dataset = image_dataset("busy");
    let id = dataset.get("_id").unwrap().clone();
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let deployment = with_samples(dataset, 30_000).await;
    // As FiftyOne adds samples: the sample, and then the dataset's time of modification.
    let (datasets, collection) =
        (deployment.collection("datasets"), deployment.collection(&samples));
    let editor = tokio::spawn(async move {
        let mut added = 0;
        loop {
            let old = doc! { "_id": &id, "version": "0.18.0" };
            if datasets.find_one(old.clone()).await.unwrap().is_none() {
                return added;
            }
            let sample = image_samples(1).next().unwrap();
            let sample_id = sample.get("_id").unwrap().clone();
            collection.insert_one(sample).await.unwrap();
            let edit = doc! { "$inc": { "added": 1 } };
            if datasets.update_one(old, edit).await.unwrap().matched_count == 0 {
                // Too late: the dataset is newer than this client, which would have noticed.
                collection.delete_one(doc! { "_id": sample_id }).await.unwrap();
                return added;
            }
            added += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let (running, wire) = held(&deployment, &["--all"], "samples").await;
    let added = async || deployment.dataset("busy").await.get_i32("added").unwrap_or(0);
    let begun = added().await;
    while added().await < begun + EDITS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    wire.release();
    running.ended().await.exits_with(0);
    let added: i32 = editor.await.unwrap();
    assert_eq!(deployment.dataset("busy").await.get_i32("added").ok(), Some(added));
    let all = deployment.collection(&samples).count_documents(doc! {}).await.unwrap();
    assert_eq!(all, 30_000 + u64::try_from(added).unwrap());
    let left = doc! { "last_modified_at": null };
    assert_eq!(deployment.collection(&samples).count_documents(left).await.unwrap(), 0);
}

/// How many other datasets are migrated together with the busy one.
const COMPANY: usize = 600;

/// A dataset at the newest version with one run in the collection of its own.
fn with_a_run(name: &str, version: &str) -> (Document, Document) {
    let mut dataset = image_dataset(name);
    let run = doc! {
        "_id": ObjectId::new(), "_dataset_id": dataset.get("_id").unwrap(), "key": "ev", "version": version,
        "timestamp": DateTime::from_millis(0), "config": { "cls": "x" }, "view_stages": [], "results": null,
    };
    dataset.insert("version", version);
    dataset.insert("slug", name);
    dataset.insert("saved_views", Bson::Array(Vec::new()));
    dataset.insert("evaluations", doc! { "ev": run.get("_id").unwrap() });
    (dataset, run)
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_a_run_during_a_migration_are_all_kept() {
    for (from, to) in [("0.19.0", NEWEST), (NEWEST, "0.19.0")] {
        let (dataset, run) = with_a_run("busy", from);
        let deployment = with_samples(dataset, 20_000).await;
        let id = run.get("_id").unwrap().clone();
        deployment.plant("runs", [run]).await;
        // These make the migration long.
        let others = (0..COMPANY).map(|at| with_a_run(&format!("another {at}"), from));
        let (datasets, runs): (Vec<_>, Vec<_>) = others.unzip();
        deployment.plant("datasets", datasets).await;
        deployment.plant("runs", runs).await;
        let editor = Editor::of(deployment.collection("runs"), id);
        let (running, wire) = held(&deployment, &["--all", "-v", to], "datasets").await;
        editor.edits_on().await;
        wire.release();
        let ended = running.ended().await;
        let edits = editor.stop().await;
        ended.exits_with(0);
        let runs = deployment.all("runs").await;
        let edited: Vec<i32> = runs.iter().filter_map(|it| it.get_i32("edits").ok()).collect();
        assert_eq!((runs.len(), edited), (COMPANY + 1, vec![edits]), "{from} to {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_edited_while_it_goes_into_its_dataset_is_left_with_a_warning() {
    let (dataset, run) = with_a_run("busy", NEWEST);
    let deployment = with_samples(dataset, 20_000).await;
    let id = run.get("_id").unwrap().clone();
    deployment.plant("runs", [run]).await;
    let (running, wire) = held(&deployment, &["--all", "-v", "0.18.0"], "datasets").await;
    let edit = doc! { "$set": { "edits": 1 } };
    deployment.collection("runs").update_one(doc! { "_id": id }, edit).await.unwrap();
    wire.release();
    let ended = running.ended().await.with(0);
    let inside = deployment.dataset("busy").await;
    let inside = inside.get_document("evaluations").unwrap().get_document("ev").unwrap().clone();
    assert_eq!(inside.get("edits"), None);
    let left = deployment.all("runs").await;
    assert_eq!(left[0].get_i32("edits").ok(), Some(1));
    assert!(ended.stderr.contains("edited meanwhile"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_the_same_moment_leave_what_one_leaves() {
    let begun = DateTime::now();
    let state = State::down_to("0.18.0");
    let many: Vec<Document> = (0..300).map(|it| image_dataset(&format!("dataset {it}"))).collect();
    let mut left = Vec::new();
    for count in [1, 2] {
        let deployment = Deployment::holding(&state).await;
        deployment
            .collection("config")
            .update_one(doc! {}, doc! { "$set": { "version": "0.18.0" } })
            .await
            .unwrap();
        deployment.plant("datasets", many.clone()).await;
        let running: Vec<_> =
            (0..count).map(|_| deployment.led_by(program!(["--all"])).spawn()).collect();
        for it in running {
            it.ended().await.exits_with(0);
        }
        deployment.assert_newest().await;
        left.push(timeless(deployment.dump().await, begun));
    }
    assert!(left[0]["runs"].len() > 600, "there was nothing to do twice");
    for (name, documents) in &left[0] {
        assert_eq!(Some(documents), left[1].get(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_down_at_the_same_moment_lose_nothing() {
    let begun = DateTime::now();
    let original = Deployment::at("0.18.0").await;
    original.plant("datasets", (0..200).map(|it| image_dataset(&format!("dataset {it}")))).await;
    original.led_by(program!(["--all"])).run().await.exits_with(0);
    let newest = original.dump().await;
    let mut left = Vec::new();
    for count in [1, 2] {
        let deployment = Deployment::empty().await;
        deployment.plant_all(&newest).await;
        let arguments = ["--all", "-v", "0.18.0"];
        let running: Vec<_> =
            (0..count).map(|_| deployment.led_by(program!(arguments)).spawn()).collect();
        for it in running {
            it.ended().await;
        }
        deployment.assert_all_at("0.18.0").await;
        left.push(timeless(deployment.dump().await, begun));
    }
    assert_eq!(left[0]["runs"].len(), 0);
    for (name, documents) in &left[0] {
        assert_eq!(Some(documents), left[1].get(name), "{name}");
    }
}
