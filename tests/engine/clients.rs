//! Who is connected, with and without the right to see it.

use bson::doc;
use engine::Engine;
use model::{ClientGroup, Program};
use tests::Onlooker;

#[tokio::test]
async fn whoever_may_not_see_everybody_is_told_which_role_to_grant_and_then_does() {
    let Onlooker { server: _server, root, connection } = Onlooker::start().await;
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
