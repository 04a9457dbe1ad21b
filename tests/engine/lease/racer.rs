//! One of many processes that want one lease: takes it, writes under it, gives it back or forgets to, and begins again.
//!
//! `lease_racer URI SEED LOG`. Ends when it is killed, or by chance; what it cannot write into the database, it adds to
//! the log. Everything that it writes into the database carries the server's time and the number of the lease.

#![expect(
    clippy::unwrap_used,
    reason = "what a test's program cannot do, the test sees in its log"
)]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process;
use std::time::{Duration, Instant};

use bson::{DateTime, Document, doc};
use engine::trial::Held;
use engine::{Connection, Engine, Error};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use tests::Dice;

/// The limit that the engine gives to a write without a number, and that ends well within a lease.
const LIMIT_MS: i64 = 10_000;

struct Racer {
    engine: Engine,
    database: Database,
    dice: Dice,
    log: File,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (uri, seed) = (arguments.next().unwrap(), arguments.next().unwrap());
    let log = OpenOptions::new().append(true).open(arguments.next().unwrap()).unwrap();
    let connection = Connection {
        uri: uri.clone(),
        database: "fiftyone".to_owned(),
        runs: "fiftyone_migrate".to_owned(),
        admin: true,
        validation: true,
    };
    let engine = Engine::open(&connection).await.unwrap();
    let mut options = ClientOptions::parse(&uri).await.unwrap();
    // As the engine's own connections are called, so that the server knows these writes for a migration's.
    options.app_name = Some("fiftyone-migrate".to_owned());
    let database = Client::with_options(options).unwrap().database("fiftyone");
    let dice = Dice::of(seed.parse().unwrap());
    let mut racer = Racer { engine, database, dice, log };
    loop {
        racer.pause(50..500).await;
        match Held::take(&racer.engine).await {
            Ok(lease) => racer.hold(lease).await,
            Err(Error::Busy { .. }) => {}
            Err(other) => racer.note(&format!("error {other}")),
        }
    }
}

impl Racer {
    async fn hold(&mut self, lease: Held) {
        let fence = lease.fence();
        self.note(&format!("took {fence}"));
        let span = if self.dice.percent(5) { 4_000..12_000 } else { 50..600 };
        let until = Instant::now() + Duration::from_millis(self.dice.within(span));
        while Instant::now() < until {
            // As the engine does: this write is refused if it comes too late ..
            if !self.write_fenced(fence).await {
                return;
            }
            // .. and this one is not, so that it must not be begun then.
            if lease.may_write() {
                let takes = if self.dice.percent(1) { self.dice.within(50..9_000) } else { 0 };
                self.write_bare(fence, takes).await;
            }
            self.pause(5..60).await;
        }
        // What came of it is said under its number too, however late; then it is given back, or not.
        self.write_fenced(fence).await;
        if self.dice.percent(15) {
            process::exit(0);
        }
        lease.release().await;
    }

    /// Whether the write was accepted.
    async fn write_fenced(&mut self, fence: i64) -> bool {
        let entry = entry(fence);
        let stage = doc! { "$set": { "fence": fence, "writes": { "$concatArrays": ["$writes", [entry]] } } };
        let filter = doc! { "_id": "fenced", "fence": { "$lte": fence } };
        // Whoever wakes up finds its connections gone first.
        for _ in 0..3 {
            match self.update(doc! { "q": filter.clone(), "u": [stage.clone()] }).await {
                Some(0) => {
                    self.note(&format!("refused {fence}"));
                    return false;
                }
                Some(_) => return true,
                None => {}
            }
        }
        false
    }

    /// `takes`: how long the server is at it, in milliseconds, before the write is done.
    async fn write_bare(&mut self, fence: i64, takes: u64) {
        let entry = entry(fence);
        let stage = doc! { "$set": { "writes": { "$concatArrays": ["$writes", [entry]] } } };
        let mut filter = doc! { "_id": "bare" };
        if takes > 0 {
            filter.insert("$where", format!("sleep({takes}); return true"));
        }
        self.update(doc! { "q": filter, "u": [stage] }).await;
    }

    async fn update(&mut self, statement: Document) -> Option<i32> {
        let command = doc! { "update": "journal", "updates": [statement], "maxTimeMS": LIMIT_MS };
        match self.database.run_command(command).await {
            Ok(answer) => answer.get_i32("n").ok(),
            Err(error) => {
                self.note(&format!("error {error}"));
                None
            }
        }
    }

    async fn pause(&mut self, millis: std::ops::Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.dice.within(millis))).await;
    }

    fn note(&mut self, line: &str) {
        self.log.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

fn entry(fence: i64) -> Document {
    doc! { "fence": fence, "by": i64::from(process::id()), "thinks": DateTime::now(), "at": "$$NOW" }
}
