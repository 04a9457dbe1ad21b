//! Why something about an account could not be done, each as one sentence that says what to do.

use model::Denied;

use super::{NameFault, PasswordFault};
use crate::Error;

/// A situation in which somebody does not get what they asked for. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// One answer for a name that is not known, an account that is disabled, and a password that is wrong.
    #[error(
        "name and password do not belong to an account that can sign in; check both, or ask an admin"
    )]
    WrongCredentials,
    /// Somebody has tried too often.
    #[error("there were too many attempts to sign in; try again in {wait_s} s")]
    TooManyAttempts {
        /// How long it takes until the next one counts.
        wait_s: u64,
    },
    /// It is not known, was used, has expired or was taken back.
    #[error(
        "this invitation is unknown, used, expired or taken back; ask an admin for another one"
    )]
    BadInvitation,
    /// Somebody else is called that.
    #[error("there is an account `{0}` already; choose another name")]
    NameTaken(String),
    /// No account can be called that.
    #[error(transparent)]
    BadName(#[from] NameFault),
    /// No account can have that password.
    #[error(transparent)]
    BadPassword(#[from] PasswordFault),
    /// Nobody would be left to let others in.
    #[error("this is the last admin who can sign in; make somebody else an admin first")]
    LastAdmin,
    /// There is no such account.
    #[error("there is no account `{0}`; the list of users shows those there are")]
    UnknownAccount(String),
    /// There is no such group.
    #[error("there is no group `{0}`; the list of users shows those there are")]
    UnknownGroup(String),
    /// Another group is called that.
    #[error("there is a group `{0}` already; choose another name")]
    GroupTaken(String),
    /// Their role is too weak for it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database could not be asked, or this machine could not do its part.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Shorthand.
pub(super) type Result<T> = std::result::Result<T, AccountError>;
