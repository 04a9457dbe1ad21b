//! Correcting the table of releases, for everybody who uses this deployment, and taking a correction back.

use bson::DateTime;
use model::{Action, Permit, ReleaseList, VersionEntry, VersionForm};

use crate::{
    Engine, Error, Result, clock,
    versions::{Row, VersionTable},
};

impl Engine {
    /// Which releases there are and what belongs to them: what this build knows, with what admins have corrected. Who may not
    /// read the app's own database gets the former. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn versions(&self) -> Result<VersionTable> {
        match self.store.corrections().await {
            Ok(corrections) => Ok(VersionTable::embedded().corrected(corrections)),
            Err(failure) if failure.is_of_rights() => Ok(VersionTable::embedded()),
            Err(failure) => Err(self.store.error(failure)),
        }
    }

    /// All releases as people look at them. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn releases(&self, permit: &Permit) -> Result<ReleaseList> {
        permit.covers(Action::ReadVersions)?;
        Ok(ReleaseList {
            releases: self.versions().await?.listed(),
            now: clock::text(DateTime::now()),
            corrects: permit.covers(Action::CorrectVersions).is_ok(),
        })
    }

    /// The form in which a release is corrected, or one is added (`name` is `None`), with what was typed into it so far. Writes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::NoRelease`] if there is no such release.
    pub async fn version_form(
        &self,
        permit: &Permit,
        name: Option<&str>,
        typed: VersionEntry,
    ) -> Result<VersionForm> {
        permit.covers(Action::CorrectVersions)?;
        let versions = self.versions().await?;
        let row = match name {
            Some(name) => Some(versions.named(name).ok_or_else(|| no_release(name))?),
            None => None,
        };
        let listed = row.and_then(|row| {
            let own = row.name();
            versions.listed().into_iter().find(|it| it.name == own)
        });
        let now = clock::text(DateTime::now());
        if typed.is_empty() {
            let entry = row.map_or_else(VersionEntry::default, as_entry);
            return Ok(VersionForm { listed, entry, now, outcome: None });
        }
        let outcome = Some(versions.check(name, &typed).map(|it| it.notes));
        Ok(VersionForm { listed, entry: typed, now, outcome })
    }

    /// Saves what an admin has of a release: of the one that is called so, or of a new one. `seen`: the time of the correction
    /// that they have looked at, or nothing. Saying the same twice is saying it once.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if it makes no sense, or somebody else has corrected
    /// it since.
    pub async fn correct_version(
        &self,
        permit: &Permit,
        name: Option<&str>,
        entry: &VersionEntry,
        seen: &str,
    ) -> Result<()> {
        permit.covers(Action::CorrectVersions)?;
        let versions = self.versions().await?;
        if is_saved(permit, &versions, name, entry) {
            return Ok(());
        }
        let checked = versions.check(name, entry).map_err(Error::Refused)?;
        let mut correction = checked.correction;
        permit.holder().clone_into(&mut correction.by);
        let saved = self.store.save_correction(&correction, seen).await;
        if saved.map_err(|it| self.store.error(it))? {
            return Ok(());
        }
        // It was sent twice, and this is the second.
        if is_saved(permit, &self.versions().await?, name, entry) {
            return Ok(());
        }
        Err(meanwhile(&correction.name))
    }

    /// Takes the correction of a release back: it is as this build has it, or gone if it was added. Taking it back twice is
    /// taking it back once.
    ///
    /// # Errors
    ///
    /// As [`Engine::correct_version`]; and if newer releases would have an older data model then.
    pub async fn put_version_back(&self, permit: &Permit, name: &str, seen: &str) -> Result<()> {
        permit.covers(Action::CorrectVersions)?;
        let versions = self.versions().await?;
        let is_corrected = |it: &Row| it.correction.is_some();
        let Some(row) = versions.named(name).filter(|it| is_corrected(it)) else { return Ok(()) };
        versions.check_without(name).map_err(Error::Refused)?;
        let own = row.name();
        let removed = self.store.remove_correction(&own, seen).await;
        if removed.map_err(|it| self.store.error(it))?
            || !self.versions().await?.named(name).is_some_and(is_corrected)
        {
            return Ok(());
        }
        Err(meanwhile(&own))
    }
}

/// Whether the same was saved already, by the same person.
fn is_saved(
    permit: &Permit,
    versions: &VersionTable,
    name: Option<&str>,
    entry: &VersionEntry,
) -> bool {
    let asked = name.unwrap_or(entry.enterprise.trim());
    let row = versions.named(asked.trim_start_matches('v'));
    row.is_some_and(|row| {
        let by = row.correction.as_ref().map(|it| it.by.as_str());
        by == Some(permit.holder()) && versions.says(row, entry)
    })
}

/// What stands in the form of a release at first.
fn as_entry(row: &Row) -> VersionEntry {
    let shown = row.shown();
    VersionEntry {
        enterprise: shown.enterprise.unwrap_or_default(),
        sdk: shown.sdk,
        compatibility: shown.compatibility,
        released: shown.released.unwrap_or_default(),
        basis: if shown.stated { "stated" } else { "inferred" }.to_owned(),
        source: row.correction.as_ref().map(|it| it.source.clone()).unwrap_or_default(),
    }
}

fn no_release(name: &str) -> Error {
    Error::NoRelease(crate::printable(name))
}

fn meanwhile(name: &str) -> Error {
    Error::Refused(format!(
        "somebody else has corrected {name} meanwhile, and nothing was changed; load the page again and look at what they have"
    ))
}
