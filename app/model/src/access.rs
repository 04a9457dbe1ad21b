//! Who may do what: the browser uses this table to hide, the server uses it to refuse.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role of FiftyOne Enterprise, weakest first; the order is meaningful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May view datasets that were given to them.
    Guest,
    /// May also tag them.
    Labeler,
    /// May also edit them.
    Collaborator,
    /// May view what is open to all members, and manage datasets of their own.
    Member,
    /// May do everything.
    Admin,
}

/// Something a person can ask for that not everybody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See which version everything is at.
    ReadStatus,
    /// See which versions there are, and what belongs to them.
    ReadVersions,
    /// Correct what belongs to a version, or add one.
    CorrectVersions,
    /// See and end one's own sessions, and change one's own password.
    KeepOwnAccount,
    /// See the runs there are and were, and how far they are.
    ReadRuns,
    /// See the datasets that one has a right to; see [`crate::Rights`].
    ReadDatasets,
    /// See all datasets, and whatever names some.
    ReadEveryDataset,
    /// See what a migration would do.
    PreviewMigration,
    /// Make a dataset out of an export.
    ImportDataset,
    /// Write a dataset as an export.
    ExportDataset,
    /// Take the media of a dataset elsewhere. It reads files of the server's system, whatever path somebody has given a sample.
    MoveMedia,
    /// Let the paths of a dataset lead elsewhere.
    RewritePaths,
    /// Remove files of media that were taken elsewhere.
    RemoveMedia,
    /// Take one dataset, which one may manage, up to the version of the database.
    MigrateDataset,
    /// Take the database, or any of its datasets, up.
    MigrateDatabase,
    /// Take the database, or any of its datasets, down.
    Downgrade,
    /// Pause, resume, cancel or retry a run, or let it go at another pace.
    ControlRuns,
    /// Bring back how things were before a run, or forget how they were.
    UndoRuns,
    /// Mend what the doctor has found.
    Repair,
    /// See who is connected to the database.
    ReadClients,
    /// See what the server runs with.
    ReadSettings,
    /// Invite people, give them roles and rights, and end their sessions.
    ManageUsers,
}

/// Whoever is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The name they sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Proof that a check passed. Only [`Principal::permit`] makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    action: Action,
    holder: Principal,
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("`{name}` may not {action}: that takes the role {needed}, and theirs is {held}")]
pub struct Denied {
    /// What was asked for.
    pub action: Action,
    /// The weakest role that may do it.
    pub needed: Role,
    /// The role of whoever asked.
    pub held: Role,
    /// Their name.
    pub name: String,
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role; there are guest, labeler, collaborator, member and admin")]
pub struct UnknownRole(String);

impl Role {
    /// Every role, weakest first.
    pub const ALL: [Self; 5] =
        [Self::Guest, Self::Labeler, Self::Collaborator, Self::Member, Self::Admin];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Labeler => "labeler",
            Self::Collaborator => "collaborator",
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// Whether this role may do it, on a dataset that they have the right to, if it is about one.
    pub fn may(self, action: Action) -> bool {
        self >= action.needs()
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = |it: &Self| it.name() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 22] = [
        Self::ReadStatus,
        Self::ReadVersions,
        Self::CorrectVersions,
        Self::KeepOwnAccount,
        Self::ReadRuns,
        Self::ReadDatasets,
        Self::ReadEveryDataset,
        Self::PreviewMigration,
        Self::ImportDataset,
        Self::ExportDataset,
        Self::MoveMedia,
        Self::RewritePaths,
        Self::RemoveMedia,
        Self::MigrateDataset,
        Self::MigrateDatabase,
        Self::Downgrade,
        Self::ControlRuns,
        Self::UndoRuns,
        Self::Repair,
        Self::ReadClients,
        Self::ReadSettings,
        Self::ManageUsers,
    ];

    /// The weakest role that may do this. One arm per action: no wildcard.
    pub const fn needs(self) -> Role {
        match self {
            Self::ReadStatus | Self::ReadVersions | Self::KeepOwnAccount | Self::ReadDatasets => {
                Role::Guest
            }
            Self::ReadRuns
            | Self::PreviewMigration
            | Self::ImportDataset
            | Self::MigrateDataset => Role::Member,
            Self::ExportDataset | Self::RewritePaths => Role::Collaborator,
            Self::CorrectVersions
            | Self::MoveMedia
            | Self::RemoveMedia
            | Self::ReadEveryDataset
            | Self::MigrateDatabase
            | Self::Downgrade
            | Self::ControlRuns
            | Self::UndoRuns
            | Self::Repair
            | Self::ReadClients
            | Self::ReadSettings
            | Self::ManageUsers => Role::Admin,
        }
    }

