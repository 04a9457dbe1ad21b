//! What became of datasets, as it is written down.

use bson::oid::ObjectId;

use crate::{
    report::DatasetReport,
    store::{Failure, JobDataset, Store},
};

/// Of how many datasets one command says that they were migrated: each takes some 170 bytes of it.
const AT_ONCE: usize = 10_000;

/// Notes what becomes of datasets, under the number of a lease or of a claim.
#[derive(Clone, Debug)]
pub struct Notes {
    /// The database.
    pub store: Store,
    /// The run.
    pub run: ObjectId,
    /// The number: nothing that was noted under a larger one is changed.
    pub fence: i64,
    /// Who did it, where several work on the run.
    pub hand: Option<ObjectId>,
}

impl Notes {
    /// Notes these. Returns whether they are ours: somebody else may have the run, or the share, by now.
    pub async fn note(&self, reports: &[DatasetReport]) -> Result<bool, Failure> {
        // Of most there is nothing to say but that they are done, and that is quick to say of many at once.
        let (plain, others): (Vec<_>, Vec<_>) =
            reports.iter().partition(|it| it.is_plainly_migrated());
        let figures: Vec<_> = plain.iter().map(|it| (it.id.as_str(), &it.figures)).collect();
        let mut whole: Vec<&DatasetReport> = others;
        let under = (self.fence, self.hand);
        for (figures, plain) in figures.chunks(AT_ONCE).zip(plain.chunks(AT_ONCE)) {
            if self.store.note_migrated(self.run, under, figures).await? != figures.len() {
                // Some that were not planned when the run began, or somebody else has the run now.
                whole.extend(plain);
            }
        }
        let mut whole: Vec<JobDataset> = whole.into_iter().map(noted).collect::<Result<_, _>>()?;
        if let Some(hand) = self.hand {
            for it in &mut whole {
                it.report.insert("hand", hand);
            }
        }
        match self.store.note_datasets(self.run, self.fence, &whole).await {
            Err(failure) if failure.is_duplicate() => Ok(false),
            noted => noted.map(|()| true),
        }
    }
}

/// A report as it is kept.
pub fn noted(report: &DatasetReport) -> Result<JobDataset, Failure> {
    let document =
        bson::serialize_to_document(report).map_err(|it| Failure::other(it.to_string()))?;
    Ok(JobDataset { dataset: report.id.clone(), report: document })
}
