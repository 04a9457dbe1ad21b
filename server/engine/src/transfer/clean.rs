//! Removing files here that were uploaded and verified, and that no dataset refers to any more.

use std::{collections::HashSet, fs, path::Path};

use bson::{doc, oid::ObjectId};
use media::{
    Care, Cause, Destination, Stamp, environment,
    manifest::{Entry, State},
};
use model::{Action, CleanReport, Permit, words};

use super::{
    TransferPhase, TransferProgress, blocking,
    gather::{Gather, PIECE},
    is_same_file, mark, refused,
    report::unlooked,
};
use crate::{
    Engine, Error, Result,
    store::{UploadRecord, file_statement},
};

/// How many files are removed before that is written down.
const PAGE: i64 = 500;

/// How many examples are told.
const EXAMPLES: usize = 5;

impl Engine {
    /// Removes the files of an upload here, once all of them are verified at the destination, and no dataset of the database refers to
    /// one of them. With `dry_run` it says what it would remove.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such upload, or it may not be removed as the dry run says.
    pub async fn clean_up_media(
        &self,
        permit: &Permit,
        (dataset, to): (&str, &str),
        dry_run: bool,
        progress: &TransferProgress,
    ) -> Result<CleanReport> {
        permit.covers(Action::RemoveMedia)?;
        let to = Destination::open(to, &environment).map_err(refused)?;
        let subject = self.subject(dataset, &[]).await?;
        let held = self.hold_upload(permit, &subject, &to, (16, 0), progress).await?;
        let (held, upload) = held;
        let done = self.cleaned(&upload, &to, dry_run, progress).await;
        let verified = done.as_ref().is_ok_and(|it| it.blockers.is_empty());
        held.release(&done, verified).await?;
        done
    }

    async fn cleaned(
        &self,
        upload: &UploadRecord,
        to: &Destination,
        dry_run: bool,
        progress: &TransferProgress,
    ) -> Result<CleanReport> {
        let mut report = CleanReport {
            name: upload.name.clone(),
            destination: upload.destination.clone(),
            ..CleanReport::default()
        };
        // Now, not only when it was uploaded: somebody may have emptied the bucket since.
        let verified = doc! { "upload": upload.id, "state": State::Verified.word() };
        self.look_at(upload.id, verified.clone(), to, Care::Known, progress).await?;
        self.blocked(upload, &mut report).await?;
        if report.blockers.is_empty() {
            self.unneeded((upload, to), &mut report, progress).await?;
        }
        if !report.blockers.is_empty() && !dry_run {
            return Err(Error::Refused(report.blockers.join("; ")));
        }
        progress.enter(TransferPhase::Removing);
        let mut after = None;
        while !progress.throttle.is_stopped() {
            let found = self.store.files(verified.clone(), after, PAGE).await;
            let found = found.map_err(|it| self.store.error(it))?;
            let Some((last, _)) = found.last() else { break };
            after = Some(*last);
            progress.seen(found.len() as u64);
            self.remove(upload, to, found, dry_run, &mut report).await?;
        }
        Ok(report)
    }

    /// Whether everything was verified.
    async fn blocked(&self, upload: &UploadRecord, report: &mut CleanReport) -> Result<()> {
        let all = doc! { "upload": upload.id, "turn": upload.turn };
        let counts = self.store.count_files(all).await.map_err(|it| self.store.error(it))?;
        for (state, _, count) in counts {
            let what = match state {
                State::Verified | State::Cleaned => continue,
                State::Planned => "not uploaded",
                State::Uploaded => "not verified",
                State::Failed => "failed",
            };
            report.blockers.push(format!(
                "{} {what}: run `fiftyone-migrate upload-media` until every file is verified",
                words::counted(count.files, "file")
            ));
        }
        let mut open = unlooked();
        open.insert("upload", upload.id);
        let open = self.store.count_files(open).await.map_err(|it| self.store.error(it))?;
        let open: u64 = open.iter().map(|(.., it)| it.files).sum();
        if open > 0 {
            report.blockers.push(format!(
                "{} could not be looked at, at {}: see that it can be reached, and try again",
                words::counted(open, "file"),
                upload.destination
            ));
        }
        Ok(())
    }

