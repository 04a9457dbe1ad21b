//! `/datasets/{id}/rename`: what giving a field another name would change, and doing it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::RenamePlan;

use super::NotFound;
use crate::api::{ApiError, RenameField, form, rename_plan};
use crate::components::Notice;

/// The plan for the name that the address asks for.
#[component]
pub fn RenamePage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let (field, to) = use_query_map().with_untracked(|query| {
        let of = |key: &str| query.get(key).unwrap_or_default();
        (of("field"), of("to"))
    });
    let refused = form::refusal::<RenameField>();
    view! {
        <Title text="Rename a field" />
        {refused
            .map(|error| {
                view! {
                    <Notice sentence=format!(
                        "It was not renamed: {error}.",
                    )>"What it would change is below."</Notice>
                }
            })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let (id, field, to) = (id.clone(), field.clone(), to.clone());
                Suspend::new(async move {
                    match rename_plan(id, field, to).await {
                        Ok(plan) => view! { <Plan plan /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <h1>"Rename a field"</h1>
                                <Notice sentence=error.to_string()>"Nothing was written."</Notice>
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
fn Plan(plan: RenamePlan) -> impl IntoView {
    let RenamePlan { id, label, field, to, kind: _, changes, refusal, begun } = plan;
    let dataset = format!("/datasets/{id}");
    let address = format!("{dataset}/rename");
    let can = refusal.is_none();
    let changes = changes.into_iter().map(|it| view! { <li>{it}</li> });
    let (asked, new) = (field.clone(), to.clone());
    view! {
        <header class="page-header">
            <h1>{format!("Rename {field} of {label}")}</h1>
        </header>
        {begun
            .map(|begun| {
                view! {
                    <Notice sentence=format!(
                        "Renaming a field of this dataset to {begun} was begun and has not ended.",
                    )>
                        "It is under way, or it was cut off. Load the page again to see; if it was cut off, the same again \
                         goes on where it stopped."
                    </Notice>
                }
            })}
        <section class="card padded" aria-labelledby="name">
            <h2 id="name">"The new name"</h2>
            <form class="ask" method="get" action=address>
                <input type="hidden" name="field" value=asked />
                <label for="to">"Call it"</label>
                <input
                    id="to"
                    name="to"
                    value=new
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    required
                />
                <button class="button">"Check"</button>
                <span class="muted">"Nothing is written by that."</span>
            </form>
        </section>
        {refusal
            .map(|why| {
                view! {
                    <Notice sentence=format!("It cannot be renamed: {why}.")>"Nothing was written."</Notice>
                }
            })}
        {can
            .then(|| {
                view! {
                    <section class="card padded" aria-labelledby="changes">
                        <h2 id="changes">"What changes"</h2>
                        <ul class="plain-list">{changes.collect_view()}</ul>
                        <form method="post" action={form::address::<RenameField>()}>
                            <input type="hidden" name="id" value=id />
                            <input type="hidden" name="field" value=field />
                            <input type="hidden" name="to" value=to />
                            <div class="actions">
                                <button class="button button-main">"Rename"</button>
                            </div>
                        </form>
                    </section>
                }
            })}
        <p>
            <a href=dataset>"Back to the dataset"</a>
        </p>
    }
}
