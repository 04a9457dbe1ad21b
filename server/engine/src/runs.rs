//! Runs that are there already: listing them, controlling them from anywhere, going on with them.

use std::time::{Duration, Instant};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::FutureExt;
use model::{
    Action, FailureGroup, JobEvent, JobState, JournalState, LogLine, Pace, Permit, RunHand,
    RunSummary, RunWish,
};

use crate::{
    Control, DatasetReport, Engine, Error, Meter, OnFailure, Report, Request, Result, State,
    Target,
    asked::nobodys_wish,
    guard,
    job::{AsRead, Course, tell, tell_by, tell_left},
    run::Going,
    store::{Asked, Happening, Holder, Job, JobHand, Lease, Scope, Taking},
    undo::Expiry,
};

/// How often a server looks for runs that nobody carries out.
const ROUND: Duration = Duration::from_secs(2);

/// How often a server looks for undo journals that have expired.
const EXPIRY: Duration = Duration::from_mins(10);

/// How many runs are listed.
pub const LISTED: u16 = 100;

impl Engine {
    /// The runs of this database, newest first. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn runs(&self) -> Result<Vec<RunSummary>> {
        let mut runs = Vec::new();
        for job in self.store.list_jobs(LISTED.into()).await.map_err(|it| self.store.error(it))? {
            runs.push(self.summary(job, false).await?);
        }
        Ok(runs)
    }

    /// One run. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownRun`] if this database has no such run.
    pub async fn run(&self, id: &str) -> Result<RunSummary> {
        self.summary(self.job(id).await?, true).await
    }

    /// The same without the names of datasets, which are not worth looking for as often as it is looked how far a run is.
    pub(crate) async fn unnamed_run(&self, id: &str) -> Result<RunSummary> {
        self.summary(self.job(id).await?, false).await
    }

    /// What became of the datasets of a run, by name. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`].
    pub async fn run_datasets(&self, id: &str) -> Result<Vec<DatasetReport>> {
        let job = self.job(id).await?;
        let found =
            self.store.job_datasets(job.id, &[]).await.map_err(|it| self.store.error(it))?;
        let all = found.len();
        let mut known: Vec<DatasetReport> =
            found.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok()).collect();
        for it in &mut known {
            // Of those that are under way, the run itself says how far they are.
            let now = job.under_way.iter().find(|now| now.dataset == it.id);
            if let Some(now) = now.filter(|_| it.state == State::Planned) {
                it.figures = now.figures();
            }
        }
        if known.len() < all {
            // Written in other words, by another version of this program.
            tracing::warn!("{} datasets of run {id} cannot be read", all - known.len());
        }
        Ok(known)
    }

    /// What happened to a run, from its beginning. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`].
    pub async fn run_log(&self, id: &str) -> Result<Vec<LogLine>> {
        let job = self.job(id).await?;
        self.store.log_of(job.id).await.map_err(|it| self.store.error(it))
    }

    /// Lets a run go at another pace, also while it is carried out. Returns the run.
    ///
    /// # Errors
    ///
    /// As [`Engine::wish`]; and [`Error::Refused`] if the pace makes no sense.
    pub async fn set_pace(
        &self,
        permit: &Permit,
        id: &str,
        change: impl FnOnce(Pace) -> Pace,
    ) -> Result<RunSummary> {
        permit.covers(Action::ControlRuns)?;
        let job = self.job(id).await?;
        self.allowed()?;
        let pace = change(job.pace).checked().map_err(|it| Error::Refused(it.to_string()))?;
        self.store.set_pace(job.id, pace).await.map_err(|it| self.store.error(it))?;
        let what = Happening::Paced { pace: pace.to_string() };
        tell_by(&self.store, job.id, permit.holder(), &what, &format!("shall run {pace}")).await;
        self.run(id).await
    }

    /// Tells a run to pause or to end. It does so at its next batch edge; if nobody carries it out, it is paused or
    /// ended at once.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if that makes no sense in the state it is in; the
    /// words say what does.
    pub async fn wish(&self, permit: &Permit, id: &str, event: JobEvent) -> Result<RunSummary> {
        permit.covers(Action::ControlRuns)?;
        self.wish_of(id, event, permit.holder()).await
    }

    /// The same, once it is known that they may.
    pub(crate) async fn wish_of(&self, id: &str, event: JobEvent, by: &str) -> Result<RunSummary> {
        // The others happen to a run, and would make it tell what is not true.
        if !matches!(event, JobEvent::Pause | JobEvent::Cancel) {
            return Err(nobodys_wish(id, event));
        }
        let job = self.job(id).await?;
        self.allowed()?;
        let (next, _) =
            job.state.on(event).map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
        let mut more = if next.is_active() {
            Document::new()
        } else {
            doc! { "ended": DateTime::now() }
        };
        // Whatever was wanted of it before, this is wanted now.
        more.insert("wish", Bson::Null);
        let moved = self.store.move_job(job.id, (job.state, next), None, more).await;
        if !moved.map_err(|it| self.store.error(it))? {
            return Err(Error::Refused(format!(
                "run {id} has moved on in this moment; look at it with `fiftyone-migrate runs show {id}` and try again"
            )));
        }
        let what = Happening::Asked { event, state: next };
        tell_by(&self.store, job.id, by, &what, &format!("shall be {event}")).await;
        self.settle_abandoned(&job, next).await?;
        self.run(id).await
    }

    /// Goes on with a run: resumes or retries it, or takes over one that nobody carries out any more.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Busy`] if somebody carries it, or another one, out now;
    /// [`Error::Refused`] if there is nothing to go on with.
    pub async fn go_on(
        &self,
        permit: &Permit,
        id: &str,
        event: JobEvent,
        control: Control,
    ) -> Result<Report> {
        let job = self.controlled(permit, id).await?;
        if !job.state.is_active() {
            job.state.on(event).map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
        }
        if event == JobEvent::Retry {
            return Box::pin(self.retry_all(job, None, control, false)).await;
        }
        self.carry_out(job, control, false).await
    }

    /// Writes down a run for a server to carry out, and returns it with its plan; `None` if there is nothing to do.
    ///
    /// # Errors
    ///
    /// As [`Engine::migrate`]: what is refused is refused now, while there is somebody to see it.
    pub async fn leave_to_a_server(
        &self,
        permit: &Permit,
        request: &Request,
        control: Control,
    ) -> Result<Option<(RunSummary, Report)>> {
        permit.covers(Action::MigrateDatabase)?;
        self.allowed()?;
        let dry = Request { dry_run: true, ..request.clone() };
        let plan = self.migrate(permit, dry, control).await?;
        if request.on_failure == OnFailure::Stop
            && plan.datasets.iter().any(DatasetReport::is_failure)
        {
            let failures = crate::report::failures(&plan.datasets);
            return Err(Error::Refused(nothing_begun(&failures)));
        }
        let datasets = plan.count(State::Planned) + plan.count(State::Refused);
        if datasets == 0 && plan.database.as_ref().is_none_or(|it| it.state == State::Current) {
            return Ok(None);
        }
        let run = self.write_down(permit, ObjectId::new(), request, &plan).await?;
        Ok(Some((run, plan)))
    }

    /// Writes down what a plan has come to, as a run that waits for a server. Where there is a run with this id, nothing is
    /// written, and it is that run.
    pub(crate) async fn write_down(
        &self,
        permit: &Permit,
        id: ObjectId,
        request: &Request,
        plan: &Report,
    ) -> Result<RunSummary> {
        self.may_begin(permit, request, plan).await?;
        let datasets = plan.count(State::Planned) + plan.count(State::Refused);
        let destination = request.destination.as_ref().unwrap_or(crate::versions::newest());
        let asked = Asked::of(request);
        if let Some(frozen) = asked.selected {
            self.keep_for_a_run(frozen).await?;
        }
        let job = Job {
            datasets: i64::try_from(datasets).unwrap_or(i64::MAX),
            agreed: Some(Course::of(plan.database.as_ref(), &plan.datasets).agreed),
            estimate: plan.estimate.clone(),
            by: permit.holder().to_owned(),
            ..Job::asked_now(id, self.store.name(), asked, &destination.to_string())
        };
        match self.store.insert_job(&job, &[]).await {
            Err(failure) if failure.is_duplicate() => {}
            written => written.map_err(|it| self.store.error(it))?,
        }
        self.run(&id.to_hex()).await
    }

    /// Carries out runs that wait for a server, and takes over those whose holder is gone, until it is told to stop.
    /// What is under way then is left to other servers.
    pub async fn attend(self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let (mut expiry, mut told): (Option<Instant>, bool) = (None, false);
        loop {
            if self.may_migrate() && expiry.is_none_or(|it| it.elapsed() > EXPIRY) {
                // A part at a time: runs that wait must not wait for that.
                let begun = Instant::now();
                let expired = Expiry::of(&self.store).await;
                let removed = expired.remove(|| begun.elapsed() < ROUND).await;
                expiry = removed.then_some(begun);
            }
            // Whoever was to lose their access must not wait for the next change to lose it.
            match self.accounts().complete_changes().await {
                Err(error) if !told => {
                    told = true;
                    let what = "changes of accounts that were begun cannot be completed";
                    tracing::warn!("{what}: {error}");
                }
                completed => told &= completed.is_err(),
            }
            let (control, meter, mut events) = Control::new();
            let work = async {
                let heard = async { while events.recv().await.is_some() {} };
                tokio::join!(self.attend_once(control), heard).0
            };
            let ended = Box::pin(run_until(work, stop.as_mut(), &meter)).await;
            if let Err(error) = &ended.0 {
                tracing::warn!("{error}");
            }
            if ended.1 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.as_mut() => return,
            }
        }
    }

    async fn attend_once(&self, control: Control) -> Result<()> {
        let error = |it| self.store.error(it);
        if !self.may_migrate() {
            return Ok(());
        }
        let jobs = self.store.unfinished_jobs().await.map_err(error)?;
        let wished = self.store.wished_jobs().await.map_err(error)?;
        if wished.is_empty() && jobs.iter().all(|it| it.state == JobState::Paused) {
            return Ok(());
        }
        if let Some(lease) = self.holder().await? {
            let theirs = |it: &Job| it.id == lease.run && it.state == JobState::Running;
            if let Some(job) = jobs.into_iter().find(theirs) {
                self.help(job, control).boxed().await?;
            }
            return Ok(());
        }
        for job in jobs.into_iter().filter(|it| it.state != JobState::Paused) {
            let id = job.id.to_hex();
            if job.state.is_told_to_rest() {
                self.settle_abandoned(&job, job.state).await?;
                continue;
            }
            tracing::info!("carrying out run {id}");
            match self.carry_out(job, control.clone(), true).await {
                Err(Error::Busy { .. } | Error::Repairing { .. }) => {}
                // Nobody would see it otherwise, and it would be tried again for ever.
                Err(why) => self.give_up(&id, &why).await?,
                Ok(report) => {
                    if let Some(why) = stopped_before(&report) {
                        self.give_up(&id, &Error::Refused(why)).await?;
                    }
                }
            }
            return Ok(());
        }
        for job in wished {
            // One at a time: while it goes on, others help with it.
            if let Some(wish) = job.wish.clone() {
                return Box::pin(self.fulfil(job, &wish, control)).await;
            }
        }
        Ok(())
    }

    /// A run that could not even begin. One that somebody else carries out by now is not ours to give up.
    async fn give_up(&self, id: &str, why: &Error) -> Result<()> {
        let passing =
            matches!(why, Error::Unreachable { .. } | Error::CutOff { .. } | Error::TakenOver(_));
        if passing || self.is_busy().await? {
            return Ok(());
        }
        let job = self.job(id).await?;
        let Ok((next, _)) = job.state.on(JobEvent::Broke) else { return Ok(()) };
        let more = doc! { "error": why.to_string(), "ended": DateTime::now() };
        let moved = self.store.move_job(job.id, (job.state, next), None, more).await;
        if moved.map_err(|it| self.store.error(it))? {
            tell_left(&self.store, job.id, next, &why.to_string()).await;
        }
        Ok(())
    }

    pub(crate) async fn carry_out(
        &self,
        job: Job,
        control: Control,
        hands_over: bool,
    ) -> Result<Report> {
        let error = |it| self.store.error(it);
        if job.state == JobState::Undoing {
            return Box::pin(self.take_back(job, None, control, hands_over)).await;
        }
        let only = match job.asked.scope {
            // Until it has begun it has no datasets but those that it was asked for.
            Scope::Datasets | Scope::Selected if job.started.is_some() => {
                let found = self.store.job_datasets(job.id, &[]).await.map_err(error)?;
                let id = |it: &Document| it.get_str("dataset").ok().map(str::to_owned);
                Some(found.iter().filter_map(id).collect())
            }
            _ => None,
        };
        let read = Some(AsRead::of(&job));
        let going = Going { job: Some(job.id), read, only, hands_over, ..Going::default() };
        self.carry(None, job.request()?, going, control).await
    }

    /// A run that somebody wants to go on with: undoing one is another right.
    pub(crate) async fn controlled(&self, permit: &Permit, id: &str) -> Result<Job> {
        permit.covers(Action::ControlRuns)?;
        let job = self.job(id).await?;
        self.allowed()?;
        if job.state == JobState::Undoing {
            permit.covers(Action::UndoRuns)?;
        }
        Ok(job)
    }

    /// A run that is to pause or to end, but that nobody carries out: it is where it was to go already.
    async fn settle_abandoned(&self, job: &Job, state: JobState) -> Result<()> {
        let error = |it| self.store.error(it);
        if !state.is_told_to_rest() {
            return Ok(());
        }
        let (id, this) = (job.id, Holder::this());
        let mut taking = self.store.take_lease(id, &job.asked, &this).await.map_err(error)?;
        if let Taking::Held(gone) = &taking
            && gone.run == id
            && gone.holder.is_gone()
        {
            taking = self.store.inherit_lease(id, &job.asked, &this, gone).await.map_err(error)?;
            // It is given back below, and whoever takes it then does not know that somebody was killed.
            guard::outwait(&self.store).await;
        }
        let Taking::Taken(lease, _) = taking else { return Ok(()) };
        if lease.division.is_some() {
            // Those who helped come to their edge first; it is looked again later.
            let held = self.store.held_shares(lease.fence).await.map_err(error)?;
            if !held.is_empty() {
                return self.store.release_lease(lease.fence).await.map_err(error);
            }
        }
        let (next, _) =
            state.on(JobEvent::TakenOver).map_err(|it| Error::Refused(it.to_string()))?;
        let more = doc! { "ended": DateTime::now() };
        let moved = self.store.move_job(id, (state, next), Some(lease.fence), more).await;
        if moved.map_err(error)? {
            let what = Happening::Is { state: next, error: None };
            tell(&self.store, id, &what, &format!("is {next}; nobody carried it out")).await;
        }
        self.store.release_lease(lease.fence).await.map_err(error)
    }

    pub(crate) async fn job(&self, id: &str) -> Result<Job> {
        let unknown = || Error::UnknownRun(id.to_owned());
        let id = ObjectId::parse_str(id).map_err(|_| unknown())?;
        self.store.job(id).await.map_err(|it| self.store.error(it))?.ok_or_else(unknown)
    }

    /// Whether somebody carries a run out.
    async fn held(&self, job: &Job) -> Result<bool> {
        Ok(self.holder().await?.is_some_and(|it| it.run == job.id))
    }

    /// Whether somebody migrates this database.
    async fn is_busy(&self) -> Result<bool> {
        Ok(self.holder().await?.is_some())
    }

    /// The lease, while it holds and whoever has it is not known to be gone.
    pub(crate) async fn holder(&self) -> Result<Option<Lease>> {
        let error = |it| self.store.error(it);
        if self.store.is_lease_free().await.map_err(error)? {
            return Ok(None);
        }
        let lease = self.store.lease().await.map_err(error)?;
        Ok(lease.filter(|it| !it.holder.is_gone()))
    }

    /// `named`: with the first names of those that could not be migrated.
    pub(crate) async fn summary(&self, mut job: Job, named: bool) -> Result<RunSummary> {
        let mut held = job.state.is_active() && self.held(&job).await?;
        if job.state.is_active() && !held {
            // It may have come to rest since it was read: the lease is given back after that is written down.
            let now = self.store.job(job.id).await.map_err(|it| self.store.error(it))?;
            if let Some(now) = now {
                job = now;
                held = job.state.is_active() && self.held(&job).await?;
            }
        }
        let total = |own: i64, of: fn(&JobHand) -> i64| {
            let others: i64 = job.hands.values().filter(|it| !it.leads).map(of).sum();
            u64::try_from(own + others).unwrap_or(0)
        };
        let last_write =
            job.hands.values().map(|it| it.last_write).fold(job.last_write, Option::max);
        let mut hands: Vec<RunHand> = job.hands.values().map(|it| it.summary(held)).collect();
        hands.sort_by(|a, b| (!a.leads, &a.since).cmp(&(!b.leads, &b.since)));
        let datasets =
            self.store.count_job_datasets(job.id).await.map_err(|it| self.store.error(it))?;
        let failures = self.failures(&job, &datasets, named).await?;
        let time = crate::clock::text;
        let kept = job.journal.as_ref().map_or(JournalState::None, |it| it.state);
        let mut choices = job.state.choices();
        choices.retain(|it| *it != JobEvent::Undo || kept == JournalState::Kept);
        let wish = job.wish.map(|it| RunWish { event: it.event, by: it.by, at: time(it.at) });
        Ok(RunSummary {
            id: job.id.to_hex(),
            state: job.state,
            asked: job.asked.words(),
            destination: job.destination,
            by: job.by,
            held,
            datasets,
            documents: total(job.documents, |it| it.documents),
            ahead: if held { total(job.ahead, |it| it.ahead) } else { 0 },
            verified: u64::try_from(job.verified).unwrap_or(0),
            to_verify: u64::try_from(job.to_verify).unwrap_or(0),
            bytes: u64::try_from(job.bytes).unwrap_or(0),
            pace: job.pace.within_limits(),
            holding: job.holding.filter(|_| held),
            remaining: job.remaining.filter(|_| held),
            estimate: job.estimate,
            failures,
            created: time(job.created),
            begun: job.begun.or(job.started).map(time),
            started: job.started.map(time),
            ended: job.ended.map(time),
            last_write: last_write.map(time),
            hands,
            error: job.error,
            refused: job.refused,
            journal: kept,
            undo_until: job
                .journal
                .filter(|_| kept == JournalState::Kept)
                .map(|it| time(it.expires)),
            wish,
            choices,
        })
    }

    /// Controlling a run changes what becomes of the deployment.
    pub(crate) fn allowed(&self) -> Result<()> {
        Err(Error::Refused(match (self.disabled, self.admin) {
            (true, _) => crate::DISABLED.to_owned(),
            (false, false) => {
                "controlling runs takes the right to migrate: set `FIFTYONE_DATABASE_ADMIN=true`"
                    .to_owned()
            }
            (false, true) => return Ok(()),
        }))
    }
}

