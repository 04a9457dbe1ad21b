//! Large files, in parts: those that the store has accepted are on record, and are not sent again.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesUnordered};
use object_store::{Error, PutMultipartOptions, PutPayload, multipart::PartId, path::Path};
use serde::{Deserialize, Serialize};

use super::{Done, Ledger, Uploader, kind, patiently};
use crate::{
    destination::{Bucket, Provider},
    fault::{Cause, Doing, Fault, of_store},
    hash,
    manifest::{Entry, Sent},
    source::{Reading, Stamp},
    throttle::Slot,
};

/// How large a part is, unless that would be too many.
const SIZE: u64 = 8 << 20;

/// Stores take 10,000 parts; some room is left.
const MOST: u64 = 9_000;

/// An upload in parts that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// What the store calls it.
    pub id: String,
    /// How large each part is, but for the last.
    pub size: u64,
    /// How the file was when it began.
    pub stamp: Stamp,
    /// The parts that were accepted.
    pub accepted: Vec<Part>,
}

/// A part that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which one, from 0.
    pub index: u32,
    /// What the store knows it by.
    pub id: String,
    /// The SHA-256 of what was sent.
    pub sha256: String,
}

/// How large the parts of a file are: all equal, because some stores insist on it.
fn part_size(size: u64) -> u64 {
    let least = size.div_ceil(MOST).next_multiple_of(1 << 20);
    least.max(SIZE)
}

/// One file on its way.
struct Way<'a> {
    bucket: &'a Bucket,
    key: Path,
    parts: Parts,
}

