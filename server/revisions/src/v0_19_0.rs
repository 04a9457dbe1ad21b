//! v0.19.0: datasets have slugs, descriptions and saved views, and runs a collection of their own.
//!
//! Source: `fiftyone/migrations/revisions/v0_19_0.py`.
//!
//! Differs: new names and slugs are unique for certain (FiftyOne checks something else than it writes), and
//! the time in them is UTC. The dataset stays the same one when it is renamed (FiftyOne goes on under the
//! old name and fails). `null` where runs belong is left alone (FiftyOne crashes). On the way down, a run
//! that does not exist is left out (FiftyOne crashes), one that two keys share goes to both, and one of
//! another dataset is copied, not taken.

use std::{collections::BTreeSet, mem::take};

use bson::{Bson, Document, doc, oid::ObjectId};

use crate::*;

pub(crate) mod naming;
mod slug;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 19, 0),
    summary: "Add slugs, descriptions and saved views, and move runs to their own collection",
    loses: Some("The description and the saved views; slugs are made again, from the name"),
    reads: &[Read::Runs, Read::Names],
    promise: Promise { up: &[Claim::Keeps(&["slug"]), Claim::Has(ADDED), Claim::RunsOutside(&RUN_FIELDS)], down: &[Claim::Drops(ADDED), Claim::Lacks(&["slug"]), Claim::RunsInside(&RUN_FIELDS)] },
    up,
    down,
};

const ADDED: Defaults =
    &[("description", || Bson::Null), ("saved_views", || Bson::Array(Vec::new()))];

const RUN_FIELDS: [&str; 3] = ["annotation_runs", "brain_methods", "evaluations"];

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if !dataset.document.contains_key("slug") {
        naming::name(&mut dataset.document, cx);
    }
    dataset.fill(ADDED);
    for field in RUN_FIELDS {
        move_out(dataset, cx, field)?;
    }
    if has_legacy_3d_settings(&dataset.document) {
        cx.warn("its settings for the 3D viewer (`app_config.plugins.3d`) are in a legacy form");
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    dataset.document.remove("slug");
    if dataset.document.remove("description").is_some_and(|it| it != Bson::Null) {
        cx.warn("its description is dropped");
    }
    if let Some(views) = dataset.document.list("saved_views")?.map(take)
        && !views.is_empty()
    {
        cx.warn_lost(views.len(), "saved view", "deleted");
        cx.effect(Effect::DeleteViews(views));
    }
    dataset.document.remove("saved_views");
    let mut embedded = BTreeSet::new();
    for field in RUN_FIELDS {
        embedded.extend(move_in(dataset, cx, field)?);
    }
    dataset.runs.retain(|id, _| !embedded.contains(id));
    Ok(())
}

/// Makes every run in `field` a document of its own, and leaves its id. What is not a document stays.
fn move_out(dataset: &mut Dataset, cx: &Context<'_>, field: &str) -> Result<(), Reason> {
    let Some(mut slots) = dataset.document.dict(field)?.map(take) else { return Ok(()) };
    let owner = dataset.document.get("_id").cloned().unwrap_or(Bson::Null);
    for (key, slot) in slots.iter_mut() {
        if let Bson::Document(run) = slot {
            let id = cx.new_id(&dataset.document, &[field, key]);
            // In front, where MongoDB puts it whatever it is given.
            let mut moved = doc! { "_id": id };
            moved.extend(take(run).into_iter().filter(|(key, _)| key != "_id"));
            moved.insert("_dataset_id", owner.clone());
            dataset.runs.insert(id, moved);
            *slot = id.into();
        }
    }
    dataset.document.insert(field, slots);
    Ok(())
}

/// Puts a copy of every run that `field` refers to in the place of its id. Returns the ids of those that
/// belong to this dataset. What is not an id stays.
fn move_in(
    dataset: &mut Dataset,
    cx: &mut Context<'_>,
    field: &str,
) -> Result<Vec<ObjectId>, Reason> {
    let Some(slots) = dataset.document.dict(field)?.map(take) else { return Ok(Vec::new()) };
    let owner = dataset.document.get("_id");
    let (mut kept, mut embedded) = (Document::new(), Vec::new());
    for (key, slot) in slots {
        let Bson::ObjectId(id) = slot else {
            kept.insert(key, slot);
            continue;
        };
        let Some(mut run) = dataset.runs.get(&id).cloned() else {
            cx.warn(format!("the run `{field}.{key}` is left out, because it does not exist"));
            continue;
        };
        run.remove("_id");
        let of = run.remove("_dataset_id").filter(|it| *it != Bson::Null);
        if of.is_none() || of.as_ref() == owner {
            embedded.push(id);
        }
        kept.insert(key, run);
    }
    dataset.document.insert(field, kept);
    Ok(embedded)
}

