//! `upload-media`, `rewrite-paths` and `clean-up`: media go elsewhere, the paths follow, and nothing is lost on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use bson::{Bson, Document, doc, oid::ObjectId};
use serde_json::json;
use tempfile::TempDir;
use tests::{Deployment, Ended, NEWEST, Program, image_dataset, program};

/// A dataset whose media are files of this system: images in two folders with the same names, masks, a scene with what it refers to.
struct Media {
    deployment: Deployment,
    folder: TempDir,
    collection: String,
}

impl Media {
    async fn new() -> Self {
        let deployment = Deployment::at(NEWEST).await;
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = image_dataset("img");
        dataset.insert("version", NEWEST);
        let labels = "fiftyone.core.labels.Detections";
        let field = |name: &str, kind: &str, embedded: Bson| -> Bson {
            doc! { "name": name, "db_field": name, "ftype": kind, "embedded_doc_type": embedded, "fields": [] }.into()
        };
        let embedded = "fiftyone.core.fields.EmbeddedDocumentField";
        dataset.insert(
            "sample_fields",
            vec![
                field("filepath", "fiftyone.core.fields.StringField", Bson::Null),
                field("gt", embedded, labels.into()),
            ],
        );
        let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
        let it = Self { deployment, folder, collection };
        let mut samples = Vec::new();
        for (place, content) in [("a/0.png", "one"), ("b/0.png", "two"), ("a/1.png", "three")] {
            let mask = it.file(&format!("masks/{}", place.replace('/', "-")), content);
            let path = it.file(place, content);
            samples.push(Self::sample(
                &path,
                doc! { "detections": [{ "label": "x" }, { "mask_path": mask }] },
            ));
        }
        it.file("3d/points/p.pcd", "points");
        let scene = json!({ "_type": "Scene", "children": [{ "_type": "PointCloud", "pcdPath": "points/p.pcd", "children": [] }] });
        let scene = it.file("3d/s.fo3d", &scene.to_string());
        samples.push(Self::sample(&scene, doc! {}));
        samples.push(Self::sample("s3://elsewhere/x.png", doc! {}));
        it.deployment.plant(&it.collection, samples).await;
        it.deployment.plant("datasets", [dataset]).await;
        it
    }

    fn sample(path: &str, gt: Document) -> Document {
        let then = bson::DateTime::from_millis(1_000);
        doc! { "_id": ObjectId::new(), "filepath": path, "gt": gt, "last_modified_at": then }
    }

