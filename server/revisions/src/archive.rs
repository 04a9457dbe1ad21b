//! What a downgrade has dropped, and giving it back on the way up: folds and a merge, as pure as the revisions.
//!
//! A dataset went down from `from` to `to`; the archive has it as it was `before` and as the downgrade left it, `after`.
//! On the way up to a destination there are three datasets at that destination: the *base*, what `after` comes to if
//! nobody has changed anything; the *original*, what `before` is there; and the *current* one. They are merged three ways.
//! Ids that revisions make are computed, so that what nobody has touched is the same in base and current.
//!
//! Entries lie one on the other: down, edited there, and down again makes two. The newest is given back first.

mod inventory;
mod slots;

use std::collections::BTreeSet;

use bson::{Bson, Document, oid::ObjectId};
use model::Version;

use self::slots::{Runs, Slots};
use crate::{
    Dataset, Effect, Env, Outcome, Refusal, Release, Step, base as numbers, fold,
    fold::release,
    merge::{Anywhere, Conflict, are_same, is_same, merge},
};

pub use inventory::inventory;

/// An entry of the archive.
#[derive(Clone, Debug)]
pub struct Archived {
    /// The head that the dataset left.
    pub from: Release,
    /// The dataset there, as it was.
    pub before: Dataset,
    /// Where it went.
    pub to: Release,
    /// The dataset there, as the downgrade left it.
    pub after: Dataset,
    /// Up to where it has been given back: `to` in the beginning.
    pub at: Release,
    /// The GridFS files that existed then and could be read.
    pub results: BTreeSet<ObjectId>,
    /// Those of them that the archive has a copy of, because the downgrade deletes them.
    pub files: BTreeSet<ObjectId>,
    /// The saved views that the downgrade deletes.
    pub views: Vec<Document>,
    /// The delegated operations of which it overwrites something, as they were.
    pub operations: Vec<Document>,
}

/// An outcome with what the archive has to give.
#[derive(Debug)]
pub struct GivenBack {
    /// The dataset as it shall be, and everything else that has to happen.
    pub outcome: Outcome,
    /// What comes back, in words: `3 saved views`.
    pub what: Vec<String>,
    /// What each entry that was given to it has to say, in their order.
    pub entries: Vec<Returned>,
}

/// What came of one entry.
#[derive(Debug)]
pub struct Returned {
    /// What both the archive and somebody else have changed; what is there stays.
    pub conflicts: Vec<Conflict>,
    /// What has become of the samples and frames of `before` if nobody has changed them.
    pub base: Vec<Step>,
    /// What has to be done with them to have them at the destination as they were.
    pub original: Vec<Step>,
}

/// Which entries, the newest first, have something to say when a dataset goes from `head` to `destination`; each with
/// the version from which it is given back.
pub fn applicable<'a, T>(
    entries: impl IntoIterator<Item = (T, &'a Release, &'a Release)>,
    head: &Release,
    destination: &Release,
) -> Vec<T> {
    let mut from_here = head;
    let mut found = Vec::new();
    for (entry, from, at) in entries {
        if numbers(destination) > numbers(std::cmp::min(at, from_here)) {
            found.push(entry);
        }
        from_here = from;
    }
    found
}

/// What going down loses that going up would not bring back by itself: `None` if nothing.
///
/// `changed` is `before` as it is at `to`.
pub fn lost(
    before: &Dataset,
    changed: &Dataset,
    (from, to): (&Release, &Release),
    env: Env<'_>,
) -> Option<Vec<String>> {
    let Ok(again) = back(changed, (from, to), env) else {
        return Some(inventory(changed, before));
    };
    let mut again = again.dataset;
    // Its version may have been missing, or been written in another way.
    again.document.remove("version");
    let mut stamped = before.clone();
    stamped.document.remove("version");
    let (again, stamped) = (Slots::join(&again), Slots::join(&stamped));
    (!are_same(&again.document, &stamped.document)).then(|| inventory(changed, before))
}

/// What comes of a dataset that has gone from `from` to `to` and goes back at once.
///
/// # Errors
///
/// A [`Refusal`] if it cannot.
pub fn back(
    changed: &Dataset,
    (from, to): (&Release, &Release),
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let known: BTreeSet<ObjectId> = env.results.iter().copied().chain(files(changed)).collect();
    fold(changed.clone(), to, from, Env { results: &known, ..env })
}

/// Whether all that a dataset was is there, whatever else is. What was empty may be missing, and runs may have other ids.
pub fn has_all(again: &Dataset, before: &Dataset) -> bool {
    let [again, before] = [again, before].map(|it| {
        let mut document = Slots::join(it).document;
        // Its version may have been missing, or been written in another way.
        document.remove("version");
        inventory::leave_contents(&mut document);
        document
    });
    contains(&again, &before)
}

