//! Bringing paths back that were rewritten, each only where what was written still stands.

use std::collections::BTreeMap;

use bson::{Bson, oid::ObjectId};
use model::{Action, Permit};
use serde::Serialize;

use super::{TransferPhase, TransferProgress};
use crate::{
    Engine, Error, Result,
    doctor::lease_lost,
    guard::Guard,
    progress::Control,
    store::{Asked, RewriteRecord, RewriteValue},
};

/// How many paths are brought back at once.
const PIECE: i64 = 2_000;

/// What was brought back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UndonePaths {
    /// The dataset.
    pub name: String,
    /// How many paths are what they were before.
    pub restored: u64,
    /// How many were changed since, and left as they are.
    pub changed_since: u64,
}

impl Engine {
    /// Brings back what a rewriting has changed; only in one field, if one is named. Safe to repeat.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no such rewriting, somebody else writes to the database, or it cannot go on.
    pub async fn undo_rewrite(
        &self,
        permit: &Permit,
        id: &str,
        field: Option<&str>,
        control: Control,
        progress: &TransferProgress,
    ) -> Result<UndonePaths> {
        permit.covers(Action::RewritePaths)?;
        self.may_write("bringing paths back")?;
        let error = |it| self.store.error(it);
        let unknown = || {
            Error::Refused(format!(
                "there is no rewriting `{id}`; `fiftyone-migrate rewrite-paths DATASET --list-undo` has those there are"
            ))
        };
        let parsed = ObjectId::parse_str(id).map_err(|_| unknown())?;
        let record = self.store.rewriting(parsed).await.map_err(error)?.ok_or_else(unknown)?;
        self.may_edit(permit, &crate::tally::text(&record.dataset)).await?;
        let fields = self.store.rewritten_fields(parsed).await.map_err(error)?;
        let wanted: Vec<String> =
            fields.iter().filter(|it| field.is_none_or(|name| name == *it)).cloned().collect();
        if wanted.is_empty() {
            let what = field.map_or(String::new(), |it| format!(" of `{it}`"));
            return Err(Error::Refused(format!(
                "the rewriting `{id}` has changed no paths{what}; it has changed those of {}",
                fields.join(", ")
            )));
        }
        let guard = Guard::take(&self.store, ObjectId::new(), &Asked::repair(), &control).await?;
        let done = self.brought_back(&record, &wanted, &control, progress).await;
        guard.end(done).await
    }

    async fn brought_back(
        &self,
        record: &RewriteRecord,
        fields: &[String],
        control: &Control,
        progress: &TransferProgress,
    ) -> Result<UndonePaths> {
        let error = |it| self.store.error(it);
        let mut undone = UndonePaths { name: record.name.clone(), ..UndonePaths::default() };
        progress.enter(TransferPhase::Rewriting);
        for field in fields {
            let mut before = None;
            loop {
                let kept = self.store.kept_paths(record.id, field, before, PIECE).await;
                let kept = kept.map_err(error)?;
                let Some(last) = kept.last() else { break };
                before = Some(last.id);
                let mut by_collection: BTreeMap<&str, Vec<(&RewriteValue, &str, &str)>> =
                    BTreeMap::new();
                for it in &kept {
                    let one = (it, it.to.as_str(), it.from.as_str());
                    by_collection.entry(&it.collection).or_default().push(one);
                }
                for (collection, paths) in by_collection {
                    let restored = self.put_paths(control, collection, &paths).await?;
                    let restored = restored.ok_or_else(|| stopped(control))?;
                    undone.restored += restored;
                    undone.changed_since += (paths.len() as u64).saturating_sub(restored);
                }
                progress.seen(kept.len() as u64);
            }
            self.store.rewrite_is_undone(record.id, field).await.map_err(error)?;
        }
        Ok(undone)
    }

    /// The rewritings of a dataset, the last one first: the id, when, by whom, and what, in one sentence each.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or the server cannot be reached.
    pub async fn rewritings(
        &self,
        permit: &Permit,
        dataset: &str,
    ) -> Result<Vec<(String, String)>> {
        self.may_edit(permit, dataset).await?;
        let subject = self.subject(dataset, &[]).await?;
        self.rewritings_of(&subject.entry.id).await
    }

    pub(super) async fn rewritings_of(&self, dataset: &Bson) -> Result<Vec<(String, String)>> {
        let found = self.store.rewritings(dataset).await;
        let found = found.map_err(|it| self.store.error(it))?;
        let text = |it: &RewriteRecord| {
            let when = it.begun.try_to_rfc3339_string().unwrap_or_default();
            let cut_off = if it.ended.is_none() { "; it was cut off" } else { "" };
            let undone = if it.undone.is_empty() {
                String::new()
            } else {
                format!("; brought back: {}", it.undone.join(", "))
            };
            format!("{when} by {}: {}{cut_off}{undone}", it.by, it.what)
        };
        Ok(found.iter().map(|it| (it.id.to_hex(), text(it))).collect())
    }
}

fn stopped(control: &Control) -> Error {
    if control.is_over() {
        return lease_lost();
    }
    let what = "stopped: some paths are brought back; run the same again to go on";
    Error::Refused(what.to_owned())
}
