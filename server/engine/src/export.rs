//! Writing a dataset, of whatever version, as an export that FiftyOne imports, and changing nothing in the database.

mod media;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bson::{Bson, Document, RawDocumentBuf, doc};
use bundle::{CollectionWriter, RUN_KINDS, write_document};
use model::{Action, ExportQuestion, ExportReport, Permit};
use tokio::sync::mpsc;

use crate::{
    Engine, Error, Result,
    import::{Along, fault},
    load::decoded,
    shown::sees_names,
    store::Entry,
    temporal_tags::{self, TAGS},
};
use media::Media;

/// How many documents may wait to be written.
const WAITING: usize = 2_000;

/// How long counting what would be exported may take.
const COUNTING: Duration = Duration::from_secs(10);

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

/// How far an export is; clones show the same.
#[derive(Clone, Debug, Default)]
pub struct ExportProgress {
    written: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl ExportProgress {
    /// How many samples and frames are written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl ExportRequest {
    /// What somebody asks for in words, of the dataset with this id.
    ///
    /// # Errors
    ///
    /// If the words make no sense.
    pub fn asked(question: &ExportQuestion, dataset: String) -> Result<Self> {
        let media = match question.media.as_str() {
            "" | "left" => ExportMedia::Left,
            "copied" => ExportMedia::Copied,
            "linked" => ExportMedia::Linked,
            other => {
                return Err(Error::Refused(format!(
                    "`{other}` is nothing that can become of media; there are left, copied and linked"
                )));
            }
        };
        let folder = question.folder.trim();
        if !Path::new(folder).is_absolute() {
            return Err(Error::Refused(format!(
                "`{folder}` is no folder of the server; name one from `/` on, such as /data/exports/cats"
            )));
        }
        let along = Along {
            views: question.without_views.is_empty(),
            runs: question.without_runs.is_empty(),
            workspaces: question.without_workspaces.is_empty(),
        };
        Ok(Self { dataset, folder: PathBuf::from(folder), media, along })
    }
}

impl Engine {
    /// Says what would be exported. Writes nothing.
    ///
    /// # Errors
    ///
    /// If there is no such dataset for whoever asks, the folder cannot take an export, or the server cannot be reached.
    pub async fn check_export(
        &self,
        permit: &Permit,
        request: &ExportRequest,
    ) -> Result<ExportReport> {
        permit.covers(Action::ExportDataset)?;
        let error = |it| self.store.error(it);
        let (entry, raw) = self.exported(permit, &request.dataset).await?;
        let document = decoded(&raw).map_err(Error::Refused)?;
        is_free(&request.folder)?;
        let samples = document.get_str("sample_collection_name").unwrap_or_default();
        let mut counts = [0, 0];
        let frames = frames_of(&document, samples);
        for (count, name) in counts.iter_mut().zip([Some(samples), frames.as_deref()]) {
            if let Some(name) = name.filter(|it| !it.is_empty()) {
                let found = self.store.count_documents(name, COUNTING).await.map_err(error)?;
                *count = found.unsigned_abs();
            }
        }
        let mut report = ExportReport {
            name: entry.label(),
            version: document.get_str("version").unwrap_or_default().to_owned(),
            samples: counts[0],
            frames: counts[1],
            ..ExportReport::default()
        };
        report.temporal_tags = self.store.count_of(TAGS, &entry.id).await.map_err(error)?;
        Ok(report)
    }

    /// The dataset, as far as it is there for whoever asks.
    async fn exported(&self, permit: &Permit, id: &str) -> Result<(Entry, RawDocumentBuf)> {
        let error = |it| self.store.error(it);
        self.store.server().await?;
        let gone = || Error::NoDataset(id.to_owned());
        if !sees_names(permit) && !self.rights(permit).await?.sees(id) {
            return Err(gone());
        }
        let entry = self.store.entries_of(&[id]).await.map_err(error)?;
        let entry = entry.into_iter().next().ok_or_else(gone)?;
        let found = self.store.datasets(std::slice::from_ref(&entry.id)).await.map_err(error)?;
        let raw = found.into_iter().next().flatten().ok_or_else(gone)?;
        Ok((entry, raw))
    }

    /// Writes the export. `metadata.json` is written last: a folder without it is not whole.
    ///
    /// # Errors
    ///
    /// If there is no such dataset, the folder is not empty or cannot be written, or the server cannot be reached.
    pub async fn export(
        &self,
        permit: &Permit,
        request: &ExportRequest,
        progress: &ExportProgress,
    ) -> Result<ExportReport> {
        permit.covers(Action::ExportDataset)?;
        let found = self.exported(permit, &request.dataset).await?;
        let folder = emptied(&request.folder)?;
        let done = self.export_to(permit, request, (found, &folder), progress).await;
        if done.is_err() {
            let left = folder.clone();
            let removed = tokio::task::spawn_blocking(move || remove_parts(&left)).await;
            if let Ok(Err(why)) | Err(why) = removed.map_err(std::io::Error::other) {
                tracing::warn!("what was written to `{}` stays there: {why}", folder.display());
            }
        }
        done
    }

