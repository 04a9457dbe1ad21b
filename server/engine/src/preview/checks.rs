//! What is looked at before a migration: each with what was seen, what that means, and what to do.

use std::time::Duration;

use model::{
    CheckResult, Pace, PlanCheck,
    words::{bytes, counted},
};
use revisions::{Release, base};

use super::{
    privileges::{Rights, rights},
    whole,
};
use crate::{
    Engine, Report, Request, Result, State, Target,
    store::{Failure, Job, Lease},
    strain::{Disk, Drain, Flow, Oplog, Strain},
};

impl Engine {
    /// Looks at everything. Writes nothing.
    pub(super) async fn checks(
        &self,
        request: &Request,
        report: &Report,
    ) -> Result<Vec<PlanCheck>> {
        let store = &self.store;
        let server = store.server().await?;
        let head = store.config().await?.version().and_then(|it| it.parse::<Release>().ok());
        let user = store.privileges().await;
        let seen = self.seen().await;
        let lease = self.holder().await.map_err(|it| it.to_string());
        let jobs = store.unfinished_jobs().await.map_err(|it| it.text);
        let mut checks = vec![
            permission(self.admin, self.disabled),
            privileges(user.map(|it| rights(&it, store.name(), store.name_of_runs()))),
            version_of_server(&server.version),
            others(lease, jobs),
            disk(seen.disk.as_ref(), report),
            burden(&seen),
            blockers(report),
        ];
        if let Target::Selected(frozen) = request.target {
            checks.push(self.check_selection(frozen, report).await?);
        }
        checks.extend(ahead_of_the_database(request, head.as_ref()));
        Ok(checks)
    }

    /// What is seen of the server, as far as it may be.
    async fn seen(&self) -> Seen {
        let store = &self.store;
        let text = |it: Failure| it.text;
        let lag = store.lag().await.map_err(text);
        let disk = store.disk().await.map_err(text);
        if !matches!(lag, Ok(Some(_))) {
            return Seen { lag, disk, replication: Ok((None, None)) };
        }
        let replication = async {
            let (flow, oplog) = store.replication().await?;
            let Some(oplog) = oplog.filter(|it| !it.full) else { return Ok((flow, oplog)) };
            // One that was full before the server began says so itself.
            let full = store.is_oplog_full().await?.unwrap_or(false);
            Ok((flow, Some(Oplog { full, ..oplog })))
        };
        Seen { lag, disk, replication: replication.await.map_err(text) }
    }
}

/// What is seen of the server, or why it is not.
#[derive(Debug)]
struct Seen {
    /// How far a majority is behind; `None` of a server that stands alone.
    lag: Looked<Option<Duration>>,
    disk: Looked<Option<Disk>>,
    replication: Looked<(Option<Flow>, Option<Oplog>)>,
}

/// What came of looking, or why nothing did.
type Looked<T> = Result<T, String>;

fn good(subject: &str, evidence: String) -> PlanCheck {
    let (cause, remedy) = (None, None);
    PlanCheck { subject: subject.to_owned(), result: CheckResult::Good, evidence, cause, remedy }
}

fn wrong(
    (subject, result): (&str, CheckResult),
    evidence: String,
    cause: &str,
    remedy: &str,
) -> PlanCheck {
    let (cause, remedy) = (Some(cause.to_owned()), Some(remedy.to_owned()));
    PlanCheck { subject: subject.to_owned(), result, evidence, cause, remedy }
}

fn permission(admin: bool, disabled: bool) -> PlanCheck {
    let subject = "Right to migrate";
    if disabled {
        return wrong(
            (subject, CheckResult::Problem),
            "FIFTYONE_DISABLE_MIGRATIONS is set".to_owned(),
            "migrations are switched off here, for everybody",
            "unset FIFTYONE_DISABLE_MIGRATIONS where this server runs, or set it to 0, and start it again",
        );
    }
    if admin {
        return good(subject, "FIFTYONE_DATABASE_ADMIN is true".to_owned());
    }
    wrong(
        (subject, CheckResult::Problem),
        "FIFTYONE_DATABASE_ADMIN is not true".to_owned(),
        "this deployment is read-only from here, for everybody",
        "set FIFTYONE_DATABASE_ADMIN=true where this server runs, and start it again",
    )
}

fn privileges(rights: Result<Rights, Failure>) -> PlanCheck {
    let subject = "Database user";
    match rights {
        Ok(Rights::Open) => good(subject, "MongoDB asks nobody to sign in".to_owned()),
        Ok(Rights::Enough { user }) => good(subject, format!("{user} may do what is needed")),
        Ok(Rights::Lacking { user, what }) => wrong(
            (subject, CheckResult::Problem),
            format!("{user} lacks {}", what.join(", and ")),
            "a run would fail where it needs that",
            "grant it readWrite and dbAdmin on FiftyOne's database, and readWrite on the one for runs",
        ),
        Err(failure) => wrong(
            (subject, CheckResult::Unknown),
            failure.text,
            "the server does not say what the user may do",
            "see that it has readWrite and dbAdmin on FiftyOne's database, and readWrite on the one for runs",
        ),
    }
}

