//! One sample or frame of an export, as it shall be in the database.

use bson::{Bson, DateTime, Document, RawDocumentBuf, oid::ObjectId};
use bundle::{Fault, Folder, Piece};
use model::media_path::{PathKind, below};
use revisions::{Scope, Update};

use super::{ImportRequest, has_dates, plan::ImportPlan};

/// The keys of labels and metadata that hold a path, by class.
const PATHS: [(&str, &str); 4] = [
    ("Segmentation", "mask_path"),
    ("Detection", "mask_path"),
    ("Heatmap", "map_path"),
    ("OrthographicProjectionMetadata", "filepath"),
];

/// Converts the documents of one collection.
#[derive(Debug)]
pub struct Converter {
    scope: Scope,
    dataset: ObjectId,
    paths: Paths,
    tags: Vec<Bson>,
    updates: Vec<Update>,
    dates: bool,
    now: DateTime,
}

/// Where relative paths are.
#[derive(Clone, Debug)]
pub struct Paths {
    folder: String,
    /// Fields that hold a path, beside `filepath` and those of labels.
    fields: Vec<String>,
}

impl Paths {
    /// As `request` says.
    pub fn of(request: &ImportRequest, folder: &Folder) -> Self {
        let root = || folder.root.display().to_string();
        let configured = folder.metadata.get_document("app_config").ok();
        let configured = configured.and_then(|it| it.get_array("media_fields").ok());
        let fields = configured.into_iter().flatten().filter_map(Bson::as_str);
        Self {
            folder: request.rel_dir.clone().unwrap_or_else(root),
            fields: fields.filter(|it| *it != "filepath").map(str::to_owned).collect(),
        }
    }

    /// Makes every relative path absolute. Returns the first that leaves the folder.
    pub fn apply(&self, document: &mut Document) -> Option<String> {
        let mut escaping = None;
        if let Some(value) = document.get_mut("filepath") {
            self.absolute(value, &mut escaping);
        }
        for field in &self.fields {
            self.field(document, field, &mut escaping);
        }
        for (_, value) in document.iter_mut() {
            self.labels(value, &mut escaping);
        }
        escaping
    }

    fn absolute(&self, value: &mut Bson, escaping: &mut Option<String>) {
        let Bson::String(path) = value else { return };
        if path.is_empty() || PathKind::of(path).is_absolute() {
            return;
        }
        match below(&self.folder, path) {
            Some(whole) => *path = whole,
            None => *escaping = escaping.take().or_else(|| Some(path.clone())),
        }
    }

    fn field(&self, document: &mut Document, path: &str, escaping: &mut Option<String>) {
        let (key, rest) =
            path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        match (document.get_mut(key), rest) {
            (Some(value), None) => self.absolute(value, escaping),
            (Some(Bson::Document(inner)), Some(rest)) => self.field(inner, rest, escaping),
            (Some(Bson::Array(items)), Some(rest)) => {
                for it in items.iter_mut().filter_map(Bson::as_document_mut) {
                    self.field(it, rest, escaping);
                }
            }
            _ => {}
        }
    }

    fn labels(&self, value: &mut Bson, escaping: &mut Option<String>) {
        match value {
            Bson::Array(items) => items.iter_mut().for_each(|it| self.labels(it, escaping)),
            Bson::Document(document) => {
                let class = document.get_str("_cls").unwrap_or_default();
                let key = PATHS.iter().find(|(it, _)| *it == class).map(|(_, key)| *key);
                if let Some(value) = key.and_then(|it| document.get_mut(it)) {
                    self.absolute(value, escaping);
                }
                for (_, value) in document.iter_mut() {
                    self.labels(value, escaping);
                }
            }
            _ => {}
        }
    }
}

impl Converter {
    /// For one of the two collections.
    pub fn new(
        request: &ImportRequest,
        folder: &Folder,
        plan: &ImportPlan,
        scope: Scope,
        now: DateTime,
    ) -> Self {
        let tags = if scope == Scope::Samples { request.tags.as_slice() } else { &[] };
        Self {
            scope,
            dataset: plan.id,
            paths: Paths::of(request, folder),
            tags: tags.iter().map(|it| Bson::from(it.as_str())).collect(),
            updates: plan.updates(scope),
            dates: has_dates(&plan.destination),
            now,
        }
    }

    /// The document as it shall be.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or refers to something outside of the export.
    pub fn convert(&self, piece: &Piece) -> Result<RawDocumentBuf, Fault> {
        let malformed = |reason: String| Fault::Malformed { place: piece.place.clone(), reason };
        let mut read = piece.read()?;
        if let Some(path) = self.paths.apply(&mut read) {
            return Err(malformed(format!("the path `{path}` leaves the export")));
        }
        if !self.tags.is_empty() && self.scope == Scope::Samples {
            match read.get_array_mut("tags") {
                Ok(tags) => tags.extend(self.tags.iter().cloned()),
                Err(_) => drop(read.insert("tags", self.tags.clone())),
            }
        }
        let id = read.remove("_id").unwrap_or_else(|| ObjectId::new().into());
        let created = id.as_object_id().map_or(self.now, |it| it.timestamp());
        // The server would put it first, too.
        let mut document = Document::new();
        document.insert("_id", id);
        document.extend(read);
        document.insert("_dataset_id", self.dataset);
        for it in &self.updates {
            it.apply(&mut document);
        }
        for key in ["created_at", "last_modified_at"] {
            if self.dates && !document.contains_key(key) {
                document.insert(key, created);
            }
        }
        RawDocumentBuf::try_from(&document).map_err(|it| malformed(it.to_string()))
    }
}
