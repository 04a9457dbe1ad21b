//! Who is asking, and whether they may: every server function starts here.

use http::request::Parts;
use http::{Method, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use model::{Action, Permit, Principal, Visitor};

use super::ApiError;

/// What the web server knows of whoever sent a request. It puts it into the request's extensions, and into the context
/// of pages and server functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Somebody who has signed in.
    Visitor(Visitor),
    /// Somebody who has not, or not any more.
    Nobody,
    /// It could not be looked up who it is, for this reason.
    Unclear(String),
}

/// Lets the caller through if their role allows `action`.
///
/// # Errors
///
/// [`ApiError::UnknownVisitor`] (401), [`ApiError::Denied`] (403) or [`ApiError::Engine`] (503); the status is already
/// set.
pub fn require(action: Action) -> Result<Permit, ApiError> {
    asking().and_then(|it| it.permit(action)).map_err(refuse)
}

impl Asking {
    /// The same for those who answer without pages: the error's status is [`status`].
    ///
    /// # Errors
    ///
    /// As [`require`].
    pub fn permit(&self, action: Action) -> Result<Permit, ApiError> {
        self.principal()?.permit(action).map_err(ApiError::from)
    }

    fn principal(&self) -> Result<&Principal, ApiError> {
        match self {
            Self::Visitor(visitor) => Ok(&visitor.principal),
            Self::Nobody => Err(ApiError::UnknownVisitor),
            Self::Unclear(reason) => Err(ApiError::Engine { reason: reason.clone() }),
        }
    }
}

/// Whoever is asking, for what everybody may know; `None` if they have not signed in. Sets no status.
///
/// # Errors
///
/// [`ApiError::Engine`] if it could not be looked up.
pub fn principal() -> Result<Option<Principal>, ApiError> {
    match asking().and_then(|it| it.principal().cloned()) {
        Ok(principal) => Ok(Some(principal)),
        Err(ApiError::UnknownVisitor) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The public id of the session that the request came with.
pub fn own_session() -> Option<String> {
    match use_context::<Asking>()? {
        Asking::Visitor(visitor) => Some(visitor.session),
        Asking::Nobody | Asking::Unclear(_) => None,
    }
}

/// The status that goes with an error of the gate.
pub fn status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::UnknownVisitor => StatusCode::UNAUTHORIZED,
        ApiError::Denied(_) => StatusCode::FORBIDDEN,
        ApiError::Refused { .. } => StatusCode::CONFLICT,
        ApiError::Unknown { .. } => StatusCode::NOT_FOUND,
        ApiError::Engine { .. } | ApiError::Transport { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn asking() -> Result<Asking, ApiError> {
    use_context::<Asking>().ok_or(ApiError::UnknownVisitor)
}

/// Sets the status that goes with an error.
pub fn refuse(error: ApiError) -> ApiError {
    answer_with(status(&error));
    error
}

/// Sets the status of the answer, unless a form was posted by a browser without scripts: that is sent back to its page,
/// with the error in the address, which takes a status of its own.
pub fn answer_with(status: StatusCode) {
    let is_form = |it: Parts| {
        let accepts = it.headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
        it.method == Method::POST && accepts.is_some_and(|it| it.contains("text/html"))
    };
    if use_context::<Parts>().is_some_and(is_form) {
        return;
    }
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::*;

    fn require_as(asking: Option<Asking>, action: Action) -> Result<Permit, ApiError> {
        Owner::new().with(|| {
            if let Some(asking) = asking {
                provide_context(asking);
            }
            require(action)
        })
    }

    fn visitor(role: Role) -> Asking {
        let principal = Principal { name: "ada".into(), role };
        Asking::Visitor(Visitor { principal, session: "1".into() })
    }

    #[test]
    fn a_guest_passes_the_gate_to_read_the_status() {
        let permit = require_as(Some(visitor(Role::Guest)), Action::ReadStatus).unwrap();
        assert_eq!(permit.action(), Action::ReadStatus);
    }

    #[test]
    fn a_guest_does_not_pass_the_gate_to_migrate() {
        let refused = require_as(Some(visitor(Role::Guest)), Action::MigrateDatabase).unwrap_err();
        assert!(matches!(refused, ApiError::Denied(_)));
        assert_eq!(status(&refused), StatusCode::FORBIDDEN);
    }

    #[test]
    fn nobody_passes_the_gate_without_a_name() {
        for asking in [None, Some(Asking::Nobody)] {
            let refused = require_as(asking, Action::ReadStatus).unwrap_err();
            assert_eq!(refused, ApiError::UnknownVisitor);
        }
    }

    #[test]
    fn who_cannot_be_looked_up_is_told_why_and_not_taken_for_nobody() {
        let asking = Asking::Unclear("MongoDB is away".into());
        let refused = require_as(Some(asking), Action::ReadStatus).unwrap_err();
        assert_eq!(refused.to_string(), "MongoDB is away");
        assert_eq!(status(&refused), StatusCode::SERVICE_UNAVAILABLE);
    }
}
