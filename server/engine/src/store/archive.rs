//! The archive of what downgrades have dropped, in the runs' own database: `archive`, one entry per dataset and downgrade;
//! `archive_documents`, what they keep; values of samples and files are beside them, in [`super::values`].
//!
//! It belongs to the datasets: no journal that expires takes it along.

use bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{
    EntryId, Failure, Store, bytes, durable,
    journal::{about, put, replace},
};

/// Where values of samples, frames and files are.
pub const ARCHIVE_VALUES: &str = "archive_values";

/// About how many datasets it is asked one by one; of more, everything is read.
const ASKED_ONE_BY_ONE: usize = 256;

/// An entry: what one downgrade has dropped of one dataset. Written when all that it stands for is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchiveEntry {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ArchiveId,
    /// What the dataset was called.
    pub name: Option<String>,
    /// When it was archived.
    pub archived: DateTime,
    /// The head that the dataset left.
    pub from: String,
    /// Where it went.
    pub to: String,
    /// Up to where it has been given back.
    pub at: String,
    /// What the dataset has not there, in words.
    pub what: Vec<String>,
    /// How many documents it keeps, so that it is seen if one is gone, and how many bytes they have.
    pub documents: i64,
    /// See `documents`.
    pub bytes: i64,
    /// Under which run the values are kept: another one if that has begun the downgrade and this one has done it.
    pub values: ObjectId,
    /// Where the samples are.
    pub samples: String,
    /// Where the frames are.
    pub frames: String,
    /// What was done to samples and frames: `[{ samples, frames }]`, a footprint each.
    pub passes: Vec<Document>,
    /// The files of results that there were.
    pub results: Vec<ObjectId>,
    /// Those that it has a copy of.
    pub files: Vec<ObjectId>,
    /// Whether it is known that the dataset went down: the entry is there before it does.
    pub confirmed: bool,
    /// To whom it was given back so far.
    pub given: Vec<Given>,
    /// The run that has given all of it back.
    pub closed: Option<ObjectId>,
    /// What somebody was about to give back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub giving: Option<Giving>,
}

/// `{ database, dataset, run }`: one run takes one dataset down once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchiveId {
    /// The FiftyOne database.
    pub database: String,
    /// The `_id` of the dataset.
    pub dataset: Bson,
    /// The run that took it down.
    pub run: ObjectId,
}

/// A way up on which something of an entry was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// The run.
    pub run: ObjectId,
    /// Where the entry was before.
    pub was: String,
    /// Where to.
    pub to: String,
    /// What stayed as it was there: `[{ path, here, archived }]`.
    pub conflicts: Vec<Document>,
}

/// What is given back of an entry as soon as the dataset is committed. Written before that, so that it is known of a
/// dataset that was committed by somebody who was gone right after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Giving {
    /// What was written of it then.
    pub given: Given,
    /// Whether that is all of the entry.
    pub closes: bool,
    /// What tells the document of the dataset as it is committed from any other.
    pub print: Bson,
}

/// What a run has done with the archive, so that nothing is asked about the datasets of one that has done nothing.
#[derive(Clone, Copy, Debug)]
pub struct UsedArchive {
    /// It has kept something there, or has begun to.
    pub kept: bool,
    /// It has given something back.
    pub given: bool,
}

impl Store {
    /// The entries about this database, and those that cannot be read: the `_id` of their dataset, and why.
    pub async fn archive(&self) -> Result<(Vec<ArchiveEntry>, Vec<(Bson, String)>), Failure> {
        let (first, last) = self.of_datasets();
        self.archive_entries(doc! { "_id": { "$gte": first, "$lt": last } }).await
    }

    /// The same about these datasets only.
    pub async fn archive_about(
        &self,
        datasets: &[Bson],
    ) -> Result<(Vec<ArchiveEntry>, Vec<(Bson, String)>), Failure> {
        if datasets.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        if datasets.len() > ASKED_ONE_BY_ONE {
            return self.archive().await;
        }
        let about = |it: &Bson| {
            let first = doc! { "database": self.name(), "dataset": it };
            let mut last = first.clone();
            last.insert("run", Bson::MaxKey);
            doc! { "_id": { "$gte": first, "$lt": last } }
        };
        let either: Vec<Document> = datasets.iter().map(about).collect();
        self.archive_entries(doc! { "$or": either }).await
    }

