//! Datasets in the layout of 0.18, which has something to do for most revisions after it.

use bson::{DateTime, Document, doc, oid::ObjectId};

/// The version that this build takes everything to.
pub const NEWEST: &str = engine::versions::COMPATIBILITY_VERSION;

/// A dataset of images with two evaluations, which 0.19 makes documents of their own.
pub fn image_dataset(name: &str) -> Document {
    dataset(name, "image")
}

/// A dataset of videos.
pub fn video_dataset(name: &str) -> Document {
    let mut dataset = dataset(name, "video");
    let frames = format!("frames.{}", dataset.get_str("sample_collection_name").unwrap());
    dataset.insert("frame_collection_name", frames);
    let fields = [
        field("id", "ObjectIdField", "_id"),
        field("frame_number", "FrameNumberField", "frame_number"),
    ];
    dataset.insert("frame_fields", fields.to_vec());
    dataset
}

/// This many images.
pub fn image_samples(count: u32) -> impl Iterator<Item = Document> {
    (0..count).map(move |number| {
        doc! {
            "_id": ObjectId::new(),
            "_rand": f64::from(number) / f64::from(count),
            "_media_type": "image",
            "filepath": format!("/data/{number}.jpg"),
            "tags": ["train"],
            "metadata": null,
            "weather": "rain",
        }
    })
}

/// This many videos.
pub fn video_samples(count: u32) -> impl Iterator<Item = Document> {
    image_samples(count).map(|mut it| {
        it.insert("_media_type", "video");
        it
    })
}

/// This many frames of each of these videos.
pub fn video_frames(samples: &[Document], count: i32) -> Vec<Document> {
    let frame = |sample: &Document, number: i32| {
        let sample = sample.get_object_id("_id").unwrap();
        doc! { "_id": ObjectId::new(), "_sample_id": sample, "frame_number": number, "weather": "rain" }
    };
    samples.iter().flat_map(|it| (1..=count).map(move |number| frame(it, number))).collect()
}

fn dataset(name: &str, media_type: &str) -> Document {
    let id = ObjectId::new();
    let fields = [
        field("id", "ObjectIdField", "_id"),
        field("filepath", "StringField", "filepath"),
        field("weather", "StringField", "weather"),
    ];
    doc! {
        "_id": id,
        "name": name,
        "version": "0.18.0",
        "created_at": DateTime::from_millis(1_600_000_000_000),
        "last_loaded_at": DateTime::from_millis(1_600_000_100_000),
        "sample_collection_name": format!("samples.{}", id.to_hex()),
        "persistent": true,
        "media_type": media_type,
        "group_media_types": {},
        "tags": [],
        "info": {},
        "app_config": { "media_fields": ["filepath"], "grid_media_field": "filepath" },
        "classes": {},
        "default_classes": [],
        "mask_targets": {},
        "default_mask_targets": {},
        "skeletons": {},
        "sample_fields": fields.to_vec(),
        "frame_fields": [],
        "annotation_runs": {},
        "brain_methods": {},
        "evaluations": { "first": evaluation("first"), "second": evaluation("second") },
    }
}

fn field(name: &str, kind: &str, db_field: &str) -> Document {
    doc! {
        "name": name,
        "ftype": format!("fiftyone.core.fields.{kind}"),
        "subfield": null,
        "embedded_doc_type": null,
        "fields": [],
        "db_field": db_field,
        "description": null,
        "info": null,
    }
}

fn evaluation(key: &str) -> Document {
    doc! {
        "key": key,
        "version": "0.18.0",
        "timestamp": DateTime::from_millis(1_600_000_050_000),
        "config": { "cls": "fiftyone.utils.eval.coco.COCOEvaluationConfig", "gt_field": "gt" },
        "view_stages": [],
        "results": null,
    }
}
