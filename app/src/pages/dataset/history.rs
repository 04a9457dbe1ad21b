//! What runs have done to a dataset, and what their logs say of it.

use leptos::prelude::*;
use model::{DatasetLine, DatasetRun, words};

use crate::components::{Cell, Head, Row, RunState, Table, TimeAgo};

const COLUMNS: [&str; 5] = ["Run", "State of the run", "This dataset", "When", "Undo"];

/// The runs, newest first.
#[component]
pub fn History(runs: Vec<DatasetRun>, at: String) -> impl IntoView {
    let shown = if runs.is_empty() {
        view! { <p class="muted">"No run has had to do with it yet."</p> }.into_any()
    } else {
        let rows: Vec<AnyView> = runs.into_iter().map(|it| row(it, &at)).collect();
        view! {
            <Table caption="Runs that had to do with this dataset, newest first" columns=&COLUMNS>
                {rows}
            </Table>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="history">
            <h2 id="history">"History"</h2>
            {shown}
        </section>
    }
}

fn row(it: DatasetRun, at: &str) -> AnyView {
    let [_, state, dataset, when, undo] = COLUMNS;
    let DatasetRun { frame, state: became, head, destination, ended, notes, undo: undoing } = it;
    let (run, now) = (frame.run, at.to_owned());
    let way = [head.map(|it| format!("from {it}")), destination.map(|it| format!("to {it}"))];
    let way = way.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let told = format!("{} {way}", became.replace('_', " "));
    let notes = notes.into_iter().map(|it| view! { <li>{it}</li> }).collect_view();
    let time = ended.or(run.started).unwrap_or(run.created);
    view! {
        <Row>
            <Head>
                <a href=format!("/runs/{}", run.id) rel="external">
                    {format!("{} to {}", run.asked, run.destination)}
                </a>
                <small class="muted">{format!(" by {}", run.by)}</small>
            </Head>
            <Cell of=state>
                <RunState state=run.state />
            </Cell>
            <Cell of=dataset>{told} <ul class="notes">{notes}</ul></Cell>
            <Cell of=when>
                <TimeAgo time now />
            </Cell>
            <Cell of=undo>{undoing}</Cell>
        </Row>
    }
    .into_any()
}

/// What the logs of runs say of it.
#[component]
pub fn Log(lines: Vec<DatasetLine>) -> impl IntoView {
    (!lines.is_empty()).then(|| {
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let lines = lines.into_iter().map(|DatasetLine { run, line }| {
            view! {
                <li>
                    <time datetime=line.at.clone()>{words::moment(&line.at)}</time>
                    <span class="log-by">{line.by}</span>
                    <span>
                        {line.text} " "
                        <a href=format!("/runs/{run}") rel="external">
                            "Run"
                        </a>
                    </span>
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="log">
                <h2 id="log">"Log"</h2>
                <p class="revisions-note muted">
                    {format!("{} of its runs that name it or are about it alone, newest first.", words::counted(count, "line"))}
                </p>
                <ol class="log">{lines.collect_view()}</ol>
            </section>
        }
    })
}
