//! What people ask for from afar: written down with a run, and carried out by whoever attends.

use bson::{DateTime, oid::ObjectId};
use model::{Cause, JobEvent, Permit, RunSummary};

use crate::{
    Control, Engine, Error, Report, Result,
    job::tell_by,
    runs::stopped_before,
    store::{Happening, Job, JobWish},
    undo::can_be_undone,
};

impl Engine {
    /// Asks that a run be paused, cancelled, resumed, retried or undone. Nothing of it happens here: whoever carries it
    /// out pauses it, and a server that attends takes up what rests. Asking twice is asking once. `cause`: only the
    /// datasets that failed for it are to be retried.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if `permit` does not cover it; [`Error::Refused`] if it makes no sense in the state that the run is in.
    pub async fn ask(
        &self,
        permit: &Permit,
        id: &str,
        event: JobEvent,
        cause: Option<Cause>,
    ) -> Result<RunSummary> {
        permit.covers(event.action())?;
        match event {
            JobEvent::Resume | JobEvent::Retry | JobEvent::Undo => {
                self.leave_wish(permit.holder(), id, event, cause).await
            }
            JobEvent::Pause | JobEvent::Cancel => self.wish_of(id, event, permit.holder()).await,
            // They happen to a run by themselves: to ask for one would be to lie about it.
            JobEvent::Start
            | JobEvent::Edge
            | JobEvent::Written
            | JobEvent::Verified
            | JobEvent::VerifiedWithFailures
            | JobEvent::Broke
            | JobEvent::TakenOver
            | JobEvent::Undone
            | JobEvent::UndoneInPart => Err(nobodys_wish(id, event)),
        }
    }

    async fn leave_wish(
        &self,
        by: &str,
        id: &str,
        event: JobEvent,
        cause: Option<Cause>,
    ) -> Result<RunSummary> {
        let job = self.job(id).await?;
        self.allowed()?;
        if let Some(wish) = &job.wish {
            if (wish.event, wish.cause) == (event, cause) {
                return self.run(id).await;
            }
            return Err(Error::Refused(format!(
                "run {id} shall be {} already, as {} has asked; look at it again when that has begun",
                wish.event, wish.by
            )));
        }
        job.state.on(event).map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
        if event == JobEvent::Undo {
            can_be_undone(&job)?;
        }
        let wish = JobWish { event, cause, by: by.to_owned(), at: DateTime::now() };
        if !self.store.wish(&job, &wish).await.map_err(|it| self.store.error(it))? {
            return Err(Error::Refused(format!(
                "run {id} has moved on in this moment; look at it again, and ask for what makes sense then"
            )));
        }
        let of = cause.map(|it| format!(", of those that failed: {it}")).unwrap_or_default();
        let what = Happening::Asked { event, state: job.state };
        tell_by(&self.store, job.id, by, &what, &format!("shall be {event}{of}")).await;
        self.run(id).await
    }

    /// Does with a run what somebody has asked for. What cannot be done is taken back and told.
    pub(crate) async fn fulfil(&self, job: Job, wish: &JobWish, control: Control) -> Result<()> {
        let run = job.id;
        // It may have come to rest since it was read.
        let job = self.job(&run.to_hex()).await?;
        if job.wish.as_ref() != Some(wish) || job.state.is_told_to_rest() {
            return Ok(());
        }
        // It rests no more: whoever has begun something with it meanwhile has not seen the wish.
        if job.state.is_active() {
            return self.refuse_wish(run, wish, &format!("it is {} now", job.state)).await;
        }
        tracing::info!("run {} is {} because {} wants it", run.to_hex(), wish.event, wish.by);
        let legal = job.state.on(wish.event).map_err(|it| Error::Refused(it.to_string()));
        let done = match (legal, wish.event) {
            (Err(why), _) => Err(why),
            (Ok(_), JobEvent::Retry) => {
                Box::pin(self.retry_all(job, wish.cause, control, true)).await
            }
            (Ok(_), JobEvent::Undo) => {
                Box::pin(self.take_back(job, Some((&[], &wish.by)), control, true)).await
            }
            (Ok(_), _) => self.carry_out(job, control, true).await,
        };
        match done {
            Ok(report) => self.refuse_wish(run, wish, &untouched(&report)).await,
            Err(
                Error::Busy { .. }
                | Error::Repairing { .. }
                | Error::Unreachable { .. }
                | Error::CutOff { .. }
                | Error::TakenOver(_),
            ) => Ok(()),
            Err(why) => self.refuse_wish(run, wish, &why.to_string()).await,
        }
    }

    /// Nothing happens if it was begun: then it is there no more.
    async fn refuse_wish(&self, run: ObjectId, wish: &JobWish, why: &str) -> Result<()> {
        let why = format!("it was not {}: {why}", wish.event);
        let refused = self.store.refuse_wish(run, wish, &why).await;
        if refused.map_err(|it| self.store.error(it))? {
            let what = Happening::Refused { event: wish.event };
            tell_by(&self.store, run, &wish.by, &what, &why).await;
        }
        Ok(())
    }
}

/// That it is not for people to say that this has happened.
pub fn nobodys_wish(id: &str, event: JobEvent) -> Error {
    Error::Refused(format!(
        "run {id}: nobody can ask for `{}`; what can be asked for, where it makes sense: `pause`, `resume`, `cancel`, \
         `retry`, `undo`",
        event.word()
    ))
}

/// Why nothing was begun although nothing went wrong.
fn untouched(report: &Report) -> String {
    if let Some(why) = stopped_before(report) {
        return why;
    }
    let left: Vec<String> =
        report.left.iter().map(|it| format!("{} {}", it.count, it.cause)).collect();
    if left.is_empty() {
        return "there is nothing to do".to_owned();
    }
    format!("trying again cannot help until something is done about them: {}", left.join(", "))
}
