//! Runs as pages show them: to each what they may see, and no more than a page can hold.

use bson::DateTime;
use model::{Action, Permit, RunDataset, RunFrame, RunMoment, RunPage};

use crate::{DatasetReport, Engine, Result, State, timeline};

/// How many datasets of a run a page shows.
pub const DATASETS_SHOWN: u16 = 200;

/// How many lines of its log.
const LINES_SHOWN: usize = 200;

/// Runs as whoever has the permit may see them.
pub(crate) fn as_seen(permit: &Permit, runs: Vec<RunFrame>) -> Vec<RunFrame> {
    let named = sees_names(permit);
    runs.into_iter().map(|it| if named { it } else { it.without_names() }).collect()
}

impl Engine {
    /// How far a run is at this moment. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`].
    pub async fn frame(&self, id: &str) -> Result<RunFrame> {
        Ok(RunFrame::of(self.unnamed_run(id).await?, &now()))
    }

    /// The runs of this database, newest first, as whoever has the permit may see them. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn shown_runs(&self, permit: &Permit) -> Result<Vec<RunFrame>> {
        let now = now();
        let frames = self.runs().await?.into_iter().map(|it| RunFrame::of(it, &now));
        Ok(as_seen(permit, frames.collect()))
    }

    /// One run with its datasets in this state, or all if that is no state of any, as whoever has the permit may see it.
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`].
    pub async fn shown_run(
        &self,
        permit: &Permit,
        id: &str,
        state: Option<&str>,
    ) -> Result<RunPage> {
        let (barred, database) = (self.barred(permit), self.database().to_owned());
        let frame = self.frame(id).await?;
        let timeline = self.timeline(&frame, sees_names(permit)).await?;
        if !sees_names(permit) {
            let (frame, datasets, log) = (frame.without_names(), Vec::new(), Vec::new());
            let (show, named) = (None, false);
            return Ok(RunPage { frame, timeline, datasets, show, log, named, barred, database });
        }
        let state = state.filter(|it| State::ALL.iter().any(|known| known.word() == *it));
        let show = state.map(str::to_owned);
        let datasets = self.first_datasets(id, state).await?;
        let mut log = self.run_log(id).await?;
        log.reverse();
        log.truncate(LINES_SHOWN);
        let log = log.into_iter().map(RunMoment::from).collect();
        let named = true;
        Ok(RunPage { frame, timeline, datasets, show, log, named, barred, database })
    }

    /// All datasets of a run, by name, to take away. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Denied`] if the permit does not cover their names; as [`Engine::run`].
    pub async fn export_run(&self, permit: &Permit, id: &str) -> Result<Vec<RunDataset>> {
        permit.covers(Action::ReadEveryDataset)?;
        Ok(self.run_datasets(id).await?.into_iter().map(DatasetReport::row).collect())
    }

    /// What happened to a run, as far as whoever may see names, or not, may know it.
    async fn timeline(&self, frame: &RunFrame, named: bool) -> Result<Vec<RunMoment>> {
        let job = self.job(&frame.run.id).await?;
        let story = self.store.story_of(job.id, timeline::SHOWN).await;
        let story = story.map_err(|it| self.store.error(it))?;
        Ok(timeline::of(frame, &story, named))
    }

    async fn first_datasets(&self, id: &str, state: Option<&str>) -> Result<Vec<RunDataset>> {
        let job = self.job(id).await?;
        let states: Vec<&str> = state.into_iter().collect();
        let found = self.store.first_job_datasets(job.id, &states, DATASETS_SHOWN.into()).await;
        let found = found.map_err(|it| self.store.error(it))?;
        let known = found.into_iter().filter_map(|it| bson::deserialize_from_document(it).ok());
        let row = |mut it: DatasetReport| {
            // Of those that are under way, the run itself says how far they are.
            let now = job.under_way.iter().find(|now| now.dataset == it.id);
            if let Some(now) = now.filter(|_| it.state == State::Planned) {
                it.figures = now.figures();
            }
            it.row()
        };
        Ok(known.map(row).collect())
    }

    /// Why whoever has the permit may not control runs, if they may not.
    fn barred(&self, permit: &Permit) -> Option<String> {
        let role = permit.covers(Action::ControlRuns).map_err(|it| it.to_string());
        role.err().or_else(|| self.allowed().err().map(|it| it.to_string()))
    }
}

/// Whether the names of all datasets may be shown, whatever they come with.
pub fn sees_names(permit: &Permit) -> bool {
    permit.covers(Action::ReadEveryDataset).is_ok()
}

impl DatasetReport {
    /// What a page shows of it.
    fn row(self) -> RunDataset {
        let name = self.renamed_to.clone().unwrap_or_else(|| self.label());
        RunDataset {
            id: self.id,
            name,
            state: self.state.word().to_owned(),
            head: self.head,
            destination: self.destination,
            cause: self.cause,
            reason: self.reason,
            documents: self.figures.documents,
            ahead: self.figures.ahead,
        }
    }
}

fn now() -> String {
    crate::clock::text(DateTime::now())
}
