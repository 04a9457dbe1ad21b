//! The dataset whose media it is about: its collections, and the fields in them that are paths.

use media::fields::{MediaField, media_fields};

use crate::{Engine, Error, Result, load::decoded, store::Entry};

/// A dataset and its media fields.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Which.
    pub entry: Entry,
    /// Its collections that have any.
    pub parts: Vec<Part>,
}

/// A collection and its media fields.
#[derive(Clone, Debug)]
pub struct Part {
    /// The collection.
    pub collection: String,
    /// The fields.
    pub fields: Vec<MediaField>,
}

impl Subject {
    /// All fields, those of samples first.
    pub fn fields(&self) -> impl Iterator<Item = &MediaField> {
        self.parts.iter().flat_map(|it| &it.fields)
    }
}

impl Part {
    /// What has to be read of each document: the paths, and nothing else.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.fields.iter().map(|it| it.keys.join(".")).collect();
        keys.sort();
        // The server takes no field together with one that is in it.
        let inside = |it: &String, all: &[String]| {
            all.iter()
                .any(|other| it.strip_prefix(other.as_str()).is_some_and(|it| it.starts_with('.')))
        };
        let all = keys.clone();
        keys.retain(|it| !inside(it, &all));
        keys.dedup();
        keys
    }
}

impl Engine {
    /// The dataset with this id, and those of its media fields that are wanted; all of them if none is named.
    pub(super) async fn subject(&self, id: &str, wanted: &[String]) -> Result<Subject> {
        let error = |it| self.store.error(it);
        self.store.server().await?;
        let gone = || Error::NoDataset(id.to_owned());
        let entries = self.store.entries_of(&[id]).await.map_err(error)?;
        let entry = entries.into_iter().next().ok_or_else(gone)?;
        let found = self.store.datasets(std::slice::from_ref(&entry.id)).await.map_err(error)?;
        let raw = found.into_iter().next().flatten().ok_or_else(gone)?;
        let document = decoded(&raw).map_err(Error::Refused)?;
        let all = media_fields(&document);
        for name in wanted {
            if !all.iter().any(|it| it.is_meant_by(name)) {
                let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
                return Err(Error::Refused(format!(
                    "`{}` has no media field `{name}`; it has {}",
                    entry.label(),
                    names.join(", ")
                )));
            }
        }
        let is_wanted =
            |it: &MediaField| wanted.is_empty() || wanted.iter().any(|name| it.is_meant_by(name));
        let fields: Vec<MediaField> = all.into_iter().filter(is_wanted).collect();
        let (of_frames, of_samples) = fields.into_iter().partition(|it| it.of_frames);
        let samples = document.get_str("sample_collection_name").unwrap_or_default();
        let mut parts = Vec::new();
        if !samples.is_empty() {
            parts.push(Part { collection: samples.to_owned(), fields: of_samples });
        }
        if let Some(frames) = crate::export::frames_of(&document, samples) {
            parts.push(Part { collection: frames, fields: of_frames });
        }
        parts.retain(|it| !it.fields.is_empty());
        Ok(Subject { entry, parts })
    }
}
