//! Every MongoDB call: nothing outside this module names the driver.

mod accounts;
mod archive;
mod changes;
mod checks;
mod clients;
mod config;
mod datasets;
mod documents;
mod failure;
mod health;
mod imports;
mod indexes;
mod jobs;
mod journal;
mod leases;
mod leftovers;
mod listing;
mod log;
mod looks;
mod marks;
mod media;
mod operations;
mod privileges;
mod ranges;
mod repairs;
mod results;
mod rewrites;
mod runs;
mod selections;
mod server;
mod shares;
mod sizes;
mod strain;
mod tasks;
mod values;
mod versions;
mod views;

use std::{sync::Arc, time::Duration};

use bson::{Document, RawDocumentBuf, doc, raw::cstr};
use mongodb::{Client, Collection, Database, error::ErrorKind, options::ClientOptions};
use tokio::sync::OnceCell;

pub use accounts::{
    Access, Account, Admission, Change, FIRST_INVITATION, GroupRecord, Invitation, Limit,
    RightRecord, Session,
};
pub use archive::{ARCHIVE_VALUES, ArchiveEntry, ArchiveId, Given, Giving, UsedArchive, archived};
pub use changes::Touched;
pub use checks::{Broken, Check, CheckId, Checked, Passed, Standing};
pub use clients::Connection;
pub use config::Config;
pub use datasets::{Entry, Swap};
pub(crate) use datasets::{raw, size};
pub use documents::Rewrite;
pub use failure::Failure;
pub use imports::{Digest, ImportRecord};
pub use jobs::{Asked, Job, JobDataset, JobJournal, JobUndo, JobWish, Scope};
pub use journal::{EntryId, Kind, binary, bytes, changed, document};
pub use leases::{Holder, Lease, TTL, Taking};
pub use leftovers::Leftovers;
pub use log::{Happening, SHOWN, Story, Told};
pub use marks::Mark;
pub use media::{PlannedFile, UploadRecord, fault_change, file_statement, parts_change};
pub use ranges::Range;
pub use repairs::Repair;
pub use rewrites::{RewriteRecord, RewriteValue};
pub use selections::{Selected, Selection};
pub use shares::{Claim, Held, HeldShare, JobHand, Offer, Tie};
pub use sizes::Weight;
pub use tasks::TaskRecord;
pub use values::{Part, Restoring, VALUES, Values};

use crate::{Error, Result};

/// The name our connections carry. Not `fiftyone`: FiftyOne's clients count those to decide whether they are
/// the last one and may delete what is not persistent.
pub const APP_NAME: &str = "fiftyone-migrate";

/// The longest that one write to FiftyOne's own collections may take: less than what is left of a lease when it is begun.
pub const LONGEST_WRITE: Duration = Duration::from_secs(10);

/// How long it may take until somebody answers at all, who is told of it after that.
const SELECTION: Duration = Duration::from_secs(5);

/// How much later than each 10 s the server may answer whoever watches over its connections, which are given up otherwise: one
/// that sleeps for some seconds is not gone. With the lease, that is some 20 s in all.
const LATE: Duration = Duration::from_secs(20);

/// How much longer an answer is waited for than the server may take for it. A connection that is dead and does not say so
/// would be waited on for ever.
const GRACE: Duration = Duration::from_secs(30);
const SLICES: u32 = 20;

/// One FiftyOne database on one server.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    database: Database,
    jobs: Database,
    hosts: String,
    validation: bool,
    /// Whether the indexes of the runs' database were seen to.
    indexed: Arc<OnceCell<()>>,
    /// The same of the collections of accounts.
    accounts_indexed: Arc<OnceCell<()>>,
}

impl Store {
    /// Prepares a connection. Nothing is sent yet. `runs`: the database in which runs are written down.
    /// `validation`: whether the server's version matters.
    ///
    /// # Errors
    ///
    /// [`Error::Uri`] if `uri` cannot be read.
    pub async fn open(uri: &str, database: &str, runs: &str, validation: bool) -> Result<Self> {
        let options = options(uri).await?;
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        let client = Client::with_options(options).map_err(|it| Error::Uri(failure::text(&it)))?;
        let (database, jobs) = (client.database(database), client.database(runs));
        let hosts = hosts.join(", ");
        Ok(Self {
            client,
            database,
            jobs,
            hosts,
            validation,
            indexed: Arc::default(),
            accounts_indexed: Arc::default(),
        })
    }

    /// Ends the connection. Without it the driver would do so in the background, and panic where the program
    /// ends before that.
    pub async fn close(self) {
        self.client.shutdown().immediate(true).await;
    }

    /// Where the servers are, without names and passwords.
    pub fn hosts(&self) -> &str {
        &self.hosts
    }

