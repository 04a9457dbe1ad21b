//! One sentence of verdict for a deployment, and what there is to do about it: without a database.

use model::{
    Action, Headline, JobState, Permit, RunFrame, Status, Todo, Tone,
    words::{count, counted},
};

/// The plan for all there is to do.
const PLAN: &str = "/migrate?scope=everything&destination=&other=&datasets=";

/// The datasets that a migration does not get over.
const BLOCKED: &str = "/datasets?blocked=yes";

/// What is most worth saying, and what whoever has the permit can do. `runs`: newest first. `blocked`: how many datasets
/// are known to be blocked.
pub fn headline(status: &Status, runs: &[RunFrame], blocked: usize, permit: &Permit) -> Headline {
    let todos = Todos { permit, all: Vec::new() };
    let verdict = &status.verdict;
    if let Some(run) = runs.iter().find(|it| it.run.state.is_active()) {
        return running(run, todos);
    }
    if verdict.tone == Tone::Problem {
        let (word, sentence) = ("Needs attention".to_owned(), verdict.sentence.clone());
        return Headline { tone: Tone::Problem, word, sentence, todos: todos.plan(status).all };
    }
    let blocked = if verdict.tone == Tone::Todo { blocked } else { 0 };
    // What came after a run has taken its place; and where nothing is left to do, somebody has done it.
    let last = runs.first().filter(|_| verdict.tone == Tone::Todo);
    if let Some((tone, what, sentence, button)) = last.and_then(unfinished) {
        let todos = todos.run(last, button).blocked(blocked).plan(status);
        let word = format!("Needs attention: {what}");
        let sentence = format!("{sentence} {}", ahead(status, blocked));
        return Headline { tone, word, sentence, todos: todos.all };
    }
    let word = match verdict.tone {
        Tone::Good => "Nothing to do".to_owned(),
        _ if blocked > 0 => {
            format!("Not ready: {}", counted(u64::try_from(blocked).unwrap_or(u64::MAX), "blocker"))
        }
        _ if status.database_admin => {
            format!("Ready to upgrade to {}", status.compatibility_version)
        }
        _ => "Something to do".to_owned(),
    };
    let todos = todos.blocked(blocked).plan(status).all;
    Headline { tone: verdict.tone, word, sentence: ahead(status, blocked), todos }
}

/// What can be upgraded, and what of it cannot.
fn ahead(status: &Status, blocked: usize) -> String {
    let Status { verdict, datasets, compatibility_version, database_version, .. } = status;
    let blocked = u64::try_from(blocked).unwrap_or(u64::MAX);
    if blocked == 0 {
        return verdict.sentence.clone();
    }
    let behind: u64 = datasets.iter().filter(|it| it.needs_migration).map(|it| it.datasets).sum();
    if blocked >= behind && database_version.as_ref() == Some(compatibility_version) {
        let them = counted(behind, "dataset");
        return format!(
            "{them} cannot be upgraded to {compatibility_version} before what blocks it is mended."
        );
    }
    let sentence = verdict.sentence.trim_end_matches('.');
    let stays =
        if blocked == 1 { "dataset is blocked and stays" } else { "datasets are blocked and stay" };
    format!("{sentence}; {} {stays} until that is mended.", count(blocked))
}

fn running(frame: &RunFrame, todos: Todos<'_>) -> Headline {
    let share = frame.share();
    let about = if share.about { "about " } else { "" };
    let to = &frame.run.destination;
    let does = match frame.run.state {
        JobState::Undoing => "Being undone".to_owned(),
        JobState::Verifying => format!("Being verified at {to}"),
        JobState::Pausing => format!("Pausing on the way to {to}"),
        JobState::Cancelling => format!("Being cancelled on the way to {to}"),
        _ => format!("Being migrated to {to}"),
    };
    let left = if frame.run.held { "" } else { "; nobody carries it out at the moment" };
    Headline {
        tone: Tone::Todo,
        word: format!("Running: {about}{} %", share.percent),
        sentence: format!("{does}: {}{left}.", frame.run.asked),
        todos: todos.run(Some(frame), "Watch it").all,
    }
}

/// What there is to say of a run that rests and has not done all that it was to do: how urgent it is, in a few words, in a
/// sentence, and what its button says.
fn unfinished(frame: &RunFrame) -> Option<(Tone, String, String, &'static str)> {
    let failed = counted(frame.failed(), "dataset");
    let (tone, what, sentence, button) = match frame.run.state {
        JobState::CompletedWithFailures => {
            let sentence = format!("The last run could not migrate {failed}.");
            return Some((Tone::Problem, format!("{failed} failed"), sentence, "See why"));
        }
        JobState::Failed => {
            (Tone::Problem, "the last run failed", "The last run could not go on.", "See why")
        }
        JobState::PartlyUndone => {
            let sentence = "The last run could not be undone as a whole.";
            (Tone::Problem, "partly undone", sentence, "See why")
        }
        JobState::Paused => {
            let sentence = "The last run goes on when somebody resumes it.";
            (Tone::Todo, "a run is paused", sentence, "See the run")
        }
        JobState::Cancelled => {
            let sentence =
                "The last run was cancelled before its end; it can be resumed or undone.";
            (Tone::Todo, "a run was cancelled", sentence, "See the run")
        }
        _ => return None,
    };
    Some((tone, what.to_owned(), sentence.to_owned(), button))
}

/// What somebody may do.
struct Todos<'a> {
    permit: &'a Permit,
    all: Vec<Todo>,
}

