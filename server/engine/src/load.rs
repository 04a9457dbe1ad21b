//! Loading datasets and folding their revisions: everything is decided here, before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bson::{Bson, DateTime, Document, oid::ObjectId};
use revisions::{
    Dataset, Effect, Env, Names, Outcome, Read, Release, Shape, Step, base, between, fold, head,
};

use crate::store::{Entry, Failure, Store};

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
    pub read: Dataset,
    /// As it shall be, and everything else that has to happen.
    pub outcome: Outcome,
}

/// What loading one dataset ends with.
#[derive(Debug)]
pub enum Loaded {
    /// It can go.
    Ready(Box<Work>),
    /// It is at its destination already, or gone.
    Done(Task),
    /// It cannot go; nothing of it will be written.
    Refused(Task, String),
}

/// Loads and folds, keeping track of which names are taken.
#[derive(Debug)]
pub struct Loader {
    store: Store,
    now: DateTime,
    names: Mutex<Names>,
}

impl Loader {
    /// A loader for these tasks. Reads all names if one of the tasks needs them.
    pub async fn new(store: Store, now: DateTime, tasks: &[Task]) -> Result<Self, Failure> {
        let needed = tasks.iter().any(|it| it.reads(Read::Names));
        let names = if needed { store.names().await? } else { Names::default() };
        Ok(Self { store, now, names: Mutex::new(names) })
    }

    /// Loads these datasets and folds them one after the other, in this order.
    pub async fn load(&self, tasks: Vec<Task>) -> Result<Vec<Loaded>, Failure> {
        let ids: Vec<Bson> = tasks.iter().map(|it| it.entry.id.clone()).collect();
        let mut documents = self.store.datasets(&ids).await?.into_iter().peekable();
        let mut found = Vec::new();
        for task in tasks {
            let document = documents.next_if(|it| it.get("_id") == Some(&task.entry.id));
            found.push((task, document));
        }
        let wanted: Vec<ObjectId> = found
            .iter()
            .filter(|(task, _)| task.reads(Read::Runs))
            .flat_map(|(_, document)| document.iter().flat_map(run_ids))
            .collect();
        let runs =
            if wanted.is_empty() { BTreeMap::new() } else { self.store.runs(&wanted).await? };
        let results = self.results(&found, &runs).await?;
        let mut loaded = Vec::new();
        for (task, document) in found {
            let Some(document) = document else {
                loaded.push(Loaded::Done(task));
                continue;
            };
            // Not taken out of the map: another dataset may refer to the same run.
            let ids = run_ids(&document).into_iter();
            let own = ids.filter_map(|id| Some((id, runs.get(&id)?.clone()))).collect();
            let dataset = Dataset { runs: own, document };
            loaded.push(self.fold(task, dataset, &results).await?);
        }
        Ok(loaded)
    }

    async fn results(
        &self,
        found: &[(Task, Option<Document>)],
        runs: &BTreeMap<ObjectId, Document>,
    ) -> Result<BTreeSet<ObjectId>, Failure> {
        if !found.iter().any(|(it, _)| it.reads(Read::Results)) {
            return Ok(BTreeSet::new());
        }
        let documents = found.iter().filter_map(|(_, document)| document.as_ref());
        let embedded = documents.flat_map(embedded_runs);
        let ids: Vec<ObjectId> = runs
            .values()
            .chain(embedded)
            .filter_map(|it| it.get_object_id("results").ok())
            .collect();
        if ids.is_empty() { Ok(BTreeSet::new()) } else { self.store.existing_results(&ids).await }
    }

    async fn fold(
        &self,
        mut task: Task,
        read: Dataset,
        results: &BTreeSet<ObjectId>,
    ) -> Result<Loaded, Failure> {
        let head = match head(&read.document) {
            Ok(head) => head,
            Err(reason) => return Ok(Loaded::Refused(task, reason.to_string())),
        };
        let listed = task.head.replace(head.release.clone());
        let unstamped = base(&task.destination) < Release::new([0, 6, 2]);
        let arrived = head.release == task.destination
            || between(&head.release, &task.destination).is_empty();
        if (head.stored.is_some() && head.release == task.destination)
            || (head.stored.is_none() && arrived && unstamped)
        {
            return Ok(Loaded::Done(task));
        }
        if listed.is_some_and(|it| it != head.release) {
            // Somebody else migrated it in between: what was loaded for it may not be all it needs now.
            let mut again = Box::pin(self.load(vec![task.clone()])).await?;
            return Ok(again.pop().unwrap_or(Loaded::Done(task)));
        }
        let mut results = results.clone();
        let outcome = loop {
            let folded = {
                let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
                let env = Env { now: self.now, names: &names, results: &results };
                fold(read.clone(), &head.release, &task.destination, env)
            };
            let outcome = match folded {
                Ok(outcome) => outcome,
                Err(refusal) => return Ok(Loaded::Refused(task, refusal.to_string())),
            };
            // A file that exists but is no JSON object stays as it is, and so does its run.
            match self.unreadable(&outcome).await? {
                Some(file) => results.remove(&file),
                None => break outcome,
            };
        };
        if let Some(reason) = too_large(&outcome.dataset)? {
            return Ok(Loaded::Refused(task, reason));
        }
        self.claim(&read.document, &outcome.dataset.document);
        Ok(Loaded::Ready(Box::new(Work { task, read, outcome })))
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

    fn claim(&self, read: &Document, changed: &Document) {
        let id = read.get("_id").cloned().unwrap_or_default();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.release(&id, read.get_str("name").ok(), read.get_str("slug").ok());
        names.claim(&id, changed.get_str("name").ok(), changed.get_str("slug").ok());
    }
}

impl Task {
    /// Whether some revision it crosses needs this loaded; all of them might, while its head is not known.
    fn reads(&self, what: Read) -> bool {
        match &self.head {
            Some(head) => {
                between(head, &self.destination).iter().any(|it| it.reads.contains(&what))
            }
            None => true,
        }
    }
}

/// The ids of the runs a dataset document refers to.
fn run_ids(document: &Document) -> Vec<ObjectId> {
    run_slots(document).filter_map(Bson::as_object_id).collect()
}

/// The runs inside a dataset document, as datasets from before 0.19 keep them.
fn embedded_runs(document: &Document) -> impl Iterator<Item = &Document> {
    run_slots(document).filter_map(Bson::as_document)
}

fn run_slots(document: &Document) -> impl Iterator<Item = &Bson> {
    let keys = ["annotation_runs", "brain_methods", "evaluations", "runs"];
    keys.into_iter().filter_map(|key| document.get_document(key).ok()).flat_map(|it| it.values())
}

fn too_large(dataset: &Dataset) -> Result<Option<String>, Failure> {
    let documents = std::iter::once(("dataset", &dataset.document))
        .chain(dataset.runs.values().map(|it| ("run", it)));
    for (what, document) in documents {
        let bytes = crate::store::size(document)?;
        if bytes > LARGEST_BYTES {
            return Ok(Some(format!(
                "dataset `{}` cannot go there: its {what} document would have {:.1} MiB, and MongoDB stores \
                 at most 16 MiB in one; delete large runs or `info` first",
                dataset.document.text("name"),
                mebibytes(bytes),
            )));
        }
    }
    Ok(None)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
