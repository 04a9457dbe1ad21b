//! What tests ask the engine for.

use engine::{OnFailure, Request, Target};

/// Everything to a version, with all that is kept to go back; what fails stays behind.
pub fn to(version: &str) -> Request {
    Request {
        target: Target::Everything,
        destination: Some(version.parse().unwrap()),
        on_failure: OnFailure::GoOn,
        dry_run: false,
        without_undo: false,
        without_archive: false,
    }
}
