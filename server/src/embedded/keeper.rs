//! Who looks after the server: it must not outlive the last of us, and not end before.
//!
//! A process that is killed cannot stop its children, and a child that is told of its parent's death
//! (`prctl`) ends while others still use it, on Linux only and with `unsafe`. So the server runs under
//! a small shell script that reads from a named pipe, which everybody who uses the server has open for
//! writing. When the last of them is gone, by a signal, a panic or a power of its own, the system
//! closes the pipe, and the script stops the server: `SIGTERM`, and `SIGKILL` after a minute.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::libc::O_NONBLOCK;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::binary::Binary;
use super::error::EmbeddedError;
use super::folder::{Folder, Holder};

const SCRIPT: &str = include_str!("keeper.sh");
/// How long a server may take to stop: a little more than the script gives it.
const END_LIMIT: Duration = Duration::from_secs(65);

/// Starts a server on a folder, in the way FiftyOne does, under a keeper.
pub async fn run(binary: &Binary, folder: &Folder) -> Result<(Hold, Keeper), EmbeddedError> {
    let failed = |reason| EmbeddedError::NoKeeper { dir: env::temp_dir(), reason };
    let (hold, reading, pipe) = Hold::new(folder).map_err(failed)?;
    let started = spawn(binary, folder, reading, &pipe).await;
    if started.is_err() {
        // Nobody else will: there is no keeper. It being gone already is as good.
        let _ = fs::remove_file(&pipe).ok();
    }
    Ok((hold, started.map_err(failed)?))
}

async fn spawn(binary: &Binary, folder: &Folder, reading: File, pipe: &Path) -> io::Result<Keeper> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", SCRIPT, "keeper"])
        .arg(pipe)
        .arg(&binary.path)
        .arg("--dbpath")
        .arg(&folder.path)
        .arg("--logpath")
        .arg(folder.path.join("log/mongo.log"))
        .args(["--logappend", "--port", "0", "--bind_ip", "127.0.0.1", "--nounixsocket"])
        .stdin(reading)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // The terminal's Ctrl-C is for us; the server ends when we have.
        .process_group(0)
        .spawn()?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let server = BufReader::new(stdout).lines().next_line().await?.and_then(|it| it.parse().ok());
    Ok(Keeper { child, server })
}

/// The script that looks after a server we started.
#[derive(Debug)]
pub struct Keeper {
    child: Child,
    /// The server's process.
    server: Option<u32>,
}

impl Keeper {
    /// Whether its server has ended.
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether the process that has the folder open is its server.
    pub fn runs(&self, holder: Holder) -> bool {
        holder.pid.is_some() && holder.pid == self.server
    }

    /// Waits until the server has ended, on which nobody has a hold any more.
    pub async fn ended(mut self) {
        if timeout(END_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!("The embedded database has not stopped yet");
        }
    }
}

/// A hold on a server: it runs on while this lives. All who have one share a lock.
#[derive(Debug)]
pub struct Hold {
    pipe: Flock<File>,
}

impl Hold {
    /// A first hold, with the end for the keeper and the path for others.
    fn new(folder: &Folder) -> io::Result<(Self, File, PathBuf)> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{}-{count}.hold", prefix(folder)?, process::id());
        let path = env::temp_dir().join(name);
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
        // Opening one end of a pipe waits for the other, opening both does not.
        let both = OpenOptions::new().read(true).write(true).open(&path)?;
        let reading = File::open(&path)?;
        let writing = OpenOptions::new().write(true).open(&path)?;
        drop(both);
        Ok((Self::of(writing)?, reading, path))
    }

    fn of(pipe: File) -> io::Result<Self> {
        let pipe = Flock::lock(pipe, FlockArg::LockSharedNonblock).map_err(|(_, it)| it)?;
        Ok(Self { pipe })
    }

    /// Lets go. Whether nobody else has a hold, so that the server ends now; nobody gets one in between.
    pub fn let_go(self) -> bool {
        self.pipe.relock(FlockArg::LockExclusiveNonblock).is_ok()
    }

    /// A hold on the server of another process of ours; `None` for a server that is not ours.
    pub fn join(folder: &Folder) -> Option<Self> {
        let prefix = prefix(folder).ok()?;
        let entries = fs::read_dir(env::temp_dir()).ok()?.filter_map(Result::ok);
        let mut ours =
            entries.filter(|it| it.file_name().to_str().is_some_and(|it| it.starts_with(&prefix)));
        // Opening a pipe that no keeper reads any more fails at once.
        let open = |path| OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(path).ok();
        ours.find_map(|it| Self::of(open(it.path())?).ok())
    }
}

/// How the names of a folder's pipes begin: the folder itself, whatever path leads to it.
fn prefix(folder: &Folder) -> io::Result<String> {
    let it = fs::metadata(&folder.path)?;
    Ok(format!("fiftyone-migrate-{}-{}-", it.dev(), it.ino()))
}
