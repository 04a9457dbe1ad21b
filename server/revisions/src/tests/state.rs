//! Whole databases that the real FiftyOne 1.22.1 left, from `fixtures/`.
//!
//! `1.22.1.json` was made with its API; `V.json` is what `fiftyone migrate --all -v V` made of it and
//! `V_up.json` what `fiftyone migrate --all` then made of that. Only datasets that it could take to V are in
//! there. Some fields were taken out of all of them alike, for size.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, DateTime, Document, oid::ObjectId};

use crate::{
    Dataset, Env, Names, Outcome, Reason, Refusal, Release, Transform, fold,
    trial::{self, Trial},
};

/// The version all of them come from and go back to.
pub const NEWEST: &str = "1.22.1";

/// When every migration in these tests takes place.
pub const NOW: DateTime = DateTime::from_millis(4_000_000_000_000);

/// A database, as far as revisions see it.
pub struct State {
    pub datasets: Vec<Dataset>,
    names: Names,
    results: BTreeSet<ObjectId>,
}

impl State {
    /// Reads `fixtures/{name}.json`.
    pub fn read(name: &str) -> Self {
        let path = format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|it| panic!("{path}: {it}"));
        let state: Document = serde_json::from_str(&text).unwrap();
        let documents = |key: &str| -> Vec<Document> {
            let items = state.get_array(key).unwrap().iter();
            items.map(|it| it.as_document().unwrap().clone()).collect()
        };
        let runs = documents("runs");
        let owned = |id: &Bson| -> BTreeMap<ObjectId, Document> {
            let owned = runs.iter().filter(|it| it.get("_dataset_id") == Some(id));
            owned.map(|it| (it.get_object_id("_id").unwrap(), it.clone())).collect()
        };
        let datasets: Vec<Dataset> = documents("datasets")
            .into_iter()
            .map(|it| Dataset { runs: owned(it.get("_id").unwrap()), document: it })
            .collect();
        let mut names = Names::default();
        for Dataset { document, .. } in &datasets {
            let id = document.get("_id").unwrap();
            names.claim(id, document.get_str("name").ok(), document.get_str("slug").ok());
        }
        let results = state.get_array("results").unwrap().iter();
        Self { datasets, names, results: results.map(|it| it.as_object_id().unwrap()).collect() }
    }

    /// Takes a dataset from one version to another, among the names and files of this database.
    pub fn fold(&self, dataset: &Dataset, from: &str, to: &str) -> Result<Outcome, Refusal> {
        let env = Env { now: NOW, named: NOW, names: &self.names, results: &self.results };
        fold(dataset.clone(), &release(from), &release(to), env)
    }

    /// Runs one half of one revision on a dataset, among the names and files of this database.
    pub fn trial(&self, change: Transform, dataset: Dataset) -> Result<Trial, Reason> {
        trial::among(&self.names, &self.results, change, dataset)
    }

    /// The dataset of this name.
    pub fn dataset(&self, name: &str) -> &Dataset {
        self.datasets.iter().find(|it| it.label() == name).unwrap()
    }
}

/// The versions that FiftyOne took the database down to, oldest first.
pub fn targets() -> Vec<String> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).unwrap();
    let mut targets: Vec<String> = files
        .filter_map(|it| it.unwrap().file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
        .filter(|name| name != NEWEST && !name.ends_with("_up"))
        .collect();
    targets.sort_by_key(|it| release(it));
    targets
}

pub fn release(text: &str) -> Release {
    text.parse().unwrap()
}
