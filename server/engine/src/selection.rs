//! Selections: which datasets somebody wants to do something with, frozen when they say so, however the datasets change.

use std::collections::HashSet;

use bson::oid::ObjectId;
use model::{
    Action, CheckResult, DatasetQuery, Permit, PlanCheck, SelectionSummary,
    words::{self, counted},
};
use serde::{Deserialize, Serialize};

use crate::{
    Engine, Error, Report, Result, clock,
    shown::sees_names,
    store::{Selected, Selection, Store},
};

/// How many of those that are gone are named.
const NAMED: usize = 10;

/// A selection, as requests and runs refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frozen {
    /// What identifies it.
    pub id: ObjectId,
    /// How many datasets there are in it.
    pub datasets: u64,
}

impl Engine {
    /// Selects datasets that there are for whoever has the permit: those with these ids, or all that are looked for. Written to the runs' own database, and kept for a
    /// day, or as long as the run that is made of it.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if there is nothing to select.
    pub async fn select(
        &self,
        permit: &Permit,
        query: &DatasetQuery,
        ids: Option<&[String]>,
    ) -> Result<SelectionSummary> {
        permit.covers(Action::PreviewMigration)?;
        let rights = self.rights(permit).await?;
        let reading = self.fresh_reading().await?;
        let (catalog, listing) = (reading.as_seen(&rights), reading.listing());
        let places = match ids {
            None => catalog.matching(query),
            Some(ids) => {
                let ids: HashSet<&str> = ids.iter().map(String::as_str).collect();
                let wanted = |id: &str| ids.contains(id) && rights.sees(id);
                (0..listing.len()).filter(|it| wanted(listing.id(*it))).collect()
            }
        };
        let entries = places.into_iter().filter_map(|it| listing.entry(it));
        let datasets: Vec<Selected> =
            entries.map(|it| Selected { label: it.label(), id: it.id }).collect();
        if datasets.is_empty() {
            return Err(Error::Refused(match ids {
                Some([]) => {
                    "no dataset is checked; check some, or select all that were found".to_owned()
                }
                Some(_) => {
                    "none of these datasets is there any more; look at the list again".to_owned()
                }
                None => {
                    "nothing was found that could be selected; look for something else".to_owned()
                }
            }));
        }
        let id = ObjectId::new();
        let query = ids.is_none().then(|| query.at(1).text());
        let error = |it| self.store.error(it);
        let kept = self.store.keep_selection(id, permit.holder(), query.as_deref(), &datasets);
        kept.await.map_err(error)?;
        Ok(summary(self.kept(id).await?))
    }

    /// A selection that was made before.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the permit does not cover it; [`Error::Refused`] if it is not kept any more, or somebody else has
    /// made it, who may see more than whoever asks.
    pub async fn selection(&self, permit: &Permit, id: &str) -> Result<SelectionSummary> {
        let frozen = self.frozen(permit, id).await?;
        Ok(summary(self.kept(frozen.id).await?))
    }

    /// The same, to refer to it.
    pub(crate) async fn frozen(&self, permit: &Permit, id: &str) -> Result<Frozen> {
        permit.covers(Action::PreviewMigration)?;
        let id = ObjectId::parse_str(id).map_err(|_| gone(id))?;
        let selection = self.kept(id).await?;
        if !sees_names(permit) && selection.by != permit.holder() {
            return Err(gone(&id.to_hex()));
        }
        Ok(Frozen { id, datasets: u64::try_from(selection.datasets).unwrap_or(0) })
    }

    /// Keeps a selection as long as the run that is made of it.
    pub(crate) async fn keep_for_a_run(&self, frozen: Frozen) -> Result<()> {
        let selection = self.kept(frozen.id).await?;
        let kept = self.store.keep_selection_for_good(&selection).await;
        kept.map_err(|it| self.store.error(it))?;
        // It may have run out in this moment.
        selected(&self.store, frozen).await.map(drop)
    }

    /// What there is to say of a selection before it is migrated: whether all of it is still there.
    pub(crate) async fn check_selection(
        &self,
        frozen: Frozen,
        report: &Report,
    ) -> Result<PlanCheck> {
        let selection = self.kept(frozen.id).await?;
        let there: HashSet<&str> = report.datasets.iter().map(|it| it.id.as_str()).collect();
        let datasets = selected(&self.store, frozen).await?;
        let gone =
            datasets.iter().filter(|it| !there.contains(crate::tally::text(&it.id).as_str()));
        let gone: Vec<&str> = gone.map(|it| it.label.as_str()).collect();
        let at = words::moment(&clock::text(selection.at));
        let made = format!(
            "{}, selected by {} on {at}",
            counted(frozen.datasets, "dataset"),
            crate::printable(&selection.by)
        );
        let subject = "Selection".to_owned();
        if gone.is_empty() {
            let (result, evidence) = (CheckResult::Good, format!("{made}; all of them are there"));
            return Ok(PlanCheck { subject, result, evidence, cause: None, remedy: None });
        }
        let named = gone.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = gone.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Ok(PlanCheck {
            subject,
            result: CheckResult::Caution,
            evidence: format!("{made}; {} gone: {named}{more}", of_them(gone.len())),
            cause: Some("they were deleted since they were selected".to_owned()),
            remedy: Some("look whether that was meant; the others can be migrated".to_owned()),
        })
    }

    async fn kept(&self, id: ObjectId) -> Result<Selection> {
        let found = self.store.selection(id).await.map_err(|it| self.store.error(it))?;
        found.ok_or_else(|| gone(&id.to_hex()))
    }
}

/// The ids of the datasets of a selection, as text.
pub async fn selected_ids(store: &Store, frozen: Frozen) -> Result<HashSet<String>> {
    let datasets = selected(store, frozen).await?;
    Ok(datasets.iter().map(|it| crate::tally::text(&it.id)).collect())
}

async fn selected(store: &Store, frozen: Frozen) -> Result<Vec<Selected>> {
    let found = store.selected(frozen.id).await.map_err(|it| store.error(it))?;
    found.ok_or_else(|| gone(&frozen.id.to_hex()))
}

fn gone(id: &str) -> Error {
    Error::Refused(format!(
        "selection `{}` is not kept, or not any more; select the datasets again",
        crate::printable(id)
    ))
}

fn of_them(count: usize) -> String {
    if count == 1 {
        "1 of them is".to_owned()
    } else {
        format!("{} of them are", words::count(crate::catalog::whole(count)))
    }
}

fn summary(selection: Selection) -> SelectionSummary {
    SelectionSummary {
        id: selection.id.to_hex(),
        by: selection.by,
        at: clock::text(selection.at),
        datasets: u64::try_from(selection.datasets).unwrap_or(0),
        query: selection.query,
        expires: selection.expires.map(clock::text),
    }
}
