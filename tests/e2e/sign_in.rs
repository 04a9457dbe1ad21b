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
        browser.wait_for("//*[@role='alert']", |it| it.contains("password")).await?;
        sign_in(&browser, ADMIN, PASSWORD).await?;
        // One comes to where one wanted to.
        browser.wait_for("//h1", |it| it == "Users").await?;
        browser.wait_for("//*[@class='person']", |it| it.contains(ADMIN)).await?;
        browser.click("Sign out").await?;
        browser.wait_for("//h1", |it| it == "Sign in").await?;
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
    let link = browser.wait_for("//*[@class='token']", |it| it.contains("/invitation/")).await?;
    browser.forget_cookies().await?;

    browser.open(&link).await?;
    browser.fill("name", "grace").await?;
    browser.fill("password", PASSWORD).await?;
    browser.fill("again", PASSWORD).await?;
    browser.click("Make the account and sign in").await?;
    browser.wait_for("//h1", |it| it == "Overview").await?;
    browser.wait_for("//nav[@aria-label='Pages']", |it| !it.contains("Users")).await?;
    browser.open(&format!("{}/users", app.address)).await?;
    browser.wait_for("//*[@role='alert']", |it| it.contains("that takes the role admin")).await?;
    // The link was for once.
    browser.open(&link).await?;
    browser.wait_for("//h1", |it| it == "This link does not hold any more").await?;
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
