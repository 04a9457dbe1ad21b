//! The way from each page to what the help says of it.

use leptos::prelude::*;

/// A link to the section about the page that is shown. Only the server knows which one: the browser leaves the address as
/// it came.
#[component]
pub fn HelpLink() -> impl IntoView {
    view! { <a href=address() rel="external">"Help"</a> }
}

#[cfg(feature = "ssr")]
fn address() -> String {
    format!("/help#{}", section(&crate::api::path()))
}

#[cfg(not(feature = "ssr"))]
fn address() -> String {
    String::new()
}

/// The section about the page at this path; where there is none, the table of contents.
#[cfg(feature = "ssr")]
fn section(path: &str) -> &'static str {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        [""] => "overview",
        ["datasets"] => "datasets",
        ["datasets", _, "rights"] | ["users" | "groups", _] | ["members"] => "rights",
        ["datasets", ..] => "dataset",
        ["import", ..] => "import",
        ["exports", ..] => "exports",
        ["media", ..] => "media",
        ["migrate"] => "migrate",
        ["runs"] => "runs",
        ["runs", _, "log"] => "run-log",
        ["runs", _, "pace"] => "run-pace",
        ["runs", ..] => "run",
        ["clients"] => "clients",
        ["versions", ..] => "versions",
        ["sdk"] => "sdk",
        ["users"] => "users",
        ["settings"] => "settings",
        ["account"] => "account",
        _ => "contents",
    }
}
