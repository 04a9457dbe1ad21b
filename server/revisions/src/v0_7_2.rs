//! v0.7.2: video samples no longer hold a copy of their first frame.
//!
//! Source: `fiftyone/migrations/revisions/v0_7_2.py`.
//!
//! Differs:
//! * A dataset without media type has no video. FiftyOne stops with an error.
//! * A video dataset without frames can go down. FiftyOne stops with an error.
//! * Of several frames with the number 1 the newest is copied; with FiftyOne it is whichever comes last.
//! * A schema that has `frames` already does not get it twice, and samples that have `frames` keep it: that
//!   is how an interrupted migration goes on.

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 7, 2),
    summary: "Stop copying the first frame of a video into its sample",
    loses: None,
    reads: &[],
    promise: Promise { up: &[Claim::LacksField(Of::Videos, "frames")], down: &[Claim::HasField(Of::Videos, "frames")] },
    up,
    down,
};

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if dataset.is_video() {
        dataset.sample_fields()?;
        if let Some(fields) = dataset.document.list("sample_fields")? {
            fields.retain(|it| !is_frames(it));
        }
        cx.samples().unset("frames");
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if dataset.is_video() {
        dataset.sample_fields()?;
        if let Some(fields) = dataset.document.list("sample_fields")?
            && !fields.iter().any(is_frames)
        {
            fields.push(frames_field().into());
        }
        cx.merge(Merge { from: Scope::Samples, into: Scope::Samples, stages: summarize_frames });
    }
    Ok(())
}

fn is_frames(field: &Bson) -> bool {
    field.as_document().is_some_and(|it| it.text("name") == "frames")
}

fn frames_field() -> Document {
    doc! {
        "name": "frames",
        "ftype": "fiftyone.core.fields.EmbeddedDocumentField",
        "subfield": null,
        "embedded_doc_type": "fiftyone.core.labels._Frames",
    }
}

/// `frames: { first_frame, frame_count }` for each sample that has frames; without `first_frame` where no
/// frame has the number 1.
fn summarize_frames(collections: &Collections) -> Vec<Document> {
    let of_sample = doc! { "$expr": { "$eq": ["$_sample_id", "$$sample"] } };
    let mut first_of_sample = of_sample.clone();
    first_of_sample.insert("frame_number", 1);
    vec![
        doc! { "$match": { "$expr": { "$in": [{ "$type": "$frames" }, ["missing", "null"]] } } },
        doc! { "$project": { "_id": 1 } },
        doc! { "$lookup": {
            "from": &collections.frames,
            "let": { "sample": "$_id" },
            "pipeline": [{ "$match": of_sample }, { "$count": "frames" }],
            "as": "count",
        } },
        doc! { "$match": { "count": { "$ne": [] } } },
        doc! { "$lookup": {
            "from": &collections.frames,
            "let": { "sample": "$_id" },
            "pipeline": [{ "$match": first_of_sample }, { "$sort": { "_id": -1 } }, { "$limit": 1 }],
            "as": "first",
        } },
        doc! { "$replaceWith": { "_id": "$_id", "frames": {
            "first_frame": { "$arrayElemAt": ["$first", 0] },
            "frame_count": { "$arrayElemAt": ["$count.frames", 0] },
        } } },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<Step>), Reason> {
        let Trial { dataset, steps, .. } = alone(transform, document)?;
        Ok((dataset.document, steps))
    }

    #[test]
    fn a_video_dataset_loses_the_field_frames_and_gets_it_back_at_the_end() {
        let new = doc! { "media_type": "video", "sample_fields": [{ "name": "a" }, {}] };
        let old =
            doc! { "media_type": "video", "sample_fields": [{ "name": "a" }, {}, frames_field()] };
        assert_eq!(run(up, old.clone()).unwrap().0, new);
        assert_eq!(run(down, new).unwrap().0, old);
        assert_eq!(run(down, old.clone()).unwrap().0, old);
    }

    #[test]
    fn samples_lose_frames_on_the_way_up_and_are_joined_with_them_on_the_way_down() {
        let (_, steps) = run(up, doc! { "media_type": "video" }).unwrap();
        let [Step::Update { scope: Scope::Samples, update }] = steps.as_slice() else { panic!() };
        let mut sample = doc! { "_id": 1, "frames": {}, "a": 1 };
        update.apply(&mut sample);
        assert_eq!(sample, doc! { "_id": 1, "a": 1 });
        let (_, steps) = run(down, doc! { "media_type": "video" }).unwrap();
        let [Step::Merge(Merge { from: Scope::Samples, into: Scope::Samples, .. })] =
            steps.as_slice()
        else {
            panic!("{steps:?}")
        };
    }

    #[test]
    fn datasets_that_are_not_of_videos_stay_as_they_are() {
        for media_type in [Bson::Null, "image".into(), 1.into()] {
            let document =
                doc! { "media_type": media_type, "sample_fields": [{ "name": "frames" }] };
            for transform in [up as Transform, down] {
                let (after, steps) = run(transform, document.clone()).unwrap();
                assert_eq!((after, steps), (document.clone(), vec![]));
            }
        }
        assert_eq!(run(up, doc! {}).unwrap().0, doc! {});
    }

    #[test]
    fn null_in_place_of_a_schema_stays_and_a_text_in_it_is_refused() {
        let null = doc! { "media_type": "video", "sample_fields": null };
        assert_eq!(run(up, null.clone()).unwrap().0, null);
        assert_eq!(run(down, null.clone()).unwrap().0, null);
        for transform in [up as Transform, down] {
            let document = doc! { "media_type": "video", "sample_fields": ["a"] };
            let reason = run(transform, document).unwrap_err();
            assert!(reason.to_string().contains("`sample_fields[0]` is a text"), "{reason}");
        }
    }
}
