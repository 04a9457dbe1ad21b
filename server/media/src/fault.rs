//! What can go wrong with a file or a destination, each as one sentence that says what to do.

mod remote;

use std::{fmt, io};

use serde::{Deserialize, Serialize};

pub use remote::Doing;
pub(crate) use remote::of_store;

/// The kinds of failures that people group by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// There is no such file.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// The file was changed while it was read.
    Changed,
    /// Its path has no place at the destination.
    Place,
    /// Something else is where it should go.
    Occupied,
    /// The store does not know who we are.
    Credentials,
    /// The store does not let us.
    Rights,
    /// There is no such bucket or container.
    Bucket,
    /// The store has too much to do.
    Busy,
    /// The store cannot be reached, or the connection was cut.
    Connection,
    /// What arrived is not what was sent.
    Mismatch,
    /// The destination is full.
    Full,
    /// Somebody has asked to stop.
    Stopped,
    /// Anything else.
    Other,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// Which kind.
    pub cause: Cause,
    /// The sentence.
    pub text: String,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Missing,
        Self::Unreadable,
        Self::Changed,
        Self::Place,
        Self::Occupied,
        Self::Credentials,
        Self::Rights,
        Self::Bucket,
        Self::Busy,
        Self::Connection,
        Self::Mismatch,
        Self::Full,
        Self::Stopped,
        Self::Other,
    ];

    /// The word for it, as `--cause` takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Changed => "changed",
            Self::Place => "place",
            Self::Occupied => "occupied",
            Self::Credentials => "credentials",
            Self::Rights => "rights",
            Self::Bucket => "bucket",
            Self::Busy => "busy",
            Self::Connection => "connection",
            Self::Mismatch => "mismatch",
            Self::Full => "full",
            Self::Stopped => "stopped",
            Self::Other => "other",
        }
    }

    /// Whether it may pass by itself.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::Connection)
    }

    /// Whether every other file would fail for it as well.
    pub const fn is_of_all(self) -> bool {
        matches!(self, Self::Credentials | Self::Bucket | Self::Full)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Cause {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.word() == word);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{word}` is no cause; there are {words}")
        })
    }
}

impl Fault {
    /// One of a kind, in these words.
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self { cause, text: text.into() }
    }

    /// That somebody has asked to stop.
    pub fn stopped() -> Self {
        Self::new(Cause::Stopped, "it was stopped; the same again goes on")
    }

    /// What the system says of a file that is to be read.
    pub fn reading(path: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::new(
                Cause::Missing,
                format!("there is no file `{path}`; put it there, or remove its sample"),
            ),
            _ => Self::new(
                Cause::Unreadable,
                format!("`{path}` cannot be read: {error}; see to it that this user may read it"),
            ),
        }
    }

    /// What the system says of a file that is to be written.
    pub fn writing(path: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::new(
                Cause::Full,
                format!(
                    "`{path}` cannot be written: the disk is full; make room and run the same again"
                ),
            ),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::new(
                Cause::Rights,
                format!(
                    "`{path}` cannot be written: {error}; see to it that this user may write there"
                ),
            ),
            _ => Self::new(
                Cause::Other,
                format!("`{path}` cannot be written: {error}; mend that and run the same again"),
            ),
        }
    }

    /// That a file was changed while it was read.
    pub fn changed(path: &str) -> Self {
        Self::new(
            Cause::Changed,
            format!(
                "`{path}` was changed while it was read; let whatever writes to it end, and run the same again"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_as_it_is_written() {
        for cause in Cause::ALL {
            assert_eq!(cause.to_string().parse(), Ok(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.word());
        }
        assert!("x".parse::<Cause>().unwrap_err().contains("missing"));
    }

    #[test]
    fn what_the_system_says_becomes_a_sentence() {
        let gone = Fault::reading("/a", &io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(gone.cause, Cause::Missing);
        let full = Fault::writing("/a", &io::Error::from(io::ErrorKind::StorageFull));
        assert!(full.cause == Cause::Full && full.text.contains("make room"));
    }
}
