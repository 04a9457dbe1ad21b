//! v0.13.0: datasets remember their annotation runs, similarity runs their model and metric.
//!
//! Source: `fiftyone/migrations/revisions/v0_13_0.py`.
//!
//! Differs: `null` where the brain runs, a run or its settings belong is left alone (FiftyOne crashes).

use bson::{Bson, Document, doc};

use crate::{
    loss::counted,
    shape::{document, malformed},
    *,
};

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 13, 0),
    summary: "Add annotation runs, and the model and metric of similarity runs",
    loses: Some("The annotation runs, and the model and metric of similarity runs"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(ADDED)], down: &[Claim::Drops(ADDED)] },
    up,
    down,
};

const ADDED: Defaults = &[("annotation_runs", || doc! {}.into())];

/// What similarity runs get, and what they were computed with before they could say.
const SETTINGS: Defaults = &[("model", || Bson::Null), ("metric", || "euclidean".into())];

const SIMILARITY: &str = "fiftyone.brain.similarity.SimilarityConfig";

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    dataset.fill(ADDED);
    for config in similarity_configs(dataset)? {
        for (key, initial) in SETTINGS {
            config.insert(*key, initial());
        }
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if let Some(Bson::Document(runs)) = dataset.document.remove("annotation_runs") {
        cx.warn_lost(runs.len(), "annotation run", "deleted");
    }
    let mut lost = 0;
    for config in similarity_configs(dataset)? {
        let mut differs = false;
        for (key, initial) in SETTINGS {
            differs |= config.remove(key).is_some_and(|it| it != initial());
        }
        lost += usize::from(differs);
    }
    if lost > 0 {
        let runs = counted(lost, "similarity run");
        cx.warn(format!("the model and metric of {runs} are dropped"));
    }
    Ok(())
}

/// The settings of all similarity runs.
fn similarity_configs(dataset: &mut Dataset) -> Result<Vec<&mut Document>, Reason> {
    let mut configs = Vec::new();
    let Some(runs) = dataset.document.dict("brain_methods")? else { return Ok(configs) };
    for (key, slot) in runs.iter_mut() {
        if *slot == Bson::Null {
            continue;
        }
        match document(slot, || format!("brain_methods.{key}"))?.get_mut("config") {
            None | Some(Bson::Null) => {}
            Some(Bson::Document(config)) if config.text("cls") != SIMILARITY => {}
            Some(Bson::Document(config)) => configs.push(config),
            Some(other) => {
                let path = format!("brain_methods.{key}.config");
                return Err(malformed(&path, other, "a document"));
            }
        }
    }
    Ok(configs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{becomes, refuses};

    #[test]
    fn similarity_runs_say_their_model_and_metric() {
        let before = doc! { "brain_methods": {
            "sim": { "key": "sim", "config": { "cls": SIMILARITY, "metric": "cosine", "x": 1 } },
            "vis": { "config": { "cls": "fiftyone.brain.visualization.UMAPVisualizationConfig" } },
        }, "z": 1 };
        let after = doc! { "brain_methods": {
            "sim": { "key": "sim", "config": {
                "cls": SIMILARITY, "metric": "euclidean", "x": 1, "model": Bson::Null,
            } },
            "vis": { "config": { "cls": "fiftyone.brain.visualization.UMAPVisualizationConfig" } },
        }, "z": 1, "annotation_runs": {} };
        assert!(becomes(REVISION.up, before, after.clone()).is_empty());
        becomes(REVISION.up, after.clone(), after);
    }

    #[test]
    fn annotation_runs_that_are_there_stay() {
        let there = doc! { "annotation_runs": { "a": { "key": "a" } } };
        becomes(REVISION.up, there.clone(), there);
        let null = doc! { "annotation_runs": Bson::Null };
        becomes(REVISION.up, null.clone(), null);
    }

    #[test]
    fn going_down_says_what_is_lost() {
        let config = |model: Bson, metric: &str| doc! { "cls": SIMILARITY, "model": model, "metric": metric };
        let before = doc! {
            "annotation_runs": { "a": {}, "b": {} },
            "brain_methods": {
                "one": { "config": config("clip".into(), "euclidean") },
                "two": { "config": config(Bson::Null, "cosine") },
                "plain": { "config": config(Bson::Null, "euclidean") },
            },
        };
        let bare = doc! { "config": { "cls": SIMILARITY } };
        let after = doc! { "brain_methods": { "one": bare.clone(), "two": bare.clone(), "plain": bare } };
        assert_eq!(
            becomes(REVISION.down, before, after),
            [
                "2 annotation runs are deleted",
                "the model and metric of 2 similarity runs are dropped"
            ]
        );
    }

    #[test]
    fn nothing_is_said_where_nothing_is_lost() {
        let before = doc! { "annotation_runs": {}, "z": 1 };
        assert!(becomes(REVISION.down, before, doc! { "z": 1 }).is_empty());
    }

    #[test]
    fn nulls_are_left_alone_and_other_things_refused() {
        for runs in [Bson::Null, doc! { "a": Bson::Null, "b": { "config": Bson::Null }, "c": {} }.into()] {
            let before = doc! { "brain_methods": runs };
            becomes(REVISION.down, before.clone(), before);
        }
        assert_eq!(
            refuses(REVISION.up, doc! { "brain_methods": { "a": "text" } }),
            "the dataset is malformed: `brain_methods.a` is a text, not a document"
        );
        assert_eq!(
            refuses(REVISION.up, doc! { "brain_methods": { "a": { "config": [] } } }),
            "the dataset is malformed: `brain_methods.a.config` is a list, not a document"
        );
        refuses(REVISION.up, doc! { "brain_methods": [] });
    }
}
