//! What was changed in the database since a moment, as its change stream tells it: replica sets have one.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bson::{Bson, Document, Timestamp, doc};
use mongodb::change_stream::event::ResumeToken;

use super::{Failure, Store};

/// How long is waited for a change that may not come.
const WAIT: Duration = Duration::from_millis(50);

/// How much may have been changed for each of it to be named.
const MOST: usize = 10_000;

/// What somebody has written to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touched {
    /// Datasets, by `_id`.
    pub datasets: Vec<Bson>,
    /// Other collections.
    pub collections: BTreeSet<String>,
}

impl Touched {
    /// Whether nobody has written anything.
    pub fn is_empty(&self) -> bool {
        self.datasets.is_empty() && self.collections.is_empty()
    }
}

impl Store {
    /// Where the oplog is now. `None` where there is none.
    pub async fn moment(&self) -> Result<Option<Timestamp>, Failure> {
        let hello = self.client.database("admin").run_command(doc! { "hello": 1 }).await?;
        let member = hello.contains_key("setName");
        Ok(hello.get_timestamp("operationTime").ok().filter(|_| member))
    }

    /// What was written to between two moments. `None` if that cannot be said within the limit.
    pub async fn touched(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: Duration,
    ) -> Result<Option<Touched>, Failure> {
        let writes = ["insert", "update", "replace", "delete"].to_vec();
        let stages = [
            doc! { "$match": { "operationType": { "$in": writes } } },
            doc! { "$project": { "operationType": 1, "ns": 1, "documentKey": 1 } },
        ];
        let watch = self.database.watch().pipeline(stages).start_at_operation_time(from);
        let mut stream = watch.max_await_time(WAIT).await?.with_type::<Document>();
        let (mut touched, begun) = (Touched::default(), Instant::now());
        loop {
            if let Some(change) = stream.next_if_any().await? {
                touched.add(&change);
            } else if stream.resume_token().and_then(|it| moment(&it)) >= Some(until) {
                return Ok(Some(touched));
            }
            let many = touched.datasets.len() + touched.collections.len() > MOST;
            if many || begun.elapsed() > limit {
                return Ok(None);
            }
        }
    }
}

impl Touched {
    fn add(&mut self, change: &Document) {
        let name = change.get_document("ns").ok().and_then(|it| it.get_str("coll").ok());
        let key = change.get_document("documentKey").ok().and_then(|it| it.get("_id"));
        match (name, key) {
            (Some("datasets"), Some(id)) => {
                if !self.datasets.contains(id) {
                    self.datasets.push(id.clone());
                }
            }
            (Some(name), _) => {
                if !self.collections.contains(name) {
                    self.collections.insert(name.to_owned());
                }
            }
            (None, _) => {}
        }
    }
}

/// How far a stream has come: in hexadecimal digits, a byte for the kind of what follows, the seconds, and the number
/// within the second.
fn moment(token: &ResumeToken) -> Option<Timestamp> {
    let token = bson::serialize_to_bson(token).ok()?;
    let data = token.as_document()?.get_str("_data").ok()?;
    digits(data)
}

fn digits(data: &str) -> Option<Timestamp> {
    let number = |from: usize| u32::from_str_radix(data.get(from..from + 8)?, 16).ok();
    Some(Timestamp { time: number(2)?, increment: number(10)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_how_far_the_stream_has_come() {
        let token = "826565A1B2000000032B0229296E04";
        assert_eq!(digits(token), Some(Timestamp { time: 0x6565_A1B2, increment: 3 }));
        assert_eq!(digits("82"), None);
        assert_eq!(digits(""), None);
    }

    #[test]
    fn what_is_written_to_is_named_once() {
        let mut touched = Touched::default();
        let change = |name: &str| doc! { "ns": { "coll": name }, "documentKey": { "_id": 1 } };
        for name in ["datasets", "samples.a", "datasets", "samples.a"] {
            touched.add(&change(name));
        }
        touched.add(&doc! { "operationType": "invalidate" });
        assert_eq!((touched.datasets.len(), touched.collections.len()), (1, 1));
    }
}
