//! When and how: reading a deployment, planning a migration, and writing it.
//!
//! The only crate that talks to MongoDB, and inside it only `store` does. `plan`, `policy`, `status` and
//! `versions` are pure; `load` folds revisions in memory; `write` writes what came out, in a fixed order.

mod accounts;
mod archive;
mod asked;
mod catalog;
mod clients;
mod clock;
mod corrections;
mod demo;
mod doctor;
mod error;
mod export;
mod facts;
mod glance;
mod guard;
mod headline;
mod import;
mod inspect;
mod job;
mod journal;
mod keep;
mod load;
mod log_page;
mod mark;
mod pass;
mod plan;
mod policy;
mod preview;
mod progress;
mod report;
mod results;
mod retry;
mod rights;
mod run;
mod runs;
mod selection;
mod settings;
mod shares;
mod shown;
mod status;
mod store;
mod strain;
mod survey;
mod sweep;
mod tally;
mod tasks;
mod temporal_tags;
mod timeline;
mod transfer;
#[doc(hidden)]
pub mod trial;
mod undo;
mod unnoted;
mod verify;
pub mod versions;
mod write;

use model::{Action, Permit, Status};
pub use model::{
    Amount, Cause, Estimate, FailureGroup, JobEvent, JobState, JournalState, LogLine, Pace,
    RunDataset, RunFrame, RunHand, RunPage, RunSummary, RunWish, Span,
};

pub use accounts::{AccountError, Accounts, Confirmed, NameFault, Origin, PasswordFault, Token};
pub use archive::{ArchiveState, ArchiveSummary, ConflictSummary};
pub use catalog::Export;
pub use doctor::{Diagnosis, Evidence, Finding, Outcome, Remedy, Subject};
pub use error::{Error, Result};
pub use export::{ExportMedia, ExportProgress, ExportRequest};
pub use import::{Along, ImportProgress, ImportRequest, Receiving};
pub use progress::{Control, Event, Meter};
pub use report::{DatabaseReport, DatasetReport, Figures, JournalSize, Report, State, printable};
pub use revisions::Release;
pub use run::{OnFailure, Request, Target};
pub use runs::LISTED;
pub use selection::Frozen;
pub use shares::Helped;
pub use shown::{DATASETS_SHOWN, sees_names};
pub use store::{Entry, SHOWN};
pub use transfer::{
    RewriteRequest, RewriteWay, SIDE_BY_SIDE, TransferPhase, TransferProgress, UndonePaths,
    UploadRequest, placed, to_its_end,
};

use crate::{
    run::{Going, Run},
    store::{Failure, Holder, Store},
};

/// Which database, and what may be done with it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// `mongodb://..`
    pub uri: String,
    /// The database's name.
    pub database: String,
    /// The name of the database beside it in which runs are written down (`FIFTYONE_MIGRATE_DATABASE`).
    pub runs: String,
    /// Whether it may be migrated from here (`FIFTYONE_DATABASE_ADMIN`).
    pub admin: bool,
    /// Whether the server's version is checked (`FIFTYONE_DATABASE_VALIDATION`).
    pub validation: bool,
}

/// One deployment's database, and everything that can be done with it.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Store,
    admin: bool,
    disabled: bool,
    undo_days: u32,
    /// The folder that those import from who may not read whatever is on this machine.
    imports: Option<std::path::PathBuf>,
    /// What pages have seen last of the datasets; all clones share it.
    catalog: catalog::Reader,
}

/// What is said where migrations are switched off.
pub const DISABLED: &str = "migrations are disabled by `FIFTYONE_DISABLE_MIGRATIONS`; unset it or set it to `0` to migrate";

/// Whoever has a shell here, as runs and their logs name them: `user@host`.
pub fn operator() -> String {
    Holder::this().name()
}

/// For how many days it is kept how things were before a run.
pub const UNDO_DAYS: u32 = 30;

impl Engine {
    /// Prepares a connection. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Uri`] if the URI cannot be read.
    pub async fn open(connection: &Connection) -> Result<Self> {
        let Connection { uri, database, runs, admin, validation } = connection;
        let store = Store::open(uri, database, runs, *validation).await?;
        let catalog = catalog::Reader::default();
        Ok(Self {
            store,
            admin: *admin,
            disabled: false,
            undo_days: UNDO_DAYS,
            imports: None,
            catalog,
        })
    }

    /// The same engine, whose runs can be undone for this many days.
    #[must_use]
    pub fn keeping_for(self, undo_days: u32) -> Self {
        Self { undo_days, ..self }
    }

    /// The same engine, with a folder that members may import from.
    #[must_use]
    pub fn importing_from(self, imports: Option<std::path::PathBuf>) -> Self {
        Self { imports, ..self }
    }

    /// The same engine; `disabled`: nothing may be migrated from here, whoever asks (`FIFTYONE_DISABLE_MIGRATIONS`).
    #[must_use]
    pub fn disabled(self, disabled: bool) -> Self {
        Self { disabled, ..self }
    }

    /// The database's name, by which the deployment is known.
    pub fn database(&self) -> &str {
        self.store.name()
    }

    /// Whether anything may be migrated from here.
    pub const fn may_migrate(&self) -> bool {
        self.barrier().is_none()
    }

