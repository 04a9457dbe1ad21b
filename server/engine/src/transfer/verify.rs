//! Looking whether what was uploaded is at its destination, file by file.

use std::sync::Arc;

use bson::{Bson, Document, doc, oid::ObjectId};
use media::{
    Care, Cause, Destination, Fault, Found, There, environment,
    manifest::{Entry, State},
};
use model::{Permit, UploadReport};
use tokio::sync::mpsc;

use super::{
    TransferPhase, TransferProgress, UploadRequest,
    held::HeldUpload,
    no_upload,
    record::Recorder,
    refused,
    subject::Subject,
    upload::{LIST_FROM, Listed, listed},
};
use crate::{
    Engine, Result,
    store::{Holder, UploadRecord, fault_change, file_statement},
};

/// What every file is looked at with.
struct Looking {
    upload: ObjectId,
    to: Destination,
    care: Care,
    listed: Listed,
    progress: TransferProgress,
}

impl Engine {
    /// Looks again at everything that was ever sent, whether the dataset still refers to it here or not.
    pub(super) async fn verify_again(
        &self,
        permit: &Permit,
        request: &UploadRequest,
        progress: &TransferProgress,
    ) -> Result<UploadReport> {
        let to = Destination::open(&request.to, &environment).map_err(refused)?;
        let subject = self.subject(&request.dataset, &[]).await?;
        let (held, _) = self.hold_upload(permit, &subject, &to, request.limits(), progress).await?;
        let states = [State::Uploaded.word(), State::Verified.word(), State::Cleaned.word()];
        let sent = doc! { "upload": held.id, "state": { "$in": states } };
        let looked = self.look_at(held.id, sent, &to, request.care, progress).await;
        let report = match looked {
            Ok(()) => self.upload_report(doc! { "upload": held.id }).await,
            Err(why) => Err(why),
        };
        let verified = report.as_ref().is_ok_and(UploadReport::is_verified);
        held.release(&report, verified).await?;
        let (name, destination) = (subject.entry.label(), to.url().to_owned());
        Ok(UploadReport { name, destination, ..report? })
    }

    /// Takes an upload that there is into our hands, and changes nothing else of it. Returns how it was.
    pub(super) async fn hold_upload(
        &self,
        permit: &Permit,
        subject: &Subject,
        to: &Destination,
        limits: (i64, i64),
        progress: &TransferProgress,
    ) -> Result<(HeldUpload, UploadRecord)> {
        let found = self.store.upload(&subject.entry.id, to.url()).await;
        let found = found.map_err(|it| self.store.error(it))?;
        let upload = found.ok_or_else(|| no_upload(&subject.entry.label(), to.url()))?;
        let record = UploadRecord {
            claim: ObjectId::new(),
            by: permit.holder().to_owned(),
            holder: Some(Holder::this()),
            limits,
            stop: false,
            ..upload.clone()
        };
        Ok((HeldUpload::take(&self.store, record, progress).await?, upload))
    }

    pub(super) async fn look_at(
        &self,
        upload: ObjectId,
        filter: Document,
        to: &Destination,
        care: Care,
        progress: &TransferProgress,
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        let counts = self.store.count_files(filter.clone()).await.map_err(error)?;
        let files: u64 = counts.iter().map(|(.., it)| it.files).sum();
        progress.enter(TransferPhase::Verifying);
        progress.expect(files, 0);
        let listed = if files >= LIST_FROM { listed(to).await? } else { Listed::default() };
        let looking = Looking { upload, to: to.clone(), care, listed, progress: progress.clone() };
        let (looking, recorder) = (Arc::new(looking), Recorder::new(&self.store));
        let look = |entry| looking.clone().look(entry, recorder.sender());
        let looked = self.each_file(filter, progress, look).await;
        recorder.end(&self.store).await?;
        looked
    }
}

impl Looking {
    async fn look(self: Arc<Self>, entry: Entry, to: mpsc::Sender<Bson>) {
        let change = match self.verified(&entry).await {
            Err(fault) if fault.cause == Cause::Stopped => return,
            Err(fault) => {
                self.progress.has_failed();
                match fault_change(&fault) {
                    Ok(mut change) if fault.cause == Cause::Mismatch => {
                        change.insert("$unset", doc! { "sent": "", "unverified": "" });
                        change
                    }
                    // Nothing is known then, and what was known stays.
                    _ => doc! { "$set": { "unverified": fault.text } },
                }
            }
            // One that was removed here since stays known as such.
            Ok(()) if entry.state == State::Cleaned => doc! { "$unset": { "unverified": "" } },
            Ok(()) => {
                doc! { "$set": { "state": State::Verified.word() }, "$unset": { "unverified": "" } }
            }
        };
        self.progress.done(0);
        if to.send(file_statement(self.upload, &entry.source, change)).await.is_err() {
            self.progress.throttle.stop();
        }
    }

    async fn verified(&self, entry: &Entry) -> std::result::Result<(), Fault> {
        let Some(sent) = &entry.sent else {
            let what = format!(
                "it is not known what was sent of `{}`; run the upload again",
                entry.source
            );
            return Err(Fault::new(Cause::Mismatch, what));
        };
        let _slot = self.progress.throttle.slot().await?;
        let found = match self.listed.at(&entry.place) {
            There::Something(found) => Some(found),
            There::Nothing => None,
            There::Unknown => self.to.look(&entry.place).await?,
        };
        self.to.verify(&entry.place, sent, found.as_ref(), self.care).await
    }
}

impl Listed {
    /// What is at a place, if the destination was listed.
    pub fn at(&self, place: &str) -> There {
        let Some(there) = &self.0 else { return There::Unknown };
        there.get(&super::mark(place)).map_or(There::Nothing, |(size, tag)| {
            There::Something(Found { place: place.to_owned(), size: *size, tag: tag.clone() })
        })
    }
}
