//! Watching a run and stopping it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::mpsc;

use crate::report::{DatabaseReport, DatasetReport};

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
}

/// What others hold of a run: how far it is, and the wish to stop it.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    documents: Arc<AtomicU64>,
    expected: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// What the run itself holds: the meter, and the way to tell what happens. Nobody else keeps one, so that the
/// events end when the run does.
#[derive(Clone, Debug)]
pub struct Control {
    meter: Meter,
    events: mpsc::UnboundedSender<Event>,
}

impl Meter {
    /// Asks the run to stop at the next batch edge.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How many samples and frames were passed over.
    pub fn documents(&self) -> u64 {
        self.documents.load(Ordering::Relaxed)
    }

    /// About how many more samples and frames there are in the collections that are being passed over.
    pub fn documents_ahead(&self) -> u64 {
        self.expected.load(Ordering::Relaxed)
    }
}

impl Control {
    /// A control, its meter, and the events it will see.
    pub fn new() -> (Self, Meter, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        let meter = Meter::default();
        (Self { meter: meter.clone(), events }, meter, receiver)
    }

    pub(crate) fn stop(&self) {
        self.meter.stop();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.meter.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn expect_documents(&self, count: u64) {
        self.meter.expected.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_documents(&self, count: u64) {
        self.meter.documents.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn arrived(&self, count: u64) {
        self.meter.expected.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn send(&self, event: Event) {
        // Nobody listens any more: then nobody misses it.
        self.events.send(event).ok();
    }
}
