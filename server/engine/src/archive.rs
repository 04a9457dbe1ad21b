//! The archive: what a downgrade drops is kept for the dataset, and given back when it comes up again.
//!
//! Kept like what the undo journal keeps, and before the first change as well: first the values, then the documents, then
//! the entry. But it belongs to the dataset and not to the run, so that it outlives the journal and needs none.

mod list;
mod read;
mod samples;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId};
use model::{Direction, Labor};
use revisions::{
    Effect, Footprint, Release, Scope, Step, archive::applicable, base, direction, merge::Conflict,
};

use crate::{
    journal::{entry_id, id_of},
    keep::Keeper,
    load::{Stored, Work},
    pass::Halt,
    progress::Control,
    store::{
        ARCHIVE_VALUES, ArchiveEntry, ArchiveId, EntryId, Failure, Given, Kind, Part, Restoring,
        Store, Values, raw,
    },
};

pub use list::{ArchiveState, ArchiveSummary, ConflictSummary};
pub use read::Contents;
pub use settle::settle_left;

/// How many bytes of a dataset document go into one document of the archive.
const PART_BYTES: usize = 8 << 20;

/// The entries about the datasets of a database that have not been given back.
#[derive(Debug, Default)]
pub struct Entries {
    /// By the text of the dataset's `_id`, the newest first.
    open: HashMap<String, Vec<ArchiveEntry>>,
    broken: HashMap<String, String>,
}

/// What is given back to a dataset.
#[derive(Debug)]
pub struct Back {
    /// In words.
    pub what: Vec<String>,
    /// Of each entry, the newest first.
    pub entries: Vec<Returning>,
}

/// What is given back of one entry.
#[derive(Debug)]
pub struct Returning {
    /// Which one.
    pub entry: ArchiveEntry,
    /// Where to.
    pub to: String,
    /// Whether nothing is left of it then.
    pub closes: bool,
    /// What stays as it is.
    pub conflicts: Vec<Conflict>,
    /// What has become of its samples and frames if nobody has changed them.
    pub base: Vec<Step>,
    /// What they are at the destination if they never went down.
    pub original: Vec<Step>,
    /// In how many samples and frames something stays that was set meanwhile, once they have been looked at.
    pub left: AtomicU64,
}

impl Entries {
    /// Reads them, by one query.
    pub async fn of(store: &Store) -> Result<Self, Failure> {
        Ok(Self::sorted(store.archive().await?))
    }

    /// Reads those about these datasets, by one query.
    pub async fn about(store: &Store, datasets: &[Bson]) -> Result<Self, Failure> {
        Ok(Self::sorted(store.archive_about(datasets).await?))
    }

    fn sorted((entries, broken): (Vec<ArchiveEntry>, Vec<(Bson, String)>)) -> Self {
        let mut open: HashMap<String, Vec<ArchiveEntry>> = HashMap::new();
        for it in entries.into_iter().filter(|it| it.closed.is_none()) {
            open.entry(it.id.dataset.to_string()).or_default().push(it);
        }
        for stack in open.values_mut() {
            // A dataset that goes down again goes down from below where it went down before.
            stack.sort_by_key(|it| {
                (it.from.parse::<Release>().ok(), std::cmp::Reverse(it.archived))
            });
        }
        let broken = broken.into_iter().map(|(id, why)| (id.to_string(), why)).collect();
        Self { open, broken }
    }

    /// Those that have something to give to a dataset on its way, the newest first.
    ///
    /// # Errors
    ///
    /// If there is one that cannot be read: the sentence to refuse the dataset with.
    pub fn on_the_way(
        &self,
        dataset: &Bson,
        head: &Release,
        destination: &Release,
    ) -> Result<Vec<&ArchiveEntry>, String> {
        let is_empty = self.open.is_empty() && self.broken.is_empty();
        if is_empty || direction(head, destination) == Some(Direction::Down) {
            return Ok(Vec::new());
        }
        let dataset = dataset.to_string();
        if let Some(why) = self.broken.get(&dataset) {
            return Err(unreadable(why));
        }
        let stack = self.open.get(&dataset).map(Vec::as_slice).unwrap_or_default();
        let mut parsed = Vec::new();
        for it in stack {
            let version = |text: &str| {
                text.parse::<Release>().map_err(|_| unreadable(&format!("`{text}` is no version")))
            };
            let (from, at) = (version(&it.from)?, version(&it.at)?);
            // One that was written by a run that did not come to take the dataset down.
            if it.confirmed || base(head) < base(&from) {
                parsed.push((it, from, at));
            }
        }
        let entries = parsed.iter().map(|(it, from, at)| (*it, from, at));
        Ok(applicable(entries, head, destination))
    }

