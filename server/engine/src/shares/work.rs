//! What everybody does who works on a run, alone or on a share: load, fold, keep, write, note.

use std::{collections::BTreeSet, sync::Arc};

use bson::{Bson, DateTime, oid::ObjectId};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use revisions::{Read, Release, base};
use tokio::sync::{Mutex, OnceCell};

use crate::{
    archive::{Archive, Entries},
    journal::{Contended, Journal},
    load::{Loader, Task, Times},
    pass::Passes,
    progress::Control,
    report::DatasetReport,
    run::{self, groups},
    store::{Failure, Store},
    verify::Before,
    write::{Writer, Yields},
};

/// What a run keeps.
#[derive(Clone, Copy, Debug)]
pub struct Keeps {
    /// How things were, so that it can be undone.
    pub journal: bool,
    /// What it drops, and whether it gives back what was dropped before.
    pub archive: bool,
}

/// What is the same for all datasets of a run.
#[derive(Debug)]
pub struct Bench {
    /// The database.
    pub store: Store,
    /// The run.
    pub run: ObjectId,
    /// The time that it writes.
    pub time: DateTime,
    /// What is kept.
    pub keeps: Keeps,
    /// Whether the run was begun before, so that there may be entries of the journal already.
    pub goes_on: bool,
    /// The collections that exist.
    pub existing: Arc<BTreeSet<String>>,
    /// What was loaded for all of them.
    loader: Mutex<Option<(Arc<Loader>, bool)>>,
    /// The datasets with delegated operations that have a log; read when one of them may need it.
    with_logs: OnceCell<Arc<Vec<Bson>>>,
}

impl Bench {
    /// A bench on which nothing lies yet.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn new(
        store: &Store,
        run: ObjectId,
        time: DateTime,
        keeps: Keeps,
        goes_on: bool,
    ) -> Result<Self, Failure> {
        let (store, existing) = (store.clone(), Arc::new(store.collections().await?));
        let (loader, with_logs) = (Mutex::default(), OnceCell::new());
        Ok(Self { store, run, time, keeps, goes_on, existing, loader, with_logs })
    }

    /// A writer for these tasks, under the number of a lease or a claim.
    pub async fn writer(
        &self,
        tasks: &[Task],
        fence: i64,
        control: &Control,
        goes_on: bool,
    ) -> Result<Writer, Failure> {
        // Read anew for each share: whoever had it before may have begun to archive what is in it.
        let ids: Vec<Bson> = tasks.iter().map(|it| it.entry.id.clone()).collect();
        let entries = if self.keeps.archive {
            Some(Arc::new(Entries::about(&self.store, &ids).await?))
        } else {
            None
        };
        let loader = Arc::new(self.loader(tasks).await?.with(entries.clone()));
        let with_logs = self.datasets_with_logs(tasks).await?;
        let fence = (self.run, fence);
        let existing = Arc::clone(&self.existing);
        let passes = Passes::new(self.store.clone(), control.clone(), fence, Arc::clone(&existing));
        let journal = self.keeps.journal.then(|| Journal {
            store: self.store.clone(),
            control: control.clone(),
            run: self.run,
            time: self.time,
            goes_on: self.goes_on || goes_on,
            existing: Arc::clone(&existing),
            contended: Contended::default(),
        });
        let before = Before {
            store: self.store.clone(),
            run: self.run,
            fence: fence.1,
            existing: Arc::clone(&existing),
            process: Arc::default(),
        };
        let archive = entries.map(|entries| Archive {
            store: self.store.clone(),
            control: control.clone(),
            run: self.run,
            keeps_journal: self.keeps.journal,
            existing,
            entries,
            known: Arc::default(),
        });
        Ok(Writer {
            store: self.store.clone(),
            passes,
            loader,
            control: control.clone(),
            with_logs,
            run: self.run,
            now: self.time,
            journal,
            archive,
            before: Some(before),
            yields: Yields::default(),
        })
    }

    /// One for all tasks, so that names are read once and those that were given are known.
    async fn loader(&self, tasks: &[Task]) -> Result<Arc<Loader>, Failure> {
        let mut loader = self.loader.lock().await;
        let names = tasks.iter().any(|it| it.reads(Read::Names));
        if let Some((loader, has_names)) = &*loader
            && (*has_names || !names)
        {
            return Ok(Arc::clone(loader));
        }
        let times = Times::of(self.run, self.time);
        let new = Arc::new(Loader::new(self.store.clone(), times, tasks, None).await?);
        *loader = Some((Arc::clone(&new), names));
        Ok(new)
    }

    async fn datasets_with_logs(&self, tasks: &[Task]) -> Result<Arc<Vec<Bson>>, Failure> {
        let revision = Release::new([1, 4, 0]);
        let crosses = |it: &Task| {
            let destination = base(&it.destination) < revision;
            it.head.as_ref().is_none_or(|head| (base(head) < revision) != destination)
        };
        if !self.existing.contains("delegated_ops") || !tasks.iter().any(crosses) {
            return Ok(Arc::default());
        }
        let read = self.with_logs.get_or_try_init(async || {
            let mut ids = self.store.datasets_with_logs("run_link").await?;
            ids.extend(self.store.datasets_with_logs("log_path").await?);
            Ok(Arc::new(ids))
        });
        read.await.cloned()
    }
}

/// Writes groups of tasks as they come: folded in order, so that the same database always gets the same names; written
/// side by side.
pub fn written(
    writer: Writer,
    tasks: impl Stream<Item = Vec<Task>> + Send + 'static,
) -> BoxStream<'static, Vec<DatasetReport>> {
    let folding = writer.clone();
    tasks
        .then(move |tasks| run::folded(folding.clone(), tasks))
        .map(move |(group, settled)| run::write_group(writer.clone(), group, settled))
        .buffer_unordered(run::GROUPS_SIDE_BY_SIDE)
        .boxed()
}

/// All groups of these tasks.
pub fn all(tasks: &[Task]) -> impl Stream<Item = Vec<Task>> + use<> {
    futures_util::stream::iter(groups(tasks))
}
