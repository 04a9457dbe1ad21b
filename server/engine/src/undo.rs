//! Bringing a run back: every dataset to what the journal kept of it, then the database's version.
//!
//! In the reverse order of writes, under the same lease and in the same document as the run itself. Each step can be
//! repeated, so that what is interrupted goes on.

mod database;
mod dataset;
mod expiry;
mod stamps;

pub use expiry::Expiry;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bson::{Bson, Document};
use futures_util::{StreamExt, stream};
use model::{Action, JobEvent, JobState, JournalState, Permit, RunSummary};

use crate::{
    Control, DatasetReport, Engine, Error, Event, Report, Result, State,
    job::{Hand, tell_by},
    pass::{Halt, Passes},
    store::{Entry, Failure, Happening, Job, JobUndo, Store, UsedArchive},
};

/// How many datasets are brought back side by side.
const SIDE_BY_SIDE: usize = 8;

/// Why something is not as it was before.
#[derive(Debug)]
enum Stay {
    /// Bringing it back would lose something, or cannot be done.
    Refused(String),
    /// It was stopped, or the server did not do as asked.
    Halted(Halt),
}

impl From<Failure> for Stay {
    fn from(failure: Failure) -> Self {
        Self::Halted(failure.into())
    }
}

impl From<Halt> for Stay {
    fn from(halt: Halt) -> Self {
        Self::Halted(halt)
    }
}

/// A run that is being brought back.
#[derive(Clone, Debug)]
struct Back {
    store: Store,
    control: Control,
    passes: Passes,
    existing: Arc<BTreeSet<String>>,
    job: Job,
    archive: UsedArchive,
}

/// A dataset that the journal has something of.
#[derive(Clone, Debug)]
struct Known {
    id: Bson,
    collections: Vec<String>,
    order: i64,
    report: DatasetReport,
}

impl Engine {
    /// Brings what a run has changed back to what it was before: all of it, or the datasets with these names. Goes on
    /// with that if it was begun before.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if the run cannot be undone: it kept no journal, or that is gone; [`Error::Busy`] if somebody
    /// else writes now. What could not be brought back is in the report.
    pub async fn undo(
        &self,
        permit: &Permit,
        id: &str,
        names: &[String],
        control: Control,
    ) -> Result<Report> {
        permit.covers(Action::UndoRuns)?;
        let job = self.job(id).await?;
        self.allowed()?;
        if job.state != JobState::Undoing {
            let undone = job.state.on(JobEvent::Undo);
            undone.map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
        }
        Box::pin(self.take_back(job, Some((names, permit.holder())), control, false)).await
    }

    /// Drops the undo journal of a run. Returns the run, which cannot be undone any more.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if somebody carries it out.
    pub async fn forget(&self, permit: &Permit, id: &str) -> Result<RunSummary> {
        permit.covers(Action::UndoRuns)?;
        let job = self.job(id).await?;
        self.allowed()?;
        if job.journal.as_ref().is_some_and(|it| it.state == JournalState::Kept) {
            let ended = self.store.end_journal(job.id, "dropped").await;
            if !ended.map_err(|it| self.store.error(it))? {
                return Err(Error::Refused(format!(
                    "run {id} is {}; pause it or wait until it rests, and drop its journal then",
                    job.state
                )));
            }
            let (text, what) = ("its undo journal is dropped", Happening::JournalDropped);
            tell_by(&self.store, job.id, permit.holder(), &what, text).await;
        }
        let removed = expiry::remove(&self.store, job.id, || true).await;
        removed.map_err(|it| self.store.error(it))?;
        self.run(id).await
    }

    /// `asked`: the names, and who wants it; none to go on with what was asked for before.
    pub(crate) async fn take_back(
        &self,
        job: Job,
        asked: Option<(&[String], &str)>,
        control: Control,
        hands_over: bool,
    ) -> Result<Report> {
        let error = |it| self.store.error(it);
        self.store.server().await?;
        can_be_undone(&job)?;
        let undo = match (&job.undo, asked) {
            (Some(undo), asked) if job.state == JobState::Undoing => {
                undo.is_what_is_asked(&job, asked.map(|(names, _)| names))?;
                undo.clone()
            }
            (_, Some((names, by))) => JobUndo { names: names.to_vec(), by: by.to_owned() },
            (_, None) => JobUndo { names: Vec::new(), by: crate::operator() },
        };
        let entries = self.store.entries().await.map_err(error)?;
        let reports = self.reports(&job, &entries).await?;
        let wanted = wanted(&job, &undo, &reports, &entries)?;
        if wanted.is_some() {
            let others = self.store.entries_about(job.id, &Bson::Null).await.map_err(error)?;
            let why = "undo all of the run, which takes the database up first";
            database::is_high_enough(&self.store, &others, why).await?;
        }
        let hand = Hand::take_back(&self.store, &job, &undo, control.clone(), hands_over).await?;
        let mut report = Report { run: Some(hand.id().to_hex()), ..Report::default() };
        let back = self.back(job, &hand, control.clone(), reports, wanted.as_ref(), &mut report);
        let undone = Box::pin(back).await;
        control.mind(&undone);
        let left = report.datasets.iter().any(|it| it.state != State::Undone)
            || report.database.as_ref().is_some_and(|it| it.state != State::Undone);
        let whole = undone.is_ok() && undo.names.is_empty() && !left && !control.is_stopped();
        report.stopped = control.is_stopped();
        let broken = control.broken().or_else(|| undone.as_ref().err().map(ToString::to_string));
        let run = hand.id().to_hex();
        let rested = hand.rest_back(whole, broken.clone()).await;
        if let Some(reason) = broken.filter(|_| control.is_cut_off()) {
            return Err(Error::cut_off(rested, run, reason));
        }
        undone?;
        report.run_state = Some(rested?);
        report.sort();
        Ok(report)
    }

