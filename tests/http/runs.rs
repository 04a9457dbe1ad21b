//! The runs: pages without scripts, events, and what forms ask for.

use anyhow::{Context, Result};
use engine::{Control, JobEvent, JobState, RunFrame};
use http::StatusCode;
use model::{Action, Principal};
use tests::http::{Answer, Event, Events};
use tests::{App, NEWEST, connect_as, console, ready, to};

/// A run that was written down and cancelled before it began.
async fn cancelled(app: &App) -> Result<String> {
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let permit = Principal::console("ada".to_owned()).permit(Action::ControlRuns)?;
    engine.ask(&permit, &id, JobEvent::Cancel, None).await?;
    Ok(id)
}

/// Waits until the run is in this state, and nothing is wanted of it.
async fn until(app: &App, id: &str, state: JobState) -> Result<()> {
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let look = async || {
        let run = engine.run(id).await?;
        anyhow::ensure!(run.state == state && run.wish.is_none(), "it is {}", run.state);
        Ok(())
    };
    ready::wait_for(&format!("run {id} to be {state}"), look).await
}

async fn next(events: &mut Events) -> Result<Event> {
    events.next().await?.context("there are no events any more")
}

/// What comes until it is over.
async fn all(mut events: Events) -> Result<Vec<Event>> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await? {
        all.push(event);
    }
    Ok(all)
}

/// Asks for something as a program does.
async fn ask(app: &App, id: &str, event: &str) -> Result<Answer> {
    app.post_as(&app.admin, "/api/control_run", &[("id", id), ("event", event)]).await
}

/// Asks for something as a browser without scripts does, on this page.
async fn from_page(app: &App, page: &str, id: &str, event: &str) -> Result<Answer> {
    let headers = [
        ("accept", "text/html"),
        ("referer", page),
        ("origin", app.address.as_str()),
        ("cookie", app.admin.as_str()),
    ];
    let control = format!("{}/api/control_run", app.address);
    tests::http::post(&control, &headers, &[("id", id), ("event", event)]).await
}

#[tokio::test]
async fn where_nothing_was_migrated_the_page_says_what_to_do() -> Result<()> {
    let app = App::start().await?;
    let page = app.get("/runs").await?;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Nothing was migrated here yet"));
    assert!(page.text().contains("href=\"/migrate\""));
    let page = app.get("/runs/000000000000000000000000").await?;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text().contains("run `000000000000000000000000` not found"), "{}", page.text());
    app.stop().await
}

#[tokio::test]
async fn a_run_is_watched_and_controlled_without_scripts() -> Result<()> {
    let app = App::migrating().await?;
    let id = cancelled(&app).await?;
    let path = format!("/runs/{id}");
    let address = format!("{}{path}", app.address);
    let page = app.get(&path).await?.text();
    for said in ["The database and every dataset to v", "Cancelled", "shall be cancelled", "Resume"]
    {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    // It rests: there is nothing to load again for.
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(!app.get("/runs").await?.text().contains("http-equiv=\"refresh\""));

    let answer = from_page(&app, &address, &id, "resume").await?;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.headers["location"].to_str()?.trim_end_matches('?'), address);
    until(&app, &id, JobState::Completed).await?;
    let page = app.get(&format!("{path}?show=migrated")).await?.text();
    for said in ["Completed and verified: 3 datasets", "100 %", "cats", "0.18.0", "Undo this run"] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    let csv = app.get(&format!("/api{path}/datasets.csv")).await?;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.text().lines().count(), 4, "a head and three datasets: {}", csv.text());
    assert!(csv.text().contains(",cats,migrated,0.18.0,"), "{}", csv.text());
    let log = app.get(&format!("/api{path}/log.txt")).await?.text();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("shall be cancelled"), "{log}");
    assert!(lines.last().unwrap().contains("is completed"), "{log}");
    let none = app.get("/api/runs/000000000000000000000000/log.txt").await?;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "{}", none.text());
    let list = app.get("/runs").await?.text();
    assert!(list.contains(&format!("href=\"/runs/{id}\"")), "{list}");

    // What cannot be done leads back as well, and the page says why.
    let answer = from_page(&app, &address, &id, "pause").await?;
    assert_eq!(answer.status, StatusCode::FOUND);
    let led = answer.headers["location"].to_str()?;
    assert!(led.starts_with(&format!("{address}?")), "{led}");
    let page = app.get(&led.replace(&app.address, "")).await?.text();
    assert!(page.contains("a run that is completed cannot be paused"), "{page}");

    // An undo takes the name of the database, and the password once more.
    for (typed, password) in [("", tests::PASSWORD), ("fiftyone-test", "wrong"), ("x", "")] {
        let form =
            [("id", id.as_str()), ("event", "undo"), ("typed", typed), ("password", password)];
        let answer = app.post_as(&app.admin, "/api/control_run", &form).await?;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    }
    until(&app, &id, JobState::Completed).await?;
    let form = [
        ("id", id.as_str()),
        ("event", "undo"),
        ("typed", "fiftyone-test"),
        ("password", tests::PASSWORD),
    ];
    let answer = app.post_as(&app.admin, "/api/control_run", &form).await?;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    until(&app, &id, JobState::Undone).await?;
    app.stop().await
}

