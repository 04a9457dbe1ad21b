//! The accounts of the app, in its own database: `accounts`, one document each, and what belongs to them.

mod attempts;
mod groups;
mod invitations;
mod rights;
mod sessions;

use bson::{DateTime, Document, doc};
use futures_util::TryStreamExt;
use model::Role;
use mongodb::options::{ReadPreference, SelectionCriteria};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use attempts::{ATTEMPTS, Admission, Limit};
pub use groups::GroupRecord;
pub use invitations::{FIRST_INVITATION, INVITATIONS, Invitation};
pub use rights::{RIGHTS, RightRecord};
pub use sessions::{SESSIONS, Session};

use super::{Failure, LONGEST_WRITE, Store, answered, durable, server::number};

/// An account: `{ _id: its name in lower case, name, role, password, disabled, .. }`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    /// What it is found by.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its name as it was typed.
    pub name: String,
    /// What its owner may do, and whether they can sign in.
    #[serde(flatten)]
    pub access: Access,
    /// What is kept of the password.
    pub password: String,
    /// When it was made.
    pub created: DateTime,
    /// When its owner last did something.
    pub last_seen: Option<DateTime>,
    /// Grows with whatever ends its sessions: they know under which they were begun.
    pub epoch: i64,
    /// The number of the change that has made its access; see [`Roster`].
    pub change: i64,
    /// The hash of the token by which it was made.
    pub invitation: String,
    /// That of the one by which it has got a new password, if it has.
    #[serde(default)]
    pub reset: Option<String>,
}

/// What an account is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What its owner may do.
    pub role: Role,
    /// Whether they cannot sign in.
    pub disabled: bool,
}

/// Through which every change of access goes, one at a time: `{ _id: "accounts", number, change }`.
///
/// Whoever begins one writes it down here, and then into the account. Whoever finds one that was begun completes it first,
/// as whoever began it may be gone. So what is decided by looking at all accounts is still true when it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    /// How many changes there were.
    pub number: i64,
    /// The one that is not known to be completed.
    pub change: Option<Change>,
}

/// A change of access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub account: String,
    /// What it is after that.
    #[serde(flatten)]
    pub access: Access,
}