fn has_legacy_3d_settings(document: &Document) -> bool {
    let inner = |it: &Document, key: &str| it.get_document(key).cloned().unwrap_or_default();
    let settings = inner(&inner(&inner(document, "app_config"), "plugins"), "3d");
    let (overlay, cloud) = (inner(&settings, "overlay"), inner(&settings, "pointCloud"));
    overlay.contains_key("itemRotation")
        || overlay.contains_key("rotation")
        || cloud.contains_key("rotation")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, alone, among, assert_same, becomes, refuses};

    const ID: ObjectId = ObjectId::from_bytes([1; 12]);
    const RUN: ObjectId = ObjectId::from_bytes([2; 12]);

    fn down_with(document: Document, runs: &[(ObjectId, Document)]) -> Trial {
        let dataset = Dataset { document, runs: runs.iter().cloned().collect() };
        among(&Names::default(), &BTreeSet::new(), REVISION.down, dataset).unwrap()
    }

    #[test]
    fn runs_go_out_and_come_back_as_they_left() {
        let before = doc! {
            "_id": ID,
            "name": "x",
            "evaluations": { "b": { "key": "b", "config": {} }, "a": { "key": "a" } },
            "brain_methods": { "a": { "key": "a" } },
            "z": 1,
        };
        let up = alone(REVISION.up, before.clone()).unwrap();
        assert!(up.warnings.is_empty() && up.steps.is_empty());
        let ids: Vec<_> = up.dataset.runs.keys().copied().collect();
        assert_eq!(ids.len(), 3);
        let keys: Vec<_> = up.dataset.document.keys().collect();
        assert_eq!(
            keys,
            ["_id", "name", "evaluations", "brain_methods", "z", "slug", "description", "saved_views"]
        );
        let evaluations = up.dataset.document.get_document("evaluations").unwrap();
        assert_eq!(evaluations.keys().collect::<Vec<_>>(), ["b", "a"]);
        let id = evaluations.get_object_id("b").unwrap();
        assert_same(
            &up.dataset.runs[&id],
            &doc! { "_id": id, "key": "b", "config": {}, "_dataset_id": ID },
        );
        assert_eq!(alone(REVISION.up, before.clone()).unwrap().dataset, up.dataset);

        let down = among(&Names::default(), &BTreeSet::new(), REVISION.down, up.dataset).unwrap();
        assert_same(&down.dataset.document, &before);
        assert!(down.dataset.runs.is_empty() && down.warnings.is_empty() && down.steps.is_empty());
    }

    #[test]
    fn what_is_already_there_or_null_stays() {
        let there = doc! {
            "slug": "x",
            "description": "text",
            "saved_views": Bson::Null,
            "evaluations": Bson::Null,
            "brain_methods": { "a": RUN, "b": Bson::Null },
        };
        becomes(REVISION.up, there.clone(), there);
        let it = down_with(doc! { "saved_views": Bson::Null, "evaluations": Bson::Null }, &[]);
        assert_same(&it.dataset.document, &doc! { "evaluations": Bson::Null });
        assert!(it.steps.is_empty());
    }

    #[test]
    fn what_is_lost_is_said() {
        let view = ObjectId::from_bytes([3; 12]);
        let it = down_with(
            doc! { "slug": "x", "description": "text", "saved_views": [view], "z": 1 },
            &[],
        );
        assert_same(&it.dataset.document, &doc! { "z": 1 });
        assert_eq!(it.steps, [Step::Effect(Effect::DeleteViews(vec![view.into()]))]);
        assert_eq!(it.warnings, ["its description is dropped", "1 saved view is deleted"]);
    }

    #[test]
    fn a_run_that_does_not_exist_is_left_out() {
        let it = down_with(doc! { "evaluations": { "gone": RUN, "odd": 1 } }, &[]);
        assert_same(&it.dataset.document, &doc! { "evaluations": { "odd": 1 } });
        assert_eq!(
            it.warnings,
            ["the run `evaluations.gone` is left out, because it does not exist"]
        );
    }

    #[test]
    fn a_run_that_two_keys_share_goes_to_both() {
        let it = down_with(
            doc! { "_id": ID, "evaluations": { "a": RUN }, "brain_methods": { "b": RUN } },
            &[(RUN, doc! { "_id": RUN, "_dataset_id": ID, "key": "a" })],
        );
        assert_same(
            &it.dataset.document,
            &doc! {
                "_id": ID, "evaluations": { "a": { "key": "a" } }, "brain_methods": { "b": { "key": "a" } },
            },
        );
        assert!(it.dataset.runs.is_empty() && it.warnings.is_empty());
    }

    #[test]
    fn a_run_of_another_dataset_is_not_taken_from_it() {
        let run = doc! { "_id": RUN, "_dataset_id": 2, "key": "a" };
        let it = down_with(doc! { "_id": ID, "evaluations": { "a": RUN } }, &[(RUN, run.clone())]);
        assert_same(&it.dataset.document, &doc! { "_id": ID, "evaluations": { "a": { "key": "a" } } });
        assert_eq!(it.dataset.runs[&RUN], run);
    }

    #[test]
    fn legacy_settings_of_the_3d_viewer_are_pointed_out() {
        let with = |settings: Document| {
            let document = doc! { "slug": "x", "app_config": { "plugins": { "3d": settings } } };
            alone(REVISION.up, document).unwrap().warnings.len()
        };
        assert_eq!(with(doc! { "overlay": { "itemRotation": [0, 0, 0] } }), 1);
        assert_eq!(with(doc! { "overlay": { "rotation": [0, 0, 0] } }), 1);
        assert_eq!(with(doc! { "pointCloud": { "rotation": [0, 0, 0] } }), 1);
        assert_eq!(with(doc! { "overlay": 1, "pointCloud": Bson::Null }), 0);
        assert!(alone(REVISION.up, doc! { "slug": "x", "app_config": 1 }).unwrap().warnings.is_empty());
    }

    #[test]
    fn other_things_than_runs_and_views_are_refused() {
        refuses(REVISION.up, doc! { "evaluations": [] });
        refuses(REVISION.down, doc! { "evaluations": "text" });
        refuses(REVISION.down, doc! { "saved_views": "text" });
    }
}
