//! The collection `datasets`: one document per dataset.

use std::collections::{BTreeSet, HashMap};

use bson::{
    Bson, Document, RawArrayBuf, RawBsonRef, RawDocumentBuf, doc, oid::ObjectId, raw::cstr, rawdoc,
};
use futures_util::TryStreamExt;
use revisions::Names;

use super::{Failure, Store, server::number};

/// Above this, a statement that carries a whole document twice would not fit into one command.
const WHOLE_COMPARISON_BYTES: usize = 7 << 20;

/// Parts of such a document that are this large are not sent along either.
const LARGE_PART_BYTES: usize = 64 << 10;

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
    /// How large its document is.
    pub bytes: usize,
}

/// A dataset document as it was read and as it shall be.
#[derive(Clone, Copy, Debug)]
pub struct Swap<'a> {
    /// As it was read.
    pub read: &'a RawDocumentBuf,
    /// As it shall be.
    pub changed: &'a RawDocumentBuf,
}

impl Entry {
    /// Its `_id` as text.
    pub fn id_text(&self) -> String {
        crate::tally::text(&self.id)
    }

    /// What to call it in a sentence: its name, or its id where it has none. On one line, and with nothing in
    /// it that a terminal would obey.
    pub fn label(&self) -> String {
        self.name.as_deref().map_or_else(|| self.id_text(), crate::report::printable)
    }
}

impl Store {
    /// All datasets, by name; those without a name come last.
    pub async fn entries(&self) -> Result<Vec<Entry>, Failure> {
        self.entries_where(doc! {}).await
    }

    /// Those of these names that there are.
    pub async fn entries_called(&self, names: &[String]) -> Result<Vec<Entry>, Failure> {
        self.entries_where(doc! { "name": { "$in": names } }).await
    }

    /// Those that there are whose `_id` is one of these texts.
    pub async fn entries_of(&self, ids: &[&str]) -> Result<Vec<Entry>, Failure> {
        let parsed: Vec<ObjectId> =
            ids.iter().filter_map(|it| ObjectId::parse_str(it).ok()).collect();
        // FiftyOne makes object ids, but nothing keeps others out.
        if parsed.len() < ids.len() {
            let mut all = self.entries().await?;
            all.retain(|it| ids.contains(&it.id_text().as_str()));
            return Ok(all);
        }
        self.entries_where(doc! { "_id": { "$in": parsed } }).await
    }

    async fn entries_where(&self, filter: Document) -> Result<Vec<Entry>, Failure> {
        let collection = self.collection("datasets");
        let found = collection.find(filter);
        let size = doc! { "$bsonSize": "$$ROOT" };
        let found =
            found.projection(doc! { "name": 1, "version": 1, "bytes": size }).batch_size(10_000);
        let documents: Vec<Document> = found.await?.try_collect().await?;
        let mut entries: Vec<Entry> = documents.into_iter().map(entry).collect();
        entries.sort_by(|a, b| {
            (a.name.is_none(), &a.name, a.label()).cmp(&(b.name.is_none(), &b.name, b.label()))
        });
        Ok(entries)
    }

    /// The documents with these ids, in this order; `None` for those that are gone.
    pub async fn datasets(&self, ids: &[Bson]) -> Result<Vec<Option<RawDocumentBuf>>, Failure> {
        let filter = doc! { "_id": { "$in": ids } };
        let collection = self.database.collection::<RawDocumentBuf>("datasets");
        let mut found = collection.find(filter).batch_size(1000).await?;
        let mut documents = HashMap::new();
        while let Some(it) = found.try_next().await? {
            let id = it.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            documents.insert(format!("{id:?}"), it);
        }
        Ok(ids.iter().map(|id| documents.remove(&format!("{:?}", Some(id)))).collect())
    }

    /// The documents of a collection that this selects, byte for byte.
    pub async fn whole_documents(
        &self,
        collection: &str,
        filter: Document,
    ) -> Result<Vec<RawDocumentBuf>, Failure> {
        let collection = self.database.collection::<RawDocumentBuf>(collection);
        Ok(collection.find(filter).await?.try_collect().await?)
    }

