//! What runs have done to a dataset, and what their logs say of it.

use bson::DateTime;
use model::{DatasetLine, DatasetRun, JobEvent, RunFrame};

use crate::{
    DatasetReport, Engine, Result,
    report::printable,
    store::{Entry, Job},
};

/// Among how many of the newest runs those are looked for that had to do with a dataset.
const AMONG: i64 = 300;

/// How many of them are told.
const TOLD: usize = 20;

/// How many lines of their logs.
const LINES: usize = 100;

impl Engine {
    /// The runs that had to do with a dataset, and what their logs say of it; the newest first.
    pub(super) async fn history(
        &self,
        entry: &Entry,
    ) -> Result<(Vec<DatasetRun>, Vec<DatasetLine>)> {
        let error = |it| self.store.error(it);
        let about = match self.store.jobs_about(&entry.id_text(), AMONG).await {
            // Whoever may only look at FiftyOne's database may still see the dataset.
            Err(failure) if failure.is_of_rights() => Vec::new(),
            about => about.map_err(error)?,
        };
        let now = crate::clock::text(DateTime::now());
        let (mut history, mut log) = (Vec::new(), Vec::new());
        for (job, note) in about.into_iter().take(TOLD) {
            let Ok(report) = bson::deserialize_from_document::<DatasetReport>(note) else {
                continue;
            };
            let of_it_alone = job.datasets == 1;
            let run = job.id.to_hex();
            let lines = self.store.log_of(job.id).await.map_err(error)?;
            let says = |text: &str| of_it_alone || names(text, entry, &report);
            let lines = lines.into_iter().rev().filter(|it| says(&it.text));
            log.extend(lines.map(|line| DatasetLine { run: run.clone(), line }));
            history.push(self.told(job, report, &now).await?);
        }
        log.truncate(LINES);
        Ok((history, log))
    }

    async fn told(&self, job: Job, report: DatasetReport, now: &str) -> Result<DatasetRun> {
        let frame = RunFrame::of(self.run(&job.id.to_hex()).await?, now);
        let undo = match (frame.why_not(JobEvent::Undo), &frame.run.undo_until) {
            (Some(why), _) => format!("Cannot be undone: {why}"),
            (None, Some(until)) => {
                format!("Can be undone until {}", model::words::moment(until))
            }
            (None, None) => "Can be undone".to_owned(),
        };
        let mut notes: Vec<String> = report.reason.iter().map(|it| printable(it)).collect();
        notes.extend(report.renamed_to.iter().map(|it| format!("renamed to {}", printable(it))));
        notes.extend(report.warnings.iter().chain(&report.found).map(|it| printable(it)));
        notes.extend(report.kept.iter().map(|it| format!("archived: {}", printable(it))));
        notes.extend(report.given_back.iter().map(|it| format!("given back: {}", printable(it))));
        Ok(DatasetRun {
            frame,
            state: report.state.word().to_owned(),
            head: report.head,
            destination: report.destination,
            ended: report.figures.ended,
            notes,
            undo,
        })
    }
}

/// Whether a sentence names the dataset, by a name that it has or had then.
fn names(text: &str, entry: &Entry, report: &DatasetReport) -> bool {
    let names = [entry.name.as_deref(), report.name.as_deref(), report.renamed_to.as_deref()];
    let quoted = names.into_iter().flatten().map(|it| format!("`{it}`"));
    text.contains(&report.id) || quoted.into_iter().any(|it| text.contains(&it))
}
