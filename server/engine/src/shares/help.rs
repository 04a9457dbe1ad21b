//! Helping with a run that somebody else leads.

use std::{
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use bson::{DateTime, Document, doc, oid::ObjectId};
use model::{Action, JobState, Pace, Permit};
use tokio::task::JoinSet;

use super::{Bench, Crew, Keeps, LOOK, claim::Claimed};
use crate::{
    Engine, Error, Result,
    job::tell,
    progress::{Control, Event},
    report::{DatasetReport, State},
    store::{Failure, Happening, Holder, Job, JobHand, Store},
};

/// What somebody did who helped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Helped {
    /// How many datasets it migrated.
    pub datasets: u64,
    /// How many samples and frames it passed over.
    pub documents: u64,
}

impl Engine {
    /// Helps with a run that somebody else carries out, until it has ended, rests, or nobody leads it any more.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if there is nothing to help with: nobody migrates datasets for this run now.
    pub async fn join(&self, permit: &Permit, id: &str, control: Control) -> Result<Helped> {
        permit.covers(Action::ControlRuns)?;
        let job = self.job(id).await?;
        self.allowed()?;
        let (state, ours) = (job.state, Holder::this().program);
        if let Some(theirs) = self.holder().await?.map(|it| it.holder.program)
            && theirs != ours
        {
            return Err(Error::Refused(format!(
                "run {id} is carried out by another version of this program ({theirs}, and this is {ours}), which may \
                 make something else of a dataset; help with the same version"
            )));
        }
        self.help(job, control).await?.ok_or_else(|| {
            Error::Refused(format!(
                "run {id} is {state}, and nobody migrates datasets for it now, so that there is nothing to help with; \
                 `fiftyone-migrate runs show {id}` says what can be done with it"
            ))
        })
    }

    /// The same; `None` if there is nothing to help with.
    pub(crate) async fn help(&self, job: Job, control: Control) -> Result<Option<Helped>> {
        let error = |it| self.store.error(it);
        self.store.server().await?;
        let Some(lease) = self.holder().await?.filter(|it| it.run == job.id) else {
            return Ok(None);
        };
        let (run, key, this) = (job.id, ObjectId::new(), Holder::this());
        if lease.holder.program != this.program {
            return Ok(None);
        }
        let hand = JobHand {
            by: this.name(),
            pid: this.pid,
            since: DateTime::now(),
            left: None,
            fence: lease.fence,
            leads: false,
            datasets: 0,
            documents: 0,
            ahead: 0,
            last_write: None,
            failed: None,
        };
        if !self.store.add_hand(run, key, &hand).await.map_err(error)? {
            return Ok(None);
        }
        control.set_pace(job.pace);
        control.send(Event::Planned { datasets: 0 });
        let crew = Crew { run, lease: lease.fence, hand: key, goes_on: job.was_begun_before() };
        let helper = Helper {
            store: self.store.clone(),
            crew,
            control,
            datasets: Arc::default(),
            failed: Arc::default(),
        };
        let mut eye = JoinSet::new();
        eye.spawn(helper.clone().watch());
        let worked = helper.work(self, &job).await;
        drop(eye);
        helper.leave().await;
        worked.map_err(error)?;
        if let Some(reason) = helper.control.broken() {
            return Err(Error::CutOff { run: run.to_hex(), reason });
        }
        let datasets = helper.datasets.load(Ordering::Relaxed);
        Ok(Some(Helped {
            datasets: u64::try_from(datasets).unwrap_or(0),
            documents: helper.control.all_documents(),
        }))
    }
}

/// Somebody who helps.
#[derive(Clone, Debug)]
struct Helper {
    store: Store,
    crew: Crew,
    control: Control,
    datasets: Arc<AtomicI64>,
    /// Why the run shall end.
    failed: Arc<Mutex<Option<String>>>,
}

