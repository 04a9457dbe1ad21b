//! How much a run has to do and how long that takes: arithmetic over what was counted and what earlier runs took.

use std::{collections::BTreeMap, fmt, ops::Add};

use serde::{Deserialize, Serialize};

/// What can be done to the documents of a collection, by what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labor {
    /// The server sets a few keys.
    Set,
    /// The server runs each document through a pipeline.
    Change,
    /// Each document is read, changed here, and written back.
    Code,
    /// Documents are joined with those of another collection.
    Merge,
    /// The undo journal looks for values that would be lost.
    Look,
    /// The undo journal copies what is going to be removed.
    Keep,
}

impl Labor {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Set, Self::Change, Self::Code, Self::Merge, Self::Look, Self::Keep];

    /// Whether samples and frames are changed by it.
    pub fn changes(self) -> bool {
        match self {
            Self::Set | Self::Change | Self::Code | Self::Merge => true,
            Self::Look | Self::Keep => false,
        }
    }

    /// Documents per second that a server may be expected to do, slow and fast, while nothing is recorded: from
    /// documents of 10 KiB on a small machine to documents of 500 bytes on a large one.
    fn assumed(self) -> (f64, f64) {
        match self {
            Self::Set | Self::Merge => (8_000.0, 100_000.0),
            Self::Change | Self::Keep => (5_000.0, 60_000.0),
            Self::Code => (2_000.0, 20_000.0),
            Self::Look => (80_000.0, 1_000_000.0),
        }
    }
}

/// Datasets per second, slow and fast, while nothing is recorded.
const ASSUMED_DATASETS: (f64, f64) = (150.0, 1_500.0);

/// How much faster or slower than what was recorded it may be: after one run, and after several.
const MARGIN_OF_ONE: f64 = 1.6;
const MARGIN: f64 = 1.25;

/// Fewer datasets or documents than this say nothing about how many there are in a second.
const FEWEST_DATASETS: u64 = 50;
const FEWEST_DOCUMENTS: u64 = 10_000;

/// Beginning, verifying and ending takes up to this.
const AROUND_S: f64 = 2.0;

/// Between how much and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// At least this.
    pub least: u64,
    /// At most this.
    pub most: u64,
}

impl Amount {
    /// Exactly this.
    pub fn exactly(amount: u64) -> Self {
        Self { least: amount, most: amount }
    }

    /// What `counted` of `all` came to, for all of them; a sample is told as a range.
    #[must_use]
    pub fn of_sample(counted: u64, sampled: u64, all: u64) -> Self {
        if sampled >= all {
            return Self::exactly(counted);
        }
        let share = share(all, sampled.max(1));
        // What was counted is there. The rest may be empty, and twice as much as the sample says is rare.
        let most = whole(number(counted) * share * 2.0).max(counted);
        Self { least: counted, most }
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (least, most) =
            (self.least.saturating_add(other.least), self.most.saturating_add(other.most));
        Self { least, most }
    }
}

/// How many in how much time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how many milliseconds.
    pub ms: u64,
}

impl Rate {
    fn per_second(self) -> f64 {
        number(self.count) * 1_000.0 / number(self.ms.max(1))
    }
}

/// How fast a run was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Datasets, without what took long in their collections.
    #[serde(default)]
    pub datasets: Rate,
    /// Documents, by what was done to them.
    #[serde(default)]
    pub documents: BTreeMap<Labor, Rate>,
}

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// How many datasets.
    pub datasets: u64,
    /// How many documents, by what is done to them: one may be counted for several kinds.
    pub documents: BTreeMap<Labor, Amount>,
}

impl Load {
    /// Adds documents.
    pub fn add(&mut self, labor: Labor, documents: Amount) {
        let sum = self.documents.entry(labor).or_default();
        *sum = *sum + documents;
    }
}

/// From how many seconds to how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// At least this long.
    pub from_s: u64,
    /// At most this long.
    pub to_s: u64,
}

/// What a time was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Basis {
    /// What earlier runs on this deployment took.
    Recorded {
        /// How many of them.
        runs: u64,
    },
    /// What earlier runs took, and assumptions about the kinds of work that none of them had.
    RecordedInPart {
        /// How many of them.
        runs: u64,
    },
    /// Assumptions: nothing comparable was done on this deployment yet.
    Assumed,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = |it: u64| if it == 1 { "1 run".to_owned() } else { format!("{it} runs") };
        match self {
            Self::Recorded { runs: it } => {
                write!(f, "judging by {} on this deployment", runs(*it))
            }
            Self::RecordedInPart { runs: it } => write!(
                f,
                "judging by {} on this deployment, and by what servers usually do where those had nothing like it",
                runs(*it)
            ),
            Self::Assumed => f.write_str(
                "judging by what servers usually do: nothing like it was recorded on this deployment yet",
            ),
        }
    }
}