    /// Whether no dataset refers to one of the files any more.
    async fn unneeded(
        &self,
        (upload, to): (&UploadRecord, &Destination),
        report: &mut CleanReport,
        progress: &TransferProgress,
    ) -> Result<()> {
        let error = |it| self.store.error(it);
        let (mut files, mut after) = (HashSet::new(), None);
        let filter = doc! { "upload": upload.id, "state": State::Verified.word() };
        loop {
            let page = self.store.files(filter.clone(), after, PIECE).await.map_err(error)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            files.extend(page.iter().map(|(_, it)| mark(&it.source)));
        }
        progress.enter(TransferPhase::Looking);
        for entry in self.store.entries().await.map_err(error)? {
            let subject = self.subject(&entry.id_text(), &[]).await?;
            let (mut needed, mut example) = (0_u64, None);
            // With what its scenes refer to.
            let mut gather = Gather::names(&self.store, &subject, to);
            while let Some(found) = gather.next().await? {
                progress.seen(found.len() as u64);
                for it in found.into_iter().filter(|it| files.contains(&mark(&it.source))) {
                    needed += 1;
                    example.get_or_insert(it.source);
                }
            }
            if let Some(why) = gather.met.iter().flat_map(|it| &it.broken_scenes).next() {
                report.blockers.push(format!(
                    "nobody can say which files a scene of `{}` needs: {why}; mend it, or take its sample out of the dataset",
                    entry.label()
                ));
            }
            if let Some(example) = example {
                report.blockers.push(format!(
                    "paths of `{}` still lead to these files, to {}, such as `{example}`: rewrite them first with `fiftyone-migrate rewrite-paths`",
                    entry.label(),
                    words::count(needed)
                ));
            }
        }
        Ok(())
    }

    async fn remove(
        &self,
        upload: &UploadRecord,
        to: &Destination,
        files: Vec<(ObjectId, Entry)>,
        dry_run: bool,
        report: &mut CleanReport,
    ) -> Result<()> {
        let root = upload.layout.get_str("root").unwrap_or("/").to_owned();
        let to = to.clone();
        let outcomes = blocking(move || {
            let each = files.into_iter().map(|(_, it)| {
                let outcome = removed(&it, &to, &root, dry_run);
                (it, outcome)
            });
            each.collect::<Vec<_>>()
        });
        let mut statements = Vec::new();
        for (entry, outcome) in outcomes.await? {
            let size = entry.stamp.map_or(0, |it| it.size);
            let example = |examples: &mut Vec<String>| {
                if examples.len() < EXAMPLES {
                    examples.push(entry.source.clone());
                }
            };
            match outcome {
                Outcome::Removed => {
                    report.files += 1;
                    report.bytes += size;
                    example(&mut report.examples);
                }
                Outcome::Gone => report.gone += 1,
                Outcome::Changed => {
                    report.changed += 1;
                    example(&mut report.changed_examples);
                    continue;
                }
                Outcome::Kept(why) => {
                    report.kept += 1;
                    if report.kept_examples.len() < EXAMPLES {
                        report.kept_examples.push(why);
                    }
                    continue;
                }
            }
            let change = doc! { "$set": { "state": State::Cleaned.word() } };
            statements.push(file_statement(upload.id, &entry.source, change));
        }
        if dry_run {
            return Ok(());
        }
        self.store.note_files(statements).await.map_err(|it| self.store.error(it))
    }
}

enum Outcome {
    Removed,
    Gone,
    /// It is not what was uploaded any more.
    Changed,
    /// It stays for this reason.
    Kept(String),
}

/// Removes a file that is still what was uploaded, and folders below the root that are empty then.
fn removed(entry: &Entry, to: &Destination, root: &str, dry_run: bool) -> Outcome {
    let path = Path::new(&entry.source);
    match Stamp::at(&entry.source) {
        Ok(now) if Some(now) == entry.stamp => {}
        Ok(_) => return Outcome::Changed,
        Err(fault) if fault.cause == Cause::Missing => return Outcome::Gone,
        Err(fault) => return Outcome::Kept(fault.text),
    }
    match is_same_file(&entry.source, to, &entry.place) {
        Ok(false) => {}
        Ok(true) => {
            let what = format!("`{}` is itself what is at the destination", entry.source);
            return Outcome::Kept(what);
        }
        Err(fault) => return Outcome::Kept(fault.text),
    }
    if dry_run {
        return Outcome::Removed;
    }
    if let Err(why) = fs::remove_file(path) {
        let what = format!(
            "`{}` cannot be removed: {why}; see that its folder may be written to",
            entry.source
        );
        return Outcome::Kept(what);
    }
    let mut folder = path.parent();
    while let Some(it) = folder.filter(|it| it.starts_with(root) && *it != Path::new(root)) {
        if fs::remove_dir(it).is_err() {
            break;
        }
        folder = it.parent();
    }
    Outcome::Removed
}