    /// The name of the database in which runs are.
    pub fn runs_name(&self) -> &str {
        self.jobs.name()
    }

    /// Whether the server's version is checked.
    pub const fn validates(&self) -> bool {
        self.validation
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.database.name()
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// Runs a write against the database, which ends within [`LONGEST_WRITE`]; write errors in the answer are errors here.
    async fn command(&self, mut command: Document) -> Result<Document, Failure> {
        if !command.contains_key(LIMIT) {
            command.insert(LIMIT, millis(LONGEST_WRITE));
        }
        quick(&mut command);
        let answer = answered(LONGEST_WRITE, self.database.run_command(command)).await?;
        failure::in_answer(&answer)?;
        Ok(answer)
    }

    /// The same with a command that is bytes already.
    async fn raw_command(&self, mut command: RawDocumentBuf) -> Result<Document, Failure> {
        command.append(cstr!("maxTimeMS"), millis(LONGEST_WRITE));
        let answer = answered(LONGEST_WRITE, self.database.run_raw_command(command)).await?;
        failure::in_answer(&answer)?;
        Ok(answer)
    }

    /// The sentence for a failed call, as a command would end with it.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.hosts)
    }
}

/// What everything else waits for: the server's word. Servers wait for a majority of a replica set unless told not to, and
/// a pass over millions of documents would wait with them; the commit that follows waits for all that came before it.
fn quick(command: &mut Document) {
    if !command.contains_key("writeConcern") {
        command.insert("writeConcern", doc! { "w": 1 });
    }
}

const LIMIT: &str = "maxTimeMS";

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How the server is connected to: as the URI says, and where it says nothing, as people can wait for.
async fn options(uri: &str) -> Result<ClientOptions> {
    let mut options = ClientOptions::parse(uri).await.map_err(|it| match it.kind.as_ref() {
        ErrorKind::DnsResolve { .. } => Error::Unreachable {
            hosts: hosts_in(uri).to_owned(),
            reason: "there is no such name".to_owned(),
        },
        _ => Error::Uri(failure::text(&it)),
    })?;
    options.app_name = Some(APP_NAME.to_owned());
    options.server_selection_timeout.get_or_insert(SELECTION);
    options.connect_timeout.get_or_insert(LATE);
    Ok(options)
}

/// The hosts that a URI names, without user and password.
fn hosts_in(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or(rest);
    rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts)
}

/// What a write waits for when it must outlive a crash: the journal, and a majority where there is one.
fn durable() -> Document {
    doc! { "w": "majority", "j": true }
}

/// What the server answers to something that it may take this long for, with some time to wait for a connection and to
/// wait for other members of a replica set.
async fn answered<T>(
    limit: Duration,
    asked: impl IntoFuture<Output = Result<T, mongodb::error::Error>>,
) -> Result<T, Failure> {
    within(limit + GRACE, asked).await
}

async fn within<T>(
    limit: Duration,
    asked: impl IntoFuture<Output = Result<T, mongodb::error::Error>>,
) -> Result<T, Failure> {
    let mut asked = std::pin::pin!(asked.into_future());
    // In slices: whoever was asleep for all of it has waited for one of them only.
    for _ in 0..SLICES {
        if let Ok(answer) = tokio::time::timeout(limit / SLICES, &mut asked).await {
            return Ok(answer?);
        }
    }
    Err(Failure::unanswered(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_absent_server_is_told_soon_and_a_late_one_is_not_taken_for_one_unless_the_uri_says_so()
     {
        let own = options("mongodb://host").await.unwrap();
        let times = (own.server_selection_timeout, own.connect_timeout);
        assert_eq!(times, (Some(Duration::from_secs(5)), Some(Duration::from_secs(20))));
        let uri = "mongodb://host/?serverSelectionTimeoutMS=7000&connectTimeoutMS=8000";
        let theirs = options(uri).await.unwrap();
        let times = (theirs.server_selection_timeout, theirs.connect_timeout);
        assert_eq!(times, (Some(Duration::from_secs(7)), Some(Duration::from_secs(8))));
    }

    #[tokio::test]
    async fn what_is_never_answered_is_given_up_as_if_the_server_could_not_be_reached() {
        let never = std::future::pending::<Result<(), mongodb::error::Error>>();
        let failure = within(Duration::from_millis(1), never).await.unwrap_err();
        assert!(failure.is_unreachable() && failure.is_fatal());
        assert_eq!(failure.cause(), model::Cause::Connection);
        assert!(failure.text.starts_with("MongoDB has not answered for"), "{failure}");
        let soon = within(Duration::from_secs(1_000), std::future::ready(Ok(7)));
        assert_eq!(soon.await.unwrap(), 7);
    }
}
