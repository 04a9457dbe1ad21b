//! Whether the content of a dataset document contradicts its version.
//!
//! Only what no client leaves that works as it should: one that is newer than a dataset but compatible with it writes its
//! own keys into it without migrating it, and that is no damage.

use bson::{Bson, Document};
use revisions::{Release, between, detect};

use crate::doctor::references::{RUNS, known_version};

/// What is wrong with a dataset's version.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The content is older than the version.
    Behind {
        /// What it says.
        label: Release,
        /// What it is.
        content: Release,
        /// By what that is known.
        signs: Vec<String>,
    },
    /// A part of the content is newer than the version.
    Ahead {
        /// What it says.
        label: Release,
        /// What it is in part.
        content: Release,
        /// By what that is known.
        signs: Vec<String>,
    },
    /// It has no version, but is of a time when datasets had one.
    Unlabeled {
        /// What it is.
        content: Release,
        /// By what that is known.
        signs: Vec<String>,
    },
}

impl Verdict {
    /// By what it is known.
    pub fn signs(&self) -> &[String] {
        let (Self::Behind { signs, .. }
        | Self::Ahead { signs, .. }
        | Self::Unlabeled { signs, .. }) = self;
        signs
    }
}

/// Judges a dataset document; `None` if nothing contradicts its version.
pub fn judge(document: &Document) -> Option<Verdict> {
    // A document without a schema is not from FiftyOne, or does not tell.
    fields(document).next()?;
    let content = content(document);
    if matches!(document.get("version"), None | Some(Bson::Null)) {
        // Whatever is older leaves no certain marks, or really has no version.
        let certain = content >= Release::new([0, 7, 3]);
        let signs = vec!["no `version`".to_owned()];
        return certain.then_some(Verdict::Unlabeled { content, signs });
    }
    let label = known_version(document)?;
    behind(document, &label, &content).or_else(|| ahead(document, label, content))
}

/// What a document that is at a version for certain has, and what it is at most if it has not.
fn behind(document: &Document, label: &Release, content: &Release) -> Option<Verdict> {
    let lacks = |keys: &[&str]| keys.iter().all(|it| !document.contains_key(it));
    let embedded = slots(document).any(|it| matches!(it, Bson::Document(_)));
    let read_only = fields(document).any(|it| it.contains_key("read_only"));
    let signs = [
        (0, 19, lacks(&["slug", "saved_views"]), [0, 18, 0], "neither `slug` nor `saved_views`"),
        (0, 19, embedded, [0, 18, 0], "runs inside the dataset document"),
        (0, 23, lacks(&["runs"]), [0, 20, 0], "no `runs`"),
        (1, 0, !read_only, [0, 23, 0], "no field with `read_only`"),
    ];
    let signs: Vec<_> = signs
        .into_iter()
        .filter(|(major, minor, found, ..)| *found && *label >= Release::new([*major, *minor]))
        .collect();
    let most = signs.iter().map(|(.., most, _)| Release::new(*most)).min()?;
    let content = std::cmp::min(content, &most).clone();
    if between(&content, label).is_empty() {
        return None;
    }
    let signs = signs.into_iter().map(|(.., sign)| sign.to_owned()).collect();
    Some(Verdict::Behind { label: label.clone(), content, signs })
}

/// Clients from 0.19 on do not open what is older without migrating it, and those before 0.16 opened nothing that was.
fn ahead(document: &Document, label: Release, content: Release) -> Option<Verdict> {
    let moved = slots(document).any(|it| matches!(it, Bson::ObjectId(_)));
    let signs = [
        (document.contains_key("slug"), "`slug`"),
        (document.contains_key("saved_views"), "`saved_views`"),
        (moved, "runs in a collection of their own"),
    ];
    let mut signs: Vec<String> =
        signs.into_iter().filter(|(found, _)| *found).map(|(_, sign)| sign.to_owned()).collect();
    if label >= Release::new([0, 19]) {
        return None;
    }
    if !signs.is_empty() {
        let content = std::cmp::max(content, Release::new([0, 19, 0]));
        return Some(Verdict::Ahead { label, content, signs });
    }
    let newer = content > label && !between(&label, &content).is_empty();
    if label < Release::new([0, 16]) && newer {
        signs.push(format!("keys of v{content}"));
        return Some(Verdict::Ahead { label, content, signs });
    }
    None
}

/// The newest version whose marks the document bears.
fn content(document: &Document) -> Release {
    let version = detect(document);
    Release::new([version.major(), version.minor(), version.patch()])
}

fn slots(document: &Document) -> impl Iterator<Item = &Bson> {
    RUNS.into_iter().filter_map(|key| document.get_document(key).ok()).flat_map(|it| it.values())
}

