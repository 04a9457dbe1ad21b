//! The indexes of the runs' own database, in one place.

use bson::{Document, doc};

use super::{
    Failure, Store,
    accounts::{ATTEMPTS, INVITATIONS, RIGHTS, SESSIONS},
    log::LOG,
    media::{UPLOAD_FILES, UPLOADS},
    rewrites::{REWRITE_VALUES, REWRITES},
    selections::{SELECTION_PARTS, SELECTIONS},
};

/// A collection, the keys by which it is asked for something else than its `_id`, and what becomes of what they find.
type Index = (&'static str, &'static [(&'static str, i32)], Stay);

/// Whether documents stay in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    /// Until somebody deletes them.
    Kept,
    /// Until the time that the key says; the server deletes them some time after it.
    Expires,
}

const OF_RUNS: [Index; 12] = [
    // Which run has migrated a dataset last, asked of each dataset that is undone.
    ("run_datasets", &[("dataset", 1), ("run", -1)], Stay::Kept),
    ("run_marks", &[("run", 1), ("fence", 1)], Stay::Kept),
    // In the order in which a log is read.
    (LOG, &[("run", 1), ("at", 1), ("_id", 1)], Stay::Kept),
    ("run_leftovers", &[("run", 1)], Stay::Kept),
    ("run_shares", &[("database", 1), ("done", 1)], Stay::Kept),
    (UPLOADS, &[("database", 1), ("dataset", 1)], Stay::Kept),
    // Each file of an upload is asked for by its path when the paths of samples are rewritten.
    (UPLOAD_FILES, &[("upload", 1), ("source", 1)], Stay::Kept),
    (UPLOAD_FILES, &[("upload", 1), ("state", 1), ("_id", 1)], Stay::Kept),
    (REWRITES, &[("database", 1), ("dataset", 1)], Stay::Kept),
    (REWRITE_VALUES, &[("rewrite", 1), ("field", 1), ("_id", 1)], Stay::Kept),
    (SELECTIONS, &[("expires", 1)], Stay::Expires),
    (SELECTION_PARTS, &[("expires", 1)], Stay::Expires),
];

const OF_ACCOUNTS: [Index; 6] = [
    // What somebody may see is asked with each request; what may be done with a dataset, by its page.
    (RIGHTS, &[("_id.database", 1), ("_id.to", 1), ("_id.dataset", 1)], Stay::Kept),
    (RIGHTS, &[("_id.database", 1), ("_id.dataset", 1)], Stay::Kept),
    (SESSIONS, &[("account", 1)], Stay::Kept),
    // Nothing relies on these: what has expired is not found by any question.
    (SESSIONS, &[("expires", 1)], Stay::Expires),
    (INVITATIONS, &[("expires", 1)], Stay::Expires),
    (ATTEMPTS, &[("expires", 1)], Stay::Expires),
];

impl Store {
    /// Makes the indexes that are missing, once for each process; nothing happens to those that are there. Without them
    /// everything is as right, and slower: it is not tried again if the server does not want to.
    pub async fn have_indexes(&self) {
        self.indexed.get_or_init(|| self.make_or_go_without(&OF_RUNS)).await;
    }

    /// The same for accounts, which not everybody has who has runs.
    pub async fn have_account_indexes(&self) {
        self.accounts_indexed.get_or_init(|| self.make_or_go_without(&OF_ACCOUNTS)).await;
    }

    async fn make_or_go_without(&self, indexes: &[Index]) {
        if let Err(failure) = self.make_ours(indexes).await {
            tracing::warn!("the database of the runs goes without some indexes: {failure}");
        }
    }

    async fn make_ours(&self, indexes: &[Index]) -> Result<(), Failure> {
        for (collection, keys, stay) in indexes {
            let name: Vec<String> = keys.iter().map(|(key, way)| format!("{key}_{way}")).collect();
            let key: Document =
                keys.iter().map(|(key, way)| ((*key).to_owned(), (*way).into())).collect();
            let mut index = doc! { "key": key, "name": name.join("_") };
            if *stay == Stay::Expires {
                index.insert("expireAfterSeconds", 0);
            }
            self.jobs_command(doc! { "createIndexes": *collection, "indexes": [index] }).await?;
        }
        Ok(())
    }
}
