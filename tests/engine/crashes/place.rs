//! A database, a database of runs of its own, and ways to end what works on them after a given write.

use bson::{DateTime, Document, doc};
use engine::{Connection, Control, Engine, JobState, Outcome, RunSummary, State as Became};
use mongodb::options::WriteConcern;
use tests::{Cut, Deployment, Dump, Mongod, Wire, Write, console, program, timeless, to};

use crate::ledger::{readable, settled};

/// What is done.
#[derive(Clone, Debug)]
pub enum What {
    /// Everything goes to a version.
    Migrate(String),
    /// A run goes back.
    Undo(String),
    /// Whatever is damaged is mended.
    Repair,
}

/// How something that works on it ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// The world ends that it is in.
    Dies,
    /// The process is killed that it is.
    Killed,
    /// It loses its connection.
    Loses(Cut),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The run; `None` if there was nothing to do.
    pub run: Option<String>,
    /// Where the run is.
    pub state: Option<JobState>,
    /// How many datasets, or findings, are not as they shall be, and why.
    pub left: Vec<String>,
}

/// Where it is done.
#[derive(Debug)]
pub struct Place {
    /// The database.
    pub deployment: Deployment,
    /// Since when all times are new.
    pub begun: DateTime,
    /// What is written down about runs before there is any: what the archive has.
    archive: Dump,
    name: String,
    engine: Engine,
}

impl Place {
    /// A database with these documents.
    pub async fn with(server: &Mongod, name: &str, begun: DateTime, documents: &Dump) -> Self {
        Self::having(server, name, begun, (documents, &Dump::new())).await
    }

    /// A database with these documents, and these in the archive.
    pub async fn having(
        server: &Mongod,
        name: &str,
        begun: DateTime,
        (documents, archive): (&Dump, &Dump),
    ) -> Self {
        let deployment = Deployment::on(server, name).await;
        deployment.plant_all(documents).await;
        let engine = Engine::open(&connection(server.uri(), name)).await.unwrap();
        let (mut archive, name) = (archive.clone(), name.to_owned());
        for entry in archive.get_mut("archive").into_iter().flatten() {
            entry.get_document_mut("_id").unwrap().insert("database", &name);
        }
        let place = Self { deployment, begun, archive, name, engine };
        place.forget().await;
        place
    }

    /// What the archive has.
    pub async fn archive(&self) -> Dump {
        let runs = Deployment { database: self.runs(), uri: self.deployment.uri.clone() };
        let mut dump = runs.dump().await;
        dump.retain(|name, documents| name.starts_with("archive") && !documents.is_empty());
        dump
    }

    /// Does it, with nobody in the way.
    pub async fn does(&self, what: &What) -> Came {
        carry_out(&self.engine, what).await.unwrap()
    }

    /// Does it, and says which writes that takes.
    pub async fn does_by(&self, server: &Mongod, what: &What) -> (Came, Vec<Write>) {
        let wire = Wire::whole(server).await;
        let engine = Engine::open(&connection(wire.uri(), &self.name)).await.unwrap();
        let came = carry_out(&engine, what).await.unwrap();
        engine.close().await;
        (came, wire.writes().await)
    }

    /// Begins it, and ends it after this many writes. Whether it came so far.
    pub async fn ends(&self, server: &Mongod, what: &What, through: usize, end: End) -> bool {
        match end {
            End::Dies => self.dies(server, what, through).await,
            End::Killed => self.is_killed(server, what, through).await,
            End::Loses(cut) => self.loses(server, what, through, cut).await,
        }
    }

    /// Begins it in a world of its own, which ends after this many writes with everything in it. Whether it came so far.
    async fn dies(&self, server: &Mongod, what: &What, through: usize) -> bool {
        let wire = std::sync::Arc::new(Wire::to(server, through, Cut::Dead).await);
        let (connection, what) = (connection(wire.uri(), &self.name), what.clone());
        let theirs = std::sync::Arc::clone(&wire);
        let world = tokio::task::spawn_blocking(move || {
            let world = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let came = world.block_on(async {
                let engine = Engine::open(&connection).await.unwrap();
                tokio::select! {
                    came = carry_out(&engine, &what) => Some(came),
                    () = theirs.cut() => None,
                }
            });
            world.shutdown_background();
            came
        });
        let came = world.await.unwrap();
        assert!(wire.is_cut() || came.is_some_and(|it| it.is_ok()));
        self.bury().await;
        wire.is_cut()
    }

