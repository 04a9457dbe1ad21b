//! Migrating, and saying what would be migrated.

use std::{process::ExitCode, time::Duration};

pub use engine::DISABLED;
use engine::{
    Cause, Control, DatabaseReport, DatasetReport, Engine, Event, JobState, JournalSize, Meter,
    OnFailure, Release, Report, Request, RunSummary, State, Target, versions::Row,
};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use model::Action;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    Destination, MigrateArgs, Output,
    console::permit,
    control, figures,
    output::{FAILED, INCOMPLETE},
    runs,
};
use crate::settings::Settings;

/// How long it takes at most until a run that has the lease is written down.
const MOMENT: Duration = Duration::from_millis(100);

/// Does what the flags say, watched by a person or not.
pub async fn migrate(
    engine: &Engine,
    settings: &Settings,
    args: &MigrateArgs,
    output: Output,
) -> ExitCode {
    if settings.migrations_disabled && !args.dry_run {
        return output.error(DISABLED);
    }
    let mut args = args.clone();
    let destination = match destination(engine, &mut args).await {
        Ok(destination) => destination,
        Err(Unresolved::Usage(sentence)) => return output.usage_error(&sentence),
        Err(Unresolved::Engine(error)) => return output.error(&error.to_string()),
    };
    let args = &args;
    if let Some(row) = &args.enterprise {
        let basis = if row.stated { "stated" } else { "inferred" };
        let corrected = row.correction.as_ref().map(|it| format!(", corrected by {}", it.by));
        output.line(&format!(
            "FiftyOne Enterprise {} has compatibility version {} ({basis}{})",
            row.enterprise,
            row.compatibility,
            corrected.unwrap_or_default()
        ));
    }
    let request = Request {
        target: match (args.all, args.dataset_name.as_slice()) {
            (true, _) => Target::Everything,
            (false, []) => Target::Database,
            (false, names) => Target::Datasets(names.to_vec()),
        },
        destination,
        on_failure: if args.stops() { OnFailure::Stop } else { OnFailure::GoOn },
        dry_run: args.dry_run,
        without_undo: args.without_undo,
        without_archive: args.without_archive,
    };
    if args.without_undo && !args.dry_run {
        output.warning("no undo journal is kept: this run cannot be undone");
    }
    if args.without_archive && !args.dry_run {
        output.warning(
            "the archive is not used: what is dropped on the way down is lost, and nothing is given back on the way up",
        );
    }
    if args.detach {
        return detached(engine, &request, args, output).await;
    }
    loop {
        let action = if args.dry_run { Action::PreviewMigration } else { Action::MigrateDatabase };
        let work = async |control| engine.migrate(&permit(action)?, request.clone(), control).await;
        let (result, failed) = watched(work, args, output).await;
        let Err(engine::Error::Busy { run, by, same: true, .. }) = result else {
            return told(result, &failed, settings, args, output);
        };
        output.line(&format!("{by} does the same already; watching their run {run}"));
        match runs::watch(engine, &run, output).await {
            // Then it is for us to go on with.
            Ok((_, runs::Watched::Abandoned)) => {}
            Ok((run, ended)) => {
                output.document(&run);
                return ended.code();
            }
            // They have the lease, but have not written it down yet.
            Err(engine::Error::UnknownRun(_)) => tokio::time::sleep(MOMENT).await,
            Err(error) => return output.error(&error.to_string()),
        }
    }
}

