//! The order of writes: add, change, commit, remove.
//!
//! Nothing is decided here. Whatever happens between two steps, running the migration again completes it:
//! what is added has computed ids, what is changed can be changed twice, the commit is one write per dataset,
//! and only then is anything removed.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use bson::{Bson, DateTime, Document, RawDocumentBuf, oid::ObjectId};
use futures_util::{StreamExt, stream};
use revisions::{Effect, Step, stages};

use crate::{
    archive::{Archive, Back},
    journal::Journal,
    load::{Loaded, Loader, Task, Why, Work},
    pass::{Halt, Passes, Whose},
    progress::Control,
    store::{ArchiveEntry, Failure, Leftovers, Store, Swap},
    verify::Before,
};

/// How often a dataset that others keep changing is loaded and folded again.
const ATTEMPTS: usize = 40;

/// How many of these attempts pass over its samples. After them there is no time for that between reading the
/// dataset and committing it, and it is done once more after the commit.
const THOROUGH_ATTEMPTS: usize = 2;

/// How many datasets of a group are changed side by side.
const CHANGED_SIDE_BY_SIDE: usize = 8;

/// How often it is made sure that the server has not restarted.
const LOOKS: usize = 5;

/// What became of one dataset.
#[derive(Debug)]
pub enum Written {
    /// It is at its destination.
    Migrated {
        /// Which one.
        task: Task,
        /// Its name now.
        name: Option<String>,
        /// What people should know.
        warnings: Vec<String>,
        /// What the archive keeps of it.
        kept: Vec<String>,
        /// What the archive has given back to it.
        given_back: Vec<String>,
    },
    /// It turned out to be there already, or is gone.
    Done(Task),
    /// It cannot go there, as it turned out when it was loaded again.
    Refused(Task, Why),
    /// Its document is as it was.
    Halted(Task, Halt),
}

/// Writes folded datasets.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The database.
    pub store: Store,
    /// For its collections.
    pub passes: Passes,
    /// To fold again what was changed meanwhile.
    pub loader: Arc<Loader>,
    /// To be stopped.
    pub control: Control,
    /// The datasets that have delegated operations to change.
    pub with_logs: Arc<Vec<Bson>>,
    /// The run.
    pub run: ObjectId,
    /// The time of the run.
    pub now: DateTime,
    /// Where it is kept how things were; `None` if that is not wanted.
    pub journal: Option<Journal>,
    /// Where what is dropped is kept for the datasets, and comes back from; `None` if that is not wanted.
    pub archive: Option<Archive>,
    /// Where it is written down what has to be verified; `None` if nobody does.
    pub before: Option<Before>,
    /// What others do, once there are any.
    pub yields: Yields,
}

/// The texts of the `_id`s of datasets that are left to others, once there are any: those that were not begun yet halt.
pub type Yields = Arc<OnceLock<BTreeSet<String>>>;

impl Writer {
    /// The report of a failure. One that concerns the connection ends the whole run: nobody waits for thousands
    /// of datasets to fail for the same reason.
    pub fn failed(&self, task: Task, failure: Failure) -> Written {
        if failure.is_fatal() {
            self.control.break_off_by(&failure);
        }
        Written::Halted(task, Halt::Failed(failure))
    }

    fn halted(&self, task: Task, halt: &Halt) -> Written {
        match halt {
            Halt::Failed(failure) => self.failed(task, failure.clone()),
            Halt::Stopped => Written::Halted(task, Halt::Stopped),
        }
    }

    /// Writes a group of datasets, each for itself but committed with as few commands as possible.
    pub async fn write(&self, group: Vec<Work>) -> Vec<Written> {
        let mut written = Vec::new();
        let mut moved = Vec::new();
        let mut passed = Vec::new();
        self.attempt(group, false, &mut passed, &mut written, &mut moved).await;
        // Somebody edited these while they were being migrated: load and fold what is there now.
        for attempt in 1..ATTEMPTS {
            if attempt < THOROUGH_ATTEMPTS {
                passed.clear();
            }
            if moved.is_empty() {
                return written;
            }
            let loaded = match self.loader.load(moved.clone()).await {
                Ok(loaded) => loaded,
                Err(failure) => {
                    written.extend(moved.into_iter().map(|it| self.failed(it, failure.clone())));
                    return written;
                }
            };
            moved.clear();
            let mut again = Vec::new();
            for it in loaded {
                match it {
                    Loaded::Ready(work) => again.push(*work),
                    Loaded::Done(task) => written.push(Written::Done(task)),
                    Loaded::Refused(task, reason) => written.push(Written::Refused(task, reason)),
                }
            }
            self.attempt(again, true, &mut passed, &mut written, &mut moved).await;
        }
        let text = "it is edited by somebody else faster than it can be migrated; pause what writes to it \
                    and run this again";
        let halted = |it| Written::Halted(it, Halt::Failed(Failure::edited(text)));
        written.extend(moved.into_iter().map(halted));
        written
    }

