//! What can be typed, and what is said about what makes no sense.

use model::{Role, VersionEntry};
use tests::{Deployment, Mongod, NEWEST, image_dataset, permit_of, program};

#[tokio::test]
async fn what_is_not_a_version_is_wrong_usage() {
    for (version, why) in [
        ("banana", "it is not a version; expected a version such as 1.22.1, or enterprise:2.1.0"),
        ("enterprise:x", "it is not a version"),
        ("teams:1.0", "`teams:` is not known"),
        ("", "it is not a version"),
    ] {
        let ended = program!(["--all", "-v", version]).run().await.with(2);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn wrong_flags_are_wrong_usage() {
    let wrong: [&[&str]; 4] =
        [&["--error-level", "3"], &["--error-level", "x"], &["--nonsense"], &["-n"]];
    for arguments in wrong {
        let ended = program!(arguments).run().await.with(2);
        assert!(ended.stderr.contains("error:") && ended.stdout.is_empty(), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_name_that_no_database_can_have_is_wrong_usage() {
    let deployment = Deployment::at("1.0.0").await;
    for name in ["", "a.b", "a/b", "a b", "a\"b", "$x", "a\\b", &"x".repeat(64)] {
        let ended =
            program!(["--info", "--uri", &deployment.uri, "--database", name]).run().await.with(2);
        assert!(
            ended.stderr.contains("is not a name that a database can have"),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn flags_win_over_the_environment() {
    let deployment = Deployment::at("1.0.0").await;
    let arguments = ["--info", "--uri", &deployment.uri, "--database", deployment.database.name()];
    let program = program!(arguments).env("FIFTYONE_DATABASE_URI", "mongodb://nowhere.invalid:1");
    let ended = program.env("FIFTYONE_DATABASE_NAME", "other").run().await.with(0);
    assert!(ended.stdout.contains("Database version: 1.0.0"));
}

#[tokio::test]
async fn an_enterprise_version_is_resolved_and_its_source_told() {
    let deployment = Deployment::at(NEWEST).await;
    let mut dataset = image_dataset("img");
    dataset.insert("version", NEWEST);
    deployment.plant("datasets", [dataset]).await;
    let ended =
        deployment.led_by(program!(["--all", "-v", "enterprise:2.1.0"])).run().await.with(0);
    assert_eq!(
        ended.lines()[0],
        "FiftyOne Enterprise 2.1.0 has compatibility version 1.0.0 (stated)"
    );
    deployment.assert_all_at("1.0.0").await;
    let arguments = ["--all", "--json", "-v", "enterprise:2.1.0"];
    let json = deployment.led_by(program!(arguments)).run().await.with(0).json();
    assert_eq!(json["enterprise"]["version"], "2.1.0");
    assert_eq!(json["enterprise"]["compatibility_version"], "1.0.0");
    assert_eq!(json["enterprise"]["stated"], true);
    let unknown = deployment.led_by(program!(["--all", "-v", "enterprise:9.9.9"])).run().await;
    let said = unknown.with(2).stderr;
    assert!(said.contains("no Enterprise release with the version 9.9.9 is known"), "{said}");
}

#[tokio::test]
async fn an_enterprise_version_that_an_admin_has_corrected_counts_at_the_command_line_too() {
    // Corrections are the same for all databases of a server.
    let server = Mongod::start(&[]);
    let deployment = Deployment::on(&server, "fiftyone").await;
    deployment.configure("1.0.0").await;
    let engine = deployment.engine().await;
    let permit = permit_of("ada", Role::Admin);
    let entry = |enterprise: &str, compatibility: &str| VersionEntry {
        enterprise: enterprise.into(),
        sdk: enterprise.into(),
        compatibility: compatibility.into(),
        basis: "stated".into(),
        ..VersionEntry::default()
    };
    engine.correct_version(&permit, None, &entry("2.22.2", NEWEST), "").await.unwrap();
    engine.correct_version(&permit, Some("2.21.0"), &entry("", "1.18.0"), "").await.unwrap_err();
    let corrected = VersionEntry { sdk: "2.21.0".into(), ..entry("", "1.18.0") };
    engine.correct_version(&permit, Some("2.21.0"), &corrected, "").await.unwrap();

    let info = deployment.led_by(program!(["--info"])).run().await.with(0);
    assert_eq!(info.lines()[0], "FiftyOne Enterprise version: 2.22.2");
    let arguments = ["--dry-run", "-v", "enterprise:2.21.0"];
    let told = deployment.led_by(program!(arguments)).run().await.with(0);
    let line = told.lines()[0];
    assert!(
        line.starts_with(
            "FiftyOne Enterprise 2.21.0 has compatibility version 1.18.0 (stated, corrected by "
        ),
        "{line}"
    );
}

#[tokio::test]
async fn a_destination_newer_than_this_program_is_refused_as_a_whole() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("a"), image_dataset("b")]).await;
    let before = deployment.dump().await;
    let sentence = |what| {
        format!(
            "{what} cannot be taken to v1.23.0: the newest version this program knows is v1.22.1; use a \
             newer fiftyone-migrate"
        )
    };
    for arguments in [&["-v", "1.23.0"][..], &["--all", "-v", "1.23.0"]] {
        deployment.led_by(program!(arguments)).run().await.refused(1, &sentence("the database"));
    }
    let arguments = ["-n", "b", "-v", "1.23.0"];
    deployment.led_by(program!(arguments)).run().await.refused(1, &sentence("dataset `b`"));
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn an_unknown_dataset_is_refused_with_the_nearest_name() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("quickstart"), image_dataset("zebra")]).await;
    let before = deployment.dump().await;
    let asked = async |name| deployment.led_by(program!(["-n", "zebra", name])).run().await;
    asked("quikstart")
        .await
        .refused(1, "dataset `quikstart` not found; did you mean `quickstart`?");
    asked("nothing alike").await.refused(
        1,
        "dataset `nothing alike` not found; `fiftyone-migrate --info` lists those of this database",
    );
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn errors_are_json_if_asked() {
    let deployment = Deployment::at("2.0.0").await;
    let ended = deployment.led_by(program!(["--all", "--json"])).run().await.with(1);
    assert!(
        ended.json()["error"]
            .as_str()
            .is_some_and(|it| it.starts_with("the database is at v2.0.0"))
    );
    assert_eq!(ended.stderr, "");
}

#[tokio::test]
async fn named_datasets_move_and_nothing_else() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", ["a", "b", "c"].map(image_dataset)).await;
    deployment.led_by(program!(["-n", "c", "a", "a"])).run().await.exits_with(0);
    let mut versions = Vec::new();
    for name in ["a", "b", "c"] {
        versions.push(deployment.version_of(name).await.to_string());
    }
    assert_eq!(versions, ["\"1.0.0\"", "\"0.18.0\"", "\"1.0.0\""]);
    assert_eq!(deployment.version().await, "1.0.0");
}

#[tokio::test]
async fn without_a_target_only_the_version_of_the_database_moves() {
    let deployment = Deployment::at("1.0.0").await;
    deployment.plant("datasets", [image_dataset("a")]).await;
    deployment.led_by(program!([] as [&str; 0])).run().await.exits_with(0);
    assert_eq!(deployment.version().await, NEWEST);
    assert_eq!(deployment.version_of("a").await, "0.18.0".into());
}

#[tokio::test]
async fn a_version_is_stored_as_it_was_asked_for() {
    let deployment = Deployment::at("1.22.1").await;
    deployment.led_by(program!(["-v", "1.22"])).run().await.exits_with(0);
    assert_eq!(deployment.version().await, "1.22");
}

#[tokio::test]
async fn a_subcommand_takes_no_flags_of_a_migration_but_those_of_the_deployment_on_either_side() {
    let ended = program!(["--all", "serve"]).run().await;
    ended.refused(
        2,
        "flags of a migration make no sense together with a subcommand; leave one of the two away",
    );
    for arguments in [["--database", "a b", "serve"], ["serve", "--database", "a b"]] {
        let ended = program!(arguments).run().await.with(2);
        assert!(
            ended.stderr.contains("is not a name that a database can have"),
            "{}",
            ended.stderr
        );
    }
}
