//! What is begun is what was agreed to: all of it, nothing worse, and not what was called off meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use engine::{Control, Engine, JobEvent, JobState, OnFailure, Request, Target};
use model::{Approval, PlanQuestion, PlanScope, RunSummary, Started};
use serde_json::Value;
use tests::{Deployment, NEWEST, console, image_dataset, to};

use crate::asked::{Server, admin, broken, until};

/// A control that nobody looks at.
fn quiet() -> Control {
    Control::new().0
}

async fn two_datasets() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["one", "two"].map(image_dataset)).await;
    deployment
}

/// Leaves this to a server, with nobody there yet.
async fn left(engine: &Engine, request: &Request) -> RunSummary {
    engine.leave_to_a_server(&console(), request, quiet()).await.unwrap().unwrap().0
}

fn only(name: &str, version: &str) -> Request {
    Request { target: Target::Datasets(vec![name.to_owned()]), ..to(version) }
}

#[tokio::test]
async fn a_run_that_failed_before_it_began_is_tried_again_as_a_whole() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let run = left(&engine, &to(NEWEST)).await;
    deployment.plant("config", [doc! { "version": "0.17.2", "second": true }]).await;
    let server = Server::on(&deployment).await;
    let failed = until(&deployment, &run.id, "failed").await;
    let error = failed["run"]["error"].as_str().unwrap();
    assert!(error.contains("holds 2 documents instead of one"), "{error}");
    assert!(failed["run"]["begun"].is_null());
    deployment.collection("config").delete_one(doc! { "second": true }).await.unwrap();

    engine.ask(&admin(), &run.id, JobEvent::Retry, None).await.unwrap();
    until(&deployment, &run.id, "completed").await;
    server.end().await;
    deployment.assert_newest().await;
    let migrated = engine.run(&run.id).await.unwrap().datasets;
    assert_eq!(migrated.get("migrated"), Some(&2), "{migrated:?}");
}

#[tokio::test]
async fn a_run_of_named_datasets_that_was_called_off_before_it_began_is_resumed_with_them() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let run = left(&engine, &only("one", NEWEST)).await;
    engine.ask(&admin(), &run.id, JobEvent::Cancel, None).await.unwrap();
    engine.ask(&admin(), &run.id, JobEvent::Resume, None).await.unwrap();
    let server = Server::on(&deployment).await;
    until(&deployment, &run.id, "completed").await;
    server.end().await;
    assert_eq!(deployment.version_of("one").await, NEWEST.into());
    assert_eq!(deployment.version_of("two").await, "0.18.0".into());
}

#[tokio::test]
async fn what_was_approved_as_an_upgrade_never_runs_as_a_downgrade() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let plan = async |destination: &str| {
        let destination = destination.to_owned();
        let question = PlanQuestion { destination, ..PlanQuestion::default() };
        let plan = engine.preview(&console(), &question).await.unwrap();
        assert!(!plan.goes_down);
        (question, Approval { run: plan.run, hash: plan.hash, typed: plan.database_name })
    };
    // Both are up when they are approved; the second would be down when the first is through.
    let (first, second) = (plan(NEWEST).await, plan("1.0.0").await);
    for (question, approval) in [&first, &second] {
        let started = engine.start(&console(), question, approval, None).await.unwrap();
        assert_eq!(started, Started::Run { id: approval.run.clone() });
    }
    let server = Server::on(&deployment).await;
    until(&deployment, &first.1.run, "completed").await;
    let refused = until(&deployment, &second.1.run, "failed").await;
    let why = format!(
        "the plan is another by now: the database would go down from {NEWEST} to 1.0.0, and nothing was to go down; plan \
         it anew"
    );
    assert_eq!(refused["run"]["error"], why.as_str());
    let log = refused["log"].as_array().unwrap();
    assert!(log.iter().any(|it| it["text"] == format!("is failed: {why}")), "{log:#?}");
    deployment.assert_newest().await;

    // Nor when it is tried again.
    engine.ask(&admin(), &second.1.run, JobEvent::Retry, None).await.unwrap();
    let told = format!("it was not retried: {why}");
    deployment.until(&second.1.run, "why", |it| it["refused"] == told.as_str()).await;
    server.end().await;
    deployment.assert_newest().await;
}

