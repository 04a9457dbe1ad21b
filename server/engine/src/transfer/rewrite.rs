//! Rewriting the paths of a dataset, with a preview of it, and with what every path was kept beforehand.

use std::collections::BTreeMap;

use bson::{Bson, DateTime, Document, oid::ObjectId};
use media::{Destination, environment, fields::paths, mapping::Mapping};
use model::{Action, Permit, RewriteReport, RewrittenField, Right};

use super::{
    TransferPhase, TransferProgress,
    gather::{EXAMPLES, PIECE},
    mapped::Mapped,
    no_upload, refused,
    subject::{Part, Subject},
};
use crate::{
    Engine, Error, Result,
    doctor::lease_lost,
    guard::Guard,
    progress::Control,
    store::{Asked, RewriteRecord, RewriteValue},
};

/// How many paths are in the preview of each field.
const PREVIEW: usize = 10;

/// How many paths are written at once.
const AT_ONCE: usize = 1_000;

/// How often a piece is read again that others write to.
const ATTEMPTS: usize = 3;

/// Which paths to rewrite, and how.
#[derive(Clone, Debug)]
pub struct RewriteRequest {
    /// The text of the dataset's `_id`.
    pub dataset: String,
    /// The fields that are meant; none for all of them.
    pub fields: Vec<String>,
    /// What becomes of each path.
    pub way: RewriteWay,
    /// How many of the new paths are looked for where they say, if that can be asked.
    pub look_for: usize,
}

/// What becomes of paths.
#[derive(Clone, Debug)]
pub enum RewriteWay {
    /// Those of files whose upload to this destination was verified become their places there.
    Uploaded(String),
    /// A rule says.
    Ruled(Mapping),
}

impl Engine {
    /// Says what would become of the paths. Writes nothing.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such dataset, field or upload, or the server cannot be reached.
    pub async fn check_rewrite(
        &self,
        permit: &Permit,
        request: &RewriteRequest,
        progress: &TransferProgress,
    ) -> Result<RewriteReport> {
        self.may_edit(permit, &request.dataset).await?;
        let subject = self.subject(&request.dataset, &request.fields).await?;
        let how = self.way(request, &subject).await?;
        let mut report = report(&subject);
        let mut samples = Vec::new();
        progress.enter(TransferPhase::Rewriting);
        for part in &subject.parts {
            let mut after = None;
            loop {
                let (documents, next) = self.next_of(part, after.as_ref()).await?;
                if documents.is_empty() {
                    break;
                }
                after = next;
                progress.seen(documents.len() as u64);
                let values = self
                    .new_paths(ObjectId::new(), part, &documents, &how, Some(&mut report))
                    .await?;
                for it in values {
                    count(&mut report, &it);
                    if samples.len() < request.look_for {
                        samples.push(it.to);
                    }
                }
            }
        }
        self.look_for(&mut report, &samples).await;
        Ok(report)
    }

    /// Rewrites the paths. What each was is kept, and can be brought back.
    ///
    /// # Errors
    ///
    /// If it is not allowed, somebody else writes to the database, or it cannot go on. The same again goes on.
    pub async fn rewrite_paths(
        &self,
        permit: &Permit,
        request: &RewriteRequest,
        control: Control,
        progress: &TransferProgress,
    ) -> Result<RewriteReport> {
        self.may_edit(permit, &request.dataset).await?;
        self.may_write("rewriting paths")?;
        let checked = self.check_rewrite(permit, request, progress).await?;
        if let Some(why) = checked.not_there.first() {
            return Err(Error::Refused(format!("nothing was rewritten: {why}")));
        }
        if checked.rewritten() == 0 {
            return Ok(checked);
        }
        let guard = Guard::take(&self.store, ObjectId::new(), &Asked::repair(), &control).await?;
        let done = self.rewritten(permit, request, &control, progress).await;
        guard.end(done).await
    }

