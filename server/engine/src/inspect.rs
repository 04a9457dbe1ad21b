//! One dataset, looked at without writing: where it can go, and what that would do to each of its documents.

mod ahead;
mod history;
mod pairs;
mod remedy;
mod samples;
mod value;

use std::{collections::BTreeSet, sync::Arc};

use bson::{DateTime, Document};
use model::{
    Action, DatasetCollection, DatasetOutlook, DatasetView, Direction, Permit, PlanQuestion,
    PlanScope, WayOfDataset,
};
use revisions::{Collections, Release, base, direction};

use self::{ahead::Ahead, pairs::Pair, remedy::remedies};
use crate::{
    Engine, Error, Result,
    archive::Entries,
    load::{Loaded, Loader, Seen, Task, Times, Work},
    plan::{Plan, plan},
    report::printable,
    store::{Entry, Failure},
    versions::newest,
};

/// A dataset and where it is asked to go.
struct Asked {
    entry: Entry,
    loader: Loader,
    seen: Result<Seen, String>,
    database: Option<String>,
    destination: Release,
    /// What is to be done with it.
    plan: Result<Plan, String>,
    existing: BTreeSet<String>,
}

/// What comes of going there.
enum Prospect {
    Stays,
    Blocked(String),
    /// Only its version is another.
    Stamped,
    Goes(Box<Work>),
}

