//! `/settings`: what the server runs with, and where that is set.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{ServerSettings, words};

use crate::api::read_settings;
use crate::components::{Cell, Head, Loaded, Row, Table};

/// Everything that was decided when the server was started.
#[component]
pub fn Settings() -> impl IntoView {
    let settings = Resource::new(|| (), |()| read_settings());
    view! {
        <Title text="Settings" />
        <header class="page-header">
            <h1>"Settings"</h1>
        </header>
        <p class="muted">
            "All of this is decided where the server is started, in its environment or its "
            <code>"~/.fiftyone/config.json"</code>
            ": whoever has only a browser cannot point it elsewhere, or let it do more."
        </p>
        <Loaded from=settings let:settings>
            <All settings />
        </Loaded>
    }
}

const COLUMNS: [&str; 3] = ["What", "As it is", "Set by"];

#[component]
fn All(settings: ServerSettings) -> impl IntoView {
    let here = rows(&settings).map(row);
    let server = facts(settings).map(row);
    view! {
        <section class="card" aria-labelledby="here">
            <h2 id="here">"This server"</h2>
            <Table caption="What this server was started with" columns=&COLUMNS>
                {here.collect_view()}
            </Table>
        </section>
        <section class="card" aria-labelledby="mongodb">
            <h2 id="mongodb">"MongoDB"</h2>
            <Table caption="What MongoDB says of itself" columns=&COLUMNS>
                {server.collect_view()}
            </Table>
        </section>
    }
}

fn row((name, value, by): (&'static str, String, &'static str)) -> impl IntoView {
    let [_, is, set] = COLUMNS;
    view! {
        <Row>
            <Head>{name}</Head>
            <Cell of=is>{value}</Cell>
            <Cell of=set>
                <code>{by}</code>
            </Cell>
        </Row>
    }
}

fn rows(it: &ServerSettings) -> [(&'static str, String, &'static str); 7] {
    let migrations = it.barrier.clone().unwrap_or_else(|| "allowed, for admins".to_owned());
    let checked = if it.validation { "checked: 4.4 or newer" } else { "not checked" };
    [
        ("Newest version it knows", it.compatibility.clone(), "this build"),
        (
            "Migrations from here",
            migrations,
            "FIFTYONE_DATABASE_ADMIN, FIFTYONE_DISABLE_MIGRATIONS",
        ),
        ("FiftyOne's database", it.database.clone(), "FIFTYONE_DATABASE_NAME"),
        ("Database of runs and accounts", it.runs.clone(), "FIFTYONE_MIGRATE_DATABASE"),
        (
            "A run can be undone for",
            words::counted(u64::from(it.undo_days), "day"),
            "FIFTYONE_MIGRATE_UNDO_DAYS",
        ),
        (
            "Members import from",
            it.imports.clone().unwrap_or_else(|| "nowhere: admins do".to_owned()),
            "FIFTYONE_MIGRATE_IMPORTS",
        ),
        ("MongoDB's version", checked.to_owned(), "FIFTYONE_DATABASE_VALIDATION"),
    ]
}

fn facts(it: ServerSettings) -> [(&'static str, String, &'static str); 5] {
    let unknown = || "it does not say so to our user".to_owned();
    let disk =
        it.disk_free_bytes.map_or_else(unknown, |it| format!("{} are free", words::bytes(it)));
    [
        ("Address", it.hosts, "FIFTYONE_DATABASE_URI"),
        ("Version", it.server_version, "the server"),
        ("Features of version", it.feature_version.unwrap_or_else(unknown), "the server"),
        ("Servers", it.topology.to_string(), "the server"),
        ("Disk", disk, "the server"),
    ]
}
