//! Datasets that somebody has selected: `dataset_selections`, one document each, and `dataset_selection_parts`, the
//! datasets themselves; in the runs' own database.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{Failure, Store, millis};

/// Where selections are.
pub(super) const SELECTIONS: &str = "dataset_selections";
pub(super) const SELECTION_PARTS: &str = "dataset_selection_parts";

/// How long a selection is kept of which no run was made.
const LASTS: std::time::Duration = std::time::Duration::from_hours(24);

/// How many datasets are in one part.
const PART: usize = 20_000;

/// A selection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Selection {
    /// What identifies it.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// Who has made it.
    pub by: String,
    /// When.
    pub at: DateTime,
    /// How many datasets.
    pub datasets: i64,
    /// What was looked for, where all that was found was selected.
    pub query: Option<String>,
    /// Until when it is kept; `None` if a run was made of it.
    #[serde(default)]
    pub expires: Option<DateTime>,
}

/// One of its datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// Its `_id`.
    pub id: Bson,
    /// What it was called then.
    pub label: String,
}

impl Store {
    /// Writes a selection down. It is there when all of it is.
    pub async fn keep_selection(
        &self,
        id: ObjectId,
        by: &str,
        query: Option<&str>,
        datasets: &[Selected],
    ) -> Result<(), Failure> {
        self.have_indexes().await;
        let expires = doc! { "$add": ["$$NOW", millis(LASTS)] };
        for (part, datasets) in (0_i32..).zip(datasets.chunks(PART)) {
            let whole = datasets.iter().map(bson::serialize_to_bson).collect::<Result<Vec<_>, _>>();
            let whole = whole.map_err(|it| Failure::other(it.to_string()))?;
            let stage = doc! { "$set": { "datasets": { "$literal": whole }, "expires": &expires } };
            let filter = doc! { "_id": { "selection": id, "part": part } };
            self.upsert(SELECTION_PARTS, filter, stage).await?;
        }
        let stage = doc! { "$set": {
            "database": { "$literal": self.name() },
            "by": { "$literal": by },
            "at": "$$NOW",
            "datasets": i64::try_from(datasets.len()).unwrap_or(i64::MAX),
            "query": { "$literal": query },
            "expires": expires,
        } };
        self.upsert(SELECTIONS, doc! { "_id": id }, stage).await
    }

    async fn upsert(
        &self,
        collection: &str,
        filter: Document,
        stage: Document,
    ) -> Result<(), Failure> {
        let statement = doc! { "q": filter, "u": [stage], "upsert": true };
        self.jobs_command(doc! { "update": collection, "updates": [statement] }).await.map(drop)
    }

    /// A selection of this database, if it is still kept.
    pub async fn selection(&self, id: ObjectId) -> Result<Option<Selection>, Failure> {
        let kept = doc! { "$or": [
            { "expires": null }, { "$expr": { "$gt": ["$expires", "$$NOW"] } },
        ] };
        let filter = doc! { "$and": [{ "_id": id, "database": self.name() }, kept] };
        Ok(self.jobs.collection::<Selection>(SELECTIONS).find_one(filter).await?)
    }

    /// Its datasets; `None` if it is not kept any more, or not all of it is.
    pub async fn selected(&self, id: ObjectId) -> Result<Option<Vec<Selected>>, Failure> {
        #[derive(Deserialize)]
        struct Part {
            datasets: Vec<Selected>,
        }
        let Some(selection) = self.selection(id).await? else { return Ok(None) };
        let count = usize::try_from(selection.datasets).unwrap_or(0);
        let parts = parts(id, count);
        let kept = self.jobs.collection::<Part>(SELECTION_PARTS);
        let found = kept.find(doc! { "_id": parts });
        let found: Vec<Part> = found.sort(doc! { "_id": 1 }).await?.try_collect().await?;
        let datasets: Vec<Selected> = found.into_iter().flat_map(|it| it.datasets).collect();
        Ok((datasets.len() == count).then_some(datasets))
    }

    /// Keeps a selection for as long as the run that was made of it.
    pub async fn keep_selection_for_good(&self, selection: &Selection) -> Result<(), Failure> {
        let count = usize::try_from(selection.datasets).unwrap_or(0);
        let all = [
            (SELECTION_PARTS, doc! { "_id": parts(selection.id, count) }),
            (SELECTIONS, doc! { "_id": selection.id }),
        ];
        for (collection, filter) in all {
            let statement =
                doc! { "q": filter, "u": { "$unset": { "expires": "" } }, "multi": true };
            self.jobs_command(doc! { "update": collection, "updates": [statement] }).await?;
        }
        Ok(())
    }
}

/// The ids of the parts in which so many datasets are.
fn parts(id: ObjectId, datasets: usize) -> Document {
    let count = i32::try_from(datasets.div_ceil(PART)).unwrap_or(i32::MAX);
    let ids: Vec<Document> = (0..count).map(|it| doc! { "selection": id, "part": it }).collect();
    doc! { "$in": ids }
}
