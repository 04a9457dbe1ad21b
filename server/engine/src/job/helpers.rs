//! Who has offered to help with a run that we lead: seen by its eye, awaited by its work.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use bson::{Document, doc, oid::ObjectId};
use tokio::sync::Notify;

use crate::{
    progress::Control,
    report::{DatasetReport, State},
    store::JobHand,
};

/// Those who help, and what we are called among them.
#[derive(Clone, Debug, Default)]
pub struct Helpers(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: AtomicUsize,
    came: Notify,
    /// Who we are among those who work on the run, once it is divided.
    key: OnceLock<ObjectId>,
    /// How many datasets were migrated here.
    datasets: AtomicI64,
    /// The number under which we note what becomes of datasets, once nobody helps any more.
    last: OnceLock<i64>,
}

impl Helpers {
    /// Returns when somebody has offered to help.
    pub async fn are_there(&self) {
        while self.count() == 0 {
            self.0.came.notified().await;
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    /// The run is divided, and this is what we are called.
    pub fn lead_as(&self, key: ObjectId) {
        self.0.key.set(key).ok();
    }

    /// What we are called, if the run is divided.
    pub fn led_as(&self) -> Option<ObjectId> {
        self.0.key.get().copied()
    }

    /// Nobody helps any more: from now on things are noted under this number, which is larger than those of all claims.
    pub fn ended(&self, number: i64) {
        self.0.last.set(number).ok();
    }

    /// The number under which things are noted, where it is not that of the lease.
    pub fn notes_under(&self) -> Option<i64> {
        self.0.last.get().copied()
    }

    /// These were done here.
    pub fn did(&self, reports: &[DatasetReport]) {
        let migrated = reports.iter().filter(|it| it.state == State::Migrated).count();
        self.0.datasets.fetch_add(i64::try_from(migrated).unwrap_or(0), Ordering::Relaxed);
    }

    /// What is noted of us in the run, once it is divided.
    pub fn progress(&self) -> Document {
        let Some(key) = self.led_as() else { return Document::new() };
        doc! { format!("hands.{key}.datasets"): self.0.datasets.load(Ordering::Relaxed) }
    }

    /// Sees who is there by now, how far they are, and whether one of them wants the run to end.
    pub fn look(&self, hands: &BTreeMap<String, JobHand>, fence: i64, control: &Control) {
        let others = || hands.values().filter(|it| !it.leads);
        let there = others().filter(|it| it.fence == fence);
        let count = there.clone().filter(|it| it.left.is_none()).count();
        self.0.count.store(count, Ordering::Relaxed);
        if count > 0 {
            self.0.came.notify_one();
        }
        let documents: i64 = others().map(|it| it.documents).sum();
        control.set_others(u64::try_from(documents).unwrap_or(0));
        if let Some(reason) = there.clone().find_map(|it| it.failed.as_ref()) {
            control.break_off(reason.clone());
        }
    }
}
