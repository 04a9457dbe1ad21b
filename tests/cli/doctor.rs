//! The doctor: each kind of damage is planted, found, left alone, mended and found no more; what is healthy is not found.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{Binary, Bson, DateTime, Document, doc, oid::ObjectId, spec::BinarySubtype};
use futures_util::TryStreamExt;
use serde_json::Value;
use tests::{
    Deployment, Dump, NEWEST, State, image_dataset, image_samples, program, to, video_dataset,
    video_frames, video_samples,
};

/// Old enough to be an orphan.
fn old_id(number: u8) -> ObjectId {
    ObjectId::from_parts(1_600_000_000, [number; 5], [number; 3])
}

/// Images and videos at the newest version, as our own migration left them.
async fn healthy() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let (images, videos) = (image_dataset("img"), video_dataset("vid"));
    let name = |it: &Document, key: &str| it.get_str(key).unwrap().to_owned();
    let samples: Vec<Document> = video_samples(3).collect();
    let frames = video_frames(&samples, 4);
    deployment.plant(&name(&images, "sample_collection_name"), image_samples(10)).await;
    deployment.plant(&name(&videos, "sample_collection_name"), samples).await;
    deployment.plant(&name(&videos, "frame_collection_name"), frames).await;
    deployment.plant("datasets", [images, videos]).await;
    deployment.migrate(to(NEWEST)).await;
    deployment.assert_newest().await;
    deployment
}

async fn findings(deployment: &Deployment) -> Vec<Value> {
    let diagnosis = deployment.engine().await.diagnose().await.unwrap();
    let diagnosis = serde_json::to_value(diagnosis).unwrap();
    diagnosis["findings"].as_array().unwrap().clone()
}

/// Insists that there is this one finding, which the doctor alone leaves as it is. Returns it.
async fn found(deployment: &Deployment, kind: &str, dataset: Option<&str>) -> Value {
    let before = deployment.dump().await;
    let ended = deployment.seen_by(program!(["doctor", "--json"])).run().await.with(3);
    let diagnosis = ended.json();
    let findings = diagnosis["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{diagnosis:#}");
    let finding = findings[0].clone();
    assert_eq!(finding["kind"], kind, "{finding:#}");
    assert_eq!(finding["dataset"]["name"].as_str(), dataset, "{finding:#}");
    assert!(deployment.dump().await == before, "looking has changed something");
    assert!(records(deployment).await.is_empty(), "looking was recorded as a repair");
    finding
}

/// Insists that everything is mended, and found no more. Returns what was written down about it.
async fn mended(deployment: &Deployment) -> Vec<Document> {
    let ended = deployment.led_by(program!(["doctor", "--repair", "--json"])).run().await.with(0);
    for finding in ended.json()["findings"].as_array().unwrap() {
        assert_eq!(finding["outcome"]["state"], "mended", "{finding:#}");
    }
    let ended = deployment.seen_by(program!(["doctor"])).run().await.with(0);
    assert_eq!(ended.stdout, "No damage found\n");
    let after = deployment.dump().await;
    deployment.led_by(program!(["doctor", "--repair"])).run().await.exits_with(0);
    assert!(deployment.dump().await == after, "repairing twice does more than repairing once");
    let records = records(deployment).await;
    for it in &records {
        assert!(it.get_datetime("ended").is_ok() && it.get_str("done").is_ok(), "{it}");
        assert!(
            it.get_str("by").unwrap().contains('@') && it.get_datetime("begun").is_ok(),
            "{it}"
        );
    }
    records
}

async fn records(deployment: &Deployment) -> Vec<Document> {
    let jobs = deployment.engine_database().collection::<Document>("repairs");
    let found = jobs.find(doc! { "database": deployment.database.name() }).sort(doc! { "_id": 1 });
    found.await.unwrap().try_collect().await.unwrap()
}

/// The originals that were kept.
fn kept(records: &[Document]) -> Vec<(String, Document)> {
    let kept = records.iter().flat_map(|it| it.get_array("kept").unwrap());
    kept.map(|it| {
        let it = it.as_document().unwrap();
        (it.get_str("collection").unwrap().to_owned(), it.get_document("document").unwrap().clone())
    })
    .collect()
}

