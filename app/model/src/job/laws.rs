//! What holds of a run however its servers, its people and its clock interleave.
//!
//! A model of the engine around the machine: one run, one lease with fences, a few servers that look before they move,
//! and moves that take effect only if nothing has changed since the look, as the engine's compare-and-set does. Others help:
//! they claim datasets under numbers of the same line, and every step of a claim is one that anything may come before.

mod help;

use proptest::{collection::vec, prelude::*};

use super::*;
use help::{Division, Helper};

/// How long a lease lasts, and how long after taking it a write may begin; any begun ends within what is left.
const TTL: u32 = 10;
const WRITING: u32 = 6;

const SERVERS: usize = 3;
const HELPERS: usize = 2;
const PEOPLE: usize = 2;
const DATASETS: usize = 3;

/// One thing that happens; its number says to whom.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes. Whoever does nothing meanwhile was asleep.
    Wait(u32),
    /// A server does what is next: reaches for the lease, makes the run its own, sends a write, ends.
    Advance(usize),
    /// A holder renews its lease.
    Renew(usize),
    /// A holder looks at what people want.
    Look(usize),
    /// A holder cannot go on.
    Break(usize),
    /// A server dies, and another is started in its place.
    Crash(usize),
    /// A server looks after a run that is to rest but is held by nobody.
    Settle(usize),
    /// A person looks at the run and wants something of it.
    Wish(usize, JobEvent),
    /// What a person wanted is written, if the run is as it was then.
    Ask(usize),
    /// A person mends a dataset that could not be migrated.
    Mend(usize),
    /// A server reaches for the lease to undo the run.
    Back(usize),
    /// A holder lets others help.
    Divide(usize),
    /// One that helps does what is next: looks, draws a number, claims, looks again, sends a write, gives back.
    Help(usize),
    /// One that helps renews its claim.
    RenewClaim(usize),
    /// One that helps looks whether it still may.
    LookOut(usize),
    /// One that helps dies, and another comes.
    CrashHelper(usize),
}

/// A change of the run's state that was decided upon, from the state that was read.
#[derive(Clone, Copy, Debug)]
struct Move {
    from: JobState,
    to: JobState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dataset {
    /// It can be migrated.
    Ahead,
    /// It cannot, until somebody mends it.
    Bad,
    Done,
}

/// What a server knows of the run that it carries out.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a model is what it is, in every combination")]
struct Hand {
    fence: u64,
    /// Until when it begins writes, by its own clock.
    until: u32,
    /// Whether the run is its own by now.
    began: bool,
    /// Whether it was told to stop.
    stopped: bool,
    decided: Option<Move>,
    /// It brings back what was migrated.
    back: bool,
    /// It ends with the move that it has decided upon.
    ends: bool,
    /// A write that was sent: which dataset, and when it is given up at the latest.
    sent: Option<(usize, u32)>,
}

#[derive(Clone, Debug)]
struct World {
    now: u32,
    state: JobState,
    /// Under which fence the run was moved last.
    fence: u64,
    lease: u64,
    expires: u32,
    servers: [Option<Hand>; SERVERS],
    people: [Option<Move>; PEOPLE],
    datasets: [Dataset; DATASETS],
    /// The fence of the latest write of any kind.
    wrote: u64,
    division: Option<Division>,
    /// The last number that was drawn for a claim.
    numbers: u64,
    /// Who has which dataset: the number of the claim, and until when.
    claims: [Option<(u64, u32)>; DATASETS],
    /// Under which number each was claimed when it was written last.
    noted: [u64; DATASETS],
    helpers: [Option<Helper>; HELPERS],
}

impl World {
    fn new(datasets: [Dataset; DATASETS]) -> Self {
        Self {
            now: 0,
            state: Planned,
            fence: 0,
            lease: 0,
            expires: 0,
            servers: [None; SERVERS],
            people: [None; PEOPLE],
            datasets,
            wrote: 0,
            division: None,
            numbers: 0,
            claims: [None; DATASETS],
            noted: [0; DATASETS],
            helpers: [None; HELPERS],
        }
    }