    /// Whether somebody was gone before it was written down what became of some of them.
    pub fn are_unsettled(&self) -> bool {
        self.open.values().flatten().any(|it| !it.confirmed || it.giving.is_some())
    }

    /// Those of runs that did not come to take this dataset down, which is still where it was.
    fn stale(&self, dataset: &Bson, head: &Release) -> impl Iterator<Item = &ArchiveEntry> {
        let stack = self.open.get(&dataset.to_string()).map(Vec::as_slice).unwrap_or_default();
        let above = |it: &&ArchiveEntry| {
            it.from.parse::<Release>().is_ok_and(|from| base(head) >= base(&from))
        };
        stack.iter().filter(|it| !it.confirmed).filter(above)
    }
}

/// The sentence about an entry that is damaged.
fn unreadable(why: &str) -> String {
    format!(
        "what the archive keeps of it cannot be read ({why}); drop it with `fiftyone-migrate archive forget`, or leave \
         it where it is with `--without-archive`"
    )
}

/// The archive as a run uses it.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The database.
    pub store: Store,
    /// To be stopped.
    pub control: Control,
    /// The run.
    pub run: ObjectId,
    /// Whether it keeps a journal, so that it can be undone.
    pub keeps_journal: bool,
    /// The collections that exist.
    pub existing: Arc<BTreeSet<String>>,
    /// What was open when the run began.
    pub entries: Arc<Entries>,
    /// What this run has archived, by the texts of the `_id`s of the datasets.
    pub known: Arc<Mutex<BTreeMap<String, Known>>>,
}

/// What was there of a dataset before this run has changed it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What was done to samples and frames, as entries have it.
    passes: Vec<Document>,
    operations: Vec<RawDocumentBuf>,
    /// What the entry keeps.
    ids: BTreeSet<String>,
}

/// What was kept of a dataset before it is kept.
#[derive(Debug, Default)]
struct Begun {
    /// Under which run the values are.
    values: ObjectId,
    passes: Vec<Document>,
    operations: Vec<RawDocumentBuf>,
    /// Whether there is an entry of this run, which is not right any more: the dataset has been edited.
    is_ours: bool,
    /// What that one keeps, if it is known.
    ids: BTreeSet<String>,
    /// The entries in whose place the new one is.
    superseded: Vec<ArchiveId>,
}

impl Begun {
    fn values_of(&self, work: &Work, turn: i32, scope: &str) -> Values {
        let (dataset, scope) = (work.task.entry.id.clone(), scope.to_owned());
        Values { place: ARCHIVE_VALUES, run: self.values, dataset, turn, scope }
    }

    /// What was kept of samples and frames, this time included; and what has to be kept now.
    fn turns(
        &self,
        work: &Work,
        footprints: &[Option<Footprint>; 2],
        parts: &mut Vec<Part>,
    ) -> Vec<Document> {
        let mut passes = self.passes.clone();
        let [samples, frames] = footprints.each_ref().map(|it| it.as_ref().map(Footprint::stored));
        let now = doc! { "samples": samples, "frames": frames };
        if footprints.iter().any(Option::is_some) {
            // Begun before with the same footprint, it may not have seen what was added since.
            let again = passes.last() == Some(&now);
            if !again {
                passes.push(now);
            }
            let turn = i32::try_from(passes.len() - 1).unwrap_or(i32::MAX);
            let names = &work.collections;
            for ((scope, name), footprint) in
                [("samples", &names.samples), ("frames", &names.frames)].iter().zip(footprints)
            {
                // A key that is in the way by now may be our own.
                let is_told = |it: &&Footprint| !again || it.only_removes() || it.is_whole();
                parts.extend(footprint.as_ref().filter(is_told).map(|it| Part {
                    values: self.values_of(work, turn, scope),
                    collection: (*name).clone(),
                    filter: it.kept(),
                    expression: it.values(),
                    labor: if it.is_heavy() { Labor::Keep } else { Labor::Look },
                    replaces: !again || it.only_removes(),
                }));
            }
        }
        passes
    }
}

