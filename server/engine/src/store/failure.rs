//! What a call to MongoDB can end with, in the few kinds we act upon.

use std::time::Duration;

use bson::Document;
use model::Cause;
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

use crate::Error;

/// A failed call.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// What the server or the driver says.
    pub text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unreachable,
    Credentials,
    Privilege,
    TooSlow,
    Duplicate,
    Document,
    TooLarge,
    Edited,
    Lease,
    Other,
}

impl Failure {
    /// Whether the operation was ended by its time limit; parts of it may be done.
    pub fn is_too_slow(&self) -> bool {
        self.kind == Kind::TooSlow
    }

    /// Whether something with the same key is there already.
    pub fn is_duplicate(&self) -> bool {
        self.kind == Kind::Duplicate
    }

    /// Whether a smaller part of the same may succeed.
    pub fn is_of_a_part(&self) -> bool {
        self.is_too_slow() || self.is_of_a_document()
    }

    /// Whether it concerns what was to be written, and not the server.
    pub fn is_of_a_document(&self) -> bool {
        matches!(self.kind, Kind::Document | Kind::TooLarge | Kind::Duplicate)
    }

    /// Whether the server cannot be reached, or not at the moment.
    pub fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }

    /// Whether the user may not do that.
    pub fn is_of_rights(&self) -> bool {
        self.kind == Kind::Privilege
    }

    /// Whether it concerns the connection and so everything, not one dataset.
    pub fn is_fatal(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Credentials | Kind::Privilege)
    }

    /// Whether a privilege is missing.
    pub fn is_of_privileges(&self) -> bool {
        matches!(self.kind, Kind::Privilege | Kind::Credentials)
    }

    /// In which kind people see it.
    pub fn cause(&self) -> Cause {
        match self.kind {
            Kind::Unreachable => Cause::Connection,
            Kind::Credentials | Kind::Privilege => Cause::Privilege,
            Kind::TooSlow => Cause::Slow,
            Kind::Duplicate | Kind::Document => Cause::Document,
            Kind::TooLarge => Cause::TooLarge,
            Kind::Edited => Cause::Edited,
            Kind::Lease => Cause::Lease,
            Kind::Other => Cause::Other,
        }
    }

    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Other }
    }

    /// Nothing was heard of the server for this long.
    pub(super) fn unanswered(waited: Duration) -> Self {
        let text = format!("MongoDB has not answered for {} s", waited.as_secs());
        Self { text, kind: Kind::Unreachable }
    }

    /// What was acknowledged may have been lost.
    pub(super) fn restarted() -> Self {
        let text = "the MongoDB server was started again, or another one took its place";
        Self { text: text.to_owned(), kind: Kind::Unreachable }
    }

    /// Somebody changes the same faster than we do.
    pub(crate) fn edited(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Edited }
    }

    /// Our lease is somebody else's now.
    pub(crate) fn lease(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Lease }
    }

    /// The same in other words.
    pub(crate) fn saying(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// The same in words for people, and of the kind that the words say.
    fn told(mut self) -> Self {
        match self.kind {
            // A pool that failed to authenticate is reported as unreachable, with the server's words inside.
            Kind::Unreachable if self.text.contains("uthentication failed") => {
                self.kind = Kind::Credentials;
            }
            Kind::Unreachable => self.text = reason(&self.text).to_owned(),
            Kind::Privilege if self.text.ends_with("requires authentication") => {
                self.kind = Kind::Credentials;
            }
            Kind::Privilege => self.text = privilege(&self.text),
            Kind::TooSlow => {
                "MongoDB did not end in time what it was asked to do; run this again when it has less to do"
                    .clone_into(&mut self.text);
            }
            _ => {}
        }
        self
    }

    pub(super) fn into_error(self, hosts: &str) -> Error {
        let hosts = hosts.to_owned();
        match self.kind {
            Kind::Unreachable => Error::Unreachable { hosts, reason: self.text },
            Kind::Credentials => Error::Credentials { hosts, reason: self.text },
            Kind::Privilege => Error::Privilege(self.text),
            Kind::TooSlow
            | Kind::Duplicate
            | Kind::Document
            | Kind::TooLarge
            | Kind::Edited
            | Kind::Lease
            | Kind::Other => Error::Driver(self.text),
        }
    }
}

