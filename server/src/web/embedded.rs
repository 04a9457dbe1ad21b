//! The site inside the binary.
//!
//! Wasm, glue and style are served below a folder that carries one hash over all of them, so
//! browsers may keep them for ever: another build is another address.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use leptos::prelude::LeptosOptions;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "$SITE"]
struct Site;

const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Whom pages may talk to: this server.
pub const CONNECT: &str = "'self'";

/// Where pages find their wasm, glue and style.
pub fn options() -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(env!("LEPTOS_OUTPUT_NAME"))
        .site_pkg_dir(format!("pkg-{}", package_hash()))
        .build()
}

/// The file at `uri`, in the best coding that the browser takes; `None` if there is none.
#[expect(clippy::unused_async, reason = "reading from the checkout, which stands in for it, waits")]
pub async fn file(
    options: &LeptosOptions,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let path = uri.path().strip_prefix('/')?;
    let packaged = path
        .strip_prefix(&*options.site_pkg_dir)
        .and_then(|it| it.strip_prefix('/'))
        .map(|it| format!("pkg/{it}"));
    let cache = if packaged.is_some() { FOREVER } else { ASK_AGAIN };
    let name = packaged.unwrap_or_else(|| path.to_owned());
    let plain = Site::get(&name)?;
    let (coding, body) = best_coding(&name, plain.clone(), headers);
    let etag = etag(&plain, coding);
    let response = Response::builder()
        .header(header::CACHE_CONTROL, cache)
        .header(header::ETAG, &etag)
        .header(header::VARY, "accept-encoding");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|it| it.as_bytes() == etag.as_bytes()) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).ok();
    }
    let response = response.header(header::CONTENT_TYPE, plain.metadata.mimetype());
    let response = match coding {
        Some(coding) => response.header(header::CONTENT_ENCODING, coding.name),
        None => response,
    };
    response.body(Body::from(body.data)).ok()
}

/// A way to make files smaller, and what it adds to their names.
struct Coding {
    name: &'static str,
    suffix: &'static str,
}

/// The smaller one first.
const CODINGS: [&Coding; 2] =
    [&Coding { name: "br", suffix: ".br" }, &Coding { name: "gzip", suffix: ".gz" }];

fn best_coding(
    name: &str,
    plain: EmbeddedFile,
    headers: &HeaderMap,
) -> (Option<&'static Coding>, EmbeddedFile) {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
    let accepts = |coding: &Coding| accepted.is_some_and(|it| accepts(it, coding.name));
    CODINGS
        .into_iter()
        .filter(|it| accepts(it))
        .find_map(|it| Some((Some(it), Site::get(&format!("{name}{}", it.suffix))?)))
        .unwrap_or((None, plain))
}

/// Whether `coding` is in a list such as `gzip, br;q=0.5`, and not with weight zero.
fn accepts(list: &str, coding: &str) -> bool {
    list.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        parts.next() == Some(coding)
            && !parts.any(|it| {
                it.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
            })
    })
}

/// Codings are other bytes, so they have other tags.
fn etag(file: &EmbeddedFile, coding: Option<&Coding>) -> String {
    let suffix = coding.map_or("", |it| it.suffix);
    format!("\"{}{suffix}\"", hex(&file.metadata.sha256_hash()[..8]))
}

/// One hash over the names and contents of everything that pages load.
fn package_hash() -> String {
    use sha2::{Digest, Sha256};

    let mut names: Vec<_> = Site::iter().filter(|it| it.starts_with("pkg/")).collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        if let Some(file) = Site::get(&name) {
            hash.update(name.as_bytes());
            hash.update(file.metadata.sha256_hash());
        }
    }
    hex(&hash.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn ask(path: &str, headers: &[(header::HeaderName, &str)]) -> Option<Response<Body>> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let file = file(&options(), &path.parse().unwrap(), &headers.collect()).now_or_never();
        file.unwrap()
    }

    #[test]
    fn a_packaged_file_may_be_kept_for_ever_and_comes_compressed() {
        let options = options();
        let path = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
        let answer = ask(&path, &[(header::ACCEPT_ENCODING, "gzip, br")]).unwrap();
        assert_eq!(answer.headers()[header::CACHE_CONTROL], FOREVER);
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/css");
    }

    #[test]
    fn a_public_file_is_asked_for_again_and_not_sent_twice() {
        let first = ask("/favicon.svg", &[]).unwrap();
        assert_eq!(first.headers()[header::CACHE_CONTROL], ASK_AGAIN);
        assert_eq!(first.headers().get(header::CONTENT_ENCODING), None);
        let etag = first.headers()[header::ETAG].to_str().unwrap();
        let second = ask("/favicon.svg", &[(header::IF_NONE_MATCH, etag)]).unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn there_is_no_way_out_of_the_site() {
        assert!(ask("/../Cargo.toml", &[]).is_none());
        assert!(ask("/pkg/fiftyone-migrate.nothing", &[]).is_none());
    }

    #[test]
    fn a_coding_with_weight_zero_is_not_taken() {
        assert!(accepts("gzip;q=0.5, br", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("brotli", "br"));
    }
}
