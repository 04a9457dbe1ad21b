//! v0.7.4: evaluations are runs, and datasets record brain methods.
//!
//! Source: `fiftyone/migrations/revisions/v0_7_4.py`.
//!
//! Differs: where a record lacks a key FiftyOne stops with an error; here what is there is carried over, and
//! a missing key of a run is the one it is filed under. Null in place of the evaluations stays.

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 7, 4),
    summary: "Record brain methods, and evaluations in the same shape",
    loses: Some("The records of all brain methods, and when evaluations were done"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(EVALUATIONS), Claim::Has(ADDED), Claim::RunsLack(&["evaluations"], "eval_key")], down: &[Claim::Drops(ADDED), Claim::RunsLack(&["evaluations"], "timestamp")] },
    up,
    down,
};

const EVALUATIONS: Defaults = &[("evaluations", || doc! {}.into())];

const ADDED: Defaults = &[("brain_methods", || doc! {}.into())];

/// What moves between an evaluation and its `config`.
const CONFIGURED: [&str; 2] = ["pred_field", "gt_field"];

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    for (name, evaluation) in dataset.document.dict_values("evaluations")? {
        rename_key(evaluation, "eval_key", "key", &name);
        evaluation.insert("timestamp", Bson::Null);
        for field in CONFIGURED {
            if !evaluation.contains_key(field) {
                continue;
            }
            if evaluation.dict("config")?.is_none() {
                evaluation.insert("config", doc! {});
            }
            let value = evaluation.remove(field);
            if let (Some(config), Some(value)) = (evaluation.dict("config")?, value) {
                config.insert(field, value);
            }
        }
    }
    dataset.fill(EVALUATIONS);
    dataset.fill(ADDED);
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let mut timestamps = 0;
    for (name, evaluation) in dataset.document.dict_values("evaluations")? {
        rename_key(evaluation, "key", "eval_key", &name);
        timestamps += usize::from(evaluation.remove("timestamp").is_some_and(|it| it != Bson::Null));
        for field in CONFIGURED {
            if let Some(value) = evaluation.dict("config")?.and_then(|it| it.remove(field)) {
                evaluation.insert(field, value);
            }
        }
    }
    if timestamps > 0 {
        cx.warn(format!("the times of evaluations are dropped ({timestamps})"));
    }
    if let Some(Bson::Document(methods)) = dataset.document.get("brain_methods")
        && !methods.is_empty()
    {
        cx.warn(format!("the records of all brain methods are deleted ({})", methods.len()));
    }
    dataset.fill(EVALUATIONS);
    dataset.strip(ADDED);
    Ok(())
}

/// The key of a run goes from one name to the other. If it has neither, it is what the run is filed under.
fn rename_key(run: &mut Document, from: &str, to: &str, filed_under: &str) {
    match run.remove(from) {
        Some(key) => {
            run.insert(to, key);
        }
        None if run.contains_key(to) => {}
        None => {
            run.insert(to, filed_under);
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::DateTime;

    use super::*;
    use crate::trial::{Trial, alone};

    fn run(
        transform: Transform,
        document: Document,
    ) -> Result<(Document, Vec<String>), Reason> {
        let Trial { dataset, warnings, .. } = alone(transform, document)?;
        Ok((dataset.document, warnings))
    }

    fn evaluation(document: &Document) -> Document {
        document.get_document("evaluations").unwrap().get_document("eval").unwrap().clone()
    }

    fn keys(document: &Document) -> Vec<&str> {
        document.keys().map(String::as_str).collect()
    }

    #[test]
    fn an_evaluation_becomes_a_run_and_back() {
        let old = doc! { "evaluations": { "eval": {
            "eval_key": "eval", "config": { "cls": "c" }, "pred_field": "p", "gt_field": "g",
        } } };
        let new = doc! {
            "evaluations": { "eval": {
                "config": { "cls": "c", "pred_field": "p", "gt_field": "g" },
                "key": "eval", "timestamp": null,
            } },
            "brain_methods": {},
        };
        let (up, _) = run(REVISION.up, old.clone()).unwrap();
        assert_eq!(up, new);
        assert_eq!(keys(&evaluation(&up)), ["config", "key", "timestamp"]);
        let (down, warnings) = run(REVISION.down, up).unwrap();
        assert_eq!((&down, warnings), (&old, vec![]));
        assert_eq!(keys(&evaluation(&down)), ["config", "eval_key", "pred_field", "gt_field"]);
    }

    #[test]
    fn missing_lists_of_runs_are_added_and_null_stays() {
        let (document, _) = run(REVISION.up, doc! {}).unwrap();
        assert_eq!(document, doc! { "evaluations": {}, "brain_methods": {} });
        assert_eq!(keys(&document), ["evaluations", "brain_methods"]);
        let null = doc! { "evaluations": null, "brain_methods": null };
        assert_eq!(run(REVISION.up, null.clone()).unwrap().0, null);
        assert_eq!(run(REVISION.down, null).unwrap().0, doc! { "evaluations": null });
        assert_eq!(run(REVISION.down, doc! {}).unwrap().0, doc! { "evaluations": {} });
    }

    #[test]
    fn records_that_lack_keys_are_completed_with_what_is_known() {
        let up = |it: Document| {
            evaluation(&run(REVISION.up, doc! { "evaluations": { "eval": it } }).unwrap().0)
        };
        assert_eq!(up(doc! {}), doc! { "key": "eval", "timestamp": null });
        assert_eq!(up(doc! { "key": "k" }), doc! { "key": "k", "timestamp": null });
        assert_eq!(
            up(doc! { "config": null, "gt_field": "g" }),
            doc! { "config": { "gt_field": "g" }, "key": "eval", "timestamp": null }
        );
        let down = |it: Document| {
            evaluation(&run(REVISION.down, doc! { "evaluations": { "eval": it } }).unwrap().0)
        };
        assert_eq!(down(doc! {}), doc! { "eval_key": "eval" });
        assert_eq!(down(doc! { "config": null }), doc! { "config": null, "eval_key": "eval" });
    }

    #[test]
    fn going_down_counts_what_is_lost() {
        let document = doc! {
            "evaluations": { "eval": { "key": "eval", "timestamp": DateTime::from_millis(1) } },
            "brain_methods": { "a": {}, "b": {} },
        };
        let (document, warnings) = run(REVISION.down, document).unwrap();
        assert_eq!(document, doc! { "evaluations": { "eval": { "eval_key": "eval" } } });
        assert_eq!(
            warnings,
            [
                "the times of evaluations are dropped (1)",
                "the records of all brain methods are deleted (2)"
            ]
        );
    }

    #[test]
    fn wrong_types_are_refused() {
        for (document, path) in [
            (doc! { "evaluations": [] }, "`evaluations` is a list"),
            (doc! { "evaluations": { "a": 1 } }, "`evaluations.a` is a number"),
            (
                doc! { "evaluations": { "a": { "config": 1, "gt_field": "g" } } },
                "`config` is a number",
            ),
        ] {
            let reason = run(REVISION.up, document).unwrap_err();
            assert!(reason.to_string().contains(path), "{reason}");
        }
    }
}
