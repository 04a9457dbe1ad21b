//! The undo journal: before a dataset is touched, what the run will change of it is kept.
//!
//! First the values of samples and frames and the files that cannot be computed back, then the entry that says where
//! they are. An entry is written before the first change, so that a dataset without one has not been touched, and one
//! with an entry keeps the values that it has: those that a run finds when it goes on may be its own.

mod prints;
mod reread;
mod size;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use model::Labor;
use revisions::{Effect, Footprint, Pass, Scope, Stage, stages};

use crate::{
    keep::Keeper,
    load::Work,
    pass::Halt,
    progress::Control,
    store::{Config, EntryId, Failure, Kind, Part, Store, VALUES, Values, binary, bytes},
};

pub use prints::{differing, print, prints};
pub use reread::{is_after, original};
pub use size::Estimate;

use reread::Reread;

/// How many bytes of a dataset document go into one entry.
const PART_BYTES: usize = 8 << 20;

/// How many datasets that only get another version are kept in one entry.
const STAMPS: usize = 10_000;

/// The journal of a run.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The database.
    pub store: Store,
    /// To be stopped.
    pub control: Control,
    /// Whose it is.
    pub run: ObjectId,
    /// The time that the run writes.
    pub time: DateTime,
    /// Whether the run has been begun before, so that there may be entries already.
    pub goes_on: bool,
    /// The collections that exist.
    pub existing: Arc<BTreeSet<String>>,
    /// What the journal has of datasets that somebody edits while they are migrated: there is no time to ask.
    pub contended: Contended,
}

/// Entries, by the text of the dataset's `_id`.
pub type Contended = Arc<Mutex<BTreeMap<String, Vec<Document>>>>;

/// What is about to be done to a dataset, and what is known of it already.
struct Before<'a> {
    work: &'a Work,
    entries: Vec<Document>,
    /// `{ samples, frames }`, where there is something to undo there.
    footprints: [Option<Footprint>; 2],
    /// How often something was kept of its samples and frames.
    turn: i32,
}

impl Journal {
    /// Keeps what is about to be changed of these datasets. `again`: some may be in the journal already.
    pub async fn keep(&self, group: &[&Work], again: bool, logs: &[Bson]) -> Result<(), Halt> {
        if group.is_empty() {
            return Ok(());
        }
        let before = self.look(group, again).await?;
        let mut parts = Vec::new();
        for it in &before {
            parts.extend(self.parts(it));
        }
        self.keeper().parts(&parts).await?;
        let mut entries = self.views(&before).await?;
        for it in &before {
            self.files(it).await?;
            entries.extend(self.operations(it, logs).await?);
            entries.extend(self.indexes(it).await?);
            entries.extend(self.runs(it)?);
        }
        for it in &before {
            entries.extend(self.dataset(it)?);
        }
        if again {
            // The commit that follows waits for all that came before it.
            self.store.replace_entries(&entries).await?;
            self.contend(entries);
        } else {
            self.store.keep_entries(&entries).await?;
        }
        Ok(())
    }

    /// Remembers entries of datasets that are edited by somebody.
    fn contend(&self, entries: Vec<Document>) {
        let mut contended = self.contended.lock().unwrap_or_else(PoisonError::into_inner);
        for it in entries {
            let of = it.get_document("_id").ok().and_then(|it| it.get("dataset"));
            let known =
                contended.entry(of.map(ToString::to_string).unwrap_or_default()).or_default();
            known.retain(|known| known.get("_id") != it.get("_id"));
            known.push(it);
        }
    }

    fn contended(&self, dataset: &Bson) -> Option<Vec<Document>> {
        let contended = self.contended.lock().unwrap_or_else(PoisonError::into_inner);
        contended.get(&dataset.to_string()).cloned()
    }

