//! What a deployment is at, read without changing anything.

use std::collections::BTreeMap;

use model::{EnterpriseVersion, Status, Tone, Verdict, VersionCount};
use revisions::Release;

use crate::{
    store::Entry,
    versions::{COMPATIBILITY_VERSION, OTHER_COMPATIBLE_VERSIONS, VersionTable, newest},
};

/// Everything the status shows, from what was read.
pub fn status(
    (database, mongodb_version): (&str, String),
    database_admin: bool,
    database_version: Option<&str>,
    entries: &[Entry],
    versions: &VersionTable,
) -> Status {
    let row = versions.release_of(COMPATIBILITY_VERSION);
    let datasets = counts(entries);
    let verdict = verdict(database_version, &datasets, database_admin);
    Status {
        database: database.to_owned(),
        enterprise_version: EnterpriseVersion {
            version: row.map_or_else(|| "unknown".to_owned(), |it| it.enterprise.clone()),
            stated: row.is_some_and(|it| it.stated),
        },
        compatibility_version: COMPATIBILITY_VERSION.to_owned(),
        other_compatible_versions: OTHER_COMPATIBLE_VERSIONS.to_owned(),
        database_version: database_version.map(str::to_owned),
        mongodb_version,
        database_admin,
        datasets,
        verdict,
    }
}

fn counts(entries: &[Entry]) -> Vec<VersionCount> {
    let mut counts: BTreeMap<(Option<Release>, Option<String>), u64> = BTreeMap::new();
    for entry in entries {
        let text = match &entry.version {
            bson::Bson::Null => None,
            bson::Bson::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let release = text.as_deref().and_then(|it| it.parse().ok());
        *counts.entry((release, text)).or_default() += 1;
    }
    let counted = counts.into_iter().map(|((release, version), datasets)| {
        let needs_migration = release.as_ref() != Some(newest());
        VersionCount { version, datasets, needs_migration }
    });
    counted.collect()
}

fn verdict(database: Option<&str>, datasets: &[VersionCount], admin: bool) -> Verdict {
    let newest_text = COMPATIBILITY_VERSION;
    let head: Option<Result<Release, _>> = database.map(str::parse);
    let behind: u64 = datasets.iter().filter(|it| it.needs_migration).map(|it| it.datasets).sum();
    let of_datasets = match behind {
        0 => String::new(),
        1 => "1 dataset".to_owned(),
        more => format!("{more} datasets"),
    };
    let permission = if admin { "" } else { "; to do it, set FIFTYONE_DATABASE_ADMIN=true" };
    let (tone, sentence) = match head {
        None if datasets.is_empty() => {
            (Tone::Good, "This database is empty: there is nothing to migrate".to_owned())
        }
        None => (Tone::Problem, "The database does not say which version it is at".to_owned()),
        Some(Err(_)) => (
            Tone::Problem,
            format!(
                "The database says that it is at “{}”, which is not a version",
                database.unwrap_or_default()
            ),
        ),
        Some(Ok(head)) if head > *newest() => (
            Tone::Problem,
            format!(
                "The database is at {head}, newer than {newest_text}, the newest version this program knows"
            ),
        ),
        Some(Ok(head)) if head < *newest() && behind > 0 => (
            Tone::Todo,
            format!("The database and {of_datasets} can be upgraded to {newest_text}{permission}"),
        ),
        Some(Ok(head)) if head < *newest() => (
            Tone::Todo,
            format!("The database can be upgraded from {head} to {newest_text}{permission}"),
        ),
        Some(Ok(_)) if behind > 0 => {
            (Tone::Todo, format!("{of_datasets} can be upgraded to {newest_text}{permission}"))
        }
        Some(Ok(_)) => {
            (Tone::Good, format!("Everything is at {newest_text}: there is nothing to do"))
        }
    };
    Verdict { tone, sentence: format!("{sentence}.") }
}

#[cfg(test)]
mod tests {
    use bson::Bson;

    use super::*;

    fn entries(versions: &[Option<&str>]) -> Vec<Entry> {
        let entry = |version: Option<&str>| Entry {
            id: Bson::Null,
            name: None,
            version: version.map_or(Bson::Null, Bson::from),
            bytes: 0,
        };
        versions.iter().copied().map(entry).collect()
    }

    #[test]
    fn versions_are_counted_and_sorted_as_versions() {
        let entries =
            entries(&[Some("1.9.0"), Some("1.22.1"), Some("1.10.0"), None, Some("1.9.0")]);
        let found = counts(&entries);
        let versions: Vec<_> =
            found.iter().map(|it| (it.version.as_deref(), it.datasets)).collect();
        assert_eq!(
            versions,
            [(None, 1), (Some("1.9.0"), 2), (Some("1.10.0"), 1), (Some("1.22.1"), 1)]
        );
        assert!(found[2].needs_migration && !found[3].needs_migration);
    }

    #[test]
    fn the_verdict_says_what_can_be_upgraded() {
        let sentence = |database: Option<&str>, versions: &[Option<&str>]| {
            verdict(database, &counts(&entries(versions)), true).sentence
        };
        assert_eq!(
            sentence(Some("1.22.1"), &[]),
            "Everything is at 1.22.1: there is nothing to do."
        );
        assert_eq!(
            sentence(Some("0.18.0"), &[Some("0.18.0"), Some("1.22.1")]),
            "The database and 1 dataset can be upgraded to 1.22.1."
        );
        assert_eq!(
            sentence(Some("1.22.1"), &[Some("0.18.0"), None]),
            "2 datasets can be upgraded to 1.22.1."
        );
        assert!(sentence(Some("2.0.0"), &[]).contains("newer than"));
        assert!(sentence(Some("garbage"), &[]).contains("not a version"));
        assert!(sentence(None, &[]).contains("empty"));
    }
}
