//! What can be wrong with an export, each as one sentence that says what to do.

use std::{io, path::PathBuf};

/// Why an export cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file or folder that cannot be read or written.
    #[error("`{}` cannot be {doing}: {source}; see to it, and begin again", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// It is no export.
    #[error("`{}` is not an export of FiftyOne: {missing}; name the folder that has `metadata.json` in it", path.display())]
    NotAnExport {
        /// The folder.
        path: PathBuf,
        /// What it lacks.
        missing: String,
    },
    /// A file that is not what FiftyOne writes.
    #[error("{place}: {reason}; export the dataset again, or mend the file")]
    Malformed {
        /// The file, and where in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// An archive that would write where it must not, or more than it may. Nothing of it is left.
    #[error("the archive `{}` is not unpacked: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Which entry, and why.
        reason: String,
    },
}

impl Fault {
    pub(crate) fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, doing: "read", source }
    }

    pub(crate) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, doing: "written", source }
    }

    pub(crate) fn malformed(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { place: place.into(), reason: reason.into() }
    }
}
