//! Which version everything is at.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::Status;

use super::ApiError;

/// Reads the deployment's versions. Reading changes nothing.
#[server(endpoint = "status", input = GetUrl)]
pub async fn deployment_status() -> Result<Status, ApiError> {
    super::gate::require(model::Action::ReadStatus)?;
    Ok(expect_context::<engine::Engine>().status().await?)
}
