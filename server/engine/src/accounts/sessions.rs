//! Signing in and out, and who is signed in.

use model::{Action, Permit, Principal, SessionSummary, Visitor};

use super::{
    AccountError, Accounts, Error, Name, Origin, Result, Token, covers_account, name, password,
    rate, token,
};
use crate::{
    clock,
    store::{Account, Admission, Limit, Session},
};

impl Accounts {
    /// Signs somebody in. It takes about as long and comes to the same whether the name is unknown, the account disabled or
    /// the password wrong.
    ///
    /// # Errors
    ///
    /// [`AccountError::WrongCredentials`], or [`AccountError::TooManyAttempts`] of this account or from this address.
    pub async fn sign_in(&self, name: &str, password: &str, origin: &Origin) -> Result<Token> {
        let id = name::id(name);
        let of_pair = rate::pair(&id, &origin.address);
        let limits = [
            (of_pair.clone(), rate::OF_PAIR),
            (rate::account(&id), rate::OF_ACCOUNT),
            (rate::address(&origin.address), rate::OF_ADDRESS),
        ];
        // Counted before it is tried: however many are sent at once, no more are tried.
        self.admit_all(&limits).await?;
        let account = match Name::read(name) {
            Ok(name) => self.told(self.store.account(&name.id).await)?,
            Err(_) => None,
        };
        let kept = account.as_ref().map(|it| it.password.as_str());
        let right = password::is_right(password, kept).await.map_err(Error::Refused)?;
        let account = account.filter(|it| right && !it.access.disabled);
        let Some(account) = account else { return Err(AccountError::WrongCredentials) };
        // What others have tried elsewhere, or here at other accounts, stays counted.
        self.pardon(&limits).await?;
        self.told(self.store.forget_attempts(&of_pair).await)?;
        self.begin_session(&account, origin).await
    }

    /// Whose session this is, if it is alive.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn visitor(&self, token: &str) -> Result<Option<Visitor>> {
        let found = self.told(self.store.session(&token::hash(token)).await)?;
        let Some(session) = found else { return Ok(None) };
        if session.quiet {
            self.note_use(&session).await;
        }
        let principal = Principal { name: session.name, role: session.role };
        Ok(Some(Visitor { principal, session: session.id }))
    }

    /// Which of these sessions are alive, in one question. They do not count as being used by that: an open page asks by
    /// itself.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn are_alive(&self, tokens: &[String]) -> Result<Vec<bool>> {
        let ids: Vec<String> = tokens.iter().map(|it| token::hash(it)).collect();
        let alive = self.told(self.store.live_among(&ids).await)?;
        Ok(ids.iter().map(|it| alive.contains(it)).collect())
    }

    /// Ends a session by its token; nothing happens if it has ended.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        self.told(self.store.end_session(&token::hash(token), None).await)
    }

    /// The sessions that are alive, latest first: of one account, or all.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who want to see others' and do not manage users.
    pub async fn sessions(&self, permit: &Permit, of: Option<&str>) -> Result<Vec<SessionSummary>> {
        let id = of.map(name::id);
        match &id {
            Some(id) => covers_account(permit, id)?,
            None => permit.covers(Action::ManageUsers)?,
        }
        let found = self.told(self.store.live_sessions(id.as_deref()).await)?;
        Ok(found.into_iter().map(summary).collect())
    }

    /// Ends a session by its public id: one's own, or anybody's if one manages users. Nothing happens if there is no such
    /// session; to those who may not end it, there is none.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn end_session(&self, permit: &Permit, id: &str) -> Result<()> {
        permit.covers(Action::KeepOwnAccount)?;
        let own = name::id(permit.holder());
        let of = permit.covers(Action::ManageUsers).is_err().then_some(own.as_str());
        self.told(self.store.end_session(id, of).await)
    }

    /// Ends all sessions of an account. Returns how many there were.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] for others' accounts to those who do not manage users, and
    /// [`AccountError::UnknownAccount`].
    pub async fn end_sessions(&self, permit: &Permit, account: &str) -> Result<u64> {
        let id = name::id(account);
        covers_account(permit, &id)?;
        self.known(account).await?;
        self.told(self.store.end_sessions(&id).await)
    }

    /// Begins a session for an account whose owner has proven to be that.
    pub(super) async fn begin_session(&self, account: &Account, origin: &Origin) -> Result<Token> {
        self.store.have_account_indexes().await;
        let token = Self::draw()?;
        let begun = self.store.begin_session(&token.hash(), account, &origin.bounded()).await;
        self.told(begun)?;
        self.told(self.store.note_seen(&account.id).await)?;
        Ok(token)
    }

    /// Counts an attempt by all of these. If it has to wait for one of them, it is counted by none.
    async fn admit_all(&self, limits: &[(String, Limit)]) -> Result<()> {
        for (place, (key, limit)) in limits.iter().enumerate() {
            if let Err(refused) = self.admit(key, *limit).await {
                self.pardon(&limits[..place]).await?;
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Takes back that an attempt was counted by these.
    async fn pardon(&self, limits: &[(String, Limit)]) -> Result<()> {
        for (key, _) in limits {
            self.told(self.store.pardon_attempt(key).await)?;
        }
        Ok(())
    }

    /// Counts an attempt, or says how long it has to wait.
    pub(super) async fn admit(&self, key: &str, limit: Limit) -> Result<()> {
        match self.told(self.store.admit(key, limit).await)? {
            Admission::Admitted => Ok(()),
            Admission::Later(wait) => {
                // Up to the next second: nobody should come back too early.
                let wait_s = wait.as_millis().div_ceil(1000).max(1);
                let wait_s = u64::try_from(wait_s).unwrap_or(u64::MAX);
                Err(AccountError::TooManyAttempts { wait_s })
            }
        }
    }

    /// Whoever cannot write can still look: that it was used is not worth failing for.
    async fn note_use(&self, session: &Session) {
        let noted = async {
            if self.store.note_use(&session.id).await? {
                self.store.note_seen(&session.account).await?;
            }
            Ok(())
        };
        if let Err(failure) = self.told(noted.await) {
            tracing::warn!("it could not be noted that a session is used: {failure}");
        }
    }
}

fn summary(session: Session) -> SessionSummary {
    SessionSummary {
        id: session.id,
        account: session.name,
        created: clock::text(session.created),
        last_used: clock::text(session.last_used),
        expires: clock::text(session.expires),
        address: session.address,
        agent: session.agent,
    }
}
