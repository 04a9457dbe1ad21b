//! A moment, told by how long ago it was.

use leptos::prelude::*;
use model::words;

/// How long before `now`, by the server's clock, something was; the moment itself when it is pointed at.
#[component]
pub fn TimeAgo(#[prop(into)] time: String, #[prop(into)] now: String) -> impl IntoView {
    let ago = words::between_ms(&time, &now).map(words::ago);
    let moment = words::moment(&time);
    let told = ago.unwrap_or_else(|| moment.clone());
    view! { <time datetime=time title=moment>{told}</time> }
}