impl Archive {
    /// Archives what is about to be dropped of these datasets. `again`: somebody has edited them since that was done.
    pub async fn keep(&self, group: &[&Work], again: bool, logs: &[Bson]) -> Result<(), Halt> {
        let (mut parts, mut documents, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        let (mut superseded, mut rewritten) = (Vec::new(), Vec::new());
        for work in group.iter().filter(|it| it.goes_down()) {
            let begun = self.begun(work).await?;
            let dataset = &work.task.entry.id;
            let overwritten = self.operations(work, logs, &begun).await?;
            let footprints = self.footprints(work);
            let untouched = footprints.iter().all(Option::is_none) && begun.passes.is_empty();
            if work.lost.is_none() && overwritten.is_empty() && untouched {
                // What was kept of it before it was edited is of no use any more.
                let ours = begun.is_ours.then_some(self.run);
                for run in begun.superseded.iter().map(|it| it.run).chain(ours) {
                    self.store.forget_archive(run, dataset).await?;
                }
                self.know(dataset, None);
                continue;
            }
            let passes = begun.turns(work, &footprints, &mut parts);
            for file in work.effects().filter_map(Effect::deletes) {
                let scope = |collection: &str| of_file(collection, file);
                let values = |collection: &str| begun.values_of(work, 0, &scope(collection));
                self.keeper().file(file, values).await?;
            }
            let kept = self.documents(work, &overwritten).await?;
            let ids: BTreeSet<String> =
                kept.iter().filter_map(|it| Some(it.get("_id")?.to_string())).collect();
            if begun.is_ours && ids != begun.ids {
                let kept = kept.iter().filter_map(|it| it.get("_id").cloned());
                rewritten.push((dataset, kept.collect::<Vec<Bson>>()));
            }
            let known = Known { passes: passes.clone(), operations: overwritten.clone(), ids };
            self.know(dataset, Some(known));
            entries.push(self.entry(work, &kept, (passes, begun.values), overwritten.len()));
            documents.extend(kept);
            superseded.extend(begun.superseded);
        }
        self.keeper().parts(&parts).await?;
        if entries.is_empty() {
            return Ok(());
        }
        self.store.keep_archive(&documents, &entries, again).await?;
        for (dataset, kept) in rewritten {
            // Whatever is not replaced would be taken for a part of it.
            self.store.forget_archived(self.run, dataset, &kept).await?;
        }
        for it in superseded {
            self.store.hand_over_archive(it.run, &it.dataset).await?;
        }
        Ok(())
    }

    /// Brings a file of results back from an entry.
    pub async fn return_file(&self, file: ObjectId, entry: &ArchiveEntry) -> Result<(), Halt> {
        // Chunks first: a file that is there is whole.
        for collection in ["fs.chunks", "fs.files"] {
            let values = values_of(entry, 0, &of_file(collection, file));
            let (insert, control) = (Restoring::Insert, &self.control);
            if !self.store.restore_values(&values, collection, &insert, control).await? {
                return Err(Halt::Stopped);
            }
        }
        Ok(())
    }

    fn keeper(&self) -> Keeper<'_> {
        Keeper { store: &self.store, control: &self.control }
    }

    fn id(&self, work: &Work) -> ArchiveId {
        let (database, dataset) = (self.store.name().to_owned(), work.task.entry.id.clone());
        ArchiveId { database, dataset, run: self.run }
    }

