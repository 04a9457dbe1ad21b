//! One run, several servers: what they leave together is what one leaves alone, whoever of them stops, dies or falls
//! asleep meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bson::{DateTime, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{
    Deployment, Dump, Mongod, Running, State, assert_same, image_dataset, image_samples, program,
    timeless, video_dataset, video_frames, video_samples,
};
use tokio::sync::OnceCell;

const LIMIT: Duration = Duration::from_mins(10);

/// How many datasets there are beside those that FiftyOne left and those whose names clash.
const MANY: usize = 150;

/// How long each change of samples takes the server at least: one program that does one at a time is at it for so long
/// that nobody comes too late to help.
const SLOW_MS: i32 = 40;

/// The same until what a test waits for was seen, however busy the machine is.
const SLOWER_MS: i32 = 400;

/// Datasets that have nothing to do with each other, and some whose names clash when they become slugs.
fn shapes() -> Dump {
    let mut dump = State::down_to("0.18.0").collections;
    let mut plant = |dataset: Document, samples: Vec<Document>, frames: Vec<Document>| {
        let name = dataset.get_str("sample_collection_name").unwrap().to_owned();
        if !frames.is_empty() {
            dump.insert(format!("frames.{name}"), frames);
        }
        dump.insert(name, samples);
        dump.entry("datasets".to_owned()).or_default().push(dataset);
    };
    for at in 0..MANY {
        plant(image_dataset(&format!("images {at:03}")), image_samples(30).collect(), Vec::new());
    }
    for at in 0..4 {
        let samples: Vec<Document> = video_samples(5).collect();
        let frames = video_frames(&samples, 10);
        plant(video_dataset(&format!("videos {at}")), samples, frames);
    }
    // Which of them keeps its name is decided by the order of the names: those in capitals come first.
    for name in ["Twin", "twin", "images_007", "images-007", "images 200-", "zwilling", "Zwilling"]
    {
        plant(image_dataset(name), image_samples(3).collect(), Vec::new());
    }
    let mut nameless = image_dataset("");
    nameless.remove("name");
    plant(nameless, image_samples(3).collect(), Vec::new());
    dump
}

/// What is there before, when that was, and what one program leaves that nobody disturbs: the same for all tests.
async fn alone() -> &'static (Dump, DateTime, Dump) {
    static ALONE: OnceCell<(Dump, DateTime, Dump)> = OnceCell::const_new();
    let alone = || async {
        let (shapes, begun) = (shapes(), DateTime::now());
        let deployment = Deployment::empty().await;
        deployment.plant_all(&shapes).await;
        deployment.led_by(program!(["--all"])).run().await.exits_with(0);
        let left = left_by(&deployment, begun).await;
        (shapes, begun, left)
    };
    ALONE.get_or_init(alone).await
}

/// What is there, without the time of the run, which is the name of the dataset that had none as well.
async fn left_by(deployment: &Deployment, begun: DateTime) -> Dump {
    let mut dump = timeless(deployment.dump().await, begun);
    for it in dump.get_mut("datasets").unwrap() {
        if it.get_str("name").is_ok_and(|it| it.starts_with("20") && it.len() == 19) {
            it.extend(doc! { "name": "a time", "slug": "a-time" });
        }
    }
    dump
}

/// Lets every change of a migration take its time, or not any more.
async fn slow(server: &Mongod, millis: i32) {
    let mode = if millis > 0 { "alwaysOn" } else { "off" };
    let failure = doc! {
        "configureFailPoint": "failCommand", "mode": mode,
        "data": {
            "failCommands": ["update"], "blockConnection": true, "blockTimeMS": millis.max(1),
            "appName": "fiftyone-migrate",
        },
    };
    server.client().await.database("admin").run_command(failure).await.unwrap();
}

/// A run of everything that waits for a server, and goes slowly.
async fn detached(deployment: &Deployment, flags: &[&str]) -> String {
    let arguments = [&["--all", "--detach", "--json"], flags].concat();
    let left = deployment.led_by(program!(arguments)).run().await.with(0);
    let id = left.json()["id"].as_str().unwrap().to_owned();
    let pace = ["runs", "pace", &id, "--side-by-side", "1"];
    deployment.led_by(program!(pace)).run().await.exits_with(0);
    id
}

async fn end(servers: impl IntoIterator<Item = Running>) {
    for it in servers {
        it.signal(Signal::SIGTERM);
        it.ended().await.exits_with(0);
    }
}

fn hands(run: &Value) -> Vec<&Value> {
    run["hands"].as_array().unwrap().iter().collect()
}

fn helpers_at_work(run: &Value) -> usize {
    let helps = |it: &&&Value| it["leads"] == false && it["datasets"].as_u64() > Some(0);
    hands(run).iter().filter(helps).count()
}

