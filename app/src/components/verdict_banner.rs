//! One sentence: whether something needs doing.

use leptos::prelude::*;
use model::{Tone, Verdict};

/// The plan for all there is to do.
const PLAN: &str = "/migrate?scope=everything&destination=&other=&datasets=";

/// The verdict, with its tone as a word and a shape, and only then as a color.
#[component]
pub fn VerdictBanner(
    verdict: Verdict,
    /// Whether whoever looks may see what would be done.
    plans: bool,
) -> impl IntoView {
    let (word, shape) = match verdict.tone {
        Tone::Good => ("Nothing to do", "M4.5 8.2l2.4 2.4 4.6-5"),
        Tone::Todo => ("Something to do", "M8 11.5v-7M5 7.2l3-3 3 3"),
        Tone::Problem => ("Needs attention", "M8 4.2v4.6M8 11.4v.2"),
    };
    view! {
        <section class="verdict" data-tone=verdict.tone.name() aria-label="Verdict">
            <svg class="verdict-mark" viewBox="0 0 16 16" aria-hidden="true">
                <circle cx="8" cy="8" r="7.25" />
                <path d=shape />
            </svg>
            <p>
                <strong class="verdict-word">{word}</strong>
                <span class="verdict-sentence">{verdict.sentence}</span>
            </p>
            {(plans && verdict.tone == Tone::Todo)
                .then(|| {
                    view! {
                        <a class="button button-main" href=PLAN rel="external">
                            "See the plan"
                        </a>
                    }
                })}
        </section>
    }
}
