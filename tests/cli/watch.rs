//! Runs as the command line lists them, and beginning and awaiting them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::Document;
use serde_json::Value;
use tests::{Deployment, Running, Wire, program};
use tokio::time::timeout;

/// How long a program may take to come to the middle of its work.
const LIMIT: Duration = Duration::from_mins(10);

/// All runs, newest first.
pub async fn runs(deployment: &Deployment) -> Vec<Value> {
    let listed = deployment.seen_by(program!(["runs", "--json"])).run().await.with(0);
    listed.json().as_array().unwrap().clone()
}

/// The only one.
pub async fn the_run(deployment: &Deployment) -> Value {
    let runs = runs(deployment).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// Its id.
pub async fn id(deployment: &Deployment) -> String {
    the_run(deployment).await["id"].as_str().unwrap().to_owned()
}

/// Begins something with an admin's rights.
pub fn led(deployment: &Deployment, arguments: &[&str]) -> Running {
    deployment.led_by(program!(arguments)).spawn()
}

/// Begins something with an admin's rights, and holds it in the middle: some samples of the dataset `large` are changed, so
/// that they are as described, and the others are not until the wire lets that through.
pub async fn held(deployment: &Deployment, arguments: &[&str], what: Document) -> (Running, Wire) {
    // The first tries the whole at once, and may change nothing; the second is a range.
    let (there, wire) = deployment.held(3, "update", "samples").await;
    let running = led(&there, arguments);
    let middle = async {
        wire.held(1).await;
        until_a_sample_has(deployment, what).await;
    };
    timeout(LIMIT, middle).await.unwrap();
    (running, wire)
}

/// Returns when a sample of the dataset `large` is as described.
pub async fn until_a_sample_has(deployment: &Deployment, what: Document) {
    let dataset = deployment.dataset("large").await;
    let samples = deployment.collection(dataset.get_str("sample_collection_name").unwrap());
    while samples.find_one(what.clone()).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
