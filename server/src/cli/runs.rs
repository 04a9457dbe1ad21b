//! `runs`: what was written down about migrations, and controlling them from anywhere.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use engine::{
    Cause, DatasetReport, Engine, Helped, JobEvent, JobState, JournalState, RunHand, RunSummary,
    State,
};
use indicatif::{HumanBytes, HumanCount};
use model::Action;
use serde_json::json;
use tabled::{builder::Builder, settings::Style};

use super::{
    MigrateArgs, Output, RunsArgs, RunsCommand,
    console::permit,
    control, figures, migrate,
    output::{FAILED, INCOMPLETE},
    undo,
};
use crate::{settings::Settings, signal};

/// How often a run is looked at while it is watched.
const LOOK: Duration = Duration::from_millis(500);

/// How often a pipe is told how far it is.
const TELL: Duration = Duration::from_secs(10);

/// How long nobody may have a run in hand before that is told: a server takes it over sooner.
const ABANDONED: Duration = Duration::from_secs(5);

/// Does what the subcommand says.
pub async fn runs(
    engine: &Engine,
    settings: &Settings,
    args: &RunsArgs,
    output: Output,
) -> ExitCode {
    let done = match &args.command {
        None => list(engine, output).await,
        Some(RunsCommand::Show { id, datasets }) => show(engine, id, *datasets, output).await,
        Some(RunsCommand::Watch { id }) => watch(engine, id, output).await.map(|(run, ended)| {
            output.document(&run);
            ended.code()
        }),
        Some(RunsCommand::Pause { id }) => control::wish(engine, id, JobEvent::Pause, output).await,
        Some(RunsCommand::Cancel { id }) => {
            control::wish(engine, id, JobEvent::Cancel, output).await
        }
        Some(RunsCommand::Pace(args)) => control::pace(engine, args, output).await,
        Some(RunsCommand::Resume { id }) => {
            return go_on(engine, settings, id, (JobEvent::Resume, None), output).await;
        }
        Some(RunsCommand::Retry { id, cause }) => {
            return go_on(engine, settings, id, (JobEvent::Retry, *cause), output).await;
        }
        Some(RunsCommand::Join { id }) => return join(engine, settings, id, output).await,
        Some(RunsCommand::Undo { id, dataset_name }) => {
            return Box::pin(undo::undo(engine, settings, id, dataset_name, output)).await;
        }
        Some(RunsCommand::Forget { id }) => undo::forget(engine, settings, id, output).await,
    };
    done.unwrap_or_else(|error| output.error(&error.to_string()))
}

async fn list(engine: &Engine, output: Output) -> engine::Result<ExitCode> {
    let runs = engine.runs().await?;
    if runs.is_empty() {
        output.line("No runs yet");
    } else {
        let mut rows = Builder::default();
        rows.push_record(["run", "state", "what", "to", "by", "since", "datasets"]);
        for it in &runs {
            let state = state(it);
            let to = format!("v{}", it.destination);
            rows.push_record([&it.id, &state, &it.asked, &to, &it.by, &it.created, &counts(it)]);
        }
        let mut table = rows.build();
        table.with(Style::blank());
        table.to_string().lines().for_each(|it| output.line(it.trim_end()));
        if runs.len() >= usize::from(engine::LISTED) {
            output.line(&format!(
                "The newest {}; `runs show ID` also shows older ones",
                engine::LISTED
            ));
        }
    }
    output.document(&runs);
    Ok(ExitCode::SUCCESS)
}

