//! The database's own version, and the collections that were dropped because no dataset uses them.

use bson::{Bson, Document};
use revisions::{Release, base};

use super::Back;
use crate::{
    DatabaseReport, Error, Result, State,
    journal::entry_id,
    store::{Config, Failure, Kind, Restoring, Store, Values},
};

/// What the journal has of the database.
pub fn entry(entries: &[Document]) -> Option<&Document> {
    entries.iter().find(|it| Kind::Database.is_of(it))
}

impl Back {
    /// Brings the database's version back, unless somebody else has changed it since.
    pub(super) async fn database(&self, entries: &[Document]) -> Result<DatabaseReport> {
        let mut report = database_stays(entries);
        let Some(entry) = entry(entries) else { return Ok(report) };
        if !self.control.may_go_on().await {
            return Ok(report);
        }
        let (before, after) = (config(entry, "before"), config(entry, "after"));
        let now = self.store.config().await?;
        let is_back = now == before;
        let is_ours =
            now == after || (before.document.is_empty() && now.version() == after.version());
        if !is_back && !is_ours {
            tracing::warn!(
                "the `config` document was changed by somebody since; it stays as it is"
            );
            report.state = State::NotUndone;
            return Ok(report);
        }
        let error = |it: Failure| self.store.error(it);
        if !self.dropped(entry, entries).await.map_err(error)? {
            return Ok(report);
        }
        let back = is_back || self.store.unstamp_database(&now, &before).await.map_err(error)?;
        report.state = if back { State::Undone } else { State::NotUndone };
        Ok(report)
    }

    /// Brings back collections that were dropped. False if it was stopped.
    async fn dropped(&self, entry: &Document, entries: &[Document]) -> Result<bool, Failure> {
        let names = entry.get_array("dropped").ok().into_iter().flatten();
        for name in names.filter_map(Bson::as_str) {
            let values = Values {
                place: crate::store::VALUES,
                run: self.job.id,
                dataset: Bson::Null,
                turn: 0,
                scope: format!("collection {name}"),
            };
            let (insert, control) = (Restoring::Insert, &self.control);
            if !self.store.restore_values(&values, name, &insert, control).await? {
                return Ok(false);
            }
            let indexes = entries
                .iter()
                .find(|it| Kind::Indexes.is_of(it) && entry_id(it) == Some(&name.into()));
            if let Some(indexes) = indexes {
                self.store.make_indexes(name, indexes_in(indexes)).await?;
            }
        }
        Ok(true)
    }
}

/// Whether the datasets of a run that went down may go up again: an old client must not meet data that is newer than what
/// the database says.
///
/// # Errors
///
/// [`Error::Refused`] if they may not; `what` there is to do.
pub async fn is_high_enough(store: &Store, entries: &[Document], what: &str) -> Result<()> {
    let went_down = |it: &&Document| it.get_bool("goes_down").unwrap_or(false);
    let Some(entry) = entry(entries).filter(went_down) else { return Ok(()) };
    let (before, now) = (config(entry, "before"), store.config().await?);
    let release = |it: &Config| it.version().and_then(|it| it.parse::<Release>().ok());
    let is_high = match (release(&now), release(&before)) {
        (Some(now), Some(before)) => base(&now) >= base(&before),
        _ => now.version() == before.version(),
    };
    if is_high {
        return Ok(());
    }
    let version = |it: &Config| it.version().map_or("no version".to_owned(), |it| format!("v{it}"));
    Err(Error::Refused(format!(
        "the database is at {}, and what is undone would be newer: it was at {} before; {what}",
        version(&now),
        version(&before),
    )))
}

/// The database is left as it is.
pub fn database_stays(entries: &[Document]) -> DatabaseReport {
    let entry = entry(entries);
    let version = |key: &str| entry.and_then(|it| config(it, key).version().map(str::to_owned));
    DatabaseReport {
        head: version("after"),
        destination: version("before"),
        revisions: Vec::new(),
        drops: Vec::new(),
        state: State::Untouched,
    }
}

/// The definitions in an entry.
pub fn indexes_in(entry: &Document) -> Vec<Document> {
    let indexes = entry.get_array("indexes").ok().into_iter().flatten();
    indexes.filter_map(|it| it.as_document().cloned()).collect()
}

fn config(entry: &Document, key: &str) -> Config {
    Config { document: entry.get_document(key).cloned().unwrap_or_default() }
}
