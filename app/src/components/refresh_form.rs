//! Reading the figures again.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::{ApiError, DeploymentStatus};

/// A button that calls the server function and leaves the page where it is.
///
/// Until the wasm has arrived, or without it, the same form loads the page again.
#[component]
pub fn RefreshForm(
    refresh: ServerAction<DeploymentStatus>,
    /// Whether a person has asked last. What the page asks by itself is not announced.
    by_hand: RwSignal<bool>,
) -> impl IntoView {
    let pending = refresh.pending();
    let read_again = move |event: SubmitEvent| {
        event.prevent_default();
        by_hand.set(true);
        if !pending.get_untracked() {
            refresh.dispatch(DeploymentStatus {});
        }
    };
    view! {
        <form class="refresh" method="get" action="/" on:submit=read_again>
            <span class="refresh-state" role="status">
                {move || {
                    if by_hand.get() { announcement(pending.get(), refresh.value().get()) } else { "" }
                }}
            </span>
            <button class="button" aria-busy=move || (by_hand.get() && pending.get()).to_string()>
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                    <path d="M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 1.5v3h-3" />
                </svg>
                "Refresh"
            </button>
        </form>
    }
}

/// What is said to those who cannot see the figures change. A failure speaks for itself.
fn announcement<T>(pending: bool, latest: Option<Result<T, ApiError>>) -> &'static str {
    match latest {
        _ if pending => "Reading",
        Some(Ok(_)) => "Read again just now",
        Some(Err(_)) | None => "",
    }
}
