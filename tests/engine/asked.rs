//! What people ask for from afar: a server that attends carries it out, as if they had done it themselves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{Document, doc};
use engine::{Cause, Control, Engine, JobEvent};
use model::{Action, Permit, Principal, Role, TRANSITIONS};
use serde_json::Value;
use tests::{Deployment, NEWEST, assert_same, console, image_dataset, to};
use tokio::{sync::oneshot, task::JoinHandle};

/// A server that attends to a deployment.
pub struct Server {
    stop: oneshot::Sender<()>,
    attending: JoinHandle<()>,
}

impl Server {
    pub async fn on(deployment: &Deployment) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = deployment.engine().await;
        let attending = tokio::spawn(engine.attend(async { drop(stopped.await) }));
        Self { stop, attending }
    }

    pub async fn end(self) {
        self.stop.send(()).unwrap();
        self.attending.await.unwrap();
    }
}

fn permit(role: Role) -> Permit {
    Principal { name: "ada".to_owned(), role }.permit(Action::ReadStatus).unwrap()
}

pub fn admin() -> Permit {
    permit(Role::Admin)
}

/// A run that was written down and cancelled before it began.
async fn cancelled(engine: &Engine) -> String {
    let (control, _meter, _events) = Control::new();
    let (run, _) =
        engine.leave_to_a_server(&console(), &to(NEWEST), control).await.unwrap().unwrap();
    engine.ask(&admin(), &run.id, JobEvent::Cancel, None).await.unwrap();
    run.id
}

pub async fn until(deployment: &Deployment, id: &str, state: &str) -> Value {
    deployment.until(id, state, |it| it["state"] == state && it["wish"].is_null()).await
}

/// A dataset that cannot be migrated until it is mended.
pub fn broken() -> Document {
    let mut dataset = image_dataset("broken");
    dataset.insert("sample_fields", 7);
    dataset
}

#[tokio::test]
async fn what_is_asked_for_is_written_down_and_carried_out_by_whoever_attends() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", ["one", "two"].map(image_dataset)).await;
    let before = deployment.dump().await;
    let engine = deployment.engine().await;
    let id = cancelled(&engine).await;

    let asked = engine.ask(&admin(), &id, JobEvent::Resume, None).await.unwrap();
    assert_eq!(asked.wish.map(|it| (it.event, it.by)), Some((JobEvent::Resume, "ada".to_owned())));
    // A double click is one wish; another one has to wait for it.
    engine.ask(&admin(), &id, JobEvent::Resume, None).await.unwrap();
    let other = engine.ask(&admin(), &id, JobEvent::Undo, None).await.unwrap_err();
    assert!(other.to_string().contains("shall be resumed already, as ada has asked"), "{other}");
    assert_eq!(deployment.version_of("one").await, "0.18.0".into());

    let server = Server::on(&deployment).await;
    until(&deployment, &id, "completed").await;
    deployment.assert_newest().await;
    let completed = engine.run(&id).await.unwrap();
    assert_eq!(completed.begun, completed.started);

    engine.ask(&admin(), &id, JobEvent::Undo, None).await.unwrap();
    let shown = until(&deployment, &id, "undone").await;
    server.end().await;
    let undone = engine.run(&id).await.unwrap();
    assert!(undone.begun == completed.begun && undone.started > completed.started);
    let mut after = deployment.dump().await;
    // An empty collection that was made on the way is nothing to FiftyOne.
    after.retain(|_, it| !it.is_empty());
    assert_same("after it was undone", &before, &after);
    let log = shown["log"].as_array().unwrap();
    let said = |text: &str| log.iter().filter(|it| it["by"] == "ada" && it["text"] == text).count();
    assert_eq!((said("shall be resumed"), said("shall be undone")), (1, 1), "{log:#?}");
}

#[tokio::test]
async fn those_that_failed_are_retried_when_that_is_asked_for_and_it_is_told_if_it_cannot_help() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("fine"), broken()]).await;
    let (control, _meter, _events) = Control::new();
    let engine = deployment.engine().await;
    let (run, _) =
        engine.leave_to_a_server(&console(), &to(NEWEST), control).await.unwrap().unwrap();
    let server = Server::on(&deployment).await;
    until(&deployment, &run.id, "completed_with_failures").await;

    // Nobody has mended it.
    engine.ask(&admin(), &run.id, JobEvent::Retry, None).await.unwrap();
    let told = deployment
        .until(&run.id, "why it was not retried", |it| {
            it["wish"].is_null() && it["refused"] != Value::Null
        })
        .await;
    let refused = told["run"]["refused"].as_str().unwrap();
    assert!(refused.starts_with("it was not retried: trying again cannot help"), "{refused}");
    // The run itself is as well as it was.
    assert_eq!(told["run"]["state"], "completed_with_failures");
    assert!(told["run"]["error"].is_null());

    engine.ask(&admin(), &run.id, JobEvent::Retry, Some(Cause::Slow)).await.unwrap();
    let why = "has no dataset that failed for the cause `slow`";
    deployment
        .until(&run.id, why, |it| it["refused"].as_str().is_some_and(|it| it.contains(why)))
        .await;

    let mended = doc! { "$set": { "sample_fields": [] } };
    let datasets = deployment.collection("datasets");
    datasets.update_one(doc! { "name": "broken" }, mended).await.unwrap();
    engine.ask(&admin(), &run.id, JobEvent::Retry, None).await.unwrap();
    let shown = until(&deployment, &run.id, "completed").await;
    server.end().await;
    assert!(shown["run"]["refused"].is_null());
    deployment.assert_newest().await;
}

