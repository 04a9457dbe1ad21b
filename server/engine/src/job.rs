//! A run that is carried out: written down before it begins, under a lease, and moved from state to state while others
//! watch it.

mod agreed;
mod back;
mod helpers;
mod holder;
mod look;
mod notes;

pub use agreed::{Agreed, AsRead, Course};
pub use helpers::Helpers;
pub use notes::{Notes, noted};

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bson::{Bson, DateTime, Document, Timestamp, doc, oid::ObjectId};
use model::{JobEvent, JobState, JournalState, Pace};
use tokio::task::JoinSet;

use self::look::Looks;
use crate::{
    Error, Result,
    guard::Guard,
    progress::Control,
    report::{DatasetReport, State},
    store::{Asked, Failure, Happening, Holder, Job, JobDataset, JobJournal, Store},
    survey::look_out,
};

/// How often a run looks for what people want of it, and notes how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// After how many looks it is looked what the run does to the server.
const LOOKS_PER_STRAIN: u32 = 4;

/// What a run shall do.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// What was asked for.
    pub asked: Asked,
    /// By whom.
    pub by: String,
    /// The plan, dataset by dataset.
    pub datasets: Vec<JobDataset>,
    /// Those that may be there already. A run that goes on has taken them there itself, as a rule, and does not plan them
    /// anew: it would not know any more where they were.
    pub arrived: BTreeSet<String>,
    /// The hash of the plan.
    pub plan: String,
    /// Where to, now that it is decided.
    pub destination: String,
    /// What whoever asks for it agrees to by that.
    pub agreed: Agreed,
    /// The run to go on with; `None` for a new one, or for one that was left behind with the same to do.
    pub job: Option<ObjectId>,
    /// That run as it was when it was decided to go on with it.
    pub read: Option<AsRead>,
    /// Whether a run that is told to stop here is left to other servers, not paused.
    pub hands_over: bool,
    /// For how many days its undo journal is kept.
    pub undo_days: u32,
}

/// A run in our hands: we hold the lease.
#[derive(Debug)]
pub struct Hand {
    store: Store,
    id: ObjectId,
    begun: Begun,
    guard: Guard,
    control: Control,
    hands_over: bool,
    helpers: Helpers,
    done_by_others: Vec<DatasetReport>,
    /// Of tasks that end with it.
    eye: JoinSet<()>,
}

/// How a run begins, or goes on.
#[derive(Clone, Copy, Debug)]
struct Begun {
    /// The time it writes into what it migrates.
    time: DateTime,
    /// Whether it is kept how things were.
    keeps_journal: bool,
    /// Whether it was begun before.
    goes_on: bool,
    /// The state that it is in by that.
    state: JobState,
}

impl Hand {
    /// Takes the lease and writes the run down, or goes on with one that was left behind.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if somebody else migrates this database now. Nothing was written then.
    pub async fn take(store: &Store, mut proposal: Proposal, control: Control) -> Result<Self> {
        store.have_indexes().await;
        let fresh = proposal.job.unwrap_or_default();
        let last = store.lease().await.map_err(|it| store.error(it))?;
        let guard = Guard::take(store, fresh, &proposal.asked, &control).await?;
        let fence = guard.fence();
        let taken = async {
            if let Some(last) = last {
                store.forget_unbegun(last.run).await.map_err(|it| store.error(it))?;
            }
            let (id, left) = settle(store, fresh, &proposal, fence).await?;
            let done = done_by_others(store, left.as_ref()).await?;
            let is_done = |id: &str| done.iter().any(|it| it.id == id);
            proposal.datasets.retain(|it| !is_done(&it.dataset));
            control.begin_at(left.as_ref().map_or(0, |it| it.documents));
            control.tally().begin(left.as_ref().map_or(0, |it| it.bytes));
            let pace = left.as_ref().map_or_else(Pace::default, |it| it.pace);
            let from = left.as_ref().map(|it| it.state);
            let begun = begin(store, id, left, &proposal, (guard.before(), fence)).await?;
            if id != fresh {
                guard.is_for(id).await.map_err(|it| store.error(it))?;
            }
            let this = Holder::this();
            let how = from.map_or("begins".to_owned(), |it| format!("goes on; it was {it}"));
            let what = Happening::Begins { from, to: begun.state, process: this.pid };
            tell(store, id, &what, &format!("{how} (process {}, lease {fence})", this.pid)).await;
            Ok::<_, Error>((id, begun, pace, done))
        };
        let (id, begun, pace, done_by_others) = match taken.await {
            Ok(taken) => taken,
            Err(why) => {
                guard.release().await;
                return Err(why);
            }
        };
        control.set_pace(pace);
        let (mut eye, helpers) = (JoinSet::new(), Helpers::default());
        eye.spawn(Eye::of(store, id, fence, &control, &helpers).watch());
        eye.spawn(look_out(store.clone(), control.clone()));
        let (store, hands_over) = (store.clone(), proposal.hands_over);
        Ok(Self { store, id, begun, guard, control, hands_over, helpers, done_by_others, eye })
    }

