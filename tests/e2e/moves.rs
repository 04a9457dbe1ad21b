//! A dataset goes out as an export and comes in again, in the browser: what would happen, how far it is, what came of it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use bson::{Document, doc};
use tests::browser::Scripts;
use tests::{App, Browser};

use crate::media::{looked_at, plant, until};

async fn here(browser: &Browser) -> Result<String> {
    let address = browser.run("return location.pathname").await?;
    Ok(address.as_str().context("no address")?.to_owned())
}

#[tokio::test]
async fn a_dataset_is_exported_and_imported_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = App::importing(folder.path()).await?;
    plant(&app, folder.path()).await?;
    let out = folder.path().join("out");
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&format!("{}/exports", app.address)).await?;
    browser.fill("dataset", "cats").await?;
    browser.fill("folder", out.to_str().context("no path")?).await?;
    browser.press("//option[@value='copied']").await?;
    browser.click("Show what would be exported").await?;
    browser.wait_for("//main", |it| it.contains("What would be exported")).await?;
    looked_at(&browser, "exports-plan").await?;
    anyhow::ensure!(!out.exists(), "showing what would be exported has written something");
    browser.click("Export 3 samples").await?;
    browser.wait_for("//h1", |it| it == "Export of cats").await?;
    let address = format!("{}{}", app.address, here(&browser).await?);
    until(&browser, &address, "What was exported").await?;
    looked_at(&browser, "export-done").await?;
    assert_eq!(fs::read_dir(out.join("data"))?.count(), 3);
    assert!(out.join("metadata.json").is_file());

    // A second one does not mix with it.
    browser.press("//a[text()='Ask the same again']").await?;
    browser.wait_for("//main", |it| it.contains("is not empty")).await?;

    browser.open(&format!("{}/import", app.address)).await?;
    browser.fill("folder", out.to_str().context("no path")?).await?;
    browser.click("Show what would be imported").await?;
    browser.wait_for("//main", |it| it.contains("cats-2")).await?;
    looked_at(&browser, "import-refused").await?;
    browser.fill("name", "cats again").await?;
    browser.fill("tags", "back").await?;
    browser.click("Show what would be imported").await?;
    browser.wait_for("//main", |it| it.contains("Import 3 samples")).await?;
    looked_at(&browser, "import-plan").await?;
    browser.click("Import 3 samples").await?;
    browser.wait_for("//h1", |it| it.starts_with("Import of ")).await?;
    let address = format!("{}{}", app.address, here(&browser).await?);
    until(&browser, &address, "What was imported").await?;
    looked_at(&browser, "import-done").await?;
    let database = app.mongo.database();
    let datasets = database.collection::<Document>("datasets");
    let again = datasets.find_one(doc! { "name": "cats again" }).await?.context("no dataset")?;
    assert_eq!(again.get_str("version")?, "0.21.2");
    let samples = database.collection::<Document>(again.get_str("sample_collection_name")?);
    assert_eq!(samples.count_documents(doc! { "tags": "back" }).await?, 3);
    browser.press("//a[text()='See the dataset']").await?;
    browser.wait_for("//h1", |it| it.contains("cats again")).await?;

    sent_from_here(&app, &browser, &out).await?;

    // Everybody with the right finds it again, and the list says what came of each.
    browser.open(&format!("{}/import", app.address)).await?;
    browser.wait_for("//main", |it| it.contains("Done")).await?;
    looked_at(&browser, "import").await?;
    // What was refused above is no fault of a script.
    let complaints =
        browser.complaints().await?.into_iter().filter(|it| !it.contains("(Conflict)"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}

/// Imports once more, from the computer that the browser is on.
async fn sent_from_here(app: &App, browser: &Browser, out: &Path) -> Result<()> {
    let archive = out.with_file_name("my cats.tar");
    let packed =
        Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(out).arg(".").status()?;
    anyhow::ensure!(packed.success(), "tar: {packed}");
    browser.open(&format!("{}/import", app.address)).await?;
    browser.fill("archive", archive.to_str().context("no path")?).await?;
    browser.click("Send it, and show what would be imported").await?;
    browser.wait_for("//main", |it| it.contains("cats-2")).await?;
    let asked = browser.find("//*[@id='folder']").await?.prop("value").await?.context("nothing")?;
    anyhow::ensure!(asked.ends_with("/my_cats.tar"), "{asked}");
    assert_eq!(fs::read(&asked)?, fs::read(&archive)?);
    browser.fill("name", "cats thrice").await?;
    browser.click("Show what would be imported").await?;
    browser.wait_for("//main", |it| it.contains("Import 3 samples")).await?;
    browser.click("Import 3 samples").await?;
    browser.wait_for("//h1", |it| it.starts_with("Import of ")).await?;
    let address = format!("{}{}", app.address, here(browser).await?);
    until(browser, &address, "What was imported").await?;
    let database = app.mongo.database();
    let datasets = database.collection::<Document>("datasets");
    let thrice = datasets.find_one(doc! { "name": "cats thrice" }).await?.context("no dataset")?;
    let samples = database.collection::<Document>(thrice.get_str("sample_collection_name")?);
    let sample = samples.find_one(doc! {}).await?.context("no sample")?;
    let path = sample.get_str("filepath")?;
    anyhow::ensure!(
        path.starts_with(asked.trim_end_matches("/my_cats.tar")),
        "{path} is not beside {asked}"
    );
    anyhow::ensure!(fs::exists(path)?, "{path} is not there");
    Ok(())
}
