//! Verifying: what somebody does to a run's datasets behind its back is found, told, and where that can be, put right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, Document, doc};
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{
    Deployment, Ended, Mongod, NEWEST, Running, Wire, image_dataset, image_samples, program,
};

/// So many datasets that hardly any of them is looked into although nobody has written to it.
const MANY: u32 = 100;

/// What is to be verified.
const CHECKS: &str = "fiftyone_migrate.run_checks";

const TESTING: [&str; 2] = ["--setParameter", "enableTestCommands=1"];

/// A database at 0.18.0 with two datasets of ten samples each, and the collection of the samples of `busy`; and so many
/// datasets without samples.
async fn planted(server: &Mongod, others: u32) -> (Deployment, String) {
    let deployment = Deployment::on(server, "fiftyone").await;
    deployment.configure("0.18.0").await;
    let mut of_busy = String::new();
    for name in ["busy", "quiet"] {
        let dataset = image_dataset(name);
        let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
        deployment.plant("datasets", [dataset]).await;
        deployment.plant(&samples, image_samples(10)).await;
        if name == "busy" {
            of_busy = samples;
        }
    }
    let others = (0..others).map(|it| image_dataset(&format!("other {it}")));
    let others: Vec<Document> = others.collect();
    if !others.is_empty() {
        deployment.plant("datasets", others).await;
    }
    (deployment, of_busy)
}

/// Begins a migration and holds it when all is written and it is about to be verified.
async fn about_to_verify(server: &Mongod, deployment: &Deployment) -> (Running, Wire) {
    let wire = Wire::holding(server, 1, "aggregate", CHECKS).await;
    let there = deployment.behind(&wire);
    let running = there.led_by(program!(["--all"])).spawn();
    wire.held(1).await;
    let runs = deployment.jobs().collection::<Document>("runs");
    let state = runs.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(state.get_str("state").unwrap(), "verifying");
    let checks = deployment.jobs().collection::<Document>("run_checks");
    let open = checks.count_documents(doc! { "done": false }).await.unwrap();
    assert!(open > 0 && open == checks.count_documents(doc! {}).await.unwrap(), "held too late");
    (running, wire)
}

/// Lets it verify, to the end.
async fn verified((running, wire): (Running, Wire)) -> Ended {
    wire.release();
    running.ended().await
}

/// The run, its datasets and its log.
async fn shown(deployment: &Deployment) -> (Value, String) {
    let runs = deployment.jobs().collection::<Document>("runs");
    let id = runs.find_one(doc! {}).await.unwrap().unwrap().get_object_id("_id").unwrap().to_hex();
    let text = deployment.led_by(program!(["runs", "show", &id])).run().await.with(0).stdout;
    let json = deployment.led_by(program!(["--json", "runs", "show", &id])).run().await.with(0);
    (json.json(), text)
}

async fn left(deployment: &Deployment, samples: &str) -> u64 {
    let old = doc! { "$or": [{ "created_at": null }, { "_dataset_id": null }] };
    deployment.collection(samples).count_documents(old).await.unwrap()
}

#[tokio::test]
async fn a_run_that_nobody_disturbs_has_nothing_to_say_and_leaves_no_checks() {
    let server = Mongod::start(&TESTING);
    let (deployment, samples) = planted(&server, 0).await;
    let running = about_to_verify(&server, &deployment).await;
    let checks = deployment.jobs().collection::<Document>("run_checks");
    let check = checks.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(check.get_i64("count").unwrap(), 2);
    let ended = verified(running).await.with(0);
    assert_eq!(ended.stderr, "");
    let (json, text) = shown(&deployment).await;
    assert_eq!(json["run"]["state"], "completed");
    assert_eq!((&json["run"]["verified"], &json["run"]["to_verify"]), (&2.into(), &2.into()));
    assert!(text.contains("2 of 2 datasets verified"), "{text}");
    assert_eq!(checks.count_documents(doc! {}).await.unwrap(), 0);
    assert_eq!(left(&deployment, &samples).await, 0);
}

