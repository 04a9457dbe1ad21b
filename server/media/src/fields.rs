//! Which fields of a dataset hold paths of media, by its document alone.

mod walk;

use bson::{Bson, Document};

pub use walk::{Place, paths};

/// What FiftyOne 1.22.1 declares as `_HasMedia`: the embedded type, and the field of it that is a path.
const TYPES: &[(&str, &str)] = &[
    ("fiftyone.core.labels.Detection", "mask_path"),
    ("fiftyone.core.labels.Heatmap", "map_path"),
    ("fiftyone.core.labels.Segmentation", "mask_path"),
    ("fiftyone.utils.rerun.RrdFile", "filepath"),
    ("fiftyone.utils.utils3d.OrthographicProjectionMetadata", "filepath"),
];

/// Types that are a list of such. Datasets of old do not say so in their document.
const LISTS: &[(&str, &str, &str)] =
    &[("fiftyone.core.labels.Detections", "detections", "fiftyone.core.labels.Detection")];

/// The field that every sample has, and that frames have where they were sampled into images.
const FILEPATH: &str = "filepath";

/// A field that holds paths of media.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaField {
    /// As people know it: `filepath`, `ground_truth.detections.mask_path`, `frames.seg.mask_path`.
    pub name: String,
    /// Whether frames have it, and not samples.
    pub of_frames: bool,
    /// The keys in the database that lead to it, through lists.
    pub keys: Vec<String>,
}

impl MediaField {
    /// Whether this is meant by a name that somebody gives: its own, or one that it is below, such as `ground_truth`.
    pub fn is_meant_by(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name);
        rest.is_some_and(|it| it.is_empty() || it.starts_with('.'))
    }
}

/// Every media field of a dataset, `filepath` first, those of frames last.
pub fn media_fields(dataset: &Document) -> Vec<MediaField> {
    let app = dataset.get_document("app_config").and_then(|it| it.get_array("media_fields"));
    let mut named: Vec<&str> = app.into_iter().flatten().filter_map(Bson::as_str).collect();
    named.push(FILEPATH);
    let mut found = Found { named, of_frames: false, fields: Vec::new() };
    found.look(dataset, "sample_fields");
    // What is shown in the app is a field of samples.
    found.named = vec![FILEPATH];
    found.of_frames = true;
    found.look(dataset, "frame_fields");
    let mut fields = found.fields;
    // Every sample has one, whatever a document that was damaged says: who asks what is needed must not overlook it.
    if !fields.iter().any(|it| it.name == FILEPATH) {
        let (name, keys) = (FILEPATH.to_owned(), vec![FILEPATH.to_owned()]);
        fields.push(MediaField { name, of_frames: false, keys });
    }
    fields.sort_by(|a, b| {
        let rank = |it: &MediaField| (it.of_frames, it.name != FILEPATH, it.name.clone());
        rank(a).cmp(&rank(b))
    });
    fields.dedup();
    fields
}

struct Found<'a> {
    named: Vec<&'a str>,
    of_frames: bool,
    fields: Vec<MediaField>,
}

/// How deep schemas are followed; FiftyOne's own are a few levels deep.
const DEPTH: usize = 32;

impl Found<'_> {
    fn look(&mut self, dataset: &Document, key: &str) {
        for field in schema(dataset, key) {
            self.field(field, "", &[], DEPTH);
        }
    }

    fn field(&mut self, field: &Document, above: &str, keys: &[String], depth: usize) {
        let Ok(name) = field.get_str("name") else { return };
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        let mut keys = keys.to_vec();
        keys.push(field.get_str("db_field").unwrap_or(name).to_owned());
        if self.named.contains(&path.as_str()) {
            self.add(path, keys);
        } else if let Ok(kind) = field.get_str("embedded_doc_type") {
            let fields = schema(field, "fields").collect();
            self.embedded(kind, &Embedded { path, keys, fields }, depth);
        }
    }

    fn embedded(&mut self, kind: &str, it: &Embedded<'_>, depth: usize) {
        if let Some((_, leaf)) = TYPES.iter().find(|(of, _)| *of == kind) {
            let (path, keys) = it.below(leaf);
            self.add(path, keys);
        }
        if let Some((_, list, of)) = LISTS.iter().find(|(list, ..)| *list == kind)
            && it.field(list).is_none()
        {
            let (path, keys) = it.below(list);
            self.embedded(of, &Embedded { path, keys, fields: Vec::new() }, depth);
        }
        for field in &it.fields {
            if depth > 0 {
                self.field(field, &it.path, &it.keys, depth - 1);
            }
        }
    }

    fn add(&mut self, path: String, keys: Vec<String>) {
        let name = if self.of_frames { format!("frames.{path}") } else { path };
        self.fields.push(MediaField { name, of_frames: self.of_frames, keys });
    }
}

/// A field whose values are documents.
struct Embedded<'a> {
    path: String,
    keys: Vec<String>,
    fields: Vec<&'a Document>,
}

impl Embedded<'_> {
    fn field(&self, name: &str) -> Option<&Document> {
        self.fields.iter().copied().find(|it| it.get_str("name").is_ok_and(|it| it == name))
    }

    /// One of its fields, whether it is in the schema or not.
    fn below(&self, name: &str) -> (String, Vec<String>) {
        let key = self.field(name).and_then(|it| it.get_str("db_field").ok()).unwrap_or(name);
        let mut keys = self.keys.clone();
        keys.push(key.to_owned());
        (format!("{}.{name}", self.path), keys)
    }
}

fn schema<'a>(document: &'a Document, key: &str) -> impl Iterator<Item = &'a Document> {
    document.get_array(key).into_iter().flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests;
