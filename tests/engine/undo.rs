//! Undoing runs: what was is there again, value for value, and nobody's change is lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, Document, doc};
use engine::{Control, JobState, OnFailure, Report, Request, State as Became, Target};
use futures_util::TryStreamExt;
use tests::{
    Deployment, Dump, Mongod, NEWEST, State, image_dataset, image_samples, video_dataset,
    video_frames, video_samples,
};

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

async fn undo(deployment: &Deployment, run: &Report, names: &[&str]) -> Report {
    let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
    let (control, _meter, _events) = Control::new();
    let id = run.run.as_deref().unwrap();
    deployment.engine().await.undo(id, &names, control).await.unwrap()
}

/// An empty collection is as good as none, which is all that a client can tell.
async fn dump(deployment: &Deployment) -> Dump {
    let mut dump = deployment.dump().await;
    dump.retain(|_, documents| !documents.is_empty());
    dump
}

fn bytes(document: &Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.to_writer(&mut bytes).unwrap();
    bytes
}

#[track_caller]
fn same(what: &str, expected: &Dump, found: &Dump) {
    assert!(expected.keys().eq(found.keys()), "{what}: {:?}", found.keys());
    for (name, documents) in expected {
        assert_eq!(documents.len(), found[name].len(), "{what}: {name}");
        for (expected, found) in documents.iter().zip(&found[name]) {
            assert_eq!(expected, found, "{what}: {name}");
            let keys = |it: &Document| it.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(expected), keys(found), "{what}: {name}");
            assert!(bytes(expected) == bytes(found), "{what}: {name}");
        }
    }
}

async fn there_and_back(server: &Mongod, name: &str, state: &State, target: &str) {
    let deployment = Deployment::on(server, name).await;
    deployment.plant_all(&state.collections).await;
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(target)).await;
    let undone = undo(&deployment, &run, &[]).await;
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(undone.run_state, Some(JobState::Undone), "{name}: {reasons:?}");
    same(name, &before, &dump(&deployment).await);
    deployment.database.drop().await.unwrap();
}

#[tokio::test]
async fn whatever_went_up_is_as_it_was() {
    let server = Mongod::start(&[]);
    for version in BOUNDARIES {
        let name = format!("up-{}", version.replace('.', "-"));
        there_and_back(&server, &name, &State::down_to(version), NEWEST).await;
    }
}

#[tokio::test]
async fn whatever_went_down_is_as_it_was() {
    let server = Mongod::start(&[]);
    let state = State::newest();
    for version in BOUNDARIES {
        let name = format!("down-{}", version.replace('.', "-"));
        there_and_back(&server, &name, &state, version).await;
    }
}

#[tokio::test]
async fn a_garden_of_old_datasets_and_an_orphan_are_as_they_were() {
    let deployment = Deployment::empty().await;
    let engine = deployment.engine().await;
    engine.plant_demo().await.unwrap();
    deployment.configure_anew("0.14.0").await;
    let orphan = deployment.collection("samples.0123456789abcdef01234567");
    orphan.insert_one(doc! { "_id": 1, "a": 2 }).await.unwrap();
    let index = mongodb::IndexModel::builder().keys(doc! { "a": 1 }).build();
    orphan.create_index(index).await.unwrap();
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(NEWEST)).await;
    assert!(!run.database.as_ref().unwrap().drops.is_empty());
    assert!(orphan.find_one(doc! {}).await.unwrap().is_none());
    let undone = undo(&deployment, &run, &[]).await;
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(undone.run_state, Some(JobState::Undone), "{reasons:?}");
    same("garden", &before, &dump(&deployment).await);
    assert_eq!(orphan.list_index_names().await.unwrap(), ["_id_", "a_1"]);
}

/// A deployment with an image dataset and a video dataset whose samples have what migrating adds, some of them.
async fn odd() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let (images, videos) = (image_dataset("images"), video_dataset("videos"));
    let collection = |it: &Document, key: &str| it.get_str(key).unwrap().to_owned();
    let samples = image_samples(50).enumerate().map(|(number, mut it)| {
        if number % 5 == 0 {
            it.insert("created_at", "long ago");
            it.insert("z", number.to_string());
        }
        it
    });
    deployment.plant(&collection(&images, "sample_collection_name"), samples).await;
    let samples: Vec<Document> = video_samples(3).collect();
    let mut frames = video_frames(&samples, 4);
    frames[2].insert("last_modified_at", Bson::Null);
    deployment.plant(&collection(&videos, "sample_collection_name"), samples).await;
    deployment.plant(&collection(&videos, "frame_collection_name"), frames).await;
    deployment.plant("datasets", [images, videos]).await;
    deployment
}

#[tokio::test]
async fn values_that_were_in_the_way_are_there_again() {
    let deployment = odd().await;
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(NEWEST)).await;
    deployment.assert_newest().await;
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    same("odd", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn one_dataset_is_undone_and_the_others_later() {
    let deployment = odd().await;
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(NEWEST)).await;
    let undone = undo(&deployment, &run, &["videos"]).await;
    assert_eq!(undone.run_state, Some(JobState::PartlyUndone));
    assert_eq!(deployment.version_of("videos").await, "0.18.0".into());
    assert_eq!(deployment.version_of("images").await, NEWEST.into());
    assert_eq!(deployment.version().await, NEWEST);
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    same("odd", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn what_somebody_has_changed_since_is_not_undone_and_told_with_its_keys() {
    let deployment = odd().await;
    let run = deployment.migrate(to(NEWEST)).await;
    let datasets = deployment.collection("datasets");
    let edit = doc! { "$set": { "info": { "a": 1 }, "tags": ["b"], "last_loaded_at": Bson::Null } };
    datasets.update_one(doc! { "name": "images" }, edit).await.unwrap();
    let looked = doc! { "$set": { "last_loaded_at": Bson::Null } };
    datasets.update_one(doc! { "name": "videos" }, looked).await.unwrap();
    let edited = deployment.dataset("images").await;
    let undone = undo(&deployment, &run, &[]).await;
    assert_eq!(undone.run_state, Some(JobState::PartlyUndone));
    let refused: Vec<_> =
        undone.datasets.iter().filter(|it| it.state == Became::NotUndone).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].name.as_deref(), Some("images"));
    let reason = refused[0].reason.as_deref().unwrap();
    assert_eq!(reason, "somebody has changed it since: `tags`, `info`");
    // It is as they left it, the other one is undone, and no old client is let in to the new one.
    assert_eq!(deployment.dataset("images").await, edited);
    assert_eq!(deployment.version_of("videos").await, "0.18.0".into());
    assert_eq!(deployment.version().await, NEWEST);
}

