//! Revisions of the database as a whole, in the same shape as those of a dataset.

use std::collections::BTreeSet;

use bson::Document;
use model::{Direction, Version};

use crate::{Reason, Refusal, Release, base, direction};

/// One change of the database outside its datasets, and how to undo it.
#[derive(Debug)]
pub struct Revision {
    /// The first version that has the change.
    pub version: Version,
    /// What changed, as a reader of the plan should see it.
    pub summary: &'static str,
    /// Towards newer versions.
    pub up: Transform,
    /// Towards older versions.
    pub down: Transform,
}

/// Changes the database in memory.
///
/// # Errors
///
/// A [`Reason`] why the database cannot cross.
pub type Transform = fn(&mut Database) -> Result<(), Reason>;

/// A database as admin revisions see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// The one document of the collection `config`: `{ _id, version, type }`.
    pub config: Document,
    /// The names of all its collections.
    pub collections: BTreeSet<String>,
    /// The collections that dataset documents say they use: sample and frame collections.
    pub in_use: BTreeSet<String>,
    /// Collections to drop, by the revisions that ran. Listed before it is done.
    pub drop: BTreeSet<String>,
}

macro_rules! catalogue {
    ($($module:ident)*) => {
        $(mod $module;)*
        /// All admin revisions, oldest first.
        pub static ALL: &[Revision] = &[$($module::REVISION),*];
    };
}

catalogue! {
    v0_15_0
    v0_15_1
}

/// The admin revisions between two versions, in the order they run.
pub fn between(head: &Release, destination: &Release) -> Vec<&'static Revision> {
    crate::crossed(ALL, |it| &it.version, head, destination)
}

/// Takes the database from `head` to `destination` without touching it. The version is not stamped here:
/// going down it is written after the datasets.
///
/// # Errors
///
/// The first [`Refusal`].
pub fn fold(
    mut database: Database,
    head: &Release,
    destination: &Release,
) -> Result<Database, Refusal> {
    let way = direction(&base(head), &base(destination));
    for revision in between(head, destination) {
        let transform = match way {
            Some(Direction::Down) => revision.down,
            Some(Direction::Up) | None => revision.up,
        };
        transform(&mut database).map_err(|reason| Refusal {
            dataset: "(database)".to_owned(),
            version: revision.version.clone(),
            reason,
        })?;
    }
    Ok(database)
}
