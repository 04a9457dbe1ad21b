//! Our server, in this process, in front of a throwaway MongoDB.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use engine::{Connection, Engine, Origin};
use model::{Action, Principal, Role};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::http::{self, Answer};
use crate::mongo::{DATABASE, Mongo};
use crate::ready;

/// A deployment with four datasets at three versions, and our server showing it, with one admin.
pub struct App {
    pub mongo: Mongo,
    /// For example `http://127.0.0.1:38051`.
    pub address: String,
    /// What the admin's browser sends with everything: `name=token`.
    pub admin: String,
    engine: Engine,
    shutdown: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
    attending: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl App {
    /// Starts everything on free ports, where nothing may be migrated.
    pub async fn start() -> Result<Self> {
        Self::started(false, None).await
    }

    /// The same where migrations are allowed, with a server that carries out what is asked for.
    pub async fn migrating() -> Result<Self> {
        Self::started(true, None).await
    }

    /// The same, with a folder that members import from.
    pub async fn importing(imports: &Path) -> Result<Self> {
        Self::started(true, Some(imports.to_owned())).await
    }

    async fn started(migrates: bool, imports: Option<PathBuf>) -> Result<Self> {
        let mongo = Mongo::start().await?;
        mongo.insert_config("0.21.2").await?;
        for (name, version) in
            [("cats", "0.18.0"), ("dogs", "0.18.0"), ("birds", "0.21.2"), ("ants", "1.22.1")]
        {
            mongo.insert_dataset(name, version).await?;
        }
        let engine = connect_as(&mongo.uri(), migrates).await?.importing_from(imports);
        ready::wait_for("the engine to reach its server", async || engine.status().await).await?;
        let first = engine.accounts().first_link().await?.context("there is an account already")?;
        let token = engine.accounts().accept(first.text(), ADMIN, PASSWORD, &origin()).await?;
        let admin = cookie(token.text());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let attending = migrates.then(|| {
            let (end, ended) = oneshot::channel::<()>();
            let attending = engine.clone().attend(async { drop(ended.await) });
            (end, tokio::spawn(attending))
        });
        let (shutdown, asked) = oneshot::channel();
        let ended = async {
            asked.await.ok();
        };
        let reach = server::web::Reach::default();
        let serving = tokio::spawn(server::web::serve(engine.clone(), listener, reach, ended));
        Ok(Self { mongo, address, admin, engine, shutdown, serving, attending })
    }

    /// The engine that the server has.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Somebody else who has signed in: what their browser sends with everything.
    ///
    /// # Errors
    ///
    /// If there is an account of this name.
    pub async fn sign_up(&self, name: &str, role: Role) -> Result<String> {
        let accounts = self.engine.accounts();
        let permit = Principal::console("a test".to_owned()).permit(Action::ManageUsers)?;
        let invitation = accounts.invite(&permit, role, name).await?;
        let token = accounts.accept(invitation.text(), name, PASSWORD, &origin()).await?;
        Ok(cookie(token.text()))
    }

    /// What the admin gets who asks for this path.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.get_as(&self.admin, path).await
    }

    /// What somebody gets who asks for this path; `cookie`: what their browser sends, nothing if it is empty.
    pub async fn get_as(&self, cookie: &str, path: &str) -> Result<Answer> {
        let headers = [("sec-fetch-site", "same-origin"), ("cookie", cookie)];
        let headers = if cookie.is_empty() { &headers[..1] } else { &headers };
        http::get(&format!("{}{path}", self.address), headers).await
    }

    /// What somebody gets who posts this form, from a page of this server.
    pub async fn post_as(&self, cookie: &str, path: &str, form: &[(&str, &str)]) -> Result<Answer> {
        let mut headers = vec![("origin", self.address.as_str())];
        if !cookie.is_empty() {
            headers.push(("cookie", cookie));
        }
        http::post(&format!("{}{path}", self.address), &headers, form).await
    }

    /// Asks the server to end, and waits until it has.
    pub async fn stop(self) -> Result<()> {
        if let Some((end, attending)) = self.attending {
            end.send(()).ok();
            attending.await?;
        }
        self.shutdown.send(()).ok();
        Ok(self.serving.await??)
    }
}

/// The admin of an [`App`].
pub const ADMIN: &str = "ada";

/// The password of everybody in tests.
pub const PASSWORD: &str = "a password that is long enough";

fn origin() -> Origin {
    Origin { address: "127.0.0.1".to_owned(), agent: "a test".to_owned() }
}

fn cookie(token: &str) -> String {
    format!("fiftyone_migrate={token}")
}

/// The engine of somebody who may look, in front of the test's database.
///
/// # Errors
///
/// If the URI cannot be read.
pub async fn connect(uri: &str) -> Result<Engine> {
    connect_as(uri, false).await
}

/// The same; `admin`: of somebody who may migrate.
///
/// # Errors
///
/// If the URI cannot be read.
pub async fn connect_as(uri: &str, admin: bool) -> Result<Engine> {
    let (uri, database) = (uri.to_owned(), DATABASE.to_owned());
    let runs = "fiftyone_migrate".to_owned();
    Ok(Engine::open(&Connection { uri, database, runs, admin, validation: true }).await?)
}
