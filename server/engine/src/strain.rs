//! When a run holds: what it does to the server and to the replica set is beyond what its pace allows.

use std::time::{Duration, Instant};

use model::Pace;

/// Once it holds, it goes on when there is this much more room than its limit, in hundredths, so that it does not stop and go
/// every second.
const ROOM: u64 = 110;

/// Flow control lets everything through again soon after nobody is behind.
const FLOW_ROOM: u64 = 200;

/// What is seen of the server. What is not known does not hold a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strain {
    /// How far a majority of the replica set is behind.
    pub lag: Option<Duration>,
    /// What flow control does.
    pub flow: Option<Flow>,
    /// From when to when the oplog reaches.
    pub oplog: Option<Oplog>,
    /// How much room there is.
    pub disk: Option<Disk>,
}

/// What the flow control of a replica set does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Whether it slows writers down because members are behind.
    pub lagged: bool,
    /// How many writes it lets through in a second.
    pub per_s: u64,
}

/// From when to when the oplog reaches, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oplog {
    /// Its first entry.
    pub first_s: u32,
    /// Its last one.
    pub last_s: u32,
    /// Whether each new entry pushes an old one out.
    pub full: bool,
}

/// The disk of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// How much is free.
    pub free_bytes: u64,
    /// How large it is.
    pub total_bytes: u64,
}

impl Oplog {
    fn window_s(self) -> u64 {
        u64::from(self.last_s.saturating_sub(self.first_s))
    }
}

/// What was seen of the oplog while the run wrote: how many seconds of it are lost in a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drain {
    seen: Option<(Instant, u32)>,
    per_s: f64,
}

impl Drain {
    /// Looks at the oplog. `holds`: then nothing is to be learnt of how fast this run fills it.
    pub fn see(&mut self, oplog: Oplog, now: Instant, holds: bool) {
        if let Some((then, first_s)) = self.seen
            && !holds
        {
            let passed = now.saturating_duration_since(then).as_secs_f64();
            let lost = f64::from(oplog.first_s.saturating_sub(first_s));
            if passed > 0.1 && lost > 0.0 {
                self.per_s = lost / passed;
            }
        }
        self.seen = Some((now, oplog.first_s));
    }

    fn words(self) -> String {
        if self.per_s < 1.0 {
            return String::new();
        }
        format!(", and while this run writes it loses {:.0} s of that every second", self.per_s)
    }
}

