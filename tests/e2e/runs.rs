//! Migrating databases that the real FiftyOne left, in a browser, with the program itself serving.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use bson::doc;
use nix::sys::signal::Signal;
use tests::browser::{Device, Scheme, Scripts};
use tests::{
    ADMIN, Browser, Deployment, Dump, NEWEST, PASSWORD, Program, Running, State, Wire, check,
    image_dataset, image_samples, ready,
};

use super::screenshot;

/// The sentence at the top of a run's page.
const SENTENCE: &str = "//*[contains(@class, 'run-sentence')]";

/// A deployment of the real FiftyOne, the program that serves it, and an admin at a browser.
struct Site {
    deployment: Deployment,
    /// As it was before.
    before: Dump,
    /// The name of the database in which this site's runs and accounts are.
    own: String,
    port: u16,
    program: Running,
    browser: Browser,
}

impl Site {
    /// Starts with this state, and makes the first admin.
    async fn of(state: &State) -> Result<Self> {
        Self::through(Deployment::holding(state).await, None).await
    }

    /// The same where the program reaches its server through this wire, if there is one.
    async fn through(deployment: Deployment, wire: Option<&Wire>) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let own = format!("site-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let before = deployment.dump().await;
        let port = ready::free_port()?;
        let reached = wire.map_or_else(|| deployment.clone(), |it| deployment.behind(it));
        let mut program = serving(&reached, &own, port).spawn();
        let link = program.line_with("/invitation/").await;
        let browser = Browser::start(Scripts::On).await?;
        browser.open(link.trim()).await?;
        browser.fill("name", ADMIN).await?;
        browser.fill("password", PASSWORD).await?;
        browser.fill("again", PASSWORD).await?;
        browser.click("Make the account and sign in").await?;
        browser.wait_for("//h1", |it| it == "Overview").await?;
        Ok(Self { deployment, before, own, port, program, browser })
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Asks for the plan as a person does, and waits until it is there.
    async fn plan(&self, to: &str) -> Result<()> {
        self.browser.open(&self.address("/migrate")).await?;
        self.browser.choose("destination", to).await?;
        self.browser.click("Show the plan").await?;
        self.browser.wait_for("//h2[@id='plan']", |it| it == "The plan").await?;
        Ok(())
    }

    /// Starts what the plan says, typing what is to be typed.
    async fn start(&self, typed: &str) -> Result<()> {
        if self.browser.find("//*[@name='approval[typed]']").await.is_ok() {
            self.browser.fill("approval[typed]", typed).await?;
        }
        if self.browser.find("//*[@name='password']").await.is_ok() {
            self.browser.fill("password", PASSWORD).await?;
        }
        let button = self.browser.find("//section[@aria-labelledby='start']//button").await?;
        Ok(button.click().await?)
    }

    /// Waits until the run's page has come alive.
    async fn run_is_shown(&self) -> Result<()> {
        let live = "//html[@data-live]//*[contains(@class, 'run-sentence')]";
        let seen = || async { self.browser.find(live).await };
        ready::wait_for("the page of the run", seen).await?;
        Ok(())
    }

    async fn until(&self, sentence: &str) -> Result<String> {
        self.browser.wait_for(SENTENCE, |it| it.contains(sentence)).await
    }

    /// Undoes the run that is shown, which takes the name and the password once more.
    async fn undo(&self) -> Result<()> {
        let summary = "//summary[starts-with(normalize-space(), 'Undo this run')]";
        self.browser.find(summary).await?.click().await?;
        self.browser.fill("typed", self.deployment.database.name()).await?;
        self.browser.fill("password", PASSWORD).await?;
        self.browser.click("Undo this run").await
    }

    /// Looks at the page as everybody might.
    async fn look(&self, name: &str) -> Result<()> {
        for (device, scheme) in [
            (Device::Phone, Scheme::Light),
            (Device::Phone, Scheme::Dark),
            (Device::Desktop, Scheme::Dark),
            (Device::Desktop, Scheme::Light),
        ] {
            self.browser.pretend(device, scheme).await?;
            let name = format!("{name}-{device:?}-{scheme:?}").to_lowercase();
            screenshot(&self.browser, &name).await?;
            check::fits(&self.browser).await?;
            check::accessible(&self.browser).await?;
        }
        Ok(())
    }

    /// Looks at a part of the page.
    async fn look_at(&self, id: &str, name: &str) -> Result<()> {
        for (device, scheme) in [(Device::Phone, Scheme::Dark), (Device::Desktop, Scheme::Light)] {
            self.browser.pretend(device, scheme).await?;
            let there = format!("document.getElementById('{id}').scrollIntoView()");
            self.browser.run(&there).await?;
            let name = format!("{name}-{device:?}-{scheme:?}").to_lowercase();
            screenshot(&self.browser, &name).await?;
        }
        Ok(())
    }

    async fn end(self) -> Result<()> {
        assert_eq!(self.browser.complaints().await?, Vec::<String>::new());
        self.browser.close().await?;
        self.program.signal(Signal::SIGTERM);
        ensure!(self.program.ended().await.status == Some(0), "the program did not end well");
        Ok(())
    }
}

/// What the first page says is most worth saying.
const VERDICT: &str = "//*[@aria-label='Verdict']";

/// A deployment with a large dataset in it as well, and a wire on which what is in the middle of that is held.
async fn in_the_middle() -> Result<(Deployment, Wire)> {
    let deployment = Deployment::holding(&State::down_to("0.15.1")).await;
    let dataset = image_dataset("large");
    let samples = dataset.get_str("sample_collection_name")?.to_owned();
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, image_samples(100_000)).await;
    // After a trial of the whole at once, some ranges: not all of them are begun.
    let (_, wire) = deployment.held(3, "update", "samples").await;
    Ok((deployment, wire))
}

