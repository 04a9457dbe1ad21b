//! What is in our hands, the lease or a claim: taken, renewed until it is given back, and never outlived by a write.

use std::time::Duration;

use bson::oid::ObjectId;
use tokio::task::JoinSet;

use crate::{
    Error, Result,
    clock::Moment,
    doctor::lease_lost,
    progress::Control,
    shares,
    store::{Asked, Failure, Held, Holder, LONGEST_WRITE, Lease, Scope, Store, TTL, Taking},
};

/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// How soon a renewal is tried again that did not reach the server.
const AGAIN: Duration = Duration::from_millis(500);

/// How long after taking or renewing its lease a holder may begin new writes. What is left of the lease then, 12 s, is
/// longer than anything begun may take.
const WRITING: Duration = Duration::from_secs(18);

/// After this, whatever somebody else has begun has ended.
const LONGEST: Duration = LONGEST_WRITE.saturating_add(Duration::from_secs(1));

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A lease or a claim that is ours. Renewed until it is given back or dropped; then it runs out.
#[derive(Debug)]
pub struct Guard {
    store: Store,
    held: Held,
    control: Control,
    /// The number of the lease before this one, whose marks count.
    before: i64,
    /// Of one task, which ends with it: whoever forgets to give it back must not keep it for ever.
    keeper: JoinSet<()>,
}

impl Guard {
    /// Takes the lease of a database for a run, at once where its holder is known to be gone. From then on `control`
    /// lets nothing be written that might outlive the lease.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if somebody has it.
    pub async fn take(
        store: &Store,
        run: ObjectId,
        asked: &Asked,
        control: &Control,
    ) -> Result<Self> {
        let Taken { lease, since, inherited } = take(store, run, asked).await?;
        let before = lease.before.unwrap_or(lease.fence - 1);
        let mut guard = Self::over(store, Held::Lease(lease.fence), since, control);
        guard.before = before;
        if lease.division.is_some() {
            // Others may be at what was offered to them under a lease before.
            if let Err(why) = shares::outlast(store, lease.fence, control, inherited).await {
                guard.release().await;
                return Err(why);
            }
        } else if inherited {
            outwait(store).await;
        }
        Ok(guard)
    }

    /// Keeps what was just taken. From then on `control` lets nothing be written that might outlive it.
    pub fn over(store: &Store, held: Held, since: Moment, control: &Control) -> Self {
        control.write_until(since + WRITING);
        let mut keeper = JoinSet::new();
        let (store, control, before) = (store.clone(), control.clone(), held.fence() - 1);
        let (for_keeper, by_keeper) = (held.clone(), control.clone());
        let keeping = Keeper { store: store.clone(), held: for_keeper, since, control: by_keeper };
        keeper.spawn(keeping.keep());
        Self { store, held, control, before, keeper }
    }

    /// Its number: what is written under an older one is refused.
    pub fn fence(&self) -> i64 {
        self.held.fence()
    }

    /// The number of the lease before it.
    pub fn before(&self) -> i64 {
        self.before
    }

    /// Whether somebody else has it by now.
    pub fn is_lost(&self) -> bool {
        self.control.is_over()
    }

    /// Stops all writing: somebody else has it.
    pub fn lose(&self) {
        lose(&self.held, &self.control);
    }

    /// Notes for which run it is held.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn is_for(&self, run: ObjectId) -> Result<(), Failure> {
        self.store.lease_is_for(self.fence(), run).await
    }

    /// Gives it back, so that others may go on at once.
    pub async fn release(mut self) {
        self.keeper.abort_all();
        if let Err(failure) = self.store.release(&self.held).await {
            tracing::warn!(
                "{} could not be given back, and runs out by itself: {failure}",
                self.held
            );
        }
    }

    /// Gives it back after what was done under it. What has failed because somebody else may write by now says so.
    ///
    /// # Errors
    ///
    /// Those of what was done.
    pub async fn end<T>(self, done: Result<T>) -> Result<T> {
        let lost = self.is_lost();
        self.release().await;
        if lost && done.is_err() {
            return Err(lease_lost());
        }
        done
    }

    /// Lets go of it without a word: it has been given back in another.
    pub fn forget(mut self) {
        self.keeper.abort_all();
    }
}

/// Renews what is held.
struct Keeper {
    store: Store,
    held: Held,
    /// When it was taken.
    since: Moment,
    control: Control,
}

impl Keeper {
    async fn keep(self) {
        let (mut wait, mut since) = (RENEWAL, self.since);
        loop {
            tokio::time::sleep(wait).await;
            match self.store.renew(&self.held).await {
                Ok(Some(renewed)) => {
                    since = renewed;
                    self.control.write_until(since + WRITING);
                    wait = RENEWAL;
                }
                Ok(None) => return lose(&self.held, &self.control),
                Err(failure) if Moment::now() < since + TTL => {
                    tracing::warn!("{} could not be renewed: {failure}", self.held);
                    wait = AGAIN;
                }
                // It has run out by now, and whoever waits for it to be renewed waits for nothing.
                Err(failure) => {
                    tracing::warn!("{} could not be renewed in time: {failure}", self.held);
                    return lose(&self.held, &self.control);
                }
            }
        }
    }
}

fn lose(held: &Held, control: &Control) {
    if !control.is_over() {
        tracing::warn!("{held} is lost: somebody else may have it by now");
    }
    control.lose();
}

/// A lease as it was just taken.
struct Taken {
    lease: Lease,
    /// Since when it is ours, by our own clock.
    since: Moment,
    /// Whether it was taken before it had run out.
    inherited: bool,
}

async fn take(store: &Store, run: ObjectId, asked: &Asked) -> Result<Taken> {
    let error = |it| store.error(it);
    let holder = Holder::this();
    let mut taking = store.take_lease(run, asked, &holder).await.map_err(error)?;
    let mut inherited = false;
    if let Taking::Held(gone) = &taking
        && gone.holder.is_gone()
    {
        taking = store.inherit_lease(run, asked, &holder, gone).await.map_err(error)?;
        inherited = true;
    }
    match taking {
        Taking::Taken(lease, since) => Ok(Taken { lease, since, inherited }),
        Taking::Held(lease) if lease.asked.scope == Scope::Repair => Err(Error::Repairing {
            by: lease.holder.name(),
            pid: lease.holder.pid,
            since: crate::clock::text(lease.taken),
        }),
        Taking::Held(lease) => {
            let job = store.job(lease.run).await.map_err(error)?;
            Err(Error::Busy {
                run: lease.run.to_hex(),
                by: lease.holder.name(),
                pid: lease.holder.pid,
                since: crate::clock::text(lease.taken),
                documents: job.as_ref().map_or(0, |it| it.documents),
                same: lease.asked == *asked,
            })
        }
    }
}

/// Waits until the server has ended what somebody who is gone has begun: it could come after what we do. Where a lease
/// has run out, that has ended before it.
pub async fn outwait(store: &Store) {
    let end = Moment::now() + LONGEST;
    while Moment::now() < end {
        // First: what was sent in its last moment may not have been begun yet.
        tokio::time::sleep(LOOK).await;
        match store.is_writing().await {
            Ok(false) => return,
            Ok(true) => {}
            Err(failure) => {
                tracing::warn!(
                    "it cannot be seen whether anything is still being written: {failure}"
                );
                return tokio::time::sleep(LONGEST).await;
            }
        }
    }
}
