//! `/versions/{name}` and `/versions/new`: correcting what belongs to a release, and adding one.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{ListedRelease, VersionEntry, VersionForm};

use super::NotFound;
use crate::api::{ApiError, CorrectVersion, PutVersionBack, form, release_form};
use crate::components::{Corrected, Field, Notice};

/// A form that is checked before it is saved, so that what is said of it can be read first.
#[component]
pub fn VersionPage() -> impl IntoView {
    let name = use_params_map().read_untracked().get("name").unwrap_or_default();
    let typed = use_query_map().with_untracked(|query| {
        let of = |key: &str| query.get(key).unwrap_or_default();
        VersionEntry {
            enterprise: of("enterprise"),
            sdk: of("sdk"),
            compatibility: of("compatibility"),
            released: of("released"),
            basis: of("basis"),
            source: of("source"),
        }
    });
    let refused = [form::refusal::<CorrectVersion>(), form::refusal::<PutVersionBack>()];
    view! {
        {refused
            .into_iter()
            .flatten()
            .map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })
            .collect_view()}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let (name, typed) = (name.clone(), typed.clone());
                Suspend::new(async move {
                    match release_form(name.clone(), typed).await {
                        Ok(form) => view! { <Form form name /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <Title text="Versions" />
                                <h1>"Versions"</h1>
                                <Notice sentence=error.to_string()>"Nothing is shown."</Notice>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Form(form: VersionForm, name: String) -> impl IntoView {
    let VersionForm { listed, entry, now, outcome } = form;
    let title = listed
        .as_ref()
        .map_or_else(|| "Add a release".to_owned(), |it| format!("Correct {}", it.row.name()));
    let seen = listed.as_ref().map_or_else(String::new, |it| it.seen().to_owned());
    let fixed = listed.is_some();
    let address = format!("/versions/{name}");
    view! {
        <Title text=title.clone() />
        <header class="page-header">
            <h1>{title}</h1>
        </header>
        <p class="muted">
            "It counts for everybody who uses this deployment, in the browser and at the command line. FiftyOne's own database \
             is not touched."
        </p>
        {listed.map(|it| view! { <Standing it now /> })}
        <section class="card" aria-labelledby="entry">
            <h2 id="entry">"What belongs to it"</h2>
            <form class="form" method="get" action=address>
                <Fields entry=entry.clone() fixed />
                <div class="actions">
                    <button class="button">"Check"</button>
                    <span class="muted">"Nothing is saved by that."</span>
                </div>
            </form>
        </section>
        {outcome
            .map(|outcome| match outcome {
                Err(why) => {
                    view! {
                        <Notice sentence=format!(
                            "It cannot be saved: {why}",
                        )>"Change it above, and check it again."</Notice>
                    }
                        .into_any()
                }
                Ok(notes) => view! { <Save name entry notes seen /> }.into_any(),
            })}
        <p>
            <a href="/versions">"All releases"</a>
        </p>
    }
}

/// That it was corrected before, and the way back.
#[component]
fn Standing(it: ListedRelease, now: String) -> impl IntoView {
    let ListedRelease { name, row, correction } = it;
    correction.map(|correction| {
        let was = if correction.embedded.is_some() { "Put back" } else { "Take out" };
        let label = format!("{was} {}", row.name());
        let seen = correction.at.clone();
        view! {
            <section class="card padded" aria-labelledby="standing">
                <h2 id="standing">"As it stands"</h2>
                <Corrected it=correction now />
                <form method="post" action={form::address::<PutVersionBack>()}>
                    <input type="hidden" name="name" value=name />
                    <input type="hidden" name="seen" value=seen />
                    <div class="actions">
                        <button class="button" aria-label=label>
                            {was}
                        </button>
                    </div>
                </form>
            </section>
        }
    })
}

#[component]
fn Fields(entry: VersionEntry, fixed: bool) -> impl IntoView {
    let VersionEntry { enterprise, sdk, compatibility, released, basis, source } = entry;
    let is_inferred = basis == "inferred";
    view! {
        {if fixed {
            // What it is called stays: there is nothing to fill in.
            view! { <input type="hidden" name="enterprise" value=enterprise /> }.into_any()
        } else {
            view! {
                <Field
                    label="Enterprise version"
                    name="enterprise"
                    value=enterprise
                    hint="Three numbers, such as 2.22.1."
                />
            }
                .into_any()
        }}
        <Field
            label="SDK"
            name="sdk"
            value=sdk
            hint="Three numbers, the last of them an x where it is not known: 2.22.x."
        />
        <Field
            label="Compatibility version"
            name="compatibility"
            value=compatibility
            hint="The open source version whose data model it has, such as 1.22.1."
        />
        <Field
            label="Released"
            name="released"
            value=released
            optional=true
            hint="A day as 2026-07-22; nothing where it is not known."
        />
        <div class="field">
            <label for="basis">"Basis"</label>
            <select id="basis" name="basis">
                <option value="stated" selected={!is_inferred}>
                    "stated: a release note or FiftyOne itself names the pair"
                </option>
                <option value="inferred" selected=is_inferred>
                    "inferred: it follows from numbers and dates"
                </option>
            </select>
        </div>
        <Field
            label="Source"
            name="source"
            value=source
            optional=true
            hint="Where you have it from, for the other admins."
        />
    }
}

/// What it comes to, and the button.
#[component]
fn Save(name: String, entry: VersionEntry, notes: Vec<String>, seen: String) -> impl IntoView {
    let VersionEntry { enterprise, sdk, compatibility, released, basis, source } = entry;
    let hidden = [
        ("name", name),
        ("seen", seen),
        ("entry[enterprise]", enterprise),
        ("entry[sdk]", sdk.clone()),
        ("entry[compatibility]", compatibility.clone()),
        ("entry[released]", released),
        ("entry[basis]", basis.clone()),
        ("entry[source]", source),
    ];
    let hidden = hidden
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let notes = notes.into_iter().map(|it| view! { <li>{it}</li> });
    view! {
        <section class="card padded" aria-labelledby="save">
            <h2 id="save">"What would be saved"</h2>
            <p>{format!("SDK {sdk} with compatibility version {compatibility}, {basis}.")}</p>
            <ul class="plain-list">{notes.collect_view()}</ul>
            <form method="post" action={form::address::<CorrectVersion>()}>
                {hidden.collect_view()} <div class="actions">
                    <button class="button button-main">"Save"</button>
                </div>
            </form>
        </section>
    }
}
