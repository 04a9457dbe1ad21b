//! What a run has done so far, dataset by dataset and kind of work by kind of work, how long that took, and what is
//! left.

mod clock;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bson::{Bson, DateTime};
use model::{Amount, Labor, Load, Rate, Rates, Span, estimate};
use serde::{Deserialize, Serialize};

use self::clock::Clock;
use crate::report::Figures;

/// From how many documents on an operation says how fast documents are done; below, it is a part of what a dataset
/// takes.
pub const LARGE: u64 = 1_000;

/// How many datasets are told of that are under way.
const TOLD: usize = 32;

/// What a run has done. Clones are of the same run.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    clock: Clock,
    begun: Option<Instant>,
    held: Duration,
    holds_since: Option<Instant>,
    documents: BTreeMap<Labor, Rate>,
    /// How long the operations took that are in there.
    large: Duration,
    bytes: u64,
    /// How many datasets were migrated.
    migrated: u64,
    /// Those that were not done with yet.
    pending: BTreeSet<String>,
    under_way: BTreeMap<String, UnderWay>,
    /// Documents that are ahead in collections that are being walked.
    ahead: BTreeMap<Labor, u64>,
    outlook: Option<Outlook>,
}

/// A dataset that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// Its `_id`, as text.
    pub dataset: String,
    /// How many samples and frames were passed over.
    pub documents: i64,
    /// How many are ahead in the collections that are being walked.
    pub ahead: i64,
    /// About how many bytes of samples and frames were written.
    pub bytes: i64,
    /// When it was begun.
    pub started: DateTime,
    /// When something of its samples and frames was written last.
    pub last_write: Option<DateTime>,
    /// What its document and its runs have once they are written.
    #[serde(skip)]
    own_bytes: u64,
}

/// What is known of collections that were not begun, and how fast earlier runs were.
#[derive(Debug)]
pub struct Outlook {
    /// How many documents the large collections of each dataset have.
    pub documents: BTreeMap<String, u64>,
    /// How fast earlier runs were.
    pub earlier: Vec<Rates>,
}

/// An operation that is going on.
#[derive(Debug)]
pub struct Stint {
    tally: Tally,
    begun: Duration,
    ended: bool,
}

impl Stint {
    /// It is done, with this many documents.
    pub fn did(mut self, labor: Labor, documents: u64) {
        self.ended = true;
        let mut it = self.tally.lock();
        let took = it.clock.end(Instant::now(), self.begun);
        if documents >= LARGE {
            it.large += took;
            let rate = it.documents.entry(labor).or_default();
            rate.count += documents;
            // In microseconds as long as they are added up.
            rate.ms += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        }
    }
}

impl Drop for Stint {
    fn drop(&mut self) {
        if !self.ended {
            self.tally.lock().clock.end(Instant::now(), self.begun);
        }
    }
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run begins, or goes on, with this much behind it.
    pub fn begin(&self, bytes: i64) {
        let mut it = self.lock();
        it.begun = Some(Instant::now());
        it.bytes = u64::try_from(bytes).unwrap_or(0);
    }

    /// Whether something is migrated, and not brought back.
    pub fn has_begun(&self) -> bool {
        self.lock().begun.is_some()
    }

    /// What is to be migrated.
    pub fn plan(&self, datasets: impl IntoIterator<Item = String>) {
        self.lock().pending.extend(datasets);
    }

    /// Datasets are begun, each with the bytes that its document and its runs will have.
    pub fn open(&self, datasets: impl IntoIterator<Item = (String, u64)>) {
        let (mut it, started) = (self.lock(), DateTime::now());
        for (dataset, own_bytes) in datasets {
            let (documents, ahead, bytes, last_write) = (0, 0, 0, None);
            it.under_way.insert(
                dataset.clone(),
                UnderWay { dataset, documents, ahead, bytes, started, last_write, own_bytes },
            );
        }
    }

