//! A deployment with every kind of damage that the doctor mends.

use std::collections::BTreeSet;
use std::fs;

use bson::{Binary, Bson, DateTime, Document, doc, oid::ObjectId, spec::BinarySubtype};
use tests::{
    Dump, Mongod, NEWEST, State, image_dataset, image_samples, video_dataset, video_frames,
    video_samples,
};

use crate::place::{Place, What};

/// The names of all kinds, as the files say in which they are.
pub fn kinds() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/engine/src/doctor");
    let files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let texts = files.filter_map(|it| fs::read_to_string(it).ok());
    let named = texts.filter_map(|it| {
        let orphans = it.split_once("kind: \"").filter(|_| it.contains(": Orphans ="));
        let orphans = orphans.map(|(_, name)| name);
        let (_, kind) = it.split_once("const KIND: Kind")?;
        let name = orphans.or_else(|| Some(kind.split_once("name: \"")?.1))?;
        Some(name.split_once('"')?.0.to_owned())
    });
    named.collect()
}

/// Old enough to be an orphan.
fn old_id(number: u8) -> ObjectId {
    ObjectId::from_parts(1_600_000_000, [number; 5], [number; 3])
}

/// The damage, in a database that was healthy.
pub async fn deployment(server: &Mongod, begun: DateTime) -> Dump {
    let place = Place::with(server, "sick-maker", begun, &healthy()).await;
    assert_eq!(place.does(&What::Migrate(NEWEST.to_owned())).await.left, Vec::<String>::new());
    damage(&place).await;
    let dump = place.deployment.dump().await;
    place.vanish().await;
    dump
}

/// What becomes of everything is seen by what it was in the layout of 0.18.
fn healthy() -> Dump {
    // One of its datasets FiftyOne has left in the middle: `grp` says that it is at the newest version.
    let mut dump = State::down_to("0.16.6").collections;
    let (images, videos) = (image_dataset("img"), video_dataset("vid"));
    let others = ["lost", "ahead", "dangling", "orphans", "results", "pose"].map(image_dataset);
    let name = |it: &Document, key: &str| it.get_str(key).unwrap().to_owned();
    for it in others.iter().chain([&images]) {
        dump.insert(name(it, "sample_collection_name"), image_samples(5).collect());
    }
    let samples: Vec<Document> = video_samples(3).collect();
    dump.insert(name(&videos, "frame_collection_name"), video_frames(&samples, 4));
    dump.insert(name(&videos, "sample_collection_name"), samples);
    let datasets = dump.entry("datasets".to_owned()).or_default();
    datasets.extend(others.into_iter().chain([images, videos]));
    dump
}

async fn damage(place: &Place) {
    let database = &place.deployment;
    let older = doc! { "_id": old_id(1), "version": "0.19.1", "type": "fiftyone" };
    database.plant("config", [older]).await;
    let set = async |dataset: &str, update: Document| {
        let datasets = database.collection("datasets");
        let updated = datasets.update_one(doc! { "name": dataset }, update).await.unwrap();
        assert_eq!(updated.modified_count, 1, "{dataset}");
    };
    set("lost", doc! { "$unset": { "version": "" } }).await;
    set("ahead", doc! { "$set": { "version": "0.18.0" } }).await;
    let video = database.dataset("vid").await;
    for key in ["sample_collection_name", "frame_collection_name"] {
        let collection = database.collection(video.get_str(key).unwrap());
        let dates = doc! { "$unset": { "created_at": "", "last_modified_at": "" } };
        collection.update_one(doc! {}, dates).await.unwrap();
    }
    let dangling = database.dataset("dangling").await;
    let run = dangling.get_document("evaluations").unwrap().get_object_id("first").unwrap();
    database.collection("runs").delete_one(doc! { "_id": run }).await.unwrap();
    let lists = doc! { "saved_views": [old_id(1)], "workspaces": [old_id(2)] };
    set("dangling", doc! { "$set": lists }).await;
    let orphans = database.dataset("orphans").await.get_object_id("_id").unwrap();
    let file = doc! { "_id": old_id(11), "contentType": "application/json", "chunkSize": 2, "length": 4_i64 };
    database.plant("fs.files", [file]).await;
    let data = |it: &[u8]| Binary { subtype: BinarySubtype::Generic, bytes: it.to_vec() };
    let chunks = [(0, b"{ "), (1, b" }")].map(
        |(n, it)| doc! { "_id": ObjectId::new(), "files_id": old_id(11), "n": n, "data": data(it) },
    );
    database.plant("fs.chunks", chunks).await;
    let orphan = |number: u8, results: Bson| {
        doc! {
            "_id": old_id(number), "_dataset_id": orphans, "key": "lost", "version": "0.19.0",
            "timestamp": DateTime::from_millis(1_600_000_000_000), "config": { "cls": "a" }, "results": results,
        }
    };
    let runs = [orphan(3, old_id(11).into()), orphan(4, Bson::Null)];
    database.plant("runs", runs).await;
    database.plant("views", [orphan(5, Bson::Null)]).await;
    database.plant("workspaces", [orphan(6, Bson::Null)]).await;
    let results = database.dataset("results").await;
    let run = results.get_document("evaluations").unwrap().get_object_id("second").unwrap();
    let gone = doc! { "$set": { "results": old_id(7) } };
    database.collection("runs").update_one(doc! { "_id": run }, gone).await.unwrap();
    let field = doc! {
        "name": "pose", "ftype": "fiftyone.core.fields.EmbeddedDocumentField", "db_field": "pose",
        "embedded_doc_type": "fiftyone.core.labels.Keypoint", "read_only": false,
        "fields": [{
            "name": "points", "ftype": "fiftyone.core.fields.PolylinePointsField", "db_field": "points",
        }],
    };
    set("pose", doc! { "$push": { "sample_fields": field } }).await;
}
