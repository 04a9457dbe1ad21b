//! Making a dataset out of an export: checked before anything is written, invisible until it is whole.

mod convert;
mod plan;
mod received;
mod report;
mod stream;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId};
use bundle::{Folder, Piece};
use model::{Action, ImportQuestion, ImportReport, Permit};
use revisions::{Release, Scope};
use tokio::sync::mpsc;

pub use received::Receiving;

use crate::{
    Engine, Error, Result,
    doctor::lease_lost,
    guard::Guard,
    progress::Control,
    store::{Asked, Digest, Failure, ImportRecord},
    temporal_tags::{self, TAGS, TagReader},
};
use convert::Converter;
use plan::{ImportPlan, plan};
use report::survey;
use stream::stream;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The export: a `FiftyOneDataset` folder, or an archive of one.
    pub folder: PathBuf,
    /// Where an archive is unpacked, which is not there yet. It stays there if the import succeeds: its media are in it.
    pub unpack_to: Option<PathBuf>,
    /// How the dataset shall be called; as in the export if nothing is said.
    pub name: Option<String>,
    /// Whether FiftyOne keeps it when its last client goes.
    pub persistent: bool,
    /// Tags that every sample gets.
    pub tags: Vec<String>,
    /// Below what relative paths are; the export itself if nothing is said.
    pub rel_dir: Option<String>,
    /// What comes along.
    pub along: Along,
}

/// What comes along with samples and frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// Saved views.
    pub views: bool,
    /// Runs, with their results.
    pub runs: bool,
    /// Workspaces.
    pub workspaces: bool,
}

/// How far an import is; clones show the same.
#[derive(Clone, Debug, Default)]
pub struct ImportProgress {
    copied: Arc<AtomicU64>,
    checked: Arc<AtomicU64>,
    of: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl ImportProgress {
    /// How many samples and frames are in the database.
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    /// How many samples were looked at before.
    pub fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// How many samples and frames will be in the database; 0 as long as that is not known.
    pub fn of(&self) -> u64 {
        self.of.load(Ordering::Relaxed)
    }

    /// Ends looking at an export. What is written already is ended by its [`Control`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn looked_at(&self) {
        self.checked.fetch_add(1, Ordering::Relaxed);
    }
}

impl ImportRequest {
    /// What somebody asks for in words. An archive is unpacked below `imports` if nothing else is said, in a folder of its name.
    pub fn asked(question: &ImportQuestion, imports: Option<&Path>) -> Self {
        let given = |it: &str| Some(it.trim().to_owned()).filter(|it| !it.is_empty());
        let folder = PathBuf::from(question.folder.trim());
        let below = imports.filter(|_| folder.is_file());
        let below = below.map(|it| free(received::unpacked_below(it, &folder), &folder));
        let tags = question.tags.split(',').map(str::trim).filter(|it| !it.is_empty());
        Self {
            unpack_to: given(&question.unpack_to).map(PathBuf::from).or(below),
            name: given(&question.name),
            persistent: question.not_persistent.is_empty(),
            tags: tags.map(str::to_owned).collect(),
            rel_dir: given(&question.rel_dir),
            along: Along {
                views: question.without_views.is_empty(),
                runs: question.without_runs.is_empty(),
                workspaces: question.without_workspaces.is_empty(),
            },
            folder,
        }
    }
}

/// A place for what is in an archive, with nothing there yet.
fn free(below: &Path, archive: &Path) -> PathBuf {
    let name = archive.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').find(|it| !it.is_empty()).unwrap_or("import");
    let taken = |it: &PathBuf| it.symlink_metadata().is_ok();
    let first = below.join(stem);
    let others = (2_u32..).map(|it| below.join(format!("{stem}-{it}")));
    std::iter::once(first).chain(others).find(|it| !taken(it)).unwrap_or_else(|| below.join(stem))
}

