//! v0.23.0: custom runs, and color schemes with more settings.
//!
//! Source: `fiftyone/migrations/revisions/v0_23_0.py`.
//!
//! Differs: the new `_id` of a color scheme is computed, not drawn, so that running it again changes nothing.
//!
//! The result files of deleted runs stay behind unused, as FiftyOne leaves them.

use bson::{Bson, Document, doc};

use crate::shape::document;
use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 23, 0),
    summary: "Add custom runs and more color scheme settings",
    loses: Some("Custom runs and the new settings of the color scheme"),
    reads: &[Read::Runs],
    promise: Promise { up: &[Claim::Has(RUNS)], down: &[Claim::Drops(RUNS)] },
    up,
    down,
};

const RUNS: Defaults = &[("runs", || doc! {}.into())];

const SETTINGS: Defaults = &[
    ("color_by", || "field".into()),
    ("colorscales", || Bson::Array(Vec::new())),
    ("default_mask_targets_colors", || Bson::Array(Vec::new())),
    ("default_colorscale", || doc! { "name": "viridis", "list": null }.into()),
    ("label_tags", || doc! { "fieldColor": null, "valueColors": [] }.into()),
    ("multicolor_keypoints", || false.into()),
    ("opacity", || 0.7.into()),
    ("show_skeletons", || true.into()),
];

const MASK_COLORS: &str = "maskTargetsColors";

