//! The plan in words.

use model::words::counted;
use model::{MigrationPlan, PlanChange, PlanDestination, PlanGroup, PlanScope};

/// A version as it is chosen.
pub fn destination(it: &PlanDestination) -> String {
    let inferred = if it.stated { "" } else { ", inferred" };
    let here = if it.current { "; the database is here" } else { "" };
    match it.enterprise.as_slice() {
        [] => format!("{}{here}", it.version),
        [one] => format!("{} (Enterprise {one}{inferred}){here}", it.version),
        [first, .., last] => {
            format!("{} (Enterprise {first} to {last}{inferred}){here}", it.version)
        }
    }
}

/// A scope as it is chosen.
pub fn scope(it: PlanScope) -> &'static str {
    match it {
        PlanScope::Everything => "The database and every dataset",
        PlanScope::Database => "The database only",
        PlanScope::Datasets => "Some datasets, by name",
        PlanScope::Selection => "The datasets that were selected",
    }
}

/// What happens to a group.
pub fn group(it: &PlanGroup) -> String {
    let one = it.count == 1;
    let many = counted(it.count, "dataset");
    let verb = |single: &'static str, several: &'static str| if one { single } else { several };
    match &it.change {
        PlanChange::Blocked { reason } => format!("{many} {} blocked: {reason}", verb("is", "are")),
        PlanChange::Crosses { destination, revisions, .. } if revisions.is_empty() => format!(
            "{many} {} to {destination}; which revisions that crosses is known when {} read",
            verb("goes", "go"),
            verb("it is", "they are")
        ),
        PlanChange::Crosses { destination, down, revisions } => {
            let number = u64::try_from(revisions.len()).unwrap_or(u64::MAX);
            format!(
                "{many} {} {} to {destination} across {} ({})",
                verb("goes", "go"),
                if *down { "down" } else { "up" },
                counted(number, "revision"),
                revisions.join(", ")
            )
        }
        PlanChange::Version { destination, .. } => {
            format!("{many} only {} a new version, {destination}", verb("gets", "get"))
        }
        PlanChange::GivenBack => {
            format!("{many} {} back what the archive keeps", verb("gets", "get"))
        }
        PlanChange::Stays => {
            format!("{many} {}", verb("stays as it is", "stay as they are"))
        }
        PlanChange::Others => format!("{many} of other kinds"),
    }
}

/// What happens to a group, as a word for styles.
pub fn kind(it: &PlanChange) -> &'static str {
    match it {
        PlanChange::Blocked { .. } => "blocked",
        PlanChange::Crosses { .. } | PlanChange::Version { .. } | PlanChange::GivenBack => {
            "changes"
        }
        PlanChange::Stays | PlanChange::Others => "stays",
    }
}

/// What the button does.
pub fn button(plan: &MigrationPlan) -> String {
    let (changed, moves) = (plan.datasets, plan.moves_database());
    let what = match (moves, changed) {
        (true, 0) => "the database".to_owned(),
        (true, _) => format!("the database and {}", counted(changed, "dataset")),
        (false, _) => counted(changed, "dataset"),
    };
    let verb = if plan.goes_down { "Downgrade" } else { "Migrate" };
    format!("{verb} {what} to {}", plan.destination)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(change: PlanChange, count: u64) -> String {
        group(&PlanGroup { change, count, datasets: Vec::new() })
    }

    #[test]
    fn a_group_says_what_happens_to_how_many() {
        let to = || "1.22.1".to_owned();
        let version = PlanChange::Version { destination: to(), down: false };
        assert_eq!(told(version.clone(), 9_411), "9,411 datasets only get a new version, 1.22.1");
        assert_eq!(told(version, 1), "1 dataset only gets a new version, 1.22.1");
        let revisions = vec!["0.19.0".to_owned(), "1.0.0".to_owned()];
        let crosses = PlanChange::Crosses { destination: to(), down: false, revisions };
        assert_eq!(
            told(crosses, 412),
            "412 datasets go up to 1.22.1 across 2 revisions (0.19.0, 1.0.0)"
        );
        let blocked = PlanChange::Blocked { reason: "cannot cross v1.0.0: it has groups".into() };
        assert_eq!(told(blocked, 2), "2 datasets are blocked: cannot cross v1.0.0: it has groups");
        assert_eq!(told(PlanChange::Stays, 1), "1 dataset stays as it is");
    }

    #[test]
    fn a_destination_is_told_with_the_enterprise_versions_that_belong_to_it() {
        let of = |enterprise: &[&str], stated| {
            let enterprise = enterprise.iter().map(|it| (*it).to_owned()).collect();
            destination(&PlanDestination {
                version: "1.0.0".into(),
                enterprise,
                stated,
                current: !stated,
            })
        };
        assert_eq!(of(&["2.1.0"], true), "1.0.0 (Enterprise 2.1.0)");
        assert_eq!(
            of(&["2.1.0", "2.1.1", "2.1.2"], false),
            "1.0.0 (Enterprise 2.1.0 to 2.1.2, inferred); the database is here"
        );
    }
}
