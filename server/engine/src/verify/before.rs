//! What is to be verified, written down before anything is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bson::{Bson, Document, doc, oid::ObjectId};
use revisions::{Form, Pass, Scope, Stage, breaches, promised, stages};
use tokio::sync::OnceCell;

use crate::{
    load::Work,
    store::{Check, CheckId, Checked, Failure, Passed, Standing, Store, binary, raw},
};

/// Writes down what a run is going to verify.
#[derive(Clone, Debug)]
pub struct Before {
    /// The database.
    pub store: Store,
    /// Whose it is.
    pub run: ObjectId,
    /// Under which lease or claim.
    pub fence: i64,
    /// The collections that exist.
    pub existing: Arc<BTreeSet<String>>,
    /// Which process answered when the first of them were written down. If another one does by the end, nothing is taken from
    /// its counters.
    pub process: Arc<OnceCell<Option<ObjectId>>>,
}

impl Before {
    /// Writes down what is to be verified of these datasets: two commands for all of them.
    pub async fn note(&self, group: &[&Work]) -> Result<(), Failure> {
        if group.is_empty() {
            return Ok(());
        }
        let mut datasets: Vec<Checked> =
            group.iter().map(|it| self.checked(it)).collect::<Result<_, Failure>>()?;
        let all = datasets.iter().flat_map(|it| &it.collections);
        let names: Vec<&str> = all.map(|it| it.collection.as_str()).collect();
        let process = *self.process.get_or_try_init(|| self.store.process()).await?;
        let standings = standings(&self.store, &names).await?;
        for it in datasets.iter_mut().flat_map(|it| &mut it.collections) {
            it.before = standings.get(&it.collection).copied();
        }
        let check = Check {
            id: CheckId { run: self.run, part: ObjectId::new() },
            fence: self.fence,
            count: i64::try_from(datasets.len()).unwrap_or(i64::MAX),
            process,
            datasets,
            done: false,
            wrong: false,
            again: None,
            late: false,
        };
        self.store.note_check(&check).await
    }

    fn checked(&self, work: &Work) -> Result<Checked, Failure> {
        let head = work.task.head.clone().unwrap_or_else(|| work.task.destination.clone());
        let destination = &work.task.destination;
        let broken = breaches(&promised(&head, destination), &work.changed.document);
        let (names, all) = (&work.collections, stages(&work.steps));
        let mut collections = Vec::new();
        for (scope, name, holds) in
            [(Scope::Samples, &names.samples, "samples"), (Scope::Frames, &names.frames, "frames")]
        {
            if !self.existing.contains(name) {
                continue;
            }
            // What the archive gives back comes after the pass, whatever that makes of it, and in writes that are not
            // counted.
            let form = if work.back.is_some() { None } else { Form::of(&work.steps, scope) };
            let stages = if form.is_some() { again(&all, scope)? } else { None };
            let Form { there, gone } = form.unwrap_or_default();
            collections.push(Passed {
                collection: name.clone(),
                holds: holds.to_owned(),
                before: None,
                writes: if work.back.is_some() { None } else { writes(&all, scope) },
                there,
                gone,
                stages,
            });
        }
        Ok(Checked {
            id: work.task.entry.id.clone(),
            head: head.to_string(),
            destination: destination.to_string(),
            excused: broken.into_iter().map(|it| it.text).collect(),
            collections,
        })
    }
}

/// What the server keeps beside these collections; nothing of those of which it does not say it.
pub async fn standings(
    store: &Store,
    names: &[&str],
) -> Result<BTreeMap<String, Standing>, Failure> {
    match store.standings(names).await {
        Err(failure) if failure.is_unreachable() => return Err(failure),
        Err(failure) => {
            tracing::debug!("the server does not say how collections stand: {failure}");
        }
        standings => return standings,
    }
    // One of them was dropped, perhaps: each for itself, then.
    let mut all = BTreeMap::new();
    for name in names {
        match store.standings(&[*name]).await {
            Err(failure) if failure.is_unreachable() => return Err(failure),
            Err(_) => {}
            Ok(standings) => all.extend(standings),
        }
    }
    Ok(all)
}

/// How many writes to a collection these stages come to when none has to be repeated.
fn writes(stages: &[Stage], scope: Scope) -> Option<i64> {
    let mut writes = 0;
    for stage in stages {
        match stage {
            Stage::Passes { samples, frames } => {
                match if scope == Scope::Samples { samples } else { frames } {
                    Some(Pass::Server(..)) => writes += 1,
                    Some(Pass::Client(_)) => return None,
                    None => {}
                }
            }
            Stage::Merge(merge) if merge.into == scope => return None,
            Stage::Merge(_) => {}
        }
    }
    Some(writes)
}

/// All that is done to each document of a collection, if the server has words for it and it needs no other collection:
/// that can be done again to single ones.
fn again(stages: &[Stage], scope: Scope) -> Result<Option<Bson>, Failure> {
    let mut all: Vec<Document> = Vec::new();
    for stage in stages {
        let Stage::Passes { samples, frames } = stage else { return Ok(None) };
        match if scope == Scope::Samples { samples } else { frames } {
            Some(Pass::Server(stages, _)) => all.extend_from_slice(stages),
            Some(Pass::Client(_)) => return Ok(None),
            None => {}
        }
    }
    // As bytes: the names of stages begin with a dollar, which older servers do not store.
    Ok(Some(binary(raw(&doc! { "stages": all })?.as_bytes())))
}

#[cfg(test)]
mod tests {
    use revisions::{Merge, Step, Update};

    use super::*;

    fn steps(updates: Vec<Update>, merge: bool) -> Vec<Stage> {
        let mut steps: Vec<Step> = updates
            .into_iter()
            .map(|update| Step::Update { scope: Scope::Samples, update })
            .collect();
        if merge {
            steps.push(Step::Merge(Merge {
                from: Scope::Samples,
                into: Scope::Frames,
                stages: |_| Vec::new(),
            }));
        }
        stages(&steps)
    }

    #[test]
    fn one_pass_is_one_write_and_what_is_code_or_merged_is_not_counted() {
        let unset = || Update::Unset { field: "a".to_owned() };
        let all = steps(vec![unset(), unset()], false);
        assert_eq!((writes(&all, Scope::Samples), writes(&all, Scope::Frames)), (Some(1), Some(0)));
        assert!(again(&all, Scope::Samples).unwrap().is_some());
        let merged = steps(vec![unset()], true);
        assert_eq!(writes(&merged, Scope::Samples), Some(1));
        assert_eq!(writes(&merged, Scope::Frames), None);
        assert_eq!(again(&merged, Scope::Samples).unwrap(), None);
        let code = steps(vec![Update::Each(|_| ())], false);
        assert_eq!(writes(&code, Scope::Samples), None);
        assert_eq!(again(&code, Scope::Samples).unwrap(), None);
    }
}
