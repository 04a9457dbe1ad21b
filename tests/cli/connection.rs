//! Reaching a server, or not: each obstacle is one sentence, and nothing is changed.

use std::time::{Duration, Instant};

use bson::doc;
use tests::{Deployment, Mongod, NEWEST, State, image_dataset, mongod_binary, program, ready};

#[tokio::test]
async fn an_unreachable_server_is_told_soon_and_in_one_sentence() {
    let port = ready::free_port().unwrap();
    let uri = format!("mongodb://ana:secret@127.0.0.1:{port}");
    for arguments in [&["--info"][..], &["--all"], &["--all", "--dry-run"]] {
        let begun = Instant::now();
        let ended = program!(arguments).env("FIFTYONE_DATABASE_URI", &uri).run().await;
        assert!(begun.elapsed() < Duration::from_secs(20));
        let sentence = format!(
            "cannot reach MongoDB at 127.0.0.1:{port}: Connection refused (os error 111); check that it runs \
             and that `FIFTYONE_DATABASE_URI` names it"
        );
        ended.refused(1, &sentence);
    }
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_told() {
    for uri in ["mongodb://nowhere.invalid:27017", "mongodb+srv://nowhere.invalid"] {
        let ended = program!(["--info", "--uri", uri]).run().await.with(1);
        assert!(
            ended.stderr.starts_with("error: cannot reach MongoDB at nowhere.invalid"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn what_is_no_uri_is_told_without_its_password() {
    for uri in [
        "ana:secret@host",
        "mongodb://ana:secret@host:99999",
        "mongodb://ana:secret@:1",
        "http://ana:secret@h",
        "x",
    ] {
        let ended = program!(["--info", "--uri", uri]).run().await.with(1);
        let expected = "error: the database URI cannot be read: ";
        assert!(
            ended.stderr.starts_with(expected) && !ended.stderr.contains("secret"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn credentials_and_rights_are_told_apart_and_the_missing_right_is_named() {
    let server = Mongod::start(&["--auth"]);
    let admin = server.client().await.database("admin");
    let root = doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] };
    admin.run_command(root).await.unwrap();
    let uri = |user: &str, password: &str| {
        format!(
            "mongodb://{user}:{password}@{}/?authSource=admin&directConnection=true",
            server.address()
        )
    };
    let client = mongodb::Client::with_uri_str(uri("root", "pw")).await.unwrap();
    let deployment = Deployment { database: client.database("fiftyone"), uri: uri("root", "pw") };
    deployment.plant_all(&State::down_to("0.18.0").collections).await;
    let before = deployment.dump().await;
    let writes_runs = doc! { "role": "readWrite", "db": "fiftyone_migrate" };
    let reads = |database: &str| doc! { "role": "read", "db": database };
    let users = [
        ("reader", vec![reads("fiftyone"), writes_runs]),
        ("onlooker", vec![reads("fiftyone")]),
        ("stranger", vec![reads("other")]),
    ];
    for (name, roles) in users {
        let user = doc! { "createUser": name, "pwd": "pw", "roles": roles };
        client.database("admin").run_command(user).await.unwrap();
    }
    let run = async |uri: &str, arguments: &[&str]| {
        let seen = Deployment { database: deployment.database.clone(), uri: uri.to_owned() };
        seen.led_by(program!(arguments)).run().await
    };

    for arguments in [&["--info"][..], &["--all"]] {
        let sentence = format!(
            "MongoDB at {} does not accept the credentials: SCRAM failure: Authentication failed.; check user, \
             password and `authSource` in the URI",
            server.address()
        );
        run(&uri("reader", "wrong"), arguments).await.refused(1, &sentence);
    }
    let lacks = |right: &str, on: &str| {
        format!(
            "the MongoDB user lacks the privilege `{right}` on `{on}`; grant it `readWrite` and `dbAdmin` on \
             the database, `readWrite` on the one for runs, and on a replica set `clusterMonitor` on `admin`"
        )
    };
    run(&uri("stranger", "pw"), &["--info"]).await.refused(1, &lacks("find", "fiftyone.config"));
    let without_any = format!("mongodb://{}/?directConnection=true", server.address());
    let ended = run(&without_any, &["--info"]).await.with(1);
    assert!(ended.stderr.contains("does not accept the credentials: command"), "{}", ended.stderr);

    let ended = run(&uri("reader", "pw"), &["--info"]).await.with(0);
    assert!(ended.stdout.contains("img-det    0.18.0\n"), "{}", ended.stdout);
    run(&uri("reader", "pw"), &["--all", "--dry-run"]).await.exits_with(0);
    run(&uri("onlooker", "pw"), &["--all", "--dry-run"]).await.exits_with(0);
    let ended = run(&uri("onlooker", "pw"), &["--all", "-v", "1.0.0"]).await.with(1);
    assert_eq!(ended.stderr, format!("error: {}\n", lacks("find", "fiftyone_migrate.archive")));
    let ended = run(&uri("reader", "pw"), &["--all", "-v", "1.0.0"]).await.with(1);
    assert_eq!(ended.stderr, format!("error: {}\n", lacks("update", "fiftyone.config")));
    let ended = run(&uri("reader", "pw"), &["-n", "img-det", "vid", "-v", "1.0.0"]).await.with(1);
    assert!(ended.stderr.contains("lacks the privilege"), "{}", ended.stderr);
    assert!(ended.stderr.lines().all(|it| it.len() < 400), "{}", ended.stderr);
    assert_eq!(deployment.dump().await, before);

    run(&uri("root", "pw"), &["--all"]).await.exits_with(0);
    deployment.assert_newest().await;
}

#[tokio::test]
async fn without_a_uri_a_server_is_started_asked_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("mongo");
    let run = async |arguments: &[&str]| {
        let program = program!(arguments).env("FIFTYONE_MONGOD", mongod_binary());
        program
            .env("FIFTYONE_DATABASE_DIR", &dir)
            .env("FIFTYONE_DATABASE_ADMIN", "true")
            .run()
            .await
    };
    let info = run(&["--info"]).await.with(0);
    assert!(info.stdout.ends_with("Database version: none yet\n"), "{}", info.stdout);
    assert_eq!(info.stderr, "");
    // A server that ended well leaves this file empty.
    let lock = || std::fs::metadata(dir.join("mongod.lock")).unwrap().len();
    assert_eq!(lock(), 0);
    run(&["--all"]).await.exits_with(0);
    assert_eq!(lock(), 0);
    let info = run(&["--info"]).await.with(0);
    assert!(info.stdout.ends_with(&format!("Database version: {NEWEST}\n")), "{}", info.stdout);
    assert_eq!(lock(), 0);
}

#[tokio::test]
async fn our_connections_are_not_taken_for_fiftyones() {
    let server = Mongod::start(&["--setParameter", "logLevel=0"]);
    let deployment = Deployment::on(&server, "fiftyone").await;
    deployment.database.run_command(doc! { "profile": 2 }).await.unwrap();
    deployment.configure("1.0.0").await;
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    let profile = deployment.collection("system.profile");
    let ours = doc! { "appName": "fiftyone-migrate" };
    let names = profile
        .distinct("appName", doc! { "ns": "fiftyone.config", "op": "update" })
        .await
        .unwrap();
    assert_eq!(names, [bson::Bson::from("fiftyone-migrate")]);
    assert!(profile.count_documents(ours).await.unwrap() > 0);
    assert_eq!(profile.count_documents(doc! { "appName": "fiftyone" }).await.unwrap(), 0);
}

/// Whoever waits for a connection must not wait for somebody who has it and is not looked at.
#[tokio::test]
async fn one_connection_is_enough_for_as_many_datasets_as_there_are() {
    let deployment = Deployment::at("0.18.0").await;
    let many = (0..700).map(|at| image_dataset(&format!("images {at:03}")));
    deployment.plant("datasets", many).await;
    let uri = format!("{}&maxPoolSize=1", deployment.uri);
    let program = deployment.led_by(program!(["--all", "--json"]));
    let ended = program.env("FIFTYONE_DATABASE_URI", uri).run().await.with(0);
    assert_eq!(ended.json()["run_state"], "completed");
    deployment.assert_newest().await;
}
