//! Who may do what: the engine itself refuses those whose role is too weak, and notes who asked.

#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use engine::{Control, Error, JobEvent, JobState, Request};
use model::{Action, Approval, Friction, PlanChange, PlanQuestion, PlanScope, Role};
use tests::{Deployment, NEWEST, console, image_dataset, permit_of, to};

/// A control that nobody looks at.
fn quiet() -> Control {
    Control::new().0
}

/// Insists that it was denied to `ada`, and returns what was.
fn denied<T>(result: engine::Result<T>) -> Action {
    match result {
        Err(Error::Denied(denied)) => {
            let sentence = denied.to_string();
            assert!(sentence.starts_with("`ada` may not "), "{sentence}");
            assert!(sentence.ends_with("takes the role admin, and theirs is member"), "{sentence}");
            denied.action
        }
        Err(other) => panic!("not denied, but: {other}"),
        Ok(_) => panic!("not denied"),
    }
}

async fn deployment() -> Deployment {
    let deployment = Deployment::at("0.18.0").await;
    let dataset = image_dataset("cats");
    deployment.plant("datasets", [dataset]).await;
    deployment
}

#[tokio::test]
async fn a_member_sees_what_a_migration_would_do_and_may_not_do_it() {
    let deployment = deployment().await;
    let (engine, ada) = (deployment.engine().await, permit_of("ada", Role::Member));
    let before = deployment.dump().await;
    for version in [NEWEST, "0.17.2"] {
        let dry = Request { dry_run: true, ..to(version) };
        let plan = engine.migrate(&ada, dry, quiet()).await.unwrap();
        assert_eq!(plan.datasets.len(), 1);
        assert_eq!(plan.may_go_down(), version != NEWEST);
        let migrated = engine.migrate(&ada, to(version), quiet()).await;
        assert_eq!(denied(migrated), Action::MigrateDatabase);
        let left = engine.leave_to_a_server(&ada, &to(version), quiet()).await;
        assert_eq!(denied(left), Action::MigrateDatabase);
    }
    let question = PlanQuestion { destination: "0.17.2".to_owned(), ..PlanQuestion::default() };
    let plan = engine.preview(&ada, &question).await.unwrap();
    let why = plan.forbidden.unwrap();
    assert_eq!(why, "`ada` may not downgrade: that takes the role admin, and theirs is member");
    let name = deployment.database.name().to_owned();
    assert_eq!(plan.friction, Some(Friction::TypeName { name: name.clone() }));
    let approval = Approval { run: plan.run, hash: plan.hash, typed: name };
    let started = engine.start(&ada, &question, &approval, None).await;
    assert_eq!(denied(started), Action::Downgrade);
    assert_eq!(denied(engine.repair(&ada, quiet()).await), Action::Repair);
    assert_eq!(denied(engine.forget_archive(&ada, None).await), Action::UndoRuns);
    assert_eq!(denied(engine.plant_demo(&ada).await), Action::MigrateDatabase);
    assert_eq!(engine.runs().await.unwrap(), []);
    assert_eq!(deployment.dump().await, before);
}

#[tokio::test]
async fn a_member_may_neither_control_a_run_nor_undo_it() {
    let deployment = deployment().await;
    let (engine, ada) = (deployment.engine().await, permit_of("ada", Role::Member));
    let run = deployment.migrate(to(NEWEST)).await.run.unwrap();
    let (run, ada) = (run.as_str(), &ada);
    let (before, shown) = (deployment.dump().await, deployment.shown(run).await);
    let control = Action::ControlRuns;
    assert_eq!(denied(engine.wish(ada, run, JobEvent::Pause).await), control);
    assert_eq!(denied(engine.set_pace(ada, run, |it| it).await), control);
    assert_eq!(denied(engine.go_on(ada, run, JobEvent::Resume, quiet()).await), control);
    assert_eq!(denied(engine.retry(ada, run, None, quiet()).await), control);
    assert_eq!(denied(engine.join(ada, run, quiet()).await), control);
    assert_eq!(denied(engine.undo(ada, run, &[], quiet()).await), Action::UndoRuns);
    assert_eq!(denied(engine.forget(ada, run).await), Action::UndoRuns);
    assert_eq!(deployment.shown(run).await, shown);
    assert_eq!(deployment.dump().await, before);
    // The same is done for somebody who may.
    assert_eq!(engine.forget(&console(), run).await.unwrap().undo_until, None);
}

