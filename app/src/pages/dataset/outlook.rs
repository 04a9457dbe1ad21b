//! What going to a version does to a dataset.

use leptos::prelude::*;
use model::{
    DatasetOutlook, DatasetRemedy, DatasetView, FieldRename, PlanQuestion, WayOfDataset, words,
};

use super::documents::Documents;

/// A form that asks for a version, and what comes of going there.
#[component]
pub fn Prospect(page: DatasetView) -> impl IntoView {
    let DatasetView { id, destination, destinations, outlook, question, head, .. } = page;
    let options = destinations.into_iter().map(|it| view! { <option value=it></option> });
    let address = format!("/datasets/{id}");
    view! {
        <section class="card" aria-labelledby="ahead">
            <h2 id="ahead">{format!("What becomes of it at {destination}")}</h2>
            <form class="way-form" method="get" action=address>
                <label for="to">"Another version"</label>
                <input
                    id="to"
                    name="to"
                    list="versions"
                    value=destination.clone()
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                />
                <datalist id="versions">{options.collect_view()}</datalist>
                <button class="button">"Show"</button>
                <span class="muted">"Nothing is written by that."</span>
            </form>
            <div class="prospect">
                {match outlook.clone() {
                    DatasetOutlook::Stays => {
                        view! {
                            <p>
                                {format!("Nothing: it is at {destination} already, and nothing waits for it.")}
                            </p>
                        }
                            .into_any()
                    }
                    DatasetOutlook::Blocked { reason, remedies } => {
                        view! { <Blocked reason remedies id=id.clone() /> }.into_any()
                    }
                    DatasetOutlook::Goes(way) => {
                        let way = *way;
                        let destination = destination.clone();
                        view! { <Way way head destination question /> }.into_any()
                    }
                }}
            </div>
        </section>
        {match outlook {
            DatasetOutlook::Goes(way) => {
                Some(view! { <Documents way=*way id destination /> })
            }
            DatasetOutlook::Stays | DatasetOutlook::Blocked { .. } => None,
        }}
    }
}

#[component]
fn Blocked(reason: String, remedies: Vec<DatasetRemedy>, id: String) -> impl IntoView {
    let remedies = remedies.into_iter().map(|it| view! { <Remedy it id=id.clone() /> });
    let remedies = remedies.collect_view();
    view! {
        <div class="notice">
            <p class="notice-sentence">"It is blocked"</p>
            <p>{format!("{}.", capitalized(&reason))}</p>
        </div>
        {remedies}
    }
}

#[component]
fn Remedy(it: DatasetRemedy, id: String) -> impl IntoView {
    let DatasetRemedy { text, command, tool, rename } = it;
    view! {
        <div class="remedy">
            <h3>"What to do"</h3>
            <p>{text}</p>
            {rename.map(|rename| view! { <Rename rename id /> })}
            {command
                .map(|command| {
                    view! {
                        <p class="muted">{format!("For {tool}:")}</p>
                        <pre class="json" tabindex="0">
                            <code>{command}</code>
                        </pre>
                    }
                })}
        </div>
    }
}

/// A form that asks what another name would change.
#[component]
fn Rename(rename: FieldRename, id: String) -> impl IntoView {
    let FieldRename { field, to } = rename;
    let (label, input) = (format!("Call {field}"), format!("rename-{}", field.replace('.', "-")));
    view! {
        <form class="ask" method="get" action=format!("/datasets/{id}/rename")>
            <input type="hidden" name="field" value=field />
            <label for=input.clone()>{label}</label>
            <input
                id=input
                name="to"
                value=to
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                required
            />
            <button class="button">"See what changes"</button>
            <span class="muted">"Nothing is written by that."</span>
        </form>
    }
}

#[component]
fn Way(
    way: WayOfDataset,
    head: Option<String>,
    destination: String,
    question: Option<PlanQuestion>,
) -> impl IntoView {
    let sentence = sentence(&way, head.as_deref(), &destination);
    let renamed = way
        .renamed_to
        .map(|it| format!("It is renamed to {it}, because another dataset has its name or slug."));
    let lists = [
        ("What people should know", way.warnings),
        ("What the archive keeps, because the older version does not know it", way.kept),
        ("What the archive gives back", way.given_back),
        ("What happens elsewhere", way.elsewhere),
    ];
    let lists = lists.into_iter().filter(|(_, it)| !it.is_empty());
    let lists = lists.map(|(title, items)| {
        let items = items.into_iter().map(|it| view! { <li>{it}</li> });
        view! {
            <h3>{title}</h3>
            <ul class="plain-list">{items.collect_view()}</ul>
        }
    });
    let plan = match question {
        Some(question) => {
            let verb = if way.down { "Plan this downgrade" } else { "Plan this migration" };
            view! {
                <p>
                    <a class="button" href=question.address() rel="external">
                        {verb}
                    </a>
                </p>
            }
            .into_any()
        }
        None => view! {
            <p class="muted">
                "It has no name, so that it cannot be migrated alone: it goes with all others."
            </p>
        }
        .into_any(),
    };
    view! {
        <p class="way-sentence">{sentence}</p>
        {renamed.map(|it| view! { <p>{it}</p> })}
        {lists.collect_view()}
        {plan}
    }
}

fn sentence(way: &WayOfDataset, head: Option<&str>, destination: &str) -> String {
    let direction = if way.down { "down" } else { "up" };
    let from = head.map(|it| format!(" from {it}")).unwrap_or_default();
    let crossed = u64::try_from(way.revisions.len()).unwrap_or(u64::MAX);
    if head == Some(destination) {
        return "It is there already, and gets back what the archive keeps.".to_owned();
    }
    match crossed {
        0 => format!("It goes {direction}{from} to {destination}, and only its version changes."),
        _ => format!(
            "It goes {direction}{from} to {destination} across {} ({}).",
            words::counted(crossed, "revision"),
            way.revisions.join(", ")
        ),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_says_where_it_goes() {
        let way = |revisions: &[&str], down| WayOfDataset {
            revisions: revisions.iter().map(|it| (*it).to_owned()).collect(),
            down,
            ..WayOfDataset::default()
        };
        assert_eq!(
            sentence(&way(&["0.19.0", "1.0.0"], false), Some("0.18.0"), "1.0.0"),
            "It goes up from 0.18.0 to 1.0.0 across 2 revisions (0.19.0, 1.0.0)."
        );
        assert_eq!(
            sentence(&way(&[], true), Some("1.22.1"), "1.22.0"),
            "It goes down from 1.22.1 to 1.22.0, and only its version changes."
        );
        assert!(
            sentence(&way(&[], false), Some("1.0.0"), "1.0.0").starts_with("It is there already")
        );
    }
}
