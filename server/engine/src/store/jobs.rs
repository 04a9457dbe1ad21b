//! The runs, in a database of their own beside FiftyOne's: `runs`, one document each, and `run_datasets`, one
//! document per dataset of a run.

use std::collections::BTreeMap;

use bson::{
    Bson, DateTime, Document, RawArrayBuf, Timestamp, doc, oid::ObjectId, raw::cstr, rawdoc,
};
use futures_util::TryStreamExt;
use model::{Cause, Estimate, JobEvent, JobState, JournalState, Pace, Rates, Span};
use serde::{Deserialize, Serialize};

use super::{Failure, JobHand, Store, datasets::raw, durable, server::number};
use crate::{job::Agreed, report::Figures, selection::Frozen, tally::UnderWay};

/// How many statements go into one command.
const STATEMENTS: usize = 1_000;

/// A run: `{ _id, database, state, fence, .. }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The FiftyOne database that it is about.
    pub database: String,
    /// What was asked for.
    pub asked: Asked,
    /// By whom: `user@host`.
    pub by: String,
    /// Where to, now that it is decided.
    pub destination: String,
    /// How many datasets it is about.
    pub datasets: i64,
    /// What the plan came to, as a hash: two runs with the same one had the same to do.
    pub plan: String,
    /// What was agreed to when it was asked for; not known of one that an older version of this program has written down.
    #[serde(default)]
    pub agreed: Option<Agreed>,
    /// How far it is.
    pub state: JobState,
    /// Under which lease it was written last.
    pub fence: i64,
    /// When it was written down.
    pub created: DateTime,
    /// What it writes where FiftyOne writes the time of a migration.
    #[serde(default)]
    pub time: Option<DateTime>,
    /// When it began, the first time; not known of one that an older version of this program has begun.
    #[serde(default)]
    pub begun: Option<DateTime>,
    /// When it began, or went on after a rest.
    pub started: Option<DateTime>,
    /// When it came to rest.
    pub ended: Option<DateTime>,
    /// When something of FiftyOne's was written last.
    pub last_write: Option<DateTime>,
    /// How many samples and frames were passed over.
    pub documents: i64,
    /// About how many more there are in the collections that are being passed over.
    #[serde(default)]
    pub ahead: i64,
    /// How many datasets are verified, once everything is written.
    #[serde(default)]
    pub verified: i64,
    /// Of how many.
    #[serde(default)]
    pub to_verify: i64,
    /// Since which moment of the oplog it is being verified.
    #[serde(default)]
    pub verifying_since: Option<Timestamp>,
    /// About how many bytes were written of what is FiftyOne's.
    #[serde(default)]
    pub bytes: i64,
    /// The datasets with large collections that are under way.
    #[serde(default)]
    pub under_way: Vec<UnderWay>,
    /// How fast it was, for the estimates of later ones.
    #[serde(default)]
    pub rates: Option<Rates>,
    /// How long the rest takes.
    #[serde(default)]
    pub remaining: Option<Span>,
    /// What was expected when it was left to a server.
    #[serde(default)]
    pub estimate: Option<Estimate>,
    /// How fast it goes.
    #[serde(default)]
    pub pace: Pace,
    /// Why it holds, if it does.
    #[serde(default)]
    pub holding: Option<String>,
    /// Why it failed, in full.
    pub error: Option<String>,
    /// Why what somebody has asked for was not done, if that was the last that anybody asked for.
    #[serde(default)]
    pub refused: Option<String>,
    /// Its undo journal; `None` for a run that has not begun, or is older than the journal.
    #[serde(default)]
    pub journal: Option<JobJournal>,
    /// What of it was to be undone, once somebody has asked for that.
    #[serde(default)]
    pub undo: Option<JobUndo>,
    /// What somebody has asked for, and nobody has begun yet.
    #[serde(default)]
    pub wish: Option<JobWish>,
    /// Who works on it, or has, where it was divided.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hands: BTreeMap<String, JobHand>,
}

