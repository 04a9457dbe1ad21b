//! The embedded database, with a real `mongod` in every test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use server::embedded::{self, Embedded, EmbeddedError, Options};
use tempfile::TempDir;

fn options(dir: &Path) -> Options {
    let mongod = std::env::var_os("FIFTYONE_MONGOD").filter(|it| !it.is_empty());
    Options { dir: dir.to_owned(), mongod: mongod.map(Into::into) }
}

async fn start(dir: &Path) -> Embedded {
    embedded::start(&options(dir)).await.unwrap()
}

async fn refusal(dir: &Path) -> EmbeddedError {
    embedded::start(&options(dir)).await.unwrap_err()
}

fn listens(uri: &str) -> bool {
    TcpStream::connect(uri.strip_prefix("mongodb://").unwrap()).is_ok()
}

const LIMIT: Duration = Duration::from_mins(10);

/// Waits for something that other processes do; at most ten minutes, for a machine may be busy with other things.
async fn until(what: &str, mut it_is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !it_is_so() {
        assert!(start.elapsed() < LIMIT, "{what}: not within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every file of a folder with what is in it, but the log.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("log") {
            files.extend(self::files(&path));
        } else if path.is_file() {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

/// Another process that uses the embedded database of a folder.
struct Other {
    process: Child,
    said: String,
}

impl Other {
    fn on(dir: &Path) -> Self {
        // Built by `cargo test` along with this test, beside it.
        let target = std::env::current_exe().unwrap();
        let program = target.parent().unwrap().parent().unwrap().join("examples/mongod");
        // Under `nohup` all of us would ignore the signal of a terminal that is gone.
        let mut process = Command::new("env")
            .arg("--default-signal")
            .arg(program)
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        Self { process, said: said.trim().to_owned() }
    }

    fn uri(&self) -> &str {
        self.said.trim_end_matches(" (attached)")
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn a_new_folder_gets_a_server_that_ends_with_us() {
    let dir = TempDir::new().unwrap();
    let database = start(&dir.path().join("var/lib/mongo")).await;
    let uri = database.uri().to_owned();
    assert!(!database.attached());
    assert!(uri.starts_with("mongodb://127.0.0.1:"), "{uri}");
    assert!(listens(&uri));
    database.stop().await;
    assert!(!listens(&uri));
}

#[tokio::test]
async fn a_server_that_was_stopped_leaves_a_folder_that_opens_again() {
    let dir = TempDir::new().unwrap();
    start(dir.path()).await.stop().await;
    assert_eq!(fs::metadata(dir.path().join("mongod.lock")).unwrap().len(), 0, "a clean end");
    assert!(dir.path().join("log/mongo.log").is_file());
    let again = start(dir.path()).await;
    assert!(!again.attached());
    again.stop().await;
}

#[tokio::test]
async fn what_is_dropped_is_stopped() {
    let dir = TempDir::new().unwrap();
    let database = start(dir.path()).await;
    let uri = database.uri().to_owned();
    drop(database);
    until("the server ends", || !listens(&uri)).await;
}

#[tokio::test]
async fn the_second_attaches_and_the_server_ends_with_the_last() {
    let dir = TempDir::new().unwrap();
    let first = Other::on(dir.path());
    let uri = first.uri().to_owned();
    let second = start(dir.path()).await;
    assert!(second.attached());
    assert_eq!(second.uri(), uri);

    drop(first);
    assert!(listens(&uri), "the second still uses it");
    second.stop().await;
    until("the server ends", || !listens(&uri)).await;
}

#[tokio::test]
async fn of_two_that_start_at_once_one_attaches() {
    let dir = TempDir::new().unwrap();
    let options = options(dir.path());
    let (one, two) = tokio::join!(embedded::start(&options), embedded::start(&options));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.uri(), two.uri());
    assert_ne!(one.attached(), two.attached());
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn the_server_ends_however_we_end() {
    for signal in ["-TERM", "-INT", "-HUP", "-KILL"] {
        let dir = TempDir::new().unwrap();
        let other = Other::on(dir.path());
        let uri = other.uri().to_owned();
        assert!(listens(&uri), "{signal}");
        other.signal(signal);
        until("the server ends", || !listens(&uri)).await;
        let lock = dir.path().join("mongod.lock");
        until("the end is clean", || fs::metadata(&lock).unwrap().len() == 0).await;
    }
}

#[tokio::test]
async fn a_server_of_somebody_else_is_used_and_left_running() {
    let dir = TempDir::new().unwrap();
    start(dir.path()).await.stop().await;
    // As FiftyOne does it: with a path of its own making, and a port of the system's choosing.
    let mongod = options(dir.path()).mongod.unwrap_or_else(|| "mongod".into());
    let mut foreign = Command::new(mongod)
        .args(["--port", "0", "--nounixsocket", "--dbpath"])
        .arg(dir.path().join("log/.."))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lock = dir.path().join("mongod.lock");
    until("it has the folder", || fs::metadata(&lock).is_ok_and(|it| it.len() > 0)).await;

    let database = start(dir.path()).await;
    assert!(database.attached());
    let uri = database.uri().to_owned();
    database.stop().await;
    assert!(listens(&uri));

    let pid = foreign.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    foreign.wait().unwrap();
}

#[tokio::test]
async fn a_format_that_this_server_would_not_open_is_refused_before_it_sees_it() {
    let dir = TempDir::new().unwrap();
    start(dir.path()).await.stop().await;
    let ours = rewrite_format(dir.path(), "9.0");
    let before = files(dir.path());
    let error = refusal(dir.path()).await;
    assert!(matches!(error, EmbeddedError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("has the format of MongoDB 9.0"), "{error}");
    assert_eq!(files(dir.path()), before);

    rewrite_format(dir.path(), "3.6");
    let before = files(dir.path());
    let error = refusal(dir.path()).await;
    assert!(matches!(error, EmbeddedError::TooOld { .. }), "{error}");
    assert_eq!(files(dir.path()), before);

    // The file is as good as it was: it was the version that was refused.
    rewrite_format(dir.path(), &ours);
    start(dir.path()).await.stop().await;
}

#[tokio::test]
async fn a_server_that_cannot_open_the_folder_is_quoted() {
    let dir = TempDir::new().unwrap();
    start(dir.path()).await.stop().await;
    fs::write(dir.path().join("WiredTiger.turtle"), "not a turtle").unwrap();
    let error = refusal(dir.path()).await;
    assert!(matches!(error, EmbeddedError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("mongo.log"), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

/// Writes another feature compatibility version into a database, checksum and all; returns the old.
fn rewrite_format(dir: &Path, format: &str) -> String {
    const BEFORE: &[u8] = b"featureCompatibilityVersion\0\x02version\0\x04\0\0\0";
    let file = fs::read_dir(dir)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.file_name().unwrap().to_str().unwrap().starts_with("collection-"))
        .find(|it| find(&fs::read(it).unwrap(), BEFORE).is_some())
        .unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let at = find(&bytes, BEFORE).unwrap() + BEFORE.len();
    let old = String::from_utf8(bytes[at..at + 3].to_vec()).unwrap();
    bytes[at..at + 3].copy_from_slice(format.as_bytes());

    // A page's checksum lies at 32, and is taken with itself as zero.
    let page = &mut bytes[at / 4096 * 4096..][..4096];
    page[32..36].fill(0);
    let checksum = crc32c(page);
    page[32..36].copy_from_slice(&checksum.to_le_bytes());
    fs::File::create(&file).unwrap().write_all(&bytes).unwrap();
    old
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|it| it == what)
}

fn crc32c(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |it, _| bit(it)))
}