#[tokio::test]
async fn what_failed_in_a_run_is_not_tried_again_where_that_would_take_the_database_down() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("fine"), broken()]).await;
    let first = deployment.migrate(to("1.0.0")).await.run.unwrap();
    deployment.migrate(to(NEWEST)).await;
    let mended = doc! { "$set": { "sample_fields": [] } };
    let datasets = deployment.collection("datasets");
    datasets.update_one(doc! { "name": "broken" }, mended).await.unwrap();
    let engine = deployment.engine().await;
    let refused = engine.retry(&console(), &first, None, quiet()).await.unwrap_err().to_string();
    assert!(refused.starts_with("the plan is another by now: the database would go"), "{refused}");
    assert_eq!(deployment.version().await, NEWEST);
    assert_eq!(engine.run(&first).await.unwrap().state, JobState::CompletedWithFailures);
}

#[tokio::test]
async fn a_downgrade_takes_along_what_was_agreed_to_and_nothing_that_came_since() {
    let deployment = two_datasets().await;
    deployment.migrate(to(NEWEST)).await;
    let engine = deployment.engine().await;
    let run = left(&engine, &to("1.0.0")).await;
    let mut late = image_dataset("late");
    late.insert("version", NEWEST);
    deployment.plant("datasets", [late]).await;
    let server = Server::on(&deployment).await;
    let refused = until(&deployment, &run.id, "failed").await;
    let error = refused["run"]["error"].as_str().unwrap();
    assert!(error.contains("and that is not what was to go down; plan it anew"), "{error}");
    deployment.assert_newest().await;
    // As it is now, it is.
    let run = left(&engine, &to("1.0.0")).await;
    until(&deployment, &run.id, "completed").await;
    server.end().await;
    deployment.assert_all_at("1.0.0").await;
}

#[tokio::test]
async fn whoever_asks_for_a_run_once_more_agrees_to_it_as_it_is_now() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let up = left(&engine, &to("1.0.0")).await;
    deployment.migrate(to(NEWEST)).await;
    // By now it goes down, and somebody asks for that.
    let report = deployment.migrate(to("1.0.0")).await;
    assert_eq!(report.run, Some(up.id.clone()));
    deployment.assert_all_at("1.0.0").await;
    let first = deployment.jobs().collection::<bson::Document>("runs");
    let agreed = first.find_one(doc! { "_id": up.id.parse::<ObjectId>().unwrap() }).await.unwrap();
    let agreed = agreed.unwrap().get_document("agreed").unwrap().clone();
    assert_eq!(agreed.get("database"), Some(&"down".into()));
}

#[tokio::test]
async fn a_run_that_is_called_off_while_a_server_plans_it_is_not_begun() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let run = left(&engine, &to(NEWEST)).await;
    let (behind, wire) = deployment.held(1, "find", "config").await;
    let server = Server::on(&behind).await;
    wire.held(1).await;
    let cancelled = engine.ask(&admin(), &run.id, JobEvent::Cancel, None).await.unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    wire.release();
    // Long enough for it to go on with what it had planned.
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.end().await;
    let now = engine.run(&run.id).await.unwrap();
    assert_eq!((now.state, now.begun, now.error), (JobState::Cancelled, None, None));
    assert_eq!(deployment.version().await, "0.18.0");
}

#[tokio::test]
async fn what_is_asked_for_while_somebody_plans_is_not_lost() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let run = left(&engine, &to(NEWEST)).await;
    engine.ask(&admin(), &run.id, JobEvent::Cancel, None).await.unwrap();
    let (behind, wire) = deployment.held(1, "find", "config").await;
    let (slow, id) = (behind.engine().await, run.id.clone());
    let by_hand = tokio::spawn(async move {
        slow.go_on(&console(), &id, JobEvent::Resume, quiet()).await.map(drop)
    });
    wire.held(1).await;
    engine.ask(&admin(), &run.id, JobEvent::Resume, None).await.unwrap();
    wire.release();
    let refused = by_hand.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("is cancelled by now, and shall be resumed, as ada has"), "{refused}");
    let wish = engine.run(&run.id).await.unwrap().wish.map(|it| it.event);
    assert_eq!(wish, Some(JobEvent::Resume));
    let server = Server::on(&deployment).await;
    until(&deployment, &run.id, "completed").await;
    server.end().await;
    deployment.assert_newest().await;
}

