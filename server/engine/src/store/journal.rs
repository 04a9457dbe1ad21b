//! The undo journal, in the runs' own database: `run_journal`, what dataset documents, runs, views and the rest were
//! before a run touched them.
//!
//! Values of samples and frames are beside it, in [`super::values`].

use bson::{
    Binary, Bson, DateTime, Document, RawArrayBuf, RawDocumentBuf, doc, oid::ObjectId, raw::cstr,
    spec::BinarySubtype,
};
use futures_util::TryStreamExt;
use model::JournalState;

use super::{Failure, Store, datasets::raw, durable, server::number};

/// How many bytes of entries go into one command.
const COMMAND_BYTES: usize = 12 << 20;

/// How many entries go into one command.
const STATEMENTS: usize = 1_000;

/// How many entries, which may be large, and how many values are removed by one command.
const ENTRIES_AT_ONCE: u64 = 500;
const VALUES_AT_ONCE: u64 = 5_000;

/// What an entry of the journal keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A dataset: its document, what the run made of it, and the way back of its samples and frames.
    Dataset,
    /// More bytes of a large dataset document.
    Part,
    /// A run document that was changed or removed.
    Run,
    /// A saved view that was deleted.
    View,
    /// A delegated operation that was changed.
    Operation,
    /// The indexes of a collection that were dropped.
    Indexes,
    /// Datasets that only got another version, thousands in one entry.
    Stamps,
    /// The `config` document, and the collections that were dropped.
    Database,
}

/// What identifies an entry: `{ run, dataset, kind, id }`.
#[derive(Clone, Debug)]
pub struct EntryId {
    /// The run.
    pub run: ObjectId,
    /// The `_id` of the dataset; null for what belongs to none.
    pub dataset: Bson,
    /// What is kept.
    pub kind: Kind,
    /// Which one.
    pub id: Bson,
}

impl Kind {
    /// As it is stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Part => "part",
            Self::Run => "run",
            Self::View => "view",
            Self::Operation => "operation",
            Self::Indexes => "indexes",
            Self::Stamps => "stamps",
            Self::Database => "database",
        }
    }

    /// Whether an entry keeps this.
    pub fn is_of(self, entry: &Document) -> bool {
        entry.get_str("kind").is_ok_and(|it| it == self.word())
    }
}

impl EntryId {
    /// An entry that keeps this.
    pub fn with(&self, content: Document) -> Document {
        let Self { run, dataset, kind, id } = self;
        let mut entry = doc! {
            "_id": { "run": run, "dataset": dataset, "kind": kind.word(), "id": id }, "kind": kind.word(),
            "kept_at": DateTime::now(),
        };
        entry.extend(content);
        entry
    }
}

impl Store {
    /// Writes entries of the journal, durable when this returns; those that are there already are replaced.
    pub async fn keep_entries(&self, entries: &[Document]) -> Result<(), Failure> {
        put(self, JOURNAL, entries).await
    }

    /// The same, but it is only durable when what is written after it is.
    pub async fn replace_entries(&self, entries: &[Document]) -> Result<(), Failure> {
        replace(self, JOURNAL, entries).await
    }

    /// The entries about one dataset, or with a null about the database.
    pub async fn entries_about(
        &self,
        run: ObjectId,
        dataset: &Bson,
    ) -> Result<Vec<Document>, Failure> {
        let journal = self.jobs.collection::<Document>(JOURNAL);
        Ok(journal.find(about(run, dataset)).sort(doc! { "_id": 1 }).await?.try_collect().await?)
    }

    /// The entries about datasets of a run, without the documents that they keep.
    pub async fn kept_datasets(&self, run: ObjectId) -> Result<Vec<Document>, Failure> {
        let filter = doc! { "_id": super::jobs::of(run), "kind": Kind::Dataset.word() };
        let journal = self.jobs.collection::<Document>(JOURNAL);
        let found = journal.find(filter).projection(doc! {
            "_id": 1, "name": 1, "renamed_to": 1, "order": 1, "samples": 1, "frames": 1,
        });
        Ok(found.batch_size(10_000).await?.try_collect().await?)
    }

    /// Whether the journal of a run has anything about one of these datasets.
    pub async fn known_datasets(
        &self,
        run: ObjectId,
        datasets: &[Bson],
    ) -> Result<Vec<Bson>, Failure> {
        let filter = doc! { "_id": { "$in": entries_of(run, datasets) } };
        let journal = self.jobs.collection::<Document>(JOURNAL);
        let found = journal.find(filter).projection(doc! { "_id": 1 });
        let found: Vec<Document> = found.await?.try_collect().await?;
        Ok(found
            .into_iter()
            .filter_map(|it| it.get_document("_id").ok()?.get("dataset").cloned())
            .collect())
    }

