//! Taking the files of a dataset to a destination, many side by side, so that it can be stopped and gone on with at any moment.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use media::{
    Cause, Destination, Done, Fault, Ledger, Parts, Uploader,
    manifest::{Entry, State},
    scene,
};
use model::{Action, MediaSurvey, Permit, UploadReport, media_path};
use tokio::sync::mpsc;

use super::{
    TransferPhase, TransferProgress, UploadRequest, content, gather::Gather, held::HeldUpload,
    record::Recorder, report::unlooked, survey::Planned,
};
use crate::{
    Engine, Error, Result,
    store::{Failure, Holder, Store, UploadRecord, fault_change, file_statement, parts_change},
};

/// After how many refusals, and nothing else, it is given up.
const DENIED: u64 = 20;

/// How many records of files are read at once.
const PAGE: i64 = 1_000;

/// From how many files on a whole list of the destination takes less time than asking for each.
pub(super) const LIST_FROM: u64 = 100;

/// How many objects of a list are remembered; if there are more, each file is asked for.
const LISTED: usize = 2_000_000;

impl Engine {
    /// Uploads what is not there yet, and verifies what was uploaded. The same again goes on where it was.
    ///
    /// # Errors
    ///
    /// If it is not allowed, cannot begin as the survey says, somebody else is at it, or it cannot go on for a reason that holds for
    /// every file. What went wrong with one file is in the report.
    pub async fn upload_media(
        &self,
        permit: &Permit,
        request: &UploadRequest,
        progress: &TransferProgress,
    ) -> Result<UploadReport> {
        let prepared = self.prepared_upload(permit, request, progress).await?;
        self.upload_prepared(permit, request, prepared, progress).await
    }

    /// What is to be sent where; `None` if nothing is, and only what was sent is looked at.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or cannot begin as the survey says.
    pub(super) async fn prepared_upload(
        &self,
        permit: &Permit,
        request: &UploadRequest,
        progress: &TransferProgress,
    ) -> Result<Option<Planned>> {
        permit.covers(Action::MoveMedia)?;
        if request.only_verify {
            return Ok(None);
        }
        let planned = self.planned(request, progress).await?;
        match planned.survey.blockers.first() {
            Some(why) => Err(Error::Refused(why.clone())),
            None => Ok(Some(planned)),
        }
    }

    /// Does what was prepared.
    ///
    /// # Errors
    ///
    /// Those of [`Self::upload_media`].
    pub(super) async fn upload_prepared(
        &self,
        permit: &Permit,
        request: &UploadRequest,
        prepared: Option<Planned>,
        progress: &TransferProgress,
    ) -> Result<UploadReport> {
        let Some(planned) = prepared else {
            return self.verify_again(permit, request, progress).await;
        };
        let record = record(permit, request, &planned, self.store.name());
        let record = record.map_err(|it| self.store.error(it))?;
        let held = HeldUpload::take(&self.store, record, progress).await?;
        let done = match self.is_alone(&held, planned.to.url()).await {
            Ok(()) => self.carried(request, &planned, &held, progress).await,
            Err(why) => Err(why),
        };
        let report = match done {
            Ok(()) => self.upload_report(doc! { "upload": held.id, "turn": held.turn }).await,
            Err(why) => Err(why),
        };
        let verified = report.as_ref().is_ok_and(UploadReport::is_verified);
        held.release(&report, verified).await?;
        let MediaSurvey { name, destination, unplaced, .. } = planned.survey;
        Ok(UploadReport { name, destination, unplaced: unplaced.values().sum(), ..report? })
    }

    /// Refuses where another upload goes on to the same place: each would take what the other has just sent for nothing of its own.
    /// Both are held when they look, so that no two miss each other.
    async fn is_alone(&self, held: &HeldUpload, to: &str) -> Result<()> {
        let all = self.store.uploads().await.map_err(|it| self.store.error(it))?;
        let now = DateTime::now();
        let goes_on = |it: &&UploadRecord| {
            let is_held = it.expires.is_some_and(|it| it > now);
            is_held && !it.holder.as_ref().is_some_and(Holder::is_gone)
        };
        let within =
            |folder: &str, it: &str| folder == it || media_path::rest_below(folder, it).is_some();
        let meets = |it: &&UploadRecord| within(to, &it.destination) || within(&it.destination, to);
        match all.iter().filter(|it| it.id != held.id).filter(goes_on).find(meets) {
            None => Ok(()),
            Some(other) => Err(Error::Refused(format!(
                "the media of `{}` are being uploaded to {} at this moment, which is the same place; wait until that has ended, or \
                 choose a folder of its own for each dataset",
                other.name, other.destination
            ))),
        }
    }

