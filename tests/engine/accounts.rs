//! The app's own accounts, from the first link on the console to the last admin.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use bson::{Document, doc};
use engine::{AccountError, Accounts, Connection, Engine, Origin, Token};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use model::{Action, Permit, Principal, Role, Visitor};
use mongodb::{Collection, Database};
use tests::{Deployment, Mongod, Wire};

const PASSWORD: &str = "four words and a half";
const OTHER: &str = "another four words";

/// An app with accounts of its own, beside a FiftyOne database without anything.
struct People {
    deployment: Deployment,
    accounts: Accounts,
}

impl People {
    async fn nobody() -> Self {
        let deployment = Deployment::empty().await;
        let accounts = accounts(&deployment).await;
        Self { deployment, accounts }
    }

    /// With an admin called Ada, who was invited by the console.
    async fn led_by_ada() -> Self {
        let people = Self::nobody().await;
        let link = people.accounts.first_link().await.unwrap().unwrap();
        people.accounts.accept(link.text(), "Ada", PASSWORD, &home()).await.unwrap();
        people
    }

    /// Lets an admin called Ada invite somebody, who comes. Returns their session.
    async fn join(&self, name: &str, role: Role) -> Token {
        let invitation = self.accounts.invite(&admin("Ada"), role, name).await.unwrap();
        self.accounts.accept(invitation.text(), name, PASSWORD, &home()).await.unwrap()
    }

    async fn sign_in(&self, name: &str) -> Token {
        self.accounts.sign_in(name, PASSWORD, &home()).await.unwrap()
    }

    async fn visitor(&self, session: &Token) -> Option<Visitor> {
        self.accounts.visitor(session.text()).await.unwrap()
    }

    /// The database of the app.
    fn own(&self) -> Database {
        self.deployment.database.client().database(&own(&self.deployment))
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.own().collection(name)
    }

    /// Lets time pass for all documents of a collection: what they say of this key was so much earlier.
    async fn pass(&self, collection: &str, key: &str, hours: i64) {
        let earlier = doc! { "$subtract": [format!("${key}"), hours * 3_600_000] };
        let change = vec![doc! { "$set": { key: earlier } }];
        let changed = self.collection(collection).update_many(doc! {}, change).await.unwrap();
        assert!(changed.matched_count > 0, "there is nothing in `{collection}`");
    }

    /// For how many seconds nobody was let try again, when they last tried, of all that is counted.
    async fn waits(&self) -> Vec<i64> {
        let attempts = self.collection("account_attempts").find(doc! {}).await.unwrap();
        let attempts: Vec<Document> = attempts.try_collect().await.unwrap();
        let time = |it: &Document, key| it.get_datetime(key).unwrap().timestamp_millis();
        let wait = |it: &Document| (time(it, "until") - time(it, "asked")) / 1_000;
        let mut waits: Vec<i64> = attempts.iter().map(wait).collect();
        waits.sort_unstable();
        waits
    }

    /// Everybody's name and role, those who cannot sign in left out.
    async fn enabled(&self) -> Vec<(String, Role)> {
        let all = self.accounts.list(&admin("Ada")).await.unwrap();
        all.into_iter().filter(|it| !it.disabled).map(|it| (it.name, it.role)).collect()
    }

    /// All that the app has written down.
    async fn text(&self) -> String {
        let mut text = String::new();
        for name in self.own().list_collection_names().await.unwrap() {
            let found = self.collection(&name).find(doc! {}).await.unwrap();
            let found: Vec<Document> = found.try_collect().await.unwrap();
            text.extend(found.into_iter().map(|it| format!("{name} {it}\n")));
        }
        text
    }
}

fn own(deployment: &Deployment) -> String {
    format!("{}-app", deployment.database.name())
}

/// As another process would have them.
async fn accounts(deployment: &Deployment) -> Accounts {
    engine(deployment).await.accounts()
}

async fn engine(deployment: &Deployment) -> Engine {
    let connection = Connection {
        uri: deployment.uri.clone(),
        database: deployment.database.name().to_owned(),
        runs: own(deployment),
        admin: false,
        validation: true,
    };
    Engine::open(&connection).await.unwrap()
}

