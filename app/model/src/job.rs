//! A run of the engine as a thing of its own: the states it can be in, and what leads from one to the next.

#[cfg(test)]
mod laws;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Action, Estimate, FailureGroup, Pace, Span};

/// How far a run is. Kept in its document, so that it outlives whoever carries it out.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It is written down what shall be done; nothing is done yet.
    #[default]
    Planned,
    /// Datasets are being migrated.
    Running,
    /// Somebody asked for a pause; what is under way comes to its edge.
    Pausing,
    /// Nothing is being written until somebody resumes it.
    Paused,
    /// Somebody asked for its end; what is under way comes to its edge.
    Cancelling,
    /// It was ended early. What is done is done, what is not is as it was.
    Cancelled,
    /// Everything is written; what was written is being looked at again.
    Verifying,
    /// Every dataset is where it was to go, and that was verified.
    Completed,
    /// It went through, but some datasets could not be migrated.
    CompletedWithFailures,
    /// It could not go on.
    Failed,
    /// What it changed is being brought back.
    Undoing,
    /// Everything that it changed is as it was before.
    Undone,
    /// A part of what it changed is as it was before; the rest is as the run left it, or in between.
    PartlyUndone,
}

/// Something that happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEvent {
    /// A person or a server begins it.
    Start,
    /// A person wants it to hold.
    Pause,
    /// A person wants it to go on.
    Resume,
    /// A person wants it to end where it is.
    Cancel,
    /// A person wants those that failed tried again.
    Retry,
    /// Nothing is under way any more, as was asked.
    Edge,
    /// Every dataset had its turn.
    Written,
    /// All that was written was found as it shall be.
    Verified,
    /// The same, but some datasets could not be migrated.
    VerifiedWithFailures,
    /// It cannot go on: the connection, a privilege, the disk.
    Broke,
    /// Whoever carried it out is gone, and somebody else has taken its lease.
    TakenOver,
    /// A person wants everything as it was before it.
    Undo,
    /// All that it changed is as it was before.
    Undone,
    /// Nothing more is brought back now, but not everything is.
    UndoneInPart,
}

/// What whoever carries a run out does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// Migrate the datasets that are not done.
    Write,
    /// Count those that failed among the ones that are not done.
    ForgetFailures,
    /// Begin nothing new.
    Hold,
    /// Look at what was written.
    Verify,
    /// Give the lease back.
    Release,
    /// Bring back what the journal keeps.
    BringBack,
}

use JobAction::{BringBack, ForgetFailures, Hold, Release, Verify, Write};
use JobEvent::{
    Broke, Cancel, Edge, Pause, Resume, Retry, Start, TakenOver, Undo, UndoneInPart, Verified,
    VerifiedWithFailures, Written,
};
use JobState::{
    Cancelled, Cancelling, Completed, CompletedWithFailures, Failed, PartlyUndone, Paused, Pausing,
    Planned, Running, Undoing, Undone, Verifying,
};

