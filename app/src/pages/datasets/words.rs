//! The list of datasets in words.

use model::words::counted;
use model::{DatasetRow, DatasetSort, DatasetTab, MadeFor, Outlook};

/// What a tab is called.
pub fn tab(it: DatasetTab) -> &'static str {
    match it {
        DatasetTab::Datasets => "Datasets",
        DatasetTab::Private => "Private",
        DatasetTab::Incomplete => "Nameless or versionless",
    }
}

/// What is in a tab, and what can be done with it.
pub fn about(it: DatasetTab) -> &'static str {
    match it {
        DatasetTab::Datasets => {
            "What people have made. Check those that shall be migrated, or take all that were found, and see the plan for them."
        }
        DatasetTab::Private => {
            "What FiftyOne has made for views of patches, frames and clips. They can be migrated as all others. Those that are not persistent need not be: FiftyOne deletes them when its last client leaves, and makes them anew when somebody opens the view."
        }
        DatasetTab::Incomplete => {
            "What lacks a name or a version. FiftyOne takes a dataset without a version for the oldest there is; a migration looks at what is in it instead, and gives it one. Without a name FiftyOne cannot open a dataset: give it one in the database, or delete it there."
        }
    }
}

/// What is said where a tab has nothing at all.
pub fn none(it: DatasetTab) -> &'static str {
    match it {
        DatasetTab::Datasets => "There are no datasets in this database.",
        DatasetTab::Private => "FiftyOne has made no datasets for views here.",
        DatasetTab::Incomplete => "Every dataset has a name and a version.",
    }
}

/// Where there are none for whoever looks.
pub const NONE_FOR_YOU: &str =
    "You have a right to none of this kind. An admin can give you one to a dataset.";

/// By what the list is sorted.
pub fn sort(it: DatasetSort) -> &'static str {
    match it {
        DatasetSort::Name => "Name",
        DatasetSort::Version => "Version",
        DatasetSort::Size => "Samples",
        DatasetSort::Modified => "Changed",
    }
}

/// What a migration does: how that is to be taken, its mark, in a few words, and why, if it cannot be done.
pub fn outlook(it: &Outlook, newest: &str) -> (&'static str, &'static str, String, Option<String>) {
    match it {
        Outlook::Unknown => ("unknown", "M3 8h10", "Not looked at yet".to_owned(), None),
        Outlook::Stays => ("good", "M3.5 8.5l3 3 6-7", "Nothing to do".to_owned(), None),
        Outlook::Stamp => {
            ("todo", "M8 13V3.5M4 7l4-4 4 4", format!("Only gets the version {newest}"), None)
        }
        Outlook::Crosses { revisions } => {
            let told = match revisions {
                0 => "Crosses revisions; which, its content says".to_owned(),
                some => format!("Crosses {}", counted(*some, "revision")),
            };
            ("todo", "M8 13V3.5M4 7l4-4 4 4", told, None)
        }
        Outlook::Blocked { reason } => {
            ("problem", "M4 4l8 8M12 4l-8 8", "Is blocked".to_owned(), Some(reason.clone()))
        }
    }
}

/// What is remarkable about a dataset, in one line.
pub fn notes(row: &DatasetRow) -> String {
    let mut notes: Vec<String> = Vec::new();
    match row.made_for {
        Some(MadeFor::Others) => notes.push("made by FiftyOne".to_owned()),
        Some(made_for) => notes.push(format!("made for {}", made_for.word())),
        None => {}
    }
    if row.name.is_none() {
        notes.push("has no name".to_owned());
    }
    if !row.persistent {
        notes.push("not persistent".to_owned());
    }
    if !row.tags.is_empty() {
        let number = u64::try_from(row.tags.len()).unwrap_or(u64::MAX);
        let tags: Vec<&str> = row.tags.iter().take(TAGS).map(String::as_str).collect();
        let what = if row.tags.len() > TAGS { counted(number, "tag") } else { "tags".to_owned() };
        notes.push(format!("{what}: {}", tags.join(", ")));
    }
    notes.join(" · ")
}

/// How many tags a row shows.
const TAGS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_remarkable_about_its_dataset() {
        let plain =
            DatasetRow { name: Some("cats".into()), persistent: true, ..DatasetRow::default() };
        assert_eq!(notes(&plain), "");
        let row = DatasetRow {
            made_for: Some(MadeFor::Clips),
            tags: ["a", "b", "c", "d", "e"].map(str::to_owned).into(),
            ..DatasetRow::default()
        };
        let told = "made for clips · has no name · not persistent · 5 tags: a, b, c, d";
        assert_eq!(notes(&row), told);
    }

    #[test]
    fn what_a_migration_does_is_told_in_a_few_words() {
        let told = |it: Outlook| outlook(&it, "1.22.1").2;
        assert_eq!(told(Outlook::Crosses { revisions: 3 }), "Crosses 3 revisions");
        assert_eq!(told(Outlook::Stamp), "Only gets the version 1.22.1");
        let blocked = outlook(&Outlook::Blocked { reason: "it has groups".into() }, "1.22.1");
        assert_eq!((blocked.0, blocked.3.as_deref()), ("problem", Some("it has groups")));
    }
}
