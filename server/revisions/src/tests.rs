//! The laws every revision keeps.

mod coalescing;
mod idempotence;
mod malformed;
mod parity;
mod promises;
mod state;

use super::*;

#[test]
fn the_catalogue_is_sorted_and_complete() {
    assert!(ALL.is_sorted_by_key(|it| it.version.clone()));
    let modules = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let mut files: Vec<String> = modules
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('v') && name.contains('.'))
        .collect();
    files.sort();
    let mut expected: Vec<String> =
        ALL.iter().map(|it| format!("v{}.rs", it.version.to_string().replace('.', "_"))).collect();
    expected.sort();
    assert_eq!(files, expected, "a revision file is missing from `catalogue!`, or misnamed");
}

#[test]
fn every_revision_says_what_it_does() {
    for summary in ALL.iter().map(|it| it.summary).chain(admin::ALL.iter().map(|it| it.summary)) {
        assert!(summary.starts_with(char::is_uppercase), "`{summary}`");
        assert!(!summary.ends_with('.'), "`{summary}`");
    }
}
