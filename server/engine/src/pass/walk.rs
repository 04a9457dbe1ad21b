//! Walking a large collection in ranges of `_id`, several side by side, as large as the pace allows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bson::Bson;
use model::Labor;
use tokio::task::{JoinError, JoinSet};

use super::{Halt, Passes, Piece, Work};
use crate::store::{Failure, Mark};

/// How many documents the first range has; it is seen then how long that takes.
const FIRST: u64 = 5_000;

/// How few and how many one may have.
const FEWEST: u64 = 100;
const MOST: u64 = 50_000;

/// One walk over a collection.
pub struct Walk<'a> {
    passes: &'a Passes,
    mark: Option<Mark>,
    /// About how many documents are ahead.
    ahead: u64,
    /// How many the next range has.
    size: u64,
    /// How many ranges from the start on are done.
    arrived: u64,
    /// Those done beyond them, with their last `_id` and how many documents they had.
    out_of_order: BTreeMap<u64, (Option<Bson>, u64)>,
    course: Course,
}

/// Whose documents are walked over, and what that costs.
pub struct Course {
    /// The `_id` of the dataset.
    pub dataset: Bson,
    /// What is done to them.
    pub labor: Labor,
    /// How many bytes one of them has.
    pub average_bytes: u64,
    /// How many were passed over before the one at which the walk begins.
    pub before: u64,
}

/// A range that is done.
struct Done {
    /// Which one.
    number: u64,
    /// Its last `_id`.
    until: Option<Bson>,
    /// How many documents it was to have.
    size: u64,
    piece: Piece,
}

impl<'a> Walk<'a> {
    /// A walk over about this many documents.
    pub fn new(passes: &'a Passes, mark: Option<Mark>, course: Course, ahead: u64) -> Self {
        let out_of_order = BTreeMap::new();
        Self { passes, mark, ahead, size: FIRST, arrived: 0, out_of_order, course }
    }

    /// About how many documents are ahead.
    pub fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Walks from behind `from` to the end.
    pub async fn walk(&mut self, work: Arc<Work>, from: Option<Bson>) -> Result<(), Halt> {
        let mut pieces: JoinSet<Result<Done, Halt>> = JoinSet::new();
        let (mut after, mut last, mut begun, mut ended) = (from, false, 0, Ok(()));
        while ended.is_ok() && !(last && pieces.is_empty()) {
            if last || pieces.len() >= self.passes.control.pace().side_by_side as usize {
                ended = self.done(pieces.join_next().await).await;
                continue;
            }
            if self.passes.control.is_stopped() {
                ended = Err(Halt::Stopped);
                break;
            }
            let size = self.size;
            let range = self.passes.store.next_range(work.walked(), after.as_ref(), size).await;
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
                let piece = passes.halving(&work, range, size).await?;
                Ok(Done { number, until, size, piece })
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
        done: Option<Result<Result<Done, Halt>, JoinError>>,
    ) -> Result<(), Halt> {
        let done = match done {
            Some(Ok(done)) => done?,
            Some(Err(error)) => return Err(Failure::other(error.to_string()).into()),
            None => return Ok(()),
        };
        let (control, documents) = (&self.passes.control, done.piece.documents);
        let Course { dataset, labor, average_bytes, .. } = &self.course;
        control.add_documents(documents);
        control.tally().passed(dataset, documents, documents * average_bytes, false);
        let arrived = documents.min(self.ahead);
        self.ahead -= arrived;
        control.arrived(arrived);
        control.tally().ahead(dataset, *labor, 0, arrived);
        if done.until.is_some() {
            let target = Duration::from_millis(u64::from(control.pace().batch_ms));
            self.size = next_size(done.size, done.piece.took, target);
        }
        self.out_of_order.insert(done.number, (done.until, documents));
        let mut after = None;
        while let Some((until, documents)) = self.out_of_order.remove(&self.arrived) {
            self.arrived += 1;
            self.course.before += documents;
            after = until.or(after);
        }
        if let (Some(mark), Some(after)) = (&self.mark, after) {
            self.passes.store.set_mark(mark, &after, self.course.before).await?;
        }
        Ok(())
    }
}

/// How many documents the next range shall have, if one of `size` took this long: not more than twice as many, nor less
/// than half, because the server may only have been busy with something else.
fn next_size(size: u64, took: Duration, target: Duration) -> u64 {
    let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX).max(1);
    let wanted = size.saturating_mul(millis(target)) / millis(took);
    wanted.clamp(size / 2, size.saturating_mul(2)).clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_as_large_as_the_time_allows_step_by_step() {
        let target = Duration::from_millis(250);
        let next = |size: u64, millis: u64| next_size(size, Duration::from_millis(millis), target);
        assert_eq!(next(5_000, 250), 5_000);
        assert_eq!(next(5_000, 200), 6_250);
        assert_eq!(next(5_000, 0), 10_000);
        assert_eq!(next(5_000, 10_000), 2_500);
        assert_eq!(next(120, 10_000), FEWEST);
        assert_eq!(next(40_000, 1), MOST);
    }
}
