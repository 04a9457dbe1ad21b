//! v0.6.2: a polyline is a list of shapes, and frames know their sample.
//!
//! Up to here a video sample holds `frames: { "<frame number>": frame id }` and a polyline holds one list of
//! points. From here on each frame holds `_sample_id`, a video sample holds
//! `frames: { _cls: "_Frames", frame_count, first_frame }` and a polyline holds a list of such lists.
//!
//! Source: `fiftyone/migrations/revisions/v0_6_2.py`.
//!
//! Differs:
//! * Frame collections of other datasets are not dropped; orphans are what the admin revision 0.15.0 is for.
//! * In a video dataset the polylines of the samples themselves and those in `first_frame` get shapes too.
//!   Otherwise a sample could not be told from one that is done, and old and new polylines would be mixed.
//! * A dataset that is partly or wholly done, as FiftyOne's own way down leaves it, is completed.
//! * A frame that is gone, a sample without `frames` and null where a list belongs are left as they are.
//! * FiftyOne's way down ends in an error, always. Here it is the inverse of the way up: samples get their
//!   map of frames back, frames lose `_sample_id`, and no frame is made up in image datasets.
//! * A polyline with several shapes keeps them on the way down, where FiftyOne empties it. Older versions
//!   cannot draw it, but nothing is lost, and the way up finds it as it should be.

use bson::{Bson, Document, doc};

use crate::{shape::malformed, *};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 6, 2),
    summary: "Let a polyline have several shapes, and let frames know their sample",
    loses: None,
    reads: &[],
    promise: Promise { up: &[Claim::Has(ADDED), Claim::FieldsLack(&["media_type"])], down: &[Claim::FieldsHave(&["media_type"])] },
    up,
    down,
};

const ADDED: Defaults =
    &[("media_type", || "image".into()), ("frame_fields", || Bson::Array(Vec::new()))];

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    match dataset.document.get("media_type") {
        None | Some(Bson::Null | Bson::String(_)) => {}
        Some(other) => return Err(malformed("media_type", other, "a text")),
    }
    dataset.fill(ADDED);
    dataset.for_each_field(|field| {
        field.remove("media_type");
    })?;
    if !dataset.is_video() {
        cx.samples().each_document(nest_polylines);
        return Ok(());
    }
    for field in dataset.sample_fields()?.into_iter().filter(|it| it.text("name") == "frames") {
        field.insert("ftype", "fiftyone.core.fields.EmbeddedDocumentField");
        field.insert("subfield", Bson::Null);
        field.insert("embedded_doc_type", "fiftyone.core.labels._Frames");
    }
    // First the frames: the samples forget which frames they have.
    cx.merge(Merge { from: Scope::Samples, into: Scope::Frames, stages: name_samples });
    cx.merge(Merge { from: Scope::Samples, into: Scope::Samples, stages: summarize_frames });
    cx.samples().each_document(|sample| {
        nest_polylines(sample);
        if let Some(Bson::Document(frames)) = sample.get_mut("frames")
            && let Some(Bson::Document(first)) = frames.get_mut("first_frame")
        {
            nest_polylines(first);
        }
    });
    cx.frames().each_document(nest_polylines);
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    dataset.for_each_field(|field| {
        field.insert("media_type", Bson::Null);
    })?;
    cx.samples().each_document(unnest_polylines);
    if !dataset.is_video() {
        return Ok(());
    }
    for list in ["sample_fields", "frame_fields"] {
        let fields = dataset.document.dicts(list)?.into_iter();
        for field in fields.filter(|it| it.text("name") == "frames") {
            field.insert("ftype", "fiftyone.core.fields.FramesField");
            field.insert("subfield", "fiftyone.core.fields.ReferenceField");
            field.insert("embedded_doc_type", Bson::Null);
        }
    }
    cx.merge(Merge { from: Scope::Samples, into: Scope::Samples, stages: list_frames });
    // First frames of two samples have the same number: a unique index over `_sample_id` and `frame_number`,
    // which newer versions create, has to go before this pass, and not before the merge that it makes fast.
    cx.frames().each_document(unnest_polylines).unset("_sample_id");
    Ok(())
}

