//! Being asked for by a name of this machine's own.
//!
//! A foreign website may let its name resolve to the loopback address, and its scripts could then
//! read this server's answers as their own. Their requests still carry the foreign name.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers only those who ask for this machine's loopback.
pub async fn refuse_foreign(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|it| it.to_str().ok());
    if host.is_some_and(is_own) {
        return next.run(request).await;
    }
    let reason =
        "this server answers to `localhost` and `127.0.0.1` only; ask for it by one of them";
    (StatusCode::MISDIRECTED_REQUEST, reason).into_response()
}

fn is_own(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_are_own() {
        for own in ["localhost", "LOCALHOST:8051", "127.0.0.1:8051", "127.0.0.1", "[::1]:8051"] {
            assert!(is_own(own), "{own}");
        }
        for foreign in ["example.com", "localhost.example.com:8051", "192.168.1.4:8051", ""] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }
}
