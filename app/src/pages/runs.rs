//! `/runs`: the runs there are and were.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{RunFrame, words};

use crate::api::shown_runs;
use crate::components::{Cell, Head, Notice, ProgressBar, Row, RunState, Table, TimeAgo};

/// All runs, newest first.
#[component]
pub fn Runs() -> impl IntoView {
    let runs = Resource::new(|| (), |()| shown_runs());
    view! {
        <Title text="Runs" />
        <header class="page-header">
            <h1>"Runs"</h1>
        </header>
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move {
                match runs.await {
                    Ok(runs) if runs.is_empty() => view! { <NoRuns /> }.into_any(),
                    Ok(runs) => view! { <RunTable runs /> }.into_any(),
                    Err(error) => {
                        view! {
                            <Notice sentence=error
                                .to_string()>"Mend the cause, then load the page again."</Notice>
                        }
                            .into_any()
                    }
                }
            })}
        </Suspense>
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
fn RunTable(runs: Vec<RunFrame>) -> impl IntoView {
    let full = runs.len() >= LISTED;
    let goes_on = runs.iter().any(|it| !it.rests());
    view! {
        {goes_on.then(|| view! { <noscript inner_html=super::run::REFRESH></noscript> })}
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
    let took = run.started.as_deref().and_then(|from| {
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
                {match run.started {
                    Some(time) => view! { <TimeAgo time now=at /> }.into_any(),
                    None => "not yet".into_any(),
                }}
            </Cell>
            <Cell of=duration>{took.unwrap_or_else(|| "none".to_owned())}</Cell>
            <Cell of=failures>
                {if failed == 0 { "none".to_owned() } else { words::counted(failed, "dataset") }}
            </Cell>
        </Row>
    }
}
