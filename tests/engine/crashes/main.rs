//! The crash matrix: whatever writes is cut off after each of its writes, goes on, and comes to what it comes to
//! undisturbed.
//!
//! Which points there are nobody writes down: the revisions are those of the catalogue, the writes those that are seen on
//! the wire. `CRASHES=all` tries all of them (`make crashes`), otherwise it is one of each case and way; `SEED` chooses the
//! same again, `CASE` one of the cases alone, as `down-0-18-0`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod choice;
mod large;
mod ledger;
mod matrix;
mod place;
mod sick;

use std::collections::BTreeSet;
use std::env;

use bson::{DateTime, Document};
use engine::JobState;
use futures_util::{StreamExt, stream};
use tests::{Cut, Dice, Dump, Mongod, NEWEST, Wire, assert_same};

use cases::Case;
use choice::Choice;
use matrix::{Tried, try_all};
use place::{Place, What};

/// How many cases are tried side by side.
const SIDE_BY_SIDE: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_revision_can_be_cut_off_after_each_write_both_ways() {
    let mut dice = Dice::cast();
    let server = Mongod::shared();
    let (begun, cases) = cases::all().await;
    let mut cases = cases.to_vec();
    let borders: BTreeSet<String> = cases.iter().map(|it| it.border.clone()).collect();
    assert_eq!(borders, cases::borders().into_iter().collect());
    assert_eq!(cases.len(), 2 * borders.len(), "a revision escapes");
    cases.extend(cases::garden(server, begun).await);
    let alone = env::var("CASE").ok();
    cases.retain(|it| alone.as_ref().is_none_or(|name| it.name == *name));
    let trying = cases.iter().map(|case| {
        let (mut choice, case) = (Choice::of(1, &mut dice), case.clone());
        tokio::spawn(async move {
            let documents = (&case.before, &case.archive);
            let place = Place::having(server, &case.name, begun, documents).await;
            let tried = try_all(server, &place, (&case.name, &case.to), &mut choice).await;
            place.vanish().await;
            (case, tried)
        })
    });
    let mut tried = Tried::default();
    let mut all = stream::iter(trying).buffer_unordered(SIDE_BY_SIDE);
    let mut failed = 0;
    while let Some(done) = all.next().await {
        // It has said why; the others are tried all the same.
        let Ok((case, it)) = done else {
            failed += 1;
            continue;
        };
        assert!(it.writes.iter().any(|it| it.ends_with(".datasets")), "{}: no write", case.name);
        println!("{}: {} points of {} writes", case.name, it.points, it.writes.len());
        tried.add(&it);
    }
    assert_eq!(failed, 0, "cases failed");
    assert!(tried.points > 0, "nothing was cut off");
    println!(
        "{} points, {} of them by killing the process and {} by cutting the connection, at {} borders of {} revisions, \
         both directions, there and back: 0 differences",
        tried.points,
        tried.killed,
        tried.lost,
        borders.len(),
        revisions::ALL.len() + revisions::admin::ALL.len(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_groups_over_a_large_collection_can_be_cut_off_after_each_write_both_ways() {
    let (begun, mut dice) = (DateTime::now(), Dice::cast());
    let server = Mongod::shared();
    let place = Place::with(server, "large", begun, &large::deployment()).await;
    let mut tried = Tried::default();
    for (name, to) in [("large-up", NEWEST), ("large-down", "0.18.0")] {
        let it = try_all(server, &place, (name, to), &mut Choice::of(1, &mut dice)).await;
        let marks = it.writes.iter().filter(|it| it.ends_with("run_marks")).count();
        println!("{name}: {} points of {} writes, {marks} of marks", it.points, it.writes.len());
        tried.add(&it);
        place.does(&What::Migrate(to.to_owned())).await;
        // What is written down about the next one is its own.
        place.forget().await;
    }
    place.vanish().await;
    println!(
        "{} points, {} of them by killing the process and {} by cutting the connection, in two large runs, there and \
         back: 0 differences",
        tried.points, tried.killed, tried.lost,
    );
}

/// The originals that records of repairs keep, each once, and how many repairs they tell of.
fn kept(ledger: &Dump) -> (BTreeSet<String>, BTreeSet<String>) {
    let records = ledger.get("repairs").into_iter().flatten();
    let kept = |it: &Document| -> Vec<String> {
        it.get_array("kept").unwrap().iter().map(ToString::to_string).collect()
    };
    let told = |it: &Document| format!("{:?} {:?}", it.get("kind"), it.get("dataset"));
    (records.clone().flat_map(kept).collect(), records.map(told).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_repair_can_be_cut_off_after_each_write() {
    let (begun, mut dice) = (DateTime::now(), Dice::cast());
    let server = Mongod::shared();
    let before = sick::deployment(server, begun).await;
    let place = Place::with(server, "sick", begun, &before).await;
    let found = place.deployment.engine().await.diagnose().await.unwrap().findings;
    let found: BTreeSet<String> = found.iter().map(|it| it.kind.to_owned()).collect();
    assert_eq!(found, sick::kinds(), "a kind of damage escapes");
    let (came, writes) = place.does_by(server, &What::Repair).await;
    assert_eq!(came.left, Vec::<String>::new());
    let (after, ledger) = (place.dump().await, place.ledger().await);
    let mut choice = Choice::of(8, &mut dice);
    let mut tried = Tried::default();
    for through in choice.points(writes.len()) {
        let end = choice.end();
        let at = format!("{end:?} after {through} writes of {writes:?}");
        place.restore(&before).await;
        place.forget().await;
        tried.count(end, place.ends(server, &What::Repair, through, end).await);
        assert_eq!(place.does(&What::Repair).await.left, Vec::<String>::new(), "{at}");
        assert_same(&at, &after, &place.dump().await);
        assert_eq!(kept(&ledger), kept(&place.ledger().await), "{at}");
    }
    place.vanish().await;
    assert!(tried.points > 0, "nothing was cut off");
    println!(
        "{} points of {} writes, {} kinds of repair: 0 differences",
        tried.points,
        writes.len(),
        found.len(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_at_a_write_leaves_what_the_same_again_completes() {
    let mut dice = Dice::cast();
    let (begun, cases) = cases::all().await;
    let chosen: Vec<usize> = Choice::of(4, &mut dice).points(cases.len()).into_iter().collect();
    let lanes = (0..SIDE_BY_SIDE).map(|lane| {
        let own = chosen.iter().skip(lane).step_by(SIDE_BY_SIDE);
        let own: Vec<(&Case, Choice)> =
            own.map(|it| (&cases[*it], Choice::of(1, &mut dice))).collect();
        tokio::spawn(async move {
            let (mut points, mut server) = (0, None);
            for (case, mut choice) in own {
                let server = server.get_or_insert_with(|| Mongod::start(&[]).frail());
                points += Box::pin(kill_at_all(server, begun, case, &mut choice)).await;
            }
            points
        })
    });
    let mut points = 0;
    for it in lanes.collect::<Vec<_>>() {
        points += it.await.unwrap();
    }
    assert!(points > 0, "the server was never killed");
    println!(
        "{points} points in {} cases at which the server was killed: 0 differences",
        chosen.len()
    );
}

/// Kills the server at the points that are chosen, and lets the same again complete and undo what was begun.
async fn kill_at_all(
    server: &mut Mongod,
    begun: DateTime,
    case: &Case,
    choice: &mut Choice,
) -> usize {
    let forward = What::Migrate(case.to.clone());
    let place = Place::having(server, &case.name, begun, (&case.before, &case.archive)).await;
    let before = place.dump().await;
    let (done, writes) = place.does_by(server, &forward).await;
    let (after, ledger) = (place.dump().await, place.ledger().await);
    place.does(&What::Undo(done.run.unwrap())).await;
    place.forget().await;
    let (points, mut reached) = (choice.points(writes.len()), 0);
    for through in &points {
        let at = format!("{}, the server is killed after {through} writes", case.name);
        let wire = Wire::to(server, *through, Cut::Lost).await;
        let mut ended = std::pin::pin!(place.does_through(&wire, &forward));
        tokio::select! {
            // If it was faster than the one that was counted, it may have less to write.
            ended = &mut ended => assert_eq!(ended.unwrap().left, Vec::<String>::new(), "{at}"),
            () = wire.cut() => {
                tokio::task::block_in_place(|| {
                    server.crash();
                    server.restart();
                });
                // Whatever it says.
                drop(ended.await);
                reached += 1;
            }
        }
        // Cut off after the last word was written down, it is completed already.
        if place.run().await.is_none_or(|it| it.state != JobState::Completed) {
            assert_eq!(place.does(&forward).await.left, Vec::<String>::new(), "{at}");
        }
        assert_same(&at, &after, &place.dump().await);
        assert_same(&at, &ledger, &place.ledger().await);
        place.does(&What::Undo(place.run().await.unwrap().id)).await;
        assert_same(&at, &before, &place.dump().await);
        place.forget().await;
    }
    place.vanish().await;
    reached
}
