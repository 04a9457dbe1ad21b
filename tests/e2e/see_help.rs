//! Reading what a page and its words mean.

use anyhow::{Context, Result, ensure};
use tests::browser::{Browser, Scripts};
use tests::{App, ready};

#[tokio::test]
async fn a_page_leads_to_what_is_said_of_it_and_from_there_to_what_its_words_mean() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    // Scripts leave the address as it came.
    for (path, section) in [("/", "overview"), ("/datasets", "datasets"), ("/runs", "runs")] {
        browser.open_live(&format!("{}{path}", app.address)).await?;
        let link = browser.find("//header//a[normalize-space()='Help']").await?;
        let leads = link.attr("href").await?.context("it leads nowhere")?;
        assert_eq!(leads, format!("/help#{section}"));
    }
    browser.press("//header//a[normalize-space()='Help']").await?;
    browser.wait_for("//h1", |it| it == "Help").await?;
    is_at(&browser, "runs").await?;
    browser.press("//section[@aria-labelledby='runs']//a[normalize-space()='One run']").await?;
    is_at(&browser, "run").await?;
    browser.press("//nav//a[normalize-space()='Undo journal']").await?;
    is_at(&browser, "word-journal").await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}

/// Waits until the browser shows this section.
async fn is_at(browser: &Browser, section: &str) -> Result<()> {
    ready::wait_for(section, async || {
        let at = browser.run("return document.querySelector(':target')?.id ?? ''").await?;
        ensure!(at == section, "it is at {at}");
        Ok(())
    })
    .await
}
