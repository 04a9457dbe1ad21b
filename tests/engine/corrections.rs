//! Correcting the table of releases: for everybody, once, by those who may, and back again.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::OnceLock;

use engine::{Engine, Error};
use model::{ListedRelease, PlanQuestion, Role, VersionEntry};
use tests::{Deployment, Mongod, NEWEST, Onlooker, permit_of};

/// A deployment of its own: corrections are the same for all databases beside one database for runs.
async fn deployment(name: &str) -> Deployment {
    static SERVER: OnceLock<Mongod> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mongod::start(&[]));
    let deployment = Deployment::on(server, name).await;
    deployment.configure("1.0.0").await;
    deployment
}

fn entry(enterprise: &str, compatibility: &str) -> VersionEntry {
    VersionEntry {
        enterprise: enterprise.into(),
        sdk: "2.22.2".into(),
        compatibility: compatibility.into(),
        basis: "stated".into(),
        ..VersionEntry::default()
    }
}

async fn listed(engine: &Engine, name: &str) -> Option<ListedRelease> {
    let releases = engine.releases(&permit_of("eve", Role::Member)).await.unwrap().releases;
    releases.into_iter().find(|it| it.name == name)
}

fn refused<T>(result: engine::Result<T>) -> String {
    match result {
        Err(Error::Refused(why)) => why,
        Err(other) => panic!("not refused, but: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn what_an_admin_has_corrected_counts_wherever_versions_are_asked_for_and_can_be_put_back() {
    let deployment = deployment("first").await;
    let (engine, before) = (deployment.engine().await, deployment.dump().await);
    let (ada, bob) = (permit_of("ada", Role::Admin), permit_of("bob", Role::Member));
    for denied in [
        engine.correct_version(&bob, None, &entry("2.22.2", NEWEST), "").await,
        engine.put_version_back(&bob, "2.22.1", "").await,
        engine.version_form(&bob, None, VersionEntry::default()).await.map(drop),
    ] {
        assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    }
    assert_eq!(engine.status().await.unwrap().enterprise_version.version, "2.22.1");

    engine.correct_version(&ada, None, &entry("2.22.2", NEWEST), "").await.unwrap();
    let status = engine.status().await.unwrap();
    assert_eq!(status.enterprise_version.version, "2.22.2");
    assert!(status.enterprise_version.stated);
    let versions = engine.versions().await.unwrap();
    assert_eq!(versions.way("2.22.2", Some("1.0.0")).unwrap().goal.compatibility, NEWEST);
    let clients = engine.clients(None).await.unwrap();
    assert_eq!(clients.sdk.unwrap().sdk, "2.22.2");
    let question =
        PlanQuestion { destination: "enterprise:2.22.2".into(), ..PlanQuestion::default() };
    assert_eq!(engine.preview(&ada, &question).await.unwrap().destination, NEWEST);
    let destinations = engine.destinations().await.unwrap();
    assert!(destinations[0].enterprise.contains(&"2.22.2".to_owned()), "{destinations:?}");

    let seen = listed(&engine, "2.22.2").await.unwrap();
    assert_eq!(seen.correction.as_ref().unwrap().by, "ada");
    engine.put_version_back(&ada, "2.22.2", seen.seen()).await.unwrap();
    assert_eq!(listed(&engine, "2.22.2").await, None);
    engine.put_version_back(&ada, "2.22.2", seen.seen()).await.unwrap();

    // One that this build knows is as it has it again.
    let corrected = VersionEntry { sdk: "2.22.9".into(), ..entry("", NEWEST) };
    engine.correct_version(&ada, Some("2.22.1"), &corrected, "").await.unwrap();
    let seen = listed(&engine, "2.22.1").await.unwrap();
    let own = seen.correction.as_ref().unwrap().embedded.clone().unwrap();
    assert_eq!((seen.row.sdk.as_str(), own.sdk.as_str()), ("2.22.9", "2.22.1"));
    engine.put_version_back(&ada, "2.22.1", seen.seen()).await.unwrap();
    assert_eq!(listed(&engine, "2.22.1").await.unwrap().correction, None);
    assert_eq!(deployment.dump().await, before, "nothing of FiftyOne's was touched");
    engine.close().await;
}

#[tokio::test]
async fn saying_the_same_twice_is_saying_it_once_and_nobody_overwrites_what_they_have_not_seen() {
    let deployment = deployment("second").await;
    let engine = deployment.engine().await;
    let (ada, bob) = (permit_of("ada", Role::Admin), permit_of("bob", Role::Admin));
    let name = Some("1.5.4");
    let of = |sdk: &str| VersionEntry { sdk: sdk.into(), ..entry("1.5.4", "0.23.3") };
    engine.correct_version(&ada, name, &of("0.15.8"), "").await.unwrap();
    let first = listed(&engine, "1.5.4").await.unwrap();
    engine.correct_version(&ada, name, &of("0.15.8"), "").await.unwrap();
    assert_eq!(listed(&engine, "1.5.4").await.unwrap(), first, "it was written once");

    let why = refused(engine.correct_version(&bob, name, &of("0.15.9"), "").await);
    assert!(why.starts_with("somebody else has corrected 1.5.4 meanwhile"), "{why}");
    engine.correct_version(&bob, name, &of("0.15.9"), first.seen()).await.unwrap();
    let why = refused(engine.put_version_back(&ada, "1.5.4", first.seen()).await);
    assert!(why.starts_with("somebody else has corrected"), "{why}");
    let now = listed(&engine, "1.5.4").await.unwrap();
    assert_eq!(now.correction.as_ref().unwrap().by, "bob");
    engine.put_version_back(&ada, "1.5.4", now.seen()).await.unwrap();
    let form = engine.version_form(&ada, Some("9.9.9"), VersionEntry::default()).await;
    assert!(matches!(form, Err(Error::NoRelease(_))), "{form:?}");
    engine.close().await;
}

#[tokio::test]
async fn whoever_may_not_read_the_apps_own_database_gets_the_table_of_this_build() {
    let onlooker = Onlooker::start().await;
    let engine = Engine::open(&onlooker.connection).await.unwrap();
    assert_eq!(engine.status().await.unwrap().enterprise_version.version, "2.22.1");
    engine.close().await;
}
