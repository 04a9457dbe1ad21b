//! Datasets as people browse them: what is told of each, and by what they are filtered, sorted and put apart.

mod catalog;
mod export;
mod query;
mod time;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use catalog::Catalog;
pub use export::CSV_HEAD;
pub use query::{DatasetQuery, ROWS_ON_PAGE, datasets_at};
pub use time::time_of;

/// What the browser tells of one dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRow {
    /// What identifies it: its `_id`, as text.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The version in its document, whatever it is; `None` if there is none.
    pub version: Option<String>,
    /// How that version stands to the newest one that this program knows.
    pub state: DatasetState,
    /// What is in it: `image`, `video`, `group`; `None` while it is empty.
    pub media_type: Option<String>,
    /// Whether it stays when the client that made it is gone.
    pub persistent: bool,
    /// What it was made for, if FiftyOne has made it for a view.
    pub made_for: Option<MadeFor>,
    /// Its tags.
    pub tags: Vec<String>,
    /// How many fields its samples have.
    pub fields: u64,
    /// How many bytes its document has.
    pub bytes: u64,
    /// About how many samples it has; `None` as long as nobody has looked.
    pub samples: Option<u64>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: Option<i64>,
    /// When it was changed last, in milliseconds since 1970.
    pub modified_ms: Option<i64>,
    /// What a migration to the newest version does to it.
    pub outlook: Outlook,
}

/// How a dataset's version stands to the newest one that this program knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetState {
    /// It is there.
    #[default]
    Current,
    /// It is older.
    Behind,
    /// It is newer.
    Ahead,
    /// Its document does not say.
    Unversioned,
    /// What its document says is no version.
    Unreadable,
}

/// What FiftyOne has made a dataset of its own accord for: a view that shows something else than samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeFor {
    /// Patches: one sample for each label.
    Patches,
    /// Frames: one sample for each frame of a video.
    Frames,
    /// Clips: one sample for each piece of a video.
    Clips,
    /// Something else that keeps its samples where datasets that people make do not.
    Others,
}

/// What a migration to the newest version does to a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Outlook {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// Nothing.
    Stays,
    /// It gets another version, and nothing else.
    Stamp,
    /// It crosses revisions.
    Crosses {
        /// So many; 0 if that is known only when it is migrated.
        revisions: u64,
    },
    /// It cannot go.
    Blocked {
        /// Why.
        reason: String,
    },
}

/// The parts that the browser shows datasets in: each of them is in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetTab {
    /// Those that people have made.
    #[default]
    Datasets,
    /// Those that FiftyOne has made for views.
    Private,
    /// Those that have no name or no version.
    Incomplete,
}

/// By what datasets are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// The version in the document.
    Version,
    /// How that stands to the newest one.
    State,
    /// Whether there is anything to do for them.
    Needs,
    /// Whether a migration is blocked.
    Blocked,
    /// What is in them.
    Media,
    /// How many samples they have.
    Size,
    /// Whether they stay when a client is gone.
    Persistent,
    /// What FiftyOne has made them for.
    Private,
    /// Their tags.
    Tag,
}

/// How many datasets have which value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCounts {
    /// Of what.
    pub facet: Facet,
    /// The values that there are, and those that were chosen.
    pub values: Vec<FacetValue>,
    /// How many other values there are.
    pub more: u64,
}

/// A value by which datasets can be filtered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The word in addresses.
    pub value: String,
    /// How many of the datasets have it that would be found if nothing were chosen of this facet.
    pub count: u64,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// By what datasets are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetSort {
    /// Their names.
    #[default]
    Name,
    /// Their versions.
    Version,
    /// How many samples they have.
    Size,
    /// When they were changed last.
    Modified,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The datasets of this page.
    pub rows: Vec<DatasetRow>,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many pages there are.
    pub pages: u64,
    /// How many datasets were found.
    pub count: u64,
    /// How many would be found in each tab.
    pub tabs: Vec<(DatasetTab, u64)>,
    /// By what they can be filtered further.
    pub facets: Vec<FacetCounts>,
}

/// A page of the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetPage {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// How many datasets there are.
    pub all: u64,
    /// For how many of them it is known what a migration does.
    pub looked_at: u64,
    /// The version that such a migration goes to.
    pub newest: String,
    /// When the datasets were read, as RFC 3339 in UTC.
    pub as_of: String,
    /// When this was asked for, by the same clock.
    pub at: String,
    /// Whether they are being read anew.
    pub reading: bool,
    /// Whether there may be others that do not exist for whoever looks.
    pub restricted: bool,
    /// Whether whoever looks may see what a migration would do to each.
    pub may_plan: bool,
}

