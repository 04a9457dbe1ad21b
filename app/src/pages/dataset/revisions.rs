//! The revisions above and below a dataset, each with what it does to this very dataset.

use leptos::prelude::*;
use model::{Badge, RevisionAhead};

use crate::components::{Cell, Head, Row, Table};

/// Both directions.
#[component]
pub fn Revisions(up: Vec<RevisionAhead>, down: Vec<RevisionAhead>, id: String) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="revisions">
            <h2 id="revisions">"Revisions ahead"</h2>
            <p class="revisions-note muted">
                "Found by trying each on this dataset in memory. Reversible: the way back brings back all that is changed. \
                 Lossy: it does not, alone; what a downgrade drops is archived, and given back when this program takes \
                 the dataset up again."
            </p>
            <h3>"Up"</h3>
            <Direction revisions=up caption="Revisions on the way up" id=id.clone() up=true />
            <h3>"Down"</h3>
            <Direction revisions=down caption="Revisions on the way down" id up=false />
        </section>
    }
}

const COLUMNS: [&str; 4] = ["Revision", "Effect", "Changes here", "In general"];

#[component]
fn Direction(
    revisions: Vec<RevisionAhead>,
    caption: &'static str,
    id: String,
    up: bool,
) -> impl IntoView {
    if revisions.is_empty() {
        let none =
            if up { "None: it is above all of them." } else { "None: it is below all of them." };
        return view! { <p class="muted">{none}</p> }.into_any();
    }
    let rows: Vec<AnyView> = revisions.into_iter().map(|it| row(it, &id, up)).collect();
    view! {
        <Table caption columns=&COLUMNS>
            {rows}
        </Table>
    }
    .into_any()
}

fn row(it: RevisionAhead, id: &str, up: bool) -> AnyView {
    let [_, effect, here, general] = COLUMNS;
    let RevisionAhead { version, summary, badge, changes, notes } = it;
    let there = matches!(badge, Badge::Reversible | Badge::Lossy | Badge::NoOp | Badge::Blocked);
    // Down, a revision is crossed by going below it, which has no version of its own.
    let name = if up && there {
        let address = format!("/datasets/{id}?to={version}#ahead");
        view! { <a href=address>{version}</a> }.into_any()
    } else {
        version.into_any()
    };
    let changes = if changes.is_empty() {
        match badge {
            Badge::NoOp => "only its version".to_owned(),
            // What it would change nobody has seen.
            _ => String::new(),
        }
    } else {
        changes.join(", ")
    };
    let notes = notes.into_iter().map(|it| view! { <li>{it}</li> }).collect_view();
    view! {
        <Row>
            <Head>{name}</Head>
            <Cell of=effect>
                <span class="effect" data-effect=badge.name()>
                    {badge.word()}
                </span>
            </Cell>
            <Cell of=here>
                {changes} <ul class="notes">{notes}</ul>
            </Cell>
            <Cell of=general>{summary}</Cell>
        </Row>
    }
    .into_any()
}
