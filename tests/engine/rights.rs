//! Rights to datasets: for whom a dataset exists, and who may migrate it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use engine::{AccountError, Connection, Engine, Error, JobState, Origin};
use model::{
    Action, Approval, DatasetQuery, Grantee, MigrationPlan, Permit, PlanQuestion, PlanScope, Right,
    Role, Started,
};
use tests::{Deployment, NEWEST, console, image_dataset, permit_of, ready};

const PASSWORD: &str = "four words and a half";

/// A deployment at 0.21.2 with older datasets, in which people have accounts.
async fn deployment(people: &[(&str, Role)]) -> (Deployment, Engine) {
    let deployment = Deployment::at("0.21.2").await;
    deployment.plant("datasets", ["cats", "dogs", "fish"].map(image_dataset)).await;
    // Accounts of their own: those of all tests are in one database otherwise.
    let connection = Connection {
        uri: deployment.uri.clone(),
        database: deployment.database.name().to_owned(),
        runs: format!("{}-app", deployment.database.name()),
        admin: true,
        validation: true,
    };
    let engine = Engine::open(&connection).await.unwrap();
    let origin = Origin { address: "::1".to_owned(), agent: "a test".to_owned() };
    for (name, role) in people {
        let accounts = engine.accounts();
        let invitation = accounts.invite(&console(), *role, name).await.unwrap();
        accounts.accept(invitation.text(), name, PASSWORD, &origin).await.unwrap();
    }
    (deployment, engine)
}

async fn give(engine: &Engine, to: &Grantee, dataset: Option<&str>, right: Option<Right>) {
    engine.accounts().give_right(&console(), to, dataset, right).await.unwrap();
}

fn ada() -> Grantee {
    Grantee::Person("ada".to_owned())
}

/// The names of all that are found by somebody.
async fn seen(engine: &Engine, permit: &Permit) -> Vec<String> {
    let page = engine.dataset_page(permit, &DatasetQuery::parse("")).await.unwrap();
    let names: Vec<String> = page.found.rows.iter().map(|it| it.label().to_owned()).collect();
    assert_eq!(page.all, names.len() as u64);
    let export = engine.export_datasets(permit, &DatasetQuery::parse("")).await.unwrap();
    let exported: Vec<String> = export.rows(0, 99).map(|it| it.label().to_owned()).collect();
    assert_eq!(exported, names);
    names
}

fn plan_for(name: &str, destination: &str) -> PlanQuestion {
    PlanQuestion {
        scope: PlanScope::Datasets,
        destination: destination.to_owned(),
        datasets: name.to_owned(),
        ..PlanQuestion::default()
    }
}

fn approval(plan: MigrationPlan, typed: &str) -> Approval {
    Approval { run: plan.run, hash: plan.hash, typed: typed.to_owned() }
}

async fn id_of(engine: &Engine, name: &str) -> String {
    let entries = engine.datasets().await.unwrap();
    entries.iter().find(|it| it.name.as_deref() == Some(name)).unwrap().id_text()
}

#[tokio::test]
async fn a_dataset_exists_for_those_who_were_given_a_right_and_for_admins() {
    let (_deployment, engine) = deployment(&[("Ada", Role::Member), ("Eve", Role::Guest)]).await;
    let (member, guest) = (permit_of("Ada", Role::Member), permit_of("ADA", Role::Member));
    assert_eq!(seen(&engine, &member).await, [""; 0]);
    assert_eq!(seen(&engine, &console()).await, ["cats", "dogs", "fish"]);
    give(&engine, &ada(), Some("cats"), Some(Right::View)).await;
    assert_eq!(seen(&engine, &member).await, ["cats"]);
    // Names are the same in capitals and not.
    assert_eq!(seen(&engine, &guest).await, ["cats"]);

    let accounts = engine.accounts();
    let group = accounts.make_group(&console(), "Labelers").await.unwrap();
    accounts.change_group(&console(), &group, "ada", true).await.unwrap();
    accounts.change_group(&console(), &group, "Ada", true).await.unwrap();
    let to_group = Grantee::Group("LABELERS".to_owned());
    give(&engine, &to_group, Some(&id_of(&engine, "dogs").await), Some(Right::Tag)).await;
    assert_eq!(seen(&engine, &member).await, ["cats", "dogs"]);
    let page = accounts.rights_of(&console(), &ada()).await.unwrap();
    let told: Vec<_> = page.grants.iter().map(|it| (it.name.as_str(), it.right)).collect();
    assert_eq!(told, [("Labelers", Some(Right::Tag)), ("Ada", Some(Right::View))]);
    assert_eq!(page.groups[0].members, ["Ada"]);

    accounts.change_group(&console(), &group, "ada", false).await.unwrap();
    assert_eq!(seen(&engine, &member).await, ["cats"]);
    accounts.change_group(&console(), &group, "ada", true).await.unwrap();
    accounts.remove_group(&console(), &group).await.unwrap();
    accounts.remove_group(&console(), &group).await.unwrap();
    assert_eq!(seen(&engine, &member).await, ["cats"]);
    // Another one of that name begins without anything.
    let group = accounts.make_group(&console(), "labelers").await.unwrap();
    accounts.change_group(&console(), &group, "ada", true).await.unwrap();
    assert_eq!(seen(&engine, &member).await, ["cats"]);

    let cats = id_of(&engine, "cats").await;
    accounts.take_right(&console(), &ada(), Some(&cats)).await.unwrap();
    accounts.take_right(&console(), &ada(), Some(&cats)).await.unwrap();
    assert_eq!(seen(&engine, &member).await, [""; 0]);
}

