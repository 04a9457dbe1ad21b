//! Passes over a dataset's collections: one per collection, side by side, in bounded pieces.

mod walk;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bson::{Bson, Document, RawDocumentBuf, oid::ObjectId};
use futures_util::future::BoxFuture;
use model::{Labor, Pace};
use revisions::{Collections, Keys, Merge, Pass, Scope, Stage, Update};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use self::walk::{Course, Walk};
use crate::{
    progress::Control,
    store::{Failure, LONGEST_WRITE, Mark, Range, Store},
    tally::LARGE,
};

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

impl Halt {
    /// The failure, where nobody can ask for a stop.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Stopped => Failure::other("it was stopped"),
            Self::Failed(failure) => failure,
        }
    }
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

/// What was done in one operation or several.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// How many documents were looked at.
    documents: u64,
    /// How long that took the server.
    took: Duration,
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
        existing: Arc<BTreeSet<String>>,
    ) -> Self {
        // Each operation takes as many as make the number that may run side by side.
        let permits = Arc::new(Semaphore::new(Pace::MOST as usize));
        Self { store, control, run, fence, marks: true, existing, permits }
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
            match self.piece(&work, &Range::all(), AT_ONCE, 0).await {
                Err(Halt::Failed(failure)) if failure.is_of_a_part() => {}
                Err(halt) => return Err(halt),
                Ok(piece) => {
                    self.control.add_documents(piece.documents);
                    let bytes = self.bytes(work.walked(), piece.documents).await?;
                    self.control.tally().passed(whose.id, piece.documents, bytes, false);
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
        self.in_ranges(whose.id, work, mark).await
    }

    /// About how many bytes were changed at once. Of small collections that is not asked: it would take as long as the change.
    async fn bytes(&self, collection: &str, documents: u64) -> Result<u64, Failure> {
        if documents < LARGE {
            return Ok(0);
        }
        Ok(self.store.weight(collection).await?.average() * documents)
    }

    /// Walks a collection in ranges, several side by side, from where the mark says that it was left.
    async fn in_ranges(&self, of: &Bson, work: Work, mark: Option<Mark>) -> Result<(), Halt> {
        let weight = self.store.weight(work.walked()).await?;
        let from = match &mark {
            Some(mark) => self.store.mark(mark).await?,
            None => None,
        };
        let (labor, tally) = (work.labor(), self.control.tally());
        let (from, before) = from.map_or((None, 0), |it| (Some(it.after), it.documents));
        let ahead = weight.documents.saturating_sub(before);
        tally.passed(of, before, before * weight.average(), true);
        self.control.expect_documents(ahead);
        tally.ahead(of, labor, ahead, 0);
        let course = Course { dataset: of.clone(), labor, average_bytes: weight.average(), before };
        let mut walk = Walk::new(self, mark, course, ahead);
        let ended = walk.walk(Arc::new(work), from).await;
        self.control.arrived(walk.ahead());
        match &ended {
            Ok(()) => tally.ahead(of, labor, 0, walk.ahead()),
            Err(_) => tally.broken_off(labor, walk.ahead()),
        }
        ended
    }

    /// Changes a range, in halves where that takes too long, or where one of its documents cannot be changed: until
    /// that one stands alone.
    fn halving<'a>(
        &'a self,
        work: &'a Work,
        range: Range,
        documents: u64,
    ) -> BoxFuture<'a, Result<Piece, Halt>> {
        Box::pin(async move {
            match self.piece(work, &range, ONE_RANGE, documents).await {
                Err(Halt::Failed(failure)) if failure.is_of_a_part() && documents > 1 => {
                    let half = documents.div_ceil(2);
                    let first =
                        self.store.next_range(work.walked(), range.after.as_ref(), half).await?;
                    let middle = first.until.clone();
                    let done = self.halving(work, first, half).await?;
                    if middle.is_none() || middle == range.until {
                        return Ok(done);
                    }
                    let second = Range { after: middle, until: range.until };
                    let more = self.halving(work, second, half).await?;
                    Ok(Piece {
                        documents: done.documents + more.documents,
                        took: done.took + more.took,
                    })
                }
                Err(Halt::Failed(failure)) if failure.is_of_a_document() => {
                    Err(Halt::Failed(self.naming(work, &range, failure).await))
                }
                ended => ended,
            }
        })
    }

    /// The failure of the only document of a range, with its name.
    async fn naming(&self, work: &Work, range: &Range, failure: Failure) -> Failure {
        let only = self.store.next_range(work.walked(), range.after.as_ref(), 1).await;
        let Some(id) = only.ok().and_then(|it| it.until) else { return failure };
        let text = format!(
            "the document with `_id` {id} in `{}` cannot be changed: {}",
            work.walked(),
            failure.text
        );
        failure.saying(text)
    }

    /// `about`: how many documents the range has, where that is known.
    async fn piece(
        &self,
        work: &Work,
        range: &Range,
        limit: Duration,
        about: u64,
    ) -> Result<Piece, Halt> {
        let weight = Pace::MOST / self.control.pace().side_by_side;
        let _permit =
            self.permits.acquire_many(weight).await.map_err(|it| Failure::other(it.to_string()))?;
        // Last before it is sent: the wait may have been long, and the program asleep meanwhile.
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        let _under_way = self.control.begin_operation();
        let (begun, stint) = (Instant::now(), self.control.tally().stint());
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
        let documents = documents?;
        // The last range is open, and a merge does not say how many it has looked at.
        let done = if range.until.is_none() { documents } else { documents.max(about) };
        stint.did(work.labor(), done);
        Ok(Piece { documents, took: begun.elapsed() })
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

    /// What it costs.
    fn labor(&self) -> Labor {
        match self {
            Self::Update { keys: Some(_), .. } => Labor::Set,
            Self::Update { keys: None, .. } => Labor::Change,
            Self::Rewrite { .. } => Labor::Code,
            Self::Merge { .. } => Labor::Merge,
        }
    }

    /// The collection that is walked in ranges.
    fn walked(&self) -> &str {
        match self {
            Self::Update { collection, .. } | Self::Rewrite { collection, .. } => collection,
            Self::Merge { from, .. } => from,
        }
    }
}
