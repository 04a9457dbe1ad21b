//! Merging three ways: what a document was, what was archived of it, and what somebody has made of it meanwhile.
//!
//! *Base* is what is there if nobody has changed anything, *original* what the archive has, *current* what is there.
//! Where nobody has changed anything the original comes back; what somebody has changed stays. Where both differ from the
//! base it is looked inside, if there is an inside; where there is none, what is there stays and is listed as a
//! [`Conflict`]. Nothing is guessed. The order of keys does not count.

mod lists;

use std::fmt::{self, Display};

use bson::{Bson, Document};

/// Something that both the archive and somebody else have another opinion of.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Where: `sample_fields[ground_truth].description`.
    pub path: String,
    /// What is there, and stays; `None` if it was removed.
    pub here: Option<Bson>,
    /// What the archive has; `None` if it was not there.
    pub archived: Option<Bson>,
}

/// How single places are merged that must not be looked into.
pub trait Places {
    /// Whether the document at this path is still the thing it was; another one in its place is not merged with it.
    fn is_same_thing(&self, path: &Path, base: Option<&Document>, current: &Document) -> bool;
}

/// The way to a value from the document that is merged.
#[derive(Clone, Debug, Default)]
pub struct Path(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Key(String),
    Item(String),
}

/// Keys of which the latest value is the right one, whoever has written it: FiftyOne does, when somebody looks.
const LATEST: [&str; 2] = ["last_loaded_at", "last_modified_at"];

/// Merges documents, and adds what could not be decided to `conflicts`.
pub fn merge(
    base: &Document,
    original: &Document,
    current: &Document,
    places: &impl Places,
    conflicts: &mut Vec<Conflict>,
) -> Document {
    let mut merging = Merging { places, conflicts };
    merging.documents(&Path::default(), base, original, current)
}

/// Whether two values are the same, the order of keys aside.
pub fn is_same(a: &Bson, b: &Bson) -> bool {
    match (a, b) {
        (Bson::Document(a), Bson::Document(b)) => are_same(a, b),
        (Bson::Array(a), Bson::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        // A number that is none is not even equal to itself.
        (Bson::Double(a), Bson::Double(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// The same for documents.
pub fn are_same(a: &Document, b: &Document) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, value)| b.get(key).is_some_and(|it| is_same(value, it)))
}

fn same(a: Option<&Bson>, b: Option<&Bson>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => is_same(a, b),
        (None, None) => true,
        _ => false,
    }
}

struct Merging<'a, P> {
    places: &'a P,
    conflicts: &'a mut Vec<Conflict>,
}

impl<P: Places> Merging<'_, P> {
    /// The merged value; `None` if there is to be none.
    fn values(
        &mut self,
        path: &Path,
        base: Option<&Bson>,
        original: Option<&Bson>,
        current: Option<&Bson>,
    ) -> Option<Bson> {
        if same(current, original) || same(base, original) {
            return current.cloned();
        }
        if same(current, base) {
            return original.cloned();
        }
        match (base, original, current) {
            (_, Some(Bson::Document(original)), Some(Bson::Document(current))) => {
                let base = base.and_then(Bson::as_document);
                if self.places.is_same_thing(path, base, current) {
                    let empty = Document::new();
                    let base = base.unwrap_or(&empty);
                    return Some(self.documents(path, base, original, current).into());
                }
            }
            (_, Some(Bson::Array(original)), Some(Bson::Array(current))) => {
                let base = base.and_then(Bson::as_array).map(Vec::as_slice).unwrap_or_default();
                if let Some(merged) = self.lists(path, base, original, current) {
                    return Some(merged.into());
                }
            }
            _ => {}
        }
        if path.is_id() && (original.is_some() || base.is_some()) {
            // Drawn by each who makes such a thing; nobody has chosen it.
            return original.cloned();
        }
        if !path.is_of(&LATEST) {
            let (here, archived) = (current.cloned(), original.cloned());
            self.conflicts.push(Conflict { path: path.to_string(), here, archived });
        }
        current.cloned()
    }

    /// In the order of what is there; what comes back goes to the end.
    fn documents(
        &mut self,
        path: &Path,
        base: &Document,
        original: &Document,
        current: &Document,
    ) -> Document {
        let came = original.keys().filter(|it| !current.contains_key(*it));
        let gone =
            base.keys().filter(|it| !current.contains_key(*it) && !original.contains_key(*it));
        let keys: Vec<&String> = current.keys().chain(came).chain(gone).collect();
        let mut merged = Document::new();
        for key in keys {
            let path = path.key(key);
            let value = self.values(&path, base.get(key), original.get(key), current.get(key));
            if let Some(value) = value {
                merged.insert(key.clone(), value);
            }
        }
        merged
    }
}

impl Path {
    fn key(&self, key: &str) -> Self {
        self.with(Part::Key(key.to_owned()))
    }

    fn item(&self, name: &str) -> Self {
        self.with(Part::Item(name.to_owned()))
    }

    fn with(&self, part: Part) -> Self {
        Self(self.0.iter().cloned().chain([part]).collect())
    }

