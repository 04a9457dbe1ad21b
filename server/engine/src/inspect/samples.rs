//! A few samples and frames before and after a migration: what its passes make of them, without writing.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use revisions::{Collections, Merge, Pass, Scope, Stage, stages};

use crate::{
    load::Work,
    store::{Failure, Store},
};

/// How many of each collection.
const MOST: u32 = 3;

/// One that is larger is not shown.
const BYTES: u32 = 256 << 10;

/// A few documents of a collection.
#[derive(Debug)]
pub struct Sampled {
    /// Of which collection.
    pub scope: Scope,
    /// Its name.
    pub collection: String,
    /// As they are, and as they would be.
    pub documents: Vec<(Document, Document)>,
}

/// The first samples, and frames of theirs, with what the migration makes of them: the server is asked for what it would write.
pub async fn sampled(
    store: &Store,
    work: &Work,
    existing: &BTreeSet<String>,
) -> Result<[Sampled; 2], Failure> {
    let (names, stages) = (&work.collections, stages(&work.steps));
    let looking = Looking { store, names, existing };
    let samples = looking.first(&names.samples, doc! {}).await?;
    let frames = looking.frames_of(&samples, &stages).await?;
    let mut samples = Sampled::of(Scope::Samples, &names.samples, samples);
    let mut frames = Sampled::of(Scope::Frames, &names.frames, frames);
    for stage in &stages {
        match stage {
            Stage::Passes { samples: of_samples, frames: of_frames } => {
                looking.pass(&mut samples, of_samples.as_ref()).await?;
                looking.pass(&mut frames, of_frames.as_ref()).await?;
            }
            Stage::Merge(merge) => {
                let from = if merge.from == Scope::Samples { &samples } else { &frames };
                let found = looking.merged(from, merge).await?;
                let into = if merge.into == Scope::Samples { &mut samples } else { &mut frames };
                into.merge(found);
            }
        }
    }
    for entry in work.back.iter().flat_map(|it| &it.entries) {
        for it in [&mut samples, &mut frames] {
            let now = it.documents.iter().map(|(_, now)| now.clone()).collect();
            let given = entry.given_to(store, it.scope, now).await?;
            it.documents.iter_mut().zip(given).for_each(|((_, now), given)| *now = given);
        }
    }
    Ok([samples, frames])
}

struct Looking<'a> {
    store: &'a Store,
    names: &'a Collections,
    existing: &'a BTreeSet<String>,
}

impl Looking<'_> {
    async fn first(&self, collection: &str, filter: Document) -> Result<Vec<Document>, Failure> {
        if !self.existing.contains(collection) {
            return Ok(Vec::new());
        }
        self.store.first_documents(collection, filter, MOST, BYTES).await
    }

    /// Frames of these samples; of old ones, the samples themselves say which, as the merge does that tells the frames.
    async fn frames_of(
        &self,
        samples: &[Document],
        stages: &[Stage],
    ) -> Result<Vec<Document>, Failure> {
        let (all, frames) = (doc! {}, &self.names.frames);
        let told = stages.iter().find_map(|it| match it {
            Stage::Merge(merge) if (merge.from, merge.into) == (Scope::Samples, Scope::Frames) => {
                Some(merge)
            }
            Stage::Merge(_) | Stage::Passes { .. } => None,
        });
        let ids: Vec<Bson> = match told {
            Some(merge) => {
                let of = Sampled::of(Scope::Samples, &self.names.samples, samples.to_vec());
                let found = self.merged(&of, merge).await?;
                let ids = found.into_iter().filter_map(|mut it| it.remove("_id"));
                ids.take(usize::try_from(MOST).unwrap_or(0)).collect()
            }
            None => samples.iter().filter_map(|it| it.get("_id").cloned()).collect(),
        };
        let key = if told.is_some() { "_id" } else { "_sample_id" };
        match self.first(frames, doc! { key: { "$in": ids } }).await {
            Ok(found) if !found.is_empty() => Ok(found),
            Err(failure) if !failure.is_too_slow() => Err(failure),
            _ => self.first(frames, all).await,
        }
    }

    async fn pass(&self, of: &mut Sampled, pass: Option<&Pass>) -> Result<(), Failure> {
        match pass {
            None => {}
            Some(Pass::Client(updates)) => {
                for (_, now) in &mut of.documents {
                    for it in updates {
                        it.apply(now);
                    }
                }
            }
            Some(Pass::Server(stages, _)) => {
                for (_, now) in &mut of.documents {
                    // One that is deleted in this moment stays as it was.
                    let after = self.store.staged(&of.collection, now, stages).await?.pop();
                    *now = after.unwrap_or_else(|| std::mem::take(now));
                }
            }
        }
        Ok(())
    }

    /// What a merge makes of these documents: `[{ _id, keys to set }]`.
    async fn merged(&self, from: &Sampled, merge: &Merge) -> Result<Vec<Document>, Failure> {
        let (mut found, stages) = (Vec::new(), (merge.stages)(self.names));
        for (_, now) in &from.documents {
            found.extend(self.store.staged(&from.collection, now, &stages).await?);
        }
        Ok(found)
    }
}

impl Sampled {
    fn of(scope: Scope, collection: &str, documents: Vec<Document>) -> Self {
        let documents = documents.into_iter().map(|it| (it.clone(), it)).collect();
        Self { scope, collection: collection.to_owned(), documents }
    }

    /// As the server merges: keys that are there stay in their place.
    fn merge(&mut self, found: Vec<Document>) {
        for merged in found {
            let id = merged.get("_id").cloned();
            let same = |(_, now): &&mut (Document, Document)| now.get("_id") == id.as_ref();
            if let Some((_, now)) = self.documents.iter_mut().find(same) {
                now.extend(merged);
            }
        }
    }
}
