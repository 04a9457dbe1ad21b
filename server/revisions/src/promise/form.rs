//! What holds of every document of a collection once a migration has passed over it: which keys are there, which are not.
//!
//! Whatever is otherwise has not been passed over.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};

use crate::{Scope, Step, Update};

/// What the steps of a migration promise of the documents of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Every document has these.
    pub there: Vec<String>,
    /// No document has these.
    pub gone: Vec<String>,
}

impl Form {
    /// What these steps promise of `scope`; `None` if that is nothing.
    pub fn of(steps: &[Step], scope: Scope) -> Option<Self> {
        // By key, whether it is there then.
        let mut known: BTreeMap<&str, bool> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Update { scope: at, update } if *at == scope => match update {
                    Update::Rename { from, to } => {
                        known.insert(from, false);
                        // It is only there where something was renamed.
                        known.remove(to.as_str());
                    }
                    Update::Set { field, .. } => drop(known.insert(field, true)),
                    Update::Unset { field } => drop(known.insert(field, false)),
                    // Code may do anything.
                    Update::Each(_) => known.clear(),
                },
                Step::Merge(merge) if merge.into == scope => known.clear(),
                Step::Update { .. } | Step::Merge(_) | Step::Effect(_) => {}
            }
        }
        // Whatever cannot be named in a path cannot be asked for.
        known.retain(|key, _| !key.is_empty() && !key.contains(['.', '$']));
        let those = |there: bool| -> Vec<String> {
            known.iter().filter(|(_, it)| **it == there).map(|(key, _)| (*key).to_owned()).collect()
        };
        let form = Self { there: those(true), gone: those(false) };
        (form != Self::default()).then_some(form)
    }

    /// Selects the documents of which it does not hold.
    pub fn broken(&self) -> Document {
        let lacks = self.there.iter().map(|it| doc! { it: { "$exists": false } });
        let has = self.gone.iter().map(|it| doc! { it: { "$exists": true } });
        doc! { "$or": lacks.chain(has).map(Bson::from).collect::<Vec<_>>() }
    }

    /// Whether it holds of a document.
    pub fn holds(&self, document: &Document) -> bool {
        self.there.iter().all(|it| document.contains_key(it))
            && !self.gone.iter().any(|it| document.contains_key(it))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(updates: &[Update]) -> Option<Form> {
        let step = |it: &Update| Step::Update { scope: Scope::Samples, update: it.clone() };
        let steps: Vec<Step> = updates.iter().map(step).collect();
        Form::of(&steps, Scope::Samples)
    }

    fn update() -> impl Strategy<Value = Update> {
        let key = || prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned);
        prop_oneof![
            (key(), key())
                .prop_filter("one key", |(from, to)| from != to)
                .prop_map(|(from, to)| Update::Rename { from, to }),
            key().prop_map(|field| Update::Set { field, value: Bson::Int32(7).into() }),
            key().prop_map(|field| Update::Unset { field }),
            Just(Update::Each(|it| drop(it.remove("a")))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_promised_holds_of_every_document(
            updates in prop::collection::vec(update(), 0..6),
            keys in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d"]), 0..4),
        ) {
            let Some(form) = of(&updates) else { return Ok(()) };
            let mut document: Document = keys.into_iter().map(|it| (it.to_owned(), Bson::Null)).collect();
            for it in &updates {
                it.apply(&mut document);
            }
            prop_assert!(form.holds(&document), "{form:?}: {document}");
        }
    }

    #[test]
    fn a_key_that_is_given_is_there_and_one_that_is_renamed_or_removed_is_not() {
        let rename = Update::Rename { from: "a".to_owned(), to: "b".to_owned() };
        let set = Update::Set { field: "c".to_owned(), value: Bson::Null.into() };
        let unset = Update::Unset { field: "d".to_owned() };
        let form = of(&[rename, set, unset]).unwrap();
        assert_eq!(
            (form.there.clone(), form.gone.clone()),
            (vec!["c".to_owned()], vec!["a".to_owned(), "d".to_owned()])
        );
        assert_eq!(
            form.broken(),
            doc! { "$or": [
                { "c": { "$exists": false } }, { "a": { "$exists": true } }, { "d": { "$exists": true } },
            ] }
        );
        assert!(!form.holds(&doc! { "a": 1, "c": 2 }) && form.holds(&doc! { "b": 1, "c": 2 }));
    }

    #[test]
    fn nothing_is_promised_of_what_code_has_changed_since_or_what_cannot_be_named() {
        assert_eq!(of(&[]), None);
        let set = |field: &str| Update::Set { field: field.to_owned(), value: Bson::Null.into() };
        assert_eq!(of(&[set("a"), Update::Each(|_| ())]), None);
        assert_eq!(of(&[set("a.b"), set("$a"), set("")]), None);
    }
}
