//! Which Enterprise release has which SDK and which data model.

use leptos::prelude::*;
use model::VersionRow;

use super::{Cell, Head, Row, Table};

/// The releases that contain what is searched for, as they come.
#[component]
pub fn VersionTable(
    rows: Vec<VersionRow>,
    #[prop(into)] searched: Signal<String>,
) -> impl IntoView {
    let all = rows.len();
    let rows = StoredValue::new(rows);
    let found = Memo::new(move |_| {
        let searched = searched.read();
        rows.with_value(|rows| {
            rows.iter().filter(|it| it.matches(&searched)).cloned().collect::<Vec<_>>()
        })
    });
    let count = move || match found.read().len() {
        0 => format!("None of {all} releases has that in it"),
        some => format!("{some} of {all} releases"),
    };
    view! {
        <p class="muted" role="status">
            {count}
        </p>
        <Table caption="Enterprise releases, newest first" columns=&COLUMNS>
            {move || found.get().into_iter().map(|row| view! { <Release row /> }).collect_view()}
        </Table>
    }
}

const COLUMNS: [&str; 6] =
    ["Enterprise", "SDK", "Compatibility", "Released", "Source", "Revisions crossed"];

#[component]
fn Release(row: VersionRow) -> impl IntoView {
    let [_, sdk, compatibility, released, source, crossed] = COLUMNS;
    let crosses = if row.crosses.is_empty() { "none".to_owned() } else { row.crosses.join(", ") };
    view! {
        <Row>
            <Head>{row.enterprise.unwrap_or_else(|| "before 1.0".to_owned())}</Head>
            <Cell of=sdk>{row.sdk}</Cell>
            <Cell of=compatibility>{row.compatibility}</Cell>
            <Cell of=released>{row.released.unwrap_or_else(|| "unknown".to_owned())}</Cell>
            <Cell of=source>
                {if row.stated {
                    view! { "stated" }.into_any()
                } else {
                    view! { <span class="badge">"inferred"</span> }.into_any()
                }}
            </Cell>
            <Cell of=crossed>{crosses}</Cell>
        </Row>
    }
}
