//! What all repairs share: nothing is changed before it is written down, and nothing after somebody else may write.

use bson::{Bson, DateTime, Document, RawDocumentBuf, oid::ObjectId};

use super::{Finding, Outcome, Patient, Remedy};
use crate::{
    load::decoded,
    pass::Halt,
    progress::Control,
    store::{Failure, Repair, Swap},
};

/// How often a dataset document that others keep changing is read again.
const ATTEMPTS: usize = 5;

/// Repairs, under a lease.
#[derive(Clone, Debug)]
pub struct Surgery {
    /// What is repaired.
    pub patient: Patient,
    /// To be stopped, and to be kept from writing when the lease has run out.
    pub control: Control,
    /// What the lease was taken for, and its number.
    pub run: (ObjectId, i64),
    /// Who repairs: `user@host`.
    pub by: String,
    /// The time of the repair.
    pub now: DateTime,
}

/// A change of a dataset document.
#[derive(Debug)]
pub struct Edit {
    /// What of it was changed, as it was before.
    pub kept: Document,
    /// What was done, in one sentence without a full stop.
    pub done: String,
}

impl Surgery {
    /// The edge between two pieces: here it can be stopped.
    pub async fn edge(&self) -> Result<(), Halt> {
        if self.control.may_go_on().await { Ok(()) } else { Err(Halt::Stopped) }
    }

    /// Writes down what is going to be done about a finding, with the originals.
    pub async fn begin(
        &self,
        finding: &Finding,
        kept: Vec<(String, Document)>,
        files: Vec<ObjectId>,
    ) -> Result<ObjectId, Halt> {
        self.edge().await?;
        let evidence = bson::serialize_to_document(&finding.evidence);
        let subject = finding.dataset.as_ref();
        let repair = Repair {
            kind: finding.kind,
            dataset: subject.map(|it| bson::doc! { "id": &it.key, "name": &it.name }),
            by: self.by.clone(),
            found: finding.problem.clone(),
            evidence: evidence.map_err(|it| Failure::other(it.to_string()))?,
            kept,
            files,
        };
        let id = self.patient.store.begin_repair(repair).await?;
        // Copying may have taken long.
        self.edge().await?;
        Ok(id)
    }

    /// Notes what was done.
    pub async fn end(&self, record: ObjectId, done: &str) -> Result<(), Halt> {
        self.control.wrote();
        Ok(self.patient.store.end_repair(record, done).await?)
    }

    /// Changes a dataset document, while it is as a whole what was read. `change` finds nothing to do any more: `None`.
    pub async fn edit(
        &self,
        finding: &Finding,
        change: impl Fn(&mut Document) -> Option<Edit> + Send,
    ) -> Result<Outcome, Halt> {
        let store = &self.patient.store;
        let key = finding.dataset.as_ref().map_or(Bson::Null, |it| it.key.clone());
        for _ in 0..ATTEMPTS {
            self.edge().await?;
            let Some(read) = store.datasets(std::slice::from_ref(&key)).await?.pop().flatten()
            else {
                return Ok(Outcome::Mended("nothing: the dataset is gone".to_owned()));
            };
            let mut document = match decoded(&read) {
                Ok(document) => document,
                Err(reason) => return Ok(Outcome::Left(reason)),
            };
            let Some(Edit { kept, done }) = change(&mut document) else {
                return Ok(Outcome::Mended("nothing: somebody has mended it meanwhile".to_owned()));
            };
            let changed = RawDocumentBuf::try_from(&document);
            let changed = changed.map_err(|it| Failure::other(it.to_string()))?;
            let mut original = bson::doc! { "_id": &key };
            original.extend(kept);
            let record =
                self.begin(finding, vec![("datasets".to_owned(), original)], Vec::new()).await?;
            if store.commit(&[Swap { read: &read, changed: &changed }]).await? == 1 {
                self.end(record, &done).await?;
                return Ok(Outcome::Mended(done));
            }
            self.end(record, "nothing: somebody has edited the dataset meanwhile").await?;
        }
        Ok(Outcome::Left(
            "it is edited by somebody else faster than it can be mended; pause what writes to it and run this again"
                .to_owned(),
        ))
    }
}

/// What the repair would do.
pub fn doctor(what: impl Into<String>) -> Remedy {
    Remedy::Doctor(what.into())
}