    async fn attempt(
        &self,
        group: Vec<Work>,
        repeated: bool,
        passed: &mut Vec<Passed>,
        written: &mut Vec<Written>,
        moved: &mut Vec<Task>,
    ) {
        if !self.control.may_go_on().await {
            written.extend(group.into_iter().map(|it| Written::Halted(it.task, Halt::Stopped)));
            return;
        }
        let failed = |task, failure| self.failed(task, failure);
        let before = match self.store.process().await {
            Ok(process) => process,
            Err(failure) => {
                written.extend(group.into_iter().map(|it| failed(it.task, failure.clone())));
                return;
            }
        };
        let group = self.kept(group, repeated, written).await;
        if group.is_empty() {
            return;
        }
        let group: Vec<(Work, bool)> = group
            .into_iter()
            .map(|work| {
                // Only when some were edited is there anything to compare with.
                let again = !passed.is_empty() && passed.contains(&work.passed());
                (work, again)
            })
            .collect();
        if let Err(failure) = self.begin(&group, before).await {
            written.extend(group.into_iter().map(|(it, _)| failed(it.task, failure.clone())));
            return;
        }
        let hasty = group.iter().any(|(_, again)| *again);
        let ready = self.change_all(group, repeated, written, moved).await;
        if !self.control.may_end().await {
            let halted = |(it, _): (Work, bool)| Written::Halted(it.task, Halt::Stopped);
            return written.extend(ready.into_iter().map(halted));
        }
        let committed = async {
            self.promise(&ready).await?;
            self.store.is_still(before).await?;
            self.commit(&ready).await
        };
        let committed = match committed.await {
            Ok(committed) => committed,
            Err(failure) => {
                written.extend(ready.into_iter().map(|(it, _)| failed(it.task, failure.clone())));
                return;
            }
        };
        let mut done = Vec::new();
        for ((work, again), committed) in ready.into_iter().zip(committed) {
            if committed {
                done.push(work);
                continue;
            }
            if !again {
                passed.push(work.passed());
            }
            moved.push(work.task);
        }
        if done.is_empty() {
            return;
        }
        // Whoever edits a dataset may have added samples to it.
        let before = if hasty { None } else { before };
        if let Err(halt) = self.outlast(before, &done).await {
            let failure = match halt {
                Halt::Stopped => Failure::lease(
                    "the lease was lost right after it was committed; what was added to it meanwhile may not be \
                     migrated: `fiftyone-migrate doctor` finds it",
                ),
                Halt::Failed(failure) => Failure::other(failure.text),
            };
            written.extend(done.into_iter().map(|it| failed(it.task, failure.clone())));
            return;
        }
        let notes = [self.settle(&done).await, self.remove(&done).await].into_iter().flatten();
        let notes: Vec<String> = notes.collect();
        written.extend(done.into_iter().map(|it| it.migrated(&notes)));
    }