    /// A dataset is done with, well or badly. Returns how far it came.
    pub fn close(&self, dataset: &str, migrated: bool) -> Figures {
        let mut it = self.lock();
        let Some(mut closed) = it.under_way.remove(dataset) else { return Figures::default() };
        if migrated {
            let own = i64::try_from(closed.own_bytes).unwrap_or(i64::MAX);
            closed.bytes = closed.bytes.saturating_add(own);
            closed.last_write = Some(DateTime::now());
            closed.ahead = 0;
            it.bytes += closed.own_bytes;
        }
        drop(it);
        let mut figures = closed.figures();
        figures.ended = Some(crate::clock::text(DateTime::now()));
        figures
    }

    /// These datasets had their turn; this many of them were migrated.
    pub fn done<'a>(&self, datasets: impl IntoIterator<Item = &'a str>, migrated: u64) {
        let mut it = self.lock();
        for dataset in datasets {
            it.pending.remove(dataset);
        }
        it.migrated += migrated;
    }

    /// An operation begins.
    pub fn stint(&self) -> Stint {
        let begun = self.lock().clock.begin(Instant::now());
        Stint { tally: self.clone(), begun, ended: false }
    }

    /// Documents of a dataset were passed over, in this program or, as a mark says, before.
    pub fn passed(&self, dataset: &Bson, documents: u64, bytes: u64, before: bool) {
        let mut it = self.lock();
        if !before {
            it.bytes += bytes;
        }
        if let Some(dataset) = it.under_way.get_mut(&text(dataset)) {
            dataset.documents += signed(documents);
            dataset.bytes += signed(bytes);
            if !before {
                dataset.last_write = Some(DateTime::now());
            }
        }
    }

    /// This many more documents of a dataset are ahead, or fewer.
    pub fn ahead(&self, dataset: &Bson, labor: Labor, more: u64, fewer: u64) {
        let mut it = self.lock();
        let ahead = it.ahead.entry(labor).or_default();
        *ahead = ahead.saturating_add(more).saturating_sub(fewer);
        if let Some(dataset) = it.under_way.get_mut(&text(dataset)) {
            dataset.ahead = (dataset.ahead + signed(more) - signed(fewer)).max(0);
        }
    }

    /// The walk that these were ahead of was ended early: they stay ahead of the dataset.
    pub fn broken_off(&self, labor: Labor, documents: u64) {
        let mut it = self.lock();
        let ahead = it.ahead.entry(labor).or_default();
        *ahead = ahead.saturating_sub(documents);
    }

    /// The run holds, or goes on.
    pub fn holds(&self, holds: bool) {
        let mut it = self.lock();
        match (it.holds_since, holds) {
            (None, true) => it.holds_since = Some(Instant::now()),
            (Some(since), false) => {
                it.held += since.elapsed();
                it.holds_since = None;
            }
            _ => {}
        }
    }

    /// About how many bytes were written.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// The datasets that have large collections under way.
    pub fn under_way(&self) -> Vec<UnderWay> {
        let it = self.lock();
        let large = |it: &&UnderWay| it.ahead > 0 || it.documents >= signed(LARGE);
        it.under_way.values().filter(large).take(TOLD).cloned().collect()
    }

    /// The datasets that are not done with yet.
    pub fn pending(&self) -> BTreeSet<String> {
        self.lock().pending.clone()
    }

    /// What is known of the rest.
    pub fn look_out(&self, outlook: Outlook) {
        self.lock().outlook = Some(outlook);
    }

    /// How fast it was so far.
    pub fn rates(&self) -> Rates {
        self.lock().rates()
    }

    /// How long the rest takes, once something is known about that.
    pub fn remaining(&self) -> Option<Span> {
        let it = self.lock();
        let outlook = it.outlook.as_ref()?;
        Some(estimate::rest(&it.load(outlook), &it.rates(), &outlook.earlier))
    }
}

