//! The database that the tests of the web app work on.

use anyhow::Result;
use bson::{Document, doc};
use mongodb::{Client, Database};

use crate::Mongod;

/// The database that tests work on.
pub const DATABASE: &str = "fiftyone-test";

/// A database on a server of its own. Both are gone when this is.
pub struct Mongo {
    client: Client,
    uri: String,
    server: Option<Mongod>,
}

impl Mongo {
    /// Starts a server.
    pub async fn start() -> Result<Self> {
        let server = Mongod::start(&[]).frail();
        // A server that is gone should be noticed soon, but one that is slow is not gone.
        let uri = format!("{}&serverSelectionTimeoutMS=2000", server.uri());
        let client = server.client().await;
        Ok(Self { client, uri, server: Some(server) })
    }

    /// What a program connects to.
    pub fn uri(&self) -> String {
        self.uri.clone()
    }

    /// The database that tests work on.
    pub fn database(&self) -> Database {
        self.client.database(DATABASE)
    }

    /// The database in which runs are written down.
    pub fn runs(&self) -> Database {
        self.client.database("fiftyone_migrate")
    }

    /// Records the version of the database, as FiftyOne does.
    pub async fn insert_config(&self, version: &str) -> Result<()> {
        let config = doc! { "type": "fiftyone", "version": version };
        self.database().collection::<Document>("config").insert_one(config).await?;
        Ok(())
    }

    /// Adds an empty dataset that is at `version`.
    pub async fn insert_dataset(&self, name: &str, version: &str) -> Result<()> {
        let dataset = doc! {
            "name": name,
            "slug": name,
            "version": version,
            "persistent": true,
            "media_type": "image",
            "sample_collection_name": format!("samples.{name}"),
            "sample_fields": [],
        };
        self.database().collection::<Document>("datasets").insert_one(dataset).await?;
        Ok(())
    }

    /// Ends the server, as if the machine had failed.
    pub fn kill(&mut self) {
        self.server = None;
    }
}
