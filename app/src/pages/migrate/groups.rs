//! The datasets of a plan, by what happens to them.

use leptos::prelude::*;
use model::PlanGroup;

use super::plan::Rest;
use super::words;

/// One line for each group, which opens to the names.
#[component]
pub fn Groups(groups: Vec<PlanGroup>) -> impl IntoView {
    (!groups.is_empty()).then(|| {
        let groups = groups.into_iter().map(|group| view! { <Group group /> }).collect_view();
        view! {
            <section class="card" aria-labelledby="groups">
                <h2 id="groups">"Datasets by what happens to them"</h2>
                {groups}
            </section>
        }
    })
}

#[component]
fn Group(group: PlanGroup) -> impl IntoView {
    let summary = words::group(&group);
    let PlanGroup { count, datasets, change } = group;
    let names = datasets.into_iter().map(|it| view! { <li class="name">{it}</li> }).collect_view();
    view! {
        <details class="group" data-change=words::kind(&change)>
            <summary>{summary}</summary>
            <ul class="names">{names}</ul>
            <Rest all=count />
        </details>
    }
}
