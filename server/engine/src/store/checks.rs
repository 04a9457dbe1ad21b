//! What is to be verified of a run, in the runs' own database: `run_checks`, one document per group of datasets, written
//! before anything of it is changed.

use std::{collections::BTreeMap, time::Duration};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use revisions::Form;
use serde::{Deserialize, Serialize};

use super::{Failure, Range, Store, millis, server::number, sizes::together};

/// What is to be verified of a group of datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which group of which run.
    #[serde(rename = "_id")]
    pub id: CheckId,
    /// Under which lease or claim it was written last.
    pub fence: i64,
    /// How many datasets are in it.
    pub count: i64,
    /// Which process answered when its collections were looked at: counts of another one say something else.
    pub process: Option<ObjectId>,
    /// The datasets.
    pub datasets: Vec<Checked>,
    /// Whether it was verified.
    pub done: bool,
    /// Whether some dataset of it was found not to be as it was to be.
    #[serde(default)]
    pub wrong: bool,
    /// Only these of it are looked at, the texts of whose `_id`s these are, and whatever the server says of them.
    #[serde(default)]
    pub again: Option<Vec<String>>,
    /// Whether it is looked at long after it was written: then how many documents there were says nothing any more.
    #[serde(default)]
    pub late: bool,
}

/// What identifies a [`Check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckId {
    /// The run.
    pub run: ObjectId,
    /// Grows with time.
    pub part: ObjectId,
}

/// What is to be verified of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Its `_id`.
    pub id: Bson,
    /// From which version it was taken.
    pub head: String,
    /// To which.
    pub destination: String,
    /// What did not hold of it from the beginning, because somebody else had left it so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excused: Vec<String>,
    /// Its collections, as far as they exist.
    pub collections: Vec<Passed>,
}

/// A collection of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passed {
    /// Its name.
    pub collection: String,
    /// What is in it: `samples` or `frames`.
    pub holds: String,
    /// How it was before.
    pub before: Option<Standing>,
    /// How many writes to it the migration comes to, if all goes well; `None` if that cannot be said.
    pub writes: Option<i64>,
    /// The keys that each document has afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub there: Vec<String>,
    /// Those that none has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// The stages that make it so, as bytes of `{ stages: [..] }`, where the server has words for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Bson>,
}

/// What the server keeps beside a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How many documents it has.
    pub documents: i64,
    /// How many writes to it there were since the server began; `None` if the server does not say.
    pub writes: Option<i64>,
}

/// Documents of which a form does not hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Broken {
    /// How many.
    pub count: u64,
    /// One of them.
    pub example: Option<Bson>,
}

impl Passed {
    /// What holds of each document afterwards, if anything does.
    pub fn form(&self) -> Option<Form> {
        let form = Form { there: self.there.clone(), gone: self.gone.clone() };
        (form != Form::default()).then_some(form)
    }

    /// What is done to each document.
    pub fn stages(&self) -> Option<Vec<Document>> {
        let Some(Bson::Binary(binary)) = &self.stages else { return None };
        let stages = Document::from_reader(binary.bytes.as_slice()).ok()?;
        let stages = stages.get_array("stages").ok()?.iter();
        stages.map(|it| it.as_document().cloned()).collect()
    }
}

impl Store {
    /// Writes down what is to be verified.
    pub async fn note_check(&self, check: &Check) -> Result<(), Failure> {
        let document =
            bson::serialize_to_document(check).map_err(|it| Failure::other(it.to_string()))?;
        let command = doc! { "insert": CHECKS, "documents": [document] };
        match self.jobs_command(command).await {
            // The connection was lost, and the driver has sent it once more.
            Err(failure) if failure.is_duplicate() => Ok(()),
            noted => noted.map(drop),
        }
    }

    /// The next groups that are not verified yet, in the order in which they were written.
    pub async fn open_checks(
        &self,
        run: ObjectId,
        after: Option<ObjectId>,
        at_most: i64,
    ) -> Result<Vec<Check>, Failure> {
        let mut range = super::jobs::of(run);
        if let Some(part) = after {
            range.insert("$gt", doc! { "run": run, "part": part });
            range.remove("$gte");
        }
        let checks = self.jobs.collection::<Check>(CHECKS);
        let found = checks.find(doc! { "_id": range, "done": false });
        Ok(found.sort(doc! { "_id": 1 }).limit(at_most).await?.try_collect().await?)
    }

