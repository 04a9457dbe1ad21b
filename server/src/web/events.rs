//! `/api/runs/{id}/events`: how far a run is, as it goes, as server-sent events.
//!
//! One reader looks at MongoDB for all who watch the same run, and ends when the last of them leaves.

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use app::api::{Asking, SessionCookie, status_of};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use engine::{Engine, RunFrame, sees_names};
use futures_util::{Stream, stream};
use model::Action;
use tokio::sync::watch;

use self::{sessions::Sessions, speed::Speed};

mod sessions;
mod speed;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A look may take a quarter of the time at most: counting a hundred thousand datasets is no trifle.
const RESPITE: u32 = 3;

/// How often something is sent where there is nothing to say, so that nobody in between hangs up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The runs that somebody watches.
#[derive(Clone, Debug)]
pub struct Watched {
    engine: Engine,
    sessions: Sessions,
    readers: Arc<Mutex<HashMap<String, watch::Sender<Seen>>>>,
    ends: watch::Sender<bool>,
}

/// What a reader has seen last.
#[derive(Clone, Debug)]
enum Seen {
    /// It has not looked yet.
    Nothing,
    /// There is no such run.
    Unknown(Arc<str>),
    /// It cannot look now, for this reason.
    Trouble(Arc<str>),
    /// This.
    Frame(Told),
}

/// A frame as it is sent, made once for all who watch.
#[derive(Clone, Debug)]
struct Told {
    id: Arc<str>,
    named: Arc<str>,
    nameless: Arc<str>,
    rests: bool,
}

/// Whoever watches a run.
struct Watcher {
    seen: watch::Receiver<Seen>,
    ends: watch::Receiver<bool>,
    named: bool,
    /// The last frame that they have.
    last: Option<Arc<str>>,
    /// Whether they may still watch.
    alive: watch::Receiver<bool>,
    next: Next,
}

/// What is sent next.
enum Next {
    /// Whatever there is.
    Newest,
    /// Something that is new.
    News,
    /// That it is over.
    End,
    /// Nothing.
    Nothing,
}

/// Sends how far the run is, until it rests.
pub async fn events(
    State(watched): State<Watched>,
    Extension(asking): Extension<Asking>,
    Extension(cookie): Extension<SessionCookie>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let permit = match asking.permit(Action::ReadRuns) {
        Ok(permit) => permit,
        Err(error) => return (status_of(&error), error.to_string()).into_response(),
    };
    let mut seen = watched.watch(&id);
    let first = seen.wait_for(|it| !matches!(it, Seen::Nothing)).await.map(|it| it.clone());
    let ends = watched.ends.subscribe();
    match first {
        Ok(Seen::Unknown(why)) => {
            return (StatusCode::NOT_FOUND, why.to_string()).into_response();
        }
        Ok(Seen::Nothing) | Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Ok(Seen::Trouble(_) | Seen::Frame(_)) => {}
    }
    let last = headers.get("last-event-id").and_then(|it| it.to_str().ok()).map(Arc::from);
    let Some(token) = cookie.token(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let alive = watched.sessions.follow(token);
    let named = sees_names(&permit);
    let who = Watcher { seen, ends, named, last, alive, next: Next::Newest };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // Proxies that gather an answer before they pass it on would pass on nothing.
    ([("x-accel-buffering", "no")], Sse::new(who.stream()).keep_alive(keep_alive)).into_response()
}

impl Watched {
    /// Nobody watches anything yet.
    pub fn of(engine: Engine) -> Self {
        let sessions = Sessions::of(engine.accounts());
        Self { engine, sessions, readers: Arc::default(), ends: watch::Sender::new(false) }
    }

    /// Lets all who watch go: a server that waits for them would never end.
    pub fn end(&self) {
        self.ends.send_replace(true);
    }

    /// Joins those who watch the run, or begins with it.
    fn watch(&self, id: &str) -> watch::Receiver<Seen> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = readers.get(id) {
            return reader.subscribe();
        }
        let (told, seen) = watch::channel(Seen::Nothing);
        readers.insert(id.to_owned(), told.clone());
        tokio::spawn(self.clone().read(id.to_owned(), told));
        seen
    }

    /// Looks at the run for as long as somebody watches.
    async fn read(self, id: String, told: watch::Sender<Seen>) {
        static READERS: AtomicU64 = AtomicU64::new(0);
        // Who comes back after the server was started anew has heard of another reader.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let reader = format!("{:x}.{}", now.as_millis(), READERS.fetch_add(1, Ordering::Relaxed));
        let (mut count, mut before, mut speed) = (0_u64, None, Speed::default());
        loop {
            let begun = Instant::now();
            match self.engine.frame(&id).await {
                Ok(mut frame) => {
                    frame.rate = speed.after(&frame.run, begun);
                    // The time of looking alone is no news.
                    let news = (frame.run.clone(), frame.rate);
                    if before.as_ref() != Some(&news) {
                        count += 1;
                        told.send_replace(Seen::Frame(Told::of(frame, &reader, count)));
                        before = Some(news);
                    }
                }
                Err(error) => {
                    let why = Arc::from(error.to_string());
                    let unknown = matches!(error, engine::Error::UnknownRun(_));
                    told.send_replace(if unknown {
                        Seen::Unknown(why)
                    } else {
                        Seen::Trouble(why)
                    });
                    before = None;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK.max(begun.elapsed() * RESPITE)) => {}
                () = told.closed() => {}
            }
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody joins while this is decided.
            if told.receiver_count() == 0 {
                readers.remove(&id);
                return;
            }
        }
    }
}

impl Told {
    fn of(frame: RunFrame, reader: &str, count: u64) -> Self {
        let rests = frame.rests();
        let text = |it: &RunFrame| Arc::from(serde_json::to_string(it).unwrap_or_default());
        let named = text(&frame);
        let nameless = text(&frame.without_names());
        Self { id: Arc::from(format!("{reader}-{count}")), named, nameless, rests }
    }
}

impl Watcher {
    fn stream(self) -> Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>> {
        Box::pin(stream::unfold(self, |mut it| async move {
            let event = it.next().await?;
            Some((Ok(event), it))
        }))
    }

    /// The next event; `None` if there is none any more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.next {
                Next::Newest => {}
                Next::News => self.news().await?,
                Next::End => {
                    self.next = Next::Nothing;
                    return Some(Event::default().event("end").data("the run rests"));
                }
                Next::Nothing => return None,
            }
            self.next = Next::News;
            let seen = self.seen.borrow_and_update().clone();
            match seen {
                Seen::Frame(told) => {
                    if told.rests {
                        self.next = Next::End;
                    }
                    // They were cut off, and nothing has happened meanwhile.
                    if self.last.as_ref() != Some(&told.id) {
                        self.last = Some(Arc::clone(&told.id));
                        let text = if self.named { &told.named } else { &told.nameless };
                        return Some(Event::default().id(&*told.id).data(&**text));
                    }
                }
                Seen::Trouble(why) => return Some(Event::default().event("trouble").data(&*why)),
                Seen::Unknown(_) => self.next = Next::End,
                Seen::Nothing => {}
            }
        }
    }

    /// Waits until something has changed; `None` if they may not watch any more, or nobody may.
    async fn news(&mut self) -> Option<()> {
        tokio::select! {
            // In this order: there may be news without end.
            biased;
            ended = self.ends.wait_for(|it| *it) => {
                drop(ended);
                None
            }
            over = self.alive.wait_for(|it| !it) => {
                drop(over);
                None
            }
            changed = self.seen.changed() => changed.ok(),
        }
    }
}