fn version_of_server(version: &str) -> PlanCheck {
    let subject = "MongoDB server";
    let found = format!("version {version}; 4.4 or newer is needed");
    if version.parse::<Release>().is_ok_and(|it| base(&it) >= Release::new([4, 4])) {
        return good(subject, found);
    }
    wrong(
        (subject, CheckResult::Problem),
        found,
        "it does not know what migrations ask of it",
        "upgrade MongoDB first",
    )
}

fn others(lease: Looked<Option<Lease>>, jobs: Looked<Vec<Job>>) -> PlanCheck {
    let subject = "Other runs";
    let (lease, jobs) = match (lease, jobs) {
        (Ok(lease), Ok(jobs)) => (lease, jobs),
        (Err(why), _) | (_, Err(why)) => {
            return wrong(
                (subject, CheckResult::Unknown),
                why,
                "whether somebody else writes to this database cannot be seen",
                "see that nobody does, and that the database for runs can be read",
            );
        }
    };
    if let Some(lease) = lease {
        return wrong(
            (subject, CheckResult::Caution),
            format!("{} writes to this database now, run {}", lease.holder.name(), lease.run),
            "only one run goes at a time: this one would wait until that one has ended",
            "wait until it has ended, so that the plan is of what it leaves",
        );
    }
    match jobs.as_slice() {
        [] => good(subject, "nobody writes to this database, and no run waits".to_owned()),
        [first, ..] => wrong(
            (subject, CheckResult::Caution),
            format!(
                "{} not ended; the oldest is run {}, {}",
                runs(jobs.len()),
                first.id,
                first.state
            ),
            "what they do comes before or after this, and the plan may be another by then",
            "resume, cancel or undo them first",
        ),
    }
}

fn runs(count: usize) -> String {
    format!("{} {}", counted(whole(count), "run"), if count == 1 { "has" } else { "have" })
}

fn disk(disk: Result<&Option<Disk>, &String>, report: &Report) -> PlanCheck {
    let subject = "Disk of the server";
    let needed = report.estimate.as_ref().map(model::Estimate::disk_bytes).unwrap_or_default();
    let unknown = |why: &str| {
        wrong(
            (subject, CheckResult::Unknown),
            format!("up to {} more are needed, before compression{why}", bytes(needed.most)),
            "the server does not say how much is free",
            "see that there is room for that",
        )
    };
    let disk = match disk {
        Ok(Some(disk)) => disk,
        Ok(None) => return unknown(""),
        Err(why) => return unknown(&format!("; {why}")),
    };
    let seen = format!(
        "{} are free; up to {} more are needed, before compression",
        bytes(disk.free_bytes),
        bytes(needed.most)
    );
    let most = needed.most.saturating_add(u64::from(Pace::default().disk_mib) << 20);
    if disk.free_bytes >= most {
        return good(subject, seen);
    }
    wrong(
        (subject, CheckResult::Caution),
        seen,
        "a run holds when the disk is nearly full, until there is room again",
        "make room on the disk first, or watch the run",
    )
}

fn burden(it: &Seen) -> PlanCheck {
    let subject = "Replication";
    let unknown = |seen: String, cause: &str| {
        let remedy = "see that the members follow; a run holds when a majority is far behind, and needs to see that, \
                      for which `clusterMonitor` on `admin` is granted";
        wrong((subject, CheckResult::Unknown), seen, cause, remedy)
    };
    let lag = match &it.lag {
        Ok(Some(lag)) => *lag,
        Ok(None) => {
            return good(subject, "the server stands alone: nobody has to follow it".to_owned());
        }
        Err(why) => {
            return unknown(why.clone(), "whether others have to follow the server cannot be seen");
        }
    };
    let (flow, oplog) = *it.replication.as_ref().unwrap_or(&(None, None));
    // The disk is looked at by itself.
    let members = Strain { lag: Some(lag), flow, oplog, ..Strain::default() };
    let mut seen = format!("a majority is {} s behind", lag.as_secs());
    if let Some(Oplog { first_s, last_s, full }) = oplog {
        let hours = f64::from(last_s.saturating_sub(first_s)) / 3_600.0;
        let of = if full { "full, and" } else { "not full yet, and" };
        seen = format!("{seen}; the oplog is {of} reaches back {hours:.1} h");
    }
    match (members.reason(&Pace::default(), Drain::default(), false), &it.replication) {
        (None, Ok(_)) => good(subject, seen),
        (None, Err(why)) => unknown(
            format!("{seen}; {why}"),
            "what flow control does and how far the oplog reaches back cannot be seen",
        ),
        (Some(reason), _) => wrong(
            (subject, CheckResult::Caution),
            seen,
            &format!("a run would hold now: {reason}"),
            "see to the members that are behind, or to the size of the oplog",
        ),
    }
}

fn blockers(report: &Report) -> PlanCheck {
    let subject = "Blocked datasets";
    let blocked = report.count(State::Refused) + report.count(State::Failed);
    if blocked == 0 {
        return good(subject, "no dataset is blocked".to_owned());
    }
    wrong(
        (subject, CheckResult::Caution),
        format!("{} cannot go; the plan says why", counted(whole(blocked), "dataset")),
        "what they hold cannot cross a revision; they stay as they are, and the others are migrated",
        "change what the reasons name, and look at the plan again",
    )
}

