//! The doctor: finds what was damaged in the past, and mends it.
//!
//! One file for each kind of damage in `doctor/`: how it is seen, and how it is mended. Looking changes nothing at all and
//! works on every database at any version. Mending happens under the lease that migrations are under; what is removed or
//! changed is written down before, so that nothing is lost that cannot be computed again.

mod dangling_references;
mod finding;
mod half_applied;
mod keypoints;
mod missing_dates;
mod missing_results;
mod orphan_runs;
mod orphan_views;
mod orphan_workspaces;
mod orphans;
mod references;
pub(crate) mod rename;
mod several_configs;
mod surgery;
mod walk;

use std::collections::BTreeSet;

use bson::{DateTime, oid::ObjectId};
use futures_util::future::BoxFuture;
use model::{Action, JobState, Permit};
use revisions::{Release, base};

pub use finding::{Diagnosis, Evidence, Finding, Outcome, Remedy, Subject};
use surgery::Surgery;

use crate::{
    Engine, Error, Result,
    guard::Guard,
    pass::Halt,
    progress::Control,
    store::{Asked, Failure, Job, Scope, Store},
    versions::newest,
};

/// Every kind of damage, in the order in which they are mended: the version first, for all else depends on it.
static KINDS: &[Kind] = &[
    several_configs::KIND,
    half_applied::KIND,
    missing_dates::KIND,
    dangling_references::KIND,
    missing_results::KIND,
    orphan_runs::KIND,
    orphan_views::KIND,
    orphan_workspaces::KIND,
    keypoints::KIND,
];

type Looking<'a> = BoxFuture<'a, Result<Vec<Finding>, Failure>>;
type Mending<'a> = BoxFuture<'a, Result<Outcome, Halt>>;

/// One kind of damage.
struct Kind {
    /// What it is called, in `snake_case`.
    name: &'static str,
    /// Looks for it, and writes nothing.
    find: for<'a> fn(&'a Patient) -> Looking<'a>,
    /// Mends one of what was found. Safe to repeat, and to be stopped between two pieces.
    mend: for<'a> fn(&'a Surgery, &'a Finding) -> Mending<'a>,
}

/// What is looked at.
#[derive(Clone, Debug)]
struct Patient {
    store: Store,
    /// The collections that exist.
    existing: BTreeSet<String>,
    /// Whether the database is newer than this program.
    is_newer: bool,
}