/// Why nothing was begun by a run that ends with the first failure, if it is for the failures that it has foreseen.
pub fn stopped_before(report: &Report) -> Option<String> {
    let foreseen = report.run.is_none() && !report.failures.is_empty();
    foreseen.then(|| nothing_begun(&report.failures))
}

fn nothing_begun(failures: &[FailureGroup]) -> String {
    let failures: Vec<String> =
        failures.iter().map(|it| format!("{} {}", it.count, it.cause)).collect();
    format!(
        "nothing was begun, because it is to stop at the first dataset that cannot be migrated, and there are such: {}; \
         see to them, or let it go on without them (`--error-level 1`)",
        failures.join(", ")
    )
}

/// Does some work; when it is told to stop meanwhile, the work comes to its edge first. Whether it was told to.
async fn run_until<T>(
    work: impl Future<Output = T>,
    stop: impl Future<Output = ()>,
    meter: &Meter,
) -> (T, bool) {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        ended = &mut work => (ended, false),
        () = stop => {
            meter.stop();
            (work.await, true)
        }
    }
}

impl Asked {
    /// What a request asks for.
    pub(crate) fn of(request: &Request) -> Self {
        let (scope, names) = match &request.target {
            Target::Database => (Scope::Database, Vec::new()),
            Target::Everything => (Scope::Everything, Vec::new()),
            Target::Datasets(names) => (Scope::Datasets, names.clone()),
            Target::Selected(_) => (Scope::Selected, Vec::new()),
        };
        let selected = match &request.target {
            Target::Selected(frozen) => Some(*frozen),
            Target::Database | Target::Everything | Target::Datasets(_) => None,
        };
        let destination = request.destination.as_ref().map(ToString::to_string);
        let stops = request.on_failure == OnFailure::Stop;
        let Request { without_undo, without_archive, .. } = *request;
        Self { scope, names, destination, stops, without_undo, without_archive, selected }
    }