#[tokio::test]
async fn a_sample_that_is_removed_meanwhile_is_told_with_the_counts_and_fails_nothing() {
    let server = Mongod::start(&TESTING);
    let (deployment, samples) = planted(&server, 0).await;
    let running = about_to_verify(&server, &deployment).await;
    deployment.collection(&samples).delete_one(doc! {}).await.unwrap();
    let ended = verified(running).await.with(0);
    let told =
        "dataset `busy`: it has 1 samples fewer than before it was migrated (10 then, 9 now)";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(!ended.stderr.contains("`quiet`"), "{}", ended.stderr);
    let (json, text) = shown(&deployment).await;
    assert_eq!(json["run"]["state"], "completed");
    assert!(text.contains("1 samples fewer"), "{text}");
    assert!(json["log"].to_string().contains("1 samples fewer"), "{json}");
}

/// Somebody with an older client writes samples in the old form: a new one, and one that is there.
async fn lazily(deployment: &Deployment, samples: &str) {
    let collection = deployment.collection(samples);
    let mut added = image_samples(1).next().unwrap();
    added.insert("filepath", "/data/added.jpg");
    collection.insert_one(added).await.unwrap();
    let there = collection.find_one(doc! {}).await.unwrap().unwrap();
    let mut old = image_samples(1).next().unwrap();
    old.insert("_id", there.get("_id").unwrap());
    old.insert("filepath", "/data/replaced.jpg");
    collection.replace_one(doc! { "_id": there.get("_id").unwrap() }, old).await.unwrap();
}

async fn samples_of_a_lazy_client_are_passed_over(server: &Mongod) {
    let (deployment, samples) = planted(server, MANY).await;
    let running = about_to_verify(server, &deployment).await;
    lazily(&deployment, &samples).await;
    assert_eq!(left(&deployment, &samples).await, 2);
    let ended = verified(running).await.with(0);
    let told =
        "dataset `busy`: 2 samples that an older client wrote meanwhile were migrated after it";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(ended.stderr.contains("it has 1 samples more"), "{}", ended.stderr);
    assert_eq!(left(&deployment, &samples).await, 0);
    let id = deployment.dataset("busy").await.get("_id").unwrap().clone();
    let replaced = doc! { "filepath": "/data/replaced.jpg" };
    let replaced = deployment.collection(&samples).find_one(replaced).await.unwrap().unwrap();
    assert_eq!(replaced.get("_dataset_id"), Some(&id));
    assert!(matches!(replaced.get("created_at"), Some(Bson::DateTime(_))), "{replaced}");
    assert_eq!(shown(&deployment).await.0["run"]["state"], "completed");
}

#[tokio::test]
async fn samples_that_a_lazy_client_writes_on_a_single_server_are_passed_over_once_more() {
    samples_of_a_lazy_client_are_passed_over(&Mongod::start(&TESTING)).await;
}

#[tokio::test]
async fn samples_that_a_lazy_client_writes_on_a_replica_set_are_passed_over_once_more() {
    samples_of_a_lazy_client_are_passed_over(&Mongod::replica_set_of_one(&TESTING).await).await;
}

#[tokio::test]
async fn one_sample_replaced_by_another_of_the_same_number_is_found_by_the_writes_alone() {
    let server = Mongod::start(&TESTING);
    let (deployment, samples) = planted(&server, MANY).await;
    let running = about_to_verify(&server, &deployment).await;
    let collection = deployment.collection(&samples);
    collection.delete_one(doc! {}).await.unwrap();
    collection.insert_one(image_samples(1).next().unwrap()).await.unwrap();
    let ended = verified(running).await.with(0);
    assert!(ended.stderr.contains("1 samples that an older client wrote"), "{}", ended.stderr);
    assert_eq!(left(&deployment, &samples).await, 0);
}

#[tokio::test]
async fn a_dataset_that_a_lazy_client_has_written_back_is_a_failure_that_can_be_tried_again() {
    let server = Mongod::start(&TESTING);
    let (deployment, _) = planted(&server, 0).await;
    let old = deployment.dataset("busy").await;
    let running = about_to_verify(&server, &deployment).await;
    let id = doc! { "_id": old.get("_id").unwrap() };
    deployment.collection("datasets").replace_one(id, old).await.unwrap();
    let ended = verified(running).await.with(3);
    assert!(
        ended.stderr.contains("dataset `busy` was migrated, but is at v0.18.0 now"),
        "{}",
        ended.stderr
    );
    let (json, _) = shown(&deployment).await;
    assert_eq!(json["run"]["state"], "completed_with_failures");
    let id = json["run"]["id"].as_str().unwrap().to_owned();
    deployment.led_by(program!(["runs", "retry", &id])).run().await.exits_with(0);
    deployment.assert_newest().await;
    assert_eq!(shown(&deployment).await.0["run"]["state"], "completed");
}

