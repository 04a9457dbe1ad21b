//! `rename-field`: the field that keeps a dataset from crossing 1.0.0 gets another name, and then it crosses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, Document, doc, oid::ObjectId};
use engine::Control;
use model::Role;
use nix::sys::signal::Signal;
use tests::{
    Deployment, Ended, NEWEST, image_dataset, image_samples, permit_of, program, video_dataset,
    video_frames, video_samples,
};

const STRING: &str = "fiftyone.core.fields.StringField";

/// A dataset at 0.25.2 in whose samples somebody keeps `created_at`, as text.
async fn clashing(samples: u32) -> (Deployment, String) {
    let deployment = Deployment::at("0.25.2").await;
    let mut dataset = at_0_25(image_dataset("large"));
    clash(&mut dataset, "sample_fields");
    dataset.insert(
        "app_config",
        doc! { "sidebar_groups": [{ "name": "other", "paths": ["created_at", "weather"] }] },
    );
    dataset.insert("classes", doc! { "created_at": ["noon"] });
    let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let written = image_samples(samples).enumerate().map(|(number, mut it)| {
        // Some have none.
        if number % 4 > 0 {
            it.insert("created_at", format!("day {number}"));
        }
        it
    });
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&collection, written).await;
    (deployment, collection)
}

fn at_0_25(mut dataset: Document) -> Document {
    let slug = dataset.get_str("name").unwrap().to_owned();
    for key in ["evaluations", "brain_methods", "annotation_runs"] {
        dataset.insert(key, doc! {});
    }
    dataset.extend(doc! { "version": "0.25.2", "slug": slug, "saved_views": [] });
    dataset
}

fn clash(dataset: &mut Document, schema: &str) {
    let field =
        doc! { "name": "created_at", "ftype": STRING, "db_field": "created_at", "fields": [] };
    dataset.get_array_mut(schema).unwrap().push(field.into());
}

async fn with(deployment: &Deployment, collection: &str, key: &str) -> u64 {
    let filter = doc! { key: { "$exists": true } };
    deployment.collection(collection).count_documents(filter).await.unwrap()
}

/// Insists that it was refused, for a reason that has this in it.
fn refused(ended: &Ended, part: &str) {
    ended.exits_with(1);
    assert!(ended.stderr.contains(part) && ended.stdout.is_empty(), "{}", ended.stderr);
}

async fn records(deployment: &Deployment) -> Vec<Document> {
    use futures_util::TryStreamExt as _;
    let records = deployment.jobs().collection::<Document>("repairs");
    let ours = doc! { "database": deployment.database.name() };
    records.find(ours).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap()
}

/// Insists that a field was renamed as it should be, once, and that the dataset then crosses.
async fn is_renamed(deployment: &Deployment, collection: &str, before: &[Document]) {
    let after = deployment.all(collection).await;
    assert_eq!(after.len(), before.len());
    for (before, after) in before.iter().zip(&after) {
        let value = |it: &Document| it.get("created_at").or_else(|| it.get("written")).cloned();
        assert_eq!(value(before), value(after));
        assert!(!after.contains_key("created_at"), "{after}");
        let rest = |it: &Document| {
            let mut it = it.clone();
            it.remove("created_at");
            it.remove("written");
            it
        };
        assert_eq!(rest(before), rest(after));
    }
    let dataset = deployment.dataset("large").await;
    let names = |it: &Bson| it.as_document().unwrap().get_str("name").unwrap().to_owned();
    let names: Vec<String> =
        dataset.get_array("sample_fields").unwrap().iter().map(names).collect();
    assert_eq!(names.iter().filter(|it| *it == "written").count(), 1);
    assert!(!names.contains(&"created_at".to_owned()));
    let paths = dataset.get_document("app_config").unwrap().get_array("sidebar_groups").unwrap();
    let paths = paths[0].as_document().unwrap().get_array("paths").unwrap();
    assert_eq!(paths, &[Bson::from("written"), Bson::from("weather")]);
    assert_eq!(dataset.get_document("classes").unwrap(), &doc! { "written": ["noon"] });
    assert_eq!(dataset.get_str("version").unwrap(), "0.25.2");
    for record in records(deployment).await {
        assert!(record.get_datetime("ended").is_ok(), "{record}");
    }

    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let dated = doc! { "created_at": { "$type": "date" } };
    let dated = deployment.collection(collection).count_documents(dated).await.unwrap();
    assert_eq!(dated, u64::try_from(before.len()).unwrap());
    let kept = before.iter().filter(|it| it.contains_key("created_at")).count();
    assert_eq!(with(deployment, collection, "written").await, u64::try_from(kept).unwrap());
}

