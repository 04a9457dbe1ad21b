//! Lists whose items say which one they are: saved views by their ids, fields and sidebar groups by their names.

use std::collections::BTreeSet;

use bson::{Bson, Document, oid::ObjectId};

use super::{Merging, Path, Places};

/// What tells the documents of a list from each other, the best first.
const IDENTITIES: [&str; 4] = ["_id", "id", "name", "path"];

/// Lists of texts whose order means nothing. In others, of class names for example, it does.
const SETS: [&str; 3] = ["tags", "active_label_schemas", "media_fields"];

impl<P: Places> Merging<'_, P> {
    /// The merged list; `None` if its items do not say which one they are.
    pub(super) fn lists(
        &mut self,
        path: &Path,
        base: &[Bson],
        original: &[Bson],
        current: &[Bson],
    ) -> Option<Vec<Bson>> {
        let sides = [base, original, current];
        let [base, original, current] = named(path, sides)?;
        let mut merged: Vec<(String, Bson)> = Vec::new();
        for name in order(&base, &original, &current) {
            let item = self.values(
                &path.item(name),
                base.get(name),
                original.get(name),
                current.get(name),
            );
            merged.extend(item.map(|it| (name.to_owned(), it)));
        }
        Some(merged.into_iter().map(|(_, it)| it).collect())
    }
}

/// A list whose items have names, each only once.
struct Named<'a>(Vec<(String, &'a Bson)>);

impl Named<'_> {
    fn get(&self, name: &str) -> Option<&Bson> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, it)| *it)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(it, _)| it.as_str())
    }

    /// Its names that another list has as well.
    fn shared(&self, other: &Self) -> Vec<&str> {
        self.names().filter(|it| other.get(it).is_some()).collect()
    }
}

fn named<'a>(path: &Path, sides: [&'a [Bson]; 3]) -> Option<[Named<'a>; 3]> {
    let by = |name: &dyn Fn(&Bson) -> Option<String>| {
        let [base, original, current] = sides.map(|side| {
            let named: Option<Vec<_>> = side.iter().map(|it| Some((name(it)?, it))).collect();
            let unique = |it: &Vec<(String, &Bson)>| {
                it.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == it.len()
            };
            named.filter(unique).map(Named)
        });
        Some([base?, original?, current?])
    };
    by(&|it| it.as_object_id().map(ObjectId::to_hex))
        .or_else(|| path.is_of(&SETS).then(|| by(&|it| it.as_str().map(str::to_owned))).flatten())
        .or_else(|| IDENTITIES.iter().find_map(|key| by(&|it| identity(it.as_document()?, key))))
}

fn identity(item: &Document, key: &str) -> Option<String> {
    match item.get(key)? {
        Bson::String(text) => Some(text.clone()),
        Bson::ObjectId(id) => Some(id.to_hex()),
        _ => None,
    }
}

/// The names of all items: in the order of the original, unless somebody has put what is there into another one.
fn order<'a>(base: &'a Named<'_>, original: &'a Named<'_>, current: &'a Named<'_>) -> Vec<&'a str> {
    let moved = base.shared(current) != current.shared(base);
    let (first, second) = if moved { (current, original) } else { (original, current) };
    let mut names: Vec<&str> = first.names().collect();
    let mut before: Option<&str> = None;
    for name in second.names() {
        if !names.contains(&name) {
            // Behind the one that it was behind.
            let at = before.and_then(|it| names.iter().position(|name| *name == it));
            names.insert(at.map_or(0, |it| it + 1), name);
        }
        before = Some(name);
    }
    names.extend(base.names().filter(|it| first.get(it).is_none() && second.get(it).is_none()));
    names
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::super::{Anywhere, merge};
    use super::*;

    fn merged(key: &str, base: Bson, original: Bson, current: Bson) -> (Bson, usize) {
        let mut conflicts = Vec::new();
        let [base, original, current] = [base, original, current].map(|it| doc! { key: it });
        let mut merged = merge(&base, &original, &current, &Anywhere, &mut conflicts);
        (merged.remove(key).unwrap(), conflicts.len())
    }

    fn fields(names: &[&str]) -> Bson {
        names.iter().map(|it| Bson::from(doc! { "name": *it })).collect::<Vec<_>>().into()
    }

    #[test]
    fn fields_that_were_added_meanwhile_stay_and_what_was_said_of_others_comes_back() {
        let base = vec![doc! { "name": "a" }, doc! { "name": "b" }];
        let original = vec![doc! { "name": "a", "info": 1 }, doc! { "name": "b" }];
        let current = vec![doc! { "name": "a" }, doc! { "name": "b" }, doc! { "name": "c" }];
        let expected =
            vec![doc! { "name": "a", "info": 1 }, doc! { "name": "b" }, doc! { "name": "c" }];
        let found = merged("f", base.into(), original.into(), current.into());
        assert_eq!(found, (expected.into(), 0));
    }

    #[test]
    fn views_come_back_beside_those_that_were_made_meanwhile_but_not_those_that_were_deleted() {
        let id = |it: u8| Bson::from(ObjectId::from_bytes([it; 12]));
        let list = |ids: &[u8]| Bson::from(ids.iter().map(|it| id(*it)).collect::<Vec<_>>());
        assert_eq!(merged("v", list(&[]), list(&[1, 2]), list(&[3])), (list(&[3, 1, 2]), 0));
        assert_eq!(merged("v", list(&[1, 2]), list(&[1, 2, 4]), list(&[2])), (list(&[2, 4]), 0));
    }

    #[test]
    fn an_order_that_somebody_has_made_stays() {
        let found = merged("f", fields(&["a", "b"]), fields(&["x", "a", "b"]), fields(&["b", "a"]));
        assert_eq!(found, (fields(&["x", "b", "a"]), 0));
        let found =
            merged("f", fields(&["a", "b"]), fields(&["b", "a", "x"]), fields(&["a", "b", "y"]));
        assert_eq!(found.0, fields(&["b", "y", "a", "x"]));
    }

    #[test]
    fn tags_are_a_set_and_class_names_are_not() {
        let list = |it: &[&str]| Bson::from(it.to_vec());
        assert_eq!(merged("tags", list(&[]), list(&["a"]), list(&["b"])), (list(&["b", "a"]), 0));
        assert_eq!(
            merged("default_classes", list(&[]), list(&["a"]), list(&["b"])),
            (list(&["b"]), 1)
        );
    }
}
