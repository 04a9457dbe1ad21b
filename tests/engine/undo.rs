//! Undoing runs: what was is there again, value for value, and nobody's change is lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use engine::{Control, JobState, Report, Request, State as Became, Target};
use futures_util::TryStreamExt;
use tests::{
    Deployment, Dump, Mongod, NEWEST, State, Wire, console, image_dataset, image_samples, program,
    to, video_dataset, video_frames, video_samples, ways_down, ways_up,
};

async fn undo(deployment: &Deployment, run: &Report, names: &[&str]) -> Report {
    tries_to_undo(deployment, run.run.as_deref().unwrap(), names).await.unwrap()
}

async fn tries_to_undo(
    deployment: &Deployment,
    id: &str,
    names: &[&str],
) -> engine::Result<Report> {
    let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
    let (control, _meter, _events) = Control::new();
    deployment.engine().await.undo(&console(), id, &names, control).await
}

/// Kills the program with these arguments right before the first such write. Returns the runs that are new.
async fn killed_before(
    deployment: &Deployment,
    arguments: &[&str],
    command: &str,
    namespace: &str,
) -> Vec<String> {
    killed_before_the(1, deployment, arguments, command, namespace).await
}

/// The same for the first, second, .. of such writes.
async fn killed_before_the(
    which: usize,
    deployment: &Deployment,
    arguments: &[&str],
    command: &str,
    namespace: &str,
) -> Vec<String> {
    let earlier = runs(deployment).await;
    let wire = Wire::before(Mongod::shared(), which, command, namespace).await;
    let there = deployment.behind(&wire);
    let ended = there.led_by(program!(arguments)).spawn().killed_at(wire.cut()).await;
    // If it is fast it has seen that its connection is gone.
    assert_ne!(ended.status, Some(0), "{}", ended.stderr);
    let mut runs = runs(deployment).await;
    runs.retain(|it| !earlier.contains(it));
    runs
}

async fn runs(deployment: &Deployment) -> Vec<String> {
    deployment.engine().await.runs().await.unwrap().into_iter().map(|it| it.id).collect()
}

async fn says(deployment: &Deployment, arguments: &[&str]) {
    deployment.led_by(program!(arguments)).run().await.exits_with(0);
}

/// An id as a client makes it this many seconds from now.
fn made_after(seconds: i64) -> ObjectId {
    let then = DateTime::now().timestamp_millis() / 1000 + seconds;
    ObjectId::from_parts(u32::try_from(then).unwrap(), [1; 5], [1; 3])
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
    let deployment = Deployment::planted(server, name, state).await;
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
    for (name, state, target) in ways_up() {
        there_and_back(&server, &name, &state, target).await;
    }
}

#[tokio::test]
async fn whatever_went_down_is_as_it_was() {
    let server = Mongod::start(&[]);
    for (name, state, target) in ways_down() {
        there_and_back(&server, &name, &state, target).await;
    }
}

