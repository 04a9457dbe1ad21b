//! Who is connected, and what becomes of them.

use leptos::prelude::*;
use model::{ClientGroup, Fate, Program};

/// A row for each program that seems to be connected.
#[component]
pub fn ClientTable(groups: Vec<ClientGroup>, destination: String) -> impl IntoView {
    view! {
        <table class="stacked" role="table">
            <caption class="unseen">"Programs that are connected to the server"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Program"</th>
                    <th role="columnheader" scope="col">"From"</th>
                    <th role="columnheader" scope="col">"User"</th>
                    <th role="columnheader" scope="col">"Driver"</th>
                    <th role="columnheader" scope="col">"Connections"</th>
                    <th role="columnheader" scope="col">{format!("After going to {destination}")}</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {groups.into_iter().map(|group| view! { <Row group /> }).collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn Row(group: ClientGroup) -> impl IntoView {
    let (shape, word) = match group.fate {
        Fate::Fine => ("✓ ", "fine"),
        Fate::Refused => ("✕ ", "refused"),
        Fate::Unknown => ("? ", "unknown"),
    };
    let (name, connections) = (name(&group), connections(&group));
    let platform = group.platform.map(|it| view! { <small class="muted">{it}</small> });
    let since = match group.since {
        Some(time) => {
            let text = format!("since {}", readable(&time));
            view! { <time datetime=time>{text}</time> }.into_any()
        }
        None => view! { "for longer than the server's log goes back" }.into_any(),
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">{name}</th>
            <td role="cell" data-name="From">{group.address}</td>
            <td role="cell" data-name="User">
                {group.user.unwrap_or_else(|| "not signed in".to_owned())}
            </td>
            <td role="cell" data-name="Driver">
                <span class="lines">{group.drivers.join(", ")} {platform}</span>
            </td>
            <td role="cell" data-name="Connections">
                <span class="lines">{connections} <small class="muted">{since}</small></span>
            </td>
            <td role="cell" data-name="After the migration">
                <span class="lines">
                    <strong class="fate" data-fate=word>
                        <span aria-hidden="true">{shape}</span>
                        {group.fate.name()}
                    </strong>
                    <small>{group.reason}</small>
                </span>
            </td>
        </tr>
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

/// `2026-11-23T11:56:31.522Z` as people read it, to the second.
fn readable(time: &str) -> String {
    match (time.get(..10), time.get(11..19)) {
        (Some(day), Some(hour)) => format!("{day} {hour} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_to_the_second() {
        assert_eq!(readable("2026-11-23T11:56:31.522Z"), "2026-11-23 11:56:31 UTC");
        assert_eq!(readable("long ago"), "long ago");
    }
}
