//! Datasets whose content is not that of the version they say they are at: FiftyOne writes each revision at once and the
//! version last, so that a chain that fails leaves the old version on a document from the middle of it.

mod verdict;

use std::sync::Arc;

use bson::{Bson, Document};
use futures_util::TryStreamExt;
use revisions::Release;

use self::verdict::{Verdict, judge};
use super::{
    Finding, Kind, Outcome, Patient, Subject, Surgery,
    surgery::{Edit, doctor},
};
use crate::{
    load::{Loaded, Loader, Task, Times},
    pass::{Halt, Passes},
    store::{Entry, Failure},
    write::{Writer, Written, Yields},
};

pub(super) const KIND: Kind = Kind {
    name: "half_applied",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    let mut datasets = patient.store.look_over("datasets", Document::new()).await?;
    let mut found = Vec::new();
    while let Some(read) = datasets.try_next().await? {
        let Ok(document) = read else { continue };
        found.extend(judge(&document).map(|it| finding(&document, &it)));
    }
    Ok(found)
}

fn finding(document: &Document, verdict: &Verdict) -> Finding {
    let (problem, remedy) = match verdict {
        Verdict::Behind { label, content, .. } => (
            format!(
                "it says that it is at v{label}, but its content is that of v{content}: a migration has failed in the \
                 middle and not said so"
            ),
            format!("say that it is at v{content}, and migrate it from there to v{label}"),
        ),
        Verdict::Ahead { label, content, .. } => (
            format!(
                "it says that it is at v{label}, but a migration has taken it to v{content} in part and then failed"
            ),
            format!(
                "take it from v{label} to v{content} again: what is done already stays, what is not is done"
            ),
        ),
        Verdict::Unlabeled { content, .. } => (
            format!(
                "it does not say at which version it is, and its content is that of v{content}; FiftyOne would take it \
                 for older than any version, and break it"
            ),
            format!("say that it is at v{content}"),
        ),
    };
    let finding = Finding::new(KIND.name, Some(Subject::of(document)), problem, doctor(remedy));
    finding.show(verdict.signs().iter().cloned())
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    let store = &surgery.patient.store;
    let key = finding.dataset.as_ref().map(|it| it.key.clone()).unwrap_or_default();
    let read = store.datasets(std::slice::from_ref(&key)).await?.pop().flatten();
    let document = read.and_then(|it| Document::try_from(it.as_ref()).ok());
    let Some(verdict) = document.as_ref().and_then(judge) else {
        return Ok(Outcome::Mended("nothing: somebody has mended it meanwhile".to_owned()));
    };
    let (from, to) = match &verdict {
        Verdict::Unlabeled { content, .. } => return relabel(surgery, finding, content).await,
        Verdict::Behind { label, content, .. } => (content, label),
        Verdict::Ahead { label, content, .. } => (label, content),
    };
    let original = document.into_iter().map(|it| ("datasets".to_owned(), it)).collect();
    let record = surgery.begin(finding, original, Vec::new()).await?;
    // It says where it is when it is there, and not before: what is cut off is found again.
    let reason = match carry(surgery, key, from, to).await? {
        Ok(warnings) => {
            let done = format!("it was taken from v{from} to v{to}");
            let done = warnings.iter().fold(done, |done, it| format!("{done}; {it}"));
            surgery.end(record, &done).await?;
            return Ok(Outcome::Mended(done));
        }
        Err(reason) => reason,
    };
    surgery.end(record, &format!("nothing: {reason}")).await?;
    if matches!(verdict, Verdict::Ahead { .. }) {
        return Ok(Outcome::Left(reason));
    }
    // That it says what it is not is what was wrong.
    Ok(match relabel(surgery, finding, from).await? {
        Outcome::Mended(_) => Outcome::Mended(format!(
            "it says that it is at v{from} now; it could not be taken to v{to}: {reason}"
        )),
        left @ Outcome::Left(_) => left,
    })
}

/// Lets the dataset say what it is, if it still is.
async fn relabel(surgery: &Surgery, finding: &Finding, content: &Release) -> Result<Outcome, Halt> {
    surgery
        .edit(finding, |document| {
            let (Verdict::Behind { content: now, .. } | Verdict::Unlabeled { content: now, .. }) =
                judge(document)?
            else {
                return None;
            };
            let mut kept = document.clone();
            kept.remove("_id");
            document.insert("version", content.to_string());
            let done = format!("it says that it is at v{content} now");
            (now == *content).then_some(Edit { kept, done })
        })
        .await
}

/// Migrates one dataset, as `fiftyone-migrate -n` does. Returns what people should know, or why it could not be.
async fn carry(
    surgery: &Surgery,
    key: Bson,
    from: &Release,
    to: &Release,
) -> Result<Result<Vec<String>, String>, Halt> {
    surgery.edge().await?;
    let Surgery { patient: Patient { store, existing, .. }, control, run, now, .. } = surgery;
    let entries = store.entries().await?;
    let Some(entry) = entries.into_iter().find(|it: &Entry| it.id == key) else {
        return Ok(Ok(Vec::new()));
    };
    let task = Task { entry, head: Some(from.clone()), destination: to.clone() };
    let loader =
        Loader::new(store.clone(), Times::of(run.0, *now), std::slice::from_ref(&task), None);
    let loader = loader.await?;
    let loader = loader.from(from.clone());
    let work = match loader.load(vec![task]).await?.pop() {
        Some(Loaded::Ready(work)) => work,
        Some(Loaded::Refused(_, reason)) => return Ok(Err(reason.text)),
        Some(Loaded::Done(_)) | None => return Ok(Ok(Vec::new())),
    };
    let mut with_logs = Vec::new();
    if existing.contains("delegated_ops") {
        for log in ["run_link", "log_path"] {
            with_logs.extend(store.datasets_with_logs(log).await?);
        }
    }
    let writer = Writer {
        // What is mended was damaged: nobody wants that back.
        journal: None,
        archive: None,
        before: None,
        yields: Yields::default(),
        store: store.clone(),
        passes: Passes::new(store.clone(), control.clone(), *run, Arc::new(existing.clone())),
        loader: Arc::new(loader),
        control: control.clone(),
        with_logs: Arc::new(with_logs),
        run: run.0,
        now: *now,
    };
    let written = writer.write(vec![*work]).await.pop();
    store.forget_marks(run.0).await?;
    match written {
        Some(Written::Migrated { warnings, .. }) => Ok(Ok(warnings)),
        Some(Written::Done(_)) | None => Ok(Ok(Vec::new())),
        Some(Written::Refused(_, reason)) => Ok(Err(reason.text)),
        Some(Written::Halted(_, halt)) => Err(halt),
    }
}