    /// What became of each dataset of the run, by the text of its `_id`.
    async fn reports(
        &self,
        job: &Job,
        entries: &[Entry],
    ) -> Result<BTreeMap<String, DatasetReport>> {
        let noted =
            self.store.job_datasets(job.id, &[]).await.map_err(|it| self.store.error(it))?;
        let mut reports: BTreeMap<String, DatasetReport> = noted
            .into_iter()
            .filter_map(|it| bson::deserialize_from_document::<DatasetReport>(it).ok())
            .map(|it| (it.id.clone(), it))
            .collect();
        // One that the run had begun with, but noted nothing about, can only be one that is there.
        for it in entries {
            let report = || crate::plan::report(it, None, State::Interrupted);
            reports.entry(it.id_text()).or_insert_with(report);
        }
        Ok(reports)
    }

    /// Brings it back, in the order that leaves no old client in front of new data.
    async fn back(
        &self,
        job: Job,
        hand: &Hand,
        control: Control,
        reports: BTreeMap<String, DatasetReport>,
        wanted: Option<&BTreeSet<String>>,
        report: &mut Report,
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        let existing = Arc::new(self.store.collections().await.map_err(error)?);
        let store = self.store.clone();
        let lease = (job.id, hand.fence());
        let passes = Passes::new(store.clone(), control.clone(), lease, Arc::clone(&existing));
        let archive = store.used_archive(job.id).await.map_err(error)?;
        let back = Back { store, control, passes, existing, job, archive };
        let is_wanted = |id: &str| wanted.is_none_or(|it| it.contains(id));
        let others = self.store.entries_about(back.job.id, &Bson::Null).await.map_err(error)?;
        let goes_down = database::entry(&others).filter(|_| wanted.is_none());
        let goes_down = goes_down.map(|it| it.get_bool("goes_down").unwrap_or(false));
        if goes_down == Some(true) {
            report.database = Some(back.database(&others).await?);
            if back.control.is_stopped() {
                return Ok(());
            }
            let why = "somebody has changed its `config` document since the run, and until that is as the run has left it, \
                       nothing can be undone";
            database::is_high_enough(&self.store, &others, why).await?;
        }
        let done = |id: &str| reports.get(id).is_some_and(|it| it.state == State::Undone);
        let stamped = back.stamps(&others, &reports, |id| is_wanted(id) && !done(id)).await;
        let stamped = stamped.map_err(error)?;
        back.tell(hand, stamped, report).await;

        let mut known = Vec::new();
        for entry in self.store.kept_datasets(back.job.id).await.map_err(error)? {
            let it = Known::of(&entry, &reports);
            if is_wanted(&it.report.id) && it.report.state != State::Undone {
                known.push(it);
            }
        }
        back.control.send(Event::Planned { datasets: known.len() });
        known.sort_by_key(|it| std::cmp::Reverse(it.order));
        let (shared, alone) = apart(known);
        let mut alone = std::pin::pin!(
            stream::iter(alone)
                .map(|it| back.clone().bring_back_aside(it))
                .buffer_unordered(SIDE_BY_SIDE)
        );
        while let Some(it) = alone.next().await {
            back.tell(hand, vec![it], report).await;
        }
        for it in shared {
            let it = back.clone().bring_back(it).await;
            back.tell(hand, vec![it], report).await;
        }
        let whole = report.datasets.iter().all(|it| it.state == State::Undone);
        if back.archive.kept && wanted.is_none() && whole && !back.control.is_stopped() {
            // What was kept of datasets to which it did not come.
            self.store.forget_archive_of(back.job.id).await.map_err(error)?;
        }
        if goes_down == Some(false) {
            let left = report.datasets.iter().filter(|it| it.state != State::Undone).count();
            report.database = Some(if left == 0 && !back.control.is_stopped() {
                back.database(&others).await?
            } else {
                database::database_stays(&others)
            });
        }
        Ok(())
    }
}

impl Back {
    /// The same in a task of its own, which goes on while nobody looks: one that waits to be looked at may have the last
    /// connection, and whoever looks may wait for one.
    async fn bring_back_aside(self, known: Known) -> DatasetReport {
        let report = known.report.clone();
        tokio::spawn(self.bring_back(known)).await.unwrap_or_else(|lost| DatasetReport {
            state: State::Interrupted,
            reason: Some(lost.to_string()),
            ..report
        })
    }

