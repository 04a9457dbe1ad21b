//! Stopping in the middle, wherever that is, and doing the same again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{DateTime, doc};
use engine::State as Became;
use nix::sys::signal::Signal;
use tests::{
    Deployment, Mongod, State, Wire, assert_same, image_dataset, image_samples, program, timeless,
    to, ways_down, ways_up,
};

#[tokio::test]
async fn ctrl_c_stops_at_a_batch_edge_says_what_state_things_are_in_and_the_same_again_completes_it()
 {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let deployment = Deployment::at("0.18.0").await;
        let dataset = image_dataset("large");
        let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
        deployment.plant("datasets", [dataset.clone()]).await;
        deployment.plant(&samples, image_samples(100_000)).await;
        // After a trial of the whole at once, some ranges: not all of them are begun.
        let (there, wire) = deployment.held(3, "update", "samples").await;
        let running = there.led_by(program!(["--all"])).spawn();
        wire.held(1).await;
        running.signal(signal);
        // It hears that before it hears of what it waits for.
        wire.release();
        let ended = running.ended().await.with(1);
        assert!(
            ended.stderr.starts_with("stopping at the next batch edge ...\n"),
            "{}",
            ended.stderr
        );
        let said = ended.stderr.lines().nth(1).unwrap();
        assert!(said.ends_with("some seconds at most; another Ctrl-C changes nothing"), "{said}");
        assert!(ended.stderr.contains("1 dataset stopped in the middle"), "{}", ended.stderr);
        assert_eq!(deployment.dataset("large").await, dataset);
        let begun = doc! { "created_at": { "$exists": true } };
        let changed = deployment.collection(&samples).count_documents(begun).await.unwrap();
        assert!(0 < changed && changed < 100_000, "{changed} samples were changed");

        deployment.led_by(program!(["--all"])).run().await.exits_with(0);
        deployment.assert_newest().await;
        let left = doc! { "$or": [{ "created_at": null }, { "_dataset_id": null }] };
        assert_eq!(deployment.collection(&samples).count_documents(left).await.unwrap(), 0);
        assert_eq!(deployment.collection("runs").count_documents(doc! {}).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn a_program_that_is_killed_leaves_what_the_same_again_completes() {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("large");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset.clone()]).await;
    deployment.plant(&samples, image_samples(50_000)).await;
    let place = format!("{}.samples", deployment.database.name());
    let wire = Wire::before(Mongod::shared(), 3, "update", &place).await;
    let there = deployment.behind(&wire);
    let running = there.led_by(program!(["--all"])).spawn();
    assert_eq!(running.killed_at(wire.cut()).await.status, None);
    assert!(deployment.collection("runs").find_one(doc! {}).await.unwrap().is_some());
    assert_eq!(deployment.dataset("large").await, dataset);
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    assert_eq!(deployment.collection("runs").count_documents(doc! {}).await.unwrap(), 2);
}

/// A server whose writes to one collection can be made to fail.
async fn fail(server: &Mongod, command: &str, namespace: &str, on: bool) {
    let failure = doc! {
        "configureFailPoint": "failCommand",
        "mode": if on { "alwaysOn" } else { "off" },
        "data": { "failCommands": [command], "namespace": namespace, "errorCode": 8, "appName": "fiftyone-migrate" },
    };
    server.client().await.database("admin").run_command(failure).await.unwrap();
}

