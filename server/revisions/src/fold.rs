//! Running revisions in memory: what a preview shows and what a migration then writes.

use bson::Bson;
use model::{Direction, Version};

use crate::{Context, Dataset, Env, Reason, Refusal, Release, Step, between, detect};

/// The dataset at its destination, and everything else that has to happen to get it there.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The dataset as it shall be, stamped with its destination.
    pub dataset: Dataset,
    /// Changes to samples, frames and other collections, in order.
    pub steps: Vec<Step>,
    /// What people should know, each with the revision that says so.
    pub warnings: Vec<(Version, String)>,
}

/// The version a dataset is at.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What its document says, or what its content shows where it says nothing.
    pub release: Release,
    /// The text in the document; `None` if there is none.
    pub stored: Option<String>,
}

/// Reads the version of a dataset document. A document without one is judged by its content: datasets
/// older than 0.6.2 never had one, but newer ones can have lost theirs.
///
/// # Errors
///
/// If the version is not a text, or not one that Python's packaging would read.
pub fn head(document: &bson::Document) -> Result<Head, Reason> {
    match document.get("version") {
        None | Some(Bson::Null) => Ok(Head { release: release(&detect(document)), stored: None }),
        Some(Bson::String(text)) => match text.parse::<Release>() {
            Ok(release) => Ok(Head { release, stored: Some(text.clone()) }),
            Err(_) => Err(Reason::new(format!(
                "its version `{text}` is not a version; set it to the version that wrote the dataset"
            ))),
        },
        Some(other) => Err(crate::shape::malformed("version", other, "a text")),
    }
}

/// Takes `dataset` from `head` to `destination` without touching a database.
///
/// # Errors
///
/// The first [`Refusal`]; the revisions after it do not run.
pub fn fold(
    mut dataset: Dataset,
    head: &Release,
    destination: &Release,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let label = dataset.label();
    let way = direction(&base(head), &base(destination));
    let mut cx = Context::new(env);
    let mut warnings = Vec::new();
    for revision in between(head, destination) {
        cx.version = revision.version.clone();
        let transform = match way {
            Some(Direction::Down) => revision.down,
            Some(Direction::Up) | None => revision.up,
        };
        transform(&mut dataset, &mut cx).map_err(|reason| Refusal {
            dataset: label.clone(),
            version: revision.version.clone(),
            reason,
        })?;
        warnings.extend(cx.warnings.drain(..).map(|it| (revision.version.clone(), it)));
    }
    // Datasets older than this do not store their version.
    if base(destination) >= release(&Version::new(0, 6, 2)) {
        dataset.document.insert("version", destination.to_string());
    } else {
        dataset.document.remove("version");
    }
    Ok(Outcome { dataset, steps: cx.steps, warnings })
}

/// Which way a migration goes; `None` if the two are the same.
pub fn direction(head: &Release, destination: &Release) -> Option<Direction> {
    match destination.cmp(head) {
        std::cmp::Ordering::Greater => Some(Direction::Up),
        std::cmp::Ordering::Less => Some(Direction::Down),
        std::cmp::Ordering::Equal => None,
    }
}

/// The numbers of a version alone: `1.22.1rc2` and `1.22.1.dev0` are `1.22.1`.
pub fn base(version: &Release) -> Release {
    Release::new(version.release().iter().copied()).with_epoch(version.epoch())
}

/// A revision's version as Python writes it.
pub(crate) fn release(version: &Version) -> Release {
    Release::new([version.major(), version.minor(), version.patch()])
}
