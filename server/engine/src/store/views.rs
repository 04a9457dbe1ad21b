//! The collection `views`: saved views.

use bson::{Bson, doc};

use super::{Failure, Store};

impl Store {
    /// Deletes saved views. Those that are gone already do not matter.
    pub async fn delete_views(&self, ids: &[Bson]) -> Result<(), Failure> {
        for chunk in ids.chunks(10_000) {
            self.collection("views").delete_many(doc! { "_id": { "$in": chunk } }).await?;
        }
        Ok(())
    }
}
