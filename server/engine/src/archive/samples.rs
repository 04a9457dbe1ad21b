//! Giving back values of samples and frames: to documents that still exist, where nobody has set them meanwhile.

use std::{collections::HashMap, sync::atomic::Ordering};

use bson::{Bson, Document};
use revisions::{
    Footprint, Scope, Step,
    merge::{Anywhere, are_same, merge},
};

use super::{Archive, Returning, values_of};
use crate::{
    pass::Halt,
    store::{Failure, Rewrite, Store},
};

/// How many documents are looked at at once.
const RANGE_DOCUMENTS: i64 = 500;

/// How often a document that others keep changing is read again.
const ATTEMPTS: usize = 5;

impl Archive {
    /// Gives back what an entry has of samples and frames, after all passes. The same again changes nothing.
    pub async fn return_values(&self, it: &Returning) -> Result<(), Halt> {
        let entry = &it.entry;
        let scopes =
            [("samples", Scope::Samples, &entry.samples), ("frames", Scope::Frames, &entry.frames)];
        let mut left = 0;
        for (turn, passes) in (0_i32..).zip(&entry.passes) {
            for (name, scope, collection) in scopes {
                let footprint = passes.get_document(name).ok().and_then(Footprint::read);
                if footprint.is_none() || !self.existing.contains(collection) {
                    continue;
                }
                let values = values_of(entry, turn, name);
                let mut after = None;
                loop {
                    if !self.control.may_go_on().await {
                        return Err(Halt::Stopped);
                    }
                    let kept = self.store.kept_values(&values, after.as_ref(), RANGE_DOCUMENTS);
                    let kept = kept.await?;
                    let Some(last) = kept.last() else { break };
                    after = last.get("_id").cloned();
                    left += self.return_range(collection, &kept, (scope, it)).await?;
                    self.control.wrote();
                }
            }
        }
        it.left.store(left, Ordering::Relaxed);
        Ok(())
    }

    /// Returns in how many of them something stays that was set meanwhile.
    async fn return_range(
        &self,
        collection: &str,
        kept: &[Document],
        (scope, it): (Scope, &Returning),
    ) -> Result<u64, Failure> {
        let mut wanted: HashMap<String, (Document, Document)> = HashMap::new();
        let mut ids = Vec::new();
        for kept in kept {
            if let Some((id, base, original)) = it.wanted(kept, scope) {
                ids.push(id.clone());
                wanted.insert(id.to_string(), (base, original));
            }
        }
        let mut left = 0;
        for _ in 0..ATTEMPTS {
            if ids.is_empty() {
                return Ok(left);
            }
            let now = self.store.documents_with(collection, &ids).await?;
            let mut rewrites = Vec::new();
            for read in now {
                let id = read.get("_id").map(ToString::to_string).unwrap_or_default();
                let Some((base, original)) = wanted.get(&id) else { continue };
                let (changed, stays) = given(base, original, &read);
                left += u64::from(stays);
                if !are_same(&changed, &read) {
                    rewrites.push(Rewrite { read, changed });
                }
            }
            ids = rewrites.iter().filter_map(|it| it.read.get("_id").cloned()).collect();
            if self.store.rewrite_documents(collection, &rewrites).await? {
                return Ok(left);
            }
        }
        Err(Failure::other(format!(
            "documents of `{collection}` are changed by somebody else faster than they can be given back what the archive \
             has of them; pause what writes to the dataset and run this again"
        )))
    }
}

impl Returning {
    /// What becomes of a document of which something was kept, if nobody has changed it, and what it was to be; `None` if
    /// that is the same.
    fn wanted(&self, kept: &Document, scope: Scope) -> Option<(Bson, Document, Document)> {
        let (id, mut value) = (kept.get("_id")?.clone(), kept.get_document("v").ok()?.clone());
        value.insert("_id", id.clone());
        let base = after(value.clone(), &self.base, scope);
        let original = after(value, &self.original, scope);
        (!are_same(&base, &original)).then_some((id, base, original))
    }

    /// These documents of a collection with what the entry gives back to them, in the same order. Writes nothing.
    pub async fn given_to(
        &self,
        store: &Store,
        scope: Scope,
        mut documents: Vec<Document>,
    ) -> Result<Vec<Document>, Failure> {
        let name = match scope {
            Scope::Samples => "samples",
            Scope::Frames => "frames",
        };
        let ids: Vec<Bson> = documents.iter().filter_map(|it| it.get("_id").cloned()).collect();
        for (turn, passes) in (0_i32..).zip(&self.entry.passes) {
            if ids.is_empty() || passes.get_document(name).ok().and_then(Footprint::read).is_none()
            {
                continue;
            }
            let kept = store.kept_values_of(&values_of(&self.entry, turn, name), &ids).await?;
            for (id, base, original) in kept.iter().filter_map(|it| self.wanted(it, scope)) {
                if let Some(it) = documents.iter_mut().find(|it| it.get("_id") == Some(&id)) {
                    *it = given(&base, &original, it).0;
                }
            }
        }
        Ok(documents)
    }
}

/// A document after these steps. What is merged from one collection into another is not known here; it does not have to
/// be, because it is computed again.
fn after(mut document: Document, steps: &[Step], at: Scope) -> Document {
    for step in steps {
        if let Step::Update { scope, update } = step
            && *scope == at
        {
            update.apply(&mut document);
        }
    }
    document
}

/// What is there, with what comes back, and whether something of it stays that was set meanwhile. Only of the keys that
/// were kept anything is known.
fn given(base: &Document, original: &Document, read: &Document) -> (Document, bool) {
    let keys = base.keys().chain(original.keys());
    let mut current = Document::new();
    for key in keys {
        if let Some(value) = read.get(key) {
            current.insert(key.clone(), value.clone());
        }
    }
    let mut conflicts = Vec::new();
    let merged = merge(base, original, &current, &Anywhere, &mut conflicts);
    let mut changed = read.clone();
    for key in current.keys().filter(|it| !merged.contains_key(*it)) {
        changed.remove(key);
    }
    for (key, value) in merged {
        if read.get(&key) != Some(&value) {
            changed.insert(key, value);
        }
    }
    (changed, !conflicts.is_empty())
}
