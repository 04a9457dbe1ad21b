//! v0.20.0: samples and frames know their dataset, the sidebar has one group for tags, and similarity
//! has backends.
//!
//! Source: `fiftyone/migrations/revisions/v0_20_0.py`.
//!
//! Differs: a run that does not exist is skipped, and `null` where runs or their settings belong is left
//! alone (FiftyOne crashes). Runs that share a file of results still share one afterwards, and the old file
//! stays as long as another run of the dataset needs it (FiftyOne leaves them with a deleted one). The frames
//! of a dataset that was made for a view belong to another one and keep its id (FiftyOne overwrites it).

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc, oid::ObjectId};

use crate::{
    shape::{document, malformed},
    *,
};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 20, 0),
    summary: "Store the dataset's id in samples and frames, merge the sidebar groups for tags, and name \
              the backend of similarity runs",
    loses: None,
    reads: &[Read::Runs, Read::Results],
    promise: Promise { up: &[Claim::HasField(Of::All, "_dataset_id")], down: &[] },
    up,
    down,
};

/// How similarity by scikit-learn is called.
struct Similarity {
    config: &'static str,
    method: &'static str,
    results: &'static str,
}

const OLD: Similarity = Similarity {
    config: "fiftyone.brain.similarity.SimilarityConfig",
    method: "similarity",
    results: "fiftyone.brain.similarity.SimilarityResults",
};

const NEW: Similarity = Similarity {
    config: "fiftyone.brain.internal.core.sklearn.SklearnSimilarityConfig",
    method: "sklearn",
    results: "fiftyone.brain.internal.core.sklearn.SklearnSimilarityIndex",
};

const TAGS: &str = "tags";
const LABEL_TAGS: &str = "label tags";

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    add_dataset_id(dataset, cx, Scope::Samples)?;
    add_dataset_id(dataset, cx, Scope::Frames)?;
    if let Some(config) = dataset.document.dict("app_config")? {
        merge_tags(config)?;
    }
    rename_similarity(dataset, cx, &OLD, &NEW)
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    add_frame_collection(&mut dataset.document)?;
    if let Some(config) = dataset.document.dict("app_config")? {
        split_tags(config)?;
    }
    rename_similarity(dataset, cx, &NEW, &OLD)
}

/// Adds the field `_dataset_id` to a schema that has fields but not this one, and to the documents.
fn add_dataset_id(dataset: &mut Dataset, cx: &mut Context<'_>, scope: Scope) -> Result<(), Reason> {
    let (schema, collection) = match scope {
        Scope::Samples => ("sample_fields", "sample_collection_name"),
        Scope::Frames => ("frame_fields", "frame_collection_name"),
    };
    let fields = dataset.document.dicts(schema)?;
    if fields.is_empty() || fields.iter().any(|it| it.text("name") == "_dataset_id") {
        return Ok(());
    }
    if let Some(fields) = dataset.document.list(schema)? {
        let field = doc! {
            "name": "_dataset_id",
            "ftype": "fiftyone.core.fields.ObjectIdField",
            "embedded_doc_type": Bson::Null,
            "subfield": Bson::Null,
            "fields": [],
            "db_field": "_dataset_id",
            "description": Bson::Null,
            "info": Bson::Null,
        };
        fields.push(field.into());
    }
    match dataset.document.get(collection) {
        None | Some(Bson::Null) => {}
        Some(Bson::String(_)) if scope == Scope::Frames && dataset.is_generated() => {}
        Some(Bson::String(_)) => {
            let id = dataset.document.get("_id").cloned().unwrap_or(Bson::Null);
            cx.every(scope).set("_dataset_id", id);
        }
        Some(other) => return Err(malformed(collection, other, "a text")),
    }
    Ok(())
}

/// Older versions want a frame collection even where there are no frames.
fn add_frame_collection(document: &mut Document) -> Result<(), Reason> {
    let frames = document.get("frame_collection_name").filter(|it| **it != Bson::Null);
    if frames.is_some_and(|it| it.as_str() != Some("")) {
        return Ok(());
    }
    match document.get("sample_collection_name") {
        None | Some(Bson::Null) => {}
        Some(Bson::String(samples)) if samples.is_empty() => {}
        Some(Bson::String(samples)) => {
            let frames = format!("frames.{samples}");
            document.insert("frame_collection_name", frames);
        }
        Some(other) => return Err(malformed("sample_collection_name", other, "a text")),
    }
    Ok(())
}

