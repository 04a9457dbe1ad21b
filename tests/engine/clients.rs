//! Who is connected, with and without the right to see it.

use bson::doc;
use engine::{Connection, Engine};
use model::{ClientGroup, Program};
use tests::Mongod;

#[tokio::test]
async fn whoever_may_not_see_everybody_is_told_which_role_to_grant_and_then_does() {
    let server = Mongod::start(&["--auth"]);
    let users = server.client().await.database("admin");
    let root = doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] };
    users.run_command(root).await.unwrap();
    let uri = |user: &str| {
        server.uri().replace("mongodb://", &format!("mongodb://{user}:pw@")) + "&authSource=admin"
    };
    let root = mongodb::Client::with_uri_str(uri("root") + "&appName=fiftyone").await.unwrap();
    let reads = doc! { "role": "read", "db": "fiftyone" };
    let onlooker = doc! { "createUser": "onlooker", "pwd": "pw", "roles": [reads] };
    root.database("admin").run_command(onlooker).await.unwrap();
    let connection = Connection {
        uri: uri("onlooker"),
        database: "fiftyone".into(),
        runs: "fiftyone_migrate".into(),
        admin: false,
        validation: true,
    };
    let engine = Engine::open(&connection).await.unwrap();

    let own = engine.clients(None).await.unwrap();
    assert_eq!(
        own.remedy.as_deref(),
        Some(
            r#"db.getSiblingDB("admin").grantRolesToUser("onlooker", [{ role: "clusterMonitor", db: "admin" }])"#
        )
    );
    assert!(own.groups.iter().all(|it| it.program == Program::Ours), "{own:?}");
    assert!(own.groups.iter().any(|it| it.user.as_deref() == Some("onlooker")), "{own:?}");

    // What the remedy says, as a command.
    let roles = [doc! { "role": "clusterMonitor", "db": "admin" }];
    let grant = doc! { "grantRolesToUser": "onlooker", "roles": roles.to_vec() };
    root.database("admin").run_command(grant).await.unwrap();
    let all = engine.clients(None).await.unwrap();
    assert_eq!(all.remedy, None);
    let signed_in = |it: &&ClientGroup| it.user.as_deref() == Some("root");
    let fiftyone = all.groups.iter().find(signed_in).unwrap();
    assert_eq!(fiftyone.program, Program::FiftyOne);
    assert!(fiftyone.since.is_some(), "the server's log knows when: {fiftyone:?}");
    engine.close().await;
}