    async fn archive_entries(
        &self,
        filter: Document,
    ) -> Result<(Vec<ArchiveEntry>, Vec<(Bson, String)>), Failure> {
        let archive = self.jobs.collection::<Document>(ARCHIVE);
        let found = archive.find(filter);
        let mut found = found.batch_size(10_000).await?;
        let (mut entries, mut broken) = (Vec::new(), Vec::new());
        while let Some(it) = found.try_next().await? {
            let dataset = it.get_document("_id").ok().and_then(|it| it.get("dataset")).cloned();
            match bson::deserialize_from_document::<ArchiveEntry>(it) {
                Ok(entry) => entries.push(entry),
                Err(why) => broken.push((dataset.unwrap_or_default(), why.to_string())),
            }
        }
        Ok((entries, broken))
    }

    /// Writes what entries keep, and then the entries, durable when this returns; what is there already is replaced. `again`:
    /// it is only durable when what is written after it is, because somebody is faster than that.
    pub async fn keep_archive(
        &self,
        documents: &[Document],
        entries: &[ArchiveEntry],
        again: bool,
    ) -> Result<(), Failure> {
        let entries: Vec<Document> = entries
            .iter()
            .map(bson::serialize_to_document)
            .collect::<Result<_, _>>()
            .map_err(|it| Failure::other(it.to_string()))?;
        for (place, all) in [(DOCUMENTS, documents), (ARCHIVE, &entries)] {
            if again { replace(self, place, all).await? } else { put(self, place, all).await? }
        }
        Ok(())
    }

    /// Forgets the documents of an entry, but for these.
    pub async fn forget_archived(
        &self,
        run: ObjectId,
        dataset: &Bson,
        but: &[Bson],
    ) -> Result<(), Failure> {
        let mut filter = about(run, dataset);
        if !but.is_empty() {
            filter = doc! { "$and": [filter, { "_id": { "$nin": but } }] };
        }
        let all = doc! { "q": filter, "limit": 0 };
        self.jobs_command(doc! { "delete": DOCUMENTS, "deletes": [all] }).await.map(drop)
    }

