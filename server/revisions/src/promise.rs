//! What holds of a dataset document that has crossed a revision, as data: what the verifying of a run looks for.

mod form;

use std::fmt;

use bson::{Bson, RawBsonRef, RawDocument, spec::ElementType};
use model::Direction;

use crate::{Defaults, Release, between, direction};

pub use form::Form;

/// What a revision promises of every dataset document that crosses it.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Towards newer versions.
    pub up: &'static [Claim],
    /// Towards older versions.
    pub down: &'static [Claim],
}

/// Something that holds of a dataset document.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// These keys are there, null or of the kind that they start as.
    Has(Defaults),
    /// These keys are there, and not null.
    Keeps(&'static [&'static str]),
    /// None of these keys is there.
    Lacks(&'static [&'static str]),
    /// None of the keys of these defaults is there.
    Drops(Defaults),
    /// Every field of both schemas has these keys.
    FieldsHave(&'static [&'static str]),
    /// No field of either schema has one of these keys.
    FieldsLack(&'static [&'static str]),
    /// The schema of the samples has a field of this name, if there is a schema.
    HasField(Of, &'static str),
    /// The schema of the samples has no field of this name.
    LacksField(Of, &'static str),
    /// No run that these keys hold has this key; runs that they only refer to are not looked at.
    RunsLack(&'static [&'static str], &'static str),
    /// These keys only refer to runs: none is inside the document.
    RunsOutside(&'static [&'static str]),
    /// These keys hold runs: none is only referred to.
    RunsInside(&'static [&'static str]),
}

/// Of which datasets something is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of all.
    All,
    /// Of those of videos.
    Videos,
}

/// A claim that does not hold of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What is wrong, as what follows "it": "has no `slug`".
    pub text: String,
    /// Whether a client of the right version may have left it so: FiftyOne removes what is empty when somebody edits it.
    pub harmless: bool,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All that is claimed of a document that went from one version to another.
pub fn promised(head: &Release, destination: &Release) -> Vec<Claim> {
    let down = direction(head, destination) == Some(Direction::Down);
    let crossed = between(head, destination).into_iter();
    let claims = crossed.flat_map(|it| if down { it.promise.down } else { it.promise.up });
    claims.copied().collect()
}

/// Which of these do not hold of a document.
pub fn breaches(claims: &[Claim], document: &RawDocument) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = Vec::new();
    for it in claims {
        it.judge(document, &mut |text, harmless| {
            let breach = Breach { text, harmless };
            // Each field may say the same.
            if !breaches.contains(&breach) {
                breaches.push(breach);
            }
        });
    }
    breaches
}

/// Takes a sentence, and whether what it says is harmless.
type Tell<'a> = &'a mut dyn FnMut(String, bool);

impl Claim {
    fn judge(&self, document: &RawDocument, tell: Tell<'_>) {
        match *self {
            Self::Has(defaults) => {
                for (key, initial) in defaults {
                    has(document, key, &initial(), tell);
                }
            }
            Self::Keeps(keys) => {
                for key in keys {
                    if matches!(value(document, key), None | Some(RawBsonRef::Null)) {
                        tell(format!("has no `{key}`"), false);
                    }
                }
            }
            Self::Lacks(keys) => lacks(document, keys.iter().copied(), tell),
            Self::Drops(defaults) => lacks(document, defaults.iter().map(|(key, _)| *key), tell),
            Self::FieldsHave(keys) => each_field(document, |field| {
                for key in keys.iter().filter(|it| value(field, it).is_none()) {
                    tell(format!("has a field {}without `{key}`", called(field)), false);
                }
            }),
            Self::FieldsLack(keys) => each_field(document, |field| {
                for key in keys.iter().filter(|it| value(field, it).is_some()) {
                    tell(format!("has a field {}with `{key}`", called(field)), false);
                }
            }),
            Self::HasField(of, name) => {
                let mut fields = fields(document, "sample_fields").peekable();
                if of.is(document) && fields.peek().is_some() && !fields.any(|it| is(it, name)) {
                    tell(format!("has no field `{name}`"), false);
                }
            }
            Self::LacksField(of, name) => {
                if of.is(document) && fields(document, "sample_fields").any(|it| is(it, name)) {
                    tell(format!("has a field `{name}`"), false);
                }
            }
            Self::RunsLack(kinds, key) => each_run(document, kinds, |path, slot| {
                if let RawBsonRef::Document(run) = slot
                    && value(run, key).is_some()
                {
                    tell(format!("has a run `{path}` with `{key}`"), false);
                }
            }),
            Self::RunsOutside(kinds) => each_run(document, kinds, |path, slot| {
                if matches!(slot, RawBsonRef::Document(_)) {
                    tell(format!("has the run `{path}` inside its document"), false);
                }
            }),
            Self::RunsInside(kinds) => each_run(document, kinds, |path, slot| {
                if matches!(slot, RawBsonRef::ObjectId(_)) {
                    tell(format!("has the run `{path}` outside its document"), false);
                }
            }),
        }
    }
}

impl Of {
    fn is(self, document: &RawDocument) -> bool {
        self == Self::All || document.get_str("media_type").is_ok_and(|it| it == "video")
    }
}

