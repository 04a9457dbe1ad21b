//! v0.14.0: datasets know when they were created and loaded, and where their frames are.
//!
//! Source: `fiftyone/migrations/revisions/v0_14_0.py`.
//!
//! Differs: a video dataset whose frames are not where older versions look for them is refused on the way
//! down (FiftyOne forgets where they are), unless it was made for a view and can be made again. A dataset without `sample_collection_name` is refused with
//! a reason (FiftyOne crashes).

use bson::Bson;

use crate::{shape::malformed, *};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 14, 0),
    summary: "Record when datasets were created and loaded, and where their frames are",
    loses: Some("When the dataset was created and last loaded"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(DATES)], down: &[Claim::Drops(DATES), Claim::Lacks(&["frame_collection_name"])] },
    up,
    down,
};

const DATES: Defaults = &[("created_at", || Bson::Null), ("last_loaded_at", || Bson::Null)];

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    dataset.fill(DATES);
    if !dataset.document.contains_key("frame_collection_name") {
        let frames = match dataset.document.get("sample_collection_name") {
            Some(Bson::String(samples)) => format!("frames.{samples}"),
            None | Some(Bson::Null) => {
                return Err(Reason::new(
                    "it has no `sample_collection_name`, so its samples cannot be found; set it to the \
                     collection that holds them",
                ));
            }
            Some(other) => return Err(malformed("sample_collection_name", other, "a text")),
        };
        dataset.document.insert("frame_collection_name", frames);
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let document = &dataset.document;
    let frames = document.text("frame_collection_name");
    let samples = document.text("sample_collection_name");
    let expected = format!("frames.{samples}");
    let elsewhere = dataset.is_video() && !frames.is_empty() && frames != expected;
    if elsewhere && dataset.is_generated() {
        cx.warn("the frames of the view it was made for are not found by older versions; make it again there");
    } else if elsewhere && samples.is_empty() {
        return Err(Reason::new(format!(
            "it has no `sample_collection_name`, by which alone versions before 0.14.0 would find its frames, which are in \
             `{frames}`; set it to the collection that holds its samples"
        )));
    } else if elsewhere {
        return Err(Reason::new(format!(
            "its frames are in `{frames}`, but versions before 0.14.0 only look in `{expected}`; rename the \
             collection and `frame_collection_name` first"
        )));
    }
    for (key, _) in DATES {
        if document.get(key).is_some_and(|it| *it != Bson::Null) {
            cx.warn(format!("`{key}` is dropped"));
        }
    }
    dataset.strip(DATES);
    dataset.document.remove("frame_collection_name");
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::{DateTime, doc};

    use super::*;
    use crate::trial::{becomes, refuses};

    #[test]
    fn frames_are_named_after_the_samples() {
        let after = doc! {
            "sample_collection_name": "samples.1",
            "created_at": Bson::Null,
            "last_loaded_at": Bson::Null,
            "frame_collection_name": "frames.samples.1",
        };
        let before = doc! { "sample_collection_name": "samples.1" };
        becomes(REVISION.up, before.clone(), after.clone());
        becomes(REVISION.up, after.clone(), after.clone());
        assert!(becomes(REVISION.down, after, before).is_empty());
    }

    #[test]
    fn a_name_that_is_there_stays_even_if_null() {
        let after =
            doc! { "frame_collection_name": Bson::Null, "created_at": 1, "last_loaded_at": 2 };
        becomes(REVISION.up, after.clone(), after);
    }

    #[test]
    fn samples_that_cannot_be_found_are_refused() {
        for before in [doc! {}, doc! { "sample_collection_name": Bson::Null }] {
            assert!(refuses(REVISION.up, before).starts_with("it has no `sample_collection_name`"));
        }
        assert_eq!(
            refuses(REVISION.up, doc! { "sample_collection_name": 1 }),
            "the dataset is malformed: `sample_collection_name` is a number, not a text"
        );
    }

    #[test]
    fn frames_that_older_versions_would_not_find_are_refused() {
        let before = |media: &str| {
            doc! {
                "media_type": media,
                "sample_collection_name": "samples.1",
                "frame_collection_name": "frames.other",
            }
        };
        assert_eq!(
            refuses(REVISION.down, before("video")),
            "its frames are in `frames.other`, but versions before 0.14.0 only look in `frames.samples.1`; \
             rename the collection and `frame_collection_name` first"
        );
        let mut nowhere = before("video");
        nowhere.remove("sample_collection_name");
        assert!(refuses(REVISION.down, nowhere).starts_with("it has no `sample_collection_name`"));
        becomes(
            REVISION.down,
            before("image"),
            doc! { "media_type": "image", "sample_collection_name": "samples.1" },
        );
    }

    #[test]
    fn lost_dates_are_named() {
        let now = DateTime::from_millis(0);
        let before = doc! { "created_at": now, "last_loaded_at": now };
        assert_eq!(
            becomes(REVISION.down, before, doc! {}),
            ["`created_at` is dropped", "`last_loaded_at` is dropped"]
        );
    }

    #[test]
    fn a_view_may_forget_the_frames_of_the_dataset_it_was_made_for() {
        let before = doc! {
            "media_type": "video",
            "sample_collection_name": "clips.1",
            "frame_collection_name": "frames.samples.1",
        };
        let after = doc! { "media_type": "video", "sample_collection_name": "clips.1" };
        becomes(REVISION.down, before, after);
    }
}