fn origin(address: &str) -> Origin {
    Origin { address: address.to_owned(), agent: "a browser".to_owned() }
}

fn home() -> Origin {
    origin("192.0.2.1")
}

fn permit(name: &str, role: Role, action: Action) -> Permit {
    Principal { name: name.to_owned(), role }.permit(action).unwrap()
}

fn admin(name: &str) -> Permit {
    permit(name, Role::Admin, Action::ManageUsers)
}

fn guest(name: &str) -> Permit {
    permit(name, Role::Guest, Action::KeepOwnAccount)
}

#[tokio::test]
async fn an_account_is_invited_made_used_changed_and_disabled() {
    let people = People::led_by_ada().await;
    let accounts = &people.accounts;
    let invitation = accounts.invite(&admin("ADA"), Role::Member, " for Bob ").await.unwrap();
    let shown = accounts.invitation(invitation.text()).await.unwrap().unwrap();
    let told = (shown.note.as_str(), shown.role, shown.by.as_str());
    assert_eq!(told, ("for Bob", Role::Member, "ADA"));
    assert_eq!(accounts.invitations(&admin("Ada")).await.unwrap(), [shown]);

    let first = accounts.accept(invitation.text(), " Bob@Example.org ", PASSWORD, &home()).await;
    let first = first.unwrap();
    assert!(accounts.invitation(invitation.text()).await.unwrap().is_none());
    assert!(accounts.invitations(&admin("Ada")).await.unwrap().is_empty());
    let visitor = people.visitor(&first).await.unwrap();
    let bob = Principal { name: "Bob@Example.org".into(), role: Role::Member };
    assert_eq!(visitor.principal, bob);

    let second = accounts.sign_in("bob@EXAMPLE.org", PASSWORD, &origin("::1")).await.unwrap();
    let permit = bob.permit(Action::KeepOwnAccount).unwrap();
    let sessions = accounts.sessions(&permit, Some(&bob.name)).await.unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!((sessions[0].address.as_str(), sessions[0].agent.as_str()), ("::1", "a browser"));
    assert!(sessions.iter().all(|it| it.account == bob.name && it.created < it.expires));
    let listed = accounts.list(&admin("Ada")).await.unwrap();
    let numbers: Vec<u64> = listed.iter().map(|it| it.sessions).collect();
    assert_eq!(numbers, [1, 2]);
    assert!(listed.iter().all(|it| it.last_seen.is_some()), "{listed:?}");

    let keep = people.visitor(&second).await.unwrap().session;
    let wrong = accounts.change_password(&permit, OTHER, OTHER, &keep).await;
    assert!(matches!(wrong, Err(AccountError::WrongCredentials)), "{wrong:?}");
    let weak = accounts.change_password(&permit, PASSWORD, "bob@example.ORG", &keep).await;
    assert!(matches!(weak, Err(AccountError::BadPassword(_))), "{weak:?}");
    accounts.change_password(&permit, PASSWORD, OTHER, &keep).await.unwrap();
    assert!(people.visitor(&first).await.is_none());
    assert!(people.visitor(&second).await.is_some());
    let old = accounts.sign_in(&bob.name, PASSWORD, &home()).await;
    assert!(matches!(old, Err(AccountError::WrongCredentials)), "{old:?}");

    let third = accounts.sign_in(&bob.name, OTHER, &home()).await.unwrap();
    accounts.sign_out(second.text()).await.unwrap();
    assert!(people.visitor(&second).await.is_none());
    assert!(people.visitor(&third).await.is_some());
    accounts.set_disabled(&admin("Ada"), &bob.name, true).await.unwrap();
    assert!(people.visitor(&third).await.is_none());
    let disabled = accounts.sign_in(&bob.name, OTHER, &home()).await;
    assert!(matches!(disabled, Err(AccountError::WrongCredentials)), "{disabled:?}");
    assert_eq!(people.enabled().await, [("Ada".to_owned(), Role::Admin)]);
}

