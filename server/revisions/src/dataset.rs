//! A dataset as revisions see it.

use std::collections::BTreeMap;

use bson::{Bson, Document, oid::ObjectId};

use crate::{Reason, Shape};

/// A dataset document together with the run documents it owns.
///
/// A revision that takes a run out of the map deletes it (after the commit), one that puts a run in
/// inserts it (before), one that changes a run replaces it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// As in the collection `datasets`.
    pub document: Document,
    /// As in the collection `runs`, by id: all that the document refers to and that exist.
    pub runs: BTreeMap<ObjectId, Document>,
}

/// Keys a revision adds, each with the value it starts at.
pub type Defaults = &'static [(&'static str, fn() -> Bson)];

impl Dataset {
    /// A dataset without runs.
    pub fn new(document: Document) -> Self {
        Self { document, runs: BTreeMap::new() }
    }

    /// What to call it in a sentence: its name, or its id where it has none.
    pub fn label(&self) -> String {
        match (self.document.get("name"), self.document.get("_id")) {
            (Some(Bson::String(name)), _) => name.clone(),
            (_, Some(Bson::ObjectId(id))) => id.to_hex(),
            (_, Some(id)) => id.to_string(),
            (_, None) => "?".to_owned(),
        }
    }

    /// Adds each missing key. Keys that are already there, null included, keep their value.
    pub fn fill(&mut self, defaults: Defaults) {
        for (key, initial) in defaults {
            if !self.document.contains_key(key) {
                self.document.insert(*key, initial());
            }
        }
    }

    /// Removes each key that [`fill`](Self::fill) would add.
    pub fn strip(&mut self, defaults: Defaults) {
        for (key, _) in defaults {
            self.document.remove(key);
        }
    }

    /// The schema of the samples: `[{ name, ftype, .. }]`.
    ///
    /// # Errors
    ///
    /// If `sample_fields` is not a list of documents.
    pub fn sample_fields(&mut self) -> Result<Vec<&mut Document>, Reason> {
        self.document.dicts("sample_fields")
    }

    /// The schema of the frames: `[{ name, ftype, .. }]`.
    ///
    /// # Errors
    ///
    /// If `frame_fields` is not a list of documents.
    pub fn frame_fields(&mut self) -> Result<Vec<&mut Document>, Reason> {
        self.document.dicts("frame_fields")
    }

    /// Both schemas in one.
    ///
    /// # Errors
    ///
    /// If one of them is not a list of documents.
    pub fn for_each_field(&mut self, mut change: impl FnMut(&mut Document)) -> Result<(), Reason> {
        for list in ["sample_fields", "frame_fields"] {
            self.document.dicts(list)?.into_iter().for_each(&mut change);
        }
        Ok(())
    }

    /// Whether this is a video dataset.
    pub fn is_video(&self) -> bool {
        self.document.text("media_type") == "video"
    }

    /// Whether FiftyOne made this dataset for a view (patches, frames, clips) of another one. Such a dataset can
    /// be made again, and its frames, if it has any, belong to the other.
    pub fn is_generated(&self) -> bool {
        let samples = self.document.text("sample_collection_name");
        ["patches.", "frames.", "clips."].iter().any(|it| samples.starts_with(it))
    }
}
