//! Seeing what would become of a dataset, in a browser.

use anyhow::Result;
use bson::{Document, doc};
use tests::browser::{Device, Scheme, Scripts};
use tests::{App, Browser, check};

#[tokio::test]
async fn a_dataset_is_seen_before_and_after_and_each_change_leads_to_the_next() -> Result<()> {
    let app = App::start().await?;
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let cats = datasets.find_one(doc! { "name": "cats" }).await?.unwrap_or_default();
    let address = format!("{}/datasets/{}?to=1.22.1", app.address, cats.get_object_id("_id")?);
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    for device in [Device::Desktop, Device::Phone] {
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.pretend(device, scheme).await?;
            browser.open(&address).await?;
            browser.wait_for("//h1", |it| it == "cats").await?;
            check::accessible(&browser).await?;
            check::fits(&browser).await?;
        }
    }
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.press("//a[text()='First change']").await?;
    let next = "//*[@id='change-1']//a[@aria-label='Next change']";
    browser.press(next).await?;
    let at = browser.run("return document.querySelector(':target').id").await?;
    assert_eq!(at, "change-2");
    browser.close().await?;
    app.stop().await
}
