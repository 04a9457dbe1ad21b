//! What is no route: a file of the site, or a page that says there is nothing.

use std::future::Future;
use std::pin::Pin;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use leptos::IntoView;
use leptos::prelude::LeptosOptions;
use leptos_axum::render_app_async_with_context;

use super::site;

/// A handler for everything that has no route of its own.
pub fn file_or_page<V: IntoView + 'static>(
    options: LeptosOptions,
    context: impl Fn() + Clone + Send + Sync + 'static,
    page: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> impl Fn(Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static
{
    let render = render_app_async_with_context(context, page);
    move |request: Request| {
        let (options, render) = (options.clone(), render.clone());
        Box::pin(async move {
            if let Some(file) = site::file(&options, request.uri(), request.headers()).await {
                return file;
            }
            let mut response = render(request).await.into_response();
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        })
    }
}
