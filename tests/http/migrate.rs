//! Planning and starting a migration in the web app, without scripts.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use anyhow::Result;
use bson::doc;
use engine::JobState;
use http::StatusCode;
use tests::{App, http::Answer, ready};

/// Looks at a page of the app.
async fn see(app: &App, path: &str) -> Result<Answer> {
    let headers = [
        ("accept", "text/html"),
        ("cookie", app.admin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    tests::http::get(&format!("{}{path}", app.address), &headers).await
}

/// Sends a form of the app, as a browser does without scripts.
async fn send(app: &App, fields: &[(&str, &str)]) -> Result<Answer> {
    let page = format!("{}/migrate?scope=everything", app.address);
    let headers = [
        ("accept", "text/html"),
        ("origin", app.address.as_str()),
        ("referer", page.as_str()),
        ("cookie", app.admin.as_str()),
    ];
    tests::http::post(&format!("{}/api/start_migration", app.address), &headers, fields).await
}

/// The value of a hidden field of a page.
fn field(page: &str, name: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\""))
        .unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

/// The fields that start what a page shows.
fn fields<'a>(run: &'a str, hash: &'a str, to: &'a str, typed: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("question[scope]", "everything"),
        ("question[destination]", to),
        ("question[datasets]", ""),
        ("approval[run]", run),
        ("approval[hash]", hash),
        ("approval[typed]", typed),
    ]
}

