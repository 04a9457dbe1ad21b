//! One FiftyOne database on a test's server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use bson::{Bson, Document, doc};
use engine::{Connection, Control, Engine, Report, Request};
use futures_util::TryStreamExt;
use mongodb::{Collection, Database};

use crate::{Mongod, NEWEST, Program, State, Wire, console};

/// Every document of a database, by collection and in the order of their ids.
pub type Dump = BTreeMap<String, Vec<Document>>;

/// A database, a connection to look at it, and what the program needs to know to find it.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The test's own connection.
    pub database: Database,
    /// Where the server is.
    pub uri: String,
}

impl Deployment {
    /// A database without anything, on the shared server.
    pub async fn empty() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::on(Mongod::shared(), &format!("database-{count}")).await
    }

    /// A database at `version` without datasets, on the shared server.
    pub async fn at(version: &str) -> Self {
        let deployment = Self::empty().await;
        deployment.configure(version).await;
        deployment
    }

    /// A database with all that a state holds, on the shared server.
    pub async fn holding(state: &State) -> Self {
        let deployment = Self::empty().await;
        deployment.plant_all(&state.collections).await;
        deployment
    }

    /// The same on another server.
    pub async fn planted(server: &Mongod, name: &str, state: &State) -> Self {
        let deployment = Self::on(server, name).await;
        deployment.plant_all(&state.collections).await;
        deployment
    }

    /// A database on a server.
    pub async fn on(server: &Mongod, name: &str) -> Self {
        Self { database: server.client().await.database(name), uri: server.uri() }
    }

    /// The same at the other end of a wire.
    #[must_use]
    pub fn behind(&self, wire: &Wire) -> Self {
        Self { uri: wire.uri(), ..self.clone() }
    }

    /// The same behind a wire on which the first, second, .. such command on one of its collections, and all after it, are
    /// held. It is on the shared server.
    pub async fn held(&self, which: usize, command: &str, collection: &str) -> (Self, Wire) {
        let place = format!("{}.{collection}", self.database.name());
        let wire = Wire::holding(Mongod::shared(), which, command, &place).await;
        (self.behind(&wire), wire)
    }

    /// Writes its `config` document.
    pub async fn configure(&self, version: &str) {
        self.plant("config", [doc! { "version": version, "type": "fiftyone" }]).await;
    }

    /// Says in its `config` document that it is at another version.
    pub async fn configure_anew(&self, version: &str) {
        let change = doc! { "$set": { "version": version } };
        self.collection("config").update_one(doc! {}, change).await.unwrap();
    }

    /// Adds documents.
    pub async fn plant(&self, collection: &str, documents: impl IntoIterator<Item = Document>) {
        let documents: Vec<Document> = documents.into_iter().collect();
        if documents.is_empty() {
            self.database.create_collection(collection).await.unwrap();
        }
        for chunk in documents.chunks(20_000) {
            self.collection(collection).insert_many(chunk).await.unwrap();
        }
    }

    /// Adds whole collections.
    pub async fn plant_all(&self, collections: &Dump) {
        for (name, documents) in collections {
            self.plant(name, documents.clone()).await;
        }
    }

    /// One of its collections.
    pub fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// The database in which runs are written down.
    pub fn jobs(&self) -> Database {
        self.database.client().database("fiftyone_migrate")
    }

    /// All documents of a collection, in the order of their ids.
    pub async fn all(&self, collection: &str) -> Vec<Document> {
        let found =
            self.collection(collection).find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
        found.try_collect().await.unwrap()
    }

    /// The dataset document with this name.
    pub async fn dataset(&self, name: &str) -> Document {
        self.collection("datasets").find_one(doc! { "name": name }).await.unwrap().unwrap()
    }

    /// The version of the dataset with this name.
    pub async fn version_of(&self, name: &str) -> Bson {
        self.dataset(name).await.remove("version").unwrap_or_default()
    }

    /// The version of the database.
    pub async fn version(&self) -> String {
        let config = self.collection("config").find_one(doc! {}).await.unwrap().unwrap();
        config.get_str("version").unwrap().to_owned()
    }

    /// Everything there is.
    pub async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        for name in self.database.list_collection_names().await.unwrap() {
            if !name.starts_with("system.") {
                let documents = self.all(&name).await;
                dump.insert(name, documents);
            }
        }
        dump
    }

    /// The program, pointed at this database; with nobody's rights in particular.
    #[must_use]
    pub fn seen_by(&self, program: Program) -> Program {
        let name = self.database.name();
        program.env("FIFTYONE_DATABASE_URI", &self.uri).env("FIFTYONE_DATABASE_NAME", name)
    }

    /// The program, pointed at this database with an admin's rights.
    #[must_use]
    pub fn led_by(&self, program: Program) -> Program {
        self.seen_by(program).env("FIFTYONE_DATABASE_ADMIN", "true")
    }

    /// The engine, with an admin's rights.
    pub async fn engine(&self) -> Engine {
        let connection = Connection {
            uri: self.uri.clone(),
            database: self.database.name().to_owned(),
            runs: "fiftyone_migrate".to_owned(),
            admin: true,
            validation: true,
        };
        Engine::open(&connection).await.unwrap()
    }

    /// The database of our own, in which runs and repairs of all databases are written down.
    pub fn engine_database(&self) -> Database {
        self.database.client().database("fiftyone_migrate")
    }

    /// Migrates by the engine itself.
    pub async fn migrate(&self, request: Request) -> Report {
        let (control, _meter, _events) = Control::new();
        self.engine().await.migrate(&console(), request, control).await.unwrap()
    }

    /// Insists that everything is at a version.
    pub async fn assert_all_at(&self, version: &str) {
        assert_eq!(self.version().await, version);
        for it in self.all("datasets").await {
            assert_eq!(it.get("version"), Some(&version.into()), "{}", it.get("name").unwrap());
        }
    }

    /// Insists that everything is at the newest version.
    pub async fn assert_newest(&self) {
        self.assert_all_at(NEWEST).await;
    }
}
