//! The datasets of a deployment as people browse them: read from the server when somebody looks, kept in memory, written
//! nowhere.
//!
//! What a page shows is the last **reading**. One that is too old is followed by another, by one for all who look at the
//! same time; where reading takes long, the last one is shown meanwhile, and says of when it is. What a migration does to
//! each, and how many samples it has, is looked up afterwards, in the background.

mod listing;
mod looks;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::DateTime;
use model::{Action, Catalog, DatasetPage, DatasetQuery, DatasetRow, Permit, Rights};

use self::listing::Listing;
use self::looks::Looks;
use crate::{
    Engine, Result,
    clock::{self, Moment},
    store::{Failure, Store},
};

/// A reading that is not older than this is shown as it is.
const FRESH: Duration = Duration::from_secs(2);

/// How much of the time reading may take at most: one part of so many.
const PART: u32 = 4;

/// Reading that takes longer than this is not waited for where there is an earlier one,
const LONG: Duration = Duration::from_millis(100);

/// unless that is older than this.
const OLD: Duration = Duration::from_mins(1);

/// The datasets, as they were read last.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    last: Mutex<Option<Arc<Reading>>>,
    /// Held by whoever reads.
    flight: tokio::sync::Mutex<()>,
    looks: Looks,
}

/// All datasets at one moment.
#[derive(Debug)]
pub struct Reading {
    catalog: Catalog,
    listing: Arc<Listing>,
    /// When it was begun.
    as_of: DateTime,
    /// When it was there.
    ended: Moment,
    /// How long it took.
    took: Duration,
}

/// What somebody takes away with them.
#[derive(Clone, Debug)]
pub struct Export {
    reading: Arc<Reading>,
    places: Arc<[usize]>,
}

impl Engine {
    /// A page of the datasets that there are for whoever has the permit. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Denied`] if the permit does not cover it; if the server cannot be reached.
    pub async fn dataset_page(&self, permit: &Permit, query: &DatasetQuery) -> Result<DatasetPage> {
        permit.covers(Action::ReadDatasets)?;
        let (rights, reading) = (self.rights(permit).await?, self.reading().await?);
        let catalog = reading.as_seen(&rights);
        Ok(DatasetPage {
            found: catalog.find(query),
            all: whole(catalog.shown()),
            looked_at: whole(catalog.looked_at()),
            restricted: !rights.sees_all(),
            may_plan: permit.covers(Action::PreviewMigration).is_ok(),
            newest: crate::versions::newest().to_string(),
            as_of: clock::text(reading.as_of),
            at: clock::text(DateTime::now()),
            reading: self.catalog.shared.flight.try_lock().is_err(),
        })
    }

    /// All that are looked for of these, to take away. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::dataset_page`].
    pub async fn export_datasets(&self, permit: &Permit, query: &DatasetQuery) -> Result<Export> {
        permit.covers(Action::ReadDatasets)?;
        let (rights, reading) = (self.rights(permit).await?, self.reading().await?);
        let places = reading.as_seen(&rights).matching(query).into();
        Ok(Export { reading, places })
    }

    /// What there is, as a page may show it.
    async fn reading(&self) -> Result<Arc<Reading>> {
        let reading = self.catalog.reading(&self.store).await;
        let reading = reading.map_err(|it| self.store.error(it))?;
        self.catalog.look(&self.store, &reading);
        Ok(reading)
    }

    /// Reads the datasets in the background, unless that was done a while ago, so that nobody who comes next has to wait for
    /// it. Writes nothing.
    pub fn read_ahead(&self) {
        if self.catalog.last().is_some_and(|it| !it.is_older_than(OLD)) {
            return;
        }
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.reading().await {
                tracing::warn!("the datasets could not be read: {error}");
            }
        });
    }

    /// Of how many datasets it is known that a migration is blocked.
    pub(crate) fn known_blocked(&self) -> usize {
        self.catalog.last().map_or(0, |it| it.catalog.blocked())
    }

    /// What there is now.
    pub(crate) async fn fresh_reading(&self) -> Result<Arc<Reading>> {
        let reading = self.catalog.read(&self.store, Moment::now()).await;
        reading.map_err(|it| self.store.error(it))
    }
}

