//! The collection `runs`: annotation, brain, evaluation and custom runs.

use std::collections::BTreeMap;

use bson::{Bson, Document, RawArrayBuf, doc, oid::ObjectId, raw::cstr, rawdoc};
use futures_util::TryStreamExt;

use super::{Failure, Store, datasets::raw, server::number};

/// How many bytes of run documents go into one command.
const COMMAND_BYTES: usize = 8 << 20;

impl Store {
    /// The run documents with these ids; those that are gone are left out.
    pub async fn runs(&self, ids: &[ObjectId]) -> Result<BTreeMap<ObjectId, Document>, Failure> {
        let mut runs = BTreeMap::new();
        for chunk in ids.chunks(10_000) {
            let filter = doc! { "_id": { "$in": chunk } };
            let mut found = self.collection("runs").find(filter).batch_size(1000).await?;
            while let Some(it) = found.try_next().await? {
                if let Some(Bson::ObjectId(id)) = it.get("_id") {
                    runs.insert(*id, it);
                }
            }
        }
        Ok(runs)
    }

    /// Inserts run documents. One that is there already, from a migration that was interrupted, is replaced.
    pub async fn insert_runs(&self, runs: &[&Document]) -> Result<(), Failure> {
        for chunk in chunks(runs)? {
            let mut documents = RawArrayBuf::new();
            for it in chunk {
                documents.push(raw(it)?);
            }
            let mut command =
                rawdoc! { "insert": "runs", "ordered": false, "writeConcern": { "w": 1 } };
            command.append(cstr!("documents"), documents);
            match self.raw_command(command).await {
                Ok(_) => {}
                Err(failure) if failure.is_duplicate() => self.upsert_runs(chunk).await?,
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn upsert_runs(&self, runs: &[&Document]) -> Result<(), Failure> {
        let statements: Vec<Bson> = runs
            .iter()
            .map(|it| doc! { "q": { "_id": it.get("_id") }, "u": *it, "upsert": true }.into())
            .collect();
        self.command(doc! { "update": "runs", "updates": statements }).await.map(drop)
    }

    /// Replaces run documents that still equal what was read: `(read, changed)`.
    ///
    /// Returns whether all of them did.
    pub async fn replace_runs(&self, swaps: &[(&Document, &Document)]) -> Result<bool, Failure> {
        let mut complete = true;
        for (read, changed) in swaps {
            // Already changed counts as well: this may be the second time.
            let either: [Bson; 2] = [
                doc! { "$eq": ["$$ROOT", { "$literal": *read }] }.into(),
                doc! { "$eq": ["$$ROOT", { "$literal": *changed }] }.into(),
            ];
            let filter = doc! { "_id": read.get("_id"), "$expr": { "$or": either.to_vec() } };
            let answer = self
                .command(doc! { "update": "runs", "updates": [{ "q": filter, "u": *changed }] });
            complete &= number(answer.await?.get("n")) == Some(1);
        }
        Ok(complete)
    }

    /// Deletes run documents that still equal what was read.
    ///
    /// Returns how many were left because somebody has changed them since.
    pub async fn delete_runs(&self, read: &[&Document]) -> Result<usize, Failure> {
        self.delete_unchanged("runs", read).await
    }
}

pub(super) fn chunks<'a, 'd>(
    documents: &'a [&'d Document],
) -> Result<Vec<&'a [&'d Document]>, Failure> {
    let mut chunks = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (index, it) in documents.iter().enumerate() {
        let size = super::datasets::size(it)?;
        if index > from && bytes + size > COMMAND_BYTES {
            chunks.push(&documents[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += size;
    }
    if from < documents.len() {
        chunks.push(&documents[from..]);
    }
    Ok(chunks)
}