/// Everything that can happen to a run: `(in this state, this, leads there, and then this is done)`.
pub const TRANSITIONS: &[(JobState, JobEvent, JobState, &[JobAction])] = &[
    (Planned, Start, Running, &[Write]),
    (Planned, Cancel, Cancelled, &[]),
    (Planned, TakenOver, Running, &[Write]),
    (Planned, Broke, Failed, &[]),
    (Running, Pause, Pausing, &[Hold]),
    (Running, Cancel, Cancelling, &[Hold]),
    (Running, Written, Verifying, &[Verify]),
    (Running, Broke, Failed, &[Release]),
    (Running, TakenOver, Running, &[Write]),
    (Pausing, Edge, Paused, &[Release]),
    (Pausing, Resume, Running, &[Write]),
    (Pausing, Cancel, Cancelling, &[Hold]),
    (Pausing, Written, Verifying, &[Verify]),
    (Pausing, Verified, Completed, &[Release]),
    (Pausing, VerifiedWithFailures, CompletedWithFailures, &[Release]),
    (Pausing, Broke, Failed, &[Release]),
    (Pausing, TakenOver, Paused, &[Release]),
    (Paused, Resume, Running, &[Write]),
    (Paused, Cancel, Cancelled, &[]),
    (Cancelling, Edge, Cancelled, &[Release]),
    (Cancelling, Written, Verifying, &[Verify]),
    (Cancelling, Verified, Completed, &[Release]),
    (Cancelling, VerifiedWithFailures, CompletedWithFailures, &[Release]),
    (Cancelling, Broke, Failed, &[Release]),
    (Cancelling, TakenOver, Cancelled, &[Release]),
    (Cancelled, Resume, Running, &[Write]),
    (Verifying, Pause, Pausing, &[Hold]),
    (Verifying, Cancel, Cancelling, &[Hold]),
    (Verifying, Verified, Completed, &[Release]),
    (Verifying, VerifiedWithFailures, CompletedWithFailures, &[Release]),
    (Verifying, Broke, Failed, &[Release]),
    (Verifying, TakenOver, Verifying, &[Verify]),
    (CompletedWithFailures, Retry, Running, &[ForgetFailures, Write]),
    (Failed, Resume, Running, &[Write]),
    (Failed, Retry, Running, &[ForgetFailures, Write]),
    (Completed, Undo, Undoing, &[BringBack]),
    (CompletedWithFailures, Undo, Undoing, &[BringBack]),
    (Cancelled, Undo, Undoing, &[BringBack]),
    (Failed, Undo, Undoing, &[BringBack]),
    (Paused, Undo, Undoing, &[BringBack]),
    (PartlyUndone, Undo, Undoing, &[BringBack]),
    (Undoing, JobEvent::Undone, Undone, &[Release]),
    (Undoing, UndoneInPart, PartlyUndone, &[Release]),
    // Not `failed`: from there it could be resumed, and half of it would go forward again.
    (Undoing, Broke, PartlyUndone, &[Release]),
    (Undoing, TakenOver, Undoing, &[BringBack]),
];

/// An event that leads nowhere from the state a run is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {state} cannot be {event}{}", ways_on(*state))]
pub struct NotNow {
    /// Where the run is.
    pub state: JobState,
    /// What was to happen.
    pub event: JobEvent,
}

/// A run as people see it. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// What identifies it.
    pub id: String,
    /// How far it is.
    pub state: JobState,
    /// What was asked for, in words.
    pub asked: String,
    /// Where to.
    pub destination: String,
    /// By whom: `user@host`.
    pub by: String,
    /// Whether somebody carries it out now.
    pub held: bool,
    /// How many datasets it is about, and what became of them: `migrated` and so on.
    pub datasets: BTreeMap<String, u64>,
    /// How many samples and frames were passed over.
    pub documents: u64,
    /// About how many more there are in the collections that are being passed over.
    pub ahead: u64,
    /// How many datasets are verified, once everything is written.
    #[serde(default)]
    pub verified: u64,
    /// Of how many.
    #[serde(default)]
    pub to_verify: u64,
    /// About how many bytes were written of what is FiftyOne's.
    #[serde(default)]
    pub bytes: u64,
    /// How fast it goes.
    pub pace: Pace,
    /// Why it holds, if it does.
    pub holding: Option<String>,
    /// How long the rest takes, while somebody carries it out.
    #[serde(default)]
    pub remaining: Option<Span>,
    /// What was expected before it began; only of one that was planned for a server.
    #[serde(default)]
    pub estimate: Option<Estimate>,
    /// The datasets that could not be migrated, by cause.
    #[serde(default)]
    pub failures: Vec<FailureGroup>,
    /// When it was written down.
    pub created: String,
    /// When it began: the first time, however often it rested since then.
    #[serde(default)]
    pub begun: Option<String>,
    /// When it began, or went on after a rest.
    pub started: Option<String>,
    /// When it came to rest.
    pub ended: Option<String>,
    /// When something of FiftyOne's was written last.
    pub last_write: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why what somebody has asked for was not done, if that was the last that anybody asked for.
    #[serde(default)]
    pub refused: Option<String>,
    /// What became of its undo journal.
    #[serde(default)]
    pub journal: JournalState,
    /// Until when it can be undone.
    #[serde(default)]
    pub undo_until: Option<String>,
    /// What somebody has asked for, and nobody has begun yet.
    #[serde(default)]
    pub wish: Option<RunWish>,
    /// Who works on it, or has, where it was divided: first whoever leads.
    #[serde(default)]
    pub hands: Vec<RunHand>,
    /// What can be done with it now.
    pub choices: Vec<JobEvent>,
}