impl Export {
    /// How many datasets.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Some of them, from one of them on.
    pub fn rows(&self, from: usize, count: usize) -> impl Iterator<Item = DatasetRow> + '_ {
        let places = self.places.iter().skip(from).take(count);
        places.filter_map(|it| self.reading.catalog.row(*it))
    }
}

impl Reader {
    async fn reading(&self, store: &Store) -> Result<Arc<Reading>, Failure> {
        let now = Moment::now();
        let Some(last) = self.last() else { return self.read(store, now).await };
        if !last.is_older_than(FRESH.max(last.took * PART)) {
            return Ok(last);
        }
        if last.took < LONG || last.is_older_than(OLD) {
            return self.read(store, now).await;
        }
        let (reader, store) = (self.clone(), store.clone());
        tokio::spawn(async move {
            if let Err(failure) = reader.read(&store, now).await {
                tracing::warn!("the datasets could not be read anew: {failure}");
            }
        });
        Ok(last)
    }

    /// Reads, unless somebody has done so since `asked`.
    async fn read(&self, store: &Store, asked: Moment) -> Result<Arc<Reading>, Failure> {
        let _flight = self.shared.flight.lock().await;
        if let Some(last) = self.last().filter(|it| it.ended >= asked) {
            return Ok(last);
        }
        let (begun, as_of) = (Instant::now(), DateTime::now());
        let documents = store.listed().await?;
        let reader = self.clone();
        // A hundred thousand of them take a while, in which nobody else should wait.
        let listed = tokio::task::spawn_blocking(move || {
            let (listing, catalog) = Listing::of(documents);
            let catalog = reader.shared.looks.of(&listing, &catalog);
            (Arc::new(listing), catalog)
        });
        let (listing, catalog) = listed.await.map_err(|it| Failure::other(it.to_string()))?;
        let (ended, took) = (Moment::now(), begun.elapsed());
        let reading = Arc::new(Reading { catalog, listing, as_of, ended, took });
        *self.lock() = Some(Arc::clone(&reading));
        Ok(reading)
    }

    /// Looks up in the background what is not known of this reading, if nobody does.
    fn look(&self, store: &Store, reading: &Arc<Reading>) {
        let Some(looking) = self.shared.looks.begin(reading.ended) else { return };
        let (reader, store, reading) = (self.clone(), store.clone(), Arc::clone(reading));
        tokio::spawn(async move {
            let publish = || reader.publish();
            if let Err(failure) = looking.look(&store, &reading.listing, publish).await {
                tracing::warn!(
                    "what a migration does to datasets could not be looked up: {failure}"
                );
            }
        });
    }

    /// Puts what was looked up into the last reading.
    fn publish(&self) {
        let Some(last) = self.last() else { return };
        let catalog = self.shared.looks.of(&last.listing, &last.catalog);
        let mut now = self.lock();
        // Otherwise there is another reading by now, which has it already.
        if now.as_ref().is_some_and(|it| Arc::ptr_eq(it, &last)) {
            let (listing, ended) = (Arc::clone(&last.listing), last.ended);
            let Reading { as_of, took, .. } = *last;
            *now = Some(Arc::new(Reading { catalog, listing, as_of, ended, took }));
        }
    }

    fn last(&self) -> Option<Arc<Reading>> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Reading>>> {
        self.shared.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn is_older_than(&self, age: Duration) -> bool {
        self.ended + age < Moment::now()
    }

    /// The datasets that exist for somebody.
    pub(crate) fn as_seen(&self, rights: &Rights) -> Cow<'_, Catalog> {
        if rights.sees_all() {
            return Cow::Borrowed(&self.catalog);
        }
        Cow::Owned(self.catalog.only(|id| rights.sees(id)))
    }

    /// What was read of them, in the same order.
    pub(crate) fn listing(&self) -> &Listing {
        &self.listing
    }
}

pub(crate) fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