#[tokio::test]
async fn a_broken_promise_is_a_failure_until_it_is_mended() {
    let server = Mongod::start(&TESTING);
    let (deployment, _) = planted(&server, 0).await;
    let running = about_to_verify(&server, &deployment).await;
    let datasets = deployment.collection("datasets");
    let embedded =
        doc! { "$set": { "evaluations.mine": { "key": "mine" } }, "$unset": { "slug": 1 } };
    datasets.update_one(doc! { "name": "busy" }, embedded).await.unwrap();
    let ended = verified(running).await.with(3);
    for wrong in ["it has no `slug`", "it has the run `evaluations.mine` inside its document"] {
        assert!(ended.stderr.contains(wrong), "{}", ended.stderr);
    }
    assert!(ended.stdout.contains("1 dataset migrated"), "{}", ended.stdout);
    let (json, text) = shown(&deployment).await;
    assert_eq!(json["run"]["state"], "completed_with_failures");
    assert!(text.contains("1 altered after it was migrated (busy)"), "{text}");
    let id = json["run"]["id"].as_str().unwrap().to_owned();

    // Trying again without mending it finds the same.
    let again = deployment.led_by(program!(["runs", "retry", &id])).run().await.with(3);
    assert!(again.stderr.contains("it has no `slug`"), "{}", again.stderr);
    let mended = doc! { "$set": { "slug": "busy" }, "$unset": { "evaluations.mine": 1 } };
    datasets.update_one(doc! { "name": "busy" }, mended).await.unwrap();
    deployment.led_by(program!(["runs", "retry", &id])).run().await.exits_with(0);
    assert_eq!(shown(&deployment).await.0["run"]["state"], "completed");
    let checks = deployment.jobs().collection::<Document>("run_checks");
    assert_eq!(checks.count_documents(doc! {}).await.unwrap(), 0);
}