async fn detached(
    engine: &Engine,
    request: &Request,
    args: &MigrateArgs,
    output: Output,
) -> ExitCode {
    let planned = MigrateArgs { dry_run: true, ..args.clone() };
    let leave = async |control| {
        engine.leave_to_a_server(&permit(Action::MigrateDatabase)?, request, control).await
    };
    match watched(leave, &planned, output).await.0 {
        Ok(Some((run, plan))) => {
            if let Some(expected) = &run.estimate {
                figures::estimate(expected, output);
            }
            for it in &plan.datasets {
                if it.is_failure() {
                    failure(it, output);
                }
                kept(it, output);
            }
            output.line(&format!(
                "Run {} waits for a server: `fiftyone-migrate serve` on this database, with the right to migrate, \
                 carries it out; watch it with `fiftyone-migrate runs watch {}`",
                run.id, run.id
            ));
            output.document(&Left { run: &run, plan: &plan });
            ExitCode::SUCCESS
        }
        Ok(None) => {
            output.line("Nothing to do");
            output.document(&());
            ExitCode::SUCCESS
        }
        Err(error) => output.error(&error.to_string()),
    }
}

/// Carries something out, watched by a person or not, and returns what came of it and the datasets that could not be
/// migrated.
pub async fn watched<T, F: Future<Output = engine::Result<T>>>(
    work: impl FnOnce(Control) -> F,
    args: &MigrateArgs,
    output: Output,
) -> (engine::Result<T>, Vec<DatasetReport>) {
    let (control, meter, events) = Control::new();
    let watch = Watch { output, args: args.clone(), meter: meter.clone() };
    let watching = tokio::spawn(watch.watch(events));
    let interrupted = tokio::spawn(stop_on_signal(meter, output));
    let result = work(control).await;
    interrupted.abort();
    let failed = watching.await;
    if failed.is_err() {
        output.warning("the progress could not be shown to the end");
    }
    (result, failed.unwrap_or_default())
}

/// Tells what came of it, and with which status the program ends.
pub fn told(
    result: engine::Result<Report>,
    failed: &[DatasetReport],
    settings: &Settings,
    args: &MigrateArgs,
    output: Output,
) -> ExitCode {
    match result {
        Ok(report) => concluded(&report, settings, args, output),
        Err(error) => {
            for it in failed {
                failure(it, output);
            }
            output.error_after(&error.to_string(), failed)
        }
    }
}

/// The first signal stops at the next batch edge; it and every further one say what is waited for.
pub async fn stop_on_signal(meter: Meter, output: Output) {
    crate::signal::asked_to_end().await;
    output.warning("stopping at the next batch edge ...");
    meter.stop();
    let mut again = "another Ctrl-C changes nothing";
    loop {
        let what = match meter.under_way() {
            0 => "what was begun is written to its end".to_owned(),
            1 => "MongoDB is at one operation on samples or frames".to_owned(),
            count => format!("MongoDB is at {count} operations on samples or frames"),
        };
        output.warning(&format!("{what}, which takes some seconds at most; {again}"));
        crate::signal::asked_to_end().await;
        again = "it stops by itself, and killing it (`kill -9`) would leave more to repeat";
    }
}

struct Watch {
    output: Output,
    args: MigrateArgs,
    meter: Meter,
}