    /// How many datasets are verified, and how many there are. `once`: some may have been written down more than once, by
    /// a run that was interrupted.
    pub async fn count_checks(&self, run: ObjectId, once: bool) -> Result<(u64, u64), Failure> {
        let mut stages = vec![doc! { "$match": { "_id": super::jobs::of(run) } }];
        if once {
            stages.extend([
                doc! { "$project": { "done": 1, "id": "$datasets.id" } },
                doc! { "$unwind": "$id" },
                doc! { "$group": { "_id": "$id", "done": { "$min": "$done" } } },
                doc! { "$project": { "done": 1, "count": { "$literal": 1 } } },
            ]);
        }
        stages.extend([
            doc! { "$project": { "count": 1, "done": 1 } },
            doc! { "$group": {
                "_id": null, "all": { "$sum": "$count" },
                "done": { "$sum": { "$cond": ["$done", "$count", 0] } },
            } },
        ]);
        let checks = self.jobs.collection::<Document>(CHECKS);
        let found = checks.aggregate(stages).await?.try_next().await?.unwrap_or_default();
        let count = |key: &str| number(found.get(key)).and_then(|it| u64::try_from(it).ok());
        Ok((count("done").unwrap_or(0), count("all").unwrap_or(0)))
    }

    /// A group is verified, unless somebody else has the run now.
    pub async fn close_check(&self, id: &CheckId, fence: i64, wrong: bool) -> Result<(), Failure> {
        let filter = doc! { "_id": { "run": id.run, "part": id.part }, "fence": { "$lte": fence } };
        let mut set = doc! { "done": true, "fence": fence };
        if wrong {
            set.insert("wrong", true);
        }
        let done = doc! { "q": filter, "u": { "$set": set } };
        self.jobs_command(doc! { "update": CHECKS, "updates": [done] }).await.map(drop)
    }

    /// These datasets are to be verified once more: somebody has done something about what was wrong with them.
    pub async fn reopen_checks(&self, run: ObjectId, datasets: &[String]) -> Result<(), Failure> {
        let filter = doc! { "_id": super::jobs::of(run), "done": true, "wrong": true };
        let again = doc! {
            "q": filter, "multi": true,
            "u": { "$set": { "done": false, "again": datasets.to_vec(), "late": true } },
        };
        self.jobs_command(doc! { "update": CHECKS, "updates": [again] }).await.map(drop)
    }

    /// All are to be verified once more, by what the server says of them.
    pub async fn reopen_all_checks(&self, run: ObjectId, fence: i64) -> Result<(), Failure> {
        let filter =
            doc! { "_id": super::jobs::of(run), "again": null, "fence": { "$lte": fence } };
        let open = doc! { "$set": { "done": false, "fence": fence } };
        let all = doc! { "q": filter, "u": open, "multi": true };
        self.jobs_command(doc! { "update": CHECKS, "updates": [all] }).await.map(drop)
    }

    /// These datasets of a group are to be verified once more, because somebody has written to them.
    pub async fn reopen_check(
        &self,
        id: &CheckId,
        fence: i64,
        datasets: &[String],
    ) -> Result<(), Failure> {
        let filter = doc! { "_id": { "run": id.run, "part": id.part }, "fence": { "$lte": fence } };
        let open = doc! { "$set": { "done": false, "again": datasets.to_vec(), "fence": fence } };
        let again = doc! { "q": filter, "u": open };
        self.jobs_command(doc! { "update": CHECKS, "updates": [again] }).await.map(drop)
    }

    /// The groups that have something to do with what was written to.
    pub async fn checks_about(
        &self,
        run: ObjectId,
        touched: &super::Touched,
    ) -> Result<Vec<Check>, Failure> {
        let collections: Vec<&String> = touched.collections.iter().collect();
        let about = vec![
            doc! { "datasets.id": { "$in": &touched.datasets } },
            doc! { "datasets.collections.collection": { "$in": collections } },
        ];
        let checks = self.jobs.collection::<Check>(CHECKS);
        let found = checks.find(doc! { "_id": super::jobs::of(run), "$or": about });
        Ok(found.await?.try_collect().await?)
    }

    /// Sets keys of what is noted of datasets, unless somebody else has noted something of them under a newer number.
    pub async fn amend_datasets(
        &self,
        run: ObjectId,
        fence: i64,
        datasets: &[(&str, Document)],
    ) -> Result<(), Failure> {
        let statements: Vec<Document> = datasets
            .iter()
            .map(|(dataset, keys)| {
                let id = doc! { "run": run, "dataset": *dataset };
                let filter = doc! { "_id": id, "fence": { "$lte": fence } };
                doc! { "q": filter, "u": { "$set": keys } }
            })
            .collect();
        if statements.is_empty() {
            return Ok(());
        }
        let command = doc! { "update": super::jobs::RUN_DATASETS, "updates": statements };
        self.jobs_command(command).await.map(drop)
    }