#[tokio::test]
async fn samples_and_runs_that_somebody_has_changed_since_are_not_lost() {
    for kind in ["edited", "added", "run", "deleted"] {
        let deployment = odd().await;
        let run = deployment.migrate(to(NEWEST)).await;
        let dataset = deployment.dataset("images").await;
        let samples = deployment.collection(dataset.get_str("sample_collection_name").unwrap());
        let expected = match kind {
            "edited" => {
                let edit = doc! { "$set": { "weather": "sun" }, "$currentDate": { "last_modified_at": true } };
                samples.update_one(doc! {}, edit).await.unwrap();
                "samples of it were edited since"
            }
            "added" => {
                tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
                samples.insert_one(doc! { "_id": bson::oid::ObjectId::new() }).await.unwrap();
                "samples were added to it since"
            }
            "run" => {
                let of = doc! { "_dataset_id": dataset.get("_id"), "key": "first" };
                let edit = doc! { "$set": { "view_stages": ["a"] } };
                deployment.collection("runs").update_one(of, edit).await.unwrap();
                "somebody has changed its run"
            }
            _ => {
                let of = doc! { "name": "images" };
                deployment.collection("datasets").delete_one(of).await.unwrap();
                "it was deleted since"
            }
        };
        let undone = undo(&deployment, &run, &[]).await;
        assert_eq!(undone.run_state, Some(JobState::PartlyUndone), "{kind}");
        let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
        assert_eq!(reasons.len(), 1, "{kind}: {reasons:?}");
        assert!(reasons[0].starts_with(expected), "{kind}: {reasons:?}");
        assert_eq!(deployment.version_of("videos").await, "0.18.0".into());
    }
}

#[tokio::test]
async fn the_run_after_it_is_undone_first() {
    let deployment = odd().await;
    let before = dump(&deployment).await;
    let first = deployment.migrate(to("0.25.2")).await;
    let between = dump(&deployment).await;
    let second = deployment.migrate(to(NEWEST)).await;
    let early = undo(&deployment, &first, &[]).await;
    assert_eq!(early.count(Became::NotUndone), 2);
    let reason = early.datasets[0].reason.as_deref().unwrap();
    let second_id = second.run.as_deref().unwrap();
    assert_eq!(reason, format!("run {second_id} has migrated it since; undo that one first"));
    assert_eq!(undo(&deployment, &second, &[]).await.run_state, Some(JobState::Undone));
    same("between", &between, &dump(&deployment).await);
    assert_eq!(undo(&deployment, &first, &[]).await.run_state, Some(JobState::Undone));
    same("before", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn what_only_got_another_version_gets_the_old_one_whatever_else_was_changed() {
    let deployment = odd().await;
    deployment.migrate(to("1.17.0")).await;
    let before = dump(&deployment).await;
    let run = deployment.migrate(to("1.20.0")).await;
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    same("stamps", &before, &dump(&deployment).await);
    let run = deployment.migrate(to("1.20.0")).await;
    let edit = doc! { "$set": { "info": 7 } };
    deployment.collection("datasets").update_many(doc! {}, edit).await.unwrap();
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    deployment.assert_all_at("1.17.0").await;
    assert_eq!(deployment.dataset("images").await.get_i32("info").unwrap(), 7);
}

#[tokio::test]
async fn indexes_that_were_dropped_are_there_again() {
    let server = Mongod::start(&[]);
    let deployment = Deployment::on(&server, "indexes").await;
    deployment.plant_all(&State::newest().collections).await;
    let datasets = deployment.collection("datasets");
    let video = datasets.find_one(doc! { "media_type": "video" });
    let frames = video.await.unwrap().unwrap().get_str("frame_collection_name").unwrap().to_owned();
    let frames = deployment.collection(&frames);
    let options = mongodb::options::IndexOptions::builder().unique(true).build();
    let keys = doc! { "_sample_id": 1, "frame_number": 1 };
    let index = mongodb::IndexModel::builder().keys(keys).options(options).build();
    frames.create_index(index).await.unwrap();
    let run = deployment.migrate(to("0.6.1")).await;
    assert_eq!(frames.list_index_names().await.unwrap(), ["_id_"]);
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    let indexes: Vec<_> = frames.list_indexes().await.unwrap().try_collect().await.unwrap();
    assert_eq!(indexes.len(), 2);
    assert_eq!(indexes[1].options.as_ref().unwrap().unique, Some(true));
}

#[tokio::test]
async fn a_dataset_document_that_is_larger_than_an_entry_is_as_it_was() {
    let deployment = odd().await;
    let large = doc! { "$set": { "info": { "large": "x".repeat(9 << 20), "z": 1 } } };
    deployment.collection("datasets").update_one(doc! { "name": "images" }, large).await.unwrap();
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(NEWEST)).await;
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    assert!(before == dump(&deployment).await);
}
