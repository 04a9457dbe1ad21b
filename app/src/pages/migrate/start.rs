//! Starting what the plan says: the more can go wrong, the more has to be typed.

use leptos::prelude::*;
use model::words::count;
use model::{Friction, MigrationPlan, PlanQuestion};

use super::words;
use crate::api::{StartMigration, form};
use crate::components::{PasswordAgain, Typed};

/// The button, or why there is none.
#[component]
pub fn StartForm(plan: MigrationPlan, question: PlanQuestion) -> impl IntoView {
    let friction = plan.friction.clone()?;
    let inner = if let Some(why) = plan.forbidden.clone() {
        view! { <p class="card-text">{format!("You cannot start this: {why}.")}</p> }.into_any()
    } else {
        let button = words::button(&plan);
        view! {
            <form class="form" method="post" action={form::address::<StartMigration>()}>
                <input type="hidden" name="question[scope]" value=question.scope.word() />
                <input type="hidden" name="question[destination]" value=question.destination />
                <input type="hidden" name="question[datasets]" value=question.datasets />
                <input type="hidden" name="question[selection]" value=question.selection />
                <input type="hidden" name="approval[run]" value=plan.run.clone() />
                <input type="hidden" name="approval[hash]" value=plan.hash.clone() />
                <Typing friction />
                {plan.goes_down.then(|| view! { <PasswordAgain /> })}
                <button class="button button-main">{button}</button>
            </form>
        }
        .into_any()
    };
    Some(view! {
        <section class="card" aria-labelledby="start">
            <h2 id="start">"Start"</h2>
            {inner}
        </section>
    })
}

/// What has to be typed, if anything.
#[component]
fn Typing(friction: Friction) -> impl IntoView {
    let note = match &friction {
        Friction::None => "Only versions change, no data.".to_owned(),
        Friction::Check => "Look at the plan above: this is what will be done.".to_owned(),
        Friction::TypeCount { count: datasets } => {
            format!("Type {}, the number of datasets, to start this", count(*datasets))
        }
        Friction::TypeName { name } => {
            format!("Type {name}, the name of the database, to start this")
        }
    };
    match friction {
        Friction::None | Friction::Check => view! { <p>{note}</p> }.into_any(),
        Friction::TypeCount { .. } | Friction::TypeName { .. } => {
            view! { <Typed what=note name="approval[typed]" /> }.into_any()
        }
    }
}