async fn set(deployment: &Deployment, dataset: &str, update: Document) {
    let datasets = deployment.collection("datasets");
    let updated = datasets.update_one(doc! { "name": dataset }, update).await.unwrap();
    assert_eq!(updated.modified_count, 1);
}

#[tokio::test]
async fn a_healthy_database_has_no_findings_at_any_version_and_on_the_way_between_them() {
    // What FiftyOne itself has left, wherever it did not fail.
    for version in ["0.17.2", "0.18.0", "0.19.1", "0.22.3", "0.25.2", "1.0.2", "1.3.0", "1.12.0"] {
        let deployment = Deployment::holding(&State::down_to(version)).await;
        assert_eq!(findings(&deployment).await, Vec::<Value>::new(), "{version}");
        deployment.migrate(to(NEWEST)).await;
        assert_eq!(findings(&deployment).await, Vec::<Value>::new(), "{version} and up");
    }
    let deployment = Deployment::holding(&State::newest()).await;
    let before = deployment.dump().await;
    for arguments in [&["doctor"][..], &["doctor", "--repair"]] {
        let ended = deployment.led_by(program!(arguments)).run().await.with(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("No damage found\n", ""));
    }
    assert!(deployment.dump().await == before);
    assert_eq!(findings(&Deployment::empty().await).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_demo_is_healthy_before_and_after_migrating() {
    let deployment = Deployment::empty().await;
    deployment.engine().await.plant_demo(&tests::console()).await.unwrap();
    assert_eq!(findings(&deployment).await, Vec::<Value>::new());
    for version in [NEWEST, "1.0.0", "0.21.0", "0.18.0", "0.14.4", "0.6.0", "0.23.0", NEWEST] {
        deployment.migrate(to(version)).await;
        assert_eq!(findings(&deployment).await, Vec::<Value>::new(), "{version}");
    }
}

#[tokio::test]
async fn samples_and_frames_without_dates_get_them_and_no_other_is_touched() {
    let deployment = healthy().await;
    let dataset = deployment.dataset("vid").await;
    let collections = ["sample_collection_name", "frame_collection_name"];
    let [samples, frames] = collections.map(|it| dataset.get_str(it).unwrap().to_owned());
    let before = deployment.dump().await;
    let unset = |keys: &[&str]| {
        let keys: Document = keys.iter().map(|it| ((*it).to_owned(), Bson::from(""))).collect();
        doc! { "$unset": keys }
    };
    let (sample, frame) = (before[&samples][0].clone(), before[&frames][5].clone());
    let one = |it: &Document| doc! { "_id": it.get("_id") };
    let both = unset(&["created_at", "last_modified_at"]);
    deployment.collection(&samples).update_one(one(&sample), both).await.unwrap();
    let only = unset(&["last_modified_at"]);
    deployment.collection(&frames).update_one(one(&frame), only).await.unwrap();

    let finding = found(&deployment, "missing_dates", Some("vid")).await;
    let counts = &finding["evidence"]["counts"];
    assert_eq!(counts["samples without `created_at`"], 1);
    assert_eq!(counts["samples without `last_modified_at`"], 1);
    assert_eq!(counts["frames without `created_at`"], Value::Null);
    assert_eq!(counts["frames without `last_modified_at`"], 1);
    let id = sample.get_object_id("_id").unwrap();
    assert_eq!(finding["evidence"]["examples"][0], id.to_hex());

    let begun = DateTime::now();
    let records = mended(&deployment).await;
    assert_eq!(records.len(), 1);
    let done = records[0].get_str("done").unwrap();
    assert!(done.contains("1 samples got `created_at`"), "{done}");
    let now = deployment.collection(&samples).find_one(one(&sample)).await.unwrap().unwrap();
    assert_eq!(now.get_datetime("created_at").unwrap(), &id.timestamp());
    assert!(now.get_datetime("last_modified_at").unwrap() >= &begun);
    let now = deployment.collection(&frames).find_one(one(&frame)).await.unwrap().unwrap();
    assert_eq!(now.get("created_at"), frame.get("created_at"));
    let others = |dump: &Dump| -> Dump {
        let mut dump = dump.clone();
        dump.get_mut(&samples).unwrap().remove(0);
        dump.get_mut(&frames).unwrap().remove(5);
        dump
    };
    assert!(others(&deployment.dump().await) == others(&before));
}

#[tokio::test]
async fn dates_are_missed_only_where_they_belong() {
    let deployment = healthy().await;
    let dataset = deployment.dataset("img").await;
    let samples = deployment.collection(dataset.get_str("sample_collection_name").unwrap());
    samples.update_many(doc! {}, doc! { "$unset": { "created_at": "" } }).await.unwrap();
    set(&deployment, "img", doc! { "$set": { "version": "0.25.2" } }).await;
    assert_eq!(findings(&deployment).await, Vec::<Value>::new(), "before 1.0.0 there are none");
    set(&deployment, "img", doc! { "$set": { "version": "1.0.0" } }).await;
    found(&deployment, "missing_dates", Some("img")).await;
}

#[tokio::test]
async fn of_several_configs_the_one_that_fiftyone_goes_by_is_kept() {
    let deployment = healthy().await;
    let newest = deployment.all("config").await.remove(0);
    let older = doc! { "_id": old_id(1), "version": "0.19.1", "type": "fiftyone", "mine": 7 };
    deployment.plant("config", [older.clone()]).await;
    let finding = found(&deployment, "several_configs", None).await;
    assert_eq!(finding["evidence"]["counts"]["documents"], 2);
    let records = mended(&deployment).await;
    assert_eq!(deployment.all("config").await, [newest]);
    assert_eq!(kept(&records), [("config".to_owned(), older)]);
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
}

#[tokio::test]
async fn which_config_is_right_is_for_a_person_to_decide_if_the_newest_does_not_say() {
    let deployment = healthy().await;
    let newer = ObjectId::from_parts(u32::MAX, [1; 5], [1; 3]);
    deployment.plant("config", [doc! { "_id": newer, "type": "fiftyone" }]).await;
    let finding = found(&deployment, "several_configs", None).await;
    assert_eq!(finding["repair"]["by"], "person");
    let before = deployment.dump().await;
    let ended = deployment.led_by(program!(["doctor", "--repair"])).run().await.with(3);
    assert!(ended.stdout.contains("  for you to decide: "), "{}", ended.stdout);
    assert!(deployment.dump().await == before);
}

#[tokio::test]
async fn references_to_what_does_not_exist_are_removed_from_the_dataset() {
    let deployment = healthy().await;
    let before = deployment.dataset("img").await;
    let run = before.get_document("evaluations").unwrap().get_object_id("first").unwrap();
    deployment.collection("runs").delete_one(doc! { "_id": run }).await.unwrap();
    let lists = doc! { "saved_views": [old_id(1)], "workspaces": [old_id(2)] };
    set(&deployment, "img", doc! { "$set": lists.clone() }).await;
    let planted = deployment.dataset("img").await;

    let finding = found(&deployment, "dangling_references", Some("img")).await;
    for collection in ["runs", "views", "workspaces"] {
        assert_eq!(finding["evidence"]["counts"][format!("missing {collection}")], 1);
    }
    assert_eq!(finding["evidence"]["examples"][0], format!("evaluations.first: {run}"));
    let records = mended(&deployment).await;
    let mut wanted = planted.clone();
    wanted.get_document_mut("evaluations").unwrap().remove("first");
    wanted.extend(doc! { "saved_views": [], "workspaces": [] });
    assert_eq!(deployment.dataset("img").await, wanted);
    let (collection, original) = kept(&records).remove(0);
    assert_eq!(collection, "datasets");
    assert_eq!(original.get("evaluations"), planted.get("evaluations"));
    assert_eq!(original.get("saved_views"), lists.get("saved_views"));
}

/// A file of results in two chunks.
async fn plant_file(deployment: &Deployment, id: ObjectId) {
    let file =
        doc! { "_id": id, "contentType": "application/json", "chunkSize": 2, "length": 4_i64 };
    deployment.plant("fs.files", [file]).await;
    let data = |it: &[u8]| Binary { subtype: BinarySubtype::Generic, bytes: it.to_vec() };
    let chunks = [(0, b"{ "), (1, b" }")]
        .map(|(n, it)| doc! { "_id": ObjectId::new(), "files_id": id, "n": n, "data": data(it) });
    deployment.plant("fs.chunks", chunks).await;
}

fn run(id: ObjectId, dataset: impl Into<Bson>, results: impl Into<Bson>) -> Document {
    doc! {
        "_id": id, "_dataset_id": dataset.into(), "key": "lost", "version": "0.19.0",
        "timestamp": DateTime::from_millis(1_600_000_000_000), "config": { "cls": "a" }, "results": results.into(),
    }
}

#[tokio::test]
async fn orphan_runs_are_kept_with_their_results_and_then_removed() {
    let deployment = healthy().await;
    let dataset = deployment.dataset("img").await;
    let id = dataset.get_object_id("_id").unwrap();
    let (own, shared) = (old_id(11), old_id(12));
    plant_file(&deployment, own).await;
    plant_file(&deployment, shared).await;
    let living = dataset.get_document("evaluations").unwrap().get_object_id("first").unwrap();
    let needs = doc! { "$set": { "results": shared } };
    deployment.collection("runs").update_one(doc! { "_id": living }, needs).await.unwrap();
    let healthy = deployment.dump().await;
    // One that a client may be about to refer to, by its id, and one by what it says.
    let young = run(ObjectId::new(), id, Bson::Null);
    let mut fresh = run(old_id(3), id, Bson::Null);
    fresh.insert("timestamp", DateTime::now());
    deployment.plant("runs", [young.clone(), fresh.clone()]).await;
    assert_eq!(findings(&deployment).await, Vec::<Value>::new());
    let orphans = [run(old_id(1), id, own), run(old_id(2), id, shared)];
    deployment.plant("runs", orphans.clone()).await;

    let finding = found(&deployment, "orphan_runs", Some("img")).await;
    assert_eq!(finding["evidence"]["counts"]["orphan runs"], 2);
    assert_eq!(finding["evidence"]["examples"][0], old_id(1).to_hex());
    let records = mended(&deployment).await;
    assert_eq!(kept(&records), orphans.map(|it| ("runs".to_owned(), it)));
    let now = deployment.dump().await;
    let mut runs = healthy["runs"].clone();
    runs.extend([young, fresh]);
    runs.sort_by_key(|it| it.get_object_id("_id").unwrap());
    assert_eq!(now["runs"], runs);
    let of = |dump: &Dump, file: ObjectId| {
        let chunks = dump["fs.chunks"].iter();
        chunks
            .filter(|it| it.get_object_id("files_id").ok() == Some(file))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!((of(&now, own).len(), of(&now, shared).len()), (0, 2));
    let bucket = deployment.engine_database().collection::<Document>("repairs.chunks");
    let copies = bucket.find(doc! { "files_id": own }).sort(doc! { "n": 1 }).await.unwrap();
    assert_eq!(copies.try_collect::<Vec<_>>().await.unwrap(), of(&healthy, own));
}

#[tokio::test]
async fn orphans_of_datasets_that_are_gone_are_found_too() {
    for (kind, collection) in
        [("orphan_runs", "runs"), ("orphan_views", "views"), ("orphan_workspaces", "workspaces")]
    {
        let deployment = healthy().await;
        let orphan = run(old_id(1), old_id(9), Bson::Null);
        deployment.plant(collection, [orphan.clone()]).await;
        found(&deployment, kind, None).await;
        assert_eq!(kept(&mended(&deployment).await), [(collection.to_owned(), orphan)]);
    }
}

#[tokio::test]
async fn of_datasets_that_are_newer_than_this_program_nothing_is_an_orphan() {
    let deployment = healthy().await;
    let dataset = deployment.dataset("img").await;
    let id = dataset.get_object_id("_id").unwrap();
    deployment.plant("runs", [run(old_id(1), id, Bson::Null)]).await;
    set(&deployment, "img", doc! { "$set": { "version": "1.99.0" } }).await;
    assert_eq!(findings(&deployment).await, Vec::<Value>::new());
    set(&deployment, "img", doc! { "$set": { "version": NEWEST } }).await;
    let finding = found(&deployment, "orphan_runs", Some("img")).await;
    assert_eq!(finding["dataset"]["id"], id.to_hex());
}

#[tokio::test]
async fn runs_whose_results_are_gone_say_so_and_can_be_computed_again() {
    let deployment = healthy().await;
    let before = deployment.dump().await;
    let dataset = deployment.dataset("img").await;
    let id = dataset.get_document("evaluations").unwrap().get_object_id("second").unwrap();
    let update = doc! { "$set": { "results": old_id(5) } };
    deployment.collection("runs").update_one(doc! { "_id": id }, update).await.unwrap();
    let finding = found(&deployment, "missing_results", Some("img")).await;
    assert_eq!(finding["evidence"]["examples"][0], id.to_hex());
    let records = mended(&deployment).await;
    assert!(deployment.dump().await == before, "it had none");
    assert_eq!(kept(&records), [("runs".to_owned(), doc! { "_id": id, "results": old_id(5) })]);
}

#[tokio::test]
async fn what_fiftyone_left_half_way_down_is_recognized_by_its_content() {
    // It refuses groups below 0.17, after it has undone everything newer, and the version stays.
    for version in ["0.6.4", "0.9.3", "0.15.0", "0.16.0", "0.16.6"] {
        let deployment = Deployment::holding(&State::down_to(version)).await;
        let finding = found(&deployment, "half_applied", Some("grp")).await;
        assert!(
            finding["problem"].as_str().unwrap().contains("its content is that of v0.17.0"),
            "{finding:#}"
        );
        assert_eq!(finding["evidence"]["examples"][0], "neither `slug` nor `saved_views`");
        let original = deployment.dataset("grp").await;
        let records = mended(&deployment).await;
        assert_eq!(kept(&records), [("datasets".to_owned(), original)]);
        let now = deployment.dataset("grp").await;
        assert_eq!(now.get_str("version").unwrap(), NEWEST);
        assert_eq!((now.get_str("slug").unwrap(), now.contains_key("runs")), ("grp", true));
    }
}

#[tokio::test]
async fn a_chain_that_failed_on_the_way_up_is_taken_to_the_version_it_shows() {
    let deployment = healthy().await;
    deployment.migrate(to("0.22.0")).await;
    let runs = deployment.all("runs").await;
    set(&deployment, "img", doc! { "$set": { "version": "0.18.0" } }).await;
    let finding = found(&deployment, "half_applied", Some("img")).await;
    assert!(finding["problem"].as_str().unwrap().contains("at v0.18.0"), "{finding:#}");
    mended(&deployment).await;
    assert_eq!(deployment.version_of("img").await, "0.20.0".into());
    assert_eq!(deployment.all("runs").await, runs);
    deployment.migrate(to(NEWEST)).await;
    assert_eq!(findings(&deployment).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_a_killed_migration_has_inserted_before_is_an_orphan_and_not_there_twice_afterwards() {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("img");
    let id = dataset.get_object_id("_id").unwrap();
    let embedded = dataset.get_document("evaluations").unwrap().get_document("first").unwrap();
    let mut inserted = embedded.clone();
    inserted.extend(doc! { "_id": old_id(1), "_dataset_id": id });
    deployment.plant("datasets", [dataset]).await;
    deployment.plant("runs", [inserted]).await;
    found(&deployment, "orphan_runs", Some("img")).await;
    mended(&deployment).await;
    deployment.migrate(to(NEWEST)).await;
    assert_eq!(deployment.all("runs").await.len(), 2);
}

#[tokio::test]
async fn a_version_that_was_lost_is_found_again() {
    let deployment = healthy().await;
    set(&deployment, "img", doc! { "$unset": { "version": "" } }).await;
    found(&deployment, "half_applied", Some("img")).await;
    mended(&deployment).await;
    assert_eq!(deployment.version_of("img").await, "1.0.0".into(), "the newest that leaves marks");
    deployment.migrate(to(NEWEST)).await;
    deployment.assert_newest().await;
}

#[tokio::test]
async fn keypoints_that_are_declared_as_polylines_are_declared_as_keypoints() {
    let deployment = healthy().await;
    let field = |points: &str| {
        doc! {
            "name": "pose", "ftype": "fiftyone.core.fields.EmbeddedDocumentField", "db_field": "pose",
            "embedded_doc_type": "fiftyone.core.labels.Keypoint", "read_only": false,
            "fields": [{ "name": "points", "ftype": format!("fiftyone.core.fields.{points}"), "db_field": "points" }],
        }
    };
    let fields = |it: Document| doc! { "$push": { "sample_fields": it } };
    set(&deployment, "img", fields(field("KeypointsField"))).await;
    let right = deployment.dump().await;
    assert_eq!(findings(&deployment).await, Vec::<Value>::new());
    set(&deployment, "img", doc! { "$pop": { "sample_fields": 1 } }).await;
    set(&deployment, "img", fields(field("PolylinePointsField"))).await;
    let finding = found(&deployment, "keypoints_as_polylines", Some("img")).await;
    assert_eq!(finding["evidence"]["examples"][0], "pose.points");
    mended(&deployment).await;
    assert!(deployment.dump().await == right);
}

#[tokio::test]
async fn everybody_may_look_and_only_an_admin_may_mend() {
    let deployment = healthy().await;
    deployment.plant("views", [run(old_id(1), old_id(9), Bson::Null)]).await;
    let before = deployment.dump().await;
    let ended = deployment.seen_by(program!(["doctor"])).run().await.with(3);
    let lines = ended.lines();
    assert_eq!(lines[0], "database: 1 saved view of datasets that do not exist (orphan_views)");
    assert_eq!(
        lines[1],
        format!("  seen by: orphan saved views: 1; for example {}", old_id(1).to_hex())
    );
    assert!(lines[2].starts_with("  repair: keep a copy "), "{}", ended.stdout);
    assert_eq!(lines[4], "1 finding; nothing was written");
    assert!(lines[5].contains("`FIFTYONE_DATABASE_ADMIN=true`"), "{}", ended.stdout);
    deployment
        .seen_by(program!(["doctor", "--repair"]))
        .run()
        .await
        .refused(1, "repairing takes the right to migrate: set `FIFTYONE_DATABASE_ADMIN=true`");
    let disabled = deployment.led_by(program!(["doctor", "--repair"]));
    disabled.env("FIFTYONE_DISABLE_MIGRATIONS", "1").run().await.refused(
        1,
        "migrations are disabled by `FIFTYONE_DISABLE_MIGRATIONS`; unset it or set it to `0` to migrate",
    );
    assert!(deployment.dump().await == before);
}

#[tokio::test]
async fn nothing_is_mended_while_somebody_else_has_the_lease() {
    let deployment = healthy().await;
    deployment.plant("views", [run(old_id(1), old_id(9), Bson::Null)]).await;
    let (before, now) = (deployment.dump().await, DateTime::now());
    let expires = now.saturating_add_duration(Duration::from_hours(1));
    let name = deployment.database.name();
    let leases = deployment.engine_database().collection::<Document>("leases");
    for (scope, sentence) in [
        ("everything", "this database is being migrated by ana@desk (process 7) since "),
        ("repair", "this database is being repaired by ana@desk (process 7) since "),
    ] {
        let holder = doc! { "user": "ana", "host": "desk", "pid": 7, "started": 7_i64, "machine": "another" };
        let asked = doc! { "scope": scope, "names": [], "destination": null, "stops": false };
        let lease = doc! {
            "_id": name, "fence": 9_i64, "run": ObjectId::new(), "asked": asked, "holder": holder,
            "taken": now, "renewed": now, "expires": expires,
        };
        leases.replace_one(doc! { "_id": name }, lease).upsert(true).await.unwrap();
        let looked = deployment.seen_by(program!(["doctor"])).run().await.with(3);
        assert!(
            looked.stderr.starts_with("ana@desk is migrating or repairing"),
            "{}",
            looked.stderr
        );
        let repair = deployment.led_by(program!(["doctor", "--repair"])).run().await.with(1);
        assert!(repair.stderr.contains(sentence), "{}", repair.stderr);
    }
    let migrated = deployment.led_by(program!(["--all", "-v", "1.0.0"])).run().await.with(1);
    assert!(migrated.stderr.contains("is being repaired by ana@desk"), "{}", migrated.stderr);
    assert!(deployment.dump().await == before);
    leases.delete_one(doc! { "_id": name }).await.unwrap();
    mended(&deployment).await;
}

#[tokio::test]
async fn a_database_that_is_newer_than_this_program_is_looked_at_and_not_mended() {
    let deployment = Deployment::at("2.0.0").await;
    deployment.plant("views", [run(old_id(1), old_id(9), Bson::Null)]).await;
    let looked = deployment.seen_by(program!(["doctor"])).run().await.with(0);
    assert!(looked.stderr.starts_with("the database is newer than v1.22.1"), "{}", looked.stderr);
    deployment.led_by(program!(["doctor", "--repair"])).run().await.exits_with(0);
    assert_eq!(deployment.all("views").await.len(), 1);
}