/// How long this takes, judging by how fast earlier runs were.
pub fn time(load: &Load, earlier: &[Rates]) -> (Span, Basis) {
    let (mut slow, mut fast) = (AROUND_S, 0.0);
    let (mut asked, mut recorded) = (0_u32, 0_u32);
    let mut add = |(from, to): (f64, f64), known: bool| {
        asked += 1;
        recorded += u32::from(known);
        fast += from;
        slow += to;
    };
    if load.datasets > 0 {
        let known = earlier.iter().map(|it| it.datasets);
        let (speeds, known) = speeds(known, FEWEST_DATASETS, ASSUMED_DATASETS);
        add(seconds(Amount::exactly(load.datasets), speeds), known);
    }
    for (labor, amount) in load.documents.iter().filter(|(_, it)| it.most > 0) {
        let known = earlier.iter().filter_map(|it| it.documents.get(labor).copied());
        let (speeds, known) = speeds(known, FEWEST_DOCUMENTS, labor.assumed());
        add(seconds(*amount, speeds), known);
    }
    let runs = earlier.iter().filter(|it| it.says_something(load)).count() as u64;
    let basis = match recorded {
        0 => Basis::Assumed,
        it if it == asked => Basis::Recorded { runs },
        _ => Basis::RecordedInPart { runs },
    };
    (Span { from_s: whole(fast.floor()), to_s: whole(slow.ceil()) }, basis)
}

/// How long the rest takes: by how fast this run is itself, as far as it says something, or else as [`time`].
pub fn rest(load: &Load, own: &Rates, earlier: &[Rates]) -> Span {
    let known = |rate: Rate, fewest| rate.count >= fewest;
    let mut earlier: Vec<Rates> = earlier.to_vec();
    for it in &mut earlier {
        if known(own.datasets, FEWEST_DATASETS) {
            it.datasets = own.datasets;
        }
        for (labor, rate) in own.documents.iter().filter(|(_, it)| known(**it, FEWEST_DOCUMENTS)) {
            it.documents.insert(*labor, *rate);
        }
    }
    if earlier.is_empty() {
        earlier.push(own.clone());
    }
    // Its own rate twice: it is this run, on this day, that is judged by it.
    earlier.push(own.clone());
    time(load, &earlier).0
}

impl Rates {
    /// Whether it knows the rate of something in this load.
    fn says_something(&self, load: &Load) -> bool {
        (load.datasets > 0 && self.datasets.count >= FEWEST_DATASETS)
            || load.documents.iter().filter(|(_, it)| it.most > 0).any(|(labor, _)| {
                self.documents.get(labor).is_some_and(|it| it.count >= FEWEST_DOCUMENTS)
            })
    }
}

/// The slowest and the fastest that it may be, and whether that is recorded.
fn speeds(
    rates: impl Iterator<Item = Rate>,
    fewest: u64,
    assumed: (f64, f64),
) -> ((f64, f64), bool) {
    let known: Vec<f64> = rates.filter(|it| it.count >= fewest).map(Rate::per_second).collect();
    let slowest = known.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = known.iter().copied().fold(0.0, f64::max);
    match known.len() {
        0 => (assumed, false),
        1 => ((slowest / MARGIN_OF_ONE, fastest * MARGIN_OF_ONE), true),
        _ => ((slowest / MARGIN, fastest * MARGIN), true),
    }
}

/// From how many seconds to how many.
fn seconds(amount: Amount, (slow, fast): (f64, f64)) -> (f64, f64) {
    (number(amount.least) / fast, number(amount.most) / slow)
}

fn share(of: u64, by: u64) -> f64 {
    number(of) / number(by)
}

#[expect(clippy::cast_precision_loss, reason = "estimates are told in round numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates are positive, and saturate"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

impl fmt::Display for Span {
    /// `between 4 and 9 minutes`, in the unit that suits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1, "second"), (60, "minute"), (3_600, "hour"), (86_400, "day")];
        // Two of a unit at least, or the range would be too coarse.
        let suits = |it: &&(u64, &str)| self.to_s >= 2 * it.0;
        let (size, unit) = UNITS.iter().rev().find(suits).unwrap_or(&UNITS[0]);
        let (from, to) = (self.from_s / size, self.to_s.div_ceil(*size).max(1));
        let plural = if to == 1 { "" } else { "s" };
        match from {
            0 => write!(f, "up to {to} {unit}{plural}"),
            it if it == to => write!(f, "about {to} {unit}{plural}"),
            it => write!(f, "between {it} and {to} {unit}{plural}"),
        }
    }
}

/// What a run would do and need, before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// How many datasets would be migrated.
    pub datasets: u64,
    /// How many samples and frames would be changed.
    pub documents: Amount,
    /// How many bytes those have.
    pub bytes: Amount,
    /// What the undo journal would keep, in bytes; `None` if none is wanted.
    pub journal_bytes: Option<Amount>,
    /// What would go through the oplog, in bytes; `None` where there is none.
    pub oplog_bytes: Option<Amount>,
    /// How long it would take.
    pub time: Span,
    /// What that is computed from.
    pub basis: Basis,
    /// How many collections were counted, of how many that would be changed.
    pub counted: (u64, u64),
}

