//! What the doctor says: where something is wrong, how that was seen, and what can be done about it.

use std::collections::BTreeMap;

use bson::{Bson, oid::ObjectId};
use serde::Serialize;

/// How many ids are shown of each finding.
const SHOWN: usize = 5;

/// The state of health of a database.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Diagnosis {
    /// Everything that is wrong, by kind.
    pub findings: Vec<Finding>,
    /// What should be known about it as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it was told to stop before it was through.
    pub stopped: bool,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its kind, in `snake_case`; stays the same from version to version.
    pub kind: &'static str,
    /// The dataset that has it; `None` if none has.
    pub dataset: Option<Subject>,
    /// What is wrong, in one sentence without a full stop.
    pub problem: String,
    /// How that was seen.
    pub evidence: Evidence,
    /// What is to be done.
    pub repair: Remedy,
    /// What came of the repair; `None` if none was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What exactly the repair is about.
    #[serde(skip)]
    pub(crate) targets: Vec<ObjectId>,
}

/// A dataset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subject {
    /// Its `_id`, as text.
    pub id: String,
    /// Its name; `None` if it has none.
    pub name: Option<String>,
    #[serde(skip)]
    pub(crate) key: Bson,
}

/// How something was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// How many of what.
    pub counts: BTreeMap<String, u64>,
    /// A few of them: ids, keys or paths.
    pub examples: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "by", content = "what", rename_all = "snake_case")]
pub enum Remedy {
    /// The repair does this.
    Doctor(String),
    /// A person has to decide, or to do this.
    Person(String),
}

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", content = "what", rename_all = "snake_case")]
pub enum Outcome {
    /// It is mended; this was done.
    Mended(String),
    /// It is as it was, for this reason.
    Left(String),
}

impl Finding {
    /// Something that is wrong, with nothing to be seen of it yet.
    pub(crate) fn new(
        kind: &'static str,
        dataset: Option<Subject>,
        problem: String,
        repair: Remedy,
    ) -> Self {
        let (evidence, targets) = (Evidence::default(), Vec::new());
        Self { kind, dataset, problem, evidence, repair, outcome: None, targets }
    }

    /// Counts something.
    pub(crate) fn count(mut self, what: impl Into<String>, many: u64) -> Self {
        if many > 0 {
            self.evidence.counts.insert(what.into(), many);
        }
        self
    }

    /// Shows a few examples.
    pub(crate) fn show(mut self, examples: impl IntoIterator<Item = String>) -> Self {
        self.evidence.examples.extend(examples);
        self.evidence.examples.truncate(SHOWN);
        self
    }

    /// Names all that the repair is about, and shows a few.
    pub(crate) fn about(mut self, targets: Vec<ObjectId>) -> Self {
        self = self.show(targets.iter().map(|it| it.to_hex()));
        self.targets = targets;
        self
    }

    /// Whether the repair has something to do.
    pub fn is_mendable(&self) -> bool {
        matches!(self.repair, Remedy::Doctor(_)) && !self.is_mended()
    }

    /// Whether it is no more.
    pub fn is_mended(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Mended(_)))
    }

    /// What to call the dataset in a sentence; `None` if no dataset has it.
    pub fn label(&self) -> Option<String> {
        self.dataset.as_ref().map(Subject::label)
    }
}

impl Subject {
    /// The dataset with this `_id`.
    pub(crate) fn new(key: Bson, name: Option<String>) -> Self {
        let id = match &key {
            Bson::ObjectId(id) => id.to_hex(),
            other => other.to_string(),
        };
        Self { id, name, key }
    }

    /// The dataset that a document, or a part of it, is about.
    pub(crate) fn of(document: &bson::Document) -> Self {
        let key = document.get("_id").cloned().unwrap_or_default();
        Self::new(key, document.get_str("name").ok().map(str::to_owned))
    }

    /// What to call it in a sentence. On one line, and with nothing in it that a terminal would obey.
    pub fn label(&self) -> String {
        self.name.as_deref().map_or_else(|| self.id.clone(), crate::report::printable)
    }
}

/// How many of what, in words.
pub(crate) fn many(count: u64, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

/// A count as it is shown.
pub(crate) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(repair: Remedy) -> Finding {
        Finding::new("broken", None, "it is broken".to_owned(), repair)
    }

    #[test]
    fn a_few_examples_are_enough_but_the_repair_is_about_all() {
        let ids: Vec<ObjectId> = (0..9).map(|it| ObjectId::from_bytes([it; 12])).collect();
        let finding = finding(Remedy::Doctor(String::new())).about(ids).count("ids", 9);
        assert_eq!((finding.evidence.examples.len(), finding.targets.len()), (SHOWN, 9));
        assert_eq!(finding.evidence.counts["ids"], 9);
    }

    #[test]
    fn what_a_person_has_to_decide_is_not_mended() {
        assert!(!finding(Remedy::Person(String::new())).is_mendable());
        let mut finding = finding(Remedy::Doctor(String::new()));
        assert!(finding.is_mendable());
        finding.outcome = Some(Outcome::Left("no".to_owned()));
        assert!(finding.is_mendable() && !finding.is_mended());
        finding.outcome = Some(Outcome::Mended("yes".to_owned()));
        assert!(!finding.is_mendable() && finding.is_mended());
    }
}
