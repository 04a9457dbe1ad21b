//! Rights to datasets: what comes of them for somebody who asks, and giving them.

use std::collections::HashMap;

use model::{Action, DatasetRights, Grant, Grantee, GranteePage, Permit, Right, Rights, Role};

use super::{AccountError, Accounts, Error, Result, groups::told, name};
use crate::{
    clock,
    store::{Account, Entry, GroupRecord, RightRecord, Store},
};

/// What whoever has the permit may do with each dataset, as it is at this moment.
pub(crate) async fn rights(store: &Store, permit: &Permit) -> crate::Result<Rights> {
    let role = permit.role();
    if role == Role::Admin {
        return Ok(Rights::of(role, []));
    }
    let id = name::id(permit.holder());
    let error = |it| store.error(it);
    let groups = store.groups_with(&id).await.map_err(error)?;
    let to: Vec<Grantee> = parties(id, role, &groups);
    let given = store.rights_of(&to).await.map_err(error)?;
    Ok(Rights::of(
        role,
        given.into_iter().filter_map(|it| Some((it.to()?, it.id.dataset, it.right))),
    ))
}

/// By what somebody may have rights.
fn parties(id: String, role: Role, groups: &[GroupRecord]) -> Vec<Grantee> {
    let groups = groups.iter().map(|it| Grantee::Group(it.id.clone()));
    let members = (role == Role::Member).then_some(Grantee::Members);
    [Grantee::Person(id)].into_iter().chain(groups).chain(members).collect()
}

/// What the parties to rights are called.
struct Known {
    accounts: Vec<Account>,
    groups: Vec<GroupRecord>,
}