fn contains(more: &Document, less: &Document) -> bool {
    less.iter().all(|(key, less)| match more.get(key) {
        Some(more) => contains_value(more, less),
        None => inventory::is_empty(less),
    })
}

fn contains_value(more: &Bson, less: &Bson) -> bool {
    match (more, less) {
        (Bson::Document(more), Bson::Document(less)) => contains(more, less),
        (Bson::Array(more), Bson::Array(less)) => {
            // In their order, with whatever between them.
            let mut more = more.iter();
            less.iter().all(|less| more.any(|more| contains_value(more, less)))
        }
        _ => is_same(more, less),
    }
}

/// Gives back to an outcome on the way up from `head` what these entries have, the newest first.
///
/// `operations`: the delegated operations that entries are about, as they are now.
///
/// # Errors
///
/// A [`Refusal`] if what the archive has cannot go where the dataset goes.
pub fn give_back(
    outcome: Outcome,
    (head, destination): (&Release, &Release),
    archived: &[Archived],
    operations: &[Document],
    env: Env<'_>,
) -> Result<GivenBack, Refusal> {
    let mut merging =
        Merging { env, destination, current: outcome.dataset.clone(), made: BTreeSet::new() };
    let mut changed: Vec<Document> =
        operations.iter().map(|it| renamed(it.clone(), &outcome.steps)).collect();
    let mut from_here = head;
    let mut entries = Vec::new();
    for it in archived {
        entries.push(merging.give(it, from_here, &mut changed)?);
        from_here = &it.from;
    }
    let Merging { current: dataset, made, .. } = merging;
    let Outcome { dataset: plain, mut steps, warnings } = outcome;
    for (now, changed) in operations.iter().zip(changed) {
        let read = renamed(now.clone(), &steps);
        if !are_same(&read, &changed) {
            steps.push(Step::Effect(Effect::ChangeOperation { read, changed }));
        }
    }
    let going = files_that_go(&steps, &plain, &dataset, &made);
    steps.retain(|it| !is_in_vain(it, &dataset));
    steps.extend(going.into_iter().map(|it| Step::Effect(Effect::DeleteResults(it))));
    steps.extend(put_back(&dataset, &plain, archived).into_iter().map(Step::Effect));
    let what = inventory(&plain, &dataset);
    Ok(GivenBack { outcome: Outcome { dataset, steps, warnings }, what, entries })
}

struct Merging<'a> {
    env: Env<'a>,
    destination: &'a Release,
    current: Dataset,
    /// The files that revisions have made, or would, of what nobody has touched.
    made: BTreeSet<ObjectId>,
}

impl Merging<'_> {
    fn give(
        &mut self,
        it: &Archived,
        from_here: &Release,
        operations: &mut [Document],
    ) -> Result<Returned, Refusal> {
        let Self { env, destination, .. } = *self;
        let then = Env { results: &it.results, ..env };
        let mut original = fold(it.before.clone(), &it.from, destination, then)?;
        let down = fold(it.before.clone(), &it.from, &it.at, then)?;
        let left = if it.at == it.to { it.after.clone() } else { down.dataset };
        // They existed when it was left, whatever has become of them since.
        let known = env.results.iter().chain(&it.results).copied().chain(files(&left)).collect();
        let since = Env { results: &known, ..env };
        let here = fold(left, &it.at, from_here, since)?;
        let base = fold(here.dataset, from_here, destination, since)?;
        let mut steps = down.steps;
        steps.extend(here.steps);
        steps.extend(base.steps);

        self.leave_names(&base.dataset.document, &mut original.dataset.document);
        self.made.extend(files(&base.dataset));
        let [base, before, current] =
            [&base.dataset, &original.dataset, &self.current].map(Slots::join);
        let drawn = numbers(std::cmp::min(from_here, &it.at)) < release(&Version::new(0, 19, 0));
        let mut conflicts = Vec::new();
        let runs = Runs { ids_are_drawn: drawn };
        let merged =
            merge(&base.document, &before.document, &current.document, &runs, &mut conflicts);
        self.current = current.with(merged);
        for before in &it.operations {
            let now = operations.iter_mut().find(|now| now.get("_id") == before.get("_id"));
            // It was deleted meanwhile.
            let Some(now) = now else { continue };
            let base = renamed(before.clone(), &steps);
            let original = renamed(before.clone(), &original.steps);
            *now = merge(&base, &original, now, &Anywhere, &mut conflicts);
        }
        for it in &mut conflicts {
            it.path = slots::shown(&it.path);
        }
        Ok(Returned { conflicts, base: steps, original: original.steps })
    }

    /// The name and the slug come back together or not at all: not if somebody has named the dataset anew, and not if
    /// another one has one of them by now.
    fn leave_names(&self, base: &Document, original: &mut Document) {
        let current = &self.current.document;
        let id = current.get("_id").cloned().unwrap_or_default();
        let text = |key: &str| original.get_str(key).ok();
        let taken = text("name").is_some_and(|it| self.env.names.name_is_taken(&id, it))
            || text("slug").is_some_and(|it| self.env.names.slug_is_taken(&id, it));
        let renamed = NAMES.iter().any(|key| base.get(key) != current.get(key));
        if taken || renamed {
            for key in NAMES {
                original.remove(key);
                if let Some(value) = base.get(key) {
                    original.insert(key, value.clone());
                }
            }
        }
    }
}

