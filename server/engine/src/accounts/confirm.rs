//! Saying once more who one is, before what is hard to take back.

use model::{Action, Permit};

use super::{AccountError, Accounts, Error, error::Result, password, rate};

/// Proof that somebody has given their password just now. Only [`Accounts::confirm`] makes one.
#[derive(Clone, Debug)]
pub struct Confirmed {
    by: String,
}

impl Confirmed {
    /// Whether it is the holder of this permit who has.
    pub(crate) fn is_of(&self, permit: &Permit) -> bool {
        self.by == permit.holder()
    }
}

impl Accounts {
    /// Checks that whoever asks knows their password: a browser may be left open.
    ///
    /// # Errors
    ///
    /// [`AccountError::WrongCredentials`], and [`AccountError::TooManyAttempts`] as when signing in.
    pub async fn confirm(&self, permit: &Permit, password: &str) -> Result<Confirmed> {
        permit.covers(Action::KeepOwnAccount)?;
        let account = self.known(permit.holder()).await?;
        let attempts = rate::password(&account.id);
        self.admit(&attempts, rate::OF_PAIR).await?;
        if !password::is_right(password, Some(&account.password)).await.map_err(Error::Refused)? {
            return Err(AccountError::WrongCredentials);
        }
        self.told(self.store.forget_attempts(&attempts).await)?;
        Ok(Confirmed { by: permit.holder().to_owned() })
    }
}
