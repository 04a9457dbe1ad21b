//! One dataset, in the reverse order of writes: what was removed comes back, samples and frames are changed back, the
//! document is committed, what was added is removed.

use std::collections::BTreeMap;
use std::time::Duration;

use bson::{Bson, DateTime, Document, RawDocument, RawDocumentBuf, doc, oid::ObjectId};
use revisions::{Collections, Footprint, Pass, Release, Stage, base};

use super::{Back, Stay, database::indexes_in};
use crate::{
    journal::{differing, entry_id, id_of, is_after, original, print, prints},
    pass::{Halt, Whose},
    store::{self, Kind, Restoring, Swap, Values},
};

/// What FiftyOne writes when somebody only looks at a dataset. That they did is all that is lost.
const LOOKED_AT: &str = "last_loaded_at";

/// How many changed keys are named.
const NAMED: usize = 8;

/// How often it is made sure that the server has not restarted.
const LOOKS: usize = 5;

/// How long one look for changed samples may take before it is done in ranges, and how large those are.
const AT_ONCE: Duration = Duration::from_secs(2);
const RANGE_DOCUMENTS: u64 = 50_000;

/// A dataset as the journal knows it and as it is.
struct Kept {
    entry: Document,
    entries: Vec<Document>,
    names: Collections,
    original: RawDocumentBuf,
    now: RawDocumentBuf,
    /// The runs that are there, of those that the journal knows.
    runs: BTreeMap<String, RawDocumentBuf>,
}

impl Back {
    /// Brings a dataset back.
    pub(super) async fn dataset(&self, id: &Bson, text: &str) -> Result<(), Stay> {
        let kept = self.read(id, text).await?;
        self.judge(&kept, text).await?;
        let before = self.store.process().await?;
        self.change(id, &kept).await?;
        if !kept.is_back() {
            if !self.control.may_go_on().await {
                return Err(Halt::Stopped.into());
            }
            let swap = Swap { read: &kept.now, changed: &kept.original };
            if self.store.commit(&[swap]).await? != 1 {
                return Err(Stay::Refused(
                    "somebody has changed it in this moment; look at it and undo it again"
                        .to_owned(),
                ));
            }
        }
        self.outlast(before, id, &kept).await?;
        self.remove(&kept).await?;
        // What the run has archived of it, it has again; what the run has given back to it, it has not.
        if self.archive.kept {
            self.store.forget_archive(self.job.id, id).await?;
        }
        if self.archive.given {
            self.store.take_archive_back(self.job.id, id).await?;
        }
        // There is nothing to sweep after a dataset that has all of it again.
        Ok(self.store.forget_leftovers(self.job.id, std::slice::from_ref(id)).await?)
    }

    /// As in a migration: what was acknowledged before a restart may be lost.
    async fn outlast(
        &self,
        mut before: Option<ObjectId>,
        id: &Bson,
        kept: &Kept,
    ) -> Result<(), Stay> {
        for _ in 0..LOOKS {
            let process = self.store.process().await?;
            if process == before {
                return Ok(());
            }
            before = process;
            let (control, passes) = (self.control.insisting(), self.passes.insisting());
            Self { control, passes, ..self.clone() }.change(id, kept).await?;
        }
        Err(store::Failure::other("the MongoDB server keeps restarting").into())
    }

    async fn read(&self, id: &Bson, text: &str) -> Result<Kept, Stay> {
        let entries = self.store.entries_about(self.job.id, id).await?;
        let find = |kind: Kind| entries.iter().filter(move |it| kind.is_of(it));
        let Some(entry) = find(Kind::Dataset).next().cloned() else {
            return Err(Stay::Refused(format!("the undo journal knows nothing of dataset {text}")));
        };
        let original = original(&entries)?;
        let Some(now) = self.store.datasets(std::slice::from_ref(id)).await?.pop().flatten() else {
            return Err(Stay::Refused("it was deleted since".to_owned()));
        };
        let name = |key: &str| entry.get_str(key).unwrap_or_default().to_owned();
        let names = Collections { samples: name("samples"), frames: name("frames") };
        let mut kept = Kept { entry, entries, names, original, now, runs: BTreeMap::new() };
        let ids: Vec<Bson> = kept.known_runs();
        if !ids.is_empty() {
            let filter = doc! { "_id": { "$in": ids } };
            for run in self.store.whole_documents("runs", filter).await? {
                let id = run.get("_id").ok().flatten().and_then(|it| Bson::try_from(it).ok());
                kept.runs.insert(id.unwrap_or_default().to_string(), run);
            }
        }
        Ok(kept)
    }

