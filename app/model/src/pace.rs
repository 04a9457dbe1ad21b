//! How fast a run goes and when it holds, which people may change while it does.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

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
#[derive(Clone, Debug)]
pub struct PaceFigure {
    /// The name of its field.
    pub name: &'static str,
    /// What it counts, as a part of a sentence.
    pub what: &'static str,
    /// What it is for, as a sentence without a full stop.
    pub why: &'static str,
    /// Where it is in a pace.
    pub value: fn(&mut Pace) -> &mut u32,
    /// What makes sense.
    pub range: RangeInclusive<u32>,
}

const FIGURES: [PaceFigure; 6] = [
    PaceFigure {
        name: "side_by_side",
        what: "operations side by side",
        why: "How much the run asks of the server at once",
        value: |it| &mut it.side_by_side,
        range: 1..=Pace::MOST,
    },
    PaceFigure {
        name: "batch_ms",
        what: "milliseconds for a batch",
        why: "How long one operation shall take: its size follows",
        value: |it| &mut it.batch_ms,
        range: 10..=5_000,
    },
    PaceFigure {
        name: "lag_s",
        what: "seconds that a majority may be behind",
        why: "A replica set that is further behind holds the run",
        value: |it| &mut it.lag_s,
        range: 1..=3_600,
    },
    PaceFigure {
        name: "flow_per_s",
        what: "writes a second that flow control must let through",
        why: "A replica set that lets fewer through holds the run",
        value: |it| &mut it.flow_per_s,
        range: 0..=1_000_000,
    },
    PaceFigure {
        name: "oplog_min",
        what: "minutes that the oplog must reach back",
        why: "A replica set whose full oplog is shorter holds the run",
        value: |it| &mut it.oplog_min,
        range: 0..=10_080,
    },
    PaceFigure {
        name: "disk_mib",
        what: "MiB that must be free on the server's disk",
        why: "A disk with less holds the run",
        value: |it| &mut it.disk_mib,
        range: 0..=1 << 30,
    },
];

/// A figure of a pace that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} {what} make no sense; use {least} to {most}")]
pub struct NoPace {
    what: &'static str,
    value: String,
    least: u32,
    most: u32,
}

impl Pace {
    /// The most that may run side by side.
    pub const MOST: u32 = 32;

    /// What it is made of, in the order in which people are shown it.
    pub fn figures() -> [PaceFigure; 6] {
        FIGURES
    }

    /// This pace, if it makes sense.
    ///
    /// # Errors
    ///
    /// [`NoPace`] with the first figure that does not.
    pub fn checked(mut self) -> Result<Self, NoPace> {
        for figure in FIGURES {
            let value = *(figure.value)(&mut self);
            if !figure.range.contains(&value) {
                return Err(figure.refuses(&value.to_string()));
            }
        }
        Ok(self)
    }

    /// This pace, within what makes sense: another version of the program may have written it.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        for PaceFigure { value, range, .. } in FIGURES {
            let value = value(&mut self);
            *value = (*value).clamp(*range.start(), *range.end());
        }
        self
    }
}

impl PaceFigure {
    /// What is said of a value that makes no sense.
    fn refuses(&self, value: &str) -> NoPace {
        // Whoever asks raw can send anything, and reads it again.
        let value = value.chars().take(20).collect();
        let (least, most) = (*self.range.start(), *self.range.end());
        NoPace { what: self.what, value, least, most }
    }
}

/// What of a pace shall be another, as somebody has typed it; the rest stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PaceChange(Vec<(PaceFigure, u32)>);

impl PaceChange {
    /// What was typed, by the names of the figures; what is blank stays as it is.
    ///
    /// # Errors
    ///
    /// [`NoPace`] with the first that is no number.
    pub fn typed(typed: &BTreeMap<String, String>) -> Result<Self, NoPace> {
        let mut changes = Vec::new();
        for figure in FIGURES {
            let text = typed.get(figure.name).map_or("", |it| it.trim());
            if !text.is_empty() {
                let value = text.parse().map_err(|_| figure.refuses(text))?;
                changes.push((figure, value));
            }
        }
        Ok(Self(changes))
    }

    /// This pace with what shall be another; whether that makes sense is not looked at.
    #[must_use]
    pub fn over(&self, mut pace: Pace) -> Pace {
        for (figure, value) in &self.0 {
            *(figure.value)(&mut pace) = *value;
        }
        pace
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
    #[test]
    fn what_is_typed_changes_what_it_names_and_leaves_the_rest() {
        let typed = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            PaceChange::typed(&owned.collect()).map(|it| it.over(Pace::default()))
        };
        let changed = typed(&[("side_by_side", " 2 "), ("oplog_min", "0"), ("lag_s", "")]);
        let expected = Pace { side_by_side: 2, oplog_min: 0, ..Pace::default() };
        assert_eq!(changed, Ok(expected));
        assert_eq!(typed(&[("something", "else")]), Ok(Pace::default()));
        for text in ["soon", "-1", "1.5", "4294967296"] {
            let refused = typed(&[("lag_s", text)]).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{text} seconds that")), "{refused}");
        }
    }

    #[test]
    fn a_figure_has_the_name_that_it_is_stored_under() {
        use serde::de::value::{Error, MapDeserializer};

        for figure in FIGURES {
            let stored = MapDeserializer::<_, Error>::new([(figure.name, 7_u32)].into_iter());
            let mut pace = Pace::deserialize(stored).unwrap();
            assert_eq!(*(figure.value)(&mut pace), 7, "{}", figure.name);
        }
    }
}
