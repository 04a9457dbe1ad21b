//! The documents of a dataset before and after, and what happens beside them.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc, oid::ObjectId};
use model::{
    Diff, DocumentChange, DocumentFate, Value, quoted,
    words::{counted, either},
};
use revisions::{Effect, Release, Scope};

use super::{
    samples::{Sampled, sampled},
    value,
};
use crate::{
    Engine,
    load::{Work, decoded},
    report::printable,
    store::{Entry, Failure},
};

/// How many runs are told.
const RUNS: usize = 20;

/// About how many values of one document are told, and how many letters of its JSON.
const VALUES: u64 = 1_500;
const LETTERS: usize = 64 << 10;

/// A document as it is, and as it would be.
#[derive(Debug)]
pub struct Pair {
    title: String,
    collection: String,
    before: Option<Document>,
    after: Option<Document>,
}

/// What a migration does to the documents of a dataset.
pub struct Pairs {
    /// Its document, its runs, a few samples and frames.
    pub documents: Vec<Pair>,
    /// What happens in other collections.
    pub elsewhere: Vec<String>,
    /// What is not among them.
    pub left: Vec<String>,
}

/// What is said of one of them, and of several.
const VIEWS: (&str, &str) = ("saved view is", "saved views are");
const RESULTS: (&str, &str) = ("file of results is", "files of results are");
const OPERATIONS: (&str, &str) = ("delegated operation is", "delegated operations are");

impl Engine {
    /// The documents that a migration changes.
    pub(super) async fn pairs(
        &self,
        work: &Work,
        existing: &BTreeSet<String>,
    ) -> Result<Pairs, Failure> {
        let [before, after] = [&work.read.document, &work.changed.document].map(decoded);
        let [before, after] = [before.map_err(Failure::other)?, after.map_err(Failure::other)?];
        let mut left = Vec::new();
        let mut documents = runs(&before, &after, work, &mut left);
        documents.insert(0, Pair::of_dataset(before, after));
        for it in sampled(&self.store, work, existing).await? {
            left.extend(self.not_shown(&it, existing).await?);
            let what = match it.scope {
                Scope::Samples => "Sample",
                Scope::Frames => "Frame",
            };
            documents.extend(it.documents.into_iter().map(|(before, after)| {
                let id = crate::tally::text(before.get("_id").unwrap_or(&Bson::Null));
                let title = format!("{what} {}", printable(&id));
                let collection = it.collection.clone();
                Pair { title, collection, before: Some(before), after: Some(after) }
            }));
        }
        Ok(Pairs { documents, elsewhere: self.elsewhere(work, existing).await?, left })
    }

    async fn not_shown(
        &self,
        of: &Sampled,
        existing: &BTreeSet<String>,
    ) -> Result<Option<String>, Failure> {
        let what = match of.scope {
            Scope::Samples => "sample",
            Scope::Frames => "frame",
        };
        if !existing.contains(&of.collection) {
            return Ok(None);
        }
        let all = self.store.weight(&of.collection).await?.documents;
        let shown = whole(of.documents.len());
        Ok((all > shown)
            .then(|| format!("{} of about {} are shown.", words(shown), counted(all, what))))
    }

    async fn elsewhere(
        &self,
        work: &Work,
        existing: &BTreeSet<String>,
    ) -> Result<Vec<String>, Failure> {
        let (mut views, mut rewritten, mut deleted, mut returned) = (0, 0, 0, 0);
        let (mut put_back, mut operations) = (BTreeMap::new(), 0);
        let mut said = Vec::new();
        for effect in work.effects() {
            match effect {
                Effect::DeleteViews(ids) => views += ids.len(),
                Effect::RewriteResults { .. } => rewritten += 1,
                Effect::DeleteResults(_) => deleted += 1,
                Effect::ReturnResults { .. } => returned += 1,
                Effect::PutBack { collection, documents } => {
                    *put_back.entry(*collection).or_insert(0) += documents.len();
                }
                Effect::ChangeOperation { .. } => operations += 1,
                Effect::RenameOperationLog { from, to } => {
                    let is_log = doc! { "$regex": r"\.log$" };
                    let filter = doc! { "dataset_id": &work.task.entry.id, *from: is_log };
                    let stages = vec![doc! { "$match": filter }];
                    let any = existing.contains("delegated_ops")
                        && self.store.finds("delegated_ops", stages).await? != Some(false);
                    said.extend(any.then(|| {
                        format!("In its delegated operations `{from}` becomes `{to}` where it is a log file.")
                    }));
                }
            }
        }
        let counts = [
            (views, VIEWS, "deleted"),
            (rewritten, RESULTS, "written anew for this version"),
            (deleted, RESULTS, "deleted"),
            (returned, RESULTS, "given back by the archive"),
            (operations, OPERATIONS, "given back by the archive"),
        ];
        for (count, (one, several), fate) in counts {
            let told = either(whole(count), one, several);
            said.extend((count > 0).then(|| format!("{told} {fate}.")));
        }
        for (collection, count) in put_back {
            let documents = counted(whole(count), "document");
            said.push(format!("The archive gives {documents} back to `{collection}`."));
        }
        Ok(said)
    }
}

