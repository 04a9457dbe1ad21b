//! `runs undo` and `runs forget`: bringing back what a run has changed, or giving up that one could.

use std::process::ExitCode;

use engine::{DatabaseReport, Engine, JobState, JournalState, Report, State};
use model::Action;

use super::{
    MigrateArgs, Output,
    console::permit,
    migrate,
    output::{FAILED, INCOMPLETE},
};
use crate::settings::Settings;

/// Undoes a run, watched by a person or not.
pub async fn undo(
    engine: &Engine,
    settings: &Settings,
    id: &str,
    names: &[String],
    output: Output,
) -> ExitCode {
    if settings.migrations_disabled {
        return output.error(migrate::DISABLED);
    }
    // Which dataset is begun with is of no interest here.
    let args = MigrateArgs::default();
    let work = async |control| engine.undo(&permit(Action::UndoRuns)?, id, names, control).await;
    let (result, _) = migrate::watched(work, &args, output).await;
    match result {
        Ok(report) => concluded(&report, output),
        Err(error) => output.error(&error.to_string()),
    }
}

/// Drops the journal of a run.
pub async fn forget(
    engine: &Engine,
    settings: &Settings,
    id: &str,
    output: Output,
) -> engine::Result<ExitCode> {
    if settings.migrations_disabled {
        return Ok(output.error(migrate::DISABLED));
    }
    let run = engine.forget(&permit(Action::UndoRuns)?, id).await?;
    output.line(&match run.journal {
        JournalState::Kept | JournalState::None => format!("Run {id} has no undo journal"),
        JournalState::Dropped => {
            format!("The undo journal of run {id} is dropped; it cannot be undone any more")
        }
        JournalState::Expired => format!("The undo journal of run {id} has expired"),
    });
    output.document(&run);
    Ok(ExitCode::SUCCESS)
}

fn concluded(report: &Report, output: Output) -> ExitCode {
    output.document(report);
    let (undone, left) = (report.count(State::Undone), report.count(State::NotUndone));
    let ahead = report.datasets.len() - undone - left;
    output.line(&format!("{} as before the run", migrate::datasets(undone)));
    if left > 0 {
        output.warning(&format!("{} not undone:", migrate::datasets(left)));
        for it in report.datasets.iter().filter(|it| it.state == State::NotUndone) {
            let reason = it.reason.as_deref().unwrap_or_default();
            output.warning(&format!("  {}: {reason}", it.label()));
        }
    }
    if ahead > 0 {
        output.warning(&format!("{} not undone yet", migrate::datasets(ahead)));
    }
    if let Some(database) = &report.database {
        told(database, output);
    }
    let run = report.run.as_deref().unwrap_or_default();
    if report.run_state == Some(JobState::Undone) {
        output.line(&format!("Run {run} is undone"));
        return ExitCode::SUCCESS;
    }
    let again = format!("`fiftyone-migrate runs undo {run}` goes on");
    output.line(&format!("Run {run} is undone in part; {again}"));
    match (report.stopped, left) {
        (true, _) => ExitCode::from(FAILED),
        (false, 0) if report.database.is_none() => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(INCOMPLETE),
    }
}

fn told(database: &DatabaseReport, output: Output) {
    let version = |it: &Option<String>| {
        it.as_ref().map_or_else(|| "no version".to_owned(), |it| format!("v{it}"))
    };
    match database.state {
        State::Undone => {
            output.line(&format!("The database is at {} again", version(&database.destination)));
        }
        State::NotUndone => output.warning(
            "the database's version was changed by somebody since, and stays as it is; see `--info`",
        ),
        // It goes up before any dataset does.
        _ if database.goes_up() => output.warning(&format!(
            "the database is at {} still, and nothing can be undone before it is at {} again",
            version(&database.head),
            version(&database.destination)
        )),
        _ => output.warning(&format!(
            "the database stays at {}, as long as not every dataset is undone",
            version(&database.head)
        )),
    }
}
