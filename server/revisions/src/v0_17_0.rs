//! v0.17.0: datasets can be grouped, and have settings of their own for the App.
//!
//! Source: `fiftyone/migrations/revisions/v0_17_0.py`.
//!
//! Differs: `null` in place of the settings is kept, or replaced by the defaults if there are sidebar
//! groups to keep (FiftyOne crashes).

use bson::{Bson, Document, doc};

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 17, 0),
    summary: "Add groups and settings for the App",
    loses: Some("The settings for the App, except its sidebar groups; grouped datasets cannot go down"),
    reads: &[],
    promise: Promise { up: &[Claim::Has(GROUPS), Claim::Has(CONFIG), Claim::Lacks(&["app_sidebar_groups"])], down: &[Claim::Drops(GROUPS), Claim::Drops(CONFIG)] },
    up,
    down,
};

const GROUPS: Defaults = &[
    ("group_field", || Bson::Null),
    ("group_media_types", || doc! {}.into()),
    ("default_group_slice", || Bson::Null),
];

const CONFIG: Defaults = &[("app_config", || settings().into())];

const SETTINGS: Defaults = &[
    ("media_fields", || vec!["filepath"].into()),
    ("grid_media_field", || "filepath".into()),
    ("modal_media_field", || "filepath".into()),
    ("sidebar_groups", || Bson::Null),
    ("plugins", || doc! {}.into()),
];

fn up(dataset: &mut Dataset, _: &mut Context<'_>) -> Result<(), Reason> {
    dataset.fill(GROUPS);
    dataset.fill(CONFIG);
    if let Some(groups) = dataset.document.remove("app_sidebar_groups") {
        match dataset.document.dict("app_config")? {
            Some(config) => _ = config.insert("sidebar_groups", groups),
            None if groups == Bson::Null => {}
            None => {
                let mut config = settings();
                config.insert("sidebar_groups", groups);
                dataset.document.insert("app_config", config);
            }
        }
    }
    Ok(())
}

fn down(dataset: &mut Dataset, cx: &mut Context<'_>) -> Result<(), Reason> {
    if let Some((key, _)) =
        GROUPS.iter().find(|(key, _)| dataset.document.get(key).is_some_and(truthy))
    {
        return Err(Reason::new(format!(
            "it is grouped (`{key}` is set), which versions before 0.17.0 do not support; clone one of its \
             slices into a dataset of its own and migrate that"
        )));
    }
    dataset.strip(GROUPS);
    match dataset.document.remove("app_config") {
        None | Some(Bson::Null) => {}
        Some(Bson::Document(mut config)) => {
            let lost = config.iter().filter(|(key, value)| is_set(key, value));
            let lost: Vec<_> = lost.map(|(key, _)| format!("`{key}`")).collect();
            if !lost.is_empty() {
                cx.warn(format!("settings for the App are dropped: {}", lost.join(", ")));
            }
            if let Some(groups) = config.remove("sidebar_groups") {
                dataset.document.insert("app_sidebar_groups", groups);
            }
        }
        Some(_) => cx.warn("`app_config` is dropped; it is malformed"),
    }
    Ok(())
}

fn settings() -> Document {
    SETTINGS.iter().map(|(key, initial)| ((*key).to_owned(), initial())).collect()
}

/// Whether somebody set this setting of the App; sidebar groups do not count, they are kept.
fn is_set(key: &str, value: &Bson) -> bool {
    let initial = SETTINGS.iter().find(|(it, _)| *it == key).map(|(_, initial)| initial());
    match key {
        "sidebar_groups" => false,
        // The default of newer versions.
        "dynamic_groups_target_frame_rate" => !matches!(value, Bson::Int32(30) | Bson::Int64(30)),
        _ => truthy(value) && initial.as_ref() != Some(value),
    }
}

