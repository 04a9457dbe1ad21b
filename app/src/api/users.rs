//! The people who use the app: for admins.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{People, Role};

use super::ApiError;

/// Everybody who has an account or was invited, and the sessions that are alive.
#[server(endpoint = "users", input = GetUrl)]
pub async fn everybody() -> Result<People, ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let accounts = expect_context::<engine::Engine>().accounts();
    Ok(People {
        accounts: accounts.list(&permit).await?,
        invitations: accounts.invitations(&permit).await?,
        sessions: accounts.sessions(&permit, None).await?,
    })
}

/// Makes a link with which somebody can make an account, and shows it once.
#[server(endpoint = "users/invite")]
pub async fn invite(note: String, role: Role) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let accounts = expect_context::<engine::Engine>().accounts();
    let token = accounts.invite(&permit, role, &note).await?;
    super::once::tell_invitation(token.text());
    leptos_axum::redirect("/users");
    Ok(())
}

/// Takes an invitation back that nobody has used.
#[server(endpoint = "users/take_back")]
pub async fn take_back(id: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    expect_context::<engine::Engine>().accounts().take_back(&permit, &id).await?;
    to_users()
}

/// Gives somebody another role, which ends their sessions.
#[server(endpoint = "users/role")]
pub async fn set_role(account: String, role: Role) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    expect_context::<engine::Engine>().accounts().set_role(&permit, &account, role).await?;
    to_users()
}

/// Lets somebody sign in no more, or again. Their sessions end.
#[server(endpoint = "users/disable")]
pub async fn set_disabled(account: String, disabled: bool) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let accounts = expect_context::<engine::Engine>().accounts();
    accounts.set_disabled(&permit, &account, disabled).await?;
    to_users()
}

/// Ends all sessions of somebody.
#[server(endpoint = "users/end_sessions")]
pub async fn end_sessions(account: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    expect_context::<engine::Engine>().accounts().end_sessions(&permit, &account).await?;
    to_users()
}

#[cfg(feature = "ssr")]
fn to_users() -> Result<(), ApiError> {
    leptos_axum::redirect("/users");
    Ok(())
}
