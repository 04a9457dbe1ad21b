//! The lease, who may write to a FiftyOne database: one document per database, on the server's clock alone.

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use serde::{Deserialize, Serialize};

use super::{Asked, Failure, Store, durable, millis};
use crate::clock::Moment;

/// How long a lease lasts if it is not renewed.
pub const TTL: Duration = Duration::from_secs(30);

/// Whoever carries out a run, so that a person can find them, and that another process on the same machine can see
/// whether they are still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who started the program.
    pub user: String,
    /// On which machine.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// When the process started, in the kernel's own ticks; another process with the same number has another.
    pub started: i64,
    /// What tells one running kernel and its numbering of processes from any other; empty if it is not known.
    pub machine: String,
    /// Which program it is: one with other revisions would make something else of a dataset.
    #[serde(default)]
    pub program: String,
}

/// A lease as it is stored: `{ _id: database, fence, numbers, before, run, asked, holder, taken, renewed, expires,
/// division }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Grows with each taking: what is written under an older one is refused.
    pub fence: i64,
    /// The run it was taken for.
    pub run: ObjectId,
    /// What that run was asked to do.
    pub asked: Asked,
    /// By whom.
    pub holder: Holder,
    /// When.
    pub taken: DateTime,
    /// When it was renewed last.
    pub renewed: DateTime,
    /// Until when it holds unless it is renewed.
    pub expires: DateTime,
    /// The number of the lease right before it.
    #[serde(default)]
    pub before: Option<i64>,
    /// Whether others help with what is done under it, or have helped with what was done under one before it.
    #[serde(default)]
    pub division: Option<Division>,
}

/// Whether shares of a run are given to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Division {
    /// They may be claimed.
    Open,
    /// None is claimed any more, but some that were may still be in somebody's hands.
    Closing,
}

/// What came of reaching for a lease.
#[derive(Clone, Debug)]
pub enum Taking {
    /// It is ours, for [`TTL`] from this moment of our own clock on.
    Taken(Lease, Moment),
    /// Somebody else has it.
    Held(Lease),
}

impl Store {
    /// Takes the lease for a run, if nobody has it or whoever had it let it run out.
    pub async fn take_lease(
        &self,
        run: ObjectId,
        asked: &Asked,
        holder: &Holder,
    ) -> Result<Taking, Failure> {
        self.reach_for_lease(run, asked, holder, None).await
    }

    /// Takes a lease away from a holder that is known to be gone, before it runs out.
    pub async fn inherit_lease(
        &self,
        run: ObjectId,
        asked: &Asked,
        holder: &Holder,
        gone: &Lease,
    ) -> Result<Taking, Failure> {
        self.reach_for_lease(run, asked, holder, Some(gone.fence)).await
    }

    async fn reach_for_lease(
        &self,
        run: ObjectId,
        asked: &Asked,
        holder: &Holder,
        gone: Option<i64>,
    ) -> Result<Taking, Failure> {
        let unwritable = |it: bson::error::Error| Failure::other(it.to_string());
        let holder = bson::serialize_to_document(holder).map_err(unwritable)?;
        let asked = bson::serialize_to_document(asked).map_err(unwritable)?;
        self.have_lease_document().await?;
        let begun = Moment::now();
        let free = doc! { "$lte": [{ "$ifNull": ["$expires", "$$NOW"] }, "$$NOW"] };
        let free = match gone {
            Some(fence) => doc! { "$or": [free, { "$eq": ["$fence", fence] }] },
            None => free,
        };
        let stage = doc! { "$set": {
            // Claims are numbered in the same line: whatever comes after them has a larger number.
            "fence": { "$add": [{ "$max": ["$fence", "$numbers"] }, 1_i64] },
            "before": "$fence",
            "division": closing(),
            "run": run,
            "asked": { "$literal": asked },
            "holder": { "$literal": holder },
            "taken": "$$NOW",
            "renewed": "$$NOW",
            "expires": { "$add": ["$$NOW", millis(TTL)] },
        } };
        let command = doc! {
            "findAndModify": LEASES,
            "query": { "_id": self.name(), "$expr": free },
            "update": [stage],
            "new": true,
            "writeConcern": durable(),
        };
        match self.jobs_command(command).await?.get("value") {
            Some(Bson::Document(taken)) => Ok(Taking::Taken(read(taken.clone())?, begun)),
            _ => match self.lease().await? {
                Some(held) => Ok(Taking::Held(held)),
                None => Err(Failure::other("the lease was dropped by somebody; run this again")),
            },
        }
    }

    /// Renews a lease that is still ours, for [`TTL`] from the moment on that is returned. `None` if it is not: then
    /// nothing may be written any more.
    pub async fn renew_lease(&self, fence: i64) -> Result<Option<Moment>, Failure> {
        let begun = Moment::now();
        let stage =
            doc! { "$set": { "renewed": "$$NOW", "expires": { "$add": ["$$NOW", millis(TTL)] } } };
        let filter =
            doc! { "_id": self.name(), "fence": fence, "$expr": { "$gt": ["$expires", "$$NOW"] } };
        Ok(self.change_lease(filter, stage).await?.then_some(begun))
    }