/// Datasets that somebody has selected, as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectionSummary {
    /// What identifies it.
    pub id: String,
    /// Who has selected them.
    pub by: String,
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// How many.
    pub datasets: u64,
    /// What was looked for, as the query of an address, where all that was found was selected.
    pub query: Option<String>,
    /// Until when it is kept; `None` if a run was made of it.
    pub expires: Option<String>,
}

/// A word that stands for none of several things.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is unknown here")]
pub struct UnknownWord(String);

/// The word for what is missing.
pub const NONE: &str = "none";

/// How large a dataset is, from the number of its samples on.
const SIZES: [(&str, u64, &str); 5] = [
    ("huge", 1_000_000, "1,000,000 samples and more"),
    ("large", 100_000, "100,000 to 999,999 samples"),
    ("medium", 1_000, "1,000 to 99,999 samples"),
    ("small", 1, "1 to 999 samples"),
    ("empty", 0, "no samples"),
];

/// The word for a size that is not known.
const UNKNOWN: &str = "unknown";

impl DatasetRow {
    /// What to call it: its name, or its id where it has none.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// The page about it.
    pub fn address(&self) -> String {
        format!("/datasets/{}", crate::plan::encoded(&self.id))
    }

    /// The part of the browser that it is in.
    pub fn tab(&self) -> DatasetTab {
        if self.made_for.is_some() {
            DatasetTab::Private
        } else if self.name.is_none() || self.version.is_none() {
            DatasetTab::Incomplete
        } else {
            DatasetTab::Datasets
        }
    }

    /// The values that it has.
    pub fn values(&self, facet: Facet) -> Vec<&str> {
        let one = match facet {
            Facet::Tag => return self.tags.iter().map(String::as_str).collect(),
            Facet::Version => self.version.as_deref().unwrap_or(NONE),
            Facet::State => self.state.word(),
            Facet::Needs => yes(self.state.needs_migration()),
            Facet::Blocked => self.outlook.blocked(),
            Facet::Media => self.media_type.as_deref().unwrap_or(NONE),
            Facet::Size => size(self.samples),
            Facet::Persistent => yes(self.persistent),
            Facet::Private => self.made_for.map_or(NONE, MadeFor::word),
        };
        vec![one]
    }
}

impl Outlook {
    /// Whether a migration is blocked: `yes`, `no` or `unknown`.
    pub const fn blocked(&self) -> &'static str {
        match self {
            Self::Unknown => UNKNOWN,
            Self::Blocked { .. } => "yes",
            Self::Stays | Self::Stamp | Self::Crosses { .. } => "no",
        }
    }
}

fn yes(it: bool) -> &'static str {
    if it { "yes" } else { "no" }
}

fn size(samples: Option<u64>) -> &'static str {
    let Some(samples) = samples else { return UNKNOWN };
    SIZES.iter().find(|(_, from, _)| samples >= *from).map_or(UNKNOWN, |(word, ..)| word)
}

impl DatasetState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Current, Self::Behind, Self::Ahead, Self::Unversioned, Self::Unreadable];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Unversioned => "unversioned",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether it is not where this program takes it: the same that the overview counts.
    pub const fn needs_migration(self) -> bool {
        !matches!(self, Self::Current)
    }
}

impl fmt::Display for DatasetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "up to date",
            Self::Behind => "to migrate",
            Self::Ahead => "newer than this program",
            Self::Unversioned => "without a version",
            Self::Unreadable => "with a version that makes no sense",
        })
    }
}

impl MadeFor {
    /// Everything that FiftyOne makes datasets for.
    pub const ALL: [Self; 4] = [Self::Patches, Self::Frames, Self::Clips, Self::Others];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Patches => "patches",
            Self::Frames => "frames",
            Self::Clips => "clips",
            Self::Others => "others",
        }
    }

    /// What a dataset was made for whose samples are in this collection; `None` for one that people have made.
    pub fn of(sample_collection: &str) -> Option<Self> {
        match sample_collection.split('.').next()? {
            "" | "samples" => None,
            "patches" => Some(Self::Patches),
            "frames" => Some(Self::Frames),
            "clips" => Some(Self::Clips),
            _ => Some(Self::Others),
        }
    }
}

