//! The schema of samples and frames: field documents, as FiftyOne declares them.

use bson::{Bson, Document, doc};

use super::sketch::Sketch;

const IMAGE_METADATA: &str =
    "size_bytes:Int mime_type:String width:Int height:Int num_channels:Int";
const VIDEO_METADATA: &str = "size_bytes:Int mime_type:String frame_width:Int frame_height:Int \
                              frame_rate:Float total_frame_count:Int duration:Float encoding_str:String";

/// What is in a label, by its class.
const LABELS: &[(&str, &str)] = &[
    ("Classification", "id:ObjectId tags:[String] label:String confidence:Float logits:Vector"),
    (
        "Detection",
        "id:ObjectId tags:[String] attributes:{Attribute} label:String bounding_box:[Float] mask:Array \
         confidence:Float index:Int",
    ),
    (
        "GeoLocation",
        "id:ObjectId tags:[String] point:GeoPoint line:GeoLineString polygon:GeoPolygon",
    ),
    (
        "Keypoint",
        "id:ObjectId tags:[String] attributes:{Attribute} label:String points:Keypoints \
         confidence:[Float] index:Int",
    ),
    (
        "Polyline",
        "id:ObjectId tags:[String] attributes:{Attribute} label:String points:PolylinePoints \
         confidence:Float index:Int closed:Boolean filled:Boolean",
    ),
    (
        "TemporalDetection",
        "id:ObjectId tags:[String] label:String support:FrameSupport confidence:Float",
    ),
];

impl Sketch {
    /// Declares fields of the samples: `weather:String speed:Float`.
    pub fn declare(&mut self, spec: &str) {
        for field in self.fields(spec) {
            self.push("sample_fields", field);
        }
    }

    /// Declares fields of the frames.
    pub fn declare_in_frames(&mut self, spec: &str) {
        for field in self.fields(spec) {
            self.push("frame_fields", field);
        }
    }

    /// The field `name` of one label of `class`.
    pub fn label_field(&self, name: &str, class: &str) -> Document {
        let spec = LABELS.iter().find(|(it, _)| *it == class).map_or("", |(_, spec)| spec);
        let fields = self.fields(spec);
        self.embedded(name, &format!("labels.{class}"), fields)
    }

    /// The field `name` of a list of labels of `class`, which have `attributes` of their own besides.
    pub fn labels_field(&self, name: &str, class: &str, attributes: &str) -> Document {
        let list = list_of(class);
        let mut labels = self.label_field(list, class);
        labels.insert("ftype", ftype("List"));
        labels.insert("subfield", ftype("EmbeddedDocument"));
        if let Ok(fields) = labels.get_array_mut("fields") {
            fields.extend(self.fields(attributes).into_iter().map(Bson::from));
        }
        self.embedded(name, &format!("labels.{class}s"), vec![labels])
    }

    fn embedded(&self, name: &str, class: &str, fields: Vec<Document>) -> Document {
        let mut field = self.field(name, "EmbeddedDocument");
        field.insert("embedded_doc_type", format!("fiftyone.core.{class}"));
        field.insert("fields", fields);
        field
    }

    fn fields(&self, spec: &str) -> Vec<Document> {
        let pairs = spec.split_whitespace().filter_map(|it| it.split_once(':'));
        pairs.map(|(name, class)| self.field(name, class)).collect()
    }

    fn field(&self, name: &str, class: &str) -> Document {
        let inside =
            |open, close| class.strip_prefix(open).and_then(|it: &str| it.strip_suffix(close));
        let (class, subfield, document) = match (inside('[', ']'), inside('{', '}')) {
            (Some(item), _) => ("List", Some(ftype(item)), None),
            (_, Some(item)) => {
                let document = format!("fiftyone.core.labels.{item}");
                ("Dict", Some(ftype("EmbeddedDocument")), Some(document))
            }
            (None, None) => (class, None, None),
        };
        let mut field = doc! {
            "name": name,
            "ftype": ftype(class),
            "embedded_doc_type": document,
            "subfield": subfield,
            "fields": [],
            "db_field": if name == "id" { "_id" } else { name },
            "description": null,
            "info": null,
        };
        if self.has([1, 0, 0]) {
            field.insert("read_only", matches!(name, "created_at" | "last_modified_at"));
            field.insert("created_at", self.now());
        }
        field
    }
}

/// Declares what every dataset has.
pub fn implied(sketch: &mut Sketch) {
    sketch.declare("id:ObjectId filepath:String tags:[String]");
    let media_type = sketch.document.get_str("media_type").unwrap_or_default();
    let (class, fields) = match media_type {
        "image" => ("metadata.ImageMetadata", IMAGE_METADATA),
        "video" => ("metadata.VideoMetadata", VIDEO_METADATA),
        _ => ("metadata.Metadata", IMAGE_METADATA),
    };
    let metadata = sketch.embedded("metadata", class, sketch.fields(fields));
    let is_video = media_type == "video";
    sketch.push("sample_fields", metadata);
    sketch.declare("_media_type:String _rand:Float");
    if is_video {
        sketch.declare_in_frames("id:ObjectId frame_number:FrameNumber _sample_id:ObjectId");
    }
    let mut newer = Vec::new();
    if sketch.has([0, 20, 0]) {
        newer.push("_dataset_id:ObjectId");
    }
    if sketch.has([1, 0, 0]) {
        newer.push("created_at:DateTime last_modified_at:DateTime");
    }
    for spec in newer {
        sketch.declare(spec);
        if is_video {
            sketch.declare_in_frames(spec);
        }
    }
}

/// Declares the field that says which group, and which slice of it, a sample is.
pub fn group(sketch: &mut Sketch) {
    let field = sketch.embedded("group", "groups.Group", sketch.fields("id:ObjectId name:String"));
    sketch.push("sample_fields", field);
}

/// What a list of labels of `class` is called in the document around it.
pub fn list_of(class: &str) -> &'static str {
    match class {
        "Classification" => "classifications",
        "Keypoint" => "keypoints",
        "Polyline" => "polylines",
        _ => "detections",
    }
}

fn ftype(class: &str) -> String {
    format!("fiftyone.core.fields.{class}Field")
}
