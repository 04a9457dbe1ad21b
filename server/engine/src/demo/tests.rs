//! What the demo promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use bson::{Bson, DateTime, Document, oid::ObjectId};
use revisions::{Dataset, Env, Names, Outcome, Refusal, Release, fold};

use super::*;
use crate::versions::newest;

static PLANTED: LazyLock<BTreeMap<String, Vec<Document>>> =
    LazyLock::new(|| garden().unwrap().collections.into_iter().collect());

fn version(text: &str) -> Release {
    text.parse().unwrap()
}

/// The demo as the engine would load it.
struct Deployment {
    datasets: Vec<Dataset>,
    results: BTreeSet<ObjectId>,
    names: Names,
}

impl Deployment {
    fn load() -> Self {
        let collections = &*PLANTED;
        let datasets = collections["datasets"].iter().map(|document| {
            let owned = collections["runs"]
                .iter()
                .filter(|it| it.get("_dataset_id") == document.get("_id"));
            let runs = owned.map(|it| (it.get_object_id("_id").unwrap(), it.clone())).collect();
            Dataset { document: document.clone(), runs }
        });
        let results = collections["fs.files"].iter().map(|it| it.get_object_id("_id").unwrap());
        let mut it = Self {
            datasets: datasets.collect(),
            results: results.collect(),
            names: Names::default(),
        };
        for dataset in &it.datasets {
            claim(&mut it.names, &dataset.document);
        }
        it
    }

    fn dataset(&self, name: &str) -> Dataset {
        self.datasets.iter().find(|it| it.label() == name).unwrap().clone()
    }

    fn fold(&self, dataset: Dataset, to: &Release) -> Result<Outcome, Refusal> {
        let head = version(dataset.document.get_str("version").unwrap());
        let now = DateTime::from_millis(1_800_000_000_000);
        fold(
            dataset,
            &head,
            to,
            Env { now, named: now, names: &self.names, results: &self.results },
        )
    }
}

fn claim(names: &mut Names, document: &Document) {
    let text = |key| document.get_str(key).ok();
    names.claim(document.get("_id").unwrap(), text("name"), text("slug"));
}

#[test]
fn the_demo_is_the_same_every_time() {
    assert_eq!(format!("{:?}", garden().unwrap()), format!("{:?}", garden().unwrap()));
}

#[test]
fn a_dozen_datasets_are_between_0_7_and_1_0() {
    let deployment = Deployment::load();
    assert_eq!(deployment.datasets.len(), SKETCHES.len());
    assert!(deployment.datasets.len() >= 12);
    let mut versions = BTreeSet::new();
    for dataset in &deployment.datasets {
        let at = version(dataset.document.get_str("version").unwrap());
        assert!(version("0.7.2") <= at && at < version("1.1"), "{at}");
        versions.insert(at);
    }
    assert_eq!(versions.len(), deployment.datasets.len());
}

#[test]
fn every_dataset_but_the_blocked_one_can_be_upgraded() {
    let deployment = Deployment::load();
    let mut refused = Vec::new();
    for dataset in deployment.datasets.clone() {
        if let Err(refusal) = deployment.fold(dataset, newest()) {
            refused.push(refusal.to_string());
        }
    }
    let [refusal] = refused.as_slice() else { panic!("{refused:?}") };
    assert!(refusal.contains("field-notebook") && refusal.contains("created_at"), "{refusal}");
}

#[test]
fn two_datasets_want_the_same_slug() {
    let mut deployment = Deployment::load();
    let first = deployment.fold(deployment.dataset("street-scenes"), newest()).unwrap().dataset;
    assert_eq!(first.document.get_str("slug").unwrap(), "street-scenes");
    claim(&mut deployment.names, &first.document);
    let second = deployment.fold(deployment.dataset("Street Scenes"), newest()).unwrap();
    assert!(
        second.dataset.label().starts_with("Street Scenes-RENAMED-"),
        "{}",
        second.dataset.label()
    );
    assert!(!second.warnings.is_empty());
}