    /// Keeps the versions of datasets that only get another one.
    pub async fn keep_stamps(&self, stamps: &[(Bson, Bson)], version: &str) -> Result<(), Failure> {
        let entries: Vec<Document> = stamps
            .chunks(STAMPS)
            .map(|chunk| {
                let (ids, versions): (Vec<Bson>, Vec<Bson>) = chunk.iter().cloned().unzip();
                let id = self.id(&Bson::Null, Kind::Stamps, ObjectId::new().into());
                id.with(doc! { "ids": ids, "versions": versions, "version": version })
            })
            .collect();
        self.store.keep_entries(&entries).await
    }

    /// Keeps the `config` document and the collections that are about to be dropped.
    pub async fn keep_database(
        &self,
        read: &Config,
        changed: &Config,
        drops: &BTreeSet<String>,
        goes_down: bool,
    ) -> Result<(), Halt> {
        let known = self.store.entries_about(self.run, &Bson::Null).await?;
        let known = known.iter().find(|it| Kind::Database.is_of(it));
        let mut dropped: BTreeSet<String> = known
            .and_then(|it| it.get_array("dropped").ok())
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect();
        let mut entries = Vec::new();
        for name in drops {
            let values = self.values(&Bson::Null, 0, &format!("collection {name}"));
            let part = Part {
                values,
                collection: name.clone(),
                filter: doc! {},
                expression: "$$ROOT".into(),
                labor: Labor::Keep,
                replaces: true,
            };
            self.keeper().walk(&part).await?;
            let indexes = self.store.indexes(name).await?;
            let id = self.id(&Bson::Null, Kind::Indexes, name.as_str().into());
            entries.push(id.with(doc! { "collection": name, "indexes": others(indexes) }));
            dropped.insert(name.clone());
        }
        let dropped: Vec<String> = dropped.into_iter().collect();
        let id = self.id(&Bson::Null, Kind::Database, Bson::Null);
        entries.push(id.with(doc! {
            "before": &read.document, "after": &changed.document, "dropped": dropped, "goes_down": goes_down,
        }));
        Ok(self.store.keep_entries(&entries).await?)
    }