/// The undo journal of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobJournal {
    /// What became of it.
    pub state: JournalState,
    /// Until when it is kept.
    pub expires: DateTime,
    /// Whether a part of it may be left, although it is not kept any more.
    #[serde(default)]
    pub removing: bool,
}

/// What of a run is to be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobUndo {
    /// The names of the datasets as they were typed; all and the database if there are none.
    pub names: Vec<String>,
    /// Who asked for it: `user@host`.
    pub by: String,
}

/// What somebody has asked for of a run that rests, for a server to carry out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobWish {
    /// That it be resumed, retried or undone.
    pub event: JobEvent,
    /// Only the datasets that failed for this cause are to be retried.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: DateTime,
}

impl JobWish {
    /// What tells it from every other one.
    pub fn key(&self) -> (DateTime, &str) {
        (self.at, &self.by)
    }

    /// What is wanted, behind the name of the run.
    pub fn words(&self) -> String {
        format!(", and shall be {}, as {} has asked", self.event, self.by)
    }
}

/// What was asked for, so that it can be asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The database and every dataset, or the database alone, or some datasets.
    pub scope: Scope,
    /// The names as they were typed, where the scope is some datasets.
    pub names: Vec<String>,
    /// Where to; `None` for the default.
    pub destination: Option<String>,
    /// Whether the first dataset that cannot be migrated ends it.
    pub stops: bool,
    /// Whether it keeps no undo journal.
    #[serde(default)]
    pub without_undo: bool,
    /// Whether it neither keeps what it drops nor gives back what was kept.
    #[serde(default)]
    pub without_archive: bool,
    /// The selection, where the scope is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Frozen>,
}

/// With what a run deals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The database's own version.
    Database,
    /// The database and every dataset.
    Everything,
    /// Some datasets.
    Datasets,
    /// The datasets of a selection.
    Selected,
    /// No migration, but the mending of what is damaged.
    Repair,
}

/// What people want of a run by now.
#[derive(Clone, Debug, Deserialize)]
pub struct Wishes {
    /// Its state.
    pub state: JobState,
    /// How fast it shall go.
    #[serde(default)]
    pub pace: Pace,
    /// Why it holds, if it does.
    #[serde(default)]
    pub holding: Option<String>,
    /// Who works on it, where others do.
    #[serde(default)]
    pub hands: BTreeMap<String, JobHand>,
}

/// How many datasets of a run could not be migrated for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// `failed` or `refused`.
    pub state: String,
    /// The word of the cause; `None` if none was noted.
    pub cause: Option<String>,
    /// How many.
    pub count: u64,
}

/// One dataset of a run: `{ _id: { run, dataset }, run, dataset, state, .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDataset {
    /// The dataset's `_id`, as text.
    pub dataset: String,
    /// What became of it: a report as a document.
    pub report: Document,
}

impl JobDataset {
    /// As it is stored.
    fn stored(&self, run: ObjectId, fence: i64) -> Document {
        let mut whole = doc! {
            "_id": { "run": run, "dataset": &self.dataset }, "run": run, "dataset": &self.dataset, "fence": fence,
        };
        whole.extend(self.report.clone());
        whole
    }
}

impl Store {
    /// Writes a run down, with the datasets that it is about.
    pub async fn insert_job(&self, job: &Job, datasets: &[JobDataset]) -> Result<(), Failure> {
        for chunk in datasets.chunks(STATEMENTS) {
            let mut documents = RawArrayBuf::new();
            for it in chunk {
                documents.push(raw(&it.stored(job.id, job.fence))?);
            }
            let mut command = rawdoc! {
                "insert": RUN_DATASETS, "ordered": false, "writeConcern": { "w": 1 },
            };
            command.append(cstr!("documents"), documents);
            let answer = self.jobs.run_raw_command(command).await?;
            super::failure::in_answer(&answer)?;
        }
        let document =
            bson::serialize_to_document(job).map_err(|it| Failure::other(it.to_string()))?;
        let command = doc! { "insert": RUNS, "documents": [document], "writeConcern": durable() };
        self.jobs_command(command).await.map(drop)
    }

