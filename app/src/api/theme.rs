//! How pages look in this browser.

use leptos::prelude::*;
use model::Theme;

use super::ApiError;

/// Remembers how pages shall look, in this browser alone.
#[server(endpoint = "account/theme")]
pub async fn choose_theme(theme: Theme) -> Result<(), ApiError> {
    super::gate::require(model::Action::KeepOwnAccount)?;
    remember(theme);
    leptos_axum::redirect("/account");
    // Server functions are asynchronous, whether they wait or not.
    std::future::ready(Ok(())).await
}

#[cfg(feature = "ssr")]
const NAME: &str = "fiftyone_migrate_theme";

#[cfg(feature = "ssr")]
fn remember(theme: Theme) {
    use http::{HeaderValue, header};

    let text = format!("{NAME}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000", theme.word());
    if let (Some(response), Ok(cookie)) =
        (use_context::<leptos_axum::ResponseOptions>(), HeaderValue::from_str(&text))
    {
        response.append_header(header::SET_COOKIE, cookie);
    }
}

/// How pages shall look in the browser that asks for one.
#[cfg(feature = "ssr")]
pub fn theme() -> Theme {
    let Some(parts) = use_context::<http::request::Parts>() else { return Theme::default() };
    let cookies = parts.headers.get_all(http::header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map_or_else(Theme::default, |(_, word)| Theme::of(word))
}

/// The browser is told by the page.
#[cfg(not(feature = "ssr"))]
pub fn theme() -> Theme {
    Theme::default()
}
