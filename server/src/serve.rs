//! `serve`: the web app, until somebody ends it.

use std::process::ExitCode;

use engine::Engine;
use tokio::net::TcpListener;

use crate::{
    cli::{Output, ServeArgs},
    settings::Settings,
    signal, web,
};

/// Serves the deployment; fills it first if it is empty and a demo was asked for.
pub async fn serve(
    engine: &Engine,
    settings: &Settings,
    args: &ServeArgs,
    output: Output,
) -> ExitCode {
    if args.demo {
        match engine.plant_demo().await {
            Ok(0) => output.line("The database is not empty: the demo datasets were not added"),
            Ok(datasets) => output.line(&format!("Added {datasets} demo datasets")),
            Err(error) => return output.error(&error.to_string()),
        }
    }
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return output.error(&format!(
                "cannot listen on `{}`: {error}; choose another address with `--listen`",
                args.listen
            ));
        }
    };
    let address = listener.local_addr().unwrap_or(args.listen);
    output.line(&format!("fiftyone-migrate is at http://{address} (Ctrl-C ends it)"));
    let (serving, ended) = tokio::sync::oneshot::channel::<()>();
    let attending = async {
        // Where migrations are switched off, runs are left to other servers.
        if !settings.migrations_disabled {
            // Dropped or sent: the server has ended.
            let ended = async { drop(ended.await) };
            engine.clone().attend(ended).await;
        }
    };
    let serving = async {
        let served = web::serve(engine.clone(), listener, signal::asked_to_end()).await;
        drop(serving);
        served
    };
    let (served, ()) = tokio::join!(serving, attending);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.error(&error.to_string()),
    }
}
