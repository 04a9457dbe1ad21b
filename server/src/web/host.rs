//! Being asked for by a name of our own, from a page of our own.
//!
//! A foreign website may let its name resolve to the loopback address, and its scripts could then
//! read this server's answers as their own. Their requests still carry the foreign name. And it may
//! have a browser post forms to us, with the cookie of whoever sits before it: those say where from.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Reach;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Answers only those who ask for us, and lets only our own pages change anything.
pub async fn refuse_foreign(State(reach): State<Reach>, request: Request, next: Next) -> Response {
    let host = text(request.headers(), header::HOST).filter(|it| reach.is_own(it));
    let Some(host) = host else {
        let reason = "this server does not answer to this name; ask for `localhost`, `127.0.0.1` or the address that \
                      `serve --url` was given";
        return (StatusCode::MISDIRECTED_REQUEST, reason).into_response();
    };
    if is_reading(request.method()) || is_ours(&reach, request.headers(), host) {
        return next.run(request).await;
    }
    if is_public_page(&reach, request.headers()) {
        let reason = "the proxy in front of this server does not pass on the name that the browser asked for; nothing was \
                      done: have it send that as `Host` (in nginx: `proxy_set_header Host $host;`)";
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    let reason = "this was sent from a page of another site, or does not say where from; nothing was done: use the pages \
                  of this server, or send its address as `Origin`";
    (StatusCode::FORBIDDEN, reason).into_response()
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a page of ours sent this: where the browser says so itself, and the origin does not say otherwise.
fn is_ours(reach: &Reach, headers: &HeaderMap, host: &str) -> bool {
    let site = text(headers, FETCH_SITE);
    let origin = text(headers, header::ORIGIN).map(|it| reach.is_own_origin(it, host));
    match (site, origin) {
        (_, Some(false)) | (None, None) => false,
        (None, Some(true)) => true,
        (Some(site), _) => site == "same-origin",
    }
}

/// Whether a page at our public address sent this, and it came here by another name.
fn is_public_page(reach: &Reach, headers: &HeaderMap) -> bool {
    text(headers, header::ORIGIN).is_some_and(|it| reach.is_public_origin(it))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|it| it.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_come_from_a_page_of_ours_changes_nothing() {
        let reach = Reach::default();
        let ours = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            is_ours(&reach, &pairs.collect(), "127.0.0.1:8051")
        };
        let own = ("origin", "http://127.0.0.1:8051");
        assert!(ours(&[own]));
        assert!(ours(&[own, ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        for foreign in [
            &[][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[own, ("sec-fetch-site", "cross-site")],
            &[own, ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(!ours(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn only_methods_that_read_may_come_from_anywhere() {
        assert!(is_reading(&Method::GET) && is_reading(&Method::HEAD));
        for writing in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(!is_reading(&writing));
        }
    }
}