    fn happens(&mut self, step: Step) {
        match step {
            Step::Wait(time) => self.now += time,
            Step::Advance(at) => self.advance(at),
            Step::Renew(at) => self.renew(at),
            Step::Look(at) => self.look(at),
            Step::Break(at) => self.finish(at, true),
            // The lease of a process of the same machine is inherited at once; of any other when it has run out.
            Step::Crash(at) => self.servers[at] = None,
            Step::Settle(at) => self.settle(at),
            Step::Wish(who, event) => {
                let to = self.state.on(event).ok();
                self.people[who] = to.map(|(to, _)| Move { from: self.state, to });
            }
            Step::Ask(who) => {
                if let Some(it) = self.people[who].take() {
                    self.moves(it, None);
                }
            }
            Step::Mend(at) if self.datasets[at] == Dataset::Bad => {
                self.datasets[at] = Dataset::Ahead;
            }
            Step::Mend(_) => {}
            Step::Back(at) => self.back(at),
            Step::Divide(at) => self.divide(at),
            Step::Help(at) => self.help(at),
            Step::RenewClaim(at) => self.renew_claim(at),
            Step::LookOut(at) => self.look_out(at),
            // What it has claimed is free when the claim has run out.
            Step::CrashHelper(at) => self.helpers[at] = None,
        }
    }

    fn back(&mut self, at: usize) {
        if self.servers[at].is_none() {
            self.take(at);
            if let Some(hand) = self.servers[at].as_mut() {
                hand.back = true;
            }
        }
    }

    fn advance(&mut self, at: usize) {
        let back = self.servers[at].is_some_and(|it| it.back);
        let next = if back { Dataset::Done } else { Dataset::Ahead };
        let ahead = self.datasets.iter().position(|it| *it == next);
        match self.servers[at] {
            None => self.take(at),
            Some(Hand { decided: Some(_), .. }) => self.act(at),
            Some(Hand { began: false, .. }) => self.decide(at),
            Some(Hand { sent: Some(_), .. }) => self.arrive(at),
            Some(it) => match ahead {
                Some(dataset) if !it.stopped => self.send(at, dataset),
                _ => self.finish(at, false),
            },
        }
    }

    fn take(&mut self, at: usize) {
        if self.servers[at].is_some() || self.expires > self.now {
            return;
        }
        self.lease = self.lease.max(self.numbers) + 1;
        self.division = self.division.map(|_| Division::Closing);
        self.expires = self.now + TTL;
        self.servers[at] = Some(Hand {
            fence: self.lease,
            until: self.now + WRITING,
            began: false,
            stopped: false,
            decided: None,
            back: false,
            ends: false,
            sent: None,
        });
    }

    /// How a run becomes its holder's own, from wherever it was left.
    fn decide(&mut self, at: usize) {
        if !self.is_undivided(at) {
            return;
        }
        let state = self.state;
        let Some(hand) = self.servers[at].as_mut().filter(|it| !it.began) else { return };
        let undo = hand.back && state != Undoing;
        hand.back |= state == Undoing;
        let event = match state {
            _ if undo => Undo,
            Planned => Start,
            it if it.is_active() => TakenOver,
            CompletedWithFailures => Retry,
            Paused | Cancelled | Completed | Failed | Undone | PartlyUndone => Resume,
            Running | Pausing | Cancelling | Verifying | Undoing => unreachable!("they are active"),
        };
        let to = state.on(event).map(|(to, _)| to);
        let to =
            to.and_then(|to| if to.is_active() { Ok(to) } else { to.on(Resume).map(|it| it.0) });
        match to {
            Ok(to) => hand.decided = Some(Move { from: state, to }),
            // There is nothing to go on with.
            Err(_) => self.release(at),
        }
    }

    fn act(&mut self, at: usize) {
        let Some(mut hand) = self.servers[at] else { return };
        let Some(decided) = hand.decided.take() else { return };
        self.servers[at] = Some(hand);
        let moved = self.moves(decided, Some(hand.fence));
        if hand.ends {
            // Whoever was overtaken by a wish looks once more; whoever has lost the run lets go of it.
            if moved || self.fence > hand.fence {
                self.release(at);
            }
        } else if moved {
            self.servers[at] = Some(Hand { began: true, ..hand });
        } else {
            self.release(at);
        }
    }

    fn renew(&mut self, at: usize) {
        let (lease, expires, now) = (self.lease, self.expires, self.now);
        let Some(hand) = self.servers[at].as_mut() else { return };
        if lease == hand.fence && expires > now {
            hand.until = now + WRITING;
            self.expires = now + TTL;
        } else {
            hand.stopped = true;
        }
    }

    fn look(&mut self, at: usize) {
        let (fence, state) = (self.fence, self.state);
        let Some(hand) = self.servers[at].as_mut().filter(|it| it.began) else { return };
        hand.stopped |= fence != hand.fence || matches!(state, Pausing | Cancelling);
    }

    fn send(&mut self, at: usize, dataset: usize) {
        if self.division.is_some() {
            // What is divided is done by whoever claims it; whoever leads can end that.
            return;
        }
        let now = self.now;
        let Some(hand) = self.servers[at].as_mut() else { return };
        if hand.began && !hand.stopped && !hand.ends && hand.sent.is_none() && now < hand.until {
            hand.sent = Some((dataset, now + TTL - WRITING));
        }
    }