    /// Which run it is.
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// The number of our lease.
    pub fn fence(&self) -> i64 {
        self.guard.fence()
    }

    /// The number under which things are noted once everything is written: larger than those of all claims.
    pub fn notes_under(&self) -> i64 {
        self.helpers.notes_under().unwrap_or(self.guard.fence())
    }

    /// The time that is written where FiftyOne writes the time of the migration: the same however often the run is
    /// interrupted, so that what is done is as if it never had been.
    pub fn time(&self) -> DateTime {
        self.begun.time
    }

    /// Whether it is kept how things were.
    pub fn keeps_journal(&self) -> bool {
        self.begun.keeps_journal
    }

    /// Whether it was begun before.
    pub fn goes_on(&self) -> bool {
        self.begun.goes_on
    }

    /// Notes what became of datasets. If that cannot be noted because the server cannot be reached, the run is over for
    /// now: it would be completed, and not know of what.
    pub async fn note(&self, reports: &[DatasetReport]) -> Result<(), Failure> {
        let noted = match self.note_once(reports).await {
            // The connection may have been lost, and nothing else. Noting the same again changes nothing.
            Err(failure) if failure.is_unreachable() => self.note_once(reports).await,
            noted => noted,
        };
        noted.inspect_err(|failure| {
            if failure.is_unreachable() {
                self.control.break_off_by(failure);
            }
        })
    }

    async fn note_once(&self, reports: &[DatasetReport]) -> Result<(), Failure> {
        if reports.is_empty() {
            return Ok(());
        }
        self.control.wrote();
        self.helpers.did(reports);
        let migrated = reports.iter().filter(|it| it.state == State::Migrated).count();
        let migrated = u64::try_from(migrated).unwrap_or(u64::MAX);
        self.control.tally().done(reports.iter().map(|it| it.id.as_str()), migrated);
        let fence = self.notes_under();
        let (store, hand) = (self.store.clone(), self.helpers.led_as());
        let notes = Notes { store, run: self.id, fence, hand };
        // Whether a run that goes on finds them there because it has taken them there, is seen at its end.
        let found = |it: &&DatasetReport| self.begun.goes_on && it.state == State::Current;
        let news: Vec<DatasetReport> = reports.iter().filter(|it| !found(it)).cloned().collect();
        if !notes.note(&news).await? {
            self.guard.lose();
        }
        Ok(())
    }

    /// Somebody else has the run by now.
    pub fn lose(&self) {
        self.guard.lose();
    }

    /// Who has offered to help.
    pub fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    /// Whether the run is left to other servers when this one is told to stop.
    pub fn hands_over(&self) -> bool {
        self.hands_over
    }

    /// The texts of the `_id`s of datasets that others had migrated for this run until we took it over, with what is
    /// known of them.
    pub fn done_by_others(&self) -> &[DatasetReport] {
        &self.done_by_others
    }

    /// Everything is written; it is being looked at once more.
    ///
    /// # Errors
    ///
    /// If that could not be written down.
    pub async fn verifies(&self) -> Result<(), Failure> {
        let ours = self.ours().await?;
        // One that was taken over while it was being verified is there already.
        if ours.as_ref().is_some_and(|it| it.state == JobState::Verifying) {
            return Ok(());
        }
        // What was verified before it was interrupted may have been written to since then.
        let since = match ours.and_then(|it| it.verifying_since) {
            Some(since) => Some(since),
            None => self.store.moment().await?,
        };
        self.move_on(|_| JobEvent::Written, doc! { "verifying_since": since }).await.map(drop)
    }

