//! A clock that goes on while the machine is suspended: what is held runs out on the server meanwhile.
//!
//! `std::time::Instant` stands still then, on Linux (`CLOCK_MONOTONIC`) and on macOS (`CLOCK_UPTIME_RAW`), so that a
//! laptop whose lid was closed for a night would believe that it still has its lease.

use std::{
    ops::Add,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bson::DateTime;
use nix::time::{ClockId, clock_gettime};

/// A moment of this machine, suspended or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;

/// On macOS this one goes on in sleep, and `Instant` uses another. Elsewhere it is the best there is.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

impl Moment {
    /// Now.
    pub fn now() -> Self {
        /// For a kernel without such a clock; none is known, and a wrong word would be a write too late.
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        Self(clock_gettime(CLOCK).map_or_else(|_| BEGUN.elapsed(), Duration::from))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// A time as people and scripts get it: always with its milliseconds, so that texts are in the order of their times.
pub fn text(time: DateTime) -> String {
    let millis = time.timestamp_millis().rem_euclid(1_000);
    let whole = DateTime::from_millis(time.timestamp_millis() - millis);
    let text = whole.try_to_rfc3339_string().unwrap_or_default();
    text.strip_suffix('Z').map_or_else(|| text.clone(), |it| format!("{it}.{millis:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_later_than_the_one_before_it() {
        let (first, second) = (Moment::now(), Moment::now());
        assert!(first <= second);
        assert!(first < first + Duration::from_nanos(1));
    }

    #[test]
    fn the_texts_of_times_are_in_their_order() {
        let times = [-1, 0, 9, 10, 99, 100, 120, 125, 999, 1_000, 1_001, 60_000];
        let texts = times.map(|it| text(DateTime::from_millis(it)));
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[6], "1970-01-01T00:00:00.120Z");
    }

    /// `/proc/uptime` counts the time in which the machine was suspended, and so does the clock.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_clock_counts_from_the_start_of_the_machine_its_sleep_included() {
        let uptime = || -> Duration {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            Duration::from_secs_f64(text.split_whitespace().next().unwrap().parse().unwrap())
        };
        let (before, now, after) = (uptime(), Moment::now(), uptime());
        // It is written down in hundredths of a second.
        let hundredth = Duration::from_millis(10);
        assert!(Moment(before) <= now + hundredth, "{before:?} {now:?}");
        assert!(now <= Moment(after) + hundredth, "{now:?} {after:?}");
    }
}
