//! One half of one revision on one dataset, for tests.

use std::collections::BTreeSet;

use bson::{DateTime, Document, oid::ObjectId};

use crate::{Context, Dataset, Env, Names, Reason, Step, Transform};

/// What came out.
pub(crate) struct Trial {
    pub dataset: Dataset,
    pub steps: Vec<Step>,
    pub warnings: Vec<String>,
}

/// Runs `change` at the beginning of 2024 on a dataset among others.
pub(crate) fn among(
    names: &Names,
    results: &BTreeSet<ObjectId>,
    change: Transform,
    mut dataset: Dataset,
) -> Result<Trial, Reason> {
    let now = DateTime::parse_rfc3339_str("2024-01-02T03:04:05.678Z").unwrap();
    let mut cx = Context::new(Env { now, named: now, names, results });
    change(&mut dataset, &mut cx)?;
    Ok(Trial { dataset, steps: cx.steps, warnings: cx.warnings })
}

/// Runs `change` on the only dataset of a database.
pub(crate) fn alone(change: Transform, document: Document) -> Result<Trial, Reason> {
    among(&Names::default(), &BTreeSet::new(), change, Dataset::new(document))
}

/// Checks what a document becomes, and gives the warnings.
#[track_caller]
pub(crate) fn becomes(change: Transform, before: Document, after: Document) -> Vec<String> {
    let Trial { dataset, warnings, .. } = alone(change, before).unwrap();
    assert_same(&dataset.document, &after);
    warnings
}

/// Checks that a document is refused, and gives the reason.
#[track_caller]
pub(crate) fn refuses(change: Transform, before: Document) -> String {
    alone(change, before).err().expect("it was not refused").to_string()
}

/// Equality that sees the order of keys and the types of numbers.
#[track_caller]
pub(crate) fn assert_same(found: &Document, expected: &Document) {
    assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
}
