//! Shares of a run's datasets that several servers claim: `run_shares`, one document each, in the runs' own database; and
//! who works on a run, in its own document.
//!
//! A share is there while its run is divided: whoever ends that forgets it.

use std::fmt;

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{
    Failure, Holder, Store, durable,
    jobs::{RUN_DATASETS, RUNS, Wishes, wishes},
    leases::TTL,
    millis,
    server::number,
};
use crate::clock::Moment;

/// How many statements go into one command: a share may have some ten thousand bytes.
const STATEMENTS: usize = 100;

/// What is held: the lease of the database, or one share of a run.
#[derive(Clone, Debug)]
pub enum Held {
    /// The lease, by its number.
    Lease(i64),
    /// A share, by its `_id` and the number of the claim.
    Claim(Document, i64),
}

impl Held {
    /// The number under which it is held.
    pub fn fence(&self) -> i64 {
        match self {
            Self::Lease(fence) | Self::Claim(_, fence) => *fence,
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lease(_) => "the lease",
            Self::Claim(..) => "a share of the run",
        })
    }
}

/// A share that is offered.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The run.
    pub run: ObjectId,
    /// The lease under which it is offered: nobody claims it under another.
    pub lease: i64,
    /// Which one.
    pub number: i32,
    /// Which program can carry it out: one with other revisions would make something else of it.
    pub program: String,
    /// Its datasets, each as a document.
    pub tasks: Vec<Document>,
}

/// A share that somebody may claim.
#[derive(Clone, Debug, Deserialize)]
pub struct Share {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: Document,
}

/// A share that somebody has.
#[derive(Clone, Debug, Deserialize)]
pub struct HeldShare {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: Document,
    /// The run.
    pub run: ObjectId,
    /// The lease under which it was offered.
    pub lease: i64,
    /// The number of the claim.
    pub fence: i64,
    /// Which program can carry it out.
    pub program: String,
    /// By whom.
    pub holder: Holder,
}

/// A share that is ours.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The number of the claim.
    pub fence: i64,
    /// The number before it: of an earlier claim, or of the lease.
    pub before: i64,
    /// Its datasets.
    pub tasks: Vec<Document>,
    /// Since when, by our own clock.
    pub since: Moment,
}

/// Somebody who works on a run, in `hands` of its document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobHand {
    /// `user@host`.
    pub by: String,
    /// The process there.
    pub pid: u32,
    /// Since when.
    pub since: DateTime,
    /// When it left.
    #[serde(default)]
    pub left: Option<DateTime>,
    /// Under which lease of the one that leads.
    pub fence: i64,
    /// Whether it is the one that leads; what it has passed over is in the run itself.
    #[serde(default)]
    pub leads: bool,
    /// How many datasets it has migrated.
    #[serde(default)]
    pub datasets: i64,
    /// How many samples and frames it has passed over.
    #[serde(default)]
    pub documents: i64,
    /// About how many more there are in the collections that it passes over.
    #[serde(default)]
    pub ahead: i64,
    /// When it wrote something of FiftyOne's last.
    #[serde(default)]
    pub last_write: Option<DateTime>,
    /// Why the run shall end, if one failure ends it.
    #[serde(default)]
    pub failed: Option<String>,
}

/// What ties datasets together.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Tie {
    /// The dataset.
    #[serde(rename = "_id")]
    pub id: Bson,
    /// Whatever stands there.
    #[serde(default)]
    pub name: Option<Bson>,
    /// Whatever stands there.
    #[serde(default)]
    pub slug: Option<Bson>,
    /// The names of its collections.
    #[serde(default)]
    pub collections: Vec<Bson>,
    /// The runs and saved views that it refers to.
    #[serde(default)]
    pub parts: Vec<Bson>,
}

impl Store {
    /// Renews what is held, for as long as it lasts from the moment on that is returned. `None` if it is not ours any
    /// more: then nothing may be written.
    pub async fn renew(&self, held: &Held) -> Result<Option<Moment>, Failure> {
        let (id, fence) = match held {
            Held::Lease(fence) => return self.renew_lease(*fence).await,
            Held::Claim(id, fence) => (id, *fence),
        };
        let begun = Moment::now();
        let filter = doc! { "_id": id, "fence": fence, "$expr": { "$gt": ["$expires", "$$NOW"] } };
        let expires = doc! { "$add": ["$$NOW", millis(TTL)] };
        let stage = doc! { "$set": { "renewed": "$$NOW", "expires": expires } };
        Ok(self.change_share(filter, stage).await?.then_some(begun))
    }

