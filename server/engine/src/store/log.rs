//! What happened to runs, in their own database: `run_log`, one document per sentence.

use std::time::Duration;

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use model::{JobEvent, JobState, LogLine};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::{Failure, Store, server::escaped};

/// What a sentence of a log is about, for those that a timeline is made of: they are known without reading the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// Somebody carries the run out from now on.
    Begins {
        /// The state that it was left in; `None` for a run that was not written down before.
        from: Option<JobState>,
        /// The state that it is in now.
        to: JobState,
        /// The process that carries it out.
        process: u32,
    },
    /// It has come to a state.
    Is {
        /// Which one.
        state: JobState,
        /// Why, where it could not go on. It may name datasets.
        #[serde(default)]
        error: Option<String>,
    },
    /// It writes nothing for a while.
    Holds {
        /// What is beyond its limit.
        reason: String,
    },
    /// Nothing is beyond its limit any more.
    GoesOn,
    /// Somebody has asked for something.
    Asked {
        /// For what.
        event: JobEvent,
        /// The state that the run is in by that.
        state: JobState,
    },
    /// What somebody has asked for was not done.
    Refused {
        /// For what they had asked.
        event: JobEvent,
    },
    /// Somebody lets it go at another pace.
    Paced {
        /// How fast, in words.
        pace: String,
    },
    /// Another process helps.
    Helped {
        /// Which one.
        process: u32,
    },
    /// Somebody has dropped its undo journal.
    JournalDropped,
}

/// A sentence that says in a form for programs, too, what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The sentence.
    pub line: LogLine,
    /// What it is about.
    pub what: Happening,
}

/// The part of a log that a timeline is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// What happened first.
    pub first: Vec<Told>,
    /// How much between the two is left out.
    pub left_out: u64,
    /// What happened last, in its order; nothing where `first` is all there is.
    pub last: Vec<Told>,
}

/// Sentences of a log, the newest first, each with its number in the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbered {
    /// How many sentences there are of those that are looked for.
    pub found: u64,
    /// Those that were asked for.
    pub lines: Vec<(u64, LogLine)>,
}

impl Store {
    /// Adds a sentence to a run's log, at the server's time: the clocks of those who write here may differ. It is later
    /// than all that are there, also when the server's clock was set back: the number of a sentence stays what it is.
    pub async fn log(
        &self,
        run: ObjectId,
        by: &str,
        text: &str,
        what: Option<&Happening>,
    ) -> Result<(), Failure> {
        let log = self.jobs.collection::<Document>(LOG);
        let last = log.find_one(doc! { "run": run }).sort(newest()).projection(doc! { "at": 1 });
        let last = last.await?.and_then(|it| it.get_datetime("at").ok().copied());
        let after = last.map(|it| DateTime::from_millis(it.timestamp_millis().saturating_add(1)));
        let at =
            after.map_or_else(|| "$$NOW".into(), |it| Bson::from(doc! { "$max": ["$$NOW", it] }));
        let mut line =
            doc! { "run": run, "at": at, "by": { "$literal": by }, "text": { "$literal": text } };
        if let Some(what) = what {
            let what = bson::serialize_to_document(what);
            let what = what.map_err(|it| Failure::other(it.to_string()))?;
            line.insert("what", doc! { "$literal": what });
        }
        // Sent twice, it stays as it was at first.
        let stage = doc! { "$replaceWith": { "$mergeObjects": [line, "$$ROOT"] } };
        let statement = doc! { "q": { "_id": ObjectId::new() }, "u": [stage], "upsert": true };
        self.jobs_command(doc! { "update": LOG, "updates": [statement] }).await.map(drop)
    }

    /// A run's log, from its beginning; of a long one the last part.
    pub async fn log_of(&self, run: ObjectId) -> Result<Vec<LogLine>, Failure> {
        let mut found = self.log_found(doc! { "run": run }, newest(), 0, SHOWN.into()).await?;
        found.reverse();
        Ok(found.iter().map(line).collect())
    }

    /// The whole log of a run, from its beginning, or those sentences that have these words.
    pub async fn whole_log_of(&self, run: ObjectId, words: &str) -> Result<Vec<LogLine>, Failure> {
        let found = self.log_found(with(run, words), oldest(), 0, 0).await?;
        Ok(found.iter().map(line).collect())
    }

    /// How many sentences there are in a run's log.
    pub async fn log_length(&self, run: ObjectId) -> Result<u64, Failure> {
        self.count_log(doc! { "run": run }).await
    }

