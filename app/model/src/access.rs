//! Who may do what: the browser uses this table to hide, the server uses it to refuse.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deployment role, weakest first; the order is meaningful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Guest,
    Member,
    Admin,
}

/// Something a person can ask for that not everybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    ReadStatus,
    PreviewMigration,
    MigrateDatabase,
}

/// Whoever is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    pub name: String,
    pub role: Role,
}

/// Proof that a check passed. Only [`Principal::permit`] makes one.
#[derive(Debug)]
pub struct Permit {
    action: Action,
    holder: String,
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("`{name}` may not {action}: that takes the role {needed}, and theirs is {held}")]
pub struct Denied {
    pub action: Action,
    pub needed: Role,
    pub held: Role,
    pub name: String,
}

impl Action {
    /// The weakest role that may do this. One arm per action: no wildcard.
    pub const fn needs(self) -> Role {
        match self {
            Self::ReadStatus => Role::Guest,
            Self::PreviewMigration => Role::Member,
            Self::MigrateDatabase => Role::Admin,
        }
    }
}

impl Principal {
    /// Whether this principal's role is strong enough for `action`.
    pub fn may(&self, action: Action) -> bool {
        self.role >= action.needs()
    }

    /// Checks, and hands out the proof.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the role is too weak for `action`.
    pub fn permit(&self, action: Action) -> Result<Permit, Denied> {
        if self.may(action) {
            Ok(Permit { action, holder: self.name.clone() })
        } else {
            Err(Denied { action, needed: action.needs(), held: self.role, name: self.name.clone() })
        }
    }
}

impl Permit {
    /// What was allowed.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Who was allowed to.
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Admin => "admin",
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadStatus => "read the status",
            Self::PreviewMigration => "preview a migration",
            Self::MigrateDatabase => "migrate the database",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role) -> Principal {
        Principal { name: "ada".into(), role }
    }

    #[test]
    fn a_guest_may_read_and_nothing_else() {
        let guest = principal(Role::Guest);
        assert!(guest.may(Action::ReadStatus));
        assert!(!guest.may(Action::PreviewMigration));
        assert!(!guest.may(Action::MigrateDatabase));
    }

    #[test]
    fn a_denial_names_who_what_and_which_role_it_takes() {
        let denied = principal(Role::Member).permit(Action::MigrateDatabase).unwrap_err();
        assert_eq!(
            denied.to_string(),
            "`ada` may not migrate the database: that takes the role admin, and theirs is member"
        );
    }

    #[test]
    fn a_permit_says_what_was_allowed_to_whom() {
        let permit = principal(Role::Admin).permit(Action::MigrateDatabase).unwrap();
        assert_eq!((permit.action(), permit.holder()), (Action::MigrateDatabase, "ada"));
    }
}