fn serving(deployment: &Deployment, own: &str, port: u16) -> Program {
    let listen = format!("127.0.0.1:{port}");
    let program = tests::program!(["serve", "--listen", &listen]);
    deployment.led_by(program).env("FIFTYONE_MIGRATE_DATABASE", own)
}

#[tokio::test]
async fn everything_is_upgraded_watched_to_its_end_and_brought_back() -> Result<()> {
    let site = Site::of(&State::down_to("0.15.1")).await?;
    site.plan(NEWEST).await?;
    site.look("migrate-upgrade").await?;
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    site.until("Completed and verified").await?;
    let percent = site.browser.find("//*[@class='progress']//*[@class='number']").await?;
    assert_eq!(percent.text().await?, "100 %");
    site.deployment.assert_newest().await;
    // The datasets and the log are those of the end, without loading anything again.
    let name = site.before["datasets"][0].get_str("name")?;
    let row = format!("//tr[th[normalize-space()='{name}']]");
    site.browser.wait_for(&row, |it| it.contains("migrated")).await?;
    site.browser.wait_for("//*[@class='log']", |it| it.contains("is completed")).await?;
    site.browser
        .wait_for("//*[@class='timeline']", |it| it.contains("Completed and verified"))
        .await?;
    site.look("run-completed").await?;
    let path = site.browser.path().await?;
    the_log_is_searched(&site, &path).await?;
    site.browser.open_live(&site.address(&path)).await?;

    site.undo().await?;
    site.run_is_shown().await?;
    site.until("Undone").await?;
    assert_eq!(site.deployment.dump().await, site.before);
    site.browser.open(&site.address("/runs")).await?;
    site.browser.wait_for("//table", |it| it.contains("Undone")).await?;
    site.look("runs-undone").await?;
    site.end().await
}

/// From the page of the run to its log, to a line of it, and to its address.
async fn the_log_is_searched(site: &Site, run: &str) -> Result<()> {
    let browser = &site.browser;
    browser.press("//a[normalize-space()='Search or download the whole log']").await?;
    browser.wait_for("//h1", |it| it == "Log of a run").await?;
    site.look("run-log").await?;
    browser.fill("q", "IS verifying").await?;
    browser.click("Search").await?;
    browser.wait_for("//h2[@id='lines']", |it| it.starts_with("1 line found among ")).await?;
    site.look("run-log-found").await?;
    let number = browser.find("//*[@class='log-number']").await?.text().await?;
    browser.press("//*[@class='log-number']").await?;
    let at = "return document.querySelector(':target')?.id";
    let line = format!("line-{number}");
    ready::wait_for("the line", async || {
        let id = browser.run(at).await?;
        ensure!(id == line.as_str(), "it is {id}");
        Ok(())
    })
    .await?;
    site.look("run-log-line").await?;
    // As somebody opens it to whom it was sent.
    browser.open(&site.address(&format!("{run}/log?line={number}"))).await?;
    browser.wait_for("//li[@aria-current]", |it| it.contains("is verifying")).await?;
    Ok(())
}

