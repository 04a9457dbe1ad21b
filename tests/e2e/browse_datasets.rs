//! Finding datasets in a browser, and planning for some of them.

use anyhow::{Result, ensure};
use bson::{DateTime, Document, doc, oid::ObjectId};
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check, image_dataset, ready};

/// The pages that are looked at, and what their pictures are called.
const PAGES: &[(&str, &str)] = &[
    ("/datasets", "datasets-many"),
    ("/datasets?q=street&version=0.18.0&tag=night&sort=-modified", "datasets-found"),
    ("/datasets?q=nothing-like-this", "datasets-none"),
    ("/datasets?tab=private", "datasets-private"),
    ("/datasets?tab=incomplete&check=page", "datasets-incomplete"),
];

/// Datasets of all kinds.
async fn plant(app: &App) -> Result<()> {
    let mut datasets = Vec::new();
    for number in 0..130 {
        let place = ["Street scenes", "Warehouse", "Fields of wheat"][number % 3];
        let mut dataset = image_dataset(&format!("{place} {number:03}"));
        dataset.insert("slug", format!("s{number}"));
        dataset.insert("tags", [vec!["night", "rain"], vec![], vec!["day"]][number % 3].clone());
        dataset.insert("version", ["0.18.0", "1.22.0", "1.22.1", "0.18.0"][number % 4]);
        let ms = 1_700_000_000_000 + i64::try_from(number)? * 86_400_000;
        dataset.insert("last_modified_at", DateTime::from_millis(ms));
        datasets.push(dataset);
    }
    let mut broken = image_dataset(
        "A dataset with a very long name that says all there is to say about it and more, to see where it goes",
    );
    broken.insert("sample_fields", 7);
    broken.insert("slug", "broken");
    let mut patches = image_dataset("2026.11.23.12.30.45.123456");
    patches.insert("sample_collection_name", format!("patches.{}", ObjectId::new()));
    patches.insert("persistent", false);
    patches.insert("slug", "patches");
    let nameless = doc! { "_id": ObjectId::new(), "version": "1.0.0", "sample_fields": [] };
    let mut versionless = image_dataset("versionless");
    versionless.remove("version");
    versionless.insert("slug", "versionless");
    datasets.extend([broken, patches, nameless, versionless]);
    let collection = app.mongo.database().collection::<Document>("datasets");
    collection.insert_many(datasets).await?;
    ready::wait_for("all datasets to be looked at", async || {
        let page: serde_json::Value =
            serde_json::from_slice(&app.get("/api/datasets").await?.body)?;
        ensure!(page["all"] == 138 && page["all"] == page["looked_at"], "{}", page["looked_at"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_person_finds_datasets_checks_some_and_plans_for_them_without_scripts() -> Result<()> {
    let app = App::migrating().await?;
    plant(&app).await?;
    let browser = Browser::start(Scripts::Off).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&app.address).await?;
    browser.press("//nav//a[.='Datasets']").await?;
    browser.fill("q", "STREET").await?;
    browser.click("Search").await?;
    browser.press("//summary[starts-with(., 'Version')]").await?;
    browser.press("//details//a[starts-with(., '0.18.0')]").await?;
    // Of 44 of that name, every fourth and the one before the next.
    let told = "//p[.='1 to 22 of 22 datasets']";
    browser.wait_for(told, |_| true).await?;
    for number in ["000", "003"] {
        let label = format!("//input[@aria-label='Check Street scenes {number}']");
        browser.press(&label).await?;
    }
    browser.click("Plan for those that are checked").await?;
    browser.wait_for("//p[.='2 datasets are migrated to 1.22.1.']", |_| true).await?;
    browser.wait_for("//td//p[contains(., '2 datasets, selected by ada')]", |_| true).await?;

    browser.open(&format!("{}/datasets?q=STREET", app.address)).await?;
    browser.click("Plan for all 44 that were found").await?;
    browser.wait_for("//td//p[contains(., '44 datasets, selected by ada')]", |_| true).await?;
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn keys_go_everywhere() -> Result<()> {
    let app = App::start().await?;
    plant(&app).await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&format!("{}/datasets?q=street", app.address)).await?;
    let focused = async || {
        let label = "return document.activeElement.ariaLabel || document.activeElement.id";
        Ok::<_, anyhow::Error>(browser.run(label).await?.as_str().unwrap_or_default().to_owned())
    };
    let row = |number: &str| format!("Check Street scenes {number}");
    let at = |number: &str| format!("//input[@aria-label='{}']", row(number));
    browser.find("//body").await?.send_keys("j").await?;
    assert_eq!(focused().await?, row("000"));
    browser.find(&at("000")).await?.send_keys("jjxk").await?;
    assert_eq!(focused().await?, row("003"));
    let checked =
        browser.run("return document.querySelectorAll('tr input:checked').length").await?;
    assert_eq!(checked, 1);
    assert!(browser.find(&at("006")).await?.is_selected().await?);
    browser.find(&at("003")).await?.send_keys("?").await?;
    browser.wait_for("//details[contains(@class, 'keys')][@open]", |_| true).await?;
    browser.find(&at("003")).await?.send_keys("/").await?;
    assert_eq!(focused().await?, "q");
    // There they are letters.
    browser.find("//input[@id='q']").await?.send_keys("jx").await?;
    assert_eq!(browser.run("return document.getElementById('q').value").await?, "jxstreet");
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    let id = browser.find(&at("003")).await?.attr("value").await?.unwrap_or_default();
    browser.find(&at("003")).await?.send_keys("\u{e007}").await?;
    ready::wait_for("the dataset's page", async || {
        let path = browser.run("return location.pathname").await?;
        ensure!(path == format!("/datasets/{id}"), "it is {path}");
        Ok(())
    })
    .await?;
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn the_list_is_accessible_and_fits_with_whatever_is_in_it() -> Result<()> {
    let app = App::start().await?;
    plant(&app).await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    for device in [Device::Desktop, Device::Phone] {
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.pretend(device, scheme).await?;
            for (path, page) in PAGES {
                browser.open_live(&format!("{}{path}", app.address)).await?;
                if *page == "datasets-found" {
                    browser.press("//summary[starts-with(., 'Version')]").await?;
                }
                let name = format!("{page}-{device:?}-{scheme:?}").to_lowercase();
                super::screenshot(&browser, &name).await?;
                check::fits(&browser).await?;
                check::accessible(&browser).await?;
            }
        }
    }
    browser.close().await?;
    app.stop().await
}
