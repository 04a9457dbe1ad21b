//! What there is to do, what it needs and how long it takes: counted by what the server keeps beside its collections.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use model::{Amount, Labor, Load, Rates, estimate};
use revisions::{Footprint, Pass, Scope, Stage, stages};

use crate::{
    load::Work,
    progress::Control,
    report::JournalSize,
    store::{Failure, Store, Weight},
    tally::{LARGE, Outlook},
};

/// How many collections are counted at most; of more, so many that are spread evenly over them.
const COUNTED: usize = 4_000;

/// How many of those are weighed, which takes the server milliseconds each: the largest.
const WEIGHED: usize = 50;

/// What a changed document leaves in an oplog, beside what is changed of it.
const LOGGED_BYTES: Amount = Amount { least: 150, most: 600 };

/// How many earlier runs are asked how fast they were.
const EARLIER: i64 = 20;

/// After this, a run is worth counting what is left of it.
const LONG: Duration = Duration::from_secs(5);

/// What is going to be done to which collections.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    datasets: u64,
    collections: BTreeMap<String, BTreeSet<Labor>>,
}

impl Survey {
    /// Datasets that only get another version.
    pub fn add_stamps(&mut self, count: usize) {
        self.datasets += whole(count);
    }

    /// A dataset. `journal`: whether it is kept how it was.
    pub fn add(&mut self, work: &Work, journal: bool) {
        self.datasets += 1;
        let names = &work.collections;
        let within = |scope: Scope| match scope {
            Scope::Samples => &names.samples,
            Scope::Frames => &names.frames,
        };
        for stage in stages(&work.steps) {
            match stage {
                Stage::Passes { samples, frames } => {
                    for (scope, pass) in [(Scope::Samples, samples), (Scope::Frames, frames)] {
                        if let Some(pass) = pass {
                            self.does(labor(&pass), within(scope));
                        }
                    }
                }
                Stage::Merge(merge) => self.does(Labor::Merge, within(merge.from)),
            }
        }
        for scope in [Scope::Samples, Scope::Frames].into_iter().filter(|_| journal) {
            if let Some(footprint) = Footprint::of(&work.steps, scope, names) {
                let labor = if footprint.is_heavy() { Labor::Keep } else { Labor::Look };
                self.does(labor, within(scope));
            }
        }
    }

    fn does(&mut self, labor: Labor, collection: &str) {
        self.collections.entry(collection.to_owned()).or_default().insert(labor);
    }

    /// Asks the server how large the collections are, and those that are dropped.
    pub async fn count(
        &self,
        store: &Store,
        dropped: &BTreeSet<String>,
    ) -> Result<Counted, Failure> {
        let mut wanted: BTreeSet<&String> = self.collections.keys().chain(dropped).collect();
        if wanted.is_empty() {
            return Ok(Counted::default());
        }
        let existing = store.collections().await?;
        wanted.retain(|it| existing.contains(*it));
        let all: Vec<&str> = wanted.iter().map(|it| it.as_str()).collect();
        let sample = spread(&all, COUNTED);
        let documents = store.documents_in(&sample).await?;
        let mut largest: Vec<(&str, u64)> =
            documents.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        largest.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        largest.truncate(WEIGHED);
        largest.retain(|(_, count)| *count > 0);
        let largest: Vec<&str> = largest.into_iter().map(|(name, _)| name).collect();
        let weighed = store.weights(&largest).await?;
        Ok(Counted { documents, weighed, all: all.len() })
    }

    /// All of it. `journal`: what the undo journal would keep.
    pub async fn estimate(
        &self,
        store: &Store,
        counted: &Counted,
        journal: Option<JournalSize>,
    ) -> Result<estimate::Estimate, Failure> {
        let earlier = earlier_rates(store).await?;
        let replicated = store.is_replicated().await?;
        Ok(self.result(counted, journal, replicated, &earlier))
    }

    fn result(
        &self,
        counted: &Counted,
        journal: Option<JournalSize>,
        replicated: bool,
        earlier: &[Rates],
    ) -> estimate::Estimate {
        let mut load = Load { datasets: self.datasets, ..Load::default() };
        let (mut documents, mut bytes) = (0, Amount::default());
        let mut rewritten = Amount::default();
        let mut labors: BTreeMap<Labor, u64> = BTreeMap::new();
        for (name, done) in &self.collections {
            let count = counted.documents(name);
            if count >= LARGE {
                for labor in done {
                    *labors.entry(*labor).or_default() += count;
                }
            }
            if done.iter().any(|it| it.changes()) {
                documents += count;
                bytes = bytes + counted.bytes(name);
            }
            if done.contains(&Labor::Code) {
                rewritten = rewritten + counted.bytes(name);
            }
        }
        for (labor, count) in labors {
            load.add(labor, counted.extrapolated(count));
        }
        let documents = counted.extrapolated(documents);
        let most = counted.extrapolated(bytes.most).most;
        let bytes = Amount { least: bytes.least, most };
        let logged = Amount {
            least: documents.least.saturating_mul(LOGGED_BYTES.least),
            most: documents.most.saturating_mul(LOGGED_BYTES.most).saturating_add(rewritten.most),
        };
        let (time, basis) = estimate::time(&load, earlier);
        estimate::Estimate {
            datasets: self.datasets,
            documents,
            bytes,
            journal_bytes: journal.map(|it| Amount {
                least: it.bytes.saturating_sub(it.samples_at_most),
                most: it.bytes,
            }),
            oplog_bytes: replicated.then_some(logged),
            time,
            basis,
            counted: (whole(counted.documents.len()), whole(counted.all)),
        }
    }
}

/// What the server says of collections.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    documents: BTreeMap<String, u64>,
    weighed: BTreeMap<String, Weight>,
    /// How many there are, counted or not.
    all: usize,
}

