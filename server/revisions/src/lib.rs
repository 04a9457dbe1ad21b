//! Every revision of the FiftyOne data model, one module each: what changes, as pure values.
//!
//! A revision cannot do I/O. It gets a dataset document and the run documents it owns, changes them in
//! memory, and says what else has to happen (updates of every sample or frame, effects elsewhere) as
//! data. [`fold()`] runs a whole path of revisions; the engine writes what comes out.

pub mod admin;
pub mod archive;
mod context;
mod dataset;
mod detect;
mod fold;
mod footprint;
mod label_fields;
mod loss;
pub mod merge;
mod mint;
mod names;
mod pass;
mod promise;
mod refusal;
mod shape;
mod step;
mod update;

use model::{Direction, Version};
pub use pep440_rs::Version as Release;

pub use context::{Context, Env, Updates};
pub use dataset::{Dataset, Defaults};
pub use detect::detect;
pub use fold::{Head, Outcome, base, direction, fold, head};
pub use footprint::Footprint;
pub use names::Names;
pub use pass::{Keys, Pass, Stage, stages};
pub use promise::{Breach, Claim, Form, Of, Promise, breaches, promised};
pub use refusal::{Reason, Refusal};
pub use shape::Shape;
pub use step::{Collections, Effect, Merge, Scope, Step};
pub use update::{Expr, Update};
pub use v0_19_0::naming::name_in_urls;

/// One change of the data model, and how to undo it.
#[derive(Debug)]
pub struct Revision {
    /// The first version that has the change.
    pub version: Version,
    /// What changed, as a reader of the preview should see it.
    pub summary: &'static str,
    /// What the way down drops, as somebody should know before; `None` if going up again brings back all.
    pub loses: Option<&'static str>,
    /// What the engine must load, beyond the dataset document, before this can run.
    pub reads: &'static [Read],
    /// What holds of every dataset document that has crossed it.
    pub promise: Promise,
    /// Towards newer versions.
    pub up: Transform,
    /// Towards older versions.
    pub down: Transform,
}

/// Changes a dataset in memory, and asks for the rest.
///
/// # Errors
///
/// A [`Reason`] why the dataset cannot cross; whatever was changed in memory is then thrown away.
pub type Transform = fn(&mut Dataset, &mut Context<'_>) -> Result<(), Reason>;

/// Something a revision needs loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The run documents this dataset refers to.
    Runs,
    /// The names and slugs of all other datasets.
    Names,
    /// Which GridFS files with run results exist and hold a JSON object.
    Results,
}

macro_rules! catalogue {
    ($($module:ident)*) => {
        $(mod $module;)*
        /// All dataset revisions, oldest first.
        pub static ALL: &[Revision] = &[$($module::REVISION),*];
    };
}

catalogue! {
    v0_6_2
    v0_6_5
    v0_7_2
    v0_7_3
    v0_7_4
    v0_8_0
    v0_9_4
    v0_11_2
    v0_13_0
    v0_14_0
    v0_15_1
    v0_16_0
    v0_16_1
    v0_16_3
    v0_17_0
    v0_18_0
    v0_19_0
    v0_20_0
    v0_23_0
    v1_0_0
    v1_1_0
    v1_4_0
    v1_13_0
}

/// The dataset revisions between two versions, in the order they run.
///
/// As in FiftyOne, only the numbers count: `1.0.0rc2` crosses what `1.0.0` crosses.
pub fn between(head: &Release, destination: &Release) -> Vec<&'static Revision> {
    crossed(ALL, |it| &it.version, head, destination)
}

fn crossed<T>(
    all: &'static [T],
    version: fn(&T) -> &Version,
    head: &Release,
    destination: &Release,
) -> Vec<&'static T> {
    let within = |low: &Release, high: &Release| -> Vec<&'static T> {
        let between = |it: &&T| order(version(it), low).is_gt() && order(version(it), high).is_le();
        all.iter().filter(between).collect()
    };
    match direction(&base(head), &base(destination)) {
        Some(Direction::Up) => within(head, destination),
        Some(Direction::Down) => within(destination, head).into_iter().rev().collect(),
        None => Vec::new(),
    }
}

/// How a revision's version stands to the numbers of a release. Without making a [`Release`] of it: this is asked for
/// every dataset and revision.
fn order(version: &Version, release: &Release) -> std::cmp::Ordering {
    let ours = [version.major(), version.minor(), version.patch()];
    let theirs = release.release();
    let number = |numbers: &[u64], at: usize| numbers.get(at).copied().unwrap_or(0);
    let pairs =
        (0..ours.len().max(theirs.len())).map(|at| number(&ours, at).cmp(&number(theirs, at)));
    pairs.fold(0.cmp(&release.epoch()), std::cmp::Ordering::then)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
