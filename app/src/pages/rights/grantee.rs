//! What a person, a group, or all members may do with which datasets.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{Grantee, GranteePage, Group, Role};

use super::Refused;
use super::grants::{GiveTo, Grants, Of};
use crate::api::{ChangeGroup, RemoveGroup, form, rights_of};
use crate::components::Notice;

/// The rights of somebody who has an account.
#[component]
pub fn RightsOfPerson() -> impl IntoView {
    view! { <RightsOf about=Grantee::Person(named()) /> }
}

/// The rights of a group, and who is in it.
#[component]
pub fn RightsOfGroup() -> impl IntoView {
    view! { <RightsOf about=Grantee::Group(named()) /> }
}

/// The rights of everybody whose role is member.
#[component]
pub fn RightsOfMembers() -> impl IntoView {
    view! { <RightsOf about=Grantee::Members /> }
}

fn named() -> String {
    use_params_map().read_untracked().get("name").unwrap_or_default()
}

#[component]
fn RightsOf(about: Grantee) -> impl IntoView {
    view! {
        <nav aria-label="Way back">
            <a href="/users" rel="external">
                "All users"
            </a>
        </nav>
        <Refused />
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let about = about.to_string();
                Suspend::new(async move {
                    match rights_of(about).await {
                        Ok(page) => view! { <Shown page /> }.into_any(),
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
fn Shown(page: GranteePage) -> impl IntoView {
    let GranteePage { about, name, role, groups, members, accounts, grants } = page;
    let (title, sentence) = match (&about, role) {
        (Grantee::Person(_), Some(role)) => (name.clone(), bound(role)),
        (Grantee::Person(_), None) => (name.clone(), String::new()),
        (Grantee::Group(_), _) => (
            format!("Group {name}"),
            "Whoever is in it has its rights, as far as their role lets them.".to_owned(),
        ),
        (Grantee::Members, _) => (
            "All members".to_owned(),
            "Everybody whose role is member has these rights; what is said of one dataset counts more than what is said of all."
                .to_owned(),
        ),
    };
    let people = match &about {
        Grantee::Person(id) => {
            view! { <GroupsOf person=name.clone() id=id.clone() groups /> }.into_any()
        }
        Grantee::Group(id) => view! { <Members group=id.clone() members accounts /> }.into_any(),
        Grantee::Members => ().into_any(),
    };
    let remove = match &about {
        Grantee::Group(id) => Some(view! { <Remove group=id.clone() /> }),
        Grantee::Person(_) | Grantee::Members => None,
    };
    view! {
        <Title text=title.clone() />
        <header class="page-header">
            <h1>{title}</h1>
            <p class="muted">{sentence}</p>
        </header>
        {people}
        <section class="card" aria-labelledby="rights">
            <h2 id="rights">"Rights to datasets"</h2>
            <Grants grants of=Of::Grantee(about.clone()) />
        </section>
        <section class="card" aria-labelledby="give">
            <h2 id="give">"Give a right"</h2>
            <GiveTo to=about />
        </section>
        {remove}
    }
}

/// What the role leaves of all rights.
fn bound(role: Role) -> String {
    match role {
        Role::Admin => "An admin may do everything with every dataset. What is given here counts when the role changes.".to_owned(),
        role => format!("A {role} may at most {} a dataset, whatever is given here.", role.most()),
    }
}

#[component]
fn GroupsOf(person: String, id: String, groups: Vec<Group>) -> impl IntoView {
    let is_in = |it: &Group| it.members.contains(&person);
    let (theirs, others): (Vec<Group>, Vec<Group>) = groups.into_iter().partition(is_in);
    let page_of = Grantee::Person(id).to_string();
    let list = theirs.into_iter().map(|it| {
        let address = Grantee::Group(it.id.clone()).address();
        let label = format!("Take {person} out of {}", it.name);
        let (group, account, page_of) = (it.id, person.clone(), page_of.clone());
        view! { <TakeOut address label shown=it.name group account page_of /> }
    });
    let list = list.collect_view();
    let none = list.is_empty().then(|| view! { <p class="muted">"In none."</p> });
    let options = others.iter().map(|it| {
        view! { <option value=it.id.clone()>{it.name.clone()}</option> }
    });
    let options = options.collect_view();
    let join = (!options.is_empty()).then(|| {
        view! {
            <form class="ask" method="post" action={form::address::<ChangeGroup>()}>
                <label for="group">"Let into a group"</label>
                <input type="hidden" name="account" value=person.clone() />
                <input type="hidden" name="is_in" value="true" />
                <input type="hidden" name="page_of" value=page_of.clone() />
                <select id="group" name="group">
                    {options}
                </select>
                <button class="button">"Let in"</button>
            </form>
        }
    });
    view! {
        <section class="card padded" aria-labelledby="groups">
            <h2 id="groups">"Groups"</h2>
            {none}
            <ul class="lines">{list}</ul>
            {join}
        </section>
    }
}

#[component]
fn Members(group: String, members: Vec<String>, accounts: Vec<String>) -> impl IntoView {
    let others: Vec<String> = accounts.into_iter().filter(|it| !members.contains(it)).collect();
    let none = members.is_empty().then(|| view! { <p class="muted">"Nobody is in it."</p> });
    let list = members.into_iter().map(|name| {
        let address = Grantee::Person(name.to_lowercase()).address();
        let label = format!("Take {name} out");
        let (group, account) = (group.clone(), name.clone());
        view! { <TakeOut address label shown=name group account /> }
    });
    let list = list.collect_view();
    let join = (!others.is_empty()).then(|| {
        let options =
            others.into_iter().map(|it| view! { <option value=it.clone()>{it.clone()}</option> });
        view! {
            <form class="ask" method="post" action={form::address::<ChangeGroup>()}>
                <label for="account">"Let somebody in"</label>
                <input type="hidden" name="group" value=group.clone() />
                <input type="hidden" name="is_in" value="true" />
                <select id="account" name="account">
                    {options.collect_view()}
                </select>
                <button class="button">"Let in"</button>
            </form>
        }
    });
    view! {
        <section class="card padded" aria-labelledby="members">
            <h2 id="members">"Who is in it"</h2>
            {none}
            <ul class="lines">{list}</ul>
            {join}
        </section>
    }
}

/// Somebody who is in a group, or a group that somebody is in, with a button that takes them out.
#[component]
fn TakeOut(
    address: String,
    label: String,
    shown: String,
    group: String,
    account: String,
    #[prop(optional)] page_of: String,
) -> impl IntoView {
    view! {
        <li>
            <form class="actions" method="post" action={form::address::<ChangeGroup>()}>
                <a href=address rel="external">
                    {shown}
                </a>
                <input type="hidden" name="group" value=group />
                <input type="hidden" name="account" value=account />
                <input type="hidden" name="is_in" value="false" />
                <input type="hidden" name="page_of" value=page_of />
                <button class="button" aria-label=label>
                    "Take out"
                </button>
            </form>
        </li>
    }
}

#[component]
fn Remove(group: String) -> impl IntoView {
    view! {
        <section class="card padded" aria-labelledby="remove">
            <h2 id="remove">"Remove the group"</h2>
            <p>"Nobody has its rights any more then. Accounts stay as they are."</p>
            <form method="post" action={form::address::<RemoveGroup>()}>
                <input type="hidden" name="group" value=group />
                <button class="button">"Remove the group"</button>
            </form>
        </section>
    }
}
