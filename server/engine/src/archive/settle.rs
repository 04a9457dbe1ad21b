//! What becomes of entries when their datasets are committed: what was kept is what they have not any more, what was given
//! back they have.
//!
//! Whoever is killed between the commit and that has written down before the commit what there is to settle. Whether it
//! came to the commit, the datasets say.

use bson::{Bson, RawDocument};
use model::JournalState;

use super::{Archive, Returning};
use crate::{
    journal::print,
    load::Work,
    run::is_unstamped,
    store::{ArchiveEntry, ArchiveId, Failure, Given, Giving, Store},
};

/// How many datasets are looked at by one query.
const GROUP: usize = 100;

impl Archive {
    /// Before the commit: what is about to be given back.
    pub async fn promise(&self, ready: &[&Work]) -> Result<(), Failure> {
        let mut promises = Vec::new();
        for work in ready {
            let print = || print(work.changed.document.as_bytes());
            for it in work.back.iter().flat_map(|it| &it.entries) {
                let giving =
                    Giving { given: it.given(self.run), closes: it.closes, print: print() };
                promises.push((&it.entry.id, giving));
            }
        }
        if promises.is_empty() { Ok(()) } else { self.store.promise_archive(&promises).await }
    }

    /// After the commit.
    pub async fn settle(&self, done: &[Work]) -> Result<(), Failure> {
        let archived = |it: &&Work| self.known(it).is_some();
        let ids: Vec<ArchiveId> = done.iter().filter(archived).map(|it| self.id(it)).collect();
        if !ids.is_empty() {
            self.store.confirm_archive(&ids).await?;
        }
        let back = done.iter().filter_map(|it| it.back.as_ref());
        let given: Vec<&Returning> = back.flat_map(|it| &it.entries).collect();
        for it in given {
            let by_us = it.given(self.run);
            give(&self.store, &it.entry, (&by_us, it.closes), self.keeps_journal).await?;
        }
        Ok(())
    }
}

/// Settles what was left by whoever is gone. To be called under the lease, or under a claim; twice is as good as once.
pub async fn settle_left(store: &Store) -> Result<(), Failure> {
    let (mut left, _) = store.archive().await?;
    left.retain(|it| it.closed.is_none() && (!it.confirmed || it.giving.is_some()));
    left.sort_by_cached_key(|it| it.id.dataset.to_string());
    for group in left.chunks(GROUP) {
        let mut ids: Vec<Bson> = group.iter().map(|it| it.id.dataset.clone()).collect();
        // Several may be about the same dataset.
        ids.dedup();
        let found = store.datasets(&ids).await?;
        let now = |of: &Bson| ids.iter().position(|it| it == of).and_then(|at| found[at].as_ref());
        let mut down = Vec::new();
        for it in group {
            let Some(now) = now(&it.id.dataset) else { continue };
            if !it.confirmed && is_down(it, now) {
                down.push(it.id.clone());
            }
            let Some(giving) = &it.giving else { continue };
            if giving.print == print(now.as_bytes()) {
                let job = store.job(giving.given.run).await?;
                let journal = job.and_then(|it| it.journal).map(|it| it.state);
                let keeps_journal = journal == Some(JournalState::Kept);
                give(store, it, (&giving.given, giving.closes), keeps_journal).await?;
            }
        }
        if !down.is_empty() {
            store.confirm_archive(&down).await?;
        }
    }
    Ok(())
}

async fn give(
    store: &Store,
    entry: &ArchiveEntry,
    (given, closes): (&Given, bool),
    keeps_journal: bool,
) -> Result<(), Failure> {
    store.give_archive(&entry.id, given, closes).await?;
    let undecided = !given.conflicts.is_empty() || entry.has_conflicts();
    if closes && !keeps_journal && !undecided {
        // Nobody can undo it, and nothing of it waits to be looked at.
        store.forget_archive(entry.id.run, &entry.id.dataset).await?;
    }
    Ok(())
}

/// Whether a dataset is where this entry says that it went.
fn is_down(entry: &ArchiveEntry, now: &RawDocument) -> bool {
    let version = now.get_str("version").ok();
    let unstamped = entry.to.parse().is_ok_and(|it| is_unstamped(&it));
    if unstamped { version.is_none() } else { version == Some(entry.to.as_str()) }
}
