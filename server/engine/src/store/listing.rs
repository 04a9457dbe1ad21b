//! All datasets, as the browser of datasets lists them: of each, what is told of it and no more.

use bson::{RawDocumentBuf, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store};

impl Store {
    /// A part of every dataset document: `{ _id, name, version, media_type, persistent, tags, created_at, last_modified_at,
    /// sample_collection_name, bytes, fields }`, of which all but the `_id` and the last two may be missing, or anything.
    pub async fn listed(&self) -> Result<Vec<RawDocumentBuf>, Failure> {
        let fields = doc! { "$cond": [
            { "$isArray": "$sample_fields" }, { "$size": "$sample_fields" }, 0,
        ] };
        let told = doc! {
            "name": 1, "version": 1, "media_type": 1, "persistent": 1, "tags": 1, "created_at": 1,
            "last_modified_at": 1, "sample_collection_name": 1,
            "bytes": { "$bsonSize": "$$ROOT" },
            "fields": fields,
        };
        let datasets = self.database.collection::<RawDocumentBuf>("datasets");
        let found = datasets.find(doc! {}).projection(told).batch_size(10_000);
        Ok(found.await?.try_collect().await?)
    }
}