    /// Forgets the datasets of a run that was killed before the run itself was written down: nobody ever asks for them.
    pub async fn forget_unbegun(&self, run: ObjectId) -> Result<(), Failure> {
        if self.job(run).await?.is_some() {
            return Ok(());
        }
        let all = doc! { "q": { "_id": of(run) }, "limit": 0 };
        self.jobs_command(doc! { "delete": RUN_DATASETS, "deletes": [all] }).await.map(drop)
    }

    /// The runs of this database, newest first.
    pub async fn list_jobs(&self, at_most: i64) -> Result<Vec<Job>, Failure> {
        let runs = self.jobs.collection::<Job>(RUNS);
        let found = runs.find(doc! { "database": self.name() });
        Ok(found
            .sort(doc! { "created": -1, "_id": -1 })
            .limit(at_most)
            .await?
            .try_collect()
            .await?)
    }

    /// One run of this database.
    pub async fn job(&self, id: ObjectId) -> Result<Option<Job>, Failure> {
        let filter = doc! { "_id": id, "database": self.name() };
        Ok(self.jobs.collection::<Job>(RUNS).find_one(filter).await?)
    }

    /// The runs that wait, rest, or were left in the middle, oldest first.
    pub async fn unfinished_jobs(&self) -> Result<Vec<Job>, Failure> {
        let open = JobState::ALL
            .into_iter()
            .filter(|it| it.is_active() || matches!(it, JobState::Planned | JobState::Paused));
        let states: Vec<Bson> = open.map(text).collect::<Result<_, _>>()?;
        let filter = doc! { "database": self.name(), "state": { "$in": states } };
        let runs = self.jobs.collection::<Job>(RUNS);
        let found = runs.find(filter);
        Ok(found.sort(doc! { "_id": 1 }).await?.try_collect().await?)
    }

    /// The `_id`s of some runs, oldest first.
    pub(super) async fn job_ids(&self, filter: Document) -> Result<Vec<ObjectId>, Failure> {
        let runs = self.jobs.collection::<Document>(RUNS);
        let found = runs.find(filter).projection(doc! { "_id": 1 }).sort(doc! { "_id": 1 }).await?;
        let found: Vec<Document> = found.try_collect().await?;
        Ok(found.iter().filter_map(|it| it.get_object_id("_id").ok()).collect())
    }

    /// The runs that rest and of which somebody wants something, oldest first.
    pub async fn wished_jobs(&self) -> Result<Vec<Job>, Failure> {
        let filter = doc! { "database": self.name(), "wish": { "$type": "object" } };
        let runs = self.jobs.collection::<Job>(RUNS);
        let found = runs.find(filter);
        Ok(found.sort(doc! { "wish.at": 1, "_id": 1 }).await?.try_collect().await?)
    }