/// What somebody wants of a run that rests, until a server carries it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWish {
    /// That it be resumed, retried or undone.
    pub event: JobEvent,
    /// Who asked for it.
    pub by: String,
    /// When, as RFC 3339 in UTC.
    pub at: String,
}

/// Somebody who works on a run that is divided, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHand {
    /// `user@host`.
    pub by: String,
    /// The process there.
    pub pid: u32,
    /// Since when, as RFC 3339 in UTC.
    pub since: String,
    /// When it left; not known of one that was killed.
    pub left: Option<String>,
    /// Whether it is at it now, as far as is known.
    pub works: bool,
    /// Whether it leads: it plans, verifies, and ends the run.
    pub leads: bool,
    /// How many datasets it has migrated.
    pub datasets: u64,
}

/// A sentence of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// By whom: `user@host`.
    pub by: String,
    /// What happened.
    pub text: String,
}

/// What became of what a run changed, as it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// None was kept: that was asked for, or the run is older than the journal.
    #[default]
    None,
    /// It is there.
    Kept,
    /// Somebody has dropped it.
    Dropped,
    /// It was kept for as long as was asked for.
    Expired,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 13] = [
        Planned,
        Running,
        Pausing,
        Paused,
        Cancelling,
        Cancelled,
        Verifying,
        Completed,
        CompletedWithFailures,
        Failed,
        Undoing,
        Undone,
        PartlyUndone,
    ];

    /// Where an event leads, and what is to be done then.
    ///
    /// # Errors
    ///
    /// [`NotNow`] if it leads nowhere from here; its words say what would.
    pub fn on(self, event: JobEvent) -> Result<(Self, &'static [JobAction]), NotNow> {
        let found = TRANSITIONS.iter().find(|(from, on, ..)| (*from, *on) == (self, event));
        found.map(|(_, _, to, actions)| (*to, *actions)).ok_or(NotNow { state: self, event })
    }

    /// Whether somebody has to hold the lease for it to get anywhere.
    pub fn is_active(self) -> bool {
        matches!(self, Running | Pausing | Cancelling | Verifying | Undoing)
    }

    /// Whether somebody wants it to rest as soon as it can.
    pub fn is_told_to_rest(self) -> bool {
        matches!(self, Pausing | Cancelling)
    }

    /// What people can do with a run in this state.
    pub fn choices(self) -> Vec<JobEvent> {
        let ours = TRANSITIONS.iter().filter(|(from, ..)| *from == self);
        ours.map(|(_, event, ..)| *event).filter(|it| it.is_a_wish()).collect()
    }
}

impl JobEvent {
    /// Whether people ask for it; the others happen by themselves.
    pub fn is_a_wish(self) -> bool {
        match self {
            Pause | Resume | Cancel | Retry | Undo => true,
            Start
            | Edge
            | Written
            | Verified
            | VerifiedWithFailures
            | Broke
            | TakenOver
            | JobEvent::Undone
            | UndoneInPart => false,
        }
    }

    /// What has to be allowed to whoever asks for it.
    pub fn action(self) -> Action {
        if self == Undo { Action::UndoRuns } else { Action::ControlRuns }
    }

    /// The word on the command line and on a button.
    pub fn word(self) -> &'static str {
        match self {
            Start => "start",
            Pause => "pause",
            Resume => "resume",
            Cancel => "cancel",
            Retry => "retry",
            Edge => "edge",
            Written => "written",
            Verified => "verified",
            VerifiedWithFailures => "verified with failures",
            Broke => "broke",
            TakenOver => "taken over",
            Undo => "undo",
            JobEvent::Undone => "undone",
            UndoneInPart => "undone in part",
        }
    }
}

fn ways_on(state: JobState) -> String {
    let words: Vec<String> = state.choices().iter().map(|it| format!("`{}`", it.word())).collect();
    match words.as_slice() {
        [] => "; wait until it is".to_owned(),
        words => format!("; what can be done with it: {}", words.join(", ")),
    }
}