#[tokio::test]
async fn members_see_what_is_given_to_all_of_them_but_for_what_is_hidden() {
    let (_deployment, engine) = deployment(&[("ada", Role::Member)]).await;
    let member = permit_of("ada", Role::Member);
    give(&engine, &Grantee::Members, None, Some(Right::View)).await;
    assert_eq!(seen(&engine, &member).await, ["cats", "dogs", "fish"]);
    give(&engine, &Grantee::Members, Some("dogs"), None).await;
    assert_eq!(seen(&engine, &member).await, ["cats", "fish"]);
    let guest = model::Principal { name: "eve".to_owned(), role: Role::Guest };
    let guest = guest.permit(Action::ReadDatasets).unwrap();
    assert_eq!(seen(&engine, &guest).await, [""; 0]);
    let rights = engine.accounts();
    let rights = rights.rights_to(&console(), &id_of(&engine, "dogs").await).await.unwrap();
    let told: Vec<_> = rights.grants.iter().map(|it| (it.label.as_deref(), it.right)).collect();
    assert_eq!(told, [(None, Some(Right::View)), (Some("dogs"), None)]);
}

#[tokio::test]
async fn rights_that_make_no_sense_are_refused_and_nobody_but_an_admin_gives_any() {
    let (_deployment, engine) = deployment(&[("ada", Role::Member)]).await;
    let accounts = engine.accounts();
    let refused = async |to: Grantee, dataset: Option<&str>, right: Option<Right>| {
        let given = accounts.give_right(&console(), &to, dataset, right).await;
        given.unwrap_err().to_string()
    };
    let view = Some(Right::View);
    let nobody = Grantee::Person("nobody".to_owned());
    assert!(refused(nobody, Some("cats"), view).await.contains("no account `nobody`"));
    let group = Grantee::Group("none".to_owned());
    assert!(refused(group, Some("cats"), view).await.contains("no group `none`"));
    assert!(refused(ada(), Some("cat"), view).await.contains("did you mean `cats`?"));
    assert!(refused(ada(), None, view).await.contains("name the dataset"));
    assert!(refused(ada(), Some("cats"), None).await.contains("take the right back"));
    let member = permit_of("ada", Role::Member);
    let given = accounts.give_right(&member, &ada(), Some("cats"), view).await;
    assert!(matches!(given, Err(AccountError::Denied(it)) if it.action == Action::ManageUsers));
    let made = accounts.make_group(&member, "mine").await;
    assert!(matches!(made, Err(AccountError::Denied(_))));
    accounts.make_group(&console(), "Mine").await.unwrap();
    let again = accounts.make_group(&console(), "mine").await.unwrap_err().to_string();
    assert!(again.contains("there is a group `mine` already"), "{again}");
    assert_eq!(seen(&engine, &member).await, [""; 0]);
}

