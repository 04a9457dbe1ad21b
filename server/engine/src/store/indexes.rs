//! The indexes of the runs' own database, in one place.

use bson::{Document, doc};

use super::{Failure, Store};

/// A collection, and the keys by which it is asked for something else than its `_id`.
type Index = (&'static str, &'static [(&'static str, i32)]);

const INDEXES: [Index; 4] = [
    // Which run has migrated a dataset last, asked of each dataset that is undone.
    ("run_datasets", &[("dataset", 1), ("run", -1)]),
    ("run_marks", &[("run", 1), ("fence", 1)]),
    ("run_leftovers", &[("run", 1)]),
    ("run_shares", &[("database", 1), ("done", 1)]),
];

impl Store {
    /// Makes the indexes that are missing, once for each process; nothing happens to those that are there. Without them
    /// everything is as right, and slower: it is not tried again if the server does not want to.
    pub async fn have_indexes(&self) {
        self.indexed
            .get_or_init(|| async {
                if let Err(failure) = self.make_ours().await {
                    tracing::warn!("the database of the runs goes without some indexes: {failure}");
                }
            })
            .await;
    }

    async fn make_ours(&self) -> Result<(), Failure> {
        for (collection, keys) in INDEXES {
            let name: Vec<String> = keys.iter().map(|(key, way)| format!("{key}_{way}")).collect();
            let key: Document =
                keys.iter().map(|(key, way)| ((*key).to_owned(), (*way).into())).collect();
            let index = doc! { "key": key, "name": name.join("_") };
            self.jobs_command(doc! { "createIndexes": collection, "indexes": [index] }).await?;
        }
        Ok(())
    }
}
