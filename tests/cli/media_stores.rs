//! `upload-media` to servers that speak as object stores do: whole, resumed, over bad connections, and refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, time::Duration};

use bson::{Bson, Document, doc, oid::ObjectId};
use tempfile::TempDir;
use tests::{
    Deployment, Dice, Ended, NEWEST, Program, image_dataset, program, ready,
    stores::{BadWay, Kind, NoList, ObjectStore},
};

/// A dataset of small files and a large one.
struct Media {
    deployment: Deployment,
    folder: TempDir,
    collection: String,
}

const SMALL: usize = 120;

impl Media {
    async fn new(dice: &mut Dice, large: usize) -> Self {
        let deployment = Deployment::at(NEWEST).await;
        let folder = tempfile::tempdir().unwrap();
        let mut dataset = image_dataset("img");
        dataset.insert("version", NEWEST);
        let field = doc! { "name": "filepath", "db_field": "filepath", "ftype": "fiftyone.core.fields.StringField", "fields": [] };
        dataset.insert("sample_fields", vec![Bson::from(field)]);
        let collection = dataset.get_str("sample_collection_name").unwrap().to_owned();
        let mut sizes = vec![500; SMALL];
        sizes.push(large);
        let mut samples: Vec<Document> = Vec::new();
        for (index, size) in sizes.into_iter().enumerate() {
            // Names that have to be written in another way in an address.
            let path = folder.path().join(format!("a b/{}/ü%{index}+.png", index % 3));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut content = vec![0; size];
            for piece in content.chunks_mut(8) {
                let roll = dice.roll().to_le_bytes();
                piece.copy_from_slice(&roll[..piece.len()]);
            }
            fs::write(&path, content).unwrap();
            samples.push(doc! { "_id": ObjectId::new(), "filepath": path.to_str().unwrap() });
        }
        deployment.plant(&collection, samples).await;
        deployment.plant("datasets", [dataset]).await;
        Self { deployment, folder, collection }
    }

    fn large_path(&self) -> String {
        let path = self.folder.path().join(format!("a b/{}/ü%{SMALL}+.png", SMALL % 3));
        path.to_str().unwrap().to_owned()
    }

    fn large(&self) -> Vec<u8> {
        fs::read(self.large_path()).unwrap()
    }

