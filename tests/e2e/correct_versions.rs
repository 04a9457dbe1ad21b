//! Correcting a release, and renaming a field that is in the way, in a browser.

use anyhow::Result;
use bson::{Document, doc};
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check};

use crate::screenshot;

/// Looks at a page as it is, on every device and in both schemes.
async fn looked_at(browser: &Browser, address: &str, name: &str) -> Result<()> {
    for (device, size) in [(Device::Desktop, "desktop"), (Device::Phone, "phone")] {
        for (scheme, color) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
            browser.pretend(device, scheme).await?;
            browser.open(address).await?;
            check::accessible(browser).await?;
            check::fits(browser).await?;
            screenshot(browser, &format!("{name}-{size}-{color}")).await?;
        }
    }
    browser.pretend(Device::Desktop, Scheme::Light).await?;
    browser.open(address).await
}

#[tokio::test]
async fn an_admin_adds_a_release_sees_what_is_said_of_it_and_takes_it_out_again() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&format!("{}/versions", app.address)).await?;
    browser.press("//a[text()='Add a release']").await?;
    browser.wait_for("//h1", |it| it == "Add a release").await?;
    for (field, text) in [
        ("enterprise", "2.23.0"),
        ("sdk", "2.23.0"),
        ("compatibility", "1.22.0"),
        ("released", "2026-08-01"),
        ("source", "release notes"),
    ] {
        browser.fill(field, text).await?;
    }
    browser.click("Check").await?;
    let sentence = "//*[@class='notice-sentence' or contains(@class, 'notice')]";
    browser
        .wait_for(sentence, |it| it.contains("a newer release cannot have an older one"))
        .await?;
    browser.find("//*[@id='compatibility']").await?.clear().await?;
    browser.fill("compatibility", "1.23.0").await?;
    browser.click("Check").await?;
    browser.wait_for("//*[@id='save']/..", |it| it.contains("newer than 1.22.1")).await?;
    let address = browser.run("return location.href").await?;
    looked_at(&browser, address.as_str().unwrap_or_default(), "version-checked").await?;
    browser.click("Save").await?;
    browser.wait_for("//h1", |it| it == "Versions").await?;
    let row = "//tr[.//a[@aria-label='Correct Enterprise 2.23.0']]";
    browser.wait_for(row, |it| it.contains("added by") && it.contains("release notes")).await?;
    looked_at(&browser, &format!("{}/versions?q=2.2", app.address), "versions").await?;
    browser.press(&format!("{row}//a")).await?;
    browser.wait_for("//h1", |it| it == "Correct Enterprise 2.23.0").await?;
    looked_at(&browser, &format!("{}/versions/2.23.0", app.address), "version").await?;
    browser.press("//button[@aria-label='Take out Enterprise 2.23.0']").await?;
    browser.wait_for("//h1", |it| it == "Versions").await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn a_field_that_is_in_the_way_is_renamed_from_the_page_of_its_dataset() -> Result<()> {
    let app = App::migrating().await?;
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let field = doc! {
        "name": "created_at", "ftype": "fiftyone.core.fields.StringField", "db_field": "created_at", "fields": [],
    };
    let change = doc! { "$push": { "sample_fields": field } };
    datasets.update_one(doc! { "name": "birds" }, change).await?;
    let birds = datasets.find_one(doc! { "name": "birds" }).await?.unwrap_or_default();
    let address = format!("{}/datasets/{}?to=1.22.1", app.address, birds.get_object_id("_id")?);
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&address).await?;
    looked_at(&browser, &address, "dataset-blocked").await?;
    browser.click("See what changes").await?;
    browser.wait_for("//h1", |it| it == "Rename created_at of birds").await?;
    browser.find("//*[@id='to']").await?.clear().await?;
    browser.fill("to", "_mine").await?;
    browser.click("Check").await?;
    browser.wait_for("//main", |it| it.contains("cannot be renamed")).await?;
    browser.find("//*[@id='to']").await?.clear().await?;
    browser.fill("to", "written").await?;
    browser.click("Check").await?;
    browser.wait_for("//*[@id='changes']/..", |it| it.contains("`written`")).await?;
    let shown = browser.run("return location.href").await?;
    looked_at(&browser, shown.as_str().unwrap_or_default(), "rename").await?;
    browser.click("Rename").await?;
    browser.wait_for("//h1", |it| it == "birds").await?;
    browser.open(&address).await?;
    browser.wait_for("//*[@id='ahead']/..", |it| it.contains("It goes up from")).await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}
