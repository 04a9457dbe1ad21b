//! The lease under torture: many processes, some of them stopped, killed, or with a clock that is wrong.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bson::{Bson, DateTime, Document, doc};
use mongodb::Database;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::{Dice, Mongod};

/// How large a race is.
struct Extent {
    racers: usize,
    lasts: Duration,
    /// When a holder is stopped for longer than its lease lasts.
    long_stops: &'static [Duration],
    /// More than so many must have had the lease, and more than so many been killed, or it was no race.
    writers: usize,
    kills: usize,
}

/// Two stops of a holder beyond its lease, and a while before and after each.
const TORTURE: Extent = Extent {
    racers: 32,
    lasts: Duration::from_secs(84),
    long_stops: &[Duration::from_secs(5), Duration::from_secs(43)],
    writers: 8,
    kills: 3,
};

/// One for every day, in which nobody sleeps for longer than a lease lasts.
const SHORT: Extent =
    Extent { racers: 8, lasts: Duration::from_secs(12), long_stops: &[], writers: 3, kills: 0 };

/// How long a race goes on at most until something has happened in it.
const MOST: Duration = Duration::from_mins(10);

/// For how long one is stopped: longer than a lease lasts.
const LONG_STOP: Duration = Duration::from_secs(32);

/// How many of those that wait are stopped at the same time.
const STOPPED_TOO: usize = 4;

