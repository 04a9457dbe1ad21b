//! Runs: written down, watched, paused, resumed, retried, and taken over from those who are gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{DateTime, Document, doc, oid::ObjectId};
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{Deployment, NEWEST, Running, Wire, image_dataset, image_samples, program, ready};

use crate::watch::{held, id, led, runs, the_run};

const LARGE: u32 = 100_000;

/// A deployment whose migration takes long enough to be disturbed.
async fn large() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("large");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, image_samples(LARGE)).await;
    deployment
}

/// Begins something, and holds it when the first samples are changed.
async fn begun(deployment: &Deployment, arguments: &[&str]) -> (Running, Wire) {
    held(deployment, arguments, doc! { "created_at": { "$exists": true } }).await
}

async fn assert_whole(deployment: &Deployment) {
    deployment.assert_newest().await;
    let dataset = deployment.dataset("large").await;
    let samples = deployment.collection(dataset.get_str("sample_collection_name").unwrap());
    let left = doc! { "$or": [{ "created_at": null }, { "_dataset_id": null }] };
    assert_eq!(samples.count_documents(left).await.unwrap(), 0);
    assert_eq!(samples.count_documents(doc! {}).await.unwrap(), u64::from(LARGE));
    assert_eq!(deployment.collection("runs").count_documents(doc! {}).await.unwrap(), 2);
}

#[tokio::test]
async fn a_migration_is_written_down_but_not_among_what_is_fiftyones() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["one", "two"].map(image_dataset)).await;
    let before = deployment.database.list_collection_names().await.unwrap();
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["destination"]), (&"completed".into(), &NEWEST.into()));
    assert_eq!(run["datasets"], serde_json::json!({ "migrated": 2 }));
    let mut new = deployment.database.list_collection_names().await.unwrap();
    new.retain(|it| !before.contains(it));
    assert_eq!(new, ["runs"], "those of 0.19.0, which FiftyOne would have made");
    // Nothing to do is nothing to write down.
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.led_by(program!(["--all", "-v", "0.18.0", "--dry-run"])).run().await.exits_with(0);
    assert_eq!(runs(&deployment).await.len(), 1);
}

#[tokio::test]
async fn a_list_that_is_not_all_says_so() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let listed = deployment.seen_by(program!(["runs"])).run().await.with(0).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let shown =
        async |id: &str| deployment.seen_by(program!(["runs", "show", id])).run().await.with(0);
    let id = id(&deployment).await;
    assert!(!shown(&id).await.stdout.contains("lines of its log"));
    let jobs = Deployment { database: deployment.jobs(), uri: deployment.uri.clone() };
    let runs = jobs.collection("runs");
    let run = doc! { "_id": ObjectId::parse_str(&id).unwrap() };
    let run = runs.find_one(run).await.unwrap().unwrap();
    let another = |_| {
        let mut another = run.clone();
        another.insert("_id", ObjectId::new());
        another
    };
    jobs.plant("runs", (0..100).map(another)).await;
    let line = doc! { "run": ObjectId::parse_str(&id).unwrap(), "at": DateTime::now(), "by": "x", "text": "y" };
    jobs.plant("run_log", (0..1_000).map(|_| line.clone())).await;
    let listed = deployment.seen_by(program!(["runs"])).run().await.with(0).stdout;
    assert_eq!(listed.lines().count(), 102, "{listed}");
    assert!(listed.ends_with("The newest 100; `runs show ID` also shows older ones\n"), "{listed}");
    assert!(shown(&id).await.stdout.contains("the newest 1,000 lines of its log:\n"));
}

#[tokio::test]
async fn failures_are_told_apart_from_success_and_can_be_tried_again_alone() {
    let deployment = Deployment::at("0.18.0").await;
    let mut bad = image_dataset("bad");
    let good = bad.insert("sample_fields", 7).unwrap();
    deployment.plant("datasets", [bad, image_dataset("good")]).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(3);
    let run = the_run(&deployment).await;
    assert_eq!(run["state"], "completed_with_failures");
    assert_eq!(run["datasets"], serde_json::json!({ "migrated": 1, "refused": 1 }));
    let id = run["id"].as_str().unwrap();
    let shown = deployment.seen_by(program!(["runs", "show", id])).run().await.with(0);
    assert!(shown.stdout.contains("  bad: refused: "), "{}", shown.stdout);
    assert!(shown.stdout.contains(": retry, undo\n"), "{}", shown.stdout);
    deployment.led_by(program!(["runs", "retry", id])).run().await.exits_with(3);

    let mend = doc! { "$set": { "sample_fields": good } };
    deployment.collection("datasets").update_one(doc! { "name": "bad" }, mend).await.unwrap();
    deployment.led_by(program!(["runs", "retry", id])).run().await.exits_with(0);
    deployment.assert_newest().await;
    assert_eq!(the_run(&deployment).await["state"], "completed");
    let again = deployment.led_by(program!(["runs", "retry", id])).run().await.with(1);
    assert!(again.stderr.contains("a run that is completed cannot be retried"), "{}", again.stderr);
}

