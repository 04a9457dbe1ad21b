//! A wire between the program and the server on which every command can be seen, and that is cut or held at a given write.
//!
//! Nothing in the program knows of it: what is counted are the commands that it really sends, so that no write, of
//! whatever part of it, can go unseen.

use std::sync::Arc;
use std::time::Duration;

use bson::RawDocument;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::{Mongod, mongod::uri};

/// Commands that change nothing. Every other one counts as a write, so that a new kind of write is seen as well.
const READS: [&str; 21] = [
    "hello",
    "ismaster",
    "isMaster",
    "ping",
    "buildInfo",
    "find",
    "getMore",
    "count",
    "distinct",
    "listCollections",
    "listIndexes",
    "listDatabases",
    "collStats",
    "dbStats",
    "serverStatus",
    "connectionStatus",
    "replSetGetStatus",
    "getParameter",
    "explain",
    "endSessions",
    "killCursors",
];

/// How long a program may take to come to where it is held.
const LIMIT: Duration = Duration::from_mins(10);

/// How many bytes come before the content of a message, and before its first document.
const HEADER: usize = 16;
const FLAGS: usize = 4;

/// What happens at the write that comes after those that are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It does not arrive, nor does anything ever again: the program is dead.
    Dead,
    /// It does not arrive, and all connections are lost; new ones are possible.
    Lost,
    /// It is carried out, but no answer arrives, and all connections are lost; new ones are possible.
    Unanswered,
    /// It and all that are like it wait until they are let through; everything else passes.
    Held,
}

/// A write that was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Write {
    /// The name of the command.
    pub command: String,
    /// Database and collection; those of samples and frames without their number.
    pub namespace: String,
}

/// A wire to a server; nobody new gets through when it is gone.
#[derive(Debug)]
pub struct Wire {
    address: String,
    line: Arc<Line>,
    /// Of one task.
    _listening: JoinSet<()>,
}

#[derive(Debug)]
struct Line {
    server: String,
    /// How many writes are let through.
    through: usize,
    /// A write that is not, however few came before it.
    before: Option<(Write, usize)>,
    cut: Cut,
    state: Mutex<State>,
    over: watch::Sender<bool>,
    hold: watch::Sender<Hold>,
}

/// What is held now.
#[derive(Debug, Default)]
struct Hold {
    /// Commands like this one; none if nothing is held.
    command: Option<Write>,
    /// The first of them that is.
    which: usize,
    /// How many have come.
    seen: usize,
    /// How many of those that were held were let through.
    through: usize,
    /// How often something else was to be held: what was held before that is let through.
    turn: usize,
}

impl Hold {
    /// How many have been held.
    fn held(&self) -> usize {
        (self.seen + 1).saturating_sub(self.which)
    }
}

#[derive(Debug, Default)]
struct State {
    writes: Vec<Write>,
    /// The request of which no answer may arrive.
    unanswered: Option<i32>,
}

impl Wire {
    /// A wire that lets this many writes through.
    pub async fn to(server: &Mongod, through: usize, cut: Cut) -> Self {
        Self::with(server, through, None, cut).await
    }

    /// A wire whose program is dead before the first, second, .. such write to a collection arrives.
    pub async fn before(server: &Mongod, which: usize, command: &str, namespace: &str) -> Self {
        let write = Write { command: command.to_owned(), namespace: namespace.to_owned() };
        Self::with(server, usize::MAX, Some((write, which)), Cut::Dead).await
    }

    /// A wire on which the first, second, .. such command on a collection and all after it wait to be let through, so that the
    /// program is in the middle of its work for as long as that takes. It waits for an answer for 40 s at most.
    pub async fn holding(server: &Mongod, which: usize, command: &str, namespace: &str) -> Self {
        let wire = Self::with(server, usize::MAX, None, Cut::Held).await;
        wire.hold(which, command, namespace);
        wire
    }

    /// Holds something else from now on, and lets through what was held before.
    pub fn hold(&self, which: usize, command: &str, namespace: &str) {
        let write = Write { command: command.to_owned(), namespace: namespace.to_owned() };
        self.line.hold.send_modify(|it| {
            *it = Hold { command: Some(write), which, turn: it.turn + 1, ..Hold::default() };
        });
    }

    /// Waits until so many are held, or were.
    pub async fn held(&self, count: usize) {
        let mut changes = self.line.hold.subscribe();
        timeout(LIMIT, changes.wait_for(|it| it.held() >= count)).await.unwrap().unwrap();
    }

    /// Lets through so many of those that are held, those that were let through before among them.
    pub fn let_through(&self, count: usize) {
        self.line.hold.send_modify(|it| it.through = count);
    }

    /// Lets through what is held, and holds nothing any more.
    pub fn release(&self) {
        self.line.hold.send_modify(|it| *it = Hold { turn: it.turn + 1, ..Hold::default() });
    }

    async fn with(
        server: &Mongod,
        through: usize,
        before: Option<(Write, usize)>,
        cut: Cut,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let ((over, _), (hold, _)) = (watch::channel(false), watch::channel(Hold::default()));
        let (server, state) = (server.address(), Mutex::default());
        let line = Arc::new(Line { server, through, before, cut, state, over, hold });
        let mut listening = JoinSet::new();
        listening.spawn(Arc::clone(&line).listen(listener));
        Self { address, line, _listening: listening }
    }

