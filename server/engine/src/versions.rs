//! Which versions there are, which belong together, and which can read which.

mod correction;
mod opening;
mod way;

use std::sync::{Arc, LazyLock};

use model::{ListedRelease, PlanDestination, VersionCorrection, VersionRow};
use revisions::{Release, base};

pub use correction::{Checked, Correction, MOST};
pub use opening::{Question, Unclear, destination, opening, opens};

/// The newest compatibility version this program brings a database to: that of the FiftyOne whose data model
/// it implements.
pub const COMPATIBILITY_VERSION: &str = "1.22.1";

/// Which versions can read a database of [`COMPATIBILITY_VERSION`], as FiftyOne writes it.
pub const OTHER_COMPATIBLE_VERSIONS: &str = ">=0.19,<2";

static EMBEDDED: LazyLock<Arc<[Row]>> =
    LazyLock::new(|| parse(include_str!("../data/compat.csv")).into());

static NEWEST: LazyLock<Release> =
    LazyLock::new(|| COMPATIBILITY_VERSION.parse().unwrap_or_else(|_| Release::new([0])));

/// All releases of FiftyOne Enterprise and what belongs to them: what this build knows, and what admins have corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionTable {
    /// Oldest first.
    rows: Arc<[Row]>,
}

/// One FiftyOne Enterprise release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The Enterprise version.
    pub enterprise: String,
    /// Its Python SDK.
    pub sdk: String,
    /// The open source version its data model equals.
    pub compatibility: String,
    /// When it was released, `YYYY-MM-DD`, where known.
    pub released: String,
    /// Whether a source states the pair, or it was inferred from numbers and dates.
    pub stated: bool,
    /// Who has corrected or added it, and what this build has instead; `None` if it is this build's.
    pub correction: Option<VersionCorrection>,
}

/// The newest version this program knows.
pub fn newest() -> &'static Release {
    &NEWEST
}

impl VersionTable {
    /// What this build knows.
    pub fn embedded() -> Self {
        Self { rows: Arc::clone(&EMBEDDED) }
    }

    /// All Enterprise releases, oldest first.
    pub fn releases(&self) -> &[Row] {
        &self.rows
    }

    /// The Enterprise release with this version.
    pub fn release(&self, version: &str) -> Option<&Row> {
        let wanted: Release = version.trim().parse().ok()?;
        self.rows.iter().find(|row| row.version().is_some_and(|it| it == wanted))
    }

    /// The newest Enterprise release that belongs to a compatibility version.
    pub fn release_of(&self, compatibility: &str) -> Option<&Row> {
        self.rows.iter().rfind(|row| row.compatibility == compatibility)
    }

    /// The compatibility versions that everything can be taken to, newest first, each with its Enterprise versions.
    pub fn destinations(&self) -> Vec<PlanDestination> {
        let mut found: Vec<(Release, PlanDestination)> = Vec::new();
        for row in self.releases() {
            let Ok(version) = row.compatibility.parse::<Release>() else { continue };
            if base(&version) > *newest() {
                continue;
            }
            let at = found.iter().position(|(it, _)| *it == version).unwrap_or_else(|| {
                let (text, enterprise) = (row.compatibility.clone(), Vec::new());
                found.push((
                    version,
                    PlanDestination { version: text, enterprise, stated: true, current: false },
                ));
                found.len() - 1
            });
            let it = &mut found[at].1;
            it.enterprise.push(row.enterprise.clone());
            it.stated &= row.stated;
        }
        found.sort_by(|a, b| b.0.cmp(&a.0));
        found.into_iter().map(|(_, it)| it).collect()
    }

    /// The newest Enterprise release whose data model a database at this version has reached.
    pub fn reached_by(&self, compatibility: &Release) -> Option<&Row> {
        let wanted = base(compatibility);
        let reached = |row: &&Row| row.compatibility.parse().is_ok_and(|it: Release| it <= wanted);
        self.rows.iter().rfind(reached)
    }

    /// All Enterprise releases as people look at them, newest first, with the revisions that each step crosses.
    pub fn listed(&self) -> Vec<ListedRelease> {
        let mut before: Option<Release> = None;
        let rows = self.rows.iter().map(|row| {
            let own: Option<Release> = row.compatibility.parse().ok();
            let mut crosses = Vec::new();
            if let (Some(from), Some(to)) = (&before, &own) {
                crosses = way::crossed(from, to).into_iter().map(|it| it.version).collect();
            }
            before = own.or(before.take());
            let name = row.name();
            let correction = row.correction.clone();
            ListedRelease { name, row: VersionRow { crosses, ..row.shown() }, correction }
        });
        let mut rows: Vec<ListedRelease> = rows.collect();
        rows.reverse();
        rows
    }
}

impl Row {
    /// The Enterprise version, if it has one.
    fn version(&self) -> Option<Release> {
        self.enterprise.parse().ok()
    }