#[tokio::test]
async fn the_field_in_the_way_gets_another_name_and_then_the_dataset_crosses() {
    let (deployment, samples) = clashing(40).await;
    let (before, all) = (deployment.all(&samples).await, deployment.dump().await);
    let blocked = deployment.led_by(program!(["--all", "--dry-run"])).run().await;
    assert!(blocked.stdout.contains("created_at") || blocked.stderr.contains("created_at"));

    let arguments = ["rename-field", "large", "created_at", "written"];
    let dry = deployment.led_by(program!(arguments.iter().chain(&["--dry-run"]))).run().await;
    let told = dry.with(0).stdout;
    assert!(told.contains("In each of its 40 samples that has `created_at`"), "{told}");
    assert!(told.contains("a StringField, `written` instead of `created_at`"), "{told}");
    assert!(told.contains("the sidebar of the app is told, too"), "{told}");
    assert_eq!(deployment.dump().await, all, "nothing was written");
    assert_eq!(records(&deployment).await, Vec::<Document>::new());

    let done = deployment.led_by(program!(arguments)).run().await.with(0);
    assert_eq!(done.lines(), ["large: `created_at` is called `written` in 30 samples"]);
    let kept = records(&deployment).await;
    assert!(kept.iter().all(|it| it.get_str("kind").unwrap() == "renamed_field"));
    let again = deployment.led_by(program!(arguments)).run().await;
    refused(&again, "there is no sample field `created_at`");
    is_renamed(&deployment, &samples, &before).await;
}

#[tokio::test]
async fn a_field_of_frames_is_renamed_in_the_frames() {
    let deployment = Deployment::at("0.25.2").await;
    let mut dataset = at_0_25(video_dataset("clips"));
    clash(&mut dataset, "frame_fields");
    let of = |key: &str| dataset.get_str(key).unwrap().to_owned();
    let (samples, frames) = (of("sample_collection_name"), of("frame_collection_name"));
    let videos: Vec<Document> = video_samples(2).collect();
    let mut stills = video_frames(&videos, 3);
    for it in &mut stills {
        it.insert("created_at", "noon");
    }
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, videos).await;
    deployment.plant(&frames, stills).await;

    let wrong = ["rename-field", "clips", "created_at", "seen"];
    let none = deployment.led_by(program!(wrong)).run().await;
    refused(&none, "there is no sample field `created_at`");
    let arguments = ["rename-field", "clips", "frames.created_at", "seen"];
    let done = deployment.led_by(program!(arguments)).run().await.with(0);
    assert_eq!(done.lines(), ["clips: `frames.created_at` is called `seen` in 6 frames"]);
    assert_eq!(with(&deployment, &frames, "seen").await, 6);
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let stills = deployment.all(&frames).await;
    assert!(stills.iter().all(|it| it.get_datetime("created_at").is_ok()), "{stills:?}");
}

#[tokio::test]
async fn whoever_is_killed_in_the_middle_does_the_same_again_and_it_is_done_once() {
    // Before the first sample (and then half of them, as if it had been later), before the commit, and after it.
    for (which, collection) in [(1, "samples"), (1, "datasets"), (2, "samples")] {
        let (deployment, samples) = clashing(100).await;
        let before = deployment.all(&samples).await;
        let (there, wire) = deployment.held(which, "update", collection).await;
        let arguments = ["rename-field", "large", "created_at", "written"];
        let running = there.led_by(program!(arguments)).spawn();
        wire.held(1).await;
        running.signal(Signal::SIGKILL);
        running.ended().await;
        wire.release();
        if (which, collection) == (1, "samples") {
            let half = doc! { "_id": { "$lte": before[49].get_object_id("_id").unwrap() }, "created_at": { "$exists": true } };
            let rename = doc! { "$rename": { "created_at": "written" } };
            deployment.collection(&samples).update_many(half, rename).await.unwrap();
        }

        let other = deployment.led_by(program!(["rename-field", "large", "created_at", "another"]));
        let other = other.run().await.with(1).stderr;
        let begun = "renaming `created_at` to `written` was begun and not ended";
        let gone = "there is no sample field `created_at`";
        assert!(other.contains(begun) || other.contains(gone), "{other}");
        deployment.led_by(program!(arguments)).run().await.exits_with(0);
        is_renamed(&deployment, &samples, &before).await;
    }
}