    /// Lets others claim shares of what is done under a lease. Returns whether it is still ours.
    pub async fn open_division(&self, fence: i64) -> Result<bool, Failure> {
        let filter =
            doc! { "_id": self.name(), "fence": fence, "$expr": { "$gt": ["$expires", "$$NOW"] } };
        self.change_lease(filter, doc! { "$set": { "division": "open" } }).await
    }

    /// Lets nobody claim any more, under a lease that may have been taken from us.
    pub async fn close_division(&self, fence: i64) -> Result<(), Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence };
        self.change_lease(filter, doc! { "$set": { "division": closing() } }).await.map(drop)
    }

    /// Nothing that was claimed under this lease or one before it is in anybody's hands.
    pub async fn end_division(&self, fence: i64) -> Result<(), Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence };
        self.change_lease(filter, doc! { "$unset": "division" }).await.map(drop)
    }

    /// Draws the number of a claim: larger than that of the lease and of every claim before it, and smaller than that of
    /// every lease after it. `None` if the lease is another by now.
    pub async fn draw_number(&self, fence: i64) -> Result<Option<i64>, Failure> {
        let next = doc! { "$add": [{ "$max": ["$fence", "$numbers"] }, 1_i64] };
        let command = doc! {
            "findAndModify": LEASES,
            "query": { "_id": self.name(), "fence": fence },
            "update": [{ "$set": { "numbers": next } }],
            "fields": { "numbers": 1 },
            "new": true,
            "writeConcern": durable(),
        };
        let answer = self.jobs_command(command).await?;
        Ok(answer.get_document("value").ok().and_then(|it| it.get_i64("numbers").ok()))
    }

    /// Whether shares may be claimed that were offered under this lease.
    pub async fn is_divided(&self, fence: i64) -> Result<bool, Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence, "division": "open" };
        Ok(self.jobs.collection::<Document>(LEASES).find_one(filter).await?.is_some())
    }

    /// Whether nobody may claim any more: the lease is another, or its division is about to end.
    pub async fn is_closing(&self, fence: i64) -> Result<bool, Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence, "division": { "$ne": "closing" } };
        Ok(self.jobs.collection::<Document>(LEASES).find_one(filter).await?.is_none())
    }

    /// Notes for which run a lease is held.
    pub async fn lease_is_for(&self, fence: i64, run: ObjectId) -> Result<(), Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence };
        self.change_lease(filter, doc! { "$set": { "run": run } }).await.map(drop)
    }

    /// Gives a lease back. Nothing happens if it is not ours any more.
    pub async fn release_lease(&self, fence: i64) -> Result<(), Failure> {
        let filter = doc! { "_id": self.name(), "fence": fence };
        self.change_lease(filter, doc! { "$set": { "expires": "$$NOW" } }).await.map(drop)
    }

    /// The lease, if it was ever taken; it may have run out.
    pub async fn lease(&self) -> Result<Option<Lease>, Failure> {
        let found =
            self.jobs.collection::<Document>(LEASES).find_one(doc! { "_id": self.name() }).await?;
        found.filter(|it| it.contains_key("holder")).map(read).transpose()
    }

    /// Whether the lease has run out, by the server's clock.
    pub async fn is_lease_free(&self) -> Result<bool, Failure> {
        let held = doc! { "_id": self.name(), "$expr": { "$gt": ["$expires", "$$NOW"] } };
        Ok(self.jobs.collection::<Document>(LEASES).find_one(held).await?.is_none())
    }

    async fn change_lease(&self, filter: Document, stage: Document) -> Result<bool, Failure> {
        let statement = doc! { "q": filter, "u": [stage] };
        let command = doc! { "update": LEASES, "updates": [statement], "writeConcern": durable() };
        Ok(super::server::number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// The server takes no `$expr` together with `upsert`, so that the document has to be there first.
    async fn have_lease_document(&self) -> Result<(), Failure> {
        let leases = self.jobs.collection::<Document>(LEASES);
        if leases.find_one(doc! { "_id": self.name() }).await?.is_some() {
            return Ok(());
        }
        match leases
            .insert_one(doc! { "_id": self.name(), "fence": 0_i64 })
            .await
            .map_err(Failure::from)
        {
            Err(failure) if !failure.is_duplicate() => Err(failure),
            _ => Ok(()),
        }
    }
}

const LEASES: &str = "leases";

/// A division that was open is closing; one that was not begun stays so.
fn closing() -> Document {
    doc! { "$cond": [{ "$eq": ["$division", "open"] }, "closing", "$division"] }
}

fn read(document: Document) -> Result<Lease, Failure> {
    bson::deserialize_from_document(document)
        .map_err(|it| Failure::other(format!("the lease cannot be read: {it}")))
}