    /// One that is never cut, and only counts.
    pub async fn whole(server: &Mongod) -> Self {
        Self::to(server, usize::MAX, Cut::Dead).await
    }

    /// Where it begins, for a program.
    pub fn uri(&self) -> String {
        uri(&self.address, self.line.cut != Cut::Dead)
    }

    /// Waits until it is cut.
    pub async fn cut(&self) {
        let mut over = self.line.over.subscribe();
        over.wait_for(|it| *it).await.unwrap();
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        *self.line.over.borrow()
    }

    /// The writes that were let through, and the one at which it was cut.
    pub async fn writes(&self) -> Vec<Write> {
        self.line.state.lock().await.writes.clone()
    }
}

impl Line {
    async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut over = self.over.subscribe();
        loop {
            let client = tokio::select! {
                client = listener.accept() => client,
                _ = over.wait_for(|it| *it), if self.cut == Cut::Dead => return,
            };
            if let Ok((client, _)) = client {
                tokio::spawn(Arc::clone(&self).relay(client));
            }
        }
    }

    async fn relay(self: Arc<Self>, client: TcpStream) {
        let mut over = self.over.subscribe();
        over.mark_unchanged();
        let Ok(server) = TcpStream::connect(&self.server).await else { return };
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = self.there(from_client, to_server) => {}
            () = self.back(from_server, to_client) => {}
            _ = over.changed() => {}
        }
    }

    async fn there(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        while let Some(message) = message(&mut from).await {
            self.may_pass(&message).await;
            // What is let through arrives, whatever happens to the wire right after.
            let mut state = self.state.lock().await;
            let is_over = *self.over.borrow();
            if is_over && self.cut == Cut::Dead {
                return;
            }
            if let Some(write) = write_in(&message).filter(|_| !is_over) {
                state.writes.push(write.clone());
                let alike = || state.writes.iter().filter(|it| **it == write).count();
                let is_it = self.before.as_ref().is_some_and(|it| it.0 == write && it.1 == alike());
                let is_through = state.writes.len() > self.through;
                if (is_it || is_through) && state.unanswered.is_none() {
                    if self.cut != Cut::Unanswered {
                        self.over.send_replace(true);
                        return;
                    }
                    state.unanswered = Some(number(&message, 4));
                }
            }
            if to.write_all(&message).await.is_err() {
                return;
            }
        }
    }

    /// Returns when a message is not held, or not any more.
    async fn may_pass(&self, message: &[u8]) {
        if self.cut != Cut::Held {
            return;
        }
        let (command, mut place) = (command_in(message), None);
        self.hold.send_modify(|it| {
            if it.command.is_some() && it.command == command {
                it.seen += 1;
                place = Some((it.turn, it.held())).filter(|(_, number)| *number > 0);
            }
        });
        if let Some((turn, number)) = place {
            let mut changes = self.hold.subscribe();
            changes.wait_for(|it| it.turn != turn || it.through >= number).await.unwrap();
        }
    }

    async fn back(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        while let Some(message) = message(&mut from).await {
            let unanswered = self.state.lock().await.unanswered;
            if unanswered == Some(number(&message, 8)) && !*self.over.borrow() {
                self.over.send_replace(true);
                return;
            }
            if to.write_all(&message).await.is_err() {
                return;
            }
        }
    }
}

/// The next message with its header; `None` at the end.
async fn message(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    from.read_exact(&mut bytes).await.ok()?;
    let length = usize::try_from(number(&bytes, 0)).ok()?;
    bytes.resize(length, 0);
    from.read_exact(&mut bytes[HEADER..]).await.ok()?;
    Some(bytes)
}

fn number(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The write in a message, if it is one. Not the note of how far a run is: that one comes by the clock.
fn write_in(message: &[u8]) -> Option<Write> {
    let command = RawDocument::from_bytes(body(message)?).unwrap();
    let (name, collection) = command.iter().next()?.unwrap();
    let merges = || {
        let stages = command.get_array("pipeline").into_iter().flatten().flatten();
        let mut stages = stages.filter_map(|it| it.as_document()?.iter().next()?.ok());
        stages.any(|(stage, _)| matches!(stage.as_str(), "$merge" | "$out"))
    };
    match name.as_str() {
        it if READS.contains(&it) => return None,
        "aggregate" if !merges() => return None,
        "findAndModify" if collection.as_str() == Some("runs") => return None,
        _ => {}
    }
    command_in(message)
}

/// The command in a message, whatever it does.
fn command_in(message: &[u8]) -> Option<Write> {
    let command = RawDocument::from_bytes(body(message)?).unwrap();
    let (name, collection) = command.iter().next()?.unwrap();
    let collection = collection.as_str().unwrap_or_default();
    let database = command.get_str("$db").unwrap_or_default();
    let collection = match collection.rsplit_once('.') {
        Some((kind, _)) if kind.ends_with("samples") => kind,
        _ => collection,
    };
    Some(Write { command: name.to_string(), namespace: format!("{database}.{collection}") })
}

/// The document of a message that has one: everything but the first greeting.
fn body(message: &[u8]) -> Option<&[u8]> {
    const MESSAGE: i32 = 2013;
    if number(message, 12) != MESSAGE {
        return None;
    }
    let mut at = HEADER + FLAGS;
    while at + 5 <= message.len() {
        let length = usize::try_from(number(message, at + 1)).ok()?;
        if message[at] == 0 {
            return message.get(at + 1..at + 1 + length);
        }
        at += 1 + length;
    }
    None
}
