//! Which versions there are, what belongs to them, and what lies between.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Opening, Sdk, VersionRow, Way};

use super::ApiError;

/// All Enterprise releases, newest first. Asks no database.
#[server(endpoint = "versions", input = GetUrl)]
pub async fn version_table() -> Result<Vec<VersionRow>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    // Server functions are asynchronous, whether they wait or not.
    Ok(std::future::ready(engine::versions::rows()).await)
}

/// What lies between the database and a release, or why that cannot be said.
#[server(endpoint = "way", input = GetUrl)]
pub async fn way_to(goal: String) -> Result<Result<Way, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    let head = expect_context::<engine::Engine>().head().await?;
    Ok(engine::versions::way(&goal, head.as_deref()).map_err(|it| it.to_string()))
}

/// The SDK for a release, or for the version the database is at, or why there is none. `asked`: empty for the latter.
#[server(endpoint = "sdk", input = GetUrl)]
pub async fn sdk_for(#[server(default)] asked: String) -> Result<Result<Sdk, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    let head = expect_context::<engine::Engine>().head().await?;
    Ok(engine::versions::sdk(Some(&asked), head.as_deref()).map_err(|it| it.to_string()))
}

/// Whether a client can open the database, or why that cannot be said. `kind`: a word of `ClientKind`.
#[server(endpoint = "opening", input = GetUrl)]
pub async fn can_open(
    client: String,
    #[server(default)] kind: String,
    #[server(default)] destination: String,
) -> Result<Result<Opening, String>, ApiError> {
    super::gate::require(model::Action::ReadVersions)?;
    match engine::versions::Question::read(&client, &kind, &destination) {
        Ok(question) => Ok(Ok(expect_context::<engine::Engine>().opening(&question).await?)),
        Err(unclear) => Ok(Err(unclear.to_string())),
    }
}
