//! The collection `views`: saved views.

use bson::{Bson, doc};

use super::{Failure, Store, durable};

impl Store {
    /// Deletes saved views, for good when this returns. Those that are gone already do not matter.
    pub async fn delete_views(&self, ids: &[Bson]) -> Result<(), Failure> {
        for chunk in ids.chunks(10_000) {
            let all = doc! { "q": { "_id": { "$in": chunk } }, "limit": 0 };
            let command = doc! { "delete": "views", "deletes": [all], "writeConcern": durable() };
            self.command(command).await?;
        }
        Ok(())
    }
}
