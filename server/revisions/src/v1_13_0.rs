//! v1.13.0: annotation schemas belong to the dataset; those the beta kept in its fields are dropped.
//!
//! Source: `fiftyone/migrations/revisions/v1_13_0.py`. Its result is kept to the letter: nothing at all
//! changes unless some schema is found; a field that has one keeps those of its subfields; only one level of
//! subfields is looked at. Down leaves `frame_label_schemas`, as FiftyOne does.
//!
//! Differs: a null where a list of fields belongs counts as empty (Python fails).

use bson::{Bson, Document, spec::BinarySubtype};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(1, 13, 0),
    summary: "Drop the annotation schemas of the beta",
    loses: Some("The annotation schemas (`active_label_schemas` and `label_schemas`)"),
    reads: &[],
    promise: Promise { up: &[], down: &[Claim::Lacks(&["active_label_schemas", "label_schemas"])] },
    up,
    down,
};

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    // On a copy, because schemas that are empty only go if there is another that is not.
    let mut cleaned = dataset.clone();
    let mut found = 0;
    for field in cleaned.sample_fields()? {
        if field.remove("schema").is_some_and(|it| truthy(&it)) {
            found += 1;
            continue;
        }
        for subfield in field.dicts("fields")? {
            if subfield.remove("schema").is_some_and(|it| it != Bson::Null) {
                found += 1;
            }
        }
    }
    if found > 0 {
        *dataset = cleaned;
        cx.warn_lost(found, "annotation schema", "dropped, as made by the beta");
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let active = dataset.document.remove("active_label_schemas");
    let schemas = dataset.document.remove("label_schemas");
    let active = active.as_ref().and_then(Bson::as_array).map_or(0, Vec::len);
    let schemas = schemas.as_ref().and_then(Bson::as_document).map_or(0, Document::len);
    cx.warn_lost(schemas, "annotation schema", "dropped");
    cx.warn_lost(active, "active annotation schema", "no longer remembered as such");
    Ok(())
}

/// Whether Python's `if` would take it.
fn truthy(value: &Bson) -> bool {
    match value {
        Bson::Null | Bson::Undefined | Bson::Boolean(false) | Bson::Int32(0) | Bson::Int64(0) => {
            false
        }
        Bson::Double(number) => *number != 0.0,
        Bson::String(text) => !text.is_empty(),
        Bson::Array(items) => !items.is_empty(),
        Bson::Document(inner) => !inner.is_empty(),
        // Other subtypes are objects, and objects are true.
        Bson::Binary(it) if it.subtype == BinarySubtype::Generic => !it.bytes.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::{DateTime, doc};

    use super::*;

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<String>), Reason> {
        let (names, results) = (Names::default(), BTreeSet::new());
        let mut cx =
            Context::new(Env { now: DateTime::from_millis(1), named: DateTime::from_millis(1), names: &names, results: &results });
        let mut dataset = Dataset::new(document);
        transform(&mut dataset, &mut cx)?;
        assert_eq!(cx.steps, []);
        Ok((dataset.document, cx.warnings))
    }

    #[test]
    fn schemas_go_from_fields_and_their_subfields_in_place() {
        let fields = vec![
            doc! { "name": "a", "schema": { "x": 1 }, "ftype": "f", "fields": [] },
            doc! { "name": "b", "schema": {}, "fields": [{ "name": "c", "schema": {}, "ftype": "f" }] },
        ];
        let expected = doc! { "sample_fields": [
            { "name": "a", "ftype": "f", "fields": [] },
            { "name": "b", "fields": [{ "name": "c", "ftype": "f" }] },
        ], "z": 1 };
        let (after, warnings) = run(up, doc! { "sample_fields": fields, "z": 1 }).unwrap();
        assert_eq!(after, expected);
        assert_eq!(warnings, ["2 annotation schemas are dropped, as made by the beta"]);
    }

    #[test]
    fn a_field_with_a_schema_keeps_those_of_its_subfields() {
        let fields = vec![doc! { "schema": 1, "fields": [{ "schema": 1 }] }];
        let (after, _) = run(up, doc! { "sample_fields": fields }).unwrap();
        assert_eq!(after, doc! { "sample_fields": [{ "fields": [{ "schema": 1 }] }] });
    }

    #[test]
    fn empty_schemas_alone_stay() {
        for empty in [Bson::Null, doc! {}.into(), 0.into(), "".into(), 0.0.into(), false.into()] {
            let fields = vec![doc! { "schema": empty, "fields": [{ "schema": null }] }];
            let before = doc! { "sample_fields": fields };
            assert_eq!(run(up, before.clone()).unwrap(), (before, Vec::new()));
        }
    }

    #[test]
    fn an_empty_schema_of_a_subfield_counts() {
        let fields = vec![doc! { "schema": null, "fields": [{ "schema": "" }] }];
        let (after, _) = run(up, doc! { "sample_fields": fields }).unwrap();
        assert_eq!(after, doc! { "sample_fields": [{ "fields": [{}] }] });
    }

    #[test]
    fn null_is_no_field_and_a_text_is_refused() {
        for before in
            [doc! {}, doc! { "sample_fields": null }, doc! { "sample_fields": [{ "fields": null }] }]
        {
            assert_eq!(run(up, before.clone()).unwrap(), (before, Vec::new()));
        }
        assert!(run(up, doc! { "sample_fields": "a" }).is_err());
        assert!(run(up, doc! { "sample_fields": [{ "fields": ["a"] }] }).is_err());
    }

    #[test]
    fn going_down_drops_the_schemas_of_the_dataset_but_not_of_its_frames() {
        let before = doc! { "label_schemas": { "a": {}, "b": {} }, "active_label_schemas": ["a"],
            "frame_label_schemas": { "a": {} }, "z": 1 };
        let (after, warnings) = run(down, before).unwrap();
        assert_eq!(after, doc! { "frame_label_schemas": { "a": {} }, "z": 1 });
        assert_eq!(
            warnings,
            [
                "2 annotation schemas are dropped",
                "1 active annotation schema is no longer remembered as such"
            ]
        );
    }

    #[test]
    fn going_down_says_nothing_where_there_was_nothing() {
        for before in [
            doc! {},
            doc! { "label_schemas": {}, "active_label_schemas": [] },
            doc! { "label_schemas": null, "active_label_schemas": "a" },
        ] {
            assert_eq!(run(down, before).unwrap(), (doc! {}, Vec::new()));
        }
    }
}