impl Accounts {
    /// Gives somebody a right to a dataset, named by its name or its id, or all members the right to all of which nothing else
    /// is said; what they were given there before counts no more. `None`: all members may do nothing with it.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::UnknownAccount`] or
    /// [`AccountError::UnknownGroup`]; [`Error::UnknownDataset`]; [`Error::Refused`] if it makes no sense.
    pub async fn give_right(
        &self,
        permit: &Permit,
        to: &Grantee,
        dataset: Option<&str>,
        right: Option<Right>,
    ) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        let refused = |why: &str| Err(Error::Refused(why.to_owned()).into());
        let to = self.party(to).await?;
        match (&to, dataset, right) {
            (Grantee::Members, _, _) | (_, Some(_), Some(_)) => {}
            (_, None, _) => return refused("name the dataset that it is about"),
            (_, _, None) => {
                return refused(
                    "a person or a group cannot be given nothing; take the right back that they were given",
                );
            }
        }
        let entry = match dataset {
            Some(dataset) => Some(self.dataset(dataset).await?),
            None => None,
        };
        let id = entry.as_ref().map(Entry::id_text);
        let given = self.store.give_right(&to, id.as_deref(), right, permit.holder()).await;
        self.told(given)?;
        let (what, on) = (right.map_or("nothing", Right::word), entry.map(|it| it.label()));
        let on = on.unwrap_or_else(|| "all datasets".to_owned());
        tracing::info!("`{}` lets {to} {what} on {on}", permit.holder());
        Ok(())
    }

    /// Takes a right back that was given. `dataset`: the `_id` as text. Nothing happens if there is none.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn take_right(
        &self,
        permit: &Permit,
        to: &Grantee,
        dataset: Option<&str>,
    ) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        if self.told(self.store.take_right(to, dataset).await)? {
            let on = dataset.unwrap_or("all datasets");
            tracing::info!("`{}` takes the right of {to} on {on} back", permit.holder());
        }
        Ok(())
    }

    /// What a person or a group may do with which datasets, or all members.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::UnknownAccount`] and
    /// [`AccountError::UnknownGroup`].
    pub async fn rights_of(&self, permit: &Permit, about: &Grantee) -> Result<GranteePage> {
        permit.covers(Action::ManageUsers)?;
        let about = self.party(about).await?;
        let known = self.known_parties().await?;
        let account = match &about {
            Grantee::Person(id) => known.accounts.iter().find(|it| it.id == *id),
            Grantee::Group(_) | Grantee::Members => None,
        };
        let to = match (&about, account) {
            (Grantee::Person(id), Some(account)) => {
                let theirs = known.groups.iter().filter(|it| it.members.contains(id)).cloned();
                parties(id.clone(), account.access.role, &theirs.collect::<Vec<_>>())
            }
            _ => vec![about.clone()],
        };
        let given = self.told(self.store.rights_of(&to).await)?;
        let ids: Vec<&str> = given.iter().filter_map(|it| it.id.dataset.as_deref()).collect();
        let named = self.told(self.store.entries_of(&ids).await)?;
        let members = match &about {
            Grantee::Group(id) => {
                let group = known.groups.iter().find(|it| it.id == *id);
                group.map(|it| told(it.clone(), &known.accounts).members).unwrap_or_default()
            }
            Grantee::Person(_) | Grantee::Members => Vec::new(),
        };
        Ok(GranteePage {
            name: known.name(&about),
            role: account.map(|it| it.access.role),
            members,
            grants: known.grants(given, &named),
            groups: known.told_groups(),
            accounts: known.account_names(),
            about,
        })
    }

    /// Who may do what with one dataset.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users; [`Error::NoDataset`].
    pub async fn rights_to(&self, permit: &Permit, dataset: &str) -> Result<DatasetRights> {
        permit.covers(Action::ManageUsers)?;
        let entry = self.told(self.store.entry_of(dataset).await)?;
        let entry = entry.ok_or_else(|| Error::NoDataset(crate::printable(dataset)))?;
        let id = entry.id_text();
        let known = self.known_parties().await?;
        let given = self.told(self.store.rights_to(&id).await)?;
        Ok(DatasetRights {
            dataset: id,
            label: entry.label(),
            grants: known.grants(given, std::slice::from_ref(&entry)),
            accounts: known.account_names(),
            groups: known.told_groups(),
        })
    }

    /// Somebody who can be given a right, as they are found.
    async fn party(&self, to: &Grantee) -> Result<Grantee> {
        Ok(match to {
            Grantee::Person(name) => Grantee::Person(self.known(name).await?.id),
            Grantee::Group(group) => {
                let found = self.told(self.store.group(&name::id(group)).await)?;
                let unknown = || AccountError::UnknownGroup(group.clone());
                Grantee::Group(found.ok_or_else(unknown)?.id)
            }
            Grantee::Members => Grantee::Members,
        })
    }

    /// A dataset, by its name or its id.
    async fn dataset(&self, text: &str) -> Result<Entry> {
        let entries = self.told(self.store.entries().await)?;
        let (text, at) = (text.trim(), |it: &Entry, text: &str| {
            it.name.as_deref() == Some(text) || it.id_text() == text
        });
        match entries.iter().find(|it| at(it, text)) {
            Some(entry) => Ok(entry.clone()),
            None => Err(Error::unknown_dataset(text, &entries).into()),
        }
    }

    async fn known_parties(&self) -> Result<Known> {
        Ok(Known {
            accounts: self.told(self.store.all_accounts().await)?,
            groups: self.told(self.store.groups().await)?,
        })
    }
}

impl Known {
    /// What was given, as it is told. `named`: the datasets that it is about, as far as they are there.
    fn grants(&self, given: Vec<RightRecord>, named: &[Entry]) -> Vec<Grant> {
        let labels: HashMap<String, String> =
            named.iter().map(|it| (it.id_text(), it.label())).collect();
        let grant = |record: RightRecord| {
            let to = record.to()?;
            let dataset = record.id.dataset;
            Some(Grant {
                name: self.name(&to),
                to,
                label: dataset.as_ref().and_then(|it| labels.get(it)).cloned(),
                dataset,
                right: record.right,
                by: record.by,
                at: clock::text(record.at),
            })
        };
        given.into_iter().filter_map(grant).collect()
    }

    fn name(&self, of: &Grantee) -> String {
        let (found, id) = match of {
            Grantee::Person(id) => {
                (self.accounts.iter().find(|it| it.id == *id).map(|it| &it.name), id)
            }
            Grantee::Group(id) => {
                (self.groups.iter().find(|it| it.id == *id).map(|it| &it.name), id)
            }
            Grantee::Members => return "all members".to_owned(),
        };
        found.unwrap_or(id).clone()
    }

    fn account_names(&self) -> Vec<String> {
        self.accounts.iter().map(|it| it.name.clone()).collect()
    }

    fn told_groups(&self) -> Vec<model::Group> {
        self.groups.iter().map(|it| told(it.clone(), &self.accounts)).collect()
    }
}
