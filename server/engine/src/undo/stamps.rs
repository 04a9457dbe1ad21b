//! Datasets that only got another version get their old one again, whatever else somebody has changed of them.

use std::collections::BTreeMap;

use bson::{Bson, Document};

use super::Back;
use crate::{
    DatasetReport, State,
    store::{Entry, Failure, Kind},
};

impl Back {
    /// What became of each of those that are wanted.
    pub(super) async fn stamps(
        &self,
        entries: &[Document],
        reports: &BTreeMap<String, DatasetReport>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<DatasetReport>, Failure> {
        let mut then: BTreeMap<String, (Bson, String)> = BTreeMap::new();
        for entry in entries.iter().filter(|it| Kind::Stamps.is_of(it)) {
            let list = |key: &str| entry.get_array(key).cloned().unwrap_or_default();
            let version = entry.get_str("version").unwrap_or_default();
            let mut swaps: BTreeMap<String, Vec<(Bson, Bson)>> = BTreeMap::new();
            for (id, old) in list("ids").into_iter().zip(list("versions")) {
                let text = text(&id);
                let Bson::String(old) = old else { continue };
                if is_wanted(&text) {
                    swaps.entry(old.clone()).or_default().push((id.clone(), version.into()));
                    then.insert(text, (id, old));
                }
            }
            for (old, swaps) in swaps {
                if self.control.may_go_on().await {
                    self.store.stamp_datasets(&swaps, &old).await?;
                }
            }
        }
        if then.is_empty() {
            return Ok(Vec::new());
        }
        let now: BTreeMap<String, Entry> =
            self.store.entries().await?.into_iter().map(|it| (it.id_text(), it)).collect();
        let told = then.into_iter().filter_map(|(id, (_, old))| {
            let mut report = reports.get(&id)?.clone();
            let found = now.get(&id).map(|it| it.version.as_str().unwrap_or("no version"));
            if found == Some(old.as_str()) {
                (report.state, report.reason) = (State::Undone, None);
            } else if !self.control.is_stopped() {
                report.state = State::NotUndone;
                report.reason = Some(match found {
                    Some(found) => format!("it is at {found} now: somebody has migrated it since"),
                    None => "it was deleted since".to_owned(),
                });
            }
            Some(report)
        });
        Ok(told.collect())
    }
}

fn text(id: &Bson) -> String {
    Entry { id: id.clone(), name: None, version: Bson::Null, bytes: 0 }.id_text()
}
