//! What is looked up of datasets in the background: what a migration to the newest version does to each, which takes a fold
//! of all its revisions, and how many samples it has.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bson::{DateTime, oid::ObjectId};
use model::{Catalog, Outlook};
use tokio::sync::OwnedMutexGuard;

use super::listing::Listing;
use crate::{
    archive::Entries,
    clock::Moment,
    load::{Loaded, Loader, Task, Times},
    plan::plan,
    report::{State, printable},
    run::groups,
    store::{Entry, Failure, Store},
    versions::newest,
};

/// How many datasets are folded before others may have the thread.
const SLICE: usize = 32;

/// How often what was looked up is shown.
const SHOWN: Duration = Duration::from_millis(500);

/// After this it is looked again although nothing has changed that can be seen: samples are added, and clients from before
/// 1.0 leave no date.
const STALE: Duration = Duration::from_mins(10);

/// How many collections are counted before it is shown.
const COUNTED: usize = 2_000;

/// What is known of datasets beside their documents.
#[derive(Debug, Default)]
pub struct Looks {
    /// By the text of the `_id`.
    known: Arc<Mutex<HashMap<String, Known>>>,
    /// Held by whoever looks; the reading that was looked at last.
    looking: Arc<tokio::sync::Mutex<Option<Moment>>>,
}

/// What is known of one.
#[derive(Clone, Debug)]
struct Known {
    /// What the document was then.
    print: u64,
    outlook: Outlook,
    samples: Option<u64>,
    at: Moment,
}

/// Somebody who looks; nobody else does meanwhile.
pub struct Looking {
    known: Arc<Mutex<HashMap<String, Known>>>,
    _alone: OwnedMutexGuard<Option<Moment>>,
}

impl Looks {
    /// The catalog with all that is known by now.
    pub fn of(&self, listing: &Listing, catalog: &Catalog) -> Catalog {
        let known = lock(&self.known);
        if known.is_empty() {
            return catalog.clone();
        }
        catalog.seen(|at| {
            let Some(it) = known.get(listing.id(at)) else { return (None, Outlook::Unknown) };
            // Of another document it is not known; that is about as large as it was.
            let outlook =
                if it.print == listing.print(at) { &it.outlook } else { &Outlook::Unknown };
            (it.samples, outlook.clone())
        })
    }

    /// Lets somebody look at a reading; `None` if somebody does already, or has.
    pub fn begin(&self, reading: Moment) -> Option<Looking> {
        let mut alone = Arc::clone(&self.looking).try_lock_owned().ok()?;
        if *alone == Some(reading) {
            return None;
        }
        *alone = Some(reading);
        Some(Looking { known: Arc::clone(&self.known), _alone: alone })
    }
}

impl Looking {
    /// Looks up what is not known, or was known long ago. What is known by then is shown by `publish`, now and then.
    ///
    /// # Errors
    ///
    /// If the server cannot be asked; the next reading tries again.
    pub async fn look(
        self,
        store: &Store,
        listing: &Listing,
        publish: impl Fn(),
    ) -> Result<(), Failure> {
        let wanted = self.wanted(listing);
        if !wanted.is_empty() {
            self.foresee(store, listing, &wanted, &publish).await?;
        }
        self.count(store, listing, &wanted, &publish).await
    }

    /// Finds out what a migration does to those at these places.
    async fn foresee(
        &self,
        store: &Store,
        listing: &Listing,
        wanted: &[usize],
        publish: &impl Fn(),
    ) -> Result<(), Failure> {
        let places: HashMap<&str, usize> = wanted.iter().map(|it| (listing.id(*it), *it)).collect();
        let archive = match Entries::of(store).await {
            Err(failure) if failure.is_of_rights() => None,
            entries => Some(Arc::new(entries?)),
        };
        let entries: Vec<Entry> = wanted.iter().filter_map(|it| listing.entry(*it)).collect();
        let planned = plan(entries, Some(newest()), newest(), true, archive.as_deref());
        let planned = planned.map_err(Failure::other)?;
        let note = |id: &str, outlook: Outlook| {
            if let Some(place) = places.get(id) {
                self.note(listing, *place, outlook);
            }
        };
        for it in &planned.settled {
            let outlook = match (it.state, &it.reason) {
                (State::Refused | State::Failed, Some(reason)) => blocked(reason, &it.label()),
                _ => Outlook::Stays,
            };
            note(&it.id, outlook);
        }
        for it in &planned.stamps {
            note(&it.entry.id_text(), Outlook::Stamp);
        }
        publish();
        self.fold(store, archive, &planned.tasks, &note, publish).await
    }

