//! What a migration leaves of a collection, and the way back: which old values have to be kept because they cannot be
//! computed, and what undoes the rest.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use crate::{Collections, Scope, Step, Update};

/// What the steps of a migration do to the documents of one collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footprint {
    /// They change these top-level keys and no others.
    Keys {
        /// `(from, to)`. Undone by the inverse, but where `to` was there before.
        renamed: Vec<(String, String)>,
        /// Keys that were given to every document. Undone by removing them, but where they were there before.
        given: Vec<String>,
        /// Keys that were removed. Only what was kept can bring them back.
        removed: Vec<String>,
    },
    /// They change anything, so that every document is kept as a whole.
    Whole,
}

impl Footprint {
    /// What these steps do to the documents of `scope`; `None` if they do nothing to them.
    pub fn of(steps: &[Step], scope: Scope, names: &Collections) -> Option<Self> {
        let (mut renamed, mut given, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Update { scope: at, update } if *at == scope => match update {
                    Update::Rename { from, to } => renamed.push((from.clone(), to.clone())),
                    Update::Set { field, .. } => given.push(field.clone()),
                    Update::Unset { field } => removed.push(field.clone()),
                    Update::Each(_) => return Some(Self::Whole),
                },
                Step::Merge(merge) if merge.into == scope => {
                    let Some(keys) = merged_keys(&(merge.stages)(names)) else {
                        return Some(Self::Whole);
                    };
                    given.extend(keys);
                }
                Step::Update { .. } | Step::Merge(_) | Step::Effect(_) => {}
            }
        }
        // One after the other they are undone one by one only while none touches what another has touched.
        let chained = renamed.iter().flat_map(|(from, to)| [from, to]);
        let touched: Vec<&String> = chained.chain(&given).chain(&removed).collect();
        if touched.is_empty() {
            return None;
        }
        let apart = touched.iter().collect::<BTreeSet<_>>().len() == touched.len();
        if touched.iter().any(|it| !is_plain(it)) {
            return Some(Self::Whole);
        }
        if apart {
            return Some(Self::Keys { renamed, given, removed });
        }
        let given: BTreeSet<String> = touched.into_iter().cloned().collect();
        let given = given.into_iter().collect();
        Some(Self::Keys { renamed: Vec::new(), given, removed: Vec::new() })
    }

    /// Selects the documents of which values would be lost.
    pub fn kept(&self) -> Document {
        let Self::Keys { renamed, given, removed } = self else { return doc! {} };
        any(renamed.iter().map(|(_, to)| to).chain(given).chain(removed))
    }

    /// What would be lost of each of them, as an aggregation expression.
    pub fn values(&self) -> Bson {
        match self {
            Self::Whole => "$$ROOT".into(),
            Self::Keys { .. } => self
                .keys()
                .map(|it| (it.clone(), format!("${it}").into()))
                .collect::<Document>()
                .into(),
        }
    }

    /// Selects the documents that are not as they were once the [`Footprint::inverse`] has run: beside those of which
    /// values would be lost, those of which a renamed key would come back at another place.
    pub fn noted(&self) -> Document {
        match self {
            Self::Whole => doc! {},
            Self::Keys { .. } => any(self.keys()),
        }
    }

    /// What brings each of them back, as an aggregation expression: `{ values: { key: .. }, places: [..] }`, the places in
    /// the order of the keys here, -1 for one that was not there.
    pub fn original(&self) -> Bson {
        if *self == Self::Whole {
            return self.values();
        }
        let place = |it| doc! { "$indexOfArray": ["$$keys", { "$literal": it }] };
        let places: Vec<Document> = self.keys().map(place).collect();
        doc! { "$let": {
            "vars": { "keys": { "$map": { "input": { "$objectToArray": "$$ROOT" }, "in": "$$this.k" } } },
            "in": { "values": self.values(), "places": places },
        } }
        .into()
    }

    /// The stages of an update pipeline that undo what can be computed, in every document. What is kept is brought
    /// back after that. Empty if nothing can.
    pub fn inverse(&self) -> Vec<Document> {
        let Self::Keys { renamed, given, .. } = self else { return Vec::new() };
        let back = renamed
            .iter()
            .rev()
            .map(|(from, to)| Update::Rename { from: to.clone(), to: from.clone() });
        let mut stages: Vec<Document> = back.filter_map(|it| it.stages()).flatten().collect();
        if !given.is_empty() {
            stages.push(doc! { "$unset": given.clone() });
        }
        stages
    }

    /// The stages that give a document its [`Footprint::original`] back, which is in the variable `$$new.v`.
    pub fn restoring(&self) -> Vec<Document> {
        if *self == Self::Whole {
            return vec![doc! { "$replaceWith": "$$new.v" }];
        }
        let keys: Vec<&String> = self.keys().collect();
        let places = Document::from_iter([("$literal".to_owned(), keys_of(&keys))]);
        vec![
            doc! { "$unset": keys_of(&keys) },
            doc! { "$replaceWith": { "$mergeObjects": ["$$ROOT", "$$new.v.values"] } },
            doc! { "$replaceWith": in_place(places.into(), "$$new.v.places") },
        ]
    }

    /// Whether most documents are likely to be noted: where keys are only added, few are.
    pub fn is_heavy(&self) -> bool {
        match self {
            Self::Whole => true,
            Self::Keys { renamed, removed, .. } => !renamed.is_empty() || !removed.is_empty(),
        }
    }

    /// Whether every document is kept as a whole.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }

    /// Whether a key that is still there was never changed: it would be gone.
    pub fn only_removes(&self) -> bool {
        matches!(self, Self::Keys { renamed, given, .. } if renamed.is_empty() && given.is_empty())
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        let (renamed, given, removed): (&[(String, String)], &[String], &[String]) = match self {
            Self::Keys { renamed, given, removed } => (renamed, given, removed),
            Self::Whole => (&[], &[], &[]),
        };
        renamed.iter().flat_map(|(from, to)| [from, to]).chain(given).chain(removed)
    }

    /// As it is stored: `{ renamed: [[from, to]], given: [], removed: [] }`, or `{ whole: true }`.
    pub fn stored(&self) -> Document {
        match self {
            Self::Whole => doc! { "whole": true },
            Self::Keys { renamed, given, removed } => {
                let renamed: Vec<Bson> = renamed
                    .iter()
                    .map(|(from, to)| Bson::from(vec![from.clone(), to.clone()]))
                    .collect();
                doc! { "renamed": renamed, "given": given.clone(), "removed": removed.clone() }
            }
        }
    }

    /// As it was stored; `None` if this is not one.
    pub fn read(stored: &Document) -> Option<Self> {
        if stored.get_bool("whole").is_ok_and(|it| it) {
            return Some(Self::Whole);
        }
        let texts = |list: &[Bson]| -> Option<Vec<String>> {
            list.iter().map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let renamed = stored.get_array("renamed").ok()?.iter().map(|it| {
            let mut pair = texts(it.as_array()?)?.into_iter();
            Some((pair.next()?, pair.next()?))
        });
        Some(Self::Keys {
            renamed: renamed.collect::<Option<_>>()?,
            given: texts(stored.get_array("given").ok()?)?,
            removed: texts(stored.get_array("removed").ok()?)?,
        })
    }
}

