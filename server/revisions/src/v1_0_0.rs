//! v1.0.0: samples and frames know when they were created and last changed; fields can be read-only.
//!
//! Source: `fiftyone/migrations/revisions/v1_0_0.py`.
//!
//! Differs: a sample whose `_id` is not an object id counts as created now (Python fails after it has
//! changed some of the samples). A field list that is null counts as empty, as one that is missing.

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(1, 0, 0),
    summary: "Record when samples and frames were created and last modified",
    loses: None,
    reads: &[],
    promise: Promise { up: &[Claim::Keeps(&["last_modified_at"]), Claim::FieldsHave(&["read_only"])], down: &[] },
    up,
    down: |_, _| Ok(()),
};

const DATE: &str = "fiftyone.core.fields.DateTimeField";

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if matches!(dataset.document.get("last_modified_at"), None | Some(Bson::Null)) {
        dataset.document.insert("last_modified_at", cx.env.now);
    }
    populate(dataset, cx, Scope::Samples, "sample_fields", "sample_collection_name")?;
    populate(dataset, cx, Scope::Frames, "frame_fields", "frame_collection_name")
}

/// Declares the two dates in the schema at `fields` and gives every document of `scope` what was not
/// declared before, if there is a collection.
fn populate(
    dataset: &mut Dataset,
    cx: &mut Context<'_>,
    scope: Scope,
    fields: &str,
    collection: &str,
) -> Result<(), Reason> {
    let exists = !dataset.document.text(collection).is_empty();
    let added = declare(&mut dataset.document, fields)?;
    let now = cx.env.now;
    if exists && added.created_at {
        cx.every(scope).set("created_at", Expr::CreatedAt(now));
    }
    if exists && added.last_modified_at {
        cx.every(scope).set("last_modified_at", now);
    }
    Ok(())
}

/// Which of the two dates were not in the schema.
#[derive(Default)]
struct Added {
    created_at: bool,
    last_modified_at: bool,
}

fn declare(document: &mut Document, key: &str) -> Result<Added, Reason> {
    let mut added = Added { created_at: true, last_modified_at: true };
    let mut any = false;
    for field in document.dicts(key)? {
        any = true;
        match field.text("name") {
            "created_at" => {
                added.created_at = false;
                make_read_only(field)?;
            }
            "last_modified_at" => {
                added.last_modified_at = false;
                make_read_only(field)?;
            }
            _ if !field.contains_key("read_only") => {
                field.insert("read_only", false);
            }
            _ => (),
        }
    }
    // A schema without a single field, as that of the frames of an image dataset, stays empty.
    if !any {
        return Ok(Added::default());
    }
    if let Some(list) = document.list(key)? {
        for (name, missing) in
            [("created_at", added.created_at), ("last_modified_at", added.last_modified_at)]
        {
            if missing {
                list.push(date_field(name).into());
            }
        }
    }
    Ok(added)
}

fn make_read_only(field: &mut Document) -> Result<(), Reason> {
    if field.text("ftype") != DATE {
        let name = field.text("name");
        let ftype = match field.get("ftype") {
            Some(Bson::String(ftype)) => format!("`{ftype}`"),
            Some(other) => format!("`{other}`"),
            None => "unknown".to_owned(),
        };
        return Err(Reason::new(format!(
            "its field `{name}` is of type {ftype}, but from v1.0.0 on that name is a date that FiftyOne \
             keeps; rename or delete the field, and migrate again"
        )));
    }
    field.insert("read_only", true);
    Ok(())
}

