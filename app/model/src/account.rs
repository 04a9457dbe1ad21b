//! People who use the app, as an admin sees them: no secrets.

use serde::{Deserialize, Serialize};

use crate::{Principal, Role};

/// Somebody who has signed in, and the session they did it with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Who they are.
    pub principal: Principal,
    /// The session's public id: not its token.
    pub session: String,
}

/// What every page knows of whoever looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who they are.
    pub principal: Principal,
    /// The name of the database, by which the deployment is known.
    pub database: String,
    /// Why nobody may change the deployment from here, if that is so (`FIFTYONE_DATABASE_ADMIN`).
    pub barrier: Option<String>,
}

/// One account of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSummary {
    /// What they sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they cannot sign in.
    pub disabled: bool,
    /// When it was made; RFC 3339, UTC.
    pub created: String,
    /// When they last did something here; RFC 3339, UTC.
    pub last_seen: Option<String>,
    /// How many sessions of theirs are alive.
    pub sessions: u64,
}

/// A session that is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// Its public id, by which it can be ended.
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// When they signed in; RFC 3339, UTC.
    pub created: String,
    /// When it was last used; RFC 3339, UTC.
    pub last_used: String,
    /// When it ends at the latest; RFC 3339, UTC.
    pub expires: String,
    /// The address they signed in from.
    pub address: String,
    /// What their browser called itself.
    pub agent: String,
}

/// Somebody who was invited and has not come yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationSummary {
    /// Its public id, by which it can be taken back.
    pub id: String,
    /// For whom it is meant; a note for the admins.
    pub note: String,
    /// The role they will have.
    pub role: Role,
    /// Who invited them.
    pub by: String,
    /// Until when it can be used; RFC 3339, UTC.
    pub expires: String,
    /// The name of the account that gets a new password by it; `None` if it makes an account.
    #[serde(default)]
    pub resets: Option<String>,
}

/// Everybody who uses the app, for its admins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// Those who have an account.
    pub accounts: Vec<AccountSummary>,
    /// Those who were invited.
    pub invitations: Vec<InvitationSummary>,
    /// The sessions that are alive.
    pub sessions: Vec<SessionSummary>,
}