#[tokio::test]
async fn a_run_is_paused_from_elsewhere_and_goes_on() {
    let deployment = large().await;
    let (running, wire) = begun(&deployment, &["--all"]).await;
    let id = id(&deployment).await;
    let refused = deployment.seen_by(program!(["runs", "pause", &id])).run().await.with(1);
    assert!(refused.stderr.contains("FIFTYONE_DATABASE_ADMIN=true"), "{}", refused.stderr);
    let pausing = led(&deployment, &["runs", "pause", &id]);
    deployment.until_the_run_is("pausing").await;
    wire.release();
    pausing.ended().await.exits_with(0);
    let ended = running.ended().await.with(1);
    assert!(ended.stderr.contains(&format!("Run {id} is paused")), "{}", ended.stderr);
    assert_eq!(deployment.version_of("large").await, "0.18.0".into());
    let watched = deployment.seen_by(program!(["runs", "watch", &id])).run().await.with(1);
    assert!(watched.stdout.contains("resume, cancel"), "{}", watched.stdout);
    deployment.led_by(program!(["runs", "resume", &id])).run().await.exits_with(0);
    assert_whole(&deployment).await;
    assert_eq!(the_run(&deployment).await["state"], "completed");
}

#[tokio::test]
async fn a_run_that_was_cancelled_or_interrupted_can_be_resumed() {
    let deployment = large().await;
    let (running, wire) = begun(&deployment, &["--all"]).await;
    let id = id(&deployment).await;
    let cancelling = led(&deployment, &["runs", "cancel", &id]);
    deployment.until_the_run_is("cancelling").await;
    wire.release();
    cancelling.ended().await.exits_with(0);
    running.ended().await.exits_with(1);
    assert_eq!(the_run(&deployment).await["state"], "cancelled");

    let (running, wire) = begun(&deployment, &["runs", "resume", &id]).await;
    running.signal(Signal::SIGINT);
    wire.release();
    running.ended().await.exits_with(1);
    assert_eq!(the_run(&deployment).await["state"], "paused");
    // The same again is the same run.
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_whole(&deployment).await;
    assert_eq!(the_run(&deployment).await["state"], "completed");
}

/// One that only gets another version, and five that are large, each a group of its own: three of those are under way at
/// once.
async fn several() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let mut newer = image_dataset("newer");
    newer.insert("version", "1.13.0");
    deployment.plant("datasets", [newer]).await;
    for name in ["a", "b", "c", "d", "e"] {
        let mut dataset = image_dataset(name);
        dataset.insert("info", doc! { "notes": "x".repeat(11 << 17) });
        let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
        deployment.plant("datasets", [dataset]).await;
        deployment.plant(&samples, image_samples(30_000)).await;
    }
    deployment
}

#[tokio::test]
async fn cancelling_says_what_is_done_what_is_not_and_the_two_ways_on() {
    let deployment = several().await;
    // Each of the three tries the whole at once first, so that of six three at least are ranges of 5,000, and five at most are
    // of one dataset, which has six.
    let (there, wire) = deployment.held(7, "update", "samples").await;
    let running = led(&there, &["--all"]);
    wire.held(1).await;
    let id = id(&deployment).await;
    let midway = |it: &Value| {
        it["documents"].as_u64() >= Some(5_000) && it["datasets"]["migrated"].as_u64() >= Some(1)
    };
    deployment.until(&id, "midway", midway).await;
    let cancelling = led(&deployment, &["runs", "cancel", &id]);
    deployment.until_the_run_is("cancelling").await;
    wire.release();
    let cancelled = cancelling.ended().await.with(0);
    let ended = running.ended().await.with(1);
    let run = the_run(&deployment).await;
    let count = |state: &str| run["datasets"][state].as_u64().unwrap_or(0);
    let (done, middle, ahead) = (count("migrated"), count("interrupted"), count("untouched"));
    assert!(done >= 1 && middle >= 1 && ahead >= 1 && done + middle + ahead == 6, "{run}");
    let plural = if done == 1 { "" } else { "s" };
    let expected = format!(
        "Run {id} is cancelled: {done} dataset{plural} migrated, {middle} stopped in the middle (their documents are as \
         they were, a part of their samples is changed), {ahead} not begun\n"
    );
    assert!(cancelled.stdout.starts_with(&expected), "{}", cancelled.stdout);
    let two = format!(
        "Two ways on: `fiftyone-migrate runs resume {id}` goes on where it was left; `fiftyone-migrate runs undo {id}` \
         brings back what it has changed"
    );
    assert!(cancelled.stdout.contains(&two), "{}", cancelled.stdout);
    assert!(ended.stderr.contains(&two), "{}", ended.stderr);
    let datasets = deployment.collection("datasets");
    let old = datasets.count_documents(doc! { "version": "0.18.0" }).await.unwrap();
    assert_eq!(old, middle + ahead);
    // Both are ways.
    deployment.led_by(program!(["runs", "undo", &id])).run().await.exits_with(0);
    assert_eq!(deployment.version_of("newer").await, "1.13.0".into());
    let changed = doc! { "version": { "$nin": ["0.18.0", "1.13.0"] } };
    assert_eq!(datasets.count_documents(changed).await.unwrap(), 0);
}

