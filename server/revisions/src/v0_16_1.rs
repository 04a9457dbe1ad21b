//! v0.16.1: fields that are a list of labels know the schema of the labels.
//!
//! Source: `fiftyone/migrations/revisions/v0_16_1.py`.
//!
//! Differs: `null` where the list of fields belongs is left alone (FiftyOne crashes).
//! The points of keypoints are declared as what they are (FiftyOne declares them as those of polylines, and then
//! cannot read a keypoint of its own any more).

use crate::{label_fields::Lists, *};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 16, 1),
    summary: "Declare the fields of labels in lists, as in `Detections`",
    loses: None,
    reads: &[],
    promise: Promise { up: &[], down: &[] },
    up: |dataset, _| label_fields::infer(dataset, Lists::Inferred),
    down: |_, _| Ok(()),
};

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};

    use super::*;
    use crate::trial::{alone, becomes};

    const EMBEDDED: &str = "fiftyone.core.fields.EmbeddedDocumentField";

    #[test]
    fn a_list_of_labels_gets_the_schema_of_its_labels() {
        let classes = [
            ("Classifications", "classifications", 5),
            ("Detections", "detections", 7),
            ("Polylines", "polylines", 8),
            ("Keypoints", "keypoints", 6),
            ("TemporalDetections", "detections", 5),
        ];
        for (class, name, count) in classes {
            let class = format!("fiftyone.core.labels.{class}");
            let before = doc! {
                "frame_collection_name": "f",
                "frame_fields": [{ "name": "x", "ftype": EMBEDDED, "embedded_doc_type": &class }],
            };
            let mut it = alone(REVISION.up, before).unwrap().dataset;
            let mut field = it.frame_fields().unwrap().remove(0).clone();
            let list = field.dicts("fields").unwrap().remove(0);
            let keys: Vec<_> = list.keys().map(String::as_str).collect();
            assert_eq!(
                keys,
                ["_cls", "name", "ftype", "subfield", "embedded_doc_type", "db_field", "fields"]
            );
            assert_eq!(list.text("name"), name);
            assert_eq!(list.text("ftype"), "fiftyone.core.fields.ListField");
            assert_eq!(list.text("subfield"), EMBEDDED);
            assert_eq!(list.text("embedded_doc_type"), &class[..class.len() - 1]);
            assert_eq!(list.text("db_field"), name);
            assert_eq!(list.get_array("fields").unwrap().len(), count);
            becomes(REVISION.up, it.document.clone(), it.document);
        }
    }

    #[test]
    fn keypoints_are_not_polylines() {
        for (class, declared) in [("Keypoint", "KeypointsField"), ("Polyline", "PolylinePointsField")] {
            let class = format!("fiftyone.core.labels.{class}");
            let field = doc! { "name": "x", "ftype": EMBEDDED, "embedded_doc_type": class };
            let before = doc! { "sample_collection_name": "s", "sample_fields": [field] };
            let mut it = alone(REVISION.up, before).unwrap().dataset;
            let mut field = it.sample_fields().unwrap().remove(0).clone();
            let inner = field.dicts("fields").unwrap();
            let points = inner.iter().find(|it| it.text("name") == "points").unwrap();
            assert_eq!(points.text("ftype"), format!("fiftyone.core.fields.{declared}"));
        }
    }

    #[test]
    fn a_field_without_a_name_gets_no_list() {
        let class = "fiftyone.core.labels.Detections";
        becomes(
            REVISION.up,
            doc! {
                "sample_collection_name": "s",
                "sample_fields": [{ "ftype": EMBEDDED, "embedded_doc_type": class }],
            },
            doc! {
                "sample_collection_name": "s",
                "sample_fields": [{ "ftype": EMBEDDED, "embedded_doc_type": class, "fields": [] }],
            },
        );
    }

    #[test]
    fn sidebar_groups_are_left_alone_and_going_down_changes_nothing() {
        let it = doc! { "sample_fields": Bson::Null, "app_sidebar_groups": [{ "name": "x" }] };
        becomes(REVISION.up, it.clone(), it.clone());
        becomes(REVISION.down, it.clone(), it);
    }
}
