//! Who gets what: every server function and endpoint, asked raw by every role and by nobody, held against the table of rights.

use std::collections::BTreeSet;

use anyhow::Result;
use http::StatusCode;
use model::{Action, Principal, Role};
use serde_json::{Value, json};
use tests::App;

type Form = &'static [(&'static str, &'static str)];

/// Every server function, how it is called, and what it takes; those that take nothing are for everybody.
const FUNCTIONS: &[(&str, &str, Option<Action>, Form)] = &[
    ("GET", "/api/status", Some(Action::ReadStatus), &[]),
    ("GET", "/api/session", None, &[]),
    ("POST", "/api/sign_in", None, &[("name", "x"), ("password", "y"), ("next", "/")]),
    ("POST", "/api/invitation", None, &[("token", "x")]),
    (
        "POST",
        "/api/accept_invitation",
        None,
        &[("token", "x"), ("name", "x"), ("password", "y"), ("again", "y")],
    ),
    ("GET", "/api/account/sessions", Some(Action::KeepOwnAccount), &[]),
    ("POST", "/api/account/end_session", Some(Action::KeepOwnAccount), &[("id", "x")]),
    (
        "POST",
        "/api/account/password",
        Some(Action::KeepOwnAccount),
        &[("old", "x"), ("new", "x"), ("again", "x")],
    ),
    ("POST", "/api/account/theme", Some(Action::KeepOwnAccount), &[("theme", "dark")]),
    ("GET", "/api/users", Some(Action::ManageUsers), &[]),
    ("POST", "/api/users/invite", Some(Action::ManageUsers), &[("note", "x"), ("role", "guest")]),
    ("POST", "/api/users/take_back", Some(Action::ManageUsers), &[("id", "x")]),
    (
        "POST",
        "/api/users/role",
        Some(Action::ManageUsers),
        &[("account", "nobody"), ("role", "guest")],
    ),
    (
        "POST",
        "/api/users/disable",
        Some(Action::ManageUsers),
        &[("account", "nobody"), ("disabled", "true")],
    ),
    ("POST", "/api/users/end_sessions", Some(Action::ManageUsers), &[("account", "nobody")]),
    ("GET", "/api/groups", Some(Action::ManageUsers), &[]),
    ("POST", "/api/groups/make", Some(Action::ManageUsers), &[("name", "x")]),
    ("POST", "/api/groups/remove", Some(Action::ManageUsers), &[("group", "x")]),
    (
        "POST",
        "/api/groups/change",
        Some(Action::ManageUsers),
        &[("group", "x"), ("account", "nobody"), ("is_in", "true")],
    ),
    ("GET", "/api/rights?about=members", Some(Action::ManageUsers), &[]),
    ("GET", "/api/rights/dataset?id=x", Some(Action::ManageUsers), &[]),
    (
        "POST",
        "/api/rights/give",
        Some(Action::ManageUsers),
        &[("to", "person:nobody"), ("dataset", "x"), ("right", "view")],
    ),
    (
        "POST",
        "/api/rights/take",
        Some(Action::ManageUsers),
        &[("to", "person:nobody"), ("dataset", "x")],
    ),
    ("GET", "/api/runs", Some(Action::ReadRuns), &[]),
    ("GET", "/api/run?id=x", Some(Action::ReadRuns), &[]),
    ("GET", "/api/run_log?id=x", Some(Action::ReadEveryDataset), &[]),
    ("POST", "/api/control_run", Some(Action::ControlRuns), &[("id", "x"), ("event", "pause")]),
    ("POST", "/api/pace_run", Some(Action::ControlRuns), &[("id", "x"), ("pace[lag_s]", "5")]),
    ("GET", "/api/datasets", Some(Action::ReadDatasets), &[]),
    ("POST", "/api/datasets/select", Some(Action::PreviewMigration), &[("query", "")]),
    ("GET", "/api/clients", Some(Action::ReadClients), &[]),
    ("GET", "/api/settings", Some(Action::ReadSettings), &[]),
    ("GET", "/api/dataset?id=x", Some(Action::PreviewMigration), &[]),
    ("GET", "/api/dataset/rename_plan?id=x&field=y&to=z", Some(Action::Repair), &[]),
    (
        "POST",
        "/api/dataset/rename_field",
        Some(Action::Repair),
        &[("id", "x"), ("field", "y"), ("to", "z")],
    ),
    ("GET", "/api/import/check?question[folder]=x", Some(Action::ImportDataset), &[]),
    ("GET", "/api/import/place", Some(Action::ImportDataset), &[]),
    ("POST", "/api/import/begin", Some(Action::ImportDataset), &[("question[folder]", "x")]),
    ("GET", "/api/export/check?question[dataset]=x", Some(Action::ExportDataset), &[]),
    ("POST", "/api/export/begin", Some(Action::ExportDataset), &[("question[dataset]", "x")]),
    ("GET", "/api/tasks?kind=import", Some(Action::ImportDataset), &[]),
    ("GET", "/api/task?kind=export&id=x", Some(Action::ExportDataset), &[]),
    ("POST", "/api/task/stop", Some(Action::ImportDataset), &[("kind", "import"), ("id", "x")]),
    ("GET", "/api/media/uploads", Some(Action::MoveMedia), &[]),
    ("GET", "/api/media/upload?id=x", Some(Action::MoveMedia), &[]),
    ("GET", "/api/media/survey?question[dataset]=x", Some(Action::MoveMedia), &[]),
    ("POST", "/api/media/test", Some(Action::MoveMedia), &[("question[dataset]", "x")]),
    ("POST", "/api/media/begin", Some(Action::MoveMedia), &[("question[dataset]", "x")]),
    ("POST", "/api/media/resume", Some(Action::MoveMedia), &[("id", "x")]),
    ("POST", "/api/media/stop", Some(Action::MoveMedia), &[("id", "x")]),
    (
        "POST",
        "/api/media/limits",
        Some(Action::MoveMedia),
        &[("id", "x"), ("side_by_side", "4"), ("mib", "0")],
    ),
    ("POST", "/api/media/rewrite", Some(Action::MoveMedia), &[("id", "x")]),
    ("POST", "/api/media/undo", Some(Action::MoveMedia), &[("id", "x"), ("rewrite", "y")]),
    ("GET", "/api/media/clean_up_plan?id=x", Some(Action::RemoveMedia), &[]),
    (
        "POST",
        "/api/media/clean_up",
        Some(Action::RemoveMedia),
        &[("id", "x"), ("typed", "y"), ("password", "z")],
    ),
    ("GET", "/api/versions", Some(Action::ReadVersions), &[]),
    ("GET", "/api/versions/form?name=new", Some(Action::CorrectVersions), &[]),
    (
        "POST",
        "/api/versions/correct",
        Some(Action::CorrectVersions),
        &[("name", "new"), ("entry[enterprise]", "x")],
    ),
    ("POST", "/api/versions/put_back", Some(Action::CorrectVersions), &[("name", "x")]),
    ("GET", "/api/way?goal=2.0.0", Some(Action::ReadVersions), &[]),
    ("GET", "/api/sdk", Some(Action::ReadVersions), &[]),
    ("GET", "/api/opening?client=1.0.0", Some(Action::ReadVersions), &[]),
    ("GET", "/api/migration_destinations", Some(Action::PreviewMigration), &[]),
    (
        "GET",
        "/api/preview_migration?question[scope]=database&question[destination]=1.22.1&question[datasets]=",
        Some(Action::PreviewMigration),
        &[],
    ),
    (
        "POST",
        "/api/start_migration",
        Some(Action::MigrateDataset),
        &[
            ("question[scope]", "database"),
            ("question[destination]", "1.22.1"),
            ("question[datasets]", ""),
            ("approval[run]", "x"),
            ("approval[hash]", "x"),
            ("approval[typed]", ""),
        ],
    ),
    // Last: it ends the session that the others are asked with.
    ("POST", "/api/sign_out", Some(Action::KeepOwnAccount), &[]),
];

