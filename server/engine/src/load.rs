//! Loading datasets and folding their revisions: everything is decided here, before the first write.

mod trail;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use bson::{Bson, DateTime, Document, RawDocumentBuf, oid::ObjectId};
use model::{Cause, Direction, Version};
use revisions::{
    Collections, Dataset, Effect, Env, Head, Names, Outcome, Read, Release, Shape, Step,
    archive::{self, Archived, GivenBack, give_back},
    between, direction, fold, head,
};

use crate::{
    archive::{Back, Contents, Entries, Returning},
    store::{ArchiveEntry, Entry, Failure, Store},
};

pub use trail::{Crossed, Seen, Taken};

/// The largest document MongoDB stores.
const LARGEST_BYTES: usize = 16 << 20;

/// A dataset that has to cross revisions.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which one.
    pub entry: Entry,
    /// Where it was when it was listed; `None` if its document does not say and it was not loaded yet.
    pub head: Option<Release>,
    /// Where it shall go.
    pub destination: Release,
}

/// A dataset whose migration is decided: what was read, and what shall be.
#[derive(Debug)]
pub struct Work {
    /// What was asked for.
    pub task: Task,
    /// As it was read.
    pub read: Stored,
    /// As it shall be.
    pub changed: Stored,
    /// Its name then, if it has one.
    pub name: Option<String>,
    /// Where its samples and frames are.
    pub collections: Collections,
    /// Everything else that has to happen, in order.
    pub steps: Vec<Step>,
    /// What people should know, each with the revision that says so.
    pub warnings: Vec<(Version, String)>,
    /// What going up again would not bring back, if it goes down and the archive is to keep that.
    pub lost: Option<Vec<String>>,
    /// The files of its results that were there.
    pub results: BTreeSet<ObjectId>,
    /// What the archive gives back to it.
    pub back: Option<Back>,
}

/// A dataset as it is stored.
#[derive(Debug)]
pub struct Stored {
    /// Its document, byte for byte: thousands are in memory at once, and what is compared and sent is bytes.
    pub document: RawDocumentBuf,
    /// The run documents it owns.
    pub runs: BTreeMap<ObjectId, Document>,
}

/// What loading one dataset ends with.
#[derive(Debug)]
pub enum Loaded {
    /// It can go.
    Ready(Box<Work>),
    /// It is at its destination already, or gone.
    Done(Task),
    /// It cannot go; nothing of it will be written.
    Refused(Task, Why),
}

/// Why a dataset cannot go.
#[derive(Clone, Debug)]
pub struct Why {
    /// The reason, as a sentence.
    pub text: String,
    /// Its kind.
    pub cause: Cause,
}

impl From<String> for Why {
    /// It is what the dataset holds, as a rule.
    fn from(text: String) -> Self {
        Self { text, cause: Cause::Blocked }
    }
}

/// The times that a migration writes.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The time of the migration.
    pub now: DateTime,
    /// The time that new names are made of.
    pub named: DateTime,
}

impl Times {
    /// Those of a run, whose id is known before it begins.
    pub fn of(run: ObjectId, now: DateTime) -> Self {
        Self { now, named: run.timestamp() }
    }
}

/// Loads and folds, keeping track of which names are taken.
#[derive(Debug)]
pub struct Loader {
    store: Store,
    times: Times,
    names: Arc<Mutex<Names>>,
    /// Where datasets are, whatever they say.
    head: Option<Release>,
    /// What the archive has; `None` if it is not to be used.
    archive: Option<Arc<Entries>>,
}

/// A dataset that was found, with what the archive has for it.
struct Found {
    task: Task,
    document: Document,
    raw: RawDocumentBuf,
    entries: Vec<ArchiveEntry>,
}

impl Found {
    fn reads(&self, what: Read) -> bool {
        // What comes back has to be compared with what is there, runs and their results included.
        self.task.reads(what) || (!self.entries.is_empty() && what != Read::Names)
    }
}

/// What was loaded beside the datasets of a batch.
struct Batch {
    results: BTreeSet<ObjectId>,
    contents: Contents,
    operations: Vec<Document>,
}

impl Loader {
    /// A loader for these tasks. Reads all names if one of the tasks needs them.
    pub async fn new(
        store: Store,
        times: Times,
        tasks: &[Task],
        archive: Option<Arc<Entries>>,
    ) -> Result<Self, Failure> {
        let needed = tasks.iter().any(|it| it.reads(Read::Names));
        let names = if needed { store.names().await? } else { Names::default() };
        Ok(Self { store, times, names: Arc::new(Mutex::new(names)), archive, head: None })
    }