/// What was written down about each dataset of a run.
async fn noted(deployment: &Deployment, id: &str) -> Vec<Document> {
    let run = ObjectId::parse_str(id).unwrap();
    let jobs = Deployment { database: deployment.jobs(), uri: deployment.uri.clone() };
    let mut all = jobs.all("run_datasets").await;
    all.retain(|it| it.get_object_id("run").unwrap() == run);
    all
}

/// Every dataset was migrated, each by one hand, and nothing of the division is left.
async fn assert_divided(deployment: &Deployment, id: &str, run: &Value) -> BTreeMap<String, usize> {
    let noted = noted(deployment, id).await;
    let migrated =
        noted.iter().filter(|it| it.get_str("state").is_ok_and(|it| it == "migrated")).count();
    assert_eq!(migrated, noted.len(), "{noted:#?}");
    let told: u64 = hands(&run["run"]).iter().map(|it| it["datasets"].as_u64().unwrap()).sum();
    assert_eq!(told, u64::try_from(migrated).unwrap(), "{:#}", run["run"]);
    let mut by_hand: BTreeMap<String, usize> = BTreeMap::new();
    for it in &noted {
        let hand = it.get_object_id("hand").map_or("alone".to_owned(), ObjectId::to_hex);
        *by_hand.entry(hand).or_default() += 1;
    }
    assert_nothing_left(deployment).await;
    by_hand
}

async fn assert_nothing_left(deployment: &Deployment) {
    let noted = deployment.jobs().collection::<Document>("run_datasets");
    let indexes = noted.list_index_names().await.unwrap();
    assert!(indexes.contains(&"dataset_1_run_-1".to_owned()), "{indexes:?}");
    let name = deployment.database.name();
    let shares = deployment.jobs().collection::<Document>("run_shares");
    assert_eq!(shares.count_documents(doc! { "database": name }).await.unwrap(), 0);
    let leases = deployment.jobs().collection::<Document>("leases");
    let lease = leases.find_one(doc! { "_id": name }).await.unwrap().unwrap();
    assert_eq!(lease.get("division"), None);
}

/// A run that is divided, with what one program alone leaves of the same.
struct Divided {
    mongod: Mongod,
    begun: DateTime,
    expected: &'static Dump,
    deployment: Deployment,
    id: String,
}

impl Divided {
    async fn begin(flags: &[&str]) -> Self {
        let (shapes, begun, expected) = alone().await;
        let mongod = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
        let deployment = Deployment::on(&mongod, "together").await;
        deployment.plant_all(shapes).await;
        slow(&mongod, SLOWER_MS).await;
        let id = detached(&deployment, flags).await;
        Self { mongod, begun: *begun, expected, deployment, id }
    }

    fn server(&self) -> Running {
        self.deployment.led_by(program!(["serve", "--listen", "127.0.0.1:0"])).spawn()
    }

    async fn until(&self, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        self.deployment.until(&self.id, what, found).await
    }

    async fn completed(&self) -> Value {
        self.until("completed", |it| it["state"] == "completed").await
    }

