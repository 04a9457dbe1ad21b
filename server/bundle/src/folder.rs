//! An export on disk: where everything in it is.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use bson::{Bson, Document};

use crate::{
    Fault,
    json::{self, Elements},
};

/// A kind of run: the key of the dataset document, and the folder of its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKind {
    /// The key in `metadata.json`.
    pub key: &'static str,
    /// The folder with a file for each run that has results.
    pub folder: &'static str,
}

/// All kinds of runs.
pub const RUN_KINDS: [RunKind; 4] = [
    RunKind { key: "annotation_runs", folder: "annotations" },
    RunKind { key: "brain_methods", folder: "brain" },
    RunKind { key: "evaluations", folder: "evaluations" },
    RunKind { key: "runs", folder: "runs" },
];

/// A `FiftyOneDataset` folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where it is; absolute.
    pub root: PathBuf,
    /// `metadata.json`: the dataset document, with what it refers to written out.
    pub metadata: Document,
    /// The fields whose media lie in `fields/`.
    pub media_fields: Vec<String>,
    samples: Place,
    frames: Option<Place>,
}

/// Where the documents of a collection are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// `samples.json`
    File(PathBuf),
    /// `samples/`, a file for each.
    Files(PathBuf),
}

/// One document, as text, and where it stands for a sentence about it.
#[derive(Clone, Debug)]
pub struct Piece {
    /// `{..}`
    pub text: Vec<u8>,
    /// Whether it may hold `NaN` or `Infinity`.
    pub is_odd: bool,
    /// Such as `samples.json, byte 1204`.
    pub place: String,
}

impl Piece {
    /// The document.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn read(&self) -> Result<Document, Fault> {
        json::document(&self.text, self.is_odd)
            .map_err(|it| Fault::malformed(&self.place, it.to_string()))
    }
}

impl Folder {
    /// Looks at an export without reading its samples.
    ///
    /// # Errors
    ///
    /// If it is none, or its `metadata.json` cannot be read, or it is of the layout before 0.8.
    pub fn open(root: &Path) -> Result<Self, Fault> {
        let root = fs::canonicalize(root).map_err(Fault::reading(root))?;
        let not =
            |missing: &str| Fault::NotAnExport { path: root.clone(), missing: missing.to_owned() };
        let path = root.join("metadata.json");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(not("it has no `metadata.json`"));
            }
            other => other.map_err(Fault::reading(&path))?,
        };
        let metadata = json::document(&text, true)
            .map_err(|it| Fault::malformed(path.display().to_string(), it.to_string()))?;
        if metadata.get_document("sample_fields").is_ok() || !metadata.contains_key("version") {
            return Err(Fault::malformed(
                path.display().to_string(),
                "it is of the layout before 0.8, which has no version; import it with FiftyOne once, export it there",
            ));
        }
        let samples = place(&root, "samples").ok_or_else(|| not("it has no `samples.json`"))?;
        let frames = place(&root, "frames");
        let media_fields = names(&root.join("fields"))?.into_iter();
        let media_fields =
            media_fields.filter(|it| root.join("fields").join(it).is_dir()).collect();
        Ok(Self { root, metadata, media_fields, samples, frames })
    }

    /// Its samples, one after the other.
    ///
    /// # Errors
    ///
    /// If they cannot be opened.
    pub fn samples(&self) -> Result<Documents, Fault> {
        self.samples.documents("samples")
    }

    /// Its frames; none if it has no videos.
    ///
    /// # Errors
    ///
    /// If they cannot be opened.
    pub fn frames(&self) -> Result<Option<Documents>, Fault> {
        self.frames.as_ref().map(|it| it.documents("frames")).transpose()
    }

    /// The files of results, by the key of the run.
    ///
    /// # Errors
    ///
    /// If a folder cannot be read.
    pub fn results(&self, kind: RunKind) -> Result<BTreeMap<String, PathBuf>, Fault> {
        let folder = self.root.join(kind.folder);
        let files = names(&folder)?.into_iter();
        Ok(files
            .filter_map(|it| Some((it.strip_suffix(".json")?.to_owned(), folder.join(&it))))
            .collect())
    }

    /// Its temporal tags, one after the other; none if it has no file of them.
    ///
    /// # Errors
    ///
    /// If they cannot be opened.
    pub fn temporal_tags(&self) -> Result<Option<Documents>, Fault> {
        let path = self.root.join("tags.json");
        if !path.is_file() {
            return Ok(None);
        }
        Place::File(path).documents("tags").map(Some)
    }

    /// How many bytes its samples and frames have as text.
    ///
    /// # Errors
    ///
    /// If they cannot be looked at.
    pub fn bytes(&self) -> Result<u64, Fault> {
        let places = [Some(&self.samples), self.frames.as_ref()];
        places.into_iter().flatten().map(Place::bytes).sum()
    }

    /// What tells this export from another one: the time and size of all that is read of it.
    ///
    /// # Errors
    ///
    /// If they cannot be looked at.
    pub fn fingerprint(&self) -> Result<String, Fault> {
        let mut parts = vec![self.root.display().to_string()];
        for path in [Some(&self.samples), self.frames.as_ref()]
            .into_iter()
            .flatten()
            .map(Place::path)
            .chain([self.root.join("metadata.json").as_path()])
        {
            let found = fs::metadata(path).map_err(Fault::reading(path))?;
            let time =
                found.modified().ok().and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok());
            parts.push(format!("{} {}", found.len(), time.unwrap_or_default().as_nanos()));
        }
        Ok(parts.join("; "))
    }
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Files(path) => path,
        }
    }

    fn bytes(&self) -> Result<u64, Fault> {
        let size =
            |path: &Path| fs::metadata(path).map(|it| it.len()).map_err(Fault::reading(path));
        match self {
            Self::File(path) => size(path),
            Self::Files(folder) => names(folder)?.iter().map(|it| size(&folder.join(it))).sum(),
        }
    }

    fn documents(&self, key: &'static str) -> Result<Documents, Fault> {
        Ok(match self {
            Self::File(path) => {
                let file = File::open(path).map_err(Fault::reading(path))?;
                Documents::File { elements: Elements::new(file, key), path: path.clone() }
            }
            Self::Files(folder) => {
                let mut names = names(folder)?;
                names.retain(|it| it.strip_suffix(".json").is_some());
                Documents::Files { folder: folder.clone(), names: names.into_iter() }
            }
        })
    }
}

