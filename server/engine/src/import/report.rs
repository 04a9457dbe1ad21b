//! What an import would come to: everything that is read before anything is written.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use bundle::Folder;
use model::media_path::{PathKind, scheme};
use serde::Serialize;

use super::{ImportRequest, convert::Paths, fault, plan::ImportPlan};
use crate::Result;

/// How many examples are told.
const EXAMPLES: usize = 5;

/// What is in an export, and what importing it would come to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportReport {
    /// How the dataset will be called.
    pub name: String,
    /// Its id, where it was imported.
    pub id: Option<String>,
    /// The version it was exported at.
    pub head: String,
    /// The version it will be at.
    pub destination: String,
    /// The revisions it crosses.
    pub revisions: Vec<String>,
    /// Its media type.
    pub media_type: String,
    /// How many samples.
    pub samples: u64,
    /// How many frames.
    pub frames: u64,
    /// How many saved views, workspaces and runs come along.
    pub views: usize,
    /// See there.
    pub workspaces: usize,
    /// See there.
    pub runs: usize,
    /// How many bytes of JSON are read.
    pub bytes: u64,
    /// Where its media are.
    pub media: MediaReport,
    /// What people should know.
    pub warnings: Vec<String>,
    /// Why it cannot be imported; empty if it can.
    pub blockers: Vec<String>,
}

/// Where the media of an export are.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MediaReport {
    /// How many samples have a path of each kind: on this machine, below the export, on Windows, by scheme.
    pub kinds: BTreeMap<String, u64>,
    /// How many files are not there, of those that would be on this machine.
    pub missing: u64,
    /// Some of them.
    pub missing_examples: Vec<String>,
    /// How many samples have the path of another sample.
    pub repeated: u64,
}

/// Reads everything once.
///
/// # Errors
///
/// If the export cannot be read.
pub fn survey(
    request: &ImportRequest,
    folder: &Folder,
    plan: &std::result::Result<ImportPlan, String>,
    progress: &AtomicU64,
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
    let paths = Paths::of(request, folder);
    let (hasher, mut seen) = (RandomState::new(), HashSet::new());
    for piece in folder.samples().map_err(fault)? {
        let piece = piece.map_err(fault)?;
        let mut sample = piece.read().map_err(fault)?;
        report.samples += 1;
        progress.fetch_add(1, Ordering::Relaxed);
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
        report.media.note(path, given.unwrap_or(PathKind::Relative));
    }
    for piece in folder.frames().map_err(fault)?.into_iter().flatten() {
        piece.map_err(fault)?;
        report.frames += 1;
    }
    Ok(report)
}

impl MediaReport {
    fn note(&mut self, path: &str, given: PathKind) {
        let kind = match given {
            PathKind::Relative => "below the export".to_owned(),
            PathKind::Unix => "on this machine".to_owned(),
            PathKind::Windows => "on Windows".to_owned(),
            PathKind::Url => format!("{}://", scheme(path).unwrap_or_default()),
        };
        *self.kinds.entry(kind).or_default() += 1;
        if PathKind::of(path) == PathKind::Unix && !Path::new(path).exists() {
            self.missing += 1;
            if self.missing_examples.len() < EXAMPLES {
                self.missing_examples.push(path.to_owned());
            }
        }
    }
}
