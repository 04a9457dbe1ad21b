//! Testing a destination: a probe is written, looked at, read back and deleted.

use object_store::{ObjectStoreExt, PutPayload};
use serde::Serialize;

use super::{Destination, Place};
use crate::fault::{Cause, Doing, Fault, of_store};

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probed {
    /// What: `write`, `read`, `list`, `delete`.
    pub what: &'static str,
    /// Why it did not work.
    pub fault: Option<String>,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// Where.
    pub destination: String,
    /// What was tried, in order.
    pub steps: Vec<Probed>,
    /// The name of the probe.
    pub probe: String,
}

impl Probe {
    /// Whether media can be uploaded and verified. Listing and deleting are wanted, not needed.
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|it| it.fault.is_none() || !matches!(it.what, "write" | "read"))
    }
}

const CONTENT: &[u8] =
    b"fiftyone-migrate has tried whether it may write here, and may not delete it. You can.\n";

impl Destination {
    /// Tries what uploading takes. `mark` makes the probe's name one that nothing else has.
    pub async fn probe(&self, mark: &str) -> Probe {
        let name = format!(".fiftyone-migrate-probe-{mark}");
        let mut probe =
            Probe { destination: self.url().to_owned(), steps: Vec::new(), probe: name.clone() };
        let written = self.try_write(&name).await;
        let there = written.is_ok();
        probe.tell("write", written);
        if !there {
            return probe;
        }
        probe.tell("read", self.try_read(&name).await);
        if let Some(mut found) = self.list() {
            let first = futures_util::TryStreamExt::try_next(&mut found).await;
            probe.tell("list", first.map(drop));
        }
        probe.tell("delete", self.remove(&name).await);
        probe
    }

    async fn try_write(&self, name: &str) -> Result<(), Fault> {
        match &self.place {
            Place::Folder(folder) => {
                let write = async {
                    tokio::fs::create_dir_all(folder).await?;
                    tokio::fs::write(Self::file(folder, name), CONTENT).await
                };
                write.await.map_err(|it| Fault::writing(&self.path_of(name), &it))
            }
            Place::Bucket(bucket) => {
                let put =
                    bucket.store.put(&self.key(name)?, PutPayload::from_static(CONTENT)).await;
                put.map(drop).map_err(|it| of_store(&it, Doing::Write, &self.path_of(name)))
            }
        }
    }

    async fn try_read(&self, name: &str) -> Result<(), Fault> {
        let expected = Some((CONTENT.len() as u64, crate::hash::of(CONTENT)));
        if self.read_back(name).await? == expected {
            return Ok(());
        }
        let what = format!(
            "`{}` is read back as something else than was written; look at what is in between",
            self.path_of(name)
        );
        Err(Fault::new(Cause::Mismatch, what))
    }

    /// Deletes what is at a place.
    async fn remove(&self, place: &str) -> Result<(), Fault> {
        match &self.place {
            Place::Folder(folder) => {
                let removed = tokio::fs::remove_file(Self::file(folder, place)).await;
                removed.map_err(|it| Fault::writing(&self.path_of(place), &it))
            }
            Place::Bucket(bucket) => {
                let removed = bucket.store.delete(&self.key(place)?).await;
                removed.map_err(|it| of_store(&it, Doing::Delete, &self.path_of(place)))
            }
        }
    }
}

impl Probe {
    fn tell(&mut self, what: &'static str, done: Result<(), Fault>) {
        self.steps.push(Probed { what, fault: done.err().map(|it| it.text) });
    }
}
