//! A replica set whose primary steps down every few seconds: whatever becomes of a run meanwhile, the same again
//! completes it, and leaves what an undisturbed one leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bson::{DateTime, Document, doc};
use mongodb::Client;
use tests::{
    Deployment, Dice, Dump, Mongod, State, assert_same, image_dataset, image_samples, program,
    timeless, video_dataset, video_frames, video_samples,
};
use tokio::task::JoinHandle;

/// How many samples the largest dataset has: enough to take longer than some terms of a primary.
const LARGE: u32 = 60_000;

/// How often a primary steps down before there is peace, and how many starts may be needed by then.
const STEPS: usize = 6;
const STARTS: usize = 30;

fn shapes() -> Dump {
    let mut dump = State::down_to("0.18.0").collections;
    let datasets = dump.entry("datasets".to_owned()).or_default();
    datasets.extend((0..300).map(|at| image_dataset(&format!("small {at}"))));
    let (images, videos) = (image_dataset("images"), video_dataset("videos"));
    datasets.extend([images.clone(), videos.clone()]);
    let name = |it: &Document| it.get_str("sample_collection_name").unwrap().to_owned();
    let samples: Vec<Document> = video_samples(100).collect();
    dump.insert(format!("frames.{}", name(&videos)), video_frames(&samples, 100));
    dump.insert(name(&videos), samples);
    dump.insert(name(&images), image_samples(LARGE).collect());
    dump
}

/// Makes whoever is the primary step down, again and again.
fn disturb(servers: Vec<Client>, steps: Arc<AtomicUsize>, mut dice: Dice) -> JoinHandle<()> {
    tokio::spawn(async move {
        while steps.load(Ordering::Relaxed) < STEPS {
            tokio::time::sleep(Duration::from_millis(dice.within(800..3_000))).await;
            for it in &servers {
                let admin = it.database("admin");
                let Ok(hello) = admin.run_command(doc! { "hello": 1 }).await else { continue };
                if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                    let down = doc! { "replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 1, "force": true };
                    if admin.run_command(down).await.is_ok() {
                        steps.fetch_add(1, Ordering::Relaxed);
                    }
                    break;
                }
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make torture`"]
async fn while_primaries_step_down_the_same_again_completes_a_run() {
    let (begun, dice) = (DateTime::now(), Dice::cast());
    let shapes = shapes();
    let undisturbed = Deployment::empty().await;
    undisturbed.plant_all(&shapes).await;
    undisturbed.led_by(program!(["--all"])).run().await.exits_with(0);
    let expected = timeless(undisturbed.dump().await, begun);

    let servers = Mongod::replica_set_of_equals(3).await;
    let uri = Mongod::uri_of_set(&servers);
    let database = Client::with_uri_str(&uri).await.unwrap().database("fiftyone");
    let deployment = Deployment { database, uri };
    deployment.plant_all(&shapes).await;
    let mut clients = Vec::new();
    for it in &servers {
        clients.push(it.client().await);
    }
    let steps = Arc::new(AtomicUsize::new(0));
    let disturbing = disturb(clients, Arc::clone(&steps), dice);
    let mut said = Vec::new();
    while said.len() < STARTS {
        let ended = deployment.led_by(program!(["--all"])).run().await;
        println!("after {:?}: {:?}", begun.to_system_time().elapsed().unwrap(), ended.status);
        said.push(ended.stderr);
        if ended.status == Some(0) {
            break;
        }
    }
    disturbing.abort();
    let found = timeless(deployment.dump().await, begun);
    assert_same(said.last().unwrap(), &expected, &found);
    let steps = steps.load(Ordering::Relaxed);
    assert!(steps > 1, "it was over before a primary had stepped down twice");
    println!("{steps} primaries stepped down, and it took {} starts", said.len());
}
