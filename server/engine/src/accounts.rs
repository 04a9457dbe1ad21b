//! The app's own accounts: who may sign in, and what they may do.
//!
//! They are in the app's own database, never in FiftyOne's, and so are shared by all that is served with that database.
//! Every limit in time is judged by MongoDB's clock, inside the question itself.

mod confirm;
mod error;
mod groups;
mod invitations;
mod name;
mod password;
mod people;
mod rate;
mod rights;
mod sessions;
mod token;

use std::time::Duration;

use model::{Action, Denied, Permit};

pub use confirm::Confirmed;
pub use error::AccountError;
use error::Result;
use name::Name;
pub use name::NameFault;
pub(crate) use name::id;
pub use password::PasswordFault;
pub(crate) use rights::rights;
pub use token::Token;

use crate::{
    Engine, Error,
    store::{Failure, Store},
};

/// How long a session lasts that nobody uses.
pub(crate) const IDLE: Duration = Duration::from_hours(12);

/// How long a session lasts at most.
pub(crate) const LASTS: Duration = Duration::from_hours(7 * 24);

/// How often it is noted that a session is used.
pub(crate) const NOTED: Duration = Duration::from_mins(1);

/// How long the link to the first account can be used: whoever sees it on the console is there.
const FIRST_LINK: Duration = Duration::from_hours(1);

/// How long an invitation can be used.
const INVITED: Duration = Duration::from_hours(7 * 24);

/// The accounts of the app.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
}

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address of whoever sent it.
    pub address: String,
    /// What their browser calls itself.
    pub agent: String,
}

impl Engine {
    /// The accounts of the app.
    pub fn accounts(&self) -> Accounts {
        Accounts { store: self.store.clone() }
    }
}

impl Origin {
    /// As it is kept: others have written it, and could write a book.
    fn bounded(&self) -> Self {
        let bounded = |text: &str, most| {
            text.chars().filter(|it| !it.is_control()).take(most).collect::<String>()
        };
        Self { address: bounded(&self.address, 64), agent: bounded(&self.agent, 256) }
    }
}

impl Accounts {
    /// What the store said, as it is told.
    fn told<T>(&self, answer: std::result::Result<T, Failure>) -> Result<T> {
        answer.map_err(|it| self.store.error(it).into())
    }

    fn draw() -> Result<Token> {
        Ok(Token::draw().map_err(|it| Error::Refused(it.to_string()))?)
    }
}

/// Whether the holder may do something about an account: their own, or anybody's if they manage users.
fn covers_account(permit: &Permit, id: &str) -> std::result::Result<(), Denied> {
    let own = name::id(permit.holder()) == id;
    permit.covers(if own { Action::KeepOwnAccount } else { Action::ManageUsers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_says_of_itself_is_kept_in_one_short_line() {
        let origin = Origin { address: "::1\n".into(), agent: format!("A\0b{}", "c".repeat(999)) };
        let kept = origin.bounded();
        assert_eq!(kept.address, "::1");
        assert!(kept.agent.starts_with("Abc") && kept.agent.len() == 256, "{}", kept.agent);
    }

    #[test]
    fn people_keep_their_own_account_and_admins_everybodys() {
        use model::{Principal, Role};
        let permit = |role| {
            let person = Principal { name: "Ada".into(), role };
            person.permit(Action::KeepOwnAccount).unwrap()
        };
        assert!(covers_account(&permit(Role::Guest), "ada").is_ok());
        assert!(covers_account(&permit(Role::Member), "bob").is_err());
        assert!(covers_account(&permit(Role::Admin), "bob").is_ok());
    }
}
