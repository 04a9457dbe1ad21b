//! `runs undo` and `runs forget`, as people use them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{DateTime, Document, doc, oid::ObjectId};
use nix::sys::signal::Signal;
use tests::{
    Deployment, Dump, Mongod, NEWEST, Running, Wire, image_dataset, image_samples, program,
};

use crate::watch::{held, id, led, the_run};

const LARGE: u32 = 60_000;

/// Every tenth sample has a value where the migration puts another.
async fn large() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("large");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    let documents = image_samples(LARGE).enumerate().map(|(number, mut it)| {
        if number % 10 == 0 {
            it.insert("created_at", i64::try_from(number).unwrap());
        }
        it
    });
    deployment.plant(&samples, documents).await;
    deployment
}

async fn dump(deployment: &Deployment) -> Dump {
    let mut dump = deployment.dump().await;
    dump.retain(|_, documents| !documents.is_empty());
    dump
}

/// Begins to undo, and holds that when the first samples are as before again.
async fn begun(deployment: &Deployment, id: &str) -> (Running, Wire) {
    let as_before = doc! { "_dataset_id": { "$exists": false } };
    held(deployment, &["runs", "undo", id], as_before).await
}

/// What the journals of all databases on this server hold of a run.
async fn kept(deployment: &Deployment, id: &str) -> u64 {
    let id = ObjectId::parse_str(id).unwrap();
    let jobs = deployment.jobs();
    let mut count = 0;
    for name in ["run_journal", "run_journal_values"] {
        let journal = jobs.collection::<Document>(name);
        count += journal.count_documents(doc! { "_id.run": id }).await.unwrap();
    }
    count
}

/// One that was migrated, with what was there before, and the run.
async fn migrated() -> (Deployment, Dump, String) {
    let deployment = large().await;
    let before = dump(&deployment).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let id = id(&deployment).await;
    (deployment, before, id)
}

#[tokio::test]
async fn a_run_is_undone_by_its_id_and_says_so() {
    let (deployment, before, id) = migrated().await;
    let shown = deployment.seen_by(program!(["runs", "show", &id])).run().await.with(0);
    assert!(shown.stdout.contains("can be undone until "), "{}", shown.stdout);
    assert!(shown.stdout.contains(": undo\n"), "{}", shown.stdout);
    let refused = deployment.seen_by(program!(["runs", "undo", &id])).run().await.with(1);
    assert!(refused.stderr.contains("FIFTYONE_DATABASE_ADMIN=true"), "{}", refused.stderr);
    let disabled = deployment.led_by(program!(["runs", "undo", &id]));
    let disabled = disabled.env("FIFTYONE_DISABLE_MIGRATIONS", "1").run().await.with(1);
    assert!(disabled.stderr.contains("FIFTYONE_DISABLE_MIGRATIONS"), "{}", disabled.stderr);
    let unknown = deployment.led_by(program!(["runs", "undo", &id, "-n", "none"])).run().await;
    assert!(unknown.with(1).stderr.contains("has changed no dataset `none`"));

    let undone = deployment.led_by(program!(["runs", "undo", &id])).run().await.with(0);
    assert!(undone.stdout.contains("1 dataset as before the run\n"), "{}", undone.stdout);
    assert!(undone.stdout.contains("The database is at v0.18.0 again\n"), "{}", undone.stdout);
    assert!(undone.stdout.contains(&format!("Run {id} is undone\n")), "{}", undone.stdout);
    assert!(dump(&deployment).await == before);
    let again = deployment.led_by(program!(["runs", "undo", &id])).run().await.with(1);
    assert!(again.stderr.contains("a run that is undone cannot be undone"), "{}", again.stderr);
    let resumed = deployment.led_by(program!(["runs", "resume", &id])).run().await.with(1);
    assert!(resumed.stderr.contains("cannot be resumed"), "{}", resumed.stderr);
    // The same again is another run.
    let forward = deployment.led_by(program!(["--all", "--json"])).run().await.with(0).json();
    assert_ne!(forward["run"], id.as_str());
    deployment.assert_newest().await;
}

#[tokio::test]
async fn an_undo_that_is_killed_in_the_middle_goes_on() {
    let (deployment, before, id) = migrated().await;
    let (undoing, _wire) = begun(&deployment, &id).await;
    undoing.signal(Signal::SIGKILL);
    undoing.ended().await;
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["held"]), (&"undoing".into(), &false.into()));
    assert_eq!(deployment.version_of("large").await, NEWEST.into());
    deployment.led_by(program!(["runs", "undo", &id])).run().await.exits_with(0);
    assert_eq!(the_run(&deployment).await["state"], "undone");
    assert!(dump(&deployment).await == before);
}

