//! What pages weigh, and how they feel in a browser whose processor is four times slower.

use anyhow::Result;
use serde_json::Value;
use tests::browser::Scripts;
use tests::{App, Browser, image_dataset};

use crate::say;

/// The pages that scripts take over.
const PAGES: [&str; 4] = ["/", "/datasets", "/runs", "/sdk"];

/// How much slower the processor pretends to be.
const SLOWER: f64 = 4.0;

/// What the browser says of the page it shows, in milliseconds and shares.
const VITALS: &str = "
    const seen = (type) => new Promise((resolve) => {
        const entries = [];
        new PerformanceObserver((list) => entries.push(...list.getEntries())).observe({ type, buffered: true });
        setTimeout(() => resolve(entries), 500);
    });
    const [paints, shifts] = await Promise.all([seen('largest-contentful-paint'), seen('layout-shift')]);
    return {
        lcp: paints.length ? paints[paints.length - 1].startTime : null,
        cls: shifts.reduce((sum, it) => sum + (it.hadRecentInput ? 0 : it.value), 0),
        bytes: performance.getEntriesByType('resource').reduce((sum, it) => sum + it.encodedBodySize, 0)
            + performance.getEntriesByType('navigation')[0].encodedBodySize,
    }";

/// How long the browser took from a click to what it shows after it, at most.
const CLICK: &str = "
    await new Promise((resolve) => setTimeout(resolve, 500));
    return window.slow.length ? Math.max(...window.slow) + ' ms' : 'less than 16 ms'";

/// Begins to note what takes longer than a frame: of what was before, the browser keeps only what took 104 ms.
const NOTE: &str = "
    window.slow = [];
    new PerformanceObserver((list) =>
        window.slow.push(...list.getEntries().map((it) => it.duration)))
        .observe({ type: 'event', durationThreshold: 16 })";

/// How long each frame took while the page was scrolled from its top to its end.
const SCROLL: &str = "
    const frames = [];
    let last = null;
    await new Promise((resolve) => {
        const step = (now) => {
            if (last !== null) frames.push(now - last);
            last = now;
            window.scrollBy(0, 60);
            const page = document.documentElement;
            const end = page.scrollTop + page.clientHeight >= page.scrollHeight - 1;
            if (end || frames.length >= 600) resolve(); else requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    });
    frames.sort((a, b) => a - b);
    const at = (share) => frames[Math.floor((frames.length - 1) * share)];
    return `${frames.length} frames, p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, `
        + `${frames.filter((it) => it > 17.5).length} of them longer than one of 16.7 ms`";

/// Prints the figures of each page.
pub async fn measure() -> Result<()> {
    let app = App::start().await?;
    let datasets = app.mongo.database().collection("datasets");
    let many = (0..300).map(|it| {
        let mut dataset = image_dataset(&format!("Street scene {it:03}"));
        dataset.insert("slug", format!("s{it}"));
        dataset
    });
    datasets.insert_many(many).await?;
    let browser = Browser::start(Scripts::On).await?;
    browser.be(&app.address, &app.admin).await?;
    browser.slow_down(SLOWER).await?;
    for page in PAGES {
        browser.open_live(&format!("{}{page}", app.address)).await?;
        let vitals = browser.run(VITALS).await?;
        let figure = |name: &str| vitals.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        say(
            &format!("page {page}, processor {SLOWER} times slower"),
            format!(
                "largest paint {:.0} ms, layout shift {:.3}, {:.0} bytes in all",
                figure("lcp"),
                figure("cls"),
                figure("bytes")
            ),
        );
    }
    browser.open_live(&app.address).await?;
    browser.run(NOTE).await?;
    browser.click("Refresh").await?;
    say("click on Refresh, to the next paint", browser.run(CLICK).await?);
    browser.open_live(&format!("{}/datasets", app.address)).await?;
    say("scrolling 100 rows", browser.run(SCROLL).await?);
    browser.close().await?;
    app.stop().await
}