    /// The entries about these datasets, without the documents that they keep: what there was to tell of each.
    pub async fn told_datasets(
        &self,
        run: ObjectId,
        datasets: &[Bson],
    ) -> Result<Vec<Document>, Failure> {
        let journal = self.jobs.collection::<Document>(JOURNAL);
        let found = journal.find(doc! { "_id": { "$in": entries_of(run, datasets) } });
        let found = found.projection(doc! { "_id": 1, "told": 1 }).batch_size(10_000);
        Ok(found.await?.try_collect().await?)
    }

    /// Forgets a part of what the journal of a run keeps. Returns whether that was the last one.
    pub async fn forget_entries(&self, run: ObjectId) -> Result<bool, Failure> {
        for (place, many) in [(super::values::VALUES, VALUES_AT_ONCE), (JOURNAL, ENTRIES_AT_ONCE)] {
            let all = super::jobs::of(run);
            let kept = self.jobs.collection::<Document>(place);
            let found = kept.find(doc! { "_id": &all }).sort(doc! { "_id": 1 });
            let last = found.projection(doc! { "_id": 1 }).skip(many - 1).limit(1);
            let last = last.await?.try_next().await?.and_then(|mut it| it.remove("_id"));
            let mut range = all;
            if let Some(last) = &last {
                range.insert("$lte", last);
            }
            let part = doc! { "q": { "_id": range }, "limit": 0 };
            self.jobs_command(doc! { "delete": place, "deletes": [part] }).await?;
            if last.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The runs of this database whose journals were kept for as long as was asked for, and those of whose journals a part
    /// was removed.
    pub async fn journals_to_remove(&self) -> Result<Vec<(ObjectId, JournalState)>, Failure> {
        let expired = doc! { "$lt": DateTime::now() };
        // One that is half undone must be able to go on.
        let busy =
            ["running", "pausing", "cancelling", "verifying", "undoing", "partly_undone"].to_vec();
        let expired = doc! {
            "journal.state": "kept", "journal.expires": expired, "state": { "$nin": busy },
        };
        let either = [expired, doc! { "journal.removing": true }];
        let filter = doc! { "database": self.name(), "$or": either.to_vec() };
        let runs = self.jobs.collection::<Document>(super::jobs::RUNS);
        let found = runs.find(filter).projection(doc! { "journal.state": 1 });
        let found: Vec<Document> = found.await?.try_collect().await?;
        let journal = |it: Document| {
            let state = it.get_document("journal").ok()?.get("state")?.clone();
            Some((it.get_object_id("_id").ok()?, bson::deserialize_from_bson(state).ok()?))
        };
        Ok(found.into_iter().filter_map(journal).collect())
    }

    /// Notes what became of a run's journal, while it is not being carried out, and that it is being removed. Returns
    /// whether it was.
    pub async fn end_journal(&self, run: ObjectId, state: &str) -> Result<bool, Failure> {
        let filter = doc! {
            "_id": run, "state": { "$nin": ["running", "pausing", "cancelling", "verifying", "undoing"] },
        };
        let set = doc! { "$set": { "journal.state": state, "journal.removing": true } };
        let statement = doc! { "q": filter, "u": set };
        let command = doc! {
            "update": super::jobs::RUNS, "updates": [statement], "writeConcern": durable(),
        };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Notes that nothing is left of a run's journal.
    pub async fn journal_is_gone(&self, run: ObjectId) -> Result<(), Failure> {
        let set = doc! { "$set": { "journal.removing": false } };
        let statement = doc! { "q": { "_id": run, "journal.removing": true }, "u": set };
        let command = doc! { "update": super::jobs::RUNS, "updates": [statement] };
        self.jobs_command(command).await.map(drop)
    }

    /// The newest run after this one that has migrated a dataset and was not undone.
    pub async fn migrated_since(
        &self,
        (run, created): (ObjectId, DateTime),
        dataset: &str,
    ) -> Result<Option<ObjectId>, Failure> {
        let filter = doc! { "dataset": dataset, "run": { "$ne": run }, "state": { "$in": ["migrated", "not_undone"] } };
        let datasets = self.jobs.collection::<Document>(super::jobs::RUN_DATASETS);
        let found = datasets.find(filter).projection(doc! { "run": 1 }).await?;
        let others: Vec<Document> = found.try_collect().await?;
        if others.is_empty() {
            return Ok(None);
        }
        // Their ids say nothing of what was first within one second.
        let ids: Vec<Bson> = others.iter().filter_map(|it| it.get("run").cloned()).collect();
        let later = doc! { "_id": { "$in": ids }, "created": { "$gt": created } };
        let runs = self.jobs.collection::<Document>(super::jobs::RUNS);
        let last = runs.find_one(later).sort(doc! { "created": -1 }).projection(doc! { "_id": 1 });
        Ok(last.await?.and_then(|it| it.get_object_id("_id").ok()))
    }
}

/// The `_id`s of the entries about these datasets.
fn entries_of(run: ObjectId, datasets: &[Bson]) -> Vec<Bson> {
    let id = |it: &Bson| -> Bson {
        doc! { "run": run, "dataset": it, "kind": Kind::Dataset.word(), "id": Bson::Null }.into()
    };
    datasets.iter().map(id).collect()
}

/// Matches what one run keeps of one dataset.
pub(super) fn about(run: ObjectId, dataset: &Bson) -> Document {
    let first = doc! { "run": run, "dataset": dataset };
    let mut last = first.clone();
    last.insert(LAST, Bson::MaxKey);
    doc! { "_id": { "$gte": first, "$lt": last } }
}

/// Any key: what is longer comes after what is equal as far as it goes.
const LAST: &str = "kind";

/// Writes documents into a collection of ours, durable when this returns; those that are there already are replaced.
pub(super) async fn put(store: &Store, place: &str, entries: &[Document]) -> Result<(), Failure> {
    let (mut documents, mut bytes, mut from) = (RawArrayBuf::new(), 0, 0);
    for (index, it) in entries.iter().enumerate() {
        let it = raw(it)?;
        let size = it.as_bytes().len();
        if index > from && (bytes + size > COMMAND_BYTES || index - from == STATEMENTS) {
            put_together(store, place, std::mem::take(&mut documents), &entries[from..index])
                .await?;
            (bytes, from) = (0, index);
        }
        bytes += size;
        documents.push(it);
    }
    if from < entries.len() {
        put_together(store, place, documents, &entries[from..]).await?;
    }
    Ok(())
}

/// The same, but it is only durable when what is written after it is.
pub(super) async fn replace(
    store: &Store,
    place: &str,
    entries: &[Document],
) -> Result<(), Failure> {
    let (mut statements, mut bytes) = (Vec::new(), 0);
    for (index, it) in entries.iter().enumerate() {
        bytes += super::datasets::size(it)?;
        statements.push(doc! { "q": { "_id": it.get("_id") }, "u": it, "upsert": true });
        if bytes > COMMAND_BYTES / 2 || index + 1 == entries.len() {
            let updates = std::mem::take(&mut statements);
            let command = doc! { "update": place, "updates": updates, "writeConcern": { "w": 1 } };
            store.jobs_command(command).await?;
            bytes = 0;
        }
    }
    Ok(())
}

async fn put_together(
    store: &Store,
    place: &str,
    documents: RawArrayBuf,
    entries: &[Document],
) -> Result<(), Failure> {
    let mut command = RawDocumentBuf::new();
    command.append(cstr!("insert"), place);
    command.append(cstr!("ordered"), false);
    command.append(cstr!("documents"), documents);
    command.append(cstr!("writeConcern"), raw(&durable())?);
    let answer = store.jobs.run_raw_command(command).await?;
    match super::failure::in_answer(&answer) {
        Err(failure) if failure.is_duplicate() => {}
        put => return put,
    }
    // One by one: an entry may be as large as a command.
    for it in entries {
        let statement = doc! { "q": { "_id": it.get("_id") }, "u": it, "upsert": true };
        let command = doc! { "update": place, "updates": [statement], "writeConcern": durable() };
        store.jobs_command(command).await?;
    }
    Ok(())
}

/// Bytes as they are kept.
pub fn binary(bytes: &[u8]) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }.into()
}

/// The bytes at a key of an entry.
pub fn bytes(entry: &Document, key: &str) -> Vec<u8> {
    match entry.get(key) {
        Some(Bson::Binary(it)) => it.bytes.clone(),
        _ => Vec::new(),
    }
}

/// The document whose bytes an entry keeps.
pub fn document(entry: &Document) -> Result<RawDocumentBuf, Failure> {
    RawDocumentBuf::from_bytes(bytes(entry, "bytes"))
        .map_err(|it| Failure::other(format!("the undo journal cannot be read: {it}")))
}

/// What a later step has made of that document, if there was one.
pub fn changed(entry: &Document) -> Result<Option<RawDocumentBuf>, Failure> {
    if !entry.contains_key("changed") {
        return Ok(None);
    }
    let read = RawDocumentBuf::from_bytes(bytes(entry, "changed"));
    read.map(Some).map_err(|it| Failure::other(format!("the undo journal cannot be read: {it}")))
}

const JOURNAL: &str = "run_journal";
