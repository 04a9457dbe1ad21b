//! The revisions above and below a dataset, and what each of them would do to it.

use std::collections::BTreeSet;

use bson::{Document, doc};
use model::{Badge, Direction, RevisionAhead};
use revisions::{
    Collections, Effect, Expr, Footprint, Revision, Scope, Step, Update, between, merge::are_same,
};

use crate::{
    load::{Crossed, Loader, Seen, Taken},
    report::printable,
    store::{Entry, Failure, Store},
};

/// How many samples or frames are looked at where only code can say whether it changes them.
const TRIED: u32 = 200;
const TRIED_BYTES: u32 = 64 << 10;

/// What is asked of the server to tell what revisions do.
pub struct Ahead<'a> {
    /// The database.
    pub store: &'a Store,
    /// The dataset.
    pub entry: &'a Entry,
    /// Its collections.
    pub names: &'a Collections,
    /// Those of them that exist, and that of delegated operations.
    pub existing: &'a BTreeSet<String>,
}

/// What the steps of a revision come to.
#[derive(Default)]
struct Outside {
    /// What they change.
    changes: Vec<String>,
    /// What of it the way back alone does not bring back.
    lost: Vec<String>,
}

impl Ahead<'_> {
    /// All revisions in one direction, in the order in which they would be crossed.
    pub async fn of(
        &self,
        loader: &Loader,
        seen: &Seen,
        way: Direction,
    ) -> Result<Vec<RevisionAhead>, Failure> {
        let trail = loader.trail(seen, way).await?;
        let end = match way {
            Direction::Up => crate::versions::newest().clone(),
            Direction::Down => revisions::Release::new([0]),
        };
        let mut ahead = Vec::new();
        // What an earlier step has made is not in the database yet.
        let mut touched = [BTreeSet::new(), BTreeSet::new()];
        for it in &trail {
            ahead.push(self.told(it, way, &mut touched).await?);
        }
        let beyond = between(&seen.head, &end).into_iter().skip(trail.len());
        ahead.extend(beyond.map(|it| {
            let note = "it cannot cross one before this".to_owned();
            told(it, Badge::OutOfReach, Vec::new(), vec![note])
        }));
        Ok(ahead)
    }

    async fn told(
        &self,
        crossed: &Crossed,
        way: Direction,
        touched: &mut [BTreeSet<String>; 2],
    ) -> Result<RevisionAhead, Failure> {
        let Crossed { revision, taken } = crossed;
        let taken = match taken {
            Ok(taken) => taken,
            Err(refusal) => {
                let reason = printable(&refusal.reason.to_string());
                return Ok(told(revision, Badge::Blocked, Vec::new(), vec![reason]));
            }
        };
        let outside = self.outside(taken, way, touched).await?;
        let mut changes = Vec::new();
        changes.extend(taken.changes_document.then(|| "dataset document".to_owned()));
        changes.extend(taken.changes_runs.then(|| "runs".to_owned()));
        changes.extend(outside.changes);
        let mut lost = taken.lost.clone().unwrap_or_default();
        lost.extend(outside.lost);
        if taken.lost.is_some() && lost.is_empty() {
            lost.push("ids that only programs see".to_owned());
        }
        let badge = match (changes.is_empty(), lost.is_empty()) {
            // What the way back adds to what was not changed is no loss of this one.
            (true, _) => Badge::NoOp,
            (false, true) => Badge::Reversible,
            (false, false) => Badge::Lossy,
        };
        // In the revision's own words, where it has some.
        let mut notes: Vec<String> = taken.warnings.iter().map(|it| printable(it)).collect();
        if notes.is_empty() && badge == Badge::Lossy {
            notes.extend(lost.iter().map(|it| format!("loses {}", printable(it))));
        }
        Ok(told(revision, badge, changes, notes))
    }

    /// What happens outside the dataset's document and its runs.
    async fn outside(
        &self,
        taken: &Taken,
        way: Direction,
        touched: &mut [BTreeSet<String>; 2],
    ) -> Result<Outside, Failure> {
        let mut outside = Outside::default();
        let scopes = [
            (Scope::Samples, &self.names.samples, "samples"),
            (Scope::Frames, &self.names.frames, "frames"),
        ];
        for ((scope, collection, word), touched) in scopes.into_iter().zip(touched) {
            if !self.existing.contains(collection)
                || self.finds(collection, doc! {}).await? == Some(false)
                || !self.changes(taken, scope, collection, touched).await?
            {
                continue;
            }
            outside.changes.push(word.to_owned());
            if self.loses(taken, way, scope, collection).await? {
                outside.lost.push(format!("values of {word}"));
            }
        }
        for step in &taken.steps {
            if let Step::Effect(effect) = step {
                self.effect(effect, &mut outside).await?;
            }
        }
        outside.changes.dedup();
        Ok(outside)
    }

    /// Whether a document of this collection becomes another.
    async fn changes(
        &self,
        taken: &Taken,
        scope: Scope,
        collection: &str,
        touched: &mut BTreeSet<String>,
    ) -> Result<bool, Failure> {
        let mut any = false;
        for step in &taken.steps {
            any |= match step {
                Step::Update { scope: at, update } if *at == scope => {
                    let (keys, filter) = wants(update);
                    let known = keys.iter().any(|it| touched.contains(*it));
                    touched.extend(keys.into_iter().map(str::to_owned));
                    match (known, filter, update) {
                        (true, ..) => true,
                        (false, Some(filter), _) => {
                            self.finds(collection, filter).await? != Some(false)
                        }
                        (false, None, update) => self.tried(collection, update).await?,
                    }
                }
                Step::Merge(merge) if merge.into == scope => {
                    let from = if merge.from == Scope::Samples {
                        &self.names.samples
                    } else {
                        &self.names.frames
                    };
                    let stages = (merge.stages)(self.names);
                    touched.insert("frames".to_owned());
                    self.store.finds(from, stages).await? != Some(false)
                }
                Step::Update { .. } | Step::Merge(_) | Step::Effect(_) => false,
            };
        }
        Ok(any)
    }

    /// Whether code changes one of the first documents; if there are more than those, it may change others.
    async fn tried(&self, collection: &str, update: &Update) -> Result<bool, Failure> {
        let first = self.store.first_documents(collection, doc! {}, TRIED, TRIED_BYTES).await?;
        let changed = |it: &Document| {
            let mut changed = it.clone();
            update.apply(&mut changed);
            changed != *it
        };
        let all = u32::try_from(first.len()).unwrap_or(u32::MAX) < TRIED;
        Ok(!all || first.iter().any(changed))
    }

    /// Whether values go that the way back does not compute again.
    async fn loses(
        &self,
        taken: &Taken,
        way: Direction,
        scope: Scope,
        collection: &str,
    ) -> Result<bool, Failure> {
        let of = |steps: &[Step]| Footprint::of(steps, scope, self.names);
        let (there, back) = (of(&taken.steps), of(&taken.back));
        if [&there, &back].into_iter().flatten().any(Footprint::is_whole) {
            // Up, all of it can be computed again by the code of the way down.
            return Ok(way == Direction::Down && !self.comes_back(taken, scope, collection).await?);
        }
        let given_again = match back {
            Some(Footprint::Keys { given, .. }) => given,
            Some(Footprint::Whole) | None => Vec::new(),
        };
        for step in &taken.steps {
            let Step::Update { scope: at, update } = step else { continue };
            let filter = match update {
                Update::Rename { from, to } => {
                    doc! { from: { "$exists": true }, to: { "$exists": true } }
                }
                Update::Set { field, value: Expr::Value(value) } => {
                    doc! { field: { "$exists": true, "$ne": value } }
                }
                Update::Unset { field } if given_again.contains(field) => continue,
                Update::Set { field, .. } | Update::Unset { field } => {
                    doc! { field: { "$exists": true } }
                }
                Update::Each(_) => continue,
            };
            if *at == scope && self.finds(collection, filter).await? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether code brings all documents back that code has changed: of more than a few nobody knows.
    async fn comes_back(
        &self,
        taken: &Taken,
        scope: Scope,
        collection: &str,
    ) -> Result<bool, Failure> {
        let merges = |steps: &[Step]| {
            steps.iter().any(|it| matches!(it, Step::Merge(merge) if merge.into == scope))
        };
        if merges(&taken.steps) || merges(&taken.back) {
            return Ok(!merges(&taken.steps));
        }
        let first = self.store.first_documents(collection, doc! {}, TRIED, TRIED_BYTES).await?;
        let all = u32::try_from(first.len()).unwrap_or(u32::MAX) < TRIED;
        let returns = |it: &Document| {
            let mut again = it.clone();
            for step in taken.steps.iter().chain(&taken.back) {
                if let Step::Update { scope: at, update } = step
                    && *at == scope
                {
                    update.apply(&mut again);
                }
            }
            are_same(it, &again)
        };
        Ok(all && first.iter().all(returns))
    }

    async fn effect(&self, effect: &Effect, outside: &mut Outside) -> Result<(), Failure> {
        match effect {
            Effect::DeleteViews(ids) if !ids.is_empty() => {
                outside.changes.push("saved views".to_owned());
            }
            Effect::RewriteResults { .. }
            | Effect::DeleteResults(_)
            | Effect::ReturnResults { .. } => {
                outside.changes.push("results of runs".to_owned());
            }
            Effect::RenameOperationLog { from, to } => {
                let found = self.operations(from, to).await?;
                let is_log = doc! { "dataset_id": &self.entry.id, *from: { "$regex": r"\.log$" } };
                if !found.is_empty() && self.finds("delegated_ops", is_log).await? != Some(false) {
                    outside.changes.push("delegated operations".to_owned());
                }
                let lost = found.iter().filter(|it| !effect.returns(it)).count();
                if lost > 0 {
                    outside.lost.push(format!("the links of {lost} delegated operations"));
                }
            }
            Effect::PutBack { .. } | Effect::ChangeOperation { .. } | Effect::DeleteViews(_) => {}
        }
        Ok(())
    }

    /// The delegated operations of the dataset with a log at one of these keys.
    async fn operations(&self, from: &str, to: &str) -> Result<Vec<Document>, Failure> {
        if !self.existing.contains("delegated_ops") {
            return Ok(Vec::new());
        }
        let is_log = doc! { "$regex": r"\.log$" };
        let either = [doc! { from: is_log.clone() }, doc! { to: is_log }];
        let filter = doc! { "dataset_id": &self.entry.id, "$or": either.to_vec() };
        self.store.first_documents("delegated_ops", filter, TRIED, TRIED_BYTES).await
    }

    async fn finds(&self, collection: &str, filter: Document) -> Result<Option<bool>, Failure> {
        self.store.finds(collection, vec![doc! { "$match": filter }]).await
    }
}

/// The keys that an update is about, and which documents it changes; `None` if only code can say.
fn wants(update: &Update) -> (Vec<&str>, Option<Document>) {
    let there = |key: &str| Some(doc! { key: { "$exists": true } });
    match update {
        Update::Rename { from, to } => (vec![from, to], there(from)),
        Update::Unset { field } => (vec![field], there(field)),
        Update::Set { field, value } => {
            let filter = match value {
                Expr::Value(value) => doc! { field: { "$ne": value } },
                // One that has it has another one, as a rule.
                Expr::CreatedAt(_) => doc! {},
            };
            (vec![field], Some(filter))
        }
        Update::Each(_) => (Vec::new(), None),
    }
}

fn told(
    revision: &Revision,
    badge: Badge,
    changes: Vec<String>,
    notes: Vec<String>,
) -> RevisionAhead {
    RevisionAhead {
        version: revision.version.to_string(),
        summary: revision.summary.to_owned(),
        badge,
        changes,
        notes,
    }
}
