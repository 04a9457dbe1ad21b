//! Accounts, for whoever has a shell: the link to the first one, and letting people in again.

use engine::{Connection, Engine, Origin};
use model::Role;
use nix::sys::signal::Signal;
use tests::{Deployment, http, image_dataset, program};

#[tokio::test]
async fn the_console_shows_a_link_that_makes_the_first_account() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let before = deployment.dump().await;
    let mut server = deployment.seen_by(program!(["serve", "--listen", "127.0.0.1:0"])).spawn();
    let link = server.line_with("/invitation/").await.trim().to_owned();
    let page = http::get(&link, &[]).await.unwrap();
    assert!(page.text().contains("You will be admin"), "{}", page.text());

    let (address, token) = link.split_once("/invitation/").unwrap();
    let password = "a password that is long enough";
    let form = [("token", token), ("name", "ada"), ("password", password), ("again", password)];
    let accept = format!("{address}/api/accept_invitation");
    let made = http::post(&accept, &[("origin", address)], &form).await.unwrap();
    assert!(made.status.is_success(), "{}", made.text());
    let cookie = made.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let overview = http::get(address, &[("cookie", cookie)]).await.unwrap();
    assert!(overview.text().contains("Sign out"), "{}", overview.text());
    assert!(overview.text().contains("Read-only"), "nobody said that it may be migrated");

    let again = http::get(&link, &[]).await.unwrap();
    assert!(again.text().contains("does not hold any more"), "{}", again.text());
    assert_eq!(deployment.dump().await, before);
    server.signal(Signal::SIGTERM);
    server.ended().await.exits_with(0);
}

#[tokio::test]
async fn whoever_has_a_shell_invites_people_and_lets_them_in_again() {
    let deployment = Deployment::at("0.18.0").await;
    let users = async |arguments: &[&str]| {
        let arguments = [&["users"], arguments, &["--json"]].concat();
        let program = deployment.seen_by(program!(arguments));
        // Others who test on the same server have accounts of their own.
        let own = format!("{}-app", deployment.database.name());
        program.env("FIFTYONE_MIGRATE_DATABASE", own).run().await
    };
    let connection = Connection {
        uri: deployment.uri.clone(),
        database: deployment.database.name().to_owned(),
        runs: format!("{}-app", deployment.database.name()),
        admin: false,
        validation: true,
    };
    let accounts = Engine::open(&connection).await.unwrap().accounts();
    let token = |ended: &tests::Ended| {
        let link = ended.json()["link"].as_str().unwrap().to_owned();
        link.split_once("http://127.0.0.1:8051/invitation/").unwrap().1.to_owned()
    };
    let origin = Origin { address: "192.0.2.1".to_owned(), agent: "a test".to_owned() };
    let (first, second) = ("a password that is long enough", "another one that is as long");
    let invited = token(&users(&["invite", "--role", "admin"]).await.with(0));
    let lost = accounts.accept(&invited, "Ada", first, &origin).await.unwrap();

    // Ada, the only admin, has forgotten her password.
    let replaced = token(&users(&["reset", "ada"]).await.with(0));
    let reset = token(&users(&["reset", "ada"]).await.with(0));
    assert!(accounts.invitation(&replaced).await.unwrap().is_none());
    let shown = accounts.invitation(&reset).await.unwrap().unwrap();
    assert_eq!((shown.resets.as_deref(), shown.role), (Some("ada"), Role::Admin));
    let listed = users(&[]).await.with(0).json();
    assert_eq!(listed["accounts"][0]["name"], "Ada");
    assert_eq!(listed["invitations"][0]["resets"], "ada");
    assert!(accounts.accept(&reset, "Eve", second, &origin).await.is_err(), "it is not hers");
    assert!(
        accounts.are_alive(&[lost.text().to_owned()]).await.unwrap()[0],
        "nothing has changed yet"
    );
    let ada = accounts.accept(&reset, "Ada", second, &origin).await.unwrap();
    assert_eq!(accounts.visitor(ada.text()).await.unwrap().unwrap().principal.role, Role::Admin);
    assert!(!accounts.are_alive(&[lost.text().to_owned()]).await.unwrap()[0]);
    assert!(accounts.sign_in("ada", first, &origin).await.is_err());
    // A second click signs in; another password is not taken by it any more.
    assert!(accounts.accept(&reset, "Ada", second, &origin).await.is_ok());
    assert!(accounts.accept(&reset, "Ada", first, &origin).await.is_err());
    assert!(accounts.are_alive(&[ada.text().to_owned()]).await.unwrap()[0]);
    assert_eq!(users(&["list"]).await.with(0).json()["invitations"], serde_json::json!([]));
    let unknown = users(&["reset", "Eve"]).await.with(1).json();
    assert!(unknown["error"].as_str().unwrap().starts_with("there is no account `Eve`"));
}
