//! What lies between the database and a release.

use leptos::prelude::*;
use model::{Direction, Numbering, VersionRow, Way, WayStep};

use super::{Cell, Head, Row, Table};

/// Where the release is, which SDK it takes, and each revision on the way.
#[component]
pub fn WaySummary(way: Way) -> impl IntoView {
    let address = format!("/sdk?version={}", way.goal.enterprise.as_ref().unwrap_or(&way.goal.sdk));
    let inferred = (!way.goal.stated).then(|| {
        view! { <p>"No release note states this; it follows from numbers and dates."</p> }
    });
    let (found, route) = (found(&way), route(&way));
    let steps = (!way.steps.is_empty()).then(|| view! { <Steps steps=way.steps /> });
    view! {
        <div class="way" role="status">
            <p>
                <strong>{found}</strong>
            </p>
            {inferred}
            <p>{route}</p>
        </div>
        {steps}
        <p>
            <a href=address rel="external">{format!("Install SDK {}", way.goal.sdk)}</a>
        </p>
    }
}

#[component]
fn Steps(steps: Vec<WayStep>) -> impl IntoView {
    let [_, of_what, changed, dropped] = COLUMNS;
    let rows = steps.into_iter().map(move |step| {
        let of = if step.of_database { "the database" } else { "datasets" };
        let loses = match step.loses {
            Some(loss) => view! {
                <span class="badge">"lossy"</span>
                " "
                {loss}
            }
            .into_any(),
            None => view! { "nothing" }.into_any(),
        };
        view! {
            <Row>
                <Head>{step.version}</Head>
                <Cell of=of_what>{of}</Cell>
                <Cell of=changed>{step.summary}</Cell>
                <Cell of=dropped>{loses}</Cell>
            </Row>
        }
    });
    view! {
        <Table caption="Revisions on the way, in the order they run" columns=&COLUMNS>
            {rows.collect_view()}
        </Table>
    }
}

const COLUMNS: [&str; 4] = ["Revision", "Of", "What it changed", "Dropped on this way"];

/// Which release it is.
fn found(way: &Way) -> String {
    let Way { asked, found_by, goal, .. } = way;
    let VersionRow { sdk, compatibility, .. } = goal;
    match found_by {
        Numbering::Enterprise => {
            format!("{} has compatibility version {compatibility} and SDK {sdk}.", goal.name())
        }
        Numbering::Sdk => match &goal.enterprise {
            Some(release) => format!(
                "SDK {sdk} comes with Enterprise {release} and has compatibility version {compatibility}."
            ),
            None => format!("SDK {sdk} has compatibility version {compatibility}."),
        },
        Numbering::Compatibility => format!(
            "{} is the newest release with compatibility version {asked}. Its SDK is {sdk}.",
            goal.name()
        ),
    }
}

/// How the database gets there.
fn route(way: &Way) -> String {
    let Some(head) = &way.head else {
        return "The database does not say which version it is at.".to_owned();
    };
    let to = &way.goal.compatibility;
    let Some(direction) = way.direction else {
        return if head == to {
            format!("The database is there: it is at {head}.")
        } else {
            format!("The database says that it is at {head}: there is no way from there to {to}.")
        };
    };
    let verb = match direction {
        Direction::Up => "an upgrade",
        Direction::Down => "a downgrade",
    };
    let crossed = match way.steps.len() {
        0 => "crosses no revision: only the version is written".to_owned(),
        1 => "crosses 1 revision".to_owned(),
        more => format!("crosses {more} revisions"),
    };
    let lossy = match (direction, way.steps.iter().filter(|it| it.loses.is_some()).count()) {
        (Direction::Up, _) | (Direction::Down, 0) => String::new(),
        (Direction::Down, 1) => ", 1 of which drops something; the archive keeps it".to_owned(),
        (Direction::Down, more) => {
            format!(", {more} of which drop something; the archive keeps it")
        }
    };
    format!("From {head}, where the database is, it is {verb} to {to}. It {crossed}{lossy}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(head: Option<&str>, direction: Option<Direction>, losses: &[bool]) -> Way {
        let step = |loses: &bool| WayStep {
            version: "1.0.0".into(),
            summary: String::new(),
            of_database: false,
            loses: loses.then(String::new),
        };
        let goal = VersionRow {
            enterprise: Some("1.0.0".into()),
            sdk: "0.10.0".into(),
            compatibility: "0.18.0".into(),
            released: None,
            stated: true,
            crosses: vec![],
        };
        Way {
            asked: "0.10".into(),
            found_by: Numbering::Sdk,
            goal,
            head: head.map(str::to_owned),
            direction,
            steps: losses.iter().map(step).collect(),
        }
    }

    #[test]
    fn the_release_is_told_with_the_number_it_was_found_by() {
        assert_eq!(
            found(&way(None, None, &[])),
            "SDK 0.10.0 comes with Enterprise 1.0.0 and has compatibility version 0.18.0."
        );
    }

    #[test]
    fn the_route_says_which_way_it_goes_how_far_and_what_is_dropped() {
        assert_eq!(
            route(&way(Some("1.22.1"), Some(Direction::Down), &[false, true, true])),
            "From 1.22.1, where the database is, it is a downgrade to 0.18.0. It crosses 3 revisions, 2 of which drop \
             something; the archive keeps it."
        );
        assert_eq!(
            route(&way(Some("0.17.2"), Some(Direction::Up), &[false])),
            "From 0.17.2, where the database is, it is an upgrade to 0.18.0. It crosses 1 revision."
        );
        assert_eq!(
            route(&way(Some("0.18.0"), None, &[])),
            "The database is there: it is at 0.18.0."
        );
        assert!(route(&way(Some("garbage"), None, &[])).contains("there is no way from there"));
        assert!(route(&way(None, None, &[])).contains("does not say"));
    }
}
