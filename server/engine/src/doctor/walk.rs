//! Passing over one collection in bounded pieces.

use std::time::Duration;

use bson::Bson;

use crate::{
    pass::Halt,
    progress::Control,
    store::{Range, Store},
};

/// How long the attempt to do it all at once may take: there may be an index that answers, or little to look at.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How many documents one piece has at most.
const PIECE_DOCUMENTS: u64 = 10_000;

/// How long one piece may take before it is halved.
const ONE_PIECE: Duration = Duration::from_secs(5);

/// What is done with the documents that lack a key, or have it.
#[derive(Clone, Copy, Debug)]
pub enum Errand<'a> {
    /// Those that lack it are counted.
    Count,
    /// In those that lack it, it is set to an expression.
    Fill(&'a Bson),
    /// Those that have it are counted.
    CountHaving,
    /// In those that have it, its value goes to another key.
    Move {
        /// The other key.
        to: &'a str,
        /// Whether dates go there as well.
        dates: bool,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// How many documents lacked the key, or had it.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Bson>,
}

/// Passes over a collection. `control` ends it at the next edge of a piece; what is done stays done.
pub async fn walk(
    store: &Store,
    control: Option<&Control>,
    collection: &str,
    key: &str,
    errand: Errand<'_>,
) -> Result<Tally, Halt> {
    let mut tally = Tally::default();
    match piece(store, control, (collection, key), &Range::all(), errand, AT_ONCE).await {
        Err(Halt::Failed(failure)) if failure.is_too_slow() => {}
        Err(halt) => return Err(halt),
        Ok(all) => {
            tally.add(all);
            return Ok(tally);
        }
    }
    let (mut after, mut documents) = (None, PIECE_DOCUMENTS);
    loop {
        let range = store.next_range(collection, after.as_ref(), documents).await?;
        match piece(store, control, (collection, key), &range, errand, ONE_PIECE).await {
            Err(Halt::Failed(failure)) if failure.is_too_slow() && documents > 1 => {
                documents = documents.div_ceil(2);
                continue;
            }
            Err(halt) => return Err(halt),
            Ok(some) => tally.add(some),
        }
        if range.until.is_none() {
            return Ok(tally);
        }
        after = range.until;
    }
}

async fn piece(
    store: &Store,
    control: Option<&Control>,
    (collection, key): (&str, &str),
    range: &Range,
    errand: Errand<'_>,
    limit: Duration,
) -> Result<Tally, Halt> {
    if control.is_some_and(Control::is_stopped) {
        return Err(Halt::Stopped);
    }
    match errand {
        Errand::Count => {
            let found = store.count_lacking(collection, range, key, limit).await?;
            Ok(Tally { count: found.count, examples: found.example.into_iter().collect() })
        }
        Errand::CountHaving => {
            let count = store.count_having(collection, range, key, limit).await?;
            Ok(Tally { count, examples: Vec::new() })
        }
        Errand::Fill(value) => {
            let count = store.fill_lacking(collection, range, key, value, limit).await?;
            Ok(Tally::written(count, control))
        }
        Errand::Move { to, dates } => {
            let count = store.move_key(collection, range, (key, to), dates, limit).await?;
            Ok(Tally::written(count, control))
        }
    }
}

impl Tally {
    fn written(count: u64, control: Option<&Control>) -> Self {
        if let Some(control) = control {
            control.add_documents(count);
        }
        Self { count, examples: Vec::new() }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        if self.examples.len() < 3 {
            self.examples.extend(other.examples);
        }
    }
}
