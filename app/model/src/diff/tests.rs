//! Differences of documents, of lists, and of whatever is drawn by lot.

use proptest::prelude::*;

use super::*;
use crate::Scalar;

fn text(it: &str) -> Value {
    Value::Scalar(Scalar { json: format!("\"{it}\""), shown: it.to_owned() })
}

fn document(entries: &[(&str, Value)]) -> Value {
    Value::Document(entries.iter().map(|(key, it)| ((*key).to_owned(), it.clone())).collect())
}

fn list(items: &[Value]) -> Value {
    Value::List(items.to_vec())
}

fn key(it: &str) -> Place {
    Place::Key(it.to_owned())
}

#[track_caller]
fn diff(before: &Value, after: &Value) -> Diff {
    let diff = Diff::of(before, after).unwrap();
    assert_eq!(diff.applied(before).as_ref(), Some(after));
    diff
}

#[test]
fn what_is_the_same_is_folded_and_what_is_removed_is_told_where_it_was() {
    let before =
        document(&[("a", text("1")), ("b", text("2")), ("c", text("3")), ("d", text("4"))]);
    let after = document(&[("a", text("1")), ("c", text("9")), ("d", text("4")), ("e", text("5"))]);
    let replaced = Change::Replaced { before: text("3"), after: text("9") };
    assert_eq!(
        diff(&before, &after).parts,
        [
            Part::Same(vec![key("a")]),
            Part::Changed(key("b"), Change::Removed(text("2"))),
            Part::Changed(key("c"), replaced),
            Part::Same(vec![key("d")]),
            Part::Changed(key("e"), Change::Added(text("5"))),
        ]
    );
    assert_eq!(diff(&before, &before).changes(), 0);
    assert_eq!(diff(&before, &before).parts.len(), 1);
}

#[test]
fn the_same_text_of_another_type_is_a_change() {
    let whole = |json: &str| Value::Scalar(Scalar { json: json.into(), shown: "7".into() });
    let (int, long) = (whole("{\"$numberInt\":\"7\"}"), whole("{\"$numberLong\":\"7\"}"));
    assert_eq!(diff(&list(&[int]), &list(&[long])).changes(), 1);
}

#[test]
fn items_with_names_are_compared_with_those_of_the_same_name_wherever_they_are() {
    let field = |name: &str, kind: &str| document(&[("name", text(name)), ("ftype", text(kind))]);
    let before = list(&[field("a", "x"), field("b", "x"), field("c", "x")]);
    let after = list(&[field("c", "x"), field("a", "y"), field("d", "x")]);
    let parts = diff(&before, &after).parts;
    let item = |at: u32, name: &str| Place::Item { at, name: Some(name.to_owned()) };
    assert_eq!(parts[0], Part::Same(vec![item(2, "c")]));
    let Part::Changed(place, Change::Inside(inside)) = &parts[1] else { panic!("{parts:?}") };
    assert_eq!((place, inside.changes()), (&item(0, "a"), 1));
    assert!(parts.contains(&Part::Changed(item(1, "b"), Change::Removed(field("b", "x")))));
    assert!(parts.contains(&Part::Changed(item(2, "d"), Change::Added(field("d", "x")))));
}

#[test]
fn items_without_names_are_compared_in_order() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(text);
    let found = diff(&list(&[a.clone(), b.clone(), c.clone()]), &list(&[b, d, c, a]));
    assert_eq!(found.changes(), 3, "{found:?}");
}

#[test]
fn of_an_enormous_document_it_is_told_how_much_is_not_told() {
    let many = |value: &str| {
        let entry = |it: u32| (format!("key {it}"), text(value));
        Value::Document((0..1_000).map(entry).collect())
    };
    let mut left = 100;
    let bounded = diff(&many("a"), &many("b")).within(&mut left);
    assert_eq!(bounded.changes(), 1_000);
    assert!(bounded.parts.len() < 102, "{}", bounded.parts.len());
    let Some(Part::Cut { changes }) = bounded.parts.last() else { panic!("nothing is cut") };
    assert!(*changes > 900, "{changes}");
    assert_eq!(bounded.applied(&many("a")), None);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof!["[ab]".prop_map(|it| text(&it)), Just(text("é"))];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let keys = prop_oneof![Just("name"), Just("_id"), Just("a"), Just("b"), Just("c")];
        let entries = prop::collection::vec((keys, inner.clone()), 0..5).prop_map(|entries| {
            let mut distinct: Vec<(String, Value)> = Vec::new();
            for (key, it) in entries {
                if !distinct.iter().any(|(known, _)| known == key) {
                    distinct.push((key.to_owned(), it));
                }
            }
            Value::Document(distinct)
        });
        prop_oneof![entries, prop::collection::vec(inner, 0..5).prop_map(Value::List)]
    })
}

proptest! {
    #[test]
    fn whatever_became_of_a_document_its_difference_makes_it_that(a in values(), b in values()) {
        let wrap = |it: Value| document(&[("value", it)]);
        let (before, after) = (wrap(a), wrap(b));
        let diff = Diff::of(&before, &after).unwrap();
        prop_assert_eq!(diff.applied(&before), Some(after.clone()));
    }
}
