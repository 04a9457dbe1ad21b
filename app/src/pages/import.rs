//! `/import`: what a dataset would be made of, and making it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{ImportQuestion, ImportReport, TaskKind, words};

use super::task::{Choice, Tasks, hidden};
use crate::api::{BeginImport, check_import, form, import_place};
use crate::components::{Field, Loaded, Notice};

/// The question, what it comes to once it is asked, and what was imported before.
#[component]
pub fn ImportPage() -> impl IntoView {
    let question = use_query_map().with_untracked(|query| {
        let of = |key: &str| query.get(key).unwrap_or_default();
        ImportQuestion {
            folder: of("folder"),
            unpack_to: of("unpack_to"),
            name: of("name"),
            rel_dir: of("rel_dir"),
            tags: of("tags"),
            not_persistent: of("not_persistent"),
            without_views: of("without_views"),
            without_runs: of("without_runs"),
            without_workspaces: of("without_workspaces"),
        }
    });
    let refused = form::refusal::<BeginImport>();
    let place = Resource::new(|| (), |()| import_place());
    let asked = (!question.folder.is_empty()).then(|| question.clone());
    view! {
        <Title text="Import" />
        <header class="page-header">
            <h1>"Import"</h1>
            <p class="muted">
                "Make a dataset out of an export of FiftyOne. It is taken to the version of the database on the way, and is there whole or not at all."
            </p>
        </header>
        {refused.map(|why| view! { <Notice sentence=format!("It was not begun: {why}.")>"Nothing was imported."</Notice> })}
        {asked.map(|asked| view! { <Checked asked /> })}
        <Question question />
        <Loaded from=place let:place>
            {place.map(|place| view! { <Send place /> })}
        </Loaded>
        <Tasks kind=TaskKind::Import />
        <p>
            <a href="/exports">"Write a dataset as an export"</a>
        </p>
    }
}

#[component]
fn Question(question: ImportQuestion) -> impl IntoView {
    let ImportQuestion { folder, unpack_to, name, rel_dir, tags, .. } = question.clone();
    view! {
        <section class="card padded" aria-labelledby="what">
            <h2 id="what">"What to import"</h2>
            <form class="form" method="get" action="/import">
                <Field
                    label="Export"
                    name="folder"
                    value=folder
                    hint="A folder on the server with metadata.json in it, or an archive of one: zip, tar, tar.gz or tar.zst."
                />
                <Field label="Name" name="name" value=name optional=true hint="Empty: as in the export." />
                <Field label="Tags" name="tags" value=tags optional=true hint="Every sample gets them; with commas between them." />
                <Field
                    label="Relative paths are below"
                    name="rel_dir"
                    value=rel_dir
                    optional=true
                    hint="A folder or an address such as s3://bucket/data. Empty: the export itself."
                />
                <Field
                    label="Unpack to"
                    name="unpack_to"
                    value=unpack_to
                    optional=true
                    hint="Where an archive is unpacked; its media stay there."
                />
                <fieldset>
                    <legend>"What stays behind"</legend>
                    <Choice name="without_views" label="Saved views" value=question.without_views />
                    <Choice name="without_runs" label="Runs and their results" value=question.without_runs />
                    <Choice name="without_workspaces" label="Workspaces" value=question.without_workspaces />
                </fieldset>
                <Choice
                    name="not_persistent"
                    label="Not persistent: FiftyOne forgets the dataset when its last client goes"
                    value=question.not_persistent
                />
                <div class="actions">
                    <button class="button">"Show what would be imported"</button>
                </div>
            </form>
        </section>
    }
}

/// An archive that is not on the server yet.
#[component]
fn Send(place: String) -> impl IntoView {
    let hint =
        format!("An archive of an export: zip, tar, tar.gz or tar.zst. It is kept below {place}.");
    view! {
        <section class="card padded" aria-labelledby="send">
            <h2 id="send">"From your computer"</h2>
            <form class="form" method="post" action="/api/import/archive" enctype="multipart/form-data">
                <div class="field">
                    <label for="archive">"Archive"</label>
                    <input
                        id="archive"
                        name="archive"
                        type="file"
                        accept=".zip,.tar,.gz,.tgz,.zst"
                        aria-describedby="archive-hint"
                        required=true
                    />
                    <small class="field-hint" id="archive-hint">{hint}</small>
                </div>
                <div class="actions">
                    <button class="button">"Send it, and show what would be imported"</button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Checked(asked: ImportQuestion) -> impl IntoView {
    let question = asked.clone();
    let report = Resource::new(|| (), move |()| check_import(question.clone()));
    view! {
        <Loaded from=report let:report>
            <Outcome report question=asked.clone() />
        </Loaded>
    }
}

#[component]
fn Outcome(report: ImportReport, question: ImportQuestion) -> impl IntoView {
    let can = report.blockers.is_empty();
    let blockers = report.blockers.iter().map(|it| {
        let sentence = format!("It cannot be imported so: {it}.");
        view! { <Notice sentence>"Nothing was written."</Notice> }
    });
    let begin = format!("Import {}", words::counted(report.samples, "sample"));
    view! {
        {blockers.collect_view()}
        <section class="card padded" aria-labelledby="outcome">
            <h2 id="outcome">"What would be imported"</h2>
            <Report report=report.clone() />
            {can
                .then(|| {
                    view! {
                        <form method="post" action={form::address::<BeginImport>()}>
                            {hidden(&question.fields())}
                            <div class="actions">
                                <button class="button button-main">{begin}</button>
                                <span class="muted">"Nobody sees any of it before it is complete."</span>
                            </div>
                        </form>
                    }
                })}
        </section>
    }
}

/// What is in an export, and what becomes of it.
#[component]
pub fn Report(report: ImportReport) -> impl IntoView {
    let mut facts = vec![
        ("Name", report.name),
        ("Samples", words::count(report.samples)),
        ("Frames", words::count(report.frames)),
        ("Media type", report.media_type),
        ("Version in the export", report.head),
        ("Version as a dataset", report.destination),
        ("Saved views", report.views.to_string()),
        ("Runs", report.runs.to_string()),
        ("Workspaces", report.workspaces.to_string()),
        ("JSON", words::bytes(report.bytes)),
    ];
    if !report.revisions.is_empty() {
        facts.push(("Revisions it crosses", report.revisions.join(", ")));
    }
    if report.temporal_tags > 0 {
        facts.push(("Temporal tags", words::count(report.temporal_tags)));
    }
    if let Some(place) = report.unpack_to {
        facts.push(("Unpacked to", place));
    }
    let kinds = report.media.kinds.iter();
    facts.extend(kinds.map(|(kind, count)| ("Media", format!("{} {kind}", words::count(*count)))));
    let facts = facts.into_iter().filter(|(_, it)| !it.is_empty());
    let facts = facts.map(|(name, value)| {
        view! { <div class="fact"><dt>{name}</dt><dd>{value}</dd></div> }
    });
    let mut says = report.warnings;
    if report.media.missing > 0 {
        says.push(format!(
            "{} not there, for example {}",
            words::either(report.media.missing, "file of media is", "files of media are"),
            report.media.missing_examples.join(", ")
        ));
    }
    if report.media.repeated > 0 {
        let count = words::either(report.media.repeated, "sample has", "samples have");
        says.push(format!("{count} the path of another sample"));
    }
    let says = says.into_iter().map(|it| view! { <li>{it}</li> }).collect::<Vec<_>>();
    view! {
        <dl class="facts">{facts.collect_view()}</dl>
        {(!says.is_empty()).then(|| view! { <h3>"Worth knowing"</h3> <ul class="plain-list paths">{says}</ul> })}
    }
}
