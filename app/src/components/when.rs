//! A moment, as text that is the same on both sides and the same for everybody.

use leptos::prelude::*;
use model::words;

/// `2026-11-23 11:14:25 UTC`, and in full for programs and when it is pointed at. `time`: RFC 3339, UTC.
#[component]
pub fn When(#[prop(into)] time: String) -> impl IntoView {
    let shown = words::moment(&time);
    view! { <time datetime=time.clone() title=time>{shown}</time> }
}
