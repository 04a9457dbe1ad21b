//! A command that can be copied.

use leptos::prelude::*;

/// What to type, and a button that copies it, where `copying` listens. Without scripts the button is not there, and people
/// mark the text.
#[component]
pub fn Command(
    /// What it is a command for, for those who hear the button and not what stands beside it.
    name: &'static str,
    #[prop(into)] text: String,
) -> impl IntoView {
    let command = text.clone();
    view! {
        <div class="command">
            <pre>
                <code data-command=command>{text}</code>
            </pre>
            <span class="command-state live-only" role="status"></span>
            <button
                class="button live-only"
                type="button"
                data-copy=""
                aria-label=format!("Copy for {name}")
            >
                "Copy"
            </button>
        </div>
    }
}
