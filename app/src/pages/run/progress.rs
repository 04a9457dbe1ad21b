//! How far a run is.

use leptos::prelude::*;
use model::{RunFrame, words};

use super::Watch;
use crate::components::{Notice, ProgressBar, RunMark};
use crate::live::Link;

/// The state in one sentence, a bar, and the figures under it.
#[component]
pub fn Progress(watch: Watch) -> impl IntoView {
    let Watch { frame, said, .. } = watch;
    let state = Memo::new(move |_| frame.read().run.state);
    let share = Memo::new(move |_| frame.read().share());
    let error = Memo::new(move |_| frame.read().run.error.clone());
    let refused = Memo::new(move |_| frame.read().run.refused.clone());
    view! {
        {move || {
            error
                .get()
                .map(|it| view! { <Notice sentence=it>"Its log tells what happened before."</Notice> })
        }}
        {move || {
            refused
                .get()
                .map(|it| {
                    view! { <Notice sentence=it>"The run is as it was before that was asked for."</Notice> }
                })
        }}
        <section class="card run-progress" aria-labelledby="progress">
            <h2 id="progress">"Progress"</h2>
            <p class="run-sentence">
                {move || view! { <RunMark state=state.get() /> }}
                <span>{move || frame.read().sentence()}</span>
            </p>
            <p class="unseen" role="status">
                {said}
            </p>
            <ProgressBar label="Done of the run" share />
            <Pulse watch />
            <dl>
                <Fact name="Samples and frames" value=move || documents(&frame.read()) />
                <Fact name="Datasets" value=move || datasets(&frame.read()) />
                <Fact
                    name="Written"
                    value=move || format!("about {}", words::bytes(frame.read().run.bytes))
                />
                <Fact
                    name="Remaining"
                    value=move || frame.read().remaining().unwrap_or_else(|| "nothing now".to_owned())
                />
                <Moment name="Begun" watch time=|frame| frame.run.begun.clone() />
                <Moment name="Ended" watch time=|frame| frame.run.ended.clone() />
            </dl>
        </section>
    }
}

/// How long ago something was written, which is alarming where it is long.
#[component]
fn Pulse(watch: Watch) -> impl IntoView {
    let Watch { frame, since_ms, link, .. } = watch;
    move || {
        // Where nothing is heard, that nothing was written is not known either.
        let heard = matches!(link.get(), Link::Connecting | Link::Live | Link::Lost);
        heard.then(|| frame.read().pulse(since_ms.get())).flatten().map(|it| {
            view! {
                <p class="pulse" data-tone=it.tone.name()>
                    {it.words}
                </p>
            }
        })
    }
}

/// When something was, by how long ago it was.
#[component]
fn Moment(
    name: &'static str,
    watch: Watch,
    time: fn(&RunFrame) -> Option<String>,
) -> impl IntoView {
    let Watch { frame, since_ms, .. } = watch;
    let moment = Memo::new(move |_| time(&frame.read()));
    let ago = move || {
        let Some(moment) = moment.get() else { return "not yet".to_owned() };
        let before = words::between_ms(&moment, &frame.read().at);
        before.map_or(moment, |it| words::ago(it.saturating_add(since_ms.get())))
    };
    let exactly = move || moment.get().map(|it| words::moment(&it));
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>
                <time datetime=move || moment.get() title=exactly>
                    {ago}
                </time>
            </dd>
        </div>
    }
}

#[component]
fn Fact(name: &'static str, value: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd class="number">{value}</dd>
        </div>
    }
}

/// `1,204,331 of about 3,050,112, 8,900 in a second`
fn documents(frame: &RunFrame) -> String {
    let done = words::count(frame.run.documents);
    let all = frame.documents_in_all().filter(|_| !frame.rests());
    let all = all.map(|it| format!(" of about {}", words::count(it))).unwrap_or_default();
    let rate = frame.rate.map(|it| format!(", {} in a second", words::count(it)));
    format!("{done}{all}{}", rate.unwrap_or_default())
}

fn datasets(frame: &RunFrame) -> String {
    let (done, all) = frame.datasets();
    let failed = match frame.failed() {
        0 => String::new(),
        it => format!(", {} could not be migrated", words::count(it)),
    };
    format!("{} of {}{failed}", words::count(done), words::count(all))
}
