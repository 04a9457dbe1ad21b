//! What an import would come to: everything that is read before anything is written.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    path::Path,
};

use bson::{DateTime, oid::ObjectId};
use bundle::Folder;
use model::{
    ImportReport, MediaReport,
    media_path::{PathKind, scheme},
    words,
};

use super::{ImportProgress, ImportRequest, convert::Paths, fault, plan::ImportPlan, stopped};
use crate::{Result, temporal_tags::TagReader};

/// How many examples are told.
const EXAMPLES: usize = 5;

/// Reads everything once.
///
/// # Errors
///
/// If the export cannot be read.
pub fn survey(
    request: &ImportRequest,
    folder: &Folder,
    plan: &std::result::Result<ImportPlan, String>,
    progress: &ImportProgress,
) -> Result<ImportReport> {
    let text = |key: &str| folder.metadata.get_str(key).unwrap_or_default().to_owned();
    let mut report = ImportReport {
        name: request.name.clone().unwrap_or_else(|| text("name")),
        head: text("version"),
        media_type: text("media_type"),
        bytes: folder.bytes().map_err(fault)?,
        ..ImportReport::default()
    };
    match plan {
        Ok(plan) => {
            report.name.clone_from(&plan.name);
            report.destination = plan.destination.to_string();
            report.revisions.clone_from(&plan.revisions);
            report.warnings.clone_from(&plan.warnings);
            report.views = plan.views.len();
            report.workspaces = plan.workspaces.len();
            report.runs = plan.runs.len();
        }
        Err(why) => report.blockers.push(why.clone()),
    }
    let mut tagged = tagged(folder, &mut report)?;
    let paths = Paths::of(request, folder);
    let (hasher, mut seen) = (RandomState::new(), HashSet::new());
    for piece in folder.samples().map_err(fault)? {
        let piece = piece.map_err(fault)?;
        let mut sample = piece.read().map_err(fault)?;
        report.samples += 1;
        progress.looked_at();
        if progress.is_stopped() {
            return Err(stopped());
        }
        if let Ok(id) = sample.get_object_id("_id") {
            tagged.remove(&id);
        }
        let given = sample.get_str("filepath").map(PathKind::of);
        if let Some(path) = paths.apply(&mut sample)
            && report.blockers.len() < EXAMPLES
        {
            report.blockers.push(format!(
                "{}: the path `{path}` leaves the export; name the folder that it is relative to with `--rel-dir`, or mend it",
                piece.place
            ));
        }
        let Ok(path) = sample.get_str("filepath") else { continue };
        if !seen.insert(hasher.hash_one(path)) {
            report.media.repeated += 1;
        }
        note(&mut report.media, path, given.unwrap_or(PathKind::Relative));
    }
    if let Some(one) = tagged.iter().next() {
        report.blockers.push(format!(
            "{} not in the export, such as {one}; export it again",
            words::either(
                tagged.len() as u64,
                "sample with temporal tags is",
                "samples with temporal tags are"
            )
        ));
    }
    for piece in folder.frames().map_err(fault)?.into_iter().flatten() {
        piece.map_err(fault)?;
        report.frames += 1;
    }
    Ok(report)
}

/// The samples that have temporal tags, as far as they say.
fn tagged(folder: &Folder, report: &mut ImportReport) -> Result<HashSet<ObjectId>> {
    let mut reader = TagReader::new(ObjectId::new(), DateTime::now());
    let mut tagged = HashSet::new();
    for piece in folder.temporal_tags().map_err(fault)?.into_iter().flatten() {
        if let Some(tag) = reader.read(&piece.map_err(fault)?).map_err(fault)? {
            report.temporal_tags += 1;
            tagged.extend(tag.get_object_id("_sample_id"));
        }
    }
    Ok(tagged)
}

fn note(media: &mut MediaReport, path: &str, given: PathKind) {
    let kind = match given {
        PathKind::Relative => "below the export".to_owned(),
        PathKind::Unix => "on this machine".to_owned(),
        PathKind::Windows => "on Windows".to_owned(),
        PathKind::Url => format!("{}://", scheme(path).unwrap_or_default()),
    };
    *media.kinds.entry(kind).or_default() += 1;
    if PathKind::of(path) == PathKind::Unix && !Path::new(path).exists() {
        media.missing += 1;
        if media.missing_examples.len() < EXAMPLES {
            media.missing_examples.push(path.to_owned());
        }
    }
}
