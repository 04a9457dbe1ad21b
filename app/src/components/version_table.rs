//! Which Enterprise release has which SDK and which data model.

use leptos::prelude::*;
use model::{ListedRelease, ReleaseList, VersionCorrection, VersionRow};

use super::{Cell, Head, Row, Table, TimeAgo};

/// The releases that contain what is searched for, as they come.
#[component]
pub fn VersionTable(list: ReleaseList, #[prop(into)] searched: Signal<String>) -> impl IntoView {
    let ReleaseList { releases, now, corrects } = list;
    let all = releases.len();
    let rows = StoredValue::new(releases);
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
    let shown = move || {
        let rows = found.get().into_iter();
        let now = now.clone();
        rows.map(move |it| view! { <Release it now=now.clone() corrects /> }).collect_view()
    };
    view! {
        <div class="actions">
            <p class="muted" role="status">
                {count}
            </p>
            {corrects.then(|| view! { <a class="button" href="/versions/new">"Add a release"</a> })}
        </div>
        {if corrects {
            view! {
                <Table caption="Enterprise releases, newest first" columns=&FOR_ADMINS>
                    {shown}
                </Table>
            }
                .into_any()
        } else {
            view! {
                <Table caption="Enterprise releases, newest first" columns=&COLUMNS>
                    {shown}
                </Table>
            }
                .into_any()
        }}
    }
}

const COLUMNS: [&str; 6] =
    ["Enterprise", "SDK", "Compatibility", "Released", "Source", "Revisions crossed"];
const FOR_ADMINS: [&str; 7] = [
    "Enterprise",
    "SDK",
    "Compatibility",
    "Released",
    "Source",
    "Revisions crossed",
    "What you can do",
];

#[component]
fn Release(it: ListedRelease, now: String, corrects: bool) -> impl IntoView {
    let ListedRelease { name, row, correction } = it;
    let [_, sdk, compatibility, released, source, crossed, action] = FOR_ADMINS;
    let crosses = if row.crosses.is_empty() { "none".to_owned() } else { row.crosses.join(", ") };
    let label = format!("Correct {}", row.name());
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
                }} {correction.map(|it| view! { <Corrected it now /> })}
            </Cell>
            <Cell of=crossed>{crosses}</Cell>
            {corrects
                .then(|| {
                    view! {
                        <Cell of=action>
                            <a href=format!("/versions/{name}") aria-label=label>
                                "Correct"
                            </a>
                        </Cell>
                    }
                })}
        </Row>
    }
}

/// Who has corrected it, when, and what it was before.
#[component]
pub fn Corrected(it: VersionCorrection, now: String) -> impl IntoView {
    let VersionCorrection { by, at, source, embedded } = it;
    let verb = if embedded.is_some() { "corrected by " } else { "added by " };
    let before = embedded.map(|it| format!("This build has {}.", in_words(&it)));
    view! {
        <div class="muted">
            {verb} {by} ", " <TimeAgo time=at now /> {(!source.is_empty()).then(|| format!(": {source}"))}
        </div>
        {before.map(|it| view! { <div class="muted">{it}</div> })}
    }
}

/// What belongs to a release, in one line.
fn in_words(it: &VersionRow) -> String {
    let VersionRow { sdk, compatibility, released, stated, .. } = it;
    let released = released.as_ref().map_or_else(String::new, |it| format!(", released {it}"));
    let basis = if *stated { "stated" } else { "inferred" };
    format!("SDK {sdk}, compatibility {compatibility}{released}, {basis}")
}
