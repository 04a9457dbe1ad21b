//! Watching a run and stopping it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use bson::DateTime;
use model::{Pace, Span};
use tokio::sync::mpsc;

use crate::{
    Error, Result,
    clock::Moment,
    report::{DatabaseReport, DatasetReport},
    store::Failure,
    tally::Tally,
};

/// How often it is looked whether the run may go on again.
const HOLD: Duration = Duration::from_millis(100);

/// Something people want to see while it happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// It is known what has to be done.
    Planned {
        /// How many datasets have to be migrated.
        datasets: usize,
    },
    /// The database's admin revisions begin.
    Database(DatabaseReport),
    /// A dataset begins to cross its revisions.
    Started(DatasetReport),
    /// A dataset is done with, well or badly.
    Finished(DatasetReport),
    /// All is done, and what was kept to undo runs that cannot be undone any more is being removed.
    Expired {
        /// Of how many runs.
        journals: usize,
    },
}

/// What others hold of a run: how far it is, and the wish to stop it.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    documents: Arc<AtomicU64>,
    expected: Arc<AtomicU64>,
    verified: Arc<AtomicU64>,
    to_verify: Arc<AtomicU64>,
    last_write: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    term: Term,
    broken: Arc<Mutex<Option<String>>>,
    cut_off: Arc<AtomicBool>,
    pace: Arc<Mutex<Pace>>,
    holding: Arc<Mutex<Option<String>>>,
    under_way: Arc<AtomicU64>,
    others: Arc<AtomicU64>,
    tally: Tally,
}

/// For how long what is held allows new writes to be begun.
type Term = Arc<Mutex<Allowed>>;

#[derive(Clone, Copy, Debug, Default)]
enum Allowed {
    /// For as long as anybody likes: nothing is held.
    #[default]
    Always,
    /// Until then. Afterwards it is either renewed, if the program was only asleep for a while, or lost.
    Until(Moment),
    /// Somebody else may write now.
    Lost,
}

/// What the run itself holds: the meter, and the way to tell what happens. Nobody else keeps one, so that the
/// events end when the run does.
#[derive(Clone, Debug)]
pub struct Control {
    meter: Meter,
    events: mpsc::UnboundedSender<Event>,
    insists: bool,
    /// For how long what is claimed may be written, beside what holds for all that this program does.
    claim: Option<Term>,
}