#[tokio::test]
async fn a_downgrade_takes_the_name_that_is_to_be_typed() -> Result<()> {
    let site = Site::of(&State::newest()).await?;
    site.plan("0.15.1").await?;
    site.browser.wait_for("//h2[@id='archived']", |it| it == "What is archived").await?;
    site.look("migrate-downgrade").await?;
    site.start("something else").await?;
    site.browser.wait_for("//*[@role='alert']", |it| it.contains("Nothing was started")).await?;
    assert_eq!(site.deployment.dump().await, site.before);
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    // What 0.15.1 has no words for stays where it is.
    site.until("Completed with failures: 1 of 3").await?;
    assert_eq!(site.deployment.version().await, "0.15.1");
    assert_eq!(site.deployment.version_of("grp").await, NEWEST.into());
    site.look("run-downgrade").await?;
    site.end().await
}

#[tokio::test]
async fn a_run_goes_on_when_the_server_is_killed_and_its_page_tells_of_it() -> Result<()> {
    let (deployment, wire) = in_the_middle().await?;
    let mut site = Site::through(deployment, Some(&wire)).await?;
    site.plan(NEWEST).await?;
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    wire.held(1).await;
    site.until("Running").await?;
    site.program.signal(Signal::SIGKILL);
    let alert = "//*[@role='alert']";
    site.browser.wait_for(alert, |it| it.contains("The server does not answer")).await?;
    site.look("run-unreachable").await?;
    drop(wire);

    let program = serving(&site.deployment, &site.own, site.port).spawn();
    let killed = std::mem::replace(&mut site.program, program);
    assert_eq!(killed.ended().await.status, None);
    site.until("Completed and verified").await?;
    assert!(site.browser.find(alert).await.is_err(), "the page says still that it is cut off");
    site.browser
        .wait_for("//*[@class='timeline']", |it| it.contains("Taken over: migrating"))
        .await?;
    site.deployment.assert_newest().await;
    // What the browser says of a server that is gone is no complaint of ours.
    site.browser.complaints().await?;
    site.end().await
}

#[tokio::test]
async fn the_first_page_says_how_far_a_run_is_and_what_came_of_it() -> Result<()> {
    let (deployment, wire) = in_the_middle().await?;
    let site = Site::through(deployment, Some(&wire)).await?;
    site.plan(NEWEST).await?;
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    wire.held(1).await;
    site.browser.open_live(&site.address("/")).await?;
    site.browser
        .wait_for(VERDICT, |it| it.contains("Running: ") && it.contains("Watch it"))
        .await?;
    site.look("overview-running").await?;
    wire.release();
    // By itself.
    site.browser.wait_for(VERDICT, |it| it.contains("Nothing to do")).await?;
    site.browser
        .wait_for("//table[caption='Runs, newest first']", |it| it.contains("Completed"))
        .await?;
    site.look("overview-upgraded").await?;
    site.end().await
}

#[tokio::test]
async fn a_blocked_dataset_is_named_and_tried_again_once_it_is_mended() -> Result<()> {
    let state = State::down_to("0.25.2");
    let deployment = Deployment::holding(&state).await;
    let first = deployment.all("datasets").await.remove(0);
    let name = first.get_str("name")?.to_owned();
    let field = doc! {
        "name": "created_at", "ftype": "fiftyone.core.fields.StringField", "embedded_doc_type": null,
        "subfield": null, "fields": [], "db_field": "created_at", "description": null, "info": null,
    };
    let datasets = deployment.collection("datasets");
    let whose = doc! { "_id": first.get("_id").unwrap() };
    datasets.update_one(whose.clone(), doc! { "$push": { "sample_fields": field } }).await?;
    let site = Site::through(deployment, None).await?;
    site.plan(NEWEST).await?;
    let blocked = "//details[@data-change='blocked']";
    site.browser.wait_for(blocked, |it| it.contains("created_at")).await?;
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    site.until("Completed with failures: 1 of").await?;
    let row = format!("//tr[th[normalize-space()='{name}']]");
    site.browser.wait_for(&row, |it| it.contains("refused") && it.contains("created_at")).await?;
    site.look("run-with-failures").await?;
    let path = site.browser.path().await?;
    site.browser.open_live(&site.address("/")).await?;
    site.browser.wait_for(VERDICT, |it| it.contains("Needs attention: 1 dataset failed")).await?;
    site.look("overview-with-failures").await?;
    site.browser.press("//a[normalize-space()='See why']").await?;
    site.run_is_shown().await?;
    assert_eq!(site.browser.path().await?, path);

    let mended = doc! { "$pull": { "sample_fields": { "name": "created_at" } } };
    datasets.update_one(whose, mended).await?;
    site.browser.click("Retry 1").await?;
    site.run_is_shown().await?;
    site.until("Completed and verified").await?;
    site.deployment.assert_newest().await;
    site.end().await
}

