//! How fast a run goes, and that it waits for a replica set that cannot keep up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use bson::doc;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{Deployment, Mongod, Running, image_dataset, image_samples, program};

const LIMIT: Duration = Duration::from_secs(90);

async fn large(deployment: &Deployment, samples: u32) {
    deployment.configure("0.18.0").await;
    let dataset = image_dataset("large");
    let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&collection, image_samples(samples)).await;
}

/// A run that waits for a server.
async fn detached(deployment: &Deployment) -> String {
    let left = deployment.led_by(program!(["--all", "--detach", "--json"])).run().await.with(0);
    left.json()["id"].as_str().unwrap().to_owned()
}

async fn paced(deployment: &Deployment, id: &str, flags: &[&str]) -> Value {
    let arguments = [&["runs", "pace", id, "--json"], flags].concat();
    deployment.led_by(program!(arguments)).run().await.with(0).json()
}

fn server(deployment: &Deployment) -> Running {
    deployment.led_by(program!(["serve", "--listen", "127.0.0.1:0"])).spawn()
}

async fn shown(deployment: &Deployment, id: &str) -> Value {
    deployment.seen_by(program!(["runs", "show", id, "--json"])).run().await.with(0).json()
}

/// Waits until a run shows what is looked for.
async fn until(deployment: &Deployment, id: &str, what: &str, found: fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let run = shown(deployment, id).await;
        if found(&run["run"]) {
            return run;
        }
        assert!(begun.elapsed() < LIMIT, "never seen: {what}; {run}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn log(run: &Value) -> Vec<&str> {
    run["log"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_run_goes_as_fast_as_it_is_told_and_its_log_says_what_happened() {
    let deployment = Deployment::empty().await;
    large(&deployment, 20_000).await;
    let id = detached(&deployment).await;
    let run = paced(&deployment, &id, &["--side-by-side", "0", "--batch", "50"]).await;
    let pace = serde_json::json!({ "side_by_side": 1, "batch_ms": 50, "lag_s": 10 });
    assert_eq!(run["pace"], pace);
    let refused =
        deployment.seen_by(program!(["runs", "pace", &id, "--batch", "9"])).run().await.with(1);
    assert!(refused.stderr.contains("FIFTYONE_DATABASE_ADMIN=true"), "{}", refused.stderr);
    let server = server(&deployment);
    let run = until(&deployment, &id, "completed", |it| it["state"] == "completed").await;
    assert_eq!(run["run"]["pace"], pace);
    assert_eq!(run["run"]["ahead"], 0);
    let log = log(&run);
    let expected =
        ["shall run 1 operations side by side", "goes on; it was planned", "is verifying"];
    for (line, expected) in log.iter().zip(expected) {
        assert!(line.starts_with(expected), "{log:?}");
    }
    assert_eq!(log[3], "is completed, 20000 samples and frames passed over");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_run_holds_while_a_replica_set_cannot_keep_up_and_goes_on_by_itself() {
    let servers = Mongod::replica_set(3).await;
    let mut deployment = Deployment::on(&servers[0], "fiftyone").await;
    let hosts: Vec<String> = servers.iter().map(Mongod::address).collect();
    deployment.uri = format!("mongodb://{}/?replicaSet=rs", hosts.join(","));
    large(&deployment, 60_000).await;
    let id = detached(&deployment).await;
    paced(&deployment, &id, &["--lag", "1", "--side-by-side", "1", "--batch", "10"]).await;
    let server = server(&deployment);
    until(&deployment, &id, "begun", |it| it["documents"].as_u64() > Some(0)).await;
    let mut secondaries = Vec::new();
    for it in &servers[1..] {
        let admin = it.client().await.database("admin");
        admin.run_command(doc! { "fsync": 1, "lock": true }).await.unwrap();
        secondaries.push(admin);
    }
    let held = until(&deployment, &id, "holding", |it| it["holding"].is_string()).await;
    for admin in secondaries {
        admin.run_command(doc! { "fsyncUnlock": 1 }).await.unwrap();
    }
    let holding = held["run"]["holding"].as_str().unwrap();
    assert!(holding.contains("s behind, and the limit is 1 s"), "{holding}");
    let run = until(&deployment, &id, "completed", |it| it["state"] == "completed").await;
    let log = log(&run);
    assert!(log.iter().any(|it| it.starts_with("holds: ")), "{log:?}");
    assert!(log.contains(&"goes on: the replica set has caught up"), "{log:?}");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    deployment.assert_newest().await;
}
