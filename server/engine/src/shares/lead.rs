//! The server that has the lease: it does everything alone until somebody offers to help, and then gives shares of what
//! it has not begun to whoever claims them, itself included.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bson::{DateTime, oid::ObjectId};
use futures_util::{StreamExt, stream};
use model::JobState;

use super::{Bench, Crew, Keeps, LOOK, claim::Claimed, offered, outlast, ties::untied, work};
use crate::{
    Result,
    job::{Hand, log},
    load::Task,
    progress::{Control, Event},
    report::{DatasetReport, Report, State},
    run::groups,
    store::{Failure, Holder, JobHand, Offer, Store},
    write::Yields,
};

/// How many shares each of those who work on a run shall have by turns, so that all are done at about the same time, and
/// how many datasets one may have.
const SHARES_EACH: usize = 6;
const LARGEST: usize = 256;

/// Whoever has the lease, and what is left to do.
#[derive(Debug)]
pub struct Lead<'a> {
    store: Store,
    hand: &'a Hand,
    control: Control,
    tasks: Vec<Task>,
    /// Groups that were not begun.
    ahead: Ahead,
    /// Who works on the run, once it is divided.
    crew: Option<Crew>,
    /// Those that are offered, by the text of their `_id`, of which it is not known yet what became.
    offered: BTreeMap<String, Task>,
    shares: i32,
    /// Shares of others whose end was seen.
    seen: BTreeSet<i32>,
}

type Ahead = Arc<Mutex<VecDeque<Vec<Task>>>>;

impl<'a> Lead<'a> {
    /// Leads through these tasks.
    pub fn new(store: &Store, hand: &'a Hand, control: Control, tasks: Vec<Task>) -> Self {
        let ahead = Arc::new(Mutex::new(groups(&tasks).into()));
        let (offered, seen) = (BTreeMap::new(), BTreeSet::new());
        let store = store.clone();
        Self { store, hand, control, tasks, ahead, crew: None, offered, shares: 0, seen }
    }