    /// What it is called in addresses: `2.16.0`, or `sdk-0.7.1`.
    pub fn name(&self) -> String {
        if self.version().is_some() {
            return self.enterprise.clone();
        }
        format!("sdk-{}", self.enterprise.trim_matches(['(', ')']).trim_end_matches(" SDK"))
    }

    /// The same as people look at it, without what it crosses.
    pub(crate) fn shown(&self) -> VersionRow {
        VersionRow {
            enterprise: self.version().map(|_| self.enterprise.clone()),
            sdk: self.sdk.clone(),
            compatibility: self.compatibility.clone(),
            released: (!self.released.is_empty()).then(|| self.released.clone()),
            stated: self.stated,
            crosses: Vec::new(),
        }
    }
}

/// Whether a client of [`COMPATIBILITY_VERSION`] can read what has this version without migrating it.
pub fn is_compatible(version: &Release) -> bool {
    let version = base(version);
    version.epoch() == 0 && version >= Release::new([0, 19]) && version < Release::new([2])
}

fn parse(table: &str) -> Vec<Row> {
    let rows = table.lines().skip(1).filter(|it| !it.is_empty());
    rows.filter_map(|line| {
        let mut cells = line.split(',').map(str::to_owned);
        let (enterprise, sdk, compatibility) = (cells.next()?, cells.next()?, cells.next()?);
        let (released, basis) = (cells.next()?, cells.nth(1)?);
        let stated = basis == "stated";
        Some(Row { enterprise, sdk, compatibility, released, stated, correction: None })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_enterprise_version_of_this_build_is_in_the_table() {
        let row = VersionTable::embedded().release_of(COMPATIBILITY_VERSION).cloned().unwrap();
        assert_eq!((row.enterprise.as_str(), row.stated), ("2.22.1", false));
        assert_eq!(newest().to_string(), COMPATIBILITY_VERSION);
    }

    #[test]
    fn an_enterprise_version_resolves_to_its_compatibility_version() {
        let table = VersionTable::embedded();
        let row = table.release("2.1.0").unwrap();
        assert_eq!((row.compatibility.as_str(), row.stated), ("1.0.0", true));
        assert_eq!(table.release("9.9.9"), None);
        assert_eq!(table.release("nonsense"), None);
    }

    #[test]
    fn destinations_are_told_once_and_the_newest_first() {
        let all = VersionTable::embedded().destinations();
        assert_eq!(all[0].version, COMPATIBILITY_VERSION);
        let versions: Vec<Release> = all.iter().map(|it| it.version.parse().unwrap()).collect();
        assert!(versions.windows(2).all(|it| it[0] > it[1]), "{versions:?}");
        let first = all.iter().find(|it| it.version == "1.0.0").unwrap();
        assert!(first.enterprise.contains(&"2.1.0".to_owned()), "{first:?}");
    }

    #[test]
    fn compatible_are_all_versions_from_0_19_to_below_2() {
        let compatible = |text: &str| is_compatible(&text.parse().unwrap());
        assert!(compatible("0.19.0") && compatible("1.99.0") && compatible("1.21.0rc1"));
        assert!(!compatible("0.18.0") && !compatible("2.0.0") && !compatible("2.0.0rc1"));
    }

    #[test]
    fn a_database_between_two_releases_has_reached_the_older_one() {
        let table = VersionTable::embedded();
        let reached =
            |text: &str| table.reached_by(&text.parse().unwrap()).map(|it| it.sdk.as_str());
        assert_eq!(reached("1.20.1"), Some("2.20.0"));
        assert_eq!(reached("0.18.0"), Some("0.10.x"));
        assert_eq!(reached("1.13.0rc1"), Some("2.16.0"));
        assert_eq!(reached("0.14.0"), None);
    }

    #[test]
    fn the_newest_release_comes_first_and_each_step_crosses_what_its_source_says() {
        let rows: Vec<_> = VersionTable::embedded().listed().into_iter().map(|it| it.row).collect();
        assert_eq!(rows[0].enterprise.as_deref(), Some("2.22.1"));
        assert_eq!(rows.last().unwrap().enterprise, None);
        let lines: Vec<_> = include_str!("../data/compat.csv").lines().skip(1).collect();
        for (row, line) in rows.iter().rev().zip(lines) {
            let said: Vec<_> = line.split(',').nth(6).unwrap().split(' ').collect();
            let said: Vec<_> = said.into_iter().filter(|it| !it.is_empty()).collect();
            assert_eq!(row.crosses, said, "{}", row.name());
        }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = include_str!("../data/compat.csv").lines().count();
        let table = VersionTable::embedded();
        assert_eq!(table.releases().len(), lines - 1);
        assert!(table.releases().iter().all(|it| it.compatibility.parse::<Release>().is_ok()));
    }
}
