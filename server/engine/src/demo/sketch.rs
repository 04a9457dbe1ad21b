//! A dataset while it is being described, in the layout of the newest version.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};

use super::schema;

/// When the first dataset was made, and how long it took until the next one, in seconds.
const FIRST: u32 = 1_614_589_200; // 2021-03-01T09:00:00Z
const APART: u32 = 102 * 24 * 3600;

/// A dataset and all that belongs to it.
#[derive(Debug)]
pub struct Sketch {
    /// The version it shall be at.
    pub version: [u64; 3],
    /// As in `datasets`.
    pub document: Document,
    /// As in its sample collection.
    pub samples: Vec<Document>,
    /// As in its frame collection.
    pub frames: Vec<Document>,
    /// As in `runs`.
    pub runs: Vec<Document>,
    /// The results of its runs, by the ids of their files. JSON objects of plain values.
    pub results: Vec<(ObjectId, Document)>,
    /// As in `views`.
    pub views: Vec<Document>,
    /// As in `workspaces`.
    pub workspaces: Vec<Document>,
    /// As in `delegated_ops`.
    pub operations: Vec<Document>,
    number: u32,
    ids: u32,
    turned: u32,
}

/// The `counter`th id of dataset `number`. It says that it was made `counter` seconds after the dataset.
pub fn id(number: u32, counter: u32) -> ObjectId {
    let seconds = FIRST + number * APART + counter;
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&counter.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

impl Sketch {
    /// A dataset without samples. Its slug is its name: those that are new enough to keep a slug have such names.
    pub fn new(number: u32, name: &str, version: [u64; 3], media_type: &str) -> Self {
        let dataset = id(number, 0);
        let created = dataset.timestamp();
        let samples = format!("samples.{dataset}");
        let mut document = doc! {
            "_id": dataset,
            "name": name,
            "slug": name,
            "created_at": created,
            "last_loaded_at": id(number, 40_000).timestamp(),
            "sample_collection_name": &samples,
            "persistent": true,
            "media_type": media_type,
            "group_media_types": {},
            "tags": [],
            "info": {},
            "app_config": {
                "media_fields": ["filepath"],
                "grid_media_field": "filepath",
                "modal_media_field": "filepath",
                "plugins": {},
            },
            "classes": {},
            "default_classes": [],
            "mask_targets": {},
            "default_mask_targets": {},
            "skeletons": {},
            "sample_fields": [],
            "frame_fields": [],
            "saved_views": [],
            "annotation_runs": {},
            "brain_methods": {},
            "evaluations": {},
            "runs": {},
        };
        if media_type == "video" {
            document.insert("frame_collection_name", format!("frames.{samples}"));
        }
        let mut it = Self {
            version,
            document,
            samples: Vec::new(),
            frames: Vec::new(),
            runs: Vec::new(),
            results: Vec::new(),
            views: Vec::new(),
            workspaces: Vec::new(),
            operations: Vec::new(),
            number,
            ids: 0,
            turned: number,
        };
        // What no revision removes on its way down is only there if the dataset is new enough.
        if it.has([0, 24, 0]) {
            it.set("workspaces", Bson::Array(Vec::new()));
        }
        if it.has([1, 0, 0]) {
            it.set("last_modified_at", created);
        }
        if !it.has([1, 1, 0]) {
            it.configure("sidebar_mode", "best");
        }
        schema::implied(&mut it);
        it
    }

    /// Whether the dataset shall be at `version` or newer.
    pub fn has(&self, version: [u64; 3]) -> bool {
        self.version >= version
    }

    /// Its id.
    pub fn dataset_id(&self) -> ObjectId {
        id(self.number, 0)
    }

    /// An id that no other thing has.
    pub fn id(&mut self) -> ObjectId {
        self.ids += 1;
        id(self.number, self.ids)
    }

    /// When the last id was made.
    pub fn now(&self) -> DateTime {
        id(self.number, self.ids).timestamp()
    }

    /// A fraction, another one each time, but the same ones in every demo.
    pub fn turn(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(1 << 24)
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.next()).unwrap_or(0) % choices.len()]
    }

    fn next(&mut self) -> u32 {
        self.turned = self.turned.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.turned >> 8
    }

    /// Sets a key of the dataset document.
    pub fn set(&mut self, key: &str, value: impl Into<Bson>) {
        self.document.insert(key, value);
    }

    /// Sets one of the dataset's settings for the App.
    pub fn configure(&mut self, key: &str, value: impl Into<Bson>) {
        if let Ok(config) = self.document.get_document_mut("app_config") {
            config.insert(key, value);
        }
    }

    /// Appends to a list in the dataset document.
    pub fn push(&mut self, list: &str, value: impl Into<Bson>) {
        if let Ok(items) = self.document.get_array_mut(list) {
            items.push(value.into());
        }
    }

    /// A sample, to be filled and then [added](Self::add).
    pub fn sample(&mut self, filepath: String, media_type: &str, metadata: Document) -> Document {
        let tag = self.pick(&["train", "train", "train", "validation", "test"]);
        doc! {
            "_id": self.id(),
            "filepath": filepath,
            "tags": [tag],
            "metadata": metadata,
            "_media_type": media_type,
            "_rand": self.turn(),
        }
    }

    /// Adds a sample.
    pub fn add(&mut self, mut sample: Document) {
        self.stamp(&mut sample);
        self.samples.push(sample);
    }

    /// Adds the frame `number` of `sample`.
    pub fn add_frame(&mut self, sample: &Document, number: u32, content: Document) {
        let mut frame = doc! { "_id": self.id(), "frame_number": number };
        frame.extend(content);
        frame.insert("_sample_id", sample.get("_id"));
        self.stamp(&mut frame);
        self.frames.push(frame);
    }

    fn stamp(&self, document: &mut Document) {
        if self.has([0, 20, 0]) {
            document.insert("_dataset_id", self.dataset_id());
        }
        if self.has([1, 0, 0]) {
            document.insert("created_at", self.now());
            document.insert("last_modified_at", self.now());
        }
    }
}
