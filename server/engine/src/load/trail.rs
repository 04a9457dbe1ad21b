//! One dataset revision by revision: what each of them would do to it, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use bson::{Document, oid::ObjectId};
use model::{Direction, Version};
use revisions::{
    ALL, Dataset, Env, Refusal, Release, Revision, Step, archive, fold, head, merge::are_same,
};

use super::{Found, Loader, Task, Why, decoded, embedded_runs, results_of, run_ids};
use crate::store::{Entry, Failure};

/// A dataset with all that any revision wants to see of it.
#[derive(Debug)]
pub struct Seen {
    /// Where it is.
    pub head: Release,
    /// Its document and its runs.
    pub dataset: Dataset,
    results: BTreeSet<ObjectId>,
}

/// A revision as a dataset crosses it.
#[derive(Debug)]
pub struct Crossed {
    /// Which one.
    pub revision: &'static Revision,
    /// What that does, or why it cannot be.
    pub taken: Result<Taken, Refusal>,
}

/// What crossing a revision does.
#[derive(Debug)]
pub struct Taken {
    /// Whether more of the dataset's document changes than its version.
    pub changes_document: bool,
    /// Whether runs are added, changed or removed.
    pub changes_runs: bool,
    /// What is asked for elsewhere.
    pub steps: Vec<Step>,
    /// What people should know.
    pub warnings: Vec<String>,
    /// What going back at once would not bring back of the document and its runs; `None` if nothing.
    pub lost: Option<Vec<String>>,
    /// What is asked for elsewhere on the way back; none if there is no way back.
    pub back: Vec<Step>,
}

impl Loader {
    /// Loads a dataset with all that revisions want to see, whichever it crosses. `None` if it is gone.
    pub async fn see(&self, entry: &Entry) -> Result<Option<Result<Seen, Why>>, Failure> {
        let ids = std::slice::from_ref(&entry.id);
        let Some(raw) = self.store.datasets(ids).await?.pop().flatten() else { return Ok(None) };
        let document = match decoded(&raw) {
            Ok(document) => document,
            Err(reason) => return Ok(Some(Err(reason.into()))),
        };
        let release = match head(&document) {
            Ok(head) => head.release,
            Err(reason) => return Ok(Some(Err(reason.to_string().into()))),
        };
        let runs = self.store.runs(&run_ids(&document)).await?;
        // Without a head, it is taken for one that crosses every revision.
        let task = Task { entry: entry.clone(), head: None, destination: release.clone() };
        let found = Found { task, document, raw, entries: Vec::new() };
        let existing = self.results(std::slice::from_ref(&found), &runs).await?;
        let own = results_of(runs.values().chain(embedded_runs(&found.document)));
        let results = own.filter(|it| existing.contains(it)).collect();
        let dataset = Dataset { document: found.document, runs };
        Ok(Some(Ok(Seen { head: release, dataset, results })))
    }

    /// What each revision on the way does, in the order in which it is crossed; up to the first that cannot be.
    pub async fn trail(&self, seen: &Seen, way: Direction) -> Result<Vec<Crossed>, Failure> {
        let (mut crossed, mut results) = (Vec::new(), seen.results.clone());
        let (mut at, mut dataset) = (seen.head.clone(), seen.dataset.clone());
        for (revision, to) in steps_of(&seen.head, way) {
            let folded = loop {
                let folded = self.crossing(&dataset, (&at, &to), &results);
                let unreadable = match &folded {
                    Ok((_, outcome)) => self.unreadable(outcome).await?,
                    Err(_) => None,
                };
                match unreadable {
                    Some(file) => results.remove(&file),
                    None => break folded,
                };
            };
            match folded {
                Ok((taken, outcome)) => {
                    crossed.push(Crossed { revision, taken: Ok(taken) });
                    results.extend(results_of(outcome.dataset.runs.values()));
                    (at, dataset) = (to, outcome.dataset);
                }
                Err(refusal) => {
                    crossed.push(Crossed { revision, taken: Err(refusal) });
                    break;
                }
            }
        }
        Ok(crossed)
    }

    fn crossing(
        &self,
        before: &Dataset,
        (from, to): (&Release, &Release),
        results: &BTreeSet<ObjectId>,
    ) -> Result<(Taken, revisions::Outcome), Refusal> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let env = Env { now: self.times.now, named: self.times.named, names: &names, results };
        let outcome = fold(before.clone(), from, to, env)?;
        let back = archive::back(&outcome.dataset, (from, to), env);
        let lost = match &back {
            Ok(back) if archive::has_all(&back.dataset, before) => None,
            Ok(back) => Some(archive::inventory(&back.dataset, before)),
            Err(_) => Some(archive::inventory(&outcome.dataset, before)),
        };
        let taken = Taken {
            changes_document: !same_but_version(&before.document, &outcome.dataset.document),
            changes_runs: !are_same_runs(&before.runs, &outcome.dataset.runs),
            steps: outcome.steps.clone(),
            warnings: outcome.warnings.iter().map(|(_, it)| it.clone()).collect(),
            lost,
            back: back.map(|it| it.steps).unwrap_or_default(),
        };
        Ok((taken, outcome))
    }
}

/// The revisions from a version on, each with the nearest version at which it is crossed.
fn steps_of(head: &Release, way: Direction) -> Vec<(&'static Revision, Release)> {
    let release = |it: &Version| Release::new([it.major(), it.minor(), it.patch()]);
    match way {
        Direction::Up => {
            let newest = crate::versions::newest();
            let crossed = revisions::between(head, newest);
            crossed.into_iter().map(|it| (it, release(&it.version))).collect()
        }
        Direction::Down => {
            let before = |revision: &Revision| {
                let below = ALL.iter().rev().find(|it| it.version < revision.version);
                below.map_or_else(|| Release::new([0, 6, 1]), |it| release(&it.version))
            };
            let crossed = revisions::between(head, &Release::new([0, 6, 1]));
            crossed.into_iter().map(|it| (it, before(it))).collect()
        }
    }
}

fn same_but_version(before: &Document, after: &Document) -> bool {
    let [mut before, mut after] = [before, after].map(Document::clone);
    before.remove("version");
    after.remove("version");
    are_same(&before, &after)
}

fn are_same_runs(
    before: &BTreeMap<ObjectId, Document>,
    after: &BTreeMap<ObjectId, Document>,
) -> bool {
    before.len() == after.len()
        && before.iter().all(|(id, it)| after.get(id).is_some_and(|after| are_same(it, after)))
}
