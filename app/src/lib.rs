//! The admin app: what the browser shows, and the server functions it calls.
//!
//! Most pages are forms and tables, with which browsers can do all there is to do: they are made by the server alone, and
//! the browser gets no script for them. The few where something moves are **live**: scripts take them over.

// Views are types, and a page is a deep one.
#![recursion_limit = "256"]

pub mod api;
mod components;
mod live;
mod pages;

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{MatchNestedRoutes, SsrMode, path};

use components::{Masthead, Who};
use pages::{Datasets, NotFound, Overview, Run, Runs, SdkPage};

/// The document around [`App`]. Rendered by the server only.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let stylesheet = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let scripts =
        is_live(&api::path()).then(|| view! { <HydrationScripts options=options.clone() /> });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=api::theme().word()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=stylesheet />
                <AutoReload options />
                {scripts}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The whole of a page. All of them render completely on the server, so that they work without scripts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let who: Who = Resource::new(|| (), |()| api::who_is_asking());
    provide_context(who);
    view! {
        <Title formatter=|page: String| format!("{page} · FiftyOne Migrate") />
        <Router>
            <Masthead who />
            <main id="content" tabindex="-1">
                <Pages />
            </main>
        </Router>
    }
}

/// The page that was asked for. What the browser runs knows the live ones only.
#[cfg(not(feature = "ssr"))]
#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=NotFound>
            <LivePages />
        </Routes>
    }
}

/// The page that was asked for.
#[cfg(feature = "ssr")]
#[component]
fn Pages() -> impl IntoView {
    view! {
        <Routes fallback=NotFound>
            <LivePages />
            <PlainPages />
        </Routes>
    }
}

/// The pages that scripts take over; [`is_live`] says the same.
#[component(transparent)]
fn LivePages() -> impl MatchNestedRoutes + Clone {
    view! {
        <Route path=path!("/") view=Overview ssr=SsrMode::Async />
        <Route path=path!("/datasets") view=Datasets ssr=SsrMode::Async />
        <Route path=path!("/runs") view=Runs ssr=SsrMode::Async />
        <Route path=path!("/runs/:id") view=Run ssr=SsrMode::Async />
        <Route path=path!("/sdk") view=SdkPage ssr=SsrMode::Async />
    }
    .into_inner()
}

/// Whether scripts take this page over.
fn is_live(path: &str) -> bool {
    let run = path.strip_prefix("/runs/");
    ["/", "/datasets", "/runs", "/sdk"].contains(&path)
        || run.is_some_and(|it| !it.is_empty() && !it.contains('/'))
}

/// The pages that the server makes alone. A link to one of them is `rel="external"`: the browser loads it.
#[cfg(feature = "ssr")]
#[component(transparent)]
fn PlainPages() -> impl MatchNestedRoutes + Clone {
    use pages::{
        AccountPage, CleanUpPage, ClientsPage, Dataset, ExportTask, ExportsPage, Help, ImportPage,
        ImportTask, InvitationPage, MediaPage, Migrate, NewUpload, RenamePage, RightsOfGroup,
        RightsOfMembers, RightsOfPerson, RightsToDataset, RunLogPage, RunPacePage, Settings,
        SignInPage, UploadPage, UsersPage, VersionPage, Versions,
    };

    view! {
        <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async />
        <Route path=path!("/clients") view=ClientsPage ssr=SsrMode::Async />
        <Route path=path!("/datasets/:id") view=Dataset ssr=SsrMode::Async />
        <Route path=path!("/datasets/:id/rename") view=RenamePage ssr=SsrMode::Async />
        <Route path=path!("/datasets/:id/rights") view=RightsToDataset ssr=SsrMode::Async />
        <Route path=path!("/exports") view=ExportsPage ssr=SsrMode::Async />
        <Route path=path!("/exports/:id") view=ExportTask ssr=SsrMode::Async />
        <Route path=path!("/groups/:name") view=RightsOfGroup ssr=SsrMode::Async />
        <Route path=path!("/help") view=Help ssr=SsrMode::Async />
        <Route path=path!("/import") view=ImportPage ssr=SsrMode::Async />
        <Route path=path!("/import/:id") view=ImportTask ssr=SsrMode::Async />
        <Route path=path!("/invitation/:token") view=InvitationPage ssr=SsrMode::Async />
        <Route path=path!("/media") view=MediaPage ssr=SsrMode::Async />
        <Route path=path!("/media/new") view=NewUpload ssr=SsrMode::Async />
        <Route path=path!("/media/:id") view=UploadPage ssr=SsrMode::Async />
        <Route path=path!("/media/:id/clean-up") view=CleanUpPage ssr=SsrMode::Async />
        <Route path=path!("/members") view=RightsOfMembers ssr=SsrMode::Async />
        <Route path=path!("/migrate") view=Migrate ssr=SsrMode::Async />
        <Route path=path!("/runs/:id/log") view=RunLogPage ssr=SsrMode::Async />
        <Route path=path!("/runs/:id/pace") view=RunPacePage ssr=SsrMode::Async />
        <Route path=path!("/settings") view=Settings ssr=SsrMode::Async />
        <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
        <Route path=path!("/users") view=UsersPage ssr=SsrMode::Async />
        <Route path=path!("/users/:name") view=RightsOfPerson ssr=SsrMode::Async />
        <Route path=path!("/versions") view=Versions ssr=SsrMode::Async />
        <Route path=path!("/versions/:name") view=VersionPage ssr=SsrMode::Async />
    }
    .into_inner()
}
