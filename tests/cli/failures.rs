//! One bad dataset: it is named and left as it was, the others go on, and the exit status says so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId, raw::cstr};
use tests::{Deployment, NEWEST, State, image_dataset, image_samples, program};

fn damaged(name: &str, key: &str, value: impl Into<Bson>) -> Document {
    let mut dataset = image_dataset(name);
    dataset.insert(key, value.into());
    dataset
}

fn version(text: impl Into<Bson>) -> Document {
    damaged("bad", "version", text)
}

#[tokio::test]
async fn a_malformed_dataset_is_named_and_left_as_it_was_and_the_others_go_on() {
    let wrong: [(&str, Bson); 21] = [
        ("version", 7.into()),
        ("version", "garbage".into()),
        ("version", "".into()),
        ("version", doc! { "a": 1 }.into()),
        ("sample_fields", 7.into()),
        ("sample_fields", "text".into()),
        ("sample_fields", doc! { "a": 1 }.into()),
        ("sample_fields", vec![Bson::from(7)].into()),
        ("sample_fields", vec![Bson::Null].into()),
        ("sample_fields", vec![doc! { "name": "a", "fields": 7 }].into()),
        ("sample_fields", vec![doc! { "name": "a", "fields": ["x"] }].into()),
        ("frame_fields", true.into()),
        ("frame_fields", vec![Bson::from("x")].into()),
        ("evaluations", "text".into()),
        ("evaluations", vec![Bson::from(1)].into()),
        ("brain_methods", DateTime::from_millis(0).into()),
        ("annotation_runs", 1.5.into()),
        ("app_config", 7.into()),
        ("app_config", vec![Bson::from(1)].into()),
        ("app_config", doc! { "color_scheme": 7 }.into()),
        ("app_config", doc! { "color_scheme": { "fields": 7 } }.into()),
    ];
    let deployment = Deployment::at("0.18.0").await;
    let datasets: Vec<Document> = wrong
        .iter()
        .enumerate()
        .map(|(index, (key, value))| damaged(&format!("bad {index}"), key, value.clone()))
        .collect();
    deployment.plant("datasets", datasets.clone()).await;
    deployment.plant("datasets", ["a good one", "one more"].map(image_dataset)).await;
    let foreseen = deployment.seen_by(program!(["--all", "--dry-run", "--json"])).run().await;
    let ended = deployment.led_by(program!(["--all"])).run().await;
    let mut wrong_ones = Vec::new();
    for before in &datasets {
        let name = before.get_str("name").unwrap();
        let after = deployment.dataset(name).await;
        let named = ended.stderr.lines().any(|it| it.starts_with(&format!("  {name}: ")));
        let alike =
            bson::serialize_to_vec(&after).unwrap() == bson::serialize_to_vec(before).unwrap();
        let migrated = after.get_str("version").ok() == Some(NEWEST);
        if !(named && alike) {
            wrong_ones.push(format!("{name}: {named} {alike} {migrated} {:?}", wrong[0]));
        }
    }
    assert!(wrong_ones.is_empty(), "{wrong_ones:#?}\n{}", ended.stderr);
    for name in ["a good one", "one more"] {
        assert_eq!(deployment.version_of(name).await, NEWEST.into());
    }
    assert_eq!(deployment.version().await, NEWEST);
    assert!(ended.stdout.ends_with("2 datasets migrated\n"), "{}", ended.stdout);
    let foreseen = foreseen.with(3).json();
    let refused =
        foreseen["datasets"].as_array().unwrap().iter().filter(|it| it["state"] == "refused");
    assert_eq!(refused.count(), datasets.len());
    ended.exits_with(3);
}

