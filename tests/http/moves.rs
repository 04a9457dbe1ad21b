//! Imports and exports as pages ask for them: by whom, from where, and what others see of it.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use bson::{Document, doc};
use http::StatusCode;
use model::Role;
use serde_json::Value;
use tests::{App, ready};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn export(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let metadata = r#"{"name": "small", "slug": "small", "version": "0.21.2", "media_type": "image", "sample_collection_name": "samples.x",
        "sample_fields": [], "frame_fields": [], "tags": [], "app_config": {}}"#;
    fs::write(folder.join("metadata.json"), metadata)?;
    let sample = r#"{"samples": [{"_id": {"$oid": "6b02aa9ce13547af4387f1a1"}, "filepath": "a/0.png", "tags": []}]}"#;
    Ok(fs::write(folder.join("samples.json"), sample)?)
}

/// Begins an import, and waits until it is over. Returns what is known of it.
async fn imported(app: &App, cookie: &str, folder: &Path) -> Result<(String, Value)> {
    let form = [("question[folder]", folder.to_str().context("no path")?)];
    let begun = app.post_as(cookie, "/api/import/begin", &form).await?;
    anyhow::ensure!(begun.status.is_success() || begun.status.is_redirection(), "{}", begun.text());
    let list = app.get_as(cookie, "/api/tasks?kind=import").await?;
    let list: Value = serde_json::from_slice(&list.body)?;
    let id = list[0]["id"].as_str().context("no task")?.to_owned();
    let address = format!("/api/task?kind=import&id={id}");
    ready::wait_for("the import to end", async || {
        let task = app.get_as(cookie, &address).await?;
        let task: Value = serde_json::from_slice(&task.body)?;
        anyhow::ensure!(task["state"] != "running", "{task}");
        Ok(())
    })
    .await?;
    let task = app.get_as(cookie, &address).await?;
    Ok((id, serde_json::from_slice(&task.body)?))
}

#[tokio::test]
async fn members_import_from_their_folder_and_manage_what_they_have_imported() -> Result<()> {
    let (theirs, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let app = App::importing(theirs.path()).await?;
    let (inside, outside) = (theirs.path().join("small"), other.path().join("small"));
    export(&inside)?;
    export(&outside)?;
    let way_out = theirs.path().join("way-out");
    std::os::unix::fs::symlink(&outside, &way_out)?;
    let (bob, eve) =
        (app.sign_up("bob", Role::Member).await?, app.sign_up("eve", Role::Member).await?);
    let dots =
        theirs.path().join("small/../../").join(outside.strip_prefix("/tmp").unwrap_or(&outside));
    for path in [&outside, &way_out, &dots, &theirs.path().to_owned()] {
        let form = [("question[folder]", path.to_str().context("no path")?)];
        let refused = app.post_as(&bob, "/api/import/begin", &form).await?;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
        assert!(refused.text().contains("members import from"), "{}", refused.text());
    }
    let (id, task) = imported(&app, &bob, &inside).await?;
    assert_eq!(task["state"], "done", "{task}");
    let dataset = task["came"]["Import"]["id"].as_str().context("no dataset")?;
    let datasets = app.mongo.database().collection::<Document>("datasets");
    let there = datasets.find_one(doc! { "name": "small" }).await?.context("no dataset")?;
    assert_eq!(there.get_object_id("_id")?.to_hex(), dataset);
    let page = app.get_as(&bob, &format!("/datasets/{dataset}")).await?;
    assert_eq!(page.status, StatusCode::OK);
    // For others neither the dataset nor the import is there.
    let hidden = app.get_as(&eve, &format!("/api/task?kind=import&id={id}")).await?;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{}", hidden.text());
    let none = app.get_as(&eve, "/api/tasks?kind=import").await?;
    assert_eq!(none.text(), "[]");
    let form = [("kind", "import"), ("id", id.as_str())];
    let refused = app.post_as(&eve, "/api/task/stop", &form).await?;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
    // Nor do they write anywhere on the server.
    let to = theirs.path().join("out");
    let form =
        [("question[dataset]", dataset), ("question[folder]", to.to_str().context("no path")?)];
    let refused = app.post_as(&bob, "/api/export/begin", &form).await?;
    assert!(refused.text().contains("only admins"), "{}", refused.text());
    assert!(!to.exists());
    app.stop().await
}

#[tokio::test]
async fn what_cannot_be_imported_ends_with_the_reason_and_leaves_nothing() -> Result<()> {
    let theirs = tempfile::tempdir()?;
    let app = App::importing(theirs.path()).await?;
    let folder = theirs.path().join("small");
    export(&folder)?;
    fs::write(folder.join("samples.json"), "{\"samples\": [{\"_id\": 1,")?;
    let (_, task) = imported(&app, &app.admin, &folder).await?;
    assert_eq!(task["state"], "failed", "{task}");
    let why = task["refused"].as_str().context("no reason")?;
    assert!(why.contains("samples.json"), "{why}");
    let datasets = app.mongo.database().collection::<Document>("datasets");
    assert_eq!(datasets.count_documents(doc! { "name": "small" }).await?, 0);
    app.stop().await
}

/// Sends a form with a file, of which as much arrives as is said, and returns the head of the answer, if there is one.
async fn send(app: &App, cookie: &str, content: &[u8], arrives: usize) -> Result<String> {
    let host = app.address.trim_start_matches("http://");
    let mut body =
        b"--x\r\ncontent-disposition: form-data; name=\"archive\"; filename=\"a.zip\"\r\n\r\n"
            .to_vec();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let head = format!(
        "POST /api/import/archive HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\ncookie: {cookie}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n",
        app.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body[..arrives.min(body.len())]).await?;
    if arrives < body.len() {
        drop(stream);
        return Ok(String::new());
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What is in the folder that archives are sent to, and in what it has.
fn kept(imports: &Path) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    let Ok(folders) = fs::read_dir(imports.join("sent")) else { return Ok(kept) };
    for folder in folders {
        for file in fs::read_dir(folder?.path())? {
            kept.push(file?.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(kept)
}

#[tokio::test]
async fn an_archive_that_is_sent_is_there_whole_or_not_at_all() -> Result<()> {
    let theirs = tempfile::tempdir()?;
    let app = App::importing(theirs.path()).await?;
    let bob = app.sign_up("bob", Role::Member).await?;
    // More than any form may have, and cut off in the middle.
    let content = vec![7; 3 << 20];
    send(&app, &bob, &content, 2 << 20).await?;
    let arrived = send(&app, &bob, &content, usize::MAX).await?;
    assert!(arrived.starts_with("HTTP/1.1 303"), "{arrived}");
    ready::wait_for("what was cut off to be gone", async || {
        let kept = kept(theirs.path())?;
        anyhow::ensure!(kept == ["a.zip"], "{kept:?}");
        Ok(())
    })
    .await?;
    let empty = send(&app, &bob, &[], usize::MAX).await?;
    assert!(empty.contains("the archive is empty"), "{empty}");
    assert_eq!(kept(theirs.path())?.len(), 1);
    app.stop().await?;

    let app = App::migrating().await?;
    let refused = send(&app, &app.admin, &content, usize::MAX).await?;
    assert!(refused.contains("names no folder for them"), "{refused}");
    app.stop().await
}
