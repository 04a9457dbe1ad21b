//! What narrows the list of datasets down: a text, and the values that they have.

use leptos::prelude::*;
use model::words::count;
use model::{DatasetQuery, DatasetSort, DatasetTab, Facet, FacetCounts, FacetValue};

/// A part of the name, on top of what was chosen.
#[component]
pub fn Search(query: DatasetQuery) -> impl IntoView {
    let mut kept: Vec<(&'static str, String)> = Vec::new();
    if query.tab != DatasetTab::default() {
        kept.push(("tab", query.tab.word().to_owned()));
    }
    for (facet, values) in &query.chosen {
        kept.extend(values.iter().map(|it| (facet.word(), it.clone())));
    }
    if query.sort != DatasetSort::default() || query.descending {
        let way = if query.descending { "-" } else { "" };
        kept.push(("sort", format!("{way}{}", query.sort.word())));
    }
    let kept = kept
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    view! {
        <form class="ask" method="get" action="/datasets" role="search">
            {kept}
            <label for="q">"Name contains"</label>
            <input
                id="q"
                name="q"
                type="search"
                value=query.search
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
            <button class="button">"Search"</button>
        </form>
    }
}

/// The values that there are, each a link that chooses it.
#[component]
pub fn Facets(facets: Vec<FacetCounts>, query: DatasetQuery) -> impl IntoView {
    let shown = facets.into_iter().filter(|it| is_of_use(it, query.tab));
    let shown = shown.map(|facet| view! { <OneFacet facet query=query.clone() /> }).collect_view();
    view! { <div class="facets">{shown}</div> }
}

/// What only one tab has is not asked for in others; what nobody has at all is not asked for either.
fn is_of_use(it: &FacetCounts, tab: DatasetTab) -> bool {
    (it.facet != Facet::Private || tab == DatasetTab::Private) && !it.values.is_empty()
}

#[component]
fn OneFacet(facet: FacetCounts, query: DatasetQuery) -> impl IntoView {
    let FacetCounts { facet, values, more } = facet;
    let chosen = values.iter().filter(|it| it.chosen).count();
    let number = (chosen > 0).then(|| {
        view! {
            " "
            <span class="badge-count">{chosen}</span>
            <span class="unseen">" chosen"</span>
        }
    });
    let links = values.into_iter().map(|value| view! { <Value facet value query=query.clone() /> });
    let more = (more > 0).then(|| {
        let more = format!("and {} more; search for what you want", count(more));
        view! { <li class="muted">{more}</li> }
    });
    view! {
        <details class="facet" name="facet">
            <summary class="button">{facet.title()} {number}</summary>
            <ul class="facet-values">{links.collect_view()} {more}</ul>
        </details>
    }
}

#[component]
fn Value(facet: Facet, value: FacetValue, query: DatasetQuery) -> impl IntoView {
    let FacetValue { value, count: number, chosen } = value;
    let address = query.toggled(facet, &value).address();
    view! {
        <li>
            <a href=address rel="external" aria-current=chosen.then_some("true")>
                <span class="facet-value">{facet.told(&value)}</span>
                <span class="muted">{count(number)}</span>
            </a>
        </li>
    }
}

/// What was chosen, each a link that takes it back.
#[component]
pub fn Chosen(query: DatasetQuery) -> impl IntoView {
    let mut links: Vec<(String, String)> = Vec::new();
    if !query.search.is_empty() {
        let without = DatasetQuery { search: String::new(), page: 1, ..query.clone() };
        links.push((format!("Name contains “{}”", query.search), without.address()));
    }
    for (facet, values) in &query.chosen {
        links.extend(values.iter().map(|it| {
            let what = format!("{}: {}", facet.title(), facet.told(it));
            (what, query.toggled(*facet, it).address())
        }));
    }
    let links: Vec<_> = links
        .into_iter()
        .map(|(what, address)| {
            let label = format!("Without {what}");
            view! {
                <li>
                    <a class="chip" href=address rel="external" aria-label=label>
                        {what}
                        <span aria-hidden="true">" ×"</span>
                    </a>
                </li>
            }
        })
        .collect();
    (!links.is_empty())
        .then(|| view! { <ul class="chips" aria-label="What is chosen">{links}</ul> })
}