    async fn rewritten(
        &self,
        permit: &Permit,
        request: &RewriteRequest,
        control: &Control,
        progress: &TransferProgress,
    ) -> Result<RewriteReport> {
        let error = |it| self.store.error(it);
        let subject = self.subject(&request.dataset, &request.fields).await?;
        let how = self.way(request, &subject).await?;
        let record = RewriteRecord {
            id: ObjectId::new(),
            database: self.store.name().to_owned(),
            dataset: subject.entry.id.clone(),
            name: subject.entry.label(),
            what: request.way.words(),
            by: permit.holder().to_owned(),
            begun: DateTime::now(),
            ended: None,
            undone: Vec::new(),
        };
        self.store.begin_rewrite(&record).await.map_err(error)?;
        let mut report = report(&subject);
        report.id = Some(record.id.to_hex());
        progress.enter(TransferPhase::Rewriting);
        for part in &subject.parts {
            let mut after = None;
            loop {
                let before = after.clone();
                let (documents, next) = self.next_of(part, before.as_ref()).await?;
                if documents.is_empty() {
                    break;
                }
                let piece = (documents, before);
                self.rewrite_piece(record.id, part, piece, &how, (control, &mut report)).await?;
                after = next;
                progress.seen(u64::try_from(PIECE).unwrap_or(0));
            }
        }
        self.store.end_rewrite(record.id).await.map_err(error)?;
        Ok(report)
    }

    async fn rewrite_piece(
        &self,
        id: ObjectId,
        part: &Part,
        (mut documents, before): (Vec<Document>, Option<Bson>),
        how: &Mapped,
        (control, report): (&Control, &mut RewriteReport),
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        for attempt in 0..ATTEMPTS {
            let told = (attempt == 0).then_some(&mut *report);
            let values = self.new_paths(id, part, &documents, how, told).await?;
            if values.is_empty() {
                return Ok(());
            }
            // Before they are written: what was not kept could not be brought back.
            self.store.keep_paths(&values).await.map_err(error)?;
            let set: Vec<_> =
                values.iter().map(|it| (it, it.from.as_str(), it.to.as_str())).collect();
            let done = self.put_paths(control, &part.collection, &set).await?;
            let done = done.ok_or_else(|| stopped(control, id))?;
            if attempt == 0 {
                for it in &values {
                    count(report, it);
                }
            }
            if done == values.len() as u64 {
                return Ok(());
            }
            if attempt + 1 == ATTEMPTS {
                break;
            }
            documents = self.next_of(part, before.as_ref()).await?.0;
        }
        let documents = self.next_of(part, before.as_ref()).await?.0;
        for it in self.new_paths(id, part, &documents, how, None).await? {
            if let Some(field) = report.fields.iter_mut().find(|field| field.field == it.field) {
                field.rewritten = field.rewritten.saturating_sub(1);
                field.changed_meanwhile += 1;
            }
        }
        Ok(())
    }

    /// Puts paths into documents; `None` once that is no longer allowed, with some of them written.
    pub(super) async fn put_paths(
        &self,
        control: &Control,
        collection: &str,
        paths: &[(&RewriteValue, &str, &str)],
    ) -> Result<Option<u64>> {
        let mut changed = 0;
        for some in paths.chunks(AT_ONCE) {
            // Before each write: what is asked only once in a while may have been true long ago.
            if !control.may_go_on().await {
                return Ok(None);
            }
            let done = self.store.set_paths(collection, some).await;
            changed += done.map_err(|it| self.store.error(it))?;
        }
        Ok(Some(changed))
    }

    /// The paths of these documents that become others.
    async fn new_paths(
        &self,
        rewrite: ObjectId,
        part: &Part,
        documents: &[Document],
        how: &Mapped,
        mut told: Option<&mut RewriteReport>,
    ) -> Result<Vec<RewriteValue>> {
        let mut found = Vec::new();
        for document in documents {
            let Some(id) = document.get("_id") else { continue };
            for field in &part.fields {
                for place in paths(document, &field.keys) {
                    found.push((id, field.name.as_str(), place, document.contains_key(DATE)));
                }
            }
        }
        let asked: Vec<(&str, &str)> =
            found.iter().map(|(_, field, place, _)| (place.path, *field)).collect();
        let mapped = self.mapped(how, &asked).await?;
        let mut values = Vec::new();
        for (id, field, place, dated) in found {
            let to = mapped.get(&(place.path.to_owned(), field.to_owned()));
            if let Some(report) = told.as_deref_mut() {
                tell(report, field, place.path, to);
            }
            let Some(to) = to.filter(|it| *it != place.path) else { continue };
            values.push(RewriteValue {
                id: ObjectId::new(),
                rewrite,
                field: field.to_owned(),
                collection: part.collection.clone(),
                document: id.clone(),
                at: place.at,
                from: place.path.to_owned(),
                to: to.clone(),
                dated,
            });
        }
        Ok(values)
    }

