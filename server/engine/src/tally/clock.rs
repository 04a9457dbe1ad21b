//! A clock that several share: while some work side by side, each is charged its part of the time that passes.

use std::time::{Duration, Instant};

/// The clock of a run.
#[derive(Debug, Default)]
pub struct Clock {
    /// How long one of them would have been charged since the beginning.
    shared: Duration,
    working: u32,
    at: Option<Instant>,
}

impl Clock {
    /// Somebody begins. Returns what [`Clock::end`] wants to know.
    pub fn begin(&mut self, now: Instant) -> Duration {
        self.advance(now);
        self.working += 1;
        self.shared
    }

    /// Somebody ends. Returns their part: all parts together are as long as somebody was at work.
    pub fn end(&mut self, now: Instant, begun: Duration) -> Duration {
        self.advance(now);
        self.working = self.working.saturating_sub(1);
        self.shared.saturating_sub(begun)
    }

    fn advance(&mut self, now: Instant) {
        if let Some(at) = self.at
            && self.working > 0
        {
            self.shared += now.saturating_duration_since(at) / self.working;
        }
        self.at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_all_are_the_time_in_which_somebody_was_at_work() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut clock = Clock::default();
        let first = clock.begin(at(0));
        let second = clock.begin(at(2));
        // Alone for two seconds, with another one for four.
        assert_eq!(clock.end(at(6), first), Duration::from_secs(4));
        assert_eq!(clock.end(at(7), second), Duration::from_secs(3));
        // Nobody is charged for a time in which nobody works.
        let third = clock.begin(at(100));
        assert_eq!(clock.end(at(101), third), Duration::from_secs(1));
    }
}
