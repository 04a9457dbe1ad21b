//! What to migrate, and where to: a form that works without scripts.

use leptos::prelude::*;
use model::{PlanDestination, PlanQuestion, PlanScope};

use super::words;

/// Asks for the plan by loading this page with the answers in its address.
#[component]
pub fn QuestionForm(question: PlanQuestion, destinations: Vec<PlanDestination>) -> impl IntoView {
    let PlanQuestion { scope, destination, datasets, selection } = question;
    // What is in no list was typed.
    let known = destination.is_empty() || destinations.iter().any(|it| it.version == destination);
    let other = if known { String::new() } else { destination.clone() };
    let options = destinations
        .into_iter()
        .map(|it| {
            let selected = it.version == destination;
            let text = words::destination(&it);
            view! { <option value=it.version selected=selected>{text}</option> }
        })
        .collect_view();
    let selected = !selection.is_empty();
    let scopes = PlanScope::ALL
        .into_iter()
        .filter(|it| selected || *it != PlanScope::Selection)
        .map(|it| {
            view! {
                <label class="choice">
                    <input type="radio" name="scope" value=it.word() checked=it == scope />
                    {words::scope(it)}
                </label>
            }
        })
        .collect_view();
    view! {
        <form class="card form" method="get" action="/migrate">
            <div class="question-destination">
                <label class="field">
                    "Destination"
                    <select name="destination">{options}</select>
                </label>
                <label class="field">
                    "Or another version"
                    <input
                        name="other"
                        value=other
                        placeholder="1.0.0 or enterprise:2.1.0"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                    />
                </label>
            </div>
            <fieldset class="choices">
                <legend>"What to migrate"</legend>
                {scopes}
            </fieldset>
            {selected.then(|| view! { <input type="hidden" name="selection" value=selection /> })}
            <label class="field">
                "Names of datasets, one a line, if only some are to be migrated"
                <textarea name="datasets" rows="3" autocapitalize="none" spellcheck="false">
                    {datasets}
                </textarea>
            </label>
            <p>
                <button class="button">"Show the plan"</button>
                <span class="muted">" Nothing is written by that."</span>
            </p>
        </form>
    }
}