impl From<DriverError> for Failure {
    fn from(error: DriverError) -> Self {
        let kind = match error.kind.as_ref() {
            ErrorKind::Authentication { .. } => Kind::Credentials,
            ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::ConnectionPoolCleared { .. } => Kind::Unreachable,
            ErrorKind::Command(command) => by_code(command.code),
            ErrorKind::Write(WriteFailure::WriteError(error)) => by_code(error.code),
            _ => Kind::Other,
        };
        Self { text: text(&error), kind }.told()
    }
}

/// The errors inside an answer that is `ok` by itself: of single writes, and of the write concern.
pub(super) fn in_answer(answer: &Document) -> Result<(), Failure> {
    let of_write = answer.get_array("writeErrors").ok().and_then(|it| it.first());
    let of_concern = answer.get("writeConcernError");
    let Some(error) = of_write.or(of_concern).and_then(|it| it.as_document()) else {
        return Ok(());
    };
    let text = error.get_str("errmsg").unwrap_or("a write failed").to_owned();
    Err(Failure { text, kind: by_code(error.get_i32("code").unwrap_or_default()) }.told())
}

/// What the driver says, without its wrapping.
pub(super) fn text(error: &DriverError) -> String {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => command.message.clone(),
        ErrorKind::ServerSelection { message, .. }
        | ErrorKind::Authentication { message, .. }
        | ErrorKind::InvalidArgument { message, .. } => message.clone(),
        ErrorKind::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Why no server could be selected, out of the driver's description of all of them.
fn reason(text: &str) -> &str {
    let Some((_, first)) = text.split_once("Error: Kind: ") else { return text };
    let first = first.split(", labels: ").next().unwrap_or(first);
    first.strip_prefix("I/O error: ").unwrap_or(first)
}

/// Which right is missing where, out of the server's sentence, which repeats the whole command:
/// `not authorized on DATABASE to execute command { ACTION: "COLLECTION", .. }`.
fn privilege(text: &str) -> String {
    let parts = || {
        let (database, command) =
            text.strip_prefix("not authorized on ")?.split_once(" to execute command { ")?;
        let (action, rest) = command.split_once(": ")?;
        let collection = rest.strip_prefix('"').and_then(|it| it.split('"').next());
        let on = collection.map_or_else(|| database.to_owned(), |it| format!("{database}.{it}"));
        Some(format!("the MongoDB user lacks the privilege `{action}` on `{on}`"))
    };
    parts().unwrap_or_else(|| format!("the MongoDB user lacks a privilege: {text}"))
}

fn by_code(code: i32) -> Kind {
    match code {
        13 | 8000 => Kind::Privilege,
        18 => Kind::Credentials,
        50 | 262 => Kind::TooSlow,
        11000 | 11001 => Kind::Duplicate,
        // The primary stepped down or shuts down, and another one is elected; a router does not reach its server; or
        // the server was started again between two parts of one answer.
        91 | 189 | 10107 | 11600 | 11602 | 13435 | 13436 | 6 | 7 | 43 | 89 | 9001 => {
            Kind::Unreachable
        }
        // Bad value, type mismatch, a path that is none, validation, a key that is too large for its index.
        2 | 14 | 28 | 52 | 57 | 121 | 17280 => Kind::Document,
        // Documents that would grow too large.
        10334 | 17419 | 17420 => Kind::TooLarge,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_privilege_is_named_without_the_command_that_needs_it() {
        let said = "not authorized on fiftyone to execute command { update: \"datasets\", updates: [ {} ] }";
        assert_eq!(
            privilege(said),
            "the MongoDB user lacks the privilege `update` on `fiftyone.datasets`"
        );
        let said =
            "not authorized on fiftyone to execute command { listCollections: 1, filter: {} }";
        assert_eq!(
            privilege(said),
            "the MongoDB user lacks the privilege `listCollections` on `fiftyone`"
        );
        assert_eq!(privilege("no"), "the MongoDB user lacks a privilege: no");
    }

    #[test]
    fn of_a_failed_server_selection_only_the_reason_is_told() {
        let said = "Server selection timeout: No available servers. Topology: { Type: Unknown, Servers: [ { \
                    Address: h:1, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111), \
                    labels: {}, source: None } ] }";
        assert_eq!(reason(said), "Connection refused (os error 111)");
        assert_eq!(reason("Server selection timeout"), "Server selection timeout");
    }
}
