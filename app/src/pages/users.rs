//! `/users`: who may use the app, and what they may do.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{AccountSummary, Grantee, Group, InvitationSummary, People, Role};

use crate::api::{
    EndSessions, Invite, MakeGroup, SetDisabled, SetRole, TakeBack, all_groups, everybody, form,
    told_invitation,
};
use crate::components::{Cell, Field, Head, Notice, Row, Table, When};

/// Accounts, invitations, and a form for one more.
#[component]
pub fn UsersPage() -> impl IntoView {
    let found = Resource::new(|| (), |()| everybody());
    let groups = Resource::new(|| (), |()| all_groups());
    let invited = told_invitation();
    let refused = [
        form::refusal::<Invite>(),
        form::refusal::<SetRole>(),
        form::refusal::<SetDisabled>(),
        form::refusal::<EndSessions>(),
        form::refusal::<TakeBack>(),
        form::refusal::<MakeGroup>(),
    ];
    view! {
        <Title text="Users" />
        <header class="page-header">
            <h1>"Users"</h1>
        </header>
        {refused
            .into_iter()
            .flatten()
            .map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })
            .collect_view()}
        {invited.map(|link| view! { <Invited link /> })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(people) => view! { <Everybody people /> }.into_any(),
                    Err(error) => {
                        view! { <Notice sentence=error.to_string()>"Nothing is shown."</Notice> }
                            .into_any()
                    }
                }
            })}
        </Suspense>
        <Suspense>
            {move || Suspend::new(async move {
                groups.await.ok().map(|groups| view! { <Groups groups /> })
            })}
        </Suspense>
        <section class="card" aria-labelledby="invite">
            <h2 id="invite">"Invite somebody"</h2>
            <form class="form" method="post" action={form::address::<Invite>()}>
                <Field
                    label="For whom"
                    name="note"
                    hint="A note for you and the other admins. The person chooses a name by themselves."
                />
                <div class="field">
                    <label for="role">"Role"</label>
                    <select id="role" name="role">
                        <Roles chosen=Role::Member />
                    </select>
                </div>
                <div class="actions">
                    <button class="button button-main">"Make a link"</button>
                </div>
            </form>
        </section>
    }
}

/// The link, this once.
#[component]
fn Invited(link: String) -> impl IntoView {
    view! {
        <section class="notice notice-good" role="status">
            <p class="notice-sentence">"Give this link to the person. It is shown only now, and holds for seven days."</p>
            <p>
                <code class="token">{link}</code>
            </p>
        </section>
    }
}

#[component]
fn Everybody(people: People) -> impl IntoView {
    let People { accounts, invitations, .. } = people;
    view! {
        <section class="card" aria-labelledby="accounts">
            <h2 id="accounts">"Accounts"</h2>
            <Table caption="Accounts" columns=&ACCOUNT_COLUMNS>
                {accounts
                    .into_iter()
                    .map(|account| view! { <Account account /> }.into_any())
                    .collect_view()}
            </Table>
        </section>
        {(!invitations.is_empty()).then(|| view! { <Invitations invitations /> }.into_any())}
    }
}

#[component]
fn Account(account: AccountSummary) -> impl IntoView {
    let AccountSummary { name, role, disabled, last_seen, sessions, .. } = account;
    let [_, has, seen, has_sessions, action] = ACCOUNT_COLUMNS;
    let (head, changed) = (name.clone(), name.clone());
    let rights = Grantee::Person(name.to_lowercase()).address();
    view! {
        <Row>
            <Head>
                <a href=rights rel="external">
                    {head}
                </a>
                {disabled.then(|| view! { " " <span class="badge">"disabled"</span> })}
            </Head>
            <Cell of=has>
                <RoleForm name=changed role />
            </Cell>
            <Cell of=seen>
                {match last_seen {
                    Some(time) => view! { <When time /> }.into_any(),
                    None => "never".into_any(),
                }}
            </Cell>
            <Cell of=has_sessions>{sessions}</Cell>
            <Cell of=action>
                <AccountForms name disabled sessions />
            </Cell>
        </Row>
    }
}

