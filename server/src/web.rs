//! The web server: pages, server functions and the files they need.

mod archive;
mod compatibility;
mod documents;
mod events;
mod export;
mod export_run;
mod headers;
mod health;
mod host;
mod manifest;
mod not_found;
mod reach;
#[cfg_attr(feature = "site", path = "web/embedded.rs")]
#[cfg_attr(not(feature = "site"), path = "web/checkout.rs")]
mod site;
mod told;
mod visitor;

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use app::api::{Asking, SessionCookie};
use app::{App, shell};
use axum::extract::DefaultBodyLimit;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Router, middleware};
use engine::Engine;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
pub use reach::{NoReach, Reach};
use tokio::net::TcpListener;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;

/// The longest form that is taken: the names of thousands of datasets.
const LONGEST_FORM_BYTES: usize = 1 << 20;

/// Serves the app on `listener` until `shutdown` is done, and then finishes what was asked before.
///
/// # Errors
///
/// Refuses a listener that other machines can reach, unless people are told an address with a certificate: passwords would
/// travel in clear; and whatever goes wrong with the listener itself.
pub async fn serve(
    engine: Engine,
    listener: TcpListener,
    reach: Reach,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() && !reach.is_public() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "cannot serve on `{address}`: passwords would travel in clear; serve on `127.0.0.1` \
                 instead, or put a proxy with a certificate in front and give its address with `--url`"
            ),
        ));
    }
    tracing::info!(%address, "Serving on http://{address}");
    let watched = events::Watched::of(engine.clone());
    let service =
        router(engine, reach, watched.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let shutdown = async move {
        shutdown.await;
        watched.end();
    };
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
}

fn router(engine: Engine, reach: Reach, watched: events::Watched) -> Router {
    let options = site::options();
    let context = {
        let engine = engine.clone();
        move || provide_request_context(&engine)
    };
    let routes = generate_route_list(App);
    let page = {
        let options = options.clone();
        move || shell(options.clone())
    };
    let others = Router::new()
        .route("/api/compatibility", get(compatibility::compatibility))
        .route("/api/datasets/export", get(export::export))
        .route("/api/datasets/{id}/documents", get(documents::documents))
        .route("/api/media/{id}/manifest.csv", get(manifest::manifest))
        .route("/api/runs/{id}/datasets.csv", get(export_run::datasets))
        .route("/api/runs/{id}/log.txt", get(export_run::log))
        .with_state(engine.clone());
    let health = Router::new()
        .route("/healthz", get(health::health))
        .with_state(health::Health::of(engine.clone()));
    let events =
        Router::new().route("/api/runs/{id}/events", get(events::events)).with_state(watched);
    // As long as it is, and not in memory.
    let archives = Router::new()
        .route("/api/import/archive", post(archive::receive))
        .layer(DefaultBodyLimit::disable())
        .with_state(engine.clone());
    Router::new()
        .leptos_routes_with_context(&options, routes, context.clone(), page.clone())
        .fallback(not_found::file_or_page(options.clone(), context, page))
        .with_state(options)
        .merge(others)
        .merge(events)
        .layer(RequestBodyLimitLayer::new(LONGEST_FORM_BYTES))
        .merge(archives)
        .layer(middleware::from_fn_with_state((engine, reach.clone()), visitor::known))
        .layer(middleware::from_fn_with_state(reach.clone(), told::only_to_ours))
        .layer(middleware::from_fn_with_state(reach, host::refuse_foreign))
        // Programs ask for it by whatever address they have.
        .merge(health)
        .layer(middleware::map_response(headers::secure))
        .layer(TraceLayer::new_for_http())
}

/// What server functions and pages find in their context.
fn provide_request_context(engine: &Engine) {
    provide_context(engine.clone());
    if let Some(parts) = use_context::<Parts>() {
        if let Some(asking) = parts.extensions.get::<Asking>() {
            provide_context(asking.clone());
        }
        if let Some(cookie) = parts.extensions.get::<SessionCookie>() {
            provide_context(*cookie);
        }
    }
    headers::allow_own_scripts();
}
