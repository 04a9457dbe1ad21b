//! Names and values, in a list.

use leptos::prelude::*;
use model::Fact;

/// Facts; with the class `ladder`, as rungs one above the other.
#[component]
pub fn Facts(facts: Vec<Fact>, class: &'static str) -> impl IntoView {
    let facts = facts.into_iter().map(fact).collect_view();
    view! { <dl class=class>{facts}</dl> }
}

fn fact(Fact { name, value, goal, note }: Fact) -> impl IntoView {
    let goal = goal.map(|it| {
        view! {
            <span class="fact-goal">
                <span aria-hidden="true">"→ "</span>
                <span class="unseen">"can go to "</span>
                {it}
            </span>
        }
    });
    let reached = goal.is_none().to_string();
    let note = note.map(|it| view! { <small class="fact-note">{it}</small> });
    view! {
        <div class="fact" data-reached=reached>
            <dt>{name}</dt>
            <dd>
                <span class="number">{value}</span>
                " "
                {goal}
                {note}
            </dd>
        </div>
    }
}
