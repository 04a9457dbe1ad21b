//! `/invitation/{token}`: making the account that one was invited to.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::InvitationSummary;

use crate::api::{AcceptInvitation, ApiError, form, invitation};
use crate::components::{Field, Notice};

/// The form, if the link holds.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let token = use_params_map().with_untracked(|it| it.get("token").unwrap_or_default());
    let for_server = token.clone();
    let found = Resource::new(move || for_server.clone(), invitation);
    let refused = form::refusal::<AcceptInvitation>();
    view! {
        <Title text="Make your account" />
        <section class="door">
            {refused.map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })}
            <Suspense fallback=|| {
                view! { <p aria-busy="true">"Loading"</p> }
            }>
                {move || {
                    let token = token.clone();
                    Suspend::new(async move { view! { <Invited found=found.await token /> } })
                }}
            </Suspense>
        </section>
    }
}

#[component]
fn Invited(found: Result<Option<InvitationSummary>, ApiError>, token: String) -> impl IntoView {
    match found {
        Ok(Some(invitation)) => view! { <Form invitation token /> }.into_any(),
        Ok(None) => {
            view! {
                <h1>"This link does not hold any more"</h1>
                <p>
                    "It was used, taken back, or has expired. Ask an admin for another one. Where there "
                    "is no account at all yet, start the server again: it prints a new link."
                </p>
                <p><a href="/sign-in" rel="external">"Sign in"</a></p>
            }
            .into_any()
        }
        Err(error) => {
            view! { <Notice sentence=error.to_string()>"Mend the cause, then load this page again."</Notice> }
                .into_any()
        }
    }
}

#[component]
fn Form(invitation: InvitationSummary, token: String) -> impl IntoView {
    let InvitationSummary { role, by, resets, .. } = invitation;
    let (heading, what, button) = match &resets {
        Some(name) => (
            "Choose a new password",
            format!("For the account `{name}`; all its sessions end. The link was made by {by}."),
            "Change it and sign in",
        ),
        None => (
            "Make your account",
            format!("You will be {role} of this deployment. Invited by {by}."),
            "Make the account and sign in",
        ),
    };
    view! {
        <h1>{heading}</h1>
        <p class="muted">{what}</p>
        <form class="form card" method="post" action={form::address::<AcceptInvitation>()}>
            <input type="hidden" name="token" value=token />
            <Field label="Name" name="name" autocomplete="username" value=resets.unwrap_or_default()
                hint="What you sign in with, for example your e-mail address." />
            <Field label="Password" name="password" kind="password" autocomplete="new-password"
                hint="At least 12 characters." />
            <Field label="The same password again" name="again" kind="password"
                autocomplete="new-password" />
            <button class="button button-main">{button}</button>
        </form>
    }
}