#[tokio::test]
async fn a_log_has_a_page_without_scripts_where_it_is_searched_and_each_line_has_an_address()
-> Result<()> {
    let app = App::migrating().await?;
    let id = cancelled(&app).await?;
    ask(&app, &id, "resume").await?;
    until(&app, &id, JobState::Completed).await?;
    let run = app.get(&format!("/runs/{id}")).await?.text();
    for said in [&format!("href=\"/runs/{id}/log\""), "Timeline", "Asked that it be resumed"] {
        assert!(run.contains(said), "no `{said}` in {run}");
    }
    let page = app.get(&format!("/runs/{id}/log")).await?;
    assert_eq!(page.status, StatusCode::OK);
    let page = page.text();
    for said in [
        "id=\"line-1\"",
        "shall be cancelled",
        &format!("href=\"/runs/{id}/log?line=2#line-2\""),
        &format!("href=\"/api/runs/{id}/log.txt\""),
        "newest first",
    ] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }
    assert!(!page.contains("fiftyone-migrate.js"), "scripts are loaded: {page}");
    assert_eq!(page.matches("shall be cancelled").count(), 1, "it is sent twice: {page}");

    let found = app.get(&format!("/runs/{id}/log?q=SHALL+be")).await?.text();
    for said in
        ["2 lines found among ", "value=\"SHALL be\"", "id=\"line-2\"", "log.txt?q=SHALL%20be"]
    {
        assert!(found.contains(said), "no `{said}` in {found}");
    }
    assert!(!found.contains("is completed"), "{found}");
    let file = app.get(&format!("/api/runs/{id}/log.txt?q=SHALL%20be")).await?.text();
    assert_eq!(file.lines().count(), 2, "{file}");
    let none = app.get(&format!("/runs/{id}/log?q=%3Cb%3E.*")).await?.text();
    assert!(none.contains("No line has “&lt;b&gt;.*” in it."), "{none}");
    let at = app.get(&format!("/runs/{id}/log?line=2")).await?.text();
    assert!(at.contains("id=\"line-2\" aria-current=\"true\""), "{at}");
    // What is no number is not asked for.
    for odd in
        ["page=x", "page=-1", "line=x", "line=99999999999999999999", "page=18446744073709551615"]
    {
        let page = app.get(&format!("/runs/{id}/log?{odd}")).await?;
        assert!(page.status == StatusCode::OK && page.text().contains("id=\"line-1\""), "{odd}");
    }

    assert_eq!(app.get("/runs/7/log").await?.status, StatusCode::NOT_FOUND);
    let bob = app.sign_up("bob", model::Role::Member).await?;
    let refused = app.get_as(&bob, &format!("/runs/{id}/log")).await?;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.text().contains("shall be"), "{}", refused.text());
    let file = app.get_as(&bob, &format!("/api/runs/{id}/log.txt?q=shall")).await?;
    assert_eq!(file.status, StatusCode::FORBIDDEN);
    let seen = app.get_as(&bob, &format!("/runs/{id}")).await?.text();
    assert!(seen.contains("Asked that it be resumed") && !seen.contains("cats"), "{seen}");
    app.stop().await
}

