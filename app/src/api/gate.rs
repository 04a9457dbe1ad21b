//! Who is asking, and whether they may: every server function starts here.

use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use model::{Action, Permit, Principal};

use super::ApiError;

/// Lets the caller through if their role allows `action`.
///
/// The web server says who is asking, by putting a [`Principal`] into the request's context.
///
/// # Errors
///
/// [`ApiError::UnknownVisitor`] (401) or [`ApiError::Denied`] (403); the status is already set.
pub fn require(action: Action) -> Result<Permit, ApiError> {
    let Some(principal) = use_context::<Principal>() else {
        return Err(refuse(StatusCode::UNAUTHORIZED, ApiError::UnknownVisitor));
    };
    principal.permit(action).map_err(|denied| refuse(StatusCode::FORBIDDEN, denied.into()))
}

fn refuse(status: StatusCode, error: ApiError) -> ApiError {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
    error
}

#[cfg(test)]
mod tests {
    use model::Role;

    use super::*;

    fn require_as(principal: Option<Principal>, action: Action) -> Result<Permit, ApiError> {
        Owner::new().with(|| {
            if let Some(principal) = principal {
                provide_context(principal);
            }
            require(action)
        })
    }

    #[test]
    fn a_guest_passes_the_gate_to_read_the_status() {
        let guest = Principal { name: "guest".into(), role: Role::Guest };
        let permit = require_as(Some(guest), Action::ReadStatus).unwrap();
        assert_eq!(permit.action(), Action::ReadStatus);
    }

    #[test]
    fn a_guest_does_not_pass_the_gate_to_migrate() {
        let guest = Principal { name: "guest".into(), role: Role::Guest };
        let refused = require_as(Some(guest), Action::MigrateDatabase).unwrap_err();
        assert!(matches!(refused, ApiError::Denied(_)));
    }

    #[test]
    fn nobody_passes_the_gate_without_a_name() {
        let refused = require_as(None, Action::ReadStatus).unwrap_err();
        assert_eq!(refused, ApiError::UnknownVisitor);
    }
}
