//! What this engine runs with, for those who have to know.

use model::{Action, Permit, ServerSettings};

use crate::{Engine, Result, versions};

impl Engine {
    /// What it runs with. Writes nothing; names and passwords are not told.
    ///
    /// # Errors
    ///
    /// If the permit does not cover it, or the server cannot be reached. What it does not say to our user is left out.
    pub async fn settings(&self, permit: &Permit) -> Result<ServerSettings> {
        permit.covers(Action::ReadSettings)?;
        let store = &self.store;
        let server = store.server().await?;
        let topology = store.topology().await.map_err(|it| store.error(it))?;
        let disk = store.disk().await.ok().flatten();
        Ok(ServerSettings {
            compatibility: versions::COMPATIBILITY_VERSION.to_owned(),
            hosts: store.hosts().to_owned(),
            server_version: server.version,
            feature_version: store.feature_version().await,
            topology,
            disk_free_bytes: disk.map(|it| it.free_bytes),
            database: store.name().to_owned(),
            runs: store.runs_name().to_owned(),
            barrier: self.barrier().map(str::to_owned),
            validation: store.validates(),
            undo_days: self.undo_days,
            imports: self.imports.as_ref().map(|it| it.display().to_string()),
        })
    }
}