#[tokio::test]
async fn what_makes_no_sense_or_is_not_allowed_is_refused_at_once() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = cancelled(&engine).await;
    let refused = engine.ask(&admin(), &id, JobEvent::Pause, None).await.unwrap_err();
    assert!(refused.to_string().contains("a run that is cancelled cannot be paused"), "{refused}");
    let refused = engine.ask(&admin(), &id, JobEvent::Undo, None).await.unwrap_err();
    assert!(refused.to_string().contains("kept no undo journal"), "{refused}");
    for event in [JobEvent::Resume, JobEvent::Cancel, JobEvent::Undo] {
        let refused = engine.ask(&permit(Role::Member), &id, event, None).await.unwrap_err();
        assert!(refused.to_string().starts_with("`ada` may not "), "{refused}");
    }
    assert_eq!(engine.run(&id).await.unwrap().wish, None);
    let unknown = engine.ask(&admin(), "7", JobEvent::Resume, None).await.unwrap_err();
    assert!(unknown.to_string().starts_with("run `7` not found"), "{unknown}");
}

#[tokio::test]
async fn what_only_happens_to_a_run_cannot_be_asked_for() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let (control, _meter, _events) = Control::new();
    let engine = deployment.engine().await;
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await;
    let planned = left.unwrap().unwrap().0;
    let wishes =
        [JobEvent::Pause, JobEvent::Cancel, JobEvent::Resume, JobEvent::Retry, JobEvent::Undo];
    let mut tried = 0;
    for (_, event, ..) in TRANSITIONS.iter().filter(|(_, it, ..)| !wishes.contains(it)) {
        let why = format!("run {}: nobody can ask for `{}`; ", planned.id, event.word());
        for refused in [
            engine.ask(&admin(), &planned.id, *event, None).await,
            engine.wish(&admin(), &planned.id, *event).await,
        ] {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.starts_with(&why), "{refused}");
            tried += 1;
        }
    }
    assert!(tried >= 16, "{tried}");
    assert_eq!(engine.run(&planned.id).await.unwrap(), planned);
    assert_eq!(planned.choices, [JobEvent::Cancel]);
}

#[tokio::test]
async fn whoever_begins_it_by_hand_does_what_was_asked_for() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = cancelled(&engine).await;
    engine.ask(&admin(), &id, JobEvent::Resume, None).await.unwrap();
    let (control, _meter, _events) = Control::new();
    engine.go_on(&console(), &id, JobEvent::Resume, control).await.unwrap();
    let server = Server::on(&deployment).await;
    // Long enough for it to look twice.
    tokio::time::sleep(Duration::from_secs(5)).await;
    server.end().await;
    let log = engine.run_log(&id).await.unwrap();
    let said = |text: &str| log.iter().filter(|it| it.text.starts_with(text)).count();
    // Whoever attends has nothing left to do, and nothing to say.
    assert_eq!((said("goes on;"), said("it was not ")), (1, 0), "{log:#?}");
    let run = engine.run(&id).await.unwrap();
    assert_eq!((run.wish, run.refused), (None, None));
}

#[tokio::test]
async fn a_page_shows_names_to_admins_and_counts_to_others() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("secret"), broken()]).await;
    let (control, _meter, _events) = Control::new();
    let engine = deployment.engine().await;
    engine.migrate(&console(), to(NEWEST), control).await.unwrap();
    let id = engine.runs().await.unwrap()[0].id.clone();

    let all = engine.shown_run(&admin(), &id, None).await.unwrap();
    let names: Vec<&str> = all.datasets.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["broken", "secret"]);
    assert!(all.named && all.barred.is_none() && !all.log.is_empty());
    assert!(all.log.is_sorted_by(|a, b| a.at >= b.at), "{:#?}", all.log);
    let migrated = engine.shown_run(&admin(), &id, Some("migrated")).await.unwrap();
    assert_eq!(migrated.datasets.len(), 1);
    assert_eq!(migrated.show.as_deref(), Some("migrated"));
    // An address that somebody has mistyped shows all.
    assert_eq!(engine.shown_run(&admin(), &id, Some("$ne")).await.unwrap().show, None);

    let member = engine.shown_run(&permit(Role::Member), &id, Some("failed")).await.unwrap();
    assert!(member.barred.as_deref().unwrap().starts_with("`ada` may not control runs"));
    let text = serde_json::to_string(&member).unwrap();
    assert!(!text.contains("secret") && !text.contains("broken"), "{text}");
    assert_eq!(member.frame.failed(), 1);
    let failures = &engine.run(&id).await.unwrap().failures;
    let told: Vec<_> = failures.iter().map(|it| (it.cause, it.count, &it.datasets)).collect();
    assert_eq!(told, [(Cause::Blocked, 1, &vec!["broken".to_owned()])]);
    let listed = &engine.runs().await.unwrap()[0].failures;
    assert_eq!((listed[0].count, listed[0].datasets.len()), (1, 0), "names are not looked for");
    let listed = engine.shown_runs(&permit(Role::Member)).await.unwrap();
    assert_eq!(listed.len(), 1);
}
