//! Versions, SDKs and clients, as somebody without scripts and a script see them.

use anyhow::{Context, Result};
use http::StatusCode;
use model::Role;
use mongodb::options::{ClientOptions, DriverInfo};
use serde_json::{Value, json};
use tests::App;

/// What a page says, without its markup.
async fn read(app: &App, path: &str) -> Result<String> {
    let answer = app.get(path).await?;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    let page = answer.text();
    let main = page.split_once("<main").and_then(|(_, it)| it.split_once("</main>"));
    let (main, _) = main.context("this is no page")?;
    let text = main.split('<').filter_map(|it| it.split_once('>')).map(|(_, text)| text);
    let text: String = text.collect();
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")];
    Ok(entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter)))
}

fn has(page: &str, text: &str) {
    assert!(page.contains(text), "`{text}` is not on the page: {page}");
}

#[tokio::test]
async fn all_releases_are_listed_and_searched_without_scripts() -> Result<()> {
    let app = App::start().await?;
    let page = read(&app, "/versions").await?;
    has(&page, "83 of 83 releases");
    has(&page, "inferred");
    assert!(page.find("2.22.1").unwrap() < page.find("2.16.0").unwrap(), "{page}");

    let page = read(&app, "/versions?q=1.13.0").await?;
    has(&page, "1 of 83 releases");
    has(&page, "2.16.0");
    assert!(!page.contains("2.15.0"), "{page}");
    has(&read(&app, "/versions?q=nothing").await?, "None of 83 releases has that in it");
    app.stop().await
}

#[tokio::test]
async fn an_admin_adds_and_corrects_releases_and_puts_them_back_without_scripts() -> Result<()> {
    let app = App::start().await?;
    has(&read(&app, "/versions").await?, "Add a release");
    let typed =
        "enterprise=2.23.0&sdk=2.23.x&compatibility=1.23.0&released=&basis=stated&source=notes";
    let page = read(&app, &format!("/versions/new?{typed}")).await?;
    has(&page, "newer than 1.22.1, the newest this build knows");
    has(&page, "The step from Enterprise 2.22.1 to it crosses no revision.");
    has(&read(&app, "/versions").await?, "83 of 83 releases");
    let wrong = typed.replace("1.23.0", "1.22.0");
    let page = read(&app, &format!("/versions/new?{wrong}")).await?;
    has(&page, "It cannot be saved: Enterprise 2.22.1 would have compatibility version 1.22.1");
    assert!(!page.contains("What would be saved"), "{page}");

    let form = [
        ("name", "new"),
        ("seen", ""),
        ("entry[enterprise]", "2.23.0"),
        ("entry[sdk]", "2.23.x"),
        ("entry[compatibility]", "1.23.0"),
        ("entry[basis]", "stated"),
        ("entry[source]", "<b>notes</b>"),
    ];
    let saved = app.post_as(&app.admin, "/api/versions/correct", &form).await?;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
    let again = app.post_as(&app.admin, "/api/versions/correct", &form).await?;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    let page = read(&app, "/versions?q=2.23").await?;
    has(&page, "1 of 84 releases");
    has(&page, "added by ");
    has(&page, ": <b>notes</b>");
    has(&read(&app, "/sdk?version=2.23.0").await?, "\"fiftyone==2.23.*\"");
    has(&read(&app, "/versions?to=2.23.0").await?, "has compatibility version 1.23.0");

    let eve = app.sign_up("eve", Role::Member).await?;
    let page = app.get_as(&eve, "/versions").await?.text();
    assert!(!page.contains("Add a release") && page.contains("added by "), "{page}");
    assert_eq!(app.get_as(&eve, "/versions/new").await?.status, StatusCode::FORBIDDEN);
    assert_eq!(app.get("/versions/9.9.9").await?.status, StatusCode::NOT_FOUND);

    let page = app.get("/versions/2.23.0").await?.text();
    let seen = page.split("name=\"seen\" value=\"").nth(1).and_then(|it| it.split('"').next());
    let form = [("name", "2.23.0"), ("seen", seen.context("nothing to take out")?)];
    let out = app.post_as(&app.admin, "/api/versions/put_back", &form).await?;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text());
    has(&read(&app, "/versions").await?, "83 of 83 releases");
    app.stop().await
}