impl Engine {
    /// What is damaged. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn diagnose(&self) -> Result<Diagnosis> {
        let patient = self.patient().await?;
        let mut diagnosis = Diagnosis::default();
        for kind in KINDS {
            let found = (kind.find)(&patient).await.map_err(|it| self.store.error(it))?;
            diagnosis.findings.extend(found);
        }
        diagnosis.note = if patient.is_newer { Some(newer()) } else { self.company().await };
        Ok(diagnosis)
    }

    /// Mends what can be mended, under the lease that migrations are under too.
    ///
    /// # Errors
    ///
    /// If it is not allowed, somebody else is at it, or the connection was lost. What is mended by then stays mended.
    pub async fn repair(&self, permit: &Permit, control: Control) -> Result<Diagnosis> {
        permit.covers(Action::Repair)?;
        if self.disabled {
            return Err(Error::Refused(crate::DISABLED.to_owned()));
        }
        if !self.admin {
            return Err(Error::Refused(
                "repairing takes the right to migrate: set `FIFTYONE_DATABASE_ADMIN=true`"
                    .to_owned(),
            ));
        }
        let diagnosis = self.diagnose().await?;
        let open = self.store.cut_off_repairs().await.map_err(|it| self.store.error(it))?;
        if !diagnosis.findings.iter().any(Finding::is_mendable) && open.is_empty() {
            return Ok(diagnosis);
        }
        let run = ObjectId::new();
        let guard = Guard::take(&self.store, run, &Asked::repair(), &control).await?;
        let mended = self.mend(permit, &control, (run, guard.fence())).await;
        let lost = guard.is_lost();
        guard.release().await;
        if lost {
            return Err(lease_lost());
        }
        mended
    }

    async fn mend(
        &self,
        permit: &Permit,
        control: &Control,
        run: (ObjectId, i64),
    ) -> Result<Diagnosis> {
        let error = |it| self.store.error(it);
        let patient = self.patient().await?;
        if patient.is_newer {
            return Err(Error::Refused(newer()));
        }
        let by = permit.holder().to_owned();
        let surgery = Surgery { patient, control: control.clone(), run, by, now: DateTime::now() };
        let mut diagnosis = Diagnosis::default();
        match orphans::complete(&surgery).await {
            Err(Halt::Stopped) => diagnosis.stopped = true,
            Err(Halt::Failed(failure)) => return Err(error(failure)),
            Ok(()) => {}
        }
        for kind in KINDS {
            // Once more: somebody else may have been at it until now, and what is mended may be damage of another kind.
            for mut finding in (kind.find)(&surgery.patient).await.map_err(error)? {
                if finding.is_mendable() && !diagnosis.stopped {
                    match (kind.mend)(&surgery, &finding).await {
                        Ok(outcome) => finding.outcome = Some(outcome),
                        Err(Halt::Stopped) => diagnosis.stopped = true,
                        Err(Halt::Failed(failure)) if failure.is_fatal() => {
                            return Err(error(failure));
                        }
                        Err(Halt::Failed(failure)) => {
                            finding.outcome = Some(Outcome::Left(failure.text));
                        }
                    }
                }
                diagnosis.findings.push(finding);
            }
            if kind.name == several_configs::KIND.name {
                // A database of a kind that is not known is left alone.
                self.check_config(&diagnosis).await?;
            }
        }
        Ok(diagnosis)
    }

    /// Whether the database is one that may be written to, if it is certain what it is.
    async fn check_config(&self, diagnosis: &Diagnosis) -> Result<()> {
        if diagnosis.findings.iter().all(Finding::is_mended) {
            self.store.config().await?;
        }
        Ok(())
    }

    async fn patient(&self) -> Result<Patient> {
        self.store.server().await?;
        let error = |it| self.store.error(it);
        let existing = self.store.collections().await.map_err(error)?;
        let configs = self.store.configs().await.map_err(error)?;
        let at = configs.first().and_then(|it| it.get_str("version").ok());
        let at = at.and_then(|it| it.parse::<Release>().ok());
        let is_newer = at.is_some_and(|it| base(&it) > *newest());
        Ok(Patient { store: self.store.clone(), existing, is_newer })
    }

    /// Whether somebody migrates right now, or has left a migration in the middle: that may look like damage.
    async fn company(&self) -> Option<String> {
        // Whoever may not look there may still look here.
        if self.store.is_lease_free().await.unwrap_or(true) {
            let begun = |it: &Job| it.state != JobState::Planned;
            let left = self.store.unfinished_jobs().await.unwrap_or_default();
            return left.iter().find(|it| begun(it)).map(|it| {
                format!(
                    "run {} was begun and not ended; what it left in the middle may look like damage until it is resumed",
                    it.id
                )
            });
        }
        let lease = self.store.lease().await.ok().flatten()?;
        if lease.holder.is_gone() {
            return None;
        }
        Some(format!(
            "{} is migrating or repairing this database now; what they are in the middle of may look like damage",
            lease.holder.name()
        ))
    }
}

/// That somebody else has the lease by now.
pub(crate) fn lease_lost() -> Error {
    Error::Refused(
        "somebody else writes to this database now, because this program was asleep or cut off for longer than its lease; \
         nothing was written since; look again when they have ended"
            .to_owned(),
    )
}

/// The sentence about a database that is newer than this program.
fn newer() -> String {
    format!(
        "the database is newer than v{}, the newest version this program knows, so that not everything can be looked at \
         and nothing mended; use a newer fiftyone-migrate",
        newest()
    )
}

impl Asked {
    /// What a repair asks for.
    pub(crate) fn repair() -> Self {
        let (names, destination) = (Vec::new(), None);
        let (stops, without_undo, without_archive) = (false, true, true);
        let (scope, selected) = (Scope::Repair, None);
        Self { scope, names, destination, stops, without_undo, without_archive, selected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = KINDS.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), KINDS.len());
        let plain = |it: &&str| it.chars().all(|it| it.is_ascii_lowercase() || it == '_');
        assert!(names.iter().all(plain), "{names:?}");
    }
}
