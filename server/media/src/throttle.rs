//! How many requests go side by side, and how many bytes a second: both can be changed while it goes.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::fault::Fault;

/// How often somebody who waits looks whether anything is different.
const LOOK: Duration = Duration::from_millis(100);

/// Shared by all that uploads of one run do.
#[derive(Debug)]
pub struct Throttle {
    slots: Mutex<Slots>,
    freed: Notify,
    allowance: Mutex<Allowance>,
    stopped: AtomicBool,
    sent: AtomicU64,
}

#[derive(Debug)]
struct Slots {
    limit: usize,
    taken: usize,
}

#[derive(Debug)]
struct Allowance {
    /// Bytes a second; 0 for as many as there are.
    rate: u64,
    /// What may be sent at once; below 0 for what was sent ahead of its time.
    bytes: f64,
    since: Instant,
}

/// The right to one request at a time.
#[derive(Debug)]
pub struct Slot<'a>(&'a Throttle);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        held(&self.0.slots).taken -= 1;
        self.0.freed.notify_one();
    }
}

impl Throttle {
    /// So many requests side by side, at least one, and so many bytes a second, or 0 for any.
    pub fn new(side_by_side: usize, bytes_per_second: u64) -> Self {
        Self {
            slots: Mutex::new(Slots { limit: side_by_side.max(1), taken: 0 }),
            freed: Notify::new(),
            allowance: Mutex::new(Allowance {
                rate: bytes_per_second,
                bytes: 0.,
                since: Instant::now(),
            }),
            stopped: AtomicBool::new(false),
            sent: AtomicU64::new(0),
        }
    }

    /// Changes both, for all that begins from now on.
    pub fn set(&self, side_by_side: usize, bytes_per_second: u64) {
        held(&self.slots).limit = side_by_side.max(1);
        held(&self.allowance).rate = bytes_per_second;
        self.freed.notify_waiters();
    }

    /// Nothing begins any more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.freed.notify_waiters();
    }

    /// Whether nothing may begin any more.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How many bytes were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Waits for the right to one request.
    ///
    /// # Errors
    ///
    /// If it is stopped.
    pub async fn slot(&self) -> Result<Slot<'_>, Fault> {
        loop {
            if self.is_stopped() {
                return Err(Fault::stopped());
            }
            {
                let mut slots = held(&self.slots);
                if slots.taken < slots.limit {
                    slots.taken += 1;
                    return Ok(Slot(self));
                }
            }
            // Somebody may be told between the look and the wait; hence not for ever.
            tokio::time::timeout(LOOK, self.freed.notified()).await.ok();
        }
    }

    /// Waits until so many bytes may be sent, and counts them.
    ///
    /// # Errors
    ///
    /// If it is stopped.
    pub async fn bytes(&self, count: u64) -> Result<(), Fault> {
        loop {
            if self.is_stopped() {
                return Err(Fault::stopped());
            }
            let wait = held(&self.allowance).take(count, Instant::now());
            match wait {
                None => break,
                Some(wait) => tokio::time::sleep(wait.min(LOOK)).await,
            }
        }
        self.sent.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Sleeps, unless it is stopped meanwhile.
    ///
    /// # Errors
    ///
    /// If it is stopped.
    pub async fn pause(&self, pause: Duration) -> Result<(), Fault> {
        let end = Instant::now() + pause;
        while Instant::now() < end {
            if self.is_stopped() {
                return Err(Fault::stopped());
            }
            tokio::time::sleep(LOOK.min(end.saturating_duration_since(Instant::now()))).await;
        }
        Ok(())
    }
}

impl Allowance {
    /// Takes so many bytes, or says how long to wait. Somebody may always be one piece ahead, or none larger than a second's worth
    /// could ever be sent.
    #[expect(clippy::cast_precision_loss, reason = "no rate is so large that it matters")]
    fn take(&mut self, count: u64, now: Instant) -> Option<Duration> {
        if self.rate == 0 {
            (self.bytes, self.since) = (0., now);
            return None;
        }
        let rate = self.rate as f64;
        let earned = now.saturating_duration_since(self.since).as_secs_f64() * rate;
        (self.bytes, self.since) = ((self.bytes + earned).min(rate), now);
        if self.bytes < 0. {
            return Some(Duration::from_secs_f64((-self.bytes / rate).min(60.)));
        }
        self.bytes -= count as f64;
        None
    }
}

fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_rate_holds_over_time_whatever_the_pieces() {
        let start = Instant::now();
        let mut allowance = Allowance { rate: 1000, bytes: 0., since: start };
        let (mut now, mut sent) = (start, 0);
        while now < start + Duration::from_secs(20) {
            match allowance.take(2500, now) {
                None => sent += 2500,
                Some(wait) => now += wait.max(Duration::from_millis(1)),
            }
        }
        assert!((20_000..=23_000).contains(&sent), "{sent} bytes in 20 s");
        allowance.rate = 0;
        assert_eq!(allowance.take(1 << 40, now), None);
    }

    #[tokio::test]
    async fn the_number_of_slots_is_changed_while_somebody_waits() {
        let throttle = Arc::new(Throttle::new(1, 0));
        let first = throttle.slot().await.unwrap();
        let waiting = tokio::spawn({
            let throttle = throttle.clone();
            async move { throttle.slot().await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        throttle.set(2, 0);
        waiting.await.unwrap().unwrap();
        throttle.stop();
        assert!(throttle.slot().await.is_err() && throttle.bytes(1).await.is_err());
        drop(first);
    }
}