/// What is no server function.
const OTHERS: &[(&str, &str, Option<Action>, Form)] = &[
    ("GET", "/healthz", None, &[]),
    ("GET", "/api/compatibility?client=1.0.0", Some(Action::ReadVersions), &[]),
    ("GET", "/api/datasets/export?format=csv", Some(Action::ReadDatasets), &[]),
    ("GET", "/api/datasets/x/documents", Some(Action::PreviewMigration), &[]),
    ("GET", "/api/runs/x/events", Some(Action::ReadRuns), &[]),
    ("POST", "/api/import/archive", Some(Action::ImportDataset), &[]),
    ("GET", "/api/media/x/manifest.csv", Some(Action::MoveMedia), &[]),
    ("GET", "/api/runs/x/datasets.csv", Some(Action::ReadEveryDataset), &[]),
    ("GET", "/api/runs/x/log.txt", Some(Action::ReadEveryDataset), &[]),
];

#[tokio::test]
async fn every_role_gets_what_the_table_says_and_nobody_gets_nothing() -> Result<()> {
    let app = App::start().await?;
    for role in Role::ALL {
        let name = format!("somebody who is {role}");
        let cookie = app.sign_up(&name, role).await?;
        for (method, path, action, form) in OTHERS.iter().chain(FUNCTIONS) {
            let allowed = action.is_none_or(|it| role.may(it));
            let answer = ask(&app, &cookie, method, path, form).await?;
            let what = format!("{path} as {role}: {} {}", answer.status, answer.text());
            assert_eq!(answer.status != StatusCode::FORBIDDEN, allowed, "{what}");
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{what}");
            if !allowed {
                let action = action.unwrap();
                let denied = Principal { name: name.clone(), role }.permit(action).unwrap_err();
                if OTHERS.iter().any(|it| it.1 == *path) {
                    assert!(answer.text().contains(&denied.to_string()), "{what}");
                    continue;
                }
                let said: Value = serde_json::from_slice(&answer.body)?;
                for (key, value) in json!(denied).as_object().unwrap() {
                    assert_eq!(&said[key], value, "{what}");
                }
            }
        }
    }
    for (method, path, action, form) in OTHERS.iter().chain(FUNCTIONS) {
        for cookie in ["", "fiftyone_migrate=0123456789abcdef"] {
            let answer = ask(&app, cookie, method, path, form).await?;
            let refused = answer.status == StatusCode::UNAUTHORIZED;
            assert_eq!(refused, action.is_some(), "{path}: {} {}", answer.status, answer.text());
        }
    }
    app.stop().await
}