/// Groups, and where rights to datasets are given.
#[component]
fn Groups(groups: Vec<Group>) -> impl IntoView {
    let none = groups.is_empty().then(|| view! { <p class="muted">"There are none yet."</p> });
    let list = groups.into_iter().map(|it| {
        let address = Grantee::Group(it.id).address();
        let people = it.members.len();
        let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
        view! {
            <li>
                <a href=address rel="external">
                    {it.name}
                </a>
                " "
                <span class="muted">{people}</span>
            </li>
        }
    });
    view! {
        <section class="card padded" aria-labelledby="groups">
            <h2 id="groups">"Groups and rights to datasets"</h2>
            <p>
                "A dataset exists only for those who have a right to it, and for admins. Rights are given to a person, by their name above, to a group, or to "
                <a href=Grantee::Members.address() rel="external">
                    "all members"
                </a> "."
            </p>
            {none}
            <ul class="lines">{list.collect_view()}</ul>
            <form class="ask" method="post" action={form::address::<MakeGroup>()}>
                <label for="group-name">"Make a group called"</label>
                <input id="group-name" name="name" autocomplete="off" required />
                <button class="button">"Make it"</button>
            </form>
        </section>
    }
}

#[component]
fn RoleForm(name: String, role: Role) -> impl IntoView {
    let label = format!("Role of {name}");
    view! {
        <form class="actions" method="post" action={form::address::<SetRole>()}>
            <input type="hidden" name="account" value=name />
            <select name="role" aria-label=label>
                <Roles chosen=role />
            </select>
            <button class="button">"Change"</button>
        </form>
    }
}

#[component]
fn AccountForms(name: String, disabled: bool, sessions: u64) -> impl IntoView {
    view! {
        <div class="actions">
            <form method="post" action={form::address::<EndSessions>()}>
                <input type="hidden" name="account" value=name.clone() />
                <button class="button" disabled={sessions == 0}>"End sessions"</button>
            </form>
            <form method="post" action={form::address::<SetDisabled>()}>
                <input type="hidden" name="account" value=name />
                <input type="hidden" name="disabled" value={(!disabled).to_string()} />
                <button class="button">{if disabled { "Enable" } else { "Disable" }}</button>
            </form>
        </div>
    }
}

const ACCOUNT_COLUMNS: [&str; 5] = ["Name", "Role", "Last seen", "Sessions", "What you can do"];

#[component]
fn Invitations(invitations: Vec<InvitationSummary>) -> impl IntoView {
    let [_, role, by, until, action] = INVITATION_COLUMNS;
    let rows = invitations.into_iter().map(move |it| {
        view! {
            <Row>
                <Head>{it.note}</Head>
                <Cell of=role>{it.role.to_string()}</Cell>
                <Cell of=by>{it.by}</Cell>
                <Cell of=until><When time=it.expires /></Cell>
                <Cell of=action>
                    <form method="post" action={form::address::<TakeBack>()}>
                        <input type="hidden" name="id" value=it.id />
                        <button class="button">"Take back"</button>
                    </form>
                </Cell>
            </Row>
        }
    });
    view! {
        <section class="card" aria-labelledby="invitations">
            <h2 id="invitations">"Invitations that nobody has used"</h2>
            <Table caption="Invitations" columns=&INVITATION_COLUMNS>
                {rows.collect_view()}
            </Table>
        </section>
    }
}

const INVITATION_COLUMNS: [&str; 5] = ["For whom", "Role", "By", "Holds until", "What you can do"];

/// The roles as options, strongest first.
#[component]
fn Roles(chosen: Role) -> impl IntoView {
    let options = Role::ALL.into_iter().rev().map(move |it| {
        view! { <option value=it.name() selected={it == chosen}>{it.to_string()}</option> }
    });
    options.collect_view()
}
