//! `/media/{id}/clean-up`: which files would be removed here, and removing them.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use model::{CleanReport, words};

use crate::api::{ApiError, CleanUp, clean_up_plan, form};
use crate::components::{Notice, PasswordAgain, Typed};
use crate::pages::NotFound;

/// What would be removed.
#[component]
pub fn CleanUpPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let back = format!("/media/{id}");
    let refused = form::refusal::<CleanUp>();
    view! {
        <Title text="Remove files that were uploaded" />
        <nav aria-label="Way back">
            <a href=back>"Back to the upload"</a>
        </nav>
        <header class="page-header">
            <h1>"Remove files that were uploaded"</h1>
        </header>
        {refused.map(|error| view! { <Notice sentence=format!("Nothing was removed: {error}.")>"What would be is below."</Notice> })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Verifying what is at the destination"</p> }
        }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    match clean_up_plan(id.clone()).await {
                        Ok(report) => view! { <Plan report id /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! { <Notice sentence=error.to_string()>"Nothing was removed."</Notice> }.into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Plan(report: CleanReport, id: String) -> impl IntoView {
    let CleanReport {
        name,
        destination,
        files,
        bytes,
        examples,
        gone,
        changed,
        changed_examples,
        kept,
        kept_examples,
        blockers,
    } = report;
    let can = blockers.is_empty() && files > 0;
    let blocked = blockers.into_iter().map(|it| {
        view! { <Notice sentence=format!("Nothing may be removed: {it}.")>"This is looked at anew each time."</Notice> }
    });
    let mut says = vec![format!(
        "{} of {name}, {}, are verified at {destination}, and would be removed here.",
        words::counted(files, "file"),
        words::bytes(bytes)
    )];
    if gone > 0 {
        says.push(format!("{} gone before.", words::either(gone, "file was", "files were")));
    }
    if changed > 0 {
        let examples = changed_examples.join(", ");
        says.push(format!(
            "{} since the upload, and stay, for example {examples}.",
            words::either(changed, "file was changed", "files were changed")
        ));
    }
    if kept > 0 {
        let count = words::either(kept, "file stays", "files stay");
        says.push(format!("{count}: {}.", kept_examples.join("; ")));
    }
    let says = says.into_iter().map(|it| view! { <p>{it}</p> });
    let examples = examples.into_iter().map(|it| view! { <li><code>{it}</code></li> });
    view! {
        {blocked.collect_view()}
        <section class="card padded" aria-labelledby="files">
            <h2 id="files">"What would be removed"</h2>
            {says.collect_view()}
            <ul class="plain-list paths">{examples.collect_view()}</ul>
            {can
                .then(|| {
                    view! {
                        <form class="form" method="post" action={form::address::<CleanUp>()}>
                            <input type="hidden" name="id" value=id />
                            <Typed name="typed" what=format!("Type {name}, the name of the dataset") />
                            <PasswordAgain />
                            <div class="actions">
                                <button class="button button-danger">{format!("Remove {} for ever", words::counted(files, "file"))}</button>
                            </div>
                        </form>
                    }
                })}
        </section>
    }
}