impl Pair {
    /// The document of a dataset.
    pub fn of_dataset(before: Document, after: Document) -> Self {
        let collection = "datasets".to_owned();
        Self {
            title: "Dataset document".to_owned(),
            collection,
            before: Some(before),
            after: Some(after),
        }
    }

    /// What a page gets of it.
    pub fn told(self) -> DocumentChange {
        let Self { title, collection, before, after } = self;
        let [before, after] = [before, after].map(|it| it.map(|it| value::document(&it)));
        let fate = match (&before, &after) {
            (Some(before), Some(after)) if before == after => DocumentFate::Stays,
            (Some(_), Some(_)) => DocumentFate::Changed,
            (None, _) => DocumentFate::Added,
            (Some(_), None) => DocumentFate::Removed,
        };
        let none = Value::Document(Vec::new());
        let diff = Diff::of(before.as_ref().unwrap_or(&none), after.as_ref().unwrap_or(&none));
        let diff = diff.unwrap_or_default();
        let changes = diff.changes();
        let mut most = VALUES;
        let json = |it: Option<Value>| it.map(|it| it.json()).filter(|it| it.len() <= LETTERS);
        DocumentChange {
            title,
            collection: printable(&collection),
            fate,
            diff: diff.within(&mut most),
            changes,
            before: json(before),
            after: json(after),
        }
    }
}

/// All of them as one document: `{ dataset, from, to, documents: [{ collection, before, after }] }`.
pub fn json(entry: &Entry, destination: &Release, pairs: &[Pair]) -> String {
    let null = || "null".to_owned();
    let side =
        |it: &Option<Document>| it.as_ref().map_or_else(null, |it| value::document(it).json());
    let each = pairs.iter().map(|it| {
        let (before, after) = (side(&it.before), side(&it.after));
        let collection = quoted(&it.collection);
        format!("{{\"collection\": {collection}, \"before\": {before}, \"after\": {after}}}")
    });
    let each = each.collect::<Vec<_>>().join(",\n");
    let from = entry.version.as_str().map_or_else(null, quoted);
    let (id, to) = (quoted(&entry.id_text()), quoted(&destination.to_string()));
    format!("{{\"dataset\": {id}, \"from\": {from}, \"to\": {to}, \"documents\": [\n{each}\n]}}\n")
}

/// The runs that are added, changed or removed.
fn runs(before: &Document, after: &Document, work: &Work, left: &mut Vec<String>) -> Vec<Pair> {
    let (read, changed) = (&work.read.runs, &work.changed.runs);
    let ids: BTreeSet<&ObjectId> = read.keys().chain(changed.keys()).collect();
    let other = |it: &&&ObjectId| read.get(**it) != changed.get(**it);
    let all = ids.iter().filter(other).count();
    if all > RUNS {
        left.push(format!("{} of {} are shown.", words(whole(RUNS)), counted(whole(all), "run")));
    }
    let pair = |id: &&ObjectId| {
        let key = run_key(after, **id).or_else(|| run_key(before, **id));
        Pair {
            title: format!("Run {}", printable(&key.unwrap_or_else(|| id.to_hex()))),
            collection: "runs".to_owned(),
            before: read.get(*id).cloned(),
            after: changed.get(*id).cloned(),
        }
    };
    ids.iter().filter(other).take(RUNS).map(pair).collect()
}

/// The key under which a dataset document has a run.
fn run_key(document: &Document, id: ObjectId) -> Option<String> {
    const FIELDS: [&str; 4] = ["annotation_runs", "brain_methods", "evaluations", "runs"];
    FIELDS.iter().find_map(|field| {
        let slots = document.get_document(field).ok()?;
        slots.iter().find(|(_, it)| it.as_object_id() == Some(id)).map(|(key, _)| key.clone())
    })
}

fn words(count: u64) -> String {
    model::words::count(count)
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
