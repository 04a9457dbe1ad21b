//! What tests ask the engine for, and who asks.

use engine::{OnFailure, Request, Target};
use model::{Action, Permit, Principal, Role};

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

/// The permit of whoever has a shell: it covers everything.
pub fn console() -> Permit {
    Principal::console(engine::operator()).permit(Action::MigrateDatabase).unwrap()
}

/// The permit of a person with this role, who may at least see what a migration would do.
pub fn permit_of(name: &str, role: Role) -> Permit {
    Principal { name: name.to_owned(), role }.permit(Action::PreviewMigration).unwrap()
}
