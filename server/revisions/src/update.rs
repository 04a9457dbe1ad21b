//! Changes to every document of a collection, as data.

use bson::{Bson, DateTime, Document, doc};

/// One change made to every document of a collection. Applying it twice changes nothing more.
#[derive(Clone, Debug)]
pub enum Update {
    /// Move the value at `from` to `to`, which goes to the end unless it was there. Nothing happens to
    /// documents without `from`.
    Rename {
        /// The key that is there.
        from: String,
        /// The key that shall be there.
        to: String,
    },
    /// Give every document this value, at the end unless the key was there.
    Set {
        /// The top-level key.
        field: String,
        /// Its value.
        value: Expr,
    },
    /// Remove a key.
    Unset {
        /// The top-level key.
        field: String,
    },
    /// A change the server has no words for; documents are read, changed and written back.
    Each(fn(&mut Document)),
}

/// A value, the same for all documents or computed from each.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// The same for all.
    Value(Bson),
    /// When the document was created, read from its `_id`; for an `_id` that is not an object id, this.
    CreatedAt(DateTime),
}

impl Update {
    /// The aggregation stages that do this on the server, if there are any. Needs server 4.2.
    pub fn stages(&self) -> Option<Vec<Document>> {
        Some(match self {
            Self::Rename { from, to } => {
                // `{ $set: { to: "$from" } }` alone would delete `to` where `from` is missing.
                let (source, target) = (format!("${from}"), format!("${to}"));
                let absent = doc! { "$eq": [{ "$type": &source }, "missing"] };
                vec![
                    doc! { "$set": { to: { "$cond": [absent, target, source] } } },
                    doc! { "$unset": from },
                ]
            }
            Self::Set { field, value } => vec![doc! { "$set": { field: value.operand() } }],
            Self::Unset { field } => vec![doc! { "$unset": field }],
            Self::Each(_) => return None,
        })
    }

    /// The same change, made here: what a preview shows and what tests compare with.
    pub fn apply(&self, document: &mut Document) {
        match self {
            Self::Rename { from, to } => {
                if let Some(value) = document.remove(from) {
                    document.insert(to.clone(), value);
                }
            }
            Self::Set { field, value } => {
                let value = value.evaluate(document);
                document.insert(field.clone(), value);
            }
            Self::Unset { field } => {
                document.remove(field);
            }
            Self::Each(change) => change(document),
        }
    }
}

impl Expr {
    fn operand(&self) -> Bson {
        match self {
            // A text with a dollar in front is a value too.
            Self::Value(value) => doc! { "$literal": value }.into(),
            Self::CreatedAt(otherwise) => doc! { "$cond": [
                { "$eq": [{ "$type": "$_id" }, "objectId"] },
                { "$toDate": "$_id" },
                { "$literal": otherwise },
            ] }
            .into(),
        }
    }

    pub(crate) fn evaluate(&self, document: &Document) -> Bson {
        match self {
            Self::Value(value) => value.clone(),
            Self::CreatedAt(otherwise) => match document.get_object_id("_id") {
                Ok(id) => Bson::DateTime(id.timestamp()),
                Err(_) => Bson::DateTime(*otherwise),
            },
        }
    }
}

impl<T: Into<Bson>> From<T> for Expr {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl PartialEq for Update {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Each(_), _) | (_, Self::Each(_)) => false,
            _ => self.stages() == other.stages(),
        }
    }
}
