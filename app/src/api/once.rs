//! What is shown once, to the browser that asked for it: never in an address, which browsers and proxies write down.

use http::request::Parts;
use http::{HeaderValue, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::SessionCookie;

const NAME: &str = "fiftyone_migrate_invitation";

/// Has the page at `/users` show the link of this invitation.
pub fn tell_invitation(token: &str) {
    set(token, 60);
}

/// The link that is to be shown, which is not shown again.
pub fn told_invitation() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    let (_, token) = pairs.find(|(name, token)| *name == NAME && !token.is_empty())?;
    // Whatever it is, it is shown as a part of an address.
    let token: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    set("", 0);
    let scheme = if use_context::<SessionCookie>()?.secure { "https" } else { "http" };
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{scheme}://{host}/invitation/{token}"))
}

fn set(token: &str, seconds: u32) {
    let secure = use_context::<SessionCookie>().is_some_and(|it| it.secure);
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{NAME}={token}; Path=/users; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    );
    if let (Some(response), Ok(cookie)) =
        (use_context::<ResponseOptions>(), HeaderValue::from_str(&text))
    {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
