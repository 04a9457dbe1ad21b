//! Invitations: who may make themselves an account, by the hash of the token that they were sent.

use std::time::Duration;

use bson::{DateTime, Document, doc};
use model::Role;
use serde::Deserialize;

use super::{ACCOUNTS, Access, written};
use crate::store::{Failure, Store, durable, millis};

/// An invitation: `{ _id: the hash of its token, role, note, by, inviter, first, created, expires, claimed }`.
#[derive(Clone, Debug, Deserialize)]
pub struct Invitation {
    /// The hash of its token.
    #[serde(rename = "_id")]
    pub id: String,
    /// The role of the account.
    pub role: Role,
    /// For whom it is meant.
    pub note: String,
    /// Who has invited them, for people to see.
    pub by: String,
    /// The account that has, if it was one: without it, or if it is no admin's any more, it cannot be used.
    pub inviter: Option<String>,
    /// Whether it makes the first account, and only that.
    pub first: bool,
    /// Until when it can be used.
    pub expires: DateTime,
    /// The account that is made of it, or was.
    #[serde(default)]
    pub claimed: Option<String>,
}

impl Store {
    /// Writes an invitation down that lasts so long from now on; its `expires` is not looked at.
    pub async fn insert_invitation(
        &self,
        invitation: &Invitation,
        lasts: Duration,
    ) -> Result<(), Failure> {
        let Invitation { id, role, note, by, inviter, first, .. } = invitation;
        let stage = doc! { "$set": {
            "role": role.name(),
            "note": { "$literal": note },
            "by": { "$literal": by },
            "inviter": { "$literal": inviter },
            "first": first,
            "created": "$$NOW",
            "expires": { "$add": ["$$NOW", millis(lasts)] },
        } };
        let statement = doc! { "q": { "_id": id }, "u": [stage], "upsert": true };
        let command =
            doc! { "update": INVITATIONS, "updates": [statement], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// One invitation, if it can be used or is being used.
    pub async fn open_invitation(&self, id: &str) -> Result<Option<Invitation>, Failure> {
        Ok(self.ask(INVITATIONS, open(doc! { "_id": id })?).await?.pop())
    }

    /// The invitations that can be used and were not, in the order in which they end.
    pub async fn open_invitations(&self) -> Result<Vec<Invitation>, Failure> {
        let mut stages = open(doc! { "claimed": null })?;
        stages.push(doc! { "$sort": { "expires": 1, "_id": 1 } });
        self.ask(INVITATIONS, stages).await
    }

    /// Uses an invitation for an account, unless it is used for another already. Returns whether it is for this one now.
    pub async fn claim_invitation(&self, id: &str, account: &str) -> Result<bool, Failure> {
        let statement = doc! {
            "q": {
                "_id": id, "claimed": { "$in": [null, account] }, "$expr": { "$gt": ["$expires", "$$NOW"] },
            },
            "u": { "$set": { "claimed": account } },
        };
        self.changes_one(INVITATIONS, statement).await
    }

    /// Gives an invitation back, if nothing came of the account that it was claimed for.
    pub async fn release_invitation(&self, id: &str, account: &str) -> Result<(), Failure> {
        let statement =
            doc! { "q": { "_id": id, "claimed": account }, "u": { "$unset": { "claimed": "" } } };
        self.changes_one(INVITATIONS, statement).await.map(drop)
    }

    /// Forgets an invitation that was not used.
    pub async fn delete_invitation(&self, id: &str) -> Result<(), Failure> {
        self.delete_all(INVITATIONS, doc! { "_id": id, "claimed": null }).await.map(drop)
    }

    /// Forgets the invitations that were made for the first account.
    pub async fn delete_first_invitations(&self) -> Result<(), Failure> {
        self.delete_all(INVITATIONS, doc! { "first": true }).await.map(drop)
    }
}

pub const INVITATIONS: &str = "account_invitations";

/// Finds the invitations that have not expired, whose inviter could invite at this moment, and of those for the first
/// account none as soon as there is any.
fn open(filter: Document) -> Result<Vec<Document>, Failure> {
    let mut in_time = filter;
    in_time.insert("$expr", doc! { "$gt": ["$expires", "$$NOW"] });
    let leading = written(&Access { role: Role::Admin, disabled: false })?;
    Ok(vec![
        doc! { "$match": in_time },
        doc! { "$lookup": {
            "from": ACCOUNTS, "localField": "inviter", "foreignField": "_id", "as": "of",
        } },
        doc! { "$match": { "$or": [{ "inviter": null }, { "of": { "$elemMatch": leading } }] } },
        doc! { "$lookup": {
            "from": ACCOUNTS, "pipeline": [{ "$limit": 1 }, { "$project": { "_id": 1 } }], "as": "anybody",
        } },
        doc! { "$match": { "$or": [{ "first": false }, { "anybody": { "$size": 0 } }] } },
        doc! { "$project": { "of": 0, "anybody": 0 } },
    ])
}