    /// Gives back what is held. Nothing happens if it is not ours any more.
    pub async fn release(&self, held: &Held) -> Result<(), Failure> {
        match held {
            Held::Lease(fence) => self.release_lease(*fence).await,
            Held::Claim(id, fence) => {
                let filter = doc! { "_id": id, "fence": fence };
                let stage = doc! { "$set": { "expires": "$$NOW" } };
                self.change_share(filter, stage).await.map(drop)
            }
        }
    }

    /// Offers shares to whoever claims them.
    pub async fn offer_shares(&self, offers: &[Offer]) -> Result<(), Failure> {
        for chunk in offers.chunks(STATEMENTS) {
            let share = |it: &Offer| {
                let Offer { run, lease, number, program, tasks } = it;
                doc! {
                    "_id": { "run": run, "lease": lease, "number": number }, "database": self.name(), "run": run,
                    "lease": lease, "number": number, "program": program, "tasks": tasks.clone(), "done": false,
                    "fence": lease,
                }
            };
            let shares: Vec<Document> = chunk.iter().map(share).collect();
            let command = doc! { "insert": SHARES, "documents": shares, "writeConcern": durable() };
            self.jobs_command(command).await?;
        }
        Ok(())
    }

    /// A share that nobody has, if there is one for this program.
    pub async fn free_share(
        &self,
        run: ObjectId,
        lease: i64,
        program: &str,
    ) -> Result<Option<Share>, Failure> {
        let mut filter = open(self.name(), run, lease);
        filter.extend(doc! { "program": program, "$expr": free(None) });
        let shares = self.jobs.collection::<Share>(SHARES);
        let found = shares.find_one(filter).projection(doc! { "_id": 1 });
        Ok(found.sort(doc! { "_id": 1 }).await?)
    }

    /// How many shares are not done.
    pub async fn open_shares(&self, run: ObjectId, lease: i64) -> Result<u64, Failure> {
        let shares = self.jobs.collection::<Document>(SHARES);
        Ok(shares.count_documents(open(self.name(), run, lease)).await?)
    }

    /// The numbers of those shares that are done.
    pub async fn done_shares(&self, run: ObjectId, lease: i64) -> Result<Vec<i32>, Failure> {
        let filter = doc! { "database": self.name(), "done": true, "run": run, "lease": lease };
        let shares = self.jobs.collection::<Document>(SHARES);
        let found = shares.find(filter).projection(doc! { "number": 1 }).await?;
        let found: Vec<Document> = found.try_collect().await?;
        Ok(found.iter().filter_map(|it| it.get_i32("number").ok()).collect())
    }

    /// The shares of this database that somebody has, offered under this lease or one before it.
    pub async fn held_shares(&self, lease: i64) -> Result<Vec<HeldShare>, Failure> {
        let filter = doc! {
            "database": self.name(), "done": false, "lease": { "$lte": lease },
            "$expr": { "$gt": ["$expires", "$$NOW"] },
        };
        let shares = self.jobs.collection::<HeldShare>(SHARES);
        let found = shares.find(filter).projection(doc! {
            "run": 1, "lease": 1, "fence": 1, "program": 1, "holder": 1,
        });
        Ok(found.await?.try_collect().await?)
    }

    /// Claims a share under a number that was drawn for it, if nobody has it or whoever has it is known to be gone.
    /// `gone`: the number of their claim.
    pub async fn claim_share(
        &self,
        share: &Document,
        number: i64,
        (hand, holder): (ObjectId, &Holder),
        gone: Option<i64>,
    ) -> Result<Option<Claim>, Failure> {
        let unreadable = |it: bson::error::Error| Failure::other(it.to_string());
        let holder = bson::serialize_to_document(holder).map_err(unreadable)?;
        let since = Moment::now();
        let claim = doc! { "fence": number, "hand": hand, "taken": "$$NOW" };
        let stage = doc! { "$set": {
            "fence": number,
            "hand": hand,
            "holder": { "$literal": holder },
            "taken": "$$NOW",
            "renewed": "$$NOW",
            "expires": { "$add": ["$$NOW", millis(TTL)] },
            "claims": { "$concatArrays": [{ "$ifNull": ["$claims", []] }, [claim]] },
        } };
        let command = doc! {
            "findAndModify": SHARES,
            // Whoever drew a number, and was asleep since, comes too late if a later one was used.
            "query": { "_id": share, "done": false, "fence": { "$lt": number }, "$expr": free(gone) },
            "update": [stage],
            "fields": { "fence": 1, "tasks": 1 },
            "new": false,
            "writeConcern": durable(),
        };
        let answer = self.jobs_command(command).await?;
        let Some(Bson::Document(mut found)) = answer.get("value").cloned() else { return Ok(None) };
        let before = found.get_i64("fence").map_err(|it| Failure::other(it.to_string()))?;
        let tasks = match found.remove("tasks") {
            Some(Bson::Array(tasks)) => tasks,
            _ => Vec::new(),
        };
        let tasks = tasks.into_iter().filter_map(|it| match it {
            Bson::Document(task) => Some(task),
            _ => None,
        });
        Ok(Some(Claim { fence: number, before, tasks: tasks.collect(), since }))
    }

