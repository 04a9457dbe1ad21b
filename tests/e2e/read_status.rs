//! Reading the versions of a deployment in a browser.

mod browse_datasets;
mod correct_versions;
mod install_sdk;
mod media;
mod moves;
mod rights;
mod runs;
mod see_dataset;
mod see_help;
mod sign_in;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check};

const CHART: &str = "Datasets by version. 0.18.0: 2, 0.21.2: 1, 1.22.1: 1";
const CHART_WITH_ONE_MORE: &str = "Datasets by version. 0.18.0: 3, 0.21.2: 1, 1.22.1: 1";

/// Every page, and what its picture is called.
const PAGES: &[(&str, &str)] = &[
    ("/", "overview"),
    ("/datasets", "datasets"),
    ("/migrate", "migrate"),
    ("/migrate?scope=everything&destination=1.22.1&other=&datasets=", "migrate-plan"),
    ("/runs", "runs"),
    ("/import", "import-none"),
    ("/media", "media-none"),
    ("/exports", "exports-none"),
    ("/clients", "clients"),
    ("/versions", "versions"),
    ("/sdk", "sdk"),
    ("/users", "users"),
    ("/settings", "settings"),
    ("/account", "account"),
    ("/help", "help"),
    ("/help#how-downgrade", "help-section"),
    ("/sign-in", "sign-in"),
    ("/invitation/nothing", "invitation-gone"),
    ("/nothing-here", "not-found"),
];

/// Those that scripts take over.
const LIVE: &[&str] = &["/", "/datasets", "/runs", "/sdk"];

#[tokio::test]
async fn the_figures_are_there_without_scripts() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::Off).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&app.address).await?;
    check_figures(&app, &browser).await?;
    assert!(browser.find("//html[@data-live]").await.is_err(), "scripts ran");
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn the_figures_stay_when_scripts_take_over() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&app.address).await?;
    check_figures(&app, &browser).await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn refreshing_reads_again_and_leaves_the_page_where_it_is() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&app.address).await?;
    assert_eq!(check::chart(&browser).await?, CHART);
    browser.run("window.sameDocument = true").await?;
    app.mongo.insert_dataset("fish", "0.18.0").await?;
    browser.click("Refresh").await?;
    check::chart_becomes(&browser, CHART_WITH_ONE_MORE).await?;
    assert_eq!(browser.run("return window.sameDocument").await?, json!(true));
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn a_bar_leads_to_its_datasets() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&app.address).await?;
    browser.press("//*[name()='a'][@aria-label='0.21.2: 1 dataset']").await?;
    browser.wait_for("//h1", |it| it == "Datasets").await?;
    let rows = browser.wait_for("//table", |it| it.contains("0.21.2")).await?;
    assert!(!rows.contains("0.18.0"), "{rows}");
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn refreshing_without_scripts_loads_the_page_again() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::Off).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open(&app.address).await?;
    app.mongo.insert_dataset("fish", "0.18.0").await?;
    browser.click("Refresh").await?;
    check::chart_becomes(&browser, CHART_WITH_ONE_MORE).await?;
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn figures_from_before_stay_when_the_database_goes_away() -> Result<()> {
    let mut app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&app.address).await?;
    app.mongo.kill();
    browser.click("Refresh").await?;
    let notice =
        tests::ready::wait_for("the notice", || async { browser.find("//*[@role='alert']").await })
            .await?;
    assert!(notice.text().await?.contains("The figures below are from before"));
    assert_eq!(check::chart(&browser).await?, CHART);
    check::accessible(&browser).await?;
    browser.open(&app.address).await?;
    let notice = browser.find("//*[@role='alert']").await?.text().await?;
    assert!(!notice.contains("The figures below"), "{notice}");
    screenshot(&browser, "overview-unreachable").await?;
    browser.close().await?;
    app.stop().await
}

#[tokio::test]
async fn every_page_is_accessible_and_fits_in_light_and_dark() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    for device in [Device::Desktop, Device::Phone] {
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.pretend(device, scheme).await?;
            for (path, page) in PAGES {
                let address = format!("{}{path}", app.address);
                if LIVE.contains(path) {
                    browser.open_live(&address).await?;
                } else {
                    browser.open(&address).await?;
                }
                let name = format!("{page}-{device:?}-{scheme:?}").to_lowercase();
                screenshot(&browser, &name).await?;
                check::fits(&browser).await.context(name.clone())?;
                check::accessible(&browser).await.context(name)?;
            }
        }
    }
    browser.close().await?;
    app.stop().await
}

/// Checks every figure against what the database holds.
async fn check_figures(app: &App, browser: &Browser) -> Result<()> {
    let info = app.mongo.database().run_command(bson::doc! { "buildInfo": 1 }).await?;
    let database = check::fact(browser, "Database version").await?;
    let database: Vec<&str> = database.split_whitespace().collect();
    assert_eq!(database, ["0.21.2", "→", "can", "go", "to", "1.22.1"]);
    assert_eq!(check::fact(browser, "Compatibility version").await?, "1.22.1");
    assert_eq!(check::fact(browser, "Other compatible versions").await?, ">=0.19,<2");
    assert_eq!(check::fact(browser, "MongoDB server version").await?, info.get_str("version")?);
    assert!(check::fact(browser, "Enterprise version").await?.starts_with("2."));
    assert_eq!(check::chart(browser).await?, CHART);
    let health = tests::http::get(&format!("{}/healthz", app.address), &[]).await?;
    let verdict: serde_json::Value = serde_json::from_slice(&health.body)?;
    let sentence = browser.find("//*[@aria-label='Verdict']//span").await?.text().await?;
    assert_eq!(json!(sentence), verdict["sentence"]);
    Ok(())
}

/// Keeps what the page looks like in `target/screenshots`.
async fn screenshot(browser: &Browser, name: &str) -> Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name).with_extension("png"), browser.screenshot().await?)?;
    Ok(())
}
