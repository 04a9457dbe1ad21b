//! How fast a run goes, which people may change while it does.

use serde::{Deserialize, Serialize};

/// What a run may ask of the server at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// How many operations on samples and frames may run side by side.
    pub side_by_side: u32,
    /// How long one of them shall take, in milliseconds: their size follows.
    pub batch_ms: u32,
    /// How far a majority of a replica set may be behind, in seconds, before the run holds.
    pub lag_s: u32,
}

impl Pace {
    /// The most that may run side by side.
    pub const MOST: u32 = 32;

    /// This pace, within what makes sense.
    #[must_use]
    pub fn within_limits(self) -> Self {
        Self {
            side_by_side: self.side_by_side.clamp(1, Self::MOST),
            batch_ms: self.batch_ms.clamp(10, 5_000),
            lag_s: self.lag_s.clamp(1, 3_600),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { side_by_side: 4, batch_ms: 250, lag_s: 10 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_neither_nothing_nor_without_bounds() {
        let (none, all) = (
            Pace { side_by_side: 0, batch_ms: 0, lag_s: 0 },
            Pace { side_by_side: u32::MAX, batch_ms: u32::MAX, lag_s: u32::MAX },
        );
        assert_eq!(none.within_limits(), Pace { side_by_side: 1, batch_ms: 10, lag_s: 1 });
        assert_eq!(all.within_limits(), Pace { side_by_side: 32, batch_ms: 5_000, lag_s: 3_600 });
        assert_eq!(Pace::default().within_limits(), Pace::default());
    }
}