impl DatasetTab {
    /// Every tab.
    pub const ALL: [Self; 3] = [Self::Datasets, Self::Private, Self::Incomplete];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Datasets => "datasets",
            Self::Private => "private",
            Self::Incomplete => "incomplete",
        }
    }
}

impl FromStr for DatasetTab {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl DatasetSort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Name, Self::Version, Self::Size, Self::Modified];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Version => "version",
            Self::Size => "size",
            Self::Modified => "modified",
        }
    }
}

impl FromStr for DatasetSort {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl Facet {
    /// Every facet, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Version,
        Self::State,
        Self::Needs,
        Self::Blocked,
        Self::Media,
        Self::Size,
        Self::Persistent,
        Self::Private,
        Self::Tag,
    ];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::State => "state",
            Self::Needs => "needs",
            Self::Blocked => "blocked",
            Self::Media => "media",
            Self::Size => "size",
            Self::Persistent => "persistent",
            Self::Private => "private",
            Self::Tag => "tag",
        }
    }

    /// What it is called on the page.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Version => "Version",
            Self::State => "State",
            Self::Needs => "Needs migration",
            Self::Blocked => "Blocked",
            Self::Media => "Media type",
            Self::Size => "Samples",
            Self::Persistent => "Persistent",
            Self::Private => "Made for",
            Self::Tag => "Tag",
        }
    }

    /// What a value is called on the page.
    pub fn told(self, value: &str) -> String {
        match self {
            Self::Version if value == NONE => "no version".to_owned(),
            Self::Media if value == NONE => "not known yet".to_owned(),
            Self::Private if value == NONE => "made by people".to_owned(),
            Self::State => {
                let state = DatasetState::ALL.into_iter().find(|it| it.word() == value);
                state.map_or_else(|| value.to_owned(), |it| it.to_string())
            }
            Self::Blocked if value == UNKNOWN => "not looked at yet".to_owned(),
            Self::Size if value == UNKNOWN => "not counted yet".to_owned(),
            Self::Size => {
                let size = SIZES.iter().find(|(word, ..)| *word == value);
                size.map_or_else(|| value.to_owned(), |it| it.2.to_owned())
            }
            _ => value.to_owned(),
        }
    }

    /// Its place among all.
    const fn place(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_fiftyone_has_made_itself_is_known_by_where_its_samples_are() {
        let of = |it: &str| MadeFor::of(&format!("{it}.64f0aa0000000000000000aa"));
        assert_eq!(of("samples"), None);
        assert_eq!(MadeFor::of(""), None);
        assert_eq!(of("patches"), Some(MadeFor::Patches));
        assert_eq!(of("patches.frames"), Some(MadeFor::Patches));
        assert_eq!(of("frames"), Some(MadeFor::Frames));
        assert_eq!(of("clips"), Some(MadeFor::Clips));
        assert_eq!(of("scenes"), Some(MadeFor::Others));
    }

    #[test]
    fn every_dataset_is_in_one_tab() {
        let named = DatasetRow { name: Some("a".into()), ..DatasetRow::default() };
        assert_eq!(named.tab(), DatasetTab::Incomplete);
        let whole = DatasetRow { version: Some("1.0.0".into()), ..named.clone() };
        assert_eq!(whole.tab(), DatasetTab::Datasets);
        let nameless = DatasetRow { name: None, ..whole.clone() };
        assert_eq!(nameless.tab(), DatasetTab::Incomplete);
        let private = DatasetRow { made_for: Some(MadeFor::Clips), ..nameless };
        assert_eq!(private.tab(), DatasetTab::Private);
    }

    #[test]
    fn sizes_begin_where_they_say() {
        let words = [None, Some(0), Some(1), Some(999), Some(1_000), Some(99_999), Some(100_000)];
        assert_eq!(
            words.map(size),
            ["unknown", "empty", "small", "small", "medium", "medium", "large"]
        );
        assert_eq!(size(Some(u64::MAX)), "huge");
    }

    #[test]
    fn every_word_is_told_in_words_for_people() {
        assert_eq!(Facet::State.told("behind"), "to migrate");
        assert_eq!(Facet::Size.told("small"), "1 to 999 samples");
        assert_eq!(Facet::Version.told("none"), "no version");
        assert_eq!(Facet::Tag.told("none"), "none");
        assert!(Facet::ALL.iter().enumerate().all(|(place, it)| it.place() == place));
    }
}
