//! Which client opens which database, and what FiftyOne says where it does not.
//!
//! As in `migrate_database_if_necessary` of FiftyOne's runner, release by release: `clients.csv` has what releases say they are
//! compatible with, read from the packages themselves, and the tests compare with what those runners answer.

use std::{collections::BTreeSet, sync::LazyLock};

use model::{ClientKind, Opening};
use revisions::{Release, base};

use super::VersionTable;

/// The first release that keeps the version in the database; before, it is in a file beside the client.
const ASKS: [u64; 3] = [0, 15, 1];
/// The first that FiftyOne says of in other words, and with its documentation elsewhere.
const MOVED: [u64; 3] = [0, 19, 0];
/// The first that, with the right to migrate, leaves newer compatible databases alone.
const LEAVES_NEWER: [u64; 3] = [0, 20, 0];

/// What `config.type` is for either kind of client.
const OPEN_SOURCE: &str = "fiftyone";
const ENTERPRISE: &str = "fiftyone-teams";

static RANGES: LazyLock<Vec<(Release, Option<Range>)>> = LazyLock::new(|| {
    let lines = include_str!("../../data/clients.csv").lines().skip(1);
    let pairs = lines.filter_map(|line| line.split_once(','));
    pairs.filter_map(|(release, range)| Some((release.parse().ok()?, Range::read(range)))).collect()
});

/// Somebody who wants to open a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// As it was asked.
    client: String,
    /// The version of its data model.
    version: Release,
    kind: ClientKind,
    /// Where the database would be; `None` for where it is.
    destination: Option<Release>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Not a version at all.
    #[error("`{0}` is no version; give one such as `1.13.0`")]
    NoVersion(String),
    /// A version, but not of anything.
    #[error(
        "`{0}` is no release this program knows; give an Enterprise version such as `2.16.0`, that of an SDK such as \
         `0.10.0`, or a compatibility version such as `1.13.0`"
    )]
    NoRelease(String),
    /// Newer than whatever is known.
    #[error(
        "`{asked}` is newer than `{newest}`, the newest compatibility version this program knows; if it is the version of an \
         Enterprise SDK, say that it is one (`enterprise`)"
    )]
    TooNew {
        /// What was asked for.
        asked: String,
        /// What is known.
        newest: &'static str,
    },
    /// There is no Enterprise SDK of this version.
    #[error(
        "there is no Enterprise SDK `{0}` that this program knows; /versions lists those it does"
    )]
    NoSdk(String),
    /// There is no such kind of client.
    #[error("`{0}` is no type of client; there are `fitting`, `open_source` and `enterprise`")]
    NoKind(String),
}

/// What a release says it is compatible with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    text: String,
    from: Release,
    below: Release,
}

impl Question {
    /// Reads what people and scripts ask.
    ///
    /// # Errors
    ///
    /// If one of the words means nothing.
    pub fn read(
        table: &VersionTable,
        client: &str,
        kind: &str,
        destination: &str,
    ) -> Result<Self, Unclear> {
        let kind =
            ClientKind::named(kind.trim()).ok_or_else(|| Unclear::NoKind(kind.to_owned()))?;
        let asked = release(client)?;
        let version = match kind {
            ClientKind::Fitting | ClientKind::OpenSource if base(&asked) > *super::newest() => {
                let newest = super::COMPATIBILITY_VERSION;
                return Err(Unclear::TooNew { asked: asked.to_string(), newest });
            }
            ClientKind::Fitting | ClientKind::OpenSource => asked,
            ClientKind::Enterprise => data_model_of(table, &asked)?,
        };
        let destination = self::destination(destination)?;
        Ok(Self { client: client.trim().to_owned(), version, kind, destination })
    }
}

/// Where somebody would take a database; `None` if they do not say.
///
/// # Errors
///
/// If it is no version.
pub fn destination(asked: &str) -> Result<Option<Release>, Unclear> {
    Some(asked.trim()).filter(|it| !it.is_empty()).map(release).transpose()
}

fn release(asked: &str) -> Result<Release, Unclear> {
    let text = asked.trim().trim_start_matches('v');
    text.parse().map_err(|_| Unclear::NoVersion(text.to_owned()))
}

/// Whether somebody can open a database that says it is at `head` and of type `found`.
pub fn opening(question: &Question, head: Option<&str>, found: Option<&str>) -> Opening {
    let Question { client, version, kind, destination } = question;
    let database = destination.as_ref().map(ToString::to_string).or(head.map(str::to_owned));
    let answer = |refusal: Option<String>, note: Option<String>| Opening {
        client: client.clone(),
        database: database.clone(),
        compatible: refusal.is_none(),
        message: refusal,
        note,
    };
    if let Some(refusal) = of_another_type(*kind, found) {
        return answer(Some(refusal), None);
    }
    let Some(at) = &database else {
        let note = "the database does not say which version it is at; FiftyOne would write its own into it";
        return answer(None, Some(note.to_owned()));
    };
    if *version < Release::new(ASKS) {
        let note = "releases before 0.15.1 do not ask the database which version it is at: they may open it, and damage \
                    what they do not understand";
        return Opening { compatible: false, ..answer(None, Some(note.to_owned())) };
    }
    let admin = *kind == ClientKind::OpenSource;
    match outcome(version, at, admin) {
        Outcome::Opens => answer(None, uncertain(version)),
        Outcome::Migrates => answer(
            None,
            Some(format!(
                "it would take the database to v{version} as it connects, unless FIFTYONE_DATABASE_ADMIN is false there"
            )),
        ),
        Outcome::Refuses(message) => answer(Some(message), uncertain(version)),
    }
}

