//! How large a journal would be, for the plan: exact for documents, the most it can be for samples and frames.

use std::collections::BTreeSet;

use bson::oid::ObjectId;
use revisions::{Footprint, Scope};

use crate::{
    load::Work,
    report::JournalSize,
    store::{Failure, Store, raw},
};

/// What an entry has beside what it keeps.
const OVERHEAD_BYTES: u64 = 700;

/// What one dataset takes that only gets another version.
const STAMP_BYTES: u64 = 50;

/// The size so far.
#[derive(Clone, Debug, Default)]
pub struct Estimate {
    size: JournalSize,
    files: Vec<ObjectId>,
    collections: BTreeSet<String>,
}

impl Estimate {
    /// Datasets that only get another version.
    pub fn add_stamps(&mut self, count: usize) {
        self.size.bytes += STAMP_BYTES * whole(count);
    }

    /// Collections that are kept as a whole.
    pub fn add_collections<'a>(&mut self, names: impl IntoIterator<Item = &'a String>) {
        self.collections.extend(names.into_iter().cloned());
    }

    /// A dataset.
    pub fn add(&mut self, work: &Work) -> Result<(), Failure> {
        let changed = work.changed_runs();
        let runs = changed.iter().map(|(read, _)| *read).chain(work.removed_runs());
        for run in runs {
            self.size.bytes += OVERHEAD_BYTES + whole(raw(run)?.as_bytes().len());
        }
        self.size.bytes += OVERHEAD_BYTES + whole(work.read.document.as_bytes().len());
        for effect in work.effects() {
            self.files.extend(effect.deletes());
        }
        let names = &work.collections;
        for (scope, name) in [(Scope::Samples, &names.samples), (Scope::Frames, &names.frames)] {
            // What is added or renamed needs nothing, but where something is in the way.
            if Footprint::of(&work.steps, scope, names).is_some_and(|it| it.is_heavy()) {
                self.collections.insert(name.clone());
            }
        }
        Ok(())
    }

    /// All of it, with what only the server knows.
    pub async fn size(self, store: &Store) -> Result<JournalSize, Failure> {
        let Self { mut size, files, collections } = self;
        if !files.is_empty() {
            size.bytes += store.file_bytes(&files).await?;
        }
        if !collections.is_empty() {
            let existing = store.collections().await?;
            for it in collections.intersection(&existing) {
                size.samples_at_most += store.collection_bytes(it).await?;
            }
        }
        size.bytes += size.samples_at_most;
        Ok(size)
    }
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