/// Datasets that would be newer than what the database says.
fn ahead_of_the_database(request: &Request, head: Option<&Release>) -> Option<PlanCheck> {
    let only_datasets = matches!(request.target, Target::Datasets(_) | Target::Selected(_));
    let (Some(to), Some(head)) = (request.destination.as_ref().filter(|_| only_datasets), head)
    else {
        return None;
    };
    (base(to) > base(head)).then(|| {
        wrong(
            ("Version of the database", CheckResult::Caution),
            format!("the database is at {head}, and the datasets would be at {to}"),
            "clients of the database's version may meet datasets that they cannot read",
            "migrate the database as well, or take the datasets to its version",
        )
    })
}

#[cfg(test)]
mod tests {
    use model::{Amount, Basis, Estimate, Span};

    use super::super::tests::{dataset, report};
    use super::*;
    use crate::DatasetReport;

    fn needing(most: u64) -> Report {
        let estimate = Estimate {
            datasets: 1,
            documents: Amount::exactly(1),
            bytes: Amount { least: 0, most },
            journal_bytes: None,
            oplog_bytes: None,
            time: Span { from_s: 0, to_s: 1 },
            basis: Basis::Assumed,
            counted: (1, 1),
        };
        Report { estimate: Some(estimate), ..Report::default() }
    }

    fn seen(lag: Looked<Option<Duration>>) -> Seen {
        Seen { lag, disk: Ok(None), replication: Ok((None, None)) }
    }

    #[test]
    fn a_disk_has_room_for_what_is_needed_and_for_what_a_run_holds_at() {
        let free = |mib: u64| Ok(Some(Disk { free_bytes: mib << 20, total_bytes: 1 << 40 }));
        let limit = u64::from(Pace::default().disk_mib);
        let of = |seen: Looked<Option<Disk>>| disk(seen.as_ref(), &needing(100 << 20)).result;
        assert_eq!(of(free(limit + 100)), CheckResult::Good);
        assert_eq!(of(free(limit + 99)), CheckResult::Caution);
        assert_eq!(of(Ok(None)), CheckResult::Unknown);
        assert_eq!(of(Err("no".to_owned())), CheckResult::Unknown);
    }

    #[test]
    fn replication_is_told_with_its_figures_and_why_a_run_would_hold() {
        assert_eq!(burden(&seen(Ok(None))).result, CheckResult::Good);
        let lag = |s| seen(Ok(Some(Duration::from_secs(s))));
        assert_eq!(burden(&lag(0)).evidence, "a majority is 0 s behind");
        let behind = burden(&lag(3_601));
        assert_eq!(behind.result, CheckResult::Caution);
        assert!(behind.cause.unwrap().contains("3601 s behind"));
    }

    #[test]
    fn what_could_not_be_looked_at_is_never_fine_and_says_why() {
        let why = || "not authorized".to_owned();
        let lag = Ok(Some(Duration::ZERO));
        let unseen = [
            others(Err(why()), Ok(Vec::new())),
            others(Ok(None), Err(why())),
            disk(Err(&why()), &needing(1)),
            burden(&seen(Err(why()))),
            burden(&Seen { replication: Err(why()), ..seen(lag) }),
            privileges(Err(Failure::other(why()))),
        ];
        for it in unseen {
            assert_eq!(it.result, CheckResult::Unknown, "{it:?}");
            assert!(it.evidence.contains("not authorized"), "{it:?}");
        }
        assert_eq!(others(Ok(None), Ok(Vec::new())).result, CheckResult::Good);
    }

    #[test]
    fn whatever_is_not_well_has_a_cause_and_a_remedy() {
        let blocked = DatasetReport { state: State::Refused, ..dataset("a", "0.18.0", &[]) };
        let request = Request {
            target: Target::Datasets(vec!["a".to_owned()]),
            destination: Some(Release::new([1, 0, 0])),
            on_failure: crate::OnFailure::GoOn,
            dry_run: true,
            without_undo: false,
            without_archive: false,
        };
        let old = Release::new([0, 21, 0]);
        let lacking = Rights::Lacking { user: "ana".to_owned(), what: vec!["`find`".to_owned()] };
        let found = [
            permission(false, false),
            permission(true, true),
            privileges(Ok(lacking)),
            version_of_server("4.2.9"),
            blockers(&report("1.0.0", "1.22.1", vec![blocked])),
            ahead_of_the_database(&request, Some(&old)).unwrap(),
        ];
        for it in &found {
            assert_ne!(it.result, CheckResult::Good, "{it:?}");
            assert!(it.cause.is_some() && it.remedy.is_some(), "{it:?}");
        }
        assert_eq!(found[4].evidence, "1 dataset cannot go; the plan says why");
        assert_eq!(version_of_server("7.0.5").result, CheckResult::Good);
        assert_eq!(ahead_of_the_database(&request, Some(&Release::new([1, 0, 0]))), None);
    }
}
