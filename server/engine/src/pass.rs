//! Passes over a dataset's collections: one per collection, side by side, in bounded pieces.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bson::{Bson, Document, RawDocumentBuf, oid::ObjectId};
use futures_util::future::BoxFuture;
use revisions::{Collections, Keys, Merge, Pass, Scope, Stage, Update};
use sha2::{Digest, Sha256};
use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};

use crate::{
    progress::Control,
    store::{Failure, LONGEST_WRITE, Mark, Range, Store},
};

/// How many operations run side by side on the server.
const SIDE_BY_SIDE: usize = 4;

/// How many documents one operation changes in a large collection.
const RANGE_DOCUMENTS: u64 = 5_000;

/// Over how many seconds the documents of one range may have been created, for each second to be named. Whoever fills
/// a dataset makes thousands in a second.
const SECONDS: u32 = 16;

/// How long the attempt to change a whole collection at once may take. Most collections are small and done by then;
/// of a large one, what was changed is looked at once more, so that the attempt must be short.
const AT_ONCE: Duration = Duration::from_millis(100);

/// How long one range may take before it is halved.
const ONE_RANGE: Duration = LONGEST_WRITE;

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
    run: ObjectId,
    fence: i64,
    marks: bool,
    existing: Arc<BTreeSet<String>>,
    permits: Arc<Semaphore>,
}

/// Whose passes they are, so that it can be noted how far they are.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The `_id` of the dataset.
    pub id: &'a Bson,
    /// The dataset's document as it was read.
    pub document: &'a RawDocumentBuf,
}

/// What is done to each range of a collection. Doing it twice does no more than doing it once.
#[derive(Clone, Debug)]
enum Work {
    Update { collection: String, stages: Vec<Document>, keys: Option<Keys> },
    Rewrite { collection: String, updates: Vec<Update> },
    Merge { from: String, into: String, stages: Vec<Document> },
}

impl Passes {
    /// Passes over those collections that exist, for a run and under its lease.
    pub fn new(
        store: Store,
        control: Control,
        (run, fence): (ObjectId, i64),
        existing: BTreeSet<String>,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        Self { store, control, run, fence, marks: true, existing: Arc::new(existing), permits }
    }

    /// The same for what must not be left half-done, whatever people want meanwhile, and from the start of each
    /// collection: a sample that was added meanwhile may have an `_id` from before.
    pub fn insisting(&self) -> Self {
        Self { control: self.control.insisting(), marks: false, ..self.clone() }
    }

