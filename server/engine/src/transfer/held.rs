//! An upload that is in our hands: renewed until it is given back, slowed down and sped up as others ask.

use std::time::Duration;

use bson::oid::ObjectId;
use tokio::task::JoinSet;

use super::TransferProgress;
use crate::{
    Error, Result,
    store::{Holder, Store, UploadRecord},
};

/// How often it is renewed, and its limits are looked at.
const RENEWAL: Duration = Duration::from_secs(2);

/// How often that may fail in a row before we take it that somebody else may have it: less than it lasts.
const FAILURES: u32 = 10;

/// An upload that is ours.
pub struct HeldUpload {
    store: Store,
    /// Which.
    pub id: ObjectId,
    /// This time.
    pub turn: ObjectId,
    claim: ObjectId,
    other_places: bool,
    keeper: JoinSet<()>,
}

impl HeldUpload {
    /// Takes it. If it is lost, or the server cannot be asked for long, everything that `progress` belongs to stops.
    ///
    /// # Errors
    ///
    /// If somebody else is at it.
    pub async fn take(
        store: &Store,
        record: UploadRecord,
        progress: &TransferProgress,
    ) -> Result<Self> {
        let before = match store.claim_upload(&record).await.map_err(|it| store.error(it))? {
            Ok(before) => before,
            Err(other) => {
                let by = other.holder.as_ref().map_or_else(|| other.by.clone(), Holder::name);
                return Err(Error::Refused(format!(
                    "the media of `{}` are being uploaded to {} by {by}; wait until that has ended, or end it",
                    other.name, other.destination
                )));
            }
        };
        let id = before.as_ref().map_or(record.id, |it| it.id);
        let other = |it: &UploadRecord| it.layout != record.layout || it.name != record.name;
        let other_places = before.as_ref().is_some_and(other);
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(store.clone(), id, record.claim, progress.clone()));
        Ok(Self {
            store: store.clone(),
            id,
            turn: record.turn,
            claim: record.claim,
            other_places,
            keeper,
        })
    }

    /// Whether files may go elsewhere than when it was run before.
    pub fn has_other_places(&self) -> bool {
        self.other_places
    }

    /// Gives it back, with what came of it.
    pub async fn release<T>(mut self, done: &Result<T>, verified: bool) -> Result<()> {
        self.keeper.abort_all();
        let why = done.as_ref().err().map(ToString::to_string);
        let released =
            self.store.release_upload(self.id, self.claim, verified, why.as_deref()).await;
        released.map_err(|it| self.store.error(it))
    }
}

async fn keep(store: Store, id: ObjectId, claim: ObjectId, progress: TransferProgress) {
    let mut failures = 0;
    loop {
        tokio::time::sleep(RENEWAL).await;
        match store.renew_upload(id, claim).await {
            Ok(Some(it)) => {
                failures = 0;
                let (side_by_side, rate) = it.limits;
                let side_by_side = usize::try_from(side_by_side).unwrap_or(1);
                progress.throttle.set(side_by_side, u64::try_from(rate).unwrap_or(0));
                if it.stop {
                    progress.throttle.stop();
                }
            }
            Ok(None) => return progress.throttle.stop(),
            Err(failure) => {
                tracing::warn!("the upload could not be renewed: {failure}");
                failures += 1;
                if failures == FAILURES {
                    return progress.throttle.stop();
                }
            }
        }
    }
}
