//! Who works on a run, what was expected of it, and what happened.

use leptos::either::Either;
use leptos::prelude::*;
use model::{Estimate, RunHand, RunMoment, words};

use super::Watch;

/// What happened to it, in its order.
#[component]
pub fn Timeline(watch: Watch) -> impl IntoView {
    let page = watch.page;
    let moments = Memo::new(move |_| page.read().timeline.clone());
    view! {
        <section class="card" aria-labelledby="timeline">
            <h2 id="timeline">"Timeline"</h2>
            <ol class="timeline">
                {move || lines(moments.get())}
            </ol>
        </section>
    }
}

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
    view! {
        <section class="card" aria-labelledby="log">
            <h2 id="log">"Log, newest first"</h2>
            {move || {
                if !named.get() {
                    return Either::Left(view! {
                        <p class="muted">"It names datasets: an admin sees it."</p>
                    });
                }
                let log = log.get();
                let all = format!("/runs/{}/log", watch.frame.read_untracked().run.id);
                Either::Right(view! {
                    <ol class="log">
                        {lines(log)}
                    </ol>
                    <p class="muted">
                        <a href=all rel="external">"Search or download the whole log"</a>
                    </p>
                })
            }}
        </section>
    }
}

/// The items of a list of what happened.
fn lines(moments: Vec<RunMoment>) -> impl IntoView {
    let line = |RunMoment { at, mark, first, then }| {
        let moment = words::moment(&at);
        view! {
            <li data-mark=mark>
                <time datetime=at>{moment}</time>
                <span>{first}</span>
                <span>{then}</span>
            </li>
        }
    };
    moments.into_iter().map(line).collect_view()
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
