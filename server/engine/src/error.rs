//! What can go wrong between us and a deployment, each as one sentence that says what to do.

use crate::store::Entry;

/// A situation in which a whole command cannot go on. What can go wrong with one dataset is in its report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection string cannot be used.
    #[error("the database URI cannot be read: {0}; expected something like `mongodb://host:27017`")]
    Uri(String),
    /// Nobody answers.
    #[error(
        "cannot reach MongoDB at {hosts}: {reason}; check that it runs and that `FIFTYONE_DATABASE_URI` names it"
    )]
    Unreachable {
        /// `host:port`, without credentials.
        hosts: String,
        /// What the driver says.
        reason: String,
    },
    /// The server does not take the credentials.
    #[error(
        "MongoDB at {hosts} does not accept the credentials: {reason}; check user, password and `authSource` in the URI"
    )]
    Credentials {
        /// `host:port`, without credentials.
        hosts: String,
        /// What the server says.
        reason: String,
    },
    /// The user lacks a right.
    #[error(
        "{0}; grant it `readWrite` and `dbAdmin` on the database, `readWrite` on the one for runs, and on a replica set `clusterMonitor` on `admin`"
    )]
    Privilege(String),
    /// The server is too old for what we ask of it.
    #[error("MongoDB {found} is too old; version {needed} or newer is needed")]
    OldServer {
        /// What runs.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// Several documents where FiftyOne keeps one.
    #[error(
        "the collection `config` of database `{database}` holds {count} documents instead of one ({versions}), so its version is not certain; `fiftyone-migrate doctor` shows them, and `doctor --repair` keeps the right one"
    )]
    SeveralConfigs {
        /// The database.
        database: String,
        /// How many.
        count: usize,
        /// Their ids and versions.
        versions: String,
    },
    /// The database was made by a program of another kind.
    #[error(
        "database `{database}` is of type `{found}`, which this program does not know; it migrates databases of type {known}"
    )]
    OtherClient {
        /// The database.
        database: String,
        /// Its `config.type`.
        found: String,
        /// What would do.
        known: String,
    },
    /// The `config` document is not what it should be.
    #[error(
        "the `config` document of database `{database}` is malformed: {reason}; set it to the version the database is at"
    )]
    MalformedConfig {
        /// The database.
        database: String,
        /// What is wrong.
        reason: String,
    },
    /// The role of whoever asked is too weak. Nothing was written.
    #[error(transparent)]
    Denied(#[from] model::Denied),
    /// A person may not do this, or it cannot be done at all. Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// Somebody else migrates this database now. Nothing was written.
    #[error(
        "this database is being migrated by {by} (process {pid}) since {since}, {documents} documents so far: run \
         {run}; watch it with `fiftyone-migrate runs watch {run}`, or begin again when it has ended"
    )]
    Busy {
        /// Their run.
        run: String,
        /// Who: `user@host`.
        by: String,
        /// Their process.
        pid: u32,
        /// Since when.
        since: String,
        /// How many samples and frames they have passed over.
        documents: i64,
        /// Whether the same was asked for.
        same: bool,
    },
    /// Somebody mends this database now. Nothing was written.
    #[error(
        "this database is being repaired by {by} (process {pid}) since {since}; begin again when they have ended"
    )]
    Repairing {
        /// Who: `user@host`.
        by: String,
        /// Their process.
        pid: u32,
        /// Since when.
        since: String,
    },
    /// We were asleep or cut off for longer than our lease, and somebody else goes on with our run.
    #[error(
        "run {0} was taken over by somebody else, because this program was asleep or cut off for longer than its lease; \
         nothing was written since; watch it with `fiftyone-migrate runs watch {0}`"
    )]
    TakenOver(String),
    /// The server could not be reached any more in the middle of a run.
    #[error(
        "MongoDB cannot be reached any more ({reason}); run {run} is as far as it came, and goes on with the same command, \
         with `fiftyone-migrate runs resume {run}`, or by itself where a server attends to it"
    )]
    CutOff {
        /// The run.
        run: String,
        /// What the driver says.
        reason: String,
    },
    /// A run that does not exist.
    #[error("run `{0}` not found; `fiftyone-migrate runs` lists the runs of this database")]
    UnknownRun(String),
    /// A release of FiftyOne that nobody knows of.
    #[error(
        "there is no release `{0}`; /versions lists those that are known, and admins can add one there"
    )]
    NoRelease(String),
    /// A dataset that does not exist, as far as whoever asks may know.
    #[error(
        "there is no dataset with the id `{0}`; `fiftyone-migrate --info` lists those of this database"
    )]
    NoDataset(String),
    /// An upload of media that does not exist.
    #[error(
        "there is no upload of media with the id `{0}`; the page `/media` lists those there are"
    )]
    NoUpload(String),
    /// An import or export that does not exist, as far as whoever asks may know.
    #[error(
        "there is no task with the id `{0}`; the pages `/import` and `/exports` list those there are"
    )]
    NoTask(String),
    /// A dataset that does not exist.
    #[error("dataset `{name}` not found{}", nearest.as_ref().map_or_else(|| "; `fiftyone-migrate --info` lists those of this database".to_owned(), |it| format!("; did you mean `{it}`?")))]
    UnknownDataset {
        /// What was asked for.
        name: String,
        /// The most similar name there is.
        nearest: Option<String>,
    },
    /// Anything else MongoDB says.
    #[error("MongoDB did not do as asked: {0}")]
    Driver(String),
}

impl Error {
    /// No dataset of the database has this name, but perhaps a similar one.
    pub fn unknown_dataset(name: &str, entries: &[Entry]) -> Self {
        Self::UnknownDataset { name: name.to_owned(), nearest: nearest(name, entries) }
    }

    /// The server could not be reached any more in the middle of a run. If it can be seen that somebody else has the run by
    /// now, that counts.
    pub(crate) fn cut_off<T>(rested: Result<T>, run: String, reason: String) -> Self {
        match rested {
            Err(taken_over @ Self::TakenOver(_)) => taken_over,
            _ => Self::CutOff { run, reason },
        }
    }
}

/// The most similar name, if one is similar enough to be a slip of the keyboard.
fn nearest(name: &str, entries: &[Entry]) -> Option<String> {
    let names = entries.iter().filter_map(|it| it.name.as_deref());
    let scored = names.map(|it| (strsim::jaro_winkler(name, it), it));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then(|| best.1.to_owned())
}

/// Shorthand.
pub type Result<T, E = Error> = std::result::Result<T, E>;
