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
    Some(match pipeline(&updates) {
        Some(stages) => Pass::Server(stages),
        None => Pass::Client(updates.into_iter().cloned().collect()),
    })
}

/// The stages of all updates, with keys that are set one after the other set by one stage: the server copies
/// each document once per stage.
fn pipeline(updates: &[&Update]) -> Option<Vec<Document>> {
    let mut stages: Vec<Document> = Vec::new();
    let mut joinable = false;
    for update in updates {
        let own = update.stages()?;
        // A value is constant or made from `_id`, so that the order among them decides nothing but that of keys.
        let field = match update {
            Update::Set { field, .. } if is_plain(field) => Some(field),
            _ => None,
        };
        let last =
            stages.last_mut().filter(|_| joinable).and_then(|it| it.get_document_mut("$set").ok());
        match (field, last) {
            (Some(field), Some(last)) if !last.contains_key(field) => {
                let own = own.into_iter().filter_map(|mut it| it.remove("$set"));
                for it in own {
                    if let bson::Bson::Document(it) = it {
                        last.extend(it);
                    }
                }
            }
            _ => stages.extend(own),
        }
        joinable = field.is_some();
    }
    Some(stages)
}

/// Whether a key is one of the document itself, and no value is made from it.
fn is_plain(field: &str) -> bool {
    field != "_id" && !field.contains(['.', '$'])
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn set(field: &str, value: i32) -> Step {
        let value = bson::Bson::from(value).into();
        Step::Update {
            scope: Scope::Samples,
            update: Update::Set { field: field.to_owned(), value },
        }
    }

    fn unset(field: &str) -> Step {
        Step::Update { scope: Scope::Samples, update: Update::Unset { field: field.to_owned() } }
    }

    fn samples(steps: &[Step]) -> Vec<Document> {
        match stages(steps).as_slice() {
            [Stage::Passes { samples: Some(Pass::Server(stages)), frames: None }] => stages.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_set_one_after_the_other_are_set_by_one_stage_in_that_order() {
        let both = doc! { "b": { "$literal": 1 }, "a": { "$literal": 2 } };
        assert_eq!(samples(&[set("b", 1), set("a", 2)]), [doc! { "$set": both }]);
    }

    #[test]
    fn what_depends_on_the_order_keeps_its_own_stage() {
        let one = |value: i32| doc! { "$set": { "a": { "$literal": value } } };
        assert_eq!(samples(&[set("a", 1), set("a", 2)]), [one(1), one(2)]);
        assert_eq!(
            samples(&[set("a", 1), unset("a"), set("a", 2)]),
            [one(1), doc! { "$unset": "a" }, one(2)]
        );
        assert_eq!(samples(&[set("a.b", 1), set("a", 2)]).len(), 2);
    }
}
