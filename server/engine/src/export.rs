//! Writing a dataset, of whatever version, as an export that FiftyOne imports, and changing nothing in the database.

mod media;

use std::path::{Path, PathBuf};

use bson::{Bson, Document, doc};
use bundle::{CollectionWriter, RUN_KINDS, write_document};
use model::{Action, Permit};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{
    Engine, Error, Result,
    import::{Along, fault},
    load::decoded,
};
use media::Media;

/// How many documents may wait to be written.
const WAITING: usize = 2_000;

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// The text of the dataset's `_id`.
    pub dataset: String,
    /// Where to: a folder that is empty or not there.
    pub folder: PathBuf,
    /// What becomes of media.
    pub media: ExportMedia,
    /// What comes along.
    pub along: Along,
}

/// What becomes of the files that samples refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportMedia {
    /// They stay where they are, and the export refers to them.
    Left,
    /// They are copied into the export.
    Copied,
    /// The export has symbolic links to them.
    Linked,
}

/// What was exported.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExportReport {
    /// The dataset.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How many samples.
    pub samples: u64,
    /// How many frames.
    pub frames: u64,
    /// How many files of media were copied or linked.
    pub media: u64,
    /// What did not come along, and why.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Writes the export. `metadata.json` is written last: a folder without it is not whole.
    ///
    /// # Errors
    ///
    /// If there is no such dataset, the folder is not empty or cannot be written, or the server cannot be reached.
    pub async fn export(&self, permit: &Permit, request: &ExportRequest) -> Result<ExportReport> {
        permit.covers(Action::ExportDataset)?;
        let error = |it| self.store.error(it);
        self.store.server().await?;
        let entries = self.store.entries_of(&[&request.dataset]).await.map_err(error)?;
        let gone = || Error::Refused(format!("there is no dataset `{}`", request.dataset));
        let entry = entries.first().ok_or_else(gone)?;
        let read = || async {
            let found =
                self.store.datasets(std::slice::from_ref(&entry.id)).await.map_err(error)?;
            found.into_iter().next().flatten().ok_or_else(gone)
        };
        let raw = read().await?;
        let document = decoded(&raw).map_err(Error::Refused)?;
        let folder = emptied(&request.folder)?;
        let mut report = ExportReport {
            name: entry.label(),
            version: document.get_str("version").unwrap_or_default().to_owned(),
            ..ExportReport::default()
        };
        let media = Media::new(&folder, request.media);
        let samples = document.get_str("sample_collection_name").unwrap_or_default();
        let written = self.written(&folder, "samples", (samples, doc! {}), media).await?;
        (report.samples, report.media) = (written.count, written.files);
        report.warnings.extend(written.warnings);
        if let Some(frames) = frames_of(&document, samples) {
            let order = doc! { "_sample_id": 1, "frame_number": 1 };
            let left = Media::new(&folder, ExportMedia::Left);
            report.frames = self.written(&folder, "frames", (&frames, order), left).await?.count;
        }
        if self.store.has_of("tags", &entry.id).await.map_err(error)? {
            report.warnings.push("its temporal tags are not exported yet".to_owned());
        }
        let metadata = self.expanded(request, &folder, document, &mut report).await?;
        if read().await?.as_bytes() != raw.as_bytes() {
            report.warnings.push(
                "the dataset was changed while it was exported; export it again to have all of it as of one moment"
                    .to_owned(),
            );
        }
        write_document(&folder.join("metadata.json"), metadata).map_err(fault)?;
        Ok(report)
    }

    /// Writes one collection.
    async fn written(
        &self,
        folder: &Path,
        key: &'static str,
        (collection, order): (&str, Document),
        mut media: Media,
    ) -> Result<Written> {
        let (to, mut documents) = mpsc::channel(WAITING);
        let mut writer = CollectionWriter::create(folder, key).map_err(fault)?;
        let writing = tokio::task::spawn_blocking(move || {
            while let Some(mut it) = documents.blocking_recv() {
                media.take(&mut it)?;
                writer.write(it)?;
            }
            let count = writer.finish()?;
            Ok::<_, bundle::Fault>(Written {
                count,
                files: media.files(),
                warnings: media.warnings(),
            })
        });
        let sent = self.store.send_all(collection, order, &to).await;
        drop(to);
        let written = writing.await;
        sent.map_err(|it| self.store.error(it))?;
        let written = written.unwrap_or_else(|it| {
            Err(bundle::Fault::Malformed { place: key.to_owned(), reason: it.to_string() })
        });
        written.map_err(fault)
    }

    /// The dataset document with what it refers to written out.
    async fn expanded(
        &self,
        request: &ExportRequest,
        folder: &Path,
        mut document: Document,
        report: &mut ExportReport,
    ) -> Result<Document> {
        let error = |it| self.store.error(it);
        for (key, collection, wanted) in [
            ("saved_views", "views", request.along.views),
            ("workspaces", "workspaces", request.along.workspaces),
        ] {
            let Ok(ids) = document.get_array(key).cloned() else { continue };
            let mut found = if wanted && !ids.is_empty() {
                self.store.documents_with(collection, &ids).await.map_err(error)?
            } else {
                Vec::new()
            };
            let place = |it: &Document| ids.iter().position(|id| it.get("_id") == Some(id));
            found.sort_by_key(place);
            let found: Vec<Bson> = found.into_iter().map(Bson::from).collect();
            document.insert(key, found);
        }
        for kind in RUN_KINDS {
            let Ok(slots) = document.get_document(kind.key).cloned() else { continue };
            let mut runs = Document::new();
            for (key, slot) in slots.into_iter().filter(|_| request.along.runs) {
                let run = match slot {
                    Bson::Document(embedded) => Some(embedded),
                    Bson::ObjectId(id) => self.store.runs(&[id]).await.map_err(error)?.remove(&id),
                    _ => None,
                };
                let Some(run) = run else {
                    report.warnings.push(format!(
                        "the run `{key}` is not there, although the dataset refers to it"
                    ));
                    continue;
                };
                if let Ok(file) = run.get_object_id("results") {
                    let below = folder.join(kind.folder);
                    std::fs::create_dir_all(&below).map_err(|it| unwritable(&below, &it))?;
                    if !is_plain(&key) {
                        report.warnings.push(format!(
                            "the results of run `{key}` have a name that no file can have"
                        ));
                    } else if !self
                        .store
                        .results_to(file, &below.join(format!("{key}.json")))
                        .await
                        .map_err(error)?
                    {
                        report.warnings.push(format!("the results of run `{key}` are not there"));
                    }
                }
                runs.insert(key, run);
            }
            document.insert(kind.key, runs);
        }
        Ok(document)
    }
}

/// What became of one collection.
struct Written {
    count: u64,
    files: u64,
    warnings: Vec<String>,
}

/// The collection of its frames, if it may have any.
pub(crate) fn frames_of(document: &Document, samples: &str) -> Option<String> {
    let named = document.get_str("frame_collection_name").ok().map(str::to_owned);
    let types = document.get_document("group_media_types").into_iter().flatten();
    let is_video = |it: &str| it == "video";
    let videos = document.get_str("media_type").is_ok_and(is_video)
        || types.into_iter().any(|(_, it)| it.as_str().is_some_and(is_video));
    videos.then(|| named.unwrap_or_else(|| format!("frames.{samples}")))
}

/// A folder that is there and has nothing in it.
fn emptied(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|it| unwritable(folder, &it))?;
    let mut entries = std::fs::read_dir(folder).map_err(|it| unwritable(folder, &it))?;
    if entries.next().is_some() {
        return Err(Error::Refused(format!(
            "`{}` is not empty, and an export does not mix with what is there; name an empty folder",
            folder.display()
        )));
    }
    std::fs::canonicalize(folder).map_err(|it| unwritable(folder, &it))
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::Refused(format!("`{}` cannot be written: {why}", path.display()))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != ".."
}