impl Helper {
    async fn work(&self, engine: &Engine, job: &Job) -> std::result::Result<(), Failure> {
        let stops = job.asked.stops;
        let time = job.time.unwrap_or(job.created);
        let keeps = Keeps { journal: job.keeps_journal(), archive: !job.asked.without_archive };
        let mut bench = None;
        while !self.control.is_stopped() {
            let claimed = match Claimed::claim(&self.store, &self.crew, &self.control).await {
                Ok(claimed) => claimed,
                Err(failure) => {
                    self.control.break_off_by(&failure);
                    return Err(failure);
                }
            };
            let Some(claimed) = claimed else {
                // Whoever leads may be gone: then somebody else has to, perhaps we.
                if !matches!(engine.holder().await, Ok(Some(_)) | Err(_)) {
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
                continue;
            };
            if bench.is_none() {
                let run = self.crew.run;
                let what = Happening::Helped { process: process::id() };
                let text = format!("is helped by process {}", process::id());
                tell(&self.store, run, &what, &text).await;
                // There may be entries of the journal: `goes_on` of each share says so.
                match Bench::new(&self.store, run, time, keeps, false).await {
                    Ok(new) => bench = Some(new),
                    Err(failure) => {
                        claimed.release().await;
                        return Err(failure);
                    }
                }
            }
            let Some(bench) = &bench else { continue };
            claimed.work(bench, |reports| self.tell(reports, stops)).await?;
            if matches!(engine.holder().await, Ok(None)) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn tell(&self, reports: Vec<DatasetReport>, stops: bool) {
        for it in reports {
            if it.state == State::Migrated {
                self.datasets.fetch_add(1, Ordering::Relaxed);
            }
            if it.is_failure() && stops {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert_with(|| it.reason.clone().unwrap_or_default());
                self.control.stop();
            }
            self.control.send(Event::Finished(it));
        }
    }

    fn progress(&self) -> Document {
        let mut progress = doc! {
            "datasets": self.datasets.load(Ordering::Relaxed),
            "documents": self.control.documents(),
            "ahead": self.control.documents_ahead(),
        };
        if let Some(last) = self.control.last_write() {
            progress.insert("last_write", last);
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        progress.extend(failed.clone().map(|it| ("failed".to_owned(), it.into())));
        progress
    }

    /// Looks for what people want of the run, and whether it is still the same one's who leads.
    async fn watch(self) {
        let Crew { run, lease, hand, .. } = self.crew;
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let seen = async {
                let wishes = self.store.note_hand(run, lease, hand, self.progress()).await?;
                let wishes = wishes.filter(|it| it.state == JobState::Running);
                Ok::<_, Failure>((wishes, self.store.is_closing(lease).await?))
            };
            match seen.await {
                Ok((Some(wishes), false)) => {
                    self.control.set_pace(Pace::within_limits(wishes.pace));
                    self.control.hold(wishes.holding);
                }
                // It rests or ends, or somebody else leads: what is under way comes to its edge.
                Ok(_) => {
                    self.control.hold(None);
                    return self.control.stop();
                }
                Err(failure) => tracing::warn!("the progress could not be noted: {failure}"),
            }
        }
    }

    async fn leave(&self) {
        let progress = self.progress();
        let idle = self.control.documents() == 0
            && self.datasets.load(Ordering::Relaxed) == 0
            && !progress.contains_key("failed");
        let Crew { run, hand, .. } = self.crew;
        if let Err(failure) = self.store.leave(run, hand, (!idle).then_some(progress)).await {
            tracing::warn!("it could not be noted that nobody helps here any more: {failure}");
        }
    }
}

impl Job {
    fn was_begun_before(&self) -> bool {
        // The time is that of the first beginning.
        self.time.zip(self.started).is_some_and(|(first, last)| first != last)
    }

    fn keeps_journal(&self) -> bool {
        self.journal.as_ref().is_some_and(|it| it.state == model::JournalState::Kept)
    }
}
