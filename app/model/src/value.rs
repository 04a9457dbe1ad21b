//! A value of a document as pages and scripts get it: JSON-like, its keys in order, its types kept.

use serde::{Deserialize, Serialize};

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Keys with their values, in order.
    Document(Vec<(String, Value)>),
    /// Values, in order.
    List(Vec<Value>),
    /// Anything else.
    Scalar(Scalar),
    /// Something that is too large to be told.
    Cut {
        /// How many values there are in it.
        values: u64,
    },
}

/// A value without an inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scalar {
    /// Canonical extended JSON: `{"$numberInt":"7"}`.
    pub json: String,
    /// The same for people: `7`.
    pub shown: String,
}

impl Value {
    /// How many values there are in it, itself included.
    pub fn count(&self) -> u64 {
        match self {
            Self::Document(entries) => 1 + entries.iter().map(|(_, it)| it.count()).sum::<u64>(),
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<u64>(),
            Self::Scalar(_) => 1,
            Self::Cut { values } => *values,
        }
    }

    /// What is at this key of a document.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Document(entries) => entries.iter().find(|(it, _)| it == key).map(|(_, it)| it),
            Self::List(_) | Self::Scalar(_) | Self::Cut { .. } => None,
        }
    }

    /// What it is on one line, if it has no inside, or an empty one.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Scalar(it) => Some(&it.shown),
            Self::Document(entries) if entries.is_empty() => Some("{}"),
            Self::List(items) if items.is_empty() => Some("[]"),
            Self::Document(_) | Self::List(_) | Self::Cut { .. } => None,
        }
    }

    /// Canonical extended JSON, indented, the keys in their order.
    pub fn json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        match self {
            Self::Document(entries) => {
                let entries = entries.iter().map(|(key, it)| (Some(key.as_str()), it));
                write_all(text, depth, ['{', '}'], entries);
            }
            Self::List(items) => {
                write_all(text, depth, ['[', ']'], items.iter().map(|it| (None, it)));
            }
            Self::Scalar(it) => text.push_str(&it.json),
            // No document has such a key at this place; nobody takes it for one.
            Self::Cut { values } => {
                let count = values.to_string();
                text.extend(["{\"$cut\":\"", &count, " values\"}"]);
            }
        }
    }

    /// The same with at most `left` values; what is beyond is told as cut.
    #[must_use]
    pub fn within(self, left: &mut u64) -> Self {
        if *left == 0 {
            return Self::Cut { values: self.count() };
        }
        *left -= 1;
        match self {
            Self::Document(entries) => {
                let within = |(key, it): (String, Self)| (key, it.within(left));
                Self::Document(entries.into_iter().map(within).collect())
            }
            Self::List(items) => Self::List(items.into_iter().map(|it| it.within(left)).collect()),
            other => other,
        }
    }
}

fn write_all<'a>(
    text: &mut String,
    depth: usize,
    [open, close]: [char; 2],
    entries: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
) {
    text.push(open);
    let mut any = false;
    for (key, value) in entries {
        text.push_str(if any { ",\n" } else { "\n" });
        any = true;
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            text.push_str(&quoted(key));
            text.push_str(": ");
        }
        value.write(text, depth + 1);
    }
    if any {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    }
    text.push(close);
}

/// A text as it stands in JSON.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            it if it.is_control() => {
                let code = format!("\\u{:04x}", u32::from(it));
                quoted.push_str(&code);
            }
            it => quoted.push(it),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(it: &str) -> Value {
        Value::Scalar(Scalar { json: quoted(it), shown: it.to_owned() })
    }

    #[test]
    fn a_document_is_written_with_its_keys_in_order() {
        let inner = Value::List(vec![text("a\"b"), Value::Document(Vec::new())]);
        let whole = Value::Document(vec![("z".into(), inner), ("a".into(), text("\u{1}é"))]);
        let json = "{\n  \"z\": [\n    \"a\\\"b\",\n    {}\n  ],\n  \"a\": \"\\u0001é\"\n}";
        assert_eq!(whole.json(), json);
        assert_eq!((whole.count(), whole.get("a")), (5, Some(&text("\u{1}é"))));
    }

    #[test]
    fn what_is_too_large_is_told_as_cut_with_how_much_there_is() {
        let many = Value::List((0..10).map(|it| text(&it.to_string())).collect());
        let whole = Value::Document(vec![("first".into(), many.clone()), ("last".into(), many)]);
        let mut left = 5;
        let Value::Document(entries) = whole.within(&mut left) else { panic!("it is a document") };
        let Value::List(items) = &entries[0].1 else { panic!("it is a list") };
        assert_eq!(items[..3], [text("0"), text("1"), text("2")]);
        assert_eq!(items[3..], vec![Value::Cut { values: 1 }; 7]);
        assert_eq!(entries[1].1, Value::Cut { values: 11 });
    }
}
