//! `/exports`: writing a dataset as an export that FiftyOne imports.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{ExportQuestion, ExportReport, TaskKind, words};

use super::task::{Choice, Tasks, hidden};
use crate::api::{BeginExport, check_export, form};
use crate::components::{Field, Loaded, Notice};

/// The question, what it comes to once it is asked, and what was exported before.
#[component]
pub fn ExportsPage() -> impl IntoView {
    let question = use_query_map().with_untracked(|query| {
        let of = |key: &str| query.get(key).unwrap_or_default();
        ExportQuestion {
            dataset: of("dataset"),
            folder: of("folder"),
            media: of("media"),
            without_views: of("without_views"),
            without_runs: of("without_runs"),
            without_workspaces: of("without_workspaces"),
        }
    });
    let refused = form::refusal::<BeginExport>();
    let complete = !question.dataset.is_empty() && !question.folder.is_empty();
    let asked = complete.then(|| question.clone());
    view! {
        <Title text="Exports" />
        <header class="page-header">
            <h1>"Exports"</h1>
            <p class="muted">
                "Write a dataset, of whatever version, as an export that FiftyOne and this app import. The database stays as it is."
            </p>
        </header>
        {refused.map(|why| view! { <Notice sentence=format!("It was not begun: {why}.")>"Nothing was exported."</Notice> })}
        {asked.map(|asked| view! { <Checked asked /> })}
        <Question question />
        <Tasks kind=TaskKind::Export />
    }
}

#[component]
fn Question(question: ExportQuestion) -> impl IntoView {
    let ExportQuestion { dataset, folder, media, .. } = question.clone();
    let ways = [
        ("left", "They stay where they are, and the export refers to them"),
        ("copied", "They are copied into the export"),
        ("linked", "The export has symbolic links to them"),
    ];
    let ways = ways.map(|(way, words)| {
        view! { <option value=way selected=way == media>{words}</option> }
    });
    view! {
        <section class="card padded" aria-labelledby="what">
            <h2 id="what">"What to export"</h2>
            <form class="form" method="get" action="/exports">
                <Field label="Dataset" name="dataset" value=dataset hint="Its name or its id." />
                <Field label="Folder" name="folder" value=folder hint="On the server; empty, or not there yet." />
                <div class="field">
                    <label for="media">"Files of samples"</label>
                    <select id="media" name="media">
                        {ways.into_iter().collect_view()}
                    </select>
                </div>
                <fieldset>
                    <legend>"What stays behind"</legend>
                    <Choice name="without_views" label="Saved views" value=question.without_views />
                    <Choice name="without_runs" label="Runs and their results" value=question.without_runs />
                    <Choice name="without_workspaces" label="Workspaces" value=question.without_workspaces />
                </fieldset>
                <div class="actions">
                    <button class="button">"Show what would be exported"</button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Checked(asked: ExportQuestion) -> impl IntoView {
    let question = asked.clone();
    let report = Resource::new(|| (), move |()| check_export(question.clone()));
    view! {
        <Loaded from=report let:report>
            <Outcome report question=asked.clone() />
        </Loaded>
    }
}

#[component]
fn Outcome(report: ExportReport, question: ExportQuestion) -> impl IntoView {
    let begin = format!("Export {}", words::counted(report.samples, "sample"));
    view! {
        <section class="card padded" aria-labelledby="outcome">
            <h2 id="outcome">"What would be exported"</h2>
            <Report report />
            <form method="post" action={form::address::<BeginExport>()}>
                {hidden(&question.fields())}
                <div class="actions">
                    <button class="button button-main">{begin}</button>
                    <span class="muted">"It is whole once metadata.json is there."</span>
                </div>
            </form>
        </section>
    }
}

/// What an export has.
#[component]
pub fn Report(report: ExportReport) -> impl IntoView {
    let facts = [
        ("Dataset", report.name),
        ("Version", report.version),
        ("Samples", words::count(report.samples)),
        ("Frames", words::count(report.frames)),
        ("Temporal tags", words::count(report.temporal_tags)),
        ("Files taken along", words::count(report.media)),
    ];
    let facts = facts.map(|(name, value)| {
        view! { <div class="fact"><dt>{name}</dt><dd>{value}</dd></div> }
    });
    let says = report.warnings.into_iter().map(|it| view! { <li>{it}</li> }).collect::<Vec<_>>();
    view! {
        <dl class="facts">{facts.into_iter().collect_view()}</dl>
        {(!says.is_empty()).then(|| view! { <h3>"Worth knowing"</h3> <ul class="plain-list paths">{says}</ul> })}
    }
}
