//! `/media/new`: which files of a dataset would go where, and taking them there.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{FieldSurvey, MediaSurvey, UploadQuestion, words};

use crate::api::{BeginUpload, TestDestination, form, survey_media};
use crate::components::{Field, Notice};

/// The question, and what it comes to once it is complete.
#[component]
pub fn NewUpload() -> impl IntoView {
    let (question, tested) = use_query_map().with_untracked(|query| {
        let of = |key: &str| query.get(key).unwrap_or_default();
        let question = UploadQuestion {
            dataset: of("dataset"),
            to: of("to"),
            layout: of("layout"),
            root: of("root"),
            on_collision: of("on_collision"),
            fields: of("fields"),
        };
        (question, of("tested"))
    });
    let refused = form::refusal::<BeginUpload>().map(|it| format!("It was not begun: {it}."));
    let untested =
        form::refusal::<TestDestination>().map(|it| format!("The test has failed: {it}."));
    let asked = question.clone();
    view! {
        <Title text="Take media elsewhere" />
        <nav aria-label="Way back">
            <a href="/media">"Back to media"</a>
        </nav>
        <header class="page-header">
            <h1>"Take media elsewhere"</h1>
        </header>
        {refused.or(untested).map(|it| view! { <Notice sentence=it>"Nothing was uploaded."</Notice> })}
        {(!tested.is_empty())
            .then(|| {
                view! {
                    <p role="status">{format!("The destination was tried: {} works.", tested.replace(',', ", "))}</p>
                }
            })}
        <Question question=question.clone() />
        {(!question.to.is_empty() && !question.dataset.is_empty())
            .then(|| {
                view! {
                    <Suspense fallback=|| {
                        view! { <p aria-busy="true">"Looking at the files"</p> }
                    }>
                        {move || {
                            let asked = asked.clone();
                            Suspend::new(async move {
                                match survey_media(asked.clone()).await {
                                    Ok(survey) => view! { <Survey survey question=asked /> }.into_any(),
                                    Err(error) => {
                                        view! {
                                            <Notice sentence=error.to_string()>"Nothing was written."</Notice>
                                        }
                                            .into_any()
                                    }
                                }
                            })
                        }}
                    </Suspense>
                }
            })}
    }
}