#[tokio::test]
async fn the_pace_of_a_run_is_changed_on_its_page_and_refused_in_a_sentence() -> Result<()> {
    let app = App::migrating().await?;
    let id = cancelled(&app).await?;
    let page = app.get(&format!("/runs/{id}")).await?.text();
    let asked = format!("/runs/{id}/pace");
    assert!(page.contains(&format!("href=\"{asked}\"")), "{page}");
    let page = app.get(&asked).await?.text();
    for said in ["name=\"pace[lag_s]\"", "1 to 32", "0 (no limit) to 1,000,000", "value=\"250\""] {
        assert!(page.contains(said), "no `{said}` in {page}");
    }

    let post = async |form: &[(&str, &str)]| {
        let page = format!("{}{asked}", app.address);
        let headers = [
            ("accept", "text/html"),
            ("referer", page.as_str()),
            ("origin", app.address.as_str()),
            ("cookie", app.admin.as_str()),
        ];
        let form = [&[("id", id.as_str())], form].concat();
        tests::http::post(&format!("{}/api/pace_run", app.address), &headers, &form).await
    };
    for (name, typed, said) in [
        ("pace[side_by_side]", "33", "33 operations side by side make no sense; use 1 to 32"),
        ("pace[batch_ms]", "soon", "soon milliseconds for a batch make no sense; use 10 to 5000"),
    ] {
        let refused = post(&[(name, typed), ("pace[disk_mib]", "7")]).await?;
        let back = refused.headers["location"].to_str()?.replace(&app.address, "");
        let headers = [("referer", app.address.as_str()), ("cookie", app.admin.as_str())];
        let page = tests::http::get(&format!("{}{back}", app.address), &headers).await?.text();
        assert!(page.contains(said) && page.contains("Nothing was changed."), "{page}");
        assert!(page.contains("value=\"1024\""), "a part of it was changed: {page}");
    }
    let done = post(&[("pace[side_by_side]", "2"), ("pace[flow_per_s]", "0")]).await?;
    assert_eq!(done.headers["location"], format!("/runs/{id}"));
    let run = app.engine().run(&id).await?;
    let expected = model::Pace { side_by_side: 2, flow_per_s: 0, ..model::Pace::default() };
    assert_eq!(run.pace, expected);
    let page = app.get(&format!("/runs/{id}")).await?.text();
    assert!(page.contains("Changed the pace: 2 operations side by side"), "{page}");

    let bob = app.sign_up("bob", model::Role::Member).await?;
    for path in [&asked, &format!("/runs/{id}")] {
        let page = app.get_as(&bob, path).await?.text();
        assert!(!page.contains("pace[lag_s]") && !page.contains(&format!("{asked}\"")), "{page}");
        assert!(page.contains("takes the role admin"), "{page}");
    }
    let form = [("id", id.as_str()), ("pace[lag_s]", "5")];
    assert_eq!(app.post_as(&bob, "/api/pace_run", &form).await?.status, StatusCode::FORBIDDEN);
    let unknown = app.post_as(&app.admin, "/api/pace_run", &[("id", "7")]).await?;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.text());
    assert_eq!(app.get("/runs/7/pace").await?.status, StatusCode::NOT_FOUND);
    app.stop().await
}

#[tokio::test]
async fn programs_are_told_by_the_status_why_a_run_cannot_be_controlled() -> Result<()> {
    let app = App::migrating().await?;
    let id = cancelled(&app).await?;
    let answer = ask(&app, &id, "pause").await?;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    let answer = ask(&app, "7", "resume").await?;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text());
    app.stop().await
}

#[tokio::test]
async fn a_deployment_that_is_read_only_shows_runs_and_takes_no_wishes() -> Result<()> {
    let app = App::start().await?;
    let id = cancelled(&app).await?;
    let page = app.get(&format!("/runs/{id}")).await?.text();
    assert!(page.contains("set `FIFTYONE_DATABASE_ADMIN=true`"), "{page}");
    assert!(!page.contains("control_run"), "{page}");
    let answer = ask(&app, &id, "resume").await?;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(answer.text().contains("FIFTYONE_DATABASE_ADMIN"), "{}", answer.text());
    app.stop().await
}

#[tokio::test]
async fn events_tell_how_a_run_goes_until_it_rests() -> Result<()> {
    let app = App::start().await?;
    let id = cancelled(&app).await?;
    let url = format!("{}/api/runs/{id}/events", app.address);
    let rested = all(Events::of(&url, &app.admin, "").await?).await?;
    let [first, end] = rested.as_slice() else { panic!("{rested:?}") };
    let frame: RunFrame = serde_json::from_str(&first.data)?;
    assert_eq!(frame.run.state, JobState::Cancelled);
    assert_eq!(end.name, "end");

    // From before somebody carries it out to its end.
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let url = format!("{}/api/runs/{id}/events", app.address);
    // Without scripts, pages of what goes on load themselves again.
    for path in ["/runs".to_owned(), format!("/runs/{id}")] {
        assert!(app.get(&path).await?.text().contains("http-equiv=\"refresh\""), "{path}");
    }
    let mut events = Events::of(&url, &app.admin, "").await?;
    let first = next(&mut events).await?;
    let (stop, asked) = tokio::sync::oneshot::channel::<()>();
    let attending = tokio::spawn(engine.attend(async {
        asked.await.ok();
    }));
    let events = all(events).await?;
    let (end, frames) = events.split_last().context("nothing was told")?;
    assert_eq!(end.name, "end");
    let frames = std::iter::once(&first).chain(frames).map(|it| serde_json::from_str(&it.data));
    let frames: Vec<RunFrame> = frames.collect::<Result<_, _>>()?;
    assert!(frames.len() > 1, "{frames:#?}");
    assert!(frames.iter().rev().skip(1).all(|it| !it.rests()), "{frames:#?}");
    assert!(frames.is_sorted_by_key(|it| it.at.clone()), "{frames:#?}");
    let last = frames.last().context("there was no frame")?;
    assert_eq!((last.run.state, last.share().percent), (JobState::Completed, 100));
    assert!(
        frames.iter().all(|it| it.run.state == JobState::Completed || it.share().percent < 100)
    );

    let unknown = app.get("/api/runs/7/events").await?;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    stop.send(()).ok();
    attending.await?;
    app.stop().await
}