fn place(root: &Path, name: &str) -> Option<Place> {
    let file = root.join(format!("{name}.json"));
    if file.is_file() {
        return Some(Place::File(file));
    }
    Some(root.join(name)).filter(|it| it.is_dir()).map(Place::Files)
}

/// The names in a folder, in order; none if it is not there.
fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(Fault::reading(folder))?,
    };
    let names: io::Result<Vec<String>> =
        entries.map(|it| it.map(|it| it.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names.map_err(Fault::reading(folder))?;
    names.sort();
    Ok(names)
}

/// The documents of a collection, one after the other.
#[derive(Debug)]
pub enum Documents {
    /// In one file.
    File {
        /// What splits it.
        elements: Elements<File>,
        /// Where it is.
        path: PathBuf,
    },
    /// In a file each.
    Files {
        /// Where they are.
        folder: PathBuf,
        /// Those that are left.
        names: std::vec::IntoIter<String>,
    },
}

impl Iterator for Documents {
    type Item = Result<Piece, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::File { elements, path } => match elements.next_element() {
                Ok(found) => found.map(|it| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let place = format!("{name}, byte {}", it.offset);
                    Ok(Piece { text: it.text, is_odd: it.is_odd, place })
                }),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    Some(Err(Fault::malformed(path.display().to_string(), error.to_string())))
                }
                Err(error) => Some(Err(Fault::reading(path.clone())(error))),
            },
            Self::Files { folder, names } => {
                let name = names.next()?;
                let path = folder.join(&name);
                let text = fs::read(&path).map_err(Fault::reading(&path));
                Some(text.map(|text| Piece { text, is_odd: true, place: name }))
            }
        }
    }
}

impl Folder {
    /// The runs of a kind, by key: documents, or texts of documents in old exports.
    ///
    /// # Errors
    ///
    /// If one is neither.
    pub fn runs(&self, kind: RunKind) -> Result<Vec<(String, Document)>, Fault> {
        let runs = self.metadata.get_document(kind.key).into_iter().flatten();
        runs.map(|(key, it)| Ok((key.clone(), self.expanded(it, kind.key)?))).collect()
    }

    /// What a list of `metadata.json` holds: saved views, or workspaces.
    ///
    /// # Errors
    ///
    /// If one is neither a document nor the text of one.
    pub fn listed(&self, key: &str) -> Result<Vec<Document>, Fault> {
        let list = self.metadata.get_array(key).into_iter().flatten();
        list.map(|it| self.expanded(it, key)).collect()
    }

    fn expanded(&self, value: &Bson, key: &str) -> Result<Document, Fault> {
        let read = match value {
            Bson::Document(it) => return Ok(it.clone()),
            Bson::String(text) => {
                json::document(text.as_bytes(), true).map_err(|it| it.to_string())
            }
            other => Err(format!("`{key}` holds {other} where a document should be")),
        };
        read.map_err(|it| {
            Fault::malformed(self.root.join("metadata.json").display().to_string(), it)
        })
    }
}