async fn show(engine: &Engine, id: &str, all: bool, output: Output) -> engine::Result<ExitCode> {
    let run = engine.run(id).await?;
    let datasets = engine.run_datasets(id).await?;
    let log = engine.run_log(id).await?;
    output.line(&format!("Run {}: {}", run.id, state(&run)));
    output.line(&format!("{} to v{}, asked for by {}", run.asked, run.destination, run.by));
    let times = [
        ("written down", Some(&run.created)),
        ("begun", run.started.as_ref()),
        ("ended", run.ended.as_ref()),
        ("last write", run.last_write.as_ref()),
    ];
    for (what, time) in times {
        if let Some(time) = time {
            output.line(&format!("{what}: {time}"));
        }
    }
    output.line(&format!("datasets: {}", counts(&run)));
    output.line(&format!(
        "samples and frames passed over: {}; about {} written",
        HumanCount(run.documents),
        HumanBytes(run.bytes)
    ));
    if let Some(verified) = verified(&run) {
        output.line(&verified);
    }
    if let Some(remaining) = run.remaining {
        output.line(&format!("left: {remaining}"));
    }
    if let Some(expected) = run.estimate.as_ref().filter(|_| run.state == JobState::Planned) {
        figures::estimate(expected, output);
    }
    output.line(&format!("pace: {}", run.pace));
    for it in &run.hands {
        output.line(&worked(it));
    }
    if let Some(holding) = &run.holding {
        output.line(&format!("holds: {holding}"));
    }
    if let Some(error) = &run.error {
        output.line(&format!("error: {error}"));
    }
    if let Some(refused) = &run.refused {
        output.line(refused);
    }
    match (run.journal, &run.undo_until) {
        (JournalState::Kept, Some(until)) => output.line(&format!("can be undone until {until}")),
        (JournalState::Kept, None) => {}
        (JournalState::None, _) => output.line("cannot be undone: no undo journal was kept"),
        (JournalState::Dropped, _) => output.line("cannot be undone: its journal was dropped"),
        (JournalState::Expired, _) => output.line("cannot be undone: its journal has expired"),
    }
    if !run.failures.is_empty() {
        output.line("not migrated, by cause:");
        figures::groups(&run.failures).for_each(|it| output.line(&it));
    }
    let there = |it: &&DatasetReport| matches!(it.state, State::Migrated | State::Undone);
    for it in datasets.iter().filter(|it| all || !there(it) || !it.found.is_empty()) {
        output.line(&format!("  {}", about(it)));
        it.found.iter().for_each(|found| output.line(&format!("    {found}")));
        if all || it.figures.started.is_some() {
            output.line(&format!("    {}", figures::dataset(it)));
        }
    }
    if log.len() >= usize::from(engine::SHOWN) {
        output.line(&format!("the newest {} lines of its log:", HumanCount(engine::SHOWN.into())));
    }
    for it in &log {
        output.line(&format!("{} {}: {}", it.at, it.by, it.text));
    }
    output.line(&ways_on(&run));
    output.document(&json!({ "run": run, "datasets": datasets, "log": log }));
    Ok(ExitCode::SUCCESS)
}

/// Who works on it, where several do.
fn worked(it: &RunHand) -> String {
    let what = match (it.leads, it.works) {
        (true, true) => "leads it",
        (true, false) => "led it",
        (false, true) => "helps",
        (false, false) => "helped",
    };
    let until = it.left.as_ref().map(|it| format!(" until {it}")).unwrap_or_default();
    format!(
        "  {} (process {}) {what} since {}{until}: {} datasets",
        it.by,
        it.pid,
        it.since,
        HumanCount(it.datasets)
    )
}

/// How far it is with looking at what it has written.
fn verified(run: &RunSummary) -> Option<String> {
    let (done, all) = (run.verified, run.to_verify);
    (all > 0).then(|| format!("{} of {} datasets verified", HumanCount(done), HumanCount(all)))
}

fn about(it: &DatasetReport) -> String {
    let state = serde_json::to_value(it.state).ok();
    let state = state.as_ref().and_then(|it| it.as_str()).unwrap_or_default().to_owned();
    let reason = it.reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
    format!("{}: {state}{reason}", it.label())
}

async fn go_on(
    engine: &Engine,
    settings: &Settings,
    id: &str,
    (event, cause): (JobEvent, Option<Cause>),
    output: Output,
) -> ExitCode {
    if settings.migrations_disabled {
        return output.error(migrate::DISABLED);
    }
    let args = MigrateArgs { all: true, ..MigrateArgs::default() };
    // One that was left behind while it was being undone goes on with that.
    if engine.run(id).await.is_ok_and(|it| it.state == JobState::Undoing) {
        return Box::pin(undo::undo(engine, settings, id, &[], output)).await;
    }
    let work = async |control| {
        let permit = permit(Action::ControlRuns)?;
        match event {
            JobEvent::Retry => engine.retry(&permit, id, cause, control).await,
            _ => engine.go_on(&permit, id, event, control).await,
        }
    };
    let (result, failed) = migrate::watched(work, &args, output).await;
    migrate::told(result, &failed, settings, &args, output)
}

/// Helps with a run, watched by a person or not.
async fn join(engine: &Engine, settings: &Settings, id: &str, output: Output) -> ExitCode {
    if settings.migrations_disabled {
        return output.error(migrate::DISABLED);
    }
    let args = MigrateArgs { all: true, ..MigrateArgs::default() };
    let work = async |control| engine.join(&permit(Action::ControlRuns)?, id, control).await;
    let (helped, _) = migrate::watched(work, &args, output).await;
    let ended = async {
        let Helped { datasets, documents } = helped?;
        let run = engine.run(id).await?;
        output.line(&format!(
            "Migrated {} datasets here, {} samples and frames passed over",
            HumanCount(datasets),
            HumanCount(documents)
        ));
        output.line(&format!("Run {} is {}", run.id, state(&run)));
        output.line(&ways_on(&run));
        output.document(
            &json!({ "helped": { "datasets": datasets, "documents": documents }, "run": run }),
        );
        Ok::<_, engine::Error>(ExitCode::SUCCESS)
    };
    ended.await.unwrap_or_else(|error| output.error(&error.to_string()))
}