fn up(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    dataset.fill(RUNS);
    let id = cx.new_id(&dataset.document, &["color_scheme"]);
    let Some(scheme) = color_scheme(dataset)? else { return Ok(()) };
    // Python draws a new one even where one is there.
    scheme.insert("_id", id);
    for (key, initial) in SETTINGS {
        if !scheme.contains_key(key) {
            scheme.insert(*key, initial());
        }
    }
    for field in fields(scheme)? {
        if !field.contains_key(MASK_COLORS) {
            field.insert(MASK_COLORS, Bson::Array(Vec::new()));
        }
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let referred: Vec<Bson> = dataset
        .document
        .dict("runs")?
        .map(|it| it.values().cloned().collect())
        .unwrap_or_default();
    dataset.strip(RUNS);
    let deleted = referred.iter().filter_map(Bson::as_object_id);
    let deleted = deleted.filter_map(|id| dataset.runs.remove(&id)).count();
    cx.warn_lost(deleted, "custom run", "deleted");

    let Some(scheme) = color_scheme(dataset)? else { return Ok(()) };
    scheme.remove("_id");
    let mut lost = Vec::new();
    for (key, initial) in SETTINGS {
        match scheme.remove(key) {
            None | Some(Bson::Null) => (),
            Some(value) if value == initial() => (),
            Some(_) => lost.push(format!("`{key}`")),
        }
    }
    let colors = fields(scheme)?.into_iter().filter_map(|it| it.remove(MASK_COLORS));
    let colors = colors.filter(|it| it.as_array().is_some_and(|it| !it.is_empty())).count();
    if !lost.is_empty() {
        cx.warn(format!("the color scheme loses {}", lost.join(", ")));
    }
    cx.warn_lost(colors, "field mask color list", "dropped from the color scheme");
    Ok(())
}

/// The color scheme, if the dataset has one.
fn color_scheme(dataset: &mut Dataset) -> Result<Option<&mut Document>, Reason> {
    match dataset.document.dict("app_config")? {
        Some(config) => config.dict("color_scheme"),
        None => Ok(None),
    }
}

/// The fields with colors of their own; a null among them is passed over, as in Python.
fn fields(scheme: &mut Document) -> Result<Vec<&mut Document>, Reason> {
    let items = scheme.list("fields")?.into_iter().flatten().enumerate();
    items
        .filter(|(_, it)| **it != Bson::Null)
        .map(|(index, it)| document(it, || format!("app_config.color_scheme.fields[{index}]")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use bson::{DateTime, oid::ObjectId};

    use super::*;

    const ID: ObjectId = ObjectId::from_bytes([7; 12]);

    fn run(
        transform: Transform,
        mut dataset: Dataset,
    ) -> Result<(Dataset, Vec<String>), Reason> {
        let (names, results) = (Names::default(), BTreeSet::new());
        let mut cx =
            Context::new(Env { now: DateTime::from_millis(1), named: DateTime::from_millis(1), names: &names, results: &results });
        transform(&mut dataset, &mut cx)?;
        assert_eq!(cx.steps, []);
        Ok((dataset, cx.warnings))
    }

    fn up_of(document: Document) -> Document {
        run(up, Dataset::new(document)).unwrap().0.document
    }

    #[test]
    fn a_color_scheme_gets_an_id_first_and_then_each_missing_setting() {
        let scheme = doc! { "color_pool": ["#ff0000"], "opacity": null,
            "fields": [null, { "path": "a" }, { "path": "b", "maskTargetsColors": null }] };
        let after = up_of(doc! { "_id": ID, "app_config": { "color_scheme": scheme } });
        let scheme = after.get_document("app_config").unwrap().get_document("color_scheme").unwrap();
        let keys: Vec<&str> = scheme.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "color_pool",
                "opacity",
                "fields",
                "_id",
                "color_by",
                "colorscales",
                "default_mask_targets_colors",
                "default_colorscale",
                "label_tags",
                "multicolor_keypoints",
                "show_skeletons"
            ]
        );
        assert_eq!(scheme.get("opacity"), Some(&Bson::Null));
        assert_eq!(
            scheme.get_array("fields").unwrap(),
            &vec![
                Bson::Null,
                doc! { "path": "a", "maskTargetsColors": [] }.into(),
                doc! { "path": "b", "maskTargetsColors": null }.into(),
            ]
        );
        assert_eq!(after.get_document("runs").unwrap(), &doc! {});
    }

    #[test]
    fn an_id_that_is_there_is_replaced_in_place_by_the_same_one_every_time() {
        let scheme = doc! { "_id": ID, "fields": null };
        let once = up_of(doc! { "_id": ID, "runs": null, "app_config": { "color_scheme": scheme } });
        let scheme = once.get_document("app_config").unwrap().get_document("color_scheme").unwrap();
        assert_eq!(scheme.keys().next().unwrap(), "_id");
        assert_ne!(scheme.get_object_id("_id").unwrap(), ID);
        assert_eq!(up_of(once.clone()), once);
    }

    #[test]
    fn a_dataset_without_color_scheme_only_gets_runs() {
        for config in [Bson::Null, doc! {}.into(), doc! { "color_scheme": null }.into()] {
            let after = up_of(doc! { "app_config": config.clone() });
            assert_eq!(after, doc! { "app_config": config, "runs": {} });
        }
        assert_eq!(up_of(doc! { "runs": null }), doc! { "runs": null });
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        for document in [
            doc! { "app_config": "a" },
            doc! { "app_config": { "color_scheme": [] } },
            doc! { "app_config": { "color_scheme": { "fields": "a" } } },
            doc! { "app_config": { "color_scheme": { "fields": [1] } } },
        ] {
            assert!(run(up, Dataset::new(document.clone())).is_err());
            assert!(run(down, Dataset::new(document)).is_err());
        }
        assert!(run(down, Dataset::new(doc! { "runs": "a" })).is_err());
    }

    #[test]
    fn going_down_deletes_the_custom_runs_and_no_others() {
        let (custom, other) = (ObjectId::from_bytes([1; 12]), ObjectId::from_bytes([2; 12]));
        let gone = ObjectId::from_bytes([3; 12]);
        let dataset = Dataset {
            document: doc! { "a": 1, "runs": { "x": custom, "y": gone, "z": null },
                "evaluations": { "e": other } },
            runs: BTreeMap::from([(custom, doc! {}), (other, doc! {})]),
        };
        let (after, warnings) = run(down, dataset).unwrap();
        assert_eq!(after.document, doc! { "a": 1, "evaluations": { "e": other } });
        assert_eq!(after.runs.into_keys().collect::<Vec<_>>(), [other]);
        assert_eq!(warnings, ["1 custom run is deleted"]);
    }

    #[test]
    fn up_and_down_again_is_where_it_began_and_loses_nothing() {
        let scheme = doc! { "color_pool": ["#ff0000"], "fields": [null, { "path": "a" }] };
        let before = doc! { "_id": ID, "app_config": { "color_scheme": scheme } };
        let (after, warnings) = run(down, Dataset::new(up_of(before.clone()))).unwrap();
        assert_eq!(after.document, before);
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn going_down_says_which_settings_are_lost() {
        let scheme = doc! { "opacity": 0.5, "color_by": "value", "show_skeletons": true,
            "colorscales": null, "fields": [{ "maskTargetsColors": [{}] }] };
        let before = doc! { "runs": null, "app_config": { "color_scheme": scheme } };
        let (after, warnings) = run(down, Dataset::new(before)).unwrap();
        assert_eq!(after.document, doc! { "app_config": { "color_scheme": { "fields": [{}] } } });
        assert_eq!(
            warnings,
            [
                "the color scheme loses `color_by`, `opacity`",
                "1 field mask color list is dropped from the color scheme"
            ]
        );
    }
}
