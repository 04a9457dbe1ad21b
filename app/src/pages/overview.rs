//! `/`: which version everything is at.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{Action, Status};

use crate::api::{ApiError, DeploymentStatus, deployment_status};
use crate::components::{Notice, RefreshForm, VerdictBanner, VersionChart, VersionFacts, Who};

/// The deployment at a glance.
#[component]
pub fn Overview() -> impl IntoView {
    let first = Resource::new(|| (), |()| deployment_status());
    let refresh = ServerAction::<DeploymentStatus>::new();
    let who = expect_context::<Who>();
    let plans = async move || {
        let session = who.await.ok().flatten();
        session.is_some_and(|it| it.principal.may(Action::PreviewMigration))
    };
    view! {
        <Title text="Overview" />
        <header class="page-header">
            <h1>"Overview"</h1>
            <RefreshForm refresh />
        </header>
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || Suspend::new(async move {
                view! { <Latest first=first.await refresh plans=plans().await /> }
            })}
        </Suspense>
    }
}

/// The newest figures there are. When reading again fails, the ones from before stay, and say so.
#[component]
fn Latest(
    first: Result<Status, ApiError>,
    refresh: ServerAction<DeploymentStatus>,
    plans: bool,
) -> impl IntoView {
    let (first, failed) = match first {
        Ok(status) => (Some(status), None),
        Err(error) => (None, Some(error)),
    };
    let shown = Memo::new(move |before: Option<&Option<Status>>| match refresh.value().get() {
        Some(Ok(status)) => Some(status),
        Some(Err(_)) | None => before.map_or_else(|| first.clone(), Clone::clone),
    });
    let failure = move || match refresh.value().get() {
        Some(latest) => latest.err(),
        None => failed.clone(),
    };
    view! {
        {move || {
            failure().map(|error| {
                let advice = if shown.read().is_some() {
                    "The figures below are from before. Mend the cause, then refresh."
                } else {
                    "Mend the cause, then refresh."
                };
                view! { <Notice sentence=error.to_string()>{advice}</Notice> }
            })
        }}
        {move || shown.get().map(|status| view! { <Figures status plans /> })}
    }
}

#[component]
fn Figures(status: Status, plans: bool) -> impl IntoView {
    let Status { verdict, datasets, .. } = status.clone();
    view! {
        <VerdictBanner verdict plans />
        <div class="overview">
            <section class="card" aria-labelledby="versions">
                <h2 id="versions">"Versions"</h2>
                <VersionFacts status />
            </section>
            <section class="card" aria-labelledby="datasets">
                <h2 id="datasets">"Datasets by version"</h2>
                <VersionChart counts=datasets />
            </section>
        </div>
    }
}
