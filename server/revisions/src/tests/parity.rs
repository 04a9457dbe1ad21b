//! What we make of a dataset is what the real FiftyOne made of it, key by key and in the same order.

use std::collections::BTreeSet;
use std::fmt::Write;

use bson::{Bson, DateTime, Document, oid::ObjectId};

use super::state::{NEWEST, State, release, targets};
use crate::Dataset;

#[test]
fn going_down_leaves_what_fiftyone_leaves() {
    let original = State::read(NEWEST);
    let mut wrong = Vec::new();
    for target in targets() {
        let theirs = State::read(&target);
        for expected in &theirs.datasets {
            let before = original.dataset(&expected.label());
            let what = format!("{} {NEWEST} -> {target}", expected.label());
            match original.fold(before, NEWEST, &target) {
                Ok(ours) => wrong.extend(difference(&what, before, expected, &ours.dataset)),
                Err(refusal) => wrong.push(format!("{what}: {refusal}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn going_up_again_leaves_what_fiftyone_leaves() {
    let mut wrong = Vec::new();
    for target in targets() {
        let (down, up) = (State::read(&target), State::read(&format!("{target}_up")));
        for before in &down.datasets {
            let expected = up.dataset(&before.label());
            let what = format!("{} {target} -> {NEWEST}", before.label());
            match down.fold(before, &target, NEWEST) {
                Ok(ours) => wrong.extend(difference(&what, before, expected, &ours.dataset)),
                Err(refusal) => wrong.push(format!("{what}: {refusal}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_fiftyone_could_not_take_down_is_refused() {
    let original = State::read(NEWEST);
    let grouped = original.dataset("grp");
    for target in targets() {
        let refused = original.fold(grouped, NEWEST, &target).is_err();
        assert_eq!(refused, release(&target) < release("0.17.0"), "{target}");
    }
}

#[test]
fn the_fixtures_cover_every_revision_but_the_first() {
    let targets = targets();
    for pair in crate::ALL.windows(2) {
        let (low, high) =
            (release(&pair[0].version.to_string()), release(&pair[1].version.to_string()));
        let covered = targets.iter().map(|it| release(it)).any(|it| low <= it && it < high);
        assert!(covered, "no state between v{low} and v{high}");
    }
}

/// The first lines that differ between what is expected and what is there, if any. Ids and times that were
/// not there `before` count as equal when they stand in the same places.
fn difference(what: &str, before: &Dataset, expected: &Dataset, found: &Dataset) -> Option<String> {
    let known = Known::of(before);
    let (expected, found) = (known.text(expected), known.text(found));
    if expected == found {
        return None;
    }
    let mut report = format!("{what}:");
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let missing = expected.iter().filter(|it| !found.contains(it)).take(8);
    let extra = found.iter().filter(|it| !expected.contains(it)).take(8);
    missing.for_each(|it| write!(report, "\n  FiftyOne has  {it}").unwrap());
    extra.for_each(|it| write!(report, "\n  we have       {it}").unwrap());
    let first = expected.iter().zip(&found).find(|(it, other)| it != other);
    if let Some((expected, found)) = first {
        write!(report, "\n  first: {expected}\n     not {found}").unwrap();
    }
    Some(report)
}

/// The ids and times of a dataset before it was migrated.
#[derive(Default)]
struct Known {
    ids: BTreeSet<ObjectId>,
    times: BTreeSet<DateTime>,
}

impl Known {
    fn of(dataset: &Dataset) -> Self {
        let mut known = Self::default();
        known.learn(&dataset.document.clone().into());
        dataset.runs.values().for_each(|it| known.learn(&it.clone().into()));
        known
    }

    fn learn(&mut self, value: &Bson) {
        match value {
            Bson::ObjectId(id) => drop(self.ids.insert(*id)),
            Bson::DateTime(time) => drop(self.times.insert(*time)),
            Bson::Array(items) => items.iter().for_each(|it| self.learn(it)),
            Bson::Document(inner) => inner.values().for_each(|it| self.learn(it)),
            _ => (),
        }
    }

    /// One line per value, with its path and type, in order; new ids are numbered as they appear.
    fn text(&self, dataset: &Dataset) -> String {
        let mut text = Text { known: self, new: Vec::new(), out: String::new() };
        text.document("", &dataset.document);
        let mut runs: Vec<(String, &Document)> =
            dataset.runs.iter().map(|(id, run)| (text.id(*id), run)).collect();
        runs.sort_by(|(id, _), (other, _)| id.cmp(other));
        for (id, run) in runs {
            text.document(&format!("run {id} "), run);
        }
        text.out
    }
}

struct Text<'k> {
    known: &'k Known,
    new: Vec<ObjectId>,
    out: String,
}

impl Text<'_> {
    fn document(&mut self, path: &str, document: &Document) {
        for (key, value) in document {
            self.value(&format!("{path}.{key}"), value);
        }
    }

    fn value(&mut self, path: &str, value: &Bson) {
        let shown = match value {
            Bson::Document(inner) if !inner.is_empty() => return self.document(path, inner),
            Bson::Array(items) if !items.is_empty() => {
                for (index, it) in items.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), it);
                }
                return;
            }
            Bson::ObjectId(id) => self.id(*id),
            Bson::DateTime(time) if !self.known.times.contains(time) => "new time".to_owned(),
            other => format!("{other:?}"),
        };
        writeln!(self.out, "{path} = {shown}").unwrap();
    }

    fn id(&mut self, id: ObjectId) -> String {
        if self.known.ids.contains(&id) {
            return id.to_hex();
        }
        let position = self.new.iter().position(|it| *it == id);
        let number = position.unwrap_or_else(|| {
            self.new.push(id);
            self.new.len() - 1
        });
        format!("new id {number}")
    }
}
