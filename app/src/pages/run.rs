//! `/runs/{id}`: one run, as it goes.

mod controls;
mod datasets;
mod progress;
mod story;
mod watch;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::RunPage;

use self::controls::{Controls, Failures};
use self::datasets::Datasets;
use self::progress::Progress;
use self::story::{Hands, Log, Plan, Timeline};
use self::watch::Watch;
use crate::api::{ApiError, shown_run};
use crate::components::Notice;
use crate::live::Link;

/// Without scripts, a page of something that goes on loads itself again.
pub const REFRESH: &str = r#"<meta http-equiv="refresh" content="5">"#;

/// The run that the address names.
#[component]
pub fn Run() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = move || (params.read().get("id").unwrap_or_default(), query.read().get("show"));
    let page = Resource::new(asked, |(id, show)| shown_run(id, show));
    view! {
        <Title text="Run" />
        <Transition fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(first) => Either::Left(view! { <Watched first /> }),
                    Err(error) => Either::Right(view! { <NoRun error /> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn NoRun(error: ApiError) -> impl IntoView {
    view! {
        <h1>"Run"</h1>
        <Notice sentence=error.to_string()>
            <a href="/runs" rel="external">"Go to the runs"</a>
        </Notice>
    }
}

#[component]
fn Watched(first: RunPage) -> impl IntoView {
    let watch = Watch::of(first);
    let run = watch.frame.get_untracked().run;
    let mut heading = format!("{} to v{}", run.asked, run.destination);
    if let Some(letter) = heading.get_mut(..1) {
        letter.make_ascii_uppercase();
    }
    let goes_on = Memo::new(move |_| !watch.frame.read().rests());
    view! {
        {move || goes_on.get().then(|| view! { <noscript inner_html=REFRESH></noscript> })}
        <nav aria-label="Way back">
            <a href="/runs" rel="external">"All runs"</a>
        </nav>
        <header class="run-header">
            <h1>{heading}</h1>
            <p class="muted">{format!("Run {}, asked for by {}", run.id, run.by)}</p>
        </header>
        <Broken watch />
        <Progress watch />
        <Controls watch />
        <Failures watch />
        <Timeline watch />
        <Datasets watch />
        <Hands watch />
        <Plan watch />
        <Log watch />
    }
}

/// Says when what is shown may be old.
#[component]
fn Broken(watch: Watch) -> impl IntoView {
    let id = watch.frame.get_untracked().run.id;
    move || {
        let (sentence, advice) = match watch.link.get() {
            it if it.is_fresh() => return None,
            Link::Trouble(why) => (why, "What is shown is from before; it is looked again."),
            Link::Unreachable => (
                "The server does not answer".to_owned(),
                "What is shown is from before; it is asked again. A run does not need this page to go on.",
            ),
            Link::SignedOut => ("You are signed out".to_owned(), "What is shown is from before."),
            Link::Outdated => {
                ("The server was updated".to_owned(), "This page is of the one before.")
            }
            _ => (
                "The server tells no news by itself".to_owned(),
                "The page asks again each five seconds; what is shown may be that old.",
            ),
        };
        let way = match watch.link.get() {
            Link::SignedOut => Some((format!("/sign-in?next=/runs/{id}"), "Sign in again")),
            Link::Outdated => Some((format!("/runs/{id}"), "Load the page again")),
            _ => None,
        };
        let way = way.map(|(to, words)| view! { " " <a href=to rel="external">{words}</a> });
        Some(view! { <Notice sentence=sentence>{advice} {way}</Notice> })
    }
}
