//! What a request says of whoever sent it, and what an answer tells their browser to keep.

use engine::{Origin, Token};
use http::header;
use http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::{ApiError, SessionCookie};

/// The address that a request came from: the web server puts it into the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub String);

/// Where the request came from.
pub fn origin() -> Origin {
    let parts = use_context::<Parts>();
    let address = parts.as_ref().and_then(|it| it.extensions.get::<ClientAddress>());
    let agent = parts.as_ref().and_then(|it| it.headers.get(header::USER_AGENT)?.to_str().ok());
    Origin {
        address: address.map_or_else(String::new, |it| it.0.clone()),
        agent: agent.unwrap_or_default().chars().take(200).collect(),
    }
}

/// The token that the request carries.
pub fn token() -> Option<String> {
    let (parts, cookie) = (use_context::<Parts>()?, use_context::<SessionCookie>()?);
    cookie.token(&parts.headers).map(str::to_owned)
}

/// Gives the browser a session, and sends it to a page of ours.
///
/// # Errors
///
/// If this is no request of a browser.
pub fn begin(token: &Token, next: &str) -> Result<(), ApiError> {
    let cookie = use_context::<SessionCookie>().and_then(|it| it.giving(token.text()).ok());
    answer_with(cookie, own_page(next))
}

/// Takes the session from the browser, and sends it to where one signs in.
///
/// # Errors
///
/// If this is no request of a browser.
pub fn end() -> Result<(), ApiError> {
    let cookie = use_context::<SessionCookie>().and_then(|it| it.taking().ok());
    answer_with(cookie, "/sign-in")
}

fn answer_with(cookie: Option<http::HeaderValue>, page: &str) -> Result<(), ApiError> {
    let (Some(cookie), Some(response)) = (cookie, use_context::<ResponseOptions>()) else {
        let reason = "this server cannot keep a session for this request".to_owned();
        return Err(ApiError::Refused { reason });
    };
    response.append_header(header::SET_COOKIE, cookie);
    leptos_axum::redirect(page);
    Ok(())
}

/// Only to pages of this server: a link that signs people in must not lead them elsewhere.
fn own_page(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/api/")
        && next.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_to_pages_of_this_server_only() {
        for page in ["/", "/runs/1?a=b#c", "/sign-in"] {
            assert_eq!(own_page(page), page);
        }
        for elsewhere in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "/api/x"]
        {
            assert_eq!(own_page(elsewhere), "/", "{elsewhere}");
        }
    }
}