    fn known(&self, work: &Work) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return None;
        }
        known.get(&work.task.entry.id.to_string()).cloned()
    }

    fn know(&self, dataset: &Bson, of_it: Option<Known>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match of_it {
            Some(of_it) => _ = known.insert(dataset.to_string(), of_it),
            None => _ = known.remove(&dataset.to_string()),
        }
    }

    /// `[samples, frames]`.
    fn footprints(&self, work: &Work) -> [Option<Footprint>; 2] {
        let names = &work.collections;
        [(Scope::Samples, &names.samples), (Scope::Frames, &names.frames)].map(|(scope, name)| {
            let exists = self.existing.contains(name);
            exists.then(|| Footprint::of(&work.steps, scope, names)).flatten()
        })
    }

    /// What was kept of this dataset before: by this run, that goes on, or by another one that has begun to take it down and
    /// did not come to that. What they have found is what was there; what is found now may be what they have made of it.
    async fn begun(&self, work: &Work) -> Result<Begun, Failure> {
        let dataset = &work.task.entry.id;
        let mut begun = Begun { values: self.run, ..Begun::default() };
        let head = work.task.head.clone().unwrap_or_else(|| Release::new([0]));
        for it in self.entries.stale(dataset, &head) {
            begun.values = it.values;
            begun.passes.clone_from(&it.passes);
            for kept in self.store.archived(&[it]).await? {
                if Kind::Operation.is_of(&kept) {
                    begun.operations.push(crate::store::document(&kept)?);
                }
            }
            if it.id.run == self.run {
                begun.is_ours = true;
            } else {
                begun.superseded.push(it.id.clone());
            }
        }
        if let Some(Known { passes, operations, ids }) = self.known(work) {
            (begun.passes, begun.operations, begun.ids) = (passes, operations, ids);
            begun.is_ours = true;
        }
        Ok(begun)
    }

    /// The delegated operations that would not come back by themselves.
    async fn operations(
        &self,
        work: &Work,
        logs: &[Bson],
        begun: &Begun,
    ) -> Result<Vec<RawDocumentBuf>, Failure> {
        let dataset = &work.task.entry.id;
        let mut found = begun.operations.clone();
        for effect in work.effects().filter(|_| logs.contains(dataset)) {
            let Effect::RenameOperationLog { from, to } = effect else { continue };
            let is_log = doc! { "$regex": r"\.log$" };
            let either = [doc! { *from: is_log.clone() }, doc! { *to: is_log }];
            let filter = doc! { "dataset_id": dataset, "$or": either.to_vec() };
            for it in self.store.whole_documents("delegated_ops", filter).await? {
                let returns = |it: &RawDocumentBuf| -> Result<bool, Failure> {
                    Ok(effect.returns(&crate::load::decoded(it).map_err(Failure::other)?))
                };
                if found.iter().any(|known| id_of(known) == id_of(&it)) || returns(&it)? {
                    continue;
                }
                let original = self.original(work, begun, it).await?;
                if !returns(&original)? {
                    found.push(original);
                }
            }
        }
        Ok(found)
    }

    /// A delegated operation as it was: it may have been changed on the way down already, by this run or by one that did not
    /// come to the end of it. Only their journals know.
    async fn original(
        &self,
        work: &Work,
        begun: &Begun,
        operation: RawDocumentBuf,
    ) -> Result<RawDocumentBuf, Failure> {
        let (dataset, id) = (&work.task.entry.id, id_of(&operation));
        let mut runs = vec![self.run];
        runs.extend(begun.superseded.iter().map(|it| it.run));
        for run in runs {
            let entries = self.store.entries_about(run, dataset).await?;
            let ours = |it: &&Document| Kind::Operation.is_of(it) && entry_id(it) == Some(&id);
            if let Some(it) = entries.iter().find(ours) {
                return crate::store::document(it);
            }
        }
        Ok(operation)
    }

    /// The documents that the entry keeps: the dataset as it was and as it will be left, with its runs; views; operations.
    async fn documents(
        &self,
        work: &Work,
        operations: &[RawDocumentBuf],
    ) -> Result<Vec<Document>, Failure> {
        let id = |kind, id: Bson| EntryId {
            run: self.run,
            dataset: work.task.entry.id.clone(),
            kind,
            id,
        };
        let mut kept = Vec::new();
        for (side, stored) in [("before", &work.read), ("after", &work.changed)] {
            let Stored { document, runs } = stored;
            for (at, bytes) in (0_i32..).zip(document.as_bytes().chunks(PART_BYTES)) {
                let id = id(Kind::Part, doc! { "side": side, "at": at }.into());
                kept.push(id.with(doc! { "bytes": crate::store::binary(bytes) }));
            }
            for (run, document) in runs {
                let id = id(Kind::Run, doc! { "side": side, "id": run }.into());
                kept.push(id.archiving(&raw(document)?));
            }
        }
        for effect in work.effects() {
            if let Effect::DeleteViews(ids) = effect {
                let filter = doc! { "_id": { "$in": ids } };
                for it in self.store.whole_documents("views", filter).await? {
                    kept.push(id(Kind::View, id_of(&it)).archiving(&it));
                }
            }
        }
        for it in operations {
            kept.push(id(Kind::Operation, id_of(it)).archiving(it));
        }
        Ok(kept)
    }

    fn entry(
        &self,
        work: &Work,
        kept: &[Document],
        (passes, values): (Vec<Document>, ObjectId),
        operations: usize,
    ) -> ArchiveEntry {
        let mut what = work.lost.clone().unwrap_or_default();
        if operations > 0 {
            what.push(format!("the links of {operations} delegated operations"));
        }
        let bytes: usize = kept.iter().map(|it| crate::store::bytes(it, "bytes").len()).sum();
        let whole = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
        let head = work.task.head.as_ref().map(ToString::to_string).unwrap_or_default();
        let to = work.task.destination.to_string();
        ArchiveEntry {
            id: self.id(work),
            name: work.task.entry.name.clone(),
            archived: DateTime::now(),
            from: head,
            at: to.clone(),
            to,
            what,
            documents: whole(kept.len()),
            bytes: whole(bytes),
            values,
            samples: work.collections.samples.clone(),
            frames: work.collections.frames.clone(),
            passes,
            results: work.results.iter().copied().collect(),
            files: work.effects().filter_map(Effect::deletes).collect(),
            confirmed: false,
            given: Vec::new(),
            closed: None,
            giving: None,
        }
    }
}

