//! Uploads of media and what is known of every file of one: `uploads` and `upload_files` in the app's own database.

use std::collections::HashMap;

use ::media::{
    Fault, Part, Parts,
    manifest::{Entry as FileEntry, State},
};
use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use model::{FileCount, UploadQuestion};
use serde::{Deserialize, Serialize};

use super::{Failure, Holder, Store, durable, millis, server::number, within};

/// The records of uploads.
pub const UPLOADS: &str = "uploads";

/// What is known of their files.
pub const UPLOAD_FILES: &str = "upload_files";

/// How long somebody who uploads is taken to be there without saying so.
const CLAIM: std::time::Duration = std::time::Duration::from_secs(30);

/// An upload: the media of one dataset to one destination. There is one of both, however often it is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadRecord {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The FiftyOne database.
    pub database: String,
    /// The dataset's `_id`.
    pub dataset: Bson,
    /// What it was called when it was run last.
    pub name: String,
    /// Where to.
    pub destination: String,
    /// Which files go where, as it was asked for last.
    pub layout: Document,
    /// Who has run it last.
    pub by: String,
    /// When it was run last.
    pub begun: DateTime,
    /// The number of the last time that it was run: files that were not seen then are no part of the dataset any more.
    pub turn: ObjectId,
    /// How many requests side by side, and how many bytes a second; 0 for any.
    pub limits: (i64, i64),
    /// What tells this holding of it from every other.
    pub claim: ObjectId,
    /// Whether somebody wants it to end.
    #[serde(default)]
    pub stop: bool,
    /// Why it ended last, if it could not go on.
    #[serde(default)]
    pub why: Option<String>,
    /// What was asked for, as it was typed.
    #[serde(default)]
    pub question: UploadQuestion,
    /// Who is at it.
    pub holder: Option<Holder>,
    /// Until when they are taken to be there.
    pub expires: Option<DateTime>,
    /// When it was verified as a whole.
    pub verified: Option<DateTime>,
}

/// A file as it is to be written down.
#[derive(Clone, Debug)]
pub struct PlannedFile {
    /// Where it is.
    pub source: String,
    /// Where it goes.
    pub place: String,
    /// The field that refers to it.
    pub field: String,
    /// How it is now, if it is there.
    pub stamp: Option<::media::Stamp>,
}

impl Store {
    /// The upload of a dataset to a destination.
    pub async fn upload(
        &self,
        dataset: &Bson,
        destination: &str,
    ) -> Result<Option<UploadRecord>, Failure> {
        let uploads = self.jobs.collection::<UploadRecord>(UPLOADS);
        let filter =
            doc! { "database": self.name(), "dataset": dataset, "destination": destination };
        Ok(uploads.find_one(filter).await?)
    }

    /// Every upload of this database, the last one first.
    pub async fn uploads(&self) -> Result<Vec<UploadRecord>, Failure> {
        let uploads = self.jobs.collection::<UploadRecord>(UPLOADS);
        let found = uploads.find(doc! { "database": self.name() });
        Ok(found.sort(doc! { "begun": -1 }).await?.try_collect().await?)
    }

