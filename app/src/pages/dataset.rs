//! `/datasets/{id}`: one dataset, where it can go, and what that does to it.

mod documents;
mod facts;
mod history;
mod outlook;
mod revisions;
mod tree;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::DatasetView;

use super::NotFound;
use crate::api::{ApiError, shown_dataset};
use crate::components::Notice;
use facts::Facts;
use history::{History, Log};
use outlook::Prospect;
use revisions::Revisions;

/// All of it, for the version that the address asks for, or the nearest that makes sense.
#[component]
pub fn Dataset() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let to = use_query_map().read_untracked().get("to").unwrap_or_default();
    view! {
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let (id, to) = (id.clone(), to.clone());
                // Not a resource, which would be sent along once more as data for scripts.
                Suspend::new(async move {
                    match shown_dataset(id.clone(), to).await {
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
    view! {
        <Title text="Dataset" />
        <h1>"Dataset"</h1>
        <Notice sentence=error.to_string()>
            "Nothing was written. " <a href=format!("/datasets/{id}")>"Ask for the usual version"</a>
        </Notice>
    }
}

#[component]
fn Shown(page: DatasetView) -> impl IntoView {
    let (label, id) = (page.label.clone(), page.id.clone());
    let (up, down) = (page.up.clone(), page.down.clone());
    let (history, log, at) = (page.history.clone(), page.log.clone(), page.at.clone());
    view! {
        <Title text=label.clone() />
        <header class="page-header dataset-header">
            <h1>{label}</h1>
            <nav aria-label="On this page">
                <ul class="contents">
                    <li>
                        <a href="#ahead">"Migration"</a>
                    </li>
                    <li>
                        <a href="#revisions">"Revisions"</a>
                    </li>
                    <li>
                        <a href="#history">"History"</a>
                    </li>
                </ul>
            </nav>
        </header>
        <Facts page=page.clone() />
        <Prospect page />
        <Revisions up down id />
        <History runs=history at />
        <Log lines=log />
    }
}
