//! Which version everything is at, and what there is to do.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::Glance;

use super::ApiError;

/// Reads the deployment's versions and its newest runs. Reading changes nothing.
#[server(endpoint = "status", input = GetUrl)]
pub async fn deployment_status() -> Result<Glance, ApiError> {
    let permit = super::gate::require(model::Action::ReadStatus)?;
    Ok(expect_context::<engine::Engine>().glance(&permit).await?)
}
