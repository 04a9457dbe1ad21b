//! The log of a run, a page at a time.

use model::{Action, LINES_ON_PAGE, LogLine, LogPage, NumberedLine, Permit};

use crate::{Engine, Error, Result, store::Failure};

/// How much is looked for at most, in letters.
const LONGEST_WORDS: usize = 200;

impl Engine {
    /// A page of what happened to a run, the newest first: of the lines that have these words, or that on which a line is.
    /// A page that there is not is the last one. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover names of datasets; [`Error::Refused`] if looking for the words takes
    /// too long; as [`Engine::run`].
    pub async fn log_page(
        &self,
        permit: &Permit,
        id: &str,
        words: &str,
        page: u64,
        line: Option<u64>,
    ) -> Result<LogPage> {
        permit.covers(Action::ReadEveryDataset)?;
        let job = self.job(id).await?;
        let error = |it: Failure| self.log_error(it);
        // A line stands among all others.
        let words = if line.is_some() { String::new() } else { looked_for(words) };
        let all = self.store.log_length(job.id).await.map_err(error)?;
        let line = line.filter(|it| (1..=all).contains(it));
        let mut page = line.map_or(page.max(1), |it| (all - it) / LINES_ON_PAGE + 1);
        let at_most = i64::try_from(LINES_ON_PAGE).unwrap_or(i64::MAX);
        let at = |page: u64| (page - 1).saturating_mul(LINES_ON_PAGE).min(i64::MAX.unsigned_abs());
        let mut read =
            self.store.log_page(job.id, &words, (at(page), at_most)).await.map_err(error)?;
        if read.lines.is_empty() && read.found > 0 {
            page = read.found.div_ceil(LINES_ON_PAGE);
            read = self.store.log_page(job.id, &words, (at(page), at_most)).await.map_err(error)?;
        }
        let lines = read.lines.into_iter().map(|(number, line)| NumberedLine { number, line });
        Ok(LogPage {
            run: job.id.to_hex(),
            asked: job.asked.words(),
            destination: job.destination,
            words,
            page: if read.found == 0 { 1 } else { page },
            found: read.found,
            all: all.max(read.found),
            line,
            lines: lines.collect(),
        })
    }

    /// All that a run's log says, or the lines that have these words, to take away. Writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Engine::log_page`].
    pub async fn export_log(&self, permit: &Permit, id: &str, words: &str) -> Result<Vec<LogLine>> {
        permit.covers(Action::ReadEveryDataset)?;
        let job = self.job(id).await?;
        let found = self.store.whole_log_of(job.id, &looked_for(words)).await;
        found.map_err(|it| self.log_error(it))
    }

    fn log_error(&self, failure: Failure) -> Error {
        if failure.is_too_slow() {
            let text =
                "reading the log took the server too long; download all of it, and look there";
            return Error::Refused(text.to_owned());
        }
        self.store.error(failure)
    }
}

/// What somebody has typed, as it is looked for.
fn looked_for(words: &str) -> String {
    words.trim().chars().take(LONGEST_WORDS).collect()
}