    /// What the archive is about to give back is written down, so that it is known whose it is as soon as they are
    /// committed.
    async fn promise(&self, ready: &[(Work, bool)]) -> Result<(), Failure> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let ready: Vec<&Work> = ready.iter().map(|(it, _)| it).collect();
        archive.promise(&ready).await
    }

    /// What the archive has of them is theirs, or not theirs any more. They are migrated, whether that can be noted or not:
    /// what is given back once more is the same.
    async fn settle(&self, done: &[Work]) -> Option<String> {
        let archive = self.archive.as_ref()?;
        let mut settled = archive.settle(done).await;
        if settled.as_ref().is_err_and(Failure::is_unreachable) {
            // The connection may have been lost, and nothing else.
            settled = archive.settle(done).await;
        }
        let failure = settled.err()?;
        Some(format!("what the archive has of it could not be settled: {}", failure.text))
    }

    /// Add and change what belongs to these datasets, side by side. Those that can be committed now.
    async fn change_all(
        &self,
        group: Vec<(Work, bool)>,
        repeated: bool,
        written: &mut Vec<Written>,
        moved: &mut Vec<Task>,
    ) -> Vec<(Work, bool)> {
        let mut ready = Vec::new();
        // How many really run side by side, the passes decide; these only wait their turn.
        let mut changed = stream::iter(group)
            .map(|(work, again)| async move {
                let yields = !repeated && self.yields_to_others(&work);
                let changed =
                    if yields { Err(Halt::Stopped) } else { self.change(&work, !again).await };
                (changed, work, again)
            })
            .buffered(CHANGED_SIDE_BY_SIDE);
        while let Some((changed, work, again)) = changed.next().await {
            match changed {
                Ok(true) => ready.push((work, again)),
                Ok(false) => moved.push(work.task),
                Err(halt) => written.push(self.halted(work.task, &halt)),
            }
        }
        drop(changed);
        ready
    }

    fn yields_to_others(&self, work: &Work) -> bool {
        self.yields.get().is_some_and(|it| it.contains(&work.task.entry.id_text()))
    }

    /// Before anything else: what has to be verified, what cannot be computed back, and what is dropped, is written down.
    /// Returns those of which that was possible.
    async fn kept(
        &self,
        group: Vec<Work>,
        repeated: bool,
        written: &mut Vec<Written>,
    ) -> Vec<Work> {
        let all: Vec<&Work> = group.iter().collect();
        let noted = async {
            match self.before.as_ref().filter(|_| !repeated) {
                Some(before) => before.note(&all).await,
                None => Ok(()),
            }
        };
        let (noted, kept) = tokio::join!(noted, self.keep(&all, repeated));
        if let Err(failure) = noted {
            written.extend(group.into_iter().map(|it| self.failed(it.task, failure.clone())));
            return Vec::new();
        }
        match kept {
            Ok(()) => return group,
            Err(Halt::Failed(failure)) if group.len() > 1 && !failure.is_unreachable() => {}
            Err(halt) => {
                written.extend(group.into_iter().map(|it| self.halted(it.task, &halt)));
                return Vec::new();
            }
        }
        // One of them cannot be kept: the others do not have to stay because of it.
        let mut kept = Vec::new();
        for work in group {
            match self.keep(&[&work], true).await {
                Ok(()) => kept.push(work),
                Err(halt) => written.push(self.halted(work.task, &halt)),
            }
        }
        kept
    }

    async fn keep(&self, group: &[&Work], repeated: bool) -> Result<(), Halt> {
        if let Some(archive) = &self.archive {
            archive.keep(group, repeated, &self.with_logs).await?;
        }
        let Some(journal) = &self.journal else { return Ok(()) };
        journal.keep(group, repeated, &self.with_logs).await
    }

    /// Add: new runs, but for datasets for which that was done already; and before that, what will be removed. Nothing is
    /// changed if the process that has acknowledged what is kept of them is gone: there would be no way back.
    async fn begin(
        &self,
        group: &[(Work, bool)],
        process: Option<ObjectId>,
    ) -> Result<(), Failure> {
        self.leave(group.iter().map(|(it, _)| it)).await?;
        self.store.is_still(process).await?;
        let fresh = group.iter().filter(|(_, again)| !again);
        let inserted: Vec<&Document> = fresh.flat_map(|(it, _)| it.inserted_runs()).collect();
        if !inserted.is_empty() {
            self.store.insert_runs(&inserted).await?;
        }
        Ok(())
    }

    /// Writes down what will be removed.
    async fn leave(&self, group: impl Iterator<Item = &Work>) -> Result<(), Failure> {
        let left: Vec<Leftovers> = group.map(Work::leftovers).filter(|it| !it.is_empty()).collect();
        self.store.note_leftovers(self.run, &left).await
    }

    /// Add and change what belongs to one dataset. False if somebody else has changed one of its runs.
    /// `all`: not only what is quick.
    async fn change(&self, work: &Work, all: bool) -> Result<bool, Halt> {
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        for effect in work.effects().filter(|_| all) {
            match effect {
                Effect::RewriteResults { from, to, set, .. } => {
                    self.store.rewrite_results(*from, *to, set, self.now).await?;
                }
                Effect::RenameOperationLog { from, to } => {
                    let id = &work.task.entry.id;
                    if self.with_logs.contains(id) {
                        self.store.rename_log(id, from, to).await?;
                    }
                }
                Effect::ReturnResults { file, entry } => {
                    if let (Some(archive), Some(from)) = (&self.archive, work.entry(*entry)) {
                        archive.return_file(*file, from).await?;
                    }
                }
                Effect::PutBack { collection, documents } => {
                    let documents: Vec<RawDocumentBuf> =
                        documents.iter().map(crate::store::raw).collect::<Result<_, _>>()?;
                    self.store.put_back(collection, &documents).await?;
                }
                Effect::ChangeOperation { read, changed } => {
                    if !self.store.change_operation(read, changed).await? {
                        return Ok(false);
                    }
                }
                Effect::DeleteViews(_) | Effect::DeleteResults(_) => {}
            }
        }
        if !self.store.replace_runs(&work.changed_runs()).await? {
            return Ok(false);
        }
        let stages = stages(&work.steps);
        if all && !stages.is_empty() {
            let whose = Whose { id: &work.task.entry.id, document: &work.read.document };
            self.passes.run(whose, &work.collections, &stages).await?;
        }
        if let (Some(archive), Some(back), true) = (&self.archive, &work.back, all) {
            for it in &back.entries {
                archive.return_values(it).await?;
            }
        }
        Ok(true)
    }

    /// Commit: which of these are at their destination now.
    async fn commit(&self, ready: &[(Work, bool)]) -> Result<Vec<bool>, Failure> {
        let swaps: Vec<Swap<'_>> = ready
            .iter()
            .map(|(it, _)| Swap { read: &it.read.document, changed: &it.changed.document })
            .collect();
        if swaps.is_empty() {
            return Ok(Vec::new());
        }
        if self.store.commit(&swaps).await? == ready.len() {
            return Ok(vec![true; ready.len()]);
        }
        let ids: Vec<Bson> = ready.iter().map(|(it, _)| it.task.entry.id.clone()).collect();
        let now = self.store.datasets(&ids).await?;
        let arrived = |((work, _), now): (&(Work, bool), Option<RawDocumentBuf>)| {
            now.as_ref() == Some(&work.changed.document)
        };
        Ok(ready.iter().zip(now).map(arrived).collect())
    }

    /// Makes sure that what was changed before the commit is as durable as the commit: if another process
    /// answers now than at the beginning, acknowledged writes may have been lost with the old one.
    async fn outlast(&self, before: Option<ObjectId>, done: &[Work]) -> Result<(), Halt> {
        // They are committed: nobody would look for what is left to do here, so that it is not for people to stop.
        let (control, passes) = (self.control.insisting(), self.passes.insisting());
        let archive = self.archive.clone();
        let archive = archive.map(|it| Archive { control: control.clone(), ..it });
        let insisting = Self { passes, control, archive, ..self.clone() };
        let mut before = before;
        for _ in 0..LOOKS {
            let now = self.store.process().await?;
            if now == before {
                return Ok(());
            }
            before = now;
            self.leave(done.iter()).await?;
            let inserted: Vec<&Document> = done.iter().flat_map(Work::inserted_runs).collect();
            self.store.insert_runs(&inserted).await?;
            for work in done {
                insisting.change(work, true).await?;
            }
        }
        Err(Failure::other("the MongoDB server keeps restarting; run this again when it is stable")
            .into())
    }

    /// Remove: what the datasets no longer refer to. What cannot be removed is left and told, for the datasets
    /// themselves are migrated.
    async fn remove(&self, done: &[Work]) -> Option<String> {
        let mut views = Vec::new();
        let mut files = Vec::new();
        for effect in done.iter().flat_map(Work::effects) {
            files.extend(effect.deletes());
            if let Effect::DeleteViews(ids) = effect {
                views.extend_from_slice(ids);
            }
        }
        let runs: Vec<&Document> = done.iter().flat_map(Work::removed_runs).collect();
        let mut removed = self.remove_all(&views, &files, &runs).await;
        if removed.as_ref().is_err_and(Failure::is_unreachable) {
            removed = self.remove_all(&views, &files, &runs).await;
        }
        let told = match removed {
            Ok(0) => None,
            Ok(left) => {
                Some(format!("{left} run documents were edited meanwhile and are left as orphans"))
            }
            Err(failure) => {
                // It stays written down: whoever goes on with the run tries it again.
                return Some(format!(
                    "what is no longer needed could not be removed: {}",
                    failure.text
                ));
            }
        };
        let swept = done.iter().filter(|it| !it.leftovers().is_empty());
        let swept: Vec<Bson> = swept.map(|it| it.task.entry.id.clone()).collect();
        if let Err(failure) = self.store.forget_leftovers(self.run, &swept).await {
            tracing::warn!("what was removed could not be noted: {failure}");
        }
        told
    }

    /// How many of the runs stay, because somebody has edited them.
    async fn remove_all(
        &self,
        views: &[Bson],
        files: &[ObjectId],
        runs: &[&Document],
    ) -> Result<usize, Failure> {
        // Whoever has the lease by now may have put there what we would remove.
        let ours = async || {
            if self.control.may_end().await {
                return Ok(());
            }
            Err(Failure::other("the lease was lost; whoever goes on with the run does it"))
        };
        if !views.is_empty() {
            ours().await?;
            self.store.delete_views(views).await?;
        }
        if !files.is_empty() {
            ours().await?;
            self.store.delete_results(files).await?;
        }
        if runs.is_empty() {
            return Ok(0);
        }
        ours().await?;
        self.store.delete_runs(runs).await
    }
}

