//! `/datasets`: finding datasets, seeing what a migration does to them, and selecting some.

#[cfg(feature = "ssr")]
mod facets;
mod keys;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod rows;
#[cfg(feature = "ssr")]
mod words;

use leptos::prelude::*;
use leptos_meta::Title;

/// The list, as the server makes it. Scripts take over nothing of it and only listen to keys: it weighs nothing.
#[component]
pub fn Datasets() -> impl IntoView {
    keys::listen();
    view! {
        <Title text="Datasets" />
        <header class="page-header">
            <h1>"Datasets"</h1>
        </header>
        <div class="datasets-page">{list()}</div>
    }
}

#[cfg(feature = "ssr")]
fn list() -> impl IntoView {
    view! { <list::List /> }
}

// What is not there is not looked for in the page either, and stays as it came.
#[cfg(not(feature = "ssr"))]
fn list() {}
