//! What a person would look for on a page.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::browser::Browser;
use crate::ready;

/// The value that stands beside `name` in a list of facts.
pub async fn fact(browser: &Browser, name: &str) -> Result<String> {
    let value = browser.find(&format!("//dt[normalize-space()='{name}']/../dd")).await?;
    Ok(value.text().await?)
}

/// What the datasets' chart says to somebody who does not see it.
pub async fn chart(browser: &Browser) -> Result<String> {
    let chart = browser.find("//*[name()='svg'][@role='group']").await?;
    chart.attr("aria-label").await?.context("the chart has no words")
}

/// Waits until the chart says `expected`.
pub async fn chart_becomes(browser: &Browser, expected: &str) -> Result<()> {
    let ask = || async {
        let said = chart(browser).await?;
        ensure!(said == expected, "it says `{said}`");
        Ok(())
    };
    ready::wait_for(&format!("the chart to say `{expected}`"), ask).await
}

/// Fails if axe-core finds anything wrong with the page. `AXE_JS` names its `axe.min.js`.
pub async fn accessible(browser: &Browser) -> Result<()> {
    let path: PathBuf = std::env::var_os("AXE_JS")
        .context("set AXE_JS to the `axe.min.js` of axe-core (npm)")?
        .into();
    let axe = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read axe-core from `{}`", path.display()))?;
    browser.run(&axe).await?;
    let found = browser
        .run(
            "const { violations, passes } = await window.axe.run(document); \
             if (passes.length === 0) return 'axe checked nothing'; \
             return violations.map((it) => `${it.id}: ${it.nodes.map((it) => it.html)}`)",
        )
        .await?;
    ensure!(found == json!([]), "axe-core found {found:#}");
    Ok(())
}

/// Fails if the page is wider than the screen.
pub async fn fits(browser: &Browser) -> Result<()> {
    let overflow = browser
        .run(
            "const page = document.documentElement; \
             if (page.scrollWidth <= page.clientWidth) return []; \
             const wide = (it) => it.getBoundingClientRect().right > page.clientWidth; \
             return [...document.querySelectorAll('main *, header *')].filter(wide) \
                 .map((it) => it.outerHTML.slice(0, 200))",
        )
        .await?;
    ensure!(overflow == json!([]), "these are wider than the screen: {overflow:#}");
    Ok(())
}
