//! What admins do with accounts, and everybody with their own.

use model::{AccountSummary, Action, Permit, Role};

use super::{AccountError, Accounts, Error, Name, Result, name, password, rate};
use crate::{
    clock,
    store::{Access, Account, Change, Failure},
};

/// How often it is tried to change an account while others change some; each time somebody else has succeeded.
const TRIES: usize = 100;

impl Accounts {
    /// All accounts, by name.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn list(&self, permit: &Permit) -> Result<Vec<AccountSummary>> {
        permit.covers(Action::ManageUsers)?;
        self.complete_changes().await?;
        let accounts = self.told(self.store.all_accounts().await)?;
        let sessions = self.told(self.store.count_live_sessions().await)?;
        let summary = |it: Account| AccountSummary {
            sessions: sessions.get(&it.id).copied().unwrap_or(0),
            name: it.name,
            role: it.access.role,
            disabled: it.access.disabled,
            created: clock::text(it.created),
            last_seen: it.last_seen.map(clock::text),
        };
        Ok(accounts.into_iter().map(summary).collect())
    }

    /// Gives an account another role, and ends its sessions. Nothing happens if it has that role.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::UnknownAccount`], and
    /// [`AccountError::LastAdmin`] if nobody else could let others in.
    pub async fn set_role(&self, permit: &Permit, account: &str, role: Role) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        if self.change_access(account, |it| Access { role, ..it }).await? {
            tracing::info!("`{}` has given `{account}` the role {role}", permit.holder());
        }
        Ok(())
    }

    /// Disables or enables an account, and ends its sessions. Nothing happens if it is that already.
    ///
    /// # Errors
    ///
    /// As [`Accounts::set_role`].
    pub async fn set_disabled(&self, permit: &Permit, account: &str, disabled: bool) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        if self.change_access(account, |it| Access { disabled, ..it }).await? {
            let what = if disabled { "disabled" } else { "enabled" };
            tracing::info!("`{}` has {what} `{account}`", permit.holder());
        }
        Ok(())
    }

    /// Changes one's own password, and ends one's sessions but the one with this public id.
    ///
    /// # Errors
    ///
    /// [`AccountError::BadPassword`] for the new one, [`AccountError::WrongCredentials`] for the old one, and
    /// [`AccountError::TooManyAttempts`] as when signing in.
    pub async fn change_password(
        &self,
        permit: &Permit,
        old: &str,
        new: &str,
        keep_session: &str,
    ) -> Result<()> {
        permit.covers(Action::KeepOwnAccount)?;
        let account = self.known(permit.holder()).await?;
        password::check(new, &Name::read(&account.name)?)?;
        // Whoever found a browser open must not find the password out by it.
        let attempts = rate::password(&account.id);
        self.admit(&attempts, rate::OF_PAIR).await?;
        if !password::is_right(old, Some(&account.password)).await.map_err(Error::Refused)? {
            return Err(AccountError::WrongCredentials);
        }
        let new = password::hash(new).await.map_err(Error::Refused)?;
        let both = (account.password.as_str(), new.as_str());
        let replaced = self.store.replace_password(&account.id, both, keep_session).await;
        if !self.told(replaced)? {
            // It was the right one until a moment ago.
            return Err(AccountError::WrongCredentials);
        }
        self.told(self.store.forget_attempts(&attempts).await)?;
        tracing::info!("`{}` has changed their password", account.name);
        Ok(())
    }

    /// Completes a change of access that somebody has begun who was cut off. Until then the account is what it was.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn complete_changes(&self) -> Result<()> {
        if let Some((number, change)) = self.told(self.store.begun_change().await)? {
            self.told(self.store.complete_change(number, &change).await)?;
            tracing::info!(
                "the change of `{}` that somebody had begun is completed",
                change.account
            );
        }
        Ok(())
    }

    /// The account of this name.
    pub(super) async fn known(&self, account: &str) -> Result<Account> {
        let found = self.told(self.store.account(&name::id(account)).await)?;
        found.ok_or_else(|| AccountError::UnknownAccount(account.to_owned()))
    }

    /// Changes the access of an account, unless nobody would be left to let others in. Returns whether it was another one before.
    ///
    /// All such changes follow one another (see `store`), so that two admins who demote each other at the
    /// same moment do not both find the other one left.
    async fn change_access(
        &self,
        account: &str,
        change: impl Fn(Access) -> Access,
    ) -> Result<bool> {
        for _ in 0..TRIES {
            let roster = self.told(self.store.roster().await)?;
            if let Some(begun) = roster.change {
                self.told(self.store.complete_change(roster.number, &begun).await)?;
                continue;
            }
            let Account { id, access: now, .. } = self.known(account).await?;
            let access = change(now);
            if access == now {
                return Ok(false);
            }
            let leaves = now.leads() && !access.leads();
            if leaves && !self.told(self.store.is_led_without(&id).await)? {
                return Err(AccountError::LastAdmin);
            }
            let change = Change { account: id, access };
            let (store, number) = (self.store.clone(), roster.number);
            // In a task of its own: whoever asks for it may leave before it is done, and it must not be half done then.
            let changed = tokio::spawn(async move {
                let begun = store.begin_change(number, &change).await?;
                if begun {
                    store.complete_change(number + 1, &change).await?;
                }
                Ok(begun)
            });
            let changed = changed.await.unwrap_or_else(|it| Err(Failure::other(it.to_string())));
            if self.told(changed)? {
                return Ok(true);
            }
        }
        let busy = "others are changing accounts at this moment; try again";
        Err(Error::Refused(busy.to_owned()).into())
    }
}
