//! A run that is carried out: written down before it begins, under a lease, and moved from state to state while others
//! watch it.

mod holder;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bson::{DateTime, Document, doc, oid::ObjectId};
use model::{JobEvent, JobState};
use tokio::task::JoinHandle;

use crate::{
    Error, Result,
    progress::Control,
    report::DatasetReport,
    store::{Asked, Failure, Holder, Job, JobDataset, Lease, Store, Taking},
};

/// How often a run looks for what people want of it, and notes how far it is.
const LOOK: Duration = Duration::from_millis(250);

/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long after taking or renewing its lease a holder may begin new writes. What is left of the lease then, 12 s, is
/// longer than anything begun may take.
const WRITING: Duration = Duration::from_secs(18);

/// What a run shall do.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// What was asked for.
    pub asked: Asked,
    /// The plan, dataset by dataset.
    pub datasets: Vec<JobDataset>,
    /// The hash of the plan.
    pub plan: String,
    /// Where to, now that it is decided.
    pub destination: String,
    /// The run to go on with; `None` for a new one, or for one that was left behind with the same to do.
    pub job: Option<ObjectId>,
    /// Whether a run that is told to stop here is left to other servers, not paused.
    pub hands_over: bool,
}

/// A run in our hands: we hold the lease.
#[derive(Debug)]
pub struct Hand {
    store: Store,
    id: ObjectId,
    fence: i64,
    control: Control,
    hands_over: bool,
    lost: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Hand {
    /// Takes the lease and writes the run down, or goes on with one that was left behind.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if somebody else migrates this database now. Nothing was written then.
    pub async fn take(store: &Store, proposal: Proposal, control: Control) -> Result<Self> {
        let error = |it| store.error(it);
        let fresh = proposal.job.unwrap_or_default();
        let (lease, since) = take_lease(store, fresh, &proposal.asked).await?;
        control.write_until(since + WRITING);
        let fence = lease.fence;
        let taken = async {
            let (id, from) = settle(store, fresh, &proposal, fence).await?;
            begin(store, id, from, &proposal, fence).await?;
            Ok::<_, Error>(id)
        };
        let id = match taken.await {
            Ok(id) => id,
            Err(why) => {
                store.release_lease(fence).await.map_err(error)?;
                return Err(why);
            }
        };
        if id != fresh {
            store.lease_is_for(fence, id).await.map_err(error)?;
        }
        let lost = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            store: store.clone(),
            id,
            fence,
            control: control.clone(),
            lost: Arc::clone(&lost),
        };
        let keeper = tokio::spawn(keeper.keep());
        Ok(Self {
            store: store.clone(),
            id,
            fence,
            control,
            hands_over: proposal.hands_over,
            lost,
            keeper,
        })
    }

    /// Which run it is.
    pub fn id(&self) -> ObjectId {
        self.id
    }

    /// Notes what became of datasets.
    pub async fn note(&self, reports: &[DatasetReport]) -> Result<(), Failure> {
        if reports.is_empty() {
            return Ok(());
        }
        self.control.wrote();
        // Of most there is nothing to say but that they are done, and that is quick to say of many at once.
        let (plain, others): (Vec<_>, Vec<_>) =
            reports.iter().partition(|it| it.is_plainly_migrated());
        let ids: Vec<&str> = plain.iter().map(|it| it.id.as_str()).collect();
        let mut whole: Vec<&DatasetReport> = others;
        if !ids.is_empty()
            && self.store.note_state(self.id, self.fence, &ids, "migrated").await? != ids.len()
        {
            // Some that were not planned when the run began, or somebody else has the run now.
            whole.extend(plain);
        }
        let whole: Vec<JobDataset> = whole.into_iter().map(noted).collect::<Result<_, _>>()?;
        match self.store.note_datasets(self.id, self.fence, &whole).await {
            Err(failure) if failure.is_duplicate() => {
                self.lost.store(true, Ordering::Relaxed);
                self.control.stop();
                Ok(())
            }
            noted => noted,
        }
    }

