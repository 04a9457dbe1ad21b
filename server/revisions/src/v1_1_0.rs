//! v1.1.0: the sidebar mode is no longer stored with a dataset.
//!
//! Source: `fiftyone/migrations/revisions/v1_1_0.py`.

use bson::Bson;

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(1, 1, 0),
    summary: "Remove the sidebar mode",
    loses: None,
    reads: &[],
    // FiftyOne itself goes on writing it.
    promise: Promise { up: &[], down: &[] },
    up: |dataset, _| {
        if let Some(Bson::Document(config)) = dataset.document.get_mut("app_config") {
            config.remove("sidebar_mode");
        }
        Ok(())
    },
    down: |_, _| Ok(()),
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::{DateTime, Document, doc};

    use super::*;

    fn after(transform: Transform, document: Document) -> Document {
        let (names, results) = (Names::default(), BTreeSet::new());
        let mut cx =
            Context::new(Env { now: DateTime::from_millis(1), named: DateTime::from_millis(1), names: &names, results: &results });
        let mut dataset = Dataset::new(document);
        transform(&mut dataset, &mut cx).unwrap();
        assert_eq!((cx.steps.len(), cx.warnings.len()), (0, 0));
        dataset.document
    }

    #[test]
    fn going_up_removes_the_mode_and_keeps_the_order_of_the_rest() {
        let before = doc! { "app_config": { "a": 1, "sidebar_mode": "all", "b": 2, "c": 3 } };
        let keys = ["a", "b", "c"];
        let config = after(REVISION.up, before);
        let config = config.get_document("app_config").unwrap();
        assert!(config.keys().eq(keys), "{config}");
    }

    #[test]
    fn going_down_changes_nothing() {
        let before = doc! { "app_config": { "sidebar_mode": "all" } };
        assert_eq!(after(REVISION.down, before.clone()), before);
    }

    #[test]
    fn a_dataset_without_app_config_stays_as_it_is() {
        for before in [doc! {}, doc! { "app_config": null }, doc! { "app_config": "a" }] {
            assert_eq!(after(REVISION.up, before.clone()), before);
        }
    }
}
