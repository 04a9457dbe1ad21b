//! How much of something is done.

use leptos::prelude::*;
use model::Share;

/// A bar that fills from left to right, with its number beside it.
#[component]
pub fn ProgressBar(
    /// What it is that is being done.
    #[prop(into)]
    label: String,
    #[prop(into)] share: Signal<Share>,
) -> impl IntoView {
    let percent = move || share.get().percent.to_string();
    let words = move || {
        let Share { percent, about } = share.get();
        if about { format!("about {percent} %") } else { format!("{percent} %") }
    };
    view! {
        <div class="progress">
            <progress max="100" value=percent aria-label=label></progress>
            <span class="number">{words}</span>
        </div>
    }
}