    /// The same, with the same names, and what the archive has by now.
    pub fn with(&self, archive: Option<Arc<Entries>>) -> Self {
        let (store, names, head) = (self.store.clone(), Arc::clone(&self.names), self.head.clone());
        Self { store, times: self.times, names, head, archive }
    }

    /// The same for datasets that are at this version, and say that they are at another.
    pub fn from(self, head: Release) -> Self {
        Self { head: Some(head), ..self }
    }

    /// Loads these datasets and folds them one after the other, in this order.
    pub async fn load(&self, tasks: Vec<Task>) -> Result<Vec<Loaded>, Failure> {
        let ids: Vec<Bson> = tasks.iter().map(|it| it.entry.id.clone()).collect();
        let documents = self.store.datasets(&ids).await?;
        let (mut found, mut loaded) = (Vec::new(), Vec::new());
        for (task, raw) in tasks.into_iter().zip(documents) {
            match raw.map(|raw| decoded(&raw).map(|document| (document, raw))) {
                None => loaded.push(Loaded::Done(task)),
                Some(Ok((document, raw))) => match self.entries(&task, &document) {
                    Ok(entries) => found.push(Found { task, document, raw, entries }),
                    Err(reason) => loaded.push(refused(task, &reason)),
                },
                Some(Err(reason)) => loaded.push(Loaded::Refused(task, reason.into())),
            }
        }
        let wanted: Vec<ObjectId> = found
            .iter()
            .filter(|it| it.reads(Read::Runs))
            .flat_map(|it| run_ids(&it.document))
            .collect();
        let runs =
            if wanted.is_empty() { BTreeMap::new() } else { self.store.runs(&wanted).await? };
        let batch = self.batch(&found, &runs).await?;
        for it in found {
            // Not taken out of the map: another dataset may refer to the same run.
            let ids = run_ids(&it.document).into_iter();
            let own = ids.filter_map(|id| Some((id, runs.get(&id)?.clone()))).collect();
            let Found { task, document, raw, entries } = it;
            let read = Stored { document: raw, runs: own };
            loaded.push(self.fold(task, document, read, &entries, &batch).await?);
        }
        Ok(loaded)
    }

    /// What the archive has to give to a dataset, the newest first.
    fn entries(&self, task: &Task, document: &Document) -> Result<Vec<ArchiveEntry>, String> {
        let (Some(archive), Ok(head)) = (&self.archive, head(document)) else {
            return Ok(Vec::new());
        };
        if head.stored.is_none() && crate::run::is_unstamped(&task.destination) {
            // There are no revisions on that way, and from where exactly it goes nobody knows.
            return Ok(Vec::new());
        }
        let entries = archive.on_the_way(&task.entry.id, &head.release, &task.destination)?;
        Ok(entries.into_iter().cloned().collect())
    }

    async fn batch(
        &self,
        found: &[Found],
        runs: &BTreeMap<ObjectId, Document>,
    ) -> Result<Batch, Failure> {
        let entries: Vec<&ArchiveEntry> = found.iter().flat_map(|it| &it.entries).collect();
        let contents = Contents::of(&self.store, &entries).await?;
        let ids: Vec<Bson> = entries.iter().flat_map(|it| contents.operations(it)).collect();
        let operations = if ids.is_empty() {
            Vec::new()
        } else {
            self.store.documents_with("delegated_ops", &ids).await?
        };
        Ok(Batch { results: self.results(found, runs).await?, contents, operations })
    }

    async fn results(
        &self,
        found: &[Found],
        runs: &BTreeMap<ObjectId, Document>,
    ) -> Result<BTreeSet<ObjectId>, Failure> {
        if !found.iter().any(|it| it.reads(Read::Results)) {
            return Ok(BTreeSet::new());
        }
        let embedded = found.iter().flat_map(|it| embedded_runs(&it.document));
        let ids: Vec<ObjectId> = results_of(runs.values().chain(embedded)).collect();
        if ids.is_empty() { Ok(BTreeSet::new()) } else { self.store.existing_results(&ids).await }
    }

