//! Who may migrate what: FiftyOne's table of decisions, with its sentences.

use bson::Bson;
use tests::{Deployment, NEWEST, Program, image_dataset, program};

const ABOUT: &str =
    "See https://docs.voxel51.com/user_guide/config.html#database-migrations for more information";

fn cannot_connect(version: &str) -> String {
    format!(
        "Cannot connect to database v{version} with client v1.22.1 (compatibility >=0.19,<2). {ABOUT}"
    )
}

async fn deployment(version: &str, dataset: &str) -> Deployment {
    let deployment = Deployment::at(version).await;
    let mut document = image_dataset("img");
    document.insert("version", dataset);
    deployment.plant("datasets", [document]).await;
    deployment
}

#[tokio::test]
async fn an_admin_takes_an_older_database_to_this_version_and_leaves_a_compatible_newer_one() {
    for (from, to) in
        [(NEWEST, NEWEST), ("1.0.0", NEWEST), ("0.18.0", NEWEST), ("1.99.0", "1.99.0")]
    {
        let deployment = deployment(from, NEWEST).await;
        deployment.led_by(program!(["--all"])).run().await.exits_with(0);
        assert_eq!((deployment.version().await.as_str(), from), (to, from));
        assert_eq!(deployment.version_of("img").await, NEWEST.into(), "{from}");
    }
}

#[tokio::test]
async fn datasets_of_a_newer_database_go_as_far_as_this_program_knows() {
    let deployment = deployment("1.99.0", "0.18.0").await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_eq!(deployment.version().await, "1.99.0");
    assert_eq!(deployment.version_of("img").await, NEWEST.into());
}

#[tokio::test]
async fn an_incompatible_newer_database_is_refused_even_to_an_admin() {
    let deployment = deployment("2.0.0", NEWEST).await;
    let before = deployment.dump().await;
    for arguments in [&["--all"][..], &[], &["-v", "1.0.0"]] {
        deployment.led_by(program!(arguments)).run().await.refused(
            1,
            "the database is at v2.0.0, which is newer than v1.22.1, the newest version this program knows; \
             use a newer fiftyone-migrate",
        );
    }
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn a_dataset_newer_than_this_program_is_left_alone_and_named_where_it_should_move() {
    let deployment = deployment(NEWEST, "2.0.0").await;
    let ended = deployment.led_by(program!(["--all"])).run().await.with(3);
    assert!(
        ended.stderr.contains("img: dataset `img` is at v2.0.0, which is newer"),
        "{}",
        ended.stderr
    );
    let deployment = self::deployment(NEWEST, "1.99.0").await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    assert_eq!(deployment.version_of("img").await, "1.99.0".into());
}

#[tokio::test]
async fn without_the_right_nothing_compatible_moves_by_itself() {
    for version in [NEWEST, "1.0.0", "0.19.0", "1.99.0"] {
        let deployment = deployment(version, "0.21.0").await;
        let before = deployment.dump().await;
        for arguments in [&["--all"][..], &[], &["-n", "img"]] {
            let ended = deployment.seen_by(program!(arguments)).run().await.with(0);
            assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("Nothing to do\n", ""));
        }
        assert_eq!(deployment.dump().await, before);
    }
}

#[tokio::test]
async fn without_the_right_an_incompatible_database_is_refused() {
    for version in ["0.18.0", "2.0.0"] {
        let deployment = deployment(version, "0.17.0").await;
        let before = deployment.dump().await;
        for arguments in [&["--all"][..], &[], &["-n", "img"], &["--all", "--error-level", "0"]] {
            let ended = deployment.seen_by(program!(arguments)).run().await;
            ended.refused(1, &cannot_connect(version));
        }
        assert_eq!(deployment.dump().await, before);
    }
}

