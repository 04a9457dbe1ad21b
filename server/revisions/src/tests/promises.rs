//! What revisions promise holds of whatever has crossed them, and of what the real FiftyOne left at their versions.

use bson::{Document, RawDocumentBuf};

use super::state::{NEWEST, State, release, targets};
use crate::{ALL, Breach, Claim, Dataset, Revision, breaches, promised};

/// Revisions that change documents in a way that cannot be promised: `(version, up, why)`.
const SILENT: &[(&str, bool, &str)] = &[
    ("0.16.1", true, "labels in lists get a schema where an empty one was"),
    (
        "0.20.0",
        true,
        "what has been above it keeps `_dataset_id`, and the rest is as on the way down",
    ),
    (
        "0.20.0",
        false,
        "sidebar groups and the names of settings are other values in the same places",
    ),
    ("1.1.0", true, "FiftyOne itself goes on writing the sidebar mode"),
    ("1.13.0", true, "what is dropped stays where all of it is empty"),
];

fn broken(claims: &[Claim], document: &Document) -> Vec<Breach> {
    breaches(claims, &RawDocumentBuf::try_from(document).unwrap())
}

/// All ways between the states of the fixtures, with every dataset that can go them.
fn ways() -> Vec<(String, String, State)> {
    let mut ways = Vec::new();
    for target in targets() {
        ways.push((NEWEST.to_owned(), target.clone(), State::read(NEWEST)));
        ways.push((target.clone(), NEWEST.to_owned(), State::read(&target)));
        ways.push((target.clone(), "0.6.1".to_owned(), State::read(&target)));
        ways.push((target.clone(), "0.16.6".to_owned(), State::read(&target)));
    }
    ways
}

#[test]
fn every_promise_holds_of_what_a_fold_makes() {
    let mut looked = 0;
    for (from, to, state) in ways() {
        let claims = promised(&release(&from), &release(&to));
        for dataset in &state.datasets {
            let Ok(outcome) = state.fold(dataset, &from, &to) else { continue };
            let found = broken(&claims, &outcome.dataset.document);
            assert!(found.is_empty(), "{} {from} -> {to}: it {found:?}", dataset.label());
            looked += claims.len();
        }
    }
    assert!(looked > 1_000, "hardly anything was promised: {looked}");
}

#[test]
fn whatever_warns_on_the_way_down_says_that_it_loses_something() {
    let mut warned = 0;
    for (from, to, state) in ways() {
        if release(&from) < release(&to) {
            continue;
        }
        for dataset in &state.datasets {
            let Ok(outcome) = state.fold(dataset, &from, &to) else { continue };
            for (version, warning) in outcome.warnings {
                let revision = ALL.iter().find(|it| it.version == version).unwrap();
                assert!(revision.loses.is_some(), "v{version} warns: {warning}");
                warned += 1;
            }
        }
    }
    assert!(warned > 50, "hardly anything was lost: {warned}");
}

/// What is broken and was not left so by a client of the right version.
fn harmful(claims: &[Claim], document: &Document) -> Vec<Breach> {
    broken(claims, document).into_iter().filter(|it| !it.harmless).collect()
}

#[test]
fn every_promise_holds_of_what_fiftyone_itself_has_made() {
    let oldest = "0.5.0";
    for state in State::read(NEWEST).datasets {
        let found = harmful(&promised(&release(oldest), &release(NEWEST)), &state.document);
        assert!(found.is_empty(), "{}: it {found:?}", state.label());
    }
    for target in targets() {
        let claims = promised(&release(NEWEST), &release(&target));
        for state in State::read(&target).datasets {
            let found = harmful(&claims, &state.document);
            assert!(found.is_empty(), "{} at {target}: it {found:?}", state.label());
        }
        let claims = promised(&release(&target), &release(NEWEST));
        for state in State::read(&format!("{target}_up")).datasets {
            let found = harmful(&claims, &state.document);
            assert!(found.is_empty(), "{} up from {target}: it {found:?}", state.label());
        }
    }
}

/// Whether it changes a document of the fixtures, and whether one that it changes breaks its promise before.
fn told(states: &[(String, State)], revision: &Revision, up: bool) -> (bool, bool) {
    let change = if up { revision.up } else { revision.down };
    let claims = if up { revision.promise.up } else { revision.promise.down };
    let version = crate::fold::release(&revision.version);
    let (mut changes, mut seen) = (false, false);
    for (at, state) in states.iter().filter(|(at, _)| (release(at) < version) == up) {
        for dataset in &state.datasets {
            let Some(before) = beside(state, dataset, at, revision, up) else { continue };
            let Ok(after) = state.trial(change, before.clone()) else { continue };
            if after.dataset.document != before.document {
                changes = true;
                seen |= !broken(claims, &before.document).is_empty();
            }
        }
    }
    (changes, seen)
}

/// The dataset right before it crosses the revision: further away, what others have added would be missing.
fn beside(
    state: &State,
    dataset: &Dataset,
    at: &str,
    revision: &Revision,
    up: bool,
) -> Option<Dataset> {
    let index = ALL.iter().position(|it| it.version == revision.version)?;
    let beside = if up {
        index.checked_sub(1).map_or("0.5.0".to_owned(), |it| ALL[it].version.to_string())
    } else {
        revision.version.to_string()
    };
    Some(state.fold(dataset, at, &beside).ok()?.dataset)
}

#[test]
fn no_revision_that_changes_documents_escapes_its_promise() {
    let names = targets().into_iter().chain([NEWEST.to_owned()]);
    let states: Vec<(String, State)> = names.map(|it| (it.clone(), State::read(&it))).collect();
    for revision in ALL {
        for up in [true, false] {
            let (changes, seen) = told(&states, revision, up);
            let version = revision.version.to_string();
            let silent = SILENT.iter().any(|it| (it.0, it.1) == (version.as_str(), up));
            let way = if up { "up" } else { "down" };
            assert!(
                !changes || seen || silent,
                "v{version} changes documents on the way {way}, but none of them breaks what it promises before: \
                 promise what it changes, or say in `SILENT` why that cannot be promised"
            );
            assert!(!silent || !seen, "v{version} on the way {way} need not be in `SILENT`");
        }
    }
}
