//! Uploads as pages show them, and what is asked of them from there: they go on in this program when the page is gone.

use std::time::Duration;

use bson::{DateTime, doc, oid::ObjectId};
use media::{Destination, environment};
use model::{Action, Permit, UploadPage, UploadQuestion, UploadSummary};

use super::{RewriteRequest, RewriteWay, TransferProgress, UploadRequest, refused};
use crate::{
    Engine, Error, Result,
    store::{Holder, UploadRecord},
};

/// How long whoever begins an upload waits until it is written down.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 100;

impl Engine {
    /// Every upload of this database, the last one first.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or the server cannot be reached.
    pub async fn uploads(&self, permit: &Permit) -> Result<Vec<UploadSummary>> {
        permit.covers(Action::MoveMedia)?;
        let found = self.store.uploads().await.map_err(|it| self.store.error(it))?;
        Ok(found.into_iter().map(summary).collect())
    }

    /// One upload, with what became of its files, and if that is wanted and it rests, what would become of the paths: that looks at
    /// every sample.
    ///
    /// # Errors
    ///
    /// [`Error::NoUpload`] if there is no such upload.
    pub async fn upload_page(
        &self,
        permit: &Permit,
        id: &str,
        with_paths: bool,
    ) -> Result<UploadPage> {
        permit.covers(Action::MoveMedia)?;
        let record = self.upload_record(id).await?;
        let rewritings = self.rewritings_of(&record.dataset).await?;
        let mut report =
            self.upload_report(doc! { "upload": record.id, "turn": record.turn }).await?;
        let upload = summary(record);
        (report.name, report.destination) = (upload.name.clone(), upload.destination.clone());
        let progress = TransferProgress::new(1, 0);
        let rewrite = if upload.is_running || !with_paths {
            Ok(None)
        } else {
            self.check_rewrite(permit, &rewriting(&upload), &progress).await.map(Some)
        };
        let rewrite_refused = rewrite.as_ref().err().map(ToString::to_string);
        let rewrite = rewrite.unwrap_or(None);
        let at = DateTime::now().try_to_rfc3339_string().unwrap_or_default();
        Ok(UploadPage { upload, report, rewrite, rewrite_refused, rewritings, at })
    }

    /// Begins an upload, or goes on with it, in this program; nobody has to wait for it. Returns its id once it has begun.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or cannot begin as the survey says.
    pub async fn begin_upload(&self, permit: &Permit, request: UploadRequest) -> Result<String> {
        permit.covers(Action::MoveMedia)?;
        let progress = TransferProgress::new(request.side_by_side, request.bytes_per_second);
        // What can be seen to be in the way is said to whoever asks.
        let prepared = self.prepared_upload(permit, &request, &progress).await?;
        let id = self.upload_id(&request).await?;
        let before = self.upload_record(&id).await.ok().map(|it| it.claim);
        let (engine, permit) = (self.clone(), permit.clone());
        let going = tokio::spawn(async move {
            let done = engine.upload_prepared(&permit, &request, prepared, &progress).await;
            done.inspect_err(|why| tracing::warn!("the upload of media has ended: {why}")).map(drop)
        });
        // Until there is something to see of it.
        for _ in 0..LOOKS {
            if going.is_finished() {
                break;
            }
            let found = self.upload_record(&id).await;
            if found.is_ok_and(|it| Some(it.claim) != before) {
                return Ok(id);
            }
            tokio::time::sleep(LOOK).await;
        }
        if going.is_finished() {
            let ended = going.await;
            ended.map_err(|it| {
                Error::Refused(format!("the upload broke off: {it}; go on with it"))
            })??;
        }
        Ok(id)
    }

    /// The same again as it was asked for last: what is there is not sent again. `only`: files that have failed for this cause; empty for all.
    ///
    /// # Errors
    ///
    /// As [`Self::begin_upload`].
    pub async fn resume_upload(
        &self,
        permit: &Permit,
        id: &str,
        only: &str,
        only_verify: bool,
    ) -> Result<()> {
        permit.covers(Action::MoveMedia)?;
        let only = if only.is_empty() { None } else { Some(only.parse().map_err(Error::Refused)?) };
        let upload = summary(self.upload_record(id).await?);
        let asked = UploadRequest::asked(&upload.question)?;
        let (side_by_side, bytes_per_second) = upload.limits;
        let side_by_side = u32::try_from(side_by_side).unwrap_or(asked.side_by_side);
        let request = UploadRequest { side_by_side, bytes_per_second, only, only_verify, ..asked };
        self.begin_upload(permit, request).await.map(drop)
    }

