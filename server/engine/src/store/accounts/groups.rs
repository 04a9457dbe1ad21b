//! Groups of people: `groups`, one document each.

use bson::{DateTime, doc};
use serde::{Deserialize, Serialize};

use super::written;
use crate::store::{Failure, Store, durable};

/// A group: `{ _id: its name in lower case, name, members: the ids of accounts, by, at }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// What it is found by.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its name as it was typed.
    pub name: String,
    /// The ids of its members' accounts.
    pub members: Vec<String>,
    /// Who has made it.
    pub by: String,
    /// When.
    pub at: DateTime,
}

impl Store {
    /// All groups, by name.
    pub async fn groups(&self) -> Result<Vec<GroupRecord>, Failure> {
        self.ask(GROUPS, vec![doc! { "$sort": { "_id": 1 } }]).await
    }

    /// One group.
    pub async fn group(&self, id: &str) -> Result<Option<GroupRecord>, Failure> {
        Ok(self.ask(GROUPS, vec![doc! { "$match": { "_id": id } }]).await?.pop())
    }

    /// The groups that an account is in.
    pub async fn groups_with(&self, account: &str) -> Result<Vec<GroupRecord>, Failure> {
        let theirs = doc! { "$match": { "members": account } };
        self.ask(GROUPS, vec![theirs, doc! { "$sort": { "_id": 1 } }]).await
    }

    /// Writes a new group down.
    ///
    /// # Errors
    ///
    /// A [`Failure::is_duplicate`] if there is one of this name.
    pub async fn insert_group(&self, group: &GroupRecord) -> Result<(), Failure> {
        let group = written(group)?;
        let command = doc! { "insert": GROUPS, "documents": [group], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Lets an account into a group, or out of it; nothing happens if it is there, or out, already. Returns whether there is
    /// such a group.
    pub async fn change_group(
        &self,
        id: &str,
        account: &str,
        is_in: bool,
    ) -> Result<bool, Failure> {
        let operator = if is_in { "$addToSet" } else { "$pull" };
        let statement = doc! { "q": { "_id": id }, "u": { operator: { "members": account } } };
        self.changes_one(GROUPS, statement).await
    }

    /// Deletes a group. Returns whether there was one.
    pub async fn delete_group(&self, id: &str) -> Result<bool, Failure> {
        Ok(self.delete_all(GROUPS, doc! { "_id": id }).await? > 0)
    }
}

const GROUPS: &str = "groups";
