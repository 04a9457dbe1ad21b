//! A run in our hands that goes back: under the same lease, in the same document, watched by the same eyes.

use std::process;

use bson::{DateTime, Document, doc};
use model::{JobEvent, JobState};
use tokio::task::JoinSet;

use super::{AsRead, Begun, Eye, Hand, Helpers, tell, tell_left};
use crate::{
    Error, Result,
    guard::Guard,
    progress::Control,
    store::{Happening, Job, JobUndo, Store},
};

impl Hand {
    /// Takes the lease to undo a run, or to go on with that.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if somebody else writes to this database now; [`Error::Refused`] if the run cannot be undone in
    /// the state that it is in. Nothing was written then.
    pub async fn take_back(
        store: &Store,
        job: &Job,
        undo: &JobUndo,
        control: Control,
        hands_over: bool,
    ) -> Result<Self> {
        let error = |it| store.error(it);
        store.have_indexes().await;
        let guard = Guard::take(store, job.id, &job.asked, &control).await?;
        let fence = guard.fence();
        let (id, read) = (job.id, AsRead::of(job));
        let taken = async {
            for other in store.unfinished_jobs().await.map_err(error)? {
                if other.id != id && other.state.is_active() {
                    let text = "whoever carried it out was gone; another run has been undone since";
                    let more = doc! { "error": text, "ended": DateTime::now() };
                    let broken = other.state.on(JobEvent::Broke);
                    let (next, _) = broken.map_err(|it| Error::Refused(it.to_string()))?;
                    let to = (other.state, next);
                    if store.move_job(other.id, to, Some(fence), more).await.map_err(error)? {
                        tell_left(store, other.id, next, text).await;
                    }
                }
            }
            let job = store.job(id).await.map_err(error)?;
            let now = job.ok_or_else(|| Error::UnknownRun(id.to_hex()))?;
            read.is_as(&now)?;
            if let Some(wish) = now.wish.as_ref().filter(|it| it.event != JobEvent::Undo) {
                return Err(Error::Refused(format!(
                    "run {id} is {}{}; look at it again when that has begun",
                    now.state,
                    wish.words()
                )));
            }
            let (from, at) = (now.state, DateTime::now());
            let event = match from {
                JobState::Undoing => JobEvent::TakenOver,
                _ => JobEvent::Undo,
            };
            let undone = from.on(event);
            let (next, _) = undone.map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
            store.adopt_marks(id, (guard.before(), fence)).await.map_err(error)?;
            let undo = bson::serialize_to_document(undo);
            let undo = undo.map_err(|it| Error::Driver(it.to_string()))?;
            let more = doc! {
                "begun": now.begun.or(now.started).unwrap_or(at), "started": at, "ended": null, "error": null, "undo": undo,
            };
            if store.begin_job(&now, next, fence, more).await.map_err(error)? {
                return Ok((from, next));
            }
            Err(Error::Refused(format!(
                "run {id} was changed by somebody else in this moment; look at it and try again"
            )))
        };
        let (from, to) = match taken.await {
            Ok(moved) => moved,
            Err(why) => {
                guard.release().await;
                return Err(why);
            }
        };
        control.begin_at(job.documents);
        control.set_pace(job.pace);
        let what = match undo.names.as_slice() {
            [] => "all of it".to_owned(),
            names => names.join(", "),
        };
        let begins = Happening::Begins { from: Some(from), to, process: process::id() };
        tell(store, id, &begins, &format!("is being undone: {what} (lease {fence})")).await;
        let (mut eye, helpers) = (JoinSet::new(), Helpers::default());
        eye.spawn(Eye::of(store, id, fence, &control, &helpers).watch());
        let time = job.time.unwrap_or(job.created);
        let begun = Begun { time, keeps_journal: true, goes_on: true, state: to };
        let (store, done_by_others) = (store.clone(), Vec::new());
        Ok(Self { store, id, begun, guard, control, hands_over, helpers, done_by_others, eye })
    }

    /// Puts a run to rest that was being undone. `whole`: nothing of it is left.
    ///
    /// # Errors
    ///
    /// As [`Hand::rest`].
    pub async fn rest_back(self, whole: bool, error: Option<String>) -> Result<JobState> {
        let progress = doc! { "documents": self.control.documents(), "ended": DateTime::now() };
        // Left to other servers: they see that it is being undone and that nobody does.
        let handed = self.hands_over && !whole && error.is_none() && self.control.is_stopped();
        let left = handed || self.control.is_cut_off();
        let ended = if left {
            self.ours().await.map(|it| it.map(|it| it.state))
        } else {
            self.settle_back(whole, error, progress).await
        };
        self.put_down(ended).await
    }

    async fn settle_back(
        &self,
        whole: bool,
        error: Option<String>,
        mut progress: Document,
    ) -> Result<Option<JobState>, crate::store::Failure> {
        let event = match (&error, whole) {
            (Some(_), _) => JobEvent::Broke,
            (None, true) => JobEvent::Undone,
            (None, false) => JobEvent::UndoneInPart,
        };
        if let Some(error) = error {
            progress.insert("error", error);
        }
        self.move_on(|_| event, progress).await
    }
}
