//! Every address that is none of ours.

use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, and leads home.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Title text="Not found" />
        <section class="empty">
            <h1>"There is no such page"</h1>
            <p>"The address may be mistyped, or the page may have moved."</p>
            <p><a href="/" rel="external">"Go to the overview"</a></p>
        </section>
    }
}