    /// Why nothing may be migrated from here, whoever asks, if that is so.
    pub const fn barrier(&self) -> Option<&'static str> {
        match (self.disabled, self.admin) {
            (true, _) => Some(DISABLED),
            (false, false) => Some(
                "nothing may be migrated from here: FIFTYONE_DATABASE_ADMIN is not true where this server runs",
            ),
            (false, true) => None,
        }
    }

    /// Whether anything may be written to FiftyOne's collections from here; `what` is what would be.
    pub(crate) fn may_write(&self, what: &str) -> Result<()> {
        match (self.disabled, self.admin) {
            (true, _) => Err(Error::Refused(DISABLED.to_owned())),
            (false, false) => Err(Error::Refused(format!(
                "{what} writes to the database: set `FIFTYONE_DATABASE_ADMIN=true`"
            ))),
            (false, true) => Ok(()),
        }
    }

    /// Ends the connection, for all clones of this engine. To be called before the program ends.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// What the deployment is at. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn status(&self) -> Result<Status> {
        Ok(self.status_and_datasets().await?.0)
    }

    /// What the deployment is at, and the datasets it was counted from. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn status_and_datasets(&self) -> Result<(Status, Vec<Entry>)> {
        let server = self.store.server().await?;
        let config = self.store.config().await?;
        let entries = self.datasets().await?;
        let name = self.store.name();
        let status = status::status(
            (name, server.version),
            self.admin,
            config.version(),
            &entries,
            &self.versions().await?,
        );
        Ok((status, entries))
    }

    /// All datasets with their versions, by name. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn datasets(&self) -> Result<Vec<Entry>> {
        self.store.entries().await.map_err(|it| self.store.error(it))
    }

    /// Does what `request` asks for, or says what it would do.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it, which for a way down is known when it is planned; then nothing was
    /// written. If nothing could be begun, or the connection was lost. What happened to single datasets is in the report.
    pub async fn migrate(
        &self,
        permit: &Permit,
        request: Request,
        control: Control,
    ) -> Result<Report> {
        permit.covers(if request.dry_run {
            Action::PreviewMigration
        } else {
            Action::MigrateDatabase
        })?;
        if self.disabled && !request.dry_run {
            return Err(Error::Refused(DISABLED.to_owned()));
        }
        self.carry(Some(permit.clone()), request, Going::default(), control).await
    }

    /// Carries a request out. `permit`: none for what was asked for before, and allowed then.
    pub(crate) async fn carry(
        &self,
        permit: Option<Permit>,
        request: Request,
        going: Going,
        control: Control,
    ) -> Result<Report> {
        let Self { store, admin, undo_days, .. } = self.clone();
        Run { store, admin, permit, control, request, going, undo_days }.run().await
    }

    /// Fills an empty database with a small deployment of old datasets. Returns how many were added: none if
    /// there is anything already.
    ///
    /// # Errors
    ///
    /// If the permit does not cover it, or the server cannot be reached.
    pub async fn plant_demo(&self, permit: &Permit) -> Result<usize> {
        permit.covers(Action::MigrateDatabase)?;
        self.store.server().await?;
        let planted = async {
            if !self.store.collections().await?.is_empty() {
                return Ok(0);
            }
            let garden = demo::garden().map_err(|it| Failure::other(it.to_string()))?;
            for (collection, documents) in &garden.collections {
                self.store.plant(collection, documents).await?;
            }
            Ok(garden.datasets)
        };
        planted.await.map_err(|it| self.store.error(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Server functions may be moved to another thread wherever they wait.
    #[test]
    fn whatever_the_engine_does_can_be_done_on_any_thread() {
        fn any_thread<T: Send>(_: T) {}
        fn all(engine: &Engine, permit: &Permit, request: &Request, control: &Control) {
            any_thread(engine.status());
            any_thread(engine.dataset_page(permit, &model::DatasetQuery::default()));
            any_thread(engine.select(permit, &model::DatasetQuery::default(), None));
            any_thread(engine.inspect(permit, "", ""));
            any_thread(engine.documents_ahead(permit, "", ""));
            any_thread(engine.frame(""));
            any_thread(engine.ask(permit, "", JobEvent::Pause, None));
            any_thread(engine.migrate(permit, request.clone(), control.clone()));
            any_thread(engine.leave_to_a_server(permit, request, control.clone()));
            any_thread(engine.go_on(permit, "", JobEvent::Resume, control.clone()));
            any_thread(engine.retry(permit, "", None, control.clone()));
            any_thread(engine.wish(permit, "", JobEvent::Pause));
            any_thread(engine.set_pace(permit, "", |it| it));
            any_thread(engine.undo(permit, "", &[], control.clone()));
            any_thread(engine.join(permit, "", control.clone()));
            any_thread(engine.forget(permit, ""));
            any_thread(engine.forget_archive(permit, None));
            any_thread(engine.repair(permit, control.clone()));
            any_thread(engine.clone().attend(std::future::ready(())));
        }
        fn accounts(accounts: &Accounts, permit: &Permit, origin: &Origin) {
            any_thread(accounts.accept("", "", "", origin));
            any_thread(accounts.sign_in("", "", origin));
            any_thread(accounts.visitor(""));
            any_thread(accounts.sessions(permit, None));
            any_thread(accounts.list(permit));
            any_thread(accounts.set_role(permit, "", model::Role::Guest));
            any_thread(accounts.change_password(permit, "", "", ""));
        }
        let _: fn(&Engine, &Permit, &Request, &Control) = all;
        let _: fn(&Accounts, &Permit, &Origin) = accounts;
    }
}
