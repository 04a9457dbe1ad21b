//! How fast a run goes and when it holds, which people may change while it does.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

/// What a run may ask of the server at once, and what must not be crossed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// How many operations on samples and frames may run side by side.
    pub side_by_side: u32,
    /// How long one of them shall take, in milliseconds: their size follows.
    pub batch_ms: u32,
    /// How far a majority of a replica set may be behind, in seconds, before the run holds.
    pub lag_s: u32,
    /// To how few writes a second the flow control of a replica set may slow everybody down before the run holds; 0 to
    /// go on whatever it does.
    pub flow_per_s: u32,
    /// How many minutes the oplog of a replica set must reach back, or the run holds; 0 to go on whatever is lost.
    pub oplog_min: u32,
    /// How many MiB must be free on the disk of the server, or the run holds; 0 to go on until it is full.
    pub disk_mib: u32,
}

/// One of its figures, with what makes sense.
struct Figure {
    what: &'static str,
    value: fn(&mut Pace) -> &mut u32,
    range: RangeInclusive<u32>,
}

const FIGURES: [Figure; 6] = [
    Figure {
        what: "operations side by side",
        value: |it| &mut it.side_by_side,
        range: 1..=Pace::MOST,
    },
    Figure { what: "milliseconds for a batch", value: |it| &mut it.batch_ms, range: 10..=5_000 },
    Figure {
        what: "seconds that a majority may be behind",
        value: |it| &mut it.lag_s,
        range: 1..=3_600,
    },
    Figure {
        what: "writes a second that flow control must let through",
        value: |it| &mut it.flow_per_s,
        range: 0..=1_000_000,
    },
    Figure {
        what: "minutes that the oplog must reach back",
        value: |it| &mut it.oplog_min,
        range: 0..=10_080,
    },
    Figure {
        what: "MiB that must be free on the server's disk",
        value: |it| &mut it.disk_mib,
        range: 0..=1 << 30,
    },
];

/// A figure of a pace that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} {what} make no sense; use {least} to {most}")]
pub struct NoPace {
    what: &'static str,
    value: u32,
    least: u32,
    most: u32,
}

impl Pace {
    /// The most that may run side by side.
    pub const MOST: u32 = 32;

    /// This pace, if it makes sense.
    ///
    /// # Errors
    ///
    /// [`NoPace`] with the first figure that does not.
    pub fn checked(mut self) -> Result<Self, NoPace> {
        for Figure { what, value, range } in FIGURES {
            let value = *value(&mut self);
            if !range.contains(&value) {
                return Err(NoPace { what, value, least: *range.start(), most: *range.end() });
            }
        }
        Ok(self)
    }

    /// This pace, within what makes sense: another version of the program may have written it.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        for Figure { value, range, .. } in FIGURES {
            let value = value(&mut self);
            *value = (*value).clamp(*range.start(), *range.end());
        }
        self
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side_by_side, batch_ms, lag_s, flow_per_s, oplog_min, disk_mib } = self;
        write!(
            f,
            "{side_by_side} operations side by side, of {batch_ms} ms each; holds when a majority of a replica set is \
             more than {lag_s} s behind"
        )?;
        if *flow_per_s > 0 {
            write!(f, ", when flow control lets fewer than {flow_per_s} writes a second through")?;
        }
        if *oplog_min > 0 {
            write!(f, ", when the oplog reaches back less than {oplog_min} min")?;
        }
        if *disk_mib > 0 {
            write!(f, ", when less than {disk_mib} MiB are free on the server's disk")?;
        }
        Ok(())
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            side_by_side: 4,
            batch_ms: 250,
            lag_s: 10,
            flow_per_s: 1_000,
            oplog_min: 10,
            disk_mib: 1_024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: u32) -> Pace {
        let mut pace = Pace::default();
        for it in FIGURES {
            *(it.value)(&mut pace) = value;
        }
        pace
    }

    #[test]
    fn a_pace_is_neither_nothing_nor_without_bounds() {
        let none = Pace { side_by_side: 1, batch_ms: 10, lag_s: 1, ..all(0) };
        assert_eq!(all(0).within_limits(), none);
        let most = all(u32::MAX).within_limits();
        assert_eq!((most.side_by_side, most.batch_ms, most.lag_s), (32, 5_000, 3_600));
        assert_eq!(Pace::default().within_limits(), Pace::default());
        assert_eq!(Pace::default().checked(), Ok(Pace::default()));
    }

    #[test]
    fn a_figure_that_makes_no_sense_is_named_with_what_does() {
        let refused = Pace { batch_ms: 9, ..Pace::default() }.checked().unwrap_err();
        assert_eq!(refused.to_string(), "9 milliseconds for a batch make no sense; use 10 to 5000");
    }

    #[test]
    fn what_is_not_looked_at_is_not_told() {
        let told = Pace { flow_per_s: 0, oplog_min: 0, disk_mib: 0, ..Pace::default() }.to_string();
        assert!(told.ends_with("more than 10 s behind"), "{told}");
        assert!(Pace::default().to_string().contains("less than 10 min, when less than 1024 MiB"));
    }
}
