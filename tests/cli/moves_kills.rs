//! `import`, killed at any moment: a dataset is there whole or not at all, and what was cut off is removed by the next one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, time::Duration};

use bson::{Document, doc};
use tempfile::TempDir;
use tests::{Deployment, Dice, NEWEST, program};

/// How often a program is killed while it imports.
const KILLS: u32 = 50;

/// How many samples an export has, and how many temporal tags.
const SAMPLES: usize = 6_000;
const TAGS: usize = 500;

fn export() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let metadata = format!(
        r#"{{"name": "large", "slug": "large", "version": "{NEWEST}", "media_type": "image", "sample_collection_name": "samples.x",
            "sample_fields": [], "frame_fields": [], "tags": [], "app_config": {{}},
            "saved_views": [{{"_id": {{"$oid": "{:024x}"}}, "name": "v", "slug": "v", "view_stages": []}}]}}"#,
        7
    );
    write("metadata.json", metadata);
    let samples = (0..SAMPLES).map(|it| {
        format!(r#"{{"_id": {{"$oid": "{it:024x}"}}, "filepath": "/{it}.png", "tags": []}}"#)
    });
    write("samples.json", format!(r#"{{"samples": [{}]}}"#, samples.collect::<Vec<_>>().join(",")));
    let tags = (0..TAGS).map(|it| {
        format!(r#"{{"sample_id": "{it:024x}", "start": 0, "end": {}, "tag": "x"}}"#, it + 1)
    });
    write("tags.json", format!(r#"{{"tags": [{}]}}"#, tags.collect::<Vec<_>>().join(",")));
    folder
}

/// Everything that imports make, by collection.
async fn made(deployment: &Deployment) -> [usize; 4] {
    let names = deployment.database.list_collection_names().await.unwrap();
    let samples = names.iter().filter(|it| it.starts_with("samples.")).count();
    let mut counts = [samples, 0, 0, 0];
    for (count, name) in counts.iter_mut().skip(1).zip(["datasets", "views", "tags"]) {
        *count = deployment.all(name).await.len();
    }
    counts
}

/// Insists that whatever can be seen is whole. Returns how many datasets there are.
async fn whole(deployment: &Deployment) -> usize {
    let datasets = deployment.all("datasets").await;
    for it in &datasets {
        let samples = deployment.collection(it.get_str("sample_collection_name").unwrap());
        let tags = deployment.collection("tags");
        let own = doc! { "_dataset_id": it.get_object_id("_id").unwrap() };
        let found = (
            samples.count_documents(doc! {}).await.unwrap(),
            tags.count_documents(own.clone()).await.unwrap(),
            deployment.collection("views").count_documents(own).await.unwrap(),
        );
        assert_eq!(found, (SAMPLES as u64, TAGS as u64, 1), "half of it can be seen: {it}");
    }
    datasets.len()
}

#[tokio::test]
async fn an_import_that_is_killed_at_any_moment_is_whole_or_leaves_nothing() {
    let mut dice = Dice::cast();
    let deployment = Deployment::at(NEWEST).await;
    let folder = export();
    let importing = |name: String| {
        deployment.led_by(program!(["import", folder.path().to_str().unwrap(), "--name", &name]))
    };
    let before = made(&deployment).await;
    let mut in_the_middle = 0;
    for round in 0..KILLS {
        let running = importing(format!("large {round}")).spawn();
        let enough = dice.within(0..SAMPLES as u64 + 1_000);
        let more = Duration::from_millis(dice.within(0..60));
        let imports = deployment.jobs().collection::<Document>("imports");
        let moment = async {
            // Where it writes is on record before anything is written.
            let ours = doc! { "database": deployment.database.name(), "ended": null, "name": format!("large {round}") };
            let record = loop {
                if let Some(it) = imports.find_one(ours.clone()).await.unwrap() {
                    break it;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            let name = record.get_array("collections").unwrap()[0].as_str().unwrap().to_owned();
            let samples = deployment.collection(&name);
            let since = tokio::time::Instant::now();
            while samples.estimated_document_count().await.unwrap() < enough
                && since.elapsed() < Duration::from_millis(500)
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(more).await;
        };
        running.killed_at(moment).await;
        let there = whole(&deployment).await;
        let [collections, ..] = made(&deployment).await;
        in_the_middle += u32::from(collections > there);
    }
    assert!(in_the_middle > KILLS / 10, "it was killed in the middle {in_the_middle} times only");
    importing("last".to_owned()).run().await.exits_with(0);
    let there = whole(&deployment).await;
    let expected = [before[0] + there, there, before[2] + there, before[3] + there * TAGS];
    assert_eq!(made(&deployment).await, expected, "something is left");
    assert!(
        deployment
            .all("datasets")
            .await
            .iter()
            .any(|it| it.get_str("name").is_ok_and(|it| it == "last"))
    );
}
