//! The course of a run as a list of moments: its stages, what held it, who carried it out, and what people asked of it.
//!
//! Made of what is written down when it happens, in the run and in its log; words of the log are not read for it.

#[cfg(test)]
mod tests;

use model::{JobEvent, JobState, RunFrame, RunMoment, words};

use crate::store::{Happening, Story, Told};

/// How many moments are told at most: of the first ones, and of the last.
pub const SHOWN: (u32, u32) = (10, 50);

/// From when on it is told how long something goes on that has not ended, in milliseconds: a page shows it for a while.
const LONG_MS: u64 = 60_000;

/// What is over sooner did not last.
const SHORT_MS: u64 = 100;

/// A run's course, in the order of what happened. `named`: whoever looks may see names of datasets.
pub fn of(frame: &RunFrame, story: &Story, named: bool) -> Vec<RunMoment> {
    let run = &frame.run;
    let mut steps = vec![Step::WrittenDown];
    steps.extend(story.first.iter().map(Step::Told));
    if story.left_out > 0 {
        steps.push(Step::Gap(story.left_out));
    }
    steps.extend(story.last.iter().map(Step::Told));
    let known = steps.iter().rev().find_map(Step::state).unwrap_or(JobState::Planned);
    if known != run.state {
        // Nobody could tell it in the log, or an older version of this program did, which told less.
        steps.push(Step::Found);
    }
    let moment = |(at, step): (usize, &Step<'_>)| {
        let (mark, what) = step.words(frame, named)?;
        let lasted = step.span(run.state).and_then(|span| {
            let end = steps.iter().skip(at + 1).find(|it| it.ends(span));
            lasted(span, step.at(frame)?, end, frame)
        });
        let more: Vec<String> = [step.by(frame), lasted].into_iter().flatten().collect();
        Some(RunMoment {
            // What is left out comes after what was told last.
            at: steps
                .iter()
                .take(at + 1)
                .rev()
                .find_map(|it| it.at(frame))
                .unwrap_or_default()
                .to_owned(),
            mark: mark.to_owned(),
            first: what,
            then: more.join(", "),
        })
    };
    steps.iter().enumerate().filter_map(moment).collect()
}

/// Something that is told, or that ends what was told before.
enum Step<'a> {
    /// The run was written down.
    WrittenDown,
    /// It was told in the log.
    Told(&'a Told),
    /// So much is left out here.
    Gap(u64),
    /// The run is in its state, and the log does not say since when.
    Found,
}

/// What lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    /// Until a run begins that was written down.
    Wait,
    /// A stage, until the next one.
    Stage,
    /// A hold, until it goes on or another stage begins.
    Hold,
    /// A wish, until something comes of it.
    Wish,
}

impl Step<'_> {
    /// The state that the run is in from now on, where it is another.
    fn state(&self) -> Option<JobState> {
        match self {
            Self::Told(told) => match told.what {
                Happening::Begins { to: state, .. }
                | Happening::Is { state, .. }
                | Happening::Asked { state, .. } => Some(state),
                Happening::Holds { .. }
                | Happening::GoesOn
                | Happening::Refused { .. }
                | Happening::Paced { .. }
                | Happening::Helped { .. }
                | Happening::JournalDropped => None,
            },
            Self::WrittenDown | Self::Gap(_) | Self::Found => None,
        }
    }

    /// When it was, if that is known.
    fn at<'a>(&'a self, frame: &'a RunFrame) -> Option<&'a str> {
        let run = &frame.run;
        match self {
            Self::WrittenDown => Some(&run.created),
            Self::Told(told) => Some(&told.line.at),
            Self::Gap(_) => None,
            Self::Found if run.state.is_active() => run.started.as_deref(),
            Self::Found => run.ended.as_deref(),
        }
    }

    /// Who did it, or which process.
    fn by(&self, frame: &RunFrame) -> Option<String> {
        match self {
            Self::WrittenDown => Some(frame.run.by.clone()),
            Self::Told(told) => match told.what {
                Happening::Begins { process, .. } | Happening::Helped { process } => {
                    Some(format!("{} (process {process})", told.line.by))
                }
                Happening::Asked { .. } | Happening::Paced { .. } | Happening::JournalDropped => {
                    Some(told.line.by.clone())
                }
                Happening::Is { .. }
                | Happening::Holds { .. }
                | Happening::GoesOn
                | Happening::Refused { .. } => None,
            },
            Self::Gap(_) | Self::Found => None,
        }
    }

    /// What of it lasts; `None` of what is over at once, and of what nothing comes after.
    fn span(&self, now: JobState) -> Option<Span> {
        match self {
            Self::WrittenDown => Some(Span::Wait),
            Self::Told(told) => match told.what {
                Happening::Begins { .. } => Some(Span::Stage),
                Happening::Is { state, .. } => lasts(state).then_some(Span::Stage),
                Happening::Holds { .. } => Some(Span::Hold),
                Happening::Asked { event, state } => {
                    (!is_at_once(event, state)).then_some(Span::Wish)
                }
                Happening::GoesOn
                | Happening::Refused { .. }
                | Happening::Paced { .. }
                | Happening::Helped { .. }
                | Happening::JournalDropped => None,
            },
            Self::Gap(_) => None,
            Self::Found => lasts(now).then_some(Span::Stage),
        }
    }

    fn ends(&self, span: Span) -> bool {
        match self {
            Self::WrittenDown => false,
            Self::Gap(_) | Self::Found => true,
            Self::Told(told) => match told.what {
                Happening::Begins { .. } | Happening::Is { .. } => true,
                Happening::GoesOn => span == Span::Hold,
                Happening::Refused { .. } => span == Span::Wish,
                // Of two wishes the last one counts.
                Happening::Asked { event, state } => span == Span::Wish || is_at_once(event, state),
                Happening::Holds { .. }
                | Happening::Paced { .. }
                | Happening::Helped { .. }
                | Happening::JournalDropped => false,
            },
        }
    }

    /// By which mark it is known, and what happened; `None` of what only ends something else.
    fn words(&self, frame: &RunFrame, named: bool) -> Option<(&'static str, String)> {
        let run = &frame.run;
        Some(match self {
            Self::WrittenDown => ("person", "Asked for".to_owned()),
            Self::Gap(count) => (
                "gap",
                format!("{} left out here; the log has all", words::counted(*count, "moment")),
            ),
            Self::Found => (mark(run.state), capitalized(stage(run.state))),
            Self::Told(told) => match &told.what {
                Happening::Begins { from, to, .. } => begins(*from, *to),
                Happening::Is { state, error } => {
                    (mark(*state), is(*state, error.as_deref(), named))
                }
                Happening::Holds { reason } => ("hold", format!("Held: {reason}")),
                Happening::GoesOn => return None,
                Happening::Asked { event, state } if is_at_once(*event, *state) => {
                    ("rest", "Cancelled: nothing was under way".to_owned())
                }
                Happening::Asked { event, .. } => ("person", format!("Asked that it be {event}")),
                Happening::Refused { .. } if named => ("problem", capitalized(&told.line.text)),
                Happening::Refused { event } => {
                    ("problem", format!("It was not {event}; an admin can see why"))
                }
                Happening::Paced { pace } => ("person", format!("Changed the pace: {pace}")),
                Happening::Helped { .. } => ("process", "Came to help".to_owned()),
                Happening::JournalDropped => ("person", "Dropped its undo journal".to_owned()),
            },
        })
    }
}

