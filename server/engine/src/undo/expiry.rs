//! Removing undo journals that were kept for as long as was asked for, and what is left of those that were being removed.
//!
//! In bounded pieces. First it is noted that a journal is not kept any more, so that nobody undoes half of it, and that it
//! is being removed, so that whoever comes next goes on.

use bson::oid::ObjectId;
use model::JournalState;

use crate::store::{Failure, Store};

/// Journals that nobody can use any more.
#[derive(Clone, Debug)]
pub struct Expiry {
    store: Store,
    journals: Vec<(ObjectId, JournalState)>,
}

impl Expiry {
    /// Those of this database; none if they cannot be found now.
    pub async fn of(store: &Store) -> Self {
        let found = store.journals_to_remove().await.unwrap_or_else(|failure| {
            tracing::warn!("undo journals that have expired could not be found: {failure}");
            Vec::new()
        });
        Self { store: store.clone(), journals: found }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.journals.len()
    }

    /// Removes them, as long as `goes_on` says so. Returns whether nothing is left of them.
    pub async fn remove(self, goes_on: impl Fn() -> bool + Sync) -> bool {
        for (run, state) in self.journals {
            let removed = async {
                if state == JournalState::Kept && !self.store.end_journal(run, "expired").await? {
                    return Ok::<_, Failure>(true);
                }
                self.store.forget_checks(run, true).await?;
                remove(&self.store, run, &goes_on).await
            };
            match removed.await {
                Ok(true) => {}
                Ok(false) => return false,
                Err(failure) => {
                    tracing::warn!("the undo journal of run {run} could not be removed: {failure}");
                }
            }
        }
        true
    }
}

/// Removes the journal of a run, which nobody can use any more, as long as `goes_on` says so. Returns whether nothing is
/// left of it.
pub async fn remove(
    store: &Store,
    run: ObjectId,
    goes_on: impl Fn() -> bool + Sync,
) -> Result<bool, Failure> {
    while !store.forget_entries(run).await? {
        if !goes_on() {
            return Ok(false);
        }
    }
    store.forget_given(run).await?;
    store.journal_is_gone(run).await?;
    Ok(true)
}