#[tokio::test]
async fn an_undo_that_was_left_behind_is_gone_on_with_by_a_server() {
    let (deployment, before, id) = migrated().await;
    let (undoing, _wire) = begun(&deployment, &id).await;
    undoing.signal(Signal::SIGKILL);
    undoing.ended().await;
    let run = the_run(&deployment).await;
    assert_eq!((&run["state"], &run["held"]), (&"undoing".into(), &false.into()));
    let server = led(&deployment, &["serve", "--listen", "127.0.0.1:0"]);
    deployment.until_the_run_is("undone").await;
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    assert!(dump(&deployment).await == before);
}

#[tokio::test]
async fn ctrl_c_stops_an_undo_at_an_edge_and_nothing_goes_forward_from_there() {
    let (deployment, before, id) = migrated().await;
    let (undoing, wire) = begun(&deployment, &id).await;
    undoing.signal(Signal::SIGINT);
    wire.release();
    let ended = undoing.ended().await.with(1);
    assert!(ended.stdout.contains(&format!("`fiftyone-migrate runs undo {id}` goes on")));
    assert_eq!(the_run(&deployment).await["state"], "partly_undone");
    let resumed = deployment.led_by(program!(["runs", "resume", &id])).run().await.with(1);
    assert!(resumed.stderr.contains("what can be done with it: `undo`"), "{}", resumed.stderr);
    deployment.led_by(program!(["runs", "undo", &id])).run().await.exits_with(0);
    assert!(dump(&deployment).await == before);
}

#[tokio::test]
async fn a_run_that_was_killed_halfway_is_undone_and_so_is_one_that_went_on_after_that() {
    for goes_on in [false, true] {
        let deployment = large().await;
        let before = dump(&deployment).await;
        let changed = doc! { "_dataset_id": { "$exists": true } };
        let (running, _wire) = held(&deployment, &["--all"], changed).await;
        running.signal(Signal::SIGKILL);
        running.ended().await;
        let id = id(&deployment).await;
        if goes_on {
            deployment.led_by(program!(["runs", "resume", &id])).run().await.exits_with(0);
            deployment.assert_newest().await;
        } else {
            // It is not for an undo to end what somebody may still be at.
            let early = deployment.led_by(program!(["runs", "undo", &id])).run().await.with(1);
            assert!(early.stderr.contains("a run that is running cannot be undone"));
            deployment.led_by(program!(["runs", "pause", &id])).run().await.exits_with(0);
        }
        deployment.led_by(program!(["runs", "undo", &id])).run().await.exits_with(0);
        assert!(dump(&deployment).await == before, "{goes_on}");
    }
}

#[tokio::test]
async fn a_journal_that_was_dropped_or_never_kept_is_no_use_and_says_so() {
    let deployment = Deployment::at(NEWEST).await;
    deployment.plant("datasets", ["one", "two"].map(image_dataset)).await;
    deployment.led_by(program!(["-n", "one"])).run().await.exits_with(0);
    let kept_id = id(&deployment).await;
    assert!(kept(&deployment, &kept_id).await > 0);
    let without = program!(["-n", "two", "--without-undo", "--json"]);
    let without = deployment.led_by(without).run().await.with(0).json();
    let without = without["run"].as_str().unwrap();
    assert_eq!(kept(&deployment, without).await, 0);
    let refused = deployment.led_by(program!(["runs", "undo", without])).run().await.with(1);
    assert!(refused.stderr.contains("kept no undo journal"), "{}", refused.stderr);

    deployment.seen_by(program!(["runs", "forget", &kept_id])).run().await.exits_with(1);
    deployment.led_by(program!(["runs", "forget", &kept_id])).run().await.exits_with(0);
    assert_eq!(kept(&deployment, &kept_id).await, 0);
    let refused = deployment.led_by(program!(["runs", "undo", &kept_id])).run().await.with(1);
    assert!(refused.stderr.contains("was dropped, so that it cannot be undone"));
    let shown = deployment.seen_by(program!(["runs", "show", &kept_id])).run().await.with(0);
    assert!(shown.stdout.contains("cannot be undone: its journal was dropped"));
    assert!(shown.stdout.ends_with("There is nothing left to do with it\n"), "{}", shown.stdout);
}

