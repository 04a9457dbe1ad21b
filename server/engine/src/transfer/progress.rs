//! How far something is that goes through media; clones show the same.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use media::Throttle;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferPhase {
    /// Which files there are.
    Looking,
    /// Files are sent.
    Uploading,
    /// It is looked whether they are there.
    Verifying,
    /// Paths are rewritten.
    Rewriting,
    /// Files are removed.
    Removing,
}

/// How far it is, and how to slow it down or stop it.
#[derive(Clone, Debug)]
pub struct TransferProgress {
    /// How fast it may go.
    pub throttle: Arc<Throttle>,
    phase: Arc<AtomicU8>,
    done: Arc<AtomicU64>,
    of: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    of_bytes: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl TransferProgress {
    /// At its beginning.
    pub fn new(side_by_side: u32, bytes_per_second: u64) -> Self {
        let side_by_side = usize::try_from(side_by_side).unwrap_or(1);
        Self {
            throttle: Arc::new(Throttle::new(side_by_side, bytes_per_second)),
            phase: Arc::default(),
            done: Arc::default(),
            of: Arc::default(),
            bytes: Arc::default(),
            of_bytes: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// What is being done.
    pub fn phase(&self) -> TransferPhase {
        match self.phase.load(Ordering::Relaxed) {
            0 => TransferPhase::Looking,
            1 => TransferPhase::Uploading,
            2 => TransferPhase::Verifying,
            3 => TransferPhase::Rewriting,
            _ => TransferPhase::Removing,
        }
    }

    /// How many files or paths are done, and of how many; 0 if that is not known.
    pub fn files(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed))
    }

    /// The same in bytes: those of files that are done, with what is sent of others.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.of_bytes.load(Ordering::Relaxed))
    }

    /// How many files have failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self, phase: TransferPhase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.of.store(0, Ordering::Relaxed);
    }

    pub(super) fn expect(&self, files: u64, bytes: u64) {
        self.of.store(files, Ordering::Relaxed);
        self.of_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn seen(&self, files: u64) {
        self.done.fetch_add(files, Ordering::Relaxed);
    }

    pub(super) fn done(&self, bytes: u64) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn has_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}