impl Work {
    fn goes_down(&self) -> bool {
        let head = self.task.head.as_ref();
        head.is_some_and(|it| direction(it, &self.task.destination) == Some(Direction::Down))
    }
}

impl Returning {
    fn given(&self, run: ObjectId) -> Given {
        let value = |it: &Option<Bson>| it.clone().unwrap_or_default();
        let stored = |it: &Conflict| doc! { "path": &it.path, "here": value(&it.here), "archived": value(&it.archived) };
        let mut conflicts: Vec<Document> = self.conflicts.iter().map(stored).collect();
        let left = i64::try_from(self.left.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        if left > 0 {
            conflicts.push(doc! { "path": "samples and frames", "here": left, "archived": left });
        }
        Given { run, was: self.entry.at.clone(), to: self.to.clone(), conflicts }
    }
}

impl Back {
    /// What stays as it is, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for it in &self.entries {
            let sentence = |it: &Conflict| {
                let (here, archived) = (shown(it.here.as_ref()), shown(it.archived.as_ref()));
                let path = crate::report::printable(&it.path);
                format!(
                    "conflict at `{path}`: it was changed in the old version to {here}, which stays; the archive has \
                     {archived}"
                )
            };
            warnings.extend(it.conflicts.iter().map(sentence));
            let left = it.left.load(Ordering::Relaxed);
            if left > 0 {
                warnings.push(format!(
                    "conflict: values of {left} samples or frames were set in the old version, and stay; the archive \
                     has others"
                ));
            }
        }
        warnings
    }
}

/// A value in a few letters.
pub(crate) fn shown(value: Option<&Bson>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = crate::report::printable(&value.to_string());
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// How many letters of a value are shown.
const SHOWN: usize = 80;

impl ArchiveEntry {
    /// Whether something of it waits to be looked at.
    pub(crate) fn has_conflicts(&self) -> bool {
        self.given.iter().any(|it| !it.conflicts.is_empty())
    }
}

/// Where the values of an entry are.
fn values_of(entry: &ArchiveEntry, turn: i32, scope: &str) -> Values {
    let (dataset, scope) = (entry.id.dataset.clone(), scope.to_owned());
    Values { place: ARCHIVE_VALUES, run: entry.values, dataset, turn, scope }
}

fn of_file(collection: &str, file: ObjectId) -> String {
    format!("{collection} {file}")
}
