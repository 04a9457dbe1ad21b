//! What admins have corrected in the table of releases, or added to it: laid over what this build knows.

use model::{VersionCorrection, VersionEntry, words};
use revisions::Release;

use super::{Row, VersionTable, newest, way};

/// How many releases may be corrected or added: it is read with every question about versions.
pub const MOST: usize = 500;

/// How long a text may be that says where something is from.
const SOURCE: usize = 200;

/// The data models before this one were never kept in a database.
const OLDEST: [u64; 3] = [0, 1, 0];

/// One release as an admin has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What the release is called in addresses.
    pub name: String,
    /// The Enterprise version; `None` for an SDK from before there were any.
    pub enterprise: Option<String>,
    /// Its Python SDK.
    pub sdk: String,
    /// The open source version its data model equals.
    pub compatibility: String,
    /// When it was released, `YYYY-MM-DD`; empty where that is not known.
    pub released: String,
    /// Whether a source states the pair.
    pub stated: bool,
    /// Where it is from, in the admin's words.
    pub source: String,
    /// Who.
    pub by: String,
    /// When, RFC 3339; empty for one that was not saved yet.
    pub at: String,
}

/// A correction that makes sense, and what to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What would be saved.
    pub correction: Correction,
    /// What people should know, in sentences.
    pub notes: Vec<String>,
}

impl VersionTable {
    /// The same table with these corrections in it.
    #[must_use]
    pub fn corrected(&self, corrections: Vec<Correction>) -> Self {
        let mut rows = self.rows.to_vec();
        for correction in corrections {
            // What nobody could have saved with us is no release.
            if correction.compatibility.parse::<Release>().is_err() {
                continue;
            }
            let at = rows.iter().position(|it| it.is_called(&correction.name));
            let row = correction.into_row(at.map(|it| &rows[it]));
            match at {
                Some(at) => rows[at] = row,
                None => rows.push(row),
            }
        }
        // Those without an Enterprise version are older than all that have one.
        rows.sort_by_key(Row::version);
        Self { rows: rows.into() }
    }

