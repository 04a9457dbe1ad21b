//! How large collections are, by what the server keeps beside them: nothing is counted.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store, server::number};

/// How many collections are asked about by one command, whose answer comes at once: with several hundred, and with an answer
/// in parts, MongoDB 6 runs out of memory describing to itself what it does.
const TOGETHER: usize = 100;

/// How much there is in a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// About how many documents.
    pub documents: u64,
    /// About how many bytes they have.
    pub bytes: u64,
}

impl Weight {
    /// How many bytes a document has on average.
    pub fn average(self) -> u64 {
        self.bytes.checked_div(self.documents).unwrap_or(0)
    }
}

impl Store {
    /// How much there is in a collection: nothing, as far as can be seen, where the server does not say it.
    pub async fn weight(&self, collection: &str) -> Result<Weight, Failure> {
        match self.weights(&[collection]).await {
            Err(failure) if failure.is_unreachable() => Err(failure),
            // Dropped in this moment, or not ours to ask. Only the progress is told by it.
            Err(_) => Ok(Weight::default()),
            Ok(weights) => Ok(weights.into_values().next().unwrap_or_default()),
        }
    }

    /// How many documents each of these collections has. They have to exist.
    pub async fn documents_in(
        &self,
        collections: &[&str],
    ) -> Result<BTreeMap<String, u64>, Failure> {
        Ok(self
            .weighed(collections, &doc! { "count": {} })
            .await?
            .into_iter()
            .map(|(name, it)| (name, it.documents))
            .collect())
    }

    /// How much there is in each of these collections, which takes the server longer. They have to exist.
    pub async fn weights(&self, collections: &[&str]) -> Result<BTreeMap<String, Weight>, Failure> {
        self.weighed(collections, &doc! { "count": {}, "storageStats": {} }).await
    }

    async fn weighed(
        &self,
        collections: &[&str],
        what: &Document,
    ) -> Result<BTreeMap<String, Weight>, Failure> {
        let shape = doc! { "count": 1, "size": "$storageStats.size" };
        let whole = |it: Option<&Bson>| number(it).and_then(|it| u64::try_from(it).ok());
        let mut weights: BTreeMap<String, Weight> = BTreeMap::new();
        for (name, it) in self.statistics(collections, what, shape).await? {
            let weight = weights.entry(name).or_default();
            weight.documents += whole(it.get("count")).unwrap_or(0);
            weight.bytes += whole(it.get("size")).unwrap_or(0);
        }
        Ok(weights)
    }

    /// What `$collStats` says of each of these collections, in this shape: one that is spread over several servers is told by
    /// each of them. They have to exist.
    pub(super) async fn statistics(
        &self,
        collections: &[&str],
        what: &Document,
        mut shape: Document,
    ) -> Result<Vec<(String, Document)>, Failure> {
        shape.insert("ns", 1);
        let (own, mut all) = (doc! { "$collStats": what }, Vec::new());
        for chunk in collections.chunks(TOGETHER) {
            let each = chunk.iter().map(|it| (*it, vec![own.clone()]));
            let Some((first, mut stages)) = together(each) else { continue };
            // Once behind all of them: reading it for each would take the server longer than doing it.
            stages.push(doc! { "$project": shape.clone() });
            let mut found = self.collection(first).aggregate(stages).batch_size(1_000).await?;
            while let Some(it) = found.try_next().await? {
                let namespace = it.get_str("ns").unwrap_or_default();
                let name = namespace.strip_prefix(self.name()).and_then(|it| it.strip_prefix('.'));
                if let Some(name) = name {
                    all.push((name.to_owned(), it));
                }
            }
        }
        Ok(all)
    }
}

/// One pipeline over several collections, each with stages of its own, and the collection that it begins with; `None` for no
/// collection.
pub(super) fn together<'a>(
    each: impl IntoIterator<Item = (&'a str, Vec<Document>)>,
) -> Option<(&'a str, Vec<Document>)> {
    let mut each = each.into_iter();
    let (first, mut stages) = each.next()?;
    stages.extend(each.map(|(collection, pipeline)| {
        doc! { "$unionWith": { "coll": collection, "pipeline": pipeline } }
    }));
    Some((first, stages))
}
