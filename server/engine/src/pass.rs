//! Passes over a dataset's collections: one per collection, side by side, in bounded pieces.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bson::Document;
use futures_util::future::BoxFuture;
use revisions::{Collections, Merge, Pass, Scope, Stage, Update};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    progress::Control,
    store::{Failure, Range, Store},
};

/// How many operations run side by side on the server.
const SIDE_BY_SIDE: usize = 4;

/// How many documents one operation changes in a large collection.
const RANGE_DOCUMENTS: u64 = 5_000;

/// How long the attempt to change a whole collection at once may take. Most collections are small and done by then;
/// of a large one, what was changed is looked at once more, so that the attempt must be short.
const AT_ONCE: Duration = Duration::from_millis(100);

/// How long one range may take before it is halved.
const ONE_RANGE: Duration = Duration::from_secs(10);

/// Why a pass ended early. It can be run again; what is done stays done.
#[derive(Debug)]
pub enum Halt {
    /// Somebody asked for it.
    Stopped,
    /// The server did not do as asked.
    Failed(Failure),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Runs passes. Clones share their limit on operations side by side.
#[derive(Clone, Debug)]
pub struct Passes {
    store: Store,
    control: Control,
    existing: Arc<BTreeSet<String>>,
    permits: Arc<Semaphore>,
}

/// What is done to each range of a collection. Doing it twice does no more than doing it once.
#[derive(Clone, Debug)]
enum Work {
    Update { collection: String, stages: Vec<Document> },
    Rewrite { collection: String, updates: Vec<Update> },
    Merge { from: String, into: String, stages: Vec<Document> },
}

impl Passes {
    /// Passes over those collections that exist.
    pub fn new(store: Store, control: Control, existing: BTreeSet<String>) -> Self {
        let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        Self { store, control, existing: Arc::new(existing), permits }
    }

    /// The same for what must not be left half-done, whatever people want meanwhile.
    pub fn insisting(&self) -> Self {
        Self { control: self.control.insisting(), ..self.clone() }
    }

    /// Runs the stages one after the other.
    pub async fn run(&self, names: &Collections, stages: &[Stage]) -> Result<(), Halt> {
        for stage in stages {
            match stage {
                Stage::Passes { samples, frames } => {
                    self.prepare_frames(&names.frames, frames.as_ref()).await?;
                    let (samples, frames) = tokio::join!(
                        self.pass(&names.samples, samples.as_ref()),
                        self.pass(&names.frames, frames.as_ref()),
                    );
                    samples.and(frames)?;
                }
                Stage::Merge(merge) => self.merge(names, merge).await?,
            }
        }
        Ok(())
    }

    /// Frames have a unique index that would stand in the way of removing what it is about.
    async fn prepare_frames(&self, collection: &str, pass: Option<&Pass>) -> Result<(), Halt> {
        if self.existing.contains(collection) {
            for key in pass.iter().flat_map(|it| it.unset()) {
                self.store.drop_unique_indexes(collection, key).await?;
            }
        }
        Ok(())
    }

    async fn pass(&self, collection: &str, pass: Option<&Pass>) -> Result<(), Halt> {
        let Some(pass) = pass else { return Ok(()) };
        let collection = collection.to_owned();
        self.over(match pass.clone() {
            Pass::Server(stages) => Work::Update { collection, stages },
            Pass::Client(updates) => Work::Rewrite { collection, updates },
        })
        .await
    }

    async fn merge(&self, names: &Collections, merge: &Merge) -> Result<(), Halt> {
        let name = |scope: Scope| match scope {
            Scope::Samples => names.samples.clone(),
            Scope::Frames => names.frames.clone(),
        };
        let stages = (merge.stages)(names);
        self.over(Work::Merge { from: name(merge.from), into: name(merge.into), stages }).await
    }

