//! What a fold asks for beyond the dataset document and its runs, as data.

use bson::{Bson, Document, oid::ObjectId};

use crate::Update;

/// One thing that has to happen, in the order the revisions asked for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Change every document of a collection.
    Update {
        /// Which collection.
        scope: Scope,
        /// Which change.
        update: Update,
    },
    /// Carry something from one collection of the dataset to another. A barrier: what was asked for
    /// before is done before, what is asked for after is done after.
    Merge(Merge),
    /// Change something outside the dataset, its samples, frames and runs.
    Effect(Effect),
}

/// One of the two collections a dataset owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `samples.*`
    Samples,
    /// `frames.*`
    Frames,
}

/// The names of the two collections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collections {
    /// The sample collection.
    pub samples: String,
    /// The frame collection, whether or not it exists.
    pub frames: String,
}

/// An aggregation over `from` whose results (`{ _id, keys to set }`) are merged into `into`.
///
/// The engine puts a `$match` on an `_id` range in front and a `$merge` (`whenMatched: merge`,
/// `whenNotMatched: discard`) behind, so each must only need the documents of the range. Running it twice
/// must do no more than running it once.
#[derive(Clone, Debug)]
pub struct Merge {
    /// What is read, in ranges of `_id`.
    pub from: Scope,
    /// What is changed.
    pub into: Scope,
    /// The stages in between.
    pub stages: fn(&Collections) -> Vec<Document>,
}

impl PartialEq for Merge {
    fn eq(&self, other: &Self) -> bool {
        let names = Collections { samples: "samples".to_owned(), frames: "frames".to_owned() };
        (self.from, self.into, (self.stages)(&names))
            == (other.from, other.into, (other.stages)(&names))
    }
}

/// A change outside the dataset, its samples, its frames and its runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Delete these documents of the collection `views`. After the commit.
    DeleteViews(Vec<Bson>),
    /// Write a copy of the GridFS file `from` as `to`, with these keys of its JSON object set. The copy is
    /// made before the commit; `from` is deleted after it if nothing refers to it any more.
    RewriteResults {
        /// The file that is there.
        from: ObjectId,
        /// The file to make.
        to: ObjectId,
        /// Top-level keys and their new texts.
        set: Vec<(&'static str, &'static str)>,
        /// Whether `from` goes: another run of the dataset may still refer to it.
        delete_from: bool,
    },
    /// In the delegated operations of this dataset, rename `from` to `to` where `from` ends in `.log`.
    RenameOperationLog {
        /// The key that holds the path.
        from: &'static str,
        /// The key that shall hold it.
        to: &'static str,
    },
    /// Delete this GridFS file. After the commit.
    DeleteResults(ObjectId),
    /// Bring this GridFS file back from an entry of the archive. Before the commit.
    ReturnResults {
        /// The file.
        file: ObjectId,
        /// Which of the entries that are given back has it.
        entry: usize,
    },
    /// Put documents back where they are missing. Before the commit.
    PutBack {
        /// Into which collection.
        collection: &'static str,
        /// The documents.
        documents: Vec<Document>,
    },
    /// Replace a delegated operation, if it is what it was expected to be.
    ChangeOperation {
        /// What it was expected to be.
        read: Document,
        /// What it shall be.
        changed: Document,
    },
}

impl Effect {
    /// The file that is deleted after the commit.
    pub fn deletes(&self) -> Option<ObjectId> {
        match self {
            Self::DeleteResults(file)
            | Self::RewriteResults { from: file, delete_from: true, .. } => Some(*file),
            _ => None,
        }
    }

    /// The file that is made before the commit.
    pub fn makes(&self) -> Option<ObjectId> {
        match self {
            Self::RewriteResults { to: file, .. } | Self::ReturnResults { file, .. } => Some(*file),
            _ => None,
        }
    }
}