    /// Since which moment of the oplog it is being looked at once more; `None` where there is no oplog.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn verifying_since(&self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.ours().await?.and_then(|it| it.verifying_since))
    }

    /// Puts the run to rest: paused or cancelled if that was asked for, otherwise verified and completed.
    ///
    /// `halted`: it did not come to its end. `failures`: some datasets could not be migrated. `error`: why it could not
    /// go on.
    ///
    /// # Errors
    ///
    /// If that could not be written down. The lease runs out by itself then, and somebody else takes the run over.
    pub async fn rest(
        self,
        halted: bool,
        failures: bool,
        error: Option<String>,
    ) -> Result<JobState> {
        let ended = self.settle(halted, failures, error).await;
        self.put_down(ended).await
    }

    async fn put_down(self, ended: Result<Option<JobState>, Failure>) -> Result<JobState> {
        let Self { store, id, guard, eye, .. } = self;
        drop(eye);
        if let Ok(Some(JobState::Undone)) = ended {
            if let Err(failure) = store.forget_marks(id).await {
                tracing::warn!("the marks of run {id} could not be removed: {failure}");
            }
            if let Err(failure) = store.forget_checks(id, true).await {
                tracing::warn!(
                    "what was to be verified of run {id} could not be removed: {failure}"
                );
            }
        }
        guard.release().await;
        match ended {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(Error::TakenOver(id.to_hex())),
            Err(failure) => Err(store.error(failure)),
        }
    }

    /// The state it came to; `None` if somebody else has taken it over.
    async fn settle(
        &self,
        halted: bool,
        failures: bool,
        error: Option<String>,
    ) -> Result<Option<JobState>, Failure> {
        let mut progress = self.control.figures()?;
        progress.extend(doc! {
            "ahead": 0, "holding": null, "under_way": [], "remaining": null, "ended": DateTime::now(),
        });
        if self.control.is_cut_off() {
            let job = self.ours().await?;
            return Ok(job.map(|it| it.state));
        }
        if let Some(error) = error {
            let mut more = progress;
            more.insert("error", error);
            return self.move_on(|_| JobEvent::Broke, more).await;
        }
        if !halted {
            let verified =
                if failures { JobEvent::VerifiedWithFailures } else { JobEvent::Verified };
            // Before it is completed, so that nothing of it stays if that is the last that we do.
            if self.ours().await?.is_some() {
                self.store.forget_marks(self.id).await?;
                self.store.forget_checks(self.id, !failures).await?;
            }
            return self.move_on(|_| verified, progress).await;
        }
        if self.hands_over {
            let job = self.ours().await?;
            if let Some(job) = job.filter(|it| !it.state.is_told_to_rest()) {
                return Ok(Some(job.state));
            }
        } else {
            // Stopped here and not from elsewhere: that is a pause.
            let pause = |state: JobState| {
                if state.is_told_to_rest() { JobEvent::Edge } else { JobEvent::Pause }
            };
            let moved = self.move_on(pause, progress.clone()).await?;
            if moved.is_none_or(|it| !it.is_active()) {
                return Ok(moved);
            }
        }
        self.move_on(|_| JobEvent::Edge, progress).await
    }

    /// The run, unless somebody else has it by now.
    async fn ours(&self) -> Result<Option<Job>, Failure> {
        let job = self.store.job(self.id).await?;
        Ok(job.filter(|it| it.fence == self.guard.fence() && !self.guard.is_lost()))
    }

    /// Moves the run on from whatever state it is in by now: others may tell it to pause or to end at any moment.
    /// Returns where it is then; `None` if somebody else has it.
    async fn move_on(
        &self,
        event: impl Fn(JobState) -> JobEvent,
        more: Document,
    ) -> Result<Option<JobState>, Failure> {
        for _ in 0..ATTEMPTS {
            let Some(job) = self.ours().await? else { return Ok(None) };
            let (next, _) =
                job.state.on(event(job.state)).map_err(|it| Failure::other(it.to_string()))?;
            let fence = Some(self.guard.fence());
            let mut more = more.clone();
            // Whoever wanted it to go on while it was pausing wants nothing of one that has come to its end.
            if !next.is_active() && next != JobState::Paused {
                more.insert("wish", Bson::Null);
            }
            if self.store.move_job(self.id, (job.state, next), fence, more.clone()).await? {
                self.say(next, &more).await;
                return Ok(Some(next));
            }
        }
        Err(Failure::other(format!("run {} is moved by others all the time", self.id)))
    }

    /// Writes into the log where the run is now.
    async fn say(&self, state: JobState, more: &Document) {
        let error = more.get_str("error").ok().map(str::to_owned);
        let why = error.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        let documents = self.control.all_documents();
        let text = format!("is {state}, {documents} samples and frames passed over{why}");
        tell(&self.store, self.id, &Happening::Is { state, error }, &text).await;
    }
}

