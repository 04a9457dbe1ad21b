//! Rights to single datasets: who holds one, how much it allows, and what of that a role leaves of it.

use std::collections::BTreeMap;
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Role, plan::encoded};

/// What somebody may do with a dataset, weakest first; the order is meaningful, and each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Find it and look at it.
    View,
    /// Tag its samples.
    Tag,
    /// Change its samples and fields.
    Edit,
    /// Do everything with it; here: take it up to the version of the database.
    Manage,
}

/// Who a right was given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum Grantee {
    /// An account, by what it is found by.
    Person(String),
    /// A group, by what it is found by.
    Group(String),
    /// Everybody whose role is member: FiftyOne's default access.
    Members,
}

/// A right that was given, as admins see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// To whom.
    pub to: Grantee,
    /// What they are called.
    pub name: String,
    /// The `_id` of the dataset as text; `None`: all datasets of which nothing else is said.
    pub dataset: Option<String>,
    /// What the dataset is called; `None` if it is gone, or it is about all.
    pub label: Option<String>,
    /// What they may do; `None`: nothing, which is said of members only.
    pub right: Option<Right>,
    /// Who has given it.
    pub by: String,
    /// When; RFC 3339, UTC.
    pub at: String,
}

/// A group of people, as admins see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What it is found by.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The names of its members' accounts.
    pub members: Vec<String>,
}

/// What one person, or one group, may do with which datasets, and what it takes to change that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GranteePage {
    /// Whom it is about.
    pub about: Grantee,
    /// What they are called.
    pub name: String,
    /// Their role; `None` for groups, which have none.
    pub role: Option<Role>,
    /// The groups that a person is in, or that they could be in.
    pub groups: Vec<Group>,
    /// The members of a group; for people, their own name.
    pub members: Vec<String>,
    /// Everybody who has an account.
    pub accounts: Vec<String>,
    /// What was given to them, or to groups that they are in, or to all members where they are one.
    pub grants: Vec<Grant>,
}

/// Who may do what with one dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRights {
    /// Its `_id` as text.
    pub dataset: String,
    /// What it is called.
    pub label: String,
    /// What was given, for this one or for all.
    pub grants: Vec<Grant>,
    /// The names of all accounts.
    pub accounts: Vec<String>,
    /// All groups.
    pub groups: Vec<Group>,
}

/// What one person may do with each dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    role: Option<Role>,
    /// Given to all members, for all datasets of which nothing else is said.
    everywhere: Option<Right>,
    /// Given to all members for single datasets, or taken from them.
    members: BTreeMap<String, Option<Right>>,
    /// Given to them or to their groups.
    own: BTreeMap<String, Right>,
}

/// A word that is no right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no right to a dataset; there are view, tag, edit and manage")]
pub struct UnknownRight(String);

/// A text that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nobody that a right can be given to; choose a person, a group or all members")]
pub struct UnknownGrantee(String);

impl Grantee {
    /// The page about their rights.
    pub fn address(&self) -> String {
        match self {
            Self::Person(id) => format!("/users/{}", encoded(id)),
            Self::Group(id) => format!("/groups/{}", encoded(id)),
            Self::Members => "/members".to_owned(),
        }
    }
}

impl DatasetRights {
    /// The page about the rights to a dataset with this id.
    pub fn address(dataset: &str) -> String {
        format!("/datasets/{}/rights", encoded(dataset))
    }
}

impl Right {
    /// Every right, weakest first.
    pub const ALL: [Self; 4] = [Self::View, Self::Tag, Self::Edit, Self::Manage];

    /// What it allows, for people.
    pub const fn about(self) -> &'static str {
        match self {
            Self::View => "find it and look at it",
            Self::Tag => "also tag its samples",
            Self::Edit => "also change its samples and fields",
            Self::Manage => "do everything with it, and take it up to the version of the database",
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Tag => "tag",
            Self::Edit => "edit",
            Self::Manage => "manage",
        }
    }
}

impl Role {
    /// The most that somebody of this role may do with a dataset, whatever they were given.
    pub const fn most(self) -> Right {
        match self {
            Self::Guest => Right::View,
            Self::Labeler => Right::Tag,
            Self::Collaborator => Right::Edit,
            Self::Member | Self::Admin => Right::Manage,
        }
    }
}

impl Rights {
    /// What comes of all that was given to somebody of this role: to them, to the groups that they are in, and to all members.
    /// `grants`: to whom, for which dataset, and what.
    pub fn of(
        role: Role,
        grants: impl IntoIterator<Item = (Grantee, Option<String>, Option<Right>)>,
    ) -> Self {
        let mut rights = Self { role: Some(role), ..Self::default() };
        for (to, dataset, right) in grants {
            match (to, dataset, right) {
                (Grantee::Members, _, _) if role != Role::Member => {}
                (Grantee::Members, None, right) => rights.everywhere = right,
                (Grantee::Members, Some(dataset), right) => {
                    rights.members.insert(dataset, right);
                }
                (_, Some(dataset), Some(right)) => {
                    let own = rights.own.entry(dataset).or_insert(right);
                    *own = right.max(*own);
                }
                (_, None, _) | (_, _, None) => {}
            }
        }
        rights
    }

