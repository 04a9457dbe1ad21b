//! Turning many updates into as few passes over the collections as possible.

use bson::Document;

use crate::{Merge, Scope, Step, Update};

/// What can be done at once; one stage begins when the one before it has ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// One pass over the samples and one over the frames, side by side. At least one of them is there.
    Passes {
        /// Over the samples.
        samples: Option<Pass>,
        /// Over the frames.
        frames: Option<Pass>,
    },
    /// A barrier between passes.
    Merge(Merge),
}

/// One pass over one collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Pass {
    /// An update pipeline: the server does it all.
    Server(Vec<Document>),
    /// Read, change and write back here: some update only exists as Rust.
    Client(Vec<Update>),
}

impl Pass {
    /// The keys it removes from every document.
    pub fn unset(&self) -> Vec<&str> {
        match self {
            Self::Server(stages) => {
                stages.iter().filter_map(|it| it.get_str("$unset").ok()).collect()
            }
            Self::Client(updates) => updates
                .iter()
                .filter_map(|it| match it {
                    Update::Unset { field } => Some(field.as_str()),
                    Update::Rename { .. } | Update::Set { .. } | Update::Each(_) => None,
                })
                .collect(),
        }
    }
}

/// Joins the updates between two merges into one pass per collection. Effects are not in it.
pub fn stages(steps: &[Step]) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut rest = steps;
    loop {
        let barrier = rest.iter().position(|it| matches!(it, Step::Merge(_)));
        let until = barrier.unwrap_or(rest.len());
        let (samples, frames) =
            (pass(&rest[..until], Scope::Samples), pass(&rest[..until], Scope::Frames));
        if samples.is_some() || frames.is_some() {
            stages.push(Stage::Passes { samples, frames });
        }
        let Some(Step::Merge(merge)) = rest.get(until) else { return stages };
        stages.push(Stage::Merge(merge.clone()));
        rest = &rest[until + 1..];
    }
}

fn pass(steps: &[Step], scope: Scope) -> Option<Pass> {
    let updates: Vec<&Update> = steps
        .iter()
        .filter_map(|it| match it {
            Step::Update { scope: at, update } if *at == scope => Some(update),
            Step::Update { .. } | Step::Merge(_) | Step::Effect(_) => None,
        })
        .collect();
    if updates.is_empty() {
        return None;
    }
    let stages: Option<Vec<_>> = updates.iter().map(|it| it.stages()).collect();
    Some(match stages {
        Some(stages) => Pass::Server(stages.concat()),
        None => Pass::Client(updates.into_iter().cloned().collect()),
    })
}