    /// A page of a run's log: of the sentences that have these words, the newest first, some after the first `skip`.
    pub async fn log_page(
        &self,
        run: ObjectId,
        words: &str,
        (skip, at_most): (u64, i64),
    ) -> Result<Numbered, Failure> {
        let wanted = with(run, words);
        let found = self.log_found(wanted.clone(), newest(), skip, at_most).await?;
        let (Some(from), Some(to)) = (found.first(), found.last()) else {
            return Ok(Numbered { found: self.count_log(wanted).await?, lines: Vec::new() });
        };
        let until = |it: &Document| Ok::<_, Failure>(doc! { "run": run, "$or": up_to(it)? });
        let mut number = self.count_log(until(from)?).await?;
        let lines = if words.is_empty() {
            let down = found.iter().zip((1..=number).rev());
            down.map(|(it, number)| (number, line(it))).collect()
        } else {
            // Between two that were found there may be others: they are counted on the way.
            let span = doc! { "run": run, "at": { "$gte": time(to)? }, "$or": up_to(from)? };
            let log = self.jobs.collection::<Document>(LOG);
            let keys = log.find(span).projection(doc! { "_id": 1 }).sort(newest());
            let mut keys = keys.batch_size(10_000).max_time(LONGEST).await?;
            let (mut lines, mut left) = (Vec::new(), found.iter().peekable());
            while let Some(key) = keys.try_next().await? {
                if let Some(it) = left.next_if(|it| it.get("_id") == key.get("_id")) {
                    lines.push((number, line(it)));
                }
                if left.peek().is_none() {
                    break;
                }
                number = number.saturating_sub(1);
            }
            lines
        };
        Ok(Numbered { found: self.count_log(wanted).await?, lines })
    }

    /// What a timeline of a run is made of: what was told first, and what was told last.
    pub async fn story_of(
        &self,
        run: ObjectId,
        (first, last): (u32, u32),
    ) -> Result<Story, Failure> {
        let marked = doc! { "run": run, "what.kind": { "$type": "string" } };
        let both = i64::from(first) + i64::from(last);
        let mut head = self.log_found(marked.clone(), oldest(), 0, both + 1).await?;
        if i64::try_from(head.len()).is_ok_and(|it| it <= both) {
            let first = head.iter().filter_map(told).collect();
            return Ok(Story { first, ..Story::default() });
        }
        head.truncate(usize::try_from(first).unwrap_or(0));
        let mut tail = self.log_found(marked.clone(), newest(), 0, last.into()).await?;
        tail.reverse();
        let left_out = self.count_log(marked).await?;
        let left_out = left_out.saturating_sub(u64::try_from(both).unwrap_or(0));
        let all = |it: Vec<Document>| it.iter().filter_map(told).collect();
        Ok(Story { first: all(head), left_out, last: all(tail) })
    }

    async fn log_found(
        &self,
        filter: Document,
        order: Document,
        skip: u64,
        at_most: i64,
    ) -> Result<Vec<Document>, Failure> {
        let log: Collection<Document> = self.jobs.collection(LOG);
        let found = log.find(filter).sort(order).skip(skip).limit(at_most).max_time(LONGEST);
        Ok(found.await?.try_collect().await?)
    }

    async fn count_log(&self, filter: Document) -> Result<u64, Failure> {
        let log: Collection<Document> = self.jobs.collection(LOG);
        Ok(log.count_documents(filter).max_time(LONGEST).await?)
    }
}

pub(super) const LOG: &str = "run_log";

/// How many lines are shown.
pub const SHOWN: u16 = 1_000;

/// How long the server may look for something in a log.
const LONGEST: Duration = Duration::from_secs(5);

/// The ids of two processes say nothing of what was first within one second.
fn newest() -> Document {
    doc! { "at": -1, "_id": -1 }
}

fn oldest() -> Document {
    doc! { "at": 1, "_id": 1 }
}

/// Matches a sentence and all before it.
fn up_to(it: &Document) -> Result<Vec<Document>, Failure> {
    let (at, id) = (time(it)?, it.get("_id").cloned().unwrap_or(Bson::Null));
    Ok(vec![doc! { "at": { "$lt": at } }, doc! { "at": at, "_id": { "$lte": id } }])
}

fn time(it: &Document) -> Result<DateTime, Failure> {
    it.get_datetime("at").copied().map_err(|it| Failure::other(it.to_string()))
}

/// Matches the sentences of a run that have these words, in small letters or large ones, or in which they are said by
/// somebody of that name.
fn with(run: ObjectId, words: &str) -> Document {
    if words.is_empty() {
        return doc! { "run": run };
    }
    let has = doc! { "$regex": escaped(words), "$options": "i" };
    doc! { "run": run, "$or": [{ "text": has.clone() }, { "by": has }] }
}

fn line(it: &Document) -> LogLine {
    let text = |key: &str| it.get_str(key).unwrap_or_default().to_owned();
    let at = it.get_datetime("at").map_or_else(|_| String::new(), |it| crate::clock::text(*it));
    LogLine { at, by: text("by"), text: text("text") }
}

/// `None` of what another version of this program tells in other words.
fn told(it: &Document) -> Option<Told> {
    let what = it.get_document("what").ok()?.clone();
    Some(Told { line: line(it), what: bson::deserialize_from_document(what).ok()? })
}