/// Migrates `state`, once undisturbed and once interrupted right before the commit, and compares.
async fn interrupted_before_the_commit(server: &Mongod, name: &str, state: &State, target: &str) {
    let begun = DateTime::now();
    let undisturbed = Deployment::planted(server, &format!("{name}-a"), state).await;
    let disturbed = Deployment::planted(server, &format!("{name}-b"), state).await;
    let reached = undisturbed.migrate(to(target)).await;

    let namespace = format!("{name}-b.datasets");
    fail(server, "update", &namespace, true).await;
    let failed = disturbed.migrate(to(target)).await;
    fail(server, "update", &namespace, false).await;
    assert_eq!(failed.count(Became::Failed), reached.count(Became::Migrated), "{name}");
    assert_eq!(disturbed.all("datasets").await, state.collections["datasets"], "{name}");

    let completed = disturbed.migrate(to(target)).await;
    assert_eq!(completed.count(Became::Migrated), reached.count(Became::Migrated), "{name}");
    let expected = timeless(undisturbed.dump().await, begun);
    let found = timeless(disturbed.dump().await, begun);
    assert_same(name, &expected, &found);
    for it in [undisturbed, disturbed] {
        it.database.drop().await.unwrap();
    }
}

#[tokio::test]
async fn every_way_up_can_be_interrupted_before_its_commit_and_run_again() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    for (name, state, target) in ways_up() {
        interrupted_before_the_commit(&server, &name, &state, target).await;
    }
}

#[tokio::test]
async fn every_way_down_can_be_interrupted_before_its_commit_and_run_again() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    for (name, state, target) in ways_down() {
        interrupted_before_the_commit(&server, &name, &state, target).await;
    }
}

#[tokio::test]
async fn what_cannot_be_removed_is_told_and_the_dataset_is_migrated() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::planted(&server, "fiftyone", &State::newest()).await;
    fail(&server, "delete", "fiftyone.runs", true).await;
    let report = deployment.migrate(to("0.18.0")).await;
    assert_eq!(report.count(Became::Migrated), 3);
    let warnings: Vec<&String> = report.datasets.iter().flat_map(|it| &it.warnings).collect();
    assert!(warnings.iter().any(|it| it.contains("could not be removed")), "{warnings:?}");
    deployment.assert_all_at("0.18.0").await;
}

#[tokio::test]
async fn a_lost_connection_ends_the_run_and_leaves_what_the_same_again_completes() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::on(&server, "fiftyone").await;
    deployment.configure("0.18.0").await;
    let datasets: Vec<_> = (0..300).map(|it| image_dataset(&format!("dataset {it:03}"))).collect();
    deployment.plant("datasets", datasets).await;
    let lost = doc! {
        "configureFailPoint": "failCommand", "mode": { "skip": 1 },
        "data": {
            "failCommands": ["update"], "namespace": "fiftyone.datasets", "closeConnection": true,
            "appName": "fiftyone-migrate",
        },
    };
    server.client().await.database("admin").run_command(lost).await.unwrap();
    let ended = deployment.led_by(program!(["--all"])).run().await.with(1);
    assert!(ended.stderr.contains("MongoDB cannot be reached any more"), "{}", ended.stderr);
    fail(&server, "update", "fiftyone.datasets", false).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    assert_eq!(deployment.collection("runs").count_documents(doc! {}).await.unwrap(), 600);
}

#[tokio::test]
async fn what_a_run_could_not_remove_is_removed_by_the_same_again() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::planted(&server, "left", &State::newest()).await;
    let runs = deployment.collection("runs");
    let all = runs.count_documents(doc! {}).await.unwrap();
    assert!(all > 0);
    server.fail("delete", "left.runs", true).await;
    let report = deployment.migrate(to("0.18.0")).await;
    server.fail("delete", "left.runs", false).await;
    assert_eq!(report.count(Became::Failed), 0);
    let told = report.datasets.iter().flat_map(|it| &it.warnings);
    assert!(told.into_iter().any(|it| it.contains("could not be removed")));
    deployment.assert_all_at("0.18.0").await;
    assert_eq!(runs.count_documents(doc! {}).await.unwrap(), all);

    assert_eq!(deployment.migrate(to("0.18.0")).await.count(Became::Migrated), 0);
    assert_eq!(runs.count_documents(doc! {}).await.unwrap(), 0);
    assert_eq!(deployment.migrate(to("0.18.0")).await.run, None, "nothing is left to do");
}