    /// Refuses where somebody has changed something since: it would be lost.
    async fn judge(&self, kept: &Kept, text: &str) -> Result<(), Stay> {
        let is_back = kept.is_back();
        if !is_back {
            let keys = kept.edited();
            if !keys.is_empty() {
                let later =
                    self.store.migrated_since((self.job.id, self.job.created), text).await?;
                return Err(Stay::Refused(match later {
                    Some(run) => format!("run {run} has migrated it since; undo that one first"),
                    None => format!("somebody has changed it since: {}", listed(&keys)),
                }));
            }
        }
        for it in kept.list("inserted").iter().filter_map(Bson::as_document) {
            let id = it.get("id").cloned().unwrap_or_default();
            let now = kept.runs.get(&id.to_string());
            if now.is_some_and(|now| it.get("print") != Some(&print(now.as_bytes()))) {
                return Err(not_ours("changed", &id));
            }
        }
        for it in kept.of(Kind::Run).filter(|it| it.get("after") != Some(&Bson::Null)) {
            let id = entry_id(it).cloned().unwrap_or_default();
            let now = kept.runs.get(&id.to_string());
            let Some(now) = now else {
                return Err(not_ours("deleted", &id));
            };
            if !is_after(it, now) && now.as_bytes() != store::bytes(it, "bytes") {
                return Err(not_ours("changed", &id));
            }
        }
        if is_back {
            return Ok(());
        }
        let name = |it: &RawDocumentBuf| it.get_str("name").ok().map(str::to_owned);
        if let Some(old) = name(&kept.original).filter(|it| Some(it) != name(&kept.now).as_ref()) {
            let id = kept.now.get("_id").ok().flatten().and_then(|it| Bson::try_from(it).ok());
            let taken = doc! { "name": &old, "_id": { "$ne": id } };
            if self.store.any("datasets", taken, AT_ONCE).await?.is_some() {
                let old = crate::report::printable(&old);
                return Err(Stay::Refused(format!(
                    "its old name `{old}` belongs to another dataset now"
                )));
            }
        }
        self.samples_are_unchanged(kept).await
    }

    /// Samples and frames that were added or edited since, where that can be seen.
    async fn samples_are_unchanged(&self, kept: &Kept) -> Result<(), Stay> {
        let begun = kept.entry.get_datetime("begun").copied().unwrap_or_else(|_| DateTime::now());
        let destination = kept.entry.get_str("destination").ok().and_then(|it| it.parse().ok());
        let keeps_time =
            destination.is_some_and(|it: Release| base(&it) >= Release::new([1, 0, 0]));
        for (scope, collection, what) in kept.scopes() {
            let changed = kept.passes().iter().any(|it| it.get_document(scope).is_ok());
            if !changed || !self.existing.contains(collection) {
                continue;
            }
            let newer = doc! { "_id": { "$gt": after(begun) } };
            if self.store.any(collection, newer, AT_ONCE).await?.is_some() {
                return Err(Stay::Refused(format!("{what} were added to it since")));
            }
            // One that was tried again has the time of that, which is later.
            let mut later = doc! { "$gt": begun };
            later.extend(kept.entry.get_datetime("time").map(|it| ("$ne".to_owned(), it.into())));
            let edited = doc! { "last_modified_at": later };
            if keeps_time && self.any(collection, &edited).await? {
                return Err(Stay::Refused(format!("{what} of it were edited since")));
            }
        }
        Ok(())
    }

    async fn any(&self, collection: &str, filter: &Document) -> Result<bool, Stay> {
        match self.store.any(collection, filter.clone(), AT_ONCE).await {
            Err(failure) if failure.is_too_slow() => {}
            found => return Ok(found?.is_some()),
        }
        let mut from = None;
        loop {
            if self.control.is_stopped() {
                return Err(Halt::Stopped.into());
            }
            let range = self.store.next_range(collection, from.as_ref(), RANGE_DOCUMENTS).await?;
            let within = doc! { "$and": [range.filter(), filter] };
            if self.store.any(collection, within, store::LONGEST_WRITE).await?.is_some() {
                return Ok(true);
            }
            match range.until {
                Some(until) => from = Some(until),
                None => return Ok(false),
            }
        }
    }