    /// The keys on the way, if it leads through no list.
    pub fn keys(&self) -> Option<Vec<&str>> {
        let key = |it: &'_ Part| match it {
            Part::Key(_) => true,
            Part::Item(_) => false,
        };
        self.0.iter().all(key).then(|| self.0.iter().map(Part::text).collect())
    }

    fn is_of(&self, keys: &[&str]) -> bool {
        matches!(self.0.as_slice(), [Part::Key(key)] if keys.contains(&key.as_str()))
    }

    /// Whether it leads to the id of something inside the document.
    fn is_id(&self) -> bool {
        self.0.len() > 1 && matches!(self.0.last(), Some(Part::Key(key)) if key == "_id")
    }
}

impl Part {
    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Item(text) => text,
        }
    }
}

impl Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Key(key) if at == 0 => write!(out, "{key}")?,
                Part::Key(key) => write!(out, ".{key}")?,
                Part::Item(name) => write!(out, "[{name}]")?,
            }
        }
        Ok(())
    }
}

/// Where everything may be looked into.
#[derive(Clone, Copy, Debug)]
pub struct Anywhere;

impl Places for Anywhere {
    fn is_same_thing(&self, _: &Path, _: Option<&Document>, _: &Document) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use proptest::prelude::*;

    use super::*;

    fn merged(base: &Document, original: &Document, current: &Document) -> (Document, Vec<String>) {
        let mut conflicts = Vec::new();
        let merged = merge(base, original, current, &Anywhere, &mut conflicts);
        (merged, conflicts.into_iter().map(|it| it.path).collect())
    }

    #[test]
    fn what_nobody_touched_comes_back_and_what_somebody_changed_stays() {
        let base = doc! { "a": null, "b": { "c": 1 }, "gone": 1 };
        let original = doc! { "a": "x", "b": { "c": 1, "d": 2 }, "gone": 1, "e": [1] };
        let current = doc! { "a": null, "b": { "c": 7 }, "new": 3 };
        let expected = doc! { "a": "x", "b": { "c": 7, "d": 2 }, "new": 3, "e": [1] };
        assert_eq!(merged(&base, &original, &current), (expected, vec![]));
    }

    #[test]
    fn where_both_have_changed_something_what_is_there_stays_and_is_listed() {
        let base = doc! { "a": 1, "b": { "c": 1 }, "d": 1 };
        let original = doc! { "a": 2, "b": { "c": 2 }, "d": 2 };
        let current = doc! { "a": 3, "b": { "c": 3 } };
        let (merged, conflicts) = merged(&base, &original, &current);
        assert_eq!(merged, current);
        assert_eq!(conflicts, ["a", "b.c", "d"]);
    }

    #[test]
    fn a_look_is_no_conflict_and_neither_is_an_id_that_was_drawn() {
        let base = doc! { "last_loaded_at": null, "scheme": { "_id": 1 } };
        let original = doc! { "last_loaded_at": 5, "scheme": { "_id": 2 } };
        let current = doc! { "last_loaded_at": 9, "scheme": { "_id": 3 } };
        let expected = doc! { "last_loaded_at": 9, "scheme": { "_id": 2 } };
        assert_eq!(merged(&base, &original, &current), (expected, vec![]));
    }

    #[test]
    fn another_thing_in_the_same_place_is_not_merged_with_what_was_there() {
        struct Never;
        impl Places for Never {
            fn is_same_thing(&self, path: &Path, _: Option<&Document>, _: &Document) -> bool {
                path.keys() != Some(vec!["runs", "a"])
            }
        }
        let (base, current) =
            (doc! { "runs": { "a": { "x": 1 } } }, doc! { "runs": { "a": { "x": 2 } } });
        let original = doc! { "runs": { "a": { "x": 1, "y": 1 } } };
        let mut conflicts = Vec::new();
        assert_eq!(merge(&base, &original, &current, &Never, &mut conflicts), current);
        assert_eq!(conflicts[0].path, "runs.a");
    }

    fn values() -> impl Strategy<Value = Bson> {
        let leaf = prop_oneof![
            (0..3).prop_map(Bson::Int32),
            Just(Bson::Null),
            "[ab]".prop_map(Bson::String),
            Just(Bson::Double(f64::NAN)),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            let named = ("[a-c]", inner.clone())
                .prop_map(|(name, value)| doc! { "name": name, "v": value });
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Bson::Array),
                proptest::collection::vec(named.prop_map(Bson::Document), 0..3)
                    .prop_map(Bson::Array),
                documents(inner).prop_map(Bson::Document),
            ]
        })
    }

    fn documents(inner: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
        proptest::collection::btree_map("[a-d]", inner, 0..4)
            .prop_map(|it| it.into_iter().collect())
    }

    proptest! {
        #[test]
        fn if_nobody_has_changed_anything_all_of_the_original_is_there_again(
            base in documents(values()), original in documents(values()),
        ) {
            let (merged, conflicts) = merged(&base, &original, &base);
            prop_assert!(are_same(&merged, &original), "{merged} is not {original}");
            prop_assert!(conflicts.is_empty());
        }

        #[test]
        fn if_the_archive_has_nothing_more_all_that_is_there_stays(
            base in documents(values()), current in documents(values()),
        ) {
            let (merged, conflicts) = merged(&base, &base, &current);
            prop_assert!(are_same(&merged, &current), "{merged} is not {current}");
            prop_assert!(conflicts.is_empty());
        }

        #[test]
        fn giving_back_twice_is_giving_back_once(
            base in documents(values()), original in documents(values()), current in documents(values()),
        ) {
            let (once, _) = merged(&base, &original, &current);
            let (twice, _) = merged(&base, &original, &once);
            prop_assert!(are_same(&once, &twice), "{once} became {twice}");
        }
    }
}