#[tokio::test]
async fn whoever_may_not_watch_any_more_hears_nothing_more_of_a_run_that_moves() -> Result<()> {
    let app = App::start().await?;
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let bob = app.sign_up("bob", model::Role::Member).await?;
    let url = format!("{}/api/runs/{id}/events", app.address);
    let mut events = Events::of(&url, &bob, "").await?;
    next(&mut events).await?;
    // It changes all the time, as one does that writes.
    let runs = app.mongo.runs().collection::<bson::Document>("runs");
    let moving = tokio::spawn(async move {
        loop {
            let more = bson::doc! { "$inc": { "documents": 1_i64 } };
            runs.update_many(bson::doc! {}, more).await.ok();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    next(&mut events).await?;
    let form = [("account", "bob"), ("disabled", "true")];
    let done = app.post_as(&app.admin, "/api/users/disable", &form).await?;
    assert!(done.status.is_success(), "{}", done.text());
    // However much there is to tell: it ends.
    while events.next().await?.is_some() {}
    moving.abort();
    app.stop().await
}

#[tokio::test]
async fn all_who_watch_a_run_share_one_reader_and_who_comes_back_hears_only_what_is_new()
-> Result<()> {
    // Nobody carries it out, so that nothing happens to it.
    let app = App::start().await?;
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let url = format!("{}/api/runs/{id}/events", app.address);
    let mut one = Events::of(&url, &app.admin, "").await?;
    let mut other = Events::of(&url, &app.admin, "").await?;
    let first = next(&mut one).await?;
    // A frame has the number of its reader and its own.
    assert_eq!(next(&mut other).await?, first);

    let mut back = Events::of(&url, &app.admin, &first.id).await?;
    let permit = Principal::console("ada".to_owned()).permit(Action::ControlRuns)?;
    engine.ask(&permit, &id, JobEvent::Cancel, None).await?;
    let news = next(&mut back).await?;
    assert_ne!(news.id, first.id);
    let frame: RunFrame = serde_json::from_str(&news.data)?;
    assert_eq!(frame.run.state, JobState::Cancelled);
    for events in [&mut one, &mut other] {
        assert_eq!(next(events).await?, news);
    }
    for events in [one, other, back] {
        let left = all(events).await?;
        assert_eq!(left.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["end"]);
    }

    // The reader ends when the last of them has left; who comes then has another.
    let another = async || {
        let fresh = next(&mut Events::of(&url, &app.admin, "").await?).await?;
        let reader = |it: &Event| it.id.split_once('-').map(|(it, _)| it.to_owned());
        anyhow::ensure!(reader(&fresh) != reader(&first), "it is {} still", first.id);
        Ok(())
    };
    ready::wait_for("the reader to end", another).await?;
    app.stop().await
}

#[tokio::test]
async fn a_server_that_ends_lets_those_go_who_watch() -> Result<()> {
    let app = App::start().await?;
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let mut events =
        Events::of(&format!("{}/api/runs/{id}/events", app.address), &app.admin, "").await?;
    next(&mut events).await?;
    app.stop().await?;
    assert_eq!(events.next().await?, None);
    Ok(())
}

#[tokio::test]
async fn who_watches_is_told_that_mongodb_is_away() -> Result<()> {
    let mut app = App::start().await?;
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    let mut events =
        Events::of(&format!("{}/api/runs/{id}/events", app.address), &app.admin, "").await?;
    next(&mut events).await?;
    app.mongo.kill();
    let trouble = next(&mut events).await?;
    assert_eq!(trouble.name, "trouble");
    assert!(trouble.data.contains("MongoDB"), "{trouble:?}");
    app.stop().await
}
