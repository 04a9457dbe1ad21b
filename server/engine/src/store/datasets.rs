//! The collection `datasets`: one document per dataset.

use std::collections::{BTreeSet, HashMap};

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use revisions::Names;

use super::{Failure, Store, durable, server::number};

/// Above this, a statement that carries a whole document twice would not fit into one command.
const WHOLE_COMPARISON_BYTES: usize = 7 << 20;

/// How many bytes of statements go into one command; the server takes 16 MiB.
const COMMAND_BYTES: usize = 15 << 20;

/// What the list of datasets needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What identifies the dataset from start to end.
    pub id: Bson,
    /// Its name, if it has one and it is a text.
    pub name: Option<String>,
    /// Whatever stands at `version`; null if nothing does.
    pub version: Bson,
}

/// A dataset document as it was read and as it shall be.
#[derive(Clone, Copy, Debug)]
pub struct Swap<'a> {
    /// As it was read.
    pub read: &'a Document,
    /// As it shall be.
    pub changed: &'a Document,
}

impl Entry {
    /// What to call it in a sentence: its name, or its id where it has none. On one line, and with nothing in
    /// it that a terminal would obey.
    pub fn label(&self) -> String {
        match (&self.name, &self.id) {
            (Some(name), _) => crate::report::printable(name),
            (None, Bson::ObjectId(id)) => id.to_hex(),
            (None, id) => id.to_string(),
        }
    }
}

impl Store {
    /// All datasets, by name; those without a name come last.
    pub async fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let collection = self.collection("datasets");
        let found = collection.find(doc! {});
        let found = found.projection(doc! { "name": 1, "version": 1 }).batch_size(10_000);
        let documents: Vec<Document> = found.await?.try_collect().await?;
        let mut entries: Vec<Entry> = documents.into_iter().map(entry).collect();
        entries.sort_by(|a, b| {
            (a.name.is_none(), &a.name, a.label()).cmp(&(b.name.is_none(), &b.name, b.label()))
        });
        Ok(entries)
    }

    /// The documents with these ids, in this order; those that are gone are left out.
    pub async fn datasets(&self, ids: &[Bson]) -> Result<Vec<Document>, Failure> {
        let filter = doc! { "_id": { "$in": ids } };
        let collection = self.collection("datasets");
        let found = collection.find(filter).batch_size(1000);
        let documents: Vec<Document> = found.await?.try_collect().await?;
        let order: HashMap<String, usize> =
            ids.iter().enumerate().map(|(index, id)| (format!("{id:?}"), index)).collect();
        let mut documents: Vec<(usize, Document)> = documents
            .into_iter()
            .map(|it| (it.get("_id").and_then(|id| order.get(&format!("{id:?}")).copied()), it))
            .filter_map(|(index, it)| Some((index?, it)))
            .collect();
        documents.sort_by_key(|(index, _)| *index);
        Ok(documents.into_iter().map(|(_, it)| it).collect())
    }

    /// All names and slugs.
    pub async fn names(&self) -> Result<Names, Failure> {
        let collection = self.collection("datasets");
        let found = collection.find(doc! {});
        let mut found = found.projection(doc! { "name": 1, "slug": 1 }).batch_size(10_000).await?;
        let mut names = Names::default();
        while let Some(it) = found.try_next().await? {
            let id = it.get("_id").cloned().unwrap_or_default();
            names.claim(&id, it.get_str("name").ok(), it.get_str("slug").ok());
        }
        Ok(names)
    }

    /// The sample and frame collections that dataset documents name.
    pub async fn collections_in_use(&self) -> Result<BTreeSet<String>, Failure> {
        const KEYS: [&str; 2] = ["sample_collection_name", "frame_collection_name"];
        let collection = self.collection("datasets");
        let found = collection.find(doc! {});
        let mut found =
            found.projection(doc! { KEYS[0]: 1, KEYS[1]: 1 }).batch_size(10_000).await?;
        let mut names = BTreeSet::new();
        while let Some(it) = found.try_next().await? {
            names.extend(KEYS.iter().filter_map(|key| it.get_str(key).ok().map(str::to_owned)));
            // Datasets from before 0.14 do not name their frames.
            names.extend(it.get_str(KEYS[0]).ok().map(|name| format!("frames.{name}")));
            // One that has lost the name of its samples still has them where FiftyOne puts them.
            let id = it.get_object_id("_id").ok();
            names.extend(
                id.iter().flat_map(|id| [format!("samples.{id}"), format!("frames.samples.{id}")]),
            );
        }
        Ok(names)
    }

    /// Replaces each dataset document that still equals what was read. This is the commit of a migration: it
    /// is durable when this returns, and it stamps the version.
    ///
    /// Returns how many were replaced. Fewer than asked for: somebody changed the others meanwhile, and
    /// nothing was written to those.
    pub async fn commit(&self, swaps: &[Swap<'_>]) -> Result<usize, Failure> {
        let mut replaced = 0;
        let mut statements: Vec<Bson> = Vec::new();
        let mut bytes = 0;
        for (index, swap) in swaps.iter().enumerate() {
            let statement = doc! { "q": unchanged(swap.read)?, "u": swap.changed };
            let size = size(&statement)?;
            if bytes + size > COMMAND_BYTES && !statements.is_empty() {
                replaced += self.replace(std::mem::take(&mut statements)).await?;
                bytes = 0;
            }
            bytes += size;
            statements.push(statement.into());
            if index + 1 == swaps.len() {
                replaced += self.replace(std::mem::take(&mut statements)).await?;
            }
        }
        Ok(replaced)
    }

    async fn replace(&self, statements: Vec<Bson>) -> Result<usize, Failure> {
        let command = doc! {
            "update": "datasets", "updates": statements, "ordered": false, "writeConcern": durable(),
        };
        let answer = self.command(command).await?;
        Ok(number(answer.get("n")).and_then(|it| usize::try_from(it).ok()).unwrap_or(0))
    }

    /// Gives datasets a new version and nothing else, where they still have the old one. Durable.
    ///
    /// Returns how many were stamped.
    pub async fn stamp_datasets(
        &self,
        swaps: &[(Bson, Bson)],
        version: &str,
    ) -> Result<usize, Failure> {
        let mut stamped = 0;
        for chunk in swaps.chunks(10_000) {
            let statements: Vec<Bson> = chunk
                .iter()
                .map(|(id, old)| {
                    let filter = doc! { "_id": id, "version": old };
                    doc! { "q": filter, "u": { "$set": { "version": version } } }.into()
                })
                .collect();
            stamped += self.replace(statements).await?;
        }
        Ok(stamped)
    }
}