/// Selects the documents that have any of these keys.
fn any<'a>(keys: impl Iterator<Item = &'a String>) -> Document {
    let there: Vec<Bson> = keys.map(|it| doc! { it: { "$exists": true } }.into()).collect();
    doc! { "$or": there }
}

fn keys_of(keys: &[&String]) -> Bson {
    keys.iter().map(|it| Bson::from(it.as_str())).collect::<Vec<_>>().into()
}

/// A document whose `keys` stand at their `places` among all, and the others in the order in which they are. Keys whose
/// place is not known, or behind the end because others are gone, stand at the end: nothing is ever left out.
fn in_place(keys: Bson, places: &str) -> Bson {
    let is_ours = doc! { "$in": ["$$this.k", keys.clone()] };
    let place = doc! { "$arrayElemAt": [places, { "$indexOfArray": [keys, "$$this.k"] }] };
    let before = doc! { "$size": { "$filter": {
        "input": "$$at", "cond": { "$and": [{ "$gte": ["$$this", 0] }, { "$lt": ["$$this", "$$place"] }] },
    } } };
    let here = doc! { "$let": {
        "vars": { "place": "$$this" },
        "in": { "$let": {
            "vars": { "hit": { "$indexOfArray": ["$$at", "$$place"] } },
            "in": { "$cond": [
                { "$gte": ["$$hit", 0] },
                { "$arrayElemAt": ["$$ours", "$$hit"] },
                { "$arrayElemAt": ["$$others", { "$subtract": ["$$place", before] }] },
            ] },
        } },
    } };
    let all = doc! { "$objectToArray": "$$ROOT" };
    doc! { "$let": {
        "vars": {
            "ours": { "$filter": { "input": all.clone(), "cond": is_ours.clone() } },
            "others": { "$filter": { "input": all.clone(), "cond": { "$not": [is_ours] } } },
            "count": { "$size": all },
        },
        "in": { "$let": {
            "vars": { "at": { "$map": { "input": "$$ours", "in": place } } },
            "in": { "$arrayToObject": { "$concatArrays": [
                { "$filter": {
                    "input": { "$map": { "input": { "$range": [0, "$$count"] }, "in": here } },
                    "cond": { "$ne": ["$$this", null] },
                } },
                { "$map": {
                    "input": { "$filter": {
                        "input": { "$range": [0, { "$size": "$$at" }] },
                        "cond": { "$let": {
                            "vars": { "place": { "$arrayElemAt": ["$$at", "$$this"] } },
                            "in": { "$or": [{ "$lt": ["$$place", 0] }, { "$gte": ["$$place", "$$count"] }] },
                        } },
                    } },
                    "in": { "$arrayElemAt": ["$$ours", "$$this"] },
                } },
            ] } },
        } },
    } }
    .into()
}