#[tokio::test]
async fn without_the_right_the_database_cannot_be_sent_anywhere() {
    let deployment = deployment("1.22.1", "0.21.0").await;
    let before = deployment.dump().await;
    for arguments in [&["-v", "1.0.0"][..], &["--all", "-v", "1.0.0"]] {
        let ended = deployment.seen_by(program!(arguments)).run().await;
        let why = "Cannot migrate database from v1.22.1 to v1.0.0 when database_admin=False.";
        ended.refused(1, &format!("{why} {ABOUT}"));
    }
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn without_the_right_a_dataset_goes_to_the_version_of_the_database_and_nowhere_else() {
    let deployment = deployment("1.22.1", "0.21.0").await;
    let before = deployment.dump().await;
    let ended = deployment.seen_by(program!(["-n", "img", "-v", "1.0.0"])).run().await;
    let why = "Cannot migrate dataset 'img' from v0.21.0 to v1.0.0 when database_admin=False.";
    ended.refused(1, &format!("{why} {ABOUT}"));
    assert_eq!(deployment.dump().await, before);
    deployment.seen_by(program!(["-n", "img", "-v", "1.22.1"])).run().await.exits_with(0);
    assert_eq!(deployment.version_of("img").await, "1.22.1".into());
}

#[tokio::test]
async fn without_the_right_a_dataset_that_cannot_be_read_otherwise_is_migrated() {
    let deployment = deployment("1.0.0", "0.18.0").await;
    deployment.seen_by(program!(["-n", "img"])).run().await.exits_with(0);
    assert_eq!(deployment.version_of("img").await, "1.0.0".into());
    assert_eq!(deployment.version().await, "1.0.0");
}

#[tokio::test]
async fn without_the_right_one_sees_what_an_admin_could_do() {
    let deployment = deployment("0.18.0", "0.18.0").await;
    let ended = deployment.seen_by(program!(["--all", "--dry-run"])).run().await.with(0);
    assert!(ended.stdout.contains("database: v0.18.0 -> v1.22.1\n"), "{}", ended.stdout);
    assert!(
        ended.stdout.ends_with("To do it, set `FIFTYONE_DATABASE_ADMIN=true`\n"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn a_right_that_is_neither_given_nor_denied_is_asked_about() {
    let deployment = deployment("1.0.0", "1.0.0").await;
    let said =
        |value| deployment.seen_by(program!(["--all"])).env("FIFTYONE_DATABASE_ADMIN", value).run();
    said("maybe").await.refused(
        2,
        "`FIFTYONE_DATABASE_ADMIN` is `maybe`, which is neither true nor false; use `true` or `false`",
    );
    said("").await.exits_with(0);
    assert_eq!(deployment.version().await, "1.0.0");
    said("yes").await.exits_with(0);
    assert_eq!(deployment.version().await, NEWEST);
}

#[tokio::test]
async fn the_right_can_come_from_the_configuration_file() {
    let deployment = deployment("1.0.0", "1.0.0").await;
    let json = serde_json::json!({
        "database_uri": deployment.uri, "database_name": deployment.database.name(), "database_admin": true,
        "show_progress_bars": false,
    });
    program!(["--all"]).configured(&json).run().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn disabled_migrations_are_told_and_not_taken_for_success() {
    let deployment = deployment("1.0.0", "1.0.0").await;
    let before = deployment.dump().await;
    let disabled =
        |it: Program| deployment.led_by(it).env("FIFTYONE_DISABLE_MIGRATIONS", "1").run();
    disabled(program!(["--all"])).await.refused(
        1,
        "migrations are disabled by `FIFTYONE_DISABLE_MIGRATIONS`; unset it or set it to `0` to migrate",
    );
    assert_eq!(deployment.dump().await, before);
    disabled(program!(["--info"])).await.exits_with(0);
    disabled(program!(["--all", "--dry-run"])).await.exits_with(0);
    let enabled = deployment.led_by(program!(["--all"])).env("FIFTYONE_DISABLE_MIGRATIONS", "0");
    enabled.run().await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_database_without_a_version_gets_one_from_an_admin_only() {
    let deployment = Deployment::empty().await;
    deployment.seen_by(program!(["--all"])).run().await.exits_with(0);
    assert!(deployment.dump().await.is_empty());
    deployment.led_by(program!(["--all", "-v", "1.0.0"])).run().await.exits_with(0);
    let config = deployment.all("config").await.remove(0);
    let pairs: Vec<_> = config.iter().skip(1).map(|(key, it)| (key.as_str(), it.clone())).collect();
    assert_eq!(pairs, [("version", Bson::from("1.0.0")), ("type", Bson::from("fiftyone"))]);
}

#[tokio::test]
async fn a_database_at_no_version_at_all_is_refused() {
    let deployment = deployment("garbage", "1.0.0").await;
    let before = deployment.dump().await;
    let sentence = format!(
        "the `config` document of database `{}` is malformed: its version `garbage` is not a version; set it \
         to the version the database is at",
        deployment.database.name()
    );
    deployment.led_by(program!(["--all"])).run().await.refused(1, &sentence);
    deployment.seen_by(program!(["--all"])).run().await.refused(1, &sentence);
    assert_eq!(deployment.dump().await, before);
}
