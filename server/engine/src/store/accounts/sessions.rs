//! Sessions: who has signed in, by the hash of the token that their browser keeps.

use std::collections::{BTreeMap, BTreeSet};

use bson::{DateTime, Document, doc};
use model::Role;
use serde::Deserialize;

use super::{ACCOUNTS, Account};
use crate::{
    accounts::{IDLE, LASTS, NOTED, Origin},
    store::{Failure, Store, millis, server::number},
};

/// A session that is alive: `{ _id: the hash of its token, account, epoch, created, last_used, expires, address, agent }`,
/// with what its account says now.
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// The hash of its token.
    #[serde(rename = "_id")]
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// Their name, as they have typed it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they signed in.
    pub created: DateTime,
    /// When it was last noted to be used.
    pub last_used: DateTime,
    /// When it ends at the latest.
    pub expires: DateTime,
    /// From where they signed in.
    pub address: String,
    /// With what.
    pub agent: String,
    /// Whether its use is worth noting again.
    pub quiet: bool,
}

impl Store {
    /// Begins a session for an account as it was when the password was compared: if it was changed since, the session is not
    /// alive.
    pub async fn begin_session(
        &self,
        id: &str,
        account: &Account,
        origin: &Origin,
    ) -> Result<(), Failure> {
        let stage = doc! { "$set": {
            "account": { "$literal": &account.id },
            "epoch": account.epoch,
            "created": "$$NOW",
            "last_used": "$$NOW",
            "expires": { "$add": ["$$NOW", millis(LASTS)] },
            "address": { "$literal": &origin.address },
            "agent": { "$literal": &origin.agent },
        } };
        let statement = doc! { "q": { "_id": id }, "u": [stage], "upsert": true };
        self.jobs_command(doc! { "update": SESSIONS, "updates": [statement] }).await.map(drop)
    }

    /// One session, if it is alive, in one question.
    pub async fn session(&self, id: &str) -> Result<Option<Session>, Failure> {
        Ok(self.ask(SESSIONS, alive(doc! { "_id": id })).await?.pop())
    }

    /// The sessions that are alive, latest first: of one account, or all.
    pub async fn live_sessions(&self, account: Option<&str>) -> Result<Vec<Session>, Failure> {
        let filter = account.map_or_else(Document::new, |it| doc! { "account": it });
        let mut stages = alive(filter);
        stages.push(doc! { "$sort": { "created": -1, "_id": 1 } });
        self.ask(SESSIONS, stages).await
    }

    /// Which of these sessions are alive, in one question.
    pub async fn live_among(&self, ids: &[String]) -> Result<BTreeSet<String>, Failure> {
        let mut stages = alive(doc! { "_id": { "$in": ids } });
        stages.push(doc! { "$project": { "_id": 1 } });
        let found: Vec<Document> = self.ask(SESSIONS, stages).await?;
        Ok(found.iter().filter_map(|it| it.get_str("_id").ok().map(str::to_owned)).collect())
    }

    /// How many sessions of each account are alive.
    pub async fn count_live_sessions(&self) -> Result<BTreeMap<String, u64>, Failure> {
        #[derive(Deserialize)]
        struct Count {
            #[serde(rename = "_id")]
            account: String,
            count: i64,
        }
        let mut stages = alive(doc! {});
        stages.push(doc! { "$group": { "_id": "$account", "count": { "$sum": 1_i64 } } });
        let found: Vec<Count> = self.ask(SESSIONS, stages).await?;
        Ok(found.into_iter().map(|it| (it.account, it.count.unsigned_abs())).collect())
    }

    /// Notes that a session is used, if that was not noted a while ago already; returns whether it was not.
    pub async fn note_use(&self, id: &str) -> Result<bool, Failure> {
        let filter = doc! { "_id": id, "$expr": quiet() };
        let statement = doc! { "q": filter, "u": [{ "$set": { "last_used": "$$NOW" } }] };
        let command = doc! { "update": SESSIONS, "updates": [statement] };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Ends a session; one of this account only, if one is given.
    pub async fn end_session(&self, id: &str, account: Option<&str>) -> Result<(), Failure> {
        let mut filter = doc! { "_id": id };
        filter.extend(account.map(|it| ("account".to_owned(), it.into())));
        self.delete_all(SESSIONS, filter).await.map(drop)
    }

    /// Ends all sessions of an account; returns how many there were.
    pub async fn end_sessions(&self, account: &str) -> Result<u64, Failure> {
        let living = self.live_sessions(Some(account)).await?.len();
        self.delete_all(SESSIONS, doc! { "account": account }).await?;
        Ok(u64::try_from(living).unwrap_or(u64::MAX))
    }

    /// Removes what was begun before an account was changed, and is not alive any more.
    pub(super) async fn end_sessions_before(
        &self,
        account: &str,
        epoch: i64,
    ) -> Result<(), Failure> {
        let filter = doc! { "account": account, "epoch": { "$lt": epoch } };
        self.delete_all(SESSIONS, filter).await.map(drop)
    }
}

pub const SESSIONS: &str = "account_sessions";

/// Finds the sessions that are alive by the server's clock and by what their accounts say at this moment.
fn alive(filter: Document) -> Vec<Document> {
    let used_since = doc! { "$subtract": ["$$NOW", millis(IDLE)] };
    let mut in_time = filter;
    in_time.insert(
        "$expr",
        doc! { "$and": [{ "$gt": ["$expires", "$$NOW"] }, { "$gt": ["$last_used", used_since] }] },
    );
    vec![
        doc! { "$match": in_time },
        doc! { "$lookup": {
            "from": ACCOUNTS, "localField": "account", "foreignField": "_id", "as": "of",
        } },
        doc! { "$unwind": "$of" },
        doc! { "$match": { "of.disabled": false, "$expr": { "$eq": ["$epoch", "$of.epoch"] } } },
        doc! { "$project": {
            "account": 1, "name": "$of.name", "role": "$of.role", "created": 1, "last_used": 1, "expires": 1,
            "address": 1, "agent": 1, "quiet": quiet(),
        } },
    ]
}

fn quiet() -> Document {
    doc! { "$lte": ["$last_used", { "$subtract": ["$$NOW", millis(NOTED)] }] }
}