impl Inner {
    fn rates(&self) -> Rates {
        let documents = self.documents.iter().map(|(labor, rate)| {
            (*labor, Rate { count: rate.count, ms: (rate.ms / 1_000).max(1) })
        });
        let documents = documents.collect();
        let holds = self.holds_since.map(|it| it.elapsed()).unwrap_or_default();
        let all = self.begun.map(|it| it.elapsed()).unwrap_or_default();
        let all = all.saturating_sub(self.held + holds);
        let rest = all.saturating_sub(self.large);
        // What is done in the shadow of something else says nothing about how long it takes.
        let alone = rest * 4 >= all;
        let ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX).max(1);
        let datasets = if alone { Rate { count: self.migrated, ms } } else { Rate::default() };
        Rates { datasets, documents }
    }

    fn load(&self, outlook: &Outlook) -> Load {
        let datasets = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        let mut load = Load { datasets, ..Load::default() };
        for (labor, documents) in &self.ahead {
            load.add(*labor, Amount::exactly(*documents));
        }
        let not_begun =
            |it: &&String| self.pending.contains(*it) && !self.under_way.contains_key(*it);
        let known = outlook.documents.iter().filter(|(it, _)| not_begun(it));
        let most = known.map(|(_, documents)| *documents).sum();
        // What is going to be done to them is known when they are begun: most likely what was done to most so far.
        let done = self.documents.iter().filter(|(it, _)| it.changes());
        let usual = done.max_by_key(|(_, rate)| rate.count).map(|(labor, _)| *labor);
        load.add(usual.unwrap_or(Labor::Set), Amount { least: most / 2, most });
        load
    }
}

impl UnderWay {
    /// As a dataset's report says it.
    pub fn figures(&self) -> Figures {
        let whole = |it: i64| u64::try_from(it).unwrap_or(0);
        Figures {
            documents: whole(self.documents),
            ahead: whole(self.ahead),
            bytes: whole(self.bytes),
            started: Some(crate::clock::text(self.started)),
            ended: None,
            last_write: self.last_write.map(crate::clock::text),
        }
    }
}

/// A dataset's `_id` as text.
pub fn text(id: &Bson) -> String {
    match id {
        Bson::ObjectId(id) => id.to_hex(),
        other => other.to_string(),
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_work(tally: &Tally, labor: Labor, documents: u64) {
        tally.stint().did(labor, documents);
    }

    #[test]
    fn a_dataset_is_told_with_what_was_done_to_it() {
        let tally = Tally::default();
        tally.begin(0);
        tally.open([("a".to_owned(), 300)]);
        let id = Bson::from("a");
        assert_eq!(text(&id), "\"a\"");
        tally.open([(text(&id), 300)]);
        tally.ahead(&id, Labor::Set, 5_000, 0);
        tally.passed(&id, 1_000, 70, true);
        tally.passed(&id, 2_000, 140, false);
        tally.ahead(&id, Labor::Set, 0, 2_000);
        let under_way = tally.under_way();
        assert_eq!(
            (under_way.len(), under_way[0].documents, under_way[0].ahead),
            (1, 3_000, 3_000)
        );
        let figures = tally.close(&text(&id), true);
        assert_eq!((figures.documents, figures.ahead, figures.bytes), (3_000, 0, 510));
        assert!(
            figures.started.is_some() && figures.ended.is_some() && figures.last_write.is_some()
        );
        // What was written before this program began is not counted twice.
        assert_eq!(tally.bytes(), 440);
    }

    #[test]
    fn only_large_operations_say_how_fast_documents_are_done() {
        let tally = Tally::default();
        tally.begin(0);
        at_work(&tally, Labor::Set, LARGE - 1);
        drop(tally.stint());
        assert!(tally.rates().documents.is_empty());
        at_work(&tally, Labor::Set, LARGE);
        assert_eq!(tally.rates().documents[&Labor::Set].count, LARGE);
    }

    #[test]
    fn what_is_left_is_what_was_not_done_and_not_begun() {
        let tally = Tally::default();
        tally.begin(0);
        tally.plan(["a", "b", "c"].map(str::to_owned));
        assert_eq!(tally.remaining(), None);
        let documents = [("a".to_owned(), 10), ("b".to_owned(), 1_000_000)].into();
        tally.look_out(Outlook { documents, earlier: Vec::new() });
        tally.done(["a"], 1);
        let inner = tally.lock();
        let load = inner.load(inner.outlook.as_ref().unwrap());
        assert_eq!(load.datasets, 2);
        assert_eq!(load.documents[&Labor::Set], Amount { least: 500_000, most: 1_000_000 });
        drop(inner);
        assert!(tally.remaining().unwrap().to_s > 60);
    }
}
