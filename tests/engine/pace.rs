//! How fast a run goes, and that it waits for a replica set that cannot keep up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use bson::doc;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{Deployment, Mongod, Running, image_dataset, image_samples, program};

const LIMIT: Duration = Duration::from_mins(10);

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

fn log(run: &Value) -> Vec<&str> {
    run["log"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_run_goes_as_fast_as_it_is_told_and_its_log_says_what_happened() {
    let deployment = Deployment::empty().await;
    large(&deployment, 20_000).await;
    let id = detached(&deployment).await;
    let flags =
        ["--side-by-side", "1", "--batch", "50", "--flow", "0", "--oplog", "5", "--disk", "1"];
    let run = paced(&deployment, &id, &flags).await;
    let pace = serde_json::json!({
        "side_by_side": 1, "batch_ms": 50, "lag_s": 10, "flow_per_s": 0, "oplog_min": 5, "disk_mib": 1,
    });
    assert_eq!(run["pace"], pace);
    let senseless = program!(["runs", "pace", &id, "--side-by-side", "0"]);
    let refused = deployment.led_by(senseless).run().await;
    refused.refused(1, "0 operations side by side make no sense; use 1 to 32");
    let refused =
        deployment.seen_by(program!(["runs", "pace", &id, "--batch", "9"])).run().await.with(1);
    assert!(refused.stderr.contains("FIFTYONE_DATABASE_ADMIN=true"), "{}", refused.stderr);
    let server = server(&deployment);
    let run = deployment.until(&id, "completed", |it| it["state"] == "completed").await;
    assert_eq!(run["run"]["pace"], pace);
    assert_eq!(run["run"]["ahead"], 0);
    // Of each dataset, how far it is, what was written and when; and the same of the run.
    let dataset = &run["datasets"][0];
    assert_eq!((&dataset["documents"], &dataset["ahead"]), (&20_000.into(), &Value::Null));
    assert!(dataset["bytes"].as_u64().unwrap() > 20_000 * 100, "{dataset}");
    assert_eq!(run["run"]["bytes"], dataset["bytes"]);
    let [started, last, ended] =
        ["started", "last_write", "ended"].map(|it| dataset[it].as_str().unwrap());
    assert!(started <= last && last <= ended, "{dataset}");
    let listed = program!(["runs", "show", &id, "--datasets"]);
    let listed = deployment.seen_by(listed).run().await.with(0);
    assert!(
        listed.stdout.contains("  large: migrated\n    20,000 samples and frames, about "),
        "{}",
        listed.stdout
    );
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
    deployment.uri = Mongod::uri_of_set(&servers);
    large(&deployment, 150_000).await;
    // The server slows everybody down for the others before long.
    let primary = deployment.database.client().database("admin");
    let sooner = doc! { "setParameter": 1, "flowControlTargetLagSeconds": 1 };
    primary.run_command(sooner).await.unwrap();
    let id = detached(&deployment).await;
    let flags = ["--lag", "1", "--flow", "1000000", "--side-by-side", "1", "--batch", "10"];
    paced(&deployment, &id, &flags).await;
    let mut secondaries = Vec::new();
    for it in &servers[1..] {
        secondaries.push(it.client().await.database("admin"));
    }
    let server = server(&deployment);
    deployment.until(&id, "begun", |it| it["documents"].as_u64() > Some(0)).await;
    for admin in &secondaries {
        admin.run_command(doc! { "fsync": 1, "lock": true }).await.unwrap();
    }
    let held = deployment.until(&id, "holding", |it| {
        let holds = |why: &str| it["holding"].as_str().is_some_and(|it| it.contains(why));
        holds("s behind, and the limit is 1 s") && holds("are behind, and the limit is 1000000")
    });
    let held = held.await;
    for admin in secondaries {
        admin.run_command(doc! { "fsyncUnlock": 1 }).await.unwrap();
    }
    let holding = held["run"]["holding"].as_str().unwrap();
    assert!(holding.contains("flow control lets "), "{holding}");
    let run = deployment.until(&id, "completed", |it| it["state"] == "completed").await;
    let log = log(&run);
    assert!(log.iter().any(|it| it.starts_with("holds: ")), "{log:?}");
    assert!(log.contains(&"goes on: nothing is beyond its limit any more"), "{log:?}");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    deployment.assert_newest().await;
}

/// How often a server was asked for its status, but for this time.
async fn asked_for_status(deployment: &Deployment) -> i64 {
    let admin = deployment.database.client().database("admin");
    let status = admin.run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let commands = status.get_document("metrics").unwrap().get_document("commands").unwrap();
    commands.get_document("serverStatus").unwrap().get_i64("total").unwrap()
}

#[tokio::test]
async fn a_run_holds_before_an_oplog_is_lost_or_a_disk_is_full_and_goes_on_when_that_is_allowed() {
    // The smallest one there is: what was planted has pushed all out that was there before.
    let server = Mongod::replica_set_of_one(&["--oplogSize", "1"]).await;
    let deployment = Deployment::on(&server, "fiftyone").await;
    large(&deployment, 60_000).await;
    let id = detached(&deployment).await;
    paced(&deployment, &id, &["--oplog", "60", "--disk", "1000000000"]).await;
    let server = self::server(&deployment);
    let held = deployment.until(&id, "holding", |it| it["holding"].is_string()).await;
    let holding = held["run"]["holding"].as_str().unwrap();
    assert!(
        holding.contains("the oplog reaches back ")
            && holding.contains("the limit is 60 min: a member"),
        "{holding}"
    );
    assert!(
        holding.contains("are free on the server's disk, and the limit is 1000000000 MiB"),
        "{holding}"
    );
    // What nobody holds a run for any more is not told.
    paced(&deployment, &id, &["--disk", "0"]).await;
    let held = deployment.until(&id, "enough disk", |it| {
        it["holding"].as_str().is_some_and(|it| !it.contains("disk"))
    });
    held.await;
    // It takes long by now, and tells how long the rest takes.
    let run = deployment.until(&id, "an outlook", |it| it["remaining"].is_object()).await;
    let text = deployment.seen_by(program!(["runs", "show", &id])).run().await.with(0).stdout;
    assert!(
        text.contains("\nholds: the oplog reaches back ") && text.contains("\nleft: "),
        "{text}"
    );
    assert!(run["run"]["remaining"]["to_s"].as_u64() >= run["run"]["remaining"]["from_s"].as_u64());
    paced(&deployment, &id, &["--oplog", "0"]).await;
    let run = deployment.until(&id, "completed", |it| it["state"] == "completed").await;
    let log = log(&run);
    assert!(log.iter().any(|it| it.starts_with("holds: the oplog reaches back ")), "{log:?}");
    assert!(log.contains(&"goes on: nothing is beyond its limit any more"), "{log:?}");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_server_that_stands_alone_is_not_asked_about_replication() {
    let server = Mongod::start(&[]);
    let deployment = Deployment::on(&server, "fiftyone").await;
    large(&deployment, 20_000).await;
    let before = asked_for_status(&deployment).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_eq!(asked_for_status(&deployment).await, before + 1);
}

#[tokio::test]
async fn what_the_user_may_not_see_is_told_once_and_holds_nothing() {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "c2VjcmV0IG9mIGEgdGVzdA==").unwrap();
    let server =
        Mongod::start(&["--replSet", "rs", "--auth", "--keyFile", key.path().to_str().unwrap()]);
    let admin = server.client().await.database("admin");
    let members = [doc! { "_id": 0, "host": server.address() }];
    let initiate = doc! { "replSetInitiate": { "_id": "rs", "members": members.to_vec() } };
    admin.run_command(initiate).await.unwrap();
    let may = |role: &str, database: &str| doc! { "role": role, "db": database };
    let root = doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] };
    let begun = Instant::now();
    while admin.run_command(root.clone()).await.is_err() {
        assert!(begun.elapsed() < LIMIT, "the replica set elects no primary");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let uri = |user: &str| {
        server.uri().replace("mongodb://", &format!("mongodb://{user}:pw@")) + "&authSource=admin"
    };
    let client = mongodb::Client::with_uri_str(uri("root")).await.unwrap();
    let roles = [
        may("readWrite", "fiftyone"),
        may("dbAdmin", "fiftyone"),
        may("readWrite", "fiftyone_migrate"),
    ];
    let some = doc! { "createUser": "some", "pwd": "pw", "roles": roles.to_vec() };
    client.database("admin").run_command(some).await.unwrap();
    let deployment = Deployment { database: client.database("fiftyone"), uri: uri("some") };
    large(&deployment, 60_000).await;
    let id = detached(&deployment).await;
    // Slow enough to be looked at more than once.
    paced(&deployment, &id, &["--side-by-side", "1", "--batch", "10", "--oplog", "60"]).await;
    let server = self::server(&deployment);
    let run = deployment.until(&id, "completed", |it| it["state"] == "completed").await;
    let log = log(&run);
    let told = "cannot see what flow control does and how far the oplog reaches back, and does not hold because of it: the \
                MongoDB user lacks the privilege `serverStatus` on `admin`";
    assert_eq!(log.iter().filter(|it| it.starts_with(told)).count(), 1, "{log:?}");
    assert!(log.iter().all(|it| !it.starts_with("holds")), "{log:?}");
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
}

/// The latest of a database's operations, as its profiler has seen them: when they ended, and what they were.
async fn profiled(database: &mongodb::Database, filter: bson::Document) -> Vec<bson::Document> {
    use futures_util::TryStreamExt;
    let profile = database.collection::<bson::Document>("system.profile");
    profile.find(filter).sort(doc! { "ts": 1 }).await.unwrap().try_collect().await.unwrap()
}

#[tokio::test]
async fn a_pause_takes_effect_at_the_next_batch_edge_in_the_middle_of_a_large_collection() {
    let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::on(&mongod, "fiftyone").await;
    large(&deployment, 100_000).await;
    let samples = format!(
        "fiftyone.{}",
        deployment.dataset("large").await.get_str("sample_collection_name").unwrap()
    );
    // Each batch takes as long as it takes the program to look for wishes sixteen times.
    let slowly = |mode: &str| {
        doc! {
            "configureFailPoint": "failCommand", "mode": mode,
            "data": {
                "failCommands": ["update"], "namespace": &samples, "appName": "fiftyone-migrate",
                "blockConnection": true, "blockTimeMS": 4_000,
            },
        }
    };
    let admin = deployment.database.client().database("admin");
    admin.run_command(slowly("alwaysOn")).await.unwrap();
    let id = detached(&deployment).await;
    paced(&deployment, &id, &["--side-by-side", "1", "--batch", "50"]).await;
    for database in [&deployment.database, &deployment.jobs()] {
        database.run_command(doc! { "profile": 2 }).await.unwrap();
    }
    let server = server(&deployment);
    deployment.until(&id, "begun", |it| it["documents"].as_u64() > Some(0)).await;
    let paused = deployment.led_by(program!(["runs", "pause", &id])).run().await.with(0);
    assert!(paused.stdout.starts_with(&format!("Run {id} is paused: ")), "{}", paused.stdout);
    let run = deployment.shown(&id).await;
    assert!(run["run"]["documents"].as_u64() < Some(100_000), "{run}");
    let dataset = &run["datasets"][0];
    assert_eq!(dataset["state"], "interrupted");
    // What is done and what is to do is told of the dataset as well.
    let [done, ahead] = ["documents", "ahead"].map(|it| dataset[it].as_u64().unwrap());
    assert_eq!((done + ahead, done), (100_000, run["run"]["documents"].as_u64().unwrap()));

    let wish = profiled(&deployment.jobs(), doc! { "command.u.$set.state": "pausing" }).await;
    let wished = *wish[0].get_datetime("ts").unwrap();
    let writes = profiled(&deployment.database, doc! { "op": "update", "ns": &samples }).await;
    let begun = |it: &bson::Document| {
        let took = i64::from(it.get_i32("millis").unwrap());
        it.get_datetime("ts").unwrap().timestamp_millis() - took
    };
    let late = writes.iter().filter(|it| begun(it) > wished.timestamp_millis()).count();
    // One was about to be sent in that moment, perhaps.
    assert!(!writes.is_empty() && late <= 1, "{late} of {} batches", writes.len());
    admin.run_command(slowly("off")).await.unwrap();

    deployment.led_by(program!(["runs", "resume", &id])).run().await.exits_with(0);
    let run = deployment.shown(&id).await;
    assert_eq!(run["datasets"][0]["documents"], 100_000);
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_plan_tells_how_long_it_takes_by_what_earlier_runs_took() {
    let deployment = Deployment::empty().await;
    large(&deployment, 30_000).await;
    let planned = async || {
        let dry = ["--all", "--dry-run"];
        let text = deployment.seen_by(program!(dry)).run().await.with(0).stdout;
        let json =
            deployment.seen_by(program!(["--all", "--dry-run", "--json"])).run().await.with(0);
        (text, json.json()["estimate"].clone())
    };
    let (text, estimate) = planned().await;
    assert_eq!(estimate["documents"], serde_json::json!({ "least": 30_000, "most": 30_000 }));
    assert!(text.contains("To do: 1 dataset, 30,000 samples and frames of "), "{text}");
    assert!(text.contains("\nDisk: ") && text.contains(" for the undo journal"), "{text}");
    assert!(!text.contains("oplog"), "there is none on a server that stands alone: {text}");
    assert_eq!(estimate["basis"]["from"], "assumed");
    assert!(text.contains("\nTime: ") && text.contains("by what servers usually do"), "{text}");

    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let runs = deployment.jobs().collection::<bson::Document>("runs");
    let run =
        runs.find_one(doc! { "database": deployment.database.name() }).await.unwrap().unwrap();
    let set = run.get_document("rates").unwrap().get_document("documents").unwrap();
    // Not those of pieces that are too small to say how fast documents are done.
    let counted = set.get_document("set").unwrap().get_i64("count").unwrap();
    assert!((10_000..=30_000).contains(&counted), "{counted}");

    let dataset = image_dataset("more");
    let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&collection, image_samples(20_000)).await;
    let (text, estimate) = planned().await;
    assert_eq!(estimate["documents"]["most"], 20_000);
    let basis = estimate["basis"]["from"].as_str().unwrap();
    assert!(basis.starts_with("recorded"), "{estimate}");
    assert!(text.contains("judging by 1 run on this deployment"), "{text}");
}