    /// What they may do with this dataset; `None`: it does not exist for them.
    pub fn to(&self, dataset: &str) -> Option<Right> {
        let role = self.role?;
        if role == Role::Admin {
            return Some(Right::Manage);
        }
        let usual = self.members.get(dataset).copied().unwrap_or(self.everywhere);
        usual.max(self.own.get(dataset).copied()).map(|it| it.min(role.most()))
    }

    /// Whether this dataset exists for them.
    pub fn sees(&self, dataset: &str) -> bool {
        self.to(dataset).is_some()
    }

    /// Whether all datasets do.
    pub fn sees_all(&self) -> bool {
        self.role == Some(Role::Admin)
            || (self.everywhere.is_some() && self.members.keys().all(|it| self.sees(it)))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| UnknownRight(text.to_owned()))
    }
}

/// `person:ada`, `group:labelers`, `members`.
impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Members => f.write_str("members"),
        }
    }
}

impl FromStr for Grantee {
    type Err = UnknownGrantee;

    fn from_str(text: &str) -> Result<Self, UnknownGrantee> {
        match text.split_once(':') {
            Some(("person", id)) if !id.is_empty() => Ok(Self::Person(id.to_owned())),
            Some(("group", id)) if !id.is_empty() => Ok(Self::Group(id.to_owned())),
            None if text == "members" => Ok(Self::Members),
            _ => Err(UnknownGrantee(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given<'a> = (Grantee, Option<&'a str>, Option<Right>);

    fn rights(role: Role, grants: &[Given<'_>]) -> Rights {
        Rights::of(role, grants.iter().cloned().map(|(to, on, it)| (to, on.map(str::to_owned), it)))
    }

    fn ada() -> Grantee {
        Grantee::Person("ada".into())
    }

    fn labelers() -> Grantee {
        Grantee::Group("labelers".into())
    }

    #[test]
    fn nobody_but_an_admin_sees_what_they_were_not_given() {
        for role in Role::ALL {
            let none = rights(role, &[]);
            assert_eq!(none.sees("cats"), role == Role::Admin, "{role}");
            assert_eq!(none.sees_all(), role == Role::Admin, "{role}");
        }
        assert_eq!(Rights::default().to("cats"), None);
    }

    #[test]
    fn the_strongest_of_what_was_given_counts_and_the_role_bounds_it() {
        let given = [
            (ada(), Some("cats"), Some(Right::View)),
            (labelers(), Some("cats"), Some(Right::Edit)),
        ];
        let most = [Right::View, Right::Tag, Right::Edit, Right::Edit, Right::Manage];
        for (role, most) in Role::ALL.into_iter().zip(most) {
            assert_eq!(rights(role, &given).to("cats"), Some(most), "{role}");
        }
        let managed = [(ada(), Some("cats"), Some(Right::Manage))];
        assert_eq!(rights(Role::Collaborator, &managed).to("cats"), Some(Right::Edit));
        assert_eq!(rights(Role::Member, &managed).to("cats"), Some(Right::Manage));
        assert_eq!(rights(Role::Member, &managed).to("dogs"), None);
    }

    #[test]
    fn what_is_given_to_all_members_is_given_to_no_other_role() {
        let given = [(Grantee::Members, None, Some(Right::Tag))];
        for role in Role::ALL {
            let right = rights(role, &given).to("cats");
            match role {
                Role::Admin => assert_eq!(right, Some(Right::Manage)),
                Role::Member => assert_eq!(right, Some(Right::Tag)),
                _ => assert_eq!(right, None, "{role}"),
            }
        }
    }

    #[test]
    fn what_is_said_of_one_dataset_counts_more_than_what_is_said_of_all() {
        let hidden = (Grantee::Members, Some("cats"), None);
        let given = [(Grantee::Members, None, Some(Right::Edit)), hidden.clone()];
        let members = rights(Role::Member, &given);
        assert_eq!((members.to("cats"), members.to("dogs")), (None, Some(Right::Edit)));
        assert!(!members.sees_all());
        // In whichever order it comes, and unless they were given it themselves.
        let again = [hidden, (ada(), Some("cats"), Some(Right::View)), given[0].clone()];
        let members = rights(Role::Member, &again);
        assert_eq!(members.to("cats"), Some(Right::View));
        assert!(members.sees_all());
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for right in Right::ALL {
            assert_eq!(right.to_string().parse(), Ok(right));
        }
        for it in [ada(), labelers(), Grantee::Members, Grantee::Person("a:b".into())] {
            assert_eq!(it.to_string().parse(), Ok(it));
        }
        for wrong in ["", "person:", "group:", "ada", "role:member", "members:x"] {
            let error = wrong.parse::<Grantee>().unwrap_err().to_string();
            assert!(error.contains("is nobody"), "{error}");
        }
        assert!("own".parse::<Right>().unwrap_err().to_string().contains("is no right"));
    }
}