    /// Everything before the commit.
    async fn change(&self, id: &Bson, kept: &Kept) -> Result<(), Stay> {
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped.into());
        }
        let documents = |kind: Kind, all: bool| -> Result<Vec<RawDocumentBuf>, store::Failure> {
            let found = kept.of(kind).filter(|it| all || it.get("after") == Some(&Bson::Null));
            found.map(store::document).collect()
        };
        self.store.put_back("runs", &documents(Kind::Run, false)?).await?;
        self.store.put_back("views", &documents(Kind::View, true)?).await?;
        if !kept.list("deleted").is_empty() {
            // Chunks first: a file that is there is whole.
            for name in ["fs.chunks", "fs.files"] {
                let values = self.values(id, 0, name);
                let (insert, control) = (Restoring::Insert, &self.control);
                if !self.store.restore_values(&values, name, &insert, control).await? {
                    return Err(Halt::Stopped.into());
                }
            }
        }
        for it in kept.of(Kind::Run).filter(|it| it.get("after") != Some(&Bson::Null)) {
            let original = store::document(it)?;
            let run = entry_id(it).map(ToString::to_string).unwrap_or_default();
            let now = kept.runs.get(&run).filter(|now| now.as_bytes() != original.as_bytes());
            if let Some(now) = now
                && !self.store.replace_runs(&[(&decoded(now)?, &decoded(&original)?)]).await?
            {
                return Err(not_ours("changed", entry_id(it).unwrap_or(&Bson::Null)));
            }
        }
        for it in kept.of(Kind::Operation) {
            let text = |key: &str| it.get_str(key).unwrap_or_default();
            let (from, to) = (text("from"), text("to"));
            let original = decoded(&store::document(it)?)?;
            if let Some(changed) = store::changed(it)?
                && self.store.change_operation(&decoded(&changed)?, &original).await?
            {
                continue;
            }
            if !from.is_empty() {
                self.store.restore_operation(&original, from, to).await?;
            }
        }
        self.passes_back(id, kept).await?;
        for it in kept.of(Kind::Indexes) {
            let collection = it.get_str("collection").unwrap_or_default();
            self.store.make_indexes(collection, indexes_in(it)).await?;
        }
        Ok(())
    }

    /// Samples and frames, what was done to them last first.
    async fn passes_back(&self, id: &Bson, kept: &Kept) -> Result<(), Stay> {
        let whose = Whose { id, document: &kept.now };
        let passes: Vec<(i32, &Document)> = (0..).zip(kept.passes()).collect();
        for (turn, passes) in passes.into_iter().rev() {
            let of = |scope: &str| passes.get_document(scope).ok().and_then(Footprint::read);
            let inverse = |scope: &str| {
                let stages = of(scope).map(|it| it.inverse()).filter(|it| !it.is_empty());
                stages.map(|it| Pass::Server(it, None))
            };
            let (samples, frames) = (inverse("samples"), inverse("frames"));
            if samples.is_some() || frames.is_some() {
                let stage = Stage::Passes { samples, frames };
                self.passes.run(whose, &kept.names, &[stage]).await?;
            }
            for (scope, collection, _) in kept.scopes() {
                let Some(footprint) = of(scope) else { continue };
                if footprint == Footprint::Whole && self.existing.contains(collection) {
                    // Frames from before 0.6.2 do not have it, and would be each other's duplicates.
                    self.store.drop_unique_indexes(collection, "_sample_id").await?;
                }
                let restoring = Restoring::Change(footprint.restoring());
                let (values, control) = (self.values(id, turn, scope), &self.control);
                if !self.store.restore_values(&values, collection, &restoring, control).await? {
                    return Err(Halt::Stopped.into());
                }
                self.control.wrote();
            }
        }
        Ok(())
    }

    /// What the run had added, now that nothing refers to it any more.
    async fn remove(&self, kept: &Kept) -> Result<(), Stay> {
        let inserted: Vec<String> = kept
            .list("inserted")
            .iter()
            .filter_map(|it| Some(it.as_document()?.get("id")?.to_string()))
            .collect();
        let runs = inserted.iter().filter_map(|it| kept.runs.get(it));
        let runs: Vec<Document> = runs.map(decoded).collect::<Result<_, _>>()?;
        if !runs.is_empty() {
            self.store.delete_runs(&runs.iter().collect::<Vec<_>>()).await?;
        }
        let views: Vec<Bson> = kept.list("views").to_vec();
        self.remove_views(&views).await?;
        let made: Vec<ObjectId> = kept.list("made").iter().filter_map(Bson::as_object_id).collect();
        if !made.is_empty() {
            self.store.delete_results(&made).await?;
        }
        Ok(())
    }

    /// Saved views that the archive had given back, unless somebody has changed them since.
    async fn remove_views(&self, views: &[Bson]) -> Result<(), Stay> {
        let views: Vec<&Document> = views.iter().filter_map(Bson::as_document).collect();
        let ids: Vec<Bson> = views.iter().filter_map(|it| it.get("id").cloned()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut ours = Vec::new();
        for it in self.store.whole_documents("views", doc! { "_id": { "$in": ids } }).await? {
            let (id, print) = (id_of(&it), print(it.as_bytes()));
            let is_ours = |view: &&&Document| {
                view.get("id") == Some(&id) && view.get("print") == Some(&print)
            };
            if views.iter().any(|it| is_ours(&it)) {
                ours.push(id);
            }
        }
        Ok(self.store.delete_views(&ours).await?)
    }

    fn values(&self, id: &Bson, turn: i32, scope: &str) -> Values {
        Values {
            place: store::VALUES,
            run: self.job.id,
            dataset: id.clone(),
            turn,
            scope: scope.to_owned(),
        }
    }
}

