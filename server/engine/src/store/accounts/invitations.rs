//! Invitations: who may make themselves an account, by the hash of the token that they were sent.

use std::time::Duration;

use bson::{DateTime, Document, doc};
use model::Role;
use serde::Deserialize;

use super::{ACCOUNTS, Access, written};
use crate::store::{Failure, Store, durable, millis};

/// An invitation: `{ _id, token: the hash of its token, role, note, by, inviter, under, first, resets, created, expires, claimed }`.
///
/// Its `_id` is that hash as well, but for the one to the first account: of those there is one at most, whoever makes them at
/// the same moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Invitation {
    /// By which it is known to people.
    #[serde(rename = "_id")]
    pub id: String,
    /// The hash of its token; none of one that an older version of this program has written down, where that is its id.
    #[serde(default)]
    pub token: Option<String>,
    /// The role of the account.
    pub role: Role,
    /// For whom it is meant.
    pub note: String,
    /// Who has invited them, for people to see.
    pub by: String,
    /// The account that has, if it was one: without it, or if it is no admin's any more, it cannot be used.
    pub inviter: Option<String>,
    /// The number of the change that had made the access of that account: after another one it cannot be used, also if they
    /// become an admin again.
    #[serde(default)]
    pub under: Option<i64>,
    /// Whether it makes the first account, and only that.
    pub first: bool,
    /// The account that gets a new password by it, instead of one that is made.
    #[serde(default)]
    pub resets: Option<String>,
    /// Until when it can be used.
    pub expires: DateTime,
    /// The account that is made of it, or was.
    #[serde(default)]
    pub claimed: Option<String>,
}

impl Store {
    /// Writes an invitation down that lasts so long from now on; its `expires` is not looked at. The one to the first account
    /// takes the place of one that was made before.
    pub async fn insert_invitation(
        &self,
        invitation: &Invitation,
        lasts: Duration,
    ) -> Result<(), Failure> {
        match self.write_invitation(invitation, lasts).await {
            // Two were the first at the same moment.
            Err(failure) if failure.is_duplicate() => {
                self.write_invitation(invitation, lasts).await
            }
            other => other,
        }
    }

    async fn write_invitation(
        &self,
        invitation: &Invitation,
        lasts: Duration,
    ) -> Result<(), Failure> {
        let Invitation { id, token, role, note, by, inviter, under, first, resets, .. } =
            invitation;
        let stage = doc! { "$replaceWith": {
            "_id": { "$literal": id },
            "token": token.as_deref(),
            "under": *under,
            "resets": { "$literal": resets.as_deref() },
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

    /// One invitation by the hash of its token, if it can be used or is being used.
    pub async fn open_invitation(&self, token: &str) -> Result<Option<Invitation>, Failure> {
        let known = doc! { "$or": [{ "token": token }, { "_id": token, "token": null }] };
        Ok(self.ask(INVITATIONS, open(known)?).await?.pop())
    }

    /// The invitations that can be used and of which there is no account, in the order in which they end. Of one that
    /// somebody has begun to use, and has not come to the end, there is none either.
    pub async fn open_invitations(&self) -> Result<Vec<Invitation>, Failure> {
        let mut stages = open(doc! {})?;
        stages.push(doc! { "$lookup": {
            "from": ACCOUNTS, "let": { "token": { "$ifNull": ["$token", "$_id"] } }, "as": "made",
            "pipeline": [
                { "$match": { "$expr": { "$eq": ["$invitation", "$$token"] } } },
                { "$limit": 1 },
                { "$project": { "_id": 1 } },
            ],
        } });
        stages.push(doc! { "$match": { "made": { "$size": 0 } } });
        stages.push(doc! { "$project": { "made": 0 } });
        stages.push(doc! { "$sort": { "expires": 1, "_id": 1 } });
        self.ask(INVITATIONS, stages).await
    }

    /// Uses an invitation for an account, unless it is used for another already. Returns whether it is for this one now.
    pub async fn claim_invitation(
        &self,
        invitation: &Invitation,
        account: &str,
    ) -> Result<bool, Failure> {
        let Invitation { id, token, .. } = invitation;
        let statement = doc! {
            "q": {
                "_id": id, "token": token.as_deref(), "claimed": { "$in": [null, account] }, "$expr": { "$gt": ["$expires", "$$NOW"] },
            },
            "u": { "$set": { "claimed": account } },
        };
        self.changes_one(INVITATIONS, statement).await
    }

    /// Gives an invitation back, if nothing came of the account that it was claimed for.
    pub async fn release_invitation(
        &self,
        invitation: &Invitation,
        account: &str,
    ) -> Result<(), Failure> {
        let Invitation { id, token, .. } = invitation;
        let ours = doc! { "_id": id, "token": token.as_deref(), "claimed": account };
        let statement = doc! { "q": ours, "u": { "$unset": { "claimed": "" } } };
        self.changes_one(INVITATIONS, statement).await.map(drop)
    }

    /// Forgets an invitation. If there is an account of it already, that stays.
    pub async fn delete_invitation(&self, id: &str) -> Result<(), Failure> {
        self.delete_all(INVITATIONS, doc! { "_id": id }).await.map(drop)
    }

    /// Forgets the invitations by which an account would get a new password.
    pub async fn delete_resets(&self, account: &str) -> Result<(), Failure> {
        self.delete_all(INVITATIONS, doc! { "resets": account }).await.map(drop)
    }

    /// Forgets the invitations to the first account that older versions of this program have made.
    pub async fn delete_older_first_invitations(&self) -> Result<(), Failure> {
        let older = doc! { "first": true, "_id": { "$ne": FIRST_INVITATION } };
        self.delete_all(INVITATIONS, older).await.map(drop)
    }
}

pub const INVITATIONS: &str = "account_invitations";

/// The `_id` of the one to the first account.
pub const FIRST_INVITATION: &str = "first";

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
        doc! { "$match": { "$expr": { "$or": [
            { "$eq": [{ "$ifNull": ["$under", null] }, null] }, { "$in": ["$under", "$of.change"] },
        ] } } },
        doc! { "$lookup": {
            "from": ACCOUNTS, "pipeline": [{ "$limit": 1 }, { "$project": { "_id": 1 } }], "as": "anybody",
        } },
        doc! { "$match": { "$or": [{ "first": false }, { "anybody": { "$size": 0 } }] } },
        doc! { "$project": { "of": 0, "anybody": 0 } },
    ])
}
