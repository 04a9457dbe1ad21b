//! v0.16.3: datasets can have tags.
//!
//! Source: `fiftyone/migrations/revisions/v0_16_3.py`.

use bson::Bson;

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 16, 3),
    summary: "Let datasets have tags",
    loses: Some("The tags of the dataset"),
    reads: &[],
    promise: Promise { up: &[], down: &[Claim::Lacks(&["tags"])] },
    up: |_, _| Ok(()), // Without tags is as good as an empty list of them.
    down,
};

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if let Some(Bson::Array(tags)) = dataset.document.remove("tags") {
        cx.warn_lost(tags.len(), "dataset tag", "dropped");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::trial::becomes;

    #[test]
    fn tags_go_and_are_counted() {
        becomes(REVISION.up, doc! {}, doc! {});
        let before = doc! { "tags": ["a", "b"], "z": 1 };
        assert_eq!(
            becomes(REVISION.down, before, doc! { "z": 1 }),
            ["2 dataset tags are dropped"]
        );
        for none in [Bson::Null, Bson::Array(Vec::new())] {
            assert!(becomes(REVISION.down, doc! { "tags": none }, doc! {}).is_empty());
        }
        becomes(REVISION.down, doc! { "tags": "text" }, doc! {});
    }
}
