//! The list of datasets: what is found is what there is, it is not long out of date, and what was selected stays selected.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::ensure;
use bson::{DateTime, Document, doc, oid::ObjectId};
use engine::{Engine, Error, JobState};
use model::{
    Approval, CheckResult, DatasetPage, DatasetQuery, DatasetRow, Outlook, PlanQuestion, PlanScope,
};
use tests::{Deployment, Dice, NEWEST, console, image_dataset, image_samples, ready};

const VERSIONS: [Option<&str>; 6] =
    [Some("1.12.0"), Some("1.12.1"), Some(NEWEST), Some("99.0.0"), Some("banana"), None];
const MEDIA: [Option<&str>; 4] = [Some("image"), Some("video"), Some("group"), None];
const WORDS: [&str; 8] = ["Cats", "dogs", "birds", "Street", "scene", "train", "TEST", "ümlaut"];
const KINDS: [&str; 8] =
    ["samples", "samples", "samples", "samples", "samples", "patches", "clips", "patches.frames"];

/// The document of a dataset that somebody could have.
fn dataset(dice: &mut Dice, number: u64) -> Document {
    let id = ObjectId::new();
    let mut document = doc! {
        "_id": id,
        "sample_collection_name": format!("{}.{id}", dice.pick(&KINDS).unwrap()),
        "persistent": dice.percent(80),
        "sample_fields": vec![doc! { "name": "id" }; usize::try_from(dice.within(0..4)).unwrap()],
    };
    if !dice.percent(1) {
        let (first, second) = (dice.pick(&WORDS).unwrap(), dice.pick(&WORDS).unwrap());
        document.insert("name", format!("{first}-{second}-{number}"));
    }
    document.extend(dice.pick(&VERSIONS).unwrap().map(|it| ("version".to_owned(), it.into())));
    document.extend(dice.pick(&MEDIA).unwrap().map(|it| ("media_type".to_owned(), it.into())));
    if dice.percent(30) {
        let tag = format!("tag {}", dice.within(0..5));
        document.insert("tags", vec![tag, "all".to_owned()]);
    }
    if dice.percent(70) {
        let ms = i64::try_from(dice.within(1..1_700_000_000_000)).unwrap();
        document.insert("last_modified_at", DateTime::from_millis(ms));
    }
    document
}

/// What a query asks for, said once more: whether a document has it.
fn has(document: &Document, key: &str, value: &str) -> bool {
    let text = |key: &str| document.get_str(key).ok();
    let kind = text("sample_collection_name").unwrap().split('.').next().unwrap();
    let kind = Some(kind).filter(|it| *it != "samples");
    let is_told = |found: Option<&str>| found.unwrap_or("none") == value;
    match key {
        "q" => {
            // One without a name is called by its id.
            let id = document.get_object_id("_id").unwrap().to_hex();
            text("name").unwrap_or(&id).to_lowercase().contains(&value.to_lowercase())
        }
        "version" => is_told(text("version")),
        "media" => is_told(text("media_type")),
        "private" => is_told(kind),
        "persistent" => document.get_bool("persistent").unwrap() == (value == "yes"),
        "needs" => (text("version") != Some(NEWEST)) == (value == "yes"),
        "tag" => document.get_array("tags").is_ok_and(|it| it.contains(&value.into())),
        "tab" => {
            let named = text("name").is_some() && text("version").is_some();
            match value {
                "private" => kind.is_some(),
                "incomplete" => kind.is_none() && !named,
                _ => kind.is_none() && named,
            }
        }
        other => panic!("{other}"),
    }
}

/// A query as pairs, drawn by lot.
fn drawn(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let tab = *dice.pick(&["datasets", "private", "incomplete"]).unwrap();
    let mut pairs = vec![("tab", tab.to_owned())];
    let mut maybe = |key: &'static str, values: &[&str]| {
        if dice.percent(30) {
            pairs.push((key, (*dice.pick(values).unwrap()).to_owned()));
        }
    };
    maybe("q", &["cat", "S-T", "ÜM", "1", "-77"]);
    maybe("version", &["1.12.0", NEWEST, "banana", "none"]);
    maybe("media", &["image", "group", "none"]);
    maybe("persistent", &["yes", "no"]);
    maybe("needs", &["yes", "no"]);
    maybe("tag", &["all", "tag 3", "tag 9"]);
    if tab == "private" {
        maybe("private", &["clips", "patches"]);
    }
    pairs
}

async fn page(engine: &Engine, query: &str) -> DatasetPage {
    engine.dataset_page(&console(), &DatasetQuery::parse(query)).await.unwrap()
}

async fn rows(engine: &Engine, query: &str) -> Vec<DatasetRow> {
    let export = engine.export_datasets(&console(), &DatasetQuery::parse(query)).await.unwrap();
    export.rows(0, export.len()).collect()
}