    /// The places of those that are to be looked at.
    fn wanted(&self, listing: &Listing) -> Vec<usize> {
        let now = Moment::now();
        let mut known = lock(&self.known);
        if known.len() > listing.len() {
            let there: HashSet<&str> = (0..listing.len()).map(|it| listing.id(it)).collect();
            known.retain(|id, _| there.contains(id.as_str()));
        }
        let is_known = |at: &usize| {
            known
                .get(listing.id(*at))
                .is_some_and(|it| it.print == listing.print(*at) && it.at + STALE > now)
        };
        (0..listing.len()).filter(|it| !is_known(it)).collect()
    }

    fn note(&self, listing: &Listing, at: usize, outlook: Outlook) {
        let mut known = lock(&self.known);
        let samples = known.get(listing.id(at)).and_then(|it| it.samples);
        let look = Known { print: listing.print(at), outlook, samples, at: Moment::now() };
        known.insert(listing.id(at).to_owned(), look);
    }

    /// Folds those that cross revisions, in the order of their names, as a migration does.
    async fn fold(
        &self,
        store: &Store,
        archive: Option<Arc<Entries>>,
        tasks: &[Task],
        note: &impl Fn(&str, Outlook),
        publish: &impl Fn(),
    ) -> Result<(), Failure> {
        if tasks.is_empty() {
            return Ok(());
        }
        let times = Times::of(ObjectId::new(), DateTime::now());
        let loader = Loader::new(store.clone(), times, tasks, archive).await?;
        let mut shown = Instant::now();
        for group in groups(tasks) {
            for slice in group.chunks(SLICE) {
                let begun = Instant::now();
                for loaded in loader.load(slice.to_vec()).await? {
                    match loaded {
                        Loaded::Ready(work) => {
                            note(&work.task.entry.id_text(), crossing(&work.task));
                        }
                        Loaded::Done(task) => note(&task.entry.id_text(), Outlook::Stays),
                        Loaded::Refused(task, why) => {
                            let outlook = blocked(&why.text, &task.entry.label());
                            note(&task.entry.id_text(), outlook);
                        }
                    }
                }
                if shown.elapsed() > SHOWN {
                    publish();
                    shown = Instant::now();
                }
                // Half of a core is enough for what nobody waits for.
                tokio::time::sleep(begun.elapsed()).await;
            }
        }
        publish();
        Ok(())
    }

    /// Asks how many samples each of them has, by what the server keeps beside its collections.
    async fn count(
        &self,
        store: &Store,
        listing: &Listing,
        wanted: &[usize],
        publish: &impl Fn(),
    ) -> Result<(), Failure> {
        let again: HashSet<usize> = wanted.iter().copied().collect();
        let uncounted: Vec<usize> = {
            let known = lock(&self.known);
            let is_counted =
                |at: usize| known.get(listing.id(at)).is_some_and(|it| it.samples.is_some());
            (0..listing.len()).filter(|it| again.contains(it) || !is_counted(*it)).collect()
        };
        if uncounted.is_empty() {
            return Ok(());
        }
        let existing = store.collections().await?;
        for slice in uncounted.chunks(COUNTED) {
            let named = slice.iter().filter_map(|it| listing.samples(*it));
            let there: Vec<&str> = named.filter(|it| existing.contains(*it)).collect();
            // Dropped in this moment, or not ours to ask: then nobody knows.
            let counts = match store.documents_in(&there).await {
                Err(failure) if failure.is_unreachable() => return Err(failure),
                Err(_) => continue,
                Ok(counts) => counts,
            };
            {
                let mut known = lock(&self.known);
                for at in slice {
                    let count = listing.samples(*at).and_then(|it| counts.get(it)).copied();
                    if let Some(it) = known.get_mut(listing.id(*at)) {
                        it.samples = Some(count.unwrap_or(0));
                    }
                }
            }
            publish();
        }
        Ok(())
    }
}

/// What happens to a dataset that can go.
fn crossing(task: &Task) -> Outlook {
    let crossed =
        task.head.as_ref().map_or(0, |it| revisions::between(it, &task.destination).len());
    Outlook::Crosses { revisions: super::whole(crossed) }
}

/// Why a dataset cannot go, without its name.
fn blocked(reason: &str, label: &str) -> Outlook {
    let named = format!("dataset `{label}` ");
    Outlook::Blocked { reason: printable(reason.strip_prefix(&named).unwrap_or(reason)) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