    /// Takes an upload into our hands, and writes down what is asked of it. Returns the record as it was before, or who has it.
    pub async fn claim_upload(
        &self,
        record: &UploadRecord,
    ) -> Result<Result<Option<UploadRecord>, UploadRecord>, Failure> {
        self.have_indexes().await;
        let whole = bson::serialize_to_document(record);
        let mut whole = whole.map_err(|it| Failure::other(it.to_string()))?;
        let Some(before) = self.upload(&record.dataset, &record.destination).await? else {
            let command =
                doc! { "insert": UPLOADS, "documents": [whole], "writeConcern": durable() };
            match self.jobs_command(command).await {
                Ok(_) => {}
                // Somebody else has begun it in the same moment.
                Err(it) if it.is_duplicate() => return Ok(Err(record.clone())),
                Err(it) => return Err(it),
            }
            self.renew_upload(record.id, record.claim).await?;
            return Ok(Ok(None));
        };
        whole.remove("_id");
        whole.remove("expires");
        let mut free = vec![doc! { "$lte": [{ "$ifNull": ["$expires", "$$NOW"] }, "$$NOW"] }];
        if before.holder.as_ref().is_some_and(Holder::is_gone) {
            free.push(doc! { "$eq": ["$claim", before.claim] });
        }
        let literal: Document =
            whole.into_iter().map(|(key, it)| (key, doc! { "$literal": it }.into())).collect();
        let statement = doc! {
            "q": { "_id": before.id, "$expr": { "$or": free } },
            "u": [{ "$set": literal }, until()],
        };
        let command = doc! { "update": UPLOADS, "updates": [statement], "writeConcern": durable() };
        let taken = number(self.jobs_command(command).await?.get("n")) == Some(1);
        Ok(if taken { Ok(Some(before)) } else { Err(before) })
    }

    /// Says that we are still at it. Returns what is asked of it now; `None` if somebody else has it.
    pub async fn renew_upload(
        &self,
        id: ObjectId,
        claim: ObjectId,
    ) -> Result<Option<UploadRecord>, Failure> {
        // Not one that was given back while this was on its way: nobody could begin until it has lapsed.
        let ours = doc! { "_id": id, "claim": claim, "holder": { "$ne": null } };
        let statement = doc! { "q": ours, "u": [until()] };
        let command = doc! { "update": UPLOADS, "updates": [statement] };
        if number(self.jobs_command(command).await?.get("n")) != Some(1) {
            return Ok(None);
        }
        let uploads = self.jobs.collection::<UploadRecord>(UPLOADS);
        Ok(uploads.find_one(doc! { "_id": id }).await?)
    }

