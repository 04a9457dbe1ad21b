//! A run as a page shows it: how far it is at one moment, said so that it promises nothing.

mod export;
mod log;

use serde::{Deserialize, Serialize};

use crate::{
    Cause, JobEvent, JobState, JournalState, RunSummary, Tone,
    words::{self, count},
};

pub use export::RUN_CSV_HEAD;
pub use log::{LINES_ON_PAGE, LogPage, NumberedLine};

/// How a run is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFrame {
    /// The moment, by the server's clock, as RFC 3339 in UTC.
    pub at: String,
    /// The run, without the names of datasets.
    pub run: RunSummary,
    /// How many samples and frames it passes over in a second, once it was watched for long enough to say.
    #[serde(default)]
    pub rate: Option<u64>,
}

/// How much of a run is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of a hundred. A hundred only when it was verified.
    pub percent: u8,
    /// Whether that is an estimate.
    pub about: bool,
}

/// How long ago something was written last, and whether that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// How bad it is.
    pub tone: Tone,
    /// In words.
    pub words: String,
}

/// A dataset of a run, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDataset {
    /// Its `_id`, as text.
    pub id: String,
    /// What to call it.
    pub name: String,
    /// What became of it: `migrated` and so on.
    pub state: String,
    /// Where it was; `None` if its document does not say.
    pub head: Option<String>,
    /// Where it was asked to go.
    pub destination: Option<String>,
    /// The kind of what went wrong.
    pub cause: Option<Cause>,
    /// What went wrong.
    pub reason: Option<String>,
    /// How many samples and frames of it were passed over.
    pub documents: u64,
    /// About how many more there are in what is being passed over.
    pub ahead: u64,
}

/// Something that happened to a run, in words. One type for its timeline and its log, because each weighs something in the
/// browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMoment {
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// By which it is known at a glance: `stage`, `rest`, `hold`, `person`, `process`, `end`, `problem` or `gap`; `line` in
    /// the log.
    pub mark: String,
    /// What is said first: what happened; in the log, who says so.
    pub first: String,
    /// What is said then: by whom, and how long it lasted; in the log, what happened. Empty if there is nothing to say of that.
    pub then: String,
}

/// All that the page of one run shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPage {
    /// How it is now.
    pub frame: RunFrame,
    /// What happened to it, in the order of that.
    #[serde(default)]
    pub timeline: Vec<RunMoment>,
    /// Its first datasets by name, of the state that was asked for; none for those who may not see names.
    pub datasets: Vec<RunDataset>,
    /// The state of datasets that was asked for; `None` if that is all of them.
    pub show: Option<String>,
    /// The newest lines of its log, newest first; none for those who may not see names.
    pub log: Vec<RunMoment>,
    /// Whether whoever asks may see names.
    pub named: bool,
    /// Why whoever asks may not control it, if they may not.
    pub barred: Option<String>,
    /// The name of the database, which is to be typed to undo it.
    pub database: String,
}

/// After how many milliseconds without a write a run is looked at with concern, and when with alarm.
const SLOW_MS: u64 = 10_000;
const STUCK_MS: u64 = 60_000;

impl RunFrame {
    /// A run at this moment.
    pub fn of(run: RunSummary, at: &str) -> Self {
        let mut run = run;
        for group in &mut run.failures {
            group.datasets.clear();
        }
        Self { at: at.to_owned(), run, rate: None }
    }

    /// Whether nothing happens to it until somebody wants something.
    pub fn rests(&self) -> bool {
        let Self { run, .. } = self;
        !run.state.is_active() && run.state != JobState::Planned && run.wish.is_none()
    }

