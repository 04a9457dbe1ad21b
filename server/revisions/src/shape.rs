//! Reading documents that may be malformed: what is missing or null is `None`, what has the wrong type
//! is a [`Reason`] that names the key.

use bson::{Bson, Document};

use crate::Reason;

/// Typed access to a document that somebody else wrote.
pub trait Shape {
    /// The text at `key`, or `""` if there is none.
    fn text(&self, key: &str) -> &str;

    /// The list at `key`; `None` if missing or null.
    ///
    /// # Errors
    ///
    /// If something else is there.
    fn list(&mut self, key: &str) -> Result<Option<&mut Vec<Bson>>, Reason>;

    /// The document at `key`; `None` if missing or null.
    ///
    /// # Errors
    ///
    /// If something else is there.
    fn dict(&mut self, key: &str) -> Result<Option<&mut Document>, Reason>;

    /// The documents in the list at `key`; empty if missing or null.
    ///
    /// # Errors
    ///
    /// If it is not a list, or one of its items is not a document.
    fn dicts(&mut self, key: &str) -> Result<Vec<&mut Document>, Reason>;

    /// The documents in the document at `key`, with their keys; empty if missing or null.
    ///
    /// # Errors
    ///
    /// If it is not a document, or one of its values is not.
    fn dict_values(&mut self, key: &str) -> Result<Vec<(String, &mut Document)>, Reason>;
}

impl Shape for Document {
    fn text(&self, key: &str) -> &str {
        self.get_str(key).unwrap_or_default()
    }

    fn list(&mut self, key: &str) -> Result<Option<&mut Vec<Bson>>, Reason> {
        match self.get_mut(key) {
            None | Some(Bson::Null) => Ok(None),
            Some(Bson::Array(items)) => Ok(Some(items)),
            Some(other) => Err(malformed(key, other, "a list")),
        }
    }

    fn dict(&mut self, key: &str) -> Result<Option<&mut Document>, Reason> {
        match self.get_mut(key) {
            None | Some(Bson::Null) => Ok(None),
            Some(Bson::Document(inner)) => Ok(Some(inner)),
            Some(other) => Err(malformed(key, other, "a document")),
        }
    }

    fn dicts(&mut self, key: &str) -> Result<Vec<&mut Document>, Reason> {
        let items = self.list(key)?.into_iter().flatten().enumerate();
        items.map(|(index, it)| document(it, || format!("{key}[{index}]"))).collect()
    }

    fn dict_values(&mut self, key: &str) -> Result<Vec<(String, &mut Document)>, Reason> {
        let Some(inner) = self.dict(key)? else { return Ok(Vec::new()) };
        inner
            .iter_mut()
            .map(|(name, it)| Ok((name.clone(), document(it, || format!("{key}.{name}"))?)))
            .collect()
    }
}

/// The document in `value`.
///
/// # Errors
///
/// If something else is there; `path` names the place.
pub(crate) fn document(
    value: &mut Bson,
    path: impl FnOnce() -> String,
) -> Result<&mut Document, Reason> {
    match value {
        Bson::Document(inner) => Ok(inner),
        other => Err(malformed(&path(), other, "a document")),
    }
}

/// The sentence about a value of the wrong type at `path`.
pub(crate) fn malformed(path: &str, found: &Bson, expected: &str) -> Reason {
    let found = match found {
        Bson::Null => "null",
        Bson::Array(_) => "a list",
        Bson::Document(_) => "a document",
        Bson::String(_) => "a text",
        Bson::Boolean(_) => "a truth value",
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => "a number",
        Bson::ObjectId(_) => "an id",
        Bson::DateTime(_) => "a date",
        _ => "something else",
    };
    Reason::new(format!("the dataset is malformed: `{path}` is {found}, not {expected}"))
}
