//! The embedded database: FiftyOne's own folder, served by a `mongod` of ours or one found there.
//!
//! A folder is never opened twice. Where a server already runs on it, FiftyOne's or that of another
//! `fiftyone-migrate`, we attach to it. What we start is stopped as soon as the last of our processes
//! that uses it is gone, in whatever way it went ([`keeper`] says how).
//!
//! FiftyOne's server stops with FiftyOne's last client: attached to it, we may lose it in the middle
//! of something. Nothing is harmed, as every migration can be run again.

mod binary;
mod error;
mod folder;
mod format;
mod keeper;
mod log;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use self::error::EmbeddedError;

use self::binary::Binary;
use self::folder::{Folder, Holder};
use self::keeper::{Hold, Keeper};
use self::log::Failure;

/// How long a server that somebody else runs may take until it answers, or is gone.
const ATTACH_LIMIT: Duration = Duration::from_secs(30);
/// How long our own may take: after a crash it reads its journal first.
const START_LIMIT: Duration = Duration::from_mins(2);
/// How often we look.
const PAUSE: Duration = Duration::from_millis(20);

/// What to serve, and with what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the database: `FIFTYONE_DATABASE_DIR`. Made if it is not there.
    pub dir: PathBuf,
    /// The server to run: `FIFTYONE_MONGOD`. Without it, one is looked for.
    pub mongod: Option<PathBuf>,
}

/// A database server on this machine, there to be used for as long as this value lives.
#[derive(Debug)]
pub struct Embedded {
    uri: String,
    hold: Option<Hold>,
    keeper: Option<Keeper>,
}

/// Attaches to the server that runs on a folder, or starts one; it listens when this returns.
///
/// # Errors
///
/// [`EmbeddedError`], one sentence that says what to do. The folder is then as it was before: what
/// must not be opened is refused before a server sees it.
pub async fn start(options: &Options) -> Result<Embedded, EmbeddedError> {
    let folder = Folder::at(&options.dir)?;
    let deadline = Instant::now() + ATTACH_LIMIT;
    loop {
        let waited_enough = Instant::now() >= deadline;
        if let Some(holder) = folder.holder()? {
            if let Some(port) = holder.port() {
                return Ok(Embedded::attach(&folder, port));
            }
            if waited_enough {
                return Err(EmbeddedError::InUse { dir: folder.path, holder });
            }
        } else {
            match launch(&folder, options).await {
                // Another was faster: it will be found in the next round.
                Err(Launch::Lost) if !waited_enough => {}
                Err(Launch::Lost) => {
                    let holder = Holder::unknown();
                    return Err(EmbeddedError::InUse { dir: folder.path, holder });
                }
                Err(Launch::Failed(error)) => return Err(error),
                Ok(embedded) => return Ok(embedded),
            }
        }
        sleep(PAUSE).await;
    }
}

impl Embedded {
    /// Where the server listens: `mongodb://127.0.0.1:PORT`.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the server was there before us.
    pub const fn attached(&self) -> bool {
        self.keeper.is_none()
    }

    /// Lets go of the server, and waits for its end if we started it and nobody else uses it.
    pub async fn stop(mut self) {
        let ends = self.hold.take().is_some_and(Hold::let_go);
        if let Some(keeper) = self.keeper.take().filter(|_| ends) {
            keeper.ended().await;
        }
    }

    fn attach(folder: &Folder, port: u16) -> Self {
        let uri = uri(port);
        tracing::info!(dir = %folder.path.display(), uri, "Attached to a running database");
        Self { uri, hold: Hold::join(folder), keeper: None }
    }
}

/// Why a start of ours came to nothing.
enum Launch {
    /// Another server has taken the folder.
    Lost,
    Failed(EmbeddedError),
}

impl From<EmbeddedError> for Launch {
    fn from(error: EmbeddedError) -> Self {
        Self::Failed(error)
    }
}

async fn launch(folder: &Folder, options: &Options) -> Result<Embedded, Launch> {
    let binary = Binary::find(options.mongod.as_deref()).await?;
    folder.check(&binary)?;
    let log = folder.log()?;
    let (hold, mut keeper) = keeper::run(&binary, folder).await?;

    let deadline = Instant::now() + START_LIMIT;
    loop {
        if keeper.is_gone() {
            return Err(match log.failure() {
                Failure::Lost => Launch::Lost,
                Failure::Because(reason) => Launch::Failed(EmbeddedError::Failed {
                    dir: folder.path.clone(),
                    reason,
                    log: log.path,
                }),
            });
        }
        // Another's, where ours is about to lose the race for the folder.
        let ours = folder.holder()?.filter(|it| keeper.runs(*it));
        if let Some(port) = ours.and_then(Holder::port) {
            let uri = uri(port);
            tracing::info!(dir = %folder.path.display(), uri, "Started the embedded database");
            return Ok(Embedded { uri, hold: Some(hold), keeper: Some(keeper) });
        }
        if Instant::now() >= deadline {
            drop(hold);
            keeper.ended().await;
            let (dir, log) = (folder.path.clone(), log.path);
            let seconds = START_LIMIT.as_secs();
            return Err(EmbeddedError::Silent { dir, seconds, log }.into());
        }
        sleep(PAUSE).await;
    }
}

fn uri(port: u16) -> String {
    format!("mongodb://127.0.0.1:{port}")
}
