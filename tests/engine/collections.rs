//! Sample and frame collections: large ones, odd ones, and those that are joined.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Binary, Bson, DateTime, Document, Uuid, doc, oid::ObjectId, spec::BinarySubtype};
use futures_util::TryStreamExt;
use mongodb::IndexModel;
use mongodb::options::IndexOptions;
use tests::{
    Deployment, NEWEST, image_dataset, image_samples, program, video_dataset, video_frames,
    video_samples,
};

const INCOMPLETE: fn() -> Document = || doc! { "$or": [{ "created_at": null }, { "last_modified_at": null }, { "_dataset_id": null }] };

/// The index that FiftyOne gives to frames.
fn of_frames() -> IndexModel {
    let unique = IndexOptions::builder().unique(true).build();
    IndexModel::builder().keys(doc! { "_sample_id": 1, "frame_number": 1 }).options(unique).build()
}

async fn count(deployment: &Deployment, collection: &str, filter: Document) -> u64 {
    deployment.collection(collection).count_documents(filter).await.unwrap()
}

#[tokio::test]
async fn a_collection_of_many_ranges_is_migrated_to_its_last_document() {
    let deployment = Deployment::at("0.18.0").await;
    let (images, videos) = (image_dataset("images"), video_dataset("videos"));
    let names = |it: &Document| it.get_str("sample_collection_name").unwrap().to_owned();
    let (images_in, videos_in) = (names(&images), names(&videos));
    let frames_in = format!("frames.{videos_in}");
    let video: Vec<Document> = video_samples(300).collect();
    deployment.plant(&images_in, image_samples(30_000)).await;
    deployment.plant(&frames_in, video_frames(&video, 100)).await;
    deployment.collection(&frames_in).create_index(of_frames()).await.unwrap();
    deployment.plant(&videos_in, video).await;
    deployment.plant("datasets", [images, videos]).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    for name in [&images_in, &videos_in, &frames_in] {
        assert_eq!(count(&deployment, name, INCOMPLETE()).await, 0, "{name}");
    }
    assert_eq!(count(&deployment, &frames_in, doc! {}).await, 30_000);
    let from_id = doc! { "$expr": { "$eq": ["$created_at", { "$toDate": "$_id" }] } };
    assert_eq!(count(&deployment, &images_in, from_id).await, 30_000);

    deployment.led_by(program!(["--all", "-v", "0.7.1"])).run().await.exits_with(0);
    deployment.assert_all_at("0.7.1").await;
    let summed = doc! { "frames.frame_count": 100, "frames.first_frame.frame_number": 1 };
    assert_eq!(count(&deployment, &videos_in, summed).await, 300);
}

/// Samples of which this many were made in each second.
fn samples_of_their_time(per_second: u32) -> impl Iterator<Item = Document> {
    image_samples(20_000).zip(0_u32..).map(move |(mut it, index)| {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&(1_600_000_000 + index / per_second).to_be_bytes());
        id[8..].copy_from_slice(&index.to_be_bytes());
        it.insert("_id", ObjectId::from_bytes(id));
        it
    })
}