#[tokio::test]
async fn the_first_link_lasts_for_an_hour_and_until_there_is_an_account() {
    let people = People::nobody().await;
    let accounts = &people.accounts;
    let replaced = accounts.first_link().await.unwrap().unwrap();
    let expired = accounts.first_link().await.unwrap().unwrap();
    assert!(accounts.invitation(replaced.text()).await.unwrap().is_none());
    assert_eq!(accounts.invitation(expired.text()).await.unwrap().unwrap().role, Role::Admin);
    people.pass("account_invitations", "expires", 1).await;
    for link in [&replaced, &expired] {
        assert!(accounts.invitation(link.text()).await.unwrap().is_none());
        let refused = accounts.accept(link.text(), "Eve", PASSWORD, &home()).await;
        assert!(matches!(refused, Err(AccountError::BadInvitation)), "{refused:?}");
    }
    let good = accounts.first_link().await.unwrap().unwrap();
    // Somebody else came first, invited by whoever has a shell.
    let console = Principal::console("root@host".into()).permit(Action::ManageUsers).unwrap();
    let invitation = accounts.invite(&console, Role::Guest, "").await.unwrap();
    assert!(accounts.invitation(good.text()).await.unwrap().is_some());
    accounts.accept(invitation.text(), "Bob", PASSWORD, &home()).await.unwrap();
    assert!(accounts.invitation(good.text()).await.unwrap().is_none());
    let refused = accounts.accept(good.text(), "Eve", PASSWORD, &home()).await;
    assert!(matches!(refused, Err(AccountError::BadInvitation)), "{refused:?}");
    assert!(accounts.first_link().await.unwrap().is_none());
    assert_eq!(people.enabled().await, [("Bob".to_owned(), Role::Guest)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_use_one_link_at_the_same_moment_one_gets_an_account() {
    let people = People::nobody().await;
    let link = people.accounts.first_link().await.unwrap().unwrap();
    let racers = (0..8).map(async |number| {
        let accounts = accounts(&people.deployment).await;
        accounts.accept(link.text(), &format!("racer {number}"), PASSWORD, &home()).await
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(racers).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|it| matches!(it, Err(AccountError::BadInvitation))), "{lost:?}");
    assert_eq!(people.enabled().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_first_links_that_servers_make_at_the_same_moment_one_makes_an_account() {
    let people = People::nobody().await;
    let servers = join_all((0..8).map(|_| accounts(&people.deployment))).await;
    let links = join_all(servers.iter().map(Accounts::first_link)).await;
    let origin = home();
    let racers =
        links.into_iter().zip(&servers).enumerate().map(async |(number, (link, server))| {
            let link = link.unwrap().unwrap();
            server.accept(link.text(), &format!("racer {number}"), PASSWORD, &origin).await
        });
    let won = join_all(racers).await.into_iter().flatten().count();
    assert_eq!((won, people.enabled().await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_is_taken_uses_no_invitation_up_and_a_second_click_signs_in() {
    let people = People::led_by_ada().await;
    let accounts = &people.accounts;
    let invitation = accounts.invite(&admin("Ada"), Role::Labeler, "").await.unwrap();
    let taken = accounts.accept(invitation.text(), " ADA", PASSWORD, &home()).await;
    assert!(matches!(taken, Err(AccountError::NameTaken(_))), "{taken:?}");
    for name in ["", "a\u{200b}da"] {
        let bad = accounts.accept(invitation.text(), name, PASSWORD, &home()).await;
        assert!(matches!(bad, Err(AccountError::BadName(_))), "{bad:?}");
    }
    let bad = accounts.accept(invitation.text(), "Bob", "too short", &home()).await;
    assert!(matches!(bad, Err(AccountError::BadPassword(_))), "{bad:?}");
    assert!(accounts.invitation(invitation.text()).await.unwrap().is_some());

    clicked_twice(&people, &invitation, "Bob", Role::Labeler).await;
    let other = accounts.accept(invitation.text(), "Bob", OTHER, &home()).await;
    assert!(matches!(other, Err(AccountError::BadInvitation)), "{other:?}");
    assert_eq!(people.enabled().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_click_on_the_first_link_signs_in() {
    let people = People::nobody().await;
    let link = people.accounts.first_link().await.unwrap().unwrap();
    clicked_twice(&people, &link, "Ada", Role::Admin).await;
    assert_eq!(people.enabled().await.len(), 1);
}

/// Two clicks at the same moment, and one more.
async fn clicked_twice(people: &People, invitation: &Token, name: &str, role: Role) {
    let origin = home();
    let click = || people.accounts.accept(invitation.text(), name, PASSWORD, &origin);
    let (one, other) = tokio::join!(click(), click());
    let again = click().await;
    for session in [one, other, again] {
        let visitor = people.visitor(&session.unwrap()).await.unwrap();
        assert_eq!(visitor.principal, Principal { name: name.to_owned(), role });
    }
}

#[tokio::test]
async fn whoever_is_cut_off_in_the_middle_of_an_invitation_does_the_same_again() {
    let people = People::led_by_ada().await;
    let invitation = people.accounts.invite(&admin("Ada"), Role::Member, "").await.unwrap();
    let unused = doc! { "first": false };
    let claimed = doc! { "$set": { "claimed": "bob" } };
    people.collection("account_invitations").update_one(unused, claimed).await.unwrap();
    let eve = people.accounts.accept(invitation.text(), "Eve", PASSWORD, &home()).await;
    assert!(matches!(eve, Err(AccountError::BadInvitation)), "{eve:?}");
    // Until then admins see that it can be used.
    let listed = async || people.accounts.invitations(&admin("Ada")).await.unwrap();
    assert_eq!(listed().await.len(), 1);
    let bob = people.accounts.accept(invitation.text(), "Bob", PASSWORD, &home()).await.unwrap();
    assert!(people.visitor(&bob).await.is_some());
    assert_eq!(listed().await, []);

    // And can take it back.
    let other = people.accounts.invite(&admin("Ada"), Role::Member, "").await.unwrap();
    let unused = doc! { "first": false, "claimed": null };
    let claimed = doc! { "$set": { "claimed": "eve" } };
    people.collection("account_invitations").update_one(unused, claimed).await.unwrap();
    people.accounts.take_back(&admin("Ada"), &listed().await[0].id).await.unwrap();
    let eve = people.accounts.accept(other.text(), "Eve", PASSWORD, &home()).await;
    assert!(matches!(eve, Err(AccountError::BadInvitation)), "{eve:?}");
}

#[tokio::test]
async fn an_invitation_is_worth_nothing_when_it_is_taken_back_or_its_inviter_is_no_admin() {
    let people = People::led_by_ada().await;
    let accounts = &people.accounts;
    people.join("Bob", Role::Admin).await;
    let invite = async |by| accounts.invite(&admin(by), Role::Admin, "").await.unwrap();
    let back = invite("Ada").await;
    let id = accounts.invitation(back.text()).await.unwrap().unwrap().id;
    accounts.take_back(&admin("Ada"), &id).await.unwrap();
    assert!(accounts.invitation(back.text()).await.unwrap().is_none());

    let theirs = invite("Bob").await;
    accounts.set_disabled(&admin("Ada"), "Bob", true).await.unwrap();
    let refused = accounts.accept(theirs.text(), "Eve", PASSWORD, &home()).await;
    assert!(matches!(refused, Err(AccountError::BadInvitation)), "{refused:?}");
    assert!(accounts.invitations(&admin("Ada")).await.unwrap().is_empty());
    // It does not come alive again with them.
    accounts.set_disabled(&admin("Ada"), "Bob", false).await.unwrap();
    let refused = accounts.accept(theirs.text(), "Eve", PASSWORD, &home()).await;
    assert!(matches!(refused, Err(AccountError::BadInvitation)), "{refused:?}");
    assert!(accounts.invitations(&admin("Ada")).await.unwrap().is_empty());
    let anew = invite("Bob").await;
    assert!(accounts.accept(anew.text(), "Eve", PASSWORD, &home()).await.is_ok());
    let denied = accounts.invite(&guest("Mallory"), Role::Guest, "").await;
    assert!(matches!(denied, Err(AccountError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_or_old_and_its_use_is_noted() {
    let people = People::led_by_ada().await;
    let session = people.sign_in("ada").await;
    let last_used = async || {
        let sessions = people.accounts.sessions(&guest("Ada"), Some("ada")).await.unwrap();
        sessions.into_iter().map(|it| it.last_used).max().unwrap()
    };
    people.pass("account_sessions", "last_used", 11).await;
    let before = last_used().await;
    assert!(people.accounts.are_alive(&[session.text().to_owned()]).await.unwrap()[0]);
    assert_eq!(last_used().await, before, "an open page keeps nobody signed in");
    assert!(people.visitor(&session).await.is_some());
    let noted = last_used().await;
    assert!(before < noted);
    assert!(people.visitor(&session).await.is_some());
    assert_eq!(last_used().await, noted, "noted more often than once a minute");
    people.pass("account_sessions", "last_used", 12).await;
    assert!(people.visitor(&session).await.is_none());
    assert!(people.accounts.sessions(&admin("Ada"), None).await.unwrap().is_empty());
    assert_eq!(people.accounts.list(&admin("Ada")).await.unwrap()[0].sessions, 0);

    let session = people.sign_in("ada").await;
    people.pass("account_sessions", "expires", 7 * 24 - 1).await;
    assert!(people.visitor(&session).await.is_some());
    people.pass("account_sessions", "expires", 1).await;
    assert!(people.visitor(&session).await.is_none());
    assert!(!people.accounts.are_alive(&[session.text().to_owned()]).await.unwrap()[0]);
    assert!(people.accounts.visitor("no token").await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_of_role_ends_sessions_at_once_also_those_that_are_just_being_begun() {
    let people = People::led_by_ada().await;
    let session = people.join("Bob", Role::Member).await;
    let sessions = people.collection("account_sessions");
    let begun = sessions.find_one(doc! { "account": "bob" }).await.unwrap().unwrap();
    people.accounts.set_role(&admin("Ada"), "bob", Role::Guest).await.unwrap();
    assert!(people.visitor(&session).await.is_none());
    // Written by a process that has compared the password before the change.
    sessions.insert_one(begun).await.unwrap();
    assert!(people.visitor(&session).await.is_none());
    let session = people.sign_in("Bob").await;
    assert_eq!(people.visitor(&session).await.unwrap().principal.role, Role::Guest);
    people.accounts.set_role(&admin("Ada"), "Bob", Role::Guest).await.unwrap();
    assert!(people.visitor(&session).await.is_some(), "nothing was changed");

    people.accounts.set_disabled(&admin("Ada"), "Bob", true).await.unwrap();
    people.accounts.set_disabled(&admin("Ada"), "Bob", false).await.unwrap();
    assert!(people.visitor(&session).await.is_none());
    let unknown = people.accounts.set_role(&admin("Ada"), "Eve", Role::Guest).await;
    assert!(matches!(unknown, Err(AccountError::UnknownAccount(_))), "{unknown:?}");
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_and_admins_everybodys() {
    let people = People::led_by_ada().await;
    let accounts = &people.accounts;
    let bobs = people.join("Bob", Role::Guest).await;
    let eves = people.join("Eve", Role::Guest).await;
    let id = people.visitor(&eves).await.unwrap().session;
    for denied in [None, Some("eve")] {
        let denied = accounts.sessions(&guest("Bob"), denied).await;
        assert!(matches!(denied, Err(AccountError::Denied(_))), "{denied:?}");
    }
    let denied = accounts.end_sessions(&guest("Bob"), "eve").await;
    assert!(matches!(denied, Err(AccountError::Denied(_))), "{denied:?}");
    accounts.end_session(&guest("Bob"), &id).await.unwrap();
    assert!(people.visitor(&eves).await.is_some(), "it is not Bob's");
    assert_eq!(accounts.sessions(&admin("Ada"), None).await.unwrap().len(), 3);

    accounts.end_session(&guest("eve"), &id).await.unwrap();
    assert!(people.visitor(&eves).await.is_none());
    let id = people.visitor(&bobs).await.unwrap().session;
    accounts.end_session(&admin("Ada"), &id).await.unwrap();
    assert!(people.visitor(&bobs).await.is_none());
    people.sign_in("Bob").await;
    people.sign_in("Bob").await;
    assert_eq!(accounts.end_sessions(&guest("BOB"), "bob").await.unwrap(), 2);
    assert_eq!(accounts.end_sessions(&admin("Ada"), "bob").await.unwrap(), 0);
    let denied = accounts.list(&guest("Bob")).await;
    assert!(matches!(denied, Err(AccountError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn after_five_failures_an_account_has_to_wait_whether_there_is_one_or_not() {
    let people = People::led_by_ada().await;
    let sign_in = async |name: &str, password| {
        people.accounts.sign_in(name, password, &origin("192.0.2.2")).await
    };
    let mut told = Vec::new();
    for name in ["Ada", "Nobody"] {
        let mut failures = Vec::new();
        for _ in 0..5 {
            let failure = sign_in(name, OTHER).await.unwrap_err();
            assert!(matches!(failure, AccountError::WrongCredentials), "{failure:?}");
            failures.push(failure.to_string());
        }
        told.push((failures, people.waits().await));
        // As if it had only just failed.
        people.pass("account_attempts", "until", -1).await;
        let wait = sign_in(name, PASSWORD).await.unwrap_err();
        let AccountError::TooManyAttempts { wait_s } = wait else { panic!("{wait:?}") };
        assert!(wait_s > 0 && wait_s <= 3_601, "{wait_s}");
        people.collection("account_attempts").delete_many(doc! {}).await.unwrap();
    }
    assert_eq!(told[0], told[1]);

    let mut waits = Vec::new();
    for _ in 0..16 {
        assert!(sign_in("Ada", OTHER).await.is_err());
        waits.push(people.waits().await.into_iter().max().unwrap());
        people.pass("account_attempts", "until", 1).await;
    }
    assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    for _ in 0..2 {
        assert!(people.accounts.sign_in("Ada", PASSWORD, &home()).await.is_ok(), "forgotten");
        for _ in 0..4 {
            let failure = people.accounts.sign_in("Ada", OTHER, &home()).await;
            assert!(matches!(failure, Err(AccountError::WrongCredentials)), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn whoever_fails_on_purpose_locks_nobody_out_who_is_elsewhere() {
    let people = People::led_by_ada().await;
    let foe = origin("198.51.100.1");
    for _ in 0..5 {
        people.accounts.sign_in("Ada", OTHER, &foe).await.unwrap_err();
    }
    // As if the last of them had only just failed.
    people.pass("account_attempts", "until", -1).await;
    let pairs = doc! { "_id": { "$not": { "$regex": "^pair" } } };
    let soon = vec![doc! { "$set": { "until": "$asked" } }];
    people.collection("account_attempts").update_many(pairs, soon).await.unwrap();
    for _ in 0..30 {
        let refused = people.accounts.sign_in("Ada", OTHER, &foe).await;
        assert!(matches!(refused, Err(AccountError::TooManyAttempts { .. })), "{refused:?}");
    }
    let ada = people.sign_in("Ada").await;
    let session = people.visitor(&ada).await.unwrap().session;
    // What was not tried is counted nowhere, so that whoever else is behind that address can sign in as well.
    let attempts = people.collection("account_attempts").find(doc! {}).await.unwrap();
    let attempts: Vec<Document> = attempts.try_collect().await.unwrap();
    assert!(attempts.len() >= 3 && attempts.iter().all(|it| it.get_i32("failures").unwrap() <= 5));
    people.join("Bob", Role::Guest).await;
    assert!(people.accounts.sign_in("Bob", PASSWORD, &foe).await.is_ok());
    let changed = people.accounts.change_password(&admin("Ada"), PASSWORD, OTHER, &session).await;
    assert!(changed.is_ok(), "{changed:?}");
}

#[tokio::test]
async fn an_address_has_to_wait_whatever_names_it_tries_and_others_need_not() {
    let people = People::led_by_ada().await;
    let from = async |address, name: &str, password| {
        people.accounts.sign_in(name, password, &origin(address)).await
    };
    for number in 0..20 {
        let failed = from("2001:db8::1", &format!("name {number}"), PASSWORD).await;
        assert!(matches!(failed, Err(AccountError::WrongCredentials)), "{failed:?}");
    }
    // As if the last of them had only just failed.
    people.pass("account_attempts", "until", -1).await;
    let neighbor = from("2001:db8::2", "Ada", PASSWORD).await;
    assert!(matches!(neighbor, Err(AccountError::TooManyAttempts { .. })), "{neighbor:?}");
    assert!(from("2001:db8:1::1", "Ada", PASSWORD).await.is_ok());
    // A day later nobody remembers.
    people.pass("account_attempts", "until", 25).await;
    people.pass("account_attempts", "expires", 24).await;
    assert!(from("2001:db8::2", "Eve", PASSWORD).await.is_err());
    assert!(from("2001:db8::2", "Ada", PASSWORD).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_guesses_at_the_same_moment_are_no_more_guesses() {
    let people = People::led_by_ada().await;
    people.accounts.sign_in("Ada", OTHER, &home()).await.unwrap_err();
    // After so many failures, from wherever, a minute passes until the next attempt but one.
    let failed = doc! { "$set": { "failures": 120 } };
    people.collection("account_attempts").update_many(doc! {}, failed).await.unwrap();
    let guesses = (0..40).map(async |number| {
        let origin = origin(&format!("198.51.100.{number}"));
        people.accounts.sign_in("Ada", OTHER, &origin).await.unwrap_err()
    });
    let told = join_all(guesses).await;
    let tried = told.iter().filter(|it| matches!(it, AccountError::WrongCredentials)).count();
    assert_eq!(tried, 1, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_admin_stays_also_when_two_demote_each_other_at_the_same_moment() {
    let people = People::led_by_ada().await;
    let accounts = &people.accounts;
    let demoted = accounts.set_role(&admin("Ada"), "Ada", Role::Member).await;
    assert!(matches!(demoted, Err(AccountError::LastAdmin)), "{demoted:?}");
    let disabled = accounts.set_disabled(&admin("Ada"), "Ada", true).await;
    assert!(matches!(disabled, Err(AccountError::LastAdmin)), "{disabled:?}");
    people.join("Bob", Role::Admin).await;
    let elsewhere = self::accounts(&people.deployment).await;
    for _ in 0..10 {
        let (ada, bob) = (admin("Ada"), admin("Bob"));
        let (one, other) = tokio::join!(
            accounts.set_role(&ada, "Bob", Role::Member),
            elsewhere.set_disabled(&bob, "Ada", true),
        );
        let results = [one, other];
        assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 1, "{results:?}");
        let last = |it: &Result<(), _>| matches!(it, Err(AccountError::LastAdmin));
        assert!(results.iter().any(last), "{results:?}");
        let admins = people.enabled().await;
        assert_eq!(admins.iter().filter(|it| it.1 == Role::Admin).count(), 1, "{admins:?}");
        accounts.set_disabled(&ada, "Ada", false).await.unwrap();
        accounts.set_role(&ada, "Bob", Role::Admin).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_that_somebody_left_in_the_middle_is_completed_before_the_next_and_only_once() {
    let people = People::led_by_ada().await;
    people.join("Bob", Role::Admin).await;
    people.accounts.set_role(&admin("Ada"), "Bob", Role::Member).await.unwrap();
    people.accounts.set_role(&admin("Ada"), "Bob", Role::Admin).await.unwrap();
    let bobs = people.sign_in("Bob").await;
    let changes = people.collection("account_changes");
    let begun = changes.find_one(doc! {}).await.unwrap().unwrap();
    let number = begun.get_i64("number").unwrap();
    assert_eq!((number, begun.get("change")), (2, Some(&bson::Bson::Null)));
    let leave = async |number: i64| {
        let change = doc! { "account": "bob", "role": "member", "disabled": false };
        let set = doc! { "$set": { "number": number, "change": change } };
        changes.update_one(doc! {}, set).await.unwrap();
    };
    // Whoever demoted Bob is gone: Ada is the last one now, and nobody else says so.
    leave(number + 1).await;
    let demoted = people.accounts.set_role(&admin("Bob"), "Ada", Role::Member).await;
    assert!(matches!(demoted, Err(AccountError::LastAdmin)), "{demoted:?}");
    assert!(people.visitor(&bobs).await.is_none());
    let all = people.enabled().await;
    assert_eq!(all, [("Ada".to_owned(), Role::Admin), ("Bob".to_owned(), Role::Member)]);

    // Whoever did it was only asleep, and completes it once more, after Bob has become an admin again.
    people.accounts.set_role(&admin("Ada"), "Bob", Role::Admin).await.unwrap();
    let session = people.sign_in("Bob").await;
    leave(number + 1).await;
    people.accounts.set_disabled(&admin("Ada"), "Ada", true).await.unwrap();
    assert_eq!(people.enabled().await, [("Bob".to_owned(), Role::Admin)]);
    assert!(people.visitor(&session).await.is_some());
}

#[tokio::test]
async fn a_change_that_was_begun_is_done_whoever_has_left_meanwhile() {
    let people = People::led_by_ada().await;
    people.join("Bob", Role::Admin).await;
    let role = async || {
        let bob = people.collection("accounts").find_one(doc! { "_id": "bob" }).await.unwrap();
        bob.unwrap().get_str("role").unwrap().to_owned()
    };
    let until = async |wanted: &str| {
        while role().await != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Their browser has closed the connection.
    let place = format!("{}.accounts", own(&people.deployment));
    let wire = Wire::holding(Mongod::shared(), 1, "findAndModify", &place).await;
    let behind = accounts(&people.deployment.behind(&wire)).await;
    let asks =
        tokio::spawn(async move { behind.set_role(&admin("Ada"), "Bob", Role::Guest).await });
    wire.held(1).await;
    asks.abort();
    assert!(asks.await.unwrap_err().is_cancelled());
    assert_eq!(role().await, "admin");
    wire.release();
    until("guest").await;

    // Their server has died.
    let changes = people.collection("account_changes");
    let leave = async |role: &str| {
        let change = doc! { "account": "bob", "role": role, "disabled": false };
        let set = doc! { "$set": { "change": change }, "$inc": { "number": 1_i64 } };
        changes.update_one(doc! {}, set).await.unwrap();
    };
    // The task above may not have told yet that it is done.
    while changes.find_one(doc! { "change": null }).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    leave("member").await;
    let listed = people.accounts.list(&admin("Ada")).await.unwrap();
    assert_eq!(listed.iter().find(|it| it.name == "Bob").unwrap().role, Role::Member);
    leave("labeler").await;
    assert!(people.accounts.first_link().await.unwrap().is_none());
    assert_eq!(role().await, "labeler");
    leave("guest").await;
    let attending = engine(&people.deployment).await.attend(std::future::pending());
    tokio::select! {
        () = attending => {}
        () = until("guest") => {}
    }
}

#[tokio::test]
async fn nothing_secret_is_written_down_and_nothing_at_all_into_the_database_of_fiftyone() {
    let people = People::nobody().await;
    let accounts = &people.accounts;
    let link = accounts.first_link().await.unwrap().unwrap();
    let session = accounts.accept(link.text(), "Ada", PASSWORD, &home()).await.unwrap();
    let invitation = accounts.invite(&admin("Ada"), Role::Guest, "for Bob").await.unwrap();
    // Who has not typed a password where the name belongs.
    let slip = accounts.sign_in(OTHER, OTHER, &home()).await;
    assert!(matches!(slip, Err(AccountError::WrongCredentials)), "{slip:?}");
    let text = people.text().await;
    for written in ["$argon2id$v=19$m=19456,t=2,p=1$", "for Bob", "192.0.2.1", "account_attempts "]
    {
        assert!(text.contains(written), "`{written}` should be there: {text}");
    }
    for secret in [link.text(), session.text(), invitation.text(), PASSWORD, OTHER] {
        assert!(!text.contains(secret), "`{secret}` is written down: {text}");
    }
    let shown = format!("{link:?} {session:?} {invitation:?}");
    assert!(!shown.contains(link.text()) && !shown.contains(session.text()), "{shown}");
    let theirs = people.deployment.database.list_collection_names().await.unwrap();
    assert_eq!(theirs, Vec::<String>::new());

    let mut expiring = Vec::new();
    for name in ["account_sessions", "account_invitations", "account_attempts"] {
        let indexes = people.collection(name).list_indexes().await.unwrap();
        let indexes: Vec<_> = indexes.try_collect().await.unwrap();
        let options = indexes.into_iter().filter_map(|it| it.options);
        expiring.extend(options.filter_map(|it| it.expire_after));
    }
    assert_eq!(expiring, [Duration::ZERO; 3]);
}
