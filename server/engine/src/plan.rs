//! Deciding what a command has to do: which datasets go where, which stay, which cannot go.

use model::Cause;
use revisions::{Reason, Release, between, head};

use crate::{
    archive::Entries,
    load::Task,
    policy::{self, Decision},
    report::{DatasetReport, Figures, State},
    store::Entry,
};

/// What is to be done with the datasets of a command.
#[derive(Debug, Default)]
pub struct Plan {
    /// Those that only get a new version, grouped by it.
    pub stamps: Vec<Task>,
    /// Those that cross revisions.
    pub tasks: Vec<Task>,
    /// Those that stay where they are, and those that cannot go.
    pub settled: Vec<DatasetReport>,
}

/// Decides for each of these datasets, once the database is at `database`. `archive`: what waits for some of them.
///
/// # Errors
///
/// If the command as a whole is refused: nobody may send these datasets there, or there is nowhere.
pub fn plan(
    entries: Vec<Entry>,
    destination: Option<&Release>,
    database: &Release,
    admin: bool,
    archive: Option<&Entries>,
) -> Result<Plan, String> {
    let mut plan = Plan::default();
    for entry in entries {
        let head = match head_of(&entry) {
            Ok(head) => head,
            Err(reason) => {
                let reason = format!("dataset `{}` cannot be migrated: {reason}", entry.label());
                let mut report = report(&entry, None, State::Refused);
                report.reason = Some(reason);
                report.cause = Some(Cause::Blocked);
                plan.settled.push(report);
                continue;
            }
        };
        match policy::dataset(&entry.label(), &head, destination, database, admin) {
            // FiftyOne itself has brought it there, and cannot give it back what we keep.
            Decision::Stay if waits(archive.filter(|_| admin), &entry, &head) => {
                plan.tasks.push(Task { entry, destination: head.clone(), head: Some(head) });
            }
            Decision::Stay => plan.settled.push(report(&entry, destination, State::Current)),
            Decision::Forbid(reason) => return Err(reason),
            Decision::Refuse(reason) => {
                let mut report =
                    report(&entry, Some(destination.unwrap_or(database)), State::Refused);
                report.reason = Some(reason);
                report.cause = Some(Cause::Blocked);
                plan.settled.push(report);
            }
            Decision::Migrate(destination) => {
                // One that does not say where it is has to be looked at.
                let head = entry.version.as_null().is_none().then_some(head);
                let crosses = head.as_ref().is_none_or(|it| !between(it, &destination).is_empty());
                let list = if crosses { &mut plan.tasks } else { &mut plan.stamps };
                list.push(Task { entry, head, destination });
            }
        }
    }
    Ok(plan)
}

/// Whether the archive has something for a dataset that is where it shall be.
fn waits(archive: Option<&Entries>, entry: &Entry, head: &Release) -> bool {
    let stamped = entry.version.as_str().is_some();
    archive.filter(|_| stamped).is_some_and(|it| {
        it.on_the_way(&entry.id, head, head).is_ok_and(|entries| !entries.is_empty())
    })
}

/// The version of a listed dataset. One that does not say is taken for the oldest here, as FiftyOne does, to
/// decide whether it must move; from where, its content says when it is loaded.
fn head_of(entry: &Entry) -> Result<Release, Reason> {
    let document = bson::doc! { "version": &entry.version };
    Ok(head(&document)?.release)
}

/// The report about a dataset as it was listed.
pub fn report(entry: &Entry, destination: Option<&Release>, state: State) -> DatasetReport {
    DatasetReport {
        id: entry.id_text(),
        name: entry.name.clone(),
        renamed_to: None,
        head: entry.version.as_str().map(str::to_owned),
        destination: destination.map(ToString::to_string),
        revisions: Vec::new(),
        state,
        reason: None,
        cause: None,
        warnings: Vec::new(),
        found: Vec::new(),
        kept: Vec::new(),
        given_back: Vec::new(),
        figures: Figures::default(),
    }
}

/// The report about a task.
pub fn report_of(task: &Task, state: State) -> DatasetReport {
    let mut report = report(&task.entry, Some(&task.destination), state);
    let crossed = task.head.iter().flat_map(|it| between(it, &task.destination));
    report.revisions = crossed.map(|it| it.version.to_string()).collect();
    report
}
