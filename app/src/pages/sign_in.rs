//! `/sign-in`: saying who one is.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::{SignIn, form};
use crate::components::{Field, Notice};

/// Name and password. The browser posts them by itself, so that every page after it is a new one.
#[component]
pub fn SignInPage() -> impl IntoView {
    let query = use_query_map();
    let next = query.with_untracked(|it| it.get("next").unwrap_or_else(|| "/".to_owned()));
    let refused = form::refusal::<SignIn>();
    view! {
        <Title text="Sign in" />
        <section class="door">
            <h1>"Sign in"</h1>
            {refused.map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })}
            <form class="form card" method="post" action={form::address::<SignIn>()}>
                <input type="hidden" name="next" value=next />
                <Field label="Name" name="name" autocomplete="username" />
                <Field
                    label="Password"
                    name="password"
                    kind="password"
                    autocomplete="current-password"
                />
                <button class="button button-main">"Sign in"</button>
            </form>
            <p class="muted">
                "No account yet? An admin can invite you. The first admin is made with the link that "
                "this program prints on its console when it starts."
            </p>
        </section>
    }
}
