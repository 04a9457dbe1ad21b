//! `import` and `export`: a dataset goes out of one database and into another, whole or not at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, time::Duration};

use bson::{Bson, Document, doc};
use tempfile::TempDir;
use tests::{
    Deployment, Ended, NEWEST, Program, image_dataset, image_samples, program, to, video_dataset,
    video_frames, video_samples,
};

/// Images and videos at 0.18.0.
async fn old() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let (images, videos) = (image_dataset("img"), video_dataset("vid"));
    let name = |it: &Document, key: &str| it.get_str(key).unwrap().to_owned();
    let samples: Vec<Document> = video_samples(3).collect();
    let frames = video_frames(&samples, 4);
    deployment.plant(&name(&images, "sample_collection_name"), image_samples(10)).await;
    deployment.plant(&name(&videos, "sample_collection_name"), samples).await;
    deployment.plant(&name(&videos, "frame_collection_name"), frames).await;
    deployment.plant("datasets", [images, videos]).await;
    deployment
}

fn exporting(name: &str, folder: &Path) -> Program {
    program!(["export", name, folder.to_str().unwrap()])
}

fn importing(folder: &Path, name: &str) -> Program {
    program!(["import", folder.to_str().unwrap(), "--name", name])
}

/// The documents of a collection of a dataset, as far as they do not say of which.
async fn content(deployment: &Deployment, dataset: &str, key: &str) -> Vec<Document> {
    let dataset = deployment.dataset(dataset).await;
    let mut all = deployment.all(dataset.get_str(key).unwrap()).await;
    for it in &mut all {
        // One of old samples is given its dataset when it is imported.
        it.remove("_dataset_id");
        // The time at which it was migrated.
        it.remove("last_modified_at");
    }
    all.sort_by_key(|it| it.get_object_id("_id").unwrap());
    all
}

/// An export of one sample whose path is this.
fn folder(version: &str, samples: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let metadata = format!(
        r#"{{"name": "small", "slug": "small", "version": "{version}", "media_type": "image", "sample_collection_name": "samples.x",
            "sample_fields": [], "frame_fields": [], "tags": [], "app_config": {{}}}}"#
    );
    fs::write(folder.path().join("metadata.json"), metadata).unwrap();
    fs::write(folder.path().join("samples.json"), format!("{{\"samples\": [{samples}]}}")).unwrap();
    folder
}

/// Insists that it was refused, for a reason that has this in it.
fn refused(ended: &Ended, part: &str) {
    ended.exits_with(1);
    assert!(ended.stderr.contains(part), "no `{part}` in: {}", ended.stderr);
}

const SAMPLE: &str = r#"{"_id": {"$oid": "6b02aa9ce13547af4387f1a1"}, "filepath": "a/0.png", "tags": [], "value": NaN}"#;

const TAG: &str = r#"{"sample_id": "6b02aa9ce13547af4387f1a1", "index_type": 2, "start": 0, "end": 5000000000, "tag": "rain",
    "anchor": "lidar", "created_by": "ada", "last_modified_by": "eve", "created_at": "2024-05-06T07:08:09.120000",
    "last_modified_at": "2024-05-06T07:08:10", "kind": "temporal"}"#;

#[tokio::test]
async fn temporal_tags_come_along_once_each_and_go_out_as_they_came() {
    let deployment = old().await;
    deployment.migrate(to(NEWEST)).await;
    let folder = folder(NEWEST, SAMPLE);
    fs::write(folder.path().join("tags.json"), format!("{{\"tags\": [{TAG}, {TAG}]}}")).unwrap();
    deployment.led_by(importing(folder.path(), "tagged")).run().await.exits_with(0);
    let tags = deployment.all("tags").await;
    assert_eq!(tags.len(), 1, "{tags:?}");
    let dataset = deployment.dataset("tagged").await;
    assert_eq!(tags[0].get("_dataset_id"), dataset.get("_id"));
    let out = tempfile::tempdir().unwrap();
    deployment.seen_by(exporting("tagged", out.path())).run().await.exits_with(0);
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path.join("tags.json")).unwrap()).unwrap()
    };
    assert_eq!(read(out.path())["tags"][0], read(folder.path())["tags"][0]);
    // What fails leaves none of them.
    fs::write(folder.path().join("samples.json"), format!("{{\"samples\": [{SAMPLE}, {SAMPLE}]}}"))
        .unwrap();
    deployment.led_by(importing(folder.path(), "twice")).run().await.exits_with(1);
    assert_eq!(deployment.all("tags").await.len(), 1);
}