impl fmt::Display for JobEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Start => "started",
            Pause => "paused",
            Resume => "resumed",
            Cancel => "cancelled",
            Retry => "retried",
            Undo => "undone",
            other => other.word(),
        })
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Planned => "planned",
            Running => "running",
            Pausing => "pausing",
            Paused => "paused",
            Cancelling => "cancelling",
            Cancelled => "cancelled",
            Verifying => "verifying",
            Completed => "completed",
            CompletedWithFailures => "completed with failures",
            Failed => "failed",
            Undoing => "undoing",
            Undone => "undone",
            PartlyUndone => "partly undone",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The states that a run can get to from one, by events that pass the filter.
    fn reachable(from: JobState, by: fn(JobEvent) -> bool) -> BTreeSet<JobState> {
        let (mut seen, mut ahead) = (BTreeSet::from([from]), vec![from]);
        while let Some(state) = ahead.pop() {
            for (_, _, to, _) in TRANSITIONS.iter().filter(|(it, on, ..)| *it == state && by(*on)) {
                if seen.insert(*to) {
                    ahead.push(*to);
                }
            }
        }
        seen
    }

    #[test]
    fn every_state_can_be_reached_and_leads_to_completion_or_back() {
        assert_eq!(reachable(Planned, |_| true), BTreeSet::from(JobState::ALL));
        for state in JobState::ALL {
            let success = reachable(state, |_| true);
            let back = matches!(state, Undoing | Undone | PartlyUndone);
            assert!(success.contains(&Undone), "{state} cannot be undone any more");
            assert_eq!(success.contains(&Completed), !back, "{state}");
        }
    }

    #[test]
    fn what_is_half_undone_only_goes_back() {
        let back = BTreeSet::from([Undoing, Undone, PartlyUndone]);
        assert_eq!(reachable(Undoing, |_| true), back);
        assert_eq!(Undone.choices(), []);
        assert_eq!(PartlyUndone.choices(), [Undo]);
    }

    #[test]
    fn a_run_whose_server_is_gone_goes_on_without_a_person() {
        for state in JobState::ALL.into_iter().filter(|it| it.is_active()) {
            let (next, actions) = state.on(TakenOver).unwrap();
            assert!(!actions.is_empty(), "{state} is taken over and then nothing happens");
            assert_eq!(next.is_active(), !actions.contains(&Release), "{state}");
        }
    }

    #[test]
    fn whoever_carries_a_run_out_gives_the_lease_back_exactly_when_it_rests() {
        for (from, event, to, actions) in TRANSITIONS {
            let rests = from.is_active() && !to.is_active();
            assert_eq!(
                actions.contains(&Release),
                rests
                    || (to == &Paused && *event == TakenOver)
                    || (to == &Cancelled && *event == TakenOver),
                "{from} on {event}"
            );
        }
    }

    #[test]
    fn nothing_leads_two_ways() {
        let pairs: BTreeSet<String> =
            TRANSITIONS.iter().map(|(from, on, ..)| format!("{from}/{}", on.word())).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
    }

    #[test]
    fn failures_are_never_told_as_success() {
        for (from, event, to, _) in TRANSITIONS {
            if to == &Completed {
                assert_eq!(*event, Verified, "{from}");
                assert!(from.is_active(), "{from}");
            }
            if to == &Undone {
                assert_eq!((*from, *event), (Undoing, JobEvent::Undone));
            }
        }
        assert!(Completed.on(Retry).is_err());
    }

    #[test]
    fn what_cannot_be_done_now_is_refused_with_what_can() {
        let refused = Paused.on(Pause).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a run that is paused cannot be paused; what can be done with it: `resume`, `cancel`, `undo`"
        );
    }

    /// The diagram in ARCHITECTURE.md.
    fn diagram() -> String {
        let name = |it: &JobState| it.to_string().replace(' ', "_");
        let mut lines = vec![
            "```mermaid".to_owned(),
            "stateDiagram-v2".to_owned(),
            "    [*] --> planned".to_owned(),
        ];
        for (from, event, to, _) in TRANSITIONS {
            lines.push(format!("    {} --> {}: {}", name(from), name(to), event.word()));
        }
        lines.push("```".to_owned());
        lines.join("\n")
    }

    #[test]
    fn the_diagram_in_the_documentation_is_this_machine() {
        let text = include_str!("../../../ARCHITECTURE.md");
        assert!(text.contains(&diagram()), "put this into ARCHITECTURE.md:\n{}", diagram());
    }
}
