//! v0.11.2: runs say which version made them.
//!
//! Source: `fiftyone/migrations/revisions/v0_11_2.py`.
//!
//! Differs: null in place of the runs is no run. FiftyOne stops with an error.

use bson::Bson;

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 11, 2),
    summary: "Let evaluations and brain runs say which version made them",
    loses: Some("Which version made an evaluation or a brain run"),
    reads: &[],
    promise: Promise { up: &[], down: &[Claim::RunsLack(&["evaluations", "brain_methods"], "version")] },
    up: |_, _| Ok(()),
    down,
};

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    for (kind, what) in [("evaluations", "evaluation"), ("brain_methods", "brain run")] {
        for (key, run) in dataset.document.dict_values(kind)? {
            let made_by = match run.remove("version") {
                Some(Bson::String(version)) => format!("v{version}"),
                _ => "an unknown version".to_owned(),
            };
            cx.warn(format!(
                "the {what} `{key}`, made by {made_by}, may not work in older versions"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<String>), Reason> {
        let Trial { dataset, warnings, .. } = alone(transform, document)?;
        Ok((dataset.document, warnings))
    }

    #[test]
    fn going_down_removes_the_version_of_each_run_and_names_it() {
        let document = doc! {
            "evaluations": { "eval": { "version": "0.12.0", "key": "eval" } },
            "brain_methods": { "sim": { "key": "sim" } },
        };
        let (document, warnings) = run(REVISION.down, document).unwrap();
        let expected = doc! {
            "evaluations": { "eval": { "key": "eval" } },
            "brain_methods": { "sim": { "key": "sim" } },
        };
        assert_eq!(document, expected);
        assert_eq!(
            warnings,
            [
                "the evaluation `eval`, made by v0.12.0, may not work in older versions",
                "the brain run `sim`, made by an unknown version, may not work in older versions",
            ]
        );
    }

    #[test]
    fn without_runs_nothing_is_said() {
        for document in [doc! {}, doc! { "evaluations": null, "brain_methods": {} }] {
            assert_eq!(run(REVISION.down, document.clone()).unwrap(), (document, vec![]));
        }
    }

    #[test]
    fn a_run_that_is_no_document_is_refused_on_the_way_down_only() {
        let document = doc! { "evaluations": { "eval": "x" } };
        assert_eq!(run(REVISION.up, document.clone()).unwrap().0, document);
        let reason = run(REVISION.down, document).unwrap_err();
        assert!(reason.to_string().contains("`evaluations.eval` is a text"), "{reason}");
    }
}