impl VersionTable {
    /// All open source releases that are known of, oldest first.
    pub fn open_source(&self) -> BTreeSet<Release> {
        let of_enterprise = self.releases().iter().filter_map(|it| it.compatibility.parse().ok());
        RANGES.iter().map(|it| it.0.clone()).chain(of_enterprise).collect()
    }
}

/// Whether a client of this release, without the right to migrate, is let in by a database at this version.
pub fn opens(version: &Release, database: &Release) -> bool {
    *version == *database || range(version).is_some_and(|it| it.contains(database))
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Opens,
    /// It takes the database to its own version first.
    Migrates,
    Refuses(String),
}

fn outcome(version: &Release, database: &str, admin: bool) -> Outcome {
    let head: Option<Release> = database.parse().ok();
    let range = range(version);
    let compatible = head.as_ref().is_some_and(|it| match range {
        Some(range) => range.contains(it),
        None => it == version,
    });
    let newer = head.as_ref().is_some_and(|it| it > version);
    let leaves_newer = *version >= Release::new(LEAVES_NEWER);
    let skips = compatible && (!admin || (newer && leaves_newer));
    // FiftyOne compares the texts here.
    if skips || database == version.to_string() {
        return Outcome::Opens;
    }
    let docs = if *version >= Release::new(MOVED) {
        "https://docs.voxel51.com"
    } else {
        "https://voxel51.com/docs/fiftyone"
    };
    if !admin {
        let why = match range {
            Some(range) => format!(" (compatibility {})", range.text),
            None => " when database_admin=False".to_owned(),
        };
        return Outcome::Refuses(format!(
            "Cannot connect to database v{database} with client v{version}{why}. See \
             {docs}/user_guide/config.html#database-migrations for more information"
        ));
    }
    match head {
        None => Outcome::Refuses(format!("Invalid version: '{database}'")),
        Some(head) if head > *version => Outcome::Refuses(format!(
            "You must have fiftyone>={head} installed in order to migrate from v{head} to v{version}, but you are \
             currently running fiftyone=={version}.\n\nSee \
             {docs}/getting_started/install.html#downgrading-fiftyone for information about downgrading FiftyOne."
        )),
        Some(_) => Outcome::Migrates,
    }
}

/// What is said where the database is for another kind of client.
fn of_another_type(kind: ClientKind, found: Option<&str>) -> Option<String> {
    let own = match kind {
        ClientKind::Fitting => return None,
        ClientKind::OpenSource => OPEN_SOURCE,
        ClientKind::Enterprise => ENTERPRISE,
    };
    let found = found.filter(|it| *it != own)?;
    Some(format!("Cannot connect to database type '{found}' with client type '{own}'"))
}

/// That nobody has looked into this release.
fn uncertain(version: &Release) -> Option<String> {
    let known = RANGES.iter().any(|it| it.0 == *version);
    (!known).then(|| match closest(version) {
        Some((release, _)) => format!(
            "inferred from v{release}: which versions v{version} is compatible with was not read from its package"
        ),
        None => "inferred: nothing is known of this release".to_owned(),
    })
}

fn range(version: &Release) -> Option<&'static Range> {
    closest(version).and_then(|it| it.1.as_ref())
}

/// What is known of a release: of itself, or of the newest one before it.
fn closest(version: &Release) -> Option<&'static (Release, Option<Range>)> {
    RANGES.iter().rfind(|it| it.0 <= *version)
}

/// The version of the data model of an Enterprise SDK.
fn data_model_of(table: &VersionTable, sdk: &Release) -> Result<Release, Unclear> {
    let same = |text: &str| text.parse().is_ok_and(|it: Release| it == *sdk);
    let row = table.releases().iter().rfind(|it| same(&it.sdk));
    let version = row.and_then(|it| it.compatibility.parse().ok());
    version.ok_or_else(|| Unclear::NoSdk(sdk.to_string()))
}