/// What was done to a dataset's samples and files and which runs were added, to know whether it is the same again.
type Passed = (Bson, Vec<Step>, Vec<Document>);

impl Work {
    fn passed(&self) -> Passed {
        let inserted = self.inserted_runs().cloned().collect();
        (self.task.entry.id.clone(), self.steps.clone(), inserted)
    }

    /// What became of it, with what there is to say of its whole group.
    fn migrated(self, notes: &[String]) -> Written {
        let warnings = self.warnings_told().into_iter().chain(notes.iter().cloned()).collect();
        let Self { task, name, back, lost, .. } = self;
        let (kept, given_back) = (lost.unwrap_or_default(), back.map(|it| it.what));
        let given_back = given_back.unwrap_or_default();
        Written::Migrated { task, name, warnings, kept, given_back }
    }

    /// What people should know, in sentences.
    pub(crate) fn warnings_told(&self) -> Vec<String> {
        let own = self.warnings.iter().map(|(at, it)| format!("v{at}: {it}"));
        own.chain(self.back.iter().flat_map(Back::warnings)).collect()
    }

    /// One of the entries of the archive that are given back to it.
    fn entry(&self, number: usize) -> Option<&ArchiveEntry> {
        self.back.as_ref()?.entries.get(number).map(|it| &it.entry)
    }