#[tokio::test]
async fn no_server_function_is_missing_from_the_table() -> Result<()> {
    let app = App::start().await?;
    let there: BTreeSet<(String, String)> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, method)| (method.to_string(), path.to_owned()))
        .collect();
    let listed: BTreeSet<(String, String)> = FUNCTIONS
        .iter()
        .map(|(method, path, ..)| {
            let path = path.split_once('?').map_or(*path, |it| it.0);
            ((*method).to_owned(), path.to_owned())
        })
        .collect();
    assert_eq!(there, listed);
    app.stop().await
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() -> Result<()> {
    let app = App::start().await?;
    let invite = format!("{}/api/users/invite", app.address);
    let form = [("note", "evil"), ("role", "admin")];
    let own = ("origin", app.address.as_str());
    let cookie = ("cookie", app.admin.as_str());
    for headers in [
        vec![cookie],
        vec![cookie, ("origin", "https://evil.example")],
        vec![cookie, ("origin", "null")],
        vec![cookie, own, ("sec-fetch-site", "cross-site")],
        vec![cookie, ("sec-fetch-site", "same-site")],
    ] {
        let answer = tests::http::post(&invite, &headers, &form).await?;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(answer.text().contains("nothing was done"), "{}", answer.text());
    }
    assert!(!app.get("/users").await?.text().contains("evil"));
    let answer = tests::http::post(&invite, &[cookie, own], &form).await?;
    assert!(answer.status.is_success(), "{}", answer.text());
    assert!(app.get("/users").await?.text().contains("evil"));
    app.stop().await
}

#[tokio::test]
async fn whoever_has_not_signed_in_is_led_to_where_one_does_and_back() -> Result<()> {
    let app = App::start().await?;
    let answer = app.get_as("", "/users?a=b").await?;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers["location"], "/sign-in?next=%2Fusers%3Fa%3Db");
    let page = app.get_as("", "/sign-in?next=%2Fusers%3Fa%3Db").await?;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("value=\"/users?a=b\""), "{}", page.text());
    let form = [("name", tests::ADMIN), ("password", tests::PASSWORD), ("next", "/users?a=b")];
    let signed = post_by_browser(&app, "", "/api/sign_in", &form).await?;
    assert_eq!(signed.status, StatusCode::FOUND, "{}", signed.text());
    assert_eq!(signed.headers["location"], "/users?a=b");
    let cookie = signed.headers["set-cookie"].to_str()?;
    let given = cookie.split(';').next().unwrap();
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    assert_eq!(app.get_as(given, "/users").await?.status, StatusCode::OK);
    // And away again: the session is over, not only its cookie.
    let out = post_by_browser(&app, given, "/api/sign_out", &[]).await?;
    assert_eq!(out.headers["location"], "/sign-in");
    assert!(out.headers["set-cookie"].to_str()?.contains("Max-Age=0"));
    assert_eq!(app.get_as(given, "/users").await?.status, StatusCode::SEE_OTHER);
    app.stop().await
}

