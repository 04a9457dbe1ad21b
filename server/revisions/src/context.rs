//! What a revision may ask of the world: values in, requests out, never I/O.

use std::collections::BTreeSet;

use bson::{DateTime, Document, oid::ObjectId};
use model::Version;

use crate::{Effect, Expr, Merge, Names, Scope, Step, Update, mint::mint};

/// What the engine loaded before the revisions run.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The time of the migration: one for a whole run.
    pub now: DateTime,
    /// The time that new names are made of: known before the migration begins, so that they can be told.
    pub named: DateTime,
    /// All names and slugs; only complete if a revision in the path has [`Read::Names`](crate::Read).
    pub names: &'a Names,
    /// The GridFS files that exist and hold a JSON object; see [`Read::Results`](crate::Read).
    pub results: &'a BTreeSet<ObjectId>,
}

/// The inputs of a revision, and the list of everything it wants done.
#[derive(Debug)]
pub struct Context<'a> {
    /// What was loaded.
    pub env: Env<'a>,
    pub(crate) steps: Vec<Step>,
    pub(crate) warnings: Vec<String>,
    pub(crate) version: Version,
}

/// Collects updates of one collection; each call adds one, in order.
#[derive(Debug)]
pub struct Updates<'c> {
    steps: &'c mut Vec<Step>,
    scope: Scope,
}

impl<'a> Context<'a> {
    /// Nothing asked for yet.
    pub fn new(env: Env<'a>) -> Self {
        Self { env, steps: Vec::new(), warnings: Vec::new(), version: Version::new(0, 0, 0) }
    }

    /// The id of the thing at `path` (`["evaluations", "eval"]`) that this revision makes for `dataset`.
    /// Asking again gives the same id.
    pub fn new_id(&self, dataset: &Document, path: &[&str]) -> ObjectId {
        mint(dataset, &self.version.to_string(), path)
    }

    /// Changes to every sample.
    pub fn samples(&mut self) -> Updates<'_> {
        self.every(Scope::Samples)
    }

    /// Changes to every frame.
    pub fn frames(&mut self) -> Updates<'_> {
        self.every(Scope::Frames)
    }

    /// Changes to every document of `scope`.
    pub fn every(&mut self, scope: Scope) -> Updates<'_> {
        Updates { steps: &mut self.steps, scope }
    }

    /// Carries something from one collection to another.
    pub fn merge(&mut self, merge: Merge) {
        self.steps.push(Step::Merge(merge));
    }

    /// Changes something elsewhere.
    pub fn effect(&mut self, effect: Effect) {
        self.steps.push(Step::Effect(effect));
    }

    /// Says what is lost or changed in a way people should know. A sentence without a full stop that names
    /// what and how many, not the dataset.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

#[expect(clippy::return_self_not_must_use, reason = "a chain of updates has an end")]
impl Updates<'_> {
    fn push(self, update: Update) -> Self {
        self.steps.push(Step::Update { scope: self.scope, update });
        self
    }

    /// See [`Update::Rename`].
    pub fn rename(self, from: &str, to: &str) -> Self {
        self.push(Update::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    /// See [`Update::Set`].
    pub fn set(self, field: &str, value: impl Into<Expr>) -> Self {
        self.push(Update::Set { field: field.to_owned(), value: value.into() })
    }

    /// See [`Update::Unset`].
    pub fn unset(self, field: &str) -> Self {
        self.push(Update::Unset { field: field.to_owned() })
    }

    /// See [`Update::Each`].
    pub fn each_document(self, change: fn(&mut Document)) -> Self {
        self.push(Update::Each(change))
    }
}
