//! `/import/{id}` and `/exports/{id}`: how far one is, what came of it, and what comes next.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{Share, TaskKind, TaskReport, TaskState, TaskSummary, UploadQuestion, words};

use super::{exports, import};
use crate::api::{ApiError, StopTask, form, shown_task, tasks};
use crate::components::{Cell, Head, Loaded, Notice, ProgressBar, Row, Table};
use crate::pages::NotFound;

/// One import.
#[component]
pub fn ImportTask() -> impl IntoView {
    view! { <Task kind=TaskKind::Import title="Import" /> }
}

/// One export.
#[component]
pub fn ExportTask() -> impl IntoView {
    view! { <Task kind=TaskKind::Export title="Export" /> }
}

#[component]
fn Task(kind: TaskKind, title: &'static str) -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let watched = use_query_map().with_untracked(|it| it.get_str("watch").is_some());
    let refused = form::refusal::<StopTask>();
    let back = if kind == TaskKind::Import { "Back to imports" } else { "Back to exports" };
    view! {
        <Title text=title />
        <nav aria-label="Way back">
            <a href=kind.page()>{back}</a>
        </nav>
        {refused.map(|why| view! { <Notice sentence=format!("It was not done: {why}.")>"What is known is below."</Notice> })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    match shown_task(kind, id).await {
                        Ok(task) => view! { <Shown task watched /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <h1>{title}</h1>
                                <Notice sentence=error.to_string()>"Load the page again."</Notice>
                            }
                                .into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Shown(task: TaskSummary, watched: bool) -> impl IntoView {
    let kind = task.question.kind();
    let running = task.state == TaskState::Running;
    if watched && running {
        super::reload_soon();
    }
    let title = match kind {
        TaskKind::Import => format!("Import of {}", task.what),
        TaskKind::Export => format!("Export of {}", task.what),
    };
    let again = task.question.address();
    let ended = match (task.state, &task.refused) {
        (TaskState::Failed, Some(why)) => Some(format!("It has failed: {why}.")),
        (TaskState::CutOff, _) => {
            Some("Whoever was at it is gone, and has not said what came of it.".to_owned())
        }
        _ => None,
    };
    let left = match (kind, task.state) {
        (TaskKind::Import, TaskState::CutOff) => {
            "The dataset is there whole, or not at all; what is left of a half is removed by the next import. Ask again to see."
        }
        (TaskKind::Export, TaskState::CutOff) => {
            "A folder with metadata.json in it is whole; remove any other, and ask again."
        }
        _ => "What it had written is removed. Mend the cause, and ask again.",
    };
    view! {
        <header class="page-header">
            <h1>{title}</h1>
            <p>{format!("{}, begun {} by {}.", state_of(task.state), words::moment(&task.begun), task.by)}</p>
        </header>
        {ended
            .map(|sentence| {
                view! { <Notice sentence>{left}</Notice> }
            })}
        {running.then(|| view! { <Running task=task.clone() watched /> })}
        {task.came.map(|it| came(it, task.may_move_media))}
        {(!running)
            .then(|| {
                view! {
                    <p>
                        <a href=again>"Ask the same again"</a>
                    </p>
                }
            })}
    }
}

fn came(report: TaskReport, may_move_media: bool) -> impl IntoView {
    match report {
        TaskReport::Import(report) => {
            let id = report.id.clone().unwrap_or_default();
            let dataset = format!("/datasets/{id}");
            let media = UploadQuestion { dataset: id, ..UploadQuestion::default() }.address();
            view! {
                <section class="card padded" aria-labelledby="came">
                    <h2 id="came">"What was imported"</h2>
                    <import::Report report=*report />
                    <ul class="plain-list">
                        <li>
                            <a href=dataset>"See the dataset"</a>
                        </li>
                        {may_move_media
                            .then(|| {
                                view! {
                                    <li>
                                        <a href=media>"Take its media elsewhere"</a>
                                    </li>
                                }
                            })}
                    </ul>
                </section>
            }
            .into_any()
        }
        TaskReport::Export(report) => view! {
            <section class="card padded" aria-labelledby="came">
                <h2 id="came">"What was exported"</h2>
                <exports::Report report />
            </section>
        }
        .into_any(),
    }
}

#[component]
fn Running(task: TaskSummary, watched: bool) -> impl IntoView {
    let kind = task.question.kind();
    let address = format!("{}/{}", kind.page(), task.id);
    let percent =
        (task.done * 100).checked_div(task.of).map(|it| u8::try_from(it.min(99)).unwrap_or(99));
    let bar = percent.map(|percent| {
        let share = Share { percent, about: false };
        view! { <ProgressBar label="Documents" share=Signal::stored(share) /> }
    });
    let far = if task.of > 0 {
        format!(
            "{}: {} of {}",
            task.stage,
            words::count(task.done),
            words::counted(task.of, "document")
        )
    } else {
        format!("{}: {}", task.stage, words::counted(task.done, "document"))
    };
    let watch = if watched {
        view! { <a href=address>"Stop watching"</a> }
    } else {
        view! { <a href=format!("{address}?watch=1")>"Watch: load the page every 3 seconds"</a> }
    };
    view! {
        <section class="card padded" aria-labelledby="progress">
            <h2 id="progress">"Progress"</h2>
            {bar}
            <p>{far}</p>
            {watch}
            <form method="post" action={form::address::<StopTask>()}>
                <input type="hidden" name="kind" value=kind.word() />
                <input type="hidden" name="id" value=task.id />
                <div class="actions">
                    <button class="button">"Stop"</button>
                    <span class="muted">"Nothing comes of it then."</span>
                </div>
            </form>
        </section>
    }
}

/// All of a kind.
#[component]
pub fn Tasks(kind: TaskKind) -> impl IntoView {
    let list = Resource::new(|| (), move |()| tasks(kind));
    let title = if kind == TaskKind::Import { "Imports" } else { "Exports before" };
    view! {
        <section aria-labelledby="before">
            <h2 id="before">{title}</h2>
            <Loaded from=list let:list>
                <List list kind />
            </Loaded>
        </section>
    }
}

const COLUMNS: [&str; 4] = ["What", "State", "By", "Begun"];

#[component]
fn List(list: Vec<TaskSummary>, kind: TaskKind) -> impl IntoView {
    if list.is_empty() {
        return view! { <p>"None was begun here yet."</p> }.into_any();
    }
    let [_, state, by, begun] = COLUMNS;
    let rows = list.into_iter().map(move |it| {
        view! {
            <Row>
                <Head>
                    <a href=format!("{}/{}", kind.page(), it.id)>{it.what}</a>
                </Head>
                <Cell of=state>{state_of(it.state)}</Cell>
                <Cell of=by>{it.by}</Cell>
                <Cell of=begun>{words::moment(&it.begun)}</Cell>
            </Row>
        }
    });
    view! {
        <div class="card">
            <Table caption="The last one first" columns=&COLUMNS>
                {rows.collect_view()}
            </Table>
        </div>
    }
    .into_any()
}

/// Something that can be chosen or not.
#[component]
pub fn Choice(name: &'static str, label: &'static str, value: String) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="checkbox" name=name value="yes" checked=!value.is_empty() />
            {label}
        </label>
    }
}

/// A question once more, for a form.
pub fn hidden(fields: &[(&'static str, &str)]) -> impl IntoView + use<> {
    let field = |(name, value): &(&'static str, &str)| {
        let (name, value) = (format!("question[{name}]"), (*value).to_owned());
        view! { <input type="hidden" name=name value=value /> }
    };
    fields.iter().map(field).collect_view()
}

const fn state_of(state: TaskState) -> &'static str {
    match state {
        TaskState::Running => "Going on",
        TaskState::Done => "Done",
        TaskState::Failed => "Failed",
        TaskState::CutOff => "Cut off",
    }
}