/// Truth as Python sees it.
fn truthy(value: &Bson) -> bool {
    match value {
        Bson::Null | Bson::Undefined => false,
        Bson::String(it) => !it.is_empty(),
        Bson::Array(it) => !it.is_empty(),
        Bson::Document(it) => !it.is_empty(),
        Bson::Boolean(it) => *it,
        Bson::Int32(it) => *it != 0,
        Bson::Int64(it) => *it != 0,
        Bson::Double(it) => *it != 0.0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{becomes, refuses};

    fn ungrouped() -> Document {
        doc! { "group_field": Bson::Null, "group_media_types": {}, "default_group_slice": Bson::Null }
    }

    fn with(mut document: Document, key: &str, value: impl Into<Bson>) -> Document {
        document.insert(key, value);
        document
    }

    #[test]
    fn sidebar_groups_move_into_the_settings_and_back() {
        let groups = vec![doc! { "name": "labels", "paths": ["truth"] }];
        let config = doc! {
            "media_fields": ["filepath"],
            "grid_media_field": "filepath",
            "modal_media_field": "filepath",
            "sidebar_groups": groups.clone(),
            "plugins": {},
        };
        let before = doc! { "app_sidebar_groups": groups };
        let after = with(ungrouped(), "app_config", config);
        becomes(REVISION.up, before.clone(), after.clone());
        becomes(REVISION.up, after.clone(), after.clone());
        assert!(becomes(REVISION.down, after, before).is_empty());
    }

    #[test]
    fn settings_that_are_there_stay() {
        let there = with(ungrouped(), "app_config", doc! { "plugins": { "x": 1 } });
        becomes(REVISION.up, there.clone(), there.clone());
        let groups = with(there, "app_sidebar_groups", Bson::Null);
        let config = doc! { "plugins": { "x": 1 }, "sidebar_groups": Bson::Null };
        becomes(REVISION.up, groups, with(ungrouped(), "app_config", config));
    }

    #[test]
    fn null_settings_only_become_real_ones_to_keep_sidebar_groups() {
        let null = with(ungrouped(), "app_config", Bson::Null);
        becomes(REVISION.up, with(null.clone(), "app_sidebar_groups", Bson::Null), null.clone());
        let groups: Bson = vec![doc! { "name": "labels" }].into();
        let after = with(settings(), "sidebar_groups", groups.clone());
        becomes(
            REVISION.up,
            with(null, "app_sidebar_groups", groups),
            with(ungrouped(), "app_config", after),
        );
        refuses(REVISION.up, doc! { "app_config": "text", "app_sidebar_groups": Bson::Null });
    }

    #[test]
    fn grouped_datasets_are_refused() {
        let grouped: [(&str, Bson); 3] = [
            ("group_field", "group".into()),
            ("group_media_types", doc! { "left": "image" }.into()),
            ("default_group_slice", "left".into()),
        ];
        for (key, value) in grouped {
            assert_eq!(
                refuses(REVISION.down, doc! { key: value }),
                format!(
                    "it is grouped (`{key}` is set), which versions before 0.17.0 do not support; clone one \
                     of its slices into a dataset of its own and migrate that"
                )
            );
        }
    }

    #[test]
    fn what_python_calls_false_is_no_group() {
        let falses: [Bson; 7] = [
            Bson::Null,
            "".into(),
            doc! {}.into(),
            Bson::Array(Vec::new()),
            0.into(),
            0.0.into(),
            false.into(),
        ];
        for value in falses {
            becomes(REVISION.down, doc! { "group_field": value }, doc! {});
        }
        assert!(truthy(&Bson::Int64(1)) && truthy(&f64::NAN.into()) && !truthy(&Bson::Int64(0)));
    }

    #[test]
    fn settings_beyond_the_defaults_are_named_when_lost() {
        let config = doc! {
            "media_fields": ["filepath"],
            "grid_media_field": "thumbnail",
            "media_fallback": false,
            "dynamic_groups_target_frame_rate": 30,
            "plugins": { "3d": {} },
        };
        assert_eq!(
            becomes(REVISION.down, doc! { "app_config": config }, doc! {}),
            ["settings for the App are dropped: `grid_media_field`, `plugins`"]
        );
        becomes(REVISION.down, doc! { "app_config": Bson::Null }, doc! {});
        let warnings = becomes(REVISION.down, doc! { "app_config": [1] }, doc! {});
        assert_eq!(warnings, ["`app_config` is dropped; it is malformed"]);
    }
}