impl Kept {
    /// Whether the document is as it was before: the run has not committed it, or it is undone already. Somebody may have
    /// looked at it since; then it stays as it is.
    fn is_back(&self) -> bool {
        self.now == self.original
            || (!self.edited().is_empty() && unlike(&prints(&self.original), &self.now).is_empty())
    }

    /// The keys that are not as the run has left them.
    fn edited(&self) -> Vec<String> {
        self.entry.get_document("after").map(|it| unlike(it, &self.now)).unwrap_or_default()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Document> {
        self.entries.iter().filter(move |it| kind.is_of(it))
    }

    fn list(&self, key: &str) -> &[Bson] {
        self.entry.get_array(key).map(Vec::as_slice).unwrap_or_default()
    }

    fn passes(&self) -> Vec<&Document> {
        self.list("passes").iter().filter_map(Bson::as_document).collect()
    }

    fn scopes(&self) -> [(&'static str, &str, &'static str); 2] {
        [("samples", &self.names.samples, "samples"), ("frames", &self.names.frames, "frames")]
    }

    fn known_runs(&self) -> Vec<Bson> {
        let inserted = self.list("inserted").iter().filter_map(|it| it.as_document()?.get("id"));
        inserted.chain(self.of(Kind::Run).filter_map(entry_id)).cloned().collect()
    }
}

/// The keys in which a document is not the one of these prints, whoever has looked at it.
fn unlike(prints: &Document, document: &RawDocument) -> Vec<String> {
    let mut keys = differing(prints, document);
    keys.retain(|it| it != LOOKED_AT);
    keys
}

fn not_ours(done: &str, run: &Bson) -> Stay {
    Stay::Refused(format!("somebody has {done} its run {} since", crate::tally::text(run)))
}

fn decoded(raw: &RawDocumentBuf) -> Result<Document, store::Failure> {
    Document::try_from(raw.as_ref()).map_err(|it| store::Failure::other(it.to_string()))
}

fn listed(keys: &[String]) -> String {
    let named: Vec<String> =
        keys.iter().take(NAMED).map(|it| format!("`{}`", crate::report::printable(it))).collect();
    match keys.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// An object id that is newer than all that were made in the second of this time.
fn after(time: DateTime) -> ObjectId {
    let seconds = u32::try_from(time.timestamp_millis() / 1000 + 1).unwrap_or(u32::MAX);
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    ObjectId::from_bytes(bytes)
}
