//! What somebody may see and do who is no admin: by the rights to datasets that they were given.

use model::{Action, Permit, Right, Rights};

use crate::{
    DatasetReport, Engine, Error, Report, Request, Result, Target, accounts, shown::sees_names,
};

impl Engine {
    /// What whoever has the permit may do with each dataset, as it is at this moment.
    pub(crate) async fn rights(&self, permit: &Permit) -> Result<Rights> {
        accounts::rights(&self.store, permit).await
    }

    /// Refuses a request that is about datasets which do not exist for whoever asks, as if they did not exist, before anything
    /// is read of them. Returns whether all that it is about may be named.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDataset`], for the first of them, whether it is there or not.
    pub(crate) async fn may_name(&self, permit: &Permit, request: &Request) -> Result<bool> {
        if sees_names(permit) {
            return Ok(true);
        }
        let error = |it| self.store.error(it);
        match &request.target {
            Target::Datasets(names) => {
                let rights = self.rights(permit).await?;
                let entries = self.store.entries_called(names).await.map_err(error)?;
                let is_seen = |name: &str| {
                    let found = entries.iter().find(|it| it.name.as_deref() == Some(name));
                    found.is_some_and(|it| rights.sees(&it.id_text()))
                };
                match names.iter().find(|it| !is_seen(it)) {
                    // A name that is nearly right would tell one that is.
                    Some(name) => Err(Error::UnknownDataset { name: name.clone(), nearest: None }),
                    None => Ok(true),
                }
            }
            Target::Selected(frozen) => {
                let rights = self.rights(permit).await?;
                let ids = crate::selection::selected_ids(&self.store, *frozen).await?;
                if ids.iter().all(|it| rights.sees(it)) {
                    return Ok(true);
                }
                let why = "there are datasets in this selection that you may not see any more; select some anew";
                Err(Error::Refused(why.to_owned()))
            }
            Target::Everything | Target::Database => Ok(false),
        }
    }

    /// Whether whoever has the permit may begin what a plan has come to. Admins may; others may take one dataset, which they
    /// may manage, up to the version of the database.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`], or [`Error::Refused`] if it is their right to the dataset that does not suffice.
    pub(crate) async fn may_begin(
        &self,
        permit: &Permit,
        request: &Request,
        plan: &Report,
    ) -> Result<()> {
        if plan.may_go_down() {
            permit.covers(Action::Downgrade)?;
        }
        if permit.covers(Action::MigrateDatabase).is_ok() {
            return Ok(());
        }
        let [dataset] = plan.datasets.as_slice() else {
            return Ok(permit.covers(Action::MigrateDatabase)?);
        };
        if !matches!(request.target, Target::Datasets(_) | Target::Selected(_)) || plan.moves() {
            return Ok(permit.covers(Action::MigrateDatabase)?);
        }
        permit.covers(Action::MigrateDataset)?;
        self.may_manage(permit, request, dataset).await
    }

    async fn may_manage(
        &self,
        permit: &Permit,
        request: &Request,
        dataset: &DatasetReport,
    ) -> Result<()> {
        let label = dataset.label();
        if self.rights(permit).await?.to(&dataset.id) != Some(Right::Manage) {
            return Err(Error::Refused(format!(
                "`{}` may not manage dataset `{label}`, which it takes to migrate it; an admin can give that right",
                permit.holder()
            )));
        }
        let config = self.store.config().await?;
        let destination = request.destination.as_ref().map(ToString::to_string);
        match config.version() {
            Some(at) if destination.as_deref() == Some(at) => Ok(()),
            at => Err(Error::Refused(format!(
                "whoever may manage dataset `{label}` may take it to the version of the database, {}, and to no other; an admin can",
                at.unwrap_or("which is not known")
            ))),
        }
    }
}