    /// Walks one collection, first at once, and in ranges if that takes too long.
    async fn over(&self, work: Work) -> Result<(), Halt> {
        if self.control.is_stopped() {
            return Err(Halt::Stopped);
        }
        if !self.existing.contains(work.walked()) {
            return Ok(());
        }
        if !matches!(work, Work::Rewrite { .. }) {
            match self.piece(&work, &Range::all(), AT_ONCE).await {
                Err(Halt::Failed(failure)) if failure.is_too_slow() => {}
                Err(halt) => return Err(halt),
                Ok(documents) => {
                    self.control.add_documents(documents);
                    return Ok(());
                }
            }
        }
        self.in_ranges(work).await
    }

    async fn in_ranges(&self, work: Work) -> Result<(), Halt> {
        let mut ahead = self.store.about_documents(work.walked()).await?;
        self.control.expect_documents(ahead);
        let work = Arc::new(work);
        let mut pieces: JoinSet<Result<u64, Halt>> = JoinSet::new();
        let (mut after, mut last, mut ended) = (None, false, Ok(()));
        while ended.is_ok() && !(last && pieces.is_empty()) {
            if !last && pieces.len() < SIDE_BY_SIDE {
                if self.control.is_stopped() {
                    ended = Err(Halt::Stopped);
                    break;
                }
                let range = self.store.next_range(work.walked(), after.as_ref(), RANGE_DOCUMENTS);
                let range = range.await?;
                last = range.until.is_none();
                after.clone_from(&range.until);
                let (passes, work) = (self.clone(), Arc::clone(&work));
                pieces.spawn(async move { passes.halving(&work, range, RANGE_DOCUMENTS).await });
                continue;
            }
            ended = match pieces.join_next().await {
                Some(Ok(Ok(documents))) => {
                    self.control.add_documents(documents);
                    let arrived = documents.min(ahead);
                    ahead -= arrived;
                    self.control.arrived(arrived);
                    Ok(())
                }
                Some(Ok(Err(halt))) => Err(halt),
                Some(Err(error)) => Err(Halt::Failed(Failure::other(error.to_string()))),
                None => Ok(()),
            };
        }
        // What is under way is not cut off in the middle.
        while pieces.join_next().await.is_some() {}
        self.control.arrived(ahead);
        ended
    }

    /// Changes a range, in halves where that takes too long.
    fn halving<'a>(
        &'a self,
        work: &'a Work,
        range: Range,
        documents: u64,
    ) -> BoxFuture<'a, Result<u64, Halt>> {
        Box::pin(async move {
            match self.piece(work, &range, ONE_RANGE).await {
                Err(Halt::Failed(failure)) if failure.is_too_slow() && documents > 1 => {
                    let half = documents.div_ceil(2);
                    let first =
                        self.store.next_range(work.walked(), range.after.as_ref(), half).await?;
                    let middle = first.until.clone();
                    let done = self.halving(work, first, half).await?;
                    if middle.is_none() || middle == range.until {
                        return Ok(done);
                    }
                    let second = Range { after: middle, until: range.until };
                    Ok(done + self.halving(work, second, half).await?)
                }
                ended => ended,
            }
        })
    }

    async fn piece(&self, work: &Work, range: &Range, limit: Duration) -> Result<u64, Halt> {
        let _permit = self.permits.acquire().await.map_err(|it| Failure::other(it.to_string()))?;
        // Last before it is sent: the wait may have been long, and the program asleep meanwhile.
        if self.control.is_stopped() {
            return Err(Halt::Stopped);
        }
        let documents = match work {
            Work::Update { collection, stages } => {
                self.store.update_range(collection, range, stages, limit).await
            }
            Work::Rewrite { collection, updates } => {
                self.store.rewrite_range(collection, range, updates).await
            }
            Work::Merge { from, into, stages } => {
                self.store.merge_range(from, into, range, stages, limit).await.map(|()| 0)
            }
        };
        Ok(documents?)
    }
}

impl Work {
    /// The collection that is walked in ranges.
    fn walked(&self) -> &str {
        match self {
            Self::Update { collection, .. } | Self::Rewrite { collection, .. } => collection,
            Self::Merge { from, .. } => from,
        }
    }
}
