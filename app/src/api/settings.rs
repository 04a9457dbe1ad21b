//! What the server runs with.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::ServerSettings;

use super::ApiError;

/// Reads what the server runs with. Reading changes nothing.
#[server(endpoint = "settings", input = GetUrl)]
pub async fn read_settings() -> Result<ServerSettings, ApiError> {
    let permit = super::gate::require(model::Action::ReadSettings)?;
    Ok(expect_context::<engine::Engine>().settings(&permit).await?)
}
