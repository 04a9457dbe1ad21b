//! Which versions there are, what belongs to them, and what lies between.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Opening, ReleaseList, Sdk, VersionEntry, VersionForm, Way};

use super::ApiError;

/// All Enterprise releases, newest first. Reading changes nothing.
#[server(endpoint = "versions", input = GetUrl)]
pub async fn version_table() -> Result<ReleaseList, ApiError> {
    let permit = super::gate::require(model::Action::ReadVersions)?;
    Ok(expect_context::<engine::Engine>().releases(&permit).await?)
}

/// The form in which a release is corrected, or added (`name` is `new`), with what was typed so far and what comes of it. Reading
/// changes nothing.
#[server(endpoint = "versions/form", input = GetUrl)]
pub async fn release_form(
    name: String,
    #[server(default)] entry: VersionEntry,
) -> Result<VersionForm, ApiError> {
    let permit = super::gate::require(model::Action::CorrectVersions)?;
    Ok(expect_context::<engine::Engine>().version_form(&permit, known(&name), entry).await?)
}

/// Saves what an admin has of a release. `seen`: of which correction the form was made.
#[server(endpoint = "versions/correct")]
pub async fn correct_version(
    name: String,
    #[server(default)] entry: VersionEntry,
    #[server(default)] seen: String,
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::CorrectVersions)?;
    let engine = expect_context::<engine::Engine>();
    engine.correct_version(&permit, known(&name), &entry, &seen).await?;
    leptos_axum::redirect("/versions");
    Ok(())
}

/// Takes the correction of a release back.
#[server(endpoint = "versions/put_back")]
pub async fn put_version_back(
    name: String,
    #[server(default)] seen: String,
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::CorrectVersions)?;
    expect_context::<engine::Engine>().put_version_back(&permit, &name, &seen).await?;
    leptos_axum::redirect("/versions");
    Ok(())
}

/// The release that a form is about; `None` for a new one.
#[cfg(feature = "ssr")]
fn known(name: &str) -> Option<&str> {
    Some(name).filter(|it| *it != "new")
}

/// What lies between the database and a release, or why that cannot be said.
#[server(endpoint = "way", input = GetUrl)]
pub async fn way_to(goal: String) -> Result<Result<Way, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    let engine = expect_context::<engine::Engine>();
    let (versions, head) = (engine.versions().await?, engine.head().await?);
    Ok(versions.way(&goal, head.as_deref()).map_err(|it| it.to_string()))
}

/// The SDK for a release, or for the version the database is at, or why there is none. `asked`: empty for the latter.
#[server(endpoint = "sdk", input = GetUrl)]
pub async fn sdk_for(#[server(default)] asked: String) -> Result<Result<Sdk, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    let engine = expect_context::<engine::Engine>();
    let (versions, head) = (engine.versions().await?, engine.head().await?);
    Ok(versions.sdk(Some(&asked), head.as_deref()).map_err(|it| it.to_string()))
}

/// Whether a client can open the database, or why that cannot be said. `kind`: a word of `ClientKind`.
#[server(endpoint = "opening", input = GetUrl)]
pub async fn can_open(
    client: String,
    #[server(default)] kind: String,
    #[server(default)] destination: String,
) -> Result<Result<Opening, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    let engine = expect_context::<engine::Engine>();
    let versions = engine.versions().await?;
    match engine::versions::Question::read(&versions, &client, &kind, &destination) {
        Ok(question) => Ok(Ok(engine.opening(&question).await?)),
        Err(unclear) => Ok(Err(unclear.to_string())),
    }
}