#[tokio::test]
async fn a_verification_that_is_killed_goes_on_where_it_was() {
    let server = Mongod::start(&TESTING);
    let deployment = Deployment::on(&server, "fiftyone").await;
    deployment.configure("0.18.0").await;
    // Several groups.
    let datasets: Vec<Document> =
        (0..700).map(|it| image_dataset(&format!("dataset {it:03}"))).collect();
    let last = datasets[699].get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", datasets).await;
    deployment.plant(&last, image_samples(5)).await;
    let running = about_to_verify(&server, &deployment).await;
    let checks = deployment.jobs().collection::<Document>("run_checks");
    let groups = checks.count_documents(doc! {}).await.unwrap();
    assert!(groups > 3, "{groups} groups");
    let (running, _wire) = running;
    running.signal(Signal::SIGKILL);
    assert_eq!(running.ended().await.status, None);

    // As if it had verified all of them but the one of the last dataset: what is done is not looked at again.
    let of_last = doc! { "datasets.collections.collection": &last };
    let others = doc! { "$nor": [&of_last] };
    checks.update_many(others, doc! { "$set": { "done": true } }).await.unwrap();
    let broken = doc! { "$unset": { "slug": 1 } };
    let collection = deployment.collection("datasets");
    collection.update_one(doc! { "name": "dataset 000" }, broken.clone()).await.unwrap();
    collection.update_one(doc! { "name": "dataset 699" }, broken).await.unwrap();
    deployment.collection(&last).delete_one(doc! {}).await.unwrap();
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    assert!(
        ended.stderr.contains("dataset `dataset 699` was migrated, but it has no `slug`"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("dataset `dataset 699`: it has 1 samples fewer"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("dataset 000"), "{}", ended.stderr);
    let (json, _) = shown(&deployment).await;
    assert_eq!(json["run"]["state"], "completed_with_failures");
    assert_eq!((&json["run"]["verified"], &json["run"]["to_verify"]), (&700.into(), &700.into()));
    assert_eq!(deployment.version().await, NEWEST);
}

#[tokio::test]
async fn what_was_found_before_a_verification_was_killed_is_not_forgotten() {
    let server = Mongod::start(&TESTING);
    let (deployment, _) = planted(&server, 0).await;
    let (running, wire) = about_to_verify(&server, &deployment).await;
    let broken = doc! { "$unset": { "slug": 1 } };
    deployment.collection("datasets").update_one(doc! { "name": "busy" }, broken).await.unwrap();
    // It has looked at all, and comes to noting that it has.
    wire.hold(1, "update", CHECKS);
    wire.held(1).await;
    let noted = deployment.jobs().collection::<Document>("run_datasets");
    assert!(noted.find_one(doc! { "cause": "altered" }).await.unwrap().is_some());
    running.signal(Signal::SIGKILL);
    assert_eq!(running.ended().await.status, None);
    let checks = deployment.jobs().collection::<Document>("run_checks");
    checks.update_many(doc! {}, doc! { "$set": { "done": true, "wrong": true } }).await.unwrap();

    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    assert!(ended.stderr.contains("it has no `slug`"), "{}", ended.stderr);
    assert_eq!(shown(&deployment).await.0["run"]["state"], "completed_with_failures");
}

#[tokio::test]
async fn what_is_written_on_a_replica_set_after_it_was_looked_at_is_looked_at_again() {
    let server = Mongod::replica_set_of_one(&TESTING).await;
    let (deployment, samples) = planted(&server, 0).await;
    let (running, wire) = about_to_verify(&server, &deployment).await;
    // It has looked at all, and comes to noting that it has.
    wire.hold(1, "update", CHECKS);
    wire.held(1).await;
    lazily(&deployment, &samples).await;
    let broken = doc! { "$unset": { "slug": 1 } };
    deployment.collection("datasets").update_one(doc! { "name": "quiet" }, broken).await.unwrap();
    let ended = verified((running, wire)).await.with(3);
    assert!(ended.stderr.contains("2 samples that an older client wrote"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("dataset `quiet` was migrated, but it has no `slug`"),
        "{}",
        ended.stderr
    );
    assert_eq!(left(&deployment, &samples).await, 0);
}

#[tokio::test]
async fn a_change_stream_that_cannot_be_had_is_told_once_and_everything_is_looked_at_again() {
    let server = Mongod::replica_set_of_one(&TESTING).await;
    let (deployment, samples) = planted(&server, 0).await;
    let running = about_to_verify(&server, &deployment).await;
    // The oplog does not reach back any more.
    let lost = doc! {
        "configureFailPoint": "failCommand", "mode": "alwaysOn",
        "data": {
            "failCommands": ["aggregate"], "namespace": "fiftyone.$cmd.aggregate", "errorCode": 286,
            "appName": "fiftyone-migrate",
        },
    };
    server.client().await.database("admin").run_command(lost).await.unwrap();
    lazily(&deployment, &samples).await;
    verified(running).await.exits_with(0);
    assert_eq!(left(&deployment, &samples).await, 0);
    let (json, _) = shown(&deployment).await;
    let log = json["log"].to_string();
    assert_eq!(log.matches("cannot follow by a change stream").count(), 1, "{log}");
}

#[tokio::test]
async fn what_is_too_large_to_be_looked_into_at_once_is_looked_into_in_ranges() {
    let server = Mongod::start(&TESTING);
    let (deployment, samples) = planted(&server, 0).await;
    // More than two ranges.
    deployment.plant(&samples, image_samples(110_000)).await;
    let running = about_to_verify(&server, &deployment).await;
    lazily(&deployment, &samples).await;
    // How it stands, with the others and alone, and looking into it, with the others and alone.
    let slow = doc! {
        "configureFailPoint": "failCommand", "mode": { "times": 4 },
        "data": {
            "failCommands": ["aggregate"], "namespace": format!("fiftyone.{samples}"), "errorCode": 50,
            "appName": "fiftyone-migrate",
        },
    };
    server.client().await.database("admin").run_command(slow).await.unwrap();
    let ended = verified(running).await.with(0);
    assert!(ended.stderr.contains("2 samples that an older client wrote"), "{}", ended.stderr);
    assert_eq!(left(&deployment, &samples).await, 0);
    let marks = deployment.jobs().collection::<Document>("run_marks");
    assert_eq!(marks.count_documents(doc! {}).await.unwrap(), 0);
}
