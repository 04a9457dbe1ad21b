//! Giving a field another name that keeps its dataset from crossing 1.0.0, where FiftyOne needs the name for itself.
//!
//! First the samples or frames, in bounded pieces, then the dataset document, while it is as a whole what was read; then the
//! samples once more, for what a client has written under the old name meanwhile. A record in `repairs` is open all the while:
//! what was cut off is known by it, and done by the same again.

mod field;

use std::time::Duration;

use bson::{Bson, DateTime, Document, oid::ObjectId};
use model::{Action, Permit, RenamePlan, words};
use revisions::Shape;
use tokio::time::timeout;

use field::Renaming;
pub(crate) use field::{clashes, fields, free_name};

use super::{
    Finding, Outcome, Subject, Surgery,
    surgery::{Edit, doctor},
    walk::{Errand, walk},
};
use crate::{
    Engine, Error, Result,
    guard::Guard,
    pass::Halt,
    progress::Control,
    store::{Asked, Entry, Failure},
};

/// What records of it are called.
const KIND: &str = "renamed_field";

/// How long whoever has clicked waits for the end, before they are told that it goes on.
const PATIENCE: Duration = Duration::from_secs(8);

/// A dataset, and what is to be renamed of it.
struct Case {
    entry: Entry,
    document: Document,
    renaming: Renaming,
}

impl Engine {
    /// The id of the dataset with this name, or with this id.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDataset`] if there is none.
    pub async fn dataset_id(&self, name: &str) -> Result<String> {
        let entries = self.datasets().await?;
        let named = entries.iter().find(|it| it.name.as_deref() == Some(name));
        let found = named.or_else(|| entries.iter().find(|it| it.id_text() == name));
        found.map(Entry::id_text).ok_or_else(|| Error::unknown_dataset(name, &entries))
    }

    /// What giving a field of a dataset another name would change. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::NoDataset`] if there is none. Why it cannot be done is in the
    /// plan.
    pub async fn rename_plan(
        &self,
        permit: &Permit,
        id: &str,
        path: &str,
        to: &str,
    ) -> Result<RenamePlan> {
        permit.covers(Action::Repair)?;
        let error = |it| self.store.error(it);
        self.store.server().await?;
        let (entry, document) = self.read_for_rename(id).await?;
        let open = self.open_rename(&entry).await.map_err(error)?;
        let mut plan = RenamePlan {
            id: entry.id_text(),
            label: entry.label(),
            field: crate::printable(path),
            to: crate::printable(to.trim()),
            begun: open.as_ref().map(|it| crate::printable(&it.to)),
            ..RenamePlan::default()
        };
        if is_left(&document, open.as_ref(), path, to) {
            plan.changes =
                vec!["What is left of a rename that was cut off is completed.".to_owned()];
            return Ok(plan);
        }
        let renaming = match Renaming::of(&document, path, to) {
            Ok(renaming) => renaming,
            Err(why) => {
                plan.refusal = Some(why);
                return Ok(plan);
            }
        };
        let documents = if self.has_collection(&renaming.collection).await.map_err(error)? {
            self.store.weight(&renaming.collection).await.map_err(error)?.documents
        } else {
            0
        };
        let mut changed = document.clone();
        let told = renaming.apply(&mut changed);
        plan.kind.clone_from(&renaming.kind);
        plan.changes = changes(&renaming, documents, &told);
        let case = Case { entry, document, renaming };
        plan.refusal = match self.barrier() {
            Some(barrier) => Some(barrier.to_owned()),
            None => self.obstacle(&case, open.as_ref()).await.map_err(error)?,
        };
        Ok(plan)
    }

    /// Gives a field of a dataset another name, under the lease that migrations are under too. Returns what was done, in one
    /// sentence. The same again does nothing, or goes on where it was cut off.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if it makes no sense, or is in the way of something;
    /// if somebody else is at it, or the connection was lost.
    pub async fn rename_field(
        &self,
        permit: &Permit,
        id: &str,
        (path, to): (&str, &str),
        control: Control,
    ) -> Result<String> {
        permit.covers(Action::Repair)?;
        if let Some(barrier) = self.barrier() {
            return Err(Error::Refused(barrier.to_owned()));
        }
        self.read_for_rename(id).await?;
        let run = ObjectId::new();
        let guard = Guard::take(&self.store, run, &Asked::repair(), &control).await?;
        let done = self.rename_under(permit, id, (path, to), &control, (run, guard.fence())).await;
        let lost = guard.is_lost();
        guard.release().await;
        if lost {
            return Err(super::lease_lost());
        }
        done
    }

