//! What stands on top of every page.

use leptos::prelude::*;
use leptos_router::components::A;

/// The name of the program, as the way home.
#[component]
pub fn Masthead() -> impl IntoView {
    view! {
        <a class="skip-link" href="#content">"Skip to content"</a>
        <header class="masthead">
            <A href="/" attr:class="brand">
                <img src="/favicon.svg" alt="" width="24" height="24" />
                <span>"FiftyOne Migrate"</span>
            </A>
        </header>
    }
}
