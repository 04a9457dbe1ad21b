//! The database around the datasets: its name, its version, its orphans, and the order of writes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Document, doc};
use futures_util::TryStreamExt;
use tests::{Deployment, Dump, NEWEST, State, image_dataset, image_samples, program};

#[tokio::test]
async fn only_the_configured_database_is_touched() {
    let server = tests::Mongod::start(&[]);
    let state = State::down_to("0.15.0");
    let mut deployments = Vec::new();
    for name in ["fiftyone", "other"] {
        let deployment = Deployment::on(&server, name).await;
        deployment.plant_all(&state.collections).await;
        deployment
            .collection("config")
            .update_one(doc! {}, doc! { "$set": { "version": "0.14.0" } })
            .await
            .unwrap();
        deployment.plant("samples.orphan", image_samples(1)).await;
        deployments.push(deployment);
    }
    let before = deployments[0].dump().await;
    let ended = deployments[1].led_by(program!(["--all"])).run().await.with(0);
    assert!(
        ended
            .stdout
            .contains("Dropping 1 orphan collections that no dataset uses: samples.orphan\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(deployments[0].dump().await, before);
    assert!(!deployments[1].dump().await.contains_key("samples.orphan"));
    deployments[1].assert_newest().await;
}

#[tokio::test]
async fn orphans_are_listed_before_they_are_dropped_and_frames_in_use_stay() {
    let deployment = Deployment::at("0.14.0").await;
    let mut dataset = image_dataset("img");
    dataset.insert("sample_collection_name", "samples.img");
    dataset.insert("frame_collection_name", "frames.elsewhere");
    let orphans = ["clips.gone", "frames.samples.gone", "patches.gone", "samples.gone"];
    let kept = [
        "frames.elsewhere",
        "frames.samples.img",
        "samples",
        "samples.img",
        "samplesx.gone",
        "mine",
    ];
    deployment.plant("datasets", [dataset]).await;
    for name in orphans.iter().chain(&kept) {
        deployment.plant(name, [doc! { "a": 1 }]).await;
    }
    let before = deployment.dump().await;
    let ended = deployment.led_by(program!(["--all", "--dry-run"])).run().await.with(0);
    let listed: Vec<&str> = ended
        .lines()
        .into_iter()
        .filter_map(|it| it.strip_prefix("  drops the orphan collection "))
        .collect();
    assert_eq!(listed, orphans);
    let json =
        deployment.led_by(program!(["--all", "--dry-run", "--json"])).run().await.with(0).json();
    assert_eq!(json["database"]["drops"], serde_json::json!(orphans));
    assert_eq!(deployment.dump().await, before);
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let left: Vec<String> = deployment.dump().await.into_keys().collect();
    assert!(orphans.iter().all(|it| !left.iter().any(|name| name == it)), "{left:?}");
    assert!(kept.iter().all(|it| left.iter().any(|name| name == it)), "{left:?}");
}

#[tokio::test]
async fn going_up_the_version_of_the_database_is_written_first_and_going_down_last() {
    let up = writes_of("0.18.0", "1.22.1").await;
    assert_eq!(up.first().map(String::as_str), Some("config"), "{up:?}");
    assert!(up.contains(&"datasets".to_owned()), "{up:?}");
    let down = writes_of("1.22.1", "0.18.0").await;
    assert_eq!(down.last().map(String::as_str), Some("config"), "{down:?}");
    assert!(
        down.iter().position(|it| it == "config") > down.iter().rposition(|it| it == "datasets"),
        "{down:?}"
    );
}

/// The collections that a migration writes to, in that order.
async fn writes_of(from: &str, to: &str) -> Vec<String> {
    let state = if from == NEWEST { State::newest() } else { State::down_to(from) };
    let deployment = Deployment::holding(&state).await;
    deployment.database.run_command(doc! { "profile": 2 }).await.unwrap();
    deployment.led_by(program!(["--all", "-v", to])).run().await.exits_with(0);
    deployment.database.run_command(doc! { "profile": 0 }).await.unwrap();
    deployment.assert_all_at(to).await;
    let written =
        doc! { "op": { "$in": ["update", "insert", "remove"] }, "appName": "fiftyone-migrate" };
    let profile = deployment.collection("system.profile");
    let found = profile.find(written).sort(doc! { "$natural": 1 }).await.unwrap();
    let entries: Vec<Document> = found.try_collect().await.unwrap();
    let name = |it: &Document| it.get_str("ns").unwrap().split_once('.').unwrap().1.to_owned();
    entries.iter().map(name).collect()
}

#[tokio::test]
async fn what_others_keep_in_the_config_document_stays_there() {
    let deployment = Deployment::empty().await;
    let before = doc! { "_id": 7, "note": { "by": "ana" }, "version": "0.14.0", "type": "fiftyone-teams", "z": [1] };
    deployment.plant("config", [before.clone()]).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let mut expected = before;
    expected.insert("version", NEWEST);
    let after = deployment.all("config").await;
    assert_eq!(after, [expected]);
    assert!(after[0].keys().eq(["_id", "note", "version", "type", "z"]));
}

#[tokio::test]
async fn collections_of_others_are_left_alone_and_nothing_is_indexed_or_added() {
    let deployment = Deployment::holding(&State::down_to("0.18.0")).await;
    deployment.plant("somebody.elses", [doc! { "_id": 1, "version": "0.18.0" }]).await;
    let names = |dump: &Dump| dump.keys().cloned().collect::<Vec<_>>();
    let before = deployment.dump().await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let after = deployment.dump().await;
    assert_eq!(names(&after), names(&before));
    assert_eq!(after["somebody.elses"], before["somebody.elses"]);
    for name in names(&after) {
        let indexes = deployment.collection(&name).list_index_names().await.unwrap();
        assert!(indexes.is_empty() || indexes == ["_id_"], "{name}: {indexes:?}");
    }
}
