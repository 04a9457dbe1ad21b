//! Killing the program or the server at any moment, again and again: what is there in the end is what an undisturbed run
//! leaves.
//!
//! `KILLS` is how often in all, `SEED` makes the same choices again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::env;
use std::time::Duration;

use bson::{DateTime, Document, doc};
use nix::sys::signal::Signal;
use tests::{
    Deployment, Dice, Dump, Ended, Mongod, NEWEST, State, assert_same, console, image_dataset,
    image_samples, program, timeless, video_dataset, video_frames, video_samples,
};
use tokio::sync::OnceCell;

/// A place between the oldest and the newest layout which every dataset can go back to.
const OLD: &str = "0.18.0";

/// How often something is killed in one round at most, before it may end.
const KILLS_OF_A_ROUND: u64 = 8;

/// How many kills there shall be: this share of them all.
fn kills(share: usize) -> usize {
    let given = env::var("KILLS").ok().filter(|it| !it.is_empty());
    given.map_or(24, |it| it.parse::<usize>().unwrap()) * share / 100
}

/// Datasets of many shapes: the demo's, those that the real FiftyOne left, and many small ones.
async fn plant(deployment: &Deployment) {
    deployment.engine().await.plant_demo(&console()).await.unwrap();
    let mut state = State::down_to(OLD).collections;
    state.remove("config");
    state.retain(|_, documents| !documents.is_empty());
    deployment.plant_all(&state).await;
    for at in 0..12 {
        let images = image_dataset(&format!("images {at}"));
        let videos = video_dataset(&format!("videos {at}"));
        let name = |it: &Document| it.get_str("sample_collection_name").unwrap().to_owned();
        deployment.plant(&name(&images), image_samples(200)).await;
        let samples: Vec<Document> = video_samples(10).collect();
        deployment.plant(&format!("frames.{}", name(&videos)), video_frames(&samples, 10)).await;
        deployment.plant(&name(&videos), samples).await;
        deployment.plant("datasets", [images, videos]).await;
    }
    let large = image_dataset("large");
    deployment.plant(large.get_str("sample_collection_name").unwrap(), image_samples(8_000)).await;
    deployment.plant("datasets", [large]).await;
    // More than fit into one group, and some whose names clash when they become slugs.
    let many = (0..300).map(|at| image_dataset(&format!("small {at}")));
    deployment.plant("datasets", many).await;
    let twins = (0..6).map(|at| {
        image_dataset(["Twin {}", "twin-{}"][at % 2].replace("{}", &(at / 2).to_string()).as_str())
    });
    deployment.plant("datasets", twins).await;
}

/// One way: what is there before, and what an undisturbed run leaves.
struct Way {
    to: &'static str,
    before: Dump,
    /// How the run ends: the demo has a dataset that cannot go up.
    status: i32,
    after: Dump,
}

/// Up to the newest version, and back down to an old one: the same for all tests. All times since the first are new.
async fn ways() -> &'static (DateTime, [Way; 2]) {
    static WAYS: OnceCell<(DateTime, [Way; 2])> = OnceCell::const_new();
    let undisturbed = || async {
        let (deployment, begun) = (Deployment::empty().await, DateTime::now());
        plant(&deployment).await;
        let up = undisturbed(&deployment, begun, NEWEST, 3).await;
        let down = undisturbed(&deployment, begun, OLD, 0).await;
        (begun, [up, down])
    };
    WAYS.get_or_init(undisturbed).await
}

async fn undisturbed(
    deployment: &Deployment,
    begun: DateTime,
    to: &'static str,
    status: i32,
) -> Way {
    let before = deployment.dump().await;
    deployment.led_by(program!(["--all", "-v", to])).run().await.exits_with(status);
    Way { to, before, status, after: timeless(deployment.dump().await, begun) }
}

/// A database with what there is before, in the place of another.
async fn planted(server: &Mongod, round: usize, way: &Way) -> Deployment {
    let deployment = Deployment::on(server, &format!("round-{round}")).await;
    deployment.plant_all(&way.before).await;
    // What the first kill takes away shall be the program's work, and nothing of what was there before it.
    deployment.database.client().database("admin").run_command(doc! { "fsync": 1 }).await.unwrap();
    deployment
}

/// What a start of the program has said is shown when something is not as it should be.
fn told(ended: &Ended) -> String {
    format!("exit status {:?}\n{}{}", ended.status, ended.stdout, ended.stderr)
}

async fn compare(deployment: Deployment, what: &str, way: &Way, begun: DateTime) {
    let found = deployment.dump().await;
    assert_same(what, &way.after, &timeless(found, begun));
    deployment.database.drop().await.unwrap();
}

#[tokio::test]
async fn a_program_that_is_killed_at_any_moment_leaves_what_the_same_again_completes() {
    let (mut dice, (begun, ways)) = (Dice::cast(), ways().await);
    let server = Mongod::start(&[]);
    let (mut killed, mut rounds, mut runs) = (0, 0, 0);
    while killed < kills(70) {
        let way = &ways[rounds % 2];
        let deployment = planted(&server, rounds, way).await;
        let kills = dice.within(1..KILLS_OF_A_ROUND);
        for at in 0.. {
            let running = deployment.led_by(program!(["--all", "-v", way.to])).spawn();
            runs += 1;
            if at < kills {
                tokio::time::sleep(Duration::from_millis(dice.within(20..900))).await;
                running.signal(Signal::SIGKILL);
            }
            let ended = running.ended().await;
            println!("{}", told(&ended));
            if ended.status.is_some() {
                ended.exits_with(way.status);
                break;
            }
            killed += 1;
        }
        compare(deployment, &format!("round {rounds}, to {}", way.to), way, *begun).await;
        rounds += 1;
    }
    println!("the program was killed {killed} times in {rounds} rounds of {runs} starts");
}

#[tokio::test]
async fn a_server_that_is_killed_at_any_moment_leaves_what_the_same_again_completes() {
    let (mut dice, (begun, ways)) = (Dice::cast(), ways().await);
    let mut server = Mongod::start(&[]).frail();
    let (mut killed, mut rounds, mut runs) = (0, 0, 0);
    while killed < kills(30) {
        let way = &ways[rounds % 2];
        let deployment = planted(&server, rounds, way).await;
        let kills = dice.within(1..KILLS_OF_A_ROUND);
        for at in 0.. {
            let running = deployment.led_by(program!(["--all", "-v", way.to])).spawn();
            runs += 1;
            if at < kills {
                tokio::time::sleep(Duration::from_millis(dice.within(50..900))).await;
                server.crash();
                killed += 1;
                tokio::time::sleep(Duration::from_millis(dice.within(0..200))).await;
                server.restart();
            }
            let ended = running.ended().await;
            println!("{}", told(&ended));
            if at >= kills {
                ended.exits_with(way.status);
                break;
            }
        }
        compare(deployment, &format!("round {rounds}, to {}", way.to), way, *begun).await;
        rounds += 1;
    }
    println!(
        "the server was killed {killed} times in {rounds} rounds of {runs} starts of the program"
    );
}