    /// Runs the stages one after the other.
    pub async fn run(
        &self,
        whose: Whose<'_>,
        names: &Collections,
        stages: &[Stage],
    ) -> Result<(), Halt> {
        for (stage, at) in stages.iter().zip(0..) {
            match stage {
                Stage::Passes { samples, frames } => {
                    self.prepare_frames(&names.frames, frames.as_ref()).await?;
                    let (samples, frames) = tokio::join!(
                        self.pass(whose, at, &names.samples, samples.as_ref()),
                        self.pass(whose, at, &names.frames, frames.as_ref()),
                    );
                    samples.and(frames)?;
                }
                Stage::Merge(merge) => self.merge(whose, at, names, merge).await?,
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

    async fn pass(
        &self,
        whose: Whose<'_>,
        stage: i64,
        collection: &str,
        pass: Option<&Pass>,
    ) -> Result<(), Halt> {
        let Some(pass) = pass else { return Ok(()) };
        let collection = collection.to_owned();
        let work = match pass.clone() {
            Pass::Server(stages, keys) => Work::Update { collection, stages, keys },
            Pass::Client(updates) => Work::Rewrite { collection, updates },
        };
        self.over(whose, stage, work).await
    }

    async fn merge(
        &self,
        whose: Whose<'_>,
        stage: i64,
        names: &Collections,
        merge: &Merge,
    ) -> Result<(), Halt> {
        let name = |scope: Scope| match scope {
            Scope::Samples => names.samples.clone(),
            Scope::Frames => names.frames.clone(),
        };
        let stages = (merge.stages)(names);
        let work = Work::Merge { from: name(merge.from), into: name(merge.into), stages };
        self.over(whose, stage, work).await
    }

    /// Walks one collection, first at once, and in ranges if that takes too long.
    async fn over(&self, whose: Whose<'_>, stage: i64, work: Work) -> Result<(), Halt> {
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
        let print = if self.marks { work.print(whose.document) } else { None };
        let mark = print.map(|print| Mark {
            run: self.run,
            fence: self.fence,
            dataset: whose.id.clone(),
            stage,
            collection: work.walked().to_owned(),
            print,
        });
        self.in_ranges(work, mark).await
    }

    /// Walks a collection in ranges, several side by side, from where the mark says that it was left.
    async fn in_ranges(&self, work: Work, mark: Option<Mark>) -> Result<(), Halt> {
        let ahead = self.store.about_documents(work.walked()).await?;
        let from = match &mark {
            Some(mark) => self.store.mark(mark).await?,
            None => None,
        };
        self.control.expect_documents(ahead);
        let mut walk =
            Walk { passes: self, mark, ahead, arrived: 0, out_of_order: BTreeMap::new() };
        let ended = walk.walk(Arc::new(work), from).await;
        self.control.arrived(walk.ahead);
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
            Work::Update { collection, stages, keys } => {
                let seconds = keys.as_ref().and_then(|it| range.seconds(it.tell_time(), SECONDS));
                match (keys, seconds) {
                    (Some(keys), Some(parts)) => {
                        let sets: Vec<(Document, Document)> =
                            parts.into_iter().map(|(filter, id)| (filter, keys.at(id))).collect();
                        self.store.set_keys(collection, &sets, limit).await
                    }
                    _ => self.store.update_range(collection, range, stages, limit).await,
                }
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

/// One walk over a collection.
struct Walk<'a> {
    passes: &'a Passes,
    mark: Option<Mark>,
    /// About how many documents are ahead.
    ahead: u64,
    /// How many ranges from the start on are done.
    arrived: u64,
    /// Those done beyond them, with their last `_id`.
    out_of_order: BTreeMap<u64, Option<Bson>>,
}

/// A range that is done: which one, its last `_id`, and how many documents it had.
type Piece = (u64, Option<Bson>, u64);

impl Walk<'_> {
    async fn walk(&mut self, work: Arc<Work>, from: Option<Bson>) -> Result<(), Halt> {
        let mut pieces: JoinSet<Result<Piece, Halt>> = JoinSet::new();
        let (mut after, mut last, mut begun, mut ended) = (from, false, 0, Ok(()));
        while ended.is_ok() && !(last && pieces.is_empty()) {
            if last || pieces.len() >= SIDE_BY_SIDE {
                ended = self.done(pieces.join_next().await).await;
                continue;
            }
            if self.passes.control.is_stopped() {
                ended = Err(Halt::Stopped);
                break;
            }
            let store = &self.passes.store;
            let range = store.next_range(work.walked(), after.as_ref(), RANGE_DOCUMENTS).await;
            let range = match range {
                Ok(range) => range,
                Err(failure) => {
                    ended = Err(failure.into());
                    break;
                }
            };
            last = range.until.is_none();
            after.clone_from(&range.until);
            let (passes, work, number) = (self.passes.clone(), Arc::clone(&work), begun);
            begun += 1;
            pieces.spawn(async move {
                let until = range.until.clone();
                let documents = passes.halving(&work, range, RANGE_DOCUMENTS).await?;
                Ok((number, until, documents))
            });
        }
        // What is under way is not cut off in the middle, and counts.
        while let Some(piece) = pieces.join_next().await {
            ended = ended.and(self.done(Some(piece)).await);
        }
        ended
    }

    /// Notes how far it is by now.
    async fn done(
        &mut self,
        piece: Option<Result<Result<Piece, Halt>, JoinError>>,
    ) -> Result<(), Halt> {
        let (number, until, documents) = match piece {
            Some(Ok(piece)) => piece?,
            Some(Err(error)) => return Err(Failure::other(error.to_string()).into()),
            None => return Ok(()),
        };
        let control = &self.passes.control;
        control.add_documents(documents);
        let arrived = documents.min(self.ahead);
        self.ahead -= arrived;
        control.arrived(arrived);
        self.out_of_order.insert(number, until);
        let mut after = None;
        while let Some(until) = self.out_of_order.remove(&self.arrived) {
            self.arrived += 1;
            after = until.or(after);
        }
        if let (Some(mark), Some(after)) = (&self.mark, after) {
            self.passes.store.set_mark(mark, &after).await?;
        }
        Ok(())
    }
}

impl Work {
    /// What identifies it and the dataset it belongs to. `None` where it is code: that is another one in another build.
    fn print(&self, document: &RawDocumentBuf) -> Option<String> {
        if matches!(self, Self::Rewrite { .. }) {
            return None;
        }
        let hash = Sha256::new().chain_update(document.as_bytes());
        Some(format!("{:x}", hash.chain_update(format!("{self:?}")).finalize()))
    }

    /// The collection that is walked in ranges.
    fn walked(&self) -> &str {
        match self {
            Self::Update { collection, .. } | Self::Rewrite { collection, .. } => collection,
            Self::Merge { from, .. } => from,
        }
    }
}