/// Matches a document only while it is, as a whole, what was read: no edit of anybody is ever lost.
fn unchanged(read: &Document) -> Result<Document, Failure> {
    let id = read.get("_id").cloned();
    let bytes = size(read)?;
    if bytes <= WHOLE_COMPARISON_BYTES {
        return Ok(doc! { "_id": id, "$expr": { "$eq": ["$$ROOT", { "$literal": read }] } });
    }
    // Too large to send along: its size in bytes, and every part that is small.
    let mut parts: Vec<Bson> = vec![
        doc! { "$eq": [{ "$bsonSize": "$$ROOT" }, i64::try_from(bytes).unwrap_or(i64::MAX)] }
            .into(),
    ];
    for (key, value) in read {
        let part = doc! { "v": value };
        if !key.contains(['.', '$']) && size(&part)? < 64 << 10 {
            parts.push(doc! { "$eq": [format!("${key}"), { "$literal": value }] }.into());
        }
    }
    Ok(doc! { "_id": id, "$expr": { "$and": parts } })
}

/// The size of a document in bytes, as the server counts it.
pub(crate) fn size(document: &Document) -> Result<usize, Failure> {
    let bytes = bson::serialize_to_vec(document).map_err(|it| Failure::other(it.to_string()))?;
    Ok(bytes.len())
}

fn entry(mut document: Document) -> Entry {
    Entry {
        id: document.remove("_id").unwrap_or_default(),
        name: document.get_str("name").ok().map(str::to_owned),
        version: document.remove("version").unwrap_or_default(),
    }
}
