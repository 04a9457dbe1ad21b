//! How accounts come to be: by invitation only, the first one by a link on the console.

use std::time::Duration;

use bson::DateTime;
use model::{Action, InvitationSummary, Permit, Role};

use super::{
    AccountError, Accounts, Error, FIRST_LINK, INVITED, Name, Origin, Result, Token, name,
    password, token,
};
use crate::{
    clock,
    store::{Access, Account, FIRST_INVITATION, Invitation},
};

/// How many characters of a note are kept.
const LONGEST_NOTE: usize = 200;

impl Accounts {
    /// A link for the very first admin, which can be used for one hour, once, and only as long as there is no account; one
    /// that was made before cannot be used any more. `None` if there is an account.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn first_link(&self) -> Result<Option<Token>> {
        // Asked for when a server starts: whatever was cut off with the one before is completed.
        self.complete_changes().await?;
        if self.told(self.store.has_accounts().await)? {
            return Ok(None);
        }
        self.told(self.store.delete_older_first_invitations().await)?;
        let invitation = Invitation {
            id: FIRST_INVITATION.to_owned(),
            first: true,
            ..Invitation::to(Role::Admin, "the console of the server", "the first admin")
        };
        self.write_down(invitation, FIRST_LINK).await.map(Some)
    }

    /// Invites somebody, once and for seven days. It cannot be used any more when whoever has invited them is no admin.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn invite(&self, permit: &Permit, role: Role, note: &str) -> Result<Token> {
        permit.covers(Action::ManageUsers)?;
        // Whoever has a shell on the server invites without having an account.
        let inviter = self.told(self.store.account(&name::id(permit.holder())).await)?;
        let shown = note.trim().chars().filter(|it| !it.is_control());
        let note: &str = &shown.take(LONGEST_NOTE).collect::<String>();
        let (under, inviter) = inviter.map(|it| (it.change, it.id)).unzip();
        let by = Invitation::to(role, permit.holder(), note);
        self.write_down(Invitation { inviter, under, ..by }, INVITED).await
    }

    /// A link by which somebody who has forgotten their password chooses a new one, once and within an hour; one that was made
    /// before cannot be used any more. Until then nothing changes.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users, [`AccountError::UnknownAccount`], and [`Error::Refused`] if it
    /// is disabled.
    pub async fn reset(&self, permit: &Permit, account: &str) -> Result<Token> {
        permit.covers(Action::ManageUsers)?;
        let inviter = self.told(self.store.account(&name::id(permit.holder())).await)?;
        let (under, inviter) = inviter.map(|it| (it.change, it.id)).unzip();
        let account = self.known(account).await?;
        if account.access.disabled {
            let why = format!("the account `{}` is disabled; enable it first", account.name);
            return Err(Error::Refused(why).into());
        }
        self.told(self.store.delete_resets(&account.id).await)?;
        let resets = Some(account.id);
        let by = Invitation::to(account.access.role, permit.holder(), "a new password");
        self.write_down(Invitation { inviter, under, resets, ..by }, FIRST_LINK).await
    }

    /// What an invitation is for; `None` if it is not known, was used or taken back, or has expired.
    ///
    /// # Errors
    ///
    /// If the database cannot be asked.
    pub async fn invitation(&self, token: &str) -> Result<Option<InvitationSummary>> {
        let found = self.told(self.store.open_invitation(&token::hash(token)).await)?;
        Ok(found.filter(|it| it.claimed.is_none()).map(summary))
    }

    /// Makes the account that somebody was invited to have, and signs them in. The same again, as by a second click, signs
    /// them in again.
    ///
    /// # Errors
    ///
    /// [`AccountError::BadInvitation`] for any other use of an invitation that was used, [`AccountError::NameTaken`],
    /// [`AccountError::BadName`] and [`AccountError::BadPassword`]; the invitation can still be used then.
    pub async fn accept(
        &self,
        token: &str,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<Token> {
        let hash = token::hash(token);
        let name = Name::read(name)?;
        password::check(password, &name)?;
        let open = self.told(self.store.open_invitation(&hash).await)?;
        let ours = |it: &Invitation| it.claimed.as_ref().is_none_or(|it| *it == name.id);
        let again = async |otherwise| {
            let who = (&name, hash.as_str());
            self.accept_again(who, password, origin, otherwise).await
        };
        let Some(invitation) = open.filter(ours) else {
            return again(AccountError::BadInvitation).await;
        };
        if let Some(resets) = &invitation.resets {
            let kept = if *resets == name.id {
                password::hash(password).await.map_err(Error::Refused)?
            } else {
                return Err(AccountError::BadInvitation);
            };
            // Once: whoever comes again signs in with what was chosen then.
            if self.told(self.store.reset_password(&name.id, &kept, &hash).await)? {
                tracing::info!("`{}` has chosen a new password", name.shown);
            }
            self.told(self.store.delete_resets(&name.id).await)?;
            return again(AccountError::BadInvitation).await;
        }
        let in_use = || AccountError::NameTaken(name.shown.clone());
        if self.told(self.store.account(&name.id).await)?.is_some() {
            return again(in_use()).await;
        }
        let kept = password::hash(password).await.map_err(Error::Refused)?;
        // From here on it is used, for this name alone. Whoever is cut off before there is an account does the same again.
        if !self.told(self.store.claim_invitation(&invitation, &name.id).await)? {
            return again(AccountError::BadInvitation).await;
        }
        let account = Account {
            id: name.id.clone(),
            name: name.shown.clone(),
            access: Access { role: invitation.role, disabled: false },
            password: kept,
            created: DateTime::now(),
            last_seen: None,
            epoch: 0,
            change: 0,
            invitation: hash.clone(),
            reset: None,
        };
        match self.store.insert_account(&account).await {
            Err(failure) if failure.is_duplicate() => {
                let again = again(in_use()).await;
                if let Err(AccountError::NameTaken(_)) = again {
                    // Somebody else was called that a moment earlier: the invitation is still good.
                    self.told(self.store.release_invitation(&invitation, &name.id).await)?;
                }
                again
            }
            inserted => {
                self.told(inserted)?;
                let (name, role) = (&account.name, account.access.role);
                tracing::info!("`{name}` has accepted an invitation and has the role {role}");
                self.begin_session(&account, origin).await
            }
        }
    }

    /// The invitations that can still be used, and of which there is no account yet, in the order in which they end.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn invitations(&self, permit: &Permit) -> Result<Vec<InvitationSummary>> {
        permit.covers(Action::ManageUsers)?;
        let found = self.told(self.store.open_invitations().await)?;
        Ok(found.into_iter().map(summary).collect())
    }

    /// Takes an invitation back by its public id, also one that somebody has begun to use; nothing happens if it is not known,
    /// and an account that was made of it stays.
    ///
    /// # Errors
    ///
    /// [`AccountError::Denied`] to those who do not manage users.
    pub async fn take_back(&self, permit: &Permit, id: &str) -> Result<()> {
        permit.covers(Action::ManageUsers)?;
        self.told(self.store.delete_invitation(id).await)
    }

    /// Writes an invitation down with a token of its own, which becomes its id where it has none.
    async fn write_down(&self, invitation: Invitation, lasts: Duration) -> Result<Token> {
        self.store.have_account_indexes().await;
        let token = Self::draw()?;
        let id = if invitation.first { invitation.id } else { token.hash() };
        let invitation = Invitation { id, token: Some(token.hash()), ..invitation };
        self.told(self.store.insert_invitation(&invitation, lasts).await)?;
        Ok(token)
    }

    /// If the account was made of this very invitation, or has got its password by it, whoever knows its password is who made it.
    async fn accept_again(
        &self,
        (name, hash): (&Name, &str),
        password: &str,
        origin: &Origin,
        otherwise: AccountError,
    ) -> Result<Token> {
        let there = self.told(self.store.account(&name.id).await)?;
        let made = |it: Account| it.invitation == hash || it.reset.as_deref() == Some(hash);
        if !there.is_some_and(made) {
            return Err(otherwise);
        }
        self.sign_in(&name.id, password, origin).await.map_err(|it| match it {
            AccountError::WrongCredentials => AccountError::BadInvitation,
            other => other,
        })
    }
}

impl Invitation {
    /// One from whoever has a shell, before it has a token.
    fn to(role: Role, by: &str, note: &str) -> Self {
        Self {
            id: String::new(),
            token: None,
            role,
            note: note.to_owned(),
            by: by.to_owned(),
            inviter: None,
            under: None,
            first: false,
            resets: None,
            expires: DateTime::MIN,
            claimed: None,
        }
    }
}

fn summary(invitation: Invitation) -> InvitationSummary {
    InvitationSummary {
        id: invitation.id,
        note: invitation.note,
        role: invitation.role,
        by: invitation.by,
        expires: clock::text(invitation.expires),
        resets: invitation.resets,
    }
}