impl Range {
    /// Reads `">=0.19,<2"`, with the quotes.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim_matches('"');
        let (from, below) = text.strip_prefix(">=")?.split_once(",<")?;
        Some(Self { text: text.to_owned(), from: from.parse().ok()?, below: below.parse().ok()? })
    }

    fn contains(&self, version: &Release) -> bool {
        let version = base(version);
        version >= self.from && version < self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(client: &str, kind: &str, destination: &str) -> Result<Question, Unclear> {
        Question::read(&VersionTable::embedded(), client, kind, destination)
    }

    fn ask(client: &str, kind: &str, database: &str, found: &str) -> Opening {
        opening(&read(client, kind, "").unwrap(), Some(database), Some(found))
    }

    /// What FiftyOne's own runners answer, release by release; `tests/parity/refusals.py` makes it.
    #[test]
    fn every_release_opens_migrates_and_refuses_as_its_own_runner_does_and_in_its_words() {
        let text = include_str!("../../../../tests/parity/fixtures/refusals.json");
        let records: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        assert!(records.len() > 90, "hardly anything was recorded: {}", records.len());
        for record in records {
            let of = |key: &str| record[key].as_str();
            let version: Release = of("client").unwrap().parse().unwrap();
            assert_eq!(range(&version).map(|it| it.text.as_str()), of("compatible"), "{record}");
            let admin = record["admin"].as_bool().unwrap();
            let expected = match (of("message"), of("becomes")) {
                (Some(message), _) => Outcome::Refuses(message.to_owned()),
                (None, Some(_)) => Outcome::Migrates,
                (None, None) => Outcome::Opens,
            };
            assert_eq!(outcome(&version, of("database").unwrap(), admin), expected, "{record}");
        }
    }

    #[test]
    fn the_range_of_the_newest_release_is_the_one_we_work_by() {
        let newest = super::super::newest();
        assert_eq!(range(newest).unwrap().text, super::super::OTHER_COMPATIBLE_VERSIONS);
        for version in ["0.18.0", "0.19.0", "1.22.1", "1.99.0", "2.0.0", "1.21.0rc1"] {
            let version: Release = version.parse().unwrap();
            assert_eq!(opens(newest, &version), super::super::is_compatible(&version), "{version}");
        }
    }

    #[test]
    fn without_a_type_a_client_is_of_the_kind_the_database_is_for() {
        for found in ["fiftyone", "fiftyone-teams"] {
            let answer = ask("1.22.1", "", "1.0.0", found);
            assert_eq!((answer.compatible, answer.message, answer.note), (true, None, None));
        }
    }

    #[test]
    fn a_client_of_the_other_kind_is_told_so_before_anything_else() {
        let answer = ask("1.22.1", "open_source", "0.1", "fiftyone-teams");
        assert_eq!(
            answer.message.as_deref(),
            Some("Cannot connect to database type 'fiftyone-teams' with client type 'fiftyone'")
        );
        assert!(!answer.compatible);
    }

    #[test]
    fn an_enterprise_sdk_is_judged_by_its_data_model() {
        let answer = ask("2.16.0", "enterprise", "0.18.0", "fiftyone-teams");
        assert!(answer.message.unwrap().starts_with(
            "Cannot connect to database v0.18.0 with client v1.13.0 (compatibility >=0.19,<2). See"
        ));
        let unknown = read("1.99.0", "enterprise", "").unwrap_err().to_string();
        assert!(unknown.starts_with("there is no Enterprise SDK `1.99.0`"), "{unknown}");
    }

    #[test]
    fn an_open_source_client_that_would_migrate_the_database_is_told_of() {
        let answer = ask("1.22.1", "open_source", "0.18.0", "fiftyone");
        assert!(answer.compatible && answer.message.is_none());
        assert!(answer.note.unwrap().starts_with("it would take the database to v1.22.1"));
    }

    #[test]
    fn what_was_not_read_from_a_package_is_said_to_be_inferred() {
        let answer = ask("0.21.3", "", "0.21.0", "fiftyone");
        assert!(answer.note.unwrap().starts_with("inferred from v0.21.0"));
        let answer = ask("0.14.0", "", "0.14.0", "fiftyone");
        assert!(!answer.compatible && answer.note.unwrap().contains("do not ask"));
    }

    #[test]
    fn a_destination_counts_instead_of_where_the_database_is() {
        let question = read("0.21.0", "", "1.22.1").unwrap();
        let answer = opening(&question, Some("0.21.0"), Some("fiftyone"));
        assert_eq!((answer.database.as_deref(), answer.compatible), (Some("1.22.1"), false));
    }

    #[test]
    fn a_database_that_does_not_say_where_it_is_takes_anybody() {
        let answer = opening(&read("0.21.0", "", "").unwrap(), None, None);
        assert!(answer.compatible && answer.note.unwrap().contains("does not say"));
    }

    #[test]
    fn words_that_mean_nothing_are_refused_with_what_would_do() {
        let said = |client: &str, kind: &str, destination: &str| {
            read(client, kind, destination).unwrap_err().to_string()
        };
        assert_eq!(said("new", "", ""), "`new` is no version; give one such as `1.13.0`");
        assert_eq!(said("1.0.0", "", "x"), "`x` is no version; give one such as `1.13.0`");
        assert!(said("2.16.0", "", "").starts_with("`2.16.0` is newer than `1.22.1`"));
        assert!(said("1.0.0", "teams", "").starts_with("`teams` is no type of client"));
    }
}
