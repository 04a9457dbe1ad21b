//! What a form was answered is told in the address of the page that it leads back to.
//!
//! Anybody can write such an address and send it around, to have one of our pages say what they like. So it is only told to
//! those who come from a page of ours; all others get the page without it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use url::{Url, form_urlencoded};

use super::Reach;

/// The parts of an address that only we write.
const OURS: [&str; 4] = ["__path", "__err", "changed", "not_started"];

/// Leads those who do not come from a page of ours to the page alone.
pub async fn only_to_ours(State(reach): State<Reach>, request: Request, next: Next) -> Response {
    let page = request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    match without(request.uri()).filter(|_| page) {
        Some(address) if !comes_from_us(&reach, request.headers()) => {
            Redirect::to(&address).into_response()
        }
        Some(_) | None => next.run(request).await,
    }
}

/// The address without what only we write, if there is any of it.
fn without(uri: &Uri) -> Option<String> {
    let query = uri.query()?;
    let is_ours = |name: &str| OURS.contains(&name);
    if !form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_ours(&name)) {
        return None;
    }
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !is_ours(name));
    let others = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
    // A path that begins with two slashes would be another host.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    Some(if others.is_empty() { path } else { format!("{path}?{others}") })
}

/// Whether a page of ours led here: the browser says so, or names the page.
fn comes_from_us(reach: &Reach, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let page = text(header::REFERER.as_str()).and_then(|it| Url::parse(it).ok());
    let origin = page.map(|it| it.origin().ascii_serialization());
    let host = text(header::HOST.as_str()).unwrap_or_default();
    origin.is_some_and(|it| reach.is_own_origin(&it, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_an_address_is_kept() {
        let without = |it: &str| without(&it.parse().unwrap());
        assert_eq!(without("/users"), None);
        assert_eq!(without("/migrate?scope=everything&other=a+b"), None);
        assert_eq!(without("/users?__path=%2Fapi&__err=x").as_deref(), Some("/users"));
        assert_eq!(without("//evil.example/?changed=1").as_deref(), Some("/evil.example/"));
        assert_eq!(
            without("/migrate?scope=everything&not_started=changed&other=a+b").as_deref(),
            Some("/migrate?scope=everything&other=a+b")
        );
    }

    #[test]
    fn a_page_of_ours_is_known_by_what_the_browser_says() {
        let from = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8051".parse().unwrap());
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            comes_from_us(&Reach::default(), &headers)
        };
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(from(&[("referer", "http://127.0.0.1:8051/users?a=b")]));
        for foreign in [
            &[][..],
            &[("referer", "https://evil.example/")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site"), ("referer", "http://127.0.0.1:8051/")],
        ] {
            assert!(!from(foreign), "{foreign:?}");
        }
    }
}
