//! What is printed where: a plan, a progress bar for people, plain lines for pipes.

use tests::{Deployment, Program, State, image_dataset, program};

#[tokio::test]
async fn a_dry_run_lists_every_dataset_with_what_is_lost_and_what_is_in_the_way() {
    let deployment = Deployment::holding(&State::newest()).await;
    let before = deployment.dump().await;
    let arguments = ["--all", "--dry-run", "-v", "0.16.5"];
    let ended = deployment.led_by(program!(arguments)).run().await.with(3);
    let lines = ended.lines();
    assert_eq!(lines[0], "database: v1.22.1 -> v0.16.5");
    let at = |start: &str| lines.iter().position(|it| it.starts_with(start)).unwrap();
    let (blocked, crossing) =
        (at("grp: v1.22.1, blocked"), at("img-det: v1.22.1 -> v0.16.5, crosses 1.13.0 1.4.0"));
    assert!(
        lines[blocked + 1].starts_with("  dataset `grp` cannot cross v0.17.0"),
        "{}",
        ended.stdout
    );
    assert!(
        lines[crossing + 1..].iter().any(|it| it.starts_with("  v0.19.0: ")),
        "{}",
        ended.stdout
    );
    assert_eq!(
        lines.last(),
        Some(&"2 datasets would be migrated, 1 dataset blocked; nothing was written")
    );
    let json = deployment
        .led_by(program!([&arguments[..], &["--json"]].concat()))
        .run()
        .await
        .with(3)
        .json();
    assert_eq!(json["dry_run"], true);
    let names: Vec<_> =
        json["datasets"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["grp", "img-det", "vid"]);
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn a_dry_run_tells_new_names() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["My Data", "my-data"].map(image_dataset)).await;
    let ended = deployment.led_by(program!(["--all", "--dry-run"])).run().await.with(0);
    assert_eq!(ended.stdout.matches("  is renamed to ").count(), 1, "{}", ended.stdout);
}

#[tokio::test]
async fn verbose_names_the_revisions_as_they_begin() {
    let deployment = Deployment::at("0.14.0").await;
    let mut dataset = image_dataset("img");
    dataset.insert("version", "1.0.0");
    deployment.plant("datasets", [dataset]).await;
    let ended =
        deployment.led_by(program!(["--all", "--verbose", "-v", "1.4.0"])).run().await.with(0);
    let expected = "\
Migrating database to v1.4.0
Running v0.15.0 up admin migration
Running v0.15.1 up admin migration
Migrating dataset 'img' to v1.4.0
Running v1.1.0 up migration
Running v1.4.0 up migration
The database is at v1.4.0
1 dataset migrated
";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (expected, ""));
}

#[tokio::test]
async fn json_is_one_document_and_nothing_else() {
    let deployment = Deployment::holding(&State::newest()).await;
    let ended = deployment
        .led_by(program!(["--all", "-v", "0.16.0", "--json", "--verbose"]))
        .run()
        .await
        .with(3);
    assert_eq!(ended.stderr, "");
    let json = ended.json();
    let states: Vec<_> =
        json["datasets"].as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["refused", "migrated", "migrated"]);
    assert_eq!(json["database"]["state"], "migrated");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_reason_to_fail() {
    let deployment = Deployment::at("0.18.0").await;
    let names: Vec<String> = (0..2_000).map(|it| format!("dataset-{it}")).collect();
    deployment.plant("datasets", names.iter().map(|it| image_dataset(it))).await;
    for arguments in [&["--info"][..], &["--info", "--json"], &["--all", "--dry-run"], &["--all"]] {
        let mut running = deployment.led_by(program!(arguments)).spawn();
        running.stop_reading();
        let ended = running.ended().await.with(0);
        assert_eq!(ended.stderr, "");
    }
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_terminal_sees_a_progress_bar_and_a_pipe_does_not() {
    let deployment = async || {
        let deployment = Deployment::at("0.18.0").await;
        let names: Vec<String> = (0..300).map(|it| format!("dataset-{it}")).collect();
        deployment.plant("datasets", names.iter().map(|it| image_dataset(it))).await;
        deployment
    };
    let binary = env!("CARGO_BIN_EXE_program_under_test");
    let arguments = ["--quiet", "--return", "--command", &format!("{binary} --all"), "/dev/null"];
    let terminal = Program::at("script", arguments).env("TERM", "xterm");
    let watched = deployment().await.led_by(terminal).run().await.with(0);
    assert!(watched.stdout.contains("/300 datasets, "), "{}", watched.stdout);
    let piped = deployment().await.led_by(program!(["--all"])).run().await.with(0);
    assert!(!piped.stdout.contains('\u{1b}') && !piped.stdout.contains('\r'), "{}", piped.stdout);
    assert_eq!(piped.stderr, "");
}
