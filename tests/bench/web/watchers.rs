//! A thousand people who watch the same run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bson::{DateTime, Document, doc};
use engine::{Control, RunFrame};
use tests::http::Events;
use tests::{App, NEWEST, connect_as, console, to};

use crate::{say, tell};

const CHANGES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(500);

/// Prints how late news arrive at each of them, and what MongoDB is asked for one and for all.
pub async fn measure() -> Result<()> {
    let app = App::start().await?;
    let engine = connect_as(&app.mongo.uri(), true).await?;
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await?;
    let id = left.context("there is nothing to do")?.0.id;
    for watchers in [1, 1_000] {
        let before = asked(&app).await?;
        let delays = watched(&app, &id, watchers).await?;
        let seconds = f64::from(CHANGES) * PAUSE.as_secs_f64();
        let rate = (asked(&app).await? - before) / seconds;
        tell(
            &format!("{watchers} watching one run, from what was read to whom it is told"),
            delays,
        );
        say(
            &format!("{watchers} watching one run, commands to MongoDB in a second"),
            format!("{rate:.1}"),
        );
    }
    app.stop().await
}

/// Lets so many watch while the run changes, and returns how long each frame took to each of them.
async fn watched(app: &App, id: &str, watchers: u32) -> Result<Vec<Duration>> {
    let url = format!("{}/api/runs/{id}/events", app.address);
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let mut all = Vec::new();
    for _ in 0..watchers {
        let mut events = Events::of(&url, &app.admin, "").await?;
        events.next().await?;
        let told = told.clone();
        all.push(tokio::spawn(async move {
            while let Ok(Some(event)) = events.next().await {
                let frame = serde_json::from_str::<RunFrame>(&event.data).ok();
                frame.and_then(late).map(|it| told.send(it));
            }
        }));
    }
    let runs = app.mongo.runs().collection::<Document>("runs");
    for _ in 0..CHANGES {
        runs.update_many(doc! {}, doc! { "$inc": { "documents": 1_i64 } }).await?;
        tokio::time::sleep(PAUSE).await;
    }
    for it in all {
        it.abort();
    }
    heard.close();
    let mut delays = Vec::new();
    while let Some(delay) = heard.recv().await {
        delays.push(delay);
    }
    Ok(delays)
}

/// How long ago this frame was read.
fn late(frame: RunFrame) -> Option<Duration> {
    let read = DateTime::parse_rfc3339_str(&frame.at).ok()?.timestamp_millis();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    now.checked_sub(Duration::from_millis(u64::try_from(read).ok()?))
}

/// How many commands MongoDB was asked for, those of this program's own among them.
async fn asked(app: &App) -> Result<f64> {
    let status = app.mongo.database().run_command(doc! { "serverStatus": 1 }).await?;
    let count = status.get_document("opcounters")?;
    let kinds = ["query", "getmore", "command"];
    let sum = kinds.iter().filter_map(|it| count.get(*it));
    let number = |it: &bson::Bson| match it {
        bson::Bson::Int32(it) => Some(f64::from(*it)),
        bson::Bson::Int64(it) => i32::try_from(*it).ok().map(f64::from),
        _ => None,
    };
    Ok(sum.filter_map(number).sum())
}
