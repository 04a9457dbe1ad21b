//! `/media`: which media were taken elsewhere, and beginning to take some.

mod clean;
mod new;
mod upload;

use leptos::prelude::*;
use leptos_meta::Title;
use model::{UploadSummary, words};

use crate::api::uploads;
use crate::components::{Cell, Head, Loaded, Row, Table};

pub use clean::CleanUpPage;
pub use new::NewUpload;
pub use upload::UploadPage;

const COLUMNS: [&str; 5] = ["Dataset", "Destination", "State", "By", "Last run"];

/// Every upload, and the way to a new one.
#[component]
pub fn MediaPage() -> impl IntoView {
    let list = Resource::new(|| (), |()| uploads());
    view! {
        <Title text="Media" />
        <header class="page-header">
            <h1>"Media"</h1>
            <p class="muted">
                "Take the files that a dataset refers to into the cloud or another folder, verify them there, and let its paths follow."
            </p>
        </header>
        <section class="card padded" aria-labelledby="begin">
            <h2 id="begin">"Take media elsewhere"</h2>
            <form class="ask" method="get" action="/media/new">
                <label for="dataset">"Dataset"</label>
                <input id="dataset" name="dataset" required=true autocomplete="off" autocapitalize="none" spellcheck="false" />
                <button class="button button-main">"Go on"</button>
                <span class="muted">"Its name. Nothing is written by that."</span>
            </form>
        </section>
        <section aria-labelledby="uploads">
            <h2 id="uploads">"Uploads"</h2>
            <Loaded from=list let:list>
                <Uploads list />
            </Loaded>
        </section>
    }
}

#[component]
fn Uploads(list: Vec<UploadSummary>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p>"No media were taken elsewhere yet."</p> }.into_any();
    }
    let [_, destination, state, by, begun] = COLUMNS;
    let rows = list.into_iter().map(move |it| {
        let now = state_of(&it);
        view! {
            <Row>
                <Head>
                    <a href=format!("/media/{}", it.id)>{it.name}</a>
                </Head>
                <Cell of=destination>{it.destination}</Cell>
                <Cell of=state>{now}</Cell>
                <Cell of=by>{it.by}</Cell>
                <Cell of=begun>{words::moment(&it.begun)}</Cell>
            </Row>
        }
    });
    view! {
        <div class="card">
            <Table caption="Uploads, the last one first" columns=&COLUMNS>
                {rows.collect_view()}
            </Table>
        </div>
    }
    .into_any()
}

/// What to call how it is.
fn state_of(it: &UploadSummary) -> &'static str {
    match (it.is_running, &it.verified, &it.ended) {
        (true, ..) => "Going on",
        (false, Some(_), _) => "Verified",
        (false, None, Some(_)) => "Ended early",
        (false, None, None) => "Not complete",
    }
}
