//! v0.8.0: datasets have class lists and mask targets, and runs have results.
//!
//! Source: `fiftyone/migrations/revisions/v0_8_0.py`.
//!
//! Differs: null in place of the runs is no run. FiftyOne stops with an error.

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 8, 0),
    summary: "Add class lists, mask targets and results of runs",
    loses: Some("Class lists, mask targets, and where the results of runs are"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(ADDED)], down: &[Claim::Drops(ADDED), Claim::RunsLack(&RUNS, "results")] },
    up,
    down,
};

const ADDED: Defaults = &[
    ("classes", || doc! {}.into()),
    ("default_classes", || Bson::Array(Vec::new())),
    ("mask_targets", || doc! {}.into()),
    ("default_mask_targets", || doc! {}.into()),
];

const RUNS: [&str; 2] = ["evaluations", "brain_methods"];

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    dataset.fill(ADDED);
    for kind in RUNS {
        for (_, run) in dataset.document.dict_values(kind)? {
            if !run.contains_key("results") {
                run.insert("results", Bson::Null);
            }
        }
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    for (key, what) in [
        ("classes", "class lists of fields"),
        ("default_classes", "default classes"),
        ("mask_targets", "mask targets of fields"),
        ("default_mask_targets", "default mask targets"),
    ] {
        let lost = size(&dataset.document, key);
        if lost > 0 {
            cx.warn(format!("the {what} are dropped ({lost})"));
        }
    }
    let mut results = 0;
    for kind in RUNS {
        for (_, run) in dataset.document.dict_values(kind)? {
            results += usize::from(run.remove("results").is_some_and(|it| it != Bson::Null));
        }
    }
    if results > 0 {
        cx.warn(format!("the results of evaluations and brain methods are dropped ({results})"));
    }
    dataset.strip(ADDED);
    Ok(())
}

fn size(document: &Document, key: &str) -> usize {
    match document.get(key) {
        Some(Bson::Array(items)) => items.len(),
        Some(Bson::Document(inner)) => inner.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<String>), Reason> {
        let Trial { dataset, warnings, .. } = alone(transform, document)?;
        Ok((dataset.document, warnings))
    }

    #[test]
    fn four_keys_and_the_results_of_runs_are_added_in_order_and_removed_again() {
        let old = doc! { "evaluations": { "eval": { "key": "eval" } }, "brain_methods": { "b": {} } };
        let (up, _) = run(REVISION.up, old.clone()).unwrap();
        let new = doc! {
            "evaluations": { "eval": { "key": "eval", "results": null } },
            "brain_methods": { "b": { "results": null } },
            "classes": {},
            "default_classes": [],
            "mask_targets": {},
            "default_mask_targets": {},
        };
        assert_eq!(up, new);
        assert!(up.keys().eq(new.keys()));
        assert_eq!(run(REVISION.down, up).unwrap(), (old, vec![]));
    }

    #[test]
    fn what_is_there_already_stays_null_included() {
        let document = doc! {
            "classes": { "f": ["a"] },
            "default_classes": null,
            "mask_targets": null,
            "default_mask_targets": { "1": "a" },
            "evaluations": { "eval": { "results": 1 } },
            "brain_methods": null,
        };
        assert_eq!(run(REVISION.up, document.clone()).unwrap().0, document);
    }

    #[test]
    fn going_down_counts_what_is_lost() {
        let document = doc! {
            "classes": { "f": ["a"], "g": ["a"] },
            "default_classes": ["a"],
            "mask_targets": {},
            "default_mask_targets": { "1": "a" },
            "evaluations": { "a": { "results": 1 }, "b": { "results": null } },
            "brain_methods": { "c": { "results": 1 } },
        };
        let (document, warnings) = run(REVISION.down, document).unwrap();
        let expected = doc! { "evaluations": { "a": {}, "b": {} }, "brain_methods": { "c": {} } };
        assert_eq!(document, expected);
        assert_eq!(
            warnings,
            [
                "the class lists of fields are dropped (2)",
                "the default classes are dropped (1)",
                "the default mask targets are dropped (1)",
                "the results of evaluations and brain methods are dropped (2)",
            ]
        );
    }

    #[test]
    fn a_run_that_is_no_document_is_refused() {
        for transform in [REVISION.up, REVISION.down] {
            let reason = run(transform, doc! { "brain_methods": { "b": "x" } }).unwrap_err();
            assert!(reason.to_string().contains("`brain_methods.b` is a text"), "{reason}");
        }
    }
}