#[tokio::test]
async fn a_run_whose_program_was_killed_is_taken_over_at_once_on_the_same_machine() {
    let deployment = large().await;
    let (running, _wire) = begun(&deployment, &["--all"]).await;
    running.signal(Signal::SIGKILL);
    running.ended().await;
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["held"]), (&"running".into(), &false.into()));
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_whole(&deployment).await;
    assert_eq!(the_run(&deployment).await["state"], "completed");
}

/// Takes as long as a lease lasts.
#[tokio::test]
async fn a_program_that_was_asleep_longer_than_its_lease_writes_nothing_any_more() {
    let deployment = large().await;
    let (sleeper, wire) = begun(&deployment, &["--all"]).await;
    sleeper.signal(Signal::SIGSTOP);
    // What it has sent before it fell asleep arrives.
    wire.release();
    // Watched until the lease is over, then gone on with: one document about all of it.
    let ended = deployment.led_by(program!(["--all", "--json"])).run().await.with(0);
    assert_eq!(ended.json()["run_state"], "completed");
    assert_whole(&deployment).await;
    let after = deployment.dump().await;

    sleeper.signal(Signal::SIGCONT);
    let ended = sleeper.ended().await.with(1);
    assert!(ended.stderr.contains("was taken over by somebody else"), "{}", ended.stderr);
    assert!(deployment.dump().await == after, "it has written something");
    assert_eq!(the_run(&deployment).await["state"], "completed");
}

#[tokio::test]
async fn a_server_goes_on_with_what_was_left_behind_and_carries_out_what_was_left_to_it() {
    let deployment = large().await;
    let (running, _wire) = begun(&deployment, &["--all"]).await;
    running.signal(Signal::SIGKILL);
    running.ended().await;
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["held"]), (&"running".into(), &false.into()));
    let server = led(&deployment, &["serve", "--listen", "127.0.0.1:0"]);
    deployment.until_the_run_is("completed").await;
    assert_whole(&deployment).await;

    let left = deployment.led_by(program!(["--all", "-v", "0.22.0", "--detach", "--json"])).run();
    let left = left.await.with(0).json();
    assert_eq!(left["state"], "planned");
    let id = left["id"].as_str().unwrap();
    let watched = deployment.seen_by(program!(["runs", "watch", id])).run().await;
    watched.exits_with(0);
    deployment.assert_all_at("0.22.0").await;
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_in_the_middle_of_a_collection() {
    let deployment = large().await;
    let (there, wire) = deployment.held(9, "update", "samples").await;
    let running = led(&there, &["--all"]);
    wire.held(1).await;
    // Some of what was let through is carried out, noted, and marked for whoever goes on.
    let id = id(&deployment).await;
    deployment.until(&id, "what was let through", |it| it["documents"].as_u64() > Some(0)).await;
    let marks = deployment.jobs().collection::<Document>("run_marks");
    let ours = doc! { "run": ObjectId::parse_str(&id).unwrap() };
    let marked = async || marks.find_one(ours.clone()).await.unwrap().ok_or("there is none");
    let marked = ready::wait_for("a mark", marked).await.unwrap();
    running.signal(Signal::SIGKILL);
    running.ended().await;
    let killed = the_run(&deployment).await;
    assert_eq!((&killed["state"], &killed["held"]), (&"running".into(), &false.into()));
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_whole(&deployment).await;
    let run = the_run(&deployment).await;
    assert_eq!(run["state"], "completed");
    // What is after the mark is repeated, and no more; it may have been set once more since it was looked at.
    let known = u64::try_from(marked.get_i64("documents").unwrap()).unwrap();
    let most = killed["documents"].as_u64().unwrap() + u64::from(LARGE) - known;
    assert!(known > 0 && run["documents"].as_u64().unwrap() <= most, "{run} after {marked}");
    // It is the same run, so that it writes the same time.
    let dataset = deployment.dataset("large").await;
    let samples = deployment.collection(dataset.get_str("sample_collection_name").unwrap());
    let times = samples.distinct("last_modified_at", doc! {}).await.unwrap();
    assert_eq!(times, [dataset.get("last_modified_at").unwrap().clone()]);
}

