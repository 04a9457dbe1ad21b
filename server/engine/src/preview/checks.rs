//! What is looked at before a migration: each with what was seen, what that means, and what to do.

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
    strain::{Drain, Oplog, Strain},
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
        let strain = self.strain().await;
        let (lease, jobs) = (self.holder().await, store.unfinished_jobs().await);
        let mut checks = vec![
            permission(self.admin, self.disabled),
            privileges(user.map(|it| rights(&it, store.name(), store.name_of_runs()))),
            version_of_server(&server.version),
            others(lease.ok().flatten(), jobs.unwrap_or_default()),
            disk(&strain, report),
            burden(&strain),
            blockers(report),
        ];
        checks.extend(ahead_of_the_database(request, head.as_ref()));
        Ok(checks)
    }

    /// What is seen of the server, as far as it may be.
    async fn strain(&self) -> Strain {
        let store = &self.store;
        let lag = store.lag().await.ok().flatten();
        let mut strain =
            Strain { lag, disk: store.disk().await.ok().flatten(), ..Strain::default() };
        if lag.is_none() {
            return strain;
        }
        let Ok((flow, oplog)) = store.replication().await else { return strain };
        strain.flow = flow;
        strain.oplog = oplog;
        if let Some(oplog) = oplog.filter(|it| !it.full) {
            let full = store.is_oplog_full().await.ok().flatten().unwrap_or(false);
            strain.oplog = Some(Oplog { full, ..oplog });
        }
        strain
    }
}

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

fn others(lease: Option<Lease>, jobs: Vec<Job>) -> PlanCheck {
    let subject = "Other runs";
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

fn disk(strain: &Strain, report: &Report) -> PlanCheck {
    let subject = "Disk of the server";
    let needed = report.estimate.as_ref().map(model::Estimate::disk_bytes).unwrap_or_default();
    let Some(disk) = strain.disk else {
        return wrong(
            (subject, CheckResult::Unknown),
            format!("up to {} more are needed, before compression", bytes(needed.most)),
            "the server does not say how much is free",
            "see that there is room for that",
        );
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

fn burden(strain: &Strain) -> PlanCheck {
    let subject = "Replication";
    let Some(lag) = strain.lag else {
        return good(subject, "the server stands alone: nobody has to follow it".to_owned());
    };
    // The disk is looked at by itself.
    let members = Strain { disk: None, ..*strain };
    let mut seen = format!("a majority is {} s behind", lag.as_secs());
    if let Some(Oplog { first_s, last_s, full }) = strain.oplog {
        let hours = f64::from(last_s.saturating_sub(first_s)) / 3_600.0;
        let of = if full { "full, and" } else { "not full yet, and" };
        seen = format!("{seen}; the oplog is {of} reaches back {hours:.1} h");
    }
    match members.reason(&Pace::default(), Drain::default(), false) {
        None => good(subject, seen),
        Some(reason) => wrong(
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
    let (Target::Datasets(_), Some(to), Some(head)) = (&request.target, &request.destination, head)
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
    use std::time::Duration;

    use model::{Amount, Basis, Estimate, Span};

    use super::super::tests::{dataset, report};
    use super::*;
    use crate::{DatasetReport, strain::Disk};

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

    #[test]
    fn a_disk_has_room_for_what_is_needed_and_for_what_a_run_holds_at() {
        let free = |mib: u64| Some(Disk { free_bytes: mib << 20, total_bytes: 1 << 40 });
        let limit = u64::from(Pace::default().disk_mib);
        let of =
            |seen| disk(&Strain { disk: seen, ..Strain::default() }, &needing(100 << 20)).result;
        assert_eq!(of(free(limit + 100)), CheckResult::Good);
        assert_eq!(of(free(limit + 99)), CheckResult::Caution);
        assert_eq!(of(None), CheckResult::Unknown);
    }

    #[test]
    fn replication_is_told_with_its_figures_and_why_a_run_would_hold() {
        assert_eq!(burden(&Strain::default()).result, CheckResult::Good);
        let lag = |s| Strain { lag: Some(Duration::from_secs(s)), ..Strain::default() };
        assert_eq!(burden(&lag(0)).evidence, "a majority is 0 s behind");
        let behind = burden(&lag(3_601));
        assert_eq!(behind.result, CheckResult::Caution);
        assert!(behind.cause.unwrap().contains("3601 s behind"));
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
