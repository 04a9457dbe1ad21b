//! Imports and exports that are asked for on a page, and go on in this program when the page is gone.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bson::{DateTime, oid::ObjectId};
use model::{
    Action, ExportQuestion, Grantee, ImportQuestion, ImportReport, Permit, Right, TaskKind,
    TaskQuestion, TaskReport, TaskState, TaskSummary,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::task::JoinSet;

use crate::{
    Control, Engine, Error, ExportProgress, ExportRequest, ImportProgress, ImportRequest, Result,
    accounts,
    shown::sees_names,
    store::{Holder, Store, TaskRecord},
};

/// How often it is written down how far a task is, and looked whether somebody wants it to end.
const BEAT: Duration = Duration::from_secs(1);

/// What a task is asked how far it is with: the stage, how many documents are done, and of how many.
type Far = (&'static str, u64, u64);

impl Engine {
    /// Says what importing would come to. Nothing of it stays: an archive is unpacked for it, and that removed again.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such export, or the server cannot be reached.
    pub async fn check_asked_import(
        &self,
        permit: &Permit,
        question: &ImportQuestion,
    ) -> Result<ImportReport> {
        let request = self.asked_import(permit, question).await?;
        self.check_import(permit, &request, &ImportProgress::default()).await
    }

    /// Begins an import that goes on in this program. Returns the id of the task.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or cannot be written down. What else is in its way is told by the task.
    pub async fn begin_import(&self, permit: &Permit, question: ImportQuestion) -> Result<String> {
        self.may_write("importing")?;
        let request = self.asked_import(permit, &question).await?;
        let what = question.folder.clone();
        let id = self.begun(permit, what, &TaskQuestion::Import(question)).await?;
        let (engine, permit) = (self.clone(), permit.clone());
        tokio::spawn(async move {
            let (control, meter, _events) = Control::new();
            let progress = ImportProgress::default();
            let (far, end) = (progress.clone(), progress.clone());
            let keeper = keep(
                &engine.store,
                id,
                move || match far.copied() {
                    0 => ("Looking at the export", far.checked(), 0),
                    copied => ("Writing", copied, far.of()),
                },
                move || {
                    end.stop();
                    meter.stop();
                },
            );
            let done = engine.import(&permit, &request, control, &progress).await;
            drop(keeper);
            if let Ok(ImportReport { id: Some(dataset), .. }) = &done {
                engine.give_to_importer(&permit, dataset).await;
            }
            engine.ended(id, done.map(|it| TaskReport::Import(Box::new(it)))).await;
        });
        Ok(id.to_hex())
    }

    /// Begins an export that goes on in this program. Returns the id of the task.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such dataset, or the folder cannot take an export.
    pub async fn begin_export(&self, permit: &Permit, question: ExportQuestion) -> Result<String> {
        let request = self.asked_export(permit, &question).await?;
        let report = self.check_export(permit, &request).await?;
        let of = report.samples + report.frames + report.temporal_tags;
        let id = self.begun(permit, report.name, &TaskQuestion::Export(question)).await?;
        let (engine, permit) = (self.clone(), permit.clone());
        tokio::spawn(async move {
            let progress = ExportProgress::default();
            let (far, end) = (progress.clone(), progress.clone());
            let far = move || ("Writing", far.written(), of);
            let keeper = keep(&engine.store, id, far, move || end.stop());
            let done = engine.export(&permit, &request, &progress).await;
            drop(keeper);
            engine.ended(id, done.map(TaskReport::Export)).await;
        });
        Ok(id.to_hex())
    }

    /// What an export is asked for, of somebody who may write where they say.
    ///
    /// # Errors
    ///
    /// If the words make no sense, there is no such dataset, or it is not allowed.
    pub async fn asked_export(
        &self,
        permit: &Permit,
        question: &ExportQuestion,
    ) -> Result<ExportRequest> {
        permit.covers(TaskKind::Export.action())?;
        if !sees_names(permit) {
            // It would be written with the rights of this program, not with theirs.
            let why = "only admins export into folders of the server; ask one of them";
            return Err(Error::Refused(why.to_owned()));
        }
        let dataset = self.dataset_id(question.dataset.trim()).await?;
        ExportRequest::asked(question, dataset)
    }

    /// The tasks of a kind, the last one first: for admins all of them, for others their own.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or the server cannot be reached.
    pub async fn tasks(&self, permit: &Permit, kind: TaskKind) -> Result<Vec<TaskSummary>> {
        permit.covers(kind.action())?;
        let by = (!sees_names(permit)).then(|| permit.holder());
        let found = self.store.tasks(kind.word(), by).await.map_err(|it| self.store.error(it))?;
        let read = |it: TaskRecord| {
            let id = it.id;
            summary(it, permit)
                .inspect_err(|why| tracing::warn!("the task {id} is left out: {why}"))
                .ok()
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    /// One task.
    ///
    /// # Errors
    ///
    /// [`Error::NoTask`] if there is none, or it is somebody else's.
    pub async fn task(&self, permit: &Permit, kind: TaskKind, id: &str) -> Result<TaskSummary> {
        summary(self.task_record(permit, kind, id).await?, permit)
    }

    /// Asks a task to end. Nothing comes of it then.
    ///
    /// # Errors
    ///
    /// As [`Self::task`].
    pub async fn stop_task(&self, permit: &Permit, kind: TaskKind, id: &str) -> Result<()> {
        let record = self.task_record(permit, kind, id).await?;
        self.store.stop_task(record.id).await.map_err(|it| self.store.error(it))
    }

    async fn task_record(&self, permit: &Permit, kind: TaskKind, id: &str) -> Result<TaskRecord> {
        permit.covers(kind.action())?;
        let none = || Error::NoTask(id.to_owned());
        let parsed = ObjectId::parse_str(id).map_err(|_| none())?;
        let found = self.store.task(parsed).await.map_err(|it| self.store.error(it))?;
        let is_shown = |it: &TaskRecord| {
            it.kind == kind.word() && (sees_names(permit) || it.by == permit.holder())
        };
        found.filter(is_shown).ok_or_else(none)
    }

    /// What an import is asked for, of somebody who may read where they say.
    async fn asked_import(
        &self,
        permit: &Permit,
        question: &ImportQuestion,
    ) -> Result<ImportRequest> {
        permit.covers(TaskKind::Import.action())?;
        let folder = question.folder.trim();
        if !Path::new(folder).is_absolute() {
            return Err(Error::Refused(format!(
                "`{folder}` is no folder or archive of the server; name one from `/` on, such as /data/exports/cats"
            )));
        }
        let (question, imports) = (question.clone(), self.imports.clone());
        let anywhere = sees_names(permit);
        let asked = tokio::task::spawn_blocking(move || {
            let request = ImportRequest::asked(&question, imports.as_deref());
            if !anywhere {
                may_read(&request, imports.as_deref())?;
            }
            Ok(request)
        });
        asked
            .await
            .map_err(|it| Error::Refused(format!("looking at it broke off: {it}; ask again")))?
    }

    async fn begun(
        &self,
        permit: &Permit,
        what: String,
        question: &TaskQuestion,
    ) -> Result<ObjectId> {
        let id = ObjectId::new();
        let record = TaskRecord {
            id,
            database: self.store.name().to_owned(),
            kind: question.kind().word().to_owned(),
            what,
            question: written(question)?,
            by: permit.holder().to_owned(),
            begun: DateTime::now(),
            holder: Holder::this(),
            expires: None,
            stop: false,
            stage: "Beginning".to_owned(),
            done: 0,
            of: 0,
            ended: None,
            refused: None,
            came: None,
        };
        self.store.begin_task(&record).await.map_err(|it| self.store.error(it))?;
        Ok(id)
    }

    async fn ended(&self, id: ObjectId, done: Result<TaskReport>) {
        let came = done.as_ref().map_err(ToString::to_string).and_then(|it| {
            written(it).map_err(|why| format!("it is done, and its report cannot be kept: {why}"))
        });
        let noted = match &came {
            Ok(came) => self.store.end_task(id, Some(came), None).await,
            Err(why) => self.store.end_task(id, None, Some(why)).await,
        };
        if let Err(failure) = noted {
            tracing::warn!("what came of the task {id} could not be noted: {failure}");
        }
    }

    /// Whoever has imported a dataset may manage it; without it they would not even see it.
    async fn give_to_importer(&self, permit: &Permit, dataset: &str) {
        if sees_names(permit) {
            return;
        }
        let to = Grantee::Person(accounts::id(permit.holder()));
        let given =
            self.store.give_right(&to, Some(dataset), Some(Right::Manage), permit.holder()).await;
        if let Err(failure) = given {
            tracing::warn!("{to} could not be given dataset {dataset}: {failure}; an admin can");
        }
    }
}

/// Whether an import stays within the folder that everybody may import from.
fn may_read(request: &ImportRequest, imports: Option<&Path>) -> Result<()> {
    let none = "only admins import from folders of the server, as `FIFTYONE_MIGRATE_IMPORTS` names none for others; ask one of them";
    let imports = imports.ok_or_else(|| Error::Refused(none.to_owned()))?;
    let outside = |path: &Path| {
        Error::Refused(format!(
            "`{}` is not below {}, which is where members import from; put it there, or ask an admin",
            path.display(),
            imports.display()
        ))
    };
    let root = imports.canonicalize().map_err(|_| outside(&request.folder))?;
    let is_below =
        |path: &Path| path.canonicalize().is_ok_and(|it| it.starts_with(&root) && it != root);
    if !is_below(&request.folder) {
        return Err(outside(&request.folder));
    }
    // Where it is unpacked is not there yet, but what it is in must be.
    let parent = |it: &PathBuf| {
        it.parent().is_some_and(|it| it.canonicalize().is_ok_and(|it| it.starts_with(&root)))
    };
    match &request.unpack_to {
        Some(it) if !parent(it) => Err(outside(it)),
        _ => Ok(()),
    }
}

/// Writes down how far a task is until what it returns is dropped.
fn keep(
    store: &Store,
    id: ObjectId,
    far: impl Fn() -> Far + Send + 'static,
    end: impl Fn() + Send + 'static,
) -> JoinSet<()> {
    let (mut keeper, store) = (JoinSet::new(), store.clone());
    keeper.spawn(async move {
        loop {
            tokio::time::sleep(BEAT).await;
            let (stage, done, of) = far();
            match store.beat_task(id, stage, (done, of)).await {
                Ok(false) => {}
                Ok(true) => end(),
                Err(failure) => tracing::warn!("how far a task is could not be noted: {failure}"),
            }
        }
    });
    keeper
}

fn summary(it: TaskRecord, permit: &Permit) -> Result<TaskSummary> {
    let is_there = !it.holder.is_gone() && it.expires.is_some_and(|it| it > DateTime::now());
    let state = match (&it.came, &it.refused) {
        (Some(_), _) => TaskState::Done,
        (None, Some(_)) => TaskState::Failed,
        (None, None) if is_there => TaskState::Running,
        (None, None) => TaskState::CutOff,
    };
    Ok(TaskSummary {
        id: it.id.to_hex(),
        what: it.what,
        question: read(&it.question)?,
        by: it.by,
        begun: it.begun.try_to_rfc3339_string().unwrap_or_default(),
        state,
        stage: it.stage,
        done: it.done.unsigned_abs(),
        of: it.of.unsigned_abs(),
        refused: it.refused,
        came: it.came.as_deref().map(read).transpose()?,
        may_move_media: permit.covers(Action::MoveMedia).is_ok(),
    })
}

fn written(it: &impl Serialize) -> Result<String> {
    serde_json::to_string(it).map_err(|it| {
        Error::Refused(format!("what was asked for cannot be kept: {it}; ask for something else"))
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    let what = |it| {
        Error::Refused(format!(
            "a task cannot be read: {it}; another build has written it, which shows it"
        ))
    };
    serde_json::from_str(text).map_err(what)
}
