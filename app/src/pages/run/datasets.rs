//! The datasets of a run, by what became of them.

use leptos::either::Either;
use leptos::prelude::*;
use model::{RunDataset, words};

use super::Watch;
use crate::components::{Cell, Head, Row, Table};

/// How many datasets the server tells at once.
const SHOWN: usize = 200;

/// Links to each state, and the datasets in the one that is shown.
#[component]
pub fn Datasets(watch: Watch) -> impl IntoView {
    let Watch { frame, page, .. } = watch;
    let counts = Memo::new(move |_| frame.read().run.datasets.clone());
    let show = Memo::new(move |_| page.read().show.clone());
    let datasets = Memo::new(move |_| page.read().datasets.clone());
    let named = Memo::new(move |_| page.read().named);
    let id = frame.get_untracked().run.id;
    let all = id.clone();
    view! {
        <section class="card" aria-labelledby="datasets">
            <h2 id="datasets">"Datasets"</h2>
            <nav aria-label="Datasets by state">
                <ul class="filters">
                    {move || {
                        let counts = counts.get();
                        let all = counts.values().sum::<u64>();
                        let link = |state: Option<&str>, count: u64| {
                            let query = state.map(|it| format!("?show={it}")).unwrap_or_default();
                            let word = state.map_or_else(|| "all".to_owned(), plain);
                            let current = show.read().as_deref() == state;
                            view! {
                                <li>
                                    <a
                                        href=format!("/runs/{id}{query}")
                                        aria-current=current.then_some("true")
                                    >
                                        {format!("{} {word}", words::count(count))}
                                    </a>
                                </li>
                            }
                        };
                        let states = counts.iter().map(|(state, count)| link(Some(state), *count));
                        std::iter::once(link(None, all)).chain(states).collect_view()
                    }}
                </ul>
            </nav>
            {move || {
                if named.get() {
                    Either::Left(view! { <Listed datasets=datasets.get() id=all.clone() /> })
                } else {
                    Either::Right(view! {
                        <p class="muted">"An admin sees which datasets these are."</p>
                    })
                }
            }}
        </section>
    }
}

#[component]
fn Listed(datasets: Vec<RunDataset>, id: String) -> impl IntoView {
    if datasets.is_empty() {
        return Either::Left(view! { <p class="muted">"None"</p> });
    }
    let words = if datasets.len() >= SHOWN {
        format!("The first {SHOWN} by name: download all of them as CSV")
    } else {
        "Download as CSV".to_owned()
    };
    Either::Right(view! {
        <Table caption="Datasets of the run" columns=&COLUMNS>
            {datasets.into_iter().map(|dataset| view! { <Dataset dataset /> }).collect_view()}
        </Table>
        <p class="muted">
            <a href=format!("/api/runs/{id}/datasets.csv") rel="external">
                {words}
            </a>
        </p>
    })
}

const COLUMNS: [&str; 5] = ["Dataset", "State", "From", "To", "Samples and frames"];

#[component]
fn Dataset(dataset: RunDataset) -> impl IntoView {
    let [_, state, from, to, documents] = COLUMNS;
    let version =
        |it: Option<String>| it.map_or_else(|| "unknown".to_owned(), |it| format!("v{it}"));
    let mut done = words::count(dataset.documents);
    if dataset.ahead > 0 {
        let all = dataset.documents.saturating_add(dataset.ahead);
        done = format!("{done} of about {}", words::count(all));
    }
    view! {
        <Row>
            <Head>
                <a href=format!("/datasets/{}", dataset.id) rel="external">
                    {dataset.name}
                </a>
            </Head>
            <Cell of=state>
                {plain(&dataset.state)}
                {dataset.reason.map(|it| view! { <small class="muted">{it}</small> })}
            </Cell>
            <Cell of=from>{version(dataset.head)}</Cell>
            <Cell of=to>{version(dataset.destination)}</Cell>
            <Cell of=documents>{done}</Cell>
        </Row>
    }
}

/// The word for a state as people say it.
fn plain(state: &str) -> String {
    state.replace('_', " ")
}
