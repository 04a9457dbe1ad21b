//! Giving rights to datasets, and what somebody does with theirs, in a browser.

use anyhow::{Context, Result};
use bson::{Document, doc};
use model::Role;
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check};

use super::screenshot;

#[tokio::test]
async fn a_member_migrates_the_dataset_that_their_group_was_given_and_sees_no_other() -> Result<()>
{
    let app = App::migrating().await?;
    let bob = app.sign_up("Bob", Role::Member).await?;
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let dogs = datasets.find_one(doc! { "name": "dogs" }).await?.unwrap_or_default();
    let dogs = dogs.get_object_id("_id")?.to_hex();

    let admin = Browser::start(Scripts::On).await?;
    admin.be(&app.address, &app.admin).await?;
    admin.open(&format!("{}/users", app.address)).await?;
    admin.fill("name", "Keepers of cats").await?;
    admin.click("Make it").await?;
    admin.wait_for("//h1", |it| it == "Group Keepers of cats").await?;
    admin.choose("account", "Bob").await?;
    admin.click("Let in").await?;
    admin.wait_for("//section[@aria-labelledby='members']", |it| it.contains("Bob")).await?;
    admin.fill("dataset", "cat").await?;
    admin.choose("right", "manage").await?;
    admin.click("Give this right").await?;
    admin.wait_for("//*[@role='alert']", |it| it.contains("did you mean `cats`?")).await?;
    admin.fill("dataset", "cats").await?;
    admin.choose("right", "manage").await?;
    admin.click("Give this right").await?;
    admin.wait_for("//section[@aria-labelledby='rights']", |it| it.contains("manage")).await?;
    // Of another one, on its own page; that it is there is no business of Bob's yet.
    admin.open(&format!("{}/datasets/{dogs}", app.address)).await?;
    admin.press("//a[normalize-space()='Who may do what with it']").await?;
    admin.wait_for("//h1", |it| it == "Who may do what with dogs").await?;
    admin.choose("to", "members").await?;
    admin.choose("right", "none").await?;
    admin.click("Give this right").await?;
    admin.wait_for("//section[@aria-labelledby='rights']", |it| it.contains("nothing")).await?;
    let pages = [
        ("/users", "users-groups"),
        ("/users/bob", "rights-of-person"),
        ("/groups/keepers%20of%20cats", "rights-of-group"),
        ("/members", "rights-of-members"),
        (&format!("/datasets/{dogs}/rights"), "rights-to-dataset"),
    ];
    for device in [Device::Phone, Device::Desktop] {
        for scheme in [Scheme::Light, Scheme::Dark] {
            admin.pretend(device, scheme).await?;
            for (path, page) in pages {
                admin.open(&format!("{}{path}", app.address)).await?;
                let name = format!("{page}-{device:?}-{scheme:?}").to_lowercase();
                screenshot(&admin, &name).await?;
                check::fits(&admin).await.context(name.clone())?;
                check::accessible(&admin).await.context(name)?;
            }
        }
    }
    assert_eq!(admin.complaints().await?, Vec::<String>::new());

    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &bob).await?;
    browser.open(&format!("{}/datasets", app.address)).await?;
    let rows = "//table[@role='table']//tbody";
    let seen = browser.wait_for(rows, |it| it.contains("cats")).await?;
    assert!(!seen.contains("dogs") && !seen.contains("birds"), "{seen}");
    browser.open(&format!("{}/datasets/{dogs}", app.address)).await?;
    browser.wait_for("//h1", |it| it == "There is no such page").await?;
    browser.open(&format!("{}/datasets", app.address)).await?;
    browser.press("//a[normalize-space()='cats']").await?;
    browser.press("//a[normalize-space()='Plan this migration']").await?;
    browser.wait_for("//h2[@id='plan']", |it| it == "The plan").await?;
    browser.press("//section[@aria-labelledby='start']//button").await?;
    let sentence = "//*[contains(@class, 'run-sentence')]";
    browser.wait_for(sentence, |it| it.contains("Completed and verified")).await?;
    // But for the page that is not there.
    let complaints = browser.complaints().await?;
    assert!(complaints.iter().all(|it| it.contains("404")), "{complaints:?}");
    let cats = datasets.find_one(doc! { "name": "cats" }).await?.unwrap_or_default();
    assert_eq!(cats.get_str("version")?, "0.21.2");
    admin.close().await?;
    browser.close().await?;
    app.stop().await
}