/// How the watching of a run ended.
pub enum Watched {
    /// The run came to rest.
    Rested(JobState),
    /// Nobody carries it out any more.
    Abandoned,
    /// The person has seen enough; the run goes on.
    Left,
}

impl Watched {
    /// The exit status that says so.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Rested(JobState::Completed | JobState::Undone) | Self::Left => ExitCode::SUCCESS,
            Self::Rested(JobState::CompletedWithFailures | JobState::PartlyUndone) => {
                ExitCode::from(INCOMPLETE)
            }
            Self::Rested(_) | Self::Abandoned => ExitCode::from(FAILED),
        }
    }
}

/// Watches a run that somebody carries out until it comes to rest. Returns how it is then.
///
/// # Errors
///
/// If there is no such run, or the server cannot be reached.
pub async fn watch(
    engine: &Engine,
    id: &str,
    output: Output,
) -> engine::Result<(RunSummary, Watched)> {
    let bar = migrate::bar(output.is_watched());
    let mut enough = std::pin::pin!(signal::asked_to_end());
    let (mut told, mut held) = (None, Instant::now());
    loop {
        let run = engine.run(id).await?;
        let now = (run.state, Instant::now());
        if told.is_none_or(|(state, at): (JobState, Instant)| state != now.0 || at.elapsed() > TELL)
        {
            let holds = run.holding.as_ref().map(|it| format!("; it holds: {it}"));
            let holds = holds.unwrap_or_default();
            let left = run.remaining.map(|it| format!("; {it} left")).unwrap_or_default();
            let verified = verified(&run).map(|it| format!("; {it}")).unwrap_or_default();
            let text =
                format!("Run {} is {}: {}{verified}{left}{holds}", run.id, run.state, counts(&run));
            bar.suspend(|| output.line(&text));
            told = Some(now);
        }
        let goal = if run.state == JobState::Undoing { "undone" } else { "migrated" };
        let (all, done) = (run.datasets.values().sum(), run.datasets.get(goal).copied());
        let left = run.remaining.map(|it| format!(", {it} left")).unwrap_or_default();
        if run.state == JobState::Verifying && run.to_verify > 0 {
            bar.set_length(run.to_verify);
            bar.set_position(run.verified);
            bar.set_message("verified");
        } else {
            bar.set_length(all);
            bar.set_position(done.unwrap_or(0));
            bar.set_message(format!("{} documents{left}", HumanCount(run.documents)));
        }
        if run.held {
            held = Instant::now();
        }
        let rested = !run.state.is_active() && run.state != JobState::Planned;
        if rested || (run.state.is_active() && held.elapsed() > ABANDONED) {
            bar.finish_and_clear();
            if let Some(error) = &run.error {
                output.warning(error);
            }
            if !rested {
                output.warning("nobody carries it out any more");
            }
            output.line(&ways_on(&run));
            let ended = if rested { Watched::Rested(run.state) } else { Watched::Abandoned };
            return Ok((run, ended));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = enough.as_mut() => {
                bar.finish_and_clear();
                output.line("Not watched any more; the run goes on");
                return Ok((run, Watched::Left));
            }
        }
    }
}

/// Its state, and whether anybody carries it out.
pub fn state(run: &RunSummary) -> String {
    if run.state.is_active() && !run.held {
        format!("{}, but nobody carries it out", run.state)
    } else {
        run.state.to_string()
    }
}

fn counts(run: &RunSummary) -> String {
    let counts: Vec<String> = run
        .datasets
        .iter()
        .map(|(state, count)| format!("{} {state}", HumanCount(*count)))
        .collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

/// What can be done with it.
pub fn ways_on(run: &RunSummary) -> String {
    let mut ways: Vec<&str> = run.choices.iter().map(|it| it.word()).collect();
    if run.state.is_active() && !run.held {
        ways.insert(0, "resume");
    }
    if run.state == JobState::Planned {
        return format!(
            "It waits for a server: `fiftyone-migrate serve` on this database, with the right to migrate, carries it \
             out. What can be done with it: {}",
            ways.join(", ")
        );
    }
    if ways.is_empty() {
        return "There is nothing left to do with it".to_owned();
    }
    format!("What can be done with it (`fiftyone-migrate runs … {}`): {}", run.id, ways.join(", "))
}