    async fn fold(
        &self,
        mut task: Task,
        document: Document,
        read: Stored,
        entries: &[ArchiveEntry],
        batch: &Batch,
    ) -> Result<Loaded, Failure> {
        let known = self.head.clone().map(|it| Head { stored: Some(it.to_string()), release: it });
        let head = match known.map_or_else(|| head(&document), Ok) {
            Ok(head) => head,
            Err(reason) => return Ok(Loaded::Refused(task, reason.to_string().into())),
        };
        let listed = task.head.replace(head.release.clone());
        let unstamped = crate::run::is_unstamped(&task.destination);
        let arrived = head.release == task.destination
            || between(&head.release, &task.destination).is_empty();
        if entries.is_empty()
            && ((head.stored.is_some() && head.release == task.destination)
                || (head.stored.is_none() && arrived && unstamped))
        {
            return Ok(Loaded::Done(task));
        }
        if listed.is_some_and(|it| it != head.release) {
            // Somebody else migrated it in between: what was loaded for it may not be all it needs now.
            let mut again = Box::pin(self.load(vec![task.clone()])).await?;
            return Ok(again.pop().unwrap_or(Loaded::Done(task)));
        }
        let then = Then::of(&document);
        let own = results_of(read.runs.values().chain(embedded_runs(&document)));
        let mut results: BTreeSet<ObjectId> = own.filter(|it| batch.results.contains(it)).collect();
        let mut document = Some(document);
        let outcome = loop {
            let document = match document.take() {
                Some(document) => document,
                None => decoded(&read.document).map_err(Failure::other)?,
            };
            let dataset = Dataset { document, runs: read.runs.clone() };
            let folded = {
                let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
                let env = Env {
                    now: self.times.now,
                    named: self.times.named,
                    names: &names,
                    results: &results,
                };
                fold(dataset, &head.release, &task.destination, env)
            };
            let outcome = match folded {
                Ok(outcome) => outcome,
                Err(refusal) => return Ok(Loaded::Refused(task, refusal.to_string().into())),
            };
            // A file that exists but is no JSON object stays as it is, and so does its run.
            match self.unreadable(&outcome).await? {
                Some(file) => results.remove(&file),
                None => break outcome,
            };
        };
        let lost = self.lost(&task, &read, &outcome, &results)?;
        let (outcome, back) = match self.given(&task, entries, batch, outcome, &results) {
            Ok(given) => given,
            Err(reason) => return Ok(refused(task, &reason)),
        };
        let Outcome { dataset: Dataset { document, runs }, steps, warnings } = outcome;
        let name = document.get_str("name").ok();
        let changed =
            RawDocumentBuf::try_from(&document).map_err(|it| Failure::other(it.to_string()))?;
        if let Some(text) = too_large(name, &changed, &runs)? {
            return Ok(Loaded::Refused(task, Why { text, cause: Cause::TooLarge }));
        }
        self.claim(&then, &document);
        Ok(Loaded::Ready(Box::new(Work {
            task,
            read,
            name: name.map(str::to_owned),
            collections: then.collections(&document),
            changed: Stored { document: changed, runs },
            steps,
            warnings,
            lost,
            results,
            back,
        })))
    }

    /// What a downgrade loses for good, if the archive is to keep it.
    fn lost(
        &self,
        task: &Task,
        read: &Stored,
        outcome: &Outcome,
        results: &BTreeSet<ObjectId>,
    ) -> Result<Option<Vec<String>>, Failure> {
        let (Some(from), to) = (&task.head, &task.destination) else { return Ok(None) };
        if self.archive.is_none() || direction(from, to) != Some(Direction::Down) {
            return Ok(None);
        }
        let document = decoded(&read.document).map_err(Failure::other)?;
        let before = Dataset { document, runs: read.runs.clone() };
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let env = Env { now: self.times.now, named: self.times.named, names: &names, results };
        Ok(archive::lost(&before, &outcome.dataset, (from, to), env))
    }

    /// The outcome with what the archive has to give, or why that cannot be.
    fn given(
        &self,
        task: &Task,
        entries: &[ArchiveEntry],
        batch: &Batch,
        outcome: Outcome,
        results: &BTreeSet<ObjectId>,
    ) -> Result<(Outcome, Option<Back>), String> {
        let (Some(head), false) = (&task.head, entries.is_empty()) else {
            return Ok((outcome, None));
        };
        let archived: Vec<Archived> =
            entries.iter().map(|it| batch.contents.archived(it)).collect::<Result<_, _>>()?;
        let own = |it: &&Document| it.get("dataset_id") == Some(&task.entry.id);
        let operations: Vec<Document> = batch.operations.iter().filter(own).cloned().collect();
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let env = Env { now: self.times.now, named: self.times.named, names: &names, results };
        let way = (head, &task.destination);
        let given = give_back(outcome, way, &archived, &operations, env).map_err(|refusal| {
            format!(
                "what the archive keeps of it cannot go there: {}; go up without it with `--without-archive`",
                refusal.reason
            )
        })?;
        let GivenBack { outcome, what, entries: returned } = given;
        let returning = entries.iter().zip(&archived).zip(returned);
        let entries = returning.map(|((entry, archived), it)| Returning {
            entry: entry.clone(),
            to: task.destination.to_string(),
            closes: revisions::base(&task.destination) >= revisions::base(&archived.from),
            conflicts: it.conflicts,
            base: it.base,
            original: it.original,
            left: AtomicU64::new(0),
        });
        Ok((outcome, Some(Back { what, entries: entries.collect() })))
    }

