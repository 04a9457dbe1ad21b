//! GridFS: the results of runs, as JSON files in `fs.files` and `fs.chunks`.

use std::collections::BTreeSet;

use bson::{Binary, Bson, DateTime, Document, doc, oid::ObjectId, spec::BinarySubtype};
use futures_util::TryStreamExt;

use super::{Failure, Store, durable};
use crate::results::Rewriter;

/// The size of a GridFS chunk.
const CHUNK_BYTES: usize = 255 << 10;

/// How many files are deleted by one command.
const DELETED_AT_ONCE: usize = 32;

impl Store {
    /// Which of these files exist.
    pub async fn existing_results(&self, ids: &[ObjectId]) -> Result<BTreeSet<ObjectId>, Failure> {
        self.existing("fs.files", ids).await
    }

    /// Whether a file holds one JSON object. Reads it once, in constant memory.
    pub async fn is_object(&self, file: ObjectId) -> Result<bool, Failure> {
        let mut rewriter = Rewriter::new([]);
        let mut chunks = self.chunks(file).await?;
        let mut out = Vec::new();
        while let Some(it) = chunks.try_next().await? {
            if rewriter.push(bytes(&it), &mut out).is_err() {
                return Ok(false);
            }
            out.clear();
        }
        Ok(rewriter.finish().is_ok())
    }

    /// Writes a copy of the file `from` as `to`, with some top-level keys of its JSON object set. What an
    /// interrupted attempt left under `to` is replaced.
    ///
    /// By hand and not with the driver's bucket: that would add a `filename` that FiftyOne does not write,
    /// and create indexes.
    pub async fn rewrite_results(
        &self,
        from: ObjectId,
        to: ObjectId,
        set: &[(&str, &str)],
        now: DateTime,
    ) -> Result<(), Failure> {
        let unreadable =
            || Failure::other(format!("the results file `{from}` is not a JSON object"));
        self.delete_results(&[to]).await?;
        let set: Vec<(&str, String)> = set.iter().map(|(key, text)| (*key, quoted(text))).collect();
        let mut rewriter = Some(Rewriter::new(set.iter().map(|(key, text)| (*key, text.as_str()))));
        let (mut out, mut number, mut length) = (Vec::new(), 0, 0);
        let mut chunks = self.chunks(from).await?;
        loop {
            let read = chunks.try_next().await?;
            let last = read.is_none();
            match (read, rewriter.as_mut()) {
                (Some(it), Some(rewriter)) => rewriter.push(bytes(&it), &mut out),
                _ => rewriter.take().map_or(Ok(()), Rewriter::finish),
            }
            .map_err(|_| unreadable())?;
            while out.len() >= CHUNK_BYTES || (last && !out.is_empty()) {
                let rest = out.split_off(out.len().min(CHUNK_BYTES));
                length += out.len();
                self.insert_chunk(to, number, std::mem::replace(&mut out, rest)).await?;
                number += 1;
            }
            if last {
                break;
            }
        }
        let file = doc! {
            "_id": to,
            "contentType": "application/json",
            "chunkSize": i32::try_from(CHUNK_BYTES).unwrap_or(i32::MAX),
            "length": i64::try_from(length).unwrap_or(i64::MAX),
            "uploadDate": now,
        };
        self.collection("fs.files").insert_one(file).await?;
        Ok(())
    }

    /// Deletes files, for good when this returns. Those that are gone already do not matter.
    pub async fn delete_results(&self, files: &[ObjectId]) -> Result<(), Failure> {
        for files in files.chunks(DELETED_AT_ONCE) {
            for (place, key) in [("fs.files", "_id"), ("fs.chunks", "files_id")] {
                let all = doc! { "q": { key: { "$in": files } }, "limit": 0 };
                let command = doc! { "delete": place, "deletes": [all], "writeConcern": durable() };
                self.command(command).await?;
            }
        }
        Ok(())
    }

    async fn chunks(&self, file: ObjectId) -> Result<mongodb::Cursor<Document>, Failure> {
        let collection = self.collection("fs.chunks");
        let found = collection.find(doc! { "files_id": file });
        Ok(found.sort(doc! { "n": 1 }).batch_size(8).await?)
    }

    async fn insert_chunk(
        &self,
        file: ObjectId,
        number: i32,
        data: Vec<u8>,
    ) -> Result<(), Failure> {
        let data = Binary { subtype: BinarySubtype::Generic, bytes: data };
        let chunk = doc! { "_id": ObjectId::new(), "files_id": file, "n": number, "data": data };
        self.collection("fs.chunks").insert_one(chunk).await?;
        Ok(())
    }
}

fn bytes(chunk: &Document) -> &[u8] {
    match chunk.get("data") {
        Some(Bson::Binary(data)) => &data.bytes,
        _ => &[],
    }
}

/// A text as JSON. Class names, which need no escapes, are all that is ever set; others would still be right.
fn quoted(text: &str) -> String {
    let escaped: String = text.chars().flat_map(escaped).collect();
    format!("\"{escaped}\"")
}

fn escaped(letter: char) -> Vec<char> {
    match letter {
        '"' | '\\' => vec!['\\', letter],
        letter if letter.is_control() => format!("\\u{:04x}", u32::from(letter)).chars().collect(),
        letter => vec![letter],
    }
}
