//! Who is connected, and what becomes of them.

use leptos::prelude::*;
use model::{ClientGroup, Fate, Program, Tone, words};

use super::{Cell, Head, Row, Table};

/// A row for each program that seems to be connected.
#[component]
pub fn ClientTable(groups: Vec<ClientGroup>) -> impl IntoView {
    view! {
        <Table caption="Programs that are connected to the server" columns=&COLUMNS>
            {groups.into_iter().map(|group| view! { <Client group /> }).collect_view()}
        </Table>
    }
}

const COLUMNS: [&str; 6] =
    ["Program", "From", "User", "Driver", "Connections", "After the migration"];

#[component]
fn Client(group: ClientGroup) -> impl IntoView {
    let [_, from, user, driver, connected, after] = COLUMNS;
    let (shape, tone) = match group.fate {
        Fate::Fine => ("✓ ", Tone::Good),
        Fate::Refused => ("✕ ", Tone::Problem),
        Fate::Unknown => ("? ", Tone::Todo),
    };
    let (name, connections) = (name(&group), connections(&group));
    let since = match group.since {
        Some(time) => {
            let text = format!("since {}", words::moment(&time));
            view! { <time datetime=time>{text}</time> }.into_any()
        }
        None => view! { "for longer than the server's log goes back" }.into_any(),
    };
    view! {
        <Row>
            <Head>{name}</Head>
            <Cell of=from>{group.address}</Cell>
            <Cell of=user>{group.user.unwrap_or_else(|| "not signed in".to_owned())}</Cell>
            <Cell of=driver>
                {group.drivers.join(", ")}
                {group.platform.map(|it| view! { <small class="muted">{it}</small> })}
            </Cell>
            <Cell of=connected>
                {connections} <small class="muted">{since}</small>
            </Cell>
            <Cell of=after>
                <span class="tone" data-tone=tone.name()>
                    <span aria-hidden="true">{shape}</span>
                    {group.fate.name()}
                </span>
                <small>{group.reason}</small>
            </Cell>
        </Row>
    }
}

fn name(group: &ClientGroup) -> String {
    match (group.program, &group.application) {
        (Program::Ours, _) => "FiftyOne Migrate (this app)".to_owned(),
        (Program::FiftyOne, _) => "FiftyOne".to_owned(),
        (Program::Other, Some(name)) => name.clone(),
        (Program::Other, None) => "without a name".to_owned(),
    }
}

fn connections(group: &ClientGroup) -> String {
    let busy = if group.busy == 0 { "none".to_owned() } else { group.busy.to_string() };
    format!("{}, {busy} at work", group.connections)
}