    /// Writes down what somebody wants of a run, if it is as it was read: in this state, and nothing wanted of it yet.
    ///
    /// Returns whether it was.
    pub async fn wish(&self, job: &Job, wish: &JobWish) -> Result<bool, Failure> {
        let filter = doc! { "_id": job.id, "state": text(job.state)?, "wish": null };
        let wish =
            bson::serialize_to_document(wish).map_err(|it| Failure::other(it.to_string()))?;
        let change = doc! { "$set": { "wish": wish, "refused": null } };
        let statement = doc! { "q": filter, "u": change };
        let command = doc! { "update": RUNS, "updates": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Takes a wish back that could not be carried out, and says why. What became of the run itself stays as it is told. One that
    /// was begun is not there any more.
    ///
    /// Returns whether it was still there.
    pub async fn refuse_wish(
        &self,
        run: ObjectId,
        wish: &JobWish,
        why: &str,
    ) -> Result<bool, Failure> {
        let filter = doc! { "_id": run, "wish.at": wish.at, "wish.by": &wish.by };
        let change = doc! { "$set": { "wish": null, "refused": why } };
        let statement = doc! { "q": filter, "u": change };
        let command = doc! { "update": RUNS, "updates": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// How many datasets of a run are in which state.
    pub async fn count_job_datasets(
        &self,
        run: ObjectId,
    ) -> Result<BTreeMap<String, u64>, Failure> {
        let stages = [
            doc! { "$match": { "_id": of(run) } },
            doc! { "$group": { "_id": "$state", "count": { "$sum": 1 } } },
        ];
        let mut found = self.jobs.collection::<Document>(RUN_DATASETS).aggregate(stages).await?;
        let mut counts = BTreeMap::new();
        while let Some(it) = found.try_next().await? {
            let count = number(it.get("count")).and_then(|it| u64::try_from(it).ok());
            counts.insert(it.get_str("_id").unwrap_or("unknown").to_owned(), count.unwrap_or(0));
        }
        Ok(counts)
    }

    /// How many datasets of a run could not be migrated, by state and cause.
    pub async fn count_failures(&self, run: ObjectId) -> Result<Vec<FailureCount>, Failure> {
        let stages = [
            doc! { "$match": { "_id": of(run), "state": { "$in": ["failed", "refused"] } } },
            doc! { "$group": {
                "_id": { "state": "$state", "cause": "$cause" }, "count": { "$sum": 1_i64 },
            } },
            doc! { "$sort": { "_id": 1 } },
        ];
        let found = self.jobs.collection::<Document>(RUN_DATASETS).aggregate(stages).await?;
        let found: Vec<Document> = found.try_collect().await?;
        let count = |it: Document| {
            let text = |key| it.get_document("_id").ok()?.get_str(key).ok().map(str::to_owned);
            let count = number(it.get("count")).and_then(|it| u64::try_from(it).ok());
            let (state, cause) = (text("state").unwrap_or_default(), text("cause"));
            FailureCount { state, cause, count: count.unwrap_or(0) }
        };
        Ok(found.into_iter().map(count).collect())
    }

    /// The names of some of these, or their ids where they have none; the first by name.
    pub async fn failed_names(
        &self,
        run: ObjectId,
        group: &FailureCount,
        at_most: i64,
    ) -> Result<Vec<String>, Failure> {
        let filter =
            doc! { "_id": of(run), "state": &group.state, "cause": group.cause.as_deref() };
        let datasets = self.jobs.collection::<Document>(RUN_DATASETS);
        let found = datasets.find(filter).sort(doc! { "name": 1, "_id": 1 }).limit(at_most);
        let found = found.projection(doc! { "name": 1, "dataset": 1 }).await?;
        let found: Vec<Document> = found.try_collect().await?;
        let label = |it: &Document| {
            it.get_str("name").or_else(|_| it.get_str("dataset")).ok().map(str::to_owned)
        };
        Ok(found.iter().filter_map(label).collect())
    }

    /// Moves a run from the state that it was read in to another, and sets more of its keys. Whoever holds the lease
    /// gives its number: a run that was taken over by a newer one is not moved.
    ///
    /// Returns whether it was.
    pub async fn move_job(
        &self,
        id: ObjectId,
        (from, to): (JobState, JobState),
        fence: Option<i64>,
        more: Document,
    ) -> Result<bool, Failure> {
        let filter = doc! { "_id": id, "state": text(from)? };
        self.move_found(filter, to, fence, more).await
    }

    /// The same with a run that begins or goes on, which fulfils what is wanted of it: if that is another by now, it is not
    /// moved.
    pub async fn begin_job(
        &self,
        read: &Job,
        to: JobState,
        fence: i64,
        mut more: Document,
    ) -> Result<bool, Failure> {
        let mut filter = doc! { "_id": read.id, "state": text(read.state)? };
        match &read.wish {
            Some(wish) => filter.extend(doc! { "wish.at": wish.at, "wish.by": &wish.by }),
            None => filter.extend(doc! { "wish": null }),
        }
        more.extend(doc! { "wish": null, "refused": null });
        self.move_found(filter, to, Some(fence), more).await
    }

    async fn move_found(
        &self,
        mut filter: Document,
        to: JobState,
        fence: Option<i64>,
        more: Document,
    ) -> Result<bool, Failure> {
        let mut set = doc! { "state": text(to)? };
        set.extend(more);
        if let Some(fence) = fence {
            filter.insert("fence", doc! { "$lte": fence });
            set.insert("fence", fence);
        }
        let statement = doc! { "q": filter, "u": { "$set": set } };
        let command = doc! { "update": RUNS, "updates": [statement], "writeConcern": durable() };
        Ok(number(self.jobs_command(command).await?.get("n")) == Some(1))
    }

    /// Notes how far a run is, and returns its state and pace: what people want of it by now. `None` if another lease
    /// has it.
    pub async fn note_progress(
        &self,
        id: ObjectId,
        fence: i64,
        progress: Document,
    ) -> Result<Option<Wishes>, Failure> {
        let command = doc! {
            "findAndModify": RUNS,
            "query": { "_id": id, "fence": fence },
            "update": { "$set": progress },
            "fields": { "state": 1, "pace": 1, "hands": 1 },
        };
        wishes(id, &self.jobs_command(command).await?)
    }

    /// Sets how fast a run goes. It waits for no majority: that one is behind is why somebody changes it, perhaps.
    pub async fn set_pace(&self, id: ObjectId, pace: Pace) -> Result<(), Failure> {
        let pace =
            bson::serialize_to_document(&pace).map_err(|it| Failure::other(it.to_string()))?;
        let statement = doc! { "q": { "_id": id }, "u": { "$set": { "pace": pace } } };
        self.jobs_command(doc! { "update": RUNS, "updates": [statement] }).await.map(drop)
    }

    /// Notes what became of datasets. Noting the same again changes nothing.
    ///
    /// # Errors
    ///
    /// A [`Failure::is_duplicate`] if a newer lease has noted something about one of them.
    pub async fn note_datasets(
        &self,
        run: ObjectId,
        fence: i64,
        datasets: &[JobDataset],
    ) -> Result<(), Failure> {
        for chunk in datasets.chunks(STATEMENTS) {
            let statements: Vec<Bson> = chunk
                .iter()
                .map(|it| {
                    let whole = it.stored(run, fence);
                    let filter = doc! { "_id": whole.get("_id"), "fence": { "$lte": fence } };
                    doc! { "q": filter, "u": whole, "upsert": true }.into()
                })
                .collect();
            let command = doc! { "update": RUN_DATASETS, "updates": statements, "ordered": false };
            self.jobs_command(command).await?;
        }
        Ok(())
    }

    /// Notes of datasets that are written down already that they were migrated, how far and when, and nothing else; the
    /// times are those of the first. Returns how many of them were.
    pub async fn note_migrated(
        &self,
        run: ObjectId,
        (fence, hand): (i64, Option<ObjectId>),
        datasets: &[(&str, &Figures)],
    ) -> Result<usize, Failure> {
        let Some((_, first)) = datasets.first() else { return Ok(0) };
        let ids: Vec<Bson> =
            datasets.iter().map(|(it, _)| doc! { "run": run, "dataset": *it }.into()).collect();
        let filter = doc! { "_id": { "$in": ids }, "fence": { "$lte": fence } };
        // One statement for all: each finds its own figures by its place in a list.
        let names: Vec<&str> = datasets.iter().map(|(it, _)| *it).collect();
        let place = doc! { "$indexOfArray": [{ "$literal": names }, "$dataset"] };
        let own = |figure: fn(&Figures) -> u64| {
            let all: Vec<i64> = datasets
                .iter()
                .map(|(_, it)| i64::try_from(figure(it)).unwrap_or(i64::MAX))
                .collect();
            doc! { "$arrayElemAt": [{ "$literal": all }, &place] }
        };
        let mut set = doc! {
            "state": "migrated", "fence": fence, "started": &first.started, "ended": &first.ended,
            "last_write": &first.last_write, "documents": own(|it| it.documents), "bytes": own(|it| it.bytes),
        };
        set.extend(hand.map(|it| ("hand".to_owned(), it.into())));
        // Whatever was in the way when it was tried before is not any more.
        let change = vec![doc! { "$set": set }, doc! { "$unset": ["reason", "cause"] }];
        let statement = doc! { "q": filter, "u": change, "multi": true };
        let command = doc! { "update": RUN_DATASETS, "updates": [statement] };
        let noted = number(self.jobs_command(command).await?.get("n"));
        Ok(noted.and_then(|it| usize::try_from(it).ok()).unwrap_or(0))
    }

    /// How fast the latest runs of this database were.
    pub async fn rates(&self, at_most: i64) -> Result<Vec<Rates>, Failure> {
        let filter = doc! { "database": self.name(), "rates": { "$type": "object" } };
        let runs = self.jobs.collection::<Document>(RUNS);
        let found = runs.find(filter).sort(doc! { "_id": -1 });
        let found = found.limit(at_most).projection(doc! { "rates": 1 }).await?;
        let found: Vec<Document> = found.try_collect().await?;
        // Those of another version of this program may be of another shape.
        let rates = found.into_iter().filter_map(|mut it| it.remove("rates"));
        Ok(rates.filter_map(|it| bson::deserialize_from_bson(it).ok()).collect())
    }

    /// What became of the datasets of a run, by name; only those in these states, if any are given.
    pub async fn job_datasets(
        &self,
        run: ObjectId,
        states: &[&str],
    ) -> Result<Vec<Document>, Failure> {
        let mut filter = doc! { "_id": of(run) };
        if !states.is_empty() {
            filter.insert("state", doc! { "$in": states.to_vec() });
        }
        let datasets = self.jobs.collection::<Document>(RUN_DATASETS);
        let found = datasets.find(filter);
        let mut found: Vec<Document> = found.batch_size(10_000).await?.try_collect().await?;
        found.sort_by(|a, b| name(a).cmp(&name(b)));
        Ok(found)
    }

    /// The same, but only the first ones.
    pub async fn first_job_datasets(
        &self,
        run: ObjectId,
        states: &[&str],
        at_most: i64,
    ) -> Result<Vec<Document>, Failure> {
        let mut filter = doc! { "_id": of(run) };
        if !states.is_empty() {
            filter.insert("state", doc! { "$in": states.to_vec() });
        }
        let datasets = self.jobs.collection::<Document>(RUN_DATASETS);
        let found = datasets.find(filter).sort(doc! { "name": 1, "_id": 1 });
        Ok(found.limit(at_most).await?.try_collect().await?)
    }

    /// Runs a write against the database of the runs.
    pub(super) async fn jobs_command(&self, mut command: Document) -> Result<Document, Failure> {
        super::quick(&mut command);
        let answer = super::answered(super::LONGEST_WRITE, self.jobs.run_command(command)).await?;
        super::failure::in_answer(&answer)?;
        Ok(answer)
    }
}

/// What people want of a run, out of the answer to a change of it.
pub(super) fn wishes(run: ObjectId, answer: &Document) -> Result<Option<Wishes>, Failure> {
    let wishes = answer.get_document("value").ok().cloned();
    let wishes = wishes.map(bson::deserialize_from_document).transpose();
    wishes.map_err(|it| Failure::other(format!("the state of run {run} cannot be read: {it}")))
}

pub(super) const RUNS: &str = "runs";
pub(super) const RUN_DATASETS: &str = "run_datasets";

pub(super) fn text(state: JobState) -> Result<Bson, Failure> {
    bson::serialize_to_bson(&state).map_err(|it| Failure::other(it.to_string()))
}

/// Matches the ids of a run's datasets: an index that every collection has answers it.
pub(super) fn of(run: ObjectId) -> Document {
    doc! { "$gte": { "run": run }, "$lt": { "run": following(run) } }
}

fn name(document: &Document) -> Option<&str> {
    document.get_str("name").ok()
}

/// The id after this one.
fn following(id: ObjectId) -> ObjectId {
    let mut bytes = id.bytes();
    for byte in bytes.iter_mut().rev() {
        let (next, overflow) = byte.overflowing_add(1);
        *byte = next;
        if !overflow {
            break;
        }
    }
    ObjectId::from_bytes(bytes)
}
