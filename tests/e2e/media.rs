//! Media are taken elsewhere from the browser: the question, a collision, the upload, the paths, and cleaning up.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use bson::{Document, doc, oid::ObjectId};
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check, ready};

use crate::screenshot;

/// Gives the dataset `cats` three samples with files, two of which have one name.
pub async fn plant(app: &App, folder: &Path) -> Result<String> {
    let database = app.mongo.database();
    let datasets = database.collection::<Document>("datasets");
    let field = doc! { "name": "filepath", "ftype": "fiftyone.core.fields.StringField", "db_field": "filepath", "fields": [] };
    datasets
        .update_one(doc! { "name": "cats" }, doc! { "$set": { "sample_fields": [field] } })
        .await?;
    let cats = datasets.find_one(doc! { "name": "cats" }).await?.context("no cats")?;
    let samples = database.collection::<Document>(cats.get_str("sample_collection_name")?);
    samples.delete_many(doc! {}).await?;
    for place in ["a/0.png", "b/0.png", "b/1.png"] {
        let path = folder.join("data").join(place);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(&path, place)?;
        samples.insert_one(doc! { "_id": ObjectId::new(), "filepath": path.to_str() }).await?;
    }
    Ok(cats.get_str("sample_collection_name")?.to_owned())
}

async fn paths(app: &App, collection: &str) -> Result<Vec<String>> {
    let mut found = app.mongo.database().collection::<Document>(collection).find(doc! {}).await?;
    let mut paths = Vec::new();
    while found.advance().await? {
        paths.push(found.deserialize_current()?.get_str("filepath")?.to_owned());
    }
    Ok(paths)
}

/// Looks at the page where we are, on every device and in both schemes.
pub async fn looked_at(browser: &Browser, name: &str) -> Result<()> {
    let address = browser.run("return location.href").await?;
    let address = address.as_str().context("no address")?.to_owned();
    for (device, size) in [(Device::Desktop, "desktop"), (Device::Phone, "phone")] {
        for (scheme, color) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
            browser.pretend(device, scheme).await?;
            browser.open(&address).await?;
            check::accessible(browser).await?;
            check::fits(browser).await?;
            screenshot(browser, &format!("{name}-{size}-{color}")).await?;
        }
    }
    browser.pretend(Device::Desktop, Scheme::Light).await?;
    browser.open(&address).await
}

/// Loads the page until it says so.
pub async fn until(browser: &Browser, address: &str, part: &str) -> Result<()> {
    ready::wait_for(part, || async {
        browser.open(address).await?;
        let main = browser.find("//main").await?.text().await?;
        anyhow::ensure!(main.contains(part), "no {part} in {main}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn media_go_elsewhere_and_the_paths_follow_and_what_is_left_is_removed() -> Result<()> {
    let app = App::migrating().await?;
    let folder = tempfile::tempdir()?;
    let to = folder.path().join("bucket");
    let collection = plant(&app, folder.path()).await?;
    let old = paths(&app, &collection).await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&format!("{}/media", app.address)).await?;
    browser.wait_for("//main", |it| it.contains("No media were taken elsewhere yet")).await?;
    browser.fill("dataset", "cats").await?;
    browser.click("Go on").await?;
    browser.wait_for("//h1", |it| it == "Take media elsewhere").await?;

    // A flat folder has no place for two files of one name.
    browser.fill("to", to.to_str().context("no path")?).await?;
    browser.find("//*[@id='layout']").await?.clear().await?;
    browser.fill("layout", "flat").await?;
    browser.click("Show where files would go").await?;
    browser.wait_for("//main", |it| it.contains("0.png would be the place of")).await?;
    looked_at(&browser, "media-collision").await?;
    browser.press("//option[@value='suffix']").await?;
    browser.click("Show where files would go").await?;
    browser.wait_for("//main", |it| it.contains("Upload 3 files")).await?;
    browser.click("Test this destination").await?;
    browser.wait_for("//*[@role='status']", |it| it.contains("write, read, delete works")).await?;
    looked_at(&browser, "media-new").await?;
    browser.click("Upload 3 files").await?;
    browser.wait_for("//h1", |it| it == "Media of cats").await?;
    let address = browser.run("return location.href").await?;
    let address = address.as_str().context("no address")?.to_owned();

    // Whoever closes the tab finds it again.
    browser.open(&format!("{}/media", app.address)).await?;
    until(&browser, &format!("{}/media", app.address), "Verified").await?;
    looked_at(&browser, "media").await?;
    browser.press("//a[text()='cats']").await?;
    browser.press("//a[contains(., 'which paths')]").await?;
    browser
        .wait_for("//main", |it| it.contains("3 paths would lead to files that were verified"))
        .await?;
    looked_at(&browser, "media-upload").await?;
    browser.click("Rewrite the paths").await?;
    browser.wait_for("//main", |it| it.contains("Rewritten before")).await?;
    for path in paths(&app, &collection).await? {
        anyhow::ensure!(Path::new(&path).starts_with(&to) && Path::new(&path).is_file(), "{path}");
    }
    browser.click("Bring back").await?;
    browser.wait_for("//main", |it| it.contains("brought back: filepath")).await?;
    assert_eq!(paths(&app, &collection).await?, old);

    // Nothing is removed that the dataset still needs.
    browser.open(&format!("{address}/clean-up")).await?;
    browser.wait_for("//main", |it| it.contains("still lead to these files")).await?;
    browser.open(&format!("{address}?paths=1")).await?;
    browser.click("Rewrite the paths").await?;
    browser.wait_for("//main", |it| it.contains("Rewritten before")).await?;
    browser.press("//a[contains(., 'which paths')]").await?;
    browser.wait_for("//main", |it| it.contains("None is to be rewritten")).await?;
    browser.press("//a[contains(., 'nobody needs')]").await?;
    browser.wait_for("//h1", |it| it == "Remove files that were uploaded").await?;
    looked_at(&browser, "media-clean-up").await?;
    browser.fill("typed", "dogs").await?;
    browser.fill("password", tests::PASSWORD).await?;
    browser.click("Remove 3 files for ever").await?;
    browser.wait_for("//main", |it| it.contains("type cats")).await?;
    assert!(Path::new(&old[0]).is_file());
    browser.fill("typed", "cats").await?;
    browser.fill("password", tests::PASSWORD).await?;
    browser.click("Remove 3 files for ever").await?;
    browser.wait_for("//main", |it| it.contains("Removed here since")).await?;
    assert!(old.iter().all(|it| !Path::new(it).exists()));
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}
