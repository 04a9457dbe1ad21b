//! The collection `delegated_ops`: operations that run elsewhere.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store};

impl Store {
    /// The datasets with operations whose text at `key` ends in `.log`. One look for all datasets, because
    /// there may be no index to find one dataset's operations by.
    pub async fn datasets_with_logs(&self, key: &str) -> Result<Vec<Bson>, Failure> {
        let stages = [
            doc! { "$match": { key: { "$regex": r"\.log$" }, "dataset_id": { "$ne": null } } },
            doc! { "$group": { "_id": "$dataset_id" } },
        ];
        let mut found = self.collection("delegated_ops").aggregate(stages).await?;
        let mut ids = Vec::new();
        while let Some(mut it) = found.try_next().await? {
            ids.extend(it.remove("_id"));
        }
        Ok(ids)
    }

    /// In the operations of this dataset, renames `from` to `to` where `from` ends in `.log`.
    pub async fn rename_log(&self, dataset: &Bson, from: &str, to: &str) -> Result<(), Failure> {
        let filter = doc! { "dataset_id": dataset, from: { "$regex": r"\.log$" } };
        let update = doc! { "$rename": { from: to } };
        self.collection("delegated_ops").update_many(filter, update).await?;
        Ok(())
    }

    /// Gives an operation back what it had at `from` before that was renamed to `to`; the rest of it stays as it is by
    /// now, if somebody has changed that.
    pub async fn restore_operation(
        &self,
        original: &Document,
        from: &str,
        to: &str,
    ) -> Result<(), Failure> {
        let mut renamed = original.clone();
        if let Some(value) = renamed.remove(from) {
            renamed.insert(to, value);
        }
        let operations = self.collection("delegated_ops");
        let id = original.get("_id");
        let same = doc! { "$eq": ["$$ROOT", { "$literal": &renamed }] };
        let replaced = operations.replace_one(doc! { "_id": id, "$expr": same }, original).await?;
        if replaced.matched_count == 0 {
            let filter = doc! { "_id": id, from: { "$exists": false }, to: { "$exists": true } };
            operations.update_one(filter, doc! { "$rename": { to: from } }).await?;
        }
        Ok(())
    }
}