    async fn carried(
        &self,
        request: &UploadRequest,
        planned: &Planned,
        held: &HeldUpload,
        progress: &TransferProgress,
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        let mut sender = Sender::new(&self.store, request, planned, held, progress);
        if held.has_other_places() {
            self.forget_parts(held, &sender).await?;
        }
        let mut gather = Gather::new(&self.store, &planned.subject, &planned.to);
        while let Some(files) = gather.next().await? {
            let entries: Vec<_> = files.iter().filter_map(|it| planned.entry(it)).collect();
            for some in entries.chunks(500) {
                self.store.plan_files(held.id, held.turn, some).await.map_err(error)?;
            }
        }
        let filter = wanted(held, request.only);
        let counts = self.store.count_files(filter.clone()).await.map_err(error)?;
        let files: u64 = counts.iter().map(|(.., it)| it.files).sum();
        let bytes: u64 = counts.iter().map(|(.., it)| it.bytes).sum();
        progress.enter(TransferPhase::Uploading);
        progress.expect(files, bytes);
        if files >= LIST_FROM {
            sender.listed = listed(&sender.to).await?;
        } else if files > 0 {
            may_begin(&sender.to).await?;
        }
        self.send_all(filter, Arc::new(sender), progress).await?;
        if progress.throttle.is_stopped() {
            return Ok(());
        }
        // With those that nobody could look at before.
        let open = [doc! { "state": State::Uploaded.word() }, unlooked()];
        let sent = doc! { "upload": held.id, "turn": held.turn, "$or": open };
        self.look_at(held.id, sent, &planned.to, request.care, progress).await
    }

    /// What was begun under places that may be no more is given up, before anybody forgets them.
    async fn forget_parts(&self, held: &HeldUpload, sender: &Sender) -> Result<()> {
        let mut after = None;
        let filter = doc! { "upload": held.id, "parts": { "$exists": true } };
        loop {
            let found = self.store.files(filter.clone(), after, PAGE).await;
            let found = found.map_err(|it| self.store.error(it))?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = Some(*last);
            for (_, entry) in found {
                let gone = sender.uploader().abandon(&entry, sender).await;
                gone.map_err(super::refused)?;
            }
        }
    }

    async fn send_all(
        &self,
        filter: Document,
        sender: Arc<Sender>,
        progress: &TransferProgress,
    ) -> Result<()> {
        let recorder = Recorder::new(&self.store);
        let each = |entry| sender.clone().send(entry, recorder.sender());
        let sent = self.each_file(filter, progress, each).await;
        recorder.end(&self.store).await?;
        sent?;
        let broken = sender.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        broken.map_or(Ok(()), |it| Err(super::refused(it)))
    }
}

/// What every file is sent with.
struct Sender {
    store: Store,
    upload: ObjectId,
    to: Destination,
    overwrite: bool,
    listed: Listed,
    progress: TransferProgress,
    /// How many files have arrived, and how many were not allowed to.
    arrived: AtomicU64,
    denied: AtomicU64,
    /// Why nothing can go on.
    broken: Mutex<Option<Fault>>,
}

impl Sender {
    fn new(
        store: &Store,
        request: &UploadRequest,
        planned: &Planned,
        held: &HeldUpload,
        progress: &TransferProgress,
    ) -> Self {
        Self {
            store: store.clone(),
            upload: held.id,
            to: planned.to.clone(),
            overwrite: request.overwrite,
            listed: Listed::default(),
            progress: progress.clone(),
            arrived: AtomicU64::default(),
            denied: AtomicU64::default(),
            broken: Mutex::default(),
        }
    }

    fn uploader(&self) -> Uploader<'_> {
        Uploader { to: &self.to, throttle: &self.progress.throttle, overwrite: self.overwrite }
    }

    async fn send(self: Arc<Self>, entry: Entry, to: mpsc::Sender<Bson>) {
        let begun = Instant::now();
        let sent = self.sent(&entry).await;
        let millis = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let change = match sent {
            Ok(done) => {
                self.progress.done(done.sent.size);
                self.arrived.fetch_add(1, Ordering::Relaxed);
                done_change(&done, millis)
            }
            Err(fault) if fault.cause == Cause::Stopped => return,
            Err(fault) => {
                if fault.cause.is_of_all() || self.is_denied(&fault) {
                    self.break_off(&fault);
                }
                self.progress.has_failed();
                fault_change(&fault)
            }
        };
        match change {
            Ok(change) => {
                let statement = file_statement(self.upload, &entry.source, change);
                if to.send(statement).await.is_err() {
                    // Nothing can be written down: what is sent from now on would not be known.
                    self.progress.throttle.stop();
                }
            }
            Err(failure) => self.break_off(&Fault::new(Cause::Other, failure.text)),
        }
    }

    /// Ends all of it.
    fn break_off(&self, fault: &Fault) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert_with(|| fault.clone());
        self.progress.throttle.stop();
    }

    /// Whether it can be taken that nothing is allowed there: a millionth file need not be refused to know it.
    fn is_denied(&self, fault: &Fault) -> bool {
        let denied = match fault.cause {
            Cause::Rights => self.denied.fetch_add(1, Ordering::Relaxed) + 1,
            _ => 0,
        };
        denied >= DENIED && self.arrived.load(Ordering::Relaxed) == 0
    }

    async fn sent(&self, entry: &Entry) -> std::result::Result<Done, Fault> {
        let there = self.listed.at(&entry.place);
        let content =
            if scene::is_scene(&entry.source) { self.content(entry).await? } else { None };
        self.uploader().upload(entry, there, content, self).await
    }

    async fn content(&self, entry: &Entry) -> std::result::Result<Option<Vec<u8>>, Fault> {
        let of = entry.clone();
        let read = tokio::task::spawn_blocking(move || content::assets(&of)).await;
        let (scene, assets) = read.map_err(|it| {
            Fault::new(Cause::Other, format!("reading broke off: {it}; run the same again"))
        })??;
        let sources: Vec<&str> = assets.values().map(String::as_str).collect();
        let places = self.store.files_of(self.upload, &sources).await;
        let places = places.map_err(|it| Fault::new(Cause::Connection, it.text))?;
        Ok(content::redirected(entry, scene, &assets, &places, &self.to))
    }
}