    /// Forgets what was to be verified of a run that has come to its end; with `wrong`, also where something was wrong.
    pub async fn forget_checks(&self, run: ObjectId, wrong: bool) -> Result<(), Failure> {
        let mut filter = doc! { "_id": super::jobs::of(run) };
        if !wrong {
            filter.insert("wrong", doc! { "$ne": true });
        }
        let all = doc! { "q": filter, "limit": 0 };
        self.jobs_command(doc! { "delete": CHECKS, "deletes": [all] }).await.map(drop)
    }

    /// What the server keeps beside each of these collections, which have to exist: nothing is counted.
    pub async fn standings(
        &self,
        collections: &[&str],
    ) -> Result<BTreeMap<String, Standing>, Failure> {
        let what = doc! { "count": {}, "latencyStats": {} };
        let writes = ["$latencyStats.writes.ops", "$latencyStats.transactions.ops"];
        let shape = doc! { "count": 1, "writes": { "$add": writes.to_vec() } };
        let mut standings = BTreeMap::new();
        for (name, it) in self.statistics(collections, &what, shape).await? {
            let Some(documents) = number(it.get("count")) else { continue };
            let standing = Standing { documents, writes: number(it.get("writes")) };
            // One that is spread over several servers is told by each of them.
            standings
                .entry(name)
                .and_modify(|it: &mut Standing| {
                    it.documents += documents;
                    it.writes = it.writes.zip(standing.writes).map(|(a, b)| a + b);
                })
                .or_insert(standing);
        }
        Ok(standings)
    }

    /// For each of these collections, one document of which its form does not hold; by one command, in their order.
    pub async fn broken_in(
        &self,
        collections: &[(&str, &Form)],
        limit: Duration,
    ) -> Result<Vec<Option<Bson>>, Failure> {
        let stages = |(at, (_, form)): (usize, &(&str, &Form))| {
            let at = i32::try_from(at).unwrap_or(i32::MAX);
            vec![
                doc! { "$match": form.broken() },
                doc! { "$limit": 1 },
                doc! { "$project": { "at": { "$literal": at } } },
            ]
        };
        let mut broken = vec![None; collections.len()];
        let each = collections.iter().enumerate().map(|it| (it.1.0, stages(it)));
        let Some((first, pipeline)) = together(each) else { return Ok(broken) };
        let source = self.collection(first);
        let mut found = source.aggregate(pipeline).max_time(limit).await?;
        while let Some(mut it) = found.try_next().await? {
            let at = it.get_i32("at").ok().and_then(|it| usize::try_from(it).ok());
            if let Some(slot) = at.and_then(|it| broken.get_mut(it)) {
                *slot = it.remove("_id");
            }
        }
        Ok(broken)
    }

    /// How many documents of a range are not of a form.
    pub async fn count_broken(
        &self,
        collection: &str,
        range: &Range,
        form: &Form,
        limit: Duration,
    ) -> Result<Broken, Failure> {
        let stages = [
            doc! { "$match": { "$and": [range.filter(), form.broken()] } },
            doc! { "$group": { "_id": null, "count": { "$sum": 1 }, "example": { "$min": "$_id" } } },
        ];
        let source = self.collection(collection);
        let found = source.aggregate(stages).max_time(limit);
        let Some(mut it) = found.await?.try_next().await? else { return Ok(Broken::default()) };
        let count = number(it.get("count")).and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
        Ok(Broken { count, example: it.remove("example") })
    }

    /// Counts the documents of a collection one by one.
    pub async fn count_documents(&self, collection: &str, limit: Duration) -> Result<i64, Failure> {
        let stages = [doc! { "$group": { "_id": null, "count": { "$sum": 1 } } }];
        let source = self.collection(collection);
        let found = source.aggregate(stages).max_time(limit);
        let found = found.await?.try_next().await?;
        Ok(found.and_then(|it| number(it.get("count"))).unwrap_or(0))
    }

    /// Applies an update pipeline to the documents of a range that are not of a form. Returns how many those were.
    pub async fn pass_again(
        &self,
        collection: &str,
        range: &Range,
        (form, stages): (&Form, &[Document]),
        limit: Duration,
    ) -> Result<u64, Failure> {
        let wanting = doc! { "$and": [range.filter(), form.broken()] };
        let statement = doc! { "q": wanting, "u": stages.to_vec(), "multi": true };
        let command =
            doc! { "update": collection, "updates": [statement], "maxTimeMS": millis(limit) };
        let updated = number(self.command(command).await?.get("n"));
        Ok(updated.and_then(|it| u64::try_from(it).ok()).unwrap_or(0))
    }
}

const CHECKS: &str = "run_checks";