    /// The release that is called so in addresses.
    pub fn named(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|it| it.is_called(name))
    }

    /// What an admin writes of the release that is called so, or of a new one, if it makes sense.
    ///
    /// # Errors
    ///
    /// One sentence about what does not.
    pub fn check(&self, name: Option<&str>, entry: &VersionEntry) -> Result<Checked, String> {
        let known = match name {
            Some(name) => Some(self.named(name).ok_or_else(|| unknown(name))?),
            None => None,
        };
        let enterprise = match known {
            Some(row) => kept(row, &entry.enterprise)?,
            None => Some(self.free(&entry.enterprise)?),
        };
        let sdk = sdk(&entry.sdk)?;
        let compatibility = numbers(&entry.compatibility)
            .ok_or_else(|| three("the compatibility version", &entry.compatibility, "1.22.1"))?;
        let released = date(&entry.released)?;
        let stated = match entry.basis.as_str() {
            "stated" => true,
            "inferred" => false,
            other => {
                return Err(format!(
                    "`{}` is no basis; a pair of versions is `stated` or `inferred`",
                    short(other)
                ));
            }
        };
        let source = entry.source.trim().to_owned();
        if source.chars().count() > SOURCE || source.chars().any(char::is_control) {
            return Err(format!("the source is to be one line of {SOURCE} letters at most"));
        }
        let name = known.map(Row::name).or_else(|| enterprise.clone()).unwrap_or_default();
        let (by, at) = (String::new(), String::new());
        let correction =
            Correction { name, enterprise, sdk, compatibility, released, stated, source, by, at };
        if known.is_some_and(|it| correction.says_the_same_as(it)) {
            return Err("nothing would change: this is what the table has".to_owned());
        }
        let row = correction.clone().into_row(known);
        self.check_order(&row)?;
        let notes = self.notes(&row);
        Ok(Checked { correction, notes })
    }

    /// Whether a release is as somebody writes it.
    pub fn says(&self, row: &Row, entry: &VersionEntry) -> bool {
        let source = row.correction.as_ref().map_or("", |it| &it.source);
        sdk(&entry.sdk).is_ok_and(|it| it == row.sdk)
            && numbers(&entry.compatibility).is_some_and(|it| it == row.compatibility)
            && entry.released.trim() == row.released
            && entry.basis == (if row.stated { "stated" } else { "inferred" })
            && entry.source.trim() == source
    }

    /// Whether the correction of this release can be taken back.
    ///
    /// # Errors
    ///
    /// One sentence about why not.
    pub fn check_without(&self, name: &str) -> Result<(), String> {
        let row = self.named(name).ok_or_else(|| unknown(name))?;
        if row.correction.is_none() {
            return Err(format!("{} is as this build has it", row.shown().name()));
        }
        match Self::embedded().named(name) {
            Some(embedded) => self.check_order(embedded).map_err(|why| {
                format!("{why}; correct that one first, then this one can be put back")
            }),
            None => Ok(()),
        }
    }

    /// The Enterprise version of one that is added.
    fn free(&self, asked: &str) -> Result<String, String> {
        let version =
            numbers(asked).ok_or_else(|| three("the Enterprise version", asked, "2.22.1"))?;
        if self.release(&version).is_some() {
            return Err(format!("Enterprise {version} is in the table; correct it there"));
        }
        let added = self.rows.iter().filter(|it| it.correction.is_some()).count();
        if added >= MOST {
            return Err(format!("{added} are corrected or added, and no more can be"));
        }
        Ok(version)
    }

    /// Whether no release would have an older data model than one before it.
    fn check_order(&self, row: &Row) -> Result<(), String> {
        let own = row.compatibility.parse::<Release>().map_err(|it| it.to_string())?;
        let (version, name) = (row.version(), row.name());
        let others = || self.rows.iter().filter(|it| !it.is_called(&name));
        let before = others().rfind(|it| it.version() < version);
        let after = others().find(|it| it.version() > version);
        let is = |row: &Row| row.compatibility.parse::<Release>().ok();
        let tell = |older: &Row, newer: &Row| {
            format!(
                "{} would have compatibility version {}, and {}, which is newer, {}: a newer release cannot have an older one",
                older.shown().name(),
                older.compatibility,
                newer.shown().name(),
                newer.compatibility,
            )
        };
        if let Some(before) = before.filter(|it| is(it).is_some_and(|it| it > own)) {
            return Err(tell(before, row));
        }
        if let Some(after) = after.filter(|it| is(it).is_some_and(|it| it < own)) {
            return Err(tell(row, after));
        }
        Ok(())
    }

    /// What people should know before it is saved.
    fn notes(&self, row: &Row) -> Vec<String> {
        let mut notes = Vec::new();
        let own = row.compatibility.parse::<Release>().ok();
        if own.as_ref().is_some_and(|it| it > newest()) {
            notes.push(format!(
                "Compatibility version {} is newer than {}, the newest this build knows: nothing can be taken there from \
                 here before fiftyone-migrate itself is upgraded.",
                row.compatibility,
                newest()
            ));
        }
        let before = self.rows.iter().rfind(|it| it.version() < row.version());
        let from = before.and_then(|it| it.compatibility.parse::<Release>().ok());
        if let (Some(before), Some(from), Some(own)) = (before, from, own) {
            let crossed = way::crossed(&from, &own);
            let what = match crossed.len() {
                0 => "no revision".to_owned(),
                many => {
                    let names: Vec<&str> = crossed.iter().map(|it| it.version.as_str()).collect();
                    let many = u64::try_from(many).unwrap_or(u64::MAX);
                    format!("{} ({})", words::counted(many, "revision"), names.join(", "))
                }
            };
            notes.push(format!("The step from {} to it crosses {what}.", before.shown().name()));
        }
        notes
    }
}