impl Ledger for Sender {
    async fn note(&self, entry: &Entry, parts: Option<&Parts>) -> std::result::Result<(), Fault> {
        let failed = |it: Failure| Fault::new(Cause::Other, it.text);
        let change = parts_change(parts).map_err(failed)?;
        let statement = file_statement(self.upload, &entry.source, change);
        self.store.note_files(vec![statement]).await.map_err(failed)
    }
}

/// Files that are to be sent: those that were not yet, and those that have failed.
fn wanted(held: &HeldUpload, only: Option<Cause>) -> Document {
    let mut filter = doc! { "upload": held.id, "turn": held.turn };
    match only {
        Some(cause) => {
            filter.insert("state", State::Failed.word());
            filter.insert("fault.cause", cause.word());
        }
        None => {
            filter.insert("state", doc! { "$in": [State::Planned.word(), State::Failed.word()] });
        }
    }
    filter
}

/// What is at a destination, by the marks of places; nothing if each file has to be asked for.
#[derive(Default)]
pub(super) struct Listed(pub Option<HashMap<u128, (u64, Option<String>)>>);

/// Lists a destination, if that is allowed and there is not too much.
///
/// # Errors
///
/// If it cannot be listed for a reason that holds for whatever is done there.
pub(super) async fn listed(to: &Destination) -> Result<Listed> {
    let mut there = HashMap::new();
    let Some(mut list) = to.list() else { return Ok(Listed::default()) };
    loop {
        match list.try_next().await {
            Ok(Some(_)) if there.len() >= LISTED => return Ok(Listed::default()),
            Ok(Some(it)) => {
                there.insert(super::mark(&it.place), (it.size, it.tag));
            }
            Ok(None) => return Ok(Listed(Some(there))),
            Err(why) if why.cause.is_of_all() => return Err(super::refused(why)),
            Err(why) => {
                tracing::info!("each file is asked for: {why}");
                return Ok(Listed::default());
            }
        }
    }
}

/// Whether the credentials are known there: an answer about a single file often does not say so.
async fn may_begin(to: &Destination) -> Result<()> {
    let Some(mut list) = to.list() else { return Ok(()) };
    match list.try_next().await {
        Err(why) if why.cause.is_of_all() => Err(super::refused(why)),
        _ => Ok(()),
    }
}

fn done_change(done: &Done, millis: i64) -> std::result::Result<Document, Failure> {
    let failed = |it: bson::error::Error| Failure::other(it.to_string());
    let sent = bson::serialize_to_bson(&done.sent).map_err(failed)?;
    let stamp = bson::serialize_to_bson(&done.stamp).map_err(failed)?;
    Ok(doc! {
        "$set": {
            "state": State::Uploaded.word(), "stamp": stamp, "sent": sent, "millis": millis, "was_there": done.was_there,
        },
        "$unset": { "fault": "", "parts": "", "unverified": "" },
    })
}

fn record(
    permit: &Permit,
    request: &UploadRequest,
    planned: &Planned,
    database: &str,
) -> std::result::Result<UploadRecord, Failure> {
    let failed = |it: bson::error::Error| Failure::other(it.to_string());
    let layout = bson::serialize_to_bson(&request.layout).map_err(failed)?;
    let how = bson::serialize_to_bson(&request.on_collision).map_err(failed)?;
    Ok(UploadRecord {
        id: identity(database, &planned.subject.entry.id_text(), planned.to.url()),
        database: database.to_owned(),
        dataset: planned.subject.entry.id.clone(),
        name: planned.subject.entry.label(),
        destination: planned.to.url().to_owned(),
        layout: doc! { "layout": layout, "root": &planned.plan.root, "on_collision": how },
        by: permit.holder().to_owned(),
        begun: DateTime::now(),
        turn: ObjectId::new(),
        claim: ObjectId::new(),
        limits: request.limits(),
        stop: false,
        why: None,
        question: request.question.clone(),
        holder: Some(Holder::this()),
        expires: None,
        verified: None,
    })
}

/// The same for the same dataset and destination, so that two who begin at once cannot both have one.
pub(super) fn identity(database: &str, dataset: &str, to: &str) -> ObjectId {
    let mark = super::mark(format!("{database}\n{dataset}\n{to}")).to_be_bytes();
    let mut bytes = [0; 12];
    bytes.iter_mut().zip(mark).for_each(|(to, from)| *to = from);
    ObjectId::from_bytes(bytes)
}
