//! What the web server answers to those who are no browser.

mod access;
mod datasets;

mod dataset;
mod help;
mod migrate;
mod moves;
mod runs;
mod versions;

use anyhow::Result;
use http::StatusCode;
use serde_json::Value;
use server::web::Reach;
use tests::{App, connect, http::get, ready};
use tokio::net::TcpListener;

#[tokio::test]
async fn the_verdict_is_an_answer_of_its_own() -> Result<()> {
    let mut app = App::start().await?;
    let answer = get(&format!("{}/healthz", app.address), &[]).await?;
    assert_eq!(answer.status, StatusCode::OK);
    let verdict: Value = serde_json::from_slice(&answer.body)?;
    assert_eq!(verdict["tone"], "todo");
    // By whatever name: programs that watch over servers ask for an address.
    let health = format!("{}/healthz", app.address);
    assert_eq!(get(&health, &[("host", "10.1.2.3:8051")]).await?.status, StatusCode::OK);

    app.mongo.kill();
    let answer = ready::wait_for("the verdict to be another", async || {
        let answer = get(&health, &[]).await?;
        anyhow::ensure!(answer.status == StatusCode::SERVICE_UNAVAILABLE, "{}", answer.status);
        Ok(answer)
    })
    .await?;
    let verdict: Value = serde_json::from_slice(&answer.body)?;
    assert_eq!(verdict["tone"], "problem");
    // Whoever asks has not signed in.
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
    app.stop().await
}

#[tokio::test]
async fn nobody_can_fill_the_memory_with_a_form_without_an_end() -> Result<()> {
    let app = App::start().await?;
    let long = "x".repeat(2 << 20);
    let answer = app.post_as("", "/api/sign_in", &[("name", &long)]).await?;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    app.stop().await
}

#[tokio::test]
async fn the_status_is_a_server_function() -> Result<()> {
    let app = App::start().await?;
    let answer = app.get("/api/status").await?;
    assert_eq!(answer.status, StatusCode::OK);
    let status: Value = serde_json::from_slice(&answer.body)?;
    assert_eq!(status["ladder"][2]["value"], "0.21.2");
    assert_eq!(answer.headers["cache-control"], "no-store");
    app.stop().await
}

#[tokio::test]
async fn a_page_that_cannot_be_read_says_so_to_people_and_to_programs() -> Result<()> {
    let mut app = App::start().await?;
    app.mongo.kill();
    for path in ["/", "/api/status"] {
        let answer = app.get(path).await?;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.text().contains("MongoDB"), "{path}: {}", answer.text());
    }
    app.stop().await
}

#[tokio::test]
async fn a_page_runs_no_scripts_but_its_own() -> Result<()> {
    let app = App::start().await?;
    let first = app.get("/").await?;
    let second = app.get("/").await?;
    let policy = first.headers["content-security-policy"].to_str()?;
    assert!(policy.contains("script-src 'self' 'nonce-"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_ne!(policy, second.headers["content-security-policy"].to_str()?);
    assert_eq!(first.headers["x-content-type-options"], "nosniff");
    app.stop().await
}

#[tokio::test]
async fn an_admin_sees_what_the_server_runs_with_and_no_secret_of_it() -> Result<()> {
    let app = App::start().await?;
    let page = app.get("/settings").await?.text();
    let host = app.mongo.uri();
    let host = host.trim_start_matches("mongodb://").split(['/', '?']).next().unwrap_or_default();
    for said in [
        "fiftyone-test",
        "fiftyone_migrate",
        "FIFTYONE_DATABASE_ADMIN is not true",
        "30 days",
        "one server, without replication",
        host,
    ] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    app.stop().await
}

#[tokio::test]
async fn an_unknown_address_is_a_page_that_says_so() -> Result<()> {
    let app = App::start().await?;
    let answer = app.get("/nothing-here").await?;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("There is no such page"));
    app.stop().await
}

#[tokio::test]
async fn a_foreign_name_gets_nothing() -> Result<()> {
    let app = App::start().await?;
    let answer = get(&format!("{}/api/status", app.address), &[("host", "example.com")]).await?;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(!answer.text().contains("0.21.2"));
    app.stop().await
}

#[tokio::test]
async fn there_is_no_serving_beyond_this_machine() -> Result<()> {
    let app = App::start().await?;
    let engine = connect(&app.mongo.uri()).await?;
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let refused = server::web::serve(engine, listener, Reach::default(), std::future::pending())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("serve on `127.0.0.1` instead"));
    app.stop().await
}