fn location(answer: &Answer) -> String {
    let location = answer.headers.get("location").unwrap_or_else(|| panic!("{}", answer.text()));
    location.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_plan_is_a_page_that_is_complete_without_scripts_and_writes_nothing() -> Result<()> {
    let app = App::migrating().await?;
    let form = see(&app, "/migrate").await?.text();
    for it in [
        "1.22.1 (Enterprise 2.22.1, inferred)",
        "the database is here",
        "Some datasets, by name",
        "Show the plan",
    ] {
        assert!(form.contains(it), "no {it} in {form}");
    }
    assert!(!form.contains("The plan</h2>"), "nothing was asked for: {form}");

    let answer = see(&app, "/migrate?scope=everything&destination=1.22.1&other=&datasets=").await?;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text();
    for it in [
        "The database goes up from 0.21.2 to 1.22.1, and 3 datasets are migrated.",
        "2 datasets go up to 1.22.1 across",
        "1 dataset stays as it is",
        "cats",
        "FIFTYONE_DATABASE_ADMIN is true",
        "no dataset is blocked",
        "Migrate the database and 3 datasets to 1.22.1",
    ] {
        assert!(page.contains(it), "no {it} in {page}");
    }
    assert!(!page.contains("approval[typed]"), "nothing is to be typed for this: {page}");
    assert_eq!(app.engine().runs().await?, []);

    let some =
        see(&app, "/migrate?scope=datasets&other=enterprise%3A2.1.0&datasets=cats%0D%0Adogs")
            .await?;
    let some = some.text();
    assert!(some.contains("2 datasets are migrated to 1.0.0."), "{some}");
    assert!(
        some.contains("the database is at 0.21.2, and the datasets would be at 1.0.0"),
        "{some}"
    );
    app.stop().await
}

#[tokio::test]
async fn what_makes_no_sense_is_told_in_a_sentence() -> Result<()> {
    let app = App::migrating().await?;
    for (query, sentence) in [
        ("scope=everything&other=banana", "`banana` is not a version"),
        ("scope=datasets&datasets=cat", "dataset `cat` not found; did you mean `cats`?"),
        ("scope=datasets", "no dataset is named"),
        ("scope=moon", "`moon` is no scope"),
        ("scope=everything&other=1.99.0", "the newest version this program knows is v1.22.1"),
    ] {
        let page = see(&app, &format!("/migrate?{query}")).await?.text();
        assert!(page.contains(sentence), "{query}: no {sentence} in {page}");
        assert!(!page.contains("approval[run]"), "{query} can be started: {page}");
    }
    app.stop().await
}

#[tokio::test]
async fn starting_a_plan_twice_is_one_run_and_a_server_carries_it_out() -> Result<()> {
    let app = App::migrating().await?;
    let page = see(&app, "/migrate?scope=everything&destination=1.22.1").await?.text();
    let (run, hash) = (field(&page, "approval[run]"), field(&page, "approval[hash]"));
    let form = fields(&run, &hash, "1.22.1", "");
    let (first, second) = tokio::join!(send(&app, &form), send(&app, &form));
    for answer in [first?, second?] {
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        assert_eq!(location(&answer), format!("/runs/{run}"));
    }
    let engine = app.engine();
    ready::wait_for("the run to be completed", async || {
        let run = engine.run(&run).await?;
        anyhow::ensure!(run.state == JobState::Completed, "it is {}", run.state);
        Ok(())
    })
    .await?;
    // Also when everything is where it was to go.
    assert_eq!(location(&send(&app, &form).await?), format!("/runs/{run}"));
    assert_eq!(engine.runs().await?.len(), 1);
    assert_eq!(engine.status().await?.database_version.as_deref(), Some("1.22.1"));
    app.stop().await
}

#[tokio::test]
async fn a_plan_tells_the_very_names_that_datasets_get_and_can_be_started_later() -> Result<()> {
    let app = App::migrating().await?;
    // Both are `street-scenes` in URLs, from 0.19.0 on.
    for (name, collection) in [("Street Scenes", "samples.one"), ("street-scenes", "samples.two")] {
        let dataset = doc! {
            "name": name, "version": "0.18.0", "persistent": true, "media_type": "image",
            "sample_collection_name": collection, "sample_fields": [],
        };
        app.mongo.database().collection("datasets").insert_one(dataset).await?;
    }
    let page = see(&app, "/migrate?scope=everything&destination=1.22.1").await?.text();
    let (run, hash) = (field(&page, "approval[run]"), field(&page, "approval[hash]"));
    let told = page.split_once("-RENAMED-").map(|it| it.1.chars().take(19).collect::<String>());
    let told = told.unwrap_or_else(|| panic!("no name is told: {page}"));
    // The names are made of the time in seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let answer = send(&app, &fields(&run, &hash, "1.22.1", "fiftyone-test")).await?;
    assert_eq!(location(&answer), format!("/runs/{run}"));
    let engine = app.engine();
    ready::wait_for("the run to be completed", async || {
        let run = engine.run(&run).await?;
        anyhow::ensure!(run.state == JobState::Completed, "it is {}", run.state);
        Ok(())
    })
    .await?;
    let names = engine.datasets().await?.into_iter().filter_map(|it| it.name);
    let renamed: Vec<String> = names.filter(|it| it.contains("-RENAMED-")).collect();
    assert_eq!(renamed.len(), 1, "{renamed:?}");
    assert!(renamed[0].ends_with(&format!("-RENAMED-{told}")), "{renamed:?}, told {told}");
    app.stop().await
}

#[tokio::test]
async fn a_downgrade_takes_the_name_of_the_database_and_a_wrong_one_starts_nothing() -> Result<()> {
    let app = App::migrating().await?;
    let page = see(&app, "/migrate?scope=everything&destination=0.18.0").await?.text();
    assert!(page.contains("Type fiftyone-test, the name of the database"), "{page}");
    assert!(page.contains("Downgrade the database and"), "{page}");
    let (run, hash) = (field(&page, "approval[run]"), field(&page, "approval[hash]"));
    for typed in ["", "fiftyone", "yes"] {
        let answer = send(&app, &fields(&run, &hash, "0.18.0", typed)).await?;
        assert_eq!(
            (answer.status, location(&answer).as_str()),
            (
                StatusCode::FOUND,
                "/migrate?scope=everything&destination=0.18.0&not_started=mistyped"
            )
        );
    }
    let again =
        see(&app, "/migrate?scope=everything&destination=0.18.0&not_started=mistyped").await?;
    assert!(again.text().contains("Nothing was started: what was typed"), "{}", again.text());
    assert_eq!(app.engine().runs().await?, []);
    // And the password, once more.
    let form = fields(&run, &hash, "0.18.0", "fiftyone-test");
    let answer = send(&app, &form).await?;
    assert!(location(&answer).ends_with("not_started=unconfirmed"), "{}", location(&answer));
    let wrong = send(&app, &[&form[..], &[("password", "something else")]].concat()).await?;
    let back = location(&wrong).replace(&app.address, "");
    let page = see(&app, &back).await?.text();
    assert!(page.contains("Nothing was started."), "{back}: {page}");
    assert_eq!(app.engine().runs().await?, []);
    let answer = send(&app, &[&form[..], &[("password", tests::PASSWORD)]].concat()).await?;
    assert_eq!(location(&answer), format!("/runs/{run}"));
    app.stop().await
}

#[tokio::test]
async fn a_plan_that_has_changed_since_it_was_shown_is_not_started() -> Result<()> {
    let app = App::migrating().await?;
    let page = see(&app, "/migrate?scope=everything&destination=1.22.1").await?.text();
    let (run, hash) = (field(&page, "approval[run]"), field(&page, "approval[hash]"));
    app.mongo.insert_dataset("late", "0.18.0").await?;
    let answer = send(&app, &fields(&run, &hash, "1.22.1", "")).await?;
    let address = "/migrate?scope=everything&destination=1.22.1&not_started=changed";
    assert_eq!(location(&answer), address);
    assert_eq!(app.engine().runs().await?, []);
    let page = see(&app, address).await?.text();
    assert!(page.contains("the plan has changed since it was shown"), "{page}");
    assert!(page.contains("and 4 datasets are migrated"), "{page}");
    let (run, hash) = (field(&page, "approval[run]"), field(&page, "approval[hash]"));
    assert_eq!(
        location(&send(&app, &fields(&run, &hash, "1.22.1", "")).await?),
        format!("/runs/{run}")
    );
    app.stop().await
}

#[tokio::test]
async fn where_nothing_may_be_migrated_the_plan_says_why_and_nothing_can_be_started() -> Result<()>
{
    let app = App::start().await?;
    let page = see(&app, "/migrate?scope=everything&destination=1.22.1").await?.text();
    assert!(page.contains("and 3 datasets are migrated"), "{page}");
    assert!(page.contains("You cannot start this: nothing may be migrated from here"), "{page}");
    assert!(!page.contains("approval[run]"), "there is a form: {page}");
    let run = "0123456789abcdef01234567";
    let form = fields(run, "a guess", "1.22.1", "fiftyone-test");
    let answer = app.post_as(&app.admin, "/api/start_migration", &form).await?;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("FIFTYONE_DATABASE_ADMIN=true"), "{}", answer.text());
    assert_eq!(app.engine().runs().await?, []);
    app.stop().await
}
