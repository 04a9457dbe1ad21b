//! What the first page says of a deployment.

use bson::DateTime;
use model::{Action, Glance, Permit, RunFrame};

use crate::{Engine, Result, clock, facts, headline::headline, shown::as_seen, store::Failure};

/// How many runs it shows.
const RUNS: i64 = 5;

impl Engine {
    /// What there is to see at a glance, and for whoever has the permit to do. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::status`]. What MongoDB does not say to our user is left out.
    pub async fn glance(&self, permit: &Permit) -> Result<Glance> {
        permit.covers(Action::ReadStatus)?;
        let store = &self.store;
        let (status, topology, feature_version, disk, runs) = tokio::join!(
            self.status(),
            store.topology(),
            store.feature_version(),
            store.disk(),
            self.newest_runs(),
        );
        let (status, mut runs) = (status?, as_seen(permit, runs?));
        let goes_on = runs.iter().any(|it| it.run.state.is_active());
        // A server that migrates has better things to do.
        if !goes_on {
            self.read_ahead();
        }
        let headline = headline(&status, &runs, self.known_blocked(), permit);
        runs.truncate(usize::try_from(RUNS).unwrap_or_default());
        if permit.covers(Action::ReadRuns).is_err() {
            runs.clear();
        }
        let topology = told(topology).map_err(|it| store.error(it))?;
        let disk = told(disk).map_err(|it| store.error(it))?.flatten().map(|it| it.free_bytes);
        Ok(Glance {
            goes_on,
            headline,
            ladder: facts::ladder(&status),
            deployment: facts::deployment(
                &status,
                topology.as_ref(),
                feature_version.as_deref(),
                disk,
            ),
            datasets: status.datasets,
            runs,
            browses: permit.covers(Action::ReadEveryDataset).is_ok(),
        })
    }

    /// The newest runs, newest first, and those that go on.
    async fn newest_runs(&self) -> Result<Vec<RunFrame>> {
        let error = |it| self.store.error(it);
        let mut jobs = self.store.list_jobs(RUNS).await.map_err(error)?;
        let mut others = self.store.unfinished_jobs().await.map_err(error)?;
        others.retain(|it| it.state.is_active() && jobs.iter().all(|known| known.id != it.id));
        jobs.extend(others);
        let now = clock::text(DateTime::now());
        let mut frames = Vec::new();
        for it in jobs {
            frames.push(RunFrame::of(self.summary(it, false).await?, &now));
        }
        Ok(frames)
    }
}

/// What MongoDB says, or nothing where our user may not know.
fn told<T>(asked: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match asked {
        Err(failure) if failure.is_of_privileges() => Ok(None),
        asked => asked.map(Some),
    }
}