    /// The same for whoever does not wait for its end: it goes on when they are gone. Returns whether it has ended.
    ///
    /// # Errors
    ///
    /// As [`Engine::rename_field`], as far as that is known by then.
    pub async fn begin_rename(
        &self,
        permit: &Permit,
        id: &str,
        (path, to): (&str, &str),
    ) -> Result<bool> {
        let (engine, permit, id) = (self.clone(), permit.clone(), id.to_owned());
        let (path, to) = (path.to_owned(), to.to_owned());
        let (control, _meter, _events) = Control::new();
        let work = tokio::spawn(async move {
            let done = engine.rename_field(&permit, &id, (&path, &to), control).await;
            if let Err(error) = &done {
                tracing::warn!("the field {path} was not renamed: {error}");
            }
            done
        });
        match timeout(PATIENCE, work).await {
            Ok(Ok(done)) => done.map(|_| true),
            Ok(Err(broken)) => Err(self.store.error(Failure::other(broken.to_string()))),
            Err(_) => Ok(false),
        }
    }

    async fn rename_under(
        &self,
        permit: &Permit,
        id: &str,
        (path, to): (&str, &str),
        control: &Control,
        run: (ObjectId, i64),
    ) -> Result<String> {
        let error = |it| self.store.error(it);
        let patient = self.patient().await?;
        if patient.is_newer {
            return Err(Error::Refused(super::newer()));
        }
        let by = permit.holder().to_owned();
        let surgery = Surgery { patient, control: control.clone(), run, by, now: DateTime::now() };
        let (entry, document) = self.read_for_rename(id).await?;
        let open = self.open_rename(&entry).await.map_err(error)?;
        let left = is_left(&document, open.as_ref(), path, to);
        let done = match open {
            Some(open) if left => open.complete(&surgery, &document).await,
            open => {
                let renaming = Renaming::of(&document, path, to).map_err(Error::Refused)?;
                let case = Case { entry, document, renaming };
                let obstacle = self.obstacle(&case, open.as_ref()).await.map_err(error)?;
                match obstacle {
                    Some(why) => return Err(Error::Refused(why)),
                    None => case.carry_out(&surgery, open).await,
                }
            }
        };
        match done {
            Ok(Outcome::Mended(done)) => Ok(done),
            Ok(Outcome::Left(why)) => Err(Error::Refused(why)),
            Err(Halt::Stopped) => Err(Error::Refused(
                "it was stopped; the same again goes on where it stopped".to_owned(),
            )),
            Err(Halt::Failed(failure)) => Err(error(failure)),
        }
    }

    async fn read_for_rename(&self, id: &str) -> Result<(Entry, Document)> {
        let error = |it| self.store.error(it);
        let none = || Error::NoDataset(crate::printable(id));
        let entry = self.store.entry_of(id).await.map_err(error)?.ok_or_else(none)?;
        let read = self.store.datasets(std::slice::from_ref(&entry.id)).await.map_err(error)?;
        let read = read.into_iter().next().flatten().ok_or_else(none)?;
        let document = crate::load::decoded(&read).map_err(Error::Refused)?;
        Ok((entry, document))
    }

    async fn open_rename(&self, entry: &Entry) -> Result<Option<Open>, Failure> {
        let open = match self.store.open_repairs(KIND, &entry.id).await {
            Err(failure) if failure.is_of_rights() => Vec::new(),
            open => open?,
        };
        let Some((_, first)) = open.first().cloned() else { return Ok(None) };
        let records = open.into_iter().filter(|it| it.1 == first).map(|it| it.0).collect();
        // Half of the values have another name then: nobody may begin anew who does not know which.
        let [path, to, collection, old_key, new_key] =
            <[String; 5]>::try_from(first).map_err(|_| {
                Failure::other(format!(
                    "a rename of a field of dataset `{}` was begun by another version of this program, which has to end it",
                    entry.label()
                ))
            })?;
        Ok(Some(Open { records, path, to, collection, old_key, new_key }))
    }

