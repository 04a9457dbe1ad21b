//! The page of one dataset, and its documents as a file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use anyhow::Result;
use bson::{Document, doc};
use engine::JobState;
use http::StatusCode;
use model::{Action, Principal, Role};
use tests::{App, ready};

async fn id_of(app: &App, name: &str) -> String {
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let found = datasets.find_one(doc! { "name": name }).await.unwrap().unwrap();
    found.get_object_id("_id").unwrap().to_hex()
}

/// A field with a name that FiftyOne needs for itself from 1.0.0 on.
async fn clash(app: &App, name: &str) {
    let field =
        doc! { "name": "created_at", "ftype": "fiftyone.core.fields.StringField", "fields": [] };
    let change = doc! { "$push": { "sample_fields": field } };
    let datasets = app.mongo.database().collection::<Document>("datasets");
    datasets.update_one(doc! { "name": name }, change).await.unwrap();
}

fn has(page: &str, what: &[&str]) {
    for it in what {
        assert!(page.contains(it), "no {it} in {page}");
    }
}

#[tokio::test]
async fn the_page_shows_before_and_after_and_the_way_to_plan_it() -> Result<()> {
    let app = App::start().await?;
    let id = id_of(&app, "cats").await;
    let answer = app.get(&format!("/datasets/{id}")).await?;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text();
    has(
        &page,
        &[
            "<h1>cats</h1>",
            "What becomes of it at 0.21.2",
            "It goes up from 0.18.0 to 0.21.2 across 2 revisions (0.19.0, 0.20.0).",
            "/migrate?scope=datasets&amp;destination=0.21.2&amp;datasets=cats",
            "id=\"change-1\"",
            "href=\"#change-2\"",
            "Dataset document, before",
            "data-effect=\"no_op\"",
            "No run has had to do with it yet.",
        ],
    );
    assert!(!page.contains("__RESOLVED_RESOURCES[1]"), "it is sent twice: {page}");
    let down = app.get(&format!("/datasets/{id}?to=0.15.0")).await?.text();
    has(&down, &["It goes down from 0.18.0 to 0.15.0", "Plan this downgrade"]);
    let wrong = app.get(&format!("/datasets/{id}?to=banana")).await?;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    has(&wrong.text(), &["`banana` is not a version"]);
    app.stop().await
}

#[tokio::test]
async fn what_is_not_there_and_what_one_may_not_see_are_the_same_page() -> Result<()> {
    let app = App::start().await?;
    let member = app.sign_up("bob", Role::Member).await?;
    let id = id_of(&app, "cats").await;
    for path in [
        "/datasets/ID",
        "/datasets/ID?to=1.0.0",
        "/api/dataset?id=ID",
        "/api/datasets/ID/documents",
    ] {
        let nothing = "0123456789abcdef01234567";
        let ask = async |id: &str| app.get_as(&member, &path.replace("ID", id)).await;
        let (hidden, absent) = (ask(&id).await?, ask(nothing).await?);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(absent.status, StatusCode::NOT_FOUND, "{path}");
        // But for what is drawn anew for each answer.
        let same = |text: String, id: &str| {
            let nonce = text.split("nonce=\"").nth(1).and_then(|it| it.split('"').next());
            let text = nonce.map_or_else(|| text.clone(), |it| text.replace(it, "NONCE"));
            text.replace(id, "ID")
        };
        assert_eq!(same(hidden.text(), &id), same(absent.text(), nothing), "{path}");
        assert!(!hidden.text().contains("cats"), "{path}");
    }
    let guest = app.sign_up("eve", Role::Guest).await?;
    let refused = app.get_as(&guest, &format!("/datasets/{id}")).await?;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.text().contains("cats"));
    app.stop().await
}

#[tokio::test]
async fn whoever_may_see_a_blocked_dataset_and_not_mend_it_is_told_what_to_do_without_a_form()
-> Result<()> {
    let app = App::start().await?;
    let member = app.sign_up("bob", Role::Member).await?;
    clash(&app, "birds").await;
    let form = [("to", "person:bob"), ("dataset", "birds"), ("right", "manage")];
    let given = app.post_as(&app.admin, "/api/rights/give", &form).await?;
    assert!(given.status.is_success(), "{}", given.text());
    let address = format!("/datasets/{}", id_of(&app, "birds").await);
    let rename = format!("{address}/rename");
    assert!(app.get(&address).await?.text().contains(&rename));
    let page = app.get_as(&member, &address).await?.text();
    has(&page, &["It is blocked", "Rename the sample field `created_at`"]);
    assert!(!page.contains(&rename), "{page}");
    assert_eq!(app.get_as(&member, &rename).await?.status, StatusCode::FORBIDDEN);
    app.stop().await
}

#[tokio::test]
async fn a_blocked_dataset_shows_why_and_what_to_type() -> Result<()> {
    let app = App::start().await?;
    clash(&app, "birds").await;
    let id = id_of(&app, "birds").await;
    let page = app.get(&format!("/datasets/{id}")).await?.text();
    has(
        &page,
        &[
            "It is blocked",
            "its field `created_at` is of type",
            "Rename the sample field `created_at`, a StringField, to `created_at_own` here",
            "dataset.rename_sample_field(\"created_at\", \"created_at_own\")",
            "Out of reach",
        ],
    );
    assert!(!page.contains("Plan this migration"), "{page}");
    let file = app.get(&format!("/api/datasets/{id}/documents")).await?;
    assert_eq!(file.status, StatusCode::CONFLICT);
    // It can go where nothing is in the way.
    let below = app.get(&format!("/datasets/{id}?to=0.22.0")).await?.text();
    has(&below, &["It goes up from 0.21.2 to 0.22.0, and only its version changes."]);
    app.stop().await
}

#[tokio::test]
async fn the_documents_are_a_file_of_extended_json() -> Result<()> {
    let app = App::start().await?;
    let id = id_of(&app, "cats").await;
    let file = app.get(&format!("/api/datasets/{id}/documents?to=1.0.0")).await?;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.headers["content-disposition"].to_str()?.starts_with("attachment"));
    let whole: Document = serde_json::from_slice(&file.body)?;
    assert_eq!((whole.get_str("from")?, whole.get_str("to")?), ("0.18.0", "1.0.0"));
    let first = whole.get_array("documents")?[0].as_document().unwrap();
    let [before, after] = ["before", "after"].map(|it| first.get_document(it).unwrap());
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let now = datasets.find_one(doc! { "name": "cats" }).await?.unwrap();
    assert_eq!(before, &now);
    assert_eq!(after.get_str("version")?, "1.0.0");
    app.stop().await
}

#[tokio::test]
async fn its_history_leads_to_its_runs() -> Result<()> {
    let app = App::migrating().await?;
    let id = id_of(&app, "cats").await;
    let permit = Principal::console("ada".to_owned()).permit(Action::MigrateDatabase)?;
    let (control, _meter, _events) = engine::Control::new();
    let engine = app.engine();
    let left = engine.leave_to_a_server(&permit, &tests::to("1.22.1"), control).await?;
    let Some((run, _)) = left else { panic!("there is something to do") };
    ready::wait_for("the run to be completed", async || {
        let run = engine.run(&run.id).await?;
        anyhow::ensure!(run.state == JobState::Completed, "it is {}", run.state);
        Ok(())
    })
    .await?;
    let page = app.get(&format!("/datasets/{id}")).await?.text();
    let address = format!("href=\"/runs/{}\"", run.id);
    has(
        &page,
        &[
            &address,
            "migrated from 0.18.0 to 1.22.1",
            "Can be undone until",
            "it is at 1.22.1 already",
        ],
    );
    app.stop().await
}