impl Engine {
    /// What there is to know of a dataset, and what would become of it at a version: `to`, or the database's, or the newest.
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::NoDataset`] if there is no such dataset, or whoever asks may
    /// not see it; [`Error::Refused`] if `to` is no version.
    pub async fn inspect(&self, permit: &Permit, id: &str, to: &str) -> Result<DatasetView> {
        let asked = self.asked_of(permit, id, to).await?;
        let error = |it| self.store.error(it);
        let collections = self.collections_of(&asked).await.map_err(error)?;
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if let Ok(seen) = &asked.seen {
            let names = names_of(&seen.dataset.document);
            let (store, entry, existing) = (&self.store, &asked.entry, &asked.existing);
            let ahead = Ahead { store, entry, names: &names, existing };
            up = ahead.of(&asked.loader, seen, Direction::Up).await.map_err(error)?;
            down = ahead.of(&asked.loader, seen, Direction::Down).await.map_err(error)?;
        }
        let mut outlook = self.outlook(&asked).await.map_err(error)?;
        if let DatasetOutlook::Blocked { remedies, .. } = &mut outlook
            && permit.covers(Action::Repair).is_err()
        {
            // They are told what to do, not offered what would be refused.
            for it in remedies {
                it.rename = None;
            }
        }
        let (history, log) = self.history(&asked.entry).await?;
        let Asked { entry, seen, database, destination, .. } = asked;
        let seen = seen.ok();
        let text = |key: &str| {
            let document = seen.as_ref().map(|it| &it.dataset.document);
            document.and_then(|it| it.get_str(key).ok()).map(printable)
        };
        let destination = destination.to_string();
        let question =
            entry.name.clone().filter(|it| !it.trim().is_empty()).map(|it| PlanQuestion {
                scope: PlanScope::Datasets,
                destination: destination.clone(),
                datasets: it,
                ..PlanQuestion::default()
            });
        Ok(DatasetView {
            id: entry.id_text(),
            label: entry.label(),
            may_share: permit.covers(Action::ManageUsers).is_ok(),
            version: entry.version.as_str().map(printable),
            head: seen.as_ref().map(|it| it.head.to_string()),
            media_type: text("media_type"),
            destinations: self
                .versions()
                .await?
                .destinations()
                .into_iter()
                .map(|it| it.version)
                .collect(),
            at: crate::clock::text(DateTime::now()),
            database,
            collections,
            up,
            down,
            destination,
            outlook,
            question,
            history,
            log,
        })
    }

    /// The documents of a dataset before and after it goes to a version, as canonical extended JSON:
    /// `{ dataset, from, to, documents: [{ collection, before, after }] }`, null where there is none. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::inspect`]; and [`Error::Refused`] if it cannot go there.
    pub async fn documents_ahead(&self, permit: &Permit, id: &str, to: &str) -> Result<String> {
        let asked = self.asked_of(permit, id, to).await?;
        let error = |it| self.store.error(it);
        let pairs = match self.prospect(&asked).await.map_err(error)? {
            Prospect::Stays => Vec::new(),
            Prospect::Blocked(reason) => return Err(Error::Refused(reason)),
            Prospect::Stamped => asked.stamped(),
            Prospect::Goes(work) => {
                self.pairs(&work, &asked.existing).await.map_err(error)?.documents
            }
        };
        Ok(pairs::json(&asked.entry, &asked.destination, &pairs))
    }

    async fn asked_of(&self, permit: &Permit, id: &str, to: &str) -> Result<Asked> {
        permit.covers(Action::PreviewMigration)?;
        let error = |it| self.store.error(it);
        self.store.server().await?;
        // Who may not see it is not told that it is there, not even by how long it takes.
        let exists = self.rights(permit).await?.sees(id);
        let found = if exists { self.store.entry_of(id).await.map_err(error)? } else { None };
        let Some(entry) = found else { return Err(Error::NoDataset(printable(id))) };
        let config = self.store.config().await?;
        let database = config.version().map(str::to_owned);
        let archive = Arc::new(self.archive_of(&entry).await.map_err(error)?);
        let task = Task { entry: entry.clone(), head: None, destination: newest().clone() };
        let now = DateTime::now();
        let times = Times { now, named: now };
        let loader = Loader::new(self.store.clone(), times, &[task], None).await;
        let loader = loader.map_err(error)?;
        let Some(seen) = loader.see(&entry).await.map_err(error)? else {
            return Err(Error::NoDataset(printable(id)));
        };
        let seen = seen.map_err(|why| why.text);
        let head = seen.as_ref().ok().map(|it| &it.head);
        let at: Option<Release> = database.as_deref().and_then(|it| it.parse().ok());
        let destination = match to.trim() {
            "" => default_destination(head, at.as_ref()),
            to => crate::preview::destination(&self.versions().await?, to)?,
        };
        let at = at.unwrap_or_else(|| newest().clone());
        // As an admin would ask for it, as in every plan.
        let plan = plan(vec![entry.clone()], Some(&destination), &at, true, Some(&archive));
        let names = seen.as_ref().map(|it| names_of(&it.dataset.document));
        let names = names.as_ref().map_or(["", ""], |it| [&it.samples, &it.frames]);
        let [samples, frames] = names;
        let existing = self.store.existing_collections(&[samples, frames, "delegated_ops"]).await;
        let existing = existing.map_err(error)?;
        let loader = loader.with(Some(archive));
        Ok(Asked { entry, loader, seen, database, destination, plan, existing })
    }

    async fn archive_of(&self, entry: &Entry) -> Result<Entries, Failure> {
        match Entries::about(&self.store, std::slice::from_ref(&entry.id)).await {
            Err(failure) if failure.is_of_rights() => Ok(Entries::default()),
            entries => entries,
        }
    }

    async fn collections_of(&self, asked: &Asked) -> Result<Vec<DatasetCollection>, Failure> {
        let Ok(seen) = &asked.seen else { return Ok(Vec::new()) };
        let names = names_of(&seen.dataset.document);
        let mut collections = Vec::new();
        for (what, name) in [("sample", names.samples), ("frame", names.frames)] {
            let exists = asked.existing.contains(&name);
            if name.is_empty() || (what == "frame" && !exists) {
                continue;
            }
            let documents =
                if exists { Some(self.store.weight(&name).await?.documents) } else { None };
            collections.push(DatasetCollection {
                what: what.to_owned(),
                name: printable(&name),
                documents,
            });
        }
        Ok(collections)
    }

    /// Loads and folds it as a migration would.
    async fn prospect(&self, asked: &Asked) -> Result<Prospect, Failure> {
        if let Err(reason) = &asked.seen {
            return Ok(Prospect::Blocked(reason.clone()));
        }
        let plan = match &asked.plan {
            Ok(plan) => plan,
            Err(reason) => return Ok(Prospect::Blocked(reason.clone())),
        };
        if let Some(reason) = plan.settled.iter().find_map(|it| it.reason.clone()) {
            return Ok(Prospect::Blocked(reason));
        }
        if !plan.stamps.is_empty() {
            return Ok(Prospect::Stamped);
        }
        if plan.tasks.is_empty() {
            return Ok(Prospect::Stays);
        }
        Ok(match asked.loader.load(plan.tasks.clone()).await?.pop() {
            Some(Loaded::Ready(work)) => Prospect::Goes(work),
            Some(Loaded::Refused(_, why)) => Prospect::Blocked(why.text),
            Some(Loaded::Done(_)) | None => Prospect::Stays,
        })
    }

    async fn outlook(&self, asked: &Asked) -> Result<DatasetOutlook, Failure> {
        Ok(match self.prospect(asked).await? {
            Prospect::Stays => DatasetOutlook::Stays,
            Prospect::Blocked(reason) => asked.blocked(&reason),
            Prospect::Stamped => {
                let documents = asked.stamped().into_iter().map(Pair::told).collect();
                let left = vec!["Samples, frames and runs stay as they are.".to_owned()];
                let down = asked.goes_down();
                DatasetOutlook::Goes(Box::new(WayOfDataset {
                    down,
                    documents,
                    left,
                    ..WayOfDataset::default()
                }))
            }
            Prospect::Goes(work) => {
                let pairs = self.pairs(&work, &asked.existing).await?;
                let renamed = work.name.clone().filter(|it| Some(it) != asked.entry.name.as_ref());
                let head = work.task.head.as_ref().unwrap_or(&asked.destination);
                let crossed = revisions::between(head, &asked.destination);
                let printed = |it: &[String]| it.iter().map(|it| printable(it)).collect();
                let given = work.back.as_ref().map(|it| it.what.clone()).unwrap_or_default();
                DatasetOutlook::Goes(Box::new(WayOfDataset {
                    down: asked.goes_down(),
                    revisions: crossed.iter().map(|it| it.version.to_string()).collect(),
                    renamed_to: renamed.map(|it| printable(&it)),
                    warnings: printed(&work.warnings_told()),
                    kept: printed(work.lost.as_deref().unwrap_or_default()),
                    given_back: printed(&given),
                    elsewhere: pairs.elsewhere,
                    documents: pairs.documents.into_iter().map(Pair::told).collect(),
                    left: pairs.left,
                }))
            }
        })
    }
}

