//! `doctor`: what was damaged in the past, and mending it.

use std::process::ExitCode;

use engine::{Control, Diagnosis, Engine, Finding, Outcome, Remedy};
use model::Action;

use super::{
    DoctorArgs, Output,
    console::permit,
    migrate,
    output::{FAILED, INCOMPLETE},
};
use crate::settings::Settings;

/// Looks, and with `--repair` mends what can be mended.
pub async fn doctor(
    engine: &Engine,
    settings: &Settings,
    args: &DoctorArgs,
    output: Output,
) -> ExitCode {
    if args.repair && settings.migrations_disabled {
        return output.error(migrate::DISABLED);
    }
    let diagnosis =
        if args.repair { repair(engine, output).await } else { engine.diagnose().await };
    match diagnosis {
        Ok(diagnosis) => told(&diagnosis, args, settings, output),
        Err(error) => output.error(&error.to_string()),
    }
}

async fn repair(engine: &Engine, output: Output) -> engine::Result<Diagnosis> {
    let permit = permit(Action::Repair)?;
    let (control, meter, _events) = Control::new();
    let interrupted = tokio::spawn(migrate::stop_on_signal(meter, output));
    let repaired = engine.repair(&permit, control).await;
    interrupted.abort();
    repaired
}

fn told(diagnosis: &Diagnosis, args: &DoctorArgs, settings: &Settings, output: Output) -> ExitCode {
    output.document(diagnosis);
    diagnosis.findings.iter().for_each(|it| tell(it, output));
    let left: Vec<&Finding> = diagnosis.findings.iter().filter(|it| !it.is_mended()).collect();
    let mended = diagnosis.findings.len() - left.len();
    if diagnosis.findings.is_empty() {
        output.line("No damage found");
    } else {
        output.line("");
        output.line(&summary(diagnosis.findings.len(), mended, args.repair));
    }
    if let Some(note) = &diagnosis.note {
        output.warning(note);
    }
    if !args.repair && left.iter().any(|it| it.is_mendable()) {
        let permission = if settings.admin { "" } else { ", with `FIFTYONE_DATABASE_ADMIN=true`" };
        output.line(&format!(
            "To mend what can be mended: `fiftyone-migrate doctor --repair`{permission}"
        ));
    }
    if diagnosis.stopped {
        output.warning("Stopped before the end; run the same command again to go on");
        return ExitCode::from(FAILED);
    }
    if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) }
}

fn tell(finding: &Finding, output: Output) {
    let whose = finding.label().unwrap_or_else(|| "database".to_owned());
    output.line(&format!("{whose}: {} ({})", finding.problem, finding.kind));
    let evidence = &finding.evidence;
    let counts = evidence.counts.iter().map(|(what, many)| format!("{what}: {many}"));
    let mut seen: Vec<String> = counts.collect();
    if !evidence.examples.is_empty() {
        seen.push(format!("for example {}", evidence.examples.join(", ")));
    }
    if !seen.is_empty() {
        output.line(&format!("  seen by: {}", seen.join("; ")));
    }
    output.line(&match (&finding.outcome, &finding.repair) {
        (Some(Outcome::Mended(what)), _) => format!("  mended: {what}"),
        (Some(Outcome::Left(why)), _) => format!("  not mended: {why}"),
        (None, Remedy::Doctor(what)) => format!("  repair: {what}"),
        (None, Remedy::Person(what)) => format!("  for you to decide: {what}"),
    });
}

fn summary(found: usize, mended: usize, repaired: bool) -> String {
    let findings = if found == 1 { "1 finding".to_owned() } else { format!("{found} findings") };
    if repaired {
        format!("{findings}, {mended} mended, {} left", found - mended)
    } else {
        format!("{findings}; nothing was written")
    }
}
