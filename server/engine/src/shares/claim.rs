//! Claiming a share, and working on it.

use bson::{Bson, Document};
use futures_util::StreamExt;

use super::{Bench, Crew, task, work};
use crate::{
    archive::settle_left,
    guard::{Guard, outwait},
    job::Notes,
    load::Task,
    progress::Control,
    report::{DatasetReport, State},
    store::{Claim, Failure, Held, Holder, Store},
    unnoted::recall,
};

/// The states of datasets that still have to be done.
const AHEAD: [&str; 3] = ["planned", "untouched", "interrupted"];

/// A share that is ours.
#[derive(Debug)]
pub struct Claimed {
    store: Store,
    crew: Crew,
    share: Document,
    guard: Guard,
    /// For what is written of it: not after the claim has run out, whatever else may be written.
    control: Control,
    tasks: Vec<Task>,
    /// Whether somebody had it before.
    again: bool,
}

impl Claimed {
    /// Claims a share that nobody has, or whose holder is gone. `None` if there is none at the moment.
    pub async fn claim(
        store: &Store,
        crew: &Crew,
        control: &Control,
    ) -> Result<Option<Self>, Failure> {
        let Some((share, gone)) = vacant(store, crew).await? else { return Ok(None) };
        let Some(number) = store.draw_number(crew.lease).await? else { return Ok(None) };
        let by = (crew.hand, &Holder::this());
        let Some(claim) = store.claim_share(&share, number, by, gone).await? else {
            return Ok(None);
        };
        let control = control.claiming();
        let held = Held::Claim(share.clone(), number);
        let guard = Guard::over(store, held, claim.since, &control);
        let again = claim.before > crew.lease;
        match prepare(store, crew, claim, gone.is_some()).await {
            Ok(Some(tasks)) => {
                let (store, crew) = (store.clone(), crew.clone());
                Ok(Some(Self { store, crew, share, guard, control, tasks, again }))
            }
            Ok(None) => {
                guard.release().await;
                Ok(None)
            }
            Err(failure) => {
                guard.release().await;
                Err(failure)
            }
        }
    }

    /// Gives it back as it is, so that somebody else can have it at once.
    pub async fn release(self) {
        self.guard.release().await;
    }

    /// Does what is left of it, and tells `each` what was noted. What could not be done is left to whoever claims it
    /// next.
    pub async fn work(
        self,
        bench: &Bench,
        mut each: impl FnMut(Vec<DatasetReport>),
    ) -> Result<(), Failure> {
        let fence = self.guard.fence();
        // Datasets of which the one that leads had begun to keep things may be in a share, too.
        let writer = match bench.writer(&self.tasks, fence, &self.control, true).await {
            Ok(writer) => writer,
            Err(failure) => {
                self.guard.release().await;
                return Err(failure);
            }
        };
        let Crew { run, hand, .. } = self.crew;
        let notes = Notes { store: self.store.clone(), run, fence, hand: Some(hand) };
        let mut whole = true;
        let mut written = work::written(writer, work::all(&self.tasks));
        while let Some(mut reports) = written.next().await {
            // By whoever had the share before, who was gone before it was noted.
            for it in reports.iter_mut().filter(|it| self.again && it.state == State::Current) {
                it.state = State::Migrated;
                let ours = self.tasks.iter().find(|task| task.entry.id_text() == it.id);
                if let Some(task) = ours
                    && let Err(failure) = recall(&self.store, run, &task.entry.id, it).await
                {
                    tracing::warn!("what there is to tell of `{}` is not known: {failure}", it.id);
                }
            }
            whole &=
                reports.iter().all(|it| !matches!(it.state, State::Interrupted | State::Untouched));
            self.control.wrote();
            match notes.note(&reports).await {
                Ok(true) => each(reports),
                Ok(false) => {
                    self.guard.lose();
                    whole = false;
                }
                Err(failure) => {
                    tracing::warn!(
                        "what became of {} datasets could not be noted: {failure}",
                        reports.len()
                    );
                    whole = false;
                }
            }
        }
        if whole && !self.guard.is_lost() {
            match self.store.finish_share(&self.share, fence).await {
                Ok(_) => self.guard.forget(),
                Err(failure) => {
                    self.guard.release().await;
                    return Err(failure);
                }
            }
        } else {
            self.guard.release().await;
        }
        Ok(())
    }
}

/// A share that nobody has, or one whose holder is known to be gone, with the number of their claim.
async fn vacant(store: &Store, crew: &Crew) -> Result<Option<(Document, Option<i64>)>, Failure> {
    let program = Holder::this().program;
    if let Some(free) = store.free_share(crew.run, crew.lease, &program).await? {
        return Ok(Some((free.id, None)));
    }
    let held = store.held_shares(crew.lease).await?;
    let ours = held
        .into_iter()
        .filter(|it| (it.run, it.lease, &it.program) == (crew.run, crew.lease, &program));
    let gone = ours.into_iter().find(|it| it.holder.is_gone());
    Ok(gone.map(|it| (it.id, Some(it.fence))))
}

/// What is left to do of a share that was just claimed. `None` if it is not to be touched: the lease may be another's by
/// now, and whoever has it looked for claims before there was this one.
async fn prepare(
    store: &Store,
    crew: &Crew,
    claim: Claim,
    inherited: bool,
) -> Result<Option<Vec<Task>>, Failure> {
    if !store.is_divided(crew.lease).await? {
        return Ok(None);
    }
    if inherited {
        outwait(store).await;
    }
    let again = claim.before > crew.lease;
    if again {
        settle_left(store).await?;
    }
    let mut tasks: Vec<Task> = claim.tasks.iter().map(task).collect::<Result<_, _>>()?;
    if again {
        let ids: Vec<String> = tasks.iter().map(|it| it.entry.id_text()).collect();
        let noted = store.noted_datasets(crew.run, &ids).await?;
        let is_done = |it: &Task| {
            let id = it.entry.id_text();
            let noted = noted.iter().find(|it| it.get_str("dataset").is_ok_and(|it| it == id));
            let state = noted.and_then(|it| it.get_str("state").ok());
            state.is_some_and(|it| !AHEAD.contains(&it))
        };
        tasks.retain(|it| !is_done(it));
    }
    if again || crew.goes_on {
        let ids: Vec<Bson> = tasks.iter().map(|it| it.entry.id.clone()).collect();
        store.claim_marks(crew.run, &ids, (claim.before, claim.fence)).await?;
    }
    Ok(Some(tasks))
}