/// Label tags move into the sidebar group of sample tags.
fn merge_tags(config: &mut Document) -> Result<(), Reason> {
    let mut label_tags = None;
    for (index, group) in config.dicts("sidebar_groups")?.into_iter().enumerate() {
        match group.text("name") {
            TAGS => _ = group.insert("paths", vec!["tags", "_label_tags"]),
            LABEL_TAGS => label_tags = Some(index),
            _ => {}
        }
    }
    if let (Some(index), Some(groups)) = (label_tags, config.list("sidebar_groups")?) {
        groups.remove(index);
    }
    Ok(())
}

/// Label tags get a sidebar group of their own, behind the one of sample tags.
fn split_tags(config: &mut Document) -> Result<(), Reason> {
    let (mut tags, mut label_tags) = (None, None);
    for (index, group) in config.dicts("sidebar_groups")?.into_iter().enumerate() {
        match group.text("name") {
            TAGS => tags = Some(index),
            LABEL_TAGS => label_tags = Some(index),
            _ => continue,
        }
        group.insert("paths", Bson::Array(Vec::new()));
    }
    if let (Some(index), None, Some(groups)) = (tags, label_tags, config.list("sidebar_groups")?) {
        groups.insert(index + 1, doc! { "name": LABEL_TAGS, "paths": [] }.into());
    }
    Ok(())
}

/// Calls the similarity runs, and the results they have, by their names in another version.
fn rename_similarity(
    dataset: &mut Dataset,
    cx: &mut Context<'_>,
    from: &Similarity,
    to: &Similarity,
) -> Result<(), Reason> {
    let mut copies = BTreeMap::new();
    for id in brain_runs(dataset, cx)? {
        let Some(run) = dataset.runs.get_mut(&id) else { continue };
        let config = match run.get_mut("config") {
            None | Some(Bson::Null) => continue,
            Some(config) => document(config, || format!("{id}.config"))?,
        };
        if config.text("cls") != from.config {
            continue;
        }
        config.insert("cls", to.config);
        config.insert("method", to.method);
        // Results that cannot be read stay as they are, as in FiftyOne.
        if let Ok(file) = run.get_object_id("results")
            && cx.env.results.contains(&file)
        {
            let copy = cx.new_id(&dataset.document, &["results", &file.to_hex()]);
            run.insert("results", copy);
            copies.insert(file, copy);
        }
    }
    for (file, copy) in copies {
        let needed = dataset.runs.values().any(|it| it.get_object_id("results").is_ok_and(|it| it == file));
        cx.effect(Effect::RewriteResults {
            from: file,
            to: copy,
            set: vec![("cls", to.results)],
            delete_from: !needed,
        });
    }
    Ok(())
}

