//! A MongoDB server that a test may do anything to.

use std::env;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bson::{Document, doc};
use mongodb::Client;
use nix::sys::statvfs::statvfs;

use crate::ready;

/// Runs the server until its input ends, as it does however the test ends, and leaves nothing. Until then, `crash` ends
/// the server as a power cut does, and `start` starts it again. Both are in a group of their own, so that whoever ends all
/// processes of a test (Ctrl-C, `timeout`) does not end the keeper before it has cleaned up.
const KEEPER: &str = r#"dir=$1; shift
start() { "$@" >>"$dir/log" 2>&1 </dev/null & server=$!; }
crash() { kill -KILL "$server"; wait "$server" 2>/dev/null; }
start "$@"
while read -r word; do
  case $word in crash) crash ;; start) start "$@" ;; esac
done
crash
rm -rf "$dir""#;

/// Where memory is a folder, and how much must be free there to be used: many servers run side by side.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 3 << 30;

/// Without this a server first of all writes 300 MB of empty journal.
const JOURNAL: &str = "log=(file_max=16MB,prealloc=false)";

/// How long a server may take to listen.
const LIMIT: Duration = Duration::from_mins(5);

/// How long a server that is there may take to answer those who connect, on a machine that is busy with tests. One that is
/// gone refuses them at once.
const PATIENCE: &str = "connectTimeoutMS=300000";

/// Where the server is never taken away: however long it takes until it was reached.
const TRUST: &str = "serverSelectionTimeoutMS=300000";

/// A server of this process alone; it is gone when this value or the process is.
#[derive(Debug)]
pub struct Mongod {
    port: u16,
    /// Whether it is there until the end.
    stays: bool,
    life: Option<ChildStdin>,
    keeper: Child,
    dir: PathBuf,
}