#[component]
fn Question(question: UploadQuestion) -> impl IntoView {
    let UploadQuestion { dataset, to, layout, root, on_collision, fields } = question;
    let layout = if layout.is_empty() { "keep".to_owned() } else { layout };
    let ways = [
        ("refuse", "Upload nothing"),
        ("suffix", "Give each a name of its own"),
        ("folder", "Keep their sub-folders"),
    ];
    let ways = ways.map(|(way, words)| {
        view! { <option value=way selected=way == on_collision>{words}</option> }
    });
    view! {
        <section class="card padded" aria-labelledby="where">
            <h2 id="where">"What goes where"</h2>
            <form class="form" method="get" action="/media/new">
                <Field label="Dataset" name="dataset" value=dataset />
                <Field
                    label="Destination"
                    name="to"
                    value=to
                    hint="s3://bucket/folder, gs://bucket/folder, the address of a container of Azure, or a folder. Credentials are those of the server; none are typed here."
                />
                <Field
                    label="Layout"
                    name="layout"
                    value=layout
                    hint="keep leaves sub-folders, flat leaves none; or a template such as {dataset}/{field}/{path}."
                />
                <Field
                    label="Root"
                    name="root"
                    value=root
                    optional=true
                    hint="The folder that is left out of every place. Empty: the longest that all files are below."
                />
                <Field
                    label="Fields"
                    name="fields"
                    value=fields
                    optional=true
                    hint="Names with commas between them. Empty: every field that has media."
                />
                <div class="field">
                    <label for="on_collision">"Where several files would have one place"</label>
                    <select id="on_collision" name="on_collision">
                        {ways.into_iter().collect_view()}
                    </select>
                </div>
                <div class="actions">
                    <button class="button">"Show where files would go"</button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Survey(survey: MediaSurvey, question: UploadQuestion) -> impl IntoView {
    let MediaSurvey {
        name,
        destination,
        root,
        files,
        bytes,
        fields,
        collisions,
        unplaced,
        blockers,
        ..
    } = survey;
    let can = blockers.is_empty() && files > 0;
    let blockers = blockers.into_iter().map(|it| {
        view! { <Notice sentence=format!("It cannot be uploaded so: {it}.")>"Nothing was written."</Notice> }
    });
    let collisions = collisions.into_iter().map(|(place, sources)| {
        view! { <li><code>{place}</code>" would be the place of "<code>{sources.join(", ")}</code></li> }
    });
    let unplaced = unplaced.into_iter().map(|(why, count)| {
        view! { <li>{format!("{} stays: {why}", words::counted(count, "file"))}</li> }
    });
    let sum = format!(
        "{} of {name}, {}, would go to {destination}, as they lie below {root}.",
        words::counted(files, "file"),
        words::bytes(bytes)
    );
    view! {
        {blockers.collect_view()}
        <section class="card padded" aria-labelledby="outcome">
            <h2 id="outcome">"What would go where"</h2>
            <p>{sum}</p>
            <ul class="plain-list">{collisions.collect_view()} {unplaced.collect_view()}</ul>
            {fields.into_iter().map(|field| view! { <Of field /> }).collect_view()}
            <form method="post" action={form::address::<TestDestination>()}>
                <Hidden question=question.clone() />
                <div class="actions">
                    <button class="button">"Test this destination"</button>
                    <span class="muted">"A probe is written, read back and deleted."</span>
                </div>
            </form>
            {can
                .then(|| {
                    view! {
                        <form method="post" action={form::address::<BeginUpload>()}>
                            <Hidden question />
                            <div class="actions">
                                <button class="button button-main">
                                    {format!("Upload {}", words::counted(files, "file"))}
                                </button>
                                <span class="muted">"The dataset stays as it is; its paths are rewritten later."</span>
                            </div>
                        </form>
                    }
                })}
        </section>
    }
}

#[component]
fn Of(field: FieldSurvey) -> impl IntoView {
    let mut says = vec![format!(
        "{} to {} ({})",
        words::counted(field.paths, "path"),
        words::counted(field.files, "file"),
        words::bytes(field.bytes)
    )];
    if field.in_the_cloud > 0 {
        says.push(format!("{} in the cloud already", words::counted(field.in_the_cloud, "path")));
    }
    if field.at_the_destination > 0 {
        says.push(format!(
            "{} at the destination already",
            words::counted(field.at_the_destination, "path")
        ));
    }
    if field.missing > 0 {
        let examples = field.missing_examples.join(", ");
        says.push(format!(
            "{} not there, for example {examples}",
            words::either(field.missing, "file is", "files are")
        ));
    }
    if field.unreadable > 0 {
        let count = words::either(field.unreadable, "file cannot", "files cannot");
        says.push(format!("{count} be read: {}", field.unreadable_examples.join("; ")));
    }
    let strays = field.elsewhere.iter();
    says.extend(strays.map(|(why, count)| format!("{}: {why}", words::counted(*count, "path"))));
    says.extend(field.broken_scenes);
    let examples = field.examples.into_iter().map(|(from, to)| {
        view! { <li><code>{from}</code>" → "<code>{to}</code></li> }
    });
    view! {
        <h3>{field.field}</h3>
        <p>{says.join("; ")}</p>
        <ul class="plain-list paths">{examples.collect_view()}</ul>
    }
}

/// The question once more, for a form.
#[component]
fn Hidden(question: UploadQuestion) -> impl IntoView {
    let UploadQuestion { dataset, to, layout, root, on_collision, fields } = question;
    let fields = [
        ("dataset", dataset),
        ("to", to),
        ("layout", layout),
        ("root", root),
        ("on_collision", on_collision),
        ("fields", fields),
    ];
    fields
        .map(|(name, value)| view! { <input type="hidden" name=format!("question[{name}]") value=value /> })
        .into_iter()
        .collect_view()
}
