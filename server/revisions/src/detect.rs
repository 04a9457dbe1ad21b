//! The version of a dataset that does not say, read from its content.

use bson::{Bson, Document};
use model::Version;

use crate::Shape;

/// The newest version whose marks the document bears; 0.0.0 if it bears none.
///
/// Versions that leave no mark of their own are taken for the one before: their revisions can be run
/// on what they have made. Two marks stay when a dataset goes back down across their revision (`read_only` of
/// 1.0.0, `_dataset_id` of 0.20.0), so they only count together with the newest one that does not.
pub fn detect(document: &Document) -> Version {
    let (major, minor, patch) = newest_mark(document);
    Version::new(major, minor, patch)
}

fn newest_mark(document: &Document) -> (u64, u64, u64) {
    let has = |keys: &[&str]| keys.iter().any(|it| document.contains_key(it));
    let field_has = |key: &str| fields(document).any(|it| it.contains_key(key));
    let has_field = |name| sample_fields(document).any(|it| it.text("name") == name);
    match () {
        () if has(&["runs"]) && field_has("read_only") => (1, 0, 0),
        () if has(&["runs"]) => (0, 23, 0),
        () if has(&["slug", "saved_views"]) && has_field("_dataset_id") => (0, 20, 0),
        () if has(&["slug", "saved_views"]) => (0, 19, 0),
        () if field_has("description") => (0, 18, 0),
        () if has(&["app_config", "group_media_types"]) => (0, 17, 0),
        () if field_has("fields") => (0, 16, 1),
        () if has(&["skeletons"]) => (0, 15, 1),
        () if has(&["created_at", "last_loaded_at", "frame_collection_name"]) => (0, 14, 0),
        () if has(&["annotation_runs"]) => (0, 13, 0),
        () if field_has("db_field") => (0, 9, 4),
        () if has(&["classes", "mask_targets"]) => (0, 8, 0),
        () if has(&["brain_methods"]) => (0, 7, 4),
        () if has(&["evaluations"]) => (0, 7, 3),
        // The oldest layout marks each field; the way down to it puts the mark back.
        () if !has(&["frame_fields"]) || field_has("media_type") => (0, 0, 0),
        () if document.text("media_type") == "video" && !has_field("frames") => (0, 7, 2),
        () if has_field("_media_type") => (0, 6, 5),
        () => (0, 6, 2),
    }
}

fn fields(document: &Document) -> impl Iterator<Item = &Document> {
    sample_fields(document).chain(list(document, "frame_fields"))
}

fn sample_fields(document: &Document) -> impl Iterator<Item = &Document> {
    list(document, "sample_fields")
}

/// The documents in a list; whatever else may be there is passed over.
fn list<'a>(document: &'a Document, key: &str) -> impl Iterator<Item = &'a Document> + use<'a> {
    let items = document.get(key).and_then(Bson::as_array);
    items.into_iter().flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::{DateTime, doc};

    use super::*;
    use crate::{Dataset, Env, Names, Release, fold};

    #[test]
    fn each_mark_shows_its_version_and_newer_marks_win() {
        // From the oldest to the newest; each document also bears all marks before it.
        let marks = [
            ("0.6.2", doc! { "frame_fields": [] }),
            ("0.6.5", doc! { "sample_fields": [{ "name": "_media_type" }] }),
            ("0.7.2", doc! { "media_type": "video" }),
            ("0.7.3", doc! { "evaluations": {} }),
            ("0.7.4", doc! { "brain_methods": {} }),
            ("0.8.0", doc! { "mask_targets": null }),
            ("0.9.4", doc! { "frame_fields": [{ "db_field": "a" }] }),
            ("0.13.0", doc! { "annotation_runs": {} }),
            ("0.14.0", doc! { "created_at": null }),
            ("0.15.1", doc! { "skeletons": {} }),
            ("0.16.1", doc! { "frame_fields": [{ "fields": [] }] }),
            ("0.17.0", doc! { "app_config": {} }),
            ("0.18.0", doc! { "frame_fields": [{ "description": null }] }),
            ("0.19.0", doc! { "slug": "a" }),
            ("0.20.0", doc! { "sample_fields": [{ "name": "_dataset_id" }] }),
            ("0.23.0", doc! { "runs": {} }),
            ("1.0.0", doc! { "sample_fields": [{ "read_only": true }] }),
        ];
        let mut document = doc! { "name": "a" };
        assert_eq!(detect(&document).to_string(), "0.0.0");
        for (version, mark) in marks {
            document.extend(mark);
            assert_eq!(detect(&document).to_string(), version, "{document}");
        }
    }

    #[test]
    fn each_alternative_mark_counts() {
        for (version, mark) in [
            ("0.8.0", "classes"),
            ("0.14.0", "last_loaded_at"),
            ("0.14.0", "frame_collection_name"),
            ("0.17.0", "group_media_types"),
            ("0.19.0", "saved_views"),
        ] {
            assert_eq!(detect(&doc! { mark: null }).to_string(), version);
        }
    }

    #[test]
    fn marks_that_stay_on_the_way_down_do_not_count_alone() {
        let fields = vec![doc! { "name": "_dataset_id", "read_only": false, "media_type": null }];
        let document = doc! { "frame_fields": [], "sample_fields": fields };
        assert_eq!(detect(&document).to_string(), "0.0.0");
    }

    #[test]
    fn the_oldest_layout_is_known_by_the_media_type_of_its_fields() {
        for list in ["sample_fields", "frame_fields"] {
            let mut document = doc! { "media_type": "video", "frame_fields": [] };
            document.insert(list, vec![doc! { "media_type": null }]);
            assert_eq!(detect(&document).to_string(), "0.0.0");
        }
    }

    #[test]
    fn a_video_dataset_that_has_frames_as_a_field_is_older_than_one_without() {
        let fields = vec![doc! { "name": "frames" }, doc! { "name": "_media_type" }];
        let document = doc! { "media_type": "video", "frame_fields": [], "sample_fields": fields };
        assert_eq!(detect(&document).to_string(), "0.6.5");
    }

    #[test]
    fn malformed_documents_are_judged_by_what_can_be_read() {
        for fields in [Bson::Null, "a".into(), vec![1, 2].into(), doc! { "name": "a" }.into()] {
            let document = doc! {
                "sample_fields": &fields, "frame_fields": &fields, "media_type": 1, "runs": null,
            };
            assert_eq!(detect(&document).to_string(), "0.23.0");
        }
    }

    #[test]
    fn a_dataset_folded_down_is_taken_for_what_it_is() {
        let fields = vec![doc! { "name": "_media_type", "db_field": "_media_type" }];
        let document = doc! {
            "media_type": "video", "sample_fields": fields,
            "evaluations": {}, "brain_methods": {}, "classes": {},
        };
        let (names, results) = (Names::default(), BTreeSet::new());
        let env = Env {
            now: DateTime::from_millis(0),
            named: DateTime::from_millis(0),
            names: &names,
            results: &results,
        };
        let release = |text: &str| text.parse::<Release>().unwrap();
        for version in ["0.9.4", "0.8.0", "0.7.4", "0.7.3", "0.7.2", "0.6.5", "0.6.2", "0.0.0"] {
            let dataset = Dataset::new(document.clone());
            let folded = fold(dataset, &release("0.11.2"), &release(version), env).unwrap();
            assert_eq!(detect(&folded.dataset.document).to_string(), version);
        }
    }
}
