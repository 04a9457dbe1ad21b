//! The vocabulary the browser and the server share: plain data, no I/O, no BSON.

mod access;
mod account;
mod cause;
pub mod estimate;
mod job;
mod pace;
mod status;
mod version;

pub use access::{Action, Denied, Permit, Principal, Role, UnknownRole};
pub use account::{AccountSummary, InvitationSummary, SessionSummary, Visitor};
pub use cause::{Cause, FailureGroup, UnknownCause};
pub use estimate::{Amount, Basis, Estimate, Labor, Load, Rate, Rates, Span};
pub use job::{
    JobAction, JobEvent, JobState, JournalState, LogLine, NotNow, RunHand, RunSummary, TRANSITIONS,
};
pub use pace::{NoPace, Pace};
pub use status::{EnterpriseVersion, Status, Tone, Verdict, VersionCount};
pub use version::{Direction, InvalidVersion, Version};
