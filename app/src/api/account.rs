//! One's own account.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::SessionSummary;

use super::ApiError;

/// One's own sessions that are alive; the one that asks is the first.
#[server(endpoint = "account/sessions", input = GetUrl)]
pub async fn own_sessions() -> Result<Vec<SessionSummary>, ApiError> {
    let permit = super::gate::require(model::Action::KeepOwnAccount)?;
    let accounts = expect_context::<engine::Engine>().accounts();
    let mut sessions = accounts.sessions(&permit, Some(permit.holder())).await?;
    let ours = super::gate::own_session();
    sessions.sort_by_key(|it| Some(&it.id) != ours.as_ref());
    Ok(sessions)
}

/// Ends one of one's own sessions.
#[server(endpoint = "account/end_session")]
pub async fn end_session(id: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::KeepOwnAccount)?;
    expect_context::<engine::Engine>().accounts().end_session(&permit, &id).await?;
    leptos_axum::redirect("/account");
    Ok(())
}

/// Changes one's password, which ends all other sessions.
#[server(endpoint = "account/password")]
pub async fn change_password(old: String, new: String, again: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::KeepOwnAccount)?;
    if new != again {
        let reason = "the two new passwords are not the same; type the same one twice".to_owned();
        return Err(super::gate::refuse(ApiError::Refused { reason }));
    }
    let accounts = expect_context::<engine::Engine>().accounts();
    let ours = super::gate::own_session().unwrap_or_default();
    accounts.change_password(&permit, &old, &new, &ours).await?;
    leptos_axum::redirect("/account?changed=1");
    Ok(())
}
