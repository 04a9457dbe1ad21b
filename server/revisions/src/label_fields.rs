//! The schemas of embedded documents, as v0.16.0 and v0.16.1 write them into fields of such a type.

use bson::{Bson, Document, doc};

use crate::{Dataset, Reason, Shape};

/// Types under `fiftyone.core.`, and what is in them: `name:Type`, where `[Type]` is a list.
const SCHEMAS: &[(&str, &str)] = &[
    ("metadata.Metadata", "size_bytes:Int mime_type:String"),
    (
        "metadata.ImageMetadata",
        "size_bytes:Int mime_type:String width:Int height:Int num_channels:Int",
    ),
    (
        "metadata.VideoMetadata",
        "size_bytes:Int mime_type:String frame_width:Int frame_height:Int frame_rate:Float \
         total_frame_count:Int duration:Float encoding_str:String",
    ),
    ("labels.Regression", "id:ObjectId tags:[String] value:Float confidence:Float"),
    (
        "labels.Classification",
        "id:ObjectId tags:[String] label:String confidence:Float logits:Vector",
    ),
    (
        "labels.Detection",
        "id:ObjectId tags:[String] label:String bounding_box:[Float] mask:Array confidence:Float index:Int",
    ),
    (
        "labels.Polyline",
        "id:ObjectId tags:[String] label:String points:PolylinePoints confidence:Float index:Int \
         closed:Boolean filled:Boolean",
    ),
    (
        "labels.Keypoint",
        "id:ObjectId tags:[String] label:String points:Keypoints confidence:Float index:Int",
    ),
    ("labels.Segmentation", "id:ObjectId tags:[String] mask:Array"),
    ("labels.Heatmap", "id:ObjectId tags:[String] map:Array range:HeatmapRange"),
    (
        "labels.TemporalDetection",
        "id:ObjectId tags:[String] label:String support:FrameSupport confidence:Float",
    ),
    (
        "labels.GeoLocation",
        "id:ObjectId tags:[String] point:GeoPoint line:GeoLineString polygon:GeoPolygon",
    ),
    (
        "labels.GeoLocations",
        "id:ObjectId tags:[String] points:GeoMultiPoint lines:GeoMultiLineString polygons:GeoMultiPolygon",
    ),
];

/// Types that are a list of labels: the name of the list, and the type of a label.
const LISTS: &[(&str, &str, &str)] = &[
    ("labels.Classifications", "classifications", "labels.Classification"),
    ("labels.Detections", "detections", "labels.Detection"),
    ("labels.Polylines", "polylines", "labels.Polyline"),
    ("labels.Keypoints", "keypoints", "labels.Keypoint"),
    ("labels.TemporalDetections", "detections", "labels.TemporalDetection"),
];

/// What newer versions put into every label by themselves: nobody declared it.
const NEWER: [&str; 5] = ["attributes", "instance", "logits", "map_path", "mask_path"];

/// Whether types that are a list of labels get a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    /// As in v0.16.0, where they were forgotten.
    Empty,
    /// As in v0.16.1.
    Inferred,
}

/// Gives every field the schema of its type, and the field `metadata` the type for its media.
pub(crate) fn infer(dataset: &mut Dataset, lists: Lists) -> Result<(), Reason> {
    let metadata = match dataset.document.text("media_type") {
        "image" => "fiftyone.core.metadata.ImageMetadata",
        "video" => "fiftyone.core.metadata.VideoMetadata",
        _ => "fiftyone.core.metadata.Metadata",
    };
    for field in dataset.sample_fields()? {
        if field.text("name") == "metadata" {
            field.insert("embedded_doc_type", metadata);
        }
    }
    let schemas =
        [("sample_fields", "sample_collection_name"), ("frame_fields", "frame_collection_name")];
    for (schema, collection) in schemas {
        // FiftyOne means to look at the collection, and infers nothing if it has no name.
        let known = !dataset.document.text(collection).is_empty();
        for field in dataset.document.dicts(schema)? {
            let inferred = if known { inferred(field, lists) } else { Vec::new() };
            field.insert("fields", inferred);
        }
    }
    Ok(())
}

/// Removes all schemas within fields, and the media from the type of the field `metadata`. Returns how
/// many attributes in them only exist because somebody declared them.
pub(crate) fn forget(dataset: &mut Dataset) -> Result<usize, Reason> {
    let mut declared = 0;
    dataset.for_each_field(|field| {
        if let Some(Bson::Array(fields)) = field.remove("fields") {
            declared += beyond(&fields, &inferred(field, Lists::Inferred));
        }
    })?;
    for field in dataset.sample_fields()? {
        if field.text("name") == "metadata" {
            field.insert("embedded_doc_type", "fiftyone.core.metadata.Metadata");
        }
    }
    Ok(declared)
}

/// How many of `fields`, at any depth, are not among `known`.
fn beyond(fields: &[Bson], known: &[Bson]) -> usize {
    let documents =
        |it: &[Bson]| it.iter().filter_map(Bson::as_document).cloned().collect::<Vec<_>>();
    let known = documents(known);
    let count = |field: Document| {
        let name = field.text("name");
        let inner = |it: &Document| it.get_array("fields").cloned().unwrap_or_default();
        match known.iter().find(|it| it.text("name") == name) {
            Some(same) => beyond(&inner(&field), &inner(same)),
            None => usize::from(!NEWER.contains(&name)),
        }
    };
    documents(fields).into_iter().map(count).sum()
}

/// The schema of what is in `field`: empty unless it holds embedded documents of a known type.
fn inferred(field: &Document, lists: Lists) -> Vec<Bson> {
    let Some(class) = field.text("embedded_doc_type").strip_prefix("fiftyone.core.") else {
        return Vec::new();
    };
    if field.text("ftype") != "fiftyone.core.fields.EmbeddedDocumentField" {
        return Vec::new();
    }
    let list = LISTS.iter().find(|(it, ..)| *it == class);
    match list.filter(|_| lists == Lists::Inferred) {
        // The list has a path only if the field has a name; without one FiftyOne infers nothing.
        Some((_, name, label)) if field.get_str("name").is_ok() => {
            let mut list = described(name, "[EmbeddedDocument]");
            list.insert("embedded_doc_type", format!("fiftyone.core.{label}"));
            list.insert("fields", schema(label));
            vec![list.into()]
        }
        Some(_) => Vec::new(),
        None => schema(class),
    }
}

fn schema(class: &str) -> Vec<Bson> {
    let fields = SCHEMAS.iter().filter(|(it, _)| *it == class);
    let fields = fields.flat_map(|(_, fields)| fields.split_whitespace());
    fields
        .filter_map(|it| it.split_once(':'))
        .map(|(name, class)| described(name, class).into())
        .collect()
}

fn described(name: &str, class: &str) -> Document {
    let full = |class: &str| format!("fiftyone.core.fields.{class}Field");
    let item = class.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    doc! {
        "_cls": "SampleFieldDocument",
        "name": name,
        "ftype": full(item.map_or(class, |_| "List")),
        "subfield": item.map(full),
        "embedded_doc_type": Bson::Null,
        "db_field": if class == "ObjectId" { format!("_{name}") } else { name.to_owned() },
        "fields": [],
    }
}
