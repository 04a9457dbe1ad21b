//! `--info` shows what is there, at any version, and changes nothing.

use bson::{Bson, Document, doc};
use tests::{Deployment, NEWEST, image_dataset, image_samples, program};

const INFO: [&str; 1] = ["--info"];

#[tokio::test]
async fn info_prints_what_enterprise_prints() {
    let deployment = Deployment::at("0.18.0").await;
    let mut without_version = image_dataset("Without");
    without_version.remove("version");
    deployment
        .plant("datasets", [image_dataset("zebra"), without_version, image_dataset("img")])
        .await;
    let ended = deployment.seen_by(program!(INFO)).run().await.with(0);
    let expected = "\
FiftyOne Enterprise version: 2.22.1 (inferred)

FiftyOne compatibility version: 1.22.1
Other compatible versions: >=0.19,<2

Database version: 0.18.0

dataset    version
---------  ---------
Without
img        0.18.0
zebra      0.18.0
";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (expected, ""));
}

#[tokio::test]
async fn info_works_on_a_database_at_any_version() {
    for version in ["0.18.0", "1.99.0", "2.0.0", "garbage", "0.0"] {
        let deployment = Deployment::at(version).await;
        for program in [deployment.seen_by(program!(INFO)), deployment.led_by(program!(INFO))] {
            let ended = program.run().await.with(0);
            assert_eq!(ended.lines().last(), Some(&&*format!("Database version: {version}")));
        }
        assert_eq!(deployment.version().await, version);
    }
}

#[tokio::test]
async fn info_works_where_fiftyone_has_never_been() {
    let deployment = Deployment::empty().await;
    let ended = deployment.seen_by(program!(INFO)).run().await.with(0);
    assert_eq!(ended.lines().last(), Some(&"Database version: none yet"));
    assert!(deployment.dump().await.is_empty());
}

#[tokio::test]
async fn a_config_that_makes_no_sense_is_told_in_one_sentence() {
    let id = |byte| bson::oid::ObjectId::from_bytes([byte; 12]);
    let several =
        [doc! { "_id": id(1), "version": "1.0.0" }, doc! { "_id": id(2), "version": "1.1.0" }];
    let cases: [(&[Document], &str); 3] = [
        (
            &several,
            "the collection `config` of database `NAME` holds 2 documents instead of one \
             (010101010101010101010101 at 1.0.0, 020202020202020202020202 at 1.1.0), so its version is not \
             certain; `fiftyone-migrate doctor` shows them, and `doctor --repair` keeps the right one",
        ),
        (
            &[doc! { "version": "1.0.0", "type": "another" }],
            "database `NAME` is of type `another`, which this program does not know; it migrates databases \
             of type `fiftyone` and `fiftyone-teams`",
        ),
        (
            &[doc! { "version": 7 }],
            "the `config` document of database `NAME` is malformed: its version is `7`, not a text; set it \
             to the version the database is at",
        ),
    ];
    for (documents, sentence) in cases {
        let deployment = Deployment::empty().await;
        deployment.plant("config", documents.to_vec()).await;
        let before = deployment.dump().await;
        let sentence = sentence.replace("NAME", deployment.database.name());
        deployment.led_by(program!(INFO)).run().await.refused(1, &sentence);
        deployment.led_by(program!(["--all"])).run().await.refused(1, &sentence);
        assert_eq!(deployment.dump().await, before);
    }
}

#[tokio::test]
async fn info_about_named_datasets_prints_bare_versions_in_the_order_asked_for() {
    let deployment = Deployment::at("1.0.0").await;
    let mut b = image_dataset("b");
    b.insert("version", Bson::Null);
    deployment.plant("datasets", [image_dataset("a"), b]).await;
    let ended = deployment.seen_by(program!(["-i", "-n", "b", "a"])).run().await.with(0);
    assert_eq!(ended.stdout, "None\n0.18.0\n");
    let json =
        deployment.seen_by(program!(["-i", "--json", "-n", "b", "a"])).run().await.with(0).json();
    assert_eq!(json[1]["version"], "0.18.0");
    assert_eq!(json[0]["version"], serde_json::Value::Null);
}

#[tokio::test]
async fn info_about_an_unknown_dataset_names_the_nearest() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("quickstart")]).await;
    let ended = deployment.seen_by(program!(["-i", "-n", "quickstrat"])).run().await;
    ended.refused(1, "dataset `quickstrat` not found; did you mean `quickstart`?");
}

#[tokio::test]
async fn info_is_one_json_document_if_asked() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("zebra"), image_dataset("a")]).await;
    let json = deployment.seen_by(program!(["--info", "--json"])).run().await.with(0).json();
    assert_eq!(json["compatibility_version"], NEWEST);
    assert_eq!(json["database_version"], "1.0.0");
    let names: Vec<_> =
        json["datasets"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["a", "zebra"]);
}

#[tokio::test]
async fn info_wins_over_every_other_flag() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("a")]).await;
    let before = deployment.dump().await;
    let ended = deployment.led_by(program!(["-i", "--all", "-v", "0.7.0"])).run().await.with(0);
    assert!(ended.stdout.starts_with("FiftyOne Enterprise version"), "{}", ended.stdout);
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn columns_stay_straight_whatever_the_names() {
    let deployment = Deployment::at("1.0.0").await;
    let mut nameless = image_dataset("x");
    nameless.remove("name");
    nameless.insert("_id", bson::oid::ObjectId::from_bytes([9; 12]));
    let names = ["データ", "bell\u{7}\u{1b}[31m", "two\nlines"];
    deployment.plant("datasets", names.map(image_dataset).into_iter().chain([nameless])).await;
    deployment.plant("samples", image_samples(1)).await;
    let ended = deployment.seen_by(program!(INFO)).run().await.with(0);
    let expected = "\
dataset                   version
------------------------  ---------
bell\\u{7}\\u{1b}[31m       0.18.0
two\\nlines                0.18.0
データ                    0.18.0
090909090909090909090909  0.18.0
";
    assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
}
