//! Keypoints that are declared as polylines: FiftyOne did so when it took datasets across 0.16, and then cannot read a
//! keypoint of its own any more.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use revisions::Shape;

use super::{
    Finding, Kind, Outcome, Patient, Subject, Surgery,
    finding::length,
    references::known_version,
    surgery::{Edit, doctor},
};
use crate::{pass::Halt, store::Failure};

pub(super) const KIND: Kind = Kind {
    name: "keypoints_as_polylines",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

const KEYPOINT: &str = "fiftyone.core.labels.Keypoint";
const RIGHT: &str = "fiftyone.core.fields.KeypointsField";
const WRONG: &str = "fiftyone.core.fields.PolylinePointsField";

const SCHEMAS: [&str; 2] = ["sample_fields", "frame_fields"];

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    let parts = doc! { "name": 1, "version": 1, SCHEMAS[0]: 1, SCHEMAS[1]: 1 };
    let mut datasets = patient.store.look_over("datasets", parts).await?;
    let mut found = Vec::new();
    while let Some(read) = datasets.try_next().await? {
        found.extend(read.ok().and_then(judge));
    }
    Ok(found)
}

fn judge(mut document: Document) -> Option<Finding> {
    known_version(&document)?;
    let wrong = correct(&mut document);
    if wrong.is_empty() {
        return None;
    }
    let problem = "the points of its keypoints are declared as those of polylines, so that FiftyOne cannot read them";
    let remedy = doctor("declare them as the points of keypoints");
    let finding = Finding::new(KIND.name, Some(Subject::of(&document)), problem.to_owned(), remedy);
    Some(finding.count("fields", length(&wrong)).show(wrong))
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    let change = |document: &mut Document| {
        let before = document.clone();
        let corrected = correct(document);
        let changed = SCHEMAS.into_iter().filter(|key| before.get(key) != document.get(key));
        let kept = changed.filter_map(|key| Some((key.to_owned(), before.get(key)?.clone())));
        let edit = Edit {
            kept: kept.collect(),
            done: format!("declared {} as keypoints", corrected.join(", ")),
        };
        (!corrected.is_empty()).then_some(edit)
    };
    surgery.edit(finding, change).await
}

/// Declares the points of keypoints as such. Returns the paths of those that were not.
fn correct(document: &mut Document) -> Vec<String> {
    let mut corrected = Vec::new();
    for schema in SCHEMAS {
        let prefix = if schema == "frame_fields" { "frames." } else { "" };
        correct_fields(document.get_mut(schema), prefix, false, &mut corrected);
    }
    corrected
}

/// `inside`: these fields are those of a keypoint.
fn correct_fields(
    fields: Option<&mut Bson>,
    prefix: &str,
    inside: bool,
    corrected: &mut Vec<String>,
) {
    let Some(Bson::Array(fields)) = fields else { return };
    for field in fields.iter_mut().filter_map(Bson::as_document_mut) {
        let path = format!("{prefix}{}", field.text("name"));
        if inside && field.text("name") == "points" && field.text("ftype") == WRONG {
            field.insert("ftype", RIGHT);
            corrected.push(path.clone());
        }
        let keypoint = field.text("embedded_doc_type") == KEYPOINT;
        correct_fields(field.get_mut("fields"), &format!("{path}."), keypoint, corrected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(class: &str, points: &str) -> Document {
        let class = format!("fiftyone.core.labels.{class}");
        doc! { "name": "x", "embedded_doc_type": class, "fields": [{ "name": "points", "ftype": points }] }
    }

    #[test]
    fn only_the_points_of_keypoints_are_corrected_and_only_once() {
        let mut list = label("Keypoint", WRONG);
        list.insert("name", "keypoints");
        let list = doc! { "name": "many", "embedded_doc_type": "fiftyone.core.labels.Keypoints", "fields": [list] };
        let mut document = doc! {
            "version": "1.22.1",
            "sample_fields": [label("Keypoint", WRONG), label("Polyline", WRONG), label("Custom", WRONG)],
            "frame_fields": [list],
        };
        let found = judge(document.clone()).unwrap();
        assert_eq!(found.evidence.examples, ["x.points", "frames.many.keypoints.points"]);
        assert_eq!(correct(&mut document).len(), 2);
        assert_eq!(
            document.get_array("sample_fields").unwrap()[0].as_document(),
            Some(&label("Keypoint", RIGHT))
        );
        assert_eq!(
            document.get_array("sample_fields").unwrap()[1].as_document(),
            Some(&label("Polyline", WRONG))
        );
        assert!(judge(document).is_none());
    }

    #[test]
    fn keypoints_as_fiftyone_declares_them_today_are_right() {
        let document = doc! { "version": "1.22.1", "sample_fields": [label("Keypoint", RIGHT)], "frame_fields": null };
        assert!(judge(document).is_none());
    }
}