    fn arrive(&mut self, at: usize) {
        let now = self.now;
        let Some(hand) = self.servers[at].as_mut() else { return };
        let (fence, back) = (hand.fence, hand.back);
        // The server ends what takes too long.
        let Some((dataset, _)) = hand.sent.take().filter(|(_, limit)| now < *limit) else { return };
        self.wrote(fence);
        let (mut from, mut to) = (Dataset::Ahead, Dataset::Done);
        if back {
            std::mem::swap(&mut from, &mut to);
        }
        if self.datasets[dataset] == from {
            self.datasets[dataset] = to;
        }
    }

    /// What a holder says of the run when it ends, from the state that it finds.
    fn finish(&mut self, at: usize, broke: bool) {
        let begun = self.servers[at].is_some_and(|it| it.began && it.sent.is_none());
        if begun && !self.is_undivided(at) {
            return;
        }
        let (state, fence) = (self.state, self.fence);
        let whole = self.datasets.iter().all(|it| *it == Dataset::Done);
        // Every dataset had its turn when none is left that could be migrated.
        let through = !self.datasets.contains(&Dataset::Ahead);
        let undone = !self.datasets.contains(&Dataset::Done);
        let Some(hand) = self.servers[at].as_mut().filter(|it| it.began && it.sent.is_none())
        else {
            return;
        };
        if fence != hand.fence {
            return self.release(at);
        }
        let event = match (broke, hand.stopped, state) {
            (true, ..) => Broke,
            (false, true, Undoing) => UndoneInPart,
            (false, false, Undoing) if undone => JobEvent::Undone,
            (false, true, Running | Verifying) => Pause,
            (false, true, _) => Edge,
            (false, false, Running) if through => Written,
            (false, false, Verifying | Pausing | Cancelling) if through && whole => Verified,
            (false, false, Verifying | Pausing | Cancelling) if through => VerifiedWithFailures,
            (false, false, _) => return,
        };
        match state.on(event) {
            Ok((to, _)) => {
                hand.ends = !to.is_active();
                hand.decided = Some(Move { from: state, to });
            }
            // A failed run, for example, that somebody else has given up.
            Err(_) => self.release(at),
        }
    }

    fn settle(&mut self, at: usize) {
        if matches!(self.state, Pausing | Cancelling) && self.expires <= self.now {
            self.take(at);
            let Some(hand) = self.servers[at] else { return };
            if !self.is_undivided(at) {
                return self.release(at);
            }
            if let Ok((to, _)) = self.state.on(TakenOver) {
                self.moves(Move { from: self.state, to }, Some(hand.fence));
            }
            self.release(at);
        }
    }

    fn release(&mut self, at: usize) {
        if let Some(hand) = self.servers[at].take()
            && hand.fence == self.lease
        {
            self.expires = self.expires.min(self.now);
        }
    }

    /// The compare-and-set of the engine.
    fn moves(&mut self, it: Move, fence: Option<u64>) -> bool {
        if self.state != it.from || fence.is_some_and(|fence| self.fence > fence) {
            return false;
        }
        self.state = it.to;
        if let Some(fence) = fence {
            self.nobody_helps();
            self.wrote(fence);
            self.fence = fence;
        }
        self.tells_the_truth();
        true
    }

    /// At most one fence writes: never one that is older than what was written already.
    fn wrote(&mut self, fence: u64) {
        assert!(fence >= self.wrote, "{fence} wrote after {}: {self:?}", self.wrote);
        self.wrote = fence;
    }

    fn tells_the_truth(&self) {
        let left = self.datasets.iter().any(|it| *it != Dataset::Done);
        match self.state {
            Completed => assert!(!left, "failures are told as success: {self:?}"),
            CompletedWithFailures => assert!(left, "success is told as failure: {self:?}"),
            Undone => assert!(
                !self.datasets.contains(&Dataset::Done),
                "what is left is told as undone: {self:?}"
            ),
            _ => {}
        }
    }

    /// Everybody dies, and their leases run out; then one server attends until nothing is left for it to do.
    fn recovers(&mut self) {
        self.servers = [None; SERVERS];
        self.helpers = [None; HELPERS];
        self.people = [None; PEOPLE];
        self.now = self.all_run_out();
        for _ in 0..3 {
            if self.state.is_active() {
                self.carries_out();
            }
        }
        assert!(!self.state.is_active(), "nobody can get it out of this: {self:?}");
    }

    /// One server, undisturbed.
    fn carries_out(&mut self) {
        if matches!(self.state, Pausing | Cancelling) {
            return self.settle(0);
        }
        if self.state == PartlyUndone {
            self.back(0);
        }
        // More than it takes to begin, to write every dataset, and to say so.
        for _ in 0..16 {
            self.advance(0);
            if !self.state.is_active() && self.state != PartlyUndone {
                return;
            }
        }
    }

