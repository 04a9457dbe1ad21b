//! Which SDK it is, and the commands that install it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::{Sdk, sdk};

use crate::api::sdk_for;
use crate::components::{Command, Loaded, Notice};

/// The commands for the present version of the database, or for one that was chosen.
#[component]
pub fn Content() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| query.read().get("version").unwrap_or_default());
    let found = Resource::new(move || asked.get(), sdk_for);
    view! {
        <Loaded from=found let:found>
            {match found {
                Ok(sdk) => view! { <Install sdk /> }.into_any(),
                Err(unclear) => {
                    view! {
                        <Notice sentence=unclear>
                            <a href="/sdk">"Show the SDK for the database as it is"</a>
                        </Notice>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}

#[component]
fn Install(sdk: Sdk) -> impl IntoView {
    let chosen = sdk.row.enterprise.clone().unwrap_or_else(|| sdk.row.sdk.clone());
    let options = sdk.choices.iter().cloned().map(|(value, name)| {
        let selected = value == chosen;
        view! {
            <option value=value selected=selected>
                {name}
            </option>
        }
    });
    let commands = sdk::recipes(&sdk.row.sdk).into_iter().map(|recipe| {
        view! {
            <h3>{recipe.tool}</h3>
            <Command name=recipe.tool text=recipe.commands />
        }
    });
    view! {
        <section class="card padded" aria-labelledby="which">
            <h2 id="which">"Which one"</h2>
            <p>{which(&sdk)}</p>
            <form class="ask" method="get" action="/sdk">
                <label for="version">"Release"</label>
                <select id="version" name="version">
                    {options.collect_view()}
                </select>
                <button class="button">"Show its commands"</button>
            </form>
        </section>
        <section class="card padded" aria-labelledby="commands">
            <h2 id="commands">"What to type"</h2>
            <p>
                "The package is called as the open source one and takes its place. The token is in the FiftyOne App: account icon, Install FiftyOne. A shell takes it from the variable "
                <code>{sdk::TOKEN}</code> "."
            </p>
            <TokenField />
            {commands.collect_view()}
        </section>
    }
}

/// Where somebody may put their token, so that the commands have it. It has no name and is in no form: it is never sent.
#[component]
fn TokenField() -> impl IntoView {
    view! {
        <div class="ask live-only">
            <label for="token">"Your token, to fill it in. It stays in this page."</label>
            <input id="token" type="password" autocomplete="off" spellcheck="false" />
            <button class="button" type="button" aria-pressed="false" aria-controls="token">
                "Show token"
            </button>
        </div>
    }
}

/// Why it is this one.
fn which(sdk: &Sdk) -> String {
    let Sdk { row, reached, head, asked, .. } = sdk;
    let own = format!("SDK {}, which comes with {}", row.sdk, row.name());
    match (asked, head) {
        (Some(_), _) => format!("{own} and has compatibility version {}.", row.compatibility),
        (None, Some(head)) if *reached => format!("The database is at {head}: {own}."),
        (None, Some(head)) => {
            format!(
                "The database says that it is at {head}, for which there is none: this is the newest, {own}."
            )
        }
        (None, None) => {
            format!("The database does not say which version it is at: this is the newest, {own}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use model::VersionRow;

    use super::*;

    #[test]
    fn the_page_says_why_it_is_this_sdk() {
        let row = VersionRow {
            enterprise: Some("2.16.0".into()),
            sdk: "2.16.0".into(),
            compatibility: "1.13.0".into(),
            released: None,
            stated: true,
            crosses: vec![],
        };
        let sdk = |reached, head: Option<&str>, asked: Option<&str>| Sdk {
            row: row.clone(),
            reached,
            head: head.map(str::to_owned),
            asked: asked.map(str::to_owned),
            choices: vec![],
        };
        let own = "SDK 2.16.0, which comes with Enterprise 2.16.0";
        assert_eq!(
            which(&sdk(true, Some("1.13.0"), None)),
            format!("The database is at 1.13.0: {own}.")
        );
        assert!(which(&sdk(false, Some("1.0.0"), Some("2.16.0"))).starts_with(own));
        assert!(which(&sdk(false, Some("garbage"), None)).contains("for which there is none"));
        assert!(which(&sdk(false, None, None)).contains("does not say"));
    }
}