#[tokio::test]
async fn where_migrations_are_disabled_nobody_starts_or_controls_anything_and_is_told_why() {
    let deployment = deployment().await;
    let engine = deployment.engine().await;
    let (run, _) =
        engine.leave_to_a_server(&console(), &to(NEWEST), quiet()).await.unwrap().unwrap();
    let disabled = engine.clone().disabled(true);
    assert!(engine.may_migrate() && !disabled.may_migrate());
    assert_eq!(disabled.barrier(), Some(engine::DISABLED));
    let question = PlanQuestion::default();
    let plan = disabled.preview(&console(), &question).await.unwrap();
    assert_eq!(plan.forbidden.as_deref(), Some(engine::DISABLED));
    assert_eq!(plan.checks[0].evidence, "FIFTYONE_DISABLE_MIGRATIONS is set");
    let approval = Approval { run: plan.run, hash: plan.hash, typed: plan.database_name };
    let refusals = [
        disabled.start(&console(), &question, &approval, None).await.map(drop),
        disabled.migrate(&console(), to(NEWEST), quiet()).await.map(drop),
        disabled.ask(&console(), &run.id, JobEvent::Cancel, None).await.map(drop),
        disabled.set_pace(&console(), &run.id, |it| it).await.map(drop),
        disabled.repair(&console(), quiet()).await.map(drop),
    ];
    for refused in refusals {
        assert_eq!(refused.map_err(|it| it.to_string()), Err(engine::DISABLED.to_owned()));
    }
    // Longer than a server takes to look for runs.
    disabled.clone().attend(tokio::time::sleep(Duration::from_secs(3))).await;
    assert_eq!(engine.run(&run.id).await.unwrap(), run);
}

#[tokio::test]
async fn a_run_says_who_asked_for_it_and_its_log_who_wanted_what() {
    let deployment = deployment().await;
    let (engine, grace) = (deployment.engine().await, permit_of("grace", Role::Admin));
    let left = engine.leave_to_a_server(&grace, &to(NEWEST), quiet()).await.unwrap();
    let (run, _) = left.unwrap();
    assert_eq!((run.by.as_str(), run.state), ("grace", JobState::Planned));
    engine.wish(&grace, &run.id, JobEvent::Cancel).await.unwrap();
    let log = engine.run_log(&run.id).await.unwrap();
    assert!(log.iter().any(|it| it.by == "grace" && it.text == "shall be cancelled"), "{log:?}");
    // By hand it is as it ever was: the account on the machine.
    let report = engine.migrate(&console(), to(NEWEST), quiet()).await.unwrap();
    let run = engine.run(report.run.as_deref().unwrap()).await.unwrap();
    assert_eq!(run.by, engine::operator());
    let report = engine.migrate(&grace, to("1.0.0"), quiet()).await.unwrap();
    assert_eq!(engine.run(report.run.as_deref().unwrap()).await.unwrap().by, "grace");
}

#[tokio::test]
async fn a_plan_names_datasets_to_admins_and_counts_them_for_others() {
    let deployment = deployment().await;
    let broken = |name: &str| {
        let mut dataset = image_dataset(name);
        dataset.insert("sample_fields", 7);
        dataset
    };
    deployment.plant("datasets", [broken("secret one"), broken("secret two")]).await;
    // No dataset has it, so that it is dropped on the way.
    deployment.plant("frames.secret three", [bson::doc! { "a": 1 }]).await;
    let engine = deployment.engine().await;
    let ada = permit_of("ada", Role::Member);
    let console = console();
    let seen = async |by, question: &PlanQuestion| {
        let plan = engine.preview(by, question).await.unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        let named = ["cats", "secret"].into_iter().filter(|it| text.contains(it)).count();
        (plan, named)
    };
    for destination in [NEWEST, "0.17.2", "0.6.2"] {
        let destination = destination.to_owned();
        let question = PlanQuestion { destination, ..PlanQuestion::default() };
        let (admins, named) = seen(&console, &question).await;
        assert_eq!(named, 2);
        let (members, named) = seen(&ada, &question).await;
        assert_eq!(named, 0, "{members:#?}");
        let blocked: u64 = members
            .groups
            .iter()
            .filter(|it| matches!(it.change, PlanChange::Blocked { .. }))
            .map(|it| it.count)
            .sum();
        assert_eq!((blocked, members.datasets), (2, admins.datasets));
        assert_eq!(members.sentence, admins.sentence);
    }
    let nearly = PlanQuestion {
        scope: PlanScope::Datasets,
        datasets: "secret on".to_owned(),
        ..PlanQuestion::default()
    };
    let told = async |by| engine.preview(by, &nearly).await.unwrap_err().to_string();
    assert!(told(&console).await.ends_with("did you mean `secret one`?"));
    assert!(!told(&ada).await.contains("secret one"));
}