    async fn export_to(
        &self,
        permit: &Permit,
        request: &ExportRequest,
        ((entry, raw), folder): ((Entry, RawDocumentBuf), &Path),
        progress: &ExportProgress,
    ) -> Result<ExportReport> {
        let error = |it| self.store.error(it);
        let document = decoded(&raw).map_err(Error::Refused)?;
        let mut report = ExportReport {
            name: entry.label(),
            version: document.get_str("version").unwrap_or_default().to_owned(),
            ..ExportReport::default()
        };
        let media = Media::new(folder, request.media);
        let samples = document.get_str("sample_collection_name").unwrap_or_default();
        let all = Part { key: "samples", collection: samples, filter: doc! {}, order: doc! {} };
        let (count, media) = self.written(folder, all, media, progress).await?;
        (report.samples, report.media) = (count, media.files());
        report.warnings.extend(media.warnings());
        if let Some(frames) = frames_of(&document, samples) {
            let order = doc! { "_sample_id": 1, "frame_number": 1 };
            let all = Part { key: "frames", collection: &frames, filter: doc! {}, order };
            report.frames = self.written(folder, all, AsTheyAre, progress).await?.0;
        }
        if self.store.count_of(TAGS, &entry.id).await.map_err(error)? > 0 {
            let order = doc! { "_sample_id": 1, "index_type": 1, "anchor": 1, "start": 1, "end": 1, "tag": 1, "_id": 1 };
            let filter = doc! { "_dataset_id": &entry.id };
            let tags = Part { key: TAGS, collection: TAGS, filter, order };
            report.temporal_tags = self.written(folder, tags, TemporalTags, progress).await?.0;
        }
        let metadata = self.expanded(request, folder, document, &mut report).await?;
        if self.exported(permit, &request.dataset).await?.1.as_bytes() != raw.as_bytes() {
            report.warnings.push(
                "the dataset was changed while it was exported; export it again to have all of it as of one moment"
                    .to_owned(),
            );
        }
        write_document(&folder.join("metadata.json"), metadata).map_err(fault)?;
        Ok(report)
    }

    /// Writes one collection. Returns how many documents it has, and what has changed them.
    async fn written<C: Change>(
        &self,
        folder: &Path,
        part: Part<'_>,
        mut change: C,
        progress: &ExportProgress,
    ) -> Result<(u64, C)> {
        let Part { key, collection, filter, order } = part;
        let (to, mut documents) = mpsc::channel(WAITING);
        let mut writer = CollectionWriter::create(folder, key).map_err(fault)?;
        let (progress, stopping) = (progress.clone(), progress.clone());
        let writing = tokio::task::spawn_blocking(move || {
            while let Some(mut it) = documents.blocking_recv() {
                if progress.stopped.load(Ordering::Relaxed) {
                    break;
                }
                change.change(&mut it)?;
                writer.write(it)?;
                progress.written.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, bundle::Fault>((writer.finish()?, change))
        });
        let sent = self.store.send_all(collection, (filter, order), &to).await;
        drop(to);
        let written = writing.await;
        sent.map_err(|it| self.store.error(it))?;
        let written = written.unwrap_or_else(|it| {
            Err(bundle::Fault::Malformed { place: key.to_owned(), reason: it.to_string() })
        });
        if stopping.stopped.load(Ordering::Relaxed) {
            return Err(Error::Refused("stopped; nothing was exported".to_owned()));
        }
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

/// What is written as one file.
struct Part<'a> {
    key: &'static str,
    collection: &'a str,
    filter: Document,
    order: Document,
}

/// What becomes of documents when they are exported.
trait Change: Send + 'static {
    fn change(&mut self, it: &mut Document) -> std::result::Result<(), bundle::Fault>;
}

impl Change for Media {
    fn change(&mut self, it: &mut Document) -> std::result::Result<(), bundle::Fault> {
        self.take(it)
    }
}

struct AsTheyAre;

impl Change for AsTheyAre {
    fn change(&mut self, _: &mut Document) -> std::result::Result<(), bundle::Fault> {
        Ok(())
    }
}

struct TemporalTags;

impl Change for TemporalTags {
    fn change(&mut self, it: &mut Document) -> std::result::Result<(), bundle::Fault> {
        *it = temporal_tags::exported(it)?;
        Ok(())
    }
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

/// Whether a folder is not there, or has nothing in it.
fn is_free(folder: &Path) -> Result<()> {
    let mut entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(unwritable(folder, &why)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let has = |name: &str| folder.join(name).exists();
    let begun = ["samples.json", "samples.json.partial"].into_iter().any(has);
    let what = if begun && !has("metadata.json") {
        "holds an export that was cut off: remove it, or name an empty folder"
    } else {
        "is not empty, and an export does not mix with what is there; name an empty folder"
    };
    Err(Error::Refused(format!("`{}` {what}", folder.display())))
}

/// A folder that is there and has nothing in it.
fn emptied(folder: &Path) -> Result<PathBuf> {
    is_free(folder)?;
    std::fs::create_dir_all(folder).map_err(|it| unwritable(folder, &it))?;
    std::fs::canonicalize(folder).map_err(|it| unwritable(folder, &it))
}

/// Removes what an export has written that did not come to its end, and nothing else.
fn remove_parts(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = ["samples.json", "frames.json", "tags.json", "metadata.json"]
            .iter()
            .any(|it| name.starts_with(it));
        if entry.file_type()?.is_dir() {
            if name == "data" || RUN_KINDS.iter().any(|it| it.folder == name) {
                std::fs::remove_dir_all(entry.path())?;
            }
        } else if is_file {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::Refused(format!("`{}` cannot be written: {why}", path.display()))
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != ".."
}
