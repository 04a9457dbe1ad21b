//! The first account: the link that the console shows.

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