    async fn bring_back(self, known: Known) -> DatasetReport {
        let Known { id, mut report, .. } = known;
        report.warnings = Vec::new();
        report.reason = None;
        if !self.control.may_go_on().await {
            return report;
        }
        match self.dataset(&id, &report.id).await {
            Ok(()) => report.state = State::Undone,
            Err(Stay::Halted(Halt::Stopped)) => report.state = State::Interrupted,
            Err(Stay::Halted(Halt::Failed(failure))) => {
                if failure.is_fatal() {
                    self.control.break_off_by(&failure);
                }
                let passing = failure.is_unreachable();
                report.state = if passing { State::Interrupted } else { State::NotUndone };
                report.reason = Some(failure.text);
            }
            Err(Stay::Refused(reason)) => {
                report.state = State::NotUndone;
                report.reason = Some(reason);
            }
        }
        report
    }

    /// Notes and shows what became of datasets.
    async fn tell(&self, hand: &Hand, reports: Vec<DatasetReport>, report: &mut Report) {
        if let Err(failure) = hand.note(&reports).await {
            tracing::warn!(
                "what became of {} datasets could not be noted: {failure}",
                reports.len()
            );
        }
        for it in reports {
            self.control.send(Event::Finished(it.clone()));
            report.datasets.push(it);
        }
    }
}

impl Known {
    fn of(entry: &Document, reports: &BTreeMap<String, DatasetReport>) -> Self {
        let id = entry.get_document("_id").ok().and_then(|it| it.get("dataset")).cloned();
        let text = |key: &str| entry.get_str(key).ok().map(str::to_owned);
        let listed =
            Entry { id: id.unwrap_or_default(), name: text("name"), version: Bson::Null, bytes: 0 };
        let report = reports.get(&listed.id_text()).cloned();
        let report =
            report.unwrap_or_else(|| crate::plan::report(&listed, None, State::Interrupted));
        let collections = ["samples", "frames"].into_iter().filter_map(text).collect();
        let order = entry.get_i64("order").unwrap_or_default();
        Self { id: listed.id, collections, order, report }
    }
}

/// Those whose collections others have as well, which have to go back one after the other, and the rest.
fn apart(known: Vec<Known>) -> (Vec<Known>, Vec<Known>) {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for it in known.iter().flat_map(|it| &it.collections) {
        *users.entry(it.clone()).or_default() += 1;
    }
    known.into_iter().partition(|it| it.collections.iter().any(|name| users[name] > 1))
}

/// The datasets that are meant, by the texts of their ids; `None` for all.
fn wanted(
    job: &Job,
    undo: &JobUndo,
    reports: &BTreeMap<String, DatasetReport>,
    entries: &[Entry],
) -> Result<Option<BTreeSet<String>>> {
    if undo.names.is_empty() {
        return Ok(None);
    }
    let mut ids = BTreeSet::new();
    for name in &undo.names {
        let named = |it: &Option<String>| it.as_ref() == Some(name);
        let then = reports.values().filter(|it| named(&it.name) || named(&it.renamed_to));
        let now = entries.iter().filter(|it| named(&it.name)).map(Entry::id_text);
        let found: BTreeSet<String> = then.map(|it| it.id.clone()).chain(now).collect();
        if found.is_empty() {
            return Err(Error::Refused(format!(
                "run {} has changed no dataset `{}`; `fiftyone-migrate runs show {}` lists its datasets",
                job.id,
                crate::report::printable(name),
                job.id,
            )));
        }
        ids.extend(found);
    }
    Ok(Some(ids))
}

impl JobUndo {
    /// Whoever asks for something else than what was begun must not believe that it is done. `names`: none to go on with
    /// whatever that is.
    fn is_what_is_asked(&self, job: &Job, names: Option<&[String]>) -> Result<()> {
        let all = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
        if names.is_none_or(|it| all(it) == all(&self.names)) {
            return Ok(());
        }
        let id = job.id;
        let shown = self.names.iter().map(|it| format!("`{}`", crate::report::printable(it)));
        let what = match self.names.as_slice() {
            [] => "as a whole".to_owned(),
            _ => format!("for {} alone", shown.collect::<Vec<_>>().join(", ")),
        };
        let names = self.names.iter().map(|it| format!(" -n {}", crate::report::printable(it)));
        let names: String = names.collect();
        Err(Error::Refused(format!(
            "run {id} is being undone {what}, and that was cut off; let it come to its end with `fiftyone-migrate runs undo \
             {id}{names}`, and ask for more then"
        )))
    }
}

pub fn can_be_undone(job: &Job) -> Result<()> {
    let id = job.id;
    Err(Error::Refused(match job.journal.as_ref().map_or(JournalState::None, |it| it.state) {
        JournalState::Kept => return Ok(()),
        JournalState::None => {
            format!(
                "run {id} kept no undo journal, so that it cannot be undone; migrate back instead"
            )
        }
        JournalState::Dropped => format!(
            "the undo journal of run {id} was dropped, so that it cannot be undone; migrate back instead"
        ),
        JournalState::Expired => format!(
            "the undo journal of run {id} has expired, so that it cannot be undone; migrate back instead"
        ),
    }))
}