    fn file(&self, place: &str, content: &str) -> String {
        let path = self.folder.path().join("data").join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn destination(&self) -> PathBuf {
        self.folder.path().join("bucket")
    }

    fn to(&self) -> String {
        self.destination().to_str().unwrap().to_owned()
    }

    async fn run(&self, program: Program) -> Ended {
        self.deployment.led_by(program).run().await
    }

    async fn upload(&self, flags: &[&str]) -> Ended {
        let to = self.to();
        let mut words = vec!["upload-media", "img", &to];
        words.extend(flags);
        self.run(program!(words)).await
    }

    async fn rewrite(&self, flags: &[&str]) -> Ended {
        let mut words = vec!["rewrite-paths", "img"];
        words.extend(flags);
        self.run(program!(words)).await
    }

    async fn clean_up(&self, flags: &[&str]) -> Ended {
        let to = self.to();
        let mut words = vec!["clean-up", "img", &to];
        words.extend(flags);
        self.run(program!(words)).await
    }

    /// Every path of samples, in the order of their ids.
    async fn paths(&self) -> Vec<String> {
        let mut all = self.deployment.all(&self.collection).await;
        all.sort_by_key(|it| it.get_object_id("_id").unwrap());
        let mut paths = Vec::new();
        for it in all {
            paths.push(it.get_str("filepath").unwrap().to_owned());
            let list = it.get_document("gt").unwrap().get_array("detections");
            for label in list.into_iter().flatten() {
                let path = label.as_document().unwrap().get_str("mask_path");
                paths.extend(path.ok().map(str::to_owned));
            }
        }
        paths
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(it) = open.pop() {
        for entry in fs::read_dir(it).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

const PLACES: [&str; 8] = [
    "3d/points/p.pcd",
    "3d/s.fo3d",
    "a/0.png",
    "a/1.png",
    "b/0.png",
    "masks/a-0.png",
    "masks/a-1.png",
    "masks/b-0.png",
];

#[tokio::test]
async fn media_are_uploaded_verified_and_rewritten_and_what_is_left_is_removed() {
    let media = Media::new().await;
    let before = media.deployment.dump().await;
    let ended = media.upload(&["--dry-run", "--json"]).await;
    ended.exits_with(0);
    let survey = &ended.json()["survey"];
    assert_eq!(
        (&survey["files"], &survey["fields"][0]["in_the_cloud"]),
        (&json!(8), &json!(1)),
        "{survey}"
    );
    assert!(!media.destination().exists(), "a dry run has written something");

    media.clean_up(&[]).await.exits_with(1);
    let manifest = media.folder.path().join("manifest.csv");
    let ended = media.upload(&["--json", "--manifest", manifest.to_str().unwrap()]).await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["verified"]["files"], 8);
    assert_eq!(files(&media.destination()), PLACES);
    let rows = fs::read_to_string(&manifest).unwrap();
    assert_eq!(rows.lines().count(), 9);
    assert!(rows.lines().skip(1).all(|it| it.contains(",verified,")), "{rows}");
    assert!(media.deployment.dump().await == before, "uploading has changed the dataset");

    let ended = media.clean_up(&[]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("still lead to these files"), "{}", ended.stderr);

    let (old, to) = (media.paths().await, media.to());
    let ended = media.rewrite(&["--uploaded", &to, "--dry-run", "--json"]).await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["fields"][0]["rewritten"], 4);
    assert!(media.deployment.dump().await == before, "a dry run has changed the dataset");
    let ended = media.rewrite(&["--uploaded", &to, "--json"]).await;
    ended.exits_with(0);
    let id = ended.json()["report"]["id"].as_str().unwrap().to_owned();
    let data = media.folder.path().join("data");
    let expected: Vec<String> =
        old.iter().map(|it| it.replace(data.to_str().unwrap(), &to)).collect();
    assert_eq!(media.paths().await, expected);
    let dates = media.deployment.all(&media.collection).await;
    let changed = dates
        .iter()
        .filter(|it| it.get_datetime("last_modified_at").unwrap().timestamp_millis() > 1_000);
    assert_eq!(changed.count(), 4, "the date of the last change is not that of what was changed");

    media.rewrite(&["--undo", &id]).await.exits_with(0);
    assert_eq!(media.paths().await, old);
    media.rewrite(&["--uploaded", &to]).await.exits_with(0);

    let ended = media.clean_up(&["--dry-run", "--json"]).await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["files"], 8);
    assert_eq!(files(&data), PLACES);
    media.clean_up(&[]).await.exits_with(0);
    assert_eq!(
        (files(&data), files(&media.destination())),
        (vec![], PLACES.map(str::to_owned).into())
    );
    media.upload(&["--verify"]).await.exits_with(0);
}

#[tokio::test]
async fn a_collision_is_found_before_the_first_byte_and_resolved_as_asked() {
    let media = Media::new().await;
    let ended = media.upload(&["--layout", "flat"]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("--on-collision"), "{}", ended.stderr);
    assert!(!media.destination().exists());
    media.upload(&["--layout", "flat", "--on-collision", "suffix"]).await.exits_with(0);
    let found = files(&media.destination());
    assert_eq!(found.len(), 8);
    assert!(
        found.contains(&"1.png".to_owned()) && !found.contains(&"0.png".to_owned()),
        "{found:?}"
    );
    let scene = fs::read_to_string(media.destination().join("s.fo3d")).unwrap();
    assert!(
        scene.contains(&format!("{}/p.pcd", media.to())),
        "the scene has lost its points: {scene}"
    );
    media.rewrite(&["--uploaded", &media.to()]).await.exits_with(0);
    for path in media.paths().await.iter().filter(|it| !it.starts_with("s3:")) {
        assert!(path.starts_with(&media.to()) && Path::new(path).is_file(), "{path}");
    }
}

#[tokio::test]
async fn what_is_missing_or_in_the_way_is_told_and_the_rest_is_uploaded() {
    let media = Media::new().await;
    fs::remove_file(media.folder.path().join("data/a/1.png")).unwrap();
    fs::create_dir_all(media.destination().join("b")).unwrap();
    fs::write(media.destination().join("b/0.png"), "2nd").unwrap();
    let ended = media.upload(&["--json"]).await;
    ended.exits_with(3);
    let report = &ended.json()["report"];
    let causes: Vec<&str> = report["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["cause"].as_str().unwrap())
        .collect();
    assert_eq!(
        (causes, &report["verified"]["files"]),
        (vec!["missing", "occupied"], &json!(6)),
        "{report}"
    );
    assert_eq!(fs::read_to_string(media.destination().join("b/0.png")).unwrap(), "2nd");

    // Only what was verified is rewritten, and nothing is removed before all is.
    media.rewrite(&["--uploaded", &media.to()]).await.exits_with(0);
    let kept = media.paths().await.into_iter().filter(|it| it.contains("/data/"));
    assert_eq!(kept.count(), 2);
    media.clean_up(&[]).await.exits_with(1);

    media.file("a/1.png", "again");
    media.upload(&["--only", "missing"]).await.exits_with(3);
    media.upload(&["--overwrite"]).await.exits_with(0);
    assert_eq!(fs::read_to_string(media.destination().join("b/0.png")).unwrap(), "two");
}

#[tokio::test]
async fn a_file_that_was_changed_is_uploaded_again_and_not_removed() {
    let media = Media::new().await;
    media.upload(&[]).await.exits_with(0);
    media.rewrite(&["--uploaded", &media.to()]).await.exits_with(0);
    let changed = media.file("a/1.png", "quite another");
    let ended = media.clean_up(&["--json"]).await;
    ended.exits_with(3);
    assert_eq!(ended.json()["report"]["changed"], 1);
    assert!(Path::new(&changed).is_file());
    fs::write(media.destination().join("a/0.png"), "ONE").unwrap();
    let ended = media.upload(&["--verify", "--json"]).await;
    ended.exits_with(3);
    assert_eq!(ended.json()["report"]["causes"][0]["cause"], "mismatch");
}

#[tokio::test]
async fn what_nobody_can_look_at_is_neither_said_to_be_there_nor_removed() {
    let media = Media::new().await;
    media.upload(&[]).await.exits_with(0);
    media.rewrite(&["--uploaded", &media.to()]).await.exits_with(0);
    let (place, aside) = (media.destination(), media.folder.path().join("aside"));
    fs::rename(&place, &aside).unwrap();
    // Whoever follows it goes round in circles: it is there, and cannot be looked at.
    std::os::unix::fs::symlink(&place, &place).unwrap();
    let ended = media.upload(&["--verify", "--json"]).await;
    ended.exits_with(3);
    let report = &ended.json()["report"];
    assert_eq!(
        (&report["unlooked"]["files"], &report["verified"]["files"]),
        (&json!(8), &json!(8)),
        "{report}"
    );
    assert!(!ended.stdout.contains("Every file is there"), "{}", ended.stdout);
    media.clean_up(&[]).await.exits_with(1);
    fs::remove_file(&place).unwrap();
    fs::rename(&aside, &place).unwrap();

    let looped = media.folder.path().join("data/b/0.png");
    fs::remove_file(&looped).unwrap();
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    let ended = media.clean_up(&["--json"]).await;
    ended.exits_with(3);
    let report = &ended.json()["report"];
    assert_eq!((&report["files"], &report["kept"]), (&json!(7), &json!(1)), "{report}");
    let why = report["kept_examples"][0].as_str().unwrap();
    assert!(why.contains("b/0.png"), "{why}");
    media.upload(&["--verify"]).await.exits_with(0);
}

#[tokio::test]
async fn a_file_that_is_there_and_cannot_be_read_is_not_said_to_be_missing() {
    let media = Media::new().await;
    let looped = media.folder.path().join("data/b/0.png");
    fs::remove_file(&looped).unwrap();
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    let ended = media.upload(&["--dry-run", "--json", "--field", "filepath"]).await;
    let field = &ended.json()["survey"]["fields"][0];
    assert_eq!((&field["unreadable"], &field["missing"]), (&json!(1), &json!(0)), "{field}");
    media.upload(&["--field", "filepath"]).await.exits_with(3);
    let uploads = media.deployment.jobs().collection::<Document>("uploads");
    let ours = doc! { "database": media.deployment.database.name() };
    let record = uploads.find_one(ours).await.unwrap().unwrap();
    let question = record.get_document("question").unwrap();
    assert_eq!(
        question.get_str("fields").unwrap(),
        "filepath",
        "a page would go on with every field"
    );
}

#[tokio::test]
async fn paths_are_rewritten_by_a_rule_once_something_is_seen_to_be_there() {
    let media = Media::new().await;
    let (data, elsewhere) = (media.folder.path().join("data"), media.folder.path().join("moved"));
    let (from, to) = (data.to_str().unwrap(), elsewhere.to_str().unwrap());
    let ended = media.rewrite(&["--from", from, "--to", to]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("there is nothing at"), "{}", ended.stderr);
    fs::rename(&data, &elsewhere).unwrap();
    media.rewrite(&["--from", from, "--to", to, "--field", "filepath"]).await.exits_with(0);
    let paths = media.paths().await;
    assert_eq!(paths.iter().filter(|it| it.starts_with(to)).count(), 4);
    assert_eq!(paths.iter().filter(|it| it.starts_with(from)).count(), 3);

    let list = media.folder.path().join("list.csv");
    fs::write(&list, format!("from,to\n{to}/a/0.png,s3://b/k.png\n")).unwrap();
    media.rewrite(&["--list", list.to_str().unwrap(), "--check", "0"]).await.exits_with(0);
    assert_eq!(media.paths().await[0], "s3://b/k.png");
    let ended = media.rewrite(&["--list-undo", "--json"]).await;
    assert_eq!(ended.json()["rewritings"].as_array().unwrap().len(), 2);
    media.rewrite(&[]).await.exits_with(1);
    media.rewrite(&["--from", "/x"]).await.exits_with(2);
    media.rewrite(&["--from", "/x", "--to", "/y", "--field", "nope"]).await.exits_with(1);
}

#[tokio::test]
async fn a_destination_is_tested_and_one_that_makes_no_sense_is_told() {
    let media = Media::new().await;
    let test = |to: String| program!(["test-destination".to_owned(), to]);
    media.run(test(media.to())).await.exits_with(0);
    assert_eq!(files(&media.destination()), Vec::<String>::new());
    for wrong in ["nowhere", "ftp://x/y", "s3://", "s3://key:secret@bucket/x"] {
        let ended = media.run(test(wrong.to_owned())).await;
        ended.exits_with(1);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    // Onto themselves, and then cleaned up: that would be the end of them.
    let data = media.folder.path().join("data");
    let ended =
        media.run(program!(["upload-media", "img", data.to_str().unwrap(), "--json"])).await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["verified"]["files"], 0);
    let link = media.folder.path().join("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    let ended = media.run(program!(["upload-media", "img", link.to_str().unwrap()])).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("that file itself"), "{}", ended.stderr);
    media.run(program!(["clean-up", "img", link.to_str().unwrap()])).await.exits_with(1);
}

#[tokio::test]
async fn what_a_scene_of_another_dataset_needs_is_not_removed() {
    let media = Media::new().await;
    let scene = json!({ "_type": "Scene", "children": [{ "_type": "PointCloud", "pcdPath": "points/p.pcd", "children": [] }] });
    let scene = media.file("3d/other.fo3d", &scene.to_string());
    let mut other = image_dataset("other");
    other.insert("version", NEWEST);
    let field = doc! { "name": "filepath", "db_field": "filepath", "ftype": "fiftyone.core.fields.StringField", "fields": [] };
    other.insert("sample_fields", vec![Bson::from(field)]);
    let collection = other.get_str("sample_collection_name").unwrap().to_owned();
    media.deployment.plant(&collection, [Media::sample(&scene, doc! {})]).await;
    media.deployment.plant("datasets", [other]).await;
    media.upload(&[]).await.exits_with(0);
    media.rewrite(&["--uploaded", &media.to()]).await.exits_with(0);
    let ended = media.clean_up(&[]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("`other`") && ended.stderr.contains("p.pcd"), "{}", ended.stderr);
    assert!(media.folder.path().join("data/3d/points/p.pcd").is_file());
    // Nor what a scene may need that nobody can read.
    fs::write(&scene, "{").unwrap();
    let ended = media.clean_up(&[]).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("which files a scene of `other` needs"), "{}", ended.stderr);
}

#[tokio::test]
async fn two_datasets_do_not_go_to_one_place_at_the_same_time() {
    let media = Media::new().await;
    media.upload(&[]).await.exits_with(0);
    let uploads = media.deployment.jobs().collection::<Document>("uploads");
    let ours = doc! { "database": media.deployment.database.name() };
    let mut other = uploads.find_one(ours).await.unwrap().unwrap();
    let soon = bson::DateTime::from_millis(bson::DateTime::now().timestamp_millis() + 60_000);
    other.extend(doc! { "_id": ObjectId::new(), "dataset": ObjectId::new(), "name": "other", "expires": soon });
    uploads.insert_one(&other).await.unwrap();
    let ended = media.upload(&[]).await;
    ended.exits_with(1);
    assert!(
        ended.stderr.contains("`other`") && ended.stderr.contains("the same place"),
        "{}",
        ended.stderr
    );
    uploads.delete_one(doc! { "_id": other.get_object_id("_id").unwrap() }).await.unwrap();
    media.upload(&[]).await.exits_with(0);
}