impl Engine {
    /// What importing would come to. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the folder is no export, or the server cannot be reached.
    pub async fn check_import(
        &self,
        permit: &Permit,
        request: &ImportRequest,
        progress: &ImportProgress,
    ) -> Result<ImportReport> {
        permit.covers(Action::ImportDataset)?;
        let opened = Opened::of(request).await?;
        let checked = self.checked(request, &opened.folder, progress).await;
        opened.end(false).await;
        Ok(checked?.1)
    }

    /// Imports it. The dataset is there, complete and at the version of the database, when this returns; if it fails, nothing is.
    ///
    /// # Errors
    ///
    /// If it is not allowed, cannot be imported as the check says, somebody else writes to the database, or it fails on the way.
    pub async fn import(
        &self,
        permit: &Permit,
        request: &ImportRequest,
        control: Control,
        progress: &ImportProgress,
    ) -> Result<ImportReport> {
        permit.covers(Action::ImportDataset)?;
        self.may_write("importing")?;
        let opened = Opened::of(request).await?;
        let imported = self.imported(permit, request, &opened.folder, &control, progress).await;
        opened.end(imported.is_ok()).await;
        imported
    }

    async fn imported(
        &self,
        permit: &Permit,
        request: &ImportRequest,
        folder: &Folder,
        control: &Control,
        progress: &ImportProgress,
    ) -> Result<ImportReport> {
        let (_, mut report) = self.checked(request, folder, progress).await?;
        if let Some(why) = report.blockers.first() {
            return Err(Error::Refused(why.clone()));
        }
        let guard = Guard::take(&self.store, ObjectId::new(), &Asked::repair(), control).await?;
        let of = report.samples + report.frames + report.temporal_tags;
        progress.of.store(of, Ordering::Relaxed);
        let copied = self.copied(permit, request, (folder, &report), control, progress).await;
        report.id = Some(guard.end(copied).await?.to_hex());
        Ok(report)
    }

    /// The plan for what is there now, with the report of it.
    async fn checked(
        &self,
        request: &ImportRequest,
        folder: &Folder,
        progress: &ImportProgress,
    ) -> Result<(Option<ImportPlan>, ImportReport)> {
        self.store.server().await?;
        let config = self.store.config().await?;
        let names = self.store.names().await.map_err(|it| self.store.error(it))?;
        let planned = plan(request, folder, config.version(), &names)?;
        let unpacked = request.unpack_to.as_ref().filter(|_| request.folder.is_file());
        let unpacked = unpacked.map(|it| it.display().to_string());
        let (request, folder, progress) = (request.clone(), folder.clone(), progress.clone());
        let report = blocking(move || {
            survey(&request, &folder, &planned, &progress).map(|it| (planned, it))
        });
        let (planned, mut report) = report.await?;
        report.unpack_to = unpacked;
        Ok((planned.ok(), report))
    }

    async fn copied(
        &self,
        permit: &Permit,
        request: &ImportRequest,
        (folder, report): (&Folder, &ImportReport),
        control: &Control,
        progress: &ImportProgress,
    ) -> Result<ObjectId> {
        let error = |it| self.store.error(it);
        self.clean_up().await.map_err(error)?;
        // Once more under the lease: the database may be at another version by now, and the name taken.
        let config = self.store.config().await?;
        let names = self.store.names().await.map_err(error)?;
        let planned = plan(request, folder, config.version(), &names)?.map_err(Error::Refused)?;
        let record = record(permit, folder, &planned, self.store.name());
        self.store.begin_import(&record).await.map_err(error)?;
        let ended = self.filled(request, folder, &planned, report, control, progress).await;
        match ended {
            Ok(()) => {
                // The dataset is there: a note that is missing is written by the next import.
                self.store.end_import(record.id, "imported").await.ok();
                Ok(record.dataset)
            }
            Err(why) => {
                // If the connection is gone, the next import removes it.
                if !self.store.has_dataset(record.dataset).await.map_err(error)? {
                    self.store.remove_import(&record).await.map_err(error)?;
                    self.store.end_import(record.id, &why.to_string()).await.map_err(error)?;
                }
                Err(why)
            }
        }
    }

