//! What is told of runs that went one way or another.

use model::{JobState, JournalState, LogLine, RunSummary};

use super::*;

const SECOND: u64 = 1_000;

/// So many milliseconds after the run was written down.
fn at(ms: u64) -> String {
    format!("2026-01-02T03:{:02}:{:02}.{:03}Z", ms / 60_000, ms / SECOND % 60, ms % SECOND)
}

fn frame(state: JobState, now: u64) -> RunFrame {
    let run = RunSummary {
        id: "7".into(),
        state,
        asked: "the database".into(),
        destination: "1.22.1".into(),
        by: "ada".into(),
        held: true,
        created: at(0),
        started: Some(at(SECOND)),
        ended: Some(at(9 * SECOND)),
        journal: JournalState::Kept,
        ..RunSummary::default()
    };
    RunFrame::of(run, &at(now))
}

fn told(ms: u64, by: &str, what: Happening) -> Told {
    Told { line: LogLine { at: at(ms), by: by.into(), text: "it is so".into() }, what }
}

fn begins(ms: u64, from: JobState, to: JobState) -> Told {
    told(ms, "root@lab", Happening::Begins { from: Some(from), to, process: 12 })
}

fn is(ms: u64, state: JobState) -> Told {
    told(ms, "root@lab", Happening::Is { state, error: None })
}

fn asked(ms: u64, event: JobEvent, state: JobState) -> Told {
    told(ms, "grace", Happening::Asked { event, state })
}

/// Each moment as one line: its mark, what happened, and the rest.
fn said(frame: &RunFrame, first: Vec<Told>) -> Vec<String> {
    lines(&of(frame, &Story { first, ..Story::default() }, true))
}

fn lines(moments: &[RunMoment]) -> Vec<String> {
    moments.iter().map(|it| format!("{} | {} | {}", it.mark, it.first, it.then)).collect()
}

#[test]
fn stages_last_until_the_next_one_and_wishes_until_they_are_taken_up() {
    use JobState::{Completed, Paused, Pausing, Planned, Running, Verifying};
    let told = vec![
        begins(3 * SECOND, Planned, Running),
        told(5 * SECOND, "root@lab", Happening::Holds { reason: "it is behind".into() }),
        told(9 * SECOND, "root@lab", Happening::GoesOn),
        told(10 * SECOND, "grace", Happening::Paced { pace: "slowly".into() }),
        asked(11 * SECOND, JobEvent::Pause, Pausing),
        is(13 * SECOND, Paused),
        asked(133 * SECOND, JobEvent::Resume, Paused),
        begins(134 * SECOND, Paused, Running),
        told(135 * SECOND, "eve@lab", Happening::Helped { process: 13 }),
        is(140 * SECOND, Verifying),
        is(141 * SECOND, Completed),
    ];
    assert_eq!(
        said(&frame(Completed, 200 * SECOND), told),
        [
            "person | Asked for | ada, waited 3.0 s",
            "stage | Began: migrating | root@lab (process 12), for 10 s",
            "hold | Held: it is behind | for 4.0 s",
            "person | Changed the pace: slowly | grace",
            "person | Asked that it be paused | grace, taken up after 2.0 s",
            "rest | Paused | for 2 min",
            "person | Asked that it be resumed | grace, taken up after 1.0 s",
            "stage | Went on: migrating | root@lab (process 12), for 6.0 s",
            "process | Came to help | eve@lab (process 13)",
            "stage | Verifying | for 1.0 s",
            "end | Completed and verified | ",
        ]
    );
}

#[test]
fn what_goes_on_is_told_without_a_figure_until_that_says_something() {
    let run = || vec![begins(0, JobState::Planned, JobState::Running)];
    let goes_on = |now: u64| said(&frame(JobState::Running, now), run()).pop().unwrap();
    assert_eq!(goes_on(59_999), "stage | Began: migrating | root@lab (process 12), going on");
    assert_eq!(
        goes_on(180_000),
        "stage | Began: migrating | root@lab (process 12), going on for 3 min"
    );
    let mut abandoned = frame(JobState::Running, 180_000);
    abandoned.run.held = false;
    let left = said(&abandoned, run()).pop().unwrap();
    assert!(left.ends_with("(process 12), nobody carries it out"), "{left}");
    let waits = said(&frame(JobState::Planned, 120_000), Vec::new());
    assert_eq!(waits, ["person | Asked for | ada, waits for 2 min"]);
}

