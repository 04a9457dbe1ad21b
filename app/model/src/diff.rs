//! What is another in a document: a tree of changes, in which all that is the same is folded.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::Value;

/// How one document becomes another, in the order of what it becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The parts of the document or list.
    pub parts: Vec<Part>,
}

/// A part of a document or list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// These, one after the other, are the same.
    Same(Vec<Place>),
    /// This is another.
    Changed(Place, Change),
    /// What is not told, because there is too much.
    Cut {
        /// How many changes.
        changes: u64,
    },
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a document.
    Key(String),
    /// In a list: where it was, or where it is if it was not there.
    Item {
        /// The number, from 0.
        at: u32,
        /// What identifies it among the others: the name of a field, for example.
        name: Option<String>,
    },
}

/// What happens to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added(Value),
    /// It is gone.
    Removed(Value),
    /// There is another in its place.
    Replaced {
        /// What was there.
        before: Value,
        /// What is there.
        after: Value,
    },
    /// Something in it is another.
    Inside(Diff),
}

/// Lists of which neither has more items than this, or with little between, are compared item by item with each other.
const COMPARED: usize = 40_000;

/// What identifies the items of a list, the first of these that all of them have.
const IDENTITIES: [&str; 4] = ["name", "_id", "id", "path"];

impl Diff {
    /// How `before` becomes `after`. None if one of them has no inside, or they are of different kinds.
    pub fn of(before: &Value, after: &Value) -> Option<Self> {
        match (before, after) {
            (Value::Document(before), Value::Document(after)) => Some(documents(before, after)),
            (Value::List(before), Value::List(after)) => Some(lists(before, after)),
            _ => None,
        }
    }

    /// What `before` becomes. None if this is the difference of something else, or was cut.
    pub fn applied(&self, before: &Value) -> Option<Value> {
        match before {
            Value::Document(entries) => {
                let mut after = Vec::new();
                for (place, value) in self.pieces(|it| match it {
                    Place::Key(key) => entries.iter().find(|(k, _)| k == key).map(|(_, it)| it),
                    Place::Item { .. } => None,
                })? {
                    let Place::Key(key) = place else { return None };
                    after.push((key, value));
                }
                Some(Value::Document(after))
            }
            Value::List(items) => {
                let pieces = self.pieces(|it| match it {
                    Place::Item { at, .. } => items.get(usize::try_from(*at).ok()?),
                    Place::Key(_) => None,
                })?;
                Some(Value::List(pieces.into_iter().map(|(_, it)| it).collect()))
            }
            Value::Scalar(_) | Value::Cut { .. } => None,
        }
    }

    fn pieces<'a>(&self, was: impl Fn(&Place) -> Option<&'a Value>) -> Option<Vec<(Place, Value)>> {
        let mut pieces = Vec::new();
        for part in &self.parts {
            match part {
                Part::Same(places) => {
                    for it in places {
                        pieces.push((it.clone(), was(it)?.clone()));
                    }
                }
                Part::Changed(place, change) => match change {
                    Change::Added(value) => pieces.push((place.clone(), value.clone())),
                    Change::Removed(_) => {}
                    Change::Replaced { after, .. } => pieces.push((place.clone(), after.clone())),
                    Change::Inside(diff) => {
                        pieces.push((place.clone(), diff.applied(was(place)?)?));
                    }
                },
                Part::Cut { .. } => return None,
            }
        }
        Some(pieces)
    }

    /// How many values are added, removed or replaced.
    pub fn changes(&self) -> u64 {
        let of = |part: &Part| match part {
            Part::Same(_) => 0,
            Part::Changed(_, Change::Inside(diff)) => diff.changes(),
            Part::Changed(..) => 1,
            Part::Cut { changes } => *changes,
        };
        self.parts.iter().map(of).sum()
    }

    /// The same with at most about `left` values and places; what is beyond is told as cut.
    #[must_use]
    pub fn within(self, left: &mut u64) -> Self {
        let (mut parts, mut cut) = (Vec::new(), 0);
        for part in self.parts {
            if *left == 0 {
                cut += Self { parts: vec![part] }.changes();
                continue;
            }
            *left -= 1;
            parts.push(match part {
                Part::Changed(place, change) => Part::Changed(place, change.within(left)),
                same_or_cut => same_or_cut,
            });
        }
        if cut > 0 {
            parts.push(Part::Cut { changes: cut });
        }
        Self { parts }
    }
}

impl Change {
    fn between(before: &Value, after: &Value) -> Self {
        match Diff::of(before, after) {
            Some(diff) => Self::Inside(diff),
            None => Self::Replaced { before: before.clone(), after: after.clone() },
        }
    }

    fn within(self, left: &mut u64) -> Self {
        match self {
            Self::Added(it) => Self::Added(it.within(left)),
            Self::Removed(it) => Self::Removed(it.within(left)),
            Self::Replaced { before, after } => {
                Self::Replaced { before: before.within(left), after: after.within(left) }
            }
            Self::Inside(diff) => Self::Inside(diff.within(left)),
        }
    }
}

/// Parts as they come, with what is the same put together.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn same(&mut self, place: Place) {
        match self.0.last_mut() {
            Some(Part::Same(places)) => places.push(place),
            _ => self.0.push(Part::Same(vec![place])),
        }
    }

    fn changed(&mut self, place: Place, change: Change) {
        self.0.push(Part::Changed(place, change));
    }

    fn pair(&mut self, place: Place, before: &Value, after: &Value) {
        if before == after {
            self.same(place);
        } else {
            self.changed(place, Change::between(before, after));
        }
    }

    fn done(self) -> Diff {
        Diff { parts: self.0 }
    }
}