    /// Removes what imports have left that were cut off.
    async fn clean_up(&self) -> Result<(), Failure> {
        for left in self.store.open_imports().await? {
            if self.store.has_dataset(left.dataset).await? {
                self.store.end_import(left.id, "imported").await?;
                continue;
            }
            self.store.remove_import(&left).await?;
            self.store.end_import(left.id, "was cut off, and removed").await?;
        }
        Ok(())
    }

    async fn filled(
        &self,
        request: &ImportRequest,
        folder: &Folder,
        planned: &ImportPlan,
        report: &ImportReport,
        control: &Control,
        progress: &ImportProgress,
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        let now = DateTime::now();
        let mut meant = Vec::new();
        let frames = folder.frames().map_err(fault)?;
        let parts = [
            Some((Scope::Samples, folder.samples().map_err(fault)?)),
            frames.map(|it| (Scope::Frames, it)),
        ];
        for (scope, documents) in parts.into_iter().flatten() {
            let collection = planned.collection(scope);
            let converter = Converter::new(request, folder, planned, scope, now);
            let batches = stream(documents, move |it| converter.convert(it).map(Some));
            let digest = self.fill(collection, batches, control, progress).await?;
            self.store.create_indexes(collection, &planned.indexes(scope)).await.map_err(|it| {
                if it.is_duplicate() {
                    return Error::Refused(format!(
                        "the export has two {} of the same place: {}; export it again",
                        if scope == Scope::Samples { "samples" } else { "frames" },
                        it.text
                    ));
                }
                self.store.error(it)
            })?;
            meant.push((collection, doc! {}, digest));
        }
        if let Some(tags) = folder.temporal_tags().map_err(fault)? {
            self.store.create_indexes(TAGS, &temporal_tags::indexes()).await.map_err(error)?;
            let mut reader = TagReader::new(planned.id, now);
            let batches = stream(tags, move |it| {
                let tag = reader.read(it)?;
                tag.map(|tag| raw(&tag, it)).transpose()
            });
            let digest = self.fill(TAGS, batches, control, progress).await?;
            meant.push((TAGS, doc! { "_dataset_id": planned.id }, digest));
        }
        for it in &planned.files {
            let set: Vec<(&str, &str)> = it.set.clone();
            self.store.plant_results(&it.path, it.id, &set, now).await.map_err(error)?;
        }
        let runs: Vec<Document> = planned.runs.values().cloned().collect();
        for (collection, documents) in
            [("runs", &runs), ("views", &planned.views), ("workspaces", &planned.workspaces)]
        {
            self.store.plant(collection, documents).await.map_err(error)?;
        }
        for (collection, filter, digest) in meant {
            let found = self.store.digest(collection, filter).await.map_err(error)?;
            if found != digest {
                return Err(Error::Refused(format!(
                    "what was read back of `{collection}` is not what was written ({} documents, and {} were meant); nothing \
                     was imported; look at the server's disk, and import again",
                    found.count, digest.count
                )));
            }
            if scope_count(collection, report).is_some_and(|it| it != digest.count) {
                return Err(Error::Refused(
                    "the export was changed while it was imported; nothing was imported; import it again".to_owned(),
                ));
            }
        }
        if !control.may_end().await {
            return Err(lease_lost());
        }
        self.store.insert_dataset(&planned.document).await.map_err(|it| {
            if it.is_duplicate() {
                return Error::Refused(format!(
                    "the name `{}` was taken meanwhile; nothing was imported; import it with another name",
                    planned.name
                ));
            }
            self.store.error(it)
        })
    }

