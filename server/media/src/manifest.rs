//! What is known of every file of an upload: where it is, where it goes, and how far it is.

use serde::{Deserialize, Serialize};

use crate::{fault::Fault, source::Stamp, upload::Parts};

/// How far a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is to be uploaded.
    #[default]
    Planned,
    /// It was sent, and the store has said that it has it.
    Uploaded,
    /// It was looked for at the destination, and it is there as it was sent.
    Verified,
    /// Something went wrong, which is told.
    Failed,
    /// It was verified, and then deleted where it came from.
    Cleaned,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Uploaded => "uploaded",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Cleaned => "cleaned",
        }
    }
}

/// What arrived at a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// How many bytes.
    pub size: u64,
    /// Their SHA-256, computed while they were read.
    pub sha256: String,
    /// What the store knows them by.
    pub tag: Option<String>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is, as the dataset has it.
    pub source: String,
    /// Its place below the destination.
    pub place: String,
    /// How far it is.
    pub state: State,
    /// How the file was when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// What arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// The parts of it that the store has accepted, while it is being sent in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Why nobody could say whether it is still there, when that was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// How long sending took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<i64>,
}

/// The headings of a manifest as a table.
pub const HEADINGS: [&str; 8] =
    ["source", "destination", "size", "sha256", "state", "tag", "cause", "reason"];

impl Entry {
    /// The cells of a manifest as a table. `destination`: the whole path there.
    pub fn cells(&self, destination: &str) -> [String; 8] {
        let sent = self.sent.as_ref();
        let stamp = self.stamp.map(|it| it.size);
        let size = sent.map(|it| it.size).or(stamp).map(|it| it.to_string());
        let fault = self.fault.as_ref();
        [
            self.source.clone(),
            destination.to_owned(),
            size.unwrap_or_default(),
            sent.map(|it| it.sha256.clone()).unwrap_or_default(),
            self.state.word().to_owned(),
            sent.and_then(|it| it.tag.clone()).unwrap_or_default(),
            fault.map(|it| it.cause.word().to_owned()).unwrap_or_default(),
            fault.map(|it| it.text.clone()).unwrap_or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = Entry {
            source: "/a.png".into(),
            place: "a.png".into(),
            state: State::Verified,
            stamp: Some(Stamp { size: 3, modified: 7 }),
            sent: Some(Sent { size: 3, sha256: "00".into(), tag: Some("\"x\"".into()) }),
            fault: Some(Fault::stopped()),
            ..Entry::default()
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        assert!(!text.contains("parts"));
        let cells = entry.cells("s3://b/a.png");
        assert_eq!((cells.len(), cells[4].as_str()), (HEADINGS.len(), "verified"));
    }
}
