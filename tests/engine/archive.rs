//! Downgrades that lose nothing: what an old version does not know comes back on the way up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, Document, doc};
use engine::{Control, JobState, OnFailure, Report, Request, State as Became, Target};
use tests::{Deployment, Dump, Mongod, NEWEST, State, image_dataset, image_samples};

const BOUNDARIES: [&str; 22] = [
    "0.6.1", "0.6.4", "0.7.1", "0.7.2", "0.7.3", "0.7.4", "0.9.3", "0.11.1", "0.12.0", "0.13.3",
    "0.15.0", "0.15.1", "0.16.0", "0.16.2", "0.16.6", "0.17.2", "0.18.0", "0.19.1", "0.22.3",
    "0.25.2", "1.0.2", "1.3.0",
];

fn to(version: &str) -> Request {
    Request {
        target: Target::Everything,
        destination: Some(version.parse().unwrap()),
        on_failure: OnFailure::GoOn,
        dry_run: false,
        without_undo: false,
        without_archive: false,
    }
}

/// Every document with its keys sorted, for their order may be another; an empty collection is as good as none.
async fn dump(deployment: &Deployment) -> Dump {
    let mut dump = deployment.dump().await;
    // The database's own document belongs to no dataset.
    dump.retain(|name, documents| name != "config" && !documents.is_empty());
    for documents in dump.values_mut() {
        documents.iter_mut().for_each(|it| *it = sorted(it));
    }
    dump
}

fn sorted(document: &Document) -> Document {
    let mut keys: Vec<(String, Bson)> =
        document.iter().map(|(key, value)| (key.clone(), sorted_value(value))).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    keys.into_iter().collect()
}

fn sorted_value(value: &Bson) -> Bson {
    match value {
        Bson::Document(inner) => sorted(inner).into(),
        Bson::Array(items) => items.iter().map(sorted_value).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

#[track_caller]
fn same(what: &str, expected: &Dump, found: &Dump) {
    assert!(expected.keys().eq(found.keys()), "{what}: {:?}", found.keys());
    for (name, documents) in expected {
        for it in &found[name] {
            assert!(
                documents.iter().any(|other| other.get("_id") == it.get("_id")),
                "{what}: {name} has {it}"
            );
        }
        for expected in documents {
            let found = found[name].iter().find(|it| it.get("_id") == expected.get("_id"));
            let found = found.unwrap_or_else(|| panic!("{what}: {name} lacks {expected}"));
            for key in expected.keys().chain(found.keys()) {
                assert_eq!(expected.get(key), found.get(key), "{what}: {name}: {key}");
            }
        }
    }
}

async fn holding(server: &Mongod, name: &str, state: &State) -> Deployment {
    let deployment = Deployment::on(server, name).await;
    deployment.plant_all(&state.collections).await;
    deployment
}

#[tokio::test]
async fn down_and_up_again_is_the_original_value_for_value() {
    let server = Mongod::start(&[]);
    let state = State::newest();
    for version in BOUNDARIES {
        let name = format!("there-{}", version.replace('.', "-"));
        let deployment = holding(&server, &name, &state).await;
        let before = dump(&deployment).await;
        deployment.migrate(to(version)).await;
        let up = deployment.migrate(to(NEWEST)).await;
        assert_eq!(up.run_state, Some(JobState::Completed), "{version}");
        let warnings: Vec<_> = up.datasets.iter().flat_map(|it| &it.warnings).collect();
        assert!(!warnings.iter().any(|it| it.contains("conflict")), "{version}: {warnings:?}");
        same(version, &before, &dump(&deployment).await);
        deployment.database.drop().await.unwrap();
    }
}
