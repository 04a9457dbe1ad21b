//! The site as it lies in the checkout, for working on it: a change shows on the next load.
//!
//! Style comes from `style/` itself; the rest is what `make site` or `cargo leptos watch` left.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use leptos::prelude::LeptosOptions;
use tower_http::services::ServeDir;

/// The root of the checkout that this was compiled in.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Whom pages may talk to: this server, and `cargo leptos watch`, which tells them to load again.
pub const CONNECT: &str = "'self' ws://127.0.0.1:8052 ws://localhost:8052";

/// Where pages find their wasm, glue and style.
pub fn options() -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(env!("LEPTOS_OUTPUT_NAME"))
        .site_root(env!("SITE"))
        .site_pkg_dir("pkg")
        .reload_port(8052_u32)
        .build()
}

/// The file at `uri`; `None` if there is none.
pub async fn file(
    options: &LeptosOptions,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let stylesheet = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    if uri.path() == stylesheet {
        let style = joined_style(&Path::new(ROOT).join("style")).ok()?;
        return Some(([(header::CONTENT_TYPE, "text/css")], style).into_response());
    }
    let mut request = Request::get(uri.clone()).body(Body::empty()).ok()?;
    *request.headers_mut() = headers.clone();
    let folder = PathBuf::from(&*options.site_root);
    let Ok(response) = ServeDir::new(folder).try_call(request).await else { return None };
    (response.status() != StatusCode::NOT_FOUND).then(|| response.map(Body::new))
}

/// The stylesheets, in the order that `sheets.txt` lists them in.
fn joined_style(folder: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(folder.join("sheets.txt"))?
        .lines()
        .map(|sheet| std::fs::read_to_string(folder.join(sheet)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_has_every_layer_in_order() {
        let style = joined_style(&Path::new(ROOT).join("style")).unwrap();
        let places = ["tokens", "base", "layout", "components", "pages"]
            .map(|layer| style.find(&format!("@layer {layer} {{")).unwrap());
        assert!(places.is_sorted(), "{places:?}");
    }
}
