//! v0.7.3: datasets record their evaluations.
//!
//! Source: `fiftyone/migrations/revisions/v0_7_3.py`.

use bson::{Bson, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 7, 3),
    summary: "Record evaluations",
    loses: Some("The records of all evaluations; what they wrote into samples stays"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(ADDED)], down: &[Claim::Drops(ADDED)] },
    up: |dataset, _| {
        dataset.fill(ADDED);
        Ok(())
    },
    down: |dataset, cx| {
        if let Some(Bson::Document(evaluations)) = dataset.document.get("evaluations")
            && !evaluations.is_empty()
        {
            cx.warn(format!("the records of all evaluations are deleted ({})", evaluations.len()));
        }
        dataset.strip(ADDED);
        Ok(())
    },
};

const ADDED: Defaults = &[("evaluations", || doc! {}.into())];

#[cfg(test)]
mod tests {
    use bson::Document;

    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> (Document, Vec<String>) {
        let Trial { dataset, warnings, .. } = alone(transform, document).unwrap();
        (dataset.document, warnings)
    }

    #[test]
    fn evaluations_are_added_unless_they_are_there() {
        assert_eq!(run(REVISION.up, doc! { "a": 1 }).0, doc! { "a": 1, "evaluations": {} });
        for there in [Bson::Null, doc! { "eval": {} }.into()] {
            let document = doc! { "evaluations": there };
            assert_eq!(run(REVISION.up, document.clone()).0, document);
        }
    }

    #[test]
    fn going_down_removes_evaluations_and_counts_them() {
        let document = doc! { "evaluations": { "a": {}, "b": {} }, "z": 1 };
        let (document, warnings) = run(REVISION.down, document);
        assert_eq!(document, doc! { "z": 1 });
        assert_eq!(warnings, ["the records of all evaluations are deleted (2)"]);
    }

    #[test]
    fn going_down_without_evaluations_is_silent() {
        for document in [doc! {}, doc! { "evaluations": null }, doc! { "evaluations": {} }] {
            assert_eq!(run(REVISION.down, document), (doc! {}, vec![]));
        }
    }
}
