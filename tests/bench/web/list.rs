//! The list of datasets where there are 100,000 of them.

use std::time::Instant;

use anyhow::{Result, ensure};
use bson::{DateTime, Document};
use tests::{App, Dice, image_dataset};

use crate::tell;

const DATASETS: u32 = 100_000;

/// What people ask for, in turn.
const QUERIES: [&str; 10] = [
    "",
    "q=cat",
    "version=0.18.0",
    "sort=-modified",
    "tag=tag+7",
    "sort=version&page=500",
    "state=behind&q=street",
    "page=1000",
    "sort=-size",
    "needs=yes&persistent=yes&media=image",
];

/// Prints how long the first page takes, and those after it; as a page and as an answer to scripts.
pub async fn measure() -> Result<()> {
    let app = App::start().await?;
    plant(&app).await?;
    let begun = Instant::now();
    ask(&app, "/datasets").await?;
    tell("list of 100,000 datasets, the very first page after a start", vec![begun.elapsed()]);
    for (what, path) in [("page", "/datasets?"), ("answer to scripts", "/api/datasets?query=")] {
        let mut times = Vec::new();
        for number in 0..300 {
            let query = QUERIES[number % QUERIES.len()];
            let query = match what {
                "page" => query.to_owned(),
                _ => url::form_urlencoded::byte_serialize(query.as_bytes()).collect(),
            };
            let begun = Instant::now();
            ask(&app, &format!("{path}{query}")).await?;
            times.push(begun.elapsed());
        }
        tell(&format!("list of 100,000 datasets, {what}"), times);
    }
    app.stop().await
}

async fn ask(app: &App, path: &str) -> Result<()> {
    let answer = app.get(path).await?;
    ensure!(answer.status.is_success(), "{path}: {}", answer.status);
    Ok(())
}

async fn plant(app: &App) -> Result<()> {
    let mut dice = Dice::of(1);
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let mut left = DATASETS;
    while left > 0 {
        let chunk = left.min(5_000);
        let documents: Vec<Document> =
            (left - chunk..left).map(|it| dataset(it, &mut dice)).collect();
        datasets.insert_many(&documents).await?;
        left -= chunk;
    }
    Ok(())
}

fn dataset(number: u32, dice: &mut Dice) -> Document {
    let words = ["cats", "Street scene", "trains"];
    let word = dice.pick(&words).copied().unwrap_or_default();
    let mut document = image_dataset(&format!("{word} {number:06}"));
    document.insert("slug", format!("s{number}"));
    document.insert("tags", vec![format!("tag {}", dice.within(0..20))]);
    let version = dice.pick(&["0.18.0", "1.22.0", "1.22.1", "1.22.1"]).copied();
    document.insert("version", version);
    let changed = 1_600_000_000_000 + i64::from(number) * 7_919_000;
    document.insert("last_modified_at", DateTime::from_millis(changed));
    document
}
