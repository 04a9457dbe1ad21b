//! A difference as nested lists: what is the same is folded, and changes lead to the next and the one before.

use leptos::prelude::*;
use model::{Change, Diff, DocumentChange, DocumentFate, Part, Place, Value, words};

/// How many names of what is the same are told.
const NAMED: usize = 60;

/// Numbers for the changes of a page, so that each can lead to its neighbors.
pub struct Anchors {
    next: u64,
    all: u64,
}

impl Anchors {
    /// For the changes of these documents that are shown.
    pub fn of(documents: &[DocumentChange]) -> Self {
        let changed = documents.iter().filter(|it| it.fate != DocumentFate::Stays);
        Self { next: 1, all: changed.map(|it| shown(&it.diff)).sum() }
    }

    /// How many there are.
    pub const fn all(&self) -> u64 {
        self.all
    }

    /// The number of the next one, and links to its neighbors.
    fn take(&mut self) -> (String, AnyView) {
        let (number, all) = (self.next, self.all);
        self.next += 1;
        let before = (number > 1).then(|| {
            view! {
                <a href=format!("#change-{}", number - 1) aria-label="Previous change">
                    "↑"
                </a>
            }
        });
        let after = (number < all).then(|| {
            view! {
                <a href=format!("#change-{}", number + 1) aria-label="Next change">
                    "↓"
                </a>
            }
        });
        let links = view! { <span class="neighbors">{before} {after}</span> }.into_any();
        (format!("change-{number}"), links)
    }
}

/// How many changes are shown, each with a number.
fn shown(diff: &Diff) -> u64 {
    let of = |part: &Part| match part {
        Part::Changed(_, Change::Inside(inside)) => shown(inside),
        Part::Changed(..) => 1,
        Part::Same(_) | Part::Cut { .. } => 0,
    };
    diff.parts.iter().map(of).sum()
}

/// The parts of a document or a list.
pub fn tree(diff: Diff, anchors: &mut Anchors) -> AnyView {
    let parts: Vec<AnyView> = diff.parts.into_iter().map(|it| part(it, anchors)).collect();
    view! { <ul class="diff">{parts}</ul> }.into_any()
}

fn part(part: Part, anchors: &mut Anchors) -> AnyView {
    match part {
        Part::Same(places) => same(&places),
        Part::Changed(place, Change::Inside(inside)) => {
            let count = words::counted(inside.changes(), "change");
            view! {
                <li>
                    <details class="inside" open=true>
                        <summary>
                            <code>{name(&place)}</code>
                            " "
                            <span class="muted">{count}</span>
                        </summary>
                        {tree(inside, anchors)}
                    </details>
                </li>
            }
            .into_any()
        }
        Part::Changed(place, change) => changed(&place, change, anchors),
        Part::Cut { changes } => {
            let count = words::counted(changes, "more change");
            view! { <li class="muted">{format!("{count}, which the download has")}</li> }.into_any()
        }
    }
}

fn same(places: &[Place]) -> AnyView {
    let count = u64::try_from(places.len()).unwrap_or(u64::MAX);
    let names: Vec<String> = places.iter().take(NAMED).map(name).collect();
    let more = places.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        format!(" and {} more", words::count(more))
    });
    view! {
        <li class="same">
            <details>
                <summary>{format!("{} unchanged", words::count(count))}</summary>
                <p>{names.join(", ")} {more}</p>
            </details>
        </li>
    }
    .into_any()
}

fn changed(place: &Place, change: Change, anchors: &mut Anchors) -> AnyView {
    let (id, links) = anchors.take();
    let (kind, word, sides) = match change {
        Change::Added(it) => ("added", "Added", view! { <ins>{value(it)}</ins> }.into_any()),
        Change::Removed(it) => ("removed", "Removed", view! { <del>{value(it)}</del> }.into_any()),
        Change::Replaced { before, after } => {
            let sides = view! {
                <del>{value(before)}</del>
                <span class="becomes">" becomes "</span>
                <ins>{value(after)}</ins>
            };
            ("replaced", "Changed", sides.into_any())
        }
        // Told elsewhere.
        Change::Inside(_) => ("replaced", "Changed", ().into_any()),
    };
    view! {
        <li class="change" data-change=kind id=id>
            <span class="change-word">{word}</span>
            <code>{name(place)}</code>
            <div class="sides-in-line">{sides}</div>
            {links}
        </li>
    }
    .into_any()
}

/// A value on one line, or its lines behind how many values there are in it.
fn value(it: Value) -> AnyView {
    if let Some(plain) = it.plain().map(str::to_owned) {
        return view! { <code>{plain}</code> }.into_any();
    }
    let count = words::counted(it.count().saturating_sub(1), "value");
    let kind = if matches!(it, Value::List(_)) { "List" } else { "Document" };
    let mut text = String::new();
    lines(&it, 0, &mut text);
    view! {
        <details>
            <summary>{format!("{kind} of {count}")}</summary>
            <pre tabindex="0">{text}</pre>
        </details>
    }
    .into_any()
}

/// A value as an outline.
fn lines(value: &Value, depth: usize, text: &mut String) {
    let line = |text: &mut String, name: &str, it: &Value| {
        text.push_str(&"  ".repeat(depth));
        text.push_str(name);
        match (it.plain(), it) {
            (Some(plain), _) => {
                text.push(' ');
                text.push_str(plain);
                text.push('\n');
            }
            (None, Value::Cut { values }) => {
                let count = words::counted(*values, "value");
                text.extend([" … ", &count, "\n"]);
            }
            (None, inner) => {
                text.push('\n');
                lines(inner, depth + 1, text);
            }
        }
    };
    match value {
        Value::Document(entries) => {
            for (key, it) in entries {
                line(text, &format!("{key}:"), it);
            }
        }
        Value::List(items) => {
            for it in items {
                line(text, "-", it);
            }
        }
        Value::Scalar(_) | Value::Cut { .. } => line(text, "", value),
    }
}

fn name(place: &Place) -> String {
    match place {
        Place::Key(key) => key.clone(),
        Place::Item { name: Some(name), .. } => name.trim_matches('"').to_owned(),
        Place::Item { at, name: None } => format!("[{at}]"),
    }
}

#[cfg(test)]
mod tests {
    use model::Scalar;

    use super::*;

    #[test]
    fn a_value_is_an_outline_of_its_lines() {
        let text = |it: &str| Value::Scalar(Scalar { json: String::new(), shown: it.to_owned() });
        let inner = Value::List(vec![text("1"), Value::Document(vec![("a".into(), text("2"))])]);
        let whole =
            Value::Document(vec![("list".into(), inner), ("none".into(), Value::List(Vec::new()))]);
        let mut told = String::new();
        lines(&whole, 0, &mut told);
        assert_eq!(told, "list:\n  - 1\n  -\n    a: 2\nnone: []\n");
    }
}