fn fields(document: &Document) -> impl Iterator<Item = &Document> {
    let lists = ["sample_fields", "frame_fields"].into_iter();
    let lists = lists.filter_map(|key| document.get_array(key).ok());
    lists.flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests {
    use bson::{doc, oid::ObjectId};

    use super::*;

    const ID: ObjectId = ObjectId::from_bytes([7; 12]);

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    /// A dataset at the newest version, with what is asked for changed.
    fn dataset(version: &str, changes: Document, without: &[&str]) -> Document {
        let mut document = doc! {
            "_id": ID, "name": "a", "slug": "a", "saved_views": [], "runs": {}, "app_config": {},
            "evaluations": { "eval": ID },
            "sample_fields": [{ "name": "id", "db_field": "_id", "fields": [], "description": null, "read_only": true }],
            "version": version,
        };
        document.extend(changes);
        for key in without {
            document.remove(key);
        }
        document
    }

    fn behind(document: &Document) -> (String, Vec<String>) {
        match judge(document) {
            Some(Verdict::Behind { content, signs, .. }) => (content.to_string(), signs),
            other => panic!("{other:?}"),
        }
    }

    fn ahead(document: &Document) -> String {
        match judge(document) {
            Some(Verdict::Ahead { content, .. }) => content.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_says_what_it_is_is_healthy() {
        assert_eq!(judge(&dataset("1.22.1", doc! {}, &[])), None);
        assert_eq!(judge(&dataset("1.0.0", doc! {}, &[])), None);
        assert_eq!(judge(&dataset("0.22.0", doc! {}, &["runs"])), None);
        let embedded = doc! { "evaluations": { "eval": { "key": "eval" } } };
        assert_eq!(judge(&dataset("0.18.0", embedded, &["slug", "saved_views", "runs"])), None);
    }

    #[test]
    fn what_a_newer_client_has_written_into_it_is_no_damage() {
        // It knows `runs` and `read_only`, and is allowed to open what is at 0.21.
        assert_eq!(judge(&dataset("0.21.0", doc! {}, &[])), None);
        let none = doc! { "evaluations": {} };
        assert_eq!(judge(&dataset("0.17.2", none, &["slug", "saved_views", "runs"])), None);
    }

    #[test]
    fn what_tells_nothing_is_not_judged() {
        assert_eq!(judge(&doc! { "version": "1.22.1", "name": "a", "sample_fields": [] }), None);
        assert_eq!(judge(&doc! { "version": "1.22.1", "sample_fields": null }), None);
        assert_eq!(judge(&dataset("99.0.0", doc! {}, &["slug", "saved_views"])), None);
        assert_eq!(judge(&dataset("garbage", doc! {}, &["slug", "saved_views"])), None);
    }

    #[test]
    fn a_grouped_dataset_that_failed_on_the_way_down_is_as_old_as_it_looks() {
        let embedded = doc! {
            "evaluations": { "eval": { "key": "eval" } }, "group_field": "group",
            "sample_fields": [{ "name": "id", "db_field": "_id", "fields": [], "read_only": true }],
        };
        let document = dataset("1.22.1", embedded, &["slug", "saved_views", "runs"]);
        let (content, signs) = behind(&document);
        assert_eq!(content, "0.17.0");
        assert_eq!(
            signs,
            ["neither `slug` nor `saved_views`", "runs inside the dataset document", "no `runs`"]
        );
    }

    #[test]
    fn revisions_that_were_lost_are_seen_by_what_is_missing() {
        let fields =
            doc! { "sample_fields": [{ "name": "id", "fields": [], "description": null }] };
        assert_eq!(behind(&dataset("1.22.1", fields, &[])).0, "0.23.0");
        assert_eq!(behind(&dataset("1.22.1", doc! {}, &["runs"])).0, "0.19.0");
        let embedded = doc! { "runs": { "mine": { "key": "mine" } } };
        assert_eq!(behind(&dataset("0.23.0", embedded, &[])).0, "0.18.0");
    }

    #[test]
    fn a_chain_that_failed_on_the_way_up_has_left_newer_marks_than_its_version() {
        assert_eq!(ahead(&dataset("0.18.0", doc! {}, &["runs"])), "0.19.0");
        assert_eq!(ahead(&dataset("0.18.0", doc! {}, &[])), "1.0.0");
        assert_eq!(ahead(&dataset("0.18.0", doc! {}, &["slug", "saved_views", "runs"])), "0.19.0");
        let none = doc! { "evaluations": {} };
        assert_eq!(ahead(&dataset("0.14.4", none, &["slug", "saved_views", "runs"])), "0.18.0");
    }

    #[test]
    fn a_lost_version_is_missed_where_there_was_one() {
        let unlabeled = |document: &Document| match judge(document) {
            Some(Verdict::Unlabeled { content, .. }) => content,
            other => panic!("{other:?}"),
        };
        let lost = dataset("", doc! {}, &["version"]);
        assert_eq!(unlabeled(&lost), release("1.0.0"));
        assert_eq!(unlabeled(&dataset("", doc! { "version": null }, &[])), release("1.0.0"));
        let old = doc! { "_id": ID, "name": "a", "sample_fields": [{ "name": "id" }] };
        assert_eq!(judge(&old), None, "before 0.6.2 there were none");
    }
}
