//! Where a release is, how a database gets there, and which SDK it takes.

use model::{Direction, Numbering, Sdk, Way, WayStep};
use revisions::{Release, admin, base, between, direction};

use super::{COMPATIBILITY_VERSION, Row, VersionTable, opening::Unclear};

impl VersionTable {
    /// The release that people mean by a number: that of Enterprise, of its SDK, or its compatibility version.
    ///
    /// The first numbers are enough; then it is the newest of that line.
    ///
    /// # Errors
    ///
    /// If there is none, or it is no number at all.
    pub fn resolve(&self, asked: &str) -> Result<(&Row, Numbering), Unclear> {
        let asked = asked.trim().trim_start_matches('v');
        let wanted: Release = asked.parse().map_err(|_| Unclear::NoVersion(asked.to_owned()))?;
        let line = format!("{asked}.");
        for numbering in [Numbering::Enterprise, Numbering::Sdk, Numbering::Compatibility] {
            let number = |row: &Row| match numbering {
                Numbering::Enterprise => row.enterprise.clone(),
                Numbering::Sdk => row.sdk.clone(),
                Numbering::Compatibility => row.compatibility.clone(),
            };
            let table = self.releases();
            let exact = |row: &&Row| number(row).parse().is_ok_and(|it: Release| it == wanted);
            let begins = |row: &&Row| number(row).starts_with(&line);
            if let Some(row) = table.iter().rfind(exact).or_else(|| table.iter().rfind(begins)) {
                return Ok((row, numbering));
            }
        }
        Err(Unclear::NoRelease(asked.to_owned()))
    }

    /// What lies between a database and the release that somebody wants to go to.
    ///
    /// # Errors
    ///
    /// If there is no such release.
    pub fn way(&self, asked: &str, head: Option<&str>) -> Result<Way, Unclear> {
        let (row, found_by) = self.resolve(asked)?;
        let goal = row.shown();
        let from: Option<Release> = head.and_then(|it| it.parse().ok());
        let to: Option<Release> = goal.compatibility.parse().ok();
        let (mut turned, mut steps) = (None, Vec::new());
        if let (Some(from), Some(to)) = (from, to) {
            turned = direction(&base(&from), &base(&to));
            steps = crossed(&from, &to);
        }
        let asked = asked.trim().to_owned();
        Ok(Way { asked, found_by, goal, head: head.map(str::to_owned), direction: turned, steps })
    }

    /// The SDK for the release that was asked for, for the version the database is at, or, where that says nothing, the newest.
    ///
    /// # Errors
    ///
    /// If there is no such release.
    pub fn sdk(&self, asked: Option<&str>, head: Option<&str>) -> Result<Sdk, Unclear> {
        let asked = asked.map(str::trim).filter(|it| !it.is_empty());
        let reached = head.and_then(|it| it.parse().ok()).and_then(|it| self.reached_by(&it));
        let (row, reached) = match (asked, reached) {
            (Some(asked), _) => (self.resolve(asked)?.0, false),
            (None, Some(row)) => (row, true),
            (None, None) => (self.resolve(COMPATIBILITY_VERSION)?.0, false),
        };
        let choice = |it: &Row| {
            let it = it.shown();
            let name = format!("{} (SDK {}, data model {})", it.name(), it.sdk, it.compatibility);
            (it.enterprise.unwrap_or(it.sdk), name)
        };
        Ok(Sdk {
            row: row.shown(),
            reached,
            head: head.map(str::to_owned),
            asked: asked.map(str::to_owned),
            choices: self.releases().iter().rev().map(choice).collect(),
        })
    }
}

/// The revisions between two versions, in the order they run: those of the database first on the way up, last on the way
/// down.
pub fn crossed(from: &Release, to: &Release) -> Vec<WayStep> {
    let down = direction(&base(from), &base(to)) == Some(Direction::Down);
    let of_database = admin::between(from, to).into_iter().map(|it| WayStep {
        version: it.version.to_string(),
        summary: it.summary.to_owned(),
        of_database: true,
        loses: None,
    });
    let of_datasets = between(from, to).into_iter().map(|it| WayStep {
        version: it.version.to_string(),
        summary: it.summary.to_owned(),
        of_database: false,
        loses: it.loses.filter(|_| down).map(str::to_owned),
    });
    if down {
        of_datasets.chain(of_database).collect()
    } else {
        of_database.chain(of_datasets).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> VersionTable {
        VersionTable::embedded()
    }

    fn found(asked: &str) -> (String, Numbering) {
        let (row, numbering) = table().resolve(asked).map(|it| (it.0.clone(), it.1)).unwrap();
        (row.compatibility.clone(), numbering)
    }

    #[test]
    fn a_release_is_found_by_any_of_its_numbers_and_by_the_first_of_them() {
        assert_eq!(found("2.16.0"), ("1.13.0".into(), Numbering::Enterprise));
        assert_eq!(found("0.10"), ("0.18.0".into(), Numbering::Sdk));
        assert_eq!(found("0.7.1"), ("0.15.1".into(), Numbering::Sdk));
        assert_eq!(found("0.25.0"), ("0.25.0".into(), Numbering::Compatibility));
        assert_eq!(found("v2.9"), ("1.6.0".into(), Numbering::Enterprise));
    }

    #[test]
    fn what_is_no_release_is_told_apart_from_what_is_no_version() {
        let said = |asked: &str| table().resolve(asked).map(|it| it.1).unwrap_err().to_string();
        assert!(said("9.9.9").starts_with("`9.9.9` is no release"), "{}", said("9.9.9"));
        assert!(said("new").starts_with("`new` is no version"), "{}", said("new"));
    }

    #[test]
    fn the_way_down_says_what_is_lost_and_the_way_up_has_nothing_to_say() {
        let down = table().way("1.0.0", Some("0.20.0")).unwrap();
        assert_eq!(down.direction, Some(Direction::Down));
        let steps: Vec<_> = down.steps.iter().map(|it| it.version.as_str()).collect();
        assert_eq!(steps, ["0.20.0", "0.19.0"]);
        assert_eq!(down.steps[0].loses, None);
        assert!(down.steps[1].loses.as_ref().unwrap().contains("saved views"));

        let up = table().way("2.2.0", Some("0.14.4")).unwrap();
        assert_eq!(up.direction, Some(Direction::Up));
        assert!(up.steps[0].of_database && up.steps.iter().all(|it| it.loses.is_none()));
        assert_eq!(up.steps.last().unwrap().version, "1.1.0");
    }

    #[test]
    fn a_database_that_is_there_or_does_not_say_where_it_is_crosses_nothing() {
        for head in [Some("1.13.0"), Some("garbage"), None] {
            let way = table().way("2.16.0", head).unwrap();
            assert_eq!((way.direction, way.steps.len()), (None, 0), "{head:?}");
        }
    }

    #[test]
    fn the_sdk_is_the_one_that_was_asked_for_or_that_of_the_database() {
        let of =
            |asked: Option<&str>, head: Option<&str>| table().sdk(asked, head).unwrap().row.sdk;
        assert_eq!(of(Some("2.16.0"), Some("0.18.0")), "2.16.0");
        assert_eq!(of(Some(" "), Some("1.20.0")), "2.20.0");
        assert_eq!(of(None, None), "2.22.1");
        let sdk = table().sdk(None, Some("garbage")).unwrap();
        assert_eq!((sdk.row.sdk.as_str(), sdk.reached), ("2.22.1", false));
        assert_eq!(sdk.choices.len(), table().releases().len());
        assert!(sdk.choices.iter().all(|(asked, _)| table().resolve(asked).is_ok()));
    }
}