/// The ids of the brain runs that exist.
fn brain_runs(
    dataset: &mut Dataset,
    cx: &mut Context<'_>,
) -> Result<BTreeSet<ObjectId>, Reason> {
    let mut ids = BTreeSet::new();
    let Some(slots) = dataset.document.dict("brain_methods")? else { return Ok(ids) };
    for (key, slot) in &*slots {
        match slot {
            Bson::Null => {}
            Bson::ObjectId(id) if dataset.runs.contains_key(id) => _ = ids.insert(*id),
            Bson::ObjectId(_) => {
                cx.warn(format!("the run `brain_methods.{key}` is skipped, because it does not exist"));
            }
            other => return Err(malformed(&format!("brain_methods.{key}"), other, "an id")),
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, alone, among, assert_same, becomes, refuses};

    const ID: ObjectId = ObjectId::from_bytes([1; 12]);
    const RUN: ObjectId = ObjectId::from_bytes([2; 12]);
    const OTHER: ObjectId = ObjectId::from_bytes([3; 12]);
    const FILE: ObjectId = ObjectId::from_bytes([4; 12]);

    fn with_runs(change: Transform, runs: &[(ObjectId, Document)]) -> Trial {
        let slots = runs.iter().map(|(id, _)| (id.to_hex(), (*id).into())).collect::<Document>();
        let dataset = Dataset {
            document: doc! { "_id": ID, "brain_methods": slots },
            runs: runs.iter().cloned().collect(),
        };
        among(&Names::default(), &BTreeSet::from([FILE]), change, dataset).unwrap()
    }

    fn run(class: &str, results: impl Into<Bson>) -> Document {
        doc! { "config": { "cls": class, "method": "m", "metric": "cosine" }, "results": results.into() }
    }

    #[test]
    fn samples_and_frames_learn_their_dataset() {
        let field = doc! {
            "name": "_dataset_id",
            "ftype": "fiftyone.core.fields.ObjectIdField",
            "embedded_doc_type": Bson::Null,
            "subfield": Bson::Null,
            "fields": [],
            "db_field": "_dataset_id",
            "description": Bson::Null,
            "info": Bson::Null,
        };
        let before = doc! {
            "_id": ID,
            "sample_fields": [{ "name": "id" }],
            "sample_collection_name": "s",
            "frame_fields": [{ "name": "id" }],
            "frame_collection_name": "f",
        };
        let it = alone(REVISION.up, before).unwrap();
        let after = doc! {
            "_id": ID,
            "sample_fields": [{ "name": "id" }, &field],
            "sample_collection_name": "s",
            "frame_fields": [{ "name": "id" }, &field],
            "frame_collection_name": "f",
        };
        assert_same(&it.dataset.document, &after);
        let update = |scope| {
            let update = Update::Set { field: "_dataset_id".to_owned(), value: ID.into() };
            Step::Update { scope, update }
        };
        assert_eq!(it.steps, [update(Scope::Samples), update(Scope::Frames)]);
        let again = alone(REVISION.up, after.clone()).unwrap();
        assert_same(&again.dataset.document, &after);
        assert!(again.steps.is_empty());
    }

    #[test]
    fn a_schema_without_fields_or_collection_changes_no_documents() {
        for before in [
            doc! { "sample_fields": [], "sample_collection_name": "s" },
            doc! { "sample_fields": Bson::Null, "frame_collection_name": "f" },
            doc! { "frame_fields": [{ "name": "id" }], "frame_collection_name": Bson::Null },
        ] {
            assert!(alone(REVISION.up, before).unwrap().steps.is_empty());
        }
        refuses(REVISION.up, doc! { "sample_fields": [{}], "sample_collection_name": 1 });
        refuses(REVISION.up, doc! { "sample_fields": "text" });
    }

    #[test]
    fn older_versions_get_a_frame_collection_if_there_is_none() {
        let after = doc! { "sample_collection_name": "s", "frame_collection_name": "frames.s" };
        becomes(REVISION.down, doc! { "sample_collection_name": "s" }, after.clone());
        becomes(REVISION.down, after.clone(), after.clone());
        for empty in [Bson::Null, "".into()] {
            let before = doc! { "frame_collection_name": empty, "sample_collection_name": "s" };
            let after = doc! { "frame_collection_name": "frames.s", "sample_collection_name": "s" };
            becomes(REVISION.down, before, after);
        }
        for none in [doc! {}, doc! { "sample_collection_name": "" }] {
            becomes(REVISION.down, none.clone(), none);
        }
        refuses(REVISION.down, doc! { "sample_collection_name": 1 });
    }

    #[test]
    fn label_tags_join_the_sample_tags_and_part_again() {
        let sidebar = |groups: Vec<Document>| doc! { "app_config": { "sidebar_groups": groups } };
        let tags = |paths: &[&str]| doc! { "name": "tags", "paths": paths.to_vec() };
        let other = doc! { "name": "other", "paths": ["x"] };
        let label_tags = doc! { "name": "label tags", "paths": [] };
        let apart = sidebar(vec![tags(&[]), label_tags.clone(), other.clone()]);
        let joined = sidebar(vec![tags(&["tags", "_label_tags"]), other.clone()]);
        becomes(REVISION.up, apart.clone(), joined.clone());
        becomes(REVISION.down, joined, apart);

        let full = doc! { "name": "label tags", "paths": ["y"] };
        let before = sidebar(vec![full.clone(), other.clone(), tags(&["z"])]);
        becomes(REVISION.down, before, sidebar(vec![label_tags, other.clone(), tags(&[])]));
        becomes(REVISION.up, sidebar(vec![full, other.clone()]), sidebar(vec![other.clone()]));
        becomes(REVISION.down, sidebar(vec![other.clone()]), sidebar(vec![other]));
        for config in [Bson::Null, doc! { "sidebar_groups": Bson::Null }.into()] {
            let null = doc! { "app_config": config };
            becomes(REVISION.up, null.clone(), null.clone());
            becomes(REVISION.down, null.clone(), null);
        }
        refuses(REVISION.up, doc! { "app_config": { "sidebar_groups": ["tags"] } });
    }

    #[test]
    fn similarity_runs_and_their_results_change_class_and_back() {
        for (change, from, to) in [(REVISION.up, OLD, NEW), (REVISION.down, NEW, OLD)] {
            let it = with_runs(change, &[(RUN, run(from.config, FILE))]);
            let copy = it.dataset.runs[&RUN].get_object_id("results").unwrap();
            assert_ne!(copy, FILE);
            assert_same(
                &it.dataset.runs[&RUN],
                &doc! {
                    "config": { "cls": to.config, "method": to.method, "metric": "cosine" },
                    "results": copy,
                },
            );
            let set = vec![("cls", to.results)];
            let effect = Effect::RewriteResults { from: FILE, to: copy, set, delete_from: true };
            assert_eq!(it.steps, [Step::Effect(effect)]);
            assert!(it.warnings.is_empty());
        }
    }

    #[test]
    fn runs_that_share_their_results_share_the_copy() {
        let both = [(RUN, run(OLD.config, FILE)), (OTHER, run(OLD.config, FILE))];
        let it = with_runs(REVISION.up, &both);
        let copies: BTreeSet<_> =
            it.dataset.runs.values().map(|it| it.get_object_id("results").unwrap()).collect();
        assert_eq!((copies.len(), it.steps.len()), (1, 1));
        assert!(matches!(
            it.steps[0],
            Step::Effect(Effect::RewriteResults { delete_from: true, .. })
        ));
    }

    #[test]
    fn results_that_another_run_still_needs_are_not_deleted() {
        let both = [(RUN, run(OLD.config, FILE)), (OTHER, run("visualization", FILE))];
        let it = with_runs(REVISION.up, &both);
        assert_eq!(it.dataset.runs[&OTHER], both[1].1);
        assert!(matches!(
            it.steps[..],
            [Step::Effect(Effect::RewriteResults { delete_from: false, .. })]
        ));
    }

    #[test]
    fn results_that_cannot_be_read_stay() {
        for results in [OTHER.into(), Bson::Null, "text".into()] {
            let it = with_runs(REVISION.up, &[(RUN, run(OLD.config, results.clone()))]);
            let mut expected = run(NEW.config, results);
            expected.dict("config").unwrap().unwrap().insert("method", NEW.method);
            assert_eq!(it.dataset.runs[&RUN], expected);
            assert!(it.steps.is_empty());
        }
    }

    #[test]
    fn runs_that_do_not_exist_are_skipped() {
        let before = doc! { "brain_methods": { "gone": RUN, "null": Bson::Null } };
        for change in [REVISION.up, REVISION.down] {
            assert_eq!(
                becomes(change, before.clone(), before.clone()),
                ["the run `brain_methods.gone` is skipped, because it does not exist"]
            );
            let null = doc! { "brain_methods": Bson::Null };
            becomes(change, null.clone(), null);
        }
        assert_eq!(
            refuses(REVISION.up, doc! { "brain_methods": { "a": {} } }),
            "the dataset is malformed: `brain_methods.a` is a document, not an id"
        );
    }

    #[test]
    fn runs_without_settings_stay() {
        for run in [doc! {}, doc! { "config": Bson::Null }, doc! { "config": {} }] {
            let it = with_runs(REVISION.up, &[(RUN, run.clone())]);
            assert_eq!(it.dataset.runs[&RUN], run);
        }
    }

    #[test]
    fn frames_of_the_dataset_a_view_was_made_for_keep_its_id() {
        let before = doc! {
            "_id": 1,
            "sample_collection_name": "clips.1",
            "frame_collection_name": "frames.samples.1",
            "sample_fields": [{ "name": "id" }],
            "frame_fields": [{ "name": "id" }],
        };
        let steps = alone(REVISION.up, before).unwrap().steps;
        let scopes: Vec<Scope> = steps
            .iter()
            .filter_map(|it| match it {
                Step::Update { scope, .. } => Some(*scope),
                Step::Merge(_) | Step::Effect(_) => None,
            })
            .collect();
        assert_eq!(scopes, [Scope::Samples]);
    }
}