    /// Everything is written; it is being looked at once more.
    pub async fn verifies(&self) -> Result<(), Failure> {
        // One that was taken over while it was being verified is there already.
        if self.store.job(self.id).await?.is_some_and(|it| it.state == JobState::Verifying) {
            return Ok(());
        }
        self.move_on(JobEvent::Written, Document::new()).await.map(drop)
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
        self.keeper.abort();
        // Others may go on at once; if this fails, the lease runs out by itself.
        self.store.release_lease(self.fence).await.ok();
        match ended {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(Error::TakenOver(self.id.to_hex())),
            Err(failure) => Err(self.store.error(failure)),
        }
    }

    /// The state it came to; `None` if somebody else has taken it over.
    async fn settle(
        &self,
        halted: bool,
        failures: bool,
        error: Option<String>,
    ) -> Result<Option<JobState>, Failure> {
        let job = self.store.job(self.id).await?.filter(|it| it.fence == self.fence);
        let Some(job) = job.filter(|_| !self.lost.load(Ordering::Relaxed)) else { return Ok(None) };
        let progress = doc! { "documents": self.control.documents(), "ended": DateTime::now() };
        if let Some(error) = error {
            let mut more = progress;
            more.insert("error", error);
            return self.move_on(JobEvent::Broke, more).await.map(Some);
        }
        if halted {
            if matches!(job.state, JobState::Running | JobState::Verifying) {
                if self.hands_over {
                    return Ok(Some(job.state));
                }
                self.move_on(JobEvent::Pause, Document::new()).await?;
            }
            return self.move_on(JobEvent::Edge, progress).await.map(Some);
        }
        let verified = if failures { JobEvent::VerifiedWithFailures } else { JobEvent::Verified };
        self.move_on(verified, progress).await.map(Some)
    }

    /// Moves the run on from whatever state it is in by now.
    async fn move_on(&self, event: JobEvent, more: Document) -> Result<JobState, Failure> {
        for _ in 0..ATTEMPTS {
            let Some(job) = self.store.job(self.id).await? else {
                return Err(Failure::other(format!("run {} is gone", self.id)));
            };
            let (next, _) = job.state.on(event).map_err(|it| Failure::other(it.to_string()))?;
            let moved =
                self.store.move_job(self.id, (job.state, next), Some(self.fence), more.clone());
            if moved.await? {
                return Ok(next);
            }
        }
        Err(Failure::other(format!("run {} was taken over", self.id)))
    }
}

/// How often a run is looked at again that others keep moving.
const ATTEMPTS: usize = 5;

/// Keeps the lease, and an eye on what people want.
struct Keeper {
    store: Store,
    id: ObjectId,
    fence: i64,
    control: Control,
    lost: Arc<AtomicBool>,
}

impl Keeper {
    async fn keep(self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            looks.tick().await;
            if renewed.elapsed() >= RENEWAL {
                match self.store.renew_lease(self.fence).await {
                    Ok(Some(since)) => {
                        renewed = Instant::now();
                        self.control.write_until(since + WRITING);
                    }
                    Ok(None) => return self.lose(),
                    // The server may be back before the lease runs out; after that nothing is written.
                    Err(failure) => tracing::warn!("the lease could not be renewed: {failure}"),
                }
            }
            let mut progress = doc! { "documents": self.control.documents() };
            if let Some(last) = self.control.last_write() {
                progress.insert("last_write", last);
            }
            match self.store.note_progress(self.id, self.fence, progress).await {
                Ok(Some(JobState::Pausing | JobState::Cancelling)) => self.control.stop(),
                Ok(Some(_)) => {}
                Ok(None) => return self.lose(),
                Err(failure) => tracing::warn!("the progress could not be noted: {failure}"),
            }
        }
    }

    fn lose(&self) {
        tracing::warn!("run {} was taken over by somebody else", self.id);
        self.lost.store(true, Ordering::Relaxed);
        self.control.stop();
    }
}