    async fn unreadable(&self, outcome: &Outcome) -> Result<Option<ObjectId>, Failure> {
        for step in &outcome.steps {
            if let Step::Effect(Effect::RewriteResults { from, .. }) = step
                && !self.store.is_object(*from).await?
            {
                return Ok(Some(*from));
            }
        }
        Ok(None)
    }

    fn claim(&self, then: &Then, changed: &Document) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.release(&then.id, then.name.as_deref(), then.slug.as_deref());
        names.claim(&then.id, changed.get_str("name").ok(), changed.get_str("slug").ok());
    }
}

/// What is still asked about a document when the revisions have changed it.
struct Then {
    id: Bson,
    name: Option<String>,
    slug: Option<String>,
    samples: String,
    frames: String,
}

impl Then {
    fn of(document: &Document) -> Self {
        let text = |key: &str| document.get_str(key).ok().map(str::to_owned);
        Self {
            id: document.get("_id").cloned().unwrap_or_default(),
            name: text("name"),
            slug: text("slug"),
            samples: document.text("sample_collection_name").to_owned(),
            frames: document.text("frame_collection_name").to_owned(),
        }
    }

    /// The dataset's collections. Frames of datasets from before 0.14, or going there, have no name of their
    /// own.
    fn collections(self, changed: &Document) -> Collections {
        let named = |then: String, key: &str| {
            if then.is_empty() { changed.text(key).to_owned() } else { then }
        };
        let samples = named(self.samples, "sample_collection_name");
        let frames = named(self.frames, "frame_collection_name");
        let frames = if frames.is_empty() { format!("frames.{samples}") } else { frames };
        Collections { samples, frames }
    }
}

/// The document in these bytes, if it is all that is in them: a key that is there twice would be lost.
pub(crate) fn decoded(raw: &RawDocumentBuf) -> Result<Document, String> {
    let document = Document::try_from(raw.as_ref()).ok().filter(|it| {
        RawDocumentBuf::try_from(it).is_ok_and(|again| again.as_bytes() == raw.as_bytes())
    });
    document.ok_or_else(|| {
        let id = raw.get("_id").ok().flatten();
        let id = id.and_then(|it| Bson::try_from(it).ok()).unwrap_or_default();
        format!(
            "the document of dataset `{id}` cannot be read without loss: it has a key twice, or a text that is \
             not UTF-8; mend it in the database"
        )
    })
}

/// With a reason that does not say yet of which dataset it is.
fn refused(task: Task, reason: &str) -> Loaded {
    let reason = format!("dataset `{}`: {reason}", task.entry.label());
    Loaded::Refused(task, reason.into())
}

impl Task {
    /// Whether some revision it crosses needs this loaded; all of them might, while its head is not known.
    pub(crate) fn reads(&self, what: Read) -> bool {
        match &self.head {
            Some(head) => {
                between(head, &self.destination).iter().any(|it| it.reads.contains(&what))
            }
            None => true,
        }
    }
}

/// The ids of the runs a dataset document refers to.
pub fn run_ids(document: &Document) -> Vec<ObjectId> {
    run_slots(document).filter_map(Bson::as_object_id).collect()
}

/// The files of results that these runs refer to.
fn results_of<'a>(runs: impl Iterator<Item = &'a Document>) -> impl Iterator<Item = ObjectId> {
    runs.filter_map(|it| it.get_object_id("results").ok())
}

/// The runs inside a dataset document, as datasets from before 0.19 keep them.
pub fn embedded_runs(document: &Document) -> impl Iterator<Item = &Document> {
    run_slots(document).filter_map(Bson::as_document)
}

fn run_slots(document: &Document) -> impl Iterator<Item = &Bson> {
    let keys = ["annotation_runs", "brain_methods", "evaluations", "runs"];
    keys.into_iter().filter_map(|key| document.get_document(key).ok()).flat_map(|it| it.values())
}

fn too_large(
    name: Option<&str>,
    document: &RawDocumentBuf,
    runs: &BTreeMap<ObjectId, Document>,
) -> Result<Option<String>, Failure> {
    let mut sizes = vec![("dataset", document.as_bytes().len())];
    for it in runs.values() {
        sizes.push(("run", crate::store::size(it)?));
    }
    let largest = sizes.into_iter().find(|(_, bytes)| *bytes > LARGEST_BYTES);
    Ok(largest.map(|(what, bytes)| {
        format!(
            "dataset `{}` cannot go there: its {what} document would have {:.1} MiB, and MongoDB stores at most \
             16 MiB in one; delete large runs or `info` first",
            name.unwrap_or_default(),
            mebibytes(bytes),
        )
    }))
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
