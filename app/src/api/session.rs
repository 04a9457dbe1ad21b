//! Signing in and out.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{InvitationSummary, Session};

use super::ApiError;

/// Who is asking, if they have signed in; what every page shows of them.
#[server(endpoint = "session", input = GetUrl)]
pub async fn who_is_asking() -> Result<Option<Session>, ApiError> {
    // Not the gate: whoever has not signed in is told so, and shown where to.
    let Some(principal) = super::gate::principal()? else { return Ok(None) };
    let engine = expect_context::<engine::Engine>();
    let (database, barrier) = (engine.database().to_owned(), engine.barrier().map(str::to_owned));
    // Server functions are asynchronous, whether they wait or not.
    std::future::ready(Ok(Some(Session { principal, database, barrier }))).await
}

/// Begins a session, and goes on to the page that was asked for.
#[server(endpoint = "sign_in")]
pub async fn sign_in(name: String, password: String, next: String) -> Result<(), ApiError> {
    let engine = expect_context::<engine::Engine>();
    let token = engine.accounts().sign_in(&name, &password, &super::visit::origin()).await?;
    super::visit::begin(&token, &next)
}

/// What somebody was invited to; `None` if the link does not hold any more.
#[server(endpoint = "invitation")]
pub async fn invitation(token: String) -> Result<Option<InvitationSummary>, ApiError> {
    Ok(expect_context::<engine::Engine>().accounts().invitation(&token).await?)
}

/// Makes the account that somebody was invited to, and begins its first session.
#[server(endpoint = "accept_invitation")]
pub async fn accept_invitation(
    token: String,
    name: String,
    password: String,
    again: String,
) -> Result<(), ApiError> {
    if password != again {
        let reason = "the two passwords are not the same; type the same one twice".to_owned();
        return Err(super::gate::refuse(ApiError::Refused { reason }));
    }
    let engine = expect_context::<engine::Engine>();
    let accounts = engine.accounts();
    let session = accounts.accept(&token, &name, &password, &super::visit::origin()).await?;
    super::visit::begin(&session, "/")
}

/// Ends the session.
#[server(endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), ApiError> {
    let _permit = super::gate::require(model::Action::KeepOwnAccount)?;
    if let Some(token) = super::visit::token() {
        expect_context::<engine::Engine>().accounts().sign_out(&token).await?;
    }
    super::visit::end()
}
