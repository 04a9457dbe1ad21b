//! Whoever is at the command line, and what they may do.

use engine::operator;
use model::{Action, Permit, Principal};

/// The permit of whoever has a shell and the credentials of the database.
///
/// # Errors
///
/// Those of the table of rights, which denies them nothing.
pub fn permit(action: Action) -> engine::Result<Permit> {
    Ok(Principal::console(operator()).permit(action)?)
}
