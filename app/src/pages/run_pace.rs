//! `/runs/{id}/pace`: how fast a run goes and when it holds, to be changed while it does.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{Pace, PaceFigure, RunPage, words};

use super::NotFound;
use crate::api::{ApiError, PaceRun, form, shown_run};
use crate::components::Notice;

/// The pace of the run that the address names.
#[component]
pub fn RunPacePage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let refused = form::refusal::<PaceRun>();
    view! {
        <Title text="Pace of a run" />
        {refused
            .map(|error| {
                view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
            })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    match shown_run(id, None).await {
                        Ok(page) => view! { <Shown page /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <h1>"Pace of a run"</h1>
                                <Notice sentence=error.to_string()>"Nothing was changed."</Notice>
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
fn Shown(page: RunPage) -> impl IntoView {
    let RunPage { frame, barred, .. } = page;
    let run = frame.run;
    let told = format!("Run {}: {} to v{}", run.id, run.asked, run.destination);
    let form = match barred {
        Some(why) => view! { <p class="muted">{why}</p> }.into_any(),
        None => view! { <Form id=run.id.clone() pace=run.pace /> }.into_any(),
    };
    view! {
        <nav aria-label="Way back">
            <a href=format!("/runs/{}", run.id)>"Back to the run"</a>
        </nav>
        <header class="run-header">
            <h1>"Pace of a run"</h1>
            <p class="muted">{told}</p>
        </header>
        <section class="card" id="pace" aria-labelledby="pace-now">
            <h2 id="pace-now">"How fast it goes, and when it holds"</h2>
            {form}
        </section>
        <section class="card padded" aria-labelledby="shell">
            <h2 id="shell">"From a shell"</h2>
            <p>
                <code>{command(&run.id, run.pace)}</code>
            </p>
        </section>
    }
}

/// All of its figures, with what they are now.
#[component]
fn Form(id: String, pace: Pace) -> impl IntoView {
    let figures = Pace::figures().map(|figure| view! { <Figure figure pace /> });
    view! {
        <form class="form" method="post" action={form::address::<PaceRun>()}>
            <p>
                "A change counts from the next batch on, also while the run goes. A run that holds says so on its page, and why, \
                 and goes on by itself."
            </p>
            <input type="hidden" name="id" value=id />
            <div class="pace">{figures.collect_view()}</div>
            <button class="button button-main">"Change the pace"</button>
        </form>
    }
}

#[component]
fn Figure(figure: PaceFigure, mut pace: Pace) -> impl IntoView {
    let PaceFigure { name, what, why, value, range } = figure;
    let mut label = what.to_owned();
    if let Some(letter) = label.get_mut(..1) {
        letter.make_ascii_uppercase();
    }
    let (least, most) = (*range.start(), *range.end());
    let hint = format!("{name}-hint");
    let told = format!("{why}. {}", within(least, most, *value(&mut Pace::default())));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=format!("pace[{name}]")
                type="number"
                value=value(&mut pace).to_string()
                min=least
                max=most
                required
                autocomplete="off"
                aria-describedby=hint.clone()
            />
            <small class="field-hint" id=hint>{told}</small>
        </div>
    }
}

/// `0 (no limit) to 1,000,000, usually 1,000.`
fn within(least: u32, most: u32, usual: u32) -> String {
    let count = |it: u32| words::count(u64::from(it));
    let none = if least == 0 { " (no limit)" } else { "" };
    format!("{least}{none} to {}, usually {}.", count(most), count(usual))
}

/// What sets the same pace where there is no browser.
fn command(id: &str, pace: Pace) -> String {
    let Pace { side_by_side, batch_ms, lag_s, flow_per_s, oplog_min, disk_mib } = pace;
    format!(
        "fiftyone-migrate runs pace {id} --side-by-side {side_by_side} --batch {batch_ms} --lag {lag_s} --flow {flow_per_s} \
         --oplog {oplog_min} --disk {disk_mib}"
    )
}
