//! One sentence of verdict, and what there is to do.

use leptos::prelude::*;
use model::{Headline, Tone};

/// The headline, with its tone as a word and a shape, and only then as a color.
#[component]
pub fn VerdictBanner(headline: Headline) -> impl IntoView {
    let shape = match headline.tone {
        Tone::Good => "M4.5 8.2l2.4 2.4 4.6-5",
        Tone::Todo => "M8 11.5v-7M5 7.2l3-3 3 3",
        Tone::Problem => "M8 4.2v4.6M8 11.4v.2",
    };
    let todos = headline.todos.into_iter().enumerate().map(|(at, it)| {
        let class = if at == 0 { "button button-main" } else { "button" };
        view! {
            <a class=class href=it.address rel="external">
                {it.button}
            </a>
        }
    });
    view! {
        <section class="verdict" data-tone=headline.tone.name() aria-label="Verdict">
            <svg class="verdict-mark" viewBox="0 0 16 16" aria-hidden="true">
                <circle cx="8" cy="8" r="7.25" />
                <path d=shape />
            </svg>
            <p>
                <strong class="verdict-word">{headline.word}</strong>
                <span class="verdict-sentence">{headline.sentence}</span>
            </p>
            <div class="verdict-todos">{todos.collect_view()}</div>
        </section>
    }
}
