//! Nobody may change this deployment from here, said on every page.

use leptos::prelude::*;

/// One sentence, and what to do about it.
#[component]
pub fn ReadOnly() -> impl IntoView {
    view! {
        <p class="read-only">
            <strong>"Read-only."</strong>
            " Nobody can migrate this deployment from here: "
            <code>"FIFTYONE_DATABASE_ADMIN"</code>
            " is not true where this server was started."
        </p>
    }
}
