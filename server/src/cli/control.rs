//! `runs pause`, `cancel` and `pace`: what people want of a run, and what came of it.

use std::{process::ExitCode, time::Duration};

use engine::{Engine, JobEvent, JobState, JournalState, Pace, RunSummary};
use indicatif::HumanCount;
use model::Action;

use super::{Output, PaceArgs, console::permit, runs};

/// How often it is looked whether the run has come to its edge.
const LOOK: Duration = Duration::from_millis(100);

/// After how many looks nobody waits any longer.
const LOOKS: u32 = 150;

/// Lets a run pause or end, and waits until it does, which takes as long as a batch.
pub async fn wish(
    engine: &Engine,
    id: &str,
    event: JobEvent,
    output: Output,
) -> engine::Result<ExitCode> {
    let mut run = engine.wish(&permit(Action::ControlRuns)?, id, event).await?;
    for _ in 0..LOOKS {
        if !(run.held && run.state.is_told_to_rest()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
        run = engine.run(id).await?;
    }
    output.line(&format!("Run {} is {}: {}", run.id, runs::state(&run), done(&run)));
    output.line(&match run.state {
        state if run.held && state.is_told_to_rest() => format!(
            "It has not come to its batch edge yet, and will; `fiftyone-migrate runs watch {}` follows it",
            run.id
        ),
        JobState::Cancelled => two_ways(&run.id, run.journal == JournalState::Kept),
        _ => runs::ways_on(&run),
    });
    output.document(&run);
    Ok(ExitCode::SUCCESS)
}

/// What of a run is done and what is not.
pub fn done(run: &RunSummary) -> String {
    let count = |state: &str| run.datasets.get(state).copied().unwrap_or(0);
    let failed = count("failed") + count("refused");
    let ahead = count("planned") + count("untouched");
    let mut words = vec![format!("{} migrated", datasets(count("migrated")))];
    if count("interrupted") > 0 {
        words.push(format!(
            "{} stopped in the middle (their documents are as they were, a part of their samples is changed)",
            HumanCount(count("interrupted"))
        ));
    }
    if failed > 0 {
        words.push(format!("{} not migrated, and left as they were", HumanCount(failed)));
    }
    words.push(format!("{} not begun", HumanCount(ahead)));
    words.join(", ")
}

/// The ways on from a run that was cancelled.
pub fn two_ways(run: &str, kept: bool) -> String {
    let resume = format!("`fiftyone-migrate runs resume {run}` goes on where it was left");
    if !kept {
        return format!("One way on: {resume}; without an undo journal there is no way back");
    }
    format!(
        "Two ways on: {resume}; `fiftyone-migrate runs undo {run}` brings back what it has changed"
    )
}

fn datasets(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} dataset{plural}", HumanCount(count))
}

/// Lets a run go at another pace.
pub async fn pace(engine: &Engine, args: &PaceArgs, output: Output) -> engine::Result<ExitCode> {
    let change = |now: Pace| Pace {
        side_by_side: args.side_by_side.unwrap_or(now.side_by_side),
        batch_ms: args.batch.unwrap_or(now.batch_ms),
        lag_s: args.lag.unwrap_or(now.lag_s),
        flow_per_s: args.flow.unwrap_or(now.flow_per_s),
        oplog_min: args.oplog.unwrap_or(now.oplog_min),
        disk_mib: args.disk.unwrap_or(now.disk_mib),
    };
    let run = engine.set_pace(&permit(Action::ControlRuns)?, &args.id, change).await?;
    output.line(&format!("pace: {}", run.pace));
    output.document(&run);
    Ok(ExitCode::SUCCESS)
}