    fn program(&self, program: Program, env: &[(&'static str, String)]) -> Program {
        let program = self.deployment.led_by(program);
        env.iter().fold(program, |it, (name, value)| it.env(name, value))
    }

    async fn run(&self, program: Program, env: &[(&'static str, String)]) -> Ended {
        self.program(program, env).run().await
    }

    async fn paths(&self) -> Vec<String> {
        let all = self.deployment.all(&self.collection).await;
        all.iter().map(|it| it.get_str("filepath").unwrap().to_owned()).collect()
    }
}

/// The path of the large file in an address.
fn in_address() -> String {
    format!("/bucket/x/{}/%C3%BC%25{SMALL}%2B.png", SMALL % 3)
}

async fn goes_there(kind: Kind) {
    let mut dice = Dice::cast();
    let store = ObjectStore::start(kind).await;
    let media = Media::new(&mut dice, 20 << 20).await;
    let (env, to) = (store.env(None), store.destination());
    media.run(program!(["test-destination", to]), &env).await.exits_with(0);
    let ended = media.run(program!(["upload-media", "img", to, "--json"]), &env).await;
    ended.exits_with(0);
    assert_eq!(ended.json()["report"]["verified"]["files"], SMALL + 1);
    media
        .run(program!(["upload-media", "img", to, "--verify", "--read-back"]), &env)
        .await
        .exits_with(0);
    media
        .run(program!(["rewrite-paths", "img", "--uploaded", to, "--dry-run"]), &env)
        .await
        .exits_with(0);
    media.run(program!(["rewrite-paths", "img", "--uploaded", to]), &env).await.exits_with(0);
    for path in media.paths().await {
        assert!(path.contains("/bucket/x/") && !path.starts_with('/'), "{path}");
    }
    media.run(program!(["clean-up", "img", to]), &env).await.exits_with(0);
    assert!(!Path::new(&media.folder.path().join("a b/0")).exists());
}

#[tokio::test]
async fn media_go_to_a_bucket_of_s3() {
    goes_there(Kind::S3).await;
}

#[tokio::test]
async fn media_go_to_a_container_of_azure() {
    goes_there(Kind::Azure).await;
}

#[tokio::test]
async fn an_upload_in_parts_that_was_killed_goes_on_with_what_the_store_has() {
    let mut dice = Dice::cast();
    let store = ObjectStore::start(Kind::S3).await;
    let media = Media::new(&mut dice, 60 << 20).await;
    let (env, to) = (store.env(None), store.destination());
    let slow = program!(["upload-media", "img", to, "--bandwidth", "16", "--side-by-side", "2"]);
    let running = media.program(slow, &env).spawn();
    let files = media.deployment.jobs().collection::<Document>("upload_files");
    // Others upload in parts as well: theirs is the same database of records.
    let source = media.large_path();
    let begun = async {
        let some = doc! { "source": &source, "parts.accepted.1": { "$exists": true } };
        ready::wait_for("two parts", || async {
            let count = files.count_documents(some.clone()).await.map_err(|it| it.to_string())?;
            if count > 0 { Ok(()) } else { Err("none yet".to_owned()) }
        })
        .await
        .unwrap();
    };
    running.killed_at(begun).await;
    let kept = files.find_one(doc! { "source": &source }).await.unwrap().unwrap();
    let parts = kept.get_document("parts").unwrap();
    let id = parts.get_str("id").unwrap().to_owned();
    let (head, _) = store.asked("GET", &in_address());
    assert!(head.contains(" 404 "), "half of it can be seen: {head}");
    media.run(program!(["upload-media", "img", to]), &env).await.exits_with(0);
    let (head, body) = store.asked("GET", &in_address());
    assert!(head.contains(" 200 "), "{head}");
    assert!(body == media.large(), "it has arrived as something else");
    let (_, open) = store.asked("GET", "/bucket?uploads");
    let open = String::from_utf8(open).unwrap();
    assert!(!open.contains("<UploadId>") && !open.contains(&id), "an upload was left open: {open}");
}

#[tokio::test]
async fn a_store_that_answers_500_and_503_and_cuts_connections_gets_everything_in_the_end() {
    let mut dice = Dice::cast();
    let store = ObjectStore::start(Kind::S3).await;
    let media = Media::new(&mut dice, 20 << 20).await;
    let way = BadWay::to(store.address(), dice).await;
    let (env, to) = (store.env(Some(way.port)), store.destination());
    let mut ended = media.run(program!(["upload-media", "img", to, "--json"]), &env).await;
    for _ in 0..5 {
        if ended.json()["report"]["verified"]["files"] == SMALL + 1 {
            break;
        }
        ended = media.run(program!(["upload-media", "img", to, "--json"]), &env).await;
    }
    ended.exits_with(0);
    assert!(way.faults() > 20, "the way was too good: {}", way.faults());
    let (_, body) = store.asked("GET", &in_address());
    assert!(body == media.large(), "it has arrived as something else");
}

#[tokio::test]
async fn where_nobody_may_list_each_file_is_asked_for() {
    let mut dice = Dice::cast();
    let store = ObjectStore::start(Kind::S3).await;
    let media = Media::new(&mut dice, 1_000).await;
    let way = NoList::to(store.address()).await;
    let (env, to) = (store.env(Some(way.port)), store.destination());
    for _ in 0..2 {
        let ended = media.run(program!(["upload-media", "img", to, "--json"]), &env).await;
        ended.exits_with(0);
        assert_eq!(ended.json()["report"]["verified"]["files"], SMALL + 1);
    }
    media.run(program!(["upload-media", "img", to, "--verify"]), &env).await.exits_with(0);
    assert!(way.refused() > 0, "nobody has asked for a list");
    let ended = media.run(program!(["test-destination", to]), &env).await;
    assert!(ended.stderr.contains("list: "), "{}", ended.stderr);
}

#[tokio::test]
async fn a_file_that_is_changed_while_it_is_sent_is_sent_anew() {
    let mut dice = Dice::cast();
    let store = ObjectStore::start(Kind::S3).await;
    let media = Media::new(&mut dice, 40 << 20).await;
    let (env, to) = (store.env(None), store.destination());
    let slow = program!(["upload-media", "img", to, "--bandwidth", "8"]);
    let running = media.program(slow, &env).spawn();
    let files = media.deployment.jobs().collection::<Document>("upload_files");
    let begun = doc! { "source": media.large_path(), "parts.accepted.0": { "$exists": true } };
    ready::wait_for("a part", || async {
        let count = files.count_documents(begun.clone()).await.map_err(|it| it.to_string())?;
        if count > 0 { Ok(()) } else { Err("none yet".to_owned()) }
    })
    .await
    .unwrap();
    let mut content = media.large();
    content.reverse();
    fs::write(media.large_path(), &content).unwrap();
    // It is sent anew, as it is now: nobody ever sees half of one and half of the other.
    running.ended().await.exits_with(0);
    let (_, body) = store.asked("GET", &in_address());
    assert!(body == content, "it has arrived as something else");
    let (_, open) = store.asked("GET", "/bucket?uploads");
    let open = String::from_utf8(open).unwrap();
    assert!(!open.contains("<UploadId>"), "an upload was left open: {open}");
}

#[tokio::test]
async fn what_a_store_refuses_is_told_in_a_sentence_without_a_secret() {
    let mut dice = Dice::cast();
    let media = Media::new(&mut dice, 10).await;
    let azure = ObjectStore::start(Kind::Azure).await;
    let upload = |to: &str| program!(["upload-media", "img", to]);
    let ended = media.run(upload(azure.destination()), &azure.wrong_env()).await;
    ended.exits_with(1);
    // Azurite says of a wrong key what Azure says of one that may not do this.
    assert!(ended.stderr.contains("the store does not allow it"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("AAAAvdM02xNO"), "{}", ended.stderr);
    let s3 = ObjectStore::start(Kind::S3).await;
    let ended = media.run(upload("s3://nobody/x"), &s3.env(None)).await;
    ended.exits_with(1);
    assert!(ended.stderr.contains("there is no such bucket"), "{}", ended.stderr);
    let closed = s3.env(Some(1));
    let ended = tokio::time::timeout(
        Duration::from_mins(2),
        media.run(program!(["test-destination", "s3://bucket/x"]), &closed),
    );
    let ended = ended.await.unwrap();
    ended.exits_with(1);
    assert!(ended.stderr.contains("cannot be reached"), "{}", ended.stderr);
}
