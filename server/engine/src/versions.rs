//! Which versions there are, which belong together, and which can read which.

use std::sync::LazyLock;

use revisions::{Release, base};

/// The newest compatibility version this program brings a database to: that of the FiftyOne whose data model
/// it implements.
pub const COMPATIBILITY_VERSION: &str = "1.22.1";

/// Which versions can read a database of [`COMPATIBILITY_VERSION`], as FiftyOne writes it.
pub const OTHER_COMPATIBLE_VERSIONS: &str = ">=0.19,<2";

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| parse(include_str!("../data/compat.csv")));

static NEWEST: LazyLock<Release> =
    LazyLock::new(|| COMPATIBILITY_VERSION.parse().unwrap_or_else(|_| Release::new([0])));

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
}

/// The newest version this program knows.
pub fn newest() -> &'static Release {
    &NEWEST
}

/// All Enterprise releases, oldest first.
pub fn enterprise_releases() -> &'static [Row] {
    &TABLE
}

/// The Enterprise release with this version.
pub fn enterprise_release(version: &str) -> Option<&'static Row> {
    let wanted: Release = version.trim().parse().ok()?;
    TABLE.iter().find(|row| row.enterprise.parse().is_ok_and(|it: Release| it == wanted))
}

/// The newest Enterprise release that belongs to a compatibility version.
pub fn enterprise_of(compatibility: &str) -> Option<&'static Row> {
    TABLE.iter().rfind(|row| row.compatibility == compatibility)
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
        Some(Row { enterprise, sdk, compatibility, released, stated: basis == "stated" })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_enterprise_version_of_this_build_is_in_the_table() {
        let row = enterprise_of(COMPATIBILITY_VERSION).unwrap();
        assert_eq!((row.enterprise.as_str(), row.stated), ("2.22.1", false));
        assert_eq!(newest().to_string(), COMPATIBILITY_VERSION);
    }

    #[test]
    fn an_enterprise_version_resolves_to_its_compatibility_version() {
        let row = enterprise_release("2.1.0").unwrap();
        assert_eq!((row.compatibility.as_str(), row.stated), ("1.0.0", true));
        assert_eq!(enterprise_release("9.9.9"), None);
        assert_eq!(enterprise_release("nonsense"), None);
    }

    #[test]
    fn compatible_are_all_versions_from_0_19_to_below_2() {
        let compatible = |text: &str| is_compatible(&text.parse().unwrap());
        assert!(compatible("0.19.0") && compatible("1.99.0") && compatible("1.21.0rc1"));
        assert!(!compatible("0.18.0") && !compatible("2.0.0") && !compatible("2.0.0rc1"));
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = include_str!("../data/compat.csv").lines().count();
        assert_eq!(enterprise_releases().len(), lines - 1);
        assert!(enterprise_releases().iter().all(|it| it.compatibility.parse::<Release>().is_ok()));
    }
}