    /// Lets the program itself do it, and kills it after this many writes. Whether it came so far.
    async fn is_killed(&self, server: &Mongod, what: &What, through: usize) -> bool {
        let wire = Wire::to(server, through, Cut::Dead).await;
        let arguments = match what {
            What::Migrate(version) => vec!["--all", "-v", version],
            What::Undo(run) => vec!["runs", "undo", run],
            What::Repair => vec!["doctor", "--repair"],
        };
        let there = self.deployment.behind(&wire);
        let program = program!(arguments).env("FIFTYONE_MIGRATE_DATABASE", runs(&self.name));
        let ended = there.led_by(program).spawn().killed_at(wire.cut()).await;
        assert!(!wire.is_cut() || ended.status.is_none(), "{}", ended.stderr);
        wire.is_cut()
    }

    /// The connection is lost at this write, carried out or not, and comes back. Whether it came so far.
    async fn loses(&self, server: &Mongod, what: &What, through: usize, cut: Cut) -> bool {
        let wire = Wire::to(server, through, cut).await;
        // Whatever it says.
        drop(self.does_through(&wire, what).await);
        wire.is_cut()
    }

    /// Does it through a wire that may be cut, and be there again. Whoever had the lease is gone then.
    pub async fn does_through(&self, wire: &Wire, what: &What) -> engine::Result<Came> {
        let engine = Engine::open(&connection(wire.uri(), &self.name)).await.unwrap();
        let came = carry_out(&engine, what).await;
        engine.close().await;
        self.bury().await;
        came
    }

    /// Makes the holder of the lease somebody who is gone, as a process that was killed is: here it was a world in this
    /// process, which goes on.
    async fn bury(&self) {
        let gone = doc! { "$inc": { "holder.started": -1_i64 } };
        let leases = self.runs().collection::<Document>("leases");
        leases.update_many(doc! { "holder": { "$exists": true } }, gone).await.unwrap();
    }

    /// The newest run.
    pub async fn run(&self) -> Option<RunSummary> {
        self.engine.runs().await.unwrap().into_iter().next()
    }

    /// Everything in it, but for times; an empty collection is as good as none.
    pub async fn dump(&self) -> Dump {
        let mut dump = timeless(self.deployment.dump().await, self.begun);
        dump.retain(|_, documents| !documents.is_empty());
        dump
    }

    /// What is written down about runs, but for what cannot be the same twice.
    pub async fn ledger(&self) -> Dump {
        let runs = Deployment { database: self.runs(), uri: self.deployment.uri.clone() };
        settled(timeless(readable(runs.dump().await), self.begun))
    }

    /// Has these documents again and no others.
    pub async fn restore(&self, documents: &Dump) {
        for name in self.deployment.dump().await.keys() {
            self.deployment.collection(name).delete_many(doc! {}).await.unwrap();
        }
        for (name, documents) in documents.iter().filter(|(_, it)| !it.is_empty()) {
            self.deployment.plant(name, documents.clone()).await;
        }
    }

    /// Forgets all runs.
    pub async fn forget(&self) {
        // A server that is killed right after it shall not have them again.
        let durable = WriteConcern::builder().journal(true).build();
        for name in self.runs().list_collection_names().await.unwrap() {
            let all = self.runs().collection::<Document>(&name);
            all.delete_many(doc! {}).write_concern(durable.clone()).await.unwrap();
        }
        for (name, documents) in &self.archive {
            let all = self.runs().collection::<Document>(name);
            all.insert_many(documents).write_concern(durable.clone()).await.unwrap();
        }
    }

    /// Is gone.
    pub async fn vanish(self) {
        self.runs().drop().await.unwrap();
        self.deployment.database.drop().await.unwrap();
        self.engine.close().await;
    }

    fn runs(&self) -> mongodb::Database {
        self.deployment.database.client().database(&runs(&self.name))
    }
}

/// The name of a database for runs.
fn runs(name: &str) -> String {
    format!("{name}-runs")
}

fn connection(uri: String, name: &str) -> Connection {
    Connection { uri, database: name.to_owned(), runs: runs(name), admin: true, validation: true }
}

async fn carry_out(engine: &Engine, what: &What) -> engine::Result<Came> {
    let (control, _meter, _events) = Control::new();
    let report = match what {
        What::Migrate(version) => engine.migrate(&console(), to(version), control).await?,
        What::Undo(run) => engine.undo(&console(), run, &[], control).await?,
        What::Repair => {
            let diagnosis = engine.repair(&console(), control).await?;
            let mended = |it: &&engine::Finding| !matches!(it.outcome, Some(Outcome::Mended(_)));
            let left = diagnosis.findings.iter().filter(mended);
            let left = left.map(|it| format!("{}: {:?}", it.problem, it.outcome)).collect();
            return Ok(Came { left, ..Came::default() });
        }
    };
    let fine = [Became::Migrated, Became::Current, Became::Undone];
    let left = report.datasets.iter().filter(|it| !fine.contains(&it.state));
    let left = left.map(|it| format!("{:?} {:?}: {:?}", it.name, it.state, it.reason)).collect();
    Ok(Came { run: report.run, state: report.run_state, left })
}