/// `_sample_id` for each frame that a sample lists.
fn name_samples(_: &Collections) -> Vec<Document> {
    vec![
        lists_frames(),
        doc! { "$project": { "frame": { "$objectToArray": "$frames" } } },
        doc! { "$unwind": "$frame" },
        // Whatever else it may be, it refers to no frame.
        doc! { "$match": { "$expr": { "$eq": [{ "$type": "$frame.v" }, "objectId"] } } },
        doc! { "$replaceWith": { "_id": "$frame.v", "_sample_id": "$_id" } },
    ]
}

/// The number of frames and the first one, in place of the list of frames.
fn summarize_frames(collections: &Collections) -> Vec<Document> {
    vec![
        lists_frames(),
        doc! { "$project": {
            "count": { "$size": { "$objectToArray": "$frames" } },
            "first": "$frames.1",
        } },
        doc! { "$lookup": {
            "from": &collections.frames,
            "localField": "first",
            "foreignField": "_id",
            "as": "frame",
        } },
        doc! { "$unset": "frame._sample_id" },
        doc! { "$set": { "frame._cls": "_FrameLabels" } },
        doc! { "$replaceWith": { "_id": "$_id", "frames": {
            "_cls": "_Frames",
            "frame_count": "$count",
            "first_frame": { "$ifNull": [{ "$arrayElemAt": ["$frame", 0] }, null] },
        } } },
    ]
}

/// The list of frames, in place of their number and the first one.
fn list_frames(collections: &Collections) -> Vec<Document> {
    let of_sample = doc! { "$eq": ["$_sample_id", "$$sample"] };
    vec![
        doc! { "$match": { "$expr": { "$or": [
            { "$in": [{ "$type": "$frames" }, ["missing", "null"]] },
            { "$and": [{ "$eq": [{ "$type": "$frames" }, "object"] }, is_summary()] },
        ] } } },
        doc! { "$project": { "_id": 1 } },
        doc! { "$lookup": {
            "from": &collections.frames,
            "let": { "sample": "$_id" },
            "pipeline": [
                { "$match": { "$expr": of_sample } },
                { "$match": { "$expr": { "$isNumber": "$frame_number" } } },
                { "$sort": { "frame_number": 1, "_id": 1 } },
                { "$project": { "_id": 0, "k": { "$toString": "$frame_number" }, "v": "$_id" } },
            ],
            "as": "frames",
        } },
        doc! { "$set": { "frames": { "$arrayToObject": "$frames" } } },
    ]
}

/// Only the samples whose `frames` is still the map from numbers to ids.
fn lists_frames() -> Document {
    doc! { "$match": { "$expr": { "$and": [
        { "$eq": [{ "$type": "$frames" }, "object"] },
        { "$not": is_summary() },
    ] } } }
}

/// Whether the document `frames` is what [`summarize_frames`] or v0.7.2 made.
fn is_summary() -> Document {
    let keys = ["$frames._cls", "$frames.frame_count", "$frames.first_frame"];
    let there = keys.map(|key| doc! { "$ne": [{ "$type": key }, "missing"] });
    doc! { "$or": there.to_vec() }
}

fn nest_polylines(labels: &mut Document) {
    labels.iter_mut().for_each(|(_, label)| for_each_polyline(label, nest));
}

fn unnest_polylines(labels: &mut Document) {
    labels.iter_mut().for_each(|(_, label)| for_each_polyline(label, unnest));
}

fn for_each_polyline(label: &mut Bson, change: fn(&mut Bson)) {
    let Bson::Document(label) = label else { return };
    match label.text("_cls") {
        "Polyline" => label.get_mut("points").into_iter().for_each(change),
        "Polylines" => {
            if let Some(Bson::Array(polylines)) = label.get_mut("polylines") {
                for it in polylines {
                    for_each_polyline(it, change);
                }
            }
        }
        _ => {}
    }
}

/// `[[x, y], ..]` becomes `[[[x, y], ..]]`.
fn nest(points: &mut Bson) {
    if is_shape(points) {
        *points = Bson::Array(vec![points.clone()]);
    }
}

/// `[[[x, y], ..]]` becomes `[[x, y], ..]`; with any other number of shapes nothing happens.
fn unnest(points: &mut Bson) {
    if let Bson::Array(shapes) = points
        && let [shape] = shapes.as_slice()
        && is_shape(shape)
    {
        *points = shape.clone();
    }
}

