//! Verifying a run before it is completed: every dataset is where it was to go and is what that version promises, nothing
//! of it was lost, and nothing is left of what an older client wrote back meanwhile.
//!
//! Group after group, a few side by side, so that memory does not grow with the deployment; each is noted when it is
//! verified, so that a run that is taken over goes on with the rest. What only came too late for its pass gets the same
//! pass again; whatever else is wrong is told with what to do about it, and the run is not a success.

mod before;
mod follow;
mod look;

use std::collections::BTreeMap;

use bson::{Bson, Document, RawBsonRef, RawDocumentBuf, oid::ObjectId};
use futures_util::{StreamExt, TryStreamExt, stream};
use model::Cause;
use revisions::{Release, breaches, promised};

pub use before::Before;

use crate::{
    job::{Hand, log, noted},
    pass::Halt,
    progress::Control,
    report::{DatasetReport, Report, State},
    run::is_unstamped,
    store::{Check, Checked, Failure, Store},
};

/// How many groups are verified side by side, and how many are read at once.
const SIDE_BY_SIDE: usize = 3;
const READ: i64 = 6;

/// Verifies a run.
#[derive(Debug)]
pub struct Verifying<'a> {
    /// The database.
    pub store: &'a Store,
    /// To be stopped.
    pub control: &'a Control,
    /// The run.
    pub hand: &'a Hand,
}

/// What is to be said of a dataset.
#[derive(Debug, Default)]
struct Verdict {
    /// Why it is not as it was to be.
    wrong: Vec<String>,
    /// What people should know.
    found: Vec<String>,
    /// That an older client has written it back as a whole.
    back: bool,
}

impl Verdict {
    fn is_clean(&self) -> bool {
        self.wrong.is_empty() && self.found.is_empty()
    }
}

/// The reports of this command, by the text of the dataset's `_id`.
type Reports<'r> = BTreeMap<String, &'r mut DatasetReport>;

impl Verifying<'_> {
    /// Verifies what is not verified yet, and tells what is wrong in the report and in the run.
    ///
    /// # Errors
    ///
    /// If the server does not do as asked. What is verified by then stays verified.
    pub async fn verify(&self, report: &mut Report) -> Result<(), Failure> {
        if self.hand.goes_on() {
            self.recall(report).await?;
        }
        self.rounds(report).await?;
        self.follow(report).await
    }

    /// Looks at all groups that are open.
    async fn rounds(&self, report: &mut Report) -> Result<(), Failure> {
        let run = self.hand.id();
        let (mut done, all) = self.store.count_checks(run, self.hand.goes_on()).await?;
        let mut reports: Reports<'_> =
            report.datasets.iter_mut().map(|it| (it.id.clone(), it)).collect();
        let mut after = None;
        loop {
            self.control.verified(done, all);
            if self.control.is_stopped() {
                return Ok(());
            }
            let groups = self.store.open_checks(run, after, READ).await?;
            let Some(last) = groups.last() else { return Ok(()) };
            after = Some(last.id.part);
            let process = self.store.process().await?;
            let looked = groups.iter().map(|it| self.group(it, process, &reports));
            let looked: Vec<_> = looked.collect();
            let looked = stream::iter(looked).buffered(SIDE_BY_SIDE);
            let verdicts = match looked.try_collect::<Vec<_>>().await {
                Ok(verdicts) => verdicts,
                Err(Halt::Stopped) => return Ok(()),
                Err(Halt::Failed(failure)) => return Err(failure),
            };
            for (group, verdicts) in groups.iter().zip(verdicts) {
                let wrong = self.tell(verdicts, &mut reports).await?;
                let fence = self.hand.notes_under();
                self.store.close_check(&group.id, fence, wrong).await?;
                done = all.min(done + u64::try_from(group.count).unwrap_or(0));
                self.control.verified(done, all);
            }
        }
    }

    /// What was found wrong before the run was interrupted is still wrong, unless it is tried again now.
    async fn recall(&self, report: &mut Report) -> Result<(), Failure> {
        for it in self.store.job_datasets(self.hand.id(), &["failed"]).await? {
            let Ok(it) = bson::deserialize_from_document::<DatasetReport>(it) else { continue };
            if it.cause != Some(Cause::Altered) {
                continue;
            }
            let told = report.datasets.iter_mut().find(|told| told.id == it.id);
            if let Some(told) = told.filter(|it| it.state == State::Current) {
                *told = it;
            }
        }
        Ok(())
    }

    /// What there is to say of the datasets of a group.
    async fn group<'c>(
        &self,
        check: &'c Check,
        process: Option<ObjectId>,
        reports: &Reports<'_>,
    ) -> Result<Vec<(&'c Checked, Verdict)>, Halt> {
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        let wanted = |it: &&Checked| {
            check.again.as_ref().is_none_or(|again| again.contains(&crate::tally::text(&it.id)))
        };
        let datasets: Vec<&Checked> = check.datasets.iter().filter(wanted).collect();
        let ids: Vec<Bson> = datasets.iter().map(|it| it.id.clone()).collect();
        let documents = self.store.datasets(&ids).await?;
        let mut ours = Vec::new();
        for (dataset, document) in datasets.into_iter().zip(documents) {
            // Deleted meanwhile: there is nothing to be verified of it.
            let Some(document) = document else { continue };
            let is_there = is_at(&document, &dataset.destination);
            if is_there {
                ours.push((dataset, schema(dataset, &document)));
            } else if has_arrived(dataset, reports) {
                let verdict = Verdict {
                    wrong: vec![written_back(&document)],
                    back: true,
                    ..Verdict::default()
                };
                ours.push((dataset, verdict));
            }
            // What could not be migrated is not where it was to go, and that is told already.
        }
        let same = process.is_some() && process == check.process;
        self.collections(check, same, &mut ours).await?;
        Ok(ours)
    }

    /// Tells what was found. Whether something is wrong.
    async fn tell(
        &self,
        verdicts: Vec<(&Checked, Verdict)>,
        reports: &mut Reports<'_>,
    ) -> Result<bool, Failure> {
        let is_altered = |it: &Checked| {
            let told = reports.get(&crate::tally::text(&it.id));
            told.is_some_and(|it| it.cause == Some(Cause::Altered))
        };
        // One that was wrong before and is not any more is news as well.
        let verdicts: Vec<_> = verdicts
            .into_iter()
            .filter(|(dataset, verdict)| !verdict.is_clean() || is_altered(dataset))
            .collect();
        if verdicts.is_empty() {
            return Ok(false);
        }
        // As it was noted when it was migrated, perhaps by others.
        let ids: Vec<String> = verdicts.iter().map(|(it, _)| crate::tally::text(&it.id)).collect();
        let known = self.store.noted_datasets(self.hand.id(), &ids).await?;
        let known: Vec<DatasetReport> =
            known.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok()).collect();
        let (mut changed, mut any) = (Vec::new(), false);
        for ((dataset, verdict), id) in verdicts.into_iter().zip(&ids) {
            let told = reports.get_mut(id);
            let known = known.iter().find(|it| it.id == *id && it.state == State::Migrated);
            let Some(mut it) = known.cloned().or_else(|| told.as_ref().map(|it| (**it).clone()))
            else {
                continue;
            };
            for text in &verdict.found {
                if !it.found.contains(text) {
                    let label = it.label();
                    log(self.store, self.hand.id(), &format!("dataset `{label}`: {text}")).await;
                    it.found.push(text.clone());
                }
            }
            if verdict.wrong.is_empty() {
                (it.state, it.reason, it.cause) = (State::Migrated, None, None);
            } else {
                any = true;
                it.state = State::Failed;
                it.cause = Some(if verdict.back { Cause::WrittenBack } else { Cause::Altered });
                it.destination = Some(dataset.destination.clone());
                let label = it.label();
                let reason =
                    format!("dataset `{label}` was migrated, but {}", verdict.wrong.join("; and "));
                log(self.store, self.hand.id(), &reason).await;
                it.reason = Some(reason);
            }
            if let Some(told) = told {
                **told = it.clone();
            }
            changed.push(it);
        }
        self.amend(&changed).await?;
        Ok(any)
    }
}

