//! Who works on a run, what was expected of it, and what happened.

use leptos::either::Either;
use leptos::prelude::*;
use model::{Estimate, LogLine, RunHand, words};

use super::Watch;

/// The processes that work on it, or have, where it was divided.
#[component]
pub fn Hands(watch: Watch) -> impl IntoView {
    let hands = Memo::new(move |_| watch.frame.read().run.hands.clone());
    move || {
        let hands = hands.get();
        (!hands.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="hands">
                    <h2 id="hands">"Who works on it"</h2>
                    <ul class="lines">
                        {hands.iter().map(|it| view! { <li>{worked(it)}</li> }).collect_view()}
                    </ul>
                </section>
            }
        })
    }
}

/// What the plan expected.
#[component]
pub fn Plan(watch: Watch) -> impl IntoView {
    let estimate = Memo::new(move |_| watch.frame.read().run.estimate.clone());
    move || {
        estimate.get().map(|it| {
            view! {
                <section class="card" aria-labelledby="plan">
                    <h2 id="plan">"What was expected"</h2>
                    <ul class="lines">
                        {expected(&it).map(|it| view! { <li>{it}</li> }).collect_view()}
                    </ul>
                </section>
            }
        })
    }
}

/// What happened, newest first.
#[component]
pub fn Log(watch: Watch) -> impl IntoView {
    let page = watch.page;
    let log = Memo::new(move |_| page.read().log.clone());
    let named = Memo::new(move |_| page.read().named);
    let is_cut = Memo::new(move |_| page.read().log_is_cut);
    view! {
        <section class="card" aria-labelledby="log">
            <h2 id="log">"Log, newest first"</h2>
            {move || {
                if !named.get() {
                    return Either::Left(view! {
                        <p class="muted">"It names datasets: an admin sees it."</p>
                    });
                }
                let lines = log.get();
                let all = format!("/api/runs/{}/log.txt", watch.frame.read_untracked().run.id);
                let words = if is_cut.get() {
                    format!("The newest {} lines: download all of them", lines.len())
                } else {
                    "Download the log".to_owned()
                };
                Either::Right(view! {
                    <ol class="log">
                        {lines.into_iter().map(|line| view! { <Line line /> }).collect_view()}
                    </ol>
                    <p class="muted">
                        <a href=all rel="external">
                            {words}
                        </a>
                    </p>
                })
            }}
        </section>
    }
}

#[component]
fn Line(line: LogLine) -> impl IntoView {
    let LogLine { at, by, text } = line;
    let moment = words::moment(&at);
    view! {
        <li>
            <time datetime=at>{moment}</time>
            <span class="log-by">{by}</span>
            <span class="log-text">{text}</span>
        </li>
    }
}

/// `ada@lab (process 12) leads it since 2026-01-02 03:04:05 UTC: 40 datasets`
fn worked(it: &RunHand) -> String {
    let what = match (it.leads, it.works) {
        (true, true) => "leads it",
        (true, false) => "led it",
        (false, true) => "helps",
        (false, false) => "helped",
    };
    let until = it.left.as_deref().map(|it| format!(" until {}", words::moment(it)));
    format!(
        "{} (process {}) {what} since {}{}: {}",
        it.by,
        it.pid,
        words::moment(&it.since),
        until.unwrap_or_default(),
        words::counted(it.datasets, "dataset")
    )
}

fn expected(it: &Estimate) -> [String; 3] {
    [
        format!(
            "To do: {}, {} samples and frames of {}",
            words::counted(it.datasets, "dataset"),
            words::amount(it.documents, words::count),
            words::amount(it.bytes, words::bytes)
        ),
        format!("Disk: {} more", words::amount(it.disk_bytes(), words::bytes)),
        format!("Time: {}, {}", it.time, it.basis),
    ]
}