#[tokio::test]
async fn a_run_that_shall_be_undone_is_not_retried_by_hand_before_that() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("fine"), broken()]).await;
    let run = deployment.migrate(to(NEWEST)).await.run.unwrap();
    let engine = deployment.engine().await;
    let mended = doc! { "$set": { "sample_fields": [] } };
    let datasets = deployment.collection("datasets");
    datasets.update_one(doc! { "name": "broken" }, mended).await.unwrap();
    engine.ask(&admin(), &run, JobEvent::Undo, None).await.unwrap();
    let refused = engine.retry(&console(), &run, None, quiet()).await.unwrap_err().to_string();
    assert!(refused.contains("and shall be undone, as ada has asked"), "{refused}");
    assert!(engine.run(&run).await.unwrap().wish.is_some());
    let undone = engine.undo(&console(), &run, &[], quiet()).await.unwrap();
    assert_eq!(undone.run_state, Some(JobState::Undone));
    assert_eq!(engine.run(&run).await.unwrap().wish, None);
}

#[tokio::test]
async fn a_run_that_is_to_stop_at_the_first_failure_ends_when_it_foresees_one() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["one", "fine"].map(image_dataset)).await;
    let engine = deployment.engine().await;
    let stops = Request { on_failure: OnFailure::Stop, ..to(NEWEST) };
    let (run, called_off) = (left(&engine, &stops).await, left(&engine, &stops).await);
    engine.ask(&admin(), &called_off.id, JobEvent::Cancel, None).await.unwrap();
    let next = left(&engine, &only("fine", NEWEST)).await;
    deployment.plant("datasets", [broken()]).await;
    let server = Server::on(&deployment).await;
    let failed = until(&deployment, &run.id, "failed").await;
    let why = "nothing was begun, because it is to stop at the first dataset that cannot be migrated, and there are such: 1 ";
    let error = failed["run"]["error"].as_str().unwrap();
    assert!(error.starts_with(why), "{error}");
    // It is in nobody's way.
    until(&deployment, &next.id, "completed").await;
    assert_eq!(deployment.version().await, "0.18.0");

    engine.ask(&admin(), &called_off.id, JobEvent::Resume, None).await.unwrap();
    let told = format!("it was not resumed: {why}");
    let found = |it: &Value| it["refused"].as_str().is_some_and(|it| it.starts_with(&told));
    let rests = deployment.until(&called_off.id, &told, found).await;
    server.end().await;
    assert_eq!(
        (&rests["run"]["state"], &rests["run"]["error"]),
        (&"cancelled".into(), &Value::Null)
    );
    // Now that it can be foreseen, it is not even written down.
    let refused = engine.leave_to_a_server(&console(), &stops, quiet()).await.unwrap_err();
    assert!(refused.to_string().starts_with(why), "{refused}");
}

#[tokio::test]
async fn the_second_of_two_clicks_is_told_of_the_run_that_the_first_has_begun() {
    let deployment = two_datasets().await;
    let engine = deployment.engine().await;
    let question = PlanQuestion { scope: PlanScope::Everything, ..PlanQuestion::default() };
    let plan = engine.preview(&console(), &question).await.unwrap();
    let approval = Approval { run: plan.run, hash: plan.hash, typed: plan.database_name };
    let (behind, wire) = deployment.held(1, "find", "config").await;
    let (slow, same) = (behind.engine().await, (question.clone(), approval.clone()));
    let second = tokio::spawn(async move { slow.start(&console(), &same.0, &same.1, None).await });
    wire.held(1).await;
    let run = Started::Run { id: approval.run.clone() };
    assert_eq!(engine.start(&console(), &question, &approval, None).await.unwrap(), run);
    let server = Server::on(&deployment).await;
    until(&deployment, &approval.run, "completed").await;
    server.end().await;
    wire.release();
    assert_eq!(second.await.unwrap().unwrap(), run);
}
