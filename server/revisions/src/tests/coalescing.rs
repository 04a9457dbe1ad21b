//! Crossing many revisions at once is crossing them one by one.

use bson::Document;

use super::state::{NEWEST, State, targets};
use crate::fold::release;
use crate::{ALL, Dataset, Release, Step, base, between, fold};

#[test]
fn one_fold_over_many_revisions_is_many_folds_over_one() {
    let original = State::read(NEWEST);
    for target in targets() {
        for dataset in &original.datasets {
            agrees(&original, dataset, NEWEST, &target);
        }
        let older = State::read(&target);
        for dataset in &older.datasets {
            agrees(&older, dataset, &target, NEWEST);
            agrees(&older, dataset, &target, "0.6.1");
            agrees(&older, dataset, &target, "0.14.0");
        }
    }
}

/// Fails unless both ways end with the same document, in the same order, the same runs, steps and warnings,
/// or both are refused at the same revision.
pub fn agrees(state: &State, dataset: &Dataset, from: &str, to: &str) {
    let at_once = state.fold(dataset, from, to);
    let mut stop = from.to_owned();
    let (mut current, mut steps, mut warnings) = (dataset.clone(), Vec::<Step>::new(), Vec::new());
    for next in stops(from, to) {
        match state.fold(&current, &stop, &next) {
            Ok(outcome) => {
                current = outcome.dataset;
                steps.extend(outcome.steps);
                warnings.extend(outcome.warnings);
            }
            Err(refusal) => {
                let at_once = at_once.map_err(|it| (it.version, it.reason)).map(|_| ());
                // Not by its name: 0.19.0 may have given it another before it came to this.
                assert_eq!(at_once, Err((refusal.version, refusal.reason)), "{from} -> {to}");
                return;
            }
        }
        stop = next;
    }
    let outcome = at_once.unwrap_or_else(|it| panic!("{from} -> {to}: {it}"));
    assert_same(&outcome.dataset, &current, &format!("{from} -> {to}"));
    // As text, because two updates made of code never equal each other.
    assert_eq!(format!("{:?}", outcome.steps), format!("{steps:?}"), "{from} -> {to}");
    assert_eq!(outcome.warnings, warnings, "{from} -> {to}");
}

/// The versions to stop at on the way, each one revision further; the last is `to`.
fn stops(from: &str, to: &str) -> Vec<String> {
    let (head, destination): (Release, Release) = (from.parse().unwrap(), to.parse().unwrap());
    let crossed = between(&head, &destination);
    let mut stops: Vec<String> = if head < destination {
        crossed.iter().map(|it| it.version.to_string()).collect()
    } else {
        let before = |at: &crate::Revision| {
            let index = ALL.iter().position(|it| it.version == at.version).unwrap();
            index.checked_sub(1).map_or("0.0.0".to_owned(), |it| ALL[it].version.to_string())
        };
        crossed.iter().map(|it| before(it)).collect()
    };
    stops.pop();
    stops.push(to.to_owned());
    stops
}

/// Compares everything in order, but for `version`: it is stamped last, wherever that may be in the document.
fn assert_same(one: &Dataset, other: &Dataset, what: &str) {
    let parts = |it: &Dataset| -> Vec<Document> {
        let mut document = it.document.clone();
        document.remove("version");
        std::iter::once(document).chain(it.runs.values().cloned()).collect()
    };
    let (one, other) = (parts(one), parts(other));
    let bytes = |it: &[Document]| -> Vec<Vec<u8>> {
        it.iter().map(|document| document.to_vec().unwrap()).collect()
    };
    assert!(bytes(&one) == bytes(&other), "{what}: at once {one:#?}, one by one {other:#?}");
}

#[test]
fn the_stops_are_one_revision_apart() {
    for (from, to) in [("0.5.0", NEWEST), (NEWEST, "0.5.0"), ("0.18.0", "0.20.1")] {
        let mut stop: Release = from.parse().unwrap();
        for next in stops(from, to) {
            let next: Release = next.parse().unwrap();
            assert_eq!(between(&stop, &next).len(), 1, "{stop} -> {next}");
            stop = next;
        }
        assert_eq!(stop, base(&to.parse().unwrap()));
    }
    assert_eq!(release(&ALL[0].version), "0.6.2".parse().unwrap());
}

#[test]
fn a_fold_over_nothing_only_stamps_the_version() {
    let state = State::read(NEWEST);
    let dataset = &state.datasets[0];
    let env = crate::Env {
        now: super::state::NOW,
        named: super::state::NOW,
        names: &crate::Names::default(),
        results: &std::collections::BTreeSet::new(),
    };
    let head: Release = NEWEST.parse().unwrap();
    let outcome = fold(dataset.clone(), &head, &"1.22.2".parse().unwrap(), env).unwrap();
    assert_same(&outcome.dataset, dataset, "nothing");
    assert_eq!(outcome.dataset.document.get_str("version").unwrap(), "1.22.2");
    assert_eq!((outcome.steps.len(), outcome.warnings.len()), (0, 0));
}
