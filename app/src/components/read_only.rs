//! Nobody may change this deployment from here, said on every page.

use leptos::prelude::*;

/// One sentence.
#[component]
pub fn ReadOnly(
    /// Why, without a full stop.
    why: String,
) -> impl IntoView {
    view! {
        <p class="read-only">
            <strong>"Read-only."</strong>
            " "
            <span class="sentence">{why} "."</span>
        </p>
    }
}