    /// Notes that all of a share's datasets had their turn, and gives it back. Returns whether it was still ours.
    pub async fn finish_share(&self, share: &Document, fence: i64) -> Result<bool, Failure> {
        let filter = doc! { "_id": share, "fence": fence };
        self.change_share(filter, doc! { "$set": { "done": true, "expires": "$$NOW" } }).await
    }

    /// Makes the marks that were made under the last claim of each share those of the lease that offered it: nobody else
    /// has touched those datasets since. Then the shares are forgotten. Only when nobody has any.
    pub async fn forget_shares(&self, lease: i64) -> Result<(), Failure> {
        let filter = doc! { "database": self.name(), "lease": { "$lte": lease } };
        let shares = self.jobs.collection::<Document>(SHARES);
        let found =
            shares.find(filter.clone()).projection(doc! { "run": 1, "lease": 1, "fence": 1 });
        let found: Vec<Document> = found.await?.try_collect().await?;
        let mut last: Vec<(ObjectId, i64, Vec<i64>)> = Vec::new();
        for it in &found {
            let (Ok(run), Ok(lease), Ok(fence)) =
                (it.get_object_id("run"), it.get_i64("lease"), it.get_i64("fence"))
            else {
                continue;
            };
            match last.iter_mut().find(|(other, under, _)| (*other, *under) == (run, lease)) {
                Some((.., fences)) => fences.push(fence),
                None => last.push((run, lease, vec![fence])),
            }
        }
        for (run, lease, fences) in last {
            self.change_marks(doc! { "run": run, "fence": { "$in": fences } }, lease).await?;
        }
        let all = doc! { "q": filter, "limit": 0 };
        self.jobs_command(doc! { "delete": SHARES, "deletes": [all] }).await.map(drop)
    }

    /// Makes the marks of these datasets those of a claim. Only those count that were made right before it: under the
    /// claim before, or the lease.
    pub async fn claim_marks(
        &self,
        run: ObjectId,
        datasets: &[Bson],
        (before, fence): (i64, i64),
    ) -> Result<(), Failure> {
        let filter =
            doc! { "run": run, "fence": before, "_id.dataset": { "$in": datasets.to_vec() } };
        self.change_marks(filter, fence).await
    }

