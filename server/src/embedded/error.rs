//! What can keep us from having an embedded database.

use std::io;
use std::path::PathBuf;

use super::folder::Holder;
use super::format::Release;

/// Why there is no embedded database; the folder is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// There is nothing to run.
    #[error(
        "no `mongod` found: looked in {looked}; run `make setup`, or set `FIFTYONE_MONGOD` to one or \
         `FIFTYONE_DATABASE_URI` to a running database"
    )]
    NoServer {
        /// The places, in words.
        looked: String,
    },
    /// What was found, or given, does not run here.
    #[error(
        "`{}` is not a `mongod` that runs here ({reason}); set `FIFTYONE_MONGOD` to another", path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What happened when it was asked for its version.
        reason: String,
    },
    /// The folder cannot be read or written.
    #[error(
        "the database folder `{}` cannot be used ({reason}); set `FIFTYONE_DATABASE_DIR` to one that you own",
        dir.display()
    )]
    Folder {
        /// The folder of the database.
        dir: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A process that we cannot talk to has the folder open.
    #[error(
        "the database folder `{}` is held by {holder}, which does not answer on this machine; stop \
         it, or set `FIFTYONE_DATABASE_URI` to where it listens", dir.display()
    )]
    InUse {
        /// The folder of the database.
        dir: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// A newer server wrote the folder.
    #[error(
        "the database in `{}` has the format of MongoDB {format}, which `mongod` {server} is too old for; \
         set `FIFTYONE_MONGOD` to a `mongod` {format}", dir.display()
    )]
    Newer {
        /// The folder of the database.
        dir: PathBuf,
        /// Its feature compatibility version.
        format: Release,
        /// The server we have.
        server: Release,
    },
    /// A server wrote the folder that is too old for ours.
    #[error(
        "the database in `{}` has the format of MongoDB {format}, which `mongod` {server} no longer opens; \
         set `FIFTYONE_MONGOD` to a `mongod` {format}", dir.display()
    )]
    TooOld {
        /// The folder of the database.
        dir: PathBuf,
        /// Its feature compatibility version.
        format: Release,
        /// The server we have.
        server: Release,
    },
    /// The server gave up.
    #[error("`mongod` could not open `{}` ({reason}); its log is `{}`", dir.display(), log.display())]
    Failed {
        /// The folder of the database.
        dir: PathBuf,
        /// The last error in its log.
        reason: String,
        /// The log.
        log: PathBuf,
    },
    /// The server neither answers nor gives up.
    #[error(
        "`mongod` did not open `{}` within {seconds} seconds and was stopped; its log is `{}`",
        dir.display(), log.display()
    )]
    Silent {
        /// The folder of the database.
        dir: PathBuf,
        /// How long it was given.
        seconds: u64,
        /// The log.
        log: PathBuf,
    },
    /// The process that looks after the server could not be started.
    #[error("`mongod` could not be started ({reason}); is there a `/bin/sh`, and room in `{}`?", dir.display())]
    NoKeeper {
        /// The folder for temporary files.
        dir: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}
