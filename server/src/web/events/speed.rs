//! How many documents a run passes over in a second, by what was seen of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use engine::RunSummary;

/// Over how long it is taken together.
const SPAN: Duration = Duration::from_secs(10);

/// Less than this says nothing.
const ENOUGH: Duration = Duration::from_secs(2);

/// What was seen in the last seconds.
#[derive(Debug, Default)]
pub struct Speed {
    seen: VecDeque<(Instant, u64)>,
}

impl Speed {
    /// How fast it is, now that it was seen once more; `None` while that is not known.
    pub fn after(&mut self, run: &RunSummary, now: Instant) -> Option<u64> {
        if !(run.state.is_active() && run.held) {
            self.seen.clear();
            return None;
        }
        self.add(run.documents, now)
    }

    fn add(&mut self, documents: u64, now: Instant) -> Option<u64> {
        // It went on in other hands, which count anew.
        if self.seen.back().is_some_and(|(_, last)| *last > documents) {
            self.seen.clear();
        }
        self.seen.push_back((now, documents));
        // One from before that stays, or looks that take long would never say anything.
        while self.seen.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= SPAN) {
            self.seen.pop_front();
        }
        let (since, before) = self.seen.front()?;
        let took = now.duration_since(*since);
        if took < ENOUGH {
            return None;
        }
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Some((documents - before).saturating_mul(1_000) / ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_told_after_two_seconds_and_of_the_last_ten() {
        let (mut speed, begun) = (Speed::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(speed.add(0, after(0)), None);
        assert_eq!(speed.add(1_000, after(1)), None);
        assert_eq!(speed.add(4_000, after(2)), Some(2_000));
        // All that was before is forgotten.
        assert_eq!(speed.add(4_000, after(12)), Some(0));
        assert_eq!(speed.add(4_000, after(13)), Some(0));
    }

    #[test]
    fn a_run_that_counts_anew_has_no_speed_for_a_while() {
        let (mut speed, begun) = (Speed::default(), Instant::now());
        speed.add(5_000, begun);
        assert_eq!(speed.add(10, begun + Duration::from_secs(3)), None);
    }
}
