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
    #[error("the server does not know who is asking; open the page again")]
    UnknownVisitor,
    /// The visitor's role is too weak.
    #[error(transparent)]
    Denied(Denied),
    /// The engine could not do it, and says why.
    #[error("{reason}")]
    Engine { reason: String },
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
        tracing::error!(error = &error as &dyn std::error::Error, "The engine could not answer");
        // A page that only says what is wrong must not look well to those who watch it.
        if let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>() {
            response.set_status(http::StatusCode::SERVICE_UNAVAILABLE);
        }
        Self::Engine { reason: error.to_string() }
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
            ApiError::Engine { reason: "the server is away".into() },
            ApiError::Transport { detail: "no network".into() },
        ] {
            assert_eq!(ApiError::de(error.ser()), error);
        }
    }
}
