//! Which Enterprise release has which SDK and which data model.

use leptos::prelude::*;
use model::VersionRow;

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
        <table class="stacked" role="table">
            <caption class="unseen">"Enterprise releases, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Enterprise"</th>
                    <th role="columnheader" scope="col">"SDK"</th>
                    <th role="columnheader" scope="col">"Compatibility"</th>
                    <th role="columnheader" scope="col">"Released"</th>
                    <th role="columnheader" scope="col">"Source"</th>
                    <th role="columnheader" scope="col">"Revisions crossed to it"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {move || found.get().into_iter().map(|row| view! { <Row row /> }).collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn Row(row: VersionRow) -> impl IntoView {
    let crosses = if row.crosses.is_empty() { "none".to_owned() } else { row.crosses.join(", ") };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                {row.enterprise.unwrap_or_else(|| "before 1.0".to_owned())}
            </th>
            <td role="cell" data-name="SDK">{row.sdk}</td>
            <td role="cell" data-name="Compatibility">{row.compatibility}</td>
            <td role="cell" data-name="Released">
                {row.released.unwrap_or_else(|| "unknown".to_owned())}
            </td>
            <td role="cell" data-name="Source">
                {if row.stated {
                    view! { "stated" }.into_any()
                } else {
                    view! { <span class="badge">"inferred"</span> }.into_any()
                }}
            </td>
            <td role="cell" data-name="Revisions">{crosses}</td>
        </tr>
    }
}
