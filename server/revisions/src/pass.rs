//! Turning many updates into as few passes over the collections as possible.

use bson::{Bson, Document, oid::ObjectId};

use crate::{Expr, Merge, Scope, Step, Update};

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
    /// An update pipeline: the server does it all. If that comes to setting a few keys, they are told as well:
    /// the server is a quarter faster when it is told so in plain words.
    Server(Vec<Document>, Option<Keys>),
    /// Read, change and write back here: some update only exists as Rust.
    Client(Vec<Update>),
}

impl Pass {
    /// The keys it removes from every document.
    pub fn unset(&self) -> Vec<&str> {
        match self {
            Self::Server(stages, _) => {
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
        Some(stages) => Pass::Server(stages, Keys::of(&updates)),
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
                    if let Bson::Document(it) = it {
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

/// Keys that are set to values that are the same for all documents created in the same second.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys(Vec<(String, Expr)>);

impl Keys {
    /// These updates, if they do no more than that. `$set` outside of a pipeline appends new keys in alphabetical
    /// order, so that they have to be in that order here.
    fn of(updates: &[&Update]) -> Option<Self> {
        let mut keys: Vec<(String, Expr)> = Vec::new();
        for update in updates {
            let Update::Set { field, value } = update else { return None };
            let follows = keys.last().is_none_or(|(last, _)| last < field);
            // Names that are numbers have an order of their own.
            if !follows || !is_plain(field) || field.starts_with(|it: char| it.is_ascii_digit()) {
                return None;
            }
            if !matches!(value, Expr::CreatedAt(_))
                && !matches!(value, Expr::Value(it) if is_simple(it))
            {
                return None;
            }
            keys.push((field.clone(), value.clone()));
        }
        Some(Self(keys))
    }

    /// Whether documents created at different times get different values.
    pub fn tell_time(&self) -> bool {
        self.0.iter().any(|(_, value)| matches!(value, Expr::CreatedAt(_)))
    }

    /// What documents get whose `_id` is an object id made in the second of this one.
    pub fn at(&self, id: ObjectId) -> Document {
        let document = bson::doc! { "_id": id };
        self.0.iter().map(|(key, value)| (key.clone(), value.evaluate(&document))).collect()
    }
}

/// Whether a value means the same wherever it stands in a command.
fn is_simple(value: &Bson) -> bool {
    matches!(
        value,
        Bson::Null
            | Bson::Boolean(_)
            | Bson::Int32(_)
            | Bson::Int64(_)
            | Bson::Double(_)
            | Bson::String(_)
            | Bson::DateTime(_)
            | Bson::ObjectId(_)
    )
}

/// Whether a key is one of the document itself, and no value is made from it.
fn is_plain(field: &str) -> bool {
    field != "_id" && !field.contains(['.', '$'])
}

#[cfg(test)]
mod tests {
    use bson::{DateTime, doc};

    use super::*;

    fn set(field: &str, value: i32) -> Step {
        let value = Bson::from(value).into();
        Step::Update {
            scope: Scope::Samples,
            update: Update::Set { field: field.to_owned(), value },
        }
    }

    fn unset(field: &str) -> Step {
        Step::Update { scope: Scope::Samples, update: Update::Unset { field: field.to_owned() } }
    }

    fn pass_of(steps: &[Step]) -> (Vec<Document>, Option<Keys>) {
        match stages(steps).as_slice() {
            [Stage::Passes { samples: Some(Pass::Server(stages, keys)), frames: None }] => {
                (stages.clone(), keys.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    fn samples(steps: &[Step]) -> Vec<Document> {
        pass_of(steps).0
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

    #[test]
    fn keys_in_alphabetical_order_are_told_and_their_values_tell_the_time() {
        let (now, id) = (DateTime::from_millis(1), ObjectId::from_bytes([1; 12]));
        let created = Update::Set { field: "b".to_owned(), value: Expr::CreatedAt(now) };
        let created = Step::Update { scope: Scope::Samples, update: created };
        let keys = pass_of(&[set("a", 1), created]).1.unwrap();
        assert!(keys.tell_time());
        assert_eq!(keys.at(id), doc! { "a": 1, "b": id.timestamp() });
        assert!(!pass_of(&[set("_a", 1), set("b", 2)]).1.unwrap().tell_time());
    }

    #[test]
    fn what_plain_words_would_do_otherwise_is_left_to_the_pipeline() {
        let value = |value: Bson| {
            let update = Update::Set { field: "a".to_owned(), value: value.into() };
            Step::Update { scope: Scope::Samples, update }
        };
        let empty = bson::Timestamp { time: 0, increment: 0 };
        for steps in [
            vec![set("b", 1), set("a", 2)],
            vec![set("a", 1), set("a", 2)],
            vec![set("a", 1), unset("b")],
            vec![set("1", 1)],
            vec![set("a.b", 1)],
            vec![value(doc! { "$a": 1 }.into())],
            vec![value(empty.into())],
        ] {
            assert_eq!(pass_of(&steps).1, None, "{steps:?}");
        }
    }
}