    /// Whatever it has come to, a person gets it to its end with what the program offers.
    fn can_be_completed(&mut self) {
        self.datasets =
            self.datasets.map(|it| if it == Dataset::Bad { Dataset::Ahead } else { it });
        for _ in 0..3 {
            if matches!(self.state, Completed | Undone) {
                return;
            }
            assert!(!self.state.choices().is_empty(), "nothing can be done with it: {self:?}");
            self.carries_out();
        }
        assert!(matches!(self.state, Completed | Undone), "{self:?}");
    }
}

fn steps() -> impl Strategy<Value = Step> {
    let server = || 0..SERVERS;
    let wish = || prop::sample::select(vec![Start, Pause, Resume, Cancel, Retry]);
    prop_oneof![
        1 => (1..TTL).prop_map(Step::Wait),
        20 => server().prop_map(Step::Advance),
        3 => server().prop_map(Step::Renew),
        3 => server().prop_map(Step::Look),
        1 => server().prop_map(Step::Break),
        1 => server().prop_map(Step::Crash),
        1 => server().prop_map(Step::Settle),
        2 => (0..PEOPLE, wish()).prop_map(|(who, it)| Step::Wish(who, it)),
        2 => (0..PEOPLE).prop_map(Step::Ask),
        1 => (0..DATASETS).prop_map(Step::Mend),
        1 => server().prop_map(Step::Back),
        2 => server().prop_map(Step::Divide),
        20 => (0..HELPERS).prop_map(Step::Help),
        2 => (0..HELPERS).prop_map(Step::RenewClaim),
        3 => (0..HELPERS).prop_map(Step::LookOut),
        1 => (0..HELPERS).prop_map(Step::CrashHelper),
    ]
}

fn datasets() -> impl Strategy<Value = [Dataset; DATASETS]> {
    prop::array::uniform3(prop_oneof![3 => Just(Dataset::Ahead), 1 => Just(Dataset::Bad)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_events_crashes_and_lost_leases_keep_the_invariants(
        datasets in datasets(),
        steps in vec(steps(), 0..160),
    ) {
        let mut world = World::new(datasets);
        for step in steps {
            world.happens(step);
        }
        world.recovers();
        world.can_be_completed();
    }

    #[test]
    fn whoever_has_lost_the_lease_moves_nothing(
        datasets in datasets(),
        steps in vec(steps(), 0..80),
        afterwards in vec(steps(), 0..50),
    ) {
        let mut world = World::new(datasets);
        for step in steps {
            world.happens(step);
        }
        // All of them sleep until their leases have run out, and one that is new takes the run over.
        world.people = [None; PEOPLE];
        let (asleep, helping) = (world.servers, world.helpers);
        world.now = world.all_run_out();
        world.servers[0] = None;
        for _ in ["takes", "decides", "acts"] {
            world.advance(0);
        }
        prop_assume!(world.servers[0].is_some_and(|it| it.began));
        // Then the others wake up, and do what they were about to; none of it counts.
        (world.servers, world.helpers) = (asleep, helping);
        world.servers[0] = None;
        let theirs = |it: &&Step| matches!(
            it, Step::Advance(at) | Step::Renew(at) | Step::Look(at) | Step::Break(at) | Step::Divide(at) if *at != 0
        ) || matches!(it, Step::Help(_) | Step::RenewClaim(_) | Step::LookOut(_));
        let before = (world.state, world.fence, world.datasets, world.expires);
        for step in afterwards.iter().filter(theirs) {
            world.happens(*step);
        }
        prop_assert_eq!((world.state, world.fence, world.datasets, world.expires), before);
    }
}

/// What the laws say is worth nothing if the model never gets anywhere.
#[test]
fn the_model_reaches_every_state() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    use std::collections::BTreeSet;

    let mut runner = TestRunner::deterministic();
    let (mut reached, mut helped, mut taken_over) = (BTreeSet::new(), 0, 0);
    for _ in 0..300 {
        let case = (datasets(), vec(steps(), 200)).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(case.0);
        for step in case.1 {
            let (noted, division) = (world.noted, world.division);
            world.happens(step);
            reached.insert(world.state);
            helped += usize::from(world.noted != noted);
            let closing = world.division == Some(Division::Closing);
            taken_over += usize::from(closing && division == Some(Division::Open));
        }
    }
    assert_eq!(reached, BTreeSet::from(JobState::ALL));
    assert!(helped > 50 && taken_over > 10, "{helped} {taken_over}");
}