impl Todos<'_> {
    fn with(mut self, action: Action, button: &str, address: String) -> Self {
        if self.permit.covers(action).is_ok() {
            self.all.push(Todo { button: button.to_owned(), address });
        }
        self
    }

    fn run(self, frame: Option<&RunFrame>, button: &str) -> Self {
        let Some(frame) = frame else { return self };
        self.with(Action::ReadRuns, button, format!("/runs/{}", frame.run.id))
    }

    fn blocked(self, blocked: usize) -> Self {
        if blocked == 0 {
            return self;
        }
        self.with(Action::ReadEveryDataset, "See what is blocked", BLOCKED.to_owned())
    }

    fn plan(self, status: &Status) -> Self {
        if status.verdict.tone != Tone::Todo {
            return self;
        }
        self.with(Action::PreviewMigration, "See the plan", PLAN.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{
        Cause, EnterpriseVersion, FailureGroup, Principal, Role, RunSummary, Verdict, VersionCount,
    };

    use super::*;

    fn status(tone: Tone, database_admin: bool) -> Status {
        Status {
            database: "fiftyone".into(),
            enterprise_version: EnterpriseVersion { version: "2.22.1".into(), stated: true },
            compatibility_version: "1.22.1".into(),
            other_compatible_versions: ">=0.19,<2".into(),
            database_version: Some("0.18.0".into()),
            mongodb_version: "6.0.5".into(),
            database_admin,
            datasets: Vec::new(),
            verdict: Verdict { tone, sentence: "So it is.".into() },
        }
    }

    fn run(state: JobState, failed: u64) -> RunFrame {
        let at = "2026-01-01T00:00:00Z".to_owned();
        let failures = (0..failed).map(|it| (Cause::Blocked, it.to_string()));
        let datasets = [("migrated".to_owned(), 41), ("planned".to_owned(), 59)];
        let run = RunSummary {
            id: "7".into(),
            state,
            asked: "the database and every dataset".into(),
            destination: "1.22.1".into(),
            by: "ada".into(),
            held: true,
            datasets: BTreeMap::from(datasets),
            failures: FailureGroup::of(failures),
            created: at.clone(),
            begun: Some(at.clone()),
            started: Some(at.clone()),
            ..RunSummary::default()
        };
        RunFrame::of(run, &at)
    }

    fn said(
        status: &Status,
        runs: &[RunFrame],
        blocked: usize,
        role: Role,
    ) -> (String, Vec<String>) {
        let who = Principal { role, ..Principal::console("ada".into()) };
        let permit = who.permit(Action::ReadStatus).unwrap();
        let Headline { word, todos, .. } = headline(status, runs, blocked, &permit);
        (word, todos.into_iter().map(|it| it.button).collect())
    }

    #[test]
    fn what_is_most_worth_saying_is_said() {
        let (good, todo) = (status(Tone::Good, true), status(Tone::Todo, true));
        let word = |status: &Status, runs: &[RunFrame], blocked| {
            said(status, runs, blocked, Role::Admin).0
        };
        assert_eq!(word(&good, &[], 0), "Nothing to do");
        assert_eq!(word(&todo, &[], 0), "Ready to upgrade to 1.22.1");
        assert_eq!(word(&status(Tone::Todo, false), &[], 0), "Something to do");
        assert_eq!(word(&todo, &[], 2), "Not ready: 2 blockers");
        assert_eq!(word(&status(Tone::Problem, true), &[], 2), "Needs attention");
        let running = [run(JobState::Running, 0)];
        assert_eq!(word(&todo, &running, 2), "Running: 41 %");
        let failed = [run(JobState::CompletedWithFailures, 3), run(JobState::Completed, 0)];
        assert_eq!(word(&todo, &failed, 2), "Needs attention: 3 datasets failed");
        assert_eq!(word(&good, &failed, 0), "Nothing to do", "somebody has done it since");
        let since = [run(JobState::Completed, 0), run(JobState::CompletedWithFailures, 3)];
        assert_eq!(word(&todo, &since, 0), "Ready to upgrade to 1.22.1");
    }

    #[test]
    fn nobody_is_told_that_what_is_blocked_can_be_upgraded() {
        let with = |database: &str, datasets: u64, blocked: usize| {
            let behind = VersionCount { version: None, datasets, needs_migration: true };
            let it = Status {
                database_version: Some(database.into()),
                datasets: vec![behind],
                ..status(Tone::Todo, true)
            };
            ahead(&it, blocked)
        };
        assert_eq!(with("0.18.0", 2, 0), "So it is.");
        let some = "So it is; 1 dataset is blocked and stays until that is mended.";
        assert_eq!(with("0.18.0", 1, 1), some, "the database can be upgraded");
        assert_eq!(with("1.22.1", 3, 1), some);
        let none = "2 datasets cannot be upgraded to 1.22.1 before what blocks it is mended.";
        assert_eq!(with("1.22.1", 2, 2), none);
    }

    #[test]
    fn everybody_is_led_to_what_they_may_do() {
        let todo = status(Tone::Todo, true);
        let buttons = |runs: &[RunFrame], role| said(&todo, runs, 1, role).1;
        let failed = [run(JobState::CompletedWithFailures, 1)];
        assert_eq!(
            buttons(&failed, Role::Admin),
            ["See why", "See what is blocked", "See the plan"]
        );
        assert_eq!(buttons(&failed, Role::Guest), Vec::<String>::new());
        let running = [run(JobState::Running, 0)];
        assert_eq!(buttons(&running, Role::Member), ["Watch it"], "two at once is none");
        assert_eq!(buttons(&running, Role::Labeler), Vec::<String>::new());
    }
}