#[tokio::test]
async fn an_export_that_was_cut_off_is_told_from_a_folder_with_something_else() {
    let deployment = old().await;
    for (name, part) in [
        ("samples.json.partial", "holds an export that was cut off: remove it"),
        ("notes.txt", "is not empty, and an export does not mix"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "x").unwrap();
        refused(&deployment.seen_by(exporting("img", folder.path())).run().await, part);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "it was written into");
    }
}

#[tokio::test]
async fn what_was_exported_at_an_old_version_is_imported_as_if_it_had_been_migrated() {
    let deployment = old().await;
    let folders = tempfile::tempdir().unwrap();
    for name in ["img", "vid"] {
        let folder = folders.path().join(name);
        let before = deployment.dump().await;
        let ended = deployment.seen_by(exporting(name, &folder)).run().await;
        ended.exits_with(0);
        assert!(deployment.dump().await == before, "exporting has changed something");
    }
    deployment.migrate(to(NEWEST)).await;
    for (name, keys) in [
        ("img", &["sample_collection_name"][..]),
        ("vid", &["sample_collection_name", "frame_collection_name"]),
    ] {
        let copy = format!("{name} again");
        let folder = folders.path().join(name);
        deployment.led_by(importing(&folder, &copy)).run().await.exits_with(0);
        for key in keys {
            let (found, expected) =
                (content(&deployment, &copy, key).await, content(&deployment, name, key).await);
            assert!(!found.is_empty());
            assert_eq!(found, expected, "{name} {key}");
        }
    }
    deployment.assert_newest().await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_with_a_sentence_and_nothing_is_written() {
    let deployment = old().await;
    deployment.migrate(to(NEWEST)).await;
    let before = deployment.dump().await;
    let empty = tempfile::tempdir().unwrap();
    let escaping = SAMPLE.replace("a/0.png", "../../etc/0.png");
    let twice = format!("{SAMPLE},{SAMPLE}");
    let broken = SAMPLE.replace("6b02aa9ce13547af4387f1a1", "6b02");
    let strayed = folder(NEWEST, SAMPLE);
    let tag = TAG.replace("4387f1a1", "4387f1a2");
    fs::write(strayed.path().join("tags.json"), format!("{{\"tags\": [{tag}]}}")).unwrap();
    let cases: [(TempDir, &str, &str); 8] = [
        (empty, "x", "it has no `metadata.json`"),
        (folder("2.0.0", SAMPLE), "x", "use a newer fiftyone-migrate"),
        (folder("later", SAMPLE), "x", "is not a version"),
        (folder(NEWEST, SAMPLE), "IMG", "such as `IMG-2`"),
        (folder(NEWEST, &escaping), "x", "the path `../../etc/0.png` leaves the export"),
        (folder(NEWEST, &twice), "x", "two documents with one id"),
        (folder(NEWEST, &broken), "x", "samples.json, byte 13: `$oid` is not what it should be"),
        (strayed, "x", "1 sample with temporal tags is not in the export"),
    ];
    for (folder, name, sentence) in cases {
        let ended = deployment.led_by(importing(folder.path(), name)).run().await;
        refused(&ended, sentence);
        assert!(deployment.dump().await == before, "{sentence}: something was written");
    }
    let good = folder(NEWEST, SAMPLE);
    let ended = deployment.seen_by(importing(good.path(), "x")).run().await;
    refused(&ended, "FIFTYONE_DATABASE_ADMIN=true");
    let dry = program!(["import", good.path().to_str().unwrap(), "--dry-run", "--json"]);
    let ended = deployment.seen_by(dry).run().await.with(0);
    assert_eq!(ended.json()["report"]["media"]["missing"], 1, "{:#}", ended.json());
    assert!(deployment.dump().await == before, "looking has changed something");
    deployment.led_by(importing(good.path(), "x")).run().await.exits_with(0);
    let [sample] = content(&deployment, "x", "sample_collection_name").await.try_into().unwrap();
    let path = fs::canonicalize(good.path()).unwrap().join("a/0.png");
    assert_eq!(sample.get_str("filepath").unwrap(), path.to_str().unwrap());
    assert!(sample.get_f64("value").unwrap().is_nan());
    let ended = deployment.seen_by(exporting("x", good.path())).run().await;
    refused(&ended, "is not empty");
}

#[tokio::test]
async fn an_archive_is_unpacked_where_its_media_can_stay_and_nowhere_if_it_is_not_imported() {
    let deployment = Deployment::at(NEWEST).await;
    let good = folder(NEWEST, SAMPLE);
    let root = tempfile::tempdir().unwrap();
    let (archive, out) = (root.path().join("small.tar.gz"), root.path().join("out"));
    let mut packed = std::process::Command::new("tar");
    packed.arg("-czf").arg(&archive).arg("-C").arg(good.path()).arg(".");
    assert!(packed.status().unwrap().success());
    let importing = |more: &[&str]| {
        let mut words = vec!["import", archive.to_str().unwrap()];
        words.extend(more);
        deployment.led_by(program!(words))
    };
    refused(&importing(&[]).run().await, "`--unpack-to`");
    let to = ["--unpack-to", out.to_str().unwrap()];
    importing(&[&to[..], &["--dry-run"]].concat()).run().await.exits_with(0);
    assert!(!out.exists());
    importing(&to).run().await.exits_with(0);
    let [sample] =
        content(&deployment, "small", "sample_collection_name").await.try_into().unwrap();
    assert!(sample.get_str("filepath").unwrap().ends_with("/out/a/0.png"));
    refused(&importing(&to).run().await, "cannot be written");
    let again = root.path().join("again");
    refused(&importing(&["--unpack-to", again.to_str().unwrap()]).run().await, "such as `small-2`");
    assert!(out.exists() && !again.exists());
}

#[tokio::test]
async fn an_import_that_was_killed_shows_nothing_and_the_next_one_removes_what_it_left() {
    let deployment = old().await;
    deployment.migrate(to(NEWEST)).await;
    let before = deployment.dump().await;
    let samples: Vec<String> = (0..30_000)
        .map(|it| {
            format!(r#"{{"_id": {{"$oid": "{it:024x}"}}, "filepath": "/{it}.png", "tags": []}}"#)
        })
        .collect();
    let large = folder(NEWEST, &samples.join(","));
    let running = deployment.led_by(importing(large.path(), "large")).spawn();
    let begun = async {
        let is_new = |(name, all): (&String, &Vec<Document>)| {
            name.starts_with("samples.") && !before.contains_key(name) && !all.is_empty()
        };
        while !deployment.dump().await.iter().any(is_new) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    running.killed_at(begun).await;
    let datasets = deployment.collection("datasets");
    assert_eq!(
        datasets.count_documents(doc! { "name": "large" }).await.unwrap(),
        0,
        "half of it can be seen"
    );
    assert!(deployment.dump().await != before, "it was killed too early or too late");
    let good = folder(NEWEST, SAMPLE);
    deployment.led_by(importing(good.path(), "x")).run().await.exits_with(0);
    let mut after = deployment.dump().await;
    let x = deployment.dataset("x").await;
    after.remove(x.get_str("sample_collection_name").unwrap());
    let names = |it: &tests::Dump| it.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "something is left");
    let imports = deployment.jobs().collection::<Document>("imports");
    let ended =
        imports.distinct("outcome", doc! { "database": deployment.database.name() }).await.unwrap();
    assert_eq!(ended, [Bson::from("imported"), "was cut off, and removed".into()]);
}