impl Watch {
    /// Shows what happens, and returns the datasets that could not be migrated.
    async fn watch(self, mut events: UnboundedReceiver<Event>) -> Vec<DatasetReport> {
        let mut failed = Vec::new();
        let bar = bar(self.output.is_watched() && !self.args.dry_run);
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        self.show(&event, &bar);
                        if let Event::Finished(report) = event && report.is_failure() {
                            failed.push(report);
                        }
                    }
                    None => break,
                },
                // Nothing is drawn before it is known of how much, or the first figures would come too late.
                _ = ticks.tick(), if bar.length().is_some_and(|it| it > 0) => self.tick(&bar),
            }
        }
        bar.finish_and_clear();
        failed
    }

    fn show(&self, event: &Event, bar: &ProgressBar) {
        match event {
            Event::Planned { datasets } => {
                bar.set_length(u64::try_from(*datasets).unwrap_or(u64::MAX));
            }
            Event::Database(report) => bar.suspend(|| self.database(report)),
            Event::Started(report) => bar.suspend(|| self.started(report)),
            Event::Finished(report) => {
                if matches!(
                    report.state,
                    State::Migrated
                        | State::Failed
                        | State::Refused
                        | State::Undone
                        | State::NotUndone
                ) {
                    bar.inc(1);
                }
                bar.suspend(|| self.finished(report));
            }
            Event::Expired { journals } => bar.suspend(|| {
                self.output.warning(&format!(
                    "removing what was kept to undo runs that cannot be undone any more ({journals}); Ctrl-C leaves the \
                     rest of it to whoever comes next"
                ));
            }),
        }
    }

    fn database(&self, report: &DatabaseReport) {
        let destination = report.destination.as_deref().unwrap_or_default();
        if !report.drops.is_empty() {
            let (count, names) = (report.drops.len(), report.drops.join(", "));
            self.output.line(&format!(
                "Dropping {count} orphan collections that no dataset uses: {names}"
            ));
        }
        self.output.line(&format!("Migrating database to v{destination}"));
        self.revisions(&report.revisions, report.head.as_deref(), destination, " admin");
    }

    fn started(&self, report: &DatasetReport) {
        let destination = report.destination.as_deref().unwrap_or_default();
        self.output.line(&format!("Migrating dataset '{}' to v{destination}", report.label()));
        self.revisions(&report.revisions, report.head.as_deref(), destination, "");
    }

    fn revisions(&self, revisions: &[String], head: Option<&str>, destination: &str, kind: &str) {
        if !self.args.verbose {
            return;
        }
        let version = |text: &str| text.parse::<Release>().ok();
        let down = head.and_then(version) > version(destination);
        let way = if down { "down" } else { "up" };
        for revision in revisions {
            self.output.line(&format!("Running v{revision} {way}{kind} migration"));
        }
    }

    fn finished(&self, report: &DatasetReport) {
        if report.state == State::Migrated && !self.args.dry_run {
            let name = report.label();
            for (what, done) in
                [(&report.kept, "Kept in the archive"), (&report.given_back, "Given back")]
            {
                if !what.is_empty() {
                    self.output.line(&format!("{done} for dataset '{name}': {}", what.join(", ")));
                }
            }
        }
        for warning in &report.warnings {
            self.output.warning(&format!("dataset `{}`: {warning}", report.label()));
        }
    }

    fn tick(&self, bar: &ProgressBar) {
        let (verified, all) = self.meter.verified();
        if all > 0 {
            // The bar would be full already, and the run is not.
            bar.set_length(all);
            bar.set_position(verified);
            bar.set_message("verified");
            return;
        }
        let (done, ahead) = (self.meter.documents(), self.meter.documents_ahead());
        let seconds = bar.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "shown in round numbers")]
        let rate = done as f64 / seconds;
        let mut message = format!("{} documents, {}/s", HumanCount(done), HumanCount(whole(rate)));
        if ahead > 0 {
            message = format!("{message}, {} ahead", HumanCount(ahead));
        }
        if let Some(remaining) = self.meter.remaining() {
            message = format!("{message}, {remaining} left");
        }
        if let Some(holding) = self.meter.holding() {
            message = format!("{message}; holds: {holding}");
        }
        bar.set_message(message);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are small and positive"
)]
fn whole(rate: f64) -> u64 {
    rate as u64
}

