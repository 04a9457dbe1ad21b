//! `/versions`: which Enterprise release has which SDK and data model, and what lies between.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::{version_table, way_to};
use crate::components::{Loaded, Notice, VersionTable, WaySummary};

/// A look-up of the way to a release, and the table of all.
#[component]
pub fn Versions() -> impl IntoView {
    let query = use_query_map();
    let asked = query.get_untracked().get("q").unwrap_or_default();
    let searched = RwSignal::new(asked.clone());
    let rows = Resource::new(|| (), |()| version_table());
    view! {
        <Title text="Versions" />
        <header class="page-header">
            <h1>"Versions"</h1>
        </header>
        <section class="card padded" aria-labelledby="way">
            <h2 id="way">"The way to a release"</h2>
            <WayTo />
        </section>
        <section class="card padded" aria-labelledby="releases">
            <h2 id="releases">"All releases"</h2>
            <form class="ask" method="get" action="/versions" role="search">
                <label for="q">"Search the releases"</label>
                <input
                    id="q"
                    name="q"
                    type="search"
                    value=asked
                    on:input=move |event| searched.set(event_target_value(&event))
                />
                <button class="button">"Search"</button>
            </form>
            <Loaded from=rows let:list>
                <VersionTable list searched />
            </Loaded>
            <p class="muted">
                "Stated: a release note or FiftyOne itself names the pair. Inferred: it follows from numbers and dates."
            </p>
        </section>
    }
}

#[component]
fn WayTo() -> impl IntoView {
    let query = use_query_map();
    let goal = Memo::new(move |_| query.read().get("to").unwrap_or_default());
    let way = Resource::new(
        move || goal.get(),
        async |goal| {
            if goal.trim().is_empty() { Ok(None) } else { way_to(goal).await.map(Some) }
        },
    );
    view! {
        <form class="ask" method="get" action="/versions">
            <label for="to">"I want to go to Enterprise, SDK or compatibility version"</label>
            <input id="to" name="to" required=true autocomplete="off" value=goal.get_untracked() />
            <button class="button">"Show the way"</button>
        </form>
        <Loaded from=way let:way>
            {match way {
                None => ().into_any(),
                Some(Ok(way)) => view! { <WaySummary way /> }.into_any(),
                Some(Err(unclear)) => {
                    view! {
                        <Notice sentence=unclear>"The table below has all that it knows."</Notice>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}