    /// Whether it changes the deployment, so that nobody may where it is read-only (`FIFTYONE_DATABASE_ADMIN`).
    pub const fn changes_deployment(self) -> bool {
        match self {
            Self::ImportDataset
            | Self::MoveMedia
            | Self::RewritePaths
            | Self::RemoveMedia
            | Self::MigrateDataset
            | Self::MigrateDatabase
            | Self::Downgrade
            | Self::ControlRuns
            | Self::UndoRuns
            | Self::Repair => true,
            Self::ReadStatus
            | Self::ReadVersions
            | Self::CorrectVersions
            | Self::KeepOwnAccount
            | Self::ReadRuns
            | Self::ReadDatasets
            | Self::ReadEveryDataset
            | Self::PreviewMigration
            | Self::ExportDataset
            | Self::ReadClients
            | Self::ReadSettings
            | Self::ManageUsers => false,
        }
    }
}

impl Principal {
    /// Whoever has a shell and the credentials of the database: what they could do by hand, they may do with us.
    pub fn console(name: String) -> Self {
        Self { name, role: Role::Admin }
    }

    /// Whether this principal's role is strong enough for `action`.
    pub fn may(&self, action: Action) -> bool {
        self.role.may(action)
    }

    /// Checks, and hands out the proof.
    ///
    /// # Errors
    ///
    /// [`Denied`] if the role is too weak for `action`.
    pub fn permit(&self, action: Action) -> Result<Permit, Denied> {
        if self.may(action) {
            return Ok(Permit { action, holder: self.clone() });
        }
        Err(Denied { action, needed: action.needs(), held: self.role, name: self.name.clone() })
    }
}

impl Permit {
    /// What was allowed.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The role of whoever was allowed to.
    pub const fn role(&self) -> Role {
        self.holder.role
    }

    /// Who was allowed to.
    pub fn holder(&self) -> &str {
        &self.holder.name
    }

    /// Whether its holder may do this, too: what is asked for is sometimes known only when it is looked at.
    ///
    /// # Errors
    ///
    /// [`Denied`] if their role is too weak for `action`.
    pub fn covers(&self, action: Action) -> Result<(), Denied> {
        self.holder.permit(action).map(drop)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadStatus => "read the status",
            Self::ReadVersions => "read which versions there are",
            Self::CorrectVersions => "correct which versions there are",
            Self::KeepOwnAccount => "keep an account",
            Self::ReadRuns => "look at runs",
            Self::ReadDatasets => "see datasets",
            Self::ReadEveryDataset => "see all datasets",
            Self::PreviewMigration => "preview a migration",
            Self::ImportDataset => "import a dataset",
            Self::ExportDataset => "export a dataset",
            Self::MoveMedia => "move media",
            Self::RewritePaths => "rewrite paths",
            Self::RemoveMedia => "remove media",
            Self::MigrateDataset => "migrate a dataset",
            Self::MigrateDatabase => "migrate the database",
            Self::Downgrade => "downgrade",
            Self::ControlRuns => "control runs",
            Self::UndoRuns => "undo runs",
            Self::Repair => "repair",
            Self::ReadClients => "see who is connected",
            Self::ReadSettings => "see what the server runs with",
            Self::ManageUsers => "manage users",
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
    fn a_guest_may_read_the_status_and_keep_an_account_and_see_what_was_given_to_them() {
        let mine: Vec<Action> = Action::ALL.into_iter().filter(|it| Role::Guest.may(*it)).collect();
        let few = [
            Action::ReadStatus,
            Action::ReadVersions,
            Action::KeepOwnAccount,
            Action::ReadDatasets,
        ];
        assert_eq!(mine, few);
    }

    #[test]
    fn only_an_admin_may_do_what_concerns_the_whole_deployment() {
        let others = [Role::Guest, Role::Labeler, Role::Collaborator, Role::Member];
        for action in Action::ALL.into_iter().filter(|it| it.changes_deployment()) {
            assert!(Role::Admin.may(action), "{action}");
            // What members may do is about one dataset of their own.
            let one = matches!(
                action,
                Action::MigrateDataset | Action::ImportDataset | Action::RewritePaths
            );
            assert!(one || others.iter().all(|it| !it.may(action)), "{action}");
        }
    }

    #[test]
    fn a_stronger_role_may_all_that_a_weaker_one_may() {
        for pair in Role::ALL.windows(2) {
            assert!(pair[0] < pair[1]);
            assert!(Action::ALL.iter().all(|it| !pair[0].may(*it) || pair[1].may(*it)));
        }
    }

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let error = "root".parse::<Role>().unwrap_err().to_string();
        assert!(error.starts_with("`root` is no role"), "{error}");
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
    fn a_permit_says_what_was_allowed_to_whom_and_covers_what_their_role_may() {
        let permit = principal(Role::Member).permit(Action::PreviewMigration).unwrap();
        assert_eq!((permit.action(), permit.holder()), (Action::PreviewMigration, "ada"));
        assert!(permit.covers(Action::ReadRuns).is_ok());
        assert_eq!(permit.covers(Action::Downgrade).unwrap_err().needed, Role::Admin);
    }
}