#[tokio::test]
async fn what_would_mean_something_else_afterwards_is_in_the_way_and_nothing_is_written() {
    let (deployment, samples) = clashing(8).await;
    let dataset = deployment.dataset("large").await;
    let id = dataset.get_object_id("_id").unwrap();
    let arguments = ["rename-field", "large", "created_at", "written"];
    let is_refused = async |part: &str| {
        let before = deployment.dump().await;
        for dry in [&["--dry-run"][..], &[]] {
            let said = deployment.led_by(program!(arguments.iter().chain(dry))).run().await;
            // Only who holds the lease looks at every sample.
            if part.ends_with("no field declares") && !dry.is_empty() {
                continue;
            }
            refused(&said, part);
        }
        assert_eq!(deployment.dump().await, before);
    };
    let stage =
        r#"{"_cls": "fiftyone.core.stages.SortBy", "kwargs": [["field_or_expr", "created_at"]]}"#;
    let view = doc! { "_id": ObjectId::new(), "_dataset_id": id, "name": "by day", "view_stages": [stage] };
    deployment.plant("views", [view]).await;
    is_refused("saved view `by day` names the field").await;
    deployment.collection("views").delete_many(doc! {}).await.unwrap();

    let index = mongodb::IndexModel::builder().keys(doc! { "created_at": 1 }).build();
    deployment.collection(&samples).create_index(index).await.unwrap();
    is_refused("there is an index `created_at_1` on it").await;
    deployment.collection(&samples).drop_index("created_at_1").await.unwrap();

    let mut other = at_0_25(image_dataset("other"));
    other.insert("sample_collection_name", "samples.other");
    other.insert("frame_collection_name", samples.as_str());
    deployment.plant("datasets", [other]).await;
    is_refused("those of another dataset as well").await;
    deployment.collection("datasets").delete_one(doc! { "name": "other" }).await.unwrap();

    let stray = doc! { "$set": { "written": 1 } };
    deployment.collection(&samples).update_one(doc! {}, stray).await.unwrap();
    is_refused("1 sample has a value under `written` that no field declares").await;
}

#[tokio::test]
async fn only_an_admin_renames_and_only_where_migrations_are_allowed() {
    let (deployment, _) = clashing(4).await;
    let before = deployment.dump().await;
    let engine = deployment.engine().await;
    let id = engine.dataset_id("large").await.unwrap();
    let ada = permit_of("ada", Role::Member);
    let what = ("created_at", "written");
    engine.rename_plan(&ada, &id, what.0, what.1).await.unwrap_err();
    engine.rename_field(&ada, &id, what, Control::new().0).await.unwrap_err();
    engine.begin_rename(&ada, &id, what).await.unwrap_err();
    let seen = deployment.seen_by(program!(["rename-field", "large", "created_at", "written"]));
    refused(&seen.run().await, "FIFTYONE_DATABASE_ADMIN is not true");
    let none = deployment.led_by(program!(["rename-field", "lage", "created_at", "written"]));
    refused(&none.run().await, "dataset `lage` not found; did you mean `large`?");
    assert_eq!(deployment.dump().await, before);
    assert!(engine.begin_rename(&permit_of("eve", Role::Admin), &id, what).await.unwrap());
    assert_eq!(records(&deployment).await[0].get_str("by").unwrap(), "eve");
    engine.rename_plan(&permit_of("eve", Role::Admin), &id, "created_at", NEWEST).await.unwrap();
    engine.close().await;
}
