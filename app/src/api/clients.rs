//! Who is connected to the database.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::Clients;

use super::ApiError;

/// Everybody who is connected, and what becomes of them at `destination` (empty for the newest version), or why that cannot be
/// said. Reading changes nothing.
#[server(endpoint = "clients", input = GetUrl)]
pub async fn connected_clients(
    #[server(default)] destination: String,
) -> Result<Result<Clients, String>, ApiError> {
    super::gate::require(model::Action::ReadClients)?;
    match engine::versions::destination(&destination) {
        Ok(it) => Ok(Ok(expect_context::<engine::Engine>().clients(it.as_ref()).await?)),
        Err(unclear) => Ok(Err(unclear.to_string())),
    }
}
