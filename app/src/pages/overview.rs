//! `/`: which version everything is at, and what there is to do.

use leptos::prelude::*;
use leptos_meta::Title;
use model::Glance;

use super::run::REFRESH;
use super::runs::RunTable;
use crate::api::{ApiError, DeploymentStatus, deployment_status};
use crate::components::{Facts, Notice, RefreshForm, VerdictBanner, VersionChart};
use crate::live;

/// How often the figures are read again by themselves while something goes on, in milliseconds. While nothing does, nobody
/// asks: a page that is left open shall not keep its session alive.
const ACTIVE_MS: u64 = 5_000;

/// The deployment at a glance.
#[component]
pub fn Overview() -> impl IntoView {
    let first = Resource::new(|| (), |()| deployment_status());
    let refresh = ServerAction::<DeploymentStatus>::new();
    let by_hand = RwSignal::new(false);
    view! {
        <Title text="Overview" />
        <header class="page-header">
            <h1>"Overview"</h1>
            <RefreshForm refresh by_hand />
        </header>
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move { view! { <Latest first=first.await refresh by_hand /> } })}
        </Suspense>
    }
}

/// The newest figures there are. When reading again fails, the ones from before stay, and say so.
#[component]
fn Latest(
    first: Result<Glance, ApiError>,
    refresh: ServerAction<DeploymentStatus>,
    by_hand: RwSignal<bool>,
) -> impl IntoView {
    let (first, failed) = match first {
        Ok(glance) => (Some(glance), None),
        Err(error) => (None, Some(error)),
    };
    let shown = Memo::new(move |before: Option<&Option<Glance>>| match refresh.value().get() {
        Some(Ok(glance)) => Some(glance),
        Some(Err(_)) | None => before.map_or_else(|| first.clone(), Clone::clone),
    });
    let failure = move || match refresh.value().get() {
        Some(latest) => latest.err(),
        None => failed.clone(),
    };
    let goes_on = Memo::new(move |_| shown.read().as_ref().is_some_and(|it| it.goes_on));
    let asked = StoredValue::new(0);
    live::each_half_second(move |ms, is_seen| {
        let is_due = ms.saturating_sub(asked.get_value()) >= ACTIVE_MS;
        if is_seen && is_due && goes_on.get_untracked() && !refresh.pending().get_untracked() {
            asked.set_value(ms);
            by_hand.set(false);
            refresh.dispatch(DeploymentStatus {});
        }
    });
    view! {
        {move || goes_on.get().then(|| view! { <noscript inner_html=REFRESH></noscript> })}
        {move || {
            failure()
                .map(|error| {
                    let advice = if shown.read().is_some() {
                        "The figures below are from before. Mend the cause, then refresh."
                    } else {
                        "Mend the cause, then refresh."
                    };
                    view! { <Notice sentence=error.to_string()>{advice}</Notice> }
                })
        }}
        {move || shown.get().map(|glance| view! { <Figures glance /> })}
    }
}

#[component]
fn Figures(glance: Glance) -> impl IntoView {
    let Glance { headline, ladder, datasets, runs, deployment, browses, .. } = glance;
    let runs = (!runs.is_empty()).then(|| {
        view! {
            <section class="overview-runs" aria-labelledby="runs">
                <h2 id="runs">"Last runs"</h2>
                <RunTable runs />
            </section>
        }
    });
    view! {
        <VerdictBanner headline />
        <div class="overview">
            <section class="card" aria-labelledby="versions">
                <h2 id="versions">"Versions"</h2>
                <Facts facts=ladder class="facts ladder" />
            </section>
            <section class="card" aria-labelledby="datasets">
                <h2 id="datasets">"Datasets by version"</h2>
                <VersionChart counts=datasets leads=browses />
            </section>
            {runs}
            <section class="card overview-whole" aria-labelledby="deployment">
                <h2 id="deployment">"Deployment"</h2>
                <Facts facts=deployment class="facts deployment" />
            </section>
        </div>
    }
}
