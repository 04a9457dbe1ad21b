//! `clean-up`: files that were uploaded and verified are removed here.

use std::process::ExitCode;

use engine::{Engine, TransferProgress};
use model::{Action, CleanReport, words};
use serde_json::json;

use super::{CleanArgs, show::Shown};
use crate::cli::{
    Output,
    console::permit,
    output::{FAILED, INCOMPLETE},
};

/// Removes them, or says which.
pub async fn clean_up(engine: &Engine, args: &CleanArgs, output: Output) -> ExitCode {
    match carried_out(engine, args, output).await {
        Ok(report) => {
            tell(&report, args.dry_run, output);
            output.document(&json!({ "dry_run": args.dry_run, "report": report }));
            match (report.blockers.is_empty(), report.changed + report.kept) {
                (false, _) => ExitCode::from(FAILED),
                (true, 0) => ExitCode::SUCCESS,
                (true, _) => ExitCode::from(INCOMPLETE),
            }
        }
        Err(error) => output.error(&error.to_string()),
    }
}

async fn carried_out(
    engine: &Engine,
    args: &CleanArgs,
    output: Output,
) -> engine::Result<CleanReport> {
    let permit = permit(Action::RemoveMedia)?;
    let id = engine.dataset_id(&args.dataset).await?;
    let progress = TransferProgress::new(16, 0);
    let shown = Shown::begin(&progress, None, output);
    let which = (id.as_str(), args.destination.as_str());
    let done = engine.clean_up_media(&permit, which, args.dry_run, &progress).await;
    shown.end();
    done
}

fn tell(report: &CleanReport, dry_run: bool, output: Output) {
    let what = if dry_run { "would be removed" } else { "removed" };
    output.line(&format!(
        "`{}`: {} ({}) {what}; they are at {}",
        report.name,
        words::counted(report.files, "file"),
        words::bytes(report.bytes),
        report.destination
    ));
    report.examples.iter().for_each(|it| output.line(&format!("  {it}")));
    if report.gone > 0 {
        output.line(&format!(
            "  {} gone before",
            words::either(report.gone, "file was", "files were")
        ));
    }
    if report.changed > 0 {
        output.warning(&format!(
            "  {} changed since, and stay, for example {}",
            words::either(report.changed, "file was", "files were"),
            report.changed_examples.join(", ")
        ));
    }
    if report.kept > 0 {
        output.warning(&format!(
            "  {}: {}",
            words::either(report.kept, "file stays", "files stay"),
            report.kept_examples.join("; ")
        ));
    }
    report.blockers.iter().for_each(|it| output.warning(&format!("error: {it}")));
}
