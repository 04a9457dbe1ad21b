//! What people can do with a run, and why they cannot do the rest.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use model::{Cause, FailureGroup, JobEvent, words};

use super::Watch;
use crate::api::{ControlRun, form};
use crate::components::{Notice, PasswordAgain, Typed};

/// Everything that people may ever want of a run.
const WISHES: [JobEvent; 5] =
    [JobEvent::Pause, JobEvent::Resume, JobEvent::Retry, JobEvent::Cancel, JobEvent::Undo];

/// A button for each thing that can be done now, and the reasons for the others.
#[component]
pub fn Controls(watch: Watch) -> impl IntoView {
    let Watch { frame, page, .. } = watch;
    let refused = form::refusal::<ControlRun>();
    let barred = Memo::new(move |_| page.read().barred.clone());
    let open = Memo::new(move |_| {
        let frame = frame.read();
        // What does not pass as it is can be tried where its reason stands.
        let in_vain = !frame.run.failures.is_empty() && frame.may_pass() == 0;
        let useful = |it: &JobEvent| !(in_vain && *it == JobEvent::Retry);
        WISHES
            .into_iter()
            .filter(|it| useful(it) && frame.why_not(*it).is_none())
            .collect::<Vec<_>>()
    });
    let closed = Memo::new(move |_| {
        let frame = frame.read();
        let reason = |it: JobEvent| Some((it, frame.why_not(it)?));
        WISHES.into_iter().filter_map(reason).collect::<Vec<_>>()
    });
    let until = Memo::new(move |_| frame.read().run.undo_until.clone());
    view! {
        <section class="card run-controls" aria-labelledby="controls">
            <h2 id="controls">"What can be done"</h2>
            {refused.map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })}
            {move || match barred.get() {
                Some(reason) => EitherOf3::A(view! { <p class="muted">{reason}</p> }),
                None if open.read().is_empty() => {
                    EitherOf3::B((view! { <p class="muted">"Nothing now"</p> }, pace_link(watch)))
                }
                None => {
                    let open = open.get().into_iter();
                    let buttons = open.map(|event| view! { <Control watch event /> });
                    EitherOf3::C((buttons.collect_view(), pace_link(watch)))
                }
            }}
            {move || {
                until
                    .get()
                    .map(|it| {
                        let until = words::moment(&it);
                        view! { <p class="muted">{format!("It can be undone until {until}")}</p> }
                    })
            }}
            <details>
                <summary>"What cannot be done now, and why"</summary>
                <ul>
                    {move || {
                        closed
                            .get()
                            .into_iter()
                            .map(|(event, why)| {
                                view! { <li>{format!("It cannot be {event}: {why}")}</li> }
                            })
                            .collect_view()
                    }}
                </ul>
            </details>
        </section>
    }
}

/// The way to how fast it goes.
fn pace_link(watch: Watch) -> impl IntoView {
    let page = format!("/runs/{}/pace", watch.frame.read_untracked().run.id);
    view! { <a class="run-pace" href=page rel="external">"Change the pace and its limits"</a> }
}

/// One thing that can be done. What cannot simply be asked for again says first what it does.
#[component]
fn Control(watch: Watch, event: JobEvent) -> impl IntoView {
    let frame = watch.frame;
    let label = move || frame.read().label(event);
    if frame.get_untracked().warning(event).is_none() {
        return Either::Left(view! { <Ask watch event label /> });
    }
    Either::Right(view! {
        <details class="confirm">
            <summary class="button button-danger">{label} " …"</summary>
            <p>{move || frame.read().warning(event)}</p>
            <Ask watch event label />
        </details>
    })
}

/// The form that asks for it. The browser sends it, and comes back to this page.
#[component]
fn Ask(
    watch: Watch,
    event: JobEvent,
    label: impl Fn() -> String + Send + 'static,
    #[prop(optional)] cause: Option<Cause>,
) -> impl IntoView {
    let id = watch.frame.get_untracked().run.id;
    view! {
        <form method="post" action={form::address::<ControlRun>()}>
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="event" value=event.word() />
            {cause.map(|it| view! { <input type="hidden" name="cause" value=it.word() /> })}
            {(event == JobEvent::Undo).then(|| view! { <Confirmation watch /> })}
            <button class="button">{label}</button>
        </form>
    }
}

/// What an undo takes: it is as far-reaching as what it takes back.
#[component]
fn Confirmation(watch: Watch) -> impl IntoView {
    let name = watch.page.get_untracked().database;
    view! {
        <Typed what=format!("Type {name}, the name of the database") name="typed" />
        <PasswordAgain />
    }
}

/// What could not be migrated, by cause.
#[component]
pub fn Failures(watch: Watch) -> impl IntoView {
    let Watch { frame, page, .. } = watch;
    let groups = Memo::new(move |_| frame.read().run.failures.clone());
    let retries = Memo::new(move |_| {
        page.read().barred.is_none() && frame.read().why_not(JobEvent::Retry).is_none()
    });
    move || {
        let groups = groups.get();
        let retries = retries.get();
        (!groups.is_empty()).then(|| {
            view! {
                <section class="card" aria-labelledby="failures">
                    <h2 id="failures">"What could not be migrated"</h2>
                    <ul class="failures">
                        {groups
                            .into_iter()
                            .map(|group| view! { <Failure watch group retries /> })
                            .collect_view()}
                    </ul>
                </section>
            }
        })
    }
}

#[component]
fn Failure(watch: Watch, group: FailureGroup, retries: bool) -> impl IntoView {
    let FailureGroup { cause, count, remedy, .. } = group;
    let label = format!("Retry {}", words::count(count));
    view! {
        <li>
            <div>
                <p>
                    <strong>{format!("{}: ", words::counted(count, "dataset"))}</strong>
                    {cause.to_string()}
                </p>
                <p class="muted">{format!("To do: {remedy}")}</p>
            </div>
            {retries.then(|| view! { <Ask watch event=JobEvent::Retry label=move || label.clone() cause /> })}
        </li>
    }
}