impl Asked {
    fn goes_down(&self) -> bool {
        let head = self.seen.as_ref().ok().map(|it| &it.head);
        head.is_some_and(|it| direction(it, &self.destination) == Some(Direction::Down))
    }

    /// What only gets another version.
    fn stamped(&self) -> Vec<Pair> {
        let Ok(seen) = &self.seen else { return Vec::new() };
        let before = &seen.dataset.document;
        let mut after = before.clone();
        after.insert("version", self.destination.to_string());
        vec![Pair::of_dataset(before.clone(), after)]
    }

    fn blocked(&self, reason: &str) -> DatasetOutlook {
        let remedies = match &self.seen {
            Ok(seen) => remedies(&seen.dataset.document, (&seen.head, &self.destination), reason),
            Err(_) => remedies(&Document::new(), (newest(), newest()), reason),
        };
        // The page says of which dataset it is.
        let label = self.entry.label();
        let of_it = format!("dataset `{label}` ");
        let bare =
            reason.strip_prefix(&of_it).map_or_else(|| reason.to_owned(), |it| format!("it {it}"));
        DatasetOutlook::Blocked { reason: printable(&bare), remedies }
    }
}

/// Up to the database's version; one that is there, or above, up to the newest.
fn default_destination(head: Option<&Release>, database: Option<&Release>) -> Release {
    let newest = newest();
    match (head, database) {
        (Some(head), Some(at)) if base(head) < base(at) && base(at) <= *newest => at.clone(),
        (None, Some(at)) if base(at) <= *newest => at.clone(),
        _ => newest.clone(),
    }
}

/// The collections of a dataset. Frames of datasets from before 0.14 have no name of their own.
fn names_of(document: &Document) -> Collections {
    let text = |key: &str| document.get_str(key).unwrap_or_default().to_owned();
    let (samples, frames) = (text("sample_collection_name"), text("frame_collection_name"));
    let frames = if frames.is_empty() { format!("frames.{samples}") } else { frames };
    Collections { samples, frames }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_goes_to_the_databases_version_and_from_there_to_the_newest() {
        let release = |text: &str| text.parse::<Release>().unwrap();
        let to = |head: &str, database: Option<&str>| {
            default_destination(Some(&release(head)), database.map(release).as_ref()).to_string()
        };
        let newest = newest().to_string();
        assert_eq!(to("0.18.0", Some("0.21.2")), "0.21.2");
        assert_eq!(to("0.21.2", Some("0.21.2")), newest);
        assert_eq!(to("1.0.0", Some("0.21.2")), newest);
        assert_eq!(to("1.0.0", Some("1.99.0")), newest);
        assert_eq!(to("0.18.0", None), newest);
    }
}