impl Correction {
    /// The row that it makes, over what there was.
    fn into_row(self, before: Option<&Row>) -> Row {
        let embedded = before.map(|it| match &it.correction {
            Some(correction) => correction.embedded.clone(),
            None => Some(it.shown()),
        });
        let enterprise = self.enterprise.unwrap_or_else(|| {
            before.map_or_else(|| format!("({} SDK)", self.sdk), |it| it.enterprise.clone())
        });
        let embedded = embedded.flatten();
        let (by, at, source) = (self.by, self.at, self.source);
        Row {
            enterprise,
            sdk: self.sdk,
            compatibility: self.compatibility,
            released: self.released,
            stated: self.stated,
            correction: Some(VersionCorrection { by, at, source, embedded }),
        }
    }

    /// Whether saving it would change nothing.
    pub fn says_the_same_as(&self, row: &Row) -> bool {
        let source = row.correction.as_ref().map_or("", |it| &it.source);
        (self.sdk.as_str(), self.compatibility.as_str()) == (&row.sdk, &row.compatibility)
            && (self.released.as_str(), self.stated) == (&row.released, row.stated)
            && self.source == source
    }
}

impl Row {
    /// Whether it is the one that is called so in addresses.
    fn is_called(&self, name: &str) -> bool {
        match (self.version(), numbers(name).and_then(|it| it.parse::<Release>().ok())) {
            (Some(own), Some(asked)) => own == asked,
            // The SDK of a row may be corrected; what it is called stays what this build calls it.
            (None, None) => self.name() == name,
            _ => false,
        }
    }
}

/// The Enterprise version of a release that there is, which nobody can change.
fn kept(row: &Row, asked: &str) -> Result<Option<String>, String> {
    let own = row.version().map(|_| row.enterprise.clone());
    let same = match (&own, asked.trim()) {
        (_, "") => true,
        (Some(own), asked) => numbers(asked).is_some_and(|it| it == *own),
        (None, _) => false,
    };
    let name = row.shown().name();
    if same {
        return Ok(own);
    }
    Err(format!("{name} stays what it is called; add the other Enterprise version instead"))
}

fn unknown(name: &str) -> String {
    format!("there is no release `{}` in the table; add it", short(name))
}

fn three(what: &str, asked: &str, example: &str) -> String {
    match asked.trim() {
        "" => format!("{what} is missing; write three numbers such as {example}"),
        asked => {
            format!("{what} `{}` is not one; write three numbers such as {example}", short(asked))
        }
    }
}

/// What was typed, short enough for a sentence.
fn short(text: &str) -> String {
    crate::printable(&text.chars().take(40).collect::<String>())
}