/// Two documents that decoding would change: one with a key twice, one with a text that is not UTF-8.
fn unfaithful() -> [(&'static str, RawDocumentBuf); 2] {
    let bytes = |name: &str, note: &str| {
        let mut dataset = image_dataset(name);
        dataset.insert("note", note);
        bson::serialize_to_raw_document_buf(&dataset).unwrap()
    };
    let mut twice = bytes("twice", "first");
    twice.append(cstr!("note"), "second");
    let mut broken = bytes("broken", "marked").into_bytes();
    let at = broken.windows(6).position(|it| it == b"marked").unwrap();
    broken[at] = 0xff;
    [("twice", twice), ("broken", RawDocumentBuf::from_bytes(broken).unwrap())]
}

#[tokio::test]
async fn a_document_that_would_lose_something_by_being_read_is_refused_alone() {
    let deployment = Deployment::at("0.18.0").await;
    let stored = deployment.database.collection::<RawDocumentBuf>("datasets");
    deployment.plant("datasets", ["a good one", "one more"].map(image_dataset)).await;
    let unfaithful = unfaithful();
    for (_, dataset) in &unfaithful {
        stored.insert_one(dataset).await.unwrap();
    }
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    for (name, before) in &unfaithful {
        let sentence = format!("  {name}: the document of dataset `");
        assert!(ended.stderr.contains(&sentence), "{}", ended.stderr);
        let after = stored.find_one(doc! { "name": name }).await.unwrap().unwrap();
        assert!(after == *before, "{name}");
    }
    for name in ["a good one", "one more"] {
        assert_eq!(deployment.version_of(name).await, NEWEST.into());
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_where_and_what_to_do() {
    let deployment = Deployment::at(NEWEST).await;
    deployment.plant("datasets", [version("garbage")]).await;
    let ended = deployment.led_by(program!(["-n", "bad"])).run().await.with(3);
    assert!(
        ended.stderr.contains(
            "dataset `bad` cannot be migrated: its version `garbage` is not a version; set it to the version \
             that wrote the dataset"
        ),
        "{}",
        ended.stderr
    );
    let deployment = Deployment::at(NEWEST).await;
    deployment.plant("datasets", [damaged("bad", "sample_fields", vec![Bson::from(7)])]).await;
    let ended = deployment.led_by(program!(["-n", "bad"])).run().await.with(3);
    assert!(ended.stderr.contains("`sample_fields[0]`"), "{}", ended.stderr);
}

#[tokio::test]
async fn datasets_that_lack_what_others_have_are_migrated() {
    let without = |name: &str, keys: &[&str]| {
        let mut it = image_dataset(name);
        for key in keys {
            it.remove(key);
        }
        it
    };
    let deployment = Deployment::at("0.18.0").await;
    let mut empty = doc! { "_id": ObjectId::new(), "name": "nothing else", "version": "0.18.0" };
    empty.insert("sample_collection_name", "samples.nothing");
    let mut dangling = image_dataset("dangling run");
    dangling.insert("version", "0.22.0");
    dangling.insert("slug", "dangling-run");
    dangling.insert("evaluations", doc! { "gone": ObjectId::new() });
    deployment
        .plant(
            "datasets",
            [
                without("empty", &["media_type"]),
                without("bare", &["sample_fields", "frame_fields", "app_config", "evaluations"]),
                damaged("null", "app_config", Bson::Null),
                damaged("null fields", "sample_fields", Bson::Null),
                empty,
                dangling,
            ],
        )
        .await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn datasets_without_a_name_or_with_one_that_is_no_text_are_known_by_their_id() {
    let deployment = Deployment::at("0.18.0").await;
    let id = |byte| ObjectId::from_bytes([byte; 12]);
    let mut nameless = image_dataset("x");
    nameless.remove("name");
    nameless.insert("_id", id(1));
    let mut numbered = damaged("x", "name", 7);
    numbered.insert("_id", id(2));
    let mut broken = damaged("x", "sample_fields", 7);
    broken.insert("_id", id(3));
    broken.remove("name");
    deployment.plant("datasets", [nameless, numbered, broken.clone()]).await;
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    let datasets = deployment.all("datasets").await;
    for it in &datasets[..2] {
        assert_eq!(it.get_str("version").ok(), Some(NEWEST));
        assert!(ended.stdout.contains(&format!(
            "Migrating dataset '{}'",
            it.get_object_id("_id").unwrap().to_hex()
        )));
        assert!(
            it.get_str("name").is_ok_and(|it| !it.is_empty()),
            "0.19 gives names to those that lack one"
        );
    }
    assert_eq!(datasets[2], broken);
    assert!(ended.stderr.contains(&format!("  {}: ", id(3).to_hex())), "{}", ended.stderr);
}

#[tokio::test]
async fn two_datasets_with_one_name_stay_two() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("twin"), image_dataset("twin")]).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let datasets = deployment.all("datasets").await;
    let slugs: Vec<_> = datasets.iter().map(|it| it.get_str("slug").unwrap()).collect();
    assert_eq!(datasets.len(), 2);
    assert_ne!(slugs[0], slugs[1]);
}

#[tokio::test]
async fn ids_of_any_type_identify_a_dataset() {
    let deployment = Deployment::at("0.18.0").await;
    let ids: [Bson; 4] = ["text".into(), 7.into(), doc! { "a": 1 }.into(), Bson::Null];
    let with_id = |(name, id): (&str, Bson)| damaged(name, "_id", id);
    let datasets = ["a", "b", "c", "d"].into_iter().zip(ids.clone()).map(with_id);
    deployment.plant("datasets", datasets).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let mut left: Vec<Bson> =
        deployment.all("datasets").await.iter().filter_map(|it| it.get("_id").cloned()).collect();
    left.retain(|it| !ids.contains(it));
    assert_eq!(left, []);
}

/// Groups cannot go below 0.17, so this state has one dataset that is blocked and two that are not.
async fn with_a_blocked_one() -> Deployment {
    Deployment::holding(&State::newest()).await
}

#[tokio::test]
async fn by_default_the_others_are_migrated_and_the_status_is_3() {
    for level in [&[][..], &["--error-level", "1"], &["--error-level", "2"]] {
        let deployment = with_a_blocked_one().await;
        let blocked = deployment.dataset("grp").await;
        let arguments = [&["--all", "-v", "0.16.0"], level].concat();
        let ended = deployment.led_by(program!(&arguments)).run().await.with(3);
        assert!(ended.stdout.ends_with("2 datasets migrated\n"), "{}", ended.stdout);
        let reason = "  grp: dataset `grp` cannot cross v0.17.0: it is grouped";
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        assert_eq!(deployment.dataset("grp").await, blocked);
        assert_eq!(deployment.version_of("vid").await, "0.16.0".into());
        assert_eq!(deployment.version().await, "0.16.0");
    }
}

#[tokio::test]
async fn at_error_level_0_nothing_is_written_if_a_refusal_can_be_foreseen() {
    let deployment = with_a_blocked_one().await;
    let before = deployment.dump().await;
    let arguments = ["--all", "-v", "0.16.0", "--error-level", "0"];
    let ended = deployment.led_by(program!(arguments)).run().await.with(1);
    assert!(ended.stderr.contains("  grp: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 datasets not begun"), "{}", ended.stderr);
    assert!(ended.stderr.contains("still v1.22.1"), "{}", ended.stderr);
    let json = deployment
        .led_by(program!([&arguments[..], &["--json"]].concat()))
        .run()
        .await
        .with(1)
        .json();
    assert_eq!(json["database"]["state"], "untouched");
    assert_eq!(deployment.dump().await, before);

    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("good"), version("garbage")]).await;
    let before = deployment.dump().await;
    let ended = deployment.led_by(program!(["--all", "--error-level", "0"])).run().await.with(1);
    assert!(ended.stderr.contains("  bad: "), "{}", ended.stderr);
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn each_reason_is_said_once() {
    let deployment = with_a_blocked_one().await;
    let ended = deployment.led_by(program!(["--all", "-v", "0.16.0"])).run().await.with(3);
    assert_eq!(ended.stderr.matches("it is grouped").count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn a_document_that_would_outgrow_the_server_is_refused_before_any_write() {
    let deployment = Deployment::at("1.22.1").await;
    let mut dataset = image_dataset("large");
    let (id, samples) = (
        dataset.get_object_id("_id").unwrap(),
        dataset.get_str("sample_collection_name").unwrap().to_owned(),
    );
    let runs: Vec<Document> = (0..3)
        .map(|it| {
            doc! {
                "_id": ObjectId::new(), "_dataset_id": id, "key": format!("e{it}"), "version": "1.22.1",
                "timestamp": DateTime::now(), "config": { "notes": "x".repeat(6 << 20) },
                "view_stages": [], "results": null,
            }
        })
        .collect();
    let evaluations: Document = runs
        .iter()
        .map(|it| (it.get_str("key").unwrap().to_owned(), it.get("_id").unwrap().clone()))
        .collect();
    dataset.insert("version", "1.22.1");
    dataset.insert("slug", "large");
    dataset.insert("saved_views", Bson::Array(Vec::new()));
    dataset.insert("evaluations", evaluations);
    let mut small = image_dataset("small");
    small.insert("version", "1.22.1");
    small.insert("slug", "small");
    small.insert("evaluations", doc! {});
    for it in runs {
        deployment.plant("runs", [it]).await;
    }
    deployment.plant("datasets", [dataset, small]).await;
    deployment.plant(&samples, image_samples(3)).await;
    let before = deployment.dump().await;
    let ended = deployment.led_by(program!(["-n", "large", "-v", "0.18.0"])).run().await.with(3);
    assert!(
        ended.stderr.contains("18.0 MiB, and MongoDB stores at most 16 MiB"),
        "{}",
        ended.stderr
    );
    assert_eq!(deployment.dump().await, before);
    deployment.led_by(program!(["--all", "-v", "0.18.0"])).run().await.exits_with(3);
    assert_eq!(deployment.version_of("small").await, "0.18.0".into());
    assert_eq!(
        deployment.dataset("large").await,
        before["datasets"]
            .iter()
            .find(|it| it.get_str("name").ok() == Some("large"))
            .unwrap()
            .clone()
    );
    assert_eq!(deployment.all("runs").await, before["runs"]);
    assert_eq!(deployment.all(&samples).await, before[&samples]);
}

/// Datasets that fail for three causes, and how what is in the way of two of them is taken away again.
async fn failing() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let named = |name: &str| {
        let dataset = image_dataset(name);
        let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
        (dataset, samples)
    };
    let (fat, stubborn) = (named("fat"), named("stubborn"));
    let mut samples: Vec<Document> = image_samples(2).collect();
    samples[1].insert("weather", "snow");
    deployment.plant(&stubborn.1, samples).await;
    let rule = doc! { "collMod": &stubborn.1, "validator": { "weather": "rain" } };
    deployment.database.run_command(rule).await.unwrap();
    // One byte more, and the server would not take it.
    let mut sample = image_samples(1).next().unwrap();
    let room = (16 << 20) - bson::serialize_to_vec(&sample).unwrap().len();
    sample.insert("info", "x".repeat(room - 11));
    deployment.plant(&fat.1, [sample]).await;
    let blocked = damaged("blocked", "sample_fields", 7);
    deployment.plant("datasets", [blocked, fat.0, stubborn.0, image_dataset("good")]).await;
    deployment
}

async fn failures_of(deployment: &Deployment, id: &str) -> Vec<(String, Vec<String>)> {
    let shown = deployment.seen_by(program!(["runs", "show", id, "--json"])).run().await.with(0);
    let groups = shown.json()["run"]["failures"].as_array().unwrap().clone();
    let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
    let named = |it: &serde_json::Value| it.as_array().unwrap().iter().map(text).collect();
    let mut groups: Vec<_> =
        groups.iter().map(|it| (text(&it["cause"]), named(&it["datasets"]))).collect();
    groups.sort();
    groups
}

#[tokio::test]
async fn failures_are_grouped_by_cause_and_tried_again_where_that_can_help() {
    let deployment = failing().await;
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    let group = "  1 a sample or frame cannot be changed (stubborn), `document`: mend or delete the document";
    assert!(ended.stderr.contains(group), "{}", ended.stderr);
    let runs = deployment.seen_by(program!(["runs", "--json"])).run().await.json();
    let id = runs[0]["id"].as_str().unwrap().to_owned();
    let only = |cause: &str, name: &str| (cause.to_owned(), vec![name.to_owned()]);
    let (blocked, document) = (only("blocked", "blocked"), only("document", "stubborn"));
    let large = only("too-large", "fat");
    let found = failures_of(&deployment, &id).await;
    assert_eq!(found, [blocked, document.clone(), large.clone()]);
    let shown = deployment.seen_by(program!(["runs", "show", &id])).run().await.with(0);
    assert!(shown.stdout.contains("not migrated, by cause:\n  1 "), "{}", shown.stdout);

    // Nothing has been done about any of them.
    let retry = async |flags: &[&str]| {
        let arguments = [&["runs", "retry", &id], flags].concat();
        deployment.led_by(program!(arguments)).run().await
    };
    let before = deployment.dump().await;
    let none = retry(&[]).await.with(3);
    assert!(
        none.stderr.contains("Not tried again, because that cannot help until"),
        "{}",
        none.stderr
    );
    assert!(none.stdout.starts_with("0 datasets migrated"), "{}", none.stdout);
    assert_eq!(deployment.dump().await, before);

    let mended = image_dataset("x").remove("sample_fields").unwrap();
    let mend = doc! { "$set": { "sample_fields": mended } };
    deployment.collection("datasets").update_one(doc! { "name": "blocked" }, mend).await.unwrap();
    let some = retry(&[]).await.with(3);
    assert!(some.stdout.contains("1 dataset migrated"), "{}", some.stdout);
    assert!(some.stderr.contains("is completed with failures"), "{}", some.stderr);
    assert_eq!(deployment.version_of("blocked").await, NEWEST.into());
    assert_eq!(failures_of(&deployment, &id).await, [document, large.clone()]);

    let samples = deployment.dataset("stubborn").await;
    let samples = samples.get_str("sample_collection_name").unwrap();
    let lift = doc! { "collMod": samples, "validator": {} };
    deployment.database.run_command(lift).await.unwrap();
    retry(&["--cause", "document"]).await.exits_with(3);
    assert_eq!(deployment.version_of("stubborn").await, NEWEST.into());
    assert_eq!(failures_of(&deployment, &id).await, [large]);

    let refused = retry(&["--cause", "edited"]).await;
    let sentence =
        format!("run {id} has no dataset that failed for the cause `edited`: 1 `too-large`");
    refused.refused(1, &sentence);
    let unknown = retry(&["--cause", "luck"]).await.with(2);
    assert!(
        unknown.stderr.contains("`luck` is no cause; the causes are `blocked`, "),
        "{}",
        unknown.stderr
    );

    let fat = deployment.dataset("fat").await;
    let fat = deployment.collection(fat.get_str("sample_collection_name").unwrap());
    fat.update_one(doc! {}, doc! { "$unset": { "info": 1 } }).await.unwrap();
    retry(&["--cause", "too-large"]).await.exits_with(0);
    deployment.assert_newest().await;
    assert!(failures_of(&deployment, &id).await.is_empty());
}