impl Verifying<'_> {
    /// Notes what was found beside what is noted of these datasets already.
    async fn amend(&self, changed: &[DatasetReport]) -> Result<(), Failure> {
        let found: Vec<(&str, Document)> = changed
            .iter()
            .map(|it| {
                let report = noted(it)?.report;
                let of = |key: &str| report.get(key).cloned();
                let keys = ["state", "found", "destination"];
                let own = keys.iter().filter_map(|key| Some(((*key).to_owned(), of(key)?)));
                // What is not said any more is not to stay.
                let why =
                    ["reason", "cause"].map(|key| (key.to_owned(), of(key).unwrap_or_default()));
                let own = own.chain(why);
                Ok((it.id.as_str(), own.collect()))
            })
            .collect::<Result<_, Failure>>()?;
        self.store.amend_datasets(self.hand.id(), self.hand.notes_under(), &found).await
    }
}

/// Whether a dataset document is what its version promises.
fn schema(dataset: &Checked, document: &RawDocumentBuf) -> Verdict {
    let mut verdict = Verdict::default();
    let versions = (dataset.head.parse::<Release>(), dataset.destination.parse::<Release>());
    let (Ok(head), Ok(destination)) = versions else { return verdict };
    for it in breaches(&promised(&head, &destination), document) {
        if dataset.excused.contains(&it.text) {
            continue;
        }
        if it.harmless {
            verdict.found.push(format!("{it} any more, as after somebody has emptied that"));
        } else {
            verdict.wrong.push(format!(
                "it {it}, which v{destination} does not know: an older client has written that; disconnect it, and \
                 undo the dataset and migrate it again, or mend that in the database and retry the run"
            ));
        }
    }
    verdict
}

/// Whether a dataset was migrated, as far as this command knows. Those that were in another life of the run, or by others, are
/// known by where they are.
fn has_arrived(dataset: &Checked, reports: &Reports<'_>) -> bool {
    let report = reports.get(&crate::tally::text(&dataset.id));
    report.is_some_and(|it| matches!(it.state, State::Migrated | State::Current))
}

/// Whether a dataset is where it was to go. Those from before 0.6.2 do not say.
fn is_at(document: &RawDocumentBuf, destination: &str) -> bool {
    let unstamped = destination.parse().is_ok_and(|it| is_unstamped(&it));
    let version = document.get("version").ok().flatten();
    match version {
        Some(RawBsonRef::String(found)) => !unstamped && found == destination,
        None | Some(RawBsonRef::Null) => unstamped,
        Some(_) => false,
    }
}

fn written_back(document: &RawDocumentBuf) -> String {
    let found = document.get_str("version").map_or("no version".to_owned(), |it| format!("v{it}"));
    format!(
        "is at {found} now: an older client has written it back; disconnect it and run this again"
    )
}