/// Three numbers, as they are written; `None` for everything else.
fn numbers(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().trim_start_matches('v').split('.').collect();
    let number =
        |it: &&str| (1..=5).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().all(number) {
        return None;
    }
    let parts: Option<Vec<u64>> = parts.iter().map(|it| it.parse().ok()).collect();
    let parts = parts.filter(|it| it.as_slice() >= OLDEST.as_slice())?;
    Some(parts.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

/// The version of an SDK, whose last number need not be known: `0.10.x`.
fn sdk(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    let open = trimmed.strip_suffix(".x").and_then(|it| numbers(&format!("{it}.0")));
    let open = open.and_then(|it| it.strip_suffix(".0").map(|it| format!("{it}.x")));
    open.or_else(|| numbers(trimmed)).ok_or_else(|| {
        three("the version of the SDK", text, "2.22.1, or 2.22.x where the last is not known")
    })
}

/// A day as `YYYY-MM-DD`, or nothing.
fn date(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_day = || {
        let digits = text.bytes().enumerate().all(|(at, it)| match at {
            4 | 7 => it == b'-',
            _ => it.is_ascii_digit(),
        });
        // The parser would take the 30th of February for the 2nd of March.
        let parsed = bson::DateTime::parse_rfc3339_str(format!("{text}T00:00:00Z"));
        let same = parsed.ok().and_then(|it| it.try_to_rfc3339_string().ok());
        text.len() == 10 && digits && same.is_some_and(|it| it.starts_with(text))
    };
    if text.is_empty() || is_day() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{}` is not a day; write it as 2026-07-22, or nothing where it is not known",
        short(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(enterprise: &str, sdk: &str, compatibility: &str) -> VersionEntry {
        VersionEntry {
            enterprise: enterprise.into(),
            sdk: sdk.into(),
            compatibility: compatibility.into(),
            basis: "stated".into(),
            ..VersionEntry::default()
        }
    }

    /// The table with what was checked saved in it.
    fn with(table: &VersionTable, name: Option<&str>, entry: &VersionEntry) -> VersionTable {
        let mut correction = table.check(name, entry).unwrap().correction;
        correction.by = "ada".into();
        table.corrected(vec![correction])
    }

    fn refusal(name: Option<&str>, entry: &VersionEntry) -> String {
        VersionTable::embedded().check(name, entry).unwrap_err()
    }

    #[test]
    fn the_table_of_this_build_is_in_order_and_has_every_release_once() {
        let table = VersionTable::embedded();
        assert_eq!(table.corrected(Vec::new()), table);
        for row in table.releases() {
            assert_eq!(table.named(&row.name()), Some(row));
            table.check_order(row).unwrap();
        }
    }

    #[test]
    fn a_release_that_is_added_is_found_wherever_the_table_is_asked() {
        let table = VersionTable::embedded();
        let checked = table.check(None, &entry(" v2.22.2 ", "2.22.2", "1.22.1")).unwrap();
        assert_eq!(checked.notes, ["The step from Enterprise 2.22.1 to it crosses no revision."]);
        let table = with(&table, None, &entry("2.22.2", "2.22.2", "1.22.1"));
        assert_eq!(table.release_of("1.22.1").unwrap().enterprise, "2.22.2");
        assert_eq!(table.resolve("2.22.2").unwrap().0.compatibility, "1.22.1");
        assert_eq!(table.way("v2.22.2", None).unwrap().goal.enterprise.as_deref(), Some("2.22.2"));
        assert_eq!(table.sdk(None, Some("1.22.1")).unwrap().row.sdk, "2.22.2");
        assert_eq!(table.destinations()[0].enterprise, ["2.22.1", "2.22.2"]);
        let listed = &table.listed()[0];
        let correction = listed.correction.as_ref().unwrap();
        assert_eq!((correction.by.as_str(), &correction.embedded), ("ada", &None));
    }

    #[test]
    fn a_release_that_is_corrected_keeps_its_place_and_what_this_build_has() {
        let table = with(
            &VersionTable::embedded(),
            Some("2.21.0"),
            &VersionEntry { source: "release notes".into(), ..entry("", "2.21.0", "1.18.0") },
        );
        assert_eq!(table.releases().len(), VersionTable::embedded().releases().len());
        let row = table.release("2.21.0").unwrap();
        assert_eq!((row.compatibility.as_str(), row.stated), ("1.18.0", true));
        let embedded = row.correction.as_ref().unwrap().embedded.as_ref().unwrap();
        assert_eq!((embedded.compatibility.as_str(), embedded.stated), ("1.21.0", false));
        // Corrected once more, it is still this build's that is kept.
        let again = with(&table, Some("2.21.0"), &entry("2.21.0", "2.21.0", "1.19.0"));
        let row = again.release("2.21.0").unwrap();
        assert_eq!(row.correction.as_ref().unwrap().embedded.as_ref(), Some(embedded));
        again.check_without("2.21.0").unwrap();
    }

    #[test]
    fn the_sdk_from_before_the_first_enterprise_version_can_be_corrected_too() {
        let table = with(
            &VersionTable::embedded(),
            Some("sdk-0.7.1"),
            &VersionEntry { released: "2022-05-01".into(), ..entry("", "0.7.2", "0.15.1") },
        );
        let row = table.named("sdk-0.7.1").unwrap();
        assert_eq!((row.shown().enterprise, row.released.as_str()), (None, "2022-05-01"));
        assert_eq!(table.releases()[0], *row);
    }

    #[test]
    fn a_data_model_that_is_newer_than_this_build_is_said_and_nothing_goes_there() {
        let table = VersionTable::embedded();
        let newer = entry("2.23.0", "2.23.x", "1.23.0");
        let notes = table.check(None, &newer).unwrap().notes;
        assert!(notes[0].starts_with("Compatibility version 1.23.0 is newer than"), "{notes:?}");
        let table = with(&table, None, &newer);
        assert_eq!(table.destinations()[0].version, "1.22.1");
        assert_eq!(table.release("2.23.0").unwrap().sdk, "2.23.x");
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_one_sentence() {
        let good = entry("2.22.2", "2.22.2", "1.22.1");
        let of = |change: fn(&mut VersionEntry)| {
            let mut entry = good.clone();
            change(&mut entry);
            refusal(None, &entry)
        };
        for (said, begin) in [
            (of(|it| it.enterprise = "new".into()), "the Enterprise version `new` is not one"),
            (of(|it| it.enterprise.clear()), "the Enterprise version is missing"),
            (of(|it| it.enterprise = "2.22.1".into()), "Enterprise 2.22.1 is in the table"),
            (of(|it| it.enterprise = "02.22.01".into()), "Enterprise 2.22.1 is in the table"),
            (of(|it| it.sdk = "2".into()), "the version of the SDK `2` is not one"),
            (of(|it| it.compatibility = "0.0.9".into()), "the compatibility version `0.0.9`"),
            (of(|it| it.compatibility = "1.22.1rc1".into()), "the compatibility version"),
            (of(|it| it.released = "2026-02-30".into()), "`2026-02-30` is not a day"),
            (of(|it| it.released = "1 May".into()), "`1 May` is not a day"),
            (of(|it| it.basis = "guessed".into()), "`guessed` is no basis"),
            (of(|it| it.source = "x".repeat(201)), "the source is to be one line"),
            (refusal(Some("9.9.9"), &good), "there is no release `9.9.9`"),
            (refusal(Some("2.22.1"), &good), "Enterprise 2.22.1 stays what it is called"),
        ] {
            assert!(said.starts_with(begin), "{said}");
        }
        let same = VersionEntry {
            released: "2026-07-22".into(),
            basis: "inferred".into(),
            ..entry("2.22.1", "2.22.1", "1.22.1")
        };
        assert!(refusal(Some("2.22.1"), &same).starts_with("nothing would change"));
    }

    #[test]
    fn a_newer_release_cannot_have_an_older_data_model() {
        assert_eq!(
            refusal(None, &entry("2.22.2", "2.22.2", "1.22.0")),
            "Enterprise 2.22.1 would have compatibility version 1.22.1, and Enterprise 2.22.2, which is newer, 1.22.0: a \
             newer release cannot have an older one"
        );
        let said = refusal(Some("2.20.0"), &entry("", "2.20.0", "1.22.0"));
        assert!(said.starts_with("Enterprise 2.20.0 would have"), "{said}");
    }

    #[test]
    fn what_others_were_corrected_by_is_not_put_back_from_under_them() {
        let table = VersionTable::embedded();
        let table = with(&table, Some("2.21.0"), &entry("", "2.21.0", "1.18.0"));
        let table = with(&table, Some("2.22.0"), &entry("", "2.22.0", "1.19.0"));
        let why = table.check_without("2.21.0").unwrap_err();
        assert!(why.contains("Enterprise 2.22.0, which is newer, 1.19.0"), "{why}");
        table.check_without("2.22.0").unwrap();
        assert!(table.check_without("2.22.1").unwrap_err().ends_with("as this build has it"));
    }
}