    /// Lets it go, for whoever comes next. `verified`: whether all of it was; `why`: what kept it from going on.
    pub async fn release_upload(
        &self,
        id: ObjectId,
        claim: ObjectId,
        verified: bool,
        why: Option<&str>,
    ) -> Result<(), Failure> {
        let verified = if verified { Bson::from(DateTime::now()) } else { Bson::Null };
        let set =
            doc! { "$set": { "holder": null, "expires": null, "verified": verified, "why": why } };
        let statement = doc! { "q": { "_id": id, "claim": claim }, "u": set };
        let command = doc! { "update": UPLOADS, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Changes the limits of an upload, also while it goes on elsewhere. Returns whether there is one.
    pub async fn limit_upload(
        &self,
        dataset: &Bson,
        destination: &str,
        limits: (i64, i64),
    ) -> Result<bool, Failure> {
        let filter =
            doc! { "database": self.name(), "dataset": dataset, "destination": destination };
        let set = doc! { "$set": { "limits": [limits.0, limits.1] } };
        let command = doc! { "update": UPLOADS, "updates": [{ "q": filter, "u": set }] };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Asks whoever is at an upload to end.
    pub async fn stop_upload(&self, id: ObjectId) -> Result<(), Failure> {
        let statement = doc! { "q": { "_id": id }, "u": { "$set": { "stop": true } } };
        self.jobs_command(doc! { "update": UPLOADS, "updates": [statement] }).await.map(drop)
    }

    /// The upload with this id.
    pub async fn upload_with(&self, id: ObjectId) -> Result<Option<UploadRecord>, Failure> {
        let uploads = self.jobs.collection::<UploadRecord>(UPLOADS);
        Ok(uploads.find_one(doc! { "_id": id, "database": self.name() }).await?)
    }

    /// Writes files down. What is known of one stays, unless it goes elsewhere now or was changed since.
    pub async fn plan_files(
        &self,
        upload: ObjectId,
        turn: ObjectId,
        files: &[PlannedFile],
    ) -> Result<(), Failure> {
        let mut statements = Vec::with_capacity(files.len());
        for it in files {
            let stamp = bson::serialize_to_bson(&it.stamp);
            let stamp = stamp.map_err(|it| Failure::other(it.to_string()))?;
            let place = doc! { "$literal": &it.place };
            let elsewhere = doc! { "$ne": ["$place", place.clone()] };
            let sent = doc! { "$in": ["$state", [State::Uploaded.word(), State::Verified.word(), State::Cleaned.word()]] };
            let changed = doc! { "$and": [sent, it.stamp.is_some(), { "$ne": ["$stamp", stamp] }] };
            let again = doc! { "$or": [elsewhere.clone(), changed] };
            statements.push(Bson::from(doc! {
                "q": { "upload": upload, "source": &it.source },
                "u": [
                    { "$set": {
                        "state": { "$cond": [again, State::Planned.word(), { "$ifNull": ["$state", State::Planned.word()] }] },
                        "sent": { "$cond": [elsewhere, "$$REMOVE", "$sent"] },
                    } },
                    { "$set": { "place": place, "field": { "$literal": &it.field }, "turn": turn } },
                ],
                "upsert": true,
            }));
        }
        self.note_files(statements).await
    }

    /// Carries out updates of `upload_files`, durably.
    pub async fn note_files(&self, statements: Vec<Bson>) -> Result<(), Failure> {
        if statements.is_empty() {
            return Ok(());
        }
        let command = doc! {
            "update": UPLOAD_FILES, "updates": statements, "ordered": false, "writeConcern": durable(),
        };
        self.jobs_command(command).await.map(drop)
    }

    /// The next files of an upload in one of these states, after `after`, with their ids.
    pub async fn files(
        &self,
        wanted: Document,
        after: Option<ObjectId>,
        at_most: i64,
    ) -> Result<Vec<(ObjectId, FileEntry)>, Failure> {
        let mut filter = wanted;
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after });
        }
        let files = self.jobs.collection::<Document>(UPLOAD_FILES);
        let found = files.find(filter).sort(doc! { "_id": 1 }).limit(at_most);
        let found: Vec<Document> = found.await?.try_collect().await?;
        found.into_iter().map(entry).collect()
    }

    /// What is known of the files with these sources.
    pub async fn files_of(
        &self,
        upload: ObjectId,
        sources: &[&str],
    ) -> Result<HashMap<String, FileEntry>, Failure> {
        let files = self.jobs.collection::<Document>(UPLOAD_FILES);
        let found = files.find(doc! { "upload": upload, "source": { "$in": sources } });
        let found: Vec<Document> = found.await?.try_collect().await?;
        let entries = found.into_iter().map(|it| entry(it).map(|(_, it)| (it.source.clone(), it)));
        entries.collect()
    }

    /// How many files there are of each state, and of each cause of a failure: `(state, cause)`.
    pub async fn count_files(
        &self,
        filter: Document,
    ) -> Result<Vec<(State, Option<String>, FileCount)>, Failure> {
        let size = doc! { "$ifNull": ["$sent.size", "$stamp.size", 0_i64] };
        let stages = [
            doc! { "$match": filter },
            doc! { "$group": {
                "_id": { "state": "$state", "cause": { "$cond": [{ "$eq": ["$state", State::Failed.word()] }, "$fault.cause", null] } },
                "files": { "$sum": 1_i64 }, "bytes": { "$sum": size },
            } },
            doc! { "$sort": { "_id": 1 } },
        ];
        let files = self.jobs.collection::<Document>(UPLOAD_FILES);
        let found: Vec<Document> = files.aggregate(stages).await?.try_collect().await?;
        let read = |it: Document| -> Result<(State, Option<String>, FileCount), Failure> {
            let unknown = || Failure::other(format!("no state of files is known as {it}"));
            let id = it.get_document("_id").map_err(|_| unknown())?;
            let state = id.get("state").cloned().ok_or_else(unknown)?;
            let state = bson::deserialize_from_bson(state).map_err(|_| unknown())?;
            let cause = id.get_str("cause").ok().map(str::to_owned);
            let count = |key: &str| number(it.get(key)).unwrap_or(0).unsigned_abs();
            Ok((state, cause, FileCount { files: count("files"), bytes: count("bytes") }))
        };
        found.into_iter().map(read).collect()
    }

