//! `/account`: one's own sessions and password.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{SessionSummary, Theme};

use crate::api::{ChangePassword, ChooseTheme, EndSession, form, own_sessions, theme};
use crate::components::{Cell, Field, Head, Notice, Row, Table, When};

/// Where one is signed in, and a form for another password.
#[component]
pub fn AccountPage() -> impl IntoView {
    let found = Resource::new(|| (), |()| own_sessions());
    let changed = use_query_map().with_untracked(|it| it.get("changed").is_some());
    let refused = form::refusal::<ChangePassword>().or_else(form::refusal::<EndSession>);
    view! {
        <Title text="Your account" />
        <header class="page-header">
            <h1>"Your account"</h1>
        </header>
        {refused.map(|error| {
            view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
        })}
        {changed.then(|| view! {
            <p class="notice notice-good" role="status">
                "Your password was changed, and all your other sessions have ended."
            </p>
        })}
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">"Where you are signed in"</h2>
            <Suspense fallback=|| {
                view! { <p aria-busy="true">"Loading"</p> }
            }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(sessions) => view! { <Sessions sessions /> }.into_any(),
                        Err(error) => {
                            view! { <Notice sentence=error.to_string()>"Nothing is shown."</Notice> }
                                .into_any()
                        }
                    }
                })}
            </Suspense>
        </section>
        <section class="card" aria-labelledby="theme">
            <h2 id="theme">"How pages look in this browser"</h2>
            <form class="form" method="post" action={form::address::<ChooseTheme>()}>
                <fieldset class="choices">
                    <legend class="unseen">"Light or dark"</legend>
                    {Theme::ALL
                        .map(|it| {
                            view! {
                                <label class="choice">
                                    <input type="radio" name="theme" value=it.word() checked={it == theme()} />
                                    {it.label()}
                                </label>
                            }
                        })
                        .collect_view()}
                </fieldset>
                <button class="button">"Use this"</button>
            </form>
        </section>
        <section class="card" aria-labelledby="password">
            <h2 id="password">"Change your password"</h2>
            <form class="form" method="post" action={form::address::<ChangePassword>()}>
                <Field label="The password you have" name="old" kind="password"
                    autocomplete="current-password" />
                <Field label="The new password" name="new" kind="password"
                    autocomplete="new-password" hint="At least 12 characters." />
                <Field label="The new password again" name="again" kind="password"
                    autocomplete="new-password" />
                <div class="actions">
                    <button class="button button-main">"Change"</button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Sessions(sessions: Vec<SessionSummary>) -> impl IntoView {
    let [_, browser, since, last_used, action] = COLUMNS;
    let rows = sessions.into_iter().enumerate().map(move |(index, it)| {
        view! {
            <Row>
                <Head>
                    {it.address} {(index == 0).then(|| view! { " " <span class="badge">"this one"</span> })}
                </Head>
                <Cell of=browser>{it.agent}</Cell>
                <Cell of=since><When time=it.created /></Cell>
                <Cell of=last_used><When time=it.last_used /></Cell>
                <Cell of=action>
                    <form method="post" action={form::address::<EndSession>()}>
                        <input type="hidden" name="id" value=it.id />
                        <button class="button">"End"</button>
                    </form>
                </Cell>
            </Row>
        }
    });
    view! {
        <Table caption="Where you are signed in" columns=&COLUMNS>
            {rows.collect_view()}
        </Table>
    }
}

const COLUMNS: [&str; 5] = ["Address", "Browser", "Since", "Last used", "What you can do"];