impl Mongod {
    /// The server that all tests of one file share, each with databases of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Mongod> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// A server with more arguments than the usual ones.
    pub fn start(arguments: &[&str]) -> Self {
        // One at a time, so that two do not find the same port free.
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock().unwrap();
        let dir = tempfile::Builder::new().prefix("fiftyone-migrate-test-").tempdir_in(base());
        let dir = dir.unwrap().keep();
        let port = ready::free_port().unwrap();
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&dir)
            .arg(mongod_binary())
            .arg("--dbpath")
            .arg(&dir)
            .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string(), "--nounixsocket"])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--wiredTigerEngineConfigString", JOURNAL])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { port, stays: true, life: keeper.stdin.take(), keeper, dir };
        server.listens(true);
        server
    }

    /// One that is going to be taken away, which shall be noticed as soon as usual.
    #[must_use]
    pub fn frail(mut self) -> Self {
        self.stays = false;
        self
    }

    /// Ends the server as a power cut would: what was not yet written to the disk is gone.
    pub fn crash(&mut self) {
        self.tell("crash");
        self.listens(false);
    }

    /// Starts it again after a crash, in the same place.
    pub fn restart(&mut self) {
        self.tell("start");
        self.listens(true);
    }

    /// Lets a command of the program on one collection fail from now on, or no longer. The server was started with
    /// `enableTestCommands`.
    pub async fn fail(&self, command: &str, namespace: &str, on: bool) {
        let failure = doc! {
            "configureFailPoint": "failCommand",
            "mode": if on { "alwaysOn" } else { "off" },
            "data": {
                "failCommands": [command], "namespace": namespace, "errorCode": 8, "appName": "fiftyone-migrate",
            },
        };
        self.client().await.database("admin").run_command(failure).await.unwrap();
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.life.as_mut().unwrap(), "{word}").unwrap();
    }

    /// Waits until it listens, or does not any more.
    fn listens(&self, expected: bool) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() != expected {
            let log = self.dir.join("log");
            assert!(started.elapsed() < LIMIT, "mongod does not listen: see `{}`", log.display());
            sleep(Duration::from_millis(20));
        }
    }

    /// A replica set of this many servers, with a primary; the first is the one that holds it.
    pub async fn replica_set(count: usize) -> Vec<Self> {
        Self::replica_set_with(count, &[], |id| i32::from(id == 0)).await
    }

    /// A replica set of one server with more arguments than the usual ones.
    pub async fn replica_set_of_one(arguments: &[&str]) -> Self {
        let mut servers = Self::replica_set_with(1, arguments, |_| 1).await;
        servers.remove(0)
    }

    /// A replica set of which any member can become the primary, which the first one is for now.
    pub async fn replica_set_of_equals(count: usize) -> Vec<Self> {
        Self::replica_set_with(count, &[], |_| 1).await
    }

    /// `host:port,..`, of which the driver finds the primary by itself.
    pub fn uri_of_set(servers: &[Self]) -> String {
        let hosts: Vec<String> = servers.iter().map(Self::address).collect();
        format!("mongodb://{}/?replicaSet=rs&{PATIENCE}&{TRUST}", hosts.join(","))
    }

    async fn replica_set_with(
        count: usize,
        arguments: &[&str],
        priority: fn(i32) -> i32,
    ) -> Vec<Self> {
        let arguments = [&["--replSet", "rs"], arguments].concat();
        let servers: Vec<Self> = (0..count).map(|_| Self::start(&arguments)).collect();
        let members: Vec<Document> = (0i32..)
            .zip(&servers)
            .map(|(id, it)| doc! { "_id": id, "host": it.address(), "priority": priority(id) })
            .collect();
        let first = servers[0].client().await.database("admin");
        // Where only one can be the primary, its being asleep for some seconds is no reason to depose it.
        let one = members.iter().filter(|it| it.get_i32("priority").is_ok_and(|it| it > 0)).count();
        let settings = match one {
            1 => doc! { "electionTimeoutMillis": 300_000 },
            _ => doc! {},
        };
        let set = doc! { "_id": "rs", "members": members, "settings": settings };
        first.run_command(doc! { "replSetInitiate": set }).await.unwrap();
        let (started, mut refused) = (Instant::now(), None);
        while !first
            .run_command(doc! { "hello": 1 })
            .await
            .unwrap()
            .get_bool("isWritablePrimary")
            .unwrap()
        {
            assert!(started.elapsed() < LIMIT, "the replica set has no primary: {refused:?}");
            // It would wait for that long, and is refused until the others are there.
            refused = first.run_command(doc! { "replSetStepUp": 1 }).await.err();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        servers
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it is, for those that log in with nothing.
    pub fn uri(&self) -> String {
        uri(&self.address(), self.stays)
    }

    /// A connection to this server alone.
    pub async fn client(&self) -> Client {
        Client::with_uri_str(self.uri()).await.unwrap()
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        drop(self.life.take());
        self.keeper.wait().ok();
    }
}

/// What a program connects to at an address, for those that log in with nothing.
pub(crate) fn uri(address: &str, stays: bool) -> String {
    let trust = if stays { format!("&{TRUST}") } else { String::new() };
    format!("mongodb://{address}/?directConnection=true&{PATIENCE}{trust}")
}

/// Where servers keep their files: in memory where there is room, as nobody needs them after the test, and waiting for a disk
/// is most of what a server does that has little to do. A server that is killed finds there what it finds on a disk.
fn base() -> PathBuf {
    let free = statvfs(MEMORY).map_or(0, |it| it.blocks_available() * it.fragment_size());
    if free > ROOM { Path::new(MEMORY).to_owned() } else { env::temp_dir() }
}

/// `FIFTYONE_MONGOD`, which set-up provides, or else the one in `PATH`.
pub fn mongod_binary() -> PathBuf {
    let given = env::var_os("FIFTYONE_MONGOD").filter(|it| !it.is_empty());
    given.unwrap_or_else(|| "mongod".into()).into()
}
