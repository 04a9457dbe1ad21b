//! The list of datasets in the web app, without scripts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use anyhow::Result;
use http::StatusCode;
use model::Role;
use serde_json::Value;
use tests::{App, http::Answer};

/// Looks at a page of the app, as a browser does.
async fn see(app: &App, path: &str) -> Result<String> {
    let headers = [
        ("accept", "text/html"),
        ("cookie", app.admin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let answer = tests::http::get(&format!("{}{path}", app.address), &headers).await?;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    Ok(answer.text())
}

/// Sends the form around the list, as a browser does without scripts.
async fn select(app: &App, fields: &[(&str, &str)]) -> Result<Answer> {
    let page = format!("{}/datasets?q=cats", app.address);
    let headers = [
        ("accept", "text/html"),
        ("origin", app.address.as_str()),
        ("referer", page.as_str()),
        ("cookie", app.admin.as_str()),
    ];
    tests::http::post(&format!("{}/api/datasets/select", app.address), &headers, fields).await
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// The ids of the boxes on a page.
fn ids(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"ids[]\"").skip(1);
    boxes
        .map(|it| it.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_list_is_a_page_with_links_for_whatever_can_be_asked_for() -> Result<()> {
    let app = App::start().await?;
    for number in 0..206 {
        app.mongo.insert_dataset(&format!("many {number:03}"), "1.22.1").await?;
    }
    let page = see(&app, "/datasets").await?;
    for it in [
        "210 datasets",
        "1 to 100 of 210 datasets",
        "Page 1 of 3",
        "href=\"/datasets?page=2\"",
        "href=\"/datasets?tab=private\"",
        "href=\"/datasets?sort=-modified\"",
        "href=\"/datasets?version=0.18.0\"",
        "Plan for all 210 that were found",
        "Nothing is migrated by that.",
    ] {
        let it = it.replace("sort=-modified", "sort=modified");
        assert!(page.contains(&it), "no {it} in {page}");
    }
    assert_eq!(ids(&page).len(), 100);
    let last = see(&app, "/datasets?page=3").await?;
    assert_eq!(ids(&last).len(), 10);
    assert!(last.contains("href=\"/datasets?page=2\"") && !last.contains("page=4"), "{last}");

    let found = see(&app, "/datasets?q=CAT&version=0.18.0").await?;
    assert!(found.contains("1 to 1 of 1 dataset") && ids(&found).len() == 1, "{found}");
    for it in
        ["Name contains “CAT”", "href=\"/datasets?version=0.18.0\"", "href=\"/datasets?q=CAT\""]
    {
        assert!(found.contains(it), "no {it} in {found}");
    }
    let nothing = see(&app, "/datasets?q=%22%3E%3Cscript%3E").await?;
    assert!(nothing.contains("No dataset of this kind has all that is asked for."), "{nothing}");
    assert!(!nothing.contains("\"><script>"), "{nothing}");
    assert!(see(&app, "/datasets?tab=incomplete").await?.contains("Every dataset has a name"));
    let checked = see(&app, "/datasets?q=CAT&check=page").await?;
    assert!(checked.contains(" checked") && checked.contains("Check none"), "{checked}");
    app.stop().await
}

#[tokio::test]
async fn what_is_selected_is_planned_for_and_started_as_it_was_selected() -> Result<()> {
    let app = App::migrating().await?;
    let cats = ids(&see(&app, "/datasets?q=cats").await?).remove(0);
    let form = [("query", "q=cats"), ("ids[]", cats.as_str())];
    let some = location(&select(&app, &form).await?);
    assert!(some.starts_with("/migrate?selection="), "{some}");
    let plan = see(&app, &some).await?;
    for it in [
        "1 dataset is migrated to 1.22.1.",
        "The datasets that were selected",
        "1 dataset, selected by ada on",
        "all of them are there",
    ] {
        assert!(plan.contains(it), "no {it} in {plan}");
    }
    let all = location(&select(&app, &[("query", "version=0.18.0"), ("all", "true")]).await?);
    let plan = see(&app, &format!("{all}&destination=1.0.0")).await?;
    assert!(plan.contains("2 datasets are migrated to 1.0.0."), "{plan}");
    let field = |name: &str| {
        let rest = plan.split_once(&format!("name=\"{name}\"")).unwrap().1;
        rest.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    let fields = ["question[scope]", "question[selection]", "question[destination]"];
    let fields =
        fields.into_iter().chain(["question[datasets]", "approval[run]", "approval[hash]"]);
    let form: Vec<(&str, String)> = fields.map(|it| (it, field(it))).collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(key, it)| (*key, it.as_str())).collect();
    let headers =
        [("accept", "text/html"), ("origin", app.address.as_str()), ("cookie", app.admin.as_str())];
    let started =
        tests::http::post(&format!("{}/api/start_migration", app.address), &headers, &form).await?;
    let run = field("approval[run]");
    assert_eq!(location(&started), format!("/runs/{run}"));
    assert_eq!(app.engine().run(&run).await?.asked, "a selection of 2 datasets");

    // A form without a checked box comes back to the list, which says so.
    let back = location(&select(&app, &[("query", "q=cats")]).await?).replace(&app.address, "");
    assert!(back.starts_with("/datasets?q=cats&"), "{back}");
    let page = see(&app, &back).await?;
    assert!(page.contains("no dataset is checked") && ids(&page).len() == 1, "{page}");
    app.stop().await
}

#[tokio::test]
async fn what_is_downloaded_is_all_that_is_found_and_nothing_in_it_is_a_formula() -> Result<()> {
    let app = App::start().await?;
    for number in 0..1_200 {
        app.mongo.insert_dataset(&format!("=many({number:04})"), "1.22.1").await?;
    }
    let csv = app.get("/api/datasets/export?format=csv&q=many&sort=-name").await?;
    assert_eq!(csv.status, StatusCode::OK);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"datasets.csv\"");
    let text = csv.text();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1_201);
    assert!(lines[0].starts_with("id,name,version,state,"), "{}", lines[0]);
    assert!(lines[1].contains(",\"'=many(1199)\",1.22.1,up to date,"), "{}", lines[1]);
    assert!(lines[1..].iter().all(|it| it.contains(",\"'=many(")));
    let json = app.get("/api/datasets/export?format=json&version=0.18.0&page=7").await?;
    let rows: Value = serde_json::from_slice(&json.body)?;
    let names: Vec<&str> =
        rows.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cats", "dogs"]);
    let none = app.get("/api/datasets/export?format=json&q=nothing").await?;
    assert_eq!(serde_json::from_slice::<Value>(&none.body)?, serde_json::json!([]));
    let unclear = app.get("/api/datasets/export?format=xml").await?;
    assert_eq!(unclear.status, StatusCode::BAD_REQUEST);
    app.stop().await
}

#[tokio::test]
async fn everybody_lists_what_they_were_given_a_right_to_and_members_plan_for_it() -> Result<()> {
    let app = App::start().await?;
    let (member, guest) =
        (app.sign_up("bob", Role::Member).await?, app.sign_up("eve", Role::Guest).await?);
    for who in [&member, &guest] {
        let page = app.get_as(who, "/datasets").await?;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("You have a right to none of this kind"), "{}", page.text());
        assert!(!page.text().contains("cats"));
        let all = app.get_as(who, "/api/datasets/export?format=csv").await?.text();
        assert!(!all.contains("cats"), "{all}");
    }
    for to in ["person:bob", "person:eve"] {
        let form = [("to", to), ("dataset", "cats"), ("right", "manage")];
        let given = app.post_as(&app.admin, "/api/rights/give", &form).await?;
        assert!(given.status.is_success(), "{}", given.text());
    }
    let page = app.get_as(&member, "/datasets").await?.text();
    assert!(page.contains("cats") && page.contains("Plan for those that are checked"), "{page}");
    assert!(!page.contains("dogs"), "{page}");
    let page = app.get_as(&guest, "/datasets").await?.text();
    assert!(page.contains("cats") && !page.contains("Plan for"), "{page}");
    app.stop().await
}