/// How often a run is looked at again that others keep moving.
const ATTEMPTS: usize = 20;

/// Looks for what people want of a run, and notes how far it is.
struct Eye {
    store: Store,
    id: ObjectId,
    fence: i64,
    control: Control,
    helpers: Helpers,
}

impl Eye {
    fn of(store: &Store, id: ObjectId, fence: i64, control: &Control, helpers: &Helpers) -> Self {
        let (store, control, helpers) = (store.clone(), control.clone(), helpers.clone());
        Self { store, id, fence, control, helpers }
    }

    async fn watch(self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut strains, mut since) = (Looks::default(), LOOKS_PER_STRAIN);
        loop {
            looks.tick().await;
            since += 1;
            if since >= LOOKS_PER_STRAIN {
                since = 0;
                strains.look(&self.store, self.id, &self.control).await;
            }
            let noted = match self.control.figures() {
                Ok(mut figures) => {
                    figures.extend(self.helpers.progress());
                    self.store.note_progress(self.id, self.fence, figures).await
                }
                Err(failure) => Err(failure),
            };
            match noted {
                Ok(Some(wishes)) => {
                    self.helpers.look(&wishes.hands, self.fence, &self.control);
                    self.control.set_pace(wishes.pace);
                    if wishes.state.is_told_to_rest() {
                        self.control.stop();
                    }
                }
                Ok(None) => {
                    tracing::warn!("run {} was taken over by somebody else", self.id);
                    return self.control.lose();
                }
                Err(failure) => tracing::warn!("the progress could not be noted: {failure}"),
            }
        }
    }
}

impl Control {
    /// How far a run is, as it is noted.
    fn figures(&self) -> Result<Document, Failure> {
        let unknown = |it: bson::error::Error| Failure::other(it.to_string());
        let tally = self.tally();
        let mut figures = doc! {
            "documents": self.documents(),
            "ahead": self.documents_ahead(),
            "holding": self.holding(),
            "verified": self.verifying().0,
            "to_verify": self.verifying().1,
            "under_way": bson::serialize_to_bson(&tally.under_way()).map_err(unknown)?,
            "remaining": bson::serialize_to_bson(&tally.remaining()).map_err(unknown)?,
        };
        if let Some(last) = self.last_write() {
            figures.insert("last_write", last);
        }
        if tally.has_begun() {
            figures.insert("bytes", i64::try_from(tally.bytes()).unwrap_or(i64::MAX));
            figures.insert("rates", bson::serialize_to_bson(&tally.rates()).map_err(unknown)?);
        }
        Ok(figures)
    }
}

/// Adds a sentence to a run's log about what this program does. A run does not fail because of its log.
pub async fn log(store: &Store, run: ObjectId, text: &str) {
    logged(store, run, &Holder::this().name(), text, None).await;
}

/// The same about something that belongs into the run's timeline.
pub async fn tell(store: &Store, run: ObjectId, what: &Happening, text: &str) {
    tell_by(store, run, &Holder::this().name(), what, text).await;
}

/// The same about what somebody wants.
pub async fn tell_by(store: &Store, run: ObjectId, by: &str, what: &Happening, text: &str) {
    logged(store, run, by, text, Some(what)).await;
}

/// The same about a run that could not go on although nobody carried it out.
pub async fn tell_left(store: &Store, run: ObjectId, state: JobState, why: &str) {
    let what = Happening::Is { state, error: Some(why.to_owned()) };
    tell(store, run, &what, &format!("is {state}: {why}")).await;
}

