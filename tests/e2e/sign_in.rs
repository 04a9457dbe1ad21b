//! Making the first account, signing in and out, and inviting somebody, in a browser.

use anyhow::{Context, Result};
use tests::browser::Scripts;
use tests::{ADMIN, App, Browser, PASSWORD, ready};

#[tokio::test]
async fn one_signs_in_is_known_and_signs_out_with_and_without_scripts() -> Result<()> {
    let app = App::start().await?;
    for scripts in [Scripts::On, Scripts::Off] {
        let browser = Browser::start(scripts).await?;
        browser.open(&format!("{}/users", app.address)).await?;
        sign_in(&browser, ADMIN, "not the password").await?;
        let alert = browser.find("//*[@role='alert']").await?.text().await?;
        assert!(alert.to_lowercase().contains("password"), "{alert}");
        sign_in(&browser, ADMIN, PASSWORD).await?;
        let heading = browser.find("//h1").await?.text().await?;
        assert_eq!(heading, "Users", "one comes to where one wanted to");
        assert!(browser.find("//*[@class='person']").await?.text().await?.contains(ADMIN));
        browser.click("Sign out").await?;
        assert_eq!(browser.find("//h1").await?.text().await?, "Sign in");
        if scripts == Scripts::On {
            assert_eq!(browser.complaints().await?, Vec::<String>::new());
        }
        browser.close().await?;
    }
    app.stop().await
}

#[tokio::test]
async fn somebody_who_was_invited_makes_an_account_and_sees_what_a_guest_may_see() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&format!("{}/users", app.address)).await?;
    browser.fill("note", "Grace, who counts fish").await?;
    browser.choose("role", "guest").await?;
    browser.click("Make a link").await?;
    let link = browser.find("//*[@class='token']").await?.text().await?;
    assert!(link.starts_with("/invitation/"), "{link}");
    browser.forget_cookies().await?;

    browser.open(&format!("{}{link}", app.address)).await?;
    browser.fill("name", "grace").await?;
    browser.fill("password", PASSWORD).await?;
    browser.fill("again", PASSWORD).await?;
    browser.click("Make the account and sign in").await?;
    assert_eq!(browser.find("//h1").await?.text().await?, "Overview");
    let pages = browser.find("//nav[@aria-label='Pages']").await?.text().await?;
    assert!(!pages.contains("Users"), "{pages}");
    browser.open(&format!("{}/users", app.address)).await?;
    let alert = browser.find("//*[@role='alert']").await?.text().await?;
    assert!(alert.contains("that takes the role admin"), "{alert}");
    // The link was for once.
    browser.open(&format!("{}{link}", app.address)).await?;
    let heading = browser.find("//h1").await?.text().await?;
    assert_eq!(heading, "This link does not hold any more");
    browser.close().await?;
    app.stop().await
}

async fn sign_in(browser: &Browser, name: &str, password: &str) -> Result<()> {
    let form = || async { browser.find("//form//input[@name='next']").await };
    ready::wait_for("the form", form).await.context("there is no form to sign in with")?;
    browser.fill("name", name).await?;
    browser.fill("password", password).await?;
    browser.click("Sign in").await
}
