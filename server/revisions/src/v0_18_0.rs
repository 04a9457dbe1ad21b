//! v0.18.0: fields can have a description and info, the sidebar a mode and groups that fold.
//!
//! Source: `fiftyone/migrations/revisions/v0_18_0.py`.
//!
//! Differs: `null` where fields belong is left alone (FiftyOne crashes).

use bson::{Bson, Document};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 18, 0),
    summary: "Let fields have a description and info, and sidebar groups fold",
    loses: Some("Descriptions and info of fields, the mode of the sidebar and which of its groups are folded"),
    reads: &[],
    promise: Promise { up: &[Claim::FieldsHave(&["description", "info"])], down: &[Claim::FieldsLack(&["description", "info"])] },
    up,
    down,
};

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    let mut add = |it: &mut Document, key: &str| {
        if !it.contains_key(key) {
            it.insert(key, Bson::Null);
        }
    };
    visit(&mut dataset.document, &mut add)
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    let (mut descriptions, mut infos, mut folded, mut modes) = (0, 0, 0, 0);
    let mut drop = |it: &mut Document, key: &str| {
        let was_set = it.remove(key).is_some_and(|it| it != Bson::Null);
        let count = match key {
            "description" => &mut descriptions,
            "info" => &mut infos,
            "expanded" => &mut folded,
            _ => &mut modes,
        };
        *count += usize::from(was_set);
    };
    visit(&mut dataset.document, &mut drop)?;
    cx.warn_lost(descriptions, "field description", "dropped");
    cx.warn_lost(infos, "field info document", "dropped");
    cx.warn_lost(folded, "folded or unfolded sidebar group", "no longer remembered");
    cx.warn_lost(modes, "sidebar mode", "dropped");
    Ok(())
}

/// Calls `change` for every place of a key this revision is about.
fn visit(
    document: &mut Document,
    change: &mut impl FnMut(&mut Document, &str),
) -> Result<(), Reason> {
    if let Some(config) = document.dict("app_config")? {
        change(config, "sidebar_mode");
        for group in config.dicts("sidebar_groups")? {
            change(group, "expanded");
        }
    }
    visit_fields(document, "sample_fields", change)?;
    visit_fields(document, "frame_fields", change)
}

fn visit_fields(
    owner: &mut Document,
    list: &str,
    change: &mut impl FnMut(&mut Document, &str),
) -> Result<(), Reason> {
    for field in owner.dicts(list)? {
        change(field, "description");
        change(field, "info");
        visit_fields(field, "fields", change)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::trial::{becomes, refuses};

    #[test]
    fn fields_at_any_depth_and_sidebar_groups_get_the_new_keys() {
        let before = doc! {
            "app_config": { "sidebar_groups": [{ "name": "tags" }] },
            "sample_fields": [{ "name": "x", "fields": [{ "name": "y", "info": 1 }] }],
            "frame_fields": [{ "name": "z", "fields": Bson::Null }],
        };
        let null = Bson::Null;
        let after = doc! {
            "app_config": {
                "sidebar_groups": [{ "name": "tags", "expanded": &null }], "sidebar_mode": &null,
            },
            "sample_fields": [{
                "name": "x",
                "fields": [{ "name": "y", "info": 1, "description": &null }],
                "description": &null,
                "info": &null,
            }],
            "frame_fields": [{ "name": "z", "fields": &null, "description": &null, "info": &null }],
        };
        becomes(REVISION.up, before, after.clone());
        becomes(REVISION.up, after.clone(), after);
    }

    #[test]
    fn what_is_lost_is_counted() {
        let before = doc! {
            "app_config": {
                "sidebar_mode": "all", "sidebar_groups": [{ "expanded": true }, { "expanded": Bson::Null }],
            },
            "sample_fields": [
                { "description": "a", "info": {}, "fields": [{ "description": "b" }] },
                { "description": Bson::Null, "info": Bson::Null },
            ],
        };
        let after = doc! {
            "app_config": { "sidebar_groups": [{}, {}] },
            "sample_fields": [{ "fields": [{}] }, {}],
        };
        assert_eq!(
            becomes(REVISION.down, before, after.clone()),
            [
                "2 field descriptions are dropped",
                "1 field info document is dropped",
                "1 folded or unfolded sidebar group is no longer remembered",
                "1 sidebar mode is dropped",
            ]
        );
        assert!(becomes(REVISION.down, after.clone(), after).is_empty());
    }

    #[test]
    fn nulls_are_left_alone_and_other_things_refused() {
        let null = doc! { "app_config": Bson::Null, "sample_fields": Bson::Null };
        becomes(REVISION.up, null.clone(), null.clone());
        becomes(REVISION.down, null.clone(), null);
        refuses(REVISION.up, doc! { "app_config": [] });
        refuses(REVISION.up, doc! { "app_config": { "sidebar_groups": "text" } });
        refuses(REVISION.down, doc! { "frame_fields": [{ "fields": [1] }] });
    }
}
