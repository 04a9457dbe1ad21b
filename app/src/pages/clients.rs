//! `/clients`: who is connected, and who can open the database.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{ClientKind, Clients, Fate};

use crate::api::{can_open, connected_clients};
use crate::components::{ClientTable, Command, Loaded, Notice, OpeningAnswer};

/// Everybody who is connected, and a look-up of who could be.
#[component]
pub fn ClientsPage() -> impl IntoView {
    view! {
        <Title text="Clients" />
        <header class="page-header">
            <h1>"Clients"</h1>
        </header>
        <section class="card padded" aria-labelledby="connected">
            <h2 id="connected">"Connected now"</h2>
            <Connected />
        </section>
        <section class="card padded" aria-labelledby="opening">
            <h2 id="opening">"Can this client open the database?"</h2>
            <LookUp />
        </section>
    }
}

#[component]
fn Connected() -> impl IntoView {
    let destination = asked("destination");
    let clients = Resource::new(move || destination.get(), connected_clients);
    view! {
        <form class="ask" method="get" action="/clients">
            <label for="destination">"If the database goes to compatibility version"</label>
            <input
                id="destination"
                name="destination"
                autocomplete="off"
                value=destination.get_untracked()
            />
            <button class="button">"Show what becomes of them"</button>
        </form>
        <Loaded from=clients let:clients>
            {match clients {
                Ok(clients) => view! { <Everybody clients /> }.into_any(),
                Err(unclear) => {
                    view! { <Notice sentence=unclear>"Nothing was looked at."</Notice> }.into_any()
                }
            }}
        </Loaded>
    }
}

#[component]
fn Everybody(clients: Clients) -> impl IntoView {
    let Clients { head, destination, groups, remedy, sdk } = clients;
    let head = head.unwrap_or_else(|| "no version that it says".to_owned());
    let remedy = remedy.map(|command| {
        view! {
            <p>
                <strong>"Only connections of our own MongoDB user are shown."</strong>
                " To see everybody's takes the privilege inprog, which the role clusterMonitor has. Whoever manages users can grant it:"
            </p>
            <Command name="the MongoDB shell" text=command />
        }
    });
    let all_fine = groups.iter().all(|it| it.fate == Fate::Fine);
    let sdk = sdk.filter(|_| !all_fine).map(|it| {
        let address = format!("/sdk?version={}", it.enterprise.as_ref().unwrap_or(&it.sdk));
        view! {
            <p>
                "Whoever will be refused needs " <a href=address>{format!("SDK {}", it.sdk)}</a> "."
            </p>
        }
    });
    view! {
        <p>
            {format!("The database is at {head}; the migration looked at here goes to {destination}. ")}
            "FiftyOne looks at its version when it connects: whoever is connected stays so until then."
        </p>
        {remedy}
        <ClientTable groups />
        {sdk}
        <p class="muted">
            "Programs cannot be told apart that have the same name, machine, platform and user: they are one row."
        </p>
    }
}

#[component]
fn LookUp() -> impl IntoView {
    let (client, kind, at) = (asked("client"), asked("type"), asked("at"));
    let answer = Resource::new(
        move || (client.get(), kind.get(), at.get()),
        async |(client, kind, at)| {
            if client.trim().is_empty() {
                return Ok(None);
            }
            can_open(client, kind, at).await.map(Some)
        },
    );
    let options = ClientKind::ALL.into_iter().map(|it| {
        let words = match it {
            ClientKind::Fitting => "made for this database (compatibility version)",
            ClientKind::OpenSource => "open source",
            ClientKind::Enterprise => "Enterprise SDK",
        };
        let selected = kind.get_untracked() == it.name();
        view! {
            <option value=it.name() selected=selected>
                {words}
            </option>
        }
    });
    view! {
        <form class="ask" method="get" action="/clients">
            <label for="client">"Client version"</label>
            <input
                id="client"
                name="client"
                required=true
                autocomplete="off"
                value=client.get_untracked()
            />
            <label for="type">"Kind of client"</label>
            <select id="type" name="type">
                {options.collect_view()}
            </select>
            <label for="at">"Database version, if not the present one"</label>
            <input id="at" name="at" autocomplete="off" value=at.get_untracked() />
            <button class="button">"Look it up"</button>
        </form>
        <Loaded from=answer let:answer>
            {match answer {
                None => ().into_any(),
                Some(Ok(answer)) => view! { <OpeningAnswer answer /> }.into_any(),
                Some(Err(unclear)) => {
                    view! {
                        <Notice sentence=unclear>
                            <a href="/versions">"See which versions there are"</a>
                        </Notice>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}

/// What the address asks under this name; nothing if it does not.
fn asked(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.read().get(name).unwrap_or_default())
}