/// Whether it is a list of points, not a list of such lists: all there was before this version.
fn is_shape(value: &Bson) -> bool {
    let Bson::Array(points) = value else { return false };
    match points.first() {
        None => true,
        Some(Bson::Array(point)) => matches!(
            point.first(),
            Some(Bson::Double(_) | Bson::Int32(_) | Bson::Int64(_) | Bson::Decimal128(_))
        ),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use bson::bson;

    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<Step>), Reason> {
        let Trial { dataset, steps, .. } = alone(transform, document)?;
        Ok((dataset.document, steps))
    }

    /// What the updates of `scope` make of a document, the same when they run twice.
    fn updated(steps: &[Step], scope: Scope, mut document: Document) -> Document {
        let apply = |document: &mut Document| {
            for step in steps {
                match step {
                    Step::Update { scope: at, update } if *at == scope => update.apply(document),
                    _ => {}
                }
            }
        };
        apply(&mut document);
        let mut twice = document.clone();
        apply(&mut twice);
        assert_eq!(twice, document);
        document
    }

    fn up_points(points: Bson) -> Bson {
        let (_, steps) = run(up, doc! {}).unwrap();
        let sample = doc! { "line": { "_cls": "Polyline", "points": points } };
        updated(&steps, Scope::Samples, sample).get_document("line").unwrap()["points"].clone()
    }

    fn down_points(points: Bson) -> Bson {
        let (_, steps) = run(down, doc! {}).unwrap();
        let sample = doc! { "line": { "_cls": "Polyline", "points": points } };
        updated(&steps, Scope::Samples, sample).get_document("line").unwrap()["points"].clone()
    }

    #[test]
    fn a_dataset_without_media_type_becomes_one_of_images() {
        let (document, _) = run(up, doc! { "sample_fields": [] }).unwrap();
        let expected = doc! { "sample_fields": [], "media_type": "image", "frame_fields": [] };
        assert_eq!(document, expected);
        assert_eq!(document.keys().last().unwrap(), "frame_fields");
    }

    #[test]
    fn fields_lose_their_media_type_and_get_it_back_as_null() {
        let old = doc! {
            "media_type": "image",
            "sample_fields": [{ "name": "a", "media_type": "image" }, { "name": "frames" }],
            "frame_fields": [{ "name": "b", "media_type": null }],
        };
        let new = doc! {
            "media_type": "image",
            "sample_fields": [{ "name": "a" }, { "name": "frames" }],
            "frame_fields": [{ "name": "b" }],
        };
        assert_eq!(run(up, old).unwrap().0, new);
        let back = doc! {
            "media_type": "image",
            "sample_fields": [
                { "name": "a", "media_type": null }, { "name": "frames", "media_type": null },
            ],
            "frame_fields": [{ "name": "b", "media_type": null }],
        };
        assert_eq!(run(down, new).unwrap().0, back);
    }

    #[test]
    fn the_frames_field_of_a_video_dataset_changes_its_type() {
        let old = doc! { "media_type": "video", "sample_fields": [{
            "name": "frames",
            "ftype": "fiftyone.core.fields.FramesField",
            "subfield": "fiftyone.core.fields.ReferenceField",
            "embedded_doc_type": null,
            "media_type": null,
        }], "frame_fields": [] };
        let new = doc! { "media_type": "video", "sample_fields": [{
            "name": "frames",
            "ftype": "fiftyone.core.fields.EmbeddedDocumentField",
            "subfield": null,
            "embedded_doc_type": "fiftyone.core.labels._Frames",
        }], "frame_fields": [] };
        assert_eq!(run(up, old.clone()).unwrap().0, new);
        assert_eq!(run(down, new).unwrap().0, old);
    }

    #[test]
    fn points_become_one_shape_and_one_shape_becomes_points() {
        for (old, new) in [
            (bson!([[0.5, 1], [1, 0.5]]), bson!([[[0.5, 1], [1, 0.5]]])),
            (bson!([[1, 2]]), bson!([[[1, 2]]])),
            (bson!([]), bson!([[]])),
        ] {
            assert_eq!(up_points(old.clone()), new);
            assert_eq!(up_points(new.clone()), new);
            assert_eq!(down_points(new.clone()), old);
            assert_eq!(down_points(old.clone()), old);
        }
    }

    #[test]
    fn what_is_no_list_of_points_stays_as_it_is() {
        for points in
            [bson!(null), bson!("a"), bson!([null]), bson!([1, 2]), bson!([["a"]]), bson!([[[]]])]
        {
            assert_eq!(up_points(points.clone()), points);
            assert_eq!(down_points(points.clone()), points);
        }
    }

    #[test]
    fn a_polyline_with_several_shapes_keeps_them_on_the_way_down_and_up_again() {
        let shapes = bson!([[[0, 0], [1, 1]], [[0, 1], [1, 0]]]);
        assert_eq!(down_points(shapes.clone()), shapes);
        assert_eq!(up_points(shapes.clone()), shapes);
    }

    #[test]
    fn the_polylines_in_a_list_are_converted_and_other_labels_are_not() {
        let (_, steps) = run(up, doc! {}).unwrap();
        let sample = doc! {
            "lines": { "_cls": "Polylines", "polylines": [
                { "_cls": "Polyline", "points": [[0, 1]] }, { "_cls": "Polyline" }, null,
            ] },
            "none": { "_cls": "Polylines", "polylines": null },
            "other": { "_cls": "Keypoint", "points": [[0, 1]] },
            "inner": { "deeper": { "_cls": "Polyline", "points": [[0, 1]] } },
        };
        let mut expected = sample.clone();
        expected.insert(
            "lines",
            doc! { "_cls": "Polylines", "polylines": [
                { "_cls": "Polyline", "points": [[[0, 1]]] }, { "_cls": "Polyline" }, null,
            ] },
        );
        assert_eq!(updated(&steps, Scope::Samples, sample), expected);
    }

    #[test]
    fn in_a_video_dataset_samples_frames_and_first_frames_are_converted() {
        let (_, steps) = run(up, doc! { "media_type": "video" }).unwrap();
        let (old, new) = (
            doc! { "_cls": "Polyline", "points": [[0, 1]] },
            doc! { "_cls": "Polyline", "points": [[[0, 1]]] },
        );
        let frame = updated(&steps, Scope::Frames, doc! { "line": &old });
        assert_eq!(frame, doc! { "line": &new });
        let sample = doc! { "line": &old, "frames": { "first_frame": { "line": &old } } };
        let expected = doc! { "line": &new, "frames": { "first_frame": { "line": &new } } };
        assert_eq!(updated(&steps, Scope::Samples, sample), expected);
    }

    #[test]
    fn frames_lose_their_sample_only_after_the_samples_have_listed_them() {
        let (_, steps) = run(down, doc! { "media_type": "video" }).unwrap();
        let merge = steps.iter().position(|it| matches!(it, Step::Merge(_))).unwrap();
        let unset = steps
            .iter()
            .position(|it| matches!(it, Step::Update { update: Update::Unset { .. }, .. }))
            .unwrap();
        assert!(merge < unset);
        let frame = doc! { "_sample_id": 1, "line": { "_cls": "Polyline", "points": [[[0, 1]]] } };
        let expected = doc! { "line": { "_cls": "Polyline", "points": [[0, 1]] } };
        assert_eq!(updated(&steps, Scope::Frames, frame), expected);
    }

    #[test]
    fn only_video_datasets_need_joins() {
        let merges = |media_type: &str, transform| {
            let (_, steps) = run(transform, doc! { "media_type": media_type }).unwrap();
            steps.iter().filter(|it| matches!(it, Step::Merge(_))).count()
        };
        assert_eq!((merges("video", up as Transform), merges("image", up)), (2, 0));
        assert_eq!((merges("video", down as Transform), merges("image", down)), (1, 0));
    }

    #[test]
    fn null_in_place_of_fields_stays_and_a_text_is_refused() {
        let null = doc! { "sample_fields": null, "media_type": null, "frame_fields": null };
        assert_eq!(run(up, null.clone()).unwrap().0, null);
        assert_eq!(run(down, null.clone()).unwrap().0, null);
        for transform in [up as Transform, down] {
            let reason = run(transform, doc! { "sample_fields": "a" }).unwrap_err();
            assert!(reason.to_string().contains("`sample_fields`"), "{reason}");
        }
    }

    #[test]
    fn a_media_type_that_is_no_text_is_refused() {
        let refused = run(up, doc! { "media_type": { "cls": 3 } }).unwrap_err();
        assert!(refused.to_string().contains("`media_type` is a document, not a text"), "{refused}");
    }
}