    /// The files that took longest, slowest first.
    pub async fn slowest_files(
        &self,
        filter: Document,
        at_most: i64,
    ) -> Result<Vec<FileEntry>, Failure> {
        let files = self.jobs.collection::<Document>(UPLOAD_FILES);
        let found = files.find(filter).sort(doc! { "millis": -1 }).limit(at_most);
        let found: Vec<Document> = found.await?.try_collect().await?;
        found.into_iter().map(|it| entry(it).map(|(_, it)| it)).collect()
    }

    /// The next documents of a collection, in the order of their ids, with these fields alone.
    pub async fn piece(
        &self,
        collection: &str,
        after: Option<&Bson>,
        keys: &[String],
        at_most: i64,
    ) -> Result<Vec<Document>, Failure> {
        let filter = super::Range { after: after.cloned(), until: None };
        let filter = match after {
            Some(Bson::ObjectId(after)) => doc! { "_id": { "$gt": after } },
            _ => filter.filter(),
        };
        let fields: Document = keys.iter().map(|it| (it.clone(), 1.into())).collect();
        let collection = self.collection(collection);
        let found = collection.find(filter).sort(doc! { "_id": 1 }).projection(fields);
        let size = u32::try_from(at_most).unwrap_or(u32::MAX);
        let asked = async { found.limit(at_most).batch_size(size).await?.try_collect().await };
        within(super::LONGEST_WRITE * 12, asked).await
    }
}

/// What is done to a file's record.
pub fn file_statement(upload: ObjectId, source: &str, change: Document) -> Bson {
    doc! { "q": { "upload": upload, "source": source }, "u": change }.into()
}

/// What becomes of the record of a file whose parts are noted. Only the newest of them is sent: they may be thousands.
pub fn parts_change(parts: Option<&Parts>) -> Result<Document, Failure> {
    let written =
        |it: Result<Bson, bson::error::Error>| it.map_err(|it| Failure::other(it.to_string()));
    Ok(match parts {
        None => doc! { "$unset": { "parts": "" } },
        Some(parts) => match parts.accepted.last() {
            None => doc! { "$set": { "parts": written(bson::serialize_to_bson(parts))? } },
            Some(newest) => {
                doc! { "$push": { "parts.accepted": written(bson::serialize_to_bson(newest))? } }
            }
        },
    })
}

/// The change that notes a fault.
pub fn fault_change(fault: &Fault) -> Result<Document, Failure> {
    let fault = bson::serialize_to_bson(fault).map_err(|it| Failure::other(it.to_string()))?;
    Ok(doc! {
        "$set": { "state": State::Failed.word(), "fault": fault }, "$unset": { "unverified": "" },
    })
}

fn entry(mut it: Document) -> Result<(ObjectId, FileEntry), Failure> {
    let id = it.remove("_id").and_then(|it| it.as_object_id());
    let id = id.ok_or_else(|| Failure::other(format!("the record of a file has no id: {it}")))?;
    let entry = bson::deserialize_from_document::<FileEntry>(it);
    let mut entry = entry.map_err(|it| Failure::other(it.to_string()))?;
    if let Some(parts) = &mut entry.parts {
        // One that was sent again is noted again: the last word counts.
        let last: HashMap<u32, Part> = parts.accepted.drain(..).map(|it| (it.index, it)).collect();
        parts.accepted = last.into_values().collect();
        parts.accepted.sort_by_key(|it| it.index);
    }
    Ok((id, entry))
}

fn until() -> Document {
    doc! { "$set": { "expires": { "$add": ["$$NOW", millis(CLAIM)] } } }
}
