//! Tables, each part of which says its role: a block for each row, which they become where it is narrow, has none.

use leptos::prelude::*;

/// A table with its rows as children.
#[component]
pub fn Table<Rows: IntoView + 'static>(
    /// What it lists. It is read out, not shown.
    caption: &'static str,
    /// What stands above the columns.
    columns: &'static [&'static str],
    children: TypedChildren<Rows>,
) -> impl IntoView {
    let columns = columns.iter().map(|it| {
        view! {
            <th scope="col" role="columnheader">
                {*it}
            </th>
        }
    });
    view! {
        <table class="table" role="table">
            <caption class="unseen">{caption}</caption>
            <thead role="rowgroup">
                <tr role="row">{columns.collect_view()}</tr>
            </thead>
            <tbody role="rowgroup">{children.into_inner()()}</tbody>
        </table>
    }
}

/// A row: its [`Head`], and a [`Cell`] for each other column.
#[component]
pub fn Row<Cells: IntoView + 'static>(children: TypedChildren<Cells>) -> impl IntoView {
    view! { <tr role="row">{children.into_inner()()}</tr> }
}

/// The first cell of a row: what it is about.
#[component]
pub fn Head<Content: IntoView + 'static>(children: TypedChildren<Content>) -> impl IntoView {
    view! {
        <th scope="row" role="rowheader">
            {children.into_inner()()}
        </th>
    }
}

/// A cell. `of`: its column, which stands before it where there are no columns.
#[component]
pub fn Cell<Content: IntoView + 'static>(
    of: &'static str,
    children: TypedChildren<Content>,
) -> impl IntoView {
    view! {
        <td role="cell" data-name=of>
            <div class="cell">{children.into_inner()()}</div>
        </td>
    }
}