    async fn fill(
        &self,
        collection: &str,
        mut batches: mpsc::Receiver<std::result::Result<Vec<RawDocumentBuf>, bundle::Fault>>,
        control: &Control,
        progress: &ImportProgress,
    ) -> Result<Digest> {
        let mut digest = Digest::default();
        while let Some(batch) = batches.recv().await {
            let batch = batch.map_err(fault)?;
            if !control.may_go_on().await {
                return Err(if control.is_over() { lease_lost() } else { stopped() });
            }
            for it in &batch {
                digest.add(it.as_bytes());
            }
            let inserted = self.store.insert_batch(collection, &batch).await;
            inserted.map_err(|it| {
                if it.is_duplicate() {
                    return Error::Refused(format!(
                        "the export has two documents with one id: {}; nothing was imported; export it again",
                        it.text
                    ));
                }
                self.store.error(it)
            })?;
            progress.copied.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        Ok(digest)
    }
}

fn stopped() -> Error {
    Error::Refused("stopped; nothing was imported".to_owned())
}

fn scope_count(collection: &str, report: &ImportReport) -> Option<u64> {
    match collection {
        TAGS => Some(report.temporal_tags),
        it => (!it.starts_with("frames.")).then_some(report.samples),
    }
}

fn raw(document: &Document, piece: &Piece) -> std::result::Result<RawDocumentBuf, bundle::Fault> {
    RawDocumentBuf::try_from(document).map_err(|it| bundle::Fault::Malformed {
        place: piece.place.clone(),
        reason: it.to_string(),
    })
}

fn record(permit: &Permit, folder: &Folder, planned: &ImportPlan, database: &str) -> ImportRecord {
    let ids = |documents: &[Document]| {
        documents.iter().filter_map(|it| it.get("_id").and_then(Bson::as_object_id)).collect()
    };
    ImportRecord {
        id: ObjectId::new(),
        database: database.to_owned(),
        folder: folder.root.display().to_string(),
        name: planned.name.clone(),
        by: permit.holder().to_owned(),
        begun: DateTime::now(),
        dataset: planned.id,
        collections: vec![planned.samples.clone(), planned.frames.clone()],
        runs: planned.runs.keys().copied().collect(),
        views: ids(&planned.views),
        workspaces: ids(&planned.workspaces),
        files: planned.files.iter().map(|it| it.id).collect(),
        ended: None,
        outcome: None,
    }
}

/// An export that can be read.
struct Opened {
    folder: Folder,
    /// What was unpacked for it.
    unpacked: Option<PathBuf>,
}

impl Opened {
    async fn of(request: &ImportRequest) -> Result<Self> {
        let (path, into) = (request.folder.clone(), request.unpack_to.clone());
        blocking(move || {
            if !path.is_file() {
                return Ok(Self { folder: Folder::open(&path).map_err(fault)?, unpacked: None });
            }
            let into = into.ok_or_else(|| {
                Error::Refused(format!(
                    "`{}` is an archive, and its media have to lie somewhere afterwards: say where to unpack it with \
                     `--unpack-to`",
                    path.display()
                ))
            })?;
            let folder = bundle::unpack(&path, &into).map_err(fault)?;
            match Folder::open(&folder) {
                Ok(folder) => Ok(Self { folder, unpacked: Some(into) }),
                Err(why) => {
                    std::fs::remove_dir_all(&into).ok();
                    Err(fault(why))
                }
            }
        })
        .await
    }

    /// Removes what was unpacked if nobody needs it.
    async fn end(self, needed: bool) {
        if let Some(it) = self.unpacked.filter(|_| !needed)
            && let Err(why) = tokio::fs::remove_dir_all(&it).await
        {
            tracing::warn!("`{}` could not be removed: {why}", it.display());
        }
    }
}

/// Does what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|it| {
        Err(Error::Refused(format!("reading the export broke off: {it}; run the same again")))
    })
}

pub(crate) fn fault(fault: bundle::Fault) -> Error {
    Error::Refused(fault.to_string())
}

/// Whether datasets of this version have dates in every sample.
fn has_dates(version: &Release) -> bool {
    *version >= Release::new([1])
}
