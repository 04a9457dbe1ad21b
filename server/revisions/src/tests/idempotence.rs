//! A migration that was interrupted is simply run again: over documents that were changed already, nothing
//! more happens.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use proptest::prelude::*;

use super::state::{NEWEST, State, targets};
use crate::{Scope, Step, Update};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_update_applied_twice_is_an_update_applied_once(document in documents()) {
        for update in &PATHS.updates {
            let once = applied(std::slice::from_ref(update), &document);
            let twice = applied(std::slice::from_ref(update), &once);
            prop_assert!(bytes(&once) == bytes(&twice), "{update:?}: {once} became {twice}");
        }
    }

    #[test]
    fn a_pass_applied_twice_is_a_pass_applied_once(document in documents()) {
        for (path, pass) in &PATHS.passes {
            let once = applied(pass, &document);
            let twice = applied(pass, &once);
            prop_assert!(bytes(&once) == bytes(&twice), "{path}: {once} became {twice}");
        }
    }
}

#[test]
fn there_are_updates_to_judge() {
    let fields: Vec<&str> = PATHS
        .updates
        .iter()
        .filter_map(|it| match it {
            Update::Set { field, .. } => Some(field.as_str()),
            Update::Rename { .. } | Update::Unset { .. } | Update::Each(_) => None,
        })
        .collect();
    assert!(fields.contains(&"created_at"), "{fields:?}");
    assert!(fields.contains(&"last_modified_at"), "{fields:?}");
}

/// What the fixtures need to have done to their samples and frames.
struct Paths {
    updates: Vec<Update>,
    /// All that is done to a collection between two merges, by path.
    passes: Vec<(String, Vec<Update>)>,
}

static PATHS: LazyLock<Paths> = LazyLock::new(|| {
    let mut updates = BTreeMap::new();
    let mut passes = BTreeMap::new();
    for (path, steps) in paths() {
        for scope in [Scope::Samples, Scope::Frames] {
            for stretch in steps.split(|it| matches!(it, Step::Merge(_))) {
                let pass: Vec<Update> = stretch
                    .iter()
                    .filter_map(|it| match it {
                        Step::Update { scope: at, update } if *at == scope => Some(update.clone()),
                        Step::Update { .. } | Step::Merge(_) | Step::Effect(_) => None,
                    })
                    .collect();
                updates.extend(pass.iter().map(|it| (format!("{it:?}"), it.clone())));
                passes.insert(format!("{pass:?}"), (format!("{path} {scope:?} {pass:#?}"), pass));
            }
        }
    }
    Paths { updates: updates.into_values().collect(), passes: passes.into_values().collect() }
});

fn paths() -> Vec<(String, Vec<Step>)> {
    let original = State::read(NEWEST);
    let mut paths = Vec::new();
    let mut add = |state: &State, from: &str, to: &str| {
        for dataset in &state.datasets {
            if let Ok(outcome) = state.fold(dataset, from, to) {
                paths.push((format!("{} {from} -> {to}", dataset.label()), outcome.steps));
            }
        }
    };
    for target in targets() {
        let older = State::read(&target);
        add(&original, NEWEST, &target);
        add(&older, &target, NEWEST);
        add(&older, &target, "0.6.1");
    }
    // Never migrated down before: these bear none of the marks that newer versions leave.
    let old = State::read("0.6.4");
    for dataset in &old.datasets {
        let mut dataset = dataset.clone();
        for list in ["sample_fields", "frame_fields"] {
            if let Ok(fields) = dataset.document.get_array_mut(list) {
                fields.retain(|it| {
                    let name = it.as_document().and_then(|it| it.get_str("name").ok());
                    !matches!(name, Some("created_at" | "last_modified_at"))
                });
            }
        }
        for from in ["0.6.1", "0.6.4", "0.17.0"] {
            if let Ok(outcome) = old.fold(&dataset, from, NEWEST) {
                paths.push((format!("{} bare {from}", dataset.label()), outcome.steps));
            }
        }
    }
    paths
}

fn applied(updates: &[Update], document: &Document) -> Document {
    let mut document = document.clone();
    for update in updates {
        update.apply(&mut document);
    }
    document
}

/// With the order of the keys, which `==` does not look at.
fn bytes(document: &Document) -> Vec<u8> {
    document.to_vec().unwrap()
}

/// Documents like samples and frames, made of the words that revisions look for.
fn documents() -> impl Strategy<Value = Document> {
    let key = prop_oneof![
        3 => prop::sample::select(vec![
            "_id", "media_type", "_media_type", "frames", "tags", "metadata", "created_at",
            "last_modified_at", "ground_truth", "det", "points", "filepath", "_rand", "frame_number",
            "_sample_id", "_dataset_id", "group",
        ])
        .prop_map(str::to_owned),
        1 => "[a-c_$.]{1,3}",
    ];
    prop::collection::vec((key, values()), 0..8).prop_map(|it| it.into_iter().collect())
}

fn values() -> impl Strategy<Value = Bson> {
    let point = prop::collection::vec(
        prop_oneof![(0.0..1.0).prop_map(Bson::Double), Just(Bson::Null)],
        0..3,
    )
    .prop_map(Bson::Array);
    let leaf = prop_oneof![
        Just(Bson::Null),
        any::<bool>().prop_map(Bson::Boolean),
        (0..3).prop_map(Bson::Int32),
        any::<[u8; 12]>().prop_map(|it| Bson::ObjectId(ObjectId::from_bytes(it))),
        (0_i64..9).prop_map(|it| Bson::DateTime(DateTime::from_millis(it))),
        prop::sample::select(vec!["image", "video", "", "$a", "Polyline", "Polylines"])
            .prop_map(Bson::from),
        Just(Bson::Document(doc! {})),
        Just(Bson::Array(Vec::new())),
        point,
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let words = prop::sample::select(vec![
            "_cls", "points", "polylines", "detections", "frames", "first_frame", "closed", "1", "2",
            "frame_number", "media_type",
        ]);
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array),
            2 => prop::collection::vec((words, inner.clone()), 0..4).prop_map(|it| Bson::Document(
                it.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
            2 => inner.clone().prop_map(|points| doc! { "_cls": "Polyline", "points": points }.into()),
            1 => prop::collection::vec(inner, 0..3).prop_map(|items| {
                let items = items
                    .into_iter()
                    .map(|points| doc! { "_cls": "Polyline", "points": points }.into());
                doc! { "_cls": "Polylines", "polylines": Bson::Array(items.collect()) }.into()
            }),
        ]
    })
}