#[test]
fn the_grouped_dataset_cannot_go_below_0_17() {
    let deployment = Deployment::load();
    let rig = deployment.dataset("intersection-rig");
    assert!(deployment.fold(rig.clone(), &version("0.17.0")).is_ok());
    let refusal = deployment.fold(rig, &version("0.16.6")).unwrap_err().to_string();
    assert!(refusal.contains("grouped"), "{refusal}");
}

#[test]
fn old_layouts_show_their_age() {
    let deployment = Deployment::load();
    let similar = deployment.dataset("street-scenes").document;
    let run = similar.get_document("brain_methods").unwrap().get_document("similar").unwrap();
    let config = run.get_document("config").unwrap();
    assert_eq!(config.get_str("cls").unwrap(), "fiftyone.brain.similarity.SimilarityConfig");
    assert!(deployment.results.contains(&run.get_object_id("results").unwrap()));

    let evaluated = deployment.dataset("harbor-traffic").document;
    let run = evaluated.get_document("evaluations").unwrap().get_document("eval").unwrap();
    assert_eq!(run.get_str("eval_key").unwrap(), "eval");

    assert!(
        deployment.dataset("Vélos à Genève 自転車").document.contains_key("app_sidebar_groups")
    );
    assert!(deployment.dataset("yoga-poses").document.contains_key("default_skeleton"));
    let links = &PLANTED["delegated_ops"];
    assert!(
        links
            .iter()
            .all(|it| it.get_str("run_link").is_ok_and(|it| it.strip_suffix(".log").is_some()))
    );
}

#[test]
fn samples_and_frames_have_no_more_than_their_version_gave_them() {
    let collections = &*PLANTED;
    for dataset in &collections["datasets"] {
        let at = version(dataset.get_str("version").unwrap());
        let samples = dataset.get_str("sample_collection_name").unwrap();
        let frames = collections.get(&format!("frames.{samples}"));
        let is_video = dataset.get_str("media_type").unwrap() == "video";
        assert_eq!(frames.is_some(), is_video);
        assert!((20..=200).contains(&collections[samples].len()));
        for document in collections[samples].iter().chain(frames.into_iter().flatten()) {
            assert_eq!(document.contains_key("_dataset_id"), at >= version("0.20"), "{at}");
            assert_eq!(document.contains_key("last_modified_at"), at >= version("1.0"), "{at}");
        }
    }
}

#[test]
fn every_key_of_a_sample_is_declared() {
    let collections = &*PLANTED;
    for dataset in &collections["datasets"] {
        let declared: BTreeSet<&str> = dataset
            .get_array("sample_fields")
            .unwrap()
            .iter()
            .map(|it| it.as_document().unwrap().get_str("name").unwrap())
            .collect();
        for sample in &collections[dataset.get_str("sample_collection_name").unwrap()] {
            for key in sample.keys().filter(|it| *it != "_id") {
                assert!(declared.contains(key.as_str()), "{dataset}: {key}");
            }
        }
    }
}

#[test]
fn results_are_json_objects_in_files_of_the_length_they_say() {
    let collections = &*PLANTED;
    assert!(collections["fs.files"].len() >= 10);
    for file in &collections["fs.files"] {
        let chunks =
            collections["fs.chunks"].iter().filter(|it| it.get("files_id") == file.get("_id"));
        let data: Vec<u8> =
            chunks.flat_map(|it| it.get_binary_generic("data").unwrap().clone()).collect();
        assert_eq!(file.get("length"), Some(&Bson::Int64(i64::try_from(data.len()).unwrap())));
        let results: serde_json::Value = serde_json::from_slice(&data).unwrap();
        assert!(results["cls"].as_str().unwrap().starts_with("fiftyone."));
    }
}

#[test]
fn no_id_is_used_twice() {
    for (collection, documents) in &*PLANTED {
        let ids: BTreeSet<_> =
            documents.iter().map(|it| it.get_object_id("_id").unwrap()).collect();
        assert_eq!(ids.len(), documents.len(), "{collection}");
    }
}