#[tokio::test]
async fn the_way_to_a_release_says_what_it_is_and_what_is_lost_on_it() -> Result<()> {
    let app = App::start().await?;
    let page = read(&app, "/versions?to=0.10").await?;
    has(&page, "SDK 0.10.0 comes with Enterprise 1.0.0 and has compatibility version 0.18.0.");
    has(&page, "From 0.21.2, where the database is, it is a downgrade to 0.18.0.");
    has(&page, "It crosses 2 revisions, 1 of which drops something");
    has(&page, "lossy The description and the saved views");

    let page = read(&app, "/versions?to=2.16.0").await?;
    has(&page, "it is an upgrade to 1.13.0. It crosses 5 revisions.");
    assert!(!page.contains("lossy"), "{page}");
    has(&read(&app, "/versions?to=9.9").await?, "`9.9` is no release this program knows");
    app.stop().await
}

#[tokio::test]
async fn where_the_database_is_away_nobody_is_known_and_the_page_says_why() -> Result<()> {
    let mut app = App::start().await?;
    app.mongo.kill();
    let answer = app.get("/versions").await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    has(&answer.text(), "cannot reach MongoDB");
    app.stop().await
}

#[tokio::test]
async fn the_commands_are_those_for_the_present_version_or_the_chosen_one() -> Result<()> {
    let app = App::start().await?;
    let page = read(&app, "/sdk").await?;
    has(&page, "The database is at 0.21.2: SDK 0.13.2, which comes with Enterprise 1.3.2.");
    has(&page, "pip install --index-url https://${TOKEN}@pypi.fiftyone.ai fiftyone==0.13.2");
    has(&read(&app, "/sdk?version=1.0.1").await?, "@pypi.fiftyone.ai \"fiftyone==0.10.*\"");
    let page = read(&app, "/sdk?version=2.16.0").await?;
    has(&page, "uv pip install --index-url https://${TOKEN}@pypi.fiftyone.ai fiftyone==2.16.0");
    has(&page, "poetry add --source fiftyone fiftyone==2.16.0");
    has(&read(&app, "/sdk?version=9.9").await?, "`9.9` is no release this program knows");
    app.stop().await
}

#[tokio::test]
async fn the_field_for_the_token_cannot_be_sent() -> Result<()> {
    let app = App::start().await?;
    let page = app.get("/sdk").await?.text();
    let field = page.split("<input").find(|it| it.contains("id=\"token\"")).unwrap();
    let field = field.split_once('>').unwrap().0;
    assert!(!field.contains("name=") && field.contains("autocomplete=\"off\""), "{field}");
    assert!(field.contains("type=\"password\""), "{field}");
    let before = page.split_once("id=\"token\"").unwrap().0;
    assert_eq!(before.matches("<form").count(), before.matches("</form>").count());
    app.stop().await
}