    async fn change_share(&self, filter: Document, stage: Document) -> Result<bool, Failure> {
        let statement = doc! { "q": filter, "u": [stage] };
        let command = doc! { "update": SHARES, "updates": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Adds somebody to those who work on a run, as long as it is carried out under this lease. Returns whether it is.
    pub async fn add_hand(
        &self,
        run: ObjectId,
        key: ObjectId,
        hand: &JobHand,
    ) -> Result<bool, Failure> {
        let whole =
            bson::serialize_to_document(hand).map_err(|it| Failure::other(it.to_string()))?;
        let filter = doc! { "_id": run, "fence": hand.fence, "state": "running" };
        let statement = doc! { "q": filter, "u": { "$set": { format!("hands.{key}"): whole } } };
        let command = doc! { "update": RUNS, "updates": [statement] };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Notes how far one of those is who help, and returns what people want of the run by now. `None` if another lease
    /// has it.
    pub async fn note_hand(
        &self,
        run: ObjectId,
        fence: i64,
        key: ObjectId,
        progress: Document,
    ) -> Result<Option<Wishes>, Failure> {
        let set: Document =
            progress.into_iter().map(|(name, it)| (format!("hands.{key}.{name}"), it)).collect();
        let command = doc! {
            "findAndModify": RUNS,
            // Not one that has left: a part of it would come back.
            "query": { "_id": run, "fence": fence, format!("hands.{key}.by"): { "$exists": true } },
            "update": { "$set": set },
            "fields": { "state": 1, "pace": 1, "holding": 1 },
        };
        wishes(run, &self.jobs_command(command).await?)
    }

    /// Notes that somebody has left; whoever has done nothing is forgotten.
    pub async fn leave(
        &self,
        run: ObjectId,
        key: ObjectId,
        progress: Option<Document>,
    ) -> Result<(), Failure> {
        let hand = format!("hands.{key}");
        let update = match progress {
            None => doc! { "$unset": { &hand: "" } },
            Some(progress) => {
                let set: Document = progress
                    .into_iter()
                    .chain([("left".to_owned(), DateTime::now().into())])
                    .map(|(name, it)| (format!("{hand}.{name}"), it))
                    .collect();
                doc! { "$set": set }
            }
        };
        // Not one that is gone by now.
        let statement = doc! { "q": { "_id": run, &hand: { "$exists": true } }, "u": update };
        self.jobs_command(doc! { "update": RUNS, "updates": [statement] }).await.map(drop)
    }

    /// What was noted of these datasets of a run.
    pub async fn noted_datasets(
        &self,
        run: ObjectId,
        datasets: &[String],
    ) -> Result<Vec<Document>, Failure> {
        let ids: Vec<Bson> =
            datasets.iter().map(|it| doc! { "run": run, "dataset": it }.into()).collect();
        let noted = self.jobs.collection::<Document>(RUN_DATASETS);
        let found = noted.find(doc! { "_id": { "$in": ids } }).batch_size(10_000);
        Ok(found.await?.try_collect().await?)
    }

    /// What others than the one that led have migrated under a lease and its claims.
    pub async fn migrated_by_others(
        &self,
        run: ObjectId,
        lease: i64,
    ) -> Result<Vec<Document>, Failure> {
        let filter = doc! {
            "_id": super::jobs::of(run), "fence": { "$gt": lease }, "state": "migrated",
        };
        let noted = self.jobs.collection::<Document>(RUN_DATASETS);
        Ok(noted.find(filter).batch_size(10_000).await?.try_collect().await?)
    }

    /// What ties each dataset to others: names, collections, runs and saved views.
    pub async fn ties(&self) -> Result<Vec<Tie>, Failure> {
        const RUN_FIELDS: [&str; 4] = ["annotation_runs", "brain_methods", "evaluations", "runs"];
        let ids = |list: Document| {
            doc! { "$filter": {
                "input": list, "as": "it", "cond": { "$eq": [{ "$type": "$$it" }, "objectId"] },
            } }
        };
        let values = |key: &&str| -> Bson {
            let slots = doc! { "$map": {
                "input": { "$objectToArray": format!("${key}") }, "as": "slot", "in": "$$slot.v",
            } };
            let is_there = doc! { "$eq": [{ "$type": format!("${key}") }, "object"] };
            ids(doc! { "$cond": [is_there, slots, []] }).into()
        };
        let mut parts: Vec<Bson> = RUN_FIELDS.iter().map(values).collect();
        let views = doc! { "$cond": [{ "$isArray": "$saved_views" }, "$saved_views", []] };
        parts.push(ids(views).into());
        let project = doc! {
            "name": 1, "slug": 1, "collections": ["$sample_collection_name", "$frame_collection_name"],
            "parts": { "$concatArrays": parts },
        };
        let datasets = self.database.collection::<Document>("datasets");
        let found = datasets.aggregate([doc! { "$project": project }]).with_type::<Tie>();
        Ok(found.batch_size(10_000).await?.try_collect().await?)
    }
}

const SHARES: &str = "run_shares";

/// Matches the shares that are not done.
fn open(database: &str, run: ObjectId, lease: i64) -> Document {
    doc! { "database": database, "done": false, "run": run, "lease": lease }
}

/// Whether nobody has it, by the server's clock, or somebody who is gone has.
fn free(gone: Option<i64>) -> Document {
    let free = doc! { "$lte": [{ "$ifNull": ["$expires", "$$NOW"] }, "$$NOW"] };
    match gone {
        Some(fence) => doc! { "$or": [free, { "$eq": ["$fence", fence] }] },
        None => free,
    }
}
