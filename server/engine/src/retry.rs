//! Trying again what could not be migrated: all of it that may pass now, or the datasets that failed for one cause.

use std::collections::{BTreeMap, BTreeSet};

use model::{Cause, FailureGroup, JobEvent, JobState, Permit};

use crate::{
    Control, DatasetReport, Engine, Error, Report, Request, Result, State,
    job::AsRead,
    report::{failures, printable},
    run::Going,
    store::Job,
};

/// The states of datasets that are not where they were to go.
const NOT_THERE: [&str; 5] = ["failed", "refused", "interrupted", "untouched", "planned"];

/// How many of those that failed for one cause are named.
const FAILURES_NAMED: i64 = 20;

impl Engine {
    /// Tries the datasets of a run again that failed for this cause; without one, all that are not where they were to go, but
    /// for those where that cannot help until something is done: what they hold is looked at first.
    ///
    /// # Errors
    ///
    /// As [`Engine::go_on`]; and if none failed for that cause.
    pub async fn retry(
        &self,
        permit: &Permit,
        id: &str,
        cause: Option<Cause>,
        control: Control,
    ) -> Result<Report> {
        let job = self.controlled(permit, id).await?;
        if !job.state.is_active() {
            let retried = job.state.on(JobEvent::Retry);
            retried.map_err(|it| Error::Refused(format!("run {id}: {it}")))?;
        }
        Box::pin(self.retry_all(job, cause, control, false)).await
    }

    pub(crate) async fn retry_all(
        &self,
        job: Job,
        cause: Option<Cause>,
        control: Control,
        hands_over: bool,
    ) -> Result<Report> {
        // That only goes back.
        if job.state == JobState::Undoing {
            return Box::pin(self.carry_out(job, control, hands_over)).await;
        }
        // It has not come to its datasets: all of it is to be done, the database too.
        if cause.is_none() && job.started.is_none() {
            return Box::pin(self.carry_out(job, control, hands_over)).await;
        }
        let all = self.in_states(&job, &NOT_THERE).await?;
        let (again, left) = match cause {
            Some(cause) => {
                let (again, left): (Vec<_>, Vec<_>) =
                    all.into_iter().partition(|it| it.failure() == Some(cause));
                if again.is_empty() {
                    return Err(none_of(&job, cause, &left));
                }
                (again, left)
            }
            None => self.may_pass(&job, all).await?,
        };
        if again.is_empty() && !left.is_empty() {
            let mut report = Report {
                run: Some(job.id.to_hex()),
                run_state: Some(job.state),
                left: failures(&left),
                datasets: left,
                ..Report::default()
            };
            report.sort();
            return Ok(report);
        }
        let altered = again.iter().filter(|it| it.failure() == Some(Cause::Altered));
        let altered: Vec<String> = altered.map(|it| it.id.clone()).collect();
        if !altered.is_empty() {
            let reopened = self.store.reopen_checks(job.id, &altered).await;
            reopened.map_err(|it| self.store.error(it))?;
        }
        let only = Some(again.into_iter().map(|it| it.id).collect());
        let read = Some(AsRead::of(&job));
        let going = Going { job: Some(job.id), read, planned: None, only, hands_over, left };
        self.carry(None, job.request()?, going, control).await
    }

    /// The failures of a run, by cause; `named`: with the first names of each.
    pub(crate) async fn failures(
        &self,
        job: &Job,
        counts: &BTreeMap<String, u64>,
        named: bool,
    ) -> Result<Vec<FailureGroup>> {
        if !counts.contains_key("failed") && !counts.contains_key("refused") {
            return Ok(Vec::new());
        }
        let error = |it| self.store.error(it);
        let mut groups: BTreeMap<Cause, (u64, Vec<String>)> = BTreeMap::new();
        for found in self.store.count_failures(job.id).await.map_err(error)? {
            // As a report says it, which may have been noted by another version of this program.
            let noted = found.cause.as_deref().and_then(|it| it.parse().ok());
            let untold = if found.state == "refused" { Cause::Blocked } else { Cause::Other };
            let (count, labels) = groups.entry(noted.unwrap_or(untold)).or_default();
            *count += found.count;
            if named {
                let some = self.store.failed_names(job.id, &found, FAILURES_NAMED).await;
                labels.extend(some.map_err(error)?.iter().map(|it| printable(it)));
            }
        }
        let group = |(cause, (count, names))| FailureGroup::with(cause, count, names);
        let mut groups: Vec<FailureGroup> = groups.into_iter().map(group).collect();
        groups.sort_by_key(|it| std::cmp::Reverse(it.count));
        Ok(groups)
    }

    async fn in_states(&self, job: &Job, states: &[&str]) -> Result<Vec<DatasetReport>> {
        let found = self.store.job_datasets(job.id, states).await;
        let found = found.map_err(|it| self.store.error(it))?;
        Ok(found.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok()).collect())
    }

    /// Those that may pass now, and those that do not: of what was refused, it is looked whether it still would be, which
    /// writes nothing.
    async fn may_pass(
        &self,
        job: &Job,
        all: Vec<DatasetReport>,
    ) -> Result<(Vec<DatasetReport>, Vec<DatasetReport>)> {
        let stays = |it: &DatasetReport| it.failure().is_some_and(|it| !it.may_pass());
        let (stuck, mut again): (Vec<_>, Vec<_>) = all.into_iter().partition(stays);
        let (refused, mut left): (Vec<_>, Vec<_>) =
            stuck.into_iter().partition(|it| it.state == State::Refused);
        if refused.is_empty() {
            return Ok((again, left));
        }
        let only = Some(refused.iter().map(|it| it.id.clone()).collect());
        let request = Request { dry_run: true, ..job.request()? };
        // Nobody is told of what is only looked at.
        let (quiet, _meter, _events) = Control::new();
        let looked = self.carry(None, request, Going { only, ..Going::default() }, quiet).await?;
        let blocked: BTreeSet<String> =
            looked.datasets.into_iter().filter(DatasetReport::is_failure).map(|it| it.id).collect();
        for it in refused {
            if blocked.contains(&it.id) { left.push(it) } else { again.push(it) }
        }
        Ok((again, left))
    }
}

fn none_of(job: &Job, cause: Cause, left: &[DatasetReport]) -> Error {
    let causes: Vec<String> =
        failures(left).iter().map(|it| format!("{} `{}`", it.count, it.cause.word())).collect();
    let there = if causes.is_empty() { "none failed".to_owned() } else { causes.join(", ") };
    Error::Refused(format!(
        "run {} has no dataset that failed for the cause `{}`: {there}",
        job.id,
        cause.word()
    ))
}