    pub(crate) fn words(&self) -> String {
        match (self.scope, self.names.as_slice()) {
            (Scope::Database, _) => "the database".to_owned(),
            (Scope::Everything, _) => "the database and every dataset".to_owned(),
            (Scope::Datasets, [name]) => format!("dataset `{}`", crate::report::printable(name)),
            (Scope::Datasets, names) => format!("{} datasets", names.len()),
            (Scope::Selected, _) => {
                let datasets = self.selected.map_or(0, |it| it.datasets);
                format!("a selection of {}", model::words::counted(datasets, "dataset"))
            }
            (Scope::Repair, _) => "a repair".to_owned(),
        }
    }
}

impl JobHand {
    /// `held`: somebody carries the run out, so that those who have not left are there.
    fn summary(&self, held: bool) -> RunHand {
        let time = crate::clock::text;
        RunHand {
            by: self.by.clone(),
            pid: self.pid,
            since: time(self.since),
            left: self.left.map(time),
            works: held && self.left.is_none(),
            leads: self.leads,
            datasets: u64::try_from(self.datasets).unwrap_or(0),
        }
    }
}

impl Job {
    /// The same request once more, with the destination that was decided then: another version of this program would
    /// have another default.
    pub(crate) fn request(&self) -> Result<Request> {
        let destination = self.destination.parse().map_err(|_| {
            Error::Refused(format!(
                "run {} has no destination that is a version: `{}`",
                self.id, self.destination
            ))
        })?;
        // Where it was going by default, it goes again: the default of this build may be another by now. If it is
        // the same, it is still the default, which lets a newer database stay where it is.
        let newest = self.destination == crate::versions::newest().to_string();
        let typed = self.asked.destination.is_some() || !newest;
        Ok(Request {
            target: match self.asked.scope {
                Scope::Database => Target::Database,
                Scope::Everything => Target::Everything,
                Scope::Datasets => Target::Datasets(self.asked.names.clone()),
                Scope::Selected => Target::Selected(self.asked.selected.ok_or_else(|| {
                    Error::Refused(format!("run {} does not say what was selected", self.id))
                })?),
                Scope::Repair => {
                    return Err(Error::Refused(format!("run {} is no migration", self.id)));
                }
            },
            destination: typed.then_some(destination),
            on_failure: if self.asked.stops { OnFailure::Stop } else { OnFailure::GoOn },
            dry_run: false,
            without_undo: self.asked.without_undo,
            without_archive: self.asked.without_archive,
        })
    }
}
