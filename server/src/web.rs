//! The web server: pages, server functions and the files they need.

mod headers;
mod health;
mod host;
mod not_found;
#[cfg_attr(feature = "site", path = "web/embedded.rs")]
#[cfg_attr(not(feature = "site"), path = "web/checkout.rs")]
mod site;

use std::future::Future;
use std::io;

use app::{App, shell};
use axum::routing::get;
use axum::{Router, middleware};
use engine::Engine;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
use model::{Principal, Role};
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

/// Serves the app on `listener` until `shutdown` is done, and then finishes what was asked before.
///
/// # Errors
///
/// Refuses a listener that other machines can reach, because there are no accounts that would tell
/// visitors apart; and whatever goes wrong with the listener itself.
pub async fn serve(
    engine: Engine,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "cannot serve on `{address}`: whoever reaches this server may use it, so it stays \
                 on this machine; serve on `127.0.0.1` instead"
            ),
        ));
    }
    tracing::info!(%address, "Serving on http://{address}");
    axum::serve(listener, router(engine)).with_graceful_shutdown(shutdown).await
}

fn router(engine: Engine) -> Router {
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
    let health = Router::new().route("/healthz", get(health::health)).with_state(engine);
    Router::new()
        .leptos_routes_with_context(&options, routes, context.clone(), page.clone())
        .fallback(not_found::file_or_page(options.clone(), context, page))
        .with_state(options)
        .merge(health)
        .layer(middleware::from_fn(host::refuse_foreign))
        .layer(middleware::map_response(headers::secure))
        .layer(TraceLayer::new_for_http())
}

/// What server functions and pages find in their context.
fn provide_request_context(engine: &Engine) {
    provide_context(engine.clone());
    // There are no accounts yet: who can reach this machine's loopback is a guest, and may read.
    provide_context(Principal { name: "guest".to_owned(), role: Role::Guest });
    headers::allow_own_scripts();
}
