//! `/runs`: the runs there are and were.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use leptos_meta::Title;
use model::{RunFrame, words};

use crate::api::{ApiError, ShownRuns, shown_runs};
use crate::components::{Cell, Head, Notice, ProgressBar, Row, RunState, Table, TimeAgo};
use crate::live;

/// How often the runs are read again while one of them goes on, and while all of them rest, in milliseconds.
const ACTIVE_MS: u64 = 3_000;
const RESTED_MS: u64 = 30_000;

/// All runs, newest first.
#[component]
pub fn Runs() -> impl IntoView {
    let first = Resource::new(|| (), |()| shown_runs());
    view! {
        <Title text="Runs" />
        <header class="page-header">
            <h1>"Runs"</h1>
        </header>
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move { view! { <Latest first=first.await /> } })}
        </Suspense>
    }
}

/// The runs as they are, read again and again while somebody looks.
#[component]
fn Latest(first: Result<Vec<RunFrame>, ApiError>) -> impl IntoView {
    let again = ServerAction::<ShownRuns>::new();
    let failed = first.as_ref().err().cloned();
    let latest = Memo::new(move |before: Option<&Vec<RunFrame>>| match again.value().get() {
        Some(Ok(runs)) => runs,
        Some(Err(_)) | None => before.cloned().or_else(|| first.clone().ok()).unwrap_or_default(),
    });
    let failure = Memo::new(move |_| match again.value().get() {
        Some(answer) => answer.err(),
        None => failed.clone(),
    });
    let goes_on = Memo::new(move |_| latest.read().iter().any(|it| !it.rests()));
    let asked = StoredValue::new(0);
    live::each_half_second(move |ms, is_seen| {
        let wait = if goes_on.get_untracked() { ACTIVE_MS } else { RESTED_MS };
        let is_due = ms.saturating_sub(asked.get_value()) >= wait;
        if is_seen && is_due && !again.pending().get_untracked() {
            asked.set_value(ms);
            again.dispatch(ShownRuns {});
        }
    });
    view! {
        {move || goes_on.get().then(|| view! { <noscript inner_html=super::run::REFRESH></noscript> })}
        {move || {
            failure
                .get()
                .map(|error| {
                    view! {
                        <Notice sentence=error.to_string()>
                            "What is shown is from before; it is asked again."
                        </Notice>
                    }
                })
        }}
        {move || match latest.get() {
            runs if runs.is_empty() && failure.read().is_some() => EitherOf3::A(()),
            runs if runs.is_empty() => EitherOf3::B(view! { <NoRuns /> }),
            runs => EitherOf3::C(view! { <RunTable runs /> }),
        }}
    }
}

/// What to do where there is nothing yet.
#[component]
fn NoRuns() -> impl IntoView {
    view! {
        <section class="empty">
            <p>"Nothing was migrated here yet. A run is written down as soon as one begins."</p>
            <p>
                <a href="/migrate" rel="external">"Plan a migration"</a>
            </p>
        </section>
    }
}

#[component]
pub fn RunTable(runs: Vec<RunFrame>) -> impl IntoView {
    let full = runs.len() >= LISTED;
    view! {
        <div class="card">
            <Table caption="Runs, newest first" columns=&COLUMNS>
                {runs.into_iter().map(|frame| view! { <Run frame /> }).collect_view()}
            </Table>
        </div>
        {full
            .then(|| {
                view! {
                    <p class="muted">
                        {format!(
                            "The newest {LISTED} runs; `fiftyone-migrate runs show ID` also shows older ones.",
                        )}
                    </p>
                }
            })}
    }
}

/// How many runs the engine lists.
const LISTED: usize = 100;

const COLUMNS: [&str; 7] =
    ["What", "State", "Progress", "By", "Started", "Duration", "Could not be migrated"];

#[component]
fn Run(frame: RunFrame) -> impl IntoView {
    let [_, state, progress, by, started, duration, failures] = COLUMNS;
    let RunFrame { at, run, .. } = frame.clone();
    let asked = format!("{} to v{}", run.asked, run.destination);
    let took = run.begun.as_deref().and_then(|from| {
        words::between_ms(from, run.ended.as_deref().unwrap_or(&at)).map(words::duration)
    });
    let share = frame.share();
    let failed = frame.failed();
    view! {
        <Row>
            <Head>
                <a href=format!("/runs/{}", run.id) rel="external">{asked}</a>
            </Head>
            <Cell of=state>
                <RunState state=run.state />
            </Cell>
            <Cell of=progress>
                <ProgressBar label="Done" share=Signal::stored(share) />
            </Cell>
            <Cell of=by>{run.by}</Cell>
            <Cell of=started>
                {match run.begun {
                    Some(time) => Either::Left(view! { <TimeAgo time now=at /> }),
                    None => Either::Right("not yet"),
                }}
            </Cell>
            <Cell of=duration>{took.unwrap_or_else(|| "none".to_owned())}</Cell>
            <Cell of=failures>
                {if failed == 0 { "none".to_owned() } else { words::counted(failed, "dataset") }}
            </Cell>
        </Row>
    }
}