/// An operation on samples or frames that the server is at.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<AtomicU64>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    /// Asks the run to stop at the next batch edge.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How many samples and frames were passed over, here and by those who help.
    pub fn documents(&self) -> u64 {
        self.documents.load(Ordering::Relaxed) + self.others.load(Ordering::Relaxed)
    }

    /// How many operations on samples and frames the server is at for us.
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// About how many more samples and frames there are in the collections that are being passed over.
    pub fn documents_ahead(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }

    /// How many datasets are verified, and of how many; none until everything is written.
    pub fn verified(&self) -> (u64, u64) {
        (self.verified.load(Ordering::Relaxed), self.to_verify.load(Ordering::Relaxed))
    }

    /// How long the rest takes, once something is known about that.
    pub fn remaining(&self) -> Option<Span> {
        self.tally.remaining()
    }

    /// Why the run holds, if it does.
    pub fn holding(&self) -> Option<String> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Control {
    /// A control, its meter, and the events it will see.
    pub fn new() -> (Self, Meter, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let meter = Meter::default();
        (Self { meter: meter.clone(), events, insists: false, claim: None }, meter, receiver)
    }

    pub(crate) fn stop(&self) {
        self.meter.stop();
    }

    /// Ends the run because it cannot go on; the first reason counts.
    pub(crate) fn break_off(&self, reason: impl Into<String>) {
        let mut broken = self.meter.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert_with(|| reason.into());
        self.meter.stop();
    }

    /// Ends the run because of a failure that concerns everything. If only the server cannot be reached at the moment,
    /// the run is not over: it is left to whoever can reach it.
    pub(crate) fn break_off_by(&self, failure: &Failure) {
        if failure.is_unreachable() {
            self.meter.cut_off.store(true, Ordering::Relaxed);
        }
        self.break_off(failure.text.clone());
    }

    /// The same where something ended because the server could not be reached.
    pub(crate) fn mind<T>(&self, ended: &Result<T>) {
        if let Err(Error::Unreachable { reason, .. }) = ended {
            self.meter.cut_off.store(true, Ordering::Relaxed);
            self.break_off(reason.clone());
        }
    }

    /// Whether the server could not be reached.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.meter.cut_off.load(Ordering::Relaxed)
    }

    /// Why the run could not go on.
    pub(crate) fn broken(&self) -> Option<String> {
        self.meter.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until when new writes may be begun: a program that was asleep for longer finds out here, before it has asked
    /// anybody, and waits until what is held is renewed, or lost.
    pub(crate) fn write_until(&self, moment: Moment) {
        let mut allowed = self.term().lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*allowed, Allowed::Lost) {
            *allowed = Allowed::Until(moment);
        }
    }

    /// Somebody else may write now, and nothing more is begun here, however important. Of a claim, nothing more of what
    /// is claimed.
    pub(crate) fn lose(&self) {
        *self.term().lock().unwrap_or_else(PoisonError::into_inner) = Allowed::Lost;
        if self.claim.is_none() {
            self.stop();
        }
    }

    /// What the own term is: that of the claim, if something is claimed.
    fn term(&self) -> &Term {
        self.claim.as_ref().unwrap_or(&self.meter.term)
    }

    fn allowed(&self) -> impl Iterator<Item = Allowed> {
        let terms = std::iter::once(&self.meter.term).chain(&self.claim);
        terms.map(|it| *it.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same control for what is claimed; nothing may be written before it is.
    pub(crate) fn claiming(&self) -> Self {
        let claim = Some(Arc::new(Mutex::new(Allowed::Until(Moment::now()))));
        Self { claim, ..self.clone() }
    }

    /// The same control for what must not be left half-done: it only stops when somebody else may write.
    pub(crate) fn insisting(&self) -> Self {
        Self { insists: true, ..self.clone() }
    }

    /// Whether somebody has asked for an end.
    pub(crate) fn is_told_to_stop(&self) -> bool {
        self.meter.stop.load(Ordering::Relaxed)
    }

    /// Whether nothing may be begun any more, however important.
    pub(crate) fn is_over(&self) -> bool {
        self.allowed().any(|it| matches!(it, Allowed::Lost))
    }

    /// Whether nothing new may be begun. It never becomes false again: what was left out because of it would not be
    /// missed otherwise.
    pub(crate) fn is_stopped(&self) -> bool {
        (!self.insists && self.meter.stop.load(Ordering::Relaxed)) || self.is_over()
    }

    /// Whether a write that is begun in this moment ends before somebody else may write.
    pub(crate) fn is_in_time(&self) -> bool {
        let now = Moment::now();
        self.allowed().all(|it| match it {
            Allowed::Always => true,
            Allowed::Until(moment) => now < moment,
            Allowed::Lost => false,
        })
    }

    /// Waits while the run holds, and while it is not known whether what is held was lost in our sleep. Returns whether
    /// something new may be begun now.
    pub(crate) async fn may_go_on(&self) -> bool {
        while !self.is_stopped() {
            if self.holding().is_none() && self.is_in_time() {
                return true;
            }
            tokio::time::sleep(HOLD).await;
        }
        false
    }

    /// The same for what ends something that was begun, however the run goes on.
    pub(crate) async fn may_end(&self) -> bool {
        while !self.is_over() {
            if self.is_in_time() {
                return true;
            }
            tokio::time::sleep(HOLD).await;
        }
        false
    }

    /// Why the run holds, if it does.
    pub(crate) fn holding(&self) -> Option<String> {
        self.meter.holding()
    }

    /// Lets the run hold for a reason, or go on.
    pub(crate) fn hold(&self, reason: Option<String>) {
        self.meter.tally.holds(reason.is_some());
        *self.meter.holding.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// What was done so far.
    pub(crate) fn tally(&self) -> &Tally {
        &self.meter.tally
    }

    /// How fast the run goes.
    pub(crate) fn pace(&self) -> Pace {
        *self.meter.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        *self.meter.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace.within_limits();
    }

    /// Something of FiftyOne's was written just now.
    pub(crate) fn wrote(&self) {
        self.meter.last_write.store(DateTime::now().timestamp_millis(), Ordering::Relaxed);
    }

    pub(crate) fn last_write(&self) -> Option<DateTime> {
        let millis = self.meter.last_write.load(Ordering::Relaxed);
        (millis != 0).then(|| DateTime::from_millis(millis))
    }

    /// How many samples and frames were passed over here, as MongoDB counts.
    pub(crate) fn documents(&self) -> i64 {
        i64::try_from(self.meter.documents.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }

    /// How many were passed over by those who help.
    pub(crate) fn set_others(&self, documents: u64) {
        self.meter.others.store(documents, Ordering::Relaxed);
    }

    /// Here and by those who help.
    pub(crate) fn all_documents(&self) -> u64 {
        self.meter.documents()
    }

    /// One more operation on samples or frames, until what is returned is dropped.
    pub(crate) fn begin_operation(&self) -> UnderWay {
        self.meter.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.meter.under_way))
    }

    /// About how many more there are, as MongoDB counts.
    pub(crate) fn documents_ahead(&self) -> i64 {
        i64::try_from(self.meter.documents_ahead()).unwrap_or(i64::MAX)
    }

    /// A run that goes on has passed over this many before.
    pub(crate) fn begin_at(&self, documents: i64) {
        self.meter.documents.store(u64::try_from(documents).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn expect_documents(&self, count: u64) {
        self.meter.expected.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_documents(&self, count: u64) {
        self.meter.documents.fetch_add(count, Ordering::Relaxed);
        self.wrote();
    }

    /// So many datasets are verified, of so many.
    pub(crate) fn verified(&self, done: u64, all: u64) {
        self.meter.verified.store(done, Ordering::Relaxed);
        self.meter.to_verify.store(all, Ordering::Relaxed);
    }

    /// The same, as MongoDB counts.
    pub(crate) fn verifying(&self) -> (i64, i64) {
        let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let (done, all) = self.meter.verified();
        (number(done), number(all))
    }

    pub(crate) fn arrived(&self, count: u64) {
        self.meter.expected.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn send(&self, event: Event) {
        // Nobody listens any more: then nobody misses it.
        self.events.send(event).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::{FutureExt, poll};

    use super::*;

    const LONG: Duration = Duration::from_secs(1_000);

    /// A control whose time is over, because it was asleep or because it cannot renew what it holds.
    fn late() -> Control {
        let (control, ..) = Control::new();
        control.write_until(Moment::now());
        control
    }

    #[tokio::test]
    async fn whoever_was_asleep_waits_until_its_lease_is_renewed_and_leaves_nothing_out() {
        let control = late();
        assert!(!control.is_in_time() && !control.is_stopped() && !control.is_over());
        let (mut goes_on, mut ends) = (pin!(control.may_go_on()), pin!(control.may_end()));
        assert!(poll!(&mut goes_on).is_pending() && poll!(&mut ends).is_pending());
        control.write_until(Moment::now() + LONG);
        assert!(goes_on.await && ends.await);
    }

    #[tokio::test]
    async fn what_is_lost_is_not_waited_for_and_never_comes_back() {
        let control = late();
        let (mut goes_on, insisting) = (pin!(control.may_go_on()), control.insisting());
        assert!(poll!(&mut goes_on).is_pending());
        control.lose();
        control.write_until(Moment::now() + LONG);
        assert!(!goes_on.await);
        assert_eq!(insisting.may_go_on().now_or_never(), Some(false));
        assert_eq!(insisting.may_end().now_or_never(), Some(false));
        assert!(control.is_stopped() && control.is_over() && !control.is_in_time());
    }

    #[tokio::test]
    async fn a_claim_that_is_lost_leaves_the_rest_alone() {
        let (control, ..) = Control::new();
        control.write_until(Moment::now() + LONG);
        let claim = control.claiming();
        assert!(!claim.is_in_time(), "nothing may be written before it is claimed");
        claim.write_until(Moment::now() + LONG);
        assert!(claim.is_in_time());
        claim.lose();
        assert!(claim.is_over() && !control.is_over() && control.is_in_time());
    }

    #[tokio::test]
    async fn what_was_begun_may_be_ended_by_whoever_is_told_to_stop() {
        let (control, ..) = Control::new();
        control.stop();
        assert_eq!(control.may_go_on().now_or_never(), Some(false));
        assert_eq!(control.insisting().may_go_on().now_or_never(), Some(true));
        assert_eq!(control.may_end().now_or_never(), Some(true));
    }
}