    /// Asks an upload to end, wherever it goes on. What has arrived stays, and the same again goes on.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or there is no such upload.
    pub async fn stop_upload(&self, permit: &Permit, id: &str) -> Result<()> {
        permit.covers(Action::MoveMedia)?;
        let record = self.upload_record(id).await?;
        self.store.stop_upload(record.id).await.map_err(|it| self.store.error(it))
    }

    /// Changes how fast an upload goes: how many requests side by side, and how many bytes a second, 0 for any.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or there is no such upload.
    pub async fn limit_upload_with(
        &self,
        permit: &Permit,
        id: &str,
        limits: (u64, u64),
    ) -> Result<()> {
        permit.covers(Action::MoveMedia)?;
        let record = self.upload_record(id).await?;
        let number = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let limits = (number(limits.0), number(limits.1));
        let changed = self.store.limit_upload(&record.dataset, &record.destination, limits).await;
        changed.map(drop).map_err(|it| self.store.error(it))
    }

    /// Lets the paths of a dataset lead to what was uploaded and verified.
    ///
    /// # Errors
    ///
    /// As [`Self::rewrite_paths`].
    pub async fn rewrite_to_upload(&self, permit: &Permit, id: &str) -> Result<()> {
        let upload = summary(self.upload_record(id).await?);
        let (control, _meter, _events) = crate::Control::new();
        let progress = TransferProgress::new(1, 0);
        let request = rewriting(&upload);
        self.rewrite_paths(permit, &request, control, &progress).await.map(drop)
    }

    /// Which dataset an upload is of, and where to.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn upload_of(&self, permit: &Permit, id: &str) -> Result<UploadSummary> {
        permit.covers(Action::MoveMedia)?;
        Ok(summary(self.upload_record(id).await?))
    }

    async fn upload_record(&self, id: &str) -> Result<UploadRecord> {
        let none = || Error::NoUpload(id.to_owned());
        let parsed = ObjectId::parse_str(id).map_err(|_| none())?;
        let found = self.store.upload_with(parsed).await.map_err(|it| self.store.error(it))?;
        found.ok_or_else(none)
    }

    /// What an upload is or will be identified by.
    async fn upload_id(&self, request: &UploadRequest) -> Result<String> {
        let to = Destination::open(&request.to, &environment).map_err(refused)?;
        let subject = self.subject(&request.dataset, &[]).await?;
        let dataset = subject.entry.id_text();
        Ok(super::upload::identity(self.store.name(), &dataset, to.url()).to_hex())
    }
}

/// Does something to its end, also when whoever has asked for it does not wait: a page that is closed cuts nothing off.
///
/// # Errors
///
/// Those of what is done.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let done = tokio::spawn(work).await;
    done.map_err(|it| {
        Error::Refused(format!("it broke off: {it}; look at what was done, and do it again"))
    })?
}

fn rewriting(upload: &UploadSummary) -> RewriteRequest {
    RewriteRequest {
        dataset: upload.dataset.clone(),
        fields: Vec::new(),
        way: RewriteWay::Uploaded(upload.destination.clone()),
        look_for: 0,
    }
}

fn summary(it: UploadRecord) -> UploadSummary {
    let text = |it: DateTime| it.try_to_rfc3339_string().unwrap_or_default();
    let dataset = crate::tally::text(&it.dataset);
    let is_gone = it.holder.as_ref().is_some_and(Holder::is_gone);
    UploadSummary {
        id: it.id.to_hex(),
        is_running: !is_gone && it.expires.is_some_and(|it| it > DateTime::now()),
        // What was asked for on the command line is asked for here by the same words, as far as there are some.
        question: UploadQuestion {
            dataset: dataset.clone(),
            to: it.destination.clone(),
            ..it.question
        },
        dataset,
        name: it.name,
        destination: it.destination,
        by: it.by,
        begun: text(it.begun),
        verified: it.verified.map(text),
        ended: it.why,
        limits: (it.limits.0.unsigned_abs(), it.limits.1.unsigned_abs()),
    }
}