async fn logged(store: &Store, run: ObjectId, by: &str, text: &str, what: Option<&Happening>) {
    if let Err(failure) = store.log(run, by, text, what).await {
        tracing::warn!("the log of run {run} could not be written: {failure}");
    }
}

/// What others had migrated of a run that we have taken over while they helped with it, and whoever led it did not know.
async fn done_by_others(store: &Store, left: Option<&Job>) -> Result<Vec<DatasetReport>> {
    let Some(left) = left.filter(|it| it.state.is_active() && !it.hands.is_empty()) else {
        return Ok(Vec::new());
    };
    let found = store.migrated_by_others(left.id, left.fence).await;
    let found = found.map_err(|it| store.error(it))?;
    Ok(found.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok()).collect())
}

/// Decides which run this is: the one that was named, one that was left with the same to do, or a new one. Others that
/// were left behind in the middle are noted as failed: nobody carries them out any more.
async fn settle(
    store: &Store,
    fresh: ObjectId,
    proposal: &Proposal,
    fence: i64,
) -> Result<(ObjectId, Option<Job>)> {
    let error = |it| store.error(it);
    let mut ours = None;
    for job in store.unfinished_jobs().await.map_err(error)? {
        let forward = job.state != JobState::Undoing;
        let same = ours.is_none() && forward && job.asked == proposal.asked;
        let wanted = proposal.job.map_or(same, |id| job.id == id);
        if wanted {
            ours = Some((job.id, Some(job)));
        } else if job.state.is_active() {
            let text = "whoever carried it out was gone; another run has begun since";
            let more = doc! { "error": text, "ended": DateTime::now() };
            let (next, _) =
                job.state.on(JobEvent::Broke).map_err(|it| Error::Refused(it.to_string()))?;
            let to = (job.state, next);
            if store.move_job(job.id, to, Some(fence), more).await.map_err(error)? {
                tell_left(store, job.id, next, text).await;
            }
        }
    }
    if ours.is_none() && proposal.job.is_some() {
        // A finished one that is to be retried, for example.
        let job = store.job(fresh).await.map_err(error)?;
        return Ok((fresh, job));
    }
    Ok(ours.unwrap_or((fresh, None)))
}