/// The keys that a merge sets, as its last stage says.
fn merged_keys(stages: &[Document]) -> Option<Vec<String>> {
    let result = stages.last()?.get_document("$replaceWith").ok()?;
    let keys: Vec<String> = result.keys().filter(|it| *it != "_id").cloned().collect();
    let expression = keys.iter().any(|it| it.starts_with('$'));
    (!expression).then_some(keys)
}

/// Whether a key can be named in a path.
fn is_plain(key: &str) -> bool {
    key != "_id" && !key.is_empty() && !key.contains(['.', '$'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Collections {
        Collections { samples: "samples".to_owned(), frames: "frames".to_owned() }
    }

    fn of(updates: &[Update]) -> Option<Footprint> {
        let step = |it: &Update| Step::Update { scope: Scope::Samples, update: it.clone() };
        let steps: Vec<Step> = updates.iter().map(step).collect();
        Footprint::of(&steps, Scope::Samples, &names())
    }

    fn rename(from: &str, to: &str) -> Update {
        Update::Rename { from: from.to_owned(), to: to.to_owned() }
    }

    fn set(field: &str) -> Update {
        Update::Set { field: field.to_owned(), value: Bson::Int32(7).into() }
    }

    fn unset(field: &str) -> Update {
        Update::Unset { field: field.to_owned() }
    }

    /// What the server does to a document, of the inverse and of what is restored.
    fn undone(footprint: &Footprint, before: &Document, mut after: Document) -> Document {
        let Footprint::Keys { renamed, given, removed } = footprint else { return before.clone() };
        for (from, to) in renamed.iter().rev() {
            rename(to, from).apply(&mut after);
        }
        for it in given {
            after.remove(it);
        }
        let overwritten = renamed.iter().map(|(_, to)| to).chain(given).chain(removed);
        if overwritten.into_iter().any(|it| before.contains_key(it)) {
            for key in footprint.keys() {
                after.remove(key);
                if let Some(value) = before.get(key) {
                    after.insert(key.clone(), value.clone());
                }
            }
        }
        after
    }

    #[test]
    fn a_rename_and_an_added_key_keep_nothing_where_nothing_is_overwritten() {
        let footprint = of(&[rename("a", "b"), set("c")]).unwrap();
        assert_eq!(
            footprint.kept(),
            doc! { "$or": [{ "b": { "$exists": true } }, { "c": { "$exists": true } }] }
        );
        assert_eq!(footprint.inverse().last(), Some(&doc! { "$unset": ["c"] }));
        assert_eq!(of(&[]), None);
        // A renamed key would come back at the end, so that its place is noted; an added one is only removed.
        let noted = footprint.noted();
        assert!(
            noted.get_array("$or").unwrap().contains(&doc! { "a": { "$exists": true } }.into())
        );
        assert!(footprint.is_heavy() && !of(&[set("c")]).unwrap().is_heavy());
    }

    #[test]
    fn what_no_path_can_name_and_what_is_code_is_kept_as_a_whole() {
        assert_eq!(of(&[set("a.b")]), Some(Footprint::Whole));
        assert_eq!(of(&[set("a"), Update::Each(|_| ())]), Some(Footprint::Whole));
    }

    #[test]
    fn a_footprint_is_read_as_it_was_stored() {
        for it in [of(&[rename("a", "b"), set("c"), unset("d")]).unwrap(), Footprint::Whole] {
            assert_eq!(Footprint::read(&it.stored()), Some(it));
        }
        assert_eq!(Footprint::read(&doc! {}), None);
    }

    fn updates() -> impl Strategy<Value = Vec<Update>> {
        let key = "[a-d]";
        let one = prop_oneof![
            (key, key)
                .prop_filter("to another key", |(from, to)| from != to)
                .prop_map(|(from, to)| rename(&from, &to)),
            key.prop_map(|it| set(&it)),
            key.prop_map(|it| unset(&it)),
        ];
        proptest::collection::vec(one, 0..4)
    }

    fn documents() -> impl Strategy<Value = Document> {
        proptest::collection::btree_map("[a-e]", 0..9, 0..5).prop_map(|keys| {
            keys.into_iter().map(|(key, value)| (key, Bson::Int32(value))).collect()
        })
    }

    fn sorted(document: Document) -> Vec<(String, Bson)> {
        let mut keys: Vec<(String, Bson)> = document.into_iter().collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        keys
    }

    proptest! {
        #[test]
        fn whatever_was_done_is_undone_once_or_twice(updates in updates(), before in documents()) {
            let mut after = before.clone();
            for it in &updates {
                it.apply(&mut after);
            }
            match of(&updates) {
                None => prop_assert_eq!(&after, &before),
                Some(footprint) => {
                    let once = undone(&footprint, &before, after);
                    prop_assert_eq!(sorted(once.clone()), sorted(before.clone()));
                    let twice = undone(&footprint, &before, once);
                    prop_assert_eq!(sorted(twice), sorted(before));
                }
            }
        }

        #[test]
        fn what_was_done_by_halves_is_undone_as_well(updates in updates(), before in documents()) {
            // A document that no pass has reached.
            if let Some(footprint) = of(&updates) {
                let back = undone(&footprint, &before, before.clone());
                prop_assert_eq!(sorted(back), sorted(before));
            }
        }
    }
}
