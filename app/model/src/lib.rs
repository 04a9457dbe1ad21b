//! The vocabulary the browser and the server share: plain data, no I/O, no BSON.

mod access;
mod job;
mod pace;
mod status;
mod version;

pub use access::{Action, Denied, Permit, Principal, Role};
pub use job::{
    JobAction, JobEvent, JobState, JournalState, LogLine, NotNow, RunHand, RunSummary, TRANSITIONS,
};
pub use pace::Pace;
pub use status::{EnterpriseVersion, Status, Tone, Verdict, VersionCount};
pub use version::{Direction, InvalidVersion, Version};