    /// What these entries keep, by one query.
    pub async fn archived(&self, entries: &[&ArchiveEntry]) -> Result<Vec<Document>, Failure> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let either: Vec<Document> =
            entries.iter().map(|it| about(it.id.run, &it.id.dataset)).collect();
        let documents = self.jobs.collection::<Document>(DOCUMENTS);
        let found = documents.find(doc! { "$or": either }).sort(doc! { "_id": 1 });
        Ok(found.await?.try_collect().await?)
    }

    /// Notes that these datasets went down, durable when this returns: nothing that comes after it would.
    pub async fn confirm_archive(&self, ids: &[ArchiveId]) -> Result<(), Failure> {
        let ids: Vec<Bson> = ids.iter().map(ArchiveId::stored).collect();
        let set = doc! { "$set": { "confirmed": true } };
        let statement = doc! { "q": { "_id": { "$in": ids } }, "u": set, "multi": true };
        let command = doc! { "update": ARCHIVE, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Notes what was given back of an entry, durable when this returns; `closes`: all of it was. The same again changes
    /// nothing.
    pub async fn give_archive(
        &self,
        id: &ArchiveId,
        given: &Given,
        closes: bool,
    ) -> Result<(), Failure> {
        let stored =
            bson::serialize_to_document(given).map_err(|it| Failure::other(it.to_string()))?;
        let by = closes.then_some(given.run);
        let filter = doc! { "_id": id.stored(), "at": &given.was, "closed": null };
        let change = doc! {
            "$set": { "at": &given.to, "closed": by }, "$push": { "given": stored }, "$unset": { "giving": "" },
        };
        self.change_archive(filter, change).await
    }

    /// Notes what is about to be given back of these entries. The commit that follows waits for all that came before it.
    pub async fn promise_archive(&self, promises: &[(&ArchiveId, Giving)]) -> Result<(), Failure> {
        let mut statements = Vec::new();
        for (id, giving) in promises {
            let stored =
                bson::serialize_to_document(giving).map_err(|it| Failure::other(it.to_string()))?;
            let filter = doc! { "_id": id.stored(), "closed": null };
            statements.push(doc! { "q": filter, "u": { "$set": { "giving": stored } } });
        }
        let command = doc! { "update": ARCHIVE, "updates": statements };
        self.jobs_command(command).await.map(drop)
    }

    /// What a run has done with the archive.
    pub async fn used_archive(&self, run: ObjectId) -> Result<UsedArchive, Failure> {
        let (first, last) = self.of_datasets();
        let of_it = |key: &str| doc! { "_id": { "$gte": &first, "$lt": &last }, key: run };
        let begun = doc! { "_id": super::jobs::of(run) };
        let kept = self.has_any(ARCHIVE, of_it("_id.run")).await?
            || self.has_any(DOCUMENTS, begun.clone()).await?
            || self.has_any(ARCHIVE_VALUES, begun).await?;
        let given = self.has_any(ARCHIVE, of_it("given.run")).await?
            || self.has_any(ARCHIVE, of_it("giving.given.run")).await?;
        Ok(UsedArchive { kept, given })
    }

    async fn has_any(&self, place: &str, filter: Document) -> Result<bool, Failure> {
        let place = self.jobs.collection::<Document>(place);
        Ok(place.find_one(filter).projection(doc! { "_id": 1 }).await?.is_some())
    }

    /// What a run has given back is not given back any more, because it was undone.
    pub async fn take_archive_back(&self, run: ObjectId, dataset: &Bson) -> Result<(), Failure> {
        let (entries, _) = self.archive_about(std::slice::from_ref(dataset)).await?;
        for it in entries {
            let filter = doc! { "_id": it.id.stored() };
            let mut change = Document::new();
            if let Some(given) = it.given.iter().find(|it| it.run == run) {
                change.insert("$set", doc! { "at": &given.was, "closed": null });
                change.insert("$pull", doc! { "given": { "run": run } });
            }
            if it.giving.as_ref().is_some_and(|it| it.given.run == run) {
                change.insert("$unset", doc! { "giving": "" });
            }
            if !change.is_empty() {
                self.change_archive(filter, change).await?;
            }
        }
        Ok(())
    }

    /// The ids of all entries about datasets of this database: from the first, below the last.
    fn of_datasets(&self) -> (Document, Document) {
        let database = self.name();
        (doc! { "database": database }, doc! { "database": database, "dataset": Bson::MaxKey })
    }

    async fn change_archive(&self, filter: Document, change: Document) -> Result<(), Failure> {
        let statement = doc! { "q": filter, "u": change };
        let command = doc! { "update": ARCHIVE, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Forgets an entry and all that it keeps. What it keeps goes first: an entry without it is seen to be broken, and
    /// forgotten by the same again.
    pub async fn forget_archive(&self, run: ObjectId, dataset: &Bson) -> Result<(), Failure> {
        let id = ArchiveId { database: self.name().to_owned(), dataset: dataset.clone(), run };
        let entry = self.jobs.collection::<Document>(ARCHIVE);
        let found = entry.find_one(doc! { "_id": id.stored() }).await?;
        let values = found.and_then(|it| it.get_object_id("values").ok()).unwrap_or(run);
        let all = doc! { "q": about(values, dataset), "limit": 0 };
        self.jobs_command(doc! { "delete": ARCHIVE_VALUES, "deletes": [all] }).await?;
        self.hand_over_archive(run, dataset).await
    }

    /// Forgets all that a run has archived, but for values that the entry of another run has.
    pub async fn forget_archive_of(&self, run: ObjectId) -> Result<(), Failure> {
        let (entries, _) = self.archive().await?;
        for it in entries.iter().filter(|it| it.id.run == run) {
            self.forget_archive(run, &it.id.dataset).await?;
        }
        // What was written before the entries were that it was written for.
        let all = doc! { "q": { "_id": super::jobs::of(run) }, "limit": 0 };
        self.jobs_command(doc! { "delete": DOCUMENTS, "deletes": [all.clone()] }).await?;
        if entries.iter().any(|it| it.id.run != run && it.values == run) {
            return Ok(());
        }
        self.jobs_command(doc! { "delete": ARCHIVE_VALUES, "deletes": [all] }).await.map(drop)
    }

    /// Forgets an entry, but not its values: another one has them now.
    pub async fn hand_over_archive(&self, run: ObjectId, dataset: &Bson) -> Result<(), Failure> {
        self.forget_archived(run, dataset, &[]).await?;
        let id = ArchiveId { database: self.name().to_owned(), dataset: dataset.clone(), run };
        let entry = doc! { "q": { "_id": id.stored() }, "limit": 1 };
        self.jobs_command(doc! { "delete": ARCHIVE, "deletes": [entry] }).await.map(drop)
    }

    /// Forgets entries about a dataset that cannot be read.
    pub async fn forget_broken_archive(&self, dataset: &Bson) -> Result<(), Failure> {
        let filter = doc! { "_id.database": self.name(), "_id.dataset": dataset };
        let archive = self.jobs.collection::<Document>(ARCHIVE);
        let found = archive.find(filter).projection(doc! { "_id": 1 });
        let found: Vec<Document> = found.await?.try_collect().await?;
        for id in found.iter().filter_map(|it| it.get_document("_id").ok()) {
            if let Ok(run) = id.get_object_id("run") {
                self.forget_archive(run, dataset).await?;
            }
            let entry = doc! { "q": { "_id": id }, "limit": 1 };
            self.jobs_command(doc! { "delete": ARCHIVE, "deletes": [entry] }).await?;
        }
        Ok(())
    }

    /// Forgets what a run has given back, now that it cannot be undone any more; but what has conflicts waits for somebody
    /// to look at them.
    pub async fn forget_given(&self, run: ObjectId) -> Result<(), Failure> {
        let (entries, _) = self.archive().await?;
        for it in entries.iter().filter(|it| it.closed == Some(run) && !it.has_conflicts()) {
            self.forget_archive(it.id.run, &it.id.dataset).await?;
        }
        Ok(())
    }

    /// Replaces a delegated operation that is still what it was expected to be. Returns whether it was, or is changed
    /// already.
    pub async fn change_operation(
        &self,
        read: &Document,
        changed: &Document,
    ) -> Result<bool, Failure> {
        let either: [Bson; 2] =
            [read, changed].map(|it| doc! { "$eq": ["$$ROOT", { "$literal": it }] }.into());
        let filter = doc! { "_id": read.get("_id"), "$expr": { "$or": either.to_vec() } };
        let statement = doc! { "q": filter, "u": changed };
        let command = doc! { "update": "delegated_ops", "updates": [statement] };
        Ok(super::server::number(self.command(command).await?.get("n")) == Some(1))
    }
}

impl ArchiveId {
    fn stored(&self) -> Bson {
        let Self { database, dataset, run } = self;
        doc! { "database": database, "dataset": dataset, "run": run }.into()
    }
}

impl EntryId {
    /// A document that is archived, byte for byte.
    pub fn archiving(&self, document: &RawDocumentBuf) -> Document {
        self.with(doc! { "bytes": super::binary(document.as_bytes()) })
    }
}

/// The document that an entry keeps.
pub fn archived(kept: &Document) -> Result<Document, String> {
    let raw = RawDocumentBuf::from_bytes(bytes(kept, "bytes")).map_err(|it| it.to_string())?;
    Document::try_from(raw.as_ref()).map_err(|it| it.to_string())
}

const ARCHIVE: &str = "archive";
const DOCUMENTS: &str = "archive_documents";
