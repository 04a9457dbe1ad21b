//! Looking writes nothing: the server's own counters and hashes are the same afterwards.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::Client;
use tests::{Deployment, Mongod, State, image_dataset, program, ready};

const RUNS: &str = "fiftyone_migrate";

/// Commands that change something, whatever they find.
const WRITES: [&str; 10] = [
    "insert",
    "update",
    "delete",
    "findAndModify",
    "create",
    "createIndexes",
    "collMod",
    "drop",
    "dropDatabase",
    "dropIndexes",
];

/// All that the server tells about what was ever written to it.
#[derive(Debug, PartialEq)]
struct Written {
    databases: Vec<String>,
    /// The hashes of FiftyOne's database and of the one for runs.
    hashes: Vec<Document>,
    /// How many writes of each kind arrived, from clients and from other members.
    counters: Vec<Document>,
    /// How many documents they changed.
    documents: Document,
    commands: Vec<Option<Bson>>,
    /// Where there is an oplog, its latest entry that is not the heartbeat of the replica set.
    latest: Option<Document>,
}

async fn written(deployment: &Deployment) -> Written {
    let client = deployment.database.client();
    let hash = async |name: &str| {
        let answer = client.database(name).run_command(doc! { "dbHash": 1 }).await.unwrap();
        doc! { "collections": answer.get("collections"), "md5": answer.get("md5") }
    };
    let status = client.database("admin").run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let counters = ["opcounters", "opcountersRepl"].map(|it| {
        let all = status.get_document(it).unwrap();
        ["insert", "update", "delete"]
            .iter()
            .map(|it| ((*it).to_owned(), all.get(it).unwrap().clone()))
            .collect()
    });
    let metrics = status.get_document("metrics").unwrap();
    let mut documents = metrics.get_document("document").unwrap().clone();
    documents.remove("returned");
    let totals = metrics.get_document("commands").unwrap();
    let total = |it: &str| totals.get_document(it).ok()?.get("total").cloned();
    Written {
        databases: client.list_database_names().await.unwrap(),
        hashes: vec![hash(deployment.database.name()).await, hash(RUNS).await],
        counters: counters.to_vec(),
        documents,
        commands: WRITES.map(total).to_vec(),
        latest: latest(client).await,
    }
}

/// Waits until the server has written what it writes for itself when it is new: a replica set two keys, among others. It
/// counts that as well, and all later looks are compared exactly.
async fn settled(deployment: &Deployment, keys: u64) {
    let client = deployment.database.client();
    let made = client.database("admin").collection::<Document>("system.keys");
    let quiet = async || {
        let before = written(deployment).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let there = made.count_documents(doc! {}).await.unwrap() >= keys;
        let is_quiet = there && written(deployment).await == before;
        if is_quiet { Ok(()) } else { Err("it still writes") }
    };
    ready::wait_for("the server to be done with itself", quiet).await.unwrap();
}

async fn latest(client: &Client) -> Option<Document> {
    let oplog = client.database("local").collection::<Document>("oplog.rs");
    // The server keeps books of its own in these.
    let ours = doc! { "op": { "$ne": "n" }, "ns": { "$not": { "$regex": r"^(config|admin)\." } } };
    oplog.find_one(ours).sort(doc! { "$natural": -1 }).await.unwrap()
}

async fn all_that_only_looks_writes_nothing(deployment: &Deployment, keys: u64) {
    deployment.plant_all(&State::down_to("0.18.0").collections).await;
    let mut fleeting = image_dataset("not persistent");
    fleeting.insert("persistent", false);
    deployment.plant("datasets", [fleeting]).await;

    settled(deployment, keys).await;

    // Before there is a run, and a database for runs.
    let before = written(deployment).await;
    assert!(!before.databases.contains(&RUNS.to_owned()));
    let looks: [&[&str]; 11] = [
        &["--info"],
        &["--info", "--json"],
        &["--info", "-n", "vid"],
        &["--dry-run"],
        &["--all", "--dry-run"],
        &["--all", "--dry-run", "--json", "-v", "1.0.0"],
        &["--all", "--dry-run", "-v", "0.17.2"],
        &["-n", "vid", "--dry-run"],
        &["-n", "vid", "grp", "--dry-run", "-v", "0.17.2"],
        &["runs"],
        &["runs", "--json"],
    ];
    for arguments in looks {
        deployment.led_by(program!(arguments)).run().await.exits_with(0);
        assert_eq!(written(deployment).await, before, "{arguments:?}");
    }
    let unknown = ["runs", "show", "0123456789abcdef01234567"];
    deployment.led_by(program!(unknown)).run().await.exits_with(1);
    assert_eq!(written(deployment).await, before, "{unknown:?}");

    // And after one, halfway.
    deployment.led_by(program!(["--all", "-v", "1.0.0"])).run().await.exits_with(0);
    let before = written(deployment).await;
    assert!(before.databases.contains(&RUNS.to_owned()));
    let runs = deployment.led_by(program!(["runs", "--json"])).run().await.with(0).json();
    let id = runs[0]["id"].as_str().unwrap();
    let shown: [&[&str]; 3] =
        [&["runs", "show", id], &["runs", "show", id, "--json"], &["runs", "watch", id]];
    for arguments in looks.into_iter().chain(shown) {
        deployment.led_by(program!(arguments)).run().await.exits_with(0);
        assert_eq!(written(deployment).await, before, "{arguments:?}");
    }
}

#[tokio::test]
async fn looking_writes_nothing_anywhere_on_a_server() {
    let server = Mongod::start(&[]);
    all_that_only_looks_writes_nothing(&Deployment::on(&server, "fiftyone").await, 0).await;
}

#[tokio::test]
async fn looking_writes_nothing_anywhere_on_a_replica_set() {
    let servers = Mongod::replica_set(1).await;
    all_that_only_looks_writes_nothing(&Deployment::on(&servers[0], "fiftyone").await, 2).await;
}

/// What the counters do not show is not proven by them.
#[tokio::test]
async fn what_is_written_is_seen() {
    let servers = Mongod::replica_set(1).await;
    let deployment = Deployment::on(&servers[0], "fiftyone").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    settled(&deployment, 2).await;
    let before = written(&deployment).await;
    assert_eq!(written(&deployment).await, before);
    let matched = doc! { "$set": { "name": "one" } };
    deployment.collection("datasets").update_one(doc! { "name": "one" }, matched).await.unwrap();
    let changed_nothing = written(&deployment).await;
    assert_ne!(changed_nothing, before);
    deployment
        .collection("datasets")
        .create_index(mongodb::IndexModel::builder().keys(doc! { "name": 1 }).build())
        .await
        .unwrap();
    assert_ne!(written(&deployment).await, changed_nothing);
}
