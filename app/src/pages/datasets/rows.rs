//! The datasets that were found, with a box to check for each.

use leptos::prelude::*;
use model::words::count;
use model::{DatasetQuery, DatasetRow, time_of};

use super::words;
use crate::api::{SelectDatasets, form};
use crate::components::{Cell, Head, Row, Table, TimeAgo};

const COLUMNS: [&str; 6] = ["Dataset", "Version", "Migration", "Media type", "Samples", "Changed"];

/// A form around them: what is checked, or all that was found, is frozen and planned for.
#[component]
pub fn Selection(
    rows: Vec<DatasetRow>,
    /// How many were found, on all pages.
    number: u64,
    newest: String,
    at: String,
    query: DatasetQuery,
    /// Whether all boxes of this page are checked to begin with.
    checked: bool,
    /// Whether whoever looks may see what a migration would do to them.
    may_plan: bool,
) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            view! { <OneDataset row newest=newest.clone() at=at.clone() checked may_plan /> }
                .into_any()
        })
        .collect_view();
    if !may_plan {
        return view! {
            <div class="card datasets">
                <Table caption="Datasets" columns=&COLUMNS>
                    {rows}
                </Table>
            </div>
        }
        .into_any();
    }
    let all = if number == 1 {
        "Plan for the one that was found".to_owned()
    } else {
        format!("Plan for all {} that were found", count(number))
    };
    let separator = if query.text().is_empty() { "?" } else { "&" };
    let check_page = format!("{}{separator}check=page", query.address());
    let boxes = if checked {
        (query.address(), "Check none")
    } else {
        (check_page, "Check all on this page")
    };
    view! {
        <form class="card datasets" method="post" action={form::address::<SelectDatasets>()}>
            <input type="hidden" name="query" value=query.text() />
            <Table caption="Datasets" columns=&COLUMNS>
                {rows}
            </Table>
            <div class="datasets-bar">
                <a href=boxes.0 rel="external">
                    {boxes.1}
                </a>
                <button class="button button-main">"Plan for those that are checked"</button>
                <button class="button" name="all" value="true">
                    {all}
                </button>
                <span class="muted">"Nothing is migrated by that."</span>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn OneDataset(
    row: DatasetRow,
    newest: String,
    at: String,
    checked: bool,
    may_plan: bool,
) -> impl IntoView {
    let [_, version, migration, media, samples, changed] = COLUMNS;
    let label = row.label().to_owned();
    let (check, address) = (format!("Check {label}"), row.address());
    let notes = words::notes(&row);
    let (tone, shape, told, reason) = words::outlook(&row.outlook, &newest);
    let check = may_plan.then(|| {
        view! {
            <input type="checkbox" name="ids[]" value=row.id checked=checked aria-label=check />
        }
    });
    let called = if may_plan {
        view! {
            <a href=address rel="external">
                {label}
            </a>
        }
        .into_any()
    } else {
        label.into_any()
    };
    view! {
        <Row>
            <Head>
                <div class="dataset-head">
                    {check}
                    <div class="cell">
                        {called}
                        {(!notes.is_empty())
                            .then(|| view! { <small class="muted">{notes}</small> })}
                    </div>
                </div>
            </Head>
            <Cell of=version>{row.version.unwrap_or_else(|| "none".to_owned())}</Cell>
            <Cell of=migration>
                <span class="dataset-outlook" data-tone=tone>
                    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                        <path d=shape />
                    </svg>
                    " "
                    {told}
                </span>
                {reason.map(|it| view! { <small class="note">{it}</small> })}
            </Cell>
            <Cell of=media>{row.media_type.unwrap_or_else(|| "not known yet".to_owned())}</Cell>
            <Cell of=samples>
                {row.samples.map_or_else(|| "not counted yet".to_owned(), count)}
            </Cell>
            <Cell of=changed>
                {match row.modified_ms {
                    Some(ms) => view! { <TimeAgo time=time_of(ms) now=at /> }.into_any(),
                    None => "not known".into_any(),
                }}
            </Cell>
        </Row>
    }
}
