//! v0.16.0: fields know the schema of the documents in them, and the App its sidebar groups.
//!
//! Source: `fiftyone/migrations/revisions/v0_16_0.py`.
//!
//! Differs: `null` where the list of fields belongs is left alone (FiftyOne crashes).
//! The points of keypoints are declared as what they are (FiftyOne declares them as those of polylines, and then
//! cannot read a keypoint of its own any more).

use bson::Bson;

use crate::{label_fields::Lists, *};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 16, 0),
    summary: "Declare the fields of labels and metadata, and add sidebar groups",
    loses: Some("Attributes that somebody declared within embedded documents, and the sidebar groups"),
    reads: &[],
    promise: Promise { up: &[Claim::FieldsHave(&["fields"])], down: &[Claim::FieldsLack(&["fields"]), Claim::Lacks(&["app_sidebar_groups"])] },
    up,
    down,
};

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    label_fields::infer(dataset, Lists::Empty)?;
    dataset.document.insert("app_sidebar_groups", Bson::Null);
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let declared = label_fields::forget(dataset)?;
    cx.warn_lost(declared, "declared attribute", "dropped from the schema");
    if let Some(Bson::Array(groups)) = dataset.document.remove("app_sidebar_groups") {
        cx.warn_lost(groups.len(), "sidebar group", "dropped");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;
    use crate::trial::{becomes, refuses};

    const EMBEDDED: &str = "fiftyone.core.fields.EmbeddedDocumentField";

    fn leaf(name: &str, db_field: &str, ftype: &str, subfield: Option<&str>) -> Document {
        doc! {
            "_cls": "SampleFieldDocument",
            "name": name,
            "ftype": format!("fiftyone.core.fields.{ftype}"),
            "subfield": subfield.map(|it| format!("fiftyone.core.fields.{it}")),
            "embedded_doc_type": Bson::Null,
            "db_field": db_field,
            "fields": [],
        }
    }

    #[test]
    fn a_label_gets_the_schema_of_its_type() {
        let field = doc! {
            "name": "truth", "ftype": EMBEDDED, "embedded_doc_type": "fiftyone.core.labels.Segmentation",
        };
        let mut after = field.clone();
        after.insert(
            "fields",
            vec![
                leaf("id", "_id", "ObjectIdField", None),
                leaf("tags", "tags", "ListField", Some("StringField")),
                leaf("mask", "mask", "ArrayField", None),
            ],
        );
        let before = doc! {
            "sample_collection_name": "samples.1",
            "sample_fields": [field.clone(), { "name": "n", "ftype": "fiftyone.core.fields.IntField" }],
        };
        let after = doc! {
            "sample_collection_name": "samples.1",
            "sample_fields": [
                after,
                { "name": "n", "ftype": "fiftyone.core.fields.IntField", "fields": [] },
            ],
            "app_sidebar_groups": Bson::Null,
        };
        becomes(REVISION.up, before.clone(), after.clone());
        becomes(REVISION.up, after.clone(), after.clone());
        assert!(becomes(REVISION.down, after, before).is_empty());
    }

    #[test]
    fn metadata_follows_the_media_type_in_samples_only() {
        for (media, class, count) in
            [("image", "ImageMetadata", 5), ("video", "VideoMetadata", 8), ("point-cloud", "Metadata", 2)]
        {
            let field = doc! { "name": "metadata", "ftype": EMBEDDED };
            let before = doc! {
                "media_type": media,
                "sample_collection_name": "s",
                "frame_collection_name": "f",
                "sample_fields": [field.clone()],
                "frame_fields": [field],
            };
            let mut it = Dataset::new(before);
            label_fields::infer(&mut it, Lists::Empty).unwrap();
            let field = it.sample_fields().unwrap().remove(0);
            assert_eq!(field.text("embedded_doc_type"), format!("fiftyone.core.metadata.{class}"));
            assert_eq!(field.get_array("fields").unwrap().len(), count);
            let field = it.frame_fields().unwrap().remove(0);
            assert_eq!(*field, doc! { "name": "metadata", "ftype": EMBEDDED, "fields": [] });
        }
    }

    #[test]
    fn lists_of_labels_are_forgotten_until_the_next_revision() {
        let field = doc! {
            "name": "x", "ftype": EMBEDDED, "embedded_doc_type": "fiftyone.core.labels.Detections",
        };
        let mut after = field.clone();
        after.insert("fields", Bson::Array(Vec::new()));
        becomes(
            REVISION.up,
            doc! { "sample_collection_name": "s", "sample_fields": [field] },
            doc! {
                "sample_collection_name": "s", "sample_fields": [after], "app_sidebar_groups": Bson::Null,
            },
        );
    }

    #[test]
    fn nothing_is_inferred_without_a_collection() {
        let field = doc! { "ftype": EMBEDDED, "embedded_doc_type": "fiftyone.core.labels.Heatmap" };
        let mut after = field.clone();
        after.insert("fields", Bson::Array(Vec::new()));
        becomes(
            REVISION.up,
            doc! { "frame_fields": [field] },
            doc! { "frame_fields": [after], "app_sidebar_groups": Bson::Null },
        );
    }

    #[test]
    fn only_what_somebody_declared_is_counted_as_lost() {
        let mut list = leaf("detections", "detections", "ListField", Some("EmbeddedDocumentField"));
        let inner = ["id", "label", "mask_path", "mood", "age"];
        list.insert("fields", inner.map(|it| leaf(it, it, "StringField", None)).to_vec());
        let before = doc! {
            "frame_fields": [{
                "name": "x",
                "ftype": EMBEDDED,
                "embedded_doc_type": "fiftyone.core.labels.Detections",
                "fields": [list],
            }],
            "sample_fields": [{
                "name": "metadata",
                "ftype": EMBEDDED,
                "embedded_doc_type": "fiftyone.core.metadata.ImageMetadata",
                "fields": [leaf("width", "width", "IntField", None)],
            }],
            "app_sidebar_groups": [{ "name": "labels", "paths": [] }],
        };
        let after = doc! {
            "frame_fields": [{
                "name": "x", "ftype": EMBEDDED, "embedded_doc_type": "fiftyone.core.labels.Detections",
            }],
            "sample_fields": [{
                "name": "metadata",
                "ftype": EMBEDDED,
                "embedded_doc_type": "fiftyone.core.metadata.Metadata",
            }],
        };
        assert_eq!(
            becomes(REVISION.down, before, after),
            ["2 declared attributes are dropped from the schema", "1 sidebar group is dropped"]
        );
    }

    #[test]
    fn malformed_fields_are_refused_and_nulls_left() {
        let null = doc! { "sample_fields": Bson::Null, "app_sidebar_groups": Bson::Null };
        becomes(REVISION.up, null.clone(), null);
        becomes(
            REVISION.down,
            doc! { "sample_fields": [{ "fields": Bson::Null }] },
            doc! { "sample_fields": [{}] },
        );
        refuses(REVISION.up, doc! { "sample_fields": "text" });
        refuses(REVISION.down, doc! { "frame_fields": [1] });
    }
}
