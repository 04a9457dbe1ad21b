//! `rename-field`: another name for a field that keeps its dataset from crossing 1.0.0.

use std::process::ExitCode;

use engine::{Control, Engine};
use model::{Action, RenamePlan};
use serde_json::json;

use super::{Output, RenameArgs, console::permit, migrate};

/// Says what would be changed, and without `--dry-run` changes it.
pub async fn rename(engine: &Engine, args: &RenameArgs, output: Output) -> ExitCode {
    match carried_out(engine, args, output).await {
        Ok((RenamePlan { refusal: Some(why), .. }, None)) => output.error(&why),
        Ok((plan, None)) => {
            plan.changes.iter().for_each(|it| output.line(it));
            output.document(&json!({ "dry_run": true, "plan": plan }));
            ExitCode::SUCCESS
        }
        Ok((plan, Some(done))) => {
            output.line(&format!("{}: {done}", plan.label));
            output.document(&json!({ "dry_run": false, "plan": plan, "done": done }));
            ExitCode::SUCCESS
        }
        Err(error) => output.error(&error.to_string()),
    }
}

async fn carried_out(
    engine: &Engine,
    args: &RenameArgs,
    output: Output,
) -> engine::Result<(RenamePlan, Option<String>)> {
    let RenameArgs { dataset, old, new, dry_run } = args;
    let permit = permit(Action::Repair)?;
    let id = engine.dataset_id(dataset).await?;
    let plan = engine.rename_plan(&permit, &id, old, new).await?;
    if *dry_run {
        return Ok((plan, None));
    }
    let (control, meter, _events) = Control::new();
    let interrupted = tokio::spawn(migrate::stop_on_signal(meter, output));
    let done = engine.rename_field(&permit, &id, (old, new), control).await;
    interrupted.abort();
    Ok((plan, Some(done?)))
}