async fn take_lease(store: &Store, run: ObjectId, asked: &Asked) -> Result<(Lease, Instant)> {
    let error = |it| store.error(it);
    let holder = Holder::this();
    let mut taking = store.take_lease(run, asked, &holder).await.map_err(error)?;
    if let Taking::Held(gone) = &taking
        && gone.holder.is_gone()
    {
        taking = store.inherit_lease(run, asked, &holder, gone).await.map_err(error)?;
    }
    match taking {
        Taking::Taken(lease, since) => Ok((lease, since)),
        Taking::Held(lease) => {
            let job = store.job(lease.run).await.map_err(error)?;
            Err(Error::Busy {
                run: lease.run.to_hex(),
                by: lease.holder.name(),
                pid: lease.holder.pid,
                since: lease.taken.try_to_rfc3339_string().unwrap_or_default(),
                documents: job.as_ref().map_or(0, |it| it.documents),
                same: lease.asked == *asked,
            })
        }
    }
}

/// Decides which run this is: the one that was named, one that was left with the same to do, or a new one. Others that
/// were left behind in the middle are noted as failed: nobody carries them out any more.
async fn settle(
    store: &Store,
    fresh: ObjectId,
    proposal: &Proposal,
    fence: i64,
) -> Result<(ObjectId, Option<JobState>)> {
    let error = |it| store.error(it);
    let mut ours = None;
    for job in store.unfinished_jobs().await.map_err(error)? {
        let wanted = match proposal.job {
            Some(id) => job.id == id,
            None => ours.is_none() && job.asked == proposal.asked,
        };
        if wanted {
            ours = Some((job.id, Some(job.state)));
        } else if job.state.is_active() {
            let text = "whoever carried it out was gone; another run has begun since";
            let more = doc! { "error": text, "ended": DateTime::now() };
            let (next, _) =
                job.state.on(JobEvent::Broke).map_err(|it| Error::Refused(it.to_string()))?;
            store.move_job(job.id, (job.state, next), Some(fence), more).await.map_err(error)?;
        }
    }
    if ours.is_none() && proposal.job.is_some() {
        // A finished one that is to be retried, for example.
        let job = store.job(fresh).await.map_err(error)?;
        return Ok((fresh, job.map(|it| it.state)));
    }
    Ok(ours.unwrap_or((fresh, None)))
}

async fn begin(
    store: &Store,
    id: ObjectId,
    from: Option<JobState>,
    proposal: &Proposal,
    fence: i64,
) -> Result<()> {
    let error = |it| store.error(it);
    let now = DateTime::now();
    let Some(from) = from else {
        let job = Job {
            id,
            database: store.name().to_owned(),
            asked: proposal.asked.clone(),
            destination: proposal.destination.clone(),
            by: Holder::this().name(),
            datasets: i64::try_from(proposal.datasets.len()).unwrap_or(i64::MAX),
            plan: proposal.plan.clone(),
            state: JobState::Running,
            fence,
            created: now,
            started: Some(now),
            ended: None,
            last_write: None,
            documents: 0,
            error: None,
        };
        return store.insert_job(&job, &proposal.datasets).await.map_err(error);
    };
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
    store.note_datasets(id, fence, &proposal.datasets).await.map_err(error)?;
    let more = doc! { "started": now, "ended": null, "error": null };
    if store.move_job(id, (from, next), Some(fence), more).await.map_err(error)? {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "run {id} was changed by somebody else in this moment; look at it and try again"
    )))
}

/// A report as it is kept.
pub fn noted(report: &DatasetReport) -> Result<JobDataset, Failure> {
    let document =
        bson::serialize_to_document(report).map_err(|it| Failure::other(it.to_string()))?;
    Ok(JobDataset { dataset: report.id.clone(), report: document })
}
