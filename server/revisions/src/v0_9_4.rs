//! v0.9.4: fields say under which key they are stored, and ids are fields.
//!
//! Source: `fiftyone/migrations/revisions/v0_9_4.py`.
//!
//! Differs: a field without a name gets no `db_field`, and null in place of the fields stays. FiftyOne stops
//! with an error.

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 9, 4),
    summary: "Say under which key each field is stored, and list the ids as fields",
    loses: Some("The keys of fields that are not stored under their own name"),
    reads: &[],
    promise: Promise { up: &[Claim::FieldsHave(&["db_field"]), Claim::HasField(Of::All, "id")], down: &[Claim::FieldsLack(&["db_field"]), Claim::LacksField(Of::All, "id")] },
    up,
    down,
};

/// A field that goes without saying in older versions: its name and its type.
type Implied = (&'static str, &'static str);

const ID: Implied = ("id", "fiftyone.core.fields.ObjectIdField");

/// Each list of fields, and what is implied in it, in order.
const LISTS: [(&str, &[Implied]); 2] = [
    ("sample_fields", &[ID]),
    (
        "frame_fields",
        &[
            ID,
            ("frame_number", "fiftyone.core.fields.FrameNumberField"),
            ("_sample_id", "fiftyone.core.fields.ObjectIdField"),
        ],
    ),
];

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    for (list, implied) in LISTS {
        for field in dataset.document.dicts(list)? {
            if let Some(key) = stored_as(field)
                && !field.contains_key("db_field")
            {
                field.insert("db_field", key);
            }
        }
        if !dataset.document.contains_key(list) {
            dataset.document.insert(list, Bson::Array(Vec::new()));
        }
        let Some(fields) = dataset.document.list(list)? else { continue };
        for (index, it) in implied.iter().enumerate() {
            if !fields.iter().any(|field| is(field, it)) {
                // In a shorter list, Python's `insert` appends.
                fields.insert(index.min(fields.len()), field(it).into());
            }
        }
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let mut lost = 0;
    for (list, implied) in LISTS {
        for field in dataset.document.dicts(list)? {
            let key = field.remove("db_field");
            let other = matches!(key, Some(Bson::String(_))) && key != stored_as(field);
            lost += usize::from(other && !implied.iter().any(|it| field.text("name") == it.0));
        }
        if !dataset.document.contains_key(list) {
            dataset.document.insert(list, Bson::Array(Vec::new()));
        }
        if let Some(fields) = dataset.document.list(list)? {
            fields.retain(|field| !implied.iter().any(|it| is(field, it)));
        }
    }
    if lost > 0 {
        cx.warn(format!(
            "fields that are stored under another name than their own can no longer be found ({lost})"
        ));
    }
    Ok(())
}

/// The key a field was stored under before fields could say; nothing if it has no name.
fn stored_as(field: &Document) -> Option<Bson> {
    match field.get("name") {
        Some(Bson::String(name)) if name == "id" => Some("_id".into()),
        name => name.cloned(),
    }
}

fn is(field: &Bson, implied: &Implied) -> bool {
    field.as_document().is_some_and(|it| it.text("name") == implied.0)
}

fn field((name, ftype): &Implied) -> Document {
    doc! {
        "name": *name,
        "ftype": *ftype,
        "subfield": null,
        "embedded_doc_type": null,
        "db_field": if *name == "id" { "_id" } else { name },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<String>), Reason> {
        let Trial { dataset, warnings, .. } = alone(transform, document)?;
        Ok((dataset.document, warnings))
    }

    fn names(document: &Document, list: &str) -> Vec<String> {
        let fields = document.get_array(list).unwrap().iter();
        fields.map(|it| it.as_document().unwrap().text("name").to_owned()).collect()
    }

    #[test]
    fn fields_get_the_key_they_are_stored_under_unless_they_say_so() {
        let fields = doc! { "sample_fields": [
            { "name": "id" }, { "name": "a" }, { "name": "b", "db_field": null }, { "ftype": "t" },
        ], "frame_fields": null };
        let (document, _) = run(REVISION.up, fields).unwrap();
        let expected = doc! { "sample_fields": [
            { "name": "id", "db_field": "_id" },
            { "name": "a", "db_field": "a" },
            { "name": "b", "db_field": null },
            { "ftype": "t" },
        ], "frame_fields": null };
        assert_eq!(document, expected);
    }

    #[test]
    fn implied_fields_go_in_front_in_their_order() {
        let document = doc! { "sample_fields": [{ "name": "a" }], "frame_fields": [{ "name": "a" }] };
        let (up, _) = run(REVISION.up, document.clone()).unwrap();
        assert_eq!(names(&up, "sample_fields"), ["id", "a"]);
        assert_eq!(names(&up, "frame_fields"), ["id", "frame_number", "_sample_id", "a"]);
        assert_eq!(
            up.get_array("frame_fields").unwrap()[1],
            Bson::Document(doc! {
                "name": "frame_number",
                "ftype": "fiftyone.core.fields.FrameNumberField",
                "subfield": null,
                "embedded_doc_type": null,
                "db_field": "frame_number",
            })
        );
        assert_eq!(run(REVISION.down, up).unwrap(), (document, vec![]));
    }

    #[test]
    fn a_field_that_is_there_keeps_its_place() {
        for (before, after) in [
            (vec!["a", "id"], vec!["a", "frame_number", "_sample_id", "id"]),
            (vec!["_sample_id"], vec!["id", "frame_number", "_sample_id"]),
            (vec!["frame_number", "a"], vec!["id", "frame_number", "_sample_id", "a"]),
        ] {
            let fields: Vec<Document> = before.iter().map(|it| doc! { "name": *it }).collect();
            let (up, _) = run(REVISION.up, doc! { "frame_fields": fields }).unwrap();
            assert_eq!(names(&up, "frame_fields"), after);
        }
    }

    #[test]
    fn missing_lists_are_added() {
        let (up, _) = run(REVISION.up, doc! {}).unwrap();
        assert_eq!(names(&up, "sample_fields"), ["id"]);
        assert_eq!(names(&up, "frame_fields"), ["id", "frame_number", "_sample_id"]);
        let (down, _) = run(REVISION.down, doc! {}).unwrap();
        assert_eq!(down, doc! { "sample_fields": [], "frame_fields": [] });
    }

    #[test]
    fn going_down_counts_the_fields_that_are_stored_under_another_name() {
        let document = doc! { "sample_fields": [
            { "name": "a", "db_field": "b" },
            { "name": "c", "db_field": null },
            { "name": "id", "db_field": "_id" },
            { "db_field": "d" },
        ] };
        let (document, warnings) = run(REVISION.down, document).unwrap();
        let expected =
            doc! { "sample_fields": [{ "name": "a" }, { "name": "c" }, {}], "frame_fields": [] };
        assert_eq!(document, expected);
        assert_eq!(
            warnings,
            ["fields that are stored under another name than their own can no longer be found (2)"]
        );
    }

    #[test]
    fn a_field_that_is_no_document_is_refused() {
        for transform in [REVISION.up, REVISION.down] {
            let reason = run(transform, doc! { "frame_fields": [{}, "a"] }).unwrap_err();
            assert!(reason.to_string().contains("`frame_fields[1]` is a text"), "{reason}");
        }
    }
}