#[tokio::test]
async fn whoever_manages_a_dataset_takes_it_up_to_the_version_of_the_database_and_nowhere_else() {
    let (deployment, engine) =
        deployment(&[("ada", Role::Member), ("bob", Role::Collaborator)]).await;
    let member = permit_of("ada", Role::Member);
    give(&engine, &ada(), Some("cats"), Some(Right::Edit)).await;
    give(&engine, &ada(), Some("dogs"), Some(Right::Manage)).await;
    let before = deployment.dump().await;
    let start = async |question: &PlanQuestion| -> String {
        let plan = engine.preview(&member, question).await.unwrap();
        let forbidden = plan.forbidden.clone().expect("it may be started");
        let typed = plan.database_name.clone();
        let started = engine.start(&member, question, &approval(plan, &typed), None).await;
        assert_eq!(started.unwrap_err().to_string(), forbidden);
        forbidden
    };
    assert!(start(&plan_for("cats", "0.21.2")).await.contains("may not manage dataset `cats`"));
    let beyond = start(&plan_for("dogs", NEWEST)).await;
    assert!(beyond.contains("the version of the database, 0.21.2, and to no other"), "{beyond}");
    assert!(start(&plan_for("dogs", "0.15.0")).await.contains("may not downgrade"));
    assert!(
        start(&plan_for("cats\ndogs", "0.21.2")).await.contains("may not migrate the database")
    );
    let all = PlanQuestion { scope: PlanScope::Everything, ..plan_for("", "0.21.2") };
    assert!(start(&all).await.contains("may not migrate the database"));
    assert_eq!(deployment.dump().await, before);
    assert_eq!(engine.runs().await.unwrap(), []);

    let question = plan_for("dogs", "0.21.2");
    let plan = engine.preview(&member, &question).await.unwrap();
    assert_eq!((plan.forbidden.as_ref(), plan.datasets), (None, 1));
    let started = engine.start(&member, &question, &approval(plan, ""), None).await.unwrap();
    let Started::Run { id } = started else { panic!("not started: {started:?}") };
    assert_eq!(engine.run(&id).await.unwrap().by, "ada");
    let ended = async {
        let rests = async || {
            let state = engine.run(&id).await.unwrap().state;
            anyhow::ensure!(state == JobState::Completed, "it is {state}");
            Ok(())
        };
        ready::wait_for("the run to end", rests).await.unwrap();
    };
    engine.clone().attend(ended).await;
    let at = |name: &str, entries: &[engine::Entry]| {
        let found = entries.iter().find(|it| it.name.as_deref() == Some(name)).unwrap();
        found.version.as_str().map(str::to_owned)
    };
    let entries = engine.datasets().await.unwrap();
    assert_eq!(at("dogs", &entries).as_deref(), Some("0.21.2"));
    assert_ne!(at("cats", &entries).as_deref(), Some("0.21.2"));
}

#[tokio::test]
async fn a_plan_for_what_one_may_not_see_is_that_for_what_is_not_there() {
    let (_deployment, engine) = deployment(&[("ada", Role::Member)]).await;
    let member = permit_of("ada", Role::Member);
    give(&engine, &ada(), Some("cats"), Some(Right::View)).await;
    let told = async |names: &str| {
        let error = engine.preview(&member, &plan_for(names, "")).await.unwrap_err();
        error.to_string()
    };
    for (hidden, absent) in
        [("dogs", "nope"), ("dogs\nnope", "nope\ndogs"), ("cats\ndogs", "cats\nnope")]
    {
        let same = |text: String| text.replace("dogs", "X").replace("nope", "X");
        assert_eq!(same(told(hidden).await), same(told(absent).await), "{hidden}");
    }
    let plan = engine.preview(&member, &plan_for("cats", "")).await.unwrap();
    assert!(plan.groups.iter().any(|it| it.datasets == ["cats"]), "{:?}", plan.groups);
    let all = PlanQuestion { scope: PlanScope::Everything, ..plan_for("", "") };
    let plan = engine.preview(&member, &all).await.unwrap();
    assert!(plan.groups.iter().all(|it| it.datasets.is_empty()), "{:?}", plan.groups);
    // Their own selection they may plan for; that of an admin is not there for them.
    let own = engine.select(&member, &DatasetQuery::parse(""), None).await.unwrap();
    assert_eq!(own.datasets, 1);
    let others = engine.select(&console(), &DatasetQuery::parse(""), None).await.unwrap();
    let selected = |id: &str| PlanQuestion {
        scope: PlanScope::Selection,
        selection: id.to_owned(),
        ..PlanQuestion::default()
    };
    let plan = engine.preview(&member, &selected(&own.id)).await.unwrap();
    assert!(plan.groups.iter().any(|it| it.datasets == ["cats"]), "{:?}", plan.groups);
    let refused = engine.preview(&member, &selected(&others.id)).await.unwrap_err().to_string();
    assert!(refused.contains("is not kept"), "{refused}");
    let dogs = id_of(&engine, "dogs").await;
    let none =
        engine.select(&member, &DatasetQuery::parse(""), Some(std::slice::from_ref(&dogs))).await;
    assert!(matches!(none, Err(Error::Refused(_))));
    assert!(matches!(engine.inspect(&member, &dogs, "").await, Err(Error::NoDataset(_))));
    assert!(engine.inspect(&member, &id_of(&engine, "cats").await, "").await.is_ok());
    // What was selected and is hidden since is not planned for any more.
    engine
        .accounts()
        .take_right(&console(), &ada(), Some(&id_of(&engine, "cats").await))
        .await
        .unwrap();
    let refused = engine.preview(&member, &selected(&own.id)).await.unwrap_err().to_string();
    assert!(refused.contains("may not see any more"), "{refused}");
}