/// The names on the first page, once it shows this.
async fn until(engine: &Engine, query: &str, names: &[&str]) {
    ready::wait_for(&format!("{query} to show {names:?}"), async || {
        let found = page(engine, query).await.found;
        let shown: Vec<&str> = found.rows.iter().map(DatasetRow::label).collect();
        ensure!(shown == names, "it shows {shown:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn of_a_hundred_thousand_those_are_found_that_have_all_that_is_asked_for() {
    let mut dice = Dice::cast();
    let deployment = Deployment::at(NEWEST).await;
    let documents: Vec<Document> = (0..100_000).map(|number| dataset(&mut dice, number)).collect();
    deployment.plant("datasets", documents.clone()).await;
    let engine = deployment.engine().await;
    let begun = Instant::now();
    assert_eq!(page(&engine, "").await.all, 100_000);
    println!("read after {:?}", begun.elapsed());
    for _ in 0..12 {
        let pairs = drawn(&mut dice);
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        let text = text.extend_pairs(&pairs).finish();
        let wanted: BTreeSet<String> = documents
            .iter()
            .filter(|it| pairs.iter().all(|(key, value)| has(it, key, value)))
            .map(|it| it.get_object_id("_id").unwrap().to_hex())
            .collect();
        let begun = Instant::now();
        let page = page(&engine, &text).await;
        println!("{text}: {} in {:?}", page.found.count, begun.elapsed());
        let found: BTreeSet<String> =
            rows(&engine, &text).await.into_iter().map(|it| it.id).collect();
        assert_eq!(found.len(), wanted.len(), "{text}");
        assert!(found == wanted, "{text}");
        assert_eq!(page.found.count, u64::try_from(wanted.len()).unwrap(), "{text}");
        assert_eq!(page.found.rows.len(), wanted.len().min(100), "{text}");
    }
    // Whatever a tab does not have, the others do.
    let tabs = page(&engine, "").await.found.tabs;
    assert_eq!(tabs.iter().map(|(_, count)| count).sum::<u64>(), 100_000);
}

#[tokio::test]
async fn what_is_inserted_renamed_or_deleted_is_soon_seen_and_looking_writes_nothing() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["cats", "dogs"].map(image_dataset)).await;
    let engine = deployment.engine().await;
    let before = deployment.dump().await;
    until(&engine, "", &["cats", "dogs"]).await;
    assert_eq!(before, deployment.dump().await);
    let datasets = deployment.collection("datasets");
    datasets.insert_one(image_dataset("birds")).await.unwrap();
    until(&engine, "", &["birds", "cats", "dogs"]).await;
    let renamed = doc! { "$set": { "name": "apes" } };
    datasets.update_one(doc! { "name": "dogs" }, renamed).await.unwrap();
    until(&engine, "sort=-name", &["cats", "birds", "apes"]).await;
    datasets.delete_one(doc! { "name": "cats" }).await.unwrap();
    until(&engine, "", &["apes", "birds"]).await;
    assert_eq!(rows(&engine, "q=AP").await.len(), 1);
}

#[tokio::test]
async fn what_a_migration_does_is_looked_up_and_looked_up_again_when_something_has_changed() {
    let deployment = Deployment::at("0.18.0").await;
    let mut broken = image_dataset("broken");
    broken.insert("sample_fields", 7);
    let mut stamped = image_dataset("stamped");
    stamped.insert("version", "1.22.0");
    let mut newest = image_dataset("newest");
    newest.insert("version", NEWEST);
    let crossing = image_dataset("crossing");
    let samples = crossing.get_str("sample_collection_name").unwrap().to_owned();
    deployment.plant("datasets", [broken, stamped, newest, crossing]).await;
    deployment.plant(&samples, image_samples(3)).await;
    let engine = deployment.engine().await;
    ready::wait_for("everything to be looked at", async || {
        let page = page(&engine, "").await;
        let counted = page.found.rows.iter().all(|it| it.samples.is_some());
        ensure!(page.looked_at == 4 && counted, "{} are", page.looked_at);
        Ok(())
    })
    .await
    .unwrap();
    let found = rows(&engine, "").await;
    let of = |name: &str| found.iter().find(|it| it.label() == name).unwrap();
    assert_eq!(of("newest").outlook, Outlook::Stays);
    assert_eq!(of("stamped").outlook, Outlook::Stamp);
    assert!(matches!(of("crossing").outlook, Outlook::Crosses { revisions: 1.. }));
    let Outlook::Blocked { reason } = &of("broken").outlook else {
        panic!("{:?}", of("broken").outlook)
    };
    assert!(reason.starts_with("cannot cross v"), "{reason}");
    assert_eq!((of("crossing").samples, of("newest").samples), (Some(3), Some(0)));
    let blocked = rows(&engine, "blocked=yes").await;
    assert_eq!(blocked.iter().map(DatasetRow::label).collect::<Vec<_>>(), ["broken"]);

    let mended = doc! { "$set": { "sample_fields": [] } };
    deployment.collection("datasets").update_one(doc! { "name": "broken" }, mended).await.unwrap();
    until(&engine, "blocked=yes", &[]).await;
    until(&engine, "blocked=no", &["broken", "crossing", "newest", "stamped"]).await;
}

#[tokio::test]
async fn what_was_selected_stays_selected_however_the_datasets_change() {
    let deployment = Deployment::at("0.18.0").await;
    let names = ["cats one", "cats two", "cats three", "dogs"];
    deployment.plant("datasets", names.map(image_dataset)).await;
    let engine = deployment.engine().await;
    let cats = DatasetQuery::parse("q=CATS&page=4");
    let selection = engine.select(&console(), &cats, None).await.unwrap();
    assert_eq!((selection.datasets, selection.query.as_deref()), (3, Some("q=CATS")));
    assert!(selection.expires.is_some() && selection.by == engine::operator());

    let datasets = deployment.collection("datasets");
    datasets.insert_one(image_dataset("cats four")).await.unwrap();
    datasets.delete_one(doc! { "name": "cats one" }).await.unwrap();
    let renamed = doc! { "$set": { "name": "lions" } };
    datasets.update_one(doc! { "name": "cats two" }, renamed).await.unwrap();

    let question = PlanQuestion {
        scope: PlanScope::Selection,
        selection: selection.id.clone(),
        ..PlanQuestion::default()
    };
    let plan = engine.preview(&console(), &question).await.unwrap();
    assert_eq!(plan.datasets, 2);
    assert_eq!(plan.groups[0].datasets, ["cats three", "lions"]);
    let check = plan.checks.iter().find(|it| it.subject == "Selection").unwrap();
    assert_eq!(check.result, CheckResult::Caution);
    assert!(check.evidence.contains("1 of them is gone: cats one"), "{}", check.evidence);

    let approval = Approval { run: plan.run.clone(), hash: plan.hash, typed: String::new() };
    engine.start(&console(), &question, &approval, None).await.unwrap();
    assert_eq!(engine.selection(&console(), &selection.id).await.unwrap().expires, None);
    assert_eq!(engine.run(&plan.run).await.unwrap().asked, "a selection of 3 datasets");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let attending = tokio::spawn(engine.clone().attend(async { drop(stopped.await) }));
    ready::wait_for("the run to be completed", async || {
        let state = engine.run(&plan.run).await?.state;
        ensure!(state == JobState::Completed, "it is {state}");
        Ok(())
    })
    .await
    .unwrap();
    stop.send(()).unwrap();
    attending.await.unwrap();
    for (name, version) in
        [("cats three", NEWEST), ("lions", NEWEST), ("cats four", "0.18.0"), ("dogs", "0.18.0")]
    {
        assert_eq!(deployment.version_of(name).await, version.into(), "{name}");
    }
}

#[tokio::test]
async fn a_selection_of_some_is_of_those_and_one_that_is_not_kept_says_so() {
    let deployment = Deployment::at("0.18.0").await;
    let documents = ["cats", "dogs"].map(image_dataset);
    let cats = documents[0].get_object_id("_id").unwrap().to_hex();
    deployment.plant("datasets", documents).await;
    let engine = deployment.engine().await;
    let all = DatasetQuery::parse("");
    let ids = [cats, "no such dataset".to_owned()];
    let some = engine.select(&console(), &all, Some(&ids)).await.unwrap();
    assert_eq!((some.datasets, some.query), (1, None));
    for (ids, why) in [(&[][..], "no dataset is checked"), (&ids[1..], "none of these datasets")] {
        let refused = engine.select(&console(), &all, Some(ids)).await.unwrap_err().to_string();
        assert!(refused.starts_with(why), "{refused}");
    }
    let nothing = DatasetQuery::parse("q=horses");
    let refused = engine.select(&console(), &nothing, None).await.unwrap_err().to_string();
    assert!(refused.starts_with("nothing was found"), "{refused}");

    // Another deployment with the same runs' database has nothing to do with it.
    let other = Deployment::at("0.18.0").await.engine().await;
    let long_ago = doc! { "$set": { "expires": DateTime::from_millis(0) } };
    let is_gone = async |engine: &Engine, id: &str| {
        let refused = engine.selection(&console(), id).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Refused(why) if why.contains("select the datasets again"))
        );
    };
    is_gone(&other, &some.id).await;
    is_gone(&engine, "7").await;
    assert!(engine.selection(&console(), &some.id).await.is_ok());
    let id = ObjectId::parse_str(&some.id).unwrap();
    let selections = deployment.jobs().collection::<Document>("dataset_selections");
    selections.update_one(doc! { "_id": id }, long_ago).await.unwrap();
    is_gone(&engine, &some.id).await;
}