impl Estimate {
    /// How many bytes more the disk needs at most: what is kept, and every changed document once more, because the
    /// server writes it anew before it gives the old place away. As large as they are before they are compressed.
    pub fn disk_bytes(&self) -> Amount {
        let journal = self.journal_bytes.unwrap_or_default();
        Amount { least: journal.least, most: journal.most.saturating_add(self.bytes.most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(datasets: (u64, u64), set: (u64, u64)) -> Rates {
        let rate = |(count, ms)| Rate { count, ms };
        Rates { datasets: rate(datasets), documents: [(Labor::Set, rate(set))].into() }
    }

    fn load(datasets: u64, set: u64) -> Load {
        let documents = [(Labor::Set, Amount::exactly(set))].into();
        Load { datasets, documents }
    }

    #[test]
    fn without_records_a_time_is_assumed_and_that_is_said() {
        let (span, basis) = time(&load(1_500, 1_000_000), &[]);
        assert_eq!(basis, Basis::Assumed);
        assert_eq!(span, Span { from_s: 11, to_s: 137 });
        // Too little to say anything about a second.
        let (_, basis) = time(&load(1_500, 1_000_000), &[rates((2, 900), (50, 3))]);
        assert_eq!(basis, Basis::Assumed);
    }

    #[test]
    fn a_time_comes_from_what_earlier_runs_took() {
        let one = rates((1_000, 1_000), (1_000_000, 20_000));
        let (span, basis) = time(&load(0, 5_000_000), std::slice::from_ref(&one));
        assert_eq!(basis, Basis::Recorded { runs: 1 });
        // 100 s, and a margin to both sides.
        assert_eq!(span, Span { from_s: 62, to_s: 162 });
        let slow = rates((1_000, 1_000), (1_000_000, 40_000));
        let (span, basis) = time(&load(0, 5_000_000), &[one.clone(), slow]);
        assert_eq!(basis, Basis::Recorded { runs: 2 });
        assert_eq!(span, Span { from_s: 80, to_s: 252 });
        let mut more = load(1_000, 5_000_000);
        more.add(Labor::Code, Amount::exactly(10_000));
        assert_eq!(time(&more, &[one]).1, Basis::RecordedInPart { runs: 1 });
    }

    #[test]
    fn the_rest_is_judged_by_the_run_itself() {
        let earlier = [rates((1_000, 1_000), (1_000_000, 10_000))];
        let expected = time(&load(0, 1_000_000), &earlier).0;
        assert_eq!(expected, Span { from_s: 6, to_s: 18 });
        // Ten times slower than ever before.
        let own = rates((0, 0), (20_000, 2_000));
        let rest = rest(&load(0, 1_000_000), &own, &earlier);
        assert_eq!(rest, Span { from_s: 80, to_s: 127 });
        // As long as it says nothing itself, what earlier ones took counts.
        let rest = super::rest(&load(0, 1_000_000), &rates((0, 0), (10, 900)), &earlier);
        assert_eq!(rest, expected);
        assert_eq!(super::rest(&load(0, 0), &own, &earlier).from_s, 0);
    }

    #[test]
    fn what_was_counted_in_a_sample_is_a_range() {
        assert_eq!(Amount::of_sample(70, 7, 7), Amount::exactly(70));
        assert_eq!(Amount::of_sample(70, 7, 14), Amount { least: 70, most: 280 });
        assert_eq!(Amount::of_sample(0, 7, 14), Amount::default());
    }

    #[test]
    fn a_span_is_told_in_the_unit_that_suits() {
        let told = |from_s, to_s| Span { from_s, to_s }.to_string();
        assert_eq!(told(240, 540), "between 4 and 9 minutes");
        assert_eq!(told(0, 1), "up to 1 second");
        assert_eq!(told(0, 5), "up to 5 seconds");
        assert_eq!(told(20, 119), "between 20 and 119 seconds");
        assert_eq!(told(30, 130), "up to 3 minutes");
        assert_eq!(told(7_200, 7_200), "about 2 hours");
        assert_eq!(told(90_000, 400_000), "between 1 and 5 days");
    }

    #[test]
    fn the_disk_needs_what_is_kept_and_at_most_everything_once_more() {
        let estimate = Estimate {
            datasets: 1,
            documents: Amount::exactly(10),
            bytes: Amount { least: 500, most: 1_000 },
            journal_bytes: Some(Amount { least: 10, most: 20 }),
            oplog_bytes: None,
            time: Span::default(),
            basis: Basis::Assumed,
            counted: (1, 1),
        };
        assert_eq!(estimate.disk_bytes(), Amount { least: 10, most: 1_020 });
    }
}
