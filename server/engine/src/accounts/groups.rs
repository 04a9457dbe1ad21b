//! Groups: people who are given rights to datasets together.

use bson::DateTime;
use model::{Action, Grantee, Group, Permit};

use super::{AccountError, Accounts, Name, Result, name};
use crate::store::{Account, GroupRecord};

impl Accounts {
    /// All groups, by name.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn groups(&self, permit: &Permit) -> Result<Vec<Group>> {
        permit.covers(Action::ManageUsers)?;
        let groups = self.told(self.store.groups().await)?;
        let accounts = self.told(self.store.all_accounts().await)?;
        Ok(groups.into_iter().map(|it| told(it, &accounts)).collect())
    }

    /// Makes a group, without anybody in it. Returns what it is found by.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::BadName`], and
    /// [`AccountError::GroupTaken`].
    pub async fn make_group(&self, permit: &Permit, name: &str) -> Result<String> {
        permit.covers(Action::ManageUsers)?;
        let Name { shown, id } = Name::read(name)?;
        let (by, at) = (permit.holder().to_owned(), DateTime::now());
        if self.told(self.store.group(&id).await)?.is_some() {
            return Err(AccountError::GroupTaken(shown));
        }
        // What is left of one of that name whose removal was cut off is not given to this one.
        self.told(self.store.take_rights_of(&Grantee::Group(id.clone())).await)?;
        let group = GroupRecord { id: id.clone(), name: shown, members: Vec::new(), by, at };
        match self.store.insert_group(&group).await {
            Err(failure) if failure.is_duplicate() => Err(AccountError::GroupTaken(group.name)),
            made => {
                self.told(made)?;
                tracing::info!("`{}` has made the group `{}`", permit.holder(), group.name);
                Ok(id)
            }
        }
    }

    /// Removes a group, and with it what was given to it. Nothing happens if it is gone.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn remove_group(&self, permit: &Permit, group: &str) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        let id = name::id(group);
        // The group first: whoever is cut off between both leaves rights of nobody.
        let gone = self.told(self.store.delete_group(&id).await)?;
        self.told(self.store.take_rights_of(&Grantee::Group(id)).await)?;
        if gone {
            tracing::info!("`{}` has removed the group `{group}`", permit.holder());
        }
        Ok(())
    }

    /// Lets somebody into a group, or out of it. Nothing happens if they are there, or out, already.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::UnknownAccount`] and
    /// [`AccountError::UnknownGroup`].
    pub async fn change_group(
        &self,
        permit: &Permit,
        group: &str,
        account: &str,
        is_in: bool,
    ) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        let account = self.known(account).await?;
        let changed = self.store.change_group(&name::id(group), &account.id, is_in).await;
        if !self.told(changed)? {
            return Err(AccountError::UnknownGroup(group.to_owned()));
        }
        let what = if is_in { "in" } else { "not in" };
        tracing::info!("`{}`: `{}` is {what} the group `{group}`", permit.holder(), account.name);
        Ok(())
    }
}

/// A group as it is told: accounts are not deleted, but one whose id is not known is told by that.
pub(super) fn told(group: GroupRecord, accounts: &[Account]) -> Group {
    let name = |id: String| {
        accounts.iter().find(|it| it.id == id).map_or_else(|| id.clone(), |it| it.name.clone())
    };
    let GroupRecord { id, name: shown, members, .. } = group;
    Group { id, name: shown, members: members.into_iter().map(name).collect() }
}