    /// For those who may not see the names of datasets.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        let run = &mut self.run;
        if run.asked.starts_with("dataset `") {
            "one dataset".clone_into(&mut run.asked);
        }
        if run.error.is_some() {
            run.error = Some("it could not go on; an admin can see why".to_owned());
        }
        if run.refused.is_some() {
            run.refused = Some("what was asked for was not done; an admin can see why".to_owned());
        }
        for group in &mut run.failures {
            group.datasets.clear();
        }
        self
    }

    /// How many datasets had their turn, of how many.
    pub fn datasets(&self) -> (u64, u64) {
        let all = self.run.datasets.values().sum();
        let undone =
            matches!(self.run.state, JobState::Undoing | JobState::PartlyUndone | JobState::Undone);
        let done = self.run.datasets.iter().filter(|(state, _)| match state.as_str() {
            "undone" | "not_undone" => undone,
            "planned" | "interrupted" | "untouched" => false,
            _ => !undone,
        });
        (done.map(|(_, count)| count).sum(), all)
    }

    /// How many samples and frames there are about in all; `None` where nobody has counted.
    pub fn documents_in_all(&self) -> Option<u64> {
        let seen = self.run.documents.saturating_add(self.run.ahead);
        let counted = self.run.estimate.as_ref().map(|it| it.documents.most);
        let counted = counted.filter(|it| *it > 0).map(|it| it.max(seen));
        counted.or((self.run.ahead > 0).then_some(seen))
    }

    /// How much of it is done: never all of it before it was verified.
    pub fn share(&self) -> Share {
        let state = self.run.state;
        if matches!(state, JobState::Completed | JobState::Undone) {
            return Share { percent: 100, about: false };
        }
        if state == JobState::Verifying {
            return Share { percent: 99, about: false };
        }
        let (done, all) = self.datasets();
        let of = |part: u64, whole: u64| match whole {
            0 => 0,
            whole => part.saturating_mul(100) / whole,
        };
        let undone = matches!(state, JobState::Undoing | JobState::PartlyUndone);
        let weighed = self.run.estimate.as_ref().is_some_and(|it| it.documents.most > 0);
        let percent = match self.documents_in_all() {
            Some(documents) if weighed && !undone => of(self.run.documents, documents),
            // Of what is under way, it is only known how much is ahead: at least one dataset.
            Some(documents) if !undone => {
                let under_way = of(self.run.documents, documents);
                done.saturating_mul(100).saturating_add(under_way) / all.max(1)
            }
            _ => of(done, all),
        };
        let about = self.documents_in_all().is_some() && !undone && !self.rests();
        Share { percent: u8::try_from(percent.min(99)).unwrap_or(99), about }
    }

    /// The state in one sentence.
    pub fn sentence(&self) -> String {
        let Self { run, .. } = self;
        let Share { percent, .. } = self.share();
        if let Some(wish) = &run.wish {
            return format!(
                "It shall be {}, as {} has asked; a server takes it up as soon as none writes to the database",
                wish.event, wish.by
            );
        }
        if run.state.is_active() && !run.held {
            return format!(
                "It is {}, but nobody carries it out; a server that attends takes it over",
                run.state
            );
        }
        if let Some(holding) = &run.holding {
            return format!("Held at {percent} %: {holding}");
        }
        let (done, all) = self.datasets();
        let datasets = format!("{} of {}", count(done), words::counted(all, "dataset"));
        match run.state {
            JobState::Planned => "It waits for a server to begin".to_owned(),
            JobState::Running => format!("Running: {percent} %, {datasets} done"),
            JobState::Pausing => "It pauses at its next batch edge".to_owned(),
            JobState::Paused => format!("Paused: {datasets} done, nothing is being written"),
            JobState::Cancelling => "It ends at its next batch edge".to_owned(),
            JobState::Cancelled => format!("Cancelled: {}", self.left_off()),
            JobState::Verifying => format!(
                "{percent} %, verifying: {} of {} looked at",
                count(run.verified),
                words::counted(run.to_verify, "dataset")
            ),
            JobState::Completed => {
                format!("Completed and verified: {}", words::counted(all, "dataset"))
            }
            JobState::CompletedWithFailures => format!(
                "Completed with failures: {} of {} could not be migrated",
                count(self.failed()),
                words::counted(all, "dataset")
            ),
            JobState::Failed => format!("Failed: it could not go on after {datasets}"),
            JobState::Undoing => format!("Undoing: {datasets} as before"),
            JobState::Undone => "Undone: everything is as it was before".to_owned(),
            JobState::PartlyUndone => format!("Partly undone: {datasets} as before"),
        }
    }

    /// Why this cannot be asked of the run now; `None` if it can.
    pub fn why_not(&self, event: JobEvent) -> Option<String> {
        let Self { run, .. } = self;
        if let Some(wish) = &run.wish
            && matches!(event, JobEvent::Resume | JobEvent::Retry | JobEvent::Undo)
        {
            return Some(format!("it shall be {} already", wish.event));
        }
        if run.choices.contains(&event) {
            return None;
        }
        let kept = event != JobEvent::Undo || run.state.on(event).is_err();
        Some(match run.journal {
            _ if kept => format!("it is {}", run.state),
            JournalState::None | JournalState::Kept => "it kept no undo journal".to_owned(),
            JournalState::Dropped => "its undo journal was dropped".to_owned(),
            JournalState::Expired => "its undo journal has expired".to_owned(),
        })
    }

    /// How many datasets could not be migrated.
    pub fn failed(&self) -> u64 {
        self.run.failures.iter().map(|it| it.count).sum()
    }

    /// How many datasets are in one of these states.
    pub fn in_states(&self, states: &[&str]) -> u64 {
        states.iter().filter_map(|it| self.run.datasets.get(*it)).sum()
    }

    /// What a run has done that was stopped, and what it has not.
    fn left_off(&self) -> String {
        let migrated = self.in_states(&["migrated"]);
        let before = self.in_states(&["planned", "untouched"]);
        let middle = match self.in_states(&["interrupted"]) {
            0 => "",
            1 => {
                "; 1 is in the middle, some of its samples may be changed: resume the run, or undo it"
            }
            _ => {
                "; some are in the middle, and some of their samples may be changed: resume the run, or undo it"
            }
        };
        let (done, left) = (words::counted(migrated, "dataset"), words::counted(before, "dataset"));
        format!("{done} migrated, {left} as they were{middle}")
    }

    /// What asking for this does, where that is no trifle.
    pub fn warning(&self, event: JobEvent) -> Option<String> {
        match event {
            JobEvent::Cancel => Some(format!(
                "{} migrated stay migrated. One in the middle stays there until the run is resumed or undone; the others \
                 stay as they are.",
                words::counted(self.in_states(&["migrated"]), "dataset"),
            )),
            JobEvent::Undo => Some(format!(
                "All that this run has changed ({}) is brought back to what it was before. What somebody has changed \
                 since is told, not lost.",
                words::counted(
                    self.in_states(&["migrated", "interrupted", "not_undone"]),
                    "dataset"
                ),
            )),
            _ => None,
        }
    }

    /// How many of those that failed may pass when they are only tried again.
    pub fn may_pass(&self) -> u64 {
        self.run.failures.iter().filter(|it| it.cause.may_pass()).map(|it| it.count).sum()
    }

    /// The word on the button that asks for this.
    pub fn label(&self, event: JobEvent) -> String {
        match event {
            JobEvent::Resume => "Resume".to_owned(),
            JobEvent::Retry => match self.may_pass() {
                0 => "Retry".to_owned(),
                again => format!("Retry {}", words::counted(again, "failed dataset")),
            },
            JobEvent::Cancel => "Cancel this run".to_owned(),
            JobEvent::Undo => "Undo this run".to_owned(),
            _ => "Pause".to_owned(),
        }
    }

    /// How long the rest takes, or why nobody says.
    pub fn remaining(&self) -> Option<String> {
        let Self { run, .. } = self;
        if !run.state.is_active() || !run.held {
            return None;
        }
        if let Some(holding) = &run.holding {
            return Some(format!("not known while it is held: {holding}"));
        }
        Some(match (run.state, run.remaining) {
            (JobState::Verifying, _) => "only verifying is left".to_owned(),
            (JobState::Undoing, _) => "not known of an undo".to_owned(),
            (_, Some(span)) => span.to_string(),
            (_, None) => "not known yet: it was not watched for long enough".to_owned(),
        })
    }

    /// How long ago something was written, `since_ms` after the moment of this frame; `None` where nothing is to be
    /// written.
    pub fn pulse(&self, since_ms: u64) -> Option<Pulse> {
        let Self { run, at, .. } = self;
        let writes = matches!(run.state, JobState::Running | JobState::Undoing) && run.held;
        if !writes {
            return None;
        }
        let last = run.last_write.as_deref().max(run.started.as_deref());
        let idle = last.and_then(|it| words::between_ms(it, at))?.saturating_add(since_ms);
        let nothing = run.last_write.as_deref() < run.started.as_deref();
        let said = if nothing {
            format!("nothing written since it began {} ago", words::duration(idle))
        } else {
            format!("last write {} ago", words::duration(idle))
        };
        let why = match &run.holding {
            Some(holding) => format!("it holds: {holding}"),
            None if idle >= STUCK_MS => {
                "see whether the server answers and whether the program still runs".to_owned()
            }
            None => "the server is busy, or is asked for a large range".to_owned(),
        };
        Some(match idle {
            it if it >= STUCK_MS => {
                Pulse { tone: Tone::Problem, words: format!("Stuck? {said}; {why}") }
            }
            it if it >= SLOW_MS => {
                Pulse { tone: Tone::Todo, words: format!("Slow: {said}; {why}") }
            }
            _ => Pulse { tone: Tone::Good, words: capitalized(&said) },
        })
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Amount, Basis, Estimate, FailureGroup, RunWish, Span};

    const AT: &str = "2026-01-02T03:04:05.000Z";

    fn frame(state: JobState, datasets: &[(&str, u64)]) -> RunFrame {
        let datasets: BTreeMap<String, u64> =
            datasets.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
        let run = RunSummary {
            id: "1".into(),
            state,
            asked: "dataset `cats`".into(),
            destination: "1.22.1".into(),
            by: "ada@lab".into(),
            held: true,
            datasets,
            created: AT.into(),
            begun: Some(AT.into()),
            started: Some(AT.into()),
            last_write: Some(AT.into()),
            journal: JournalState::Kept,
            choices: state.choices(),
            ..RunSummary::default()
        };
        RunFrame::of(run, AT)
    }

    #[test]
    fn nothing_is_a_hundred_percent_before_it_was_verified() {
        for state in JobState::ALL {
            let mut it = frame(state, &[("migrated", 40)]);
            it.run.documents = 1_000;
            let verified = matches!(state, JobState::Completed | JobState::Undone);
            assert_eq!(it.share().percent == 100, verified, "{state}");
        }
        let mut it = frame(JobState::Verifying, &[("migrated", 40)]);
        (it.run.verified, it.run.to_verify) = (40, 40);
        assert_eq!(it.sentence(), "99 %, verifying: 40 of 40 datasets looked at");
    }

    #[test]
    fn a_single_large_dataset_moves_with_its_documents() {
        let mut it = frame(JobState::Running, &[("planned", 1)]);
        (it.run.documents, it.run.ahead) = (25, 75);
        assert_eq!(it.share(), Share { percent: 25, about: true });
        let mut many = frame(JobState::Running, &[("planned", 50), ("migrated", 50)]);
        assert_eq!(many.share(), Share { percent: 50, about: false });
        // Half of what is under way is not half of the run.
        (many.run.documents, many.run.ahead) = (50, 50);
        assert_eq!(many.share().percent, 50);
    }

    #[test]
    fn what_was_counted_before_it_began_is_the_whole() {
        let mut it = frame(JobState::Running, &[("planned", 10)]);
        it.run.estimate = Some(Estimate {
            datasets: 10,
            documents: Amount::exactly(1_000),
            bytes: Amount::default(),
            journal_bytes: None,
            oplog_bytes: None,
            time: Span::default(),
            basis: Basis::Assumed,
            counted: (1, 1),
        });
        (it.run.documents, it.run.ahead) = (100, 200);
        assert_eq!((it.documents_in_all(), it.share().percent), (Some(1_000), 10));
        // More than was expected is not more than all.
        it.run.documents = 2_000;
        assert_eq!((it.documents_in_all(), it.share().percent), (Some(2_200), 90));
    }

    #[test]
    fn the_pulse_turns_amber_after_ten_seconds_and_red_after_a_minute() {
        let it = frame(JobState::Running, &[("planned", 1)]);
        let pulse = |ms| it.pulse(ms).unwrap();
        assert_eq!(pulse(300), Pulse { tone: Tone::Good, words: "Last write 0.3 s ago".into() });
        assert_eq!(pulse(9_999).tone, Tone::Good);
        assert_eq!(pulse(10_000).tone, Tone::Todo);
        assert_eq!(pulse(59_999).tone, Tone::Todo);
        let stuck = pulse(60_000);
        assert_eq!(stuck.tone, Tone::Problem);
        assert!(stuck.words.starts_with("Stuck? last write 1 min ago; "), "{}", stuck.words);
        for state in [JobState::Paused, JobState::Verifying, JobState::Completed] {
            assert_eq!(frame(state, &[]).pulse(90_000), None, "{state}");
        }
    }

    #[test]
    fn a_run_that_holds_says_why_instead_of_how_long() {
        let mut it = frame(JobState::Running, &[("planned", 1)]);
        it.run.remaining = Some(Span { from_s: 240, to_s: 540 });
        assert_eq!(it.remaining().as_deref(), Some("between 4 and 9 minutes"));
        it.run.holding = Some("replica lag 12 s".into());
        assert_eq!(it.remaining().as_deref(), Some("not known while it is held: replica lag 12 s"));
        assert_eq!(it.sentence(), "Held at 0 %: replica lag 12 s");
        assert!(it.pulse(20_000).unwrap().words.ends_with("it holds: replica lag 12 s"));
        it.run.held = false;
        assert_eq!(it.remaining(), None);
    }

    #[test]
    fn a_run_rests_only_when_nobody_wants_anything_of_it() {
        let mut it = frame(JobState::Paused, &[]);
        assert!(it.rests());
        it.run.wish =
            Some(RunWish { event: JobEvent::Resume, by: "ada".into(), at: AT.to_owned() });
        assert!(!it.rests());
        assert!(it.sentence().starts_with("It shall be resumed, as ada has asked;"));
        assert!(!frame(JobState::Planned, &[]).rests());
        assert!(!frame(JobState::Verifying, &[]).rests());
    }

    #[test]
    fn what_cannot_be_asked_for_says_why() {
        let mut it = frame(JobState::Completed, &[]);
        assert_eq!(it.why_not(JobEvent::Undo), None);
        assert_eq!(it.why_not(JobEvent::Pause).as_deref(), Some("it is completed"));
        it.run.choices.clear();
        it.run.journal = JournalState::Expired;
        assert_eq!(it.why_not(JobEvent::Undo).as_deref(), Some("its undo journal has expired"));
        it = frame(JobState::Paused, &[]);
        it.run.wish = Some(RunWish { event: JobEvent::Undo, by: "ada".into(), at: AT.to_owned() });
        assert_eq!(it.why_not(JobEvent::Resume).as_deref(), Some("it shall be undone already"));
        assert_eq!(it.why_not(JobEvent::Cancel), None);
    }

    #[test]
    fn those_who_may_not_see_names_see_none() {
        let mut it = frame(JobState::CompletedWithFailures, &[("failed", 1)]);
        it.run.error = Some("dataset `cats` is too large".into());
        it.run.failures = FailureGroup::of([(Cause::TooLarge, "cats".to_owned())]);
        assert_eq!(it.failed(), 1);
        let told = format!("{:?}", it.without_names());
        assert!(!told.contains("cats"), "{told}");
    }
}