    fn keeper(&self) -> Keeper<'_> {
        Keeper { store: &self.store, control: &self.control }
    }

    fn id(&self, dataset: &Bson, kind: Kind, id: Bson) -> EntryId {
        EntryId { run: self.run, dataset: dataset.clone(), kind, id }
    }

    fn values(&self, dataset: &Bson, turn: i32, scope: &str) -> Values {
        Values {
            place: VALUES,
            run: self.run,
            dataset: dataset.clone(),
            turn,
            scope: scope.to_owned(),
        }
    }

    /// Finds out what the journal has of these datasets.
    async fn look<'a>(&self, group: &[&'a Work], again: bool) -> Result<Vec<Before<'a>>, Failure> {
        let ids: Vec<Bson> = group.iter().map(|it| it.task.entry.id.clone()).collect();
        let unknown = again && ids.iter().any(|it| self.contended(it).is_none());
        let known = if unknown || (self.goes_on && !again) {
            self.store.known_datasets(self.run, &ids).await?
        } else {
            Vec::new()
        };
        let mut before = Vec::new();
        for work in group {
            let id = &work.task.entry.id;
            let entries = match self.contended(id).filter(|_| again) {
                Some(entries) => entries,
                None if known.contains(id) => {
                    let entries = self.store.entries_about(self.run, id).await?;
                    if again {
                        self.contend(entries.clone());
                    }
                    entries
                }
                None => Vec::new(),
            };
            let footprint = |scope, collection: &String| {
                let exists = self.existing.contains(collection);
                exists.then(|| Footprint::of(&work.steps, scope, &work.collections)).flatten()
            };
            let names = &work.collections;
            let footprints = [
                footprint(Scope::Samples, &names.samples),
                footprint(Scope::Frames, &names.frames),
            ];
            let turn = passes(&entries).map_or(0, <[Bson]>::len);
            let turn = i32::try_from(turn).unwrap_or(i32::MAX);
            before.push(Before { work, entries, footprints, turn });
        }
        Ok(before)
    }

    /// What has to be kept of samples and frames now.
    fn parts(&self, before: &Before<'_>) -> Vec<Part> {
        if !before.is_news() {
            return Vec::new();
        }
        let names = &before.work.collections;
        let scopes = [("samples", &names.samples), ("frames", &names.frames)];
        let parts = scopes.iter().zip(&before.footprints).filter_map(|((scope, name), it)| {
            let footprint = it.as_ref()?;
            Some(Part {
                values: self.values(&before.work.task.entry.id, before.turn, scope),
                collection: (*name).clone(),
                filter: footprint.noted(),
                expression: footprint.original(),
                labor: if footprint.is_heavy() { Labor::Keep } else { Labor::Look },
                replaces: true,
            })
        });
        parts.collect()
    }

    async fn views(&self, before: &[Before<'_>]) -> Result<Vec<Document>, Failure> {
        let mut entries = Vec::new();
        for it in before {
            for effect in it.work.effects() {
                if let Effect::DeleteViews(ids) = effect {
                    for view in
                        self.store.whole_documents("views", doc! { "_id": { "$in": ids } }).await?
                    {
                        let id = self.id(&it.work.task.entry.id, Kind::View, id_of(&view));
                        entries.push(id.with(doc! { "bytes": binary(view.as_bytes()) }));
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Copies the files that are going to be deleted.
    async fn files(&self, before: &Before<'_>) -> Result<(), Halt> {
        let work = before.work;
        let known = list(before.entries_of(Kind::Dataset).next(), "deleted");
        for effect in work.effects() {
            let Some(file) = effect.deletes() else { continue };
            if known.contains(&file.into()) {
                continue;
            }
            let id = &work.task.entry.id;
            self.keeper().file(file, |collection| self.values(id, 0, collection)).await?;
        }
        Ok(())
    }

    async fn operations(
        &self,
        before: &Before<'_>,
        logs: &[Bson],
    ) -> Result<Vec<Document>, Failure> {
        let mut entries = Vec::new();
        let dataset = &before.work.task.entry.id;
        for effect in before.work.effects() {
            let Effect::RenameOperationLog { from, to } = effect else { continue };
            if !logs.contains(dataset) {
                continue;
            }
            let filter = doc! { "dataset_id": dataset, *from: { "$regex": r"\.log$" } };
            for it in self.store.whole_documents("delegated_ops", filter).await? {
                let id = self.id(dataset, Kind::Operation, id_of(&it));
                let bytes = binary(it.as_bytes());
                entries.push(id.with(doc! { "bytes": bytes, "from": *from, "to": *to }));
            }
        }
        for effect in before.work.effects() {
            let Effect::ChangeOperation { read, changed } = effect else { continue };
            let (read, changed) = (crate::store::raw(read)?, crate::store::raw(changed)?);
            let (id, changed) = (id_of(&read), binary(changed.as_bytes()));
            if let Some(known) = entries.iter_mut().find(|it| entry_id(it) == Some(&id)) {
                known.insert("changed", changed);
                continue;
            }
            // What is read now may be what this run has made of it before it was cut off: then what was kept first counts.
            let known = before.entries_of(Kind::Operation).find(|it| entry_id(it) == Some(&id));
            let mut content = known.map_or_else(
                || doc! { "bytes": binary(read.as_bytes()), "from": "", "to": "" },
                first,
            );
            content.insert("changed", changed);
            entries.push(self.id(dataset, Kind::Operation, id).with(content));
        }
        Ok(entries)
    }

    /// The unique indexes of frames that would stand in the way and are dropped.
    async fn indexes(&self, before: &Before<'_>) -> Result<Option<Document>, Failure> {
        let frames = &before.work.collections.frames;
        let stages = stages(&before.work.steps);
        let unset: Vec<&str> = stages
            .iter()
            .filter_map(|it| match it {
                Stage::Passes { frames, .. } => frames.as_ref(),
                Stage::Merge(_) => None,
            })
            .flat_map(Pass::unset)
            .collect();
        if unset.is_empty() || !before.is_news() || !self.existing.contains(frames) {
            return Ok(None);
        }
        let mut indexes = self.store.indexes(frames).await?;
        indexes.retain(|it| {
            let key = it.get_document("key");
            it.get_bool("unique").is_ok_and(|it| it)
                && key.is_ok_and(|key| unset.iter().any(|it| key.contains_key(it)))
        });
        if indexes.is_empty() {
            return Ok(None);
        }
        let id = self.id(&before.work.task.entry.id, Kind::Indexes, frames.as_str().into());
        Ok(Some(id.with(doc! { "collection": frames, "indexes": others(indexes) })))
    }

    /// The runs that are changed or removed, as they were.
    fn runs(&self, before: &Before<'_>) -> Result<Vec<Document>, Failure> {
        let work = before.work;
        let changed = work.changed_runs().into_iter().map(|(read, changed)| (read, Some(changed)));
        let removed = work.removed_runs().map(|it| (it, None));
        let mut entries = Vec::new();
        for (read, changed) in changed.chain(removed) {
            let read = crate::store::raw(read)?;
            let id = self.id(&work.task.entry.id, Kind::Run, id_of(&read));
            let known = before.entries_of(Kind::Run).find(|it| entry_id(it) == Some(&id.id));
            let reread = Reread::of_run(known, &read);
            // What is read now may be what this run has made of it before: then what was kept first counts.
            let kept = known.filter(|_| reread.is_committed()).map(|it| bytes(it, "bytes"));
            let kept = kept.unwrap_or_else(|| read.as_bytes().to_vec());
            // With the prints of what the run had made of it before somebody edited that, undoing it is refused.
            let after = match (changed, known.and_then(|it| it.get("after"))) {
                (_, Some(then)) if reread == Reread::Edited => then.clone(),
                (Some(changed), _) => prints(&crate::store::raw(changed)?).into(),
                (None, _) => Bson::Null,
            };
            entries.push(id.with(doc! { "bytes": binary(&kept), "after": after }));
        }
        Ok(entries)
    }

    /// The dataset itself. Its document only changes when it is committed, so that what was read last counts, until it is:
    /// from then on, what was read is the work of this run.
    fn dataset(&self, before: &Before<'_>) -> Result<Vec<Document>, Failure> {
        let Before { work, footprints, .. } = before;
        let known = before.entries_of(Kind::Dataset).next();
        let id = &work.task.entry.id;
        let mut inserted = list(known, "inserted");
        for run in work.inserted_runs() {
            let run = crate::store::raw(run)?;
            let (id, print) = (id_of(&run), print(run.as_bytes()));
            inserted.retain(|it| it.as_document().and_then(|it| it.get("id")) != Some(&id));
            inserted.push(doc! { "id": id, "print": print }.into());
        }
        let (mut made, mut deleted) = (list(known, "made"), list(known, "deleted"));
        for effect in work.effects() {
            let new = effect.makes().map(Bson::from);
            made.extend(new.filter(|it| !made.contains(it)));
            let gone = effect.deletes().map(Bson::from);
            deleted.extend(gone.filter(|it| !deleted.contains(it)));
        }
        let mut views = list(known, "views");
        for effect in work.effects() {
            if let Effect::PutBack { collection: "views", documents } = effect {
                for it in documents {
                    let view = crate::store::raw(it)?;
                    let view = doc! { "id": id_of(&view), "print": print(view.as_bytes()) }.into();
                    if !views.contains(&view) {
                        views.push(view);
                    }
                }
            }
        }
        let mut passes = list(known, "passes");
        if before.is_news() {
            let [samples, frames] =
                footprints.each_ref().map(|it| it.as_ref().map(Footprint::stored));
            passes.push(doc! { "samples": samples, "frames": frames }.into());
        }
        let reread = Reread::of(&before.entries, &work.read.document);
        let (mut entries, mut content) = match known.filter(|_| reread.is_committed()) {
            Some(known) => (Vec::new(), first(known)),
            None => self.read(work, known),
        };
        // What somebody has changed since it was committed is not ours: with the prints of what we had committed, undoing it
        // is refused.
        if reread != Reread::Edited {
            content.insert("after", prints(&work.changed.document));
        }
        content.extend(doc! {
            "inserted": inserted, "made": made, "deleted": deleted, "views": views, "passes": passes,
        });
        entries.push(self.id(id, Kind::Dataset, Bson::Null).with(content));
        Ok(entries)
    }

    /// What is kept of a dataset that this run has not committed: more of its bytes, and the rest.
    fn read(&self, work: &Work, known: Option<&Document>) -> (Vec<Document>, Document) {
        let id = &work.task.entry.id;
        // What was added to it or edited since it was kept first was not kept, however long the run has rested meanwhile.
        let begun = known.and_then(|it| it.get_datetime("begun").ok()).copied();
        let mut parts = work.read.document.as_bytes().chunks(PART_BYTES);
        let first = parts.next().unwrap_or_default();
        let parts: Vec<Document> = (1_i32..)
            .zip(parts)
            .map(|(at, it)| self.id(id, Kind::Part, at.into()).with(doc! { "bytes": binary(it) }))
            .collect();
        let count = i32::try_from(parts.len()).unwrap_or(i32::MAX);
        let mut content = doc! {
            "name": &work.task.entry.name, "renamed_to": &work.name, "order": moment(),
            "destination": work.task.destination.to_string(), "bytes": binary(first), "parts": count,
            "begun": begun.unwrap_or_else(DateTime::now), "time": self.time,
            "samples": &work.collections.samples, "frames": &work.collections.frames,
        };
        content.extend(work.told().map(|it| ("told".to_owned(), it.into())));
        (parts, content)
    }
}

/// What was kept first of a dataset: what it was, where, and since when. The prints as well, as long as nobody has others.
fn first(known: &Document) -> Document {
    let mut content = known.clone();
    for key in ["_id", "kind", "kept_at"] {
        content.remove(key);
    }
    content
}

impl Before<'_> {
    fn entries_of(&self, kind: Kind) -> impl Iterator<Item = &Document> {
        self.entries.iter().filter(move |it| kind.is_of(it))
    }

    /// Whether something is about to be done to samples or frames that the journal does not know yet.
    fn is_news(&self) -> bool {
        let [samples, frames] =
            self.footprints.each_ref().map(|it| it.as_ref().map(Footprint::stored));
        if samples.is_none() && frames.is_none() {
            return false;
        }
        let now = Bson::from(doc! { "samples": samples, "frames": frames });
        passes(&self.entries).and_then(<[Bson]>::last) != Some(&now)
    }
}

fn passes(entries: &[Document]) -> Option<&[Bson]> {
    let dataset = entries.iter().find(|it| Kind::Dataset.is_of(it))?;
    dataset.get_array("passes").ok().map(Vec::as_slice)
}

fn list(entry: Option<&Document>, key: &str) -> Vec<Bson> {
    entry.and_then(|it| it.get_array(key).ok()).cloned().unwrap_or_default()
}

/// The `_id` of a document.
pub fn id_of(document: &bson::RawDocument) -> Bson {
    let id = document.get("_id").ok().flatten();
    id.and_then(|it| Bson::try_from(it).ok()).unwrap_or_default()
}

/// What an entry is about.
pub fn entry_id(entry: &Document) -> Option<&Bson> {
    entry.get_document("_id").ok()?.get("id")
}

/// Without the one that every collection has.
fn others(mut indexes: Vec<Document>) -> Vec<Document> {
    indexes.retain(|it| it.get_str("name").ok() != Some("_id_"));
    indexes
}

/// Grows with time: what was kept later is brought back earlier, where two datasets share a collection.
fn moment() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
