//! The only errors that a server function shows in the browser.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use model::Denied;
use serde::{Deserialize, Serialize};

/// What went wrong, in words for the person who clicked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ApiError {
    /// Nobody said who is asking.
    #[error("sign in first: the server does not know who is asking")]
    UnknownVisitor,
    /// The visitor's role is too weak.
    #[error(transparent)]
    Denied(Denied),
    /// The engine could not do it, and says why.
    #[error("{reason}")]
    Engine { reason: String },
    /// It makes no sense as things are, and the engine says why.
    #[error("{reason}")]
    Refused { reason: String },
    /// There is no such thing.
    #[error("{reason}")]
    Unknown { reason: String },
    /// The question or the answer got lost between browser and server.
    #[error("the server did not answer as it should: {detail}")]
    Transport { detail: String },
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Transport { detail: error.to_string() }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

#[cfg(feature = "ssr")]
impl From<engine::Error> for ApiError {
    fn from(error: engine::Error) -> Self {
        use engine::Error::{
            Denied, NoDataset, NoRelease, NoTask, NoUpload, Refused, UnknownDataset, UnknownRun,
        };
        let error = match error {
            Denied(denied) => Self::Denied(denied),
            UnknownRun(_) | NoDataset(_) | NoRelease(_) | NoTask(_) | NoUpload(_) => {
                Self::Unknown { reason: error.to_string() }
            }
            Refused(_) | UnknownDataset { .. } => Self::Refused { reason: error.to_string() },
            error => {
                let why: &dyn std::error::Error = &error;
                tracing::error!(error = why, "The engine could not answer");
                Self::Engine { reason: error.to_string() }
            }
        };
        // A page that only says what is wrong must not look well to those who watch it.
        super::gate::answer_with(super::gate::status(&error));
        error
    }
}

#[cfg(feature = "ssr")]
impl From<engine::AccountError> for ApiError {
    fn from(error: engine::AccountError) -> Self {
        use engine::AccountError;
        let error = match error {
            AccountError::Engine(error) => return error.into(),
            AccountError::Denied(denied) => Self::Denied(denied),
            error => Self::Refused { reason: error.to_string() },
        };
        super::gate::answer_with(super::gate::status(&error));
        error
    }
}

#[cfg(test)]
mod tests {
    use model::{Action, Principal, Role};

    use super::*;

    #[test]
    fn an_error_is_the_same_on_both_sides() {
        let guest = Principal { name: "guest".into(), role: Role::Guest };
        let denied = guest.permit(Action::MigrateDatabase).unwrap_err();
        for error in [
            ApiError::UnknownVisitor,
            ApiError::Denied(denied),
            ApiError::Refused { reason: "the password is too short".into() },
            ApiError::Engine { reason: "the server is away".into() },
            ApiError::Refused { reason: "it is paused".into() },
            ApiError::Unknown { reason: "there is no such run".into() },
            ApiError::Transport { detail: "no network".into() },
        ] {
            assert_eq!(ApiError::de(error.ser()), error);
        }
    }
}
