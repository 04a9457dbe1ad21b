//! Migrating while others write: no edit is lost, and two runs at once are as good as one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use mongodb::Collection;
use tests::{Deployment, NEWEST, State, image_dataset, image_samples, program, timeless};
use tokio::task::JoinHandle;

/// How much longer than for one edit somebody waits before the next. On a busy machine all take longer, those who edit and
/// those who migrate; somebody who edits without a rest is refused, and that is right.
const REST: u32 = 10;

/// Somebody who keeps counting something in one document.
struct Editor {
    enough: Arc<AtomicBool>,
    edits: JoinHandle<i32>,
}

impl Editor {
    fn of(collection: Collection<Document>, id: Bson) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&enough);
        let edits = tokio::spawn(async move {
            let mut edits = 0;
            while !done.load(Ordering::Relaxed) {
                let (edit, begun) = (doc! { "$inc": { "edits": 1 } }, Instant::now());
                let edited = collection.update_one(doc! { "_id": &id }, edit).await.unwrap();
                edits += i32::try_from(edited.matched_count).unwrap();
                tokio::time::sleep(begun.elapsed() * REST).await;
            }
            edits
        });
        Self { enough, edits }
    }

    async fn stop(self) -> i32 {
        self.enough.store(true, Ordering::Relaxed);
        self.edits.await.unwrap()
    }
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
    let ended = deployment.led_by(program!(["--all"])).run().await;
    let edits = editor.stop().await;
    ended.exits_with(0);
    let after = deployment.dataset("busy").await;
    assert_eq!(after.get_str("version").ok(), Some(NEWEST));
    assert_eq!(after.get_i32("edits").ok(), Some(edits));
    assert!(edits > 10, "hardly anybody has edited anything: {edits}");
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
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let added: i32 = editor.await.unwrap();
    assert!(added > 10, "hardly anybody has added anything: {added}");
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
        // Down there is no pass over the samples: these make the migration long enough to be disturbed.
        let others = (0..COMPANY).map(|at| with_a_run(&format!("another {at}"), from));
        let (datasets, runs): (Vec<_>, Vec<_>) = others.unzip();
        deployment.plant("datasets", datasets).await;
        deployment.plant("runs", runs).await;
        let editor = Editor::of(deployment.collection("runs"), id);
        let ended = deployment.led_by(program!(["--all", "-v", to])).run().await;
        let edits = editor.stop().await;
        ended.exits_with(0);
        assert!(edits > 10, "{from} to {to}: hardly anybody has edited anything: {edits}");
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
    let editor = Editor::of(deployment.collection("runs"), id);
    let ended = deployment.led_by(program!(["--all", "-v", "0.18.0"])).run().await;
    let edits = editor.stop().await;
    let ended = ended.with(0);
    let inside = deployment.dataset("busy").await;
    let inside = inside.get_document("evaluations").unwrap().get_document("ev").unwrap().clone();
    let left = deployment.all("runs").await;
    if inside.get_i32("edits").unwrap_or(0) != edits {
        assert_eq!(left[0].get_i32("edits").ok(), Some(edits));
        assert!(ended.stderr.contains("edited meanwhile"), "{}", ended.stderr);
    }
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
