//! What a run does to the server and to the replica set, as far as the user may see it.

use std::time::Duration;

use bson::{Bson, doc};

use super::{Failure, Store, server::number};
use crate::strain::{Disk, Flow, Oplog};

/// What `serverStatus` shall not gather: all that is not asked for.
const UNASKED: [&str; 16] = [
    "asserts",
    "connections",
    "extra_info",
    "globalLock",
    "indexBulkBuilder",
    "locks",
    "logicalSessionRecordCache",
    "metrics",
    "network",
    "opLatencies",
    "repl",
    "security",
    "tcmalloc",
    "transactions",
    "twoPhaseCommitCoordinator",
    "wiredTiger",
];

impl Store {
    /// How far a majority of the replica set is behind the server that takes the writes. `None` where there is no set.
    pub async fn lag(&self) -> Result<Option<Duration>, Failure> {
        let hello = self.client.database("admin").run_command(doc! { "hello": 1 }).await?;
        let last = hello.get_document("lastWrite").ok();
        let time = |key: &str| last.and_then(|it| it.get_datetime(key).ok());
        let (Some(own), Some(majority)) = (time("lastWriteDate"), time("majorityWriteDate")) else {
            return Ok(None);
        };
        let behind = own.timestamp_millis().saturating_sub(majority.timestamp_millis());
        Ok(Some(Duration::from_millis(u64::try_from(behind).unwrap_or(0))))
    }

    /// Whether the servers belong to a replica set.
    pub async fn is_replicated(&self) -> Result<bool, Failure> {
        let hello = self.client.database("admin").run_command(doc! { "hello": 1 }).await?;
        Ok(hello.contains_key("setName"))
    }

    /// What the flow control of a replica set does, and from when to when its oplog reaches; that is full if something was
    /// pushed out of it since the server began.
    pub async fn replication(&self) -> Result<(Option<Flow>, Option<Oplog>), Failure> {
        let mut command = doc! { "serverStatus": 1, "flowControl": 1, "oplog": 1 };
        command.extend(UNASKED.map(|it| (it.to_owned(), 0.into())));
        let status = self.client.database("admin").run_command(command).await?;
        let flow = status.get_document("flowControl").ok().map(|it| {
            let enabled = it.get_bool("enabled").unwrap_or(false);
            let per_s = number(it.get("targetRateLimit")).and_then(|it| u64::try_from(it).ok());
            let lagged = enabled && it.get_bool("isLagged").unwrap_or(false);
            Flow { lagged, per_s: per_s.unwrap_or(u64::MAX) }
        });
        let oplog = status.get_document("oplog").ok();
        let first = oplog.and_then(|it| it.get_timestamp("earliestOptime").ok());
        // A time alone or with a term, as the version has it.
        let last = oplog.and_then(|it| match it.get("latestOptime")? {
            Bson::Timestamp(it) => Some(*it),
            Bson::Document(it) => it.get_timestamp("ts").ok(),
            _ => None,
        });
        let truncated = status.get_document("oplogTruncation").ok();
        let full =
            number(truncated.and_then(|it| it.get("truncateCount"))).is_some_and(|it| it > 0);
        let window = first.zip(last);
        Ok((flow, window.map(|(it, last)| Oplog { first_s: it.time, last_s: last.time, full })))
    }

    /// Whether the oplog is as large as it may become. `None` where there is none.
    pub async fn is_oplog_full(&self) -> Result<Option<bool>, Failure> {
        let local = self.client.database("local");
        let size = local.run_command(doc! { "collStats": "oplog.rs" }).await?;
        let bytes = |key: &str| number(size.get(key)).and_then(|it| u64::try_from(it).ok());
        let both = bytes("size").zip(bytes("maxSize"));
        Ok(both.map(|(used, most)| used >= most / 10 * 9))
    }

    /// How much room the disk of the server has. `None` where it does not say.
    pub async fn disk(&self) -> Result<Option<Disk>, Failure> {
        // Of a small database: the server looks at each of its collections.
        let answer = self.jobs.run_command(doc! { "dbStats": 1 }).await?;
        let bytes = |key: &str| number(answer.get(key)).and_then(|it| u64::try_from(it).ok());
        let (total, used) = (bytes("fsTotalSize").unwrap_or(0), bytes("fsUsedSize"));
        let used = used.filter(|_| total > 0);
        Ok(used.map(|used| Disk { free_bytes: total.saturating_sub(used), total_bytes: total }))
    }
}