#[tokio::test]
async fn a_garden_of_old_datasets_and_an_orphan_are_as_they_were() {
    let deployment = Deployment::empty().await;
    let engine = deployment.engine().await;
    engine.plant_demo(&console()).await.unwrap();
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
                samples.insert_one(doc! { "_id": made_after(3) }).await.unwrap();
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
async fn collections_are_asked_together_and_only_those_are_kept_that_have_something_in_the_way() {
    for odd in [false, true] {
        let deployment = Deployment::at("0.18.0").await;
        for at in 0..12 {
            let dataset = image_dataset(&format!("images {at}"));
            let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
            let with = |mut it: Document| {
                if odd && at == 7 {
                    it.insert("created_at", "long ago");
                }
                it
            };
            deployment.plant(&samples, image_samples(3).map(with)).await;
            deployment.plant("datasets", [dataset]).await;
        }
        let before = dump(&deployment).await;
        let wire = Wire::whole(Mongod::shared()).await;
        let there = deployment.behind(&wire);
        let run = there.migrate(to(NEWEST)).await;
        // What keeps something is written by an aggregation.
        let kept = wire.writes().await.iter().filter(|it| it.command == "aggregate").count();
        assert_eq!(kept, usize::from(odd));
        assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
        same("asked together", &before, &dump(&deployment).await);
    }
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

/// A run up that is killed when its datasets are committed, and what the archive has given back to them is not settled.
async fn killed_after_the_commit() -> (Deployment, Dump, String) {
    let deployment = Deployment::holding(&State::newest()).await;
    deployment.migrate(to("0.18.0")).await;
    let before = dump(&deployment).await;
    let place = "fiftyone_migrate.archive";
    // The first of them, before the commit, says what is about to be given back.
    let run = killed_before_the(2, &deployment, &["--all"], "update", place).await.remove(0);
    deployment.assert_newest().await;
    (deployment, before, run)
}

#[tokio::test]
async fn a_run_that_was_killed_after_its_commit_and_goes_on_is_undone_to_what_was_before_it() {
    let (deployment, before, run) = killed_after_the_commit().await;
    says(&deployment, &["runs", "resume", &run]).await;
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    assert_eq!(undone.run_state, Some(JobState::Undone));
    same("killed after the commit", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn what_somebody_has_changed_after_the_commit_and_before_the_run_goes_on_is_not_lost() {
    let (deployment, _, run) = killed_after_the_commit().await;
    let edit = doc! { "$set": { "info": { "mine": 1 } } };
    deployment.collection("datasets").update_one(doc! { "name": "img-det" }, edit).await.unwrap();
    says(&deployment, &["runs", "resume", &run]).await;
    let edited = deployment.dataset("img-det").await;
    assert_eq!(edited.get_document("info").unwrap(), &doc! { "mine": 1 });
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    let refused: Vec<_> =
        undone.datasets.iter().filter(|it| it.state == Became::NotUndone).collect();
    assert_eq!(refused.len(), 1, "{:?}", undone.datasets);
    let reason = refused[0].reason.as_deref().unwrap();
    assert_eq!(reason, "somebody has changed it since: `info`");
    assert_eq!(deployment.dataset("img-det").await, edited);
}

/// A run up that is killed when the samples are changed and the datasets are not.
async fn killed_before_the_commit() -> (Deployment, Dump, String) {
    killed_before_the_commit_of(odd().await).await
}

async fn killed_before_the_commit_of(deployment: Deployment) -> (Deployment, Dump, String) {
    let before = dump(&deployment).await;
    let place = format!("{}.datasets", deployment.database.name());
    let run = killed_before(&deployment, &["--all"], "update", &place).await.remove(0);
    let after = dump(&deployment).await;
    assert_eq!(before["datasets"], after["datasets"]);
    assert_ne!(before, after);
    (deployment, before, run)
}

#[tokio::test]
async fn samples_that_were_added_while_the_run_rested_are_seen() {
    let deployment = odd().await;
    let dataset = deployment.dataset("images").await;
    let samples = dataset.get_str("sample_collection_name").unwrap();
    // Its own samples are older than the hour for which the run is going to rest.
    let old: Vec<Document> = (0_u8..)
        .zip(deployment.all(samples).await)
        .map(|(at, mut it)| {
            let [a, b, c, d, ..] = made_after(-7200).bytes();
            it.insert("_id", ObjectId::from_bytes([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, at]));
            it
        })
        .collect();
    deployment.collection(samples).delete_many(doc! {}).await.unwrap();
    deployment.plant(samples, old).await;
    let (deployment, _, run) = killed_before_the_commit_of(deployment).await;
    let hour = doc! { "begun": { "$subtract": ["$begun", 3_600_000] } };
    let entries = deployment.jobs().collection::<Document>("run_journal");
    let run_id = ObjectId::parse_str(&run).unwrap();
    let of = doc! { "_id.run": run_id, "kind": "dataset", "name": "images" };
    let rested = entries.update_many(of, vec![doc! { "$set": hour }]).await.unwrap();
    assert_eq!(rested.matched_count, 1);
    // In the middle of it somebody adds a sample.
    deployment.plant(samples, [doc! { "_id": made_after(-1800), "created_at": "mine" }]).await;
    says(&deployment, &["runs", "resume", &run]).await;
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(reasons, ["samples were added to it since"]);
    assert_eq!(deployment.version_of("images").await, NEWEST.into());
    assert_eq!(deployment.version_of("videos").await, "0.18.0".into());
}

#[tokio::test]
async fn a_run_that_somebody_has_edited_while_the_run_rested_is_not_taken_for_the_original() {
    let deployment = odd().await;
    deployment.migrate(to("0.19.0")).await;
    let dataset = deployment.dataset("images").await;
    // One that is written anew on the way: similarity gets another name.
    let similar = doc! {
        "_id": ObjectId::new(), "_dataset_id": dataset.get("_id"), "key": "similar", "version": "0.19.0",
        "timestamp": DateTime::now(), "view_stages": [], "results": null,
        "config": { "cls": "fiftyone.brain.similarity.SimilarityConfig", "method": "similarity" },
    };
    let named = doc! { "$set": { "brain_methods.similar": similar.get("_id") } };
    deployment.collection("datasets").update_one(doc! { "name": "images" }, named).await.unwrap();
    let of = doc! { "_id": similar.get("_id") };
    deployment.plant("runs", [similar]).await;
    let runs = deployment.collection("runs");
    let (deployment, before, run) = killed_before_the_commit_of(deployment).await;
    // An older client writes its name for it again, and something of its own.
    let mine = doc! { "$set": { "config.cls": "fiftyone.brain.similarity.SimilarityConfig", "config.mine": 1 } };
    let ours = runs.find_one_and_update(of.clone(), mine).await.unwrap().unwrap();
    let original = before["runs"].iter().find(|it| it.get("_id") == ours.get("_id")).unwrap();
    assert_ne!(original, &ours, "the run was to be changed before its dataset is committed");
    says(&deployment, &["runs", "resume", &run]).await;
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    let id = ours.get_object_id("_id").unwrap();
    let reason = format!("somebody has changed its run {id} since");
    assert_eq!(reasons, [&reason]);
    assert_eq!(deployment.version_of("videos").await, "0.19.0".into());
    let now = runs.find_one(of).await.unwrap().unwrap();
    assert_eq!(now.get_document("config").unwrap().get("mine"), Some(&1.into()));
    // What it was before the run is still kept.
    let entries = deployment.jobs().collection::<Document>("run_journal");
    let kept = doc! { "_id.run": ObjectId::parse_str(&run).unwrap(), "kind": "run", "_id.id": ours.get("_id") };
    let kept = entries.find_one(kept).await.unwrap().unwrap();
    assert_eq!(kept.get_binary_generic("bytes").unwrap(), &bytes(original));
}

#[tokio::test]
async fn an_operation_of_which_a_run_has_done_the_half_is_not_taken_for_the_original() {
    let deployment = Deployment::holding(&State::newest()).await;
    deployment.migrate(to("1.1.0")).await;
    let before = dump(&deployment).await;
    // Its log gets another name, and then it gets back what the older version did not know: killed in between.
    let place = format!("{}.delegated_ops", deployment.database.name());
    let run = killed_before_the(2, &deployment, &["--all"], "update", &place).await.remove(0);
    assert_ne!(before["delegated_ops"], dump(&deployment).await["delegated_ops"]);
    says(&deployment, &["runs", "resume", &run]).await;
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    assert_eq!(undone.run_state, Some(JobState::Undone));
    same("half an operation", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn what_is_tried_again_at_another_time_is_not_taken_for_an_edit() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::on(&server, "again").await;
    deployment.plant_all(&dump(&odd().await).await).await;
    let before = dump(&deployment).await;
    let failure = |mode: &str| {
        doc! {
            "configureFailPoint": "failCommand", "mode": mode,
            "data": {
                "failCommands": ["update"], "namespace": "again.datasets", "errorCode": 8,
                "appName": "fiftyone-migrate",
            },
        }
    };
    let admin = deployment.database.client().database("admin");
    admin.run_command(failure("alwaysOn")).await.unwrap();
    let run = deployment.migrate(to(NEWEST)).await;
    admin.run_command(failure("off")).await.unwrap();
    assert_eq!(run.count(Became::Failed), 2);
    says(&deployment, &["runs", "retry", run.run.as_deref().unwrap()]).await;
    deployment.assert_newest().await;
    let undone = undo(&deployment, &run, &[]).await;
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(undone.run_state, Some(JobState::Undone), "{reasons:?}");
    same("again", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn a_dataset_that_was_never_committed_and_only_looked_at_since_has_its_samples_back() {
    let (deployment, mut before, run) = killed_before_the_commit().await;
    let looked = doc! { "$set": { "last_loaded_at": DateTime::now() } };
    deployment.collection("datasets").update_many(doc! {}, looked).await.unwrap();
    before.insert("datasets".to_owned(), deployment.all("datasets").await);
    says(&deployment, &["runs", "pause", &run]).await;
    let undone = tries_to_undo(&deployment, &run, &[]).await.unwrap();
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(undone.run_state, Some(JobState::Undone), "{reasons:?}");
    same("looked at", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn no_dataset_goes_back_up_before_the_database_does() {
    let deployment = odd().await;
    deployment.migrate(to(NEWEST)).await;
    let before = dump(&deployment).await;
    let down = deployment.migrate(to("0.18.0")).await;
    let id = down.run.as_deref().unwrap();
    let alone = tries_to_undo(&deployment, id, &["images"]).await.unwrap_err().to_string();
    assert_eq!(
        alone,
        format!(
            "the database is at v0.18.0, and what is undone would be newer: it was at v{NEWEST} before; undo all of the \
             run, which takes the database up first"
        )
    );
    // Nothing was begun.
    assert_eq!(deployment.engine().await.run(id).await.unwrap().state, JobState::Completed);
    deployment.configure_anew("0.17.2").await;
    let low = dump(&deployment).await;
    let all = tries_to_undo(&deployment, id, &[]).await.unwrap_err().to_string();
    assert_eq!(
        all,
        format!(
            "the database is at v0.17.2, and what is undone would be newer: it was at v{NEWEST} before; somebody has \
             changed its `config` document since the run, and until that is as the run has left it, nothing can be undone"
        )
    );
    same("nothing is undone", &low, &dump(&deployment).await);
    assert_eq!(deployment.engine().await.run(id).await.unwrap().state, JobState::PartlyUndone);
    deployment.configure_anew("0.18.0").await;
    assert_eq!(undo(&deployment, &down, &[]).await.run_state, Some(JobState::Undone));
    same("all is undone", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn an_undo_of_some_datasets_that_was_cut_off_is_not_taken_for_another() {
    let deployment = odd().await;
    let before = dump(&deployment).await;
    let run = deployment.migrate(to(NEWEST)).await;
    let id = run.run.as_deref().unwrap();
    let place = format!("{}.datasets", deployment.database.name());
    let arguments = ["runs", "undo", id, "-n", "videos"];
    let runs = killed_before(&deployment, &arguments, "update", &place).await;
    assert!(runs.is_empty(), "{runs:?}");
    for names in [&[][..], &["images"]] {
        let refused = tries_to_undo(&deployment, id, names).await.unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "run {id} is being undone for `videos` alone, and that was cut off; let it come to its end with \
                 `fiftyone-migrate runs undo {id} -n videos`, and ask for more then"
            )
        );
    }
    assert_eq!(deployment.version_of("videos").await, NEWEST.into());
    let undone = undo(&deployment, &run, &["videos"]).await;
    assert_eq!(undone.run_state, Some(JobState::PartlyUndone));
    assert_eq!(undo(&deployment, &run, &[]).await.run_state, Some(JobState::Undone));
    same("in two", &before, &dump(&deployment).await);
}

#[tokio::test]
async fn undoing_what_was_never_archived_writes_nothing_to_the_archive() {
    let deployment = odd().await;
    let run = deployment.migrate(to(NEWEST)).await;
    let wire = Wire::whole(Mongod::shared()).await;
    let there = deployment.behind(&wire);
    assert_eq!(undo(&there, &run, &[]).await.run_state, Some(JobState::Undone));
    let writes = wire.writes().await;
    assert!(writes.iter().any(|it| it.namespace.ends_with(".datasets")), "{writes:?}");
    assert!(!writes.iter().any(|it| it.namespace.contains("archive")), "{writes:?}");
}

#[tokio::test]
async fn nothing_is_undone_while_the_run_holds() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::on(&server, "holds").await;
    deployment.plant_all(&dump(&odd().await).await).await;
    deployment.migrate(to(NEWEST)).await;
    let before = dump(&deployment).await;
    // One dataset goes down, with documents that come back first of all, and then all.
    let some = Request { target: Target::Datasets(vec!["images".to_owned()]), ..to("0.18.0") };
    for request in [some, to("0.18.0")] {
        let down = deployment.migrate(request).await;
        let id = down.run.as_deref().unwrap();
        let low = dump(&deployment).await;
        says(&deployment, &["runs", "pace", id, "--disk", "1000000000"]).await;
        // What is to be undone is read slowly, so that it holds by then.
        let slowly = |mode: &str| {
            doc! {
                "configureFailPoint": "failCommand", "mode": mode,
                "data": {
                    "failCommands": ["find"], "namespace": "fiftyone_migrate.run_journal",
                    "blockConnection": true, "blockTimeMS": 10_000, "appName": "fiftyone-migrate",
                },
            }
        };
        let admin = deployment.database.client().database("admin");
        admin.run_command(slowly("alwaysOn")).await.unwrap();
        let undoing = deployment.led_by(program!(["runs", "undo", id])).spawn();
        deployment.until(id, "holding", |it| it["holding"].is_string()).await;
        admin.run_command(slowly("off")).await.unwrap();
        // It has the time to do what it must not.
        tokio::time::sleep(Duration::from_secs(1)).await;
        same("holding", &low, &dump(&deployment).await);
        says(&deployment, &["runs", "pace", id, "--disk", "0"]).await;
        undoing.ended().await.exits_with(0);
        same("undone", &before, &dump(&deployment).await);
    }
}
