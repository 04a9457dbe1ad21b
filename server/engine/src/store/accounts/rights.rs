//! Rights to datasets: `dataset_rights`, one document for each dataset and each of those who were given one.

use bson::{DateTime, Document, doc};
use model::{Grantee, Right};
use serde::Deserialize;

use crate::store::{Failure, Store};

/// A right: `{ _id: { database, to, dataset }, right, by, at }`.
#[derive(Clone, Debug, Deserialize)]
pub struct RightRecord {
    /// What it is about.
    #[serde(rename = "_id")]
    pub id: RightId,
    /// What they may do; `None`: nothing.
    pub right: Option<Right>,
    /// Who has given it.
    pub by: String,
    /// When.
    pub at: DateTime,
}

/// Whose right, and to what.
#[derive(Clone, Debug, Deserialize)]
pub struct RightId {
    /// To whom it was given, as [`Grantee`] is written.
    pub to: String,
    /// The `_id` of the dataset as text; `None` for all of which nothing else is said. Ids are not given twice, so that a right
    /// to a dataset that is gone is a right to nothing.
    pub dataset: Option<String>,
}

impl RightRecord {
    /// To whom it was given; `None` if this program does not know such people.
    pub fn to(&self) -> Option<Grantee> {
        self.id.to.parse().ok()
    }
}

impl Store {
    /// What was given to these, for datasets of this database.
    pub async fn rights_of(&self, to: &[Grantee]) -> Result<Vec<RightRecord>, Failure> {
        let to: Vec<String> = to.iter().map(ToString::to_string).collect();
        self.rights(doc! { "_id.database": self.name(), "_id.to": { "$in": to } }).await
    }

    /// What was given for this dataset of this database, or for all.
    pub async fn rights_to(&self, dataset: &str) -> Result<Vec<RightRecord>, Failure> {
        let either = doc! { "$in": [dataset, null] };
        self.rights(doc! { "_id.database": self.name(), "_id.dataset": either }).await
    }

    /// Gives a right; what was given there before counts no more.
    pub async fn give_right(
        &self,
        to: &Grantee,
        dataset: Option<&str>,
        right: Option<Right>,
        by: &str,
    ) -> Result<(), Failure> {
        self.have_account_indexes().await;
        let stage = doc! { "$set": {
            "right": right.map(Right::word),
            "by": { "$literal": by },
            "at": "$$NOW",
        } };
        let id = self.right_id(to, dataset);
        let statement = doc! { "q": { "_id": id }, "u": [stage], "upsert": true };
        self.changes_one(RIGHTS, statement).await.map(drop)
    }

    /// Takes a right back. Returns whether there was one.
    pub async fn take_right(&self, to: &Grantee, dataset: Option<&str>) -> Result<bool, Failure> {
        let id = self.right_id(to, dataset);
        Ok(self.delete_all(RIGHTS, doc! { "_id": id }).await? > 0)
    }

    /// Takes all rights back that were given to somebody, for datasets of any database.
    pub async fn take_rights_of(&self, to: &Grantee) -> Result<(), Failure> {
        self.delete_all(RIGHTS, doc! { "_id.to": to.to_string() }).await.map(drop)
    }

    async fn rights(&self, filter: Document) -> Result<Vec<RightRecord>, Failure> {
        let order = doc! { "_id.to": 1, "_id.dataset": 1 };
        self.ask(RIGHTS, vec![doc! { "$match": filter }, doc! { "$sort": order }]).await
    }

    fn right_id(&self, to: &Grantee, dataset: Option<&str>) -> Document {
        doc! { "database": self.name(), "to": to.to_string(), "dataset": dataset }
    }
}

pub const RIGHTS: &str = "dataset_rights";