fn date_field(name: &str) -> Document {
    doc! {
        "name": name,
        "ftype": DATE,
        "embedded_doc_type": null,
        "subfield": null,
        "fields": [],
        "db_field": name,
        "description": null,
        "info": null,
        "read_only": true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::DateTime;

    use super::*;

    const NOW: DateTime = DateTime::from_millis(42);

    fn up_of(document: Document) -> Result<(Document, Vec<Step>), Reason> {
        let (names, results) = (Names::default(), BTreeSet::new());
        let mut cx = Context::new(Env { now: NOW, named: NOW, names: &names, results: &results });
        let mut dataset = Dataset::new(document);
        up(&mut dataset, &mut cx)?;
        assert_eq!(cx.warnings, [""; 0]);
        Ok((dataset.document, cx.steps))
    }

    fn set(scope: Scope, field: &str, value: impl Into<Expr>) -> Step {
        let update = Update::Set { field: field.to_owned(), value: value.into() };
        Step::Update { scope, update }
    }

    #[test]
    fn both_dates_are_declared_and_every_sample_gets_them() {
        let before = doc! {
            "sample_collection_name": "samples.1",
            "sample_fields": [{ "name": "a", "fields": [{ "name": "b" }] }],
            "frame_fields": [],
        };
        let (after, steps) = up_of(before).unwrap();
        let expected = doc! {
            "sample_collection_name": "samples.1",
            "sample_fields": [
                { "name": "a", "fields": [{ "name": "b" }], "read_only": false },
                date_field("created_at"),
                date_field("last_modified_at"),
            ],
            "frame_fields": [],
            "last_modified_at": NOW,
        };
        assert_eq!(after, expected);
        assert_eq!(
            steps,
            [
                set(Scope::Samples, "created_at", Expr::CreatedAt(NOW)),
                set(Scope::Samples, "last_modified_at", NOW)
            ]
        );
    }

    #[test]
    fn frames_get_only_what_their_schema_lacked() {
        let before = doc! {
            "last_modified_at": null,
            "sample_collection_name": "samples.1",
            "frame_collection_name": "frames.samples.1",
            "frame_fields": [{ "name": "created_at", "ftype": DATE, "read_only": false }],
        };
        let (after, steps) = up_of(before).unwrap();
        let expected = doc! {
            "last_modified_at": NOW,
            "sample_collection_name": "samples.1",
            "frame_collection_name": "frames.samples.1",
            "frame_fields": [
                { "name": "created_at", "ftype": DATE, "read_only": true },
                date_field("last_modified_at"),
            ],
        };
        assert_eq!(after, expected);
        assert_eq!(steps, [set(Scope::Frames, "last_modified_at", NOW)]);
    }

    #[test]
    fn what_is_declared_already_keeps_its_values() {
        let earlier = DateTime::from_millis(1);
        let fields = vec![
            doc! { "name": "created_at", "ftype": DATE, "read_only": true },
            doc! { "name": "last_modified_at", "ftype": DATE, "read_only": true },
            doc! { "name": "a", "read_only": null },
        ];
        let before = doc! { "last_modified_at": earlier, "sample_collection_name": "samples.1",
            "sample_fields": fields };
        assert_eq!(up_of(before.clone()).unwrap(), (before, Vec::new()));
    }

    #[test]
    fn without_a_collection_only_the_schema_changes() {
        for name in [Bson::Null, "".into()] {
            let fields = vec![doc! { "name": "a" }];
            let before = doc! { "sample_collection_name": name, "sample_fields": fields };
            let (after, steps) = up_of(before).unwrap();
            assert_eq!(after.get_array("sample_fields").unwrap().len(), 3);
            assert_eq!(steps, []);
        }
    }

    #[test]
    fn a_missing_or_null_schema_stays_as_it_is() {
        let before = doc! { "last_modified_at": NOW, "sample_collection_name": "samples.1",
            "sample_fields": null };
        assert_eq!(up_of(before.clone()).unwrap(), (before, Vec::new()));
    }

    #[test]
    fn a_field_of_that_name_and_another_type_stops_it() {
        let fields = vec![doc! { "name": "created_at", "ftype": "fiftyone.core.fields.StringField" }];
        let refused = up_of(doc! { "frame_fields": fields }).unwrap_err().to_string();
        assert!(refused.contains("`created_at` is of type `fiftyone.core.fields.StringField`"));
        assert!(refused.contains("rename or delete the field"));
        let fields = vec![doc! { "name": "last_modified_at" }];
        assert!(up_of(doc! { "sample_fields": fields }).is_err());
    }

    #[test]
    fn a_schema_that_is_no_list_of_documents_is_refused() {
        assert!(up_of(doc! { "sample_fields": "a" }).is_err());
        assert!(up_of(doc! { "frame_fields": [1] }).is_err());
    }
}
