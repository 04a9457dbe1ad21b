//! Who sent a request, looked up once for everybody who answers it.

use std::net::SocketAddr;

use app::api::{Asking, ClientAddress};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use engine::Engine;
use url::form_urlencoded;

use super::Reach;

/// What everybody may see who has not signed in: how to do so, and the files that pages need.
const OPEN: &[&str] = &["/sign-in", "/invitation/", "/healthz", "/api/"];

/// Notes in the request who it comes from. A page that takes a session leads those who have none to where they sign in;
/// server functions and streams ask the gate themselves.
pub async fn known(
    State((engine, reach)): State<(Engine, Reach)>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_file(&request) {
        return next.run(request).await;
    }
    let host = request.headers().get(header::HOST).and_then(|it| it.to_str().ok());
    let cookie = reach.cookie(host.unwrap_or_default());
    let asking = match cookie.token(request.headers()) {
        None => Asking::Nobody,
        Some(token) => match engine.accounts().visitor(token).await {
            Ok(Some(visitor)) => Asking::Visitor(visitor),
            Ok(None) => Asking::Nobody,
            Err(error) => Asking::Unclear(error.to_string()),
        },
    };
    if asking == Asking::Nobody && is_page(&request) {
        return to_sign_in(request.uri());
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0);
    let address = address(&reach, request.headers(), peer);
    let extensions = request.extensions_mut();
    extensions.insert(asking);
    extensions.insert(ClientAddress(address));
    extensions.insert(cookie);
    next.run(request).await
}

/// Whether somebody wants to see a page that not everybody may see.
fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    request.method() == Method::GET && !OPEN.iter().any(|it| path.starts_with(it))
}

/// Whether this is what a page is made of: nobody is looked up for that, so that it is there without a database, too.
fn is_file(request: &Request) -> bool {
    let path = request.uri().path();
    let accepts = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    request.method() == Method::GET
        // Versions have dots in them.
        && !path.starts_with("/api/")
        && !path.starts_with("/versions/")
        && path.rsplit('/').next().is_some_and(|it| it.contains('.'))
        && !accepts.is_some_and(|it| it.contains("text/html"))
}

fn to_sign_in(wanted: &Uri) -> Response {
    let wanted = wanted.path_and_query().map_or("/", |it| it.as_str());
    if wanted == "/" {
        return Redirect::to("/sign-in").into_response();
    }
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
    Redirect::to(&format!("/sign-in?{query}")).into_response()
}

/// The address that counts for how often somebody may try: where a proxy stands in front, the last one that it names, which
/// nobody but the proxy can have written.
fn address(reach: &Reach, headers: &HeaderMap, peer: Option<SocketAddr>) -> String {
    let peer = peer.map_or_else(String::new, |it| it.ip().to_string());
    if !reach.is_public() {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|it| it.to_str().ok()?.rsplit(',').next()).map(str::trim);
    last.filter(|it| !it.is_empty()).map_or(peer, without_port)
}

/// Some proxies name the port as well, which is another one for each connection.
fn without_port(address: &str) -> String {
    address.parse::<SocketAddr>().map_or_else(|_| address.to_owned(), |it| it.ip().to_string())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asking(path: &str, accept: &str) -> Request {
        Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap()
    }

    #[test]
    fn pages_take_a_session_and_what_they_need_to_look_like_something_does_not() {
        let (browser, file) = ("text/html,application/xhtml+xml", "*/*");
        for page in ["/", "/runs", "/runs/1?a=b", "/nothing-here", "/a.html"] {
            let request = asking(page, browser);
            assert!(is_page(&request) && !is_file(&request), "{page}");
        }
        for open in ["/sign-in", "/invitation/abc", "/healthz", "/api/status", "/api/a.b"] {
            let request = asking(open, file);
            assert!(!is_page(&request) && !is_file(&request), "{open}");
        }
        for needed in ["/favicon.svg", "/pkg-1/fiftyone-migrate.wasm", "/robots.txt"] {
            assert!(is_file(&asking(needed, file)), "{needed}");
        }
    }

    #[test]
    fn whoever_wants_a_page_comes_back_to_it() {
        let location = |uri: &str| {
            let answer = to_sign_in(&uri.parse().unwrap());
            answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(location("/"), "/sign-in");
        assert_eq!(location("/runs/1?a=b&c"), "/sign-in?next=%2Fruns%2F1%3Fa%3Db%26c");
    }

    #[test]
    fn only_a_proxy_that_was_announced_is_believed() {
        let peer = Some("10.0.0.9:1234".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        assert_eq!(address(&Reach::default(), &headers, peer), "10.0.0.9");
        let reach: Reach = "https://migrate.example.com".parse().unwrap();
        assert_eq!(address(&reach, &headers, peer), "2.2.2.2");
        assert_eq!(address(&reach, &HeaderMap::new(), peer), "10.0.0.9");
        for (named, counted) in [("3.3.3.3:5678", "3.3.3.3"), ("[::1]:5678", "::1"), ("::1", "::1")]
        {
            headers.insert("x-forwarded-for", named.parse().unwrap());
            assert_eq!(address(&reach, &headers, peer), counted);
        }
    }
}
