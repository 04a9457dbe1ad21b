//! Whether a client can open the database.

use leptos::prelude::*;
use model::Opening;

/// Yes or no, and what FiftyOne would print.
#[component]
pub fn OpeningAnswer(answer: Opening) -> impl IntoView {
    let word = if answer.compatible { "✓ Yes" } else { "✕ No" };
    let at = answer.database.map_or_else(|| "as it is".to_owned(), |it| format!("at {it}"));
    let sentence = if answer.compatible { "can open" } else { "cannot open" };
    let message = answer.message.map(|it| {
        view! {
            <p>"FiftyOne says:"</p>
            <blockquote>{it}</blockquote>
        }
    });
    let note = answer.note.map(|it| view! { <p class="note">{it} "."</p> });
    view! {
        <div class="answer" data-compatible=answer.compatible.to_string() role="status">
            <p>
                <strong>{word}</strong>
                ": "
                {format!("client {} {sentence} the database {at}.", answer.client)}
            </p>
            {message}
            {note}
        </div>
    }
}