/// Writes the run down, or that one that was left goes on.
async fn begin(
    store: &Store,
    id: ObjectId,
    left: Option<Job>,
    proposal: &Proposal,
    (before, fence): (i64, i64),
) -> Result<Begun> {
    let error = |it| store.error(it);
    let now = DateTime::now();
    let Some(left) = left else {
        let job = Job {
            datasets: i64::try_from(proposal.datasets.len()).unwrap_or(i64::MAX),
            plan: proposal.plan.clone(),
            agreed: Some(proposal.agreed.clone()),
            state: JobState::Running,
            fence,
            time: Some(now),
            begun: Some(now),
            started: Some(now),
            journal: Some(JobJournal::begun(proposal)),
            by: proposal.by.clone(),
            ..Job::asked_now(id, store.name(), proposal.asked.clone(), &proposal.destination)
        };
        store.insert_job(&job, &proposal.datasets).await.map_err(error)?;
        let keeps_journal = !proposal.asked.without_undo;
        let state = JobState::Running;
        return Ok(Begun { time: now, keeps_journal, goes_on: false, state });
    };
    is_wanted(&left, proposal)?;
    let from = left.state;
    let event = match from {
        JobState::Planned => JobEvent::Start,
        it if it.is_active() => JobEvent::TakenOver,
        JobState::CompletedWithFailures => JobEvent::Retry,
        _ => JobEvent::Resume,
    };
    let refused = |it: model::NotNow| Error::Refused(format!("run {id}: {it}"));
    let (mut next, _) = from.on(event).map_err(refused)?;
    // Left while it was pausing: it is asked for again now.
    if !next.is_active() {
        (next, _) = next.on(JobEvent::Resume).map_err(refused)?;
    }
    store.adopt_marks(id, (before, fence)).await.map_err(error)?;
    let mut planned = proposal.datasets.clone();
    if !proposal.arrived.is_empty() {
        let arrived: Vec<String> = proposal.arrived.iter().cloned().collect();
        let known = store.noted_datasets(id, &arrived).await.map_err(error)?;
        let known: BTreeSet<&str> =
            known.iter().filter_map(|it| it.get_str("dataset").ok()).collect();
        planned.retain(|it| !known.contains(it.dataset.as_str()));
    }
    store.note_datasets(id, fence, &planned).await.map_err(error)?;
    // Planned long ago, perhaps, or tried again after what was wrong has been mended: that is another time.
    let anew = matches!(event, JobEvent::Start | JobEvent::Retry);
    let time = left.time.filter(|_| !anew).unwrap_or(now);
    let mut more = doc! { "started": now, "ended": null, "error": null, "time": time };
    more.insert("begun", left.begun.or(left.started).unwrap_or(now));
    // Whoever has asked for the same once more has agreed to it as it is now, also to what was not to go down before.
    let nothing_was_to = left.agreed.as_ref().is_none_or(|it| it.down.is_none());
    let more_is_to = nothing_was_to && proposal.agreed.down.is_some();
    if proposal.read.is_none() && (left.started.is_none() || more_is_to) {
        let agreed = bson::serialize_to_document(&proposal.agreed);
        more.insert("agreed", agreed.map_err(|it| Error::Driver(it.to_string()))?);
    }
    if anew {
        more.insert("verifying_since", Bson::Null);
    }
    // What was not kept from the beginning is not kept from the middle on: it would be a part of what was changed.
    let journal = match left.journal.clone() {
        Some(it) if it.state == JournalState::Kept => {
            Some(JobJournal { expires: JobJournal::begun(proposal).expires, ..it })
        }
        // One that was cancelled before it began has changed nothing yet.
        None if left.started.is_none() => Some(JobJournal::begun(proposal)),
        other => other,
    };
    let keeps_journal = journal.as_ref().is_some_and(|it| it.state == JournalState::Kept);
    if let Some(journal) = &journal {
        let journal = bson::serialize_to_document(journal);
        more.insert("journal", journal.map_err(|it| Error::Driver(it.to_string()))?);
    }
    if store.begin_job(&left, next, fence, more).await.map_err(error)? {
        return Ok(Begun { time, keeps_journal, goes_on: true, state: next });
    }
    Err(Error::Refused(format!(
        "run {id} was changed by somebody else in this moment; look at it and try again"
    )))
}

/// Refuses to begin a run that is another than it was when that was decided, or of which somebody wants the contrary.
fn is_wanted(left: &Job, proposal: &Proposal) -> Result<()> {
    if let Some(read) = &proposal.read {
        read.is_as(left)?;
    }
    let Some(wish) = left.wish.as_ref().filter(|it| it.event == JobEvent::Undo) else {
        return Ok(());
    };
    Err(Error::Refused(format!(
        "run {} is {}{}; look at it again when that has begun",
        left.id,
        left.state,
        wish.words()
    )))
}

impl Job {
    /// A run that was just asked for, and not begun.
    pub fn asked_now(id: ObjectId, database: &str, asked: Asked, destination: &str) -> Self {
        Self {
            id,
            database: database.to_owned(),
            asked,
            destination: destination.to_owned(),
            datasets: 0,
            plan: String::new(),
            agreed: None,
            state: JobState::Planned,
            fence: 0,
            by: Holder::this().name(),
            created: DateTime::now(),
            time: None,
            begun: None,
            started: None,
            ended: None,
            last_write: None,
            documents: 0,
            ahead: 0,
            verified: 0,
            to_verify: 0,
            verifying_since: None,
            bytes: 0,
            under_way: Vec::new(),
            rates: None,
            remaining: None,
            estimate: None,
            pace: Pace::default(),
            holding: None,
            error: None,
            refused: None,
            journal: None,
            undo: None,
            wish: None,
            hands: BTreeMap::new(),
        }
    }
}

impl JobJournal {
    /// The journal of a run that begins now.
    fn begun(proposal: &Proposal) -> Self {
        let kept = Duration::from_secs(u64::from(proposal.undo_days) * 24 * 60 * 60);
        let expires = DateTime::now().timestamp_millis()
            + i64::try_from(kept.as_millis()).unwrap_or(i64::MAX / 2);
        let without = proposal.asked.without_undo;
        let state = if without { JournalState::None } else { JournalState::Kept };
        Self { state, expires: DateTime::from_millis(expires), removing: false }
    }
}