    /// Waits until so many of these are for whoever claims them: one that leads gives back what it was about to do only
    /// when it has come to the edge of what it is in.
    async fn until_offered(&self, many: usize, which: impl Fn(&&Document) -> bool) {
        let (shares, begun) = (self.deployment.jobs().collection("run_shares"), Instant::now());
        let open = doc! { "database": self.deployment.database.name(), "done": false };
        loop {
            let found: Vec<Document> =
                shares.find(open.clone()).await.unwrap().try_collect().await.unwrap();
            let tasks = found.iter().flat_map(|it| it.get_array("tasks").unwrap());
            let offered = tasks.filter(|it| which(&it.as_document().unwrap())).count();
            if offered >= many {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{offered} are offered: {found:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets whoever has the lease have it for an hour, awake or not, until it is renewed again.
    async fn lease_lasts(&self) {
        let leases = self.deployment.jobs().collection::<Document>("leases");
        let longer = doc! { "$set": { "expires": { "$add": ["$$NOW", 3_600_000] } } };
        let name = doc! { "_id": self.deployment.database.name() };
        let changed = leases.update_one(name, vec![longer]).await.unwrap();
        assert_eq!(changed.matched_count, 1);
    }

    async fn assert_same(&self, what: &str) {
        assert_same(what, self.expected, &left_by(&self.deployment, self.begun).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_leave_together_what_one_leaves_alone() {
    let divided = Divided::begin(&[]).await;
    let servers = [(); 3].map(|()| divided.server());
    // Each of them does its part before anybody is done.
    let begun = |it: &Value| {
        let worked = |it: &&&Value| it["datasets"].as_u64() > Some(MANY as u64 / 10);
        hands(it).iter().filter(worked).count() == 3
    };
    divided.until("divided among three", begun).await;
    slow(&divided.mongod, SLOW_MS).await;
    divided.completed().await;
    end(servers).await;
    // What each has done is noted when it leaves, at the latest.
    let run = divided.deployment.shown(&divided.id).await;
    divided.assert_same("together").await;
    let by_hand = assert_divided(&divided.deployment, &divided.id, &run).await;
    println!("{by_hand:?}");
    let substantial = by_hand.values().filter(|it| **it > MANY / 10).count();
    assert!(substantial >= 3, "hardly anybody has helped: {by_hand:?}");
    // What has to be done in the order of the names was done by whoever leads.
    let leads = hands(&run["run"])[0];
    assert_eq!(leads["leads"], true);
    let log: Vec<&str> =
        run["log"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(log.iter().filter(|it| it.starts_with("is divided")).count(), 1, "{log:#?}");
    assert_eq!(log.iter().filter(|it| it.starts_with("is helped")).count(), 2, "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_another_goes_on_with_what_it_had() {
    let divided = Divided::begin(&[]).await;
    let leader = divided.server();
    divided.until("begun", |it| it["state"] == "running").await;
    let helpers = [(); 3].map(|()| divided.server());
    divided.until("helped", |it| helpers_at_work(it) == 3).await;
    let [first, second, third] = helpers;
    first.signal(Signal::SIGKILL);
    assert_eq!(first.ended().await.status, None);
    // Some that the next one has to take over were claimed by one that is gone as well.
    leader.signal(Signal::SIGKILL);
    assert_eq!(leader.ended().await.status, None);
    slow(&divided.mongod, SLOW_MS).await;
    let run = divided.completed().await;
    end([second, third]).await;
    divided.assert_same("killed").await;
    assert_fenced(&divided.deployment, &divided.id).await;
    assert_nothing_left(&divided.deployment).await;
    let led = hands(&run["run"]).iter().filter(|it| it["leads"] == true).count();
    let log: Vec<&str> =
        run["log"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert!(led >= 1 && log.iter().any(|it| it.starts_with("goes on; it was running")), "{log:#?}");
}

/// Nothing was noted by anybody whose number was not the last one that was given for it.
async fn assert_fenced(deployment: &Deployment, id: &str) {
    let leases = deployment.jobs().collection::<Document>("leases");
    let name = deployment.database.name();
    let lease = leases.find_one(doc! { "_id": name }).await.unwrap().unwrap();
    let runs = deployment.jobs().collection::<Document>("runs");
    let run = doc! { "_id": ObjectId::parse_str(id).unwrap() };
    let run = runs.find_one(run).await.unwrap().unwrap();
    let hands = run.get_document("hands").unwrap();
    for it in noted(deployment, id).await {
        let fence = it.get_i64("fence").unwrap();
        assert!(fence <= lease.get_i64("numbers").unwrap().max(lease.get_i64("fence").unwrap()));
        let Ok(hand) = it.get_object_id("hand") else { continue };
        // Under the lease that it worked for, and never under that of another.
        let under = hands.get_document(hand.to_hex()).unwrap().get_i64("fence").unwrap();
        assert!(fence >= under, "{it}");
        let others = hands.iter().filter_map(|(_, it)| it.as_document()?.get_i64("fence").ok());
        let next = others.filter(|it| *it > under).min();
        assert!(next.is_none_or(|it| fence < it), "{it} after {next:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_reaches_everybody_and_the_run_goes_on_with_whoever_resumes_it() {
    let divided = Divided::begin(&[]).await;
    let servers = [(); 3].map(|()| divided.server());
    divided.until("helped", |it| helpers_at_work(it) == 2).await;
    let pause = ["runs", "pause", &divided.id];
    divided.deployment.led_by(program!(pause)).run().await.exits_with(0);
    let run = divided.until("paused", |it| it["state"] == "paused").await;
    // Nobody has anything in hand by then, and nobody writes any more.
    assert_nothing_left(&divided.deployment).await;
    let left = left_by(&divided.deployment, divided.begun).await;
    assert!(hands(&run["run"]).iter().all(|it| it["works"] == false), "{:#}", run["run"]);
    let at = |it: &Dump| {
        let datasets = it["datasets"].iter();
        datasets.filter(|it| it.get_str("version").is_ok_and(|it| it == tests::NEWEST)).count()
    };
    assert!(at(&left) < left["datasets"].len(), "it was over before it was paused");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_same("paused", &left, &left_by(&divided.deployment, divided.begun).await);
    end(servers).await;

    slow(&divided.mongod, 0).await;
    let resume = ["runs", "resume", &divided.id];
    divided.deployment.led_by(program!(resume)).run().await.exits_with(0);
    divided.assert_same("resumed").await;
    let noted = noted(&divided.deployment, &divided.id).await;
    let migrated = |it: &&Document| it.get_str("state").is_ok_and(|it| it == "migrated");
    assert_eq!(noted.iter().filter(migrated).count(), noted.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_of_a_helper_ends_the_run_of_all() {
    let divided = Divided::begin(&["--error-level", "0"]).await;
    let deployment = &divided.deployment;
    let leader = divided.server();
    divided.until("begun", |it| it["state"] == "running").await;
    let helpers = [(); 2].map(|()| divided.server());
    divided.until("helped", |it| helpers_at_work(it) == 2).await;
    let datasets = deployment.all("datasets").await;
    let late = |it: &&Document| {
        let name = it.get_str("name").unwrap_or_default();
        name.strip_prefix("images ")
            .and_then(|it| it.parse().ok())
            .is_some_and(|at: usize| at >= MANY / 2)
    };
    divided.until_offered(MANY / 4, late).await;
    // So that it is for those who help to find out; it has its lease for longer than that takes.
    leader.signal(Signal::SIGSTOP);
    divided.lease_lasts().await;
    // The samples of those that come late cannot be changed any more, which nobody can foresee.
    slow(&divided.mongod, 2_000).await;
    for dataset in datasets.iter().filter(late) {
        let samples = dataset.get_str("sample_collection_name").unwrap();
        let rule =
            doc! { "collMod": samples, "validator": { "_dataset_id": { "$exists": false } } };
        deployment.database.run_command(rule).await.unwrap();
    }
    slow(&divided.mongod, SLOW_MS).await;
    let runs = deployment.jobs().collection::<Document>("runs");
    let failed = |it: &Document| {
        let mut hands = it.get_document("hands").unwrap().values();
        hands.any(|it| it.as_document().unwrap().get_str("failed").is_ok())
    };
    let begun = Instant::now();
    let filter = doc! { "_id": ObjectId::parse_str(&divided.id).unwrap() };
    loop {
        divided.lease_lasts().await;
        let run = runs.find_one(filter.clone()).await.unwrap().unwrap();
        if failed(&run) {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "nobody has failed: {run:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    leader.signal(Signal::SIGCONT);
    let run = divided.until("failed", |it| it["state"] == "failed").await;
    let error = run["run"]["error"].as_str().unwrap();
    assert!(error.contains("cannot be changed"), "{error}");
    assert_nothing_left(deployment).await;
    let noted = noted(deployment, &divided.id).await;
    let count = |state: &str| {
        noted.iter().filter(|it| it.get_str("state").is_ok_and(|it| it == state)).count()
    };
    let left = count("untouched") + count("interrupted");
    assert_eq!(left + count("migrated") + count("failed"), noted.len());
    assert!(count("failed") >= 1 && left >= 1, "{noted:#?}");
    assert!(count("migrated") < noted.len() * 3 / 4, "{noted:#?}");
    let left = left_by(deployment, divided.begun).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_same("failed", &left, &left_by(deployment, divided.begun).await);
    end(helpers.into_iter().chain([leader])).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make torture`"]
async fn whoever_is_asleep_for_longer_than_a_lease_lasts_finds_that_others_have_gone_on() {
    let divided = Divided::begin(&[]).await;
    let leader = divided.server();
    divided.until("begun", |it| it["state"] == "running").await;
    let [first, second] = [(); 2].map(|()| divided.server());
    divided.until("helped", |it| helpers_at_work(it) == 2).await;
    // One that leads and one that helps, in the middle of what they do.
    leader.signal(Signal::SIGSTOP);
    first.signal(Signal::SIGSTOP);
    slow(&divided.mongod, SLOW_MS).await;
    let run = divided.completed().await;
    let runs = divided.deployment.jobs().collection::<Document>("runs");
    let filter = doc! { "_id": ObjectId::parse_str(&divided.id).unwrap() };
    let ended = runs.find_one(filter.clone()).await.unwrap();
    divided.assert_same("while they sleep").await;
    leader.signal(Signal::SIGCONT);
    first.signal(Signal::SIGCONT);
    // What they are in the middle of ends; whether they would do more shows by then.
    tokio::time::sleep(Duration::from_secs(4)).await;
    divided.assert_same("when they are awake").await;
    assert_fenced(&divided.deployment, &divided.id).await;
    assert_nothing_left(&divided.deployment).await;
    // That one of them has left is said among the hands.
    let now = runs.find_one(filter).await.unwrap();
    let without = |it: Option<Document>| {
        let mut it = it.unwrap();
        it.remove("hands");
        it
    };
    assert_eq!(without(now), without(ended));
    let led = hands(&run["run"]).iter().filter(|it| it["leads"] == true).count();
    assert!(led >= 1, "{:#}", run["run"]);
    end([leader, first, second]).await;
}
