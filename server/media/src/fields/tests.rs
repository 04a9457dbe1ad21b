//! What counts as media, for each of FiftyOne's types.

use bson::doc;

use super::*;

fn names(dataset: &Document) -> Vec<String> {
    media_fields(dataset).into_iter().map(|it| it.name).collect()
}

fn text(name: &str) -> Document {
    doc! { "name": name, "ftype": "fiftyone.core.fields.StringField", "db_field": name }
}

fn embedded(name: &str, kind: &str, fields: Vec<Document>) -> Document {
    doc! { "name": name, "ftype": "fiftyone.core.fields.EmbeddedDocumentField", "embedded_doc_type": kind,
    "db_field": name, "fields": fields }
}

#[test]
fn labels_with_files_are_media_as_samples_and_as_frames() {
    let detection = doc! { "name": "detections", "ftype": "fiftyone.core.fields.ListField", "db_field": "detections",
    "subfield": "fiftyone.core.fields.EmbeddedDocumentField",
    "embedded_doc_type": "fiftyone.core.labels.Detection", "fields": [text("mask_path")] };
    let labels = vec![
        text("filepath"),
        embedded("gt", "fiftyone.core.labels.Detections", vec![detection]),
        embedded("one", "fiftyone.core.labels.Detection", vec![]),
        embedded("seg", "fiftyone.core.labels.Segmentation", vec![text("mask_path")]),
        embedded("heat", "fiftyone.core.labels.Heatmap", vec![]),
        embedded("flat", "fiftyone.utils.utils3d.OrthographicProjectionMetadata", vec![]),
        embedded("rrd", "fiftyone.utils.rerun.RrdFile", vec![]),
        embedded("class", "fiftyone.core.labels.Classification", vec![text("label")]),
    ];
    let own = [
        "filepath",
        "flat.filepath",
        "gt.detections.mask_path",
        "heat.map_path",
        "one.mask_path",
        "rrd.filepath",
        "seg.mask_path",
    ];
    let both =
        own.iter().map(|it| (*it).to_owned()).chain(own.iter().map(|it| format!("frames.{it}")));
    let mut both: Vec<String> = both.collect();
    // By name, but for the first.
    both[7..].sort();
    let dataset = doc! { "sample_fields": labels.clone(), "frame_fields": labels };
    assert_eq!(names(&dataset), both);
}

#[test]
fn what_the_app_shows_is_media_of_samples_only_and_only_where_it_is_declared() {
    let meta = embedded(
        "meta",
        "fiftyone.core.odm.embedded_document.DynamicEmbeddedDocument",
        vec![text("thumb")],
    );
    let dataset = doc! {
        "app_config": { "media_fields": ["filepath", "meta.thumb", "gone"] },
        "sample_fields": [text("filepath"), meta.clone(), text("other")],
        "frame_fields": [meta],
    };
    assert_eq!(names(&dataset), ["filepath", "meta.thumb"]);
}

#[test]
fn old_schemas_do_not_list_what_is_inside_a_label() {
    let mut old = embedded("gt", "fiftyone.core.labels.Detections", vec![]);
    old.remove("fields");
    let dataset = doc! { "sample_fields": [old] };
    assert_eq!(media_fields(&dataset)[1].keys, ["gt", "detections", "mask_path"]);
}

#[test]
fn the_database_may_have_another_name_for_a_field() {
    let mut mask = text("mask_path");
    mask.insert("db_field", "mp");
    let mut seg = embedded("seg", "fiftyone.core.labels.Segmentation", vec![mask]);
    seg.insert("db_field", "s");
    let field = &media_fields(&doc! { "sample_fields": [seg] })[1];
    assert_eq!(
        (field.name.as_str(), field.keys.clone()),
        ("seg.mask_path", vec!["s".into(), "mp".into()])
    );
}

#[test]
fn a_field_is_meant_by_its_name_or_by_that_of_what_it_is_in() {
    let field =
        MediaField { name: "gt.detections.mask_path".into(), of_frames: false, keys: vec![] };
    assert!(
        ["gt", "gt.detections", "gt.detections.mask_path"].iter().all(|it| field.is_meant_by(it))
    );
    assert!(
        ["g", "gt.det", "gt.detections.mask_path.x", "frames.gt"]
            .iter()
            .all(|it| !field.is_meant_by(it))
    );
}

#[test]
fn a_schema_of_any_shape_is_read_to_its_end_and_the_path_of_a_sample_is_never_overlooked() {
    for dataset in
        [doc! {}, doc! { "sample_fields": null }, doc! { "sample_fields": [1, {}, { "name": 3 }] }]
    {
        assert_eq!(names(&dataset), ["filepath"]);
    }
}
