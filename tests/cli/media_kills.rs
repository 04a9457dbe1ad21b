//! `upload-media` and `rewrite-paths`, killed at any moment: nothing half is seen, and the same again goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bson::{Bson, Document, doc, oid::ObjectId};
use tests::{Deployment, Dice, NEWEST, image_dataset, program};

/// How often a program is killed while it uploads, and while it rewrites.
const UPLOAD_KILLS: u32 = 50;
const REWRITE_KILLS: u32 = 15;

/// How many files there are, and of how many bytes: at the pace below, more than one life takes.
const FILES: usize = 60;
const BYTES: usize = 100_000;

/// How many samples have paths that are rewritten.
const SAMPLES: usize = 20_000;

async fn plant(folder: &Path, samples: usize) -> (Deployment, String) {
    let deployment = Deployment::at(NEWEST).await;
    let mut dataset = image_dataset("img");
    dataset.insert("version", NEWEST);
    let field = doc! { "name": "filepath", "db_field": "filepath", "ftype": "fiftyone.core.fields.StringField", "fields": [] };
    dataset.insert("sample_fields", vec![Bson::from(field)]);
    let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let sample = |it: usize| -> Document {
        let path = folder.join(format!("{}/{it}.bin", it % 7));
        doc! { "_id": ObjectId::new(), "filepath": path.to_str().unwrap() }
    };
    deployment.plant(&collection, (0..samples).map(sample)).await;
    deployment.plant("datasets", [dataset]).await;
    (deployment, collection)
}

async fn paths(deployment: &Deployment, collection: &str) -> HashMap<ObjectId, String> {
    let all = deployment.all(collection).await;
    let each = all
        .into_iter()
        .map(|it| (it.get_object_id("_id").unwrap(), it.get_str("filepath").unwrap().to_owned()));
    each.collect()
}

/// The files that are there under their own names.
fn there(bucket: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(bucket).into_iter().flatten();
    let files = folders.flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap());
    let paths = files.map(|it| it.unwrap().path());
    paths.filter(|it| !it.to_str().unwrap().contains("fiftyone-migrate")).collect()
}

/// How many files are there; each of them is what it was made from.
fn whole(data: &Path, bucket: &Path) -> usize {
    let all = there(bucket);
    for path in &all {
        let made_from = data.join(path.strip_prefix(bucket).unwrap());
        assert!(
            fs::read(path).unwrap() == fs::read(made_from).unwrap(),
            "{} is not whole",
            path.display()
        );
    }
    all.len()
}

#[tokio::test]
async fn an_upload_that_is_killed_shows_nothing_half_and_goes_on_where_it_was() {
    let mut dice = Dice::cast();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (deployment, _) = plant(&data, FILES).await;
    for it in 0..FILES {
        let file = data.join(format!("{}/{it}.bin", it % 7));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let content: Vec<u8> =
            (0..BYTES).map(|_| u8::try_from(dice.within(0..256)).unwrap()).collect();
        fs::write(file, content).unwrap();
    }
    let (mut round, mut before, mut grew) = (0, 0, 0);
    for _ in 0..UPLOAD_KILLS {
        let bucket = folder.path().join(format!("bucket{round}"));
        let to = bucket.to_str().unwrap();
        let running =
            deployment.led_by(program!(["upload-media", "img", to, "--bandwidth", "4"])).spawn();
        // At any moment around the arrival of some more of them; now and then before the first.
        let enough = before + usize::try_from(dice.within(0..6)).unwrap();
        let more = Duration::from_millis(dice.within(0..100));
        let moment = async {
            while there(&bucket).len() < enough.min(FILES) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(more).await;
        };
        running.killed_at(moment).await;
        let now = whole(&data, &bucket);
        assert!(now >= before, "what had arrived is gone: {now} instead of {before}");
        grew += u32::from(now > before);
        before = now;
        if now == FILES {
            deployment.led_by(program!(["upload-media", "img", to])).run().await.exits_with(0);
            (round, before) = (round + 1, 0);
        }
    }
    assert!(grew > UPLOAD_KILLS / 10, "it was always killed before it had begun");
    let bucket = folder.path().join(format!("bucket{round}"));
    let ended = deployment
        .led_by(program!(["upload-media", "img", bucket.to_str().unwrap(), "--json"]))
        .run()
        .await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["verified"]["files"], FILES);
    assert_eq!(whole(&data, &bucket), FILES);
    let left = fs::read_dir(bucket.join("0"))
        .unwrap()
        .filter(|it| it.as_ref().unwrap().file_name().to_str().unwrap().starts_with('.'));
    assert_eq!(left.count(), 0, "something was left beside");
}

#[tokio::test]
async fn a_rewriting_that_is_killed_goes_on_and_all_of_it_can_be_brought_back() {
    let mut dice = Dice::cast();
    let folder = tempfile::tempdir().unwrap();
    let (deployment, collection) = plant(folder.path(), SAMPLES).await;
    let old = paths(&deployment, &collection).await;
    let from = folder.path().to_str().unwrap();
    let rewriting = || {
        program!(["rewrite-paths", "img", "--from", from, "--to", "s3://bucket/x", "--check", "0"])
    };
    let (mut in_part, mut moved) = (0, 0);
    for _ in 0..REWRITE_KILLS {
        let running = deployment.led_by(rewriting()).spawn();
        let enough = moved + dice.within(0..2_500);
        let samples = deployment.collection(&collection);
        let moment = async {
            let new = || doc! { "filepath": { "$gte": "s3:", "$lt": "s3;" } };
            while samples.count_documents(new()).await.unwrap() < enough.min(SAMPLES as u64) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        running.killed_at(moment).await;
        let now = paths(&deployment, &collection).await;
        moved = now.iter().filter(|(id, path)| old[id] != **path).count() as u64;
        in_part += u32::from(moved > 0 && moved < SAMPLES as u64);
        for (id, path) in &now {
            let new = old[id].replace(from, "s3://bucket/x");
            assert!(*path == old[id] || *path == new, "{path} is neither");
        }
    }
    assert!(in_part > 0, "it was never killed in the middle");
    deployment.led_by(rewriting()).run().await.exits_with(0);
    let now = paths(&deployment, &collection).await;
    assert!(now.values().all(|it| it.starts_with("s3://bucket/x/")));
    let listed =
        deployment.led_by(program!(["rewrite-paths", "img", "--list-undo", "--json"])).run().await;
    for it in listed.json()["rewritings"].as_array().unwrap() {
        let undo = program!(["rewrite-paths", "img", "--undo", it["id"].as_str().unwrap()]);
        let ended = deployment.led_by(undo).run().await;
        // One that was killed before its first path has changed none.
        if !ended.stderr.contains("has changed no paths") {
            ended.exits_with(0);
        }
    }
    assert!(paths(&deployment, &collection).await == old, "not all was brought back");
}