    pub(crate) fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.steps.iter().filter_map(|it| match it {
            Step::Effect(effect) => Some(effect),
            Step::Update { .. } | Step::Merge(_) => None,
        })
    }

    /// What nothing will refer to once it is committed.
    fn leftovers(&self) -> Leftovers {
        let mut left = Leftovers { dataset: self.task.entry.id.clone(), ..Leftovers::default() };
        left.runs = self.removed_runs().filter_map(|it| it.get_object_id("_id").ok()).collect();
        for effect in self.effects() {
            left.files.extend(effect.deletes());
            if let Effect::DeleteViews(ids) = effect {
                left.views.extend_from_slice(ids);
            }
        }
        left
    }

    /// How many bytes its document and its runs have that are going to be written.
    pub(crate) fn written_bytes(&self) -> u64 {
        let changed = self.changed_runs().into_iter().map(|(_, changed)| changed);
        // One that cannot be measured cannot be written either.
        let runs = self.inserted_runs().chain(changed);
        let runs: usize = runs.map(|it| crate::store::size(it).unwrap_or(0)).sum();
        u64::try_from(self.changed.document.as_bytes().len() + runs).unwrap_or(u64::MAX)
    }

    pub(crate) fn inserted_runs(&self) -> impl Iterator<Item = &Document> {
        let (read, changed) = (&self.read.runs, &self.changed.runs);
        changed.iter().filter(|(id, _)| !read.contains_key(id)).map(|(_, it)| it)
    }

    pub(crate) fn removed_runs(&self) -> impl Iterator<Item = &Document> {
        let (read, changed) = (&self.read.runs, &self.changed.runs);
        read.iter().filter(|(id, _)| !changed.contains_key(id)).map(|(_, it)| it)
    }

    pub(crate) fn changed_runs(&self) -> Vec<(&Document, &Document)> {
        let changed = &self.changed.runs;
        let both = self.read.runs.iter().filter_map(|(id, it)| Some((it, changed.get(id)?)));
        both.filter(|(read, changed)| read != changed).collect()
    }
}