const NAMES: [&str; 2] = ["name", "slug"];

/// A delegated operation after these steps.
fn renamed(operation: Document, steps: &[Step]) -> Document {
    let effects = steps.iter().filter_map(|it| match it {
        Step::Effect(Effect::RenameOperationLog { from, to }) => Some((*from, *to)),
        _ => None,
    });
    effects.fold(operation, |it, (from, to)| rename_log(it, from, to))
}

/// As the server does it, whose `\.log$` also matches in front of the end of a last line.
fn rename_log(mut operation: Document, from: &str, to: &str) -> Document {
    let is_log = |it: &str| it.strip_suffix('\n').unwrap_or(it).strip_suffix(".log").is_some();
    if operation.get_str(from).is_ok_and(is_log)
        && let Some(path) = operation.remove(from)
    {
        operation.insert(to, path);
    }
    operation
}

impl Effect {
    /// Whether going up again would bring a delegated operation back as it was.
    pub fn returns(&self, operation: &Document) -> bool {
        let Self::RenameOperationLog { from, to } = self else { return true };
        let there = rename_log(operation.clone(), from, to);
        are_same(&rename_log(there, to, from), operation)
    }
}

/// The results that a dataset refers to.
fn files(dataset: &Dataset) -> impl Iterator<Item = ObjectId> {
    let runs = dataset.runs.values().chain(slots::embedded(&dataset.document));
    runs.filter_map(|it| it.get_object_id("results").ok())
}

/// Whether a copy of results would be made that nothing refers to, because the original comes back.
fn is_in_vain(step: &Step, dataset: &Dataset) -> bool {
    let Step::Effect(Effect::RewriteResults { to, .. }) = step else { return false };
    !files(dataset).any(|it| it == *to)
}

/// The files that nothing refers to any more, because the originals of those that were made of them come back.
fn files_that_go(
    steps: &[Step],
    plain: &Dataset,
    dataset: &Dataset,
    made: &BTreeSet<ObjectId>,
) -> BTreeSet<ObjectId> {
    let kept: BTreeSet<ObjectId> = files(dataset).collect();
    let mut gone: BTreeSet<ObjectId> = files(plain).filter(|it| made.contains(it)).collect();
    for step in steps {
        if let Step::Effect(Effect::RewriteResults { from, to, delete_from, .. }) = step
            && gone.remove(to)
            && *delete_from
            && !kept.contains(to)
        {
            gone.insert(*from);
        }
    }
    &gone - &kept
}

/// What has to be there again for the dataset to refer to it.
fn put_back(dataset: &Dataset, plain: &Dataset, archived: &[Archived]) -> Vec<Effect> {
    let had: BTreeSet<ObjectId> = files(plain).collect();
    let needed: BTreeSet<ObjectId> = files(dataset).filter(|it| !had.contains(it)).collect();
    let mut effects = Vec::new();
    for (entry, it) in archived.iter().enumerate() {
        let files = needed.intersection(&it.files);
        effects.extend(files.map(|file| Effect::ReturnResults { file: *file, entry }));
    }
    let list = |it: &Dataset| it.document.get_array("saved_views").cloned().unwrap_or_default();
    let (views, here) = (list(dataset), list(plain));
    let is_back =
        |it: &&Document| it.get("_id").is_some_and(|it| views.contains(it) && !here.contains(it));
    let documents: Vec<Document> =
        archived.iter().flat_map(|it| &it.views).filter(is_back).cloned().collect();
    if !documents.is_empty() {
        effects.push(Effect::PutBack { collection: "views", documents });
    }
    // Runs of other datasets that it refers to; its own are in the map.
    let strange = slots::bare(&dataset.document).filter(|it| !dataset.runs.contains_key(it));
    let find = |id: ObjectId| archived.iter().find_map(|it| it.before.runs.get(&id)).cloned();
    let documents: Vec<Document> = strange.filter_map(find).collect();
    if !documents.is_empty() {
        effects.push(Effect::PutBack { collection: "runs", documents });
    }
    effects
}