/// What libfaketime makes of the clocks: the wall clock by minutes, or the rate of every clock by a tenth. Each tenth of
/// them by turns; the others are right.
const CLOCKS: [&[(&str, &str)]; 8] = [
    &[("FAKETIME", "+7m"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")],
    &[],
    &[("FAKETIME", "-13m"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")],
    &[],
    &[("FAKETIME", "+3m x1.1")],
    &[],
    &[("FAKETIME", "-3m x0.9")],
    &[],
];

/// The library that makes clocks wrong. Without it the test would prove less than it says.
fn libfaketime() -> PathBuf {
    let given = env::var_os("LIBFAKETIME").filter(|it| !it.is_empty()).map(PathBuf::from);
    let usual = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|it| PathBuf::from(format!("/usr/lib/{it}/faketime/libfaketime.so.1")));
    let found = given.into_iter().chain(usual).find(|it| it.is_file());
    found.expect(
        "there is no libfaketime, and without it no clock is wrong: run `.setup/faketime.sh`, or set LIBFAKETIME to \
         its libfaketime.so.1",
    )
}

struct Racer {
    child: Child,
    /// When it is to be woken up, if it was stopped.
    asleep: Option<Instant>,
}

impl Racer {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn sleeps(&mut self, time: Duration) {
        self.signal(Signal::SIGSTOP);
        self.asleep = Some(Instant::now() + time);
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The processes, and what was done to them.
struct Race<'a> {
    extent: Extent,
    uri: String,
    log: &'a Path,
    library: PathBuf,
    dice: Dice,
    racers: Vec<Racer>,
    started: usize,
    kills: usize,
    stops: usize,
    stops_of_holders: usize,
    long_stops: usize,
}

impl Race<'_> {
    fn start(&mut self, place: usize) -> Racer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lease_racer"));
        command.arg(&self.uri).arg(self.dice.roll().to_string()).arg(self.log);
        let clock = CLOCKS[place % CLOCKS.len()];
        if !clock.is_empty() {
            command.env("LD_PRELOAD", &self.library).envs(clock.iter().copied());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.started += 1;
        Racer { child: command.spawn().unwrap(), asleep: None }
    }

    /// Which of them has the lease, as far as one can tell.
    async fn holder(&self, runs: &Database) -> Option<usize> {
        let held = doc! { "_id": "fiftyone", "$expr": { "$gt": ["$expires", "$$NOW"] } };
        let lease = runs.collection::<Document>("leases").find_one(held).await.unwrap()?;
        let pid = lease.get_document("holder").unwrap().get("pid").and_then(number).unwrap();
        self.racers.iter().position(|it| i64::from(it.child.id()) == pid)
    }

    /// Wakes those up whose time has come, and replaces those that have ended.
    fn tend(&mut self) {
        for place in 0..self.racers.len() {
            let it = &mut self.racers[place];
            if it.asleep.is_some_and(|it| it <= Instant::now()) {
                it.signal(Signal::SIGCONT);
                it.asleep = None;
            }
            if it.child.try_wait().unwrap().is_some() {
                self.racers[place] = self.start(place);
            }
        }
    }

    /// Something bad happens to one of them, more often than not to the one that has the lease.
    async fn strike(&mut self, runs: &Database) {
        let holder = if self.dice.percent(60) { self.holder(runs).await } else { None };
        let anyone = self.anyone();
        let kills = self.dice.percent(40);
        let time = Duration::from_millis(self.dice.within(20..2_500));
        let victim = &mut self.racers[holder.unwrap_or(anyone)];
        if victim.asleep.is_some() || victim.child.try_wait().unwrap().is_some() {
            return;
        }
        if kills {
            victim.signal(Signal::SIGKILL);
            self.kills += 1;
        } else {
            victim.sleeps(time);
            self.stops += 1;
            self.stops_of_holders += usize::from(holder.is_some());
        }
    }

    /// Whoever has the lease sleeps for longer than it lasts, and some others do too. Whether anybody had it.
    async fn stop_for_long(&mut self, runs: &Database) -> bool {
        let Some(holder) = self.holder(runs).await else { return false };
        if self.racers[holder].asleep.is_some()
            || self.racers[holder].child.try_wait().unwrap().is_some()
        {
            return false;
        }
        self.racers[holder].sleeps(LONG_STOP);
        // It may have given it back in this moment.
        if self.holder(runs).await != Some(holder) {
            self.racers[holder].asleep = Some(Instant::now());
            return false;
        }
        let places: Vec<usize> = (0..STOPPED_TOO).map(|_| self.anyone()).collect();
        for it in places {
            if self.racers[it].asleep.is_none()
                && self.racers[it].child.try_wait().unwrap().is_none()
            {
                self.racers[it].sleeps(LONG_STOP);
                self.stops += 1;
            }
        }
        self.long_stops += 1;
        true
    }

    fn anyone(&mut self) -> usize {
        usize::try_from(self.dice.within(0..self.extent.racers as u64)).unwrap()
    }

    /// Whether enough has happened for the race to prove something.
    async fn is_enough(&self, runs: &Database) -> bool {
        let database = runs.client().database("fiftyone");
        let all = [writes(&database, "fenced").await, writes(&database, "bare").await].concat();
        let writers: BTreeSet<i64> = all.iter().map(|it| it.fence).collect();
        writers.len() > self.extent.writers
            && all.iter().any(Entry::is_wrong)
            && self.kills > self.extent.kills
            && self.stops_of_holders > 0
    }

    async fn run(&mut self, runs: &Database) {
        for place in 0..self.extent.racers {
            let racer = self.start(place);
            self.racers.push(racer);
        }
        let begun = Instant::now();
        let mut next = begun + Duration::from_secs(2);
        // However the dice fall, it is to be a race: until then, it goes on.
        while begun.elapsed() < self.extent.lasts
            || (begun.elapsed() < MOST && !self.is_enough(runs).await)
        {
            self.tend();
            if self.extent.long_stops.get(self.long_stops).is_some_and(|it| begun.elapsed() >= *it)
            {
                self.stop_for_long(runs).await;
            } else if Instant::now() >= next {
                self.strike(runs).await;
                next = Instant::now() + Duration::from_millis(self.dice.within(100..900));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn number(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

/// A write as it was recorded.
#[derive(Clone, Copy, Debug)]
struct Entry {
    fence: i64,
    by: i64,
    at: DateTime,
    thinks: DateTime,
}

impl Entry {
    /// Whether it was written by somebody whose clock is wrong by minutes.
    fn is_wrong(&self) -> bool {
        self.thinks.timestamp_millis().abs_diff(self.at.timestamp_millis()) > 60_000
    }
}

/// The writes of one kind, in the order in which the server has done them.
async fn writes(database: &Database, kind: &str) -> Vec<Entry> {
    let journal = database.collection::<Document>("journal");
    let document = journal.find_one(doc! { "_id": kind }).await.unwrap().unwrap();
    let entries = document.get_array("writes").unwrap().iter().map(|it| it.as_document().unwrap());
    let entry = |it: &Document| Entry {
        fence: it.get_i64("fence").unwrap(),
        by: it.get_i64("by").unwrap(),
        at: *it.get_datetime("at").unwrap(),
        thinks: *it.get_datetime("thinks").unwrap(),
    };
    entries.map(entry).collect()
}

/// No write comes after one with a higher number.
fn in_order(kind: &str, writes: &[Entry]) {
    for pair in writes.windows(2) {
        assert!(pair[0].fence <= pair[1].fence, "two writers at once ({kind}): {pair:?}");
    }
}

/// From its first write to its last, nobody else wrote; and nobody else ever wrote under the same number.
fn one_at_a_time(writes: &[Entry]) -> usize {
    let mut spans: BTreeMap<i64, (Entry, Entry)> = BTreeMap::new();
    for it in writes {
        let span = spans.entry(it.fence).or_insert((*it, *it));
        assert_eq!(span.0.by, it.by, "two have the same number: {span:?} {it:?}");
        if it.at < span.0.at {
            span.0 = *it;
        }
        if it.at > span.1.at {
            span.1 = *it;
        }
    }
    let spans: Vec<_> = spans.into_values().collect();
    for pair in spans.windows(2) {
        assert!(
            pair[0].1.at <= pair[1].0.at,
            "two writers at once: {:?} {:?}",
            pair[0].1,
            pair[1].0
        );
    }
    spans.len()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make torture`"]
async fn of_many_that_race_for_a_lease_never_two_write_at_once() {
    println!("{}", race(TORTURE).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_some_that_race_for_a_lease_never_two_write_at_once() {
    println!("{}", race(SHORT).await);
}

/// Races, looks in the data for two writers, and returns what happened.
async fn race(extent: Extent) -> String {
    let library = libfaketime();
    let server = Mongod::start(&[]);
    let client = server.client().await;
    let (database, runs) = (client.database("fiftyone"), client.database("fiftyone_migrate"));
    let journal = ["fenced", "bare"].map(|it| doc! { "_id": it, "fence": 0_i64, "writes": [] });
    database.collection("journal").insert_many(journal).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, "").unwrap();
    let mut race = Race {
        extent,
        uri: server.uri(),
        log: &log,
        library,
        dice: Dice::cast(),
        racers: Vec::new(),
        started: 0,
        kills: 0,
        stops: 0,
        stops_of_holders: 0,
        long_stops: 0,
    };
    race.run(&runs).await;
    race.racers.clear();

    let (fenced, bare) = (writes(&database, "fenced").await, writes(&database, "bare").await);
    let taken = runs.collection::<Document>("leases").find_one(doc! {}).await.unwrap().unwrap();
    let takings = taken.get_i64("fence").unwrap();
    let log = fs::read_to_string(&log).unwrap();
    let said = |what: &'static str| log.lines().filter(move |it| it.starts_with(what));
    let wrong: BTreeSet<i64> =
        bare.iter().chain(&fenced).filter(|it| it.is_wrong()).map(|it| it.fence).collect();
    let happened = format!(
        "{} processes, {} at a time; {} killed, {} stopped, {} of them with the lease, and {} for longer than it lasts\n\
         {takings} takings, {} of them with a clock that is wrong by minutes; {} writes with a number and {} without; \
         {} refused; {} ended otherwise",
        race.started,
        race.extent.racers,
        race.kills,
        race.stops + race.long_stops,
        race.stops_of_holders + race.long_stops,
        race.long_stops,
        wrong.len(),
        fenced.len(),
        bare.len(),
        said("refused").count(),
        said("error").count(),
    );
    in_order("with a number", &fenced);
    in_order("without one", &bare);
    let writers = one_at_a_time(&[fenced.as_slice(), bare.as_slice()].concat());
    // Each number was given once.
    let numbers: Vec<i64> = said("took").map(|it| it["took ".len()..].parse().unwrap()).collect();
    let different: BTreeSet<i64> = numbers.iter().copied().collect();
    assert_eq!(different.len(), numbers.len(), "a number was given twice");
    assert!(different.last().is_some_and(|it| *it <= takings));
    // The server ends what takes too long, and whoever was asleep finds its connections gone; nothing else fails.
    let right = ["time limit", "server monitor timeout", "cleared because another operation"];
    let errors: Vec<&str> =
        said("error").filter(|it| !right.iter().any(|right| it.contains(right))).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // And it was a race.
    let Extent { long_stops, writers: least, kills, .. } = race.extent;
    assert_eq!(race.long_stops, long_stops.len());
    assert!(said("refused").count() >= long_stops.len(), "nobody came too late");
    assert!(writers > least && !wrong.is_empty(), "{writers} writers");
    assert!(race.kills > kills && race.stops_of_holders > 0);
    happened
}