    /// Whether a collection exists: a dataset without samples may have none.
    async fn has_collection(&self, collection: &str) -> Result<bool, Failure> {
        Ok(self.store.existing_collections(&[collection]).await?.contains(collection))
    }

    /// What is in the way, in one sentence.
    async fn obstacle(&self, case: &Case, open: Option<&Open>) -> Result<Option<String>, Failure> {
        let Case { entry, document, renaming } = case;
        if let Some(open) = open
            && (open.path != renaming.path() || open.to != renaming.new)
        {
            return Ok(Some(format!(
                "renaming `{}` to `{}` was begun and not ended; ask for that again first",
                open.path, open.to
            )));
        }
        let (what, old) = (renaming.what(), &renaming.old);
        let own = crate::tally::text(&entry.id);
        let others = self.store.collections_by_dataset().await?;
        let shares =
            |it: &&(String, Vec<String>)| it.0 != own && it.1.contains(&renaming.collection);
        if others.iter().any(|it| shares(&it)) {
            return Ok(Some(format!(
                "its {what}s are those of another dataset as well, which has a schema of its own; delete the one that was made \
                 of the other (FiftyOne makes it again), then rename the field"
            )));
        }
        let mut indexes = Vec::new();
        if self.has_collection(&renaming.collection).await? {
            indexes = self.store.indexes_of(&renaming.collection, &renaming.old_key).await?;
        }
        if let [index, ..] = indexes.as_slice() {
            return Ok(Some(format!(
                "there is an index `{}` on it; drop that with FiftyOne (`dataset.drop_index`), and make it again under the new \
                 name",
                crate::printable(index)
            )));
        }
        let mentions = renaming.mentions(document, &self.store.views_and_runs(&entry.id).await?);
        if let [first, rest @ ..] = mentions.as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return Ok(Some(format!(
                "{first}{more} names the field, and from 1.0.0 on would mean the date that FiftyOne keeps as `{old}`; change or \
                 delete it with FiftyOne first"
            )));
        }
        Ok(None)
    }
}

/// Whether all that is left of a rename is what comes after its commit.
fn is_left(document: &Document, open: Option<&Open>, path: &str, to: &str) -> bool {
    let same = open.is_some_and(|it| it.path == path && it.to == to.trim());
    let schema = if path.starts_with("frames.") { "frame_fields" } else { "sample_fields" };
    let name = path.strip_prefix("frames.").unwrap_or(path);
    let is_called = |name: &str| fields(document, schema).iter().any(|it| it.text("name") == name);
    same && !is_called(name) && is_called(to.trim())
}

/// A rename that was begun and not ended.
struct Open {
    /// Of the whole, and of its commit.
    records: Vec<ObjectId>,
    path: String,
    to: String,
    collection: String,
    old_key: String,
    new_key: String,
}

impl Open {
    /// What comes after the commit.
    async fn complete(&self, surgery: &Surgery, document: &Document) -> Result<Outcome, Halt> {
        let Self { path, to, collection, old_key, new_key, .. } = self;
        let schema = if path.starts_with("frames.") { "frame_fields" } else { "sample_fields" };
        let fields = fields(document, schema);
        let field = fields.iter().find(|it| it.text("name") == to);
        let kind = field.map(|it| it.text("ftype")).unwrap_or_default();
        let exists = surgery.patient.existing.contains(collection);
        if exists && Renaming::is_before_the_dates(document) {
            late(surgery, collection, (old_key, new_key), kind).await?;
        }
        let done = format!("`{path}` is called `{to}`");
        self.end(surgery, &done).await?;
        Ok(Outcome::Mended(done))
    }

    async fn end(&self, surgery: &Surgery, done: &str) -> Result<(), Halt> {
        for record in &self.records {
            surgery.end(*record, done).await?;
        }
        Ok(())
    }
}