/// By another one, while the run goes on: what they type stays, and the others hear of it.
async fn the_pace_is_changed(site: &Site, other: &Browser) -> Result<()> {
    other.press("//a[normalize-space()='Change the pace and its limits']").await?;
    let field = other.wait_for("//label[@for='side_by_side']", |_| true).await?;
    assert_eq!(field, "Operations side by side");
    check::accessible(other).await?;
    for (device, scheme) in [
        (Device::Phone, Scheme::Light),
        (Device::Phone, Scheme::Dark),
        (Device::Desktop, Scheme::Dark),
        (Device::Desktop, Scheme::Light),
    ] {
        other.pretend(device, scheme).await?;
        other.run("document.getElementById('pace').scrollIntoView()").await?;
        let name = format!("run-pace-{device:?}-{scheme:?}").to_lowercase();
        screenshot(other, &name).await?;
        check::fits(other).await?;
    }
    other.fill("pace[side_by_side]", "2").await?;
    other.click("Change the pace").await?;
    // Back on the page of the run, which the first one has never left.
    for browser in [other, &site.browser] {
        browser
            .wait_for("//*[@class='timeline']", |it| it.contains("Changed the pace: 2 operations"))
            .await?;
    }
    ready::wait_for("the page to be live", || async { other.find("//html[@data-live]").await })
        .await?;
    Ok(())
}

#[tokio::test]
async fn two_admins_see_the_same_run_and_one_sees_what_the_other_does() -> Result<()> {
    let (deployment, wire) = in_the_middle().await?;
    let site = Site::through(deployment, Some(&wire)).await?;
    site.browser.open(&site.address("/users")).await?;
    site.browser.fill("note", "Grace").await?;
    let role = site.browser.find("//section[@aria-labelledby='invite']//select").await?;
    role.select_by_value("admin").await?;
    site.browser.click("Make a link").await?;
    let link =
        site.browser.wait_for("//*[@class='token']", |it| it.contains("/invitation/")).await?;
    let other = Browser::start(Scripts::On).await?;
    other.open(&link).await?;
    other.fill("name", "grace").await?;
    other.fill("password", PASSWORD).await?;
    other.fill("again", PASSWORD).await?;
    other.click("Make the account and sign in").await?;
    other.wait_for("//h1", |it| it == "Overview").await?;

    site.plan(NEWEST).await?;
    site.start(site.deployment.database.name()).await?;
    site.run_is_shown().await?;
    wire.held(1).await;
    // The other one finds it among the runs.
    other.open(&site.address("/runs")).await?;
    let run = other.find("//table//a").await?;
    let path = run.attr("href").await?.context("it leads nowhere")?;
    other.open_live(&site.address(&path)).await?;
    other.wait_for(SENTENCE, |it| it.contains("Running")).await?;
    the_pace_is_changed(&site, &other).await?;
    other.click("Pause").await?;
    wire.release();
    site.until("Paused").await?;
    site.browser.wait_for("//*[@class='log']", |it| it.contains("grace")).await?;
    site.browser.wait_for("//*[@class='timeline']", |it| it.contains("Paused")).await?;
    site.look("run-paused").await?;
    site.browser.click("Resume").await?;
    for browser in [&site.browser, &other] {
        browser.wait_for(SENTENCE, |it| it.contains("Completed and verified")).await?;
    }
    site.browser
        .wait_for("//*[@class='timeline']", |it| it.contains("Completed and verified"))
        .await?;
    site.look_at("timeline", "run-timeline").await?;
    site.deployment.assert_newest().await;
    assert_eq!(other.complaints().await?, Vec::<String>::new());
    other.close().await?;
    site.end().await
}