fn documents(before: &[(String, Value)], after: &[(String, Value)]) -> Diff {
    let mut parts = Parts::default();
    let keyed = |entries| -> HashMap<&str, &Value> {
        let entries: &[(String, Value)] = entries;
        entries.iter().map(|(key, it)| (key.as_str(), it)).collect()
    };
    let (was, is) = (keyed(before), keyed(after));
    let stays = |key: &str| is.contains_key(key);
    let mut gone = before.iter().peekable();
    for (key, value) in after {
        // What is removed is told where it was.
        while let Some((removed, it)) = gone.next_if(|(it, _)| !stays(it)) {
            parts.changed(Place::Key(removed.clone()), Change::Removed(it.clone()));
        }
        gone.next_if(|(it, _)| it == key);
        match was.get(key.as_str()) {
            Some(before) => parts.pair(Place::Key(key.clone()), before, value),
            None => parts.changed(Place::Key(key.clone()), Change::Added(value.clone())),
        }
    }
    for (removed, it) in gone.filter(|(it, _)| !stays(it)) {
        parts.changed(Place::Key(removed.clone()), Change::Removed(it.clone()));
    }
    parts.done()
}

fn lists(before: &[Value], after: &[Value]) -> Diff {
    match names(before, after) {
        Some((was, is)) => named(before, after, &was, &is),
        None => unnamed(before, after),
    }
}

/// What the items of both lists are called, if all of them are called something, and no two of a list the same.
fn names(before: &[Value], after: &[Value]) -> Option<(Vec<String>, Vec<String>)> {
    let of = |items: &[Value], key: &str| -> Option<Vec<String>> {
        let name = |it: &Value| match it.get(key)? {
            Value::Scalar(it) => Some(it.shown.clone()),
            _ => None,
        };
        let names: Vec<String> = items.iter().map(name).collect::<Option<_>>()?;
        let distinct: HashSet<&String> = names.iter().collect();
        (distinct.len() == names.len()).then_some(names)
    };
    if before.is_empty() && after.is_empty() {
        return None;
    }
    IDENTITIES.iter().find_map(|key| Some((of(before, key)?, of(after, key)?)))
}

fn named(before: &[Value], after: &[Value], was: &[String], is: &[String]) -> Diff {
    let mut parts = Parts::default();
    let place = |at: usize, name: &String| Place::Item { at: number(at), name: Some(name.clone()) };
    let there: HashSet<&String> = is.iter().collect();
    let index: HashMap<&String, usize> = was.iter().enumerate().map(|(at, it)| (it, at)).collect();
    let mut gone = 0;
    let removed = |parts: &mut Parts, gone: &mut usize| {
        while let Some(name) = was.get(*gone).filter(|it| !there.contains(it)) {
            parts.changed(place(*gone, name), Change::Removed(before[*gone].clone()));
            *gone += 1;
        }
    };
    for ((at, value), name) in after.iter().enumerate().zip(is) {
        removed(&mut parts, &mut gone);
        match index.get(name) {
            Some(from) => {
                if *from == gone {
                    gone += 1;
                }
                parts.pair(place(*from, name), &before[*from], value);
            }
            None => parts.changed(place(at, name), Change::Added(value.clone())),
        }
    }
    // Where items have changed their places, some that are removed were not passed yet.
    for (at, name) in was.iter().enumerate().skip(gone) {
        if !there.contains(name) {
            parts.changed(place(at, name), Change::Removed(before[at].clone()));
        }
    }
    parts.done()
}

fn unnamed(before: &[Value], after: &[Value]) -> Diff {
    let mut parts = Parts::default();
    let place = |at: usize| Place::Item { at: number(at), name: None };
    let (mut was, mut is) = (0, 0);
    let pairs = common(before, after);
    for (from, to) in pairs.into_iter().chain([(before.len(), after.len())]) {
        // Between two that are the same, what was is compared with what is in its place.
        while was < from && is < to {
            parts.changed(place(was), Change::between(&before[was], &after[is]));
            (was, is) = (was + 1, is + 1);
        }
        for (at, it) in before.iter().enumerate().take(from).skip(was) {
            parts.changed(place(at), Change::Removed(it.clone()));
        }
        for (at, it) in after.iter().enumerate().take(to).skip(is) {
            parts.changed(place(at), Change::Added(it.clone()));
        }
        if from < before.len() {
            parts.same(place(from));
        }
        (was, is) = (from + 1, to + 1);
    }
    parts.done()
}

/// The places of as many items as are the same in both, in order.
fn common(before: &[Value], after: &[Value]) -> Vec<(usize, usize)> {
    let first = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (rest, other) = (&before[first..], &after[first..]);
    let last = rest.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (rows, columns) = (rest.len() - last, other.len() - last);
    let mut pairs: Vec<(usize, usize)> = (0..first).map(|it| (it, it)).collect();
    if rows.saturating_mul(columns) <= COMPARED {
        // How many are common from here on.
        let mut lengths = vec![vec![0_u32; columns + 1]; rows + 1];
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                lengths[row][column] = if rest[row] == other[column] {
                    lengths[row + 1][column + 1] + 1
                } else {
                    lengths[row + 1][column].max(lengths[row][column + 1])
                };
            }
        }
        let (mut row, mut column) = (0, 0);
        while row < rows && column < columns {
            if rest[row] == other[column] {
                pairs.push((first + row, first + column));
                (row, column) = (row + 1, column + 1);
            } else if lengths[row + 1][column] >= lengths[row][column + 1] {
                row += 1;
            } else {
                column += 1;
            }
        }
    } else {
        let same = |it: &usize| rest[*it] == other[*it];
        pairs.extend((0..rows.min(columns)).filter(same).map(|it| (first + it, first + it)));
    }
    pairs.extend((0..last).map(|it| (first + rows + it, first + columns + it)));
    pairs
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