    /// Puts documents back that were removed. Those that are there stay as they are.
    pub async fn put_back(
        &self,
        collection: &str,
        documents: &[RawDocumentBuf],
    ) -> Result<(), Failure> {
        for it in documents {
            let mut inserted = RawArrayBuf::new();
            inserted.push(it.clone());
            let mut command = RawDocumentBuf::new();
            command.append(cstr!("insert"), collection);
            command.append(cstr!("documents"), inserted);
            match self.raw_command(command).await {
                Err(failure) if !failure.is_duplicate() => return Err(failure),
                _ => {}
            }
        }
        Ok(())
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

    /// The sample and frame collections of each dataset, by the text of its `_id`.
    pub async fn collections_by_dataset(&self) -> Result<Vec<(String, Vec<String>)>, Failure> {
        const KEYS: [&str; 2] = ["sample_collection_name", "frame_collection_name"];
        let datasets = self.collection("datasets");
        let found = datasets.find(doc! {});
        let found = found.projection(doc! { KEYS[0]: 1, KEYS[1]: 1 }).batch_size(10_000);
        let documents: Vec<Document> = found.await?.try_collect().await?;
        let owned = documents.into_iter().map(|it| {
            let names = KEYS.iter().filter_map(|key| it.get_str(key).ok().map(str::to_owned));
            let names = names.filter(|it| !it.is_empty()).collect();
            (crate::tally::text(it.get("_id").unwrap_or(&Bson::Null)), names)
        });
        Ok(owned.collect())
    }

    /// Replaces each dataset document that still equals what was read. This is the commit of a migration: it
    /// is durable when this returns, and it stamps the version.
    ///
    /// Returns how many were replaced. Fewer than asked for: somebody changed the others meanwhile, and
    /// nothing was written to those.
    pub async fn commit(&self, swaps: &[Swap<'_>]) -> Result<usize, Failure> {
        let mut replaced = 0;
        let mut statements = RawArrayBuf::new();
        let mut bytes = 0;
        for swap in swaps {
            let statement = swap.statement();
            let size = statement.as_bytes().len();
            if bytes + size > COMMAND_BYTES && bytes > 0 {
                replaced += self.replace(std::mem::take(&mut statements)).await?;
                bytes = 0;
            }
            bytes += size;
            statements.push(statement);
        }
        if bytes > 0 {
            replaced += self.replace(statements).await?;
        }
        Ok(replaced)
    }

    async fn replace(&self, statements: RawArrayBuf) -> Result<usize, Failure> {
        let mut command = rawdoc! { "update": "datasets", "ordered": false };
        command.append(cstr!("updates"), statements);
        command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "j": true });
        let answer = self.raw_command(command).await?;
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
            let mut statements = RawArrayBuf::new();
            for (id, old) in chunk {
                let filter = doc! { "_id": id, "version": old };
                let statement = doc! { "q": filter, "u": { "$set": { "version": version } } };
                statements.push(raw(&statement)?);
            }
            stamped += self.replace(statements).await?;
        }
        Ok(stamped)
    }
}

impl Swap<'_> {
    /// Replaces the document only while it is, as a whole, what was read: no edit of anybody is ever lost.
    fn statement(&self) -> RawDocumentBuf {
        let mut filter = RawDocumentBuf::new();
        if let Ok(Some(id)) = self.read.get("_id") {
            filter.append(cstr!("_id"), id);
        }
        filter.append(cstr!("$expr"), self.is_unchanged());
        let mut statement = RawDocumentBuf::new();
        statement.append(cstr!("q"), filter);
        statement.append(cstr!("u"), self.changed.as_ref());
        statement
    }

    fn is_unchanged(&self) -> RawDocumentBuf {
        let bytes = self.read.as_bytes().len();
        if bytes <= WHOLE_COMPARISON_BYTES {
            return equal(RawBsonRef::String("$$ROOT"), RawBsonRef::Document(self.read));
        }
        // Too large to send along: its size in bytes, and every part that is small.
        let size = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut parts = RawArrayBuf::new();
        parts.push(rawdoc! { "$eq": [{ "$bsonSize": "$$ROOT" }, size] });
        for (key, value) in self.read.iter().flatten() {
            let mut part = RawDocumentBuf::new();
            part.append(cstr!("v"), value);
            if !key.as_str().contains(['.', '$']) && part.as_bytes().len() < LARGE_PART_BYTES {
                parts.push(equal(RawBsonRef::String(&format!("${key}")), value));
            }
        }
        let mut all = RawDocumentBuf::new();
        all.append(cstr!("$and"), parts);
        all
    }
}

/// `{ $eq: [path, { $literal: value }] }`
fn equal(path: RawBsonRef<'_>, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut literal = RawDocumentBuf::new();
    literal.append(cstr!("$literal"), value);
    let mut sides = RawArrayBuf::new();
    sides.push(path);
    sides.push(literal);
    let mut expression = RawDocumentBuf::new();
    expression.append(cstr!("$eq"), sides);
    expression
}

/// The bytes of a document as the server stores it.
pub(crate) fn raw(document: &Document) -> Result<RawDocumentBuf, Failure> {
    RawDocumentBuf::try_from(document).map_err(|it| Failure::other(it.to_string()))
}

/// The size of a document in bytes, as the server counts it.
pub(crate) fn size(document: &Document) -> Result<usize, Failure> {
    Ok(raw(document)?.as_bytes().len())
}

pub(super) fn entry(mut document: Document) -> Entry {
    Entry {
        id: document.remove("_id").unwrap_or_default(),
        name: document.get_str("name").ok().map(str::to_owned),
        version: document.remove("version").unwrap_or_default(),
        bytes: number(document.get("bytes")).and_then(|it| usize::try_from(it).ok()).unwrap_or(0),
    }
}
