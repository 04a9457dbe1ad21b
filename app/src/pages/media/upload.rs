//! `/media/{id}`: how far an upload is, what failed, and what comes next.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{FileCount, RewriteReport, Share, UploadReport, UploadSummary, words};

use super::state_of;
use crate::api::{
    ApiError, LimitUpload, ResumeUpload, RewritePaths, StopUpload, UndoRewrite, form, shown_upload,
};
use crate::components::{Field, Notice, ProgressBar};
use crate::pages::NotFound;

/// One upload.
#[component]
pub fn UploadPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let (watched, with_paths) = use_query_map()
        .with_untracked(|it| (it.get_str("watch").is_some(), it.get_str("paths").is_some()));
    let refusals = [
        form::refusal::<ResumeUpload>(),
        form::refusal::<StopUpload>(),
        form::refusal::<LimitUpload>(),
        form::refusal::<RewritePaths>(),
        form::refusal::<UndoRewrite>(),
    ];
    let refused = refusals.into_iter().flatten().next();
    view! {
        <Title text="Upload of media" />
        <nav aria-label="Way back">
            <a href="/media">"Back to media"</a>
        </nav>
        {refused
            .map(|error| {
                view! { <Notice sentence=format!("It was not done: {error}.")>"What is known is below."</Notice> }
            })}
        <Suspense fallback=|| {
            view! { <p aria-busy="true">"Loading"</p> }
        }>
            {move || {
                let id = id.clone();
                Suspend::new(async move {
                    match shown_upload(id, with_paths).await {
                        Ok(page) => view! { <Shown page watched /> }.into_any(),
                        Err(ApiError::Unknown { .. }) => view! { <NotFound /> }.into_any(),
                        Err(error) => {
                            view! {
                                <h1>"Upload of media"</h1>
                                <Notice sentence=error.to_string()>"Load the page again."</Notice>
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
fn Shown(page: model::UploadPage, watched: bool) -> impl IntoView {
    let model::UploadPage { upload, report, rewrite, rewrite_refused, rewritings, at } = page;
    if watched && upload.is_running {
        crate::pages::reload_soon();
    }
    let (id, running) = (upload.id.clone(), upload.is_running);
    let ended = upload.ended.clone().filter(|_| !running);
    view! {
        <header class="page-header">
            <h1>{format!("Media of {}", upload.name)}</h1>
            <p>{format!("To {}. {}, begun {} by {}.", upload.destination, state_of(&upload), words::moment(&upload.begun), upload.by)}</p>
        </header>
        {ended.map(|why| view! { <Notice sentence=format!("It has ended early: {why}.")>"Mend the cause, then go on."</Notice> })}
        <Progress upload=upload.clone() report=report.clone() at watched />
        <Failures report=report.clone() id=id.clone() running />
        {rewrite_refused
            .map(|why| view! { <Notice sentence=format!("It cannot be said which paths would lead elsewhere: {why}.")>"Nothing was changed."</Notice> })}
        {(!running).then(|| view! { <Paths rewrite rewritings id=id.clone() /> })}
        <Rest upload report />
    }
}

#[component]
fn Progress(
    upload: UploadSummary,
    report: UploadReport,
    at: String,
    watched: bool,
) -> impl IntoView {
    let (done, of) = (report.arrived() + report.failed.files, report.files());
    let percent = u8::try_from((done * 100).checked_div(of).unwrap_or(0).min(100)).unwrap_or(100);
    let share = Share { percent, about: false };
    let states = [
        ("Verified", report.verified),
        ("Removed here since", report.cleaned),
        ("Uploaded, not verified", report.uploaded),
        ("Not uploaded yet", report.planned),
        ("Failed", report.failed),
    ];
    let rows = states.into_iter().filter(|(_, it)| it.files > 0).map(|(name, it)| {
        view! { <div class="fact"><dt>{name}</dt><dd>{count(it)}</dd></div> }
    });
    let there = (report.were_there > 0).then(|| {
        view! { <p class="muted">{format!("{} there before, proven by content.", words::either(report.were_there, "file was", "files were"))}</p> }
    });
    let unlooked = (report.unlooked.files > 0).then(|| {
        let count = words::either(report.unlooked.files, "file could not", "files could not");
        let why = report.unlooked_examples.join("; ");
        let sentence = format!(
            "{count} be looked at, so that it is not known whether it is still there: {why}."
        );
        view! { <Notice sentence>"Verify again once the destination can be reached."</Notice> }
    });
    let left = upload.is_running.then(|| remaining(&upload, &report, &at)).flatten();
    let address = format!("/media/{}", upload.id);
    let watch = if watched {
        view! { <a href=address.clone()>"Stop watching"</a> }
    } else {
        view! { <a href=format!("{address}?watch=1")>"Watch: load the page every 3 seconds"</a> }
    };
    view! {
        <section class="card padded" aria-labelledby="progress">
            <h2 id="progress">"Progress"</h2>
            <ProgressBar label="Files" share=Signal::stored(share) />
            <dl class="facts">{rows.collect_view()}</dl>
            {there}
            {unlooked}
            {left.map(|it| view! { <p>{it}</p> })}
            {upload.is_running.then_some(watch)}
            <Controls upload report />
        </section>
    }
}

/// How long it takes at the pace it had until now.
fn remaining(upload: &UploadSummary, report: &UploadReport, at: &str) -> Option<String> {
    let since = words::between_ms(&upload.begun, at)?;
    let done = report.arrived().checked_sub(report.were_there).filter(|it| *it > 0)?;
    let left = since.checked_mul(report.planned.files)?.checked_div(done)?;
    Some(format!("About {} left.", words::duration(left)))
}

#[component]
fn Controls(upload: UploadSummary, report: UploadReport) -> impl IntoView {
    let UploadSummary { id, is_running, limits: (side_by_side, rate), .. } = upload;
    if is_running {
        return view! {
            <form method="post" action={form::address::<StopUpload>()}>
                <input type="hidden" name="id" value=id.clone() />
                <div class="actions">
                    <button class="button">"Stop"</button>
                    <span class="muted">"What has arrived stays, and it can be gone on with."</span>
                </div>
            </form>
            <form class="form" method="post" action={form::address::<LimitUpload>()}>
                <input type="hidden" name="id" value=id />
                <Field label="Requests side by side" name="side_by_side" value=side_by_side.to_string() />
                <Field label="MiB a second" name="mib" value=(rate >> 20).to_string() hint="0 for as many as there are." />
                <div class="actions">
                    <button class="button">"Change the limits"</button>
                </div>
            </form>
        }
        .into_any();
    }
    let open =
        report.planned.files + report.failed.files + report.uploaded.files + report.unlooked.files;
    let again = (open > 0).then(|| {
        view! {
            <form method="post" action={form::address::<ResumeUpload>()}>
                <input type="hidden" name="id" value=id.clone() />
                <button class="button button-main">"Go on"</button>
            </form>
        }
    });
    view! {
        <div class="actions">
            {again} <form method="post" action={form::address::<ResumeUpload>()}>
                <input type="hidden" name="id" value=id.clone() />
                <input type="hidden" name="verify" value="yes" />
                <button class="button">"Verify again"</button>
            </form> <a href=format!("/api/media/{id}/manifest.csv") download>"Download the manifest"</a>
        </div>
    }
    .into_any()
}

#[component]
fn Failures(report: UploadReport, id: String, running: bool) -> impl IntoView {
    let causes = report.causes.into_iter().map(|it| {
        let examples = it.examples.into_iter().map(|it| view! { <li>{it}</li> });
        let again = (!running).then(|| {
            view! {
                <form method="post" action={form::address::<ResumeUpload>()}>
                    <input type="hidden" name="id" value=id.clone() />
                    <input type="hidden" name="only" value=it.cause.clone() />
                    <button class="button">"Try these again"</button>
                </form>
            }
        });
        view! {
            <h3>{format!("{}: {}", it.cause, words::counted(it.files, "file"))}</h3>
            <ul class="plain-list">{examples.collect_view()}</ul>
            {again}
        }
    });
    let causes = causes.collect::<Vec<_>>();
    (!causes.is_empty()).then(|| {
        view! {
            <section class="card padded" aria-labelledby="failures">
                <h2 id="failures">"What failed"</h2>
                {causes}
            </section>
        }
    })
}

#[component]
fn Paths(
    rewrite: Option<RewriteReport>,
    rewritings: Vec<(String, String)>,
    id: String,
) -> impl IntoView {
    let count = rewrite.as_ref().map(RewriteReport::rewritten);
    let ask = format!("/media/{id}?paths=1#paths");
    let fields =
        rewrite.into_iter().flat_map(|it| it.fields).filter(|it| it.rewritten > 0).map(|it| {
            let examples = it.examples.into_iter().map(|(from, to)| {
                view! { <li><code>{from}</code>" → "<code>{to}</code></li> }
            });
            view! {
                <h3>{format!("{}: {}", it.field, words::counted(it.rewritten, "path"))}</h3>
                <ul class="plain-list paths">{examples.collect_view()}</ul>
            }
        });
    let (for_undo, address) = (id.clone(), format!("/media/{id}/clean-up"));
    let done = rewritings.into_iter().map(|(rewrite, what)| {
        view! {
            <li>
                <span>{what}</span>
                <form method="post" action={form::address::<UndoRewrite>()}>
                    <input type="hidden" name="id" value=for_undo.clone() />
                    <input type="hidden" name="rewrite" value=rewrite.clone() />
                    <button class="button" aria-label=format!("Bring back the paths of {rewrite}")>"Bring back"</button>
                </form>
            </li>
        }
    });
    let done = done.collect::<Vec<_>>();
    view! {
        <section class="card padded" aria-labelledby="paths">
            <h2 id="paths">"Paths of the dataset"</h2>
            {match count {
                None => {
                    view! {
                        <p>
                            <a href=ask>"Show which paths would lead to what was verified"</a>
                        </p>
                    }
                        .into_any()
                }
                Some(0) => {
                    view! { <p>"None is to be rewritten: all that was verified is led to, or nothing was."</p> }
                        .into_any()
                }
                Some(count) => {
                    view! {
                        <p>{format!("{} would lead to files that were verified.", words::counted(count, "path"))}</p>
                        {fields.collect_view()}
                        <form method="post" action={form::address::<RewritePaths>()}>
                            <input type="hidden" name="id" value=id />
                            <div class="actions">
                                <button class="button button-main">"Rewrite the paths"</button>
                                <span class="muted">"What each was is kept, and can be brought back."</span>
                            </div>
                        </form>
                    }
                        .into_any()
                }
            }}
            {(!done.is_empty()).then(|| view! { <h3>"Rewritten before"</h3> <ul class="plain-list rewritings">{done}</ul> })}
            <p>
                <a href=address>"Remove the files here that nobody needs any more"</a>
            </p>
        </section>
    }
}

#[component]
fn Rest(upload: UploadSummary, report: UploadReport) -> impl IntoView {
    let slow = report.slowest.into_iter().map(|it| {
        view! { <li><code>{it.source}</code>{format!(" {}, {}", words::bytes(it.bytes), words::duration(it.ms))}</li> }
    });
    let slow = slow.collect::<Vec<_>>();
    view! {
        {(!slow.is_empty())
            .then(|| {
                view! {
                    <section class="card padded" aria-labelledby="slowest">
                        <h2 id="slowest">"Slowest files"</h2>
                        <ul class="plain-list paths">{slow}</ul>
                    </section>
                }
            })}
        <p>
            <a href=format!("/datasets/{}", upload.dataset)>"The dataset"</a>
        </p>
    }
}

fn count(it: FileCount) -> String {
    format!("{} ({})", words::counted(it.files, "file"), words::bytes(it.bytes))
}
