//! Something went wrong, said where it matters.

use leptos::prelude::*;

/// A sentence that is read out at once, with what to do about it below.
#[component]
pub fn Notice<Advice: IntoView + 'static>(
    #[prop(into)] sentence: String,
    children: TypedChildren<Advice>,
) -> impl IntoView {
    view! {
        <div class="notice" role="alert">
            <p class="notice-sentence">{sentence}</p>
            <p>{children.into_inner()()}</p>
        </div>
    }
}