#[tokio::test]
async fn samples_made_quickly_or_slowly_get_the_time_they_were_made_and_the_same_keys() {
    let deployment = Deployment::at("0.18.0").await;
    for (name, per_second) in [("quick", 1_500), ("slow", 1)] {
        let dataset = image_dataset(name);
        let samples = dataset.get_str("sample_collection_name").unwrap();
        deployment.plant(samples, samples_of_their_time(per_second)).await;
        deployment.plant("datasets", [dataset]).await;
    }
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let mut seen = Vec::new();
    for name in ["quick", "slow"] {
        let dataset = deployment.dataset(name).await;
        let samples = dataset.get_str("sample_collection_name").unwrap();
        let from_id = doc! { "$expr": { "$eq": ["$created_at", { "$toDate": "$_id" }] } };
        assert_eq!(count(&deployment, samples, from_id).await, 20_000, "{name}");
        let of_dataset = doc! { "_dataset_id": dataset.get_object_id("_id").unwrap() };
        assert_eq!(count(&deployment, samples, of_dataset).await, 20_000, "{name}");
        let keys = doc! { "$map": { "input": { "$objectToArray": "$$ROOT" }, "in": "$$this.k" } };
        let stages = [doc! { "$group": { "_id": keys } }];
        let samples = deployment.collection(samples);
        let found = samples.aggregate(stages).await.unwrap();
        seen.extend(found.try_collect::<Vec<_>>().await.unwrap());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

/// Ids in the order in which the server sorts their types.
fn odd_ids() -> Vec<Bson> {
    let kind = |index: i32| -> [Bson; 9] {
        [
            Bson::Int32(index),
            Bson::Int64(i64::from(index) + (1 << 40)),
            Bson::Double(f64::from(index) + 0.5),
            Bson::String(format!("sample {index}")),
            Bson::Document(doc! { "number": index }),
            Bson::Binary(Binary {
                subtype: BinarySubtype::Generic,
                bytes: index.to_be_bytes().to_vec(),
            }),
            Bson::Binary(Uuid::from_bytes([u8::try_from(index % 256).unwrap(); 16]).into()),
            Bson::ObjectId(ObjectId::new()),
            Bson::DateTime(DateTime::from_millis(i64::from(index))),
        ]
    };
    let mut ids: Vec<Bson> = (0..2_000).flat_map(kind).collect();
    ids.retain(|it| !matches!(it, Bson::Binary(it) if it.subtype == BinarySubtype::Uuid));
    ids.extend([Bson::Null, Bson::Boolean(true), Bson::MinKey, Bson::MaxKey]);
    ids
}

#[tokio::test]
async fn samples_with_ids_of_any_type_are_migrated() {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("odd");
    let name = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let ids = odd_ids();
    let samples = image_samples(u32::try_from(ids.len()).unwrap()).zip(&ids).map(|(mut it, id)| {
        it.insert("_id", id.clone());
        it
    });
    deployment.plant(&name, samples).await;
    deployment.plant("datasets", [dataset]).await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    let all = u64::try_from(ids.len()).unwrap();
    assert_eq!(count(&deployment, &name, doc! {}).await, all);
    assert_eq!(
        count(&deployment, &name, doc! { "last_modified_at": { "$type": "date" } }).await,
        all
    );
    assert_eq!(count(&deployment, &name, doc! { "created_at": { "$type": "date" } }).await, all);
    deployment.led_by(program!(["--all", "-v", "0.6.4"])).run().await.exits_with(0);
    assert_eq!(count(&deployment, &name, doc! { "media_type": "image" }).await, all);
    assert_eq!(count(&deployment, &name, doc! { "_media_type": { "$exists": true } }).await, 0);
}

#[tokio::test]
async fn frames_go_into_their_samples_and_out_again_in_spite_of_their_unique_index() {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = video_dataset("vid");
    let samples_in = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let frames_in = format!("frames.{samples_in}");
    let samples: Vec<Document> = video_samples(20).collect();
    // The last video has no frames.
    deployment.plant(&frames_in, video_frames(&samples[..19], 7)).await;
    deployment.plant(&samples_in, samples.clone()).await;
    deployment.plant("datasets", [dataset]).await;
    deployment.collection(&frames_in).create_index(of_frames()).await.unwrap();

    deployment.led_by(program!(["--all", "-v", "0.6.1"])).run().await.exits_with(0);
    assert_eq!(deployment.version().await, "0.6.1");
    assert_eq!(deployment.dataset("vid").await.get("version"), None);
    for (before, after) in samples.iter().zip(deployment.all(&samples_in).await).take(19) {
        assert_eq!(after.get("_id"), before.get("_id"));
        assert!(after.get_document("frames").is_ok_and(|it| !it.is_empty()), "{after}");
    }
    assert_eq!(count(&deployment, &frames_in, doc! { "_sample_id": { "$exists": true } }).await, 0);
    let lower = deployment.dump().await;

    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    for sample in &samples[..19] {
        let id = sample.get_object_id("_id").unwrap();
        assert_eq!(count(&deployment, &frames_in, doc! { "_sample_id": id }).await, 7);
    }
    assert_eq!(count(&deployment, &samples_in, doc! { "frames": { "$exists": true } }).await, 0);
    deployment.led_by(program!(["--all", "-v", "0.6.1"])).run().await.exits_with(0);
    assert_eq!(deployment.all(&frames_in).await.len(), lower[&frames_in].len());
}

#[tokio::test]
async fn a_sample_that_cannot_be_changed_is_named_and_stops_only_its_dataset() {
    let deployment = Deployment::at("0.18.0").await;
    let mut named = Vec::new();
    for (name, count) in [("small", 3), ("large", 30_000)] {
        let dataset = image_dataset(name);
        let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
        deployment.plant("datasets", [dataset]).await;
        let samples: Vec<Document> = image_samples(count).collect();
        let id = samples[samples.len() / 2].get_object_id("_id").unwrap();
        deployment.plant(&collection, samples).await;
        // Whoever runs the server may have rules of their own.
        let rule =
            doc! { "$or": [{ "_id": { "$ne": id } }, { "created_at": { "$exists": false } }] };
        deployment
            .database
            .run_command(doc! { "collMod": &collection, "validator": rule })
            .await
            .unwrap();
        named.push(format!("the document with `_id` ObjectId(\"{id}\") in `{collection}`"));
    }
    deployment.plant("datasets", [image_dataset("good")]).await;
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    for it in named {
        assert!(ended.stderr.contains(&it), "{it}\n{}", ended.stderr);
    }
    assert_eq!(deployment.version_of("small").await, "0.18.0".into());
    assert_eq!(deployment.version_of("large").await, "0.18.0".into());
    assert_eq!(deployment.version_of("good").await, NEWEST.into());
}
