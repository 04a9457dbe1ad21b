//! Something went wrong, said where it matters.

use leptos::prelude::*;

/// A sentence that is read out at once, with what to do about it below.
#[component]
pub fn Notice(#[prop(into)] sentence: String, children: Children) -> impl IntoView {
    view! {
        <div class="notice" role="alert">
            <p class="notice-sentence">{sentence}</p>
            <p>{children()}</p>
        </div>
    }
}