impl Access {
    /// Whether its owner can let others in.
    pub fn leads(self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

impl Store {
    /// Writes a new account down.
    ///
    /// # Errors
    ///
    /// A [`Failure::is_duplicate`] if there is one of this name.
    pub async fn insert_account(&self, account: &Account) -> Result<(), Failure> {
        let account = written(account)?;
        let command =
            doc! { "insert": ACCOUNTS, "documents": [account], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// One account.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, Failure> {
        Ok(self.ask(ACCOUNTS, vec![doc! { "$match": { "_id": id } }]).await?.pop())
    }

    /// All accounts, by name.
    pub async fn all_accounts(&self) -> Result<Vec<Account>, Failure> {
        self.ask(ACCOUNTS, vec![doc! { "$sort": { "_id": 1 } }]).await
    }

    /// Whether there is any account.
    pub async fn has_accounts(&self) -> Result<bool, Failure> {
        let found: Vec<Document> = self.ask(ACCOUNTS, vec![doc! { "$limit": 1 }]).await?;
        Ok(!found.is_empty())
    }

    /// Whether somebody else than this account can let others in.
    pub async fn is_led_without(&self, id: &str) -> Result<bool, Failure> {
        let leading = Access { role: Role::Admin, disabled: false };
        let mut filter = written(&leading)?;
        filter.insert("_id", doc! { "$ne": id });
        let stages = vec![doc! { "$match": filter }, doc! { "$limit": 1 }];
        let found: Vec<Document> = self.ask(ACCOUNTS, stages).await?;
        Ok(!found.is_empty())
    }

    /// A change that was begun and may not be completed, with its number. Writes nothing.
    pub async fn begun_change(&self) -> Result<Option<(i64, Change)>, Failure> {
        let stages = vec![doc! { "$match": { "_id": ROSTER } }];
        let found: Option<Roster> = self.ask(CHANGES, stages).await?.pop();
        Ok(found.and_then(|it| Some((it.number, it.change?))))
    }

    /// How far the changes of access are.
    pub async fn roster(&self) -> Result<Roster, Failure> {
        let stages = vec![doc! { "$match": { "_id": ROSTER } }];
        if let Some(found) = self.ask(CHANGES, stages).await?.pop() {
            return Ok(found);
        }
        let mut first = written(&Roster { number: 0, change: None })?;
        first.insert("_id", ROSTER);
        let command = doc! { "insert": CHANGES, "documents": [first], "writeConcern": durable() };
        match self.jobs_command(command).await {
            Err(failure) if !failure.is_duplicate() => Err(failure),
            // If somebody else was first, what is begun on this one is refused.
            _ => Ok(Roster { number: 0, change: None }),
        }
    }

    /// Begins the change after this many. Returns whether nobody else has begun one meanwhile.
    pub async fn begin_change(&self, after: i64, change: &Change) -> Result<bool, Failure> {
        let statement = doc! {
            "q": { "_id": ROSTER, "number": after, "change": null },
            "u": { "$set": { "number": after + 1, "change": written(change)? } },
        };
        self.changes_one(CHANGES, statement).await
    }

    /// Completes the change with this number, and ends the sessions of the account; again if somebody has done it already.
    pub async fn complete_change(&self, number: i64, change: &Change) -> Result<(), Failure> {
        let mut set = written(&change.access)?;
        set.insert("change", number);
        let older = doc! { "_id": &change.account, "change": { "$lt": number } };
        self.end_epoch(older, set).await?;
        let statement = doc! {
            "q": { "_id": ROSTER, "number": number },
            "u": { "$set": { "change": null } },
        };
        self.changes_one(CHANGES, statement).await.map(drop)
    }

    /// Replaces what is kept of a password, and ends all sessions but one. Returns whether it was still the old one.
    pub async fn replace_password(
        &self,
        id: &str,
        (old, new): (&str, &str),
        session: &str,
    ) -> Result<bool, Failure> {
        let same = doc! { "_id": id, "password": old };
        let Some(epoch) = self.begin_epoch(same, doc! { "password": new }).await? else {
            return Ok(false);
        };
        let statement = doc! {
            "q": { "_id": session, "account": id, "epoch": epoch - 1 },
            "u": { "$set": { "epoch": epoch } },
        };
        self.changes_one(SESSIONS, statement).await?;
        self.end_sessions_before(id, epoch).await?;
        Ok(true)
    }

    /// Replaces what is kept of a password by one that was chosen with an invitation, once, and ends all sessions. Returns
    /// whether it was not replaced by that before.
    pub async fn reset_password(
        &self,
        id: &str,
        new: &str,
        invitation: &str,
    ) -> Result<bool, Failure> {
        let unused = doc! { "_id": id, "reset": { "$ne": invitation } };
        let set = doc! { "password": new, "reset": invitation };
        let Some(epoch) = self.begin_epoch(unused, set).await? else { return Ok(false) };
        self.end_sessions_before(id, epoch).await?;
        Ok(true)
    }

    /// Notes that the owner of an account does something.
    pub async fn note_seen(&self, id: &str) -> Result<(), Failure> {
        let statement = doc! { "q": { "_id": id }, "u": [{ "$set": { "last_seen": "$$NOW" } }] };
        self.jobs_command(doc! { "update": ACCOUNTS, "updates": [statement] }).await.map(drop)
    }

    /// Changes an account, so that no session of it is alive from then on, and removes those.
    async fn end_epoch(&self, filter: Document, set: Document) -> Result<(), Failure> {
        let id = filter.get_str("_id").unwrap_or_default().to_owned();
        if let Some(epoch) = self.begin_epoch(filter, set).await? {
            self.end_sessions_before(&id, epoch).await?;
        }
        Ok(())
    }

    async fn begin_epoch(&self, filter: Document, set: Document) -> Result<Option<i64>, Failure> {
        let command = doc! {
            "findAndModify": ACCOUNTS,
            "query": filter,
            "update": { "$set": set, "$inc": { "epoch": 1_i64 } },
            "fields": { "epoch": 1 },
            "new": true,
            "writeConcern": durable(),
        };
        let answer = self.jobs_command(command).await?;
        Ok(answer.get_document("value").ok().and_then(|it| number(it.get("epoch"))))
    }

    /// Makes a change that is not lost any more; returns whether there was anything to change.
    async fn changes_one(&self, collection: &str, statement: Document) -> Result<bool, Failure> {
        let command =
            doc! { "update": collection, "updates": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Deletes for good; returns how many there were.
    async fn delete_all(&self, collection: &str, filter: Document) -> Result<u64, Failure> {
        let statement = doc! { "q": filter, "limit": 0 };
        let command =
            doc! { "delete": collection, "deletes": [statement], "writeConcern": durable() };
        let deleted = number(self.jobs_command(command).await?.get("n"));
        Ok(deleted.and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }

    /// What some stages come to. The primary is asked, whatever the URI prefers: a secondary may not know yet that
    /// something is over.
    async fn ask<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        collection: &str,
        stages: Vec<Document>,
    ) -> Result<Vec<T>, Failure> {
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        let collection = self.jobs.collection::<Document>(collection);
        let found = async {
            let asked = collection.aggregate(stages).with_type::<T>();
            asked.selection_criteria(primary).max_time(LONGEST_WRITE).await?.try_collect().await
        };
        answered(LONGEST_WRITE, found).await
    }
}

const ACCOUNTS: &str = "accounts";
const CHANGES: &str = "account_changes";
const ROSTER: &str = "accounts";

fn written<T: Serialize>(it: &T) -> Result<Document, Failure> {
    bson::serialize_to_document(it).map_err(|it| Failure::other(it.to_string()))
}
