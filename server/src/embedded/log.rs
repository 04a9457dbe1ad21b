//! The server's log: why it gave up.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use serde_json::Value;

/// A log, and where in it our part begins.
#[derive(Debug)]
pub struct Log {
    pub path: PathBuf,
    start: u64,
}

/// Why a server gave up.
#[derive(Debug, Eq, PartialEq)]
pub enum Failure {
    /// Another server has the folder.
    Lost,
    /// In the server's words.
    Because(String),
}

impl Log {
    /// The log at a path, from its present end.
    pub fn from_here(path: PathBuf) -> Self {
        let start = fs::metadata(&path).map_or(0, |it| it.len());
        Self { path, start }
    }

    /// What the last error in our part says.
    pub fn failure(&self) -> Failure {
        failure_in(&self.ours().unwrap_or_default())
    }

    fn ours(&self) -> std::io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn failure_in(lines: &str) -> Failure {
    let errors: Vec<String> = lines
        .lines()
        .filter_map(|it| serde_json::from_str::<Value>(it).ok())
        .filter(|it| matches!(it["s"].as_str(), Some("E" | "F")))
        .map(|it| sentence(&it))
        .collect();
    if errors.iter().any(|it| it.contains("DBPathInUse")) {
        return Failure::Lost;
    }
    // What follows a stack trace only says that there was one: the first error is the cause, unless
    // the last is what the server itself calls the reason.
    let cause = errors.iter().find(|it| it.contains("terminating")).or_else(|| errors.first());
    Failure::Because(cause.cloned().unwrap_or_else(|| "it did not say why".to_owned()))
}

/// `message: error`, in one line.
fn sentence(line: &Value) -> String {
    let message = line["msg"].as_str().unwrap_or("error");
    let attr = &line["attr"];
    let detail = ["error", "message", "reason", "msg"].iter().find_map(|it| match &attr[*it] {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    });
    match detail {
        Some(detail) => format!("{message}: {}", detail.trim()),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_taken_is_not_a_failure_of_ours() {
        let line = r#"{"s":"E","id":20557,"msg":"DBException in initAndListen, terminating","attr":{"error":"DBPathInUse: Unable to lock the lock file: d/mongod.lock"}}"#;
        assert_eq!(failure_in(line), Failure::Lost);
    }

    #[test]
    fn the_reason_is_the_error_and_not_the_last_line() {
        let lines = r#"
{"s":"I","msg":"MongoDB starting","attr":{"pid":1}}
{"s":"E","id":20557,"msg":"DBException in initAndListen, terminating","attr":{"error":"NotWritablePrimary: no"}}
{"s":"I","msg":"Shutting down","attr":{"exitCode":100}}"#;
        let reason = "DBException in initAndListen, terminating: NotWritablePrimary: no";
        assert_eq!(failure_in(lines), Failure::Because(reason.to_owned()));
    }

    #[test]
    fn a_log_without_a_reason_says_so() {
        assert_eq!(failure_in("not json"), Failure::Because("it did not say why".to_owned()));
    }
}
