//! How often somebody has tried to sign in, counted before they are let try, so that many at once do not get past it.

use std::time::Duration;

use bson::{DateTime, doc};
use serde::Deserialize;

use crate::store::{Failure, Store, millis};

/// How many attempts there are, and how long it takes until the next one after those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many fail before it has to be waited.
    pub free: i32,
    /// How long after the last of those; twice as long after each one more.
    pub first: Duration,
    /// How long at most.
    pub longest: Duration,
    /// For how long failures are remembered after the last attempt.
    pub remembered: Duration,
}

/// What came of asking for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may be made, and is counted as failed until it is known better.
    Admitted,
    /// Not for this long.
    Later(Duration),
}

/// As it is stored: `{ _id: what is limited, failures, until, asked, admitted, expires }`.
#[derive(Deserialize)]
struct Attempts {
    admitted: bool,
    until: DateTime,
    asked: DateTime,
}

impl Store {
    /// Counts an attempt, if it may be made.
    pub async fn admit(&self, key: &str, limit: Limit) -> Result<Admission, Failure> {
        match self.count_attempt(key, limit).await {
            // Two were the first at the same moment.
            Err(failure) if failure.is_duplicate() => self.count_attempt(key, limit).await,
            other => other,
        }
    }

    async fn count_attempt(&self, key: &str, limit: Limit) -> Result<Admission, Failure> {
        let remembered = doc! { "$cond": [{ "$gt": ["$expires", "$$NOW"] }, "$failures", 0] };
        let until = doc! { "$ifNull": ["$until", "$$NOW"] };
        let one_more = doc! { "$min": [{ "$add": ["$failures", 1] }, limit.free + MOST_DOUBLINGS] };
        let doubled = doc! { "$pow": [2, { "$subtract": ["$failures", limit.free] }] };
        let wait = doc! { "$min": [
            millis(limit.longest), { "$multiply": [millis(limit.first), doubled] },
        ] };
        let waits = doc! { "$cond": [{ "$gte": ["$failures", limit.free] }, wait, 0] };
        let stages = vec![
            doc! { "$set": {
                "failures": remembered,
                "admitted": { "$lte": [until, "$$NOW"] },
                "asked": "$$NOW",
                "expires": { "$add": ["$$NOW", millis(limit.remembered)] },
            } },
            doc! { "$set": { "failures": { "$cond": ["$admitted", one_more, "$failures"] } } },
            doc! { "$set": {
                "until": { "$cond": ["$admitted", { "$add": ["$$NOW", waits] }, "$until"] },
            } },
        ];
        let command = doc! {
            "findAndModify": ATTEMPTS,
            "query": { "_id": key },
            "update": stages,
            "upsert": true,
            "new": true,
        };
        let answer = self.jobs_command(command).await?;
        let unreadable = |it: String| Failure::other(format!("the attempts cannot be read: {it}"));
        let counted = answer.get_document("value").map_err(|it| unreadable(it.to_string()))?;
        let counted: Attempts = bson::deserialize_from_document(counted.clone())
            .map_err(|it| unreadable(it.to_string()))?;
        if counted.admitted {
            return Ok(Admission::Admitted);
        }
        Ok(Admission::Later(counted.until.saturating_duration_since(counted.asked)))
    }

    /// Forgets all attempts of somebody who has succeeded.
    pub async fn forget_attempts(&self, key: &str) -> Result<(), Failure> {
        let statement = doc! { "q": { "_id": key }, "limit": 1 };
        self.jobs_command(doc! { "delete": ATTEMPTS, "deletes": [statement] }).await.map(drop)
    }

    /// Takes one attempt that was counted for no failure, and the wait that came of it.
    pub async fn pardon_attempt(&self, key: &str) -> Result<(), Failure> {
        let stage = doc! { "$set": {
            "failures": { "$max": [0, { "$subtract": ["$failures", 1] }] }, "until": "$$NOW",
        } };
        let statement = doc! { "q": { "_id": key }, "u": [stage] };
        self.jobs_command(doc! { "update": ATTEMPTS, "updates": [statement] }).await.map(drop)
    }
}

pub const ATTEMPTS: &str = "account_attempts";

/// After so many, the longest wait is reached; failures are not counted any further.
const MOST_DOUBLINGS: i32 = 20;
