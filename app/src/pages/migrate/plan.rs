//! The plan: what will happen, what was looked at, what is lost.

use leptos::prelude::*;
use model::{CheckResult, DatabaseStep, Loss, MigrationPlan, PlanCheck, PlanQuestion, words};

use super::estimate::EstimateFacts;
use super::groups::Groups;
use super::start::StartForm;
use crate::components::{Cell, Head, Row, Table};

/// All of it, with the way to start it at the end.
#[component]
pub fn Plan(plan: MigrationPlan, question: PlanQuestion) -> impl IntoView {
    let drops = plan.database.clone().map(|it| view! { <Drops step=it /> });
    let days = plan.undo_days;
    let archived =
        "What the destination does not know is kept in the archive, and given back on the way up.";
    view! {
        <section class="plan-sentence card" aria-labelledby="plan">
            <h2 id="plan">"The plan"</h2>
            <p>{plan.sentence.clone()}</p>
        </section>
        <Checks checks=plan.checks.clone() />
        <Groups groups=plan.groups.clone() />
        {drops}
        <Losses title="What is lost" id="lost" note="It comes back only if the run is undone." losses=plan.losses.clone() />
        <Losses title="What is archived" id="archived" note=archived losses=plan.archived.clone() />
        {plan.estimate.clone().map(|estimate| view! { <EstimateFacts estimate undo_days=days /> })}
        <StartForm plan question />
    }
}

#[component]
fn Checks(checks: Vec<PlanCheck>) -> impl IntoView {
    let rows = checks.into_iter().map(|check| view! { <Check check /> }).collect_view();
    view! {
        <section class="card" aria-labelledby="checks">
            <h2 id="checks">"Looked at before"</h2>
            <Table caption="What was looked at before, and what was seen" columns=&COLUMNS>
                {rows}
            </Table>
        </section>
    }
}

const COLUMNS: [&str; 3] = ["What", "Result", "Seen"];

#[component]
fn Check(check: PlanCheck) -> impl IntoView {
    let [_, result_of, seen] = COLUMNS;
    let PlanCheck { subject, result, evidence, cause, remedy } = check;
    let shape = match result {
        CheckResult::Good => "M4 8.4l2.6 2.6 5.4-6",
        CheckResult::Caution => "M8 3v6M8 12.4v.2",
        CheckResult::Problem => "M4 4l8 8M12 4l-8 8",
        CheckResult::Unknown => "M3 8h10",
    };
    let more = [("Cause:", cause), ("What to do:", remedy)]
        .map(|(what, text)| text.map(|it| view! { <p class="muted">{what} {it}</p> }));
    view! {
        <Row>
            <Head>{subject}</Head>
            <Cell of=result_of>
                <span class="tone" data-tone=result.name()>
                    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                        <path d=shape />
                    </svg>
                    {result.word()}
                </span>
            </Cell>
            <Cell of=seen>
                <p>{evidence}</p>
                {more.collect_view()}
            </Cell>
        </Row>
    }
}

/// Collections that are dropped because no dataset uses them.
#[component]
fn Drops(step: DatabaseStep) -> impl IntoView {
    let count = u64::try_from(step.drops.len()).unwrap_or(u64::MAX);
    (count > 0).then(|| {
        let names = step.drops.into_iter().take(model::NAMED);
        let names = names.map(|it| view! { <li class="name">{it}</li> }).collect_view();
        let what = format!("{} that no dataset uses", words::counted(count, "collection"));
        view! {
            <section class="card" aria-labelledby="drops">
                <h2 id="drops">"Collections that are dropped"</h2>
                <details class="group">
                    <summary>{what}</summary>
                    <ul class="names">{names}</ul>
                    <Rest all=count />
                </details>
            </section>
        }
    })
}

/// How many are not named.
#[component]
pub fn Rest(all: u64) -> impl IntoView {
    let rest = all.saturating_sub(u64::try_from(model::NAMED).unwrap_or(u64::MAX));
    (rest > 0).then(|| view! { <p class="muted">{format!("and {} more", words::count(rest))}</p> })
}

#[component]
fn Losses(
    title: &'static str,
    id: &'static str,
    note: &'static str,
    losses: Vec<Loss>,
) -> impl IntoView {
    (!losses.is_empty()).then(|| {
        let rows = losses.into_iter().map(|Loss { what, datasets }| {
            let of = (datasets > 0).then(|| format!(" ({})", words::counted(datasets, "dataset")));
            view! { <li>{what} <span class="muted">{of}</span></li> }
        });
        view! {
            <section class="card" aria-labelledby=id>
                <h2 id=id>{title}</h2>
                <ul class="losses">{rows.collect_view()}</ul>
                <p class="muted">{note}</p>
            </section>
        }
    })
}