#[tokio::test]
async fn who_is_connected_is_seen_with_what_becomes_of_them() -> Result<()> {
    let app = App::start().await?;
    let connect = async |name: Option<&str>, driver: Option<&str>| {
        let mut options = ClientOptions::parse(app.mongo.uri()).await?;
        options.app_name = name.map(str::to_owned);
        options.driver_info = driver.map(|it| DriverInfo::builder().name(it).build());
        let client = mongodb::Client::with_options(options)?;
        client.list_database_names().await?;
        anyhow::Ok(client)
    };
    // As FiftyOne does it: two clients, one of which has no name.
    let clients =
        [connect(Some("fiftyone"), None).await?, connect(None, Some("MongoEngine")).await?];
    let others = connect(Some("backup"), None).await?;

    let page = read(&app, "/clients?destination=0.18.0").await?;
    has(&page, "goes to 0.18.0");
    has(&page, "mongo-rust-driver|MongoEngine");
    has(&page, "No release that opens a database at v0.21.2 opens one at v0.18.0");
    has(&page, "✕ will be refused");
    has(&page, "FiftyOne Migrate (this app)");
    has(&page, "backup");
    has(&page, "Whoever will be refused needs SDK 0.10.x.");
    assert_eq!(page.matches("✕ will be refused").count(), 1, "two rows for one FiftyOne: {page}");

    let page = read(&app, "/clients").await?;
    has(&page, "? unknown");
    has(&page, "FiftyOne does not tell MongoDB its version.");
    assert!(!page.contains("grantRolesToUser"), "{page}");
    has(&read(&app, "/clients?destination=new").await?, "`new` is no version");
    drop((clients, others));
    app.stop().await
}

#[tokio::test]
async fn whether_a_client_can_open_the_database_is_told_in_fiftyones_words() -> Result<()> {
    let app = App::start().await?;
    let page = read(&app, "/clients?client=0.19.0").await?;
    has(&page, "✕ No: client 0.19.0 cannot open the database at 0.21.2.");
    has(
        &page,
        "Cannot connect to database v0.21.2 with client v0.19.0 (compatibility >=0.19,<0.20). See",
    );
    let page = read(&app, "/clients?client=1.0.0&type=fitting&at=1.0.0").await?;
    has(&page, "✓ Yes: client 1.0.0 can open the database at 1.0.0.");
    let page = read(&app, "/clients?client=2.16.0&type=fitting").await?;
    has(&page, "`2.16.0` is newer than `1.22.1`, the newest compatibility version");
    let page = read(&app, "/clients?client=1.22.1&type=open_source").await?;
    has(&page, "✓ Yes: client 1.22.1 can open the database at 0.21.2.");
    has(&page, "it would take the database to v1.22.1");
    has(&read(&app, "/clients?client=x").await?, "`x` is no version");
    app.stop().await
}

#[tokio::test]
async fn a_script_learns_whether_a_client_can_open_the_database() -> Result<()> {
    let mut app = App::start().await?;
    let ask = async |query: &str| app.get(&format!("/api/compatibility{query}")).await;
    let answer = ask("?client=1.22.1").await?;
    assert_eq!(answer.status, StatusCode::OK);
    let said: Value = serde_json::from_slice(&answer.body)?;
    let expected = json!({
        "client": "1.22.1", "database": "0.21.2", "compatible": true, "message": null, "note": null,
    });
    assert_eq!(said, expected);

    let said: Value =
        serde_json::from_slice(&ask("?client=0.21.0&destination=1.22.1").await?.body)?;
    assert_eq!((&said["compatible"], &said["database"]), (&json!(false), &json!("1.22.1")));
    assert_eq!(
        said["message"],
        "Cannot connect to database v1.22.1 with client v0.21.0 (compatibility >=0.19,<0.21). See \
         https://docs.voxel51.com/user_guide/config.html#database-migrations for more information"
    );
    let said: Value = serde_json::from_slice(&ask("?client=2.16.0&type=enterprise").await?.body)?;
    assert_eq!(
        said["message"],
        "Cannot connect to database type 'fiftyone' with client type 'fiftyone-teams'"
    );

    for (query, sentence) in [
        ("", "`` is no version; give one such as `1.13.0`"),
        ("?client=new", "`new` is no version; give one such as `1.13.0`"),
        ("?client=1.0.0&destination=x", "`x` is no version; give one such as `1.13.0`"),
        (
            "?client=1.0.0&type=teams",
            "`teams` is no type of client; there are `fitting`, `open_source` and `enterprise`",
        ),
    ] {
        let answer = ask(query).await?;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::BAD_REQUEST, sentence));
    }
    app.mongo.kill();
    let answer = app.get("/api/compatibility?client=1.0.0").await?;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    app.stop().await
}
