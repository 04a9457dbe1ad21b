//! A server that wakes up after somebody else has taken its run over leaves that run alone.

use std::time::Duration;

use bson::{DateTime, Document, doc};
use nix::sys::signal::Signal;
use tests::{Deployment, image_dataset, image_samples, program};

use crate::watch::held;

#[tokio::test]
async fn a_server_whose_run_was_taken_over_does_not_declare_it_failed() {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("large");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, image_samples(100_000)).await;
    deployment.led_by(program!(["--all", "--detach"])).run().await.exits_with(0);
    let begun = doc! { "created_at": { "$exists": true } };
    let (server, wire) = held(&deployment, &["serve", "--listen", "127.0.0.1:0"], begun).await;
    server.signal(Signal::SIGSTOP);
    // What it has sent before it fell asleep arrives.
    wire.release();

    // As somebody on another machine would leave it, a lease later.
    let runs = deployment.database.client().database("fiftyone_migrate");
    let (leases, jobs) =
        (runs.collection::<Document>("leases"), runs.collection::<Document>("runs"));
    let ours = doc! { "database": deployment.database.name() };
    let hour = DateTime::from_millis(DateTime::now().timestamp_millis() + 3_600_000);
    let taken =
        doc! { "$inc": { "fence": 1 }, "$set": { "expires": hour, "holder.machine": "another" } };
    leases.update_one(doc! { "_id": deployment.database.name() }, taken).await.unwrap();
    jobs.update_one(ours.clone(), doc! { "$inc": { "fence": 1 } }).await.unwrap();
    let theirs = jobs.find_one(ours.clone()).await.unwrap();
    let after = deployment.dump().await;

    server.signal(Signal::SIGCONT);
    // It has found out when it looks for other runs again, which it does not do while it carries one out.
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    // It may have offered to help whoever has it now.
    let alone = |it: Option<Document>| {
        it.map(|mut it| {
            it.remove("hands");
            it
        })
    };
    assert_eq!(alone(jobs.find_one(ours).await.unwrap()), alone(theirs));
    // What was under way when it fell asleep may have ended since.
    let datasets = |it: &tests::Dump| it["datasets"].clone();
    assert_eq!(datasets(&deployment.dump().await), datasets(&after));
}