#[tokio::test]
async fn what_cannot_be_done_is_not_left_to_a_server() {
    let deployment = Deployment::at(NEWEST).await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let detached = async |arguments: &[&str]| {
        deployment.led_by(program!([arguments, &["--detach"]].concat())).run().await
    };
    let unknown = detached(&["-n", "none"]).await.with(1);
    assert!(unknown.stderr.contains("`none`"), "{}", unknown.stderr);
    let ahead = detached(&["--all", "-v", "99.0.0"]).await.with(1);
    assert!(ahead.stderr.contains("99.0.0"), "{}", ahead.stderr);
    detached(&["-n", "one"]).await.exits_with(0);
    assert_eq!(deployment.version_of("one").await, "0.18.0".into());
    let runs = runs(&deployment).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0]["asked"], "dataset `one`");
    let database = detached(&[]).await.with(0);
    assert!(database.stdout.contains("Nothing to do"), "{}", database.stdout);
}

#[tokio::test]
async fn a_server_leaves_runs_alone_where_migrations_are_disabled() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    deployment.led_by(program!(["--all", "--detach"])).run().await.exits_with(0);
    let address = format!("127.0.0.1:{}", ready::free_port().unwrap());
    let server = program!(["serve", "--listen", &address]);
    let server = deployment.led_by(server).env("FIFTYONE_DISABLE_MIGRATIONS", "1").spawn();
    let health = format!("http://{address}/healthz");
    let answers = async || tests::http::get(&health, &[]).await;
    ready::wait_for("the server to answer", answers).await.unwrap();
    // Longer than a server takes to look for runs.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(the_run(&deployment).await["state"], "planned");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
}

#[tokio::test]
async fn a_server_that_ends_leaves_its_run_to_the_next_one() {
    let deployment = large().await;
    deployment.led_by(program!(["--all", "--detach"])).run().await.exits_with(0);
    let (first, wire) = begun(&deployment, &["serve", "--listen", "127.0.0.1:0"]).await;
    first.signal(Signal::SIGTERM);
    wire.release();
    first.ended().await.exits_with(0);
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["held"]), (&"running".into(), &false.into()));
    let next = led(&deployment, &["serve", "--listen", "127.0.0.1:0"]);
    deployment.until_the_run_is("completed").await;
    assert_whole(&deployment).await;
    next.signal(Signal::SIGTERM);
    next.ended().await.exits_with(0);
}

#[tokio::test]
async fn a_second_starter_is_told_who_is_at_it_and_watches_if_they_want_the_same() {
    let deployment = large().await;
    let (running, wire) = begun(&deployment, &["--all"]).await;
    let id = id(&deployment).await;
    let other = deployment.led_by(program!(["--all", "-v", "1.0.0"])).run().await.with(1);
    assert!(other.stderr.contains("this database is being migrated by "), "{}", other.stderr);
    assert!(
        other.stderr.contains(&format!("fiftyone-migrate runs watch {id}")),
        "{}",
        other.stderr
    );
    let same = led(&deployment, &["--all"]);
    wire.release();
    let same = same.ended().await.with(0);
    assert!(
        same.stdout.contains("does the same already") || same.stdout.contains("Nothing to do"),
        "{}",
        same.stdout
    );
    running.ended().await.exits_with(0);
    assert_whole(&deployment).await;
    assert_eq!(the_run(&deployment).await["state"], "completed");
}

#[tokio::test]
async fn a_run_that_does_not_exist_is_not_found() {
    let deployment = Deployment::at(NEWEST).await;
    for id in ["nonsense", "0123456789abcdef01234567"] {
        let ended = deployment.seen_by(program!(["runs", "show", id])).run().await;
        ended.refused(
            1,
            &format!(
                "run `{id}` not found; `fiftyone-migrate runs` lists the runs of this database"
            ),
        );
    }
}
