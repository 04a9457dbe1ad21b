//! What stands on top of every page: the way home, the pages that one may see, and who one is.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use model::{Action, Session};

use super::{HelpLink, ReadOnly};
use crate::api::{ApiError, SignOut, form};

/// The pages there are, with what it takes to see them.
const PAGES: &[(&str, &str, Action)] = &[
    ("/", "Overview", Action::ReadStatus),
    ("/datasets", "Datasets", Action::ReadDatasets),
    ("/migrate", "Migrate", Action::PreviewMigration),
    ("/runs", "Runs", Action::ReadRuns),
    ("/import", "Import", Action::ImportDataset),
    ("/media", "Media", Action::MoveMedia),
    ("/clients", "Clients", Action::ReadClients),
    ("/versions", "Versions", Action::ReadVersions),
    ("/sdk", "SDK", Action::ReadVersions),
    ("/users", "Users", Action::ManageUsers),
    ("/settings", "Settings", Action::ReadSettings),
];

/// Who has signed in, as the shell of the page was told.
pub type Who = Resource<Result<Option<Session>, ApiError>>;

/// The head of the page. Without a session only the way home.
#[component]
pub fn Masthead(who: Who) -> impl IntoView {
    view! {
        <a class="skip-link" href="#content">"Skip to content"</a>
        <header class="masthead">
            <div class="masthead-row">
                <a href="/" class="brand" rel="external">
                    <img src="/favicon.svg" alt="" width="24" height="24" />
                    <span>"FiftyOne Migrate"</span>
                </a>
                <Suspense>
                    {move || Suspend::new(async move {
                        who.await.ok().flatten().map(|session| view! { <Known session /> })
                    })}
                </Suspense>
            </div>
        </header>
    }
}

/// What there is for somebody who has signed in.
#[component]
fn Known(session: Session) -> impl IntoView {
    let read_only = session.barrier.clone().map(|why| view! { <ReadOnly why /> });
    view! {
        <Pages session=session.clone() />
        <Person session />
        {read_only}
    }
}

/// Links to the pages that this person may see.
#[component]
fn Pages(session: Session) -> impl IntoView {
    let here = use_location().pathname.get_untracked();
    let links = PAGES.iter().filter(move |(_, _, action)| session.principal.may(*action)).map(
        |(path, name, _)| {
            let current = (here == *path).then_some("page");
            view! { <li><a href=*path rel="external" aria-current=current>{*name}</a></li> }
        },
    );
    view! {
        <nav aria-label="Pages">
            <ul class="pages">{links.collect_view()}</ul>
        </nav>
    }
}

/// Who is signed in, and the way out.
#[component]
fn Person(session: Session) -> impl IntoView {
    let Session { principal, database, .. } = session;
    view! {
        <div class="person">
            <span class="person-name">
                <a href="/account" rel="external">{principal.name}</a> " "
                <span class="muted">{format!("{} of {database}", principal.role)}</span>
            </span>
            <HelpLink />
            // A form of the browser's own: what a page knows of a session must not outlive it.
            <form method="post" action={form::address::<SignOut>()}>
                <button class="button button-quiet">"Sign out"</button>
            </form>
        </div>
    }
}
