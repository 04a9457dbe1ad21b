//! `/runs/{id}/log`: the log of a run, searched, a page at a time.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::words::{count, counted, moment};
use model::{LINES_ON_PAGE, LogLine, LogPage, NumberedLine};

use super::NotFound;
use crate::api::{ApiError, run_log};
use crate::components::Notice;

/// The lines that the address asks for.
#[component]
pub fn RunLogPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let asked = |key: &str| use_query_map().read_untracked().get(key).unwrap_or_default();
    let (words, page, line) = (asked("q"), asked("page"), asked("line"));
    view! {
        <Title text="Log of a run" />
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let (id, words) = (id.clone(), words.clone());
                let (page, line) = (page.clone(), line.clone());
                // Not a resource, which would be sent along once more as data for scripts.
                Suspend::new(async move {
                    match run_log(id.clone(), words, page, line).await {
                        Ok(page) => view! { <Shown page /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => view! { <Failed error id /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Failed(error: ApiError, id: String) -> impl IntoView {
    let way = format!("/runs/{id}");
    view! {
        <h1>"Log of a run"</h1>
        <Notice sentence=error.to_string()>
            <a href=way>"Go back to the run"</a>
        </Notice>
    }
}

#[component]
fn Shown(page: LogPage) -> impl IntoView {
    let LogPage { run, asked, destination, .. } = page.clone();
    let id = run.clone();
    let lines = page.lines.iter().map(|it| one(it, &page)).collect_view();
    let none = page.lines.is_empty().then(|| view! { <Nothing page=page.clone() /> });
    view! {
        <nav aria-label="Way back">
            <a href=format!("/runs/{id}")>"Back to the run"</a>
        </nav>
        <header class="run-header">
            <h1>"Log of a run"</h1>
            <p class="muted">{format!("Run {run}: {asked} to v{destination}")}</p>
        </header>
        <section class="card" aria-label="Search">
            <Search page=page.clone() />
        </section>
        <section class="card" aria-labelledby="lines">
            <h2 id="lines">{told(&page)}</h2>
            {none}
            <ol class="log log-numbered">{lines}</ol>
        </section>
        <Pages page />
    }
}

#[component]
fn Search(page: LogPage) -> impl IntoView {
    let (action, file) = (format!("/runs/{}/log", page.run), page.file());
    let download = if page.words.is_empty() {
        "Download the whole log".to_owned()
    } else {
        "Download these lines".to_owned()
    };
    view! {
        <form class="ask card-text" method="get" action=action role="search">
            <label for="q">"Line contains"</label>
            <input
                id="q"
                name="q"
                type="search"
                value=page.words
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
            <button class="button">"Search"</button>
            <a href=file>{download}</a>
        </form>
    }
}

#[component]
fn Nothing(page: LogPage) -> impl IntoView {
    let (all, words) = (format!("/runs/{}/log", page.run), page.words);
    if words.is_empty() {
        return view! { <p class="muted">"Nothing was told of it yet."</p> }.into_any();
    }
    view! {
        <p class="muted">
            {format!("No line has “{words}” in it. ")} <a href=all>"Show all lines"</a>
        </p>
    }
    .into_any()
}

/// A line, with the address at which it is found for ever.
fn one(it: &NumberedLine, page: &LogPage) -> impl IntoView + use<> {
    let NumberedLine { number, line: LogLine { at, by, text } } = it.clone();
    let (shown, label) = (moment(&at), format!("Line {number}"));
    let is_it = (page.line == Some(number)).then_some("true");
    view! {
        <li id=format!("line-{number}") aria-current=is_it>
            <a class="log-number" href=page.line_address(number) aria-label=label>
                {number}
            </a>
            <time datetime=at>{shown}</time>
            <span>{by}</span>
            <span>{text}</span>
        </li>
    }
}

/// What is shown: `Lines 601 to 800 of 812, newest first`.
fn told(page: &LogPage) -> String {
    let first = (page.page - 1).saturating_mul(LINES_ON_PAGE) + 1;
    let last = page.found.min(page.page.saturating_mul(LINES_ON_PAGE));
    let part = format!("{} to {} of", count(first), count(last));
    let part = if page.pages() > 1 { format!("{part} ") } else { String::new() };
    match (page.words.is_empty(), page.found) {
        (_, 0) => "No lines".to_owned(),
        (true, found) => format!("{part}{}, newest first", counted(found, "line")),
        (false, found) => {
            let all = counted(page.all, "line");
            format!("{part}{} found among {all}, newest first", counted(found, "line"))
        }
    }
}

/// The way to the other pages.
#[component]
fn Pages(page: LogPage) -> impl IntoView {
    let (here, pages) = (page.page, page.pages());
    let ways = [
        ("Newest", 1, here > 1),
        ("Newer", here.saturating_sub(1), here > 1),
        ("Older", here + 1, here < pages),
        ("Oldest", pages, here < pages),
    ];
    let links = ways.into_iter().filter(|(.., there)| *there).map(|(what, to, _)| {
        view! {
            <li>
                <a href=page.address(to)>{what}</a>
            </li>
        }
    });
    (pages > 1).then(|| {
        view! {
            <nav class="datasets-pages" aria-label="Pages of the log">
                <p class="muted">{format!("Page {} of {}", count(here), count(pages))}</p>
                <ul class="pages">{links.collect_view()}</ul>
            </nav>
        }
    })
}
