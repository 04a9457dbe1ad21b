//! Running the program as a person would, away from that person's settings.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long any command of the tests may take.
const LIMIT: Duration = Duration::from_mins(10);

/// A command line with its environment.
#[derive(Debug)]
pub struct Program {
    command: Command,
    home: TempDir,
}

/// A command that was begun.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// What is left to read of what it prints, if somebody reads it by lines.
    output: Option<Lines<BufReader<ChildStdout>>>,
    _home: TempDir,
}

/// How a command ended, and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit status; `None` after a signal.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Program {
    /// The program at `path` with these arguments, as if nobody had ever configured anything.
    pub fn at<A: AsRef<OsStr>>(path: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(path);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FIFTYONE_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", home.path()).args(arguments).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, home }
    }

    /// With one more variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this as `~/.fiftyone/config.json`.
    #[must_use]
    pub fn configured(self, json: &Value) -> Self {
        let folder = self.home.path().join(".fiftyone");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), json.to_string()).unwrap();
        self
    }

    /// Begins it.
    pub fn spawn(mut self) -> Running {
        Running { child: self.command.spawn().unwrap(), output: None, _home: self.home }
    }

    /// Runs it to its end.
    pub async fn run(self) -> Ended {
        self.spawn().ended().await
    }
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.id(), signal).unwrap();
    }

    fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap())
    }

    /// Kills it when that moment has come, or waits for its end if it does not.
    pub async fn killed_at(self, moment: impl Future<Output = ()>) -> Ended {
        let id = self.id();
        let mut ended = std::pin::pin!(self.ended());
        tokio::select! {
            ended = &mut ended => return ended,
            () = moment => {
                // It may be over already.
                let killed = kill(id, Signal::SIGKILL);
                assert!(matches!(killed, Ok(()) | Err(Errno::ESRCH)), "{killed:?}");
            }
        }
        ended.await
    }

    /// Closes the reading end of what it prints, as `head` does when it has enough.
    pub fn stop_reading(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Reads what it prints, up to a line that has this in it.
    pub async fn line_with(&mut self, text: &str) -> String {
        let output = self.output.get_or_insert_with(|| {
            BufReader::new(self.child.stdout.take().expect("nobody reads what it prints")).lines()
        });
        let found = async {
            while let Some(line) = output.next_line().await.unwrap() {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("the program ended without `{text}`");
        };
        timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("never printed: {text}"))
    }

    /// Waits for its end.
    pub async fn ended(self) -> Ended {
        let output = timeout(LIMIT, self.child.wait_with_output()).await;
        let Output { status, stdout, stderr } = output.expect("the program does not end").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Ended {
    /// Insists on an exit status.
    #[track_caller]
    pub fn exits_with(&self, status: i32) {
        assert_eq!(self.status, Some(status), "{}\n--\n{}", self.stdout, self.stderr);
    }

    /// Insists on an exit status, to go on with the rest.
    #[must_use]
    #[track_caller]
    pub fn with(self, status: i32) -> Self {
        self.exits_with(status);
        self
    }

    /// Insists on a failure whose complaint is this one sentence.
    #[track_caller]
    pub fn refused(&self, status: i32, sentence: &str) {
        self.exits_with(status);
        let said = self.stderr.trim_end().strip_prefix("error: ").unwrap_or(&self.stderr);
        assert_eq!((said, self.stdout.as_str()), (sentence, ""));
    }

    /// What it printed, as the one JSON document it is.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|it| panic!("{it}: {}", self.stdout))
    }

    /// What it printed, by lines.
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}