#[tokio::test]
async fn a_journal_expires() {
    let deployment = Deployment::at(NEWEST).await;
    deployment.plant("datasets", ["one", "two"].map(image_dataset)).await;
    let begun = DateTime::now().timestamp_millis();
    let first = deployment.led_by(program!(["-n", "one"])).env("FIFTYONE_MIGRATE_UNDO_DAYS", "0");
    first.run().await.exits_with(0);
    let run = the_run(&deployment).await;
    assert_eq!(run["journal"], "expired");
    assert_eq!(kept(&deployment, run["id"].as_str().unwrap()).await, 0);
    let refused = program!(["runs", "undo", run["id"].as_str().unwrap()]);
    let refused = deployment.led_by(refused).run().await.with(1);
    assert!(refused.stderr.contains("has expired"), "{}", refused.stderr);

    let second = deployment.led_by(program!(["-n", "two", "--json"])).run().await.with(0).json();
    let id = ObjectId::parse_str(second["run"].as_str().unwrap()).unwrap();
    let runs = deployment.jobs().collection::<Document>("runs");
    let run = runs.find_one(doc! { "_id": id }).await.unwrap().unwrap();
    let expires = run.get_document("journal").unwrap().get_datetime("expires").unwrap();
    let days = (expires.timestamp_millis() - begun) / (24 * 60 * 60 * 1000);
    assert_eq!(days, 30);
}

#[tokio::test]
async fn a_journal_of_which_a_part_is_removed_is_removed_whole_by_whoever_comes_next() {
    let deployment = large().await;
    deployment.plant("datasets", [image_dataset("other")]).await;
    let wire = Wire::before(Mongod::shared(), 1, "delete", "fiftyone_migrate.run_journal").await;
    let there = deployment.behind(&wire);
    let first = there.led_by(program!(["-n", "large", "-v", NEWEST]));
    let first = first.env("FIFTYONE_MIGRATE_UNDO_DAYS", "0").spawn();
    // If it is fast it has ended by itself, without a word to the server any more.
    let ended = first.killed_at(wire.cut()).await;
    assert!(matches!(ended.status, None | Some(0)), "{}", ended.stderr);
    let run = the_run(&deployment).await;
    let id = run["id"].as_str().unwrap();
    assert_eq!((&run["state"], &run["journal"]), (&"completed".into(), &"expired".into()));
    assert!(kept(&deployment, id).await > 0);
    let next = deployment.led_by(program!(["-n", "other", "-v", NEWEST])).run().await.with(0);
    assert!(
        next.stderr.contains("removing what was kept to undo runs that cannot be undone any more"),
        "{}",
        next.stderr
    );
    assert_eq!(kept(&deployment, id).await, 0);
}

#[tokio::test]
async fn a_large_journal_is_removed_in_pieces() {
    let deployment = large().await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let id = id(&deployment).await;
    assert!(kept(&deployment, &id).await > 6_000);
    let wire = Wire::whole(Mongod::shared()).await;
    let there = deployment.behind(&wire);
    there.led_by(program!(["runs", "forget", &id])).run().await.exits_with(0);
    let writes = wire.writes().await;
    let values = writes.iter().filter(|it| it.namespace.ends_with(".run_journal_values")).count();
    assert!(values > 1, "{writes:?}");
    assert_eq!(kept(&deployment, &id).await, 0);
}

#[tokio::test]
async fn a_plan_says_how_much_would_be_kept() {
    let deployment = Deployment::at("0.7.1").await;
    let mut dataset = image_dataset("video");
    dataset.insert("version", "0.7.1");
    dataset.insert("media_type", "video");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, image_samples(1000)).await;
    let plan = deployment.seen_by(program!(["--all", "--dry-run", "--json"])).run().await.with(0);
    let size = plan.json()["undo_journal"].clone();
    let (all, samples) =
        (&size["bytes"].as_u64().unwrap(), size["samples_at_most"].as_u64().unwrap());
    assert!(samples > 100_000 && *all > samples + 1_000, "{size}");
    let plan = deployment.seen_by(program!(["--all", "--dry-run"])).run().await.with(0);
    assert!(plan.stdout.contains("To be able to undo it, about "), "{}", plan.stdout);
    let without = program!(["--all", "--dry-run", "--without-undo", "--json"]);
    let without = deployment.seen_by(without).run().await.with(0);
    assert!(without.json().get("undo_journal").is_none());
}