impl Strain {
    /// Why a run at this pace holds; `None` if it goes on. `holds`: it has held until now.
    pub fn reason(&self, pace: &Pace, drain: Drain, holds: bool) -> Option<String> {
        let room =
            |limit: u64, room: u64| if holds { limit.saturating_mul(room) / 100 } else { limit };
        let mut reasons = Vec::new();
        if let Some(lag) = self.lag
            && lag.as_secs() > u64::from(pace.lag_s)
        {
            reasons.push(format!(
                "a majority of the replica set is {} s behind, and the limit is {} s",
                lag.as_secs(),
                pace.lag_s
            ));
        }
        if let Some(flow) = self.flow
            && flow.lagged
            && flow.per_s < room(u64::from(pace.flow_per_s), FLOW_ROOM)
        {
            reasons.push(format!(
                "flow control lets {} writes a second through because members of the replica set are behind, and the \
                 limit is {}",
                flow.per_s, pace.flow_per_s
            ));
        }
        if let Some(oplog) = self.oplog
            && oplog.full
            && oplog.window_s() < room(u64::from(pace.oplog_min) * 60, ROOM)
        {
            reasons.push(format!(
                "the oplog reaches back {} and the limit is {}: a member or a change stream that is further behind \
                 could not catch up{}",
                minutes(oplog.window_s()),
                minutes(u64::from(pace.oplog_min) * 60),
                drain.words()
            ));
        }
        if let Some(disk) = self.disk
            && mebibytes(disk.free_bytes) < room(u64::from(pace.disk_mib), ROOM)
        {
            reasons.push(format!(
                "{} MiB of {} MiB are free on the server's disk, and the limit is {} MiB",
                mebibytes(disk.free_bytes),
                mebibytes(disk.total_bytes),
                pace.disk_mib
            ));
        }
        (!reasons.is_empty()).then(|| format!("{}; it goes on by itself", reasons.join("; ")))
    }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

/// In minutes, or in hours where those are many.
fn minutes(seconds: u64) -> String {
    match seconds {
        it if it < 120 => format!("{it} s"),
        it if it < 7_200 => format!("{} min", it / 60),
        it => format!("{}.{} h", it / 3_600, it % 3_600 / 360),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Disk = Disk { free_bytes: 1_100 << 20, total_bytes: 9_000 << 20 };

    fn pace() -> Pace {
        Pace { lag_s: 10, flow_per_s: 1_000, oplog_min: 10, disk_mib: 1_024, ..Pace::default() }
    }

    fn reason(strain: Strain, holds: bool) -> String {
        strain.reason(&pace(), Drain::default(), holds).unwrap_or_default()
    }

    #[test]
    fn what_is_not_known_or_within_its_limits_holds_nothing() {
        assert_eq!(reason(Strain::default(), false), "");
        let calm = Strain {
            lag: Some(Duration::from_millis(10_900)),
            flow: Some(Flow { lagged: false, per_s: 5 }),
            oplog: Some(Oplog { first_s: 1_000, last_s: 1_600, full: true }),
            disk: Some(DISK),
        };
        assert_eq!(reason(calm, false), "");
        // A new oplog reaches back a short while, and nothing is lost of it.
        let oplog = Some(Oplog { first_s: 1_000, last_s: 1_010, full: false });
        assert_eq!(reason(Strain { oplog, ..calm }, false), "");
    }

    #[test]
    fn what_is_beyond_its_limit_is_told_with_the_figure() {
        let tight = Strain {
            lag: Some(Duration::from_secs(11)),
            flow: Some(Flow { lagged: true, per_s: 999 }),
            oplog: Some(Oplog { first_s: 1_000, last_s: 1_599, full: true }),
            disk: Some(Disk { free_bytes: 1 << 30, ..DISK }),
        };
        let told = reason(tight, false);
        assert!(told.starts_with(
            "a majority of the replica set is 11 s behind, and the limit is 10 s; flow control"
        ));
        assert!(told.contains("lets 999 writes a second through"), "{told}");
        assert!(
            told.contains("the oplog reaches back 9 min and the limit is 10 min: a member"),
            "{told}"
        );
        assert!(!told.contains("MiB"), "{told}");
        let disk = Some(Disk { free_bytes: (1 << 30) - 1, ..DISK });
        let told = reason(Strain { disk, ..Strain::default() }, false);
        assert_eq!(
            told,
            "1023 MiB of 9000 MiB are free on the server's disk, and the limit is 1024 MiB; it goes on by itself"
        );
    }

    #[test]
    fn what_holds_goes_on_with_some_room() {
        let oplog = Some(Oplog { first_s: 1_000, last_s: 1_630, full: true });
        let strain = Strain { oplog, disk: Some(DISK), ..Strain::default() };
        assert_eq!(reason(strain, false), "");
        let told = reason(strain, true);
        assert!(
            told.contains("the oplog reaches back 10 min") && told.contains("1100 MiB"),
            "{told}"
        );
    }

    #[test]
    fn nothing_is_beyond_a_limit_of_nothing() {
        let none = Pace { flow_per_s: 0, oplog_min: 0, disk_mib: 0, ..pace() };
        let strain = Strain {
            lag: None,
            flow: Some(Flow { lagged: true, per_s: 0 }),
            oplog: Some(Oplog { first_s: 1_000, last_s: 1_000, full: true }),
            disk: Some(Disk { free_bytes: 0, total_bytes: 1 }),
        };
        assert_eq!(strain.reason(&none, Drain::default(), true), None);
    }

    #[test]
    fn how_fast_the_oplog_is_filled_is_seen_while_the_run_writes() {
        let (start, mut drain) = (Instant::now(), Drain::default());
        let at = |second| start + Duration::from_secs(second);
        let oplog = |first_s| Oplog { first_s, last_s: 9_000, full: true };
        drain.see(oplog(1_000), at(0), false);
        drain.see(oplog(1_240), at(2), false);
        // What others fill meanwhile is not this run's.
        drain.see(oplog(1_250), at(3), true);
        assert_eq!(
            drain.words(),
            ", and while this run writes it loses 120 s of that every second"
        );
        let strain = Strain { oplog: Some(oplog(8_900)), ..Strain::default() };
        assert!(
            strain
                .reason(&pace(), drain, true)
                .unwrap()
                .contains("back 100 s and the limit is 10 min")
        );
    }

    #[test]
    fn a_window_is_told_in_the_unit_that_suits() {
        assert_eq!([90, 600, 9_000].map(minutes), ["90 s", "10 min", "2.5 h"]);
    }
}