fn has(document: &RawDocument, key: &str, initial: &Bson, tell: Tell<'_>) {
    match value(document, key) {
        None => tell(format!("has no `{key}`"), is_empty(initial)),
        Some(RawBsonRef::Null) => {}
        Some(found)
            if *initial == Bson::Null
                || kind(found.element_type()) == kind(initial.element_type()) => {}
        Some(found) => {
            let (found, expected) = (kind(found.element_type()), kind(initial.element_type()));
            tell(format!("has {found} as `{key}`, not {expected}"), false);
        }
    }
}

fn lacks<'a>(document: &RawDocument, keys: impl Iterator<Item = &'a str>, tell: Tell<'_>) {
    for key in keys.filter(|it| value(document, it).is_some()) {
        tell(format!("has `{key}`"), false);
    }
}

fn is_empty(value: &Bson) -> bool {
    match value {
        Bson::Null => true,
        Bson::Document(it) => it.is_empty(),
        Bson::Array(it) => it.is_empty(),
        Bson::String(it) => it.is_empty(),
        _ => false,
    }
}

/// The kind of a value; numbers are of one.
fn kind(of: ElementType) -> &'static str {
    match of {
        ElementType::Array => "a list",
        ElementType::EmbeddedDocument => "a document",
        ElementType::String => "a text",
        ElementType::Boolean => "a truth value",
        ElementType::Int32 | ElementType::Int64 | ElementType::Double | ElementType::Decimal128 => {
            "a number"
        }
        ElementType::ObjectId => "an id",
        ElementType::DateTime => "a date",
        _ => "something else",
    }
}

fn value<'a>(document: &'a RawDocument, key: &str) -> Option<RawBsonRef<'a>> {
    document.get(key).ok().flatten()
}

/// The fields in a schema; whatever else may be there is passed over.
fn fields<'a>(
    document: &'a RawDocument,
    schema: &str,
) -> impl Iterator<Item = &'a RawDocument> + use<'a> {
    let list = value(document, schema).and_then(RawBsonRef::as_array);
    list.into_iter().flatten().flatten().filter_map(RawBsonRef::as_document)
}

fn each_field(document: &RawDocument, mut see: impl FnMut(&RawDocument)) {
    fields(document, "sample_fields").chain(fields(document, "frame_fields")).for_each(&mut see);
}

fn is(field: &RawDocument, name: &str) -> bool {
    field.get_str("name").is_ok_and(|it| it == name)
}

/// "`name` ", if it has one.
fn called(field: &RawDocument) -> String {
    field.get_str("name").map(|it| format!("`{it}` ")).unwrap_or_default()
}

fn each_run<'a>(
    document: &'a RawDocument,
    kinds: &[&str],
    mut see: impl FnMut(&str, RawBsonRef<'a>),
) {
    for it in kinds {
        let runs = value(document, it).and_then(RawBsonRef::as_document);
        for (key, slot) in runs.into_iter().flatten().flatten() {
            see(&format!("{it}.{}", key.as_str()), slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{Document, RawDocumentBuf, doc, oid::ObjectId};

    use super::*;

    fn told(claim: Claim, document: Document) -> Vec<String> {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        breaches(&[claim], &raw).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_key_is_there_and_of_its_kind_or_missing_where_fiftyone_removes_what_is_empty() {
        const ADDED: Defaults = &[("a", || doc! {}.into()), ("b", || "x".into())];
        let claim = Claim::Has(ADDED);
        assert_eq!(told(claim, doc! { "a": { "c": 1 }, "b": null }), [""; 0]);
        assert_eq!(told(claim, doc! { "a": [], "b": "y" }), ["has a list as `a`, not a document"]);
        let raw = RawDocumentBuf::try_from(&doc! {}).unwrap();
        let found = breaches(&[claim], &raw);
        assert_eq!(found.iter().map(|it| it.harmless).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn fields_and_runs_are_looked_into() {
        let fields = vec![doc! { "name": "a", "info": null }, doc! { "name": "b" }];
        let document = doc! {
            "sample_fields": fields, "frame_fields": null,
            "evaluations": { "e": { "key": "e" }, "f": ObjectId::from_bytes([1; 12]) },
        };
        let of = |claim| told(claim, document.clone());
        assert_eq!(of(Claim::FieldsHave(&["info"])), ["has a field `b` without `info`"]);
        assert_eq!(of(Claim::FieldsLack(&["info"])), ["has a field `a` with `info`"]);
        assert_eq!(of(Claim::HasField(Of::All, "c")), ["has no field `c`"]);
        assert_eq!(of(Claim::HasField(Of::Videos, "c")), [""; 0]);
        assert_eq!(of(Claim::LacksField(Of::All, "b")), ["has a field `b`"]);
        let kinds = &["evaluations", "brain_methods"];
        assert_eq!(
            of(Claim::RunsOutside(kinds)),
            ["has the run `evaluations.e` inside its document"]
        );
        assert_eq!(
            of(Claim::RunsInside(kinds)),
            ["has the run `evaluations.f` outside its document"]
        );
        assert_eq!(of(Claim::RunsLack(kinds, "key")), ["has a run `evaluations.e` with `key`"]);
    }
}