    /// Does it all, with whoever helps. `goes_on`: it was begun before. `stops`: the first failure ends it.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn work(
        mut self,
        keeps: Keeps,
        goes_on: bool,
        stops: bool,
        report: &mut Report,
    ) -> Result<()> {
        let error = |store: &Store, it| store.error(it);
        let hand = self.hand;
        let bench = Bench::new(&self.store, hand.id(), hand.time(), keeps, goes_on).await;
        let bench = bench.map_err(|it| error(&self.store, it))?;
        let writer = bench.writer(&self.tasks, hand.fence(), &self.control, false).await;
        let writer = writer.map_err(|it| error(&self.store, it))?;
        let yields = Arc::clone(&writer.yields);
        let groups = stream::unfold(Arc::clone(&self.ahead), |ahead| async move {
            let next = locked(&ahead).pop_front()?;
            Some((next, ahead))
        });
        let (mut written, mut divided) = (work::written(writer, groups), false);
        loop {
            let reports = tokio::select! {
                biased;
                reports = written.next() => match reports {
                    Some(reports) => reports,
                    None => break,
                },
                () = hand.helpers().are_there(), if !divided => {
                    divided = true;
                    if let Err(failure) = self.divide(goes_on, &yields).await {
                        self.control.break_off_by(&failure);
                    }
                    continue;
                }
            };
            let (reports, offered) = self.offer_yielded(reports, &yields).await;
            if let Err(failure) = offered {
                self.control.break_off_by(&failure);
            }
            // What cannot be noted can be seen in the datasets themselves; a lost connection ends the run elsewhere.
            if let Err(failure) = hand.note(&reports).await {
                tracing::warn!(
                    "what became of {} datasets could not be noted: {failure}",
                    reports.len()
                );
            }
            self.tell(reports, stops, report);
        }
        if let Some(crew) = self.crew.clone() {
            self.work_together(&bench, &crew, stops, report).await;
            if self.end(&crew).await? {
                self.tell_rest(&crew, report).await.map_err(|it| error(&self.store, it))?;
            }
        }
        Ok(())
    }

    fn tell(&self, reports: Vec<DatasetReport>, stops: bool, report: &mut Report) {
        for it in reports {
            if it.is_failure() && stops {
                self.control.break_off(it.reason.clone().unwrap_or_default());
            }
            self.control.send(Event::Finished(it.clone()));
            report.datasets.push(it);
        }
    }

    /// Somebody offers to help: what was not begun, and depends on no other dataset, is for everybody from now on.
    async fn divide(&mut self, goes_on: bool, yields: &Yields) -> Result<(), Failure> {
        let (run, lease, key) = (self.hand.id(), self.hand.fence(), ObjectId::new());
        let untied = untied(&self.tasks, &self.store.ties().await?, self.hand.id().timestamp());
        if !self.store.open_division(lease).await? {
            self.hand.lose();
            return Ok(());
        }
        let this = Holder::this();
        let hand = JobHand {
            by: this.name(),
            pid: this.pid,
            since: DateTime::now(),
            left: None,
            fence: lease,
            leads: true,
            datasets: 0,
            documents: 0,
            ahead: 0,
            last_write: None,
            failed: None,
        };
        if self.store.add_hand(run, key, &hand).await? {
            self.hand.helpers().lead_as(key);
        }
        self.crew = Some(Crew { run, lease, hand: key, goes_on });
        let left: Vec<Task> = locked(&self.ahead).drain(..).flatten().collect();
        let is_untied = |it: &Task| untied.contains(&it.entry.id_text());
        let (ours, others): (Vec<Task>, Vec<Task>) =
            left.into_iter().partition(|it| !is_untied(it));
        locked(&self.ahead).extend(groups(&ours));
        let tied = self.tasks.len() - untied.len();
        let text = format!(
            "is divided: what is not begun is for whoever claims it, but for {tied} datasets that have something in \
             common with others"
        );
        log(&self.store, run, &text).await;
        let offered = self.offer(others).await;
        // What is about to be changed here comes back as well, if others can do it.
        yields.set(untied).ok();
        offered
    }

    /// Those that were about to be changed here when others came are offered as well. Returns what became of the rest.
    async fn offer_yielded(
        &mut self,
        reports: Vec<DatasetReport>,
        yields: &OnceLock<BTreeSet<String>>,
    ) -> (Vec<DatasetReport>, Result<(), Failure>) {
        let Some(untied) = yields.get().filter(|_| !self.control.is_stopped()) else {
            return (reports, Ok(()));
        };
        let is_yielded =
            |it: &DatasetReport| it.state == State::Interrupted && untied.contains(&it.id);
        let (yielded, reports): (Vec<_>, Vec<_>) = reports.into_iter().partition(is_yielded);
        if yielded.is_empty() {
            return (reports, Ok(()));
        }
        let ids: BTreeSet<String> = yielded.into_iter().map(|it| it.id).collect();
        let tasks = self.tasks.iter().filter(|it| ids.contains(&it.entry.id_text()));
        let offered = self.offer(tasks.cloned().collect()).await;
        (reports, offered)
    }

    async fn offer(&mut self, tasks: Vec<Task>) -> Result<(), Failure> {
        let hands = self.hand.helpers().count() + 1;
        let size = tasks.len().div_ceil(hands * SHARES_EACH).clamp(1, LARGEST);
        let mut offers = Vec::new();
        for share in tasks.chunks(size) {
            offers.push(Offer {
                run: self.hand.id(),
                lease: self.hand.fence(),
                number: self.shares,
                program: Holder::this().program,
                tasks: share.iter().map(offered).collect(),
            });
            self.shares += 1;
        }
        self.store.offer_shares(&offers).await?;
        self.offered.extend(tasks.into_iter().map(|it| (it.entry.id_text(), it)));
        Ok(())
    }

    /// Claims shares as everybody does, until all are done or we are told to stop.
    async fn work_together(
        &mut self,
        bench: &Bench,
        crew: &Crew,
        stops: bool,
        report: &mut Report,
    ) {
        while !self.control.is_stopped() {
            let done = async {
                match Claimed::claim(&self.store, crew, &self.control).await? {
                    Some(claimed) => {
                        let mut told = Vec::new();
                        claimed.work(bench, |it| told.extend(it)).await?;
                        Ok(Some(told))
                    }
                    None if self.store.open_shares(crew.run, crew.lease).await? == 0 => Ok(None),
                    None => {
                        tokio::time::sleep(LOOK).await;
                        Ok(Some(Vec::new()))
                    }
                }
            };
            match done.await {
                Ok(done) => {
                    let all = done.is_none();
                    let mut done = done.unwrap_or_default();
                    done.retain(|it| is_final(it) && self.offered.remove(&it.id).is_some());
                    self.hand.helpers().did(&done);
                    self.control
                        .tally()
                        .done(done.iter().map(|it| it.id.as_str()), migrated(&done));
                    self.tell(done, stops, report);
                    if let Err(failure) = self.tell_others(crew, stops, report).await {
                        tracing::warn!("what others have done is not known: {failure}");
                    }
                    if all {
                        return;
                    }
                }
                Err::<_, Failure>(failure) => self.control.break_off_by(&failure),
            }
        }
    }

    /// Tells what became of shares that others have done.
    async fn tell_others(
        &mut self,
        crew: &Crew,
        stops: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let done = self.store.done_shares(crew.run, crew.lease).await?;
        if !done.iter().any(|it| !self.seen.contains(it)) {
            return Ok(());
        }
        let ids: Vec<String> = self.offered.keys().cloned().collect();
        let mut found = self.noted(crew, &ids).await?;
        found.retain(|it| is_final(it) && self.offered.remove(&it.id).is_some());
        // How fast we are ourselves does not follow from what others have done.
        self.control.tally().done(found.iter().map(|it| it.id.as_str()), 0);
        self.tell(found, stops, report);
        self.seen.extend(done);
        Ok(())
    }

    async fn noted(&self, crew: &Crew, ids: &[String]) -> Result<Vec<DatasetReport>, Failure> {
        let found = self.store.noted_datasets(crew.run, ids).await?;
        Ok(found.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok()).collect())
    }

    /// Waits until nobody has a share any more. `false` if the run is left to others, who go on with it meanwhile.
    async fn end(&self, crew: &Crew) -> Result<bool> {
        let error = |it| self.store.error(it);
        if self.control.is_over() || self.control.is_cut_off() {
            return Ok(true);
        }
        if self.control.is_stopped() && self.hand.hands_over() && self.control.broken().is_none() {
            let job = self.store.job(crew.run).await.map_err(error)?;
            if job.is_some_and(|it| it.state == JobState::Running) {
                return Ok(false);
            }
        }
        self.store.close_division(crew.lease).await.map_err(error)?;
        outlast(&self.store, crew.lease, &self.control, false).await?;
        if let Some(number) = self.store.draw_number(crew.lease).await.map_err(error)? {
            self.hand.helpers().ended(number);
        }
        Ok(true)
    }

    /// What became of the rest, and what was nobody's turn.
    async fn tell_rest(&mut self, crew: &Crew, report: &mut Report) -> Result<(), Failure> {
        if self.offered.is_empty() || self.control.is_cut_off() {
            return Ok(());
        }
        let ids: Vec<String> = self.offered.keys().cloned().collect();
        let (mut rest, mut untouched) = (self.noted(crew, &ids).await?, Vec::new());
        for it in rest.iter_mut().filter(|it| it.state == State::Planned) {
            it.state = State::Untouched;
            untouched.push(it.clone());
        }
        if !self.control.is_over() {
            self.hand.note(&untouched).await?;
        }
        self.tell(rest, false, report);
        Ok(())
    }
}

fn migrated(reports: &[DatasetReport]) -> u64 {
    reports.iter().filter(|it| it.state == State::Migrated).count() as u64
}

/// Whether it had its turn.
fn is_final(it: &DatasetReport) -> bool {
    !matches!(it.state, State::Planned | State::Interrupted | State::Untouched)
}

fn locked(ahead: &Ahead) -> std::sync::MutexGuard<'_, VecDeque<Vec<Task>>> {
    ahead.lock().unwrap_or_else(PoisonError::into_inner)
}
