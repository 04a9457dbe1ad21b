//! What has to be typed before something far-reaching, and who does it, once more.

use leptos::prelude::*;

/// A field for what `what` says has to be typed.
#[component]
pub fn Typed(what: String, name: &'static str) -> impl IntoView {
    view! {
        <label class="field">
            {what}
            <input
                name=name
                required
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                translate="no"
            />
        </label>
    }
}

/// A field for the password of whoever has signed in.
#[component]
pub fn PasswordAgain() -> impl IntoView {
    view! {
        <label class="field">
            "Your password, once more"
            <input name="password" type="password" required autocomplete="current-password" />
        </label>
    }
}
