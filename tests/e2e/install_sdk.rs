//! Copying the commands that install the SDK, with a token that stays in the page.

use anyhow::Result;
use serde_json::json;
use tests::browser::Scripts;
use tests::{App, Browser};

#[tokio::test]
async fn commands_are_copied_with_the_token_that_was_pasted_and_it_goes_nowhere() -> Result<()> {
    let app = App::start().await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.open_live(&format!("{}/sdk?version=2.16.0", app.address)).await?;
    // What the page hands to the clipboard, and whatever it asks of the server from now on.
    browser
        .run(
            "Object.defineProperty(navigator, 'clipboard', \
                 { value: { writeText: async (it) => { window.copied = it } } }); \
             performance.clearResourceTimings()",
        )
        .await?;
    let pip = "//*[@class='command'][.//button[@aria-label='Copy for pip']]";
    let command = "pip install --index-url https://${TOKEN}@pypi.fiftyone.ai fiftyone==2.16.0";
    browser.find(&format!("{pip}//button")).await?.click().await?;
    browser.wait_for(&format!("{pip}//*[@role='status']"), |it| it == "Copied").await?;
    assert_eq!(browser.run("return window.copied").await?, json!(command));

    let field = browser.find("//*[@id='token']").await?;
    field.send_keys("a b/c").await?;
    let filled = command.replace("${TOKEN}", "a%20b%2Fc");
    browser.wait_for(&format!("{pip}//code"), |it| it == filled).await?;
    // What was copied is another one by now.
    browser.wait_for(&format!("{pip}//*[@role='status']"), str::is_empty).await?;
    browser.find(&format!("{pip}//button")).await?.click().await?;
    browser.wait_for(&format!("{pip}//*[@role='status']"), |it| it == "Copied").await?;
    assert_eq!(browser.run("return window.copied").await?, json!(filled));
    browser.click("Show token").await?;
    assert_eq!(field.attr("type").await?.as_deref(), Some("text"));
    let asked = "return performance.getEntriesByType('resource').map((it) => it.name)";
    assert_eq!(browser.run(asked).await?, json!([]));
    // The browser would rather have the token in a form, which could be sent.
    let complaints = browser.complaints().await?.into_iter();
    let others = complaints.filter(|it| !it.contains("Password field is not contained in a form"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
    browser.close().await?;
    app.stop().await
}
