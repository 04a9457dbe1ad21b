//! Our server, in this process, in front of a throwaway MongoDB.

use anyhow::Result;
use engine::{Connection, Engine};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::mongo::{DATABASE, Mongo};
use crate::ready;

/// A deployment with four datasets at three versions, and our server showing it.
pub struct App {
    pub mongo: Mongo,
    /// For example `http://127.0.0.1:38051`.
    pub address: String,
    shutdown: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl App {
    /// Starts everything on free ports.
    pub async fn start() -> Result<Self> {
        let mongo = Mongo::start().await?;
        mongo.insert_config("0.21.2").await?;
        for (name, version) in
            [("cats", "0.18.0"), ("dogs", "0.18.0"), ("birds", "0.21.2"), ("ants", "1.22.1")]
        {
            mongo.insert_dataset(name, version).await?;
        }
        let engine = connect(&mongo.uri()).await?;
        ready::wait_for("the engine to reach its server", async || engine.status().await).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let (shutdown, asked) = oneshot::channel();
        let serving = tokio::spawn(server::web::serve(engine, listener, async {
            asked.await.ok();
        }));
        Ok(Self { mongo, address, shutdown, serving })
    }

    /// Asks the server to end, and waits until it has.
    pub async fn stop(self) -> Result<()> {
        self.shutdown.send(()).ok();
        Ok(self.serving.await??)
    }
}

/// The engine of somebody who may look, in front of the test's database.
///
/// # Errors
///
/// If the URI cannot be read.
pub async fn connect(uri: &str) -> Result<Engine> {
    let (uri, database) = (uri.to_owned(), DATABASE.to_owned());
    let runs = "fiftyone_migrate".to_owned();
    Ok(Engine::open(&Connection { uri, database, runs, admin: false, validation: true }).await?)
}