impl Case {
    async fn carry_out(&self, surgery: &Surgery, open: Option<Open>) -> Result<Outcome, Halt> {
        let Self { entry, document, renaming } = self;
        let store = &surgery.patient.store;
        let (path, collection) = (renaming.path(), renaming.collection.as_str());
        let (old_key, new_key) = (renaming.old_key.as_str(), renaming.new_key.as_str());
        let exists = surgery.patient.existing.contains(collection);
        // Half of what a rename has begun has the new name; otherwise it is somebody's, and not in the schema.
        if open.is_none() && exists {
            let control = Some(&surgery.control);
            let taken = walk(store, control, collection, new_key, Errand::CountHaving).await?.count;
            if taken > 0 {
                return Ok(Outcome::Left(format!(
                    "{} {} a value under `{new_key}` that no field declares; choose another name",
                    words::counted(taken, renaming.what()),
                    if taken == 1 { "has" } else { "have" }
                )));
            }
        }
        let finding = self.finding();
        let records = if let Some(open) = open {
            open.records
        } else {
            let mut kept = bson::doc! { "_id": &entry.id };
            kept.extend(kept_of(document));
            let kept = vec![("datasets".to_owned(), kept)];
            vec![surgery.begin(&finding, kept, Vec::new()).await?]
        };
        let mut moved = 0;
        if exists {
            let errand = Errand::Move { to: new_key, dates: true };
            moved = walk(store, Some(&surgery.control), collection, old_key, errand).await?.count;
        }
        surgery.edge().await?;
        let committed = surgery
            .edit(&finding, |document| {
                let renaming = Renaming::of(document, &path, &renaming.new).ok()?;
                let kept = kept_of(document);
                renaming.apply(document);
                Some(Edit { kept, done: format!("`{path}` is called `{}`", renaming.new) })
            })
            .await?;
        let Outcome::Mended(_) = committed else { return Ok(committed) };
        if exists {
            moved += late(surgery, collection, (old_key, new_key), &renaming.kind).await?;
        }
        let done = format!(
            "`{path}` is called `{}` in {}",
            renaming.new,
            words::counted(moved, renaming.what())
        );
        for record in records {
            surgery.end(record, &done).await?;
        }
        Ok(Outcome::Mended(done))
    }

    fn finding(&self) -> Finding {
        let Renaming { new, old_key, new_key, collection, .. } = &self.renaming;
        let path = self.renaming.path();
        let problem = format!("its field `{path}` has a name that FiftyOne needs from 1.0.0 on");
        let remedy = doctor(format!("call it `{new}`"));
        let subject = Subject::of(&self.document);
        let texts = [&path, new, collection, old_key, new_key].map(String::clone);
        Finding::new(KIND, Some(subject), problem, remedy).show(texts)
    }
}

/// Renames once more, for what was written under the old name before everybody has seen the new one. Never a date: a FiftyOne
/// that may migrate takes the dataset to 1.0.0 as soon as it can, and puts dates there.
async fn late(
    surgery: &Surgery,
    collection: &str,
    (old_key, new_key): (&str, &str),
    kind: &str,
) -> Result<u64, Halt> {
    // Its own values are dates as well.
    if kind.ends_with("DateField") {
        return Ok(0);
    }
    let store = &surgery.patient.store;
    let errand = Errand::Move { to: new_key, dates: false };
    Ok(walk(store, Some(&surgery.control), collection, old_key, errand).await?.count)
}

/// The parts of the dataset document that a rename may change.
fn kept_of(document: &Document) -> Document {
    let keys =
        ["sample_fields", "frame_fields", "classes", "mask_targets", "skeletons", "app_config"];
    let part = |key: &str| Some((key.to_owned(), document.get(key).cloned()?));
    keys.into_iter().filter_map(part).collect::<Vec<(String, Bson)>>().into_iter().collect()
}

/// What it comes to, in sentences.
fn changes(renaming: &Renaming, documents: u64, told: &[String]) -> Vec<String> {
    let Renaming { old_key, new_key, kind, .. } = renaming;
    let (what, path, new) = (renaming.what(), renaming.path(), renaming.new_path());
    let values = match documents {
        0 => format!("It has no {what}s: no value has to go anywhere."),
        _ => format!(
            "In each of its {} that has `{old_key}`, the value goes to `{new_key}` and stays as it is.",
            words::counted(documents, what)
        ),
    };
    let mut changes =
        vec![values, format!("Its schema calls the field, a {kind}, `{new}` instead of `{path}`.")];
    changes.extend(told.iter().map(|it| format!("In the dataset document, {it} is told, too.")));
    changes.push(
        "Its version stays, and nothing else is changed. How the dataset document was is kept."
            .to_owned(),
    );
    changes
}
