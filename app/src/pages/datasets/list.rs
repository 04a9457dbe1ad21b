//! The list of datasets, and all that narrows it down: made by the server alone.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use model::words::{count, counted};
use model::{DatasetPage, DatasetQuery, DatasetSort, DatasetTab, ROWS_ON_PAGE};

use super::facets::{Chosen, Facets, Search};
use super::keys::KEYS;
use super::rows::Selection;
use super::words;
use crate::api::{SelectDatasets, find_datasets, form};
use crate::components::{Notice, TimeAgo};

/// Links and forms, so that the address says all of what is looked for.
#[component]
pub fn List() -> impl IntoView {
    let text = use_location().search.get_untracked();
    let query = DatasetQuery::parse(&text);
    let checked = use_query_map().with_untracked(|it| it.get_str("check") == Some("page"));
    let page = Resource::new(|| (), move |()| find_datasets(text.clone()));
    let refused = form::refusal::<SelectDatasets>();
    view! {
        {refused
            .map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was selected."</Notice> }
            })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Reading the datasets"</p> }
        }>
            {move || {
                let query = query.clone();
                Suspend::new(async move {
                    match page.await {
                        Ok(page) => view! { <Browser page query checked /> }.into_any(),
                        Err(error) => {
                            view! {
                                <Notice sentence=error
                                    .to_string()>
                                    "Mend the cause, then load the page again."
                                </Notice>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Browser(page: DatasetPage, query: DatasetQuery, checked: bool) -> impl IntoView {
    let DatasetPage { found, .. } = page.clone();
    // A page that there is not is the last one.
    let query = query.at(found.page);
    view! {
        <AsOf page=page.clone() query=query.clone() />
        <Tabs tabs=found.tabs query=query.clone() />
        <section class="datasets-search card" aria-label="Search and filters">
            <Search query=query.clone() />
            <Facets facets=found.facets query=query.clone() />
            <Chosen query=query.clone() />
        </section>
        <Result page query checked />
    }
}

/// How many there are, and of when that is.
#[component]
fn AsOf(page: DatasetPage, query: DatasetQuery) -> impl IntoView {
    let DatasetPage { all, looked_at, newest, as_of, at, reading, restricted, .. } = page;
    let known = if looked_at < all {
        format!(
            " What a migration to {newest} does is known of {} so far; the rest is being looked at.",
            count(looked_at)
        )
    } else {
        String::new()
    };
    view! {
        <p class="muted" role="status">
            {counted(all, "dataset")} {restricted.then_some(" that you have a right to")} ", read " <TimeAgo time=as_of now=at />
            {if reading { "; they are being read anew." } else { "." }} {known} " "
            <a href=query.address() rel="external">
                "Load again"
            </a>
        </p>
    }
}

/// The parts that datasets are shown in, each with how many of what is looked for are there.
#[component]
fn Tabs(tabs: Vec<(DatasetTab, u64)>, query: DatasetQuery) -> impl IntoView {
    let here = query.tab;
    let links = tabs.into_iter().map(|(tab, number)| {
        let current = (tab == here).then_some("page");
        view! {
            <li>
                <a href=query.in_tab(tab).address() rel="external" aria-current=current>
                    {words::tab(tab)}
                    " "
                    <span class="badge-count">{count(number)}</span>
                </a>
            </li>
        }
    });
    view! {
        <nav aria-label="Kinds of datasets">
            <ul class="pages tabs">{links.collect_view()}</ul>
        </nav>
        <p class="muted">{words::about(here)}</p>
    }
}

/// What was found, or what to do where nothing was.
#[component]
fn Result(page: DatasetPage, query: DatasetQuery, checked: bool) -> impl IntoView {
    let DatasetPage { found, newest, at, may_plan, restricted, .. } = page;
    let (number, pages) = (found.count, found.pages);
    if number == 0 {
        return view! { <Nothing query restricted /> }.into_any();
    }
    let first = (found.page - 1) * ROWS_ON_PAGE + 1;
    let last = number.min(found.page * ROWS_ON_PAGE);
    let told = format!("{} to {} of {}", count(first), count(last), counted(number, "dataset"));
    view! {
        <div class="datasets-order">
            <p>{told}</p>
            <Sorts query=query.clone() />
            <Exports query=query.clone() />
        </div>
        <Selection rows=found.rows number newest at query=query.clone() checked may_plan />
        <Pages query pages />
        <Keys />
    }
    .into_any()
}

#[component]
fn Nothing(query: DatasetQuery, restricted: bool) -> impl IntoView {
    let all = DatasetQuery { tab: query.tab, page: 1, ..DatasetQuery::default() };
    let (sentence, way) = if query.finds_all() {
        (if restricted { words::NONE_FOR_YOU } else { words::none(query.tab) }, None)
    } else {
        let way = view! {
            <p>
                <a href=all.address() rel="external">
                    "Show all of this kind"
                </a>
            </p>
        };
        ("No dataset of this kind has all that is asked for.", Some(way))
    };
    view! { <section class="empty">
        <p>{sentence}</p>
        {way}
    </section> }
}

#[component]
fn Sorts(query: DatasetQuery) -> impl IntoView {
    let links = DatasetSort::ALL.map(|sort| {
        let current = (query.sort == sort).then_some("true");
        let (arrow, way) = match (query.sort == sort, query.descending) {
            (false, _) => ("", ""),
            (true, false) => (" ↑", "; the smallest first"),
            (true, true) => (" ↓", "; the largest first"),
        };
        view! {
            <li>
                <a href=query.sorted_by(sort).address() rel="external" aria-current=current>
                    {words::sort(sort)}
                    <span aria-hidden="true">{arrow}</span>
                    <span class="unseen">{way}</span>
                </a>
            </li>
        }
    });
    view! {
        <nav aria-label="Sort by">
            <ul class="pages">
                <li aria-hidden="true" class="muted">
                    "Sort by"
                </li>
                {links.collect_view()}
            </ul>
        </nav>
    }
}

#[component]
fn Exports(query: DatasetQuery) -> impl IntoView {
    let address = |format: &str| {
        let query = query.at(1).text();
        format!("/api/datasets/export?format={format}&{query}")
    };
    view! {
        <p>
            <span class="muted">"Download all of them as "</span>
            <a href=address("csv") rel="external" download>
                "CSV"
            </a>
            <span class="muted">" or "</span>
            <a href=address("json") rel="external" download>
                "JSON"
            </a>
        </p>
    }
}

/// What keys do, where scripts listen to them.
#[component]
fn Keys() -> impl IntoView {
    let keys = KEYS.map(|(key, what)| {
        view! {
            <dt>
                <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
        }
    });
    view! {
        <details class="keys live-only">
            <summary>"Keys"</summary>
            <dl>{keys.collect_view()}</dl>
        </details>
    }
}

/// The way to the other pages.
#[component]
fn Pages(query: DatasetQuery, pages: u64) -> impl IntoView {
    let page = query.page;
    let ways = [
        ("First", 1, page > 1),
        ("Previous", page.saturating_sub(1), page > 1),
        ("Next", page + 1, page < pages),
        ("Last", pages, page < pages),
    ];
    let links = ways.into_iter().filter(|(.., there)| *there).map(|(what, to, _)| {
        view! {
            <li>
                <a href=query.at(to).address() rel="external">
                    {what}
                </a>
            </li>
        }
    });
    (pages > 1).then(|| {
        view! {
            <nav class="datasets-pages" aria-label="Pages of the list">
                <p class="muted">{format!("Page {} of {}", count(page), count(pages))}</p>
                <ul class="pages">{links.collect_view()}</ul>
            </nav>
        }
    })
}