impl Counted {
    fn documents(&self, collection: &str) -> u64 {
        self.documents.get(collection).copied().unwrap_or(0)
    }

    /// How many bytes the documents of a collection have: exactly if it was weighed, or else judging by those that were.
    pub fn bytes(&self, collection: &str) -> Amount {
        if let Some(weight) = self.weighed.get(collection) {
            return Amount::exactly(weight.bytes);
        }
        let all = self.weighed.values().fold(Weight::default(), |sum, it| Weight {
            documents: sum.documents + it.documents,
            bytes: sum.bytes + it.bytes,
        });
        let about = self.documents(collection).saturating_mul(all.average());
        Amount { least: 0, most: about.saturating_mul(2) }
    }

    /// What was counted, for all collections.
    pub fn extrapolated(&self, count: u64) -> Amount {
        Amount::of_sample(count, whole(self.documents.len()), whole(self.all))
    }
}

/// Some of these, spread evenly over all of them.
fn spread<'a>(all: &[&'a str], most: usize) -> Vec<&'a str> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).filter_map(|it| all.get(it * all.len() / most).copied()).collect()
}

fn labor(pass: &Pass) -> Labor {
    match pass {
        Pass::Server(_, Some(_)) => Labor::Set,
        Pass::Server(_, None) => Labor::Change,
        Pass::Client(_) => Labor::Code,
    }
}

/// Looks out for what is left of a run that takes long, so that it can tell how long the rest takes.
pub async fn look_out(store: Store, control: Control) {
    tokio::time::sleep(LONG).await;
    match outlook(&store, &control).await {
        Ok(outlook) => control.tally().look_out(outlook),
        Err(failure) => tracing::warn!("how long the rest takes cannot be told: {failure}"),
    }
}

async fn outlook(store: &Store, control: &Control) -> Result<Outlook, Failure> {
    let earlier = earlier_rates(store).await?;
    let pending = control.tally().pending();
    let existing = store.collections().await?;
    let mut owned = store.collections_by_dataset().await?;
    owned.retain(|(dataset, _)| pending.contains(dataset));
    count_once(&mut owned, &existing);
    let names: Vec<&str> = owned.iter().flat_map(|(_, it)| it).map(String::as_str).collect();
    let counts = store.documents_in(&names).await?;
    let large = |names: &[String]| -> u64 {
        names.iter().filter_map(|it| counts.get(it)).filter(|it| **it >= LARGE).sum()
    };
    let documents = owned.iter().map(|(dataset, names)| (dataset.clone(), large(names)));
    Ok(Outlook { documents: documents.filter(|(_, count)| *count > 0).collect(), earlier })
}

/// Leaves only the collections that exist, each with the first dataset that has it: what datasets share is passed over once.
fn count_once(owned: &mut [(String, Vec<String>)], existing: &BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    for (_, names) in owned {
        names.retain(|it| existing.contains(it) && seen.insert(it.clone()));
    }
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// How fast earlier runs were. To whoever may not look at them it is told what is assumed.
async fn earlier_rates(store: &Store) -> Result<Vec<Rates>, Failure> {
    match store.rates(EARLIER).await {
        Err(failure) if failure.is_of_privileges() => Ok(Vec::new()),
        rates => rates,
    }
}

#[cfg(test)]
mod tests {
    use model::Basis;

    use super::*;

    fn counted(all: usize) -> Counted {
        let documents =
            [("a".to_owned(), 40_000), ("b".to_owned(), 10), ("c".to_owned(), 7)].into();
        let weighed = [("a".to_owned(), Weight { documents: 40_000, bytes: 4_000_000 })].into();
        Counted { documents, weighed, all }
    }

    fn survey() -> Survey {
        let mut survey = Survey::default();
        survey.add_stamps(5);
        survey.does(Labor::Set, "a");
        survey.does(Labor::Look, "a");
        survey.does(Labor::Code, "b");
        survey
    }

    #[test]
    fn only_what_is_changed_is_counted_and_only_what_is_large_takes_long() {
        let journal = JournalSize { bytes: 900, samples_at_most: 400 };
        let it = survey().result(&counted(3), Some(journal), false, &[]);
        assert_eq!((it.datasets, it.documents), (5, Amount::exactly(40_010)));
        // What was not weighed is judged by what was: 100 bytes each.
        assert_eq!(it.bytes, Amount { least: 4_000_000, most: 4_002_000 });
        assert_eq!(it.journal_bytes, Some(Amount { least: 500, most: 900 }));
        assert_eq!((it.oplog_bytes, it.basis, it.counted), (None, Basis::Assumed, (3, 3)));
    }

    #[test]
    fn what_was_counted_in_part_is_told_as_a_range() {
        let it = survey().result(&counted(6), None, true, &[]);
        assert_eq!(it.documents, Amount { least: 40_010, most: 160_040 });
        assert_eq!(it.counted, (3, 6));
        let logged = it.oplog_bytes.unwrap();
        assert!(logged.least == 40_010 * 150 && logged.most > 160_040 * 600, "{logged:?}");
        assert_eq!(it.journal_bytes, None);
    }

    #[test]
    fn what_datasets_share_is_counted_once_and_what_is_not_there_never() {
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let of = |dataset: &str, all: &[&str]| (dataset.to_owned(), names(all));
        let mut owned = vec![of("a", &["shared", "own"]), of("b", &["shared", "gone"])];
        count_once(&mut owned, &names(&["shared", "own"]).into_iter().collect());
        assert_eq!(owned, [of("a", &["shared", "own"]), of("b", &[])]);
    }

    #[test]
    fn a_sample_is_spread_over_all() {
        let all = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(spread(&all, 3), ["a", "c", "e"]);
        assert_eq!(spread(&all, 6), all);
    }
}