#[tokio::test]
async fn a_wrong_password_says_so_on_the_page_that_it_was_typed_on() -> Result<()> {
    let app = App::start().await?;
    let form = [("name", tests::ADMIN), ("password", "something else entirely"), ("next", "/")];
    let refused = post_by_browser(&app, "", "/api/sign_in", &form).await?;
    assert_eq!(refused.status, StatusCode::FOUND, "{}", refused.text());
    assert!(!refused.headers.contains_key("set-cookie"));
    let back = refused.headers["location"].to_str()?.replace(&app.address, "");
    let page = app.get_as("", &back).await?.text();
    assert!(page.contains("role=\"alert\""), "{page}");
    assert!(!page.contains("something else entirely"), "{page}");
    app.stop().await
}

#[tokio::test]
async fn an_address_that_somebody_else_wrote_does_not_make_a_page_say_anything() -> Result<()> {
    let app = App::start().await?;
    let form = [("name", tests::ADMIN), ("password", "something else entirely"), ("next", "/")];
    let refused = post_by_browser(&app, "", "/api/sign_in", &form).await?;
    let told = refused.headers["location"].to_str()?.to_owned();
    for headers in
        [&[][..], &[("sec-fetch-site", "cross-site")], &[("referer", "https://evil.example/")]]
    {
        let answer = tests::http::get(&told, headers).await?;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{headers:?}");
        assert_eq!(answer.headers["location"], "/sign-in");
    }
    app.stop().await
}

#[tokio::test]
async fn a_browser_looks_as_was_chosen_there() -> Result<()> {
    let app = App::start().await?;
    assert!(app.get("/").await?.text().contains("data-theme=\"system\""));
    let chosen =
        post_by_browser(&app, &app.admin, "/api/account/theme", &[("theme", "dark")]).await?;
    let cookie = chosen.headers["set-cookie"].to_str()?.split(';').next().unwrap();
    let both = format!("{}; {cookie}", app.admin);
    for page in ["/", "/account", "/nothing-here"] {
        assert!(app.get_as(&both, page).await?.text().contains("data-theme=\"dark\""), "{page}");
    }
    app.stop().await
}

#[tokio::test]
async fn an_invitation_is_shown_once_and_never_in_an_address() -> Result<()> {
    let app = App::start().await?;
    let form = [("note", "Grace"), ("role", "guest")];
    let made = post_by_browser(&app, &app.admin, "/api/users/invite", &form).await?;
    assert_eq!(made.headers["location"], "/users");
    let given = made.headers["set-cookie"].to_str()?;
    assert!(given.contains("HttpOnly") && given.contains("SameSite=Strict"), "{given}");
    let both = format!("{}; {}", app.admin, given.split(';').next().unwrap());
    let page = app.get_as(&both, "/users").await?;
    let token = given.split(['=', ';']).nth(1).unwrap();
    assert!(
        page.text().contains(&format!("{}/invitation/{token}", app.address)),
        "{}",
        page.text()
    );
    let gone = page.headers["set-cookie"].to_str()?;
    assert!(gone.contains("Max-Age=0"), "{gone}");
    assert!(!app.get("/users").await?.text().contains(token));
    app.stop().await
}

#[tokio::test]
async fn whoever_is_disabled_or_gets_another_role_is_out_at_once() -> Result<()> {
    let app = App::start().await?;
    let (bob, eve) =
        (app.sign_up("bob", Role::Member).await?, app.sign_up("eve", Role::Guest).await?);
    assert_eq!(app.get_as(&bob, "/").await?.status, StatusCode::OK);
    let form = [("account", "bob"), ("role", "admin")];
    let done = app.post_as(&app.admin, "/api/users/role", &form).await?;
    assert!(done.status.is_success(), "{}", done.text());
    assert_eq!(app.get_as(&bob, "/").await?.status, StatusCode::SEE_OTHER);
    let form = [("account", "eve"), ("disabled", "true")];
    let done = app.post_as(&app.admin, "/api/users/disable", &form).await?;
    assert!(done.status.is_success(), "{}", done.text());
    assert_eq!(app.get_as(&eve, "/api/status").await?.status, StatusCode::UNAUTHORIZED);
    app.stop().await
}

/// As a browser posts a form that has no scripts.
async fn post_by_browser(
    app: &App,
    cookie: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Result<tests::http::Answer> {
    let page = format!("{}/sign-in", app.address);
    let mut headers =
        vec![("origin", app.address.as_str()), ("accept", "text/html"), ("referer", &page)];
    if !cookie.is_empty() {
        headers.push(("cookie", cookie));
    }
    tests::http::post(&format!("{}{path}", app.address), &headers, form).await
}

async fn ask(
    app: &App,
    cookie: &str,
    method: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Result<tests::http::Answer> {
    if method == "GET" {
        app.get_as(cookie, path).await
    } else {
        app.post_as(cookie, path, form).await
    }
}
