//! The archive for people: what is in it, and dropping it.

use std::collections::BTreeMap;

use bson::{Bson, oid::ObjectId};
use model::{Action, Permit};
use revisions::{Release, base};
use serde::Serialize;

use super::shown;
use crate::{
    Control, Engine, Error, Result,
    guard::Guard,
    store::{ArchiveEntry, Asked, Entry},
};

/// An entry of the archive.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveSummary {
    /// The dataset's `_id`, as text.
    pub dataset: String,
    /// Its name now, or then if it is gone.
    pub name: Option<String>,
    /// The run that took it down.
    pub run: Option<String>,
    /// When, as RFC 3339 has it.
    pub archived: Option<String>,
    /// The head that it left.
    pub from: Option<String>,
    /// Where it went.
    pub to: Option<String>,
    /// Up to where it has been given back.
    pub at: Option<String>,
    /// How many bytes of documents it keeps, beside values of samples and files.
    pub bytes: i64,
    /// What it keeps, in words.
    pub what: Vec<String>,
    /// What was not given back, because somebody had changed it.
    pub conflicts: Vec<ConflictSummary>,
    /// What becomes of it.
    pub state: ArchiveState,
    /// Why it cannot be given back, if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something that stayed as it was.
#[derive(Clone, Debug, Serialize)]
pub struct ConflictSummary {
    /// Where.
    pub path: String,
    /// What is there, in a few letters.
    pub here: String,
    /// What the archive has.
    pub archived: String,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveState {
    /// It is given back when the dataset comes up again.
    Waits,
    /// It was given back; it is kept as long as that can be undone, or for its conflicts.
    GivenBack,
    /// The downgrade that it was made for did not come to that.
    NotNeeded,
    /// Its dataset was deleted.
    DatasetGone,
    /// It is damaged.
    Unreadable,
}

impl Engine {
    /// What the archive keeps for the datasets of this database. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn archive(&self) -> Result<Vec<ArchiveSummary>> {
        let (entries, broken) = self.store.archive().await.map_err(|it| self.store.error(it))?;
        let datasets = self.datasets().await?;
        let datasets: BTreeMap<String, &Entry> =
            datasets.iter().map(|it| (it.id.to_string(), it)).collect();
        let mut found: Vec<ArchiveSummary> = entries
            .iter()
            .map(|it| summary(it, datasets.get(&it.id.dataset.to_string()).copied()))
            .chain(broken.into_iter().map(|(id, why)| {
                let now = datasets.get(&id.to_string()).copied();
                damaged(&id, now, why)
            }))
            .collect();
        found.sort_by(|a, b| (&a.name, &a.archived).cmp(&(&b.name, &b.archived)));
        Ok(found)
    }

    /// Drops what the archive keeps for a dataset, by its name, then or now, or its `_id`; `None` for all datasets that were
    /// deleted. Returns what was dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Busy`] if somebody migrates this database now;
    /// [`Error::Refused`] if there is nothing for this dataset.
    pub async fn forget_archive(
        &self,
        permit: &Permit,
        dataset: Option<&str>,
    ) -> Result<Vec<ArchiveSummary>> {
        permit.covers(Action::UndoRuns)?;
        self.allowed()?;
        let (control, _meter, _events) = Control::new();
        let guard = Guard::take(&self.store, ObjectId::new(), &Asked::repair(), &control).await?;
        let forgotten = self.drop_archive(dataset).await;
        guard.release().await;
        forgotten
    }

    async fn drop_archive(&self, dataset: Option<&str>) -> Result<Vec<ArchiveSummary>> {
        let error = |it| self.store.error(it);
        let mut found = self.archive().await?;
        found.retain(|it| match dataset {
            Some(dataset) => it.name.as_deref() == Some(dataset) || it.dataset == dataset,
            None => it.state == ArchiveState::DatasetGone,
        });
        if let (Some(dataset), true) = (dataset, found.is_empty()) {
            return Err(Error::Refused(format!(
                "the archive has nothing of a dataset `{}`; `fiftyone-migrate archive` lists what it has",
                crate::report::printable(dataset)
            )));
        }
        let (entries, broken) = self.store.archive().await.map_err(error)?;
        for it in &found {
            let is_it = |id: &Bson| text(id) == it.dataset;
            for entry in entries.iter().filter(|entry| is_it(&entry.id.dataset)) {
                if it.run == Some(entry.id.run.to_hex()) {
                    let forgotten = self.store.forget_archive(entry.id.run, &entry.id.dataset);
                    forgotten.await.map_err(error)?;
                }
            }
            for (id, _) in broken.iter().filter(|(id, _)| it.run.is_none() && is_it(id)) {
                self.store.forget_broken_archive(id).await.map_err(error)?;
            }
        }
        Ok(found)
    }
}

fn summary(entry: &ArchiveEntry, now: Option<&Entry>) -> ArchiveSummary {
    let conflicts = entry.given.iter().flat_map(|it| &it.conflicts).map(|it| ConflictSummary {
        path: it.get_str("path").unwrap_or_default().to_owned(),
        here: shown(it.get("here")),
        archived: shown(it.get("archived")),
    });
    let version = now.and_then(|it| it.version.as_str()?.parse::<Release>().ok());
    let from = entry.from.parse::<Release>().ok();
    let above = version.is_some_and(|it| from.is_some_and(|from| base(&it) >= base(&from)));
    let state = match now {
        None => ArchiveState::DatasetGone,
        Some(_) if entry.closed.is_some() => ArchiveState::GivenBack,
        Some(_) if !entry.confirmed && above => ArchiveState::NotNeeded,
        Some(_) => ArchiveState::Waits,
    };
    ArchiveSummary {
        dataset: text(&entry.id.dataset),
        name: now.and_then(|it| it.name.clone()).or_else(|| entry.name.clone()),
        run: Some(entry.id.run.to_hex()),
        archived: Some(crate::clock::text(entry.archived)),
        from: Some(entry.from.clone()),
        to: Some(entry.to.clone()),
        at: Some(entry.at.clone()),
        bytes: entry.bytes,
        what: entry.what.clone(),
        conflicts: conflicts.collect(),
        state,
        reason: None,
    }
}

fn damaged(id: &Bson, now: Option<&Entry>, why: String) -> ArchiveSummary {
    ArchiveSummary {
        dataset: text(id),
        name: now.and_then(|it| it.name.clone()),
        run: None,
        archived: None,
        from: None,
        to: None,
        at: None,
        bytes: 0,
        what: Vec::new(),
        conflicts: Vec::new(),
        state: if now.is_some() { ArchiveState::Unreadable } else { ArchiveState::DatasetGone },
        reason: Some(why),
    }
}

fn text(id: &Bson) -> String {
    match id {
        Bson::ObjectId(id) => id.to_hex(),
        other => other.to_string(),
    }
}
