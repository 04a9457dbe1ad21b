//! GridFS: the results of runs, as JSON files in `fs.files` and `fs.chunks`.

use std::collections::BTreeSet;

use bson::{Binary, Bson, DateTime, Document, doc, oid::ObjectId, spec::BinarySubtype};
use futures_util::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        self.collection("fs.files").insert_one(file_document(to, length, now)).await?;
        Ok(())
    }

    /// Writes a file of results from a file on disk, verbatim but for these keys. What an interrupted attempt left under
    /// `to` is replaced.
    pub async fn plant_results(
        &self,
        path: &std::path::Path,
        to: ObjectId,
        set: &[(&str, &str)],
        now: DateTime,
    ) -> Result<(), Failure> {
        let unreadable =
            |why: String| Failure::other(format!("`{}` cannot be read: {why}", path.display()));
        self.delete_results(&[to]).await?;
        let mut file =
            tokio::fs::File::open(path).await.map_err(|it| unreadable(it.to_string()))?;
        let set: Vec<(&str, String)> = set.iter().map(|(key, text)| (*key, quoted(text))).collect();
        // Whatever a plugin has written stays as it is; only where something has to be set is it an object for sure.
        let mut rewriter = (!set.is_empty())
            .then(|| Rewriter::new(set.iter().map(|(key, text)| (*key, text.as_str()))));
        let (mut out, mut number, mut length) = (Vec::new(), 0, 0);
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut buffer).await.map_err(|it| unreadable(it.to_string()))?;
            let last = read == 0;
            let rewritten = match (&mut rewriter, last) {
                (None, _) => {
                    out.extend_from_slice(&buffer[..read]);
                    Ok(())
                }
                (Some(rewriter), false) => rewriter.push(&buffer[..read], &mut out),
                (Some(_), true) => rewriter.take().map_or(Ok(()), Rewriter::finish),
            };
            rewritten.map_err(|it| unreadable(it.to_string()))?;
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
        self.collection("fs.files").insert_one(file_document(to, length, now)).await?;
        Ok(())
    }

    /// Writes a file of results to the disk, verbatim. Returns whether it is there at all.
    pub async fn results_to(
        &self,
        file: ObjectId,
        path: &std::path::Path,
    ) -> Result<bool, Failure> {
        let unwritable = |why: std::io::Error| {
            Failure::other(format!("`{}` cannot be written: {why}", path.display()))
        };
        if self.existing_results(&[file]).await?.is_empty() {
            return Ok(false);
        }
        let mut out = tokio::fs::File::create(path).await.map_err(unwritable)?;
        let mut chunks = self.chunks(file).await?;
        while let Some(it) = chunks.try_next().await? {
            out.write_all(bytes(&it)).await.map_err(unwritable)?;
        }
        out.flush().await.map_err(unwritable)?;
        Ok(true)
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

fn file_document(id: ObjectId, length: usize, now: DateTime) -> Document {
    doc! {
        "_id": id,
        "contentType": "application/json",
        "chunkSize": i32::try_from(CHUNK_BYTES).unwrap_or(i32::MAX),
        "length": i64::try_from(length).unwrap_or(i64::MAX),
        "uploadDate": now,
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