    async fn next_of(
        &self,
        part: &Part,
        after: Option<&Bson>,
    ) -> Result<(Vec<Document>, Option<Bson>)> {
        let mut keys = part.keys();
        keys.push(DATE.to_owned());
        let found = self.store.piece(&part.collection, after, &keys, PIECE).await;
        let documents = found.map_err(|it| self.store.error(it))?;
        let last = documents.last().and_then(|it| it.get("_id").cloned());
        Ok((documents, last))
    }

    async fn way(&self, request: &RewriteRequest, subject: &Subject) -> Result<Mapped> {
        match &request.way {
            RewriteWay::Ruled(mapping) => Ok(Mapped::Ruled(mapping.clone())),
            RewriteWay::Uploaded(to) => {
                let to = Destination::open(to, &environment).map_err(refused)?;
                let found = self.store.upload(&subject.entry.id, to.url()).await;
                let found = found.map_err(|it| self.store.error(it))?;
                let upload = found.ok_or_else(|| no_upload(&subject.entry.label(), to.url()))?;
                Ok(Mapped::Uploaded(upload.id, Box::new(to)))
            }
        }
    }

    /// Looks whether there is something at some of the new paths, where that can be asked.
    async fn look_for(&self, report: &mut RewriteReport, paths: &[String]) {
        let mut known: BTreeMap<String, Option<Destination>> = BTreeMap::new();
        for path in paths {
            let Some((folder, name)) = path.rsplit_once('/').filter(|(_, it)| !it.is_empty())
            else {
                continue;
            };
            let opened = known
                .entry(folder.to_owned())
                .or_insert_with(|| Destination::open(folder, &environment).ok());
            let Some(to) = opened else { continue };
            report.looked_for += 1;
            match to.look(name).await {
                Ok(Some(_)) => {}
                Ok(None) => report.not_there.push(format!(
                    "there is nothing at `{path}`; look at the rule, or put the file there first"
                )),
                Err(why) => report.not_there.push(why.text),
            }
        }
    }

    /// Whether whoever has the permit may change the paths of a dataset: admins those of each, others where they may edit.
    pub(super) async fn may_edit(&self, permit: &Permit, dataset: &str) -> Result<()> {
        permit.covers(Action::RewritePaths)?;
        if permit.covers(Action::ReadEveryDataset).is_ok() {
            return Ok(());
        }
        match self.rights(permit).await?.to(dataset) {
            Some(right) if right >= Right::Edit => Ok(()),
            Some(_) => Err(Error::Refused(format!(
                "`{}` may not edit this dataset, which it takes to rewrite its paths; an admin can give that right",
                permit.holder()
            ))),
            None => Err(Error::NoDataset(dataset.to_owned())),
        }
    }
}

/// When a sample or frame was changed last, in datasets that know.
const DATE: &str = "last_modified_at";

fn stopped(control: &Control, id: ObjectId) -> Error {
    if control.is_over() {
        return lease_lost();
    }
    let id = id.to_hex();
    Error::Refused(format!(
        "stopped: some paths are rewritten; run the same again to go on, or bring them back with `rewrite-paths --undo {id}`"
    ))
}

fn report(subject: &Subject) -> RewriteReport {
    let field = |name: &str| RewrittenField { field: name.to_owned(), ..RewrittenField::default() };
    RewriteReport {
        name: subject.entry.label(),
        fields: subject.fields().map(|it| field(&it.name)).collect(),
        ..RewriteReport::default()
    }
}

fn tell(report: &mut RewriteReport, name: &str, path: &str, to: Option<&String>) {
    let Some(field) = report.fields.iter_mut().find(|it| it.field == name) else { return };
    match to {
        None => {
            field.unmatched += 1;
            if field.unmatched_examples.len() < EXAMPLES {
                field.unmatched_examples.push(path.to_owned());
            }
        }
        Some(to) if to == path => field.already += 1,
        Some(_) => {}
    }
}

fn count(report: &mut RewriteReport, value: &RewriteValue) {
    let Some(field) = report.fields.iter_mut().find(|it| it.field == value.field) else { return };
    field.rewritten += 1;
    if field.examples.len() < PREVIEW {
        field.examples.push((value.from.clone(), value.to.clone()));
    }
}

impl RewriteWay {
    fn words(&self) -> String {
        match self {
            Self::Uploaded(to) => format!("to what was uploaded to {to}"),
            Self::Ruled(Mapping::Prefix { from, to }) => format!("from {from} to {to}"),
            Self::Ruled(Mapping::Placed { to, .. }) => format!("to places below {to}"),
            Self::Ruled(Mapping::Listed(list)) => format!("by a list of {} paths", list.len()),
        }
    }
}
