//! `import`: a dataset out of an export.

use std::{process::ExitCode, time::Duration};

use engine::{Control, Engine, ImportProgress, ImportRequest};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Action, ImportReport, words};
use serde_json::json;

use super::{Beside, ImportArgs, Output, console::permit, migrate};

/// Says what would be imported, and without `--dry-run` imports it.
pub async fn import(engine: &Engine, args: &ImportArgs, output: Output) -> ExitCode {
    match carried_out(engine, args, output).await {
        Ok(report) => {
            tell(&report, args.dry_run, output);
            output.document(&json!({ "dry_run": args.dry_run, "report": report }));
            match report.blockers.first() {
                Some(_) => ExitCode::from(super::output::FAILED),
                None => ExitCode::SUCCESS,
            }
        }
        Err(error) => output.error(&error.to_string()),
    }
}

async fn carried_out(
    engine: &Engine,
    args: &ImportArgs,
    output: Output,
) -> engine::Result<ImportReport> {
    let permit = permit(Action::ImportDataset)?;
    let request = ImportRequest {
        folder: args.folder.clone(),
        unpack_to: args.unpack_to.clone(),
        name: args.name.clone(),
        persistent: !args.not_persistent,
        tags: args.tags.clone(),
        rel_dir: args.rel_dir.clone(),
        along: Beside::along(&args.without),
    };
    let progress = ImportProgress::default();
    let shown = output.is_watched().then(|| tokio::spawn(show(progress.clone())));
    let done = if args.dry_run {
        engine.check_import(&permit, &request, &progress).await
    } else {
        let (control, meter, _events) = Control::new();
        let interrupted = tokio::spawn(migrate::stop_on_signal(meter, output));
        let done = engine.import(&permit, &request, control, &progress).await;
        interrupted.abort();
        done
    };
    if let Some(it) = shown {
        it.abort();
    }
    done
}

async fn show(progress: ImportProgress) {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    loop {
        bar.set_message(match progress.copied() {
            0 => format!("{} looked at", words::counted(progress.checked(), "sample")),
            copied => format!("{} written", words::counted(copied, "document")),
        });
        bar.tick();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn tell(report: &ImportReport, dry_run: bool, output: Output) {
    let ImportReport { name, head, destination, samples, frames, .. } = report;
    let what = if dry_run { "would become" } else { "is now" };
    if report.blockers.is_empty() {
        output.line(&format!("The export {what} the dataset `{name}`"));
    }
    output.line(&format!(
        "  {}, {}",
        words::counted(*samples, "sample"),
        words::counted(*frames, "frame")
    ));
    let revisions = &report.revisions;
    if revisions.is_empty() {
        output.line(&format!("  version {head}"));
    } else {
        output.line(&format!(
            "  version {head}, taken to {destination} across {}",
            revisions.join(", ")
        ));
    }
    output.line(&format!(
        "  {}, {}, {}",
        words::counted(report.views as u64, "saved view"),
        words::counted(report.workspaces as u64, "workspace"),
        words::counted(report.runs as u64, "run"),
    ));
    if report.temporal_tags > 0 {
        output.line(&format!("  {}", words::counted(report.temporal_tags, "temporal tag")));
    }
    for (kind, count) in &report.media.kinds {
        output.line(&format!("  media {kind}: {count}"));
    }
    let media = &report.media;
    if media.missing > 0 {
        output.warning(&format!(
            "{} not there, for example {}",
            words::either(media.missing, "file of media is", "files of media are"),
            media.missing_examples.join(", ")
        ));
    }
    if media.repeated > 0 {
        output.warning(&format!(
            "{} the path of another sample",
            words::either(media.repeated, "sample has", "samples have")
        ));
    }
    report.warnings.iter().for_each(|it| output.warning(it));
    report.blockers.iter().for_each(|it| output.warning(&format!("error: {it}")));
}
