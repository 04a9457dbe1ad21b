//! `/migrate`: what a migration would do, and starting it.

mod estimate;
mod groups;
mod plan;
mod question;
mod start;
mod words;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use model::{NotStarted, PlanQuestion, PlanScope};

use crate::api::{ApiError, StartMigration, form, migration_destinations, preview_migration};
use crate::components::Notice;
use plan::Plan;
use question::QuestionForm;

/// The question as a form, and below it the plan, once something is asked for.
#[component]
pub fn Migrate() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::of(&query.read()));
    let failure = form::refusal::<StartMigration>();
    let destinations = Resource::new(|| (), |()| migration_destinations());
    let plan = Resource::new(
        move || asked.get(),
        |asked| async move {
            let question = asked.question?;
            Some((preview_migration(question.clone()).await, question))
        },
    );
    view! {
        <Title text="Migrate" />
        <header class="page-header">
            <h1>"Migrate"</h1>
        </header>
        <Suspense fallback=waiting>
            {move || Suspend::new(async move {
                let question = asked.get().question.unwrap_or_default();
                match destinations.await {
                    Ok(destinations) => view! { <QuestionForm question destinations /> }.into_any(),
                    Err(error) => {
                        view! {
                            <Notice sentence=error.to_string()>"Nothing was written."</Notice>
                        }
                            .into_any()
                    }
                }
            })}
        </Suspense>
        {move || asked.get().told.map(|it| view! { <Told sentence=it /> })}
        {failure.map(|error| view! { <Failure error /> })}
        <Suspense fallback=waiting>
            {move || Suspend::new(async move {
                plan.await
                    .map(|(plan, question)| match plan {
                        Ok(plan) => view! { <Plan plan question /> }.into_any(),
                        Err(error) => {
                            view! {
                                <Notice sentence=error.to_string()>
                                    "Nothing was written. Mend the cause, or ask for something else."
                                </Notice>
                            }
                                .into_any()
                        }
                    })
            })}
        </Suspense>
    }
}

fn waiting() -> impl IntoView {
    view! { <p aria-busy="true">"Reading the datasets; with many of them that takes some seconds"</p> }
}

/// Why starting it did not work, and what that means.
#[component]
fn Failure(error: ApiError) -> impl IntoView {
    // Whoever refuses has written nothing; who was cut off may have.
    let is_certain = !matches!(error, ApiError::Engine { .. } | ApiError::Transport { .. });
    view! {
        <Notice sentence=error
            .to_string()>
            {if is_certain {
                "Nothing was started."
            } else {
                "Whether it was started is not certain."
            }} " " <a href="/runs" rel="external">"See the runs"</a>
        </Notice>
    }
}

#[component]
fn Told(sentence: String) -> impl IntoView {
    view! {
        <div class="notice" role="alert">
            <p class="notice-sentence">{sentence}</p>
        </div>
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asked {
    question: Option<PlanQuestion>,
    /// What there is to say about what was asked for before.
    told: Option<String>,
}

impl Asked {
    fn of(query: &ParamsMap) -> Self {
        let text = |key: &str| query.get_str(key).unwrap_or_default().trim().to_owned();
        let selection = text("selection");
        // The list of datasets leads here with nothing but what was selected there.
        let selected = Some(PlanScope::Selection.word()).filter(|_| !selection.is_empty());
        let Some(scope) = query.get_str("scope").or(selected) else { return Self::default() };
        let scope = match scope.parse() {
            Ok(scope) => scope,
            Err(error) => {
                let told = Some(format!("{error}; choose one below"));
                return Self { question: None, told };
            }
        };
        // What was typed is wanted more than what was chosen.
        let destination = Some(text("other")).filter(|it| !it.is_empty());
        let destination = destination.unwrap_or_else(|| text("destination"));
        let question = PlanQuestion { scope, destination, datasets: text("datasets"), selection };
        let told = NotStarted::of(&text("not_started")).map(|it| it.to_string());
        Self { question: Some(question), told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &[(&'static str, &str)]) -> Asked {
        let mut map = ParamsMap::new();
        for (key, value) in query {
            map.insert(*key, (*value).to_owned());
        }
        Asked::of(&map)
    }

    #[test]
    fn an_address_without_a_scope_asks_for_nothing() {
        assert_eq!(asked(&[("destination", "1.0.0")]), Asked::default());
    }

    #[test]
    fn a_version_that_was_typed_counts_before_the_one_that_was_chosen() {
        let both = [("scope", "database"), ("destination", "1.22.1"), ("other", " 0.19.0 ")];
        let question = asked(&both).question.unwrap();
        assert_eq!(
            (question.scope, question.destination.as_str()),
            (PlanScope::Database, "0.19.0")
        );
        let chosen = asked(&[("scope", "everything"), ("destination", "1.22.1"), ("other", "")]);
        assert_eq!(chosen.question.unwrap().destination, "1.22.1");
    }

    #[test]
    fn what_was_selected_needs_no_other_scope_and_may_have_one() {
        let question = asked(&[("selection", "64f0")]).question.unwrap();
        assert_eq!((question.scope, question.selection.as_str()), (PlanScope::Selection, "64f0"));
        let all = asked(&[("selection", "64f0"), ("scope", "everything")]).question.unwrap();
        assert_eq!(all.scope, PlanScope::Everything);
    }

    #[test]
    fn an_address_says_what_is_wrong_in_words_of_ours_alone() {
        let wrong = asked(&[("scope", "moon")]);
        assert_eq!(wrong.question, None);
        assert!(wrong.told.unwrap().starts_with("`moon` is no scope"));
        let why = |word: &'static str| asked(&[("scope", "database"), ("not_started", word)]).told;
        assert_eq!(why("changed"), Some(NotStarted::Changed.to_string()));
        assert_eq!(why("call this number"), None);
    }
}