#[test]
fn a_run_that_is_taken_over_and_undone_says_by_whom() {
    use JobState::{Completed, Running, Undoing, Undone, Verifying};
    let told = vec![
        begins(0, JobState::Planned, Running),
        begins(40 * SECOND, Running, Running),
        begins(50 * SECOND, Verifying, Verifying),
        is(51 * SECOND, Completed),
        asked(52 * SECOND, JobEvent::Undo, Completed),
        begins(53 * SECOND, Completed, Undoing),
        is(54 * SECOND, Undone),
    ];
    let said = said(&frame(Undone, 60 * SECOND), told);
    assert_eq!(said[2], "process | Taken over: migrating | root@lab (process 12), for 10 s");
    assert_eq!(said[3], "process | Taken over: verifying | root@lab (process 12), for 1.0 s");
    assert_eq!(said[5], "person | Asked that it be undone | grace, taken up after 1.0 s");
    assert_eq!(said[6], "stage | Undoing | root@lab (process 12), for 1.0 s");
    assert_eq!(said[7], "end | Undone: everything is as it was before | ");
}

#[test]
fn what_is_cancelled_at_once_is_told_as_that_and_what_is_wanted_of_it_then_waits() {
    use JobState::Cancelled;
    let told = vec![
        asked(2 * SECOND, JobEvent::Cancel, Cancelled),
        asked(3 * SECOND, JobEvent::Resume, Cancelled),
    ];
    assert_eq!(
        said(&frame(Cancelled, 4 * SECOND), told),
        [
            "person | Asked for | ada, waited 2.0 s",
            "rest | Cancelled: nothing was under way | grace",
            "person | Asked that it be resumed | grace, waits",
        ]
    );
}

#[test]
fn only_those_who_may_see_names_are_told_why_it_failed() {
    let why = "dataset `secret` is in the way".to_owned();
    let told = vec![
        begins(0, JobState::Planned, JobState::Running),
        told(1, "root@lab", Happening::Is { state: JobState::Failed, error: Some(why) }),
        told(2, "grace", Happening::Refused { event: JobEvent::Retry }),
    ];
    let story = Story { first: told, ..Story::default() };
    let frame = frame(JobState::Failed, 5);
    let all = lines(&of(&frame, &story, true));
    assert_eq!(
        all[2..],
        ["problem | Failed: dataset `secret` is in the way | ", "problem | It is so | "]
    );
    let less = lines(&of(&frame, &story, false));
    assert_eq!(
        less[2..],
        [
            "problem | Failed; an admin can see why | ",
            "problem | It was not retried; an admin can see why | ",
        ]
    );
}

#[test]
fn a_run_whose_log_tells_nothing_is_told_by_what_is_written_down_of_it() {
    let moments = of(&frame(JobState::Completed, 0), &Story::default(), true);
    assert_eq!(
        lines(&moments),
        ["person | Asked for | ada, waited 9.0 s", "end | Completed and verified | "]
    );
    assert_eq!(moments[1].at, at(9 * SECOND));
    let goes_on = said(&frame(JobState::Verifying, 2 * SECOND), Vec::new());
    assert_eq!(goes_on[1], "stage | Verifying | going on");
}

#[test]
fn what_is_left_out_is_counted_and_nothing_is_said_of_how_long_it_lasted() {
    let first = vec![begins(SECOND, JobState::Planned, JobState::Running)];
    let last = vec![is(8 * SECOND, JobState::Paused)];
    let story = Story { first, left_out: 3_210, last };
    let moments = of(&frame(JobState::Paused, 9 * SECOND), &story, true);
    assert_eq!(
        lines(&moments)[1..],
        [
            "stage | Began: migrating | root@lab (process 12)",
            "gap | 3,210 moments left out here; the log has all | ",
            "rest | Paused | going on",
        ]
    );
    assert_eq!(moments[2].at, at(SECOND));
}
