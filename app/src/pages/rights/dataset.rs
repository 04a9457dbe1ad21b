//! Who may do what with one dataset.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{DatasetRights, Grantee, Group};

use super::Refused;
use super::grants::{Grants, May, Of};
use crate::api::{ApiError, GiveRight, form, rights_to};
use crate::components::Notice;
use crate::pages::NotFound;

/// The rights to the dataset that the address names.
#[component]
pub fn RightsToDataset() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    view! {
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    match rights_to(id).await {
                        Ok(rights) => view! { <Shown rights /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <Title text="Rights" />
                                <h1>"Rights"</h1>
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
fn Shown(rights: DatasetRights) -> impl IntoView {
    let DatasetRights { dataset, label, grants, accounts, groups } = rights;
    let title = format!("Who may do what with {label}");
    let back = format!("/datasets/{dataset}");
    view! {
        <Title text=title.clone() />
        <nav aria-label="Way back">
            <a href=back rel="external">
                "The dataset"
            </a>
        </nav>
        <header class="page-header">
            <h1>{title}</h1>
            <p class="muted">
                "For whoever has no right to it, it does not exist. Admins may do everything with every dataset."
            </p>
        </header>
        <Refused />
        <section class="card" aria-labelledby="rights">
            <h2 id="rights">"Rights to it"</h2>
            <Grants grants of=Of::Dataset />
        </section>
        <section class="card" aria-labelledby="give">
            <h2 id="give">"Give a right"</h2>
            <form class="form" method="post" action={form::address::<GiveRight>()}>
                <input type="hidden" name="dataset" value=dataset />
                <input type="hidden" name="of_dataset" value="true" />
                <div class="field">
                    <label for="to">"To whom"</label>
                    <select id="to" name="to">
                        <Parties accounts groups />
                    </select>
                </div>
                <May nothing=true />
                <small class="muted">
                    "That they may do nothing can be said of all members only; from others a right is taken back."
                </small>
                <div class="actions">
                    <button class="button button-main">"Give this right"</button>
                </div>
            </form>
        </section>
    }
}

/// Whom a right can be given to, as options.
#[component]
fn Parties(accounts: Vec<String>, groups: Vec<Group>) -> impl IntoView {
    let people = accounts.into_iter().map(|it| {
        let value = Grantee::Person(it.to_lowercase()).to_string();
        view! { <option value=value>{it}</option> }
    });
    let groups = groups.into_iter().map(|it| {
        let value = Grantee::Group(it.id).to_string();
        view! { <option value=value>{it.name}</option> }
    });
    let (people, groups) = (people.collect_view(), groups.collect_view());
    let has_groups = !groups.is_empty();
    view! {
        <option value=Grantee::Members.to_string()>"all members"</option>
        <optgroup label="People">{people}</optgroup>
        {has_groups.then(|| view! { <optgroup label="Groups">{groups}</optgroup> })}
    }
}
