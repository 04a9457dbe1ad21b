//! Replica sets: the result is that of a single server, and what is committed is there on every member.

use bson::DateTime;
use tests::{Deployment, Dump, Mongod, NEWEST, State, program, timeless};

async fn down_and_up(deployment: &Deployment, begun: DateTime) -> [Dump; 2] {
    let state = State::newest();
    deployment.plant_all(&state.collections).await;
    deployment.led_by(program!(["-n", "grp", "-v", "0.17.2"])).run().await.exits_with(0);
    deployment.led_by(program!(["--all", "-v", "0.17.2"])).run().await.exits_with(0);
    let down = timeless(deployment.dump().await, begun);
    deployment.led_by(program!(["--all"])).run().await.exits_with(0);
    deployment.assert_newest().await;
    [down, timeless(deployment.dump().await, begun)]
}

#[tokio::test]
async fn a_replica_set_is_migrated_like_a_single_server() {
    let begun = DateTime::now();
    let expected = down_and_up(&Deployment::empty().await, begun).await;
    for members in [1, 3] {
        let servers = Mongod::replica_set(members).await;
        let mut deployment = Deployment::on(&servers[0], "fiftyone").await;
        deployment.uri = Mongod::uri_of_set(&servers);
        let found = down_and_up(&deployment, begun).await;
        for (expected, found) in expected.iter().zip(&found) {
            assert!(expected.keys().eq(found.keys()), "{members} members");
            for (name, documents) in expected {
                assert_eq!(Some(documents), found.get(name), "{members} members: {name}");
            }
        }
        // Written with a majority: with three members, on one more than the primary.
        let mut at_newest = 0;
        for server in &servers {
            let secondary = mongodb::options::SelectionCriteria::ReadPreference(
                mongodb::options::ReadPreference::SecondaryPreferred { options: None },
            );
            let config =
                server.client().await.database("fiftyone").collection::<bson::Document>("config");
            let config =
                config.find_one(bson::doc! {}).selection_criteria(secondary).await.unwrap();
            at_newest +=
                usize::from(config.is_some_and(|it| it.get_str("version").ok() == Some(NEWEST)));
        }
        assert!(at_newest > members / 2, "{at_newest} of {members}");
    }
}