/// How long it was from one moment to another, or is until now, where there is something to say of that.
fn lasted(span: Span, from: &str, end: Option<&Step<'_>>, frame: &RunFrame) -> Option<String> {
    let Some(end) = end else {
        let long = words::between_ms(from, &frame.at).filter(|it| *it >= LONG_MS);
        let long = long.map(|it| format!(" for {}", words::duration(it))).unwrap_or_default();
        return Some(match span {
            Span::Wait | Span::Wish => format!("waits{long}"),
            Span::Stage | Span::Hold if frame.run.state.is_active() && !frame.run.held => {
                "nobody carries it out".to_owned()
            }
            Span::Stage | Span::Hold => format!("going on{long}"),
        });
    };
    // Where something is left out, nobody knows when it ended.
    let ms = words::between_ms(from, end.at(frame)?).filter(|it| *it >= SHORT_MS)?;
    let long = words::duration(ms);
    Some(match span {
        Span::Wait => format!("waited {long}"),
        Span::Wish => format!("taken up after {long}"),
        Span::Stage | Span::Hold => format!("for {long}"),
    })
}

fn begins(from: Option<JobState>, to: JobState) -> (&'static str, String) {
    let what = stage(to);
    match from {
        None | Some(JobState::Planned) => ("stage", format!("Began: {what}")),
        Some(from) if from.is_active() => ("process", format!("Taken over: {what}")),
        Some(JobState::CompletedWithFailures) if to == JobState::Running => {
            ("stage", format!("Began again with what had failed: {what}"))
        }
        Some(_) if to == JobState::Undoing => ("stage", "Undoing".to_owned()),
        Some(_) => ("stage", format!("Went on: {what}")),
    }
}

fn is(state: JobState, error: Option<&str>, named: bool) -> String {
    match error {
        Some(error) if named => format!("{}: {error}", capitalized(&state.to_string())),
        Some(_) => format!("{}; an admin can see why", capitalized(&state.to_string())),
        None => capitalized(stage(state)),
    }
}

/// What is going on in a state, or has come of it.
fn stage(state: JobState) -> &'static str {
    match state {
        JobState::Planned => "waiting for a server",
        JobState::Running => "migrating",
        JobState::Pausing => "coming to a pause",
        JobState::Paused => "paused",
        JobState::Cancelling => "coming to its end",
        JobState::Cancelled => "cancelled",
        JobState::Verifying => "verifying",
        JobState::Completed => "completed and verified",
        JobState::CompletedWithFailures => "completed with failures",
        JobState::Failed => "failed",
        JobState::Undoing => "undoing",
        JobState::Undone => "undone: everything is as it was before",
        JobState::PartlyUndone => "partly undone",
    }
}

fn mark(state: JobState) -> &'static str {
    match state {
        JobState::Planned
        | JobState::Running
        | JobState::Pausing
        | JobState::Cancelling
        | JobState::Verifying
        | JobState::Undoing => "stage",
        JobState::Paused | JobState::Cancelled => "rest",
        JobState::Completed | JobState::Undone => "end",
        JobState::CompletedWithFailures | JobState::Failed | JobState::PartlyUndone => "problem",
    }
}

/// Whether it is of interest for how long a run is in this state.
fn lasts(state: JobState) -> bool {
    state.is_active() || matches!(state, JobState::Planned | JobState::Paused)
}

/// Whether what was asked for is so at once, because nobody carries the run out.
fn is_at_once(event: JobEvent, state: JobState) -> bool {
    event == JobEvent::Cancel && state == JobState::Cancelled
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}
