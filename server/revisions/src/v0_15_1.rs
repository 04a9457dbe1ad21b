//! v0.15.1: datasets can store keypoint skeletons.
//!
//! Source: `fiftyone/migrations/revisions/v0_15_1.py`.

use bson::{Bson, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 15, 1),
    summary: "Add keypoint skeletons",
    loses: Some("The skeletons"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(ADDED)], down: &[Claim::Drops(ADDED)] },
    up: |dataset, _| {
        dataset.fill(ADDED);
        Ok(())
    },
    down,
};

const ADDED: Defaults = &[("skeletons", || doc! {}.into()), ("default_skeleton", || Bson::Null)];

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if let Ok(skeletons) = dataset.document.get_document("skeletons") {
        cx.warn_lost(skeletons.len(), "keypoint skeleton", "dropped");
    }
    if dataset.document.get("default_skeleton").is_some_and(|it| *it != Bson::Null) {
        cx.warn("the default keypoint skeleton is dropped");
    }
    dataset.strip(ADDED);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::becomes;

    #[test]
    fn skeletons_start_empty_and_go_silently() {
        let after = doc! { "z": 1, "skeletons": {}, "default_skeleton": Bson::Null };
        becomes(REVISION.up, doc! { "z": 1 }, after.clone());
        becomes(REVISION.up, after.clone(), after.clone());
        assert!(becomes(REVISION.down, after, doc! { "z": 1 }).is_empty());
    }

    #[test]
    fn lost_skeletons_are_counted() {
        let before = doc! { "skeletons": { "kp": {} }, "default_skeleton": { "edges": [[0, 1]] } };
        assert_eq!(
            becomes(REVISION.down, before, doc! {}),
            ["1 keypoint skeleton is dropped", "the default keypoint skeleton is dropped"]
        );
        becomes(REVISION.down, doc! { "skeletons": Bson::Null }, doc! {});
        becomes(REVISION.down, doc! { "skeletons": "text" }, doc! {});
    }
}