/// A bar for a person; none is seen by a pipe.
pub fn bar(seen: bool) -> ProgressBar {
    if !seen {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {human_pos}/{human_len} datasets, {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// Why it is not known where to go.
enum Unresolved {
    Usage(String),
    Engine(engine::Error),
}

/// Where to go. An Enterprise version is looked up in the table of the deployment, and noted.
async fn destination(
    engine: &Engine,
    args: &mut MigrateArgs,
) -> Result<Option<Release>, Unresolved> {
    let wanted = match &args.version {
        None => return Ok(None),
        Some(Destination::Version(version)) => return Ok(Some(version.clone())),
        Some(wanted) => wanted,
    };
    let versions = engine.versions().await.map_err(Unresolved::Engine)?;
    let row = wanted.release(&versions).map_err(Unresolved::Usage)?.cloned();
    let version = row.as_ref().map(|it| it.compatibility.parse::<Release>());
    args.enterprise = row;
    version.transpose().map_err(|it| Unresolved::Usage(it.to_string()))
}

/// A run that was left to a server, as JSON.
#[derive(Serialize)]
struct Left<'a> {
    #[serde(flatten)]
    run: &'a RunSummary,
    plan: &'a Report,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    enterprise: Option<Enterprise<'a>>,
    #[serde(flatten)]
    report: &'a Report,
}

/// The Enterprise version that was asked for, and whether a source states what it belongs to.
#[derive(Serialize)]
struct Enterprise<'a> {
    version: &'a str,
    compatibility_version: &'a str,
    stated: bool,
}

impl<'a> Enterprise<'a> {
    fn of(row: &'a Row) -> Self {
        let (version, compatibility_version) = (&row.enterprise, &row.compatibility);
        Self { version, compatibility_version, stated: row.stated }
    }
}

fn concluded(report: &Report, settings: &Settings, args: &MigrateArgs, output: Output) -> ExitCode {
    output.document(&Answer { enterprise: args.enterprise.as_ref().map(Enterprise::of), report });
    if report.dry_run {
        dry_run(report, settings, output);
    } else {
        summary(report, output);
    }
    let failures = report.datasets.iter().filter(|it| it.is_failure()).count();
    match failures {
        0 if report.stopped => ExitCode::from(FAILED),
        0 => ExitCode::SUCCESS,
        _ if report.run_state == Some(JobState::Failed) => ExitCode::from(FAILED),
        _ if report.stopped || args.stops() => ExitCode::from(FAILED),
        _ => ExitCode::from(INCOMPLETE),
    }
}

fn summary(report: &Report, output: Output) {
    let count = |state| report.count(state);
    let (migrated, failed) = (count(State::Migrated), count(State::Failed) + count(State::Refused));
    let (untouched, interrupted) = (count(State::Untouched), count(State::Interrupted));
    let altered = |it: &&DatasetReport| it.failure() == Some(Cause::Altered);
    let wrong = report.datasets.iter().filter(altered).count();
    if let Some(DatabaseReport { state: State::Migrated, destination: Some(destination), .. }) =
        &report.database
    {
        output.line(&format!("The database is at v{destination}"));
    }
    if migrated + failed + untouched + interrupted == 0 {
        if report.database.as_ref().is_none_or(|it| it.state == State::Current) {
            output.line("Nothing to do");
        }
        return;
    }
    output.line(&format!("{} migrated", datasets(migrated)));
    for it in &report.datasets {
        for found in &it.found {
            output.warning(&format!("dataset `{}`: {found}", it.label()));
        }
    }
    if failed > wrong {
        output
            .warning(&format!("{} not migrated, and left as they were:", datasets(failed - wrong)));
        let others = report.datasets.iter().filter(|it| it.is_failure() && !altered(it));
        others.for_each(|it| failure(it, output));
    }
    if wrong > 0 {
        let what = "migrated, but not as they were to be when that was verified";
        output.warning(&format!("{} {what}:", datasets(wrong)));
        report.datasets.iter().filter(altered).for_each(|it| failure(it, output));
    }
    if failed > 0 {
        by_cause(report, output);
    }
    if interrupted > 0 {
        output.warning(&format!(
            "{} stopped in the middle: their documents are as they were, a part of their samples may be \
             changed; run the same command again to complete them",
            datasets(interrupted)
        ));
    }
    if untouched > 0 {
        output.warning(&format!("{} not begun", datasets(untouched)));
    }
    if let (Some(run), Some(state)) = (&report.run, report.run_state)
        && state != JobState::Completed
    {
        output.warning(&match state {
            JobState::Cancelled => {
                format!("Run {run} is cancelled. {}", control::two_ways(run, report.is_kept))
            }
            _ => format!(
                "Run {run} is {state}; `fiftyone-migrate runs show {run}` shows the ways on"
            ),
        });
    }
    if let Some(DatabaseReport { state: State::Untouched, head: Some(head), .. }) = &report.database
    {
        output.warning(&format!("The database's own version is still v{head}"));
    }
}

/// The failures once more, by what has to be done.
fn by_cause(report: &Report, output: Output) {
    output.warning("By cause, each with what to do:");
    figures::groups(&report.failures).for_each(|it| output.warning(&it));
    if !report.left.is_empty() {
        output.warning("Not tried again, because that cannot help until something is done:");
        figures::groups(&report.left).for_each(|it| output.warning(&it));
    }
    let may_pass = report.failures.iter().any(|it| it.cause.may_pass());
    if let Some(run) = report.run.as_ref().filter(|_| may_pass) {
        output.warning(&format!(
            "`fiftyone-migrate runs retry {run}` tries all again that may pass, `--cause WORD` those of one cause"
        ));
    }
}

fn failure(report: &DatasetReport, output: Output) {
    let reason = report.reason.as_deref().unwrap_or("unknown reason");
    output.warning(&format!("  {}: {reason}", report.label()));
}

/// What the destination does not know of a dataset.
fn kept(report: &DatasetReport, output: Output) {
    if !report.kept.is_empty() {
        let what = report.kept.join(", ");
        output.line(&format!(
            "  not seen there, kept in the archive, and given back on the way up: {what}"
        ));
    }
}

fn dry_run(report: &Report, settings: &Settings, output: Output) {
    if let Some(it) = &report.database {
        let head = it.head.as_deref().unwrap_or("none");
        match &it.destination {
            Some(destination) => output.line(&format!("database: v{head} -> v{destination}")),
            None => output.line(&format!("database: v{head}, stays")),
        }
        for name in &it.drops {
            output.line(&format!("  drops the orphan collection {name}"));
        }
    }
    for it in &report.datasets {
        let head = it.head.as_deref().map_or("no version".to_owned(), |it| format!("v{it}"));
        let destination = it.destination.as_deref().unwrap_or_default();
        let line = match it.state {
            State::Planned if it.head == it.destination => {
                format!("{head}, and gets back what the archive keeps")
            }
            State::Planned if it.revisions.is_empty() => {
                format!("{head} -> v{destination}, only the version")
            }
            State::Planned => {
                format!("{head} -> v{destination}, crosses {}", it.revisions.join(" "))
            }
            State::Refused | State::Failed => format!("{head}, blocked"),
            _ => format!("{head}, stays"),
        };
        output.line(&format!("{}: {line}", it.label()));
        if let Some(name) = &it.renamed_to {
            output.line(&format!("  is renamed to {name}"));
        }
        for text in it.reason.iter().chain(&it.warnings) {
            output.line(&format!("  {text}"));
        }
        kept(it, output);
        if !it.given_back.is_empty() {
            output.line(&format!("  will be given back: {}", it.given_back.join(", ")));
        }
    }
    let (planned, blocked) = (report.count(State::Planned), report.count(State::Refused));
    output.line("");
    if let Some(expected) = report.estimate.as_ref().filter(|_| planned > 0) {
        figures::estimate(expected, output);
    }
    if let Some(size) = report.undo_journal.filter(|_| planned > 0) {
        output.line(&journal(size));
    }
    output.line(&format!(
        "{} would be migrated, {} blocked; nothing was written",
        datasets(planned),
        datasets(blocked)
    ));
    if !settings.admin {
        output.line("To do it, set `FIFTYONE_DATABASE_ADMIN=true`");
    }
}

fn journal(size: JournalSize) -> String {
    let JournalSize { bytes, samples_at_most } = size;
    let samples = match samples_at_most {
        0 => String::new(),
        it => format!(", of that at most {} of samples and frames", HumanBytes(it)),
    };
    format!("To be able to undo it, about {} would be kept{samples}", HumanBytes(bytes))
}

pub fn datasets(count: usize) -> String {
    if count == 1 {
        "1 dataset".to_owned()
    } else {
        format!("{} datasets", HumanCount(count as u64))
    }
}
