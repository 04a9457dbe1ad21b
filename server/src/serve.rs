//! `serve`: the web app, until somebody ends it.

use std::{convert::Infallible, process::ExitCode, time::Duration};

use engine::Engine;
use model::Action;
use tokio::net::TcpListener;

use crate::{
    cli::{Output, ServeArgs, console::permit},
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
        let planted = async { engine.plant_demo(&permit(Action::MigrateDatabase)?).await };
        match planted.await {
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
    let reach = args.url.clone().unwrap_or_default();
    let serving = async {
        let ended = signal::asked_to_end();
        let served = web::serve(engine.clone(), listener, reach.clone(), ended).await;
        drop(serving);
        served
    };
    // Dropped with the server: whoever never gets in needs no link.
    let greeting = async {
        tokio::select! {
            served = serving => served,
            never = greet(engine, |path| reach.link(address, path), output) => match never {},
        }
    };
    let (served, ()) = tokio::join!(greeting, attending);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.error(&error.to_string()),
    }
}

/// How long it is waited until a database that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// Where nobody has an account yet, tells whoever reads the console how to make the first one.
async fn greet(engine: &Engine, link: impl Fn(&str) -> String, output: Output) -> Infallible {
    let mut told = false;
    loop {
        match engine.accounts().first_link().await {
            Ok(Some(token)) => {
                let link = link(&format!("/invitation/{}", token.text()));
                output.line("Nobody has an account yet. Make the first admin, within an hour, with this link:");
                output.line(&format!("  {link}"));
                return std::future::pending().await;
            }
            Ok(None) => return std::future::pending().await,
            Err(error) if !told => {
                told = true;
                output.warning(&format!(
                    "whether anybody has an account cannot be seen yet: {error}"
                ));
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}
