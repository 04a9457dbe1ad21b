//! `/sdk`: what to type to install the right SDK.

#[cfg(feature = "ssr")]
mod content;
mod copying;

use leptos::prelude::*;
use leptos_meta::Title;

/// The page, as the server makes it. Scripts only copy, and put a token in.
#[component]
pub fn SdkPage() -> impl IntoView {
    copying::listen();
    view! {
        <Title text="SDK" />
        <header class="page-header">
            <h1>"Install the SDK"</h1>
        </header>
        <div class="sdk-page">{content()}</div>
    }
}

#[cfg(feature = "ssr")]
fn content() -> impl IntoView {
    view! { <content::Content /> }
}

// What is not there is not looked for in the page either, and stays as it came.
#[cfg(not(feature = "ssr"))]
fn content() {}