impl Uploader<'_> {
    /// Sends a large file, from where it was.
    pub(super) async fn send_parts(
        &self,
        bucket: &Bucket,
        entry: &Entry,
        ledger: &impl Ledger,
    ) -> Result<Done, Fault> {
        let reading = Reading::open(&entry.source).await?;
        let stamp = reading.stamp();
        let mut way = if let Some(parts) = entry.parts.clone().filter(|it| it.stamp == stamp) {
            Way { bucket, key: self.to.key(&entry.place)?, parts }
        } else {
            self.abandon(entry, ledger).await?;
            self.begin(bucket, entry, stamp, ledger).await?
        };
        let sent = self.send_rest(&mut way, entry, reading, ledger).await;
        match sent {
            // The store has forgotten it, or it was completed and that could not be noted.
            Err(it) if it.cause == Cause::Missing => {
                ledger.note(entry, None).await?;
                if let Some(done) = self.was_completed(entry, stamp).await? {
                    return Ok(done);
                }
                let reading = Reading::open(&entry.source).await?;
                let mut way = self.begin(bucket, entry, reading.stamp(), ledger).await?;
                let sent = self.send_rest(&mut way, entry, reading, ledger).await?;
                Ok(Done { stamp: way.parts.stamp, sent, was_there: false })
            }
            Err(it) if it.cause == Cause::Changed => {
                let begun = Entry { parts: Some(way.parts), ..entry.clone() };
                self.abandon(&begun, ledger).await?;
                Err(it)
            }
            sent => Ok(Done { stamp, sent: sent?, was_there: false }),
        }
    }

    /// Gives up what was begun of a file, so that the store does not keep its parts for ever.
    pub async fn abandon(&self, entry: &Entry, ledger: &impl Ledger) -> Result<(), Fault> {
        let (Some(parts), crate::destination::Place::Bucket(bucket)) =
            (&entry.parts, &self.to.place)
        else {
            return Ok(());
        };
        let key = self.to.key(&entry.place)?;
        let abort = || async {
            match bucket.parts.abort_multipart(&key, &parts.id).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(it) => Err(of_store(&it, Doing::Write, &self.to.path_of(&entry.place))),
            }
        };
        patiently(self.throttle, abort).await?;
        ledger.note(entry, None).await
    }

    async fn begin<'a>(
        &self,
        bucket: &'a Bucket,
        entry: &Entry,
        stamp: Stamp,
        ledger: &impl Ledger,
    ) -> Result<Way<'a>, Fault> {
        let key = self.to.key(&entry.place)?;
        let begin = || async {
            // Azure is told what it is when its parts are put together, for which the client has no words.
            let begun = if self.to.provider() == Provider::Azure {
                bucket.parts.create_multipart(&key).await
            } else {
                let options =
                    PutMultipartOptions { attributes: kind(&entry.place), ..Default::default() };
                bucket.parts.create_multipart_opts(&key, options).await
            };
            begun.map_err(|it| of_store(&it, Doing::Write, &self.to.path_of(&entry.place)))
        };
        let id = patiently(self.throttle, begin).await?;
        let parts = Parts { id, size: part_size(stamp.size), stamp, accepted: Vec::new() };
        // Before the first part: what nobody knows of could not be given up.
        ledger.note(entry, Some(&parts)).await?;
        Ok(Way { bucket, key, parts })
    }

    async fn send_rest(
        &self,
        way: &mut Way<'_>,
        entry: &Entry,
        mut reading: Reading,
        ledger: &impl Ledger,
    ) -> Result<Sent, Fault> {
        let Way { bucket, key, parts } = way;
        let (key, id, size) = (&*key, parts.id.clone(), parts.size);
        let (mut sending, mut index, mut read) = (FuturesUnordered::new(), 0, 0);
        loop {
            // Before it is read: what waits for its turn shall not wait in memory.
            let slot = loop {
                tokio::select! {
                    slot = self.throttle.slot() => break slot?,
                    Some(sent) = sending.next() => accept(parts, sent?, entry, ledger).await?,
                }
            };
            let (back, piece) = reading.piece(size).await?;
            reading = back;
            if piece.is_empty() {
                break;
            }
            read += piece.len() as u64;
            let sha256 = hash::of(&piece);
            let known = parts.accepted.iter().any(|it| it.index == index && it.sha256 == sha256);
            if !known {
                parts.accepted.retain(|it| it.index != index);
                sending.push(self.send_part(
                    (*bucket, key, &id),
                    (index, piece, sha256),
                    slot,
                    entry,
                ));
            }
            index += 1;
        }
        while let Some(sent) = sending.next().await {
            accept(parts, sent?, entry, ledger).await?;
        }
        // Before it is completed: what is complete is seen by everybody.
        let sha256 = reading.end(read).await?;
        parts.accepted.retain(|it| it.index < index);
        parts.accepted.sort_by_key(|it| it.index);
        let ids: Vec<PartId> =
            parts.accepted.iter().map(|it| PartId { content_id: it.id.clone() }).collect();
        let complete = || async {
            let completed = bucket.parts.complete_multipart(key, &id, ids.clone()).await;
            completed.map_err(|it| of_store(&it, Doing::Write, &self.to.path_of(&entry.place)))
        };
        let put = patiently(self.throttle, complete).await?;
        ledger.note(entry, None).await?;
        Ok(Sent { size: read, sha256, tag: put.e_tag })
    }

    async fn send_part(
        &self,
        (bucket, key, id): (&Bucket, &Path, &String),
        (index, piece, sha256): (u32, Vec<u8>, String),
        slot: Slot<'_>,
        entry: &Entry,
    ) -> Result<Part, Fault> {
        self.throttle.bytes(piece.len() as u64).await?;
        let payload = PutPayload::from(piece);
        let number = usize::try_from(index).unwrap_or(usize::MAX);
        let store = Arc::clone(&bucket.parts);
        let put = || async {
            let put = store.put_part(key, id, number, payload.clone()).await;
            put.map_err(|it| of_store(&it, Doing::Write, &self.to.path_of(&entry.place)))
        };
        let put = patiently(self.throttle, put).await?;
        drop(slot);
        Ok(Part { index, id: put.content_id, sha256 })
    }

    async fn was_completed(&self, entry: &Entry, stamp: Stamp) -> Result<Option<Done>, Fault> {
        let Some(found) = self.to.look(&entry.place).await? else { return Ok(None) };
        if found.size != stamp.size {
            return Ok(None);
        }
        let equal = self.is_equal(entry, stamp, None).await?;
        Ok(equal.map(|sha256| {
            let sent = Sent { size: found.size, sha256, tag: found.tag };
            Done { stamp, sent, was_there: true }
        }))
    }
}

async fn accept(
    parts: &mut Parts,
    part: Part,
    entry: &Entry,
    ledger: &impl Ledger,
) -> Result<(), Fault> {
    parts.accepted.push(part);
    ledger.note(entry, Some(parts)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_too_many_parts() {
        for size in [AT_LEAST, 100 << 20, 100 << 30, 5 << 40] {
            let part = part_size(size);
            assert!(part >= SIZE && size.div_ceil(part) <= 10_000, "{size}");
        }
    }

    const AT_LEAST: u64 = super::super::AT_ONCE + 1;
}
