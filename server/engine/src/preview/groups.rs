//! Putting datasets together to which the same happens, and adding up what is lost.

use std::collections::BTreeMap;

use model::{Cause, Loss, NAMED, PlanChange, PlanGroup};

use super::{is_stamp, whole};
use crate::{DatasetReport, Report, State, policy::may_go_down, report::printable};

/// How many groups are told; what is left is one group.
const MOST: usize = 60;

/// How many kinds of losses are told.
const LOSSES: usize = 60;

/// The datasets of a plan, by what happens to them: first what is blocked, then what changes, then what stays; the largest
/// groups first. `named`: to somebody who may see what datasets are called.
pub fn groups(report: &Report, named: bool) -> Vec<PlanGroup> {
    let mut found: BTreeMap<PlanChange, (u64, Vec<String>)> = BTreeMap::new();
    for it in &report.datasets {
        let (count, labels) = found.entry(change(it, named)).or_default();
        *count += 1;
        if named && labels.len() < NAMED {
            labels.push(it.label());
        }
    }
    let group = |(change, (count, datasets))| PlanGroup { change, count, datasets };
    let mut groups: Vec<PlanGroup> = found.into_iter().map(group).collect();
    groups.sort_by_key(|it| (rank(&it.change), std::cmp::Reverse(it.count)));
    if groups.len() > MOST {
        let rest = groups.split_off(MOST - 1);
        let count = rest.iter().map(|it| it.count).sum();
        let datasets = rest.into_iter().flat_map(|it| it.datasets).take(NAMED).collect();
        groups.push(PlanGroup { change: PlanChange::Others, count, datasets });
    }
    groups
}

fn change(it: &DatasetReport, named: bool) -> PlanChange {
    let destination = it.destination.clone().unwrap_or_default();
    let head = it.head.as_ref().and_then(|it| it.parse().ok());
    let down = destination.parse().is_ok_and(|to| may_go_down(head.as_ref(), &to));
    match it.state {
        State::Refused | State::Failed => PlanChange::Blocked {
            reason: if named {
                reason(it)
            } else {
                it.failure().unwrap_or(Cause::Other).to_string()
            },
        },
        State::Planned if it.head.is_some() && it.head == it.destination => PlanChange::GivenBack,
        State::Planned if is_stamp(it) => PlanChange::Version { destination, down },
        State::Planned => {
            PlanChange::Crosses { destination, down, revisions: it.revisions.clone() }
        }
        _ => PlanChange::Stays,
    }
}

/// Why it is blocked, without its name: it may be the same of others.
fn reason(it: &DatasetReport) -> String {
    let reason = it.reason.as_deref().unwrap_or("for a reason that is not known");
    let named = |name: &str| reason.strip_prefix(&format!("dataset `{name}` ")).map(str::to_owned);
    let bare = named(&it.label()).or_else(|| it.name.as_deref().and_then(named));
    printable(bare.as_deref().unwrap_or(reason))
}

fn rank(change: &PlanChange) -> u8 {
    match change {
        PlanChange::Blocked { .. } => 0,
        PlanChange::Crosses { .. } | PlanChange::Version { .. } | PlanChange::GivenBack => 1,
        PlanChange::Stays | PlanChange::Others => 2,
    }
}

/// What is lost, and what the archive keeps; the most frequent first.
pub fn losses(report: &Report) -> (Vec<Loss>, Vec<Loss>) {
    let planned = || report.datasets.iter().filter(|it| it.state == State::Planned);
    let mut lost = counted(planned().map(|it| &it.warnings));
    if let Some(database) = report.database.as_ref().filter(|it| !it.drops.is_empty()) {
        let what = format!(
            "collections that no dataset uses are dropped: {}",
            whole(database.drops.len())
        );
        lost.insert(0, Loss { what, datasets: 0 });
    }
    (lost, counted(planned().map(|it| &it.kept)))
}

/// The same without what is quoted, which may be the name of something: what is the same then is told once.
pub fn without_names(losses: Vec<Loss>) -> Vec<Loss> {
    let mut bare: Vec<Loss> = Vec::new();
    for Loss { what, datasets } in losses {
        let part = |(place, text)| if place % 2 == 0 { text } else { "`…`" };
        let what: String = what.split('`').enumerate().map(part).collect();
        match bare.iter_mut().find(|it| it.what == what) {
            // Some lose several of that kind; nobody knows how many.
            Some(same) => same.datasets = same.datasets.max(datasets),
            None => bare.push(Loss { what, datasets }),
        }
    }
    bare
}

fn counted<'a>(each: impl Iterator<Item = &'a Vec<String>>) -> Vec<Loss> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for what in each.flatten() {
        *counts.entry(what).or_default() += 1;
    }
    let mut losses: Vec<Loss> = counts
        .into_iter()
        .map(|(what, datasets)| Loss { what: printable(what), datasets })
        .collect();
    losses.sort_by_key(|it| std::cmp::Reverse(it.datasets));
    if losses.len() > LOSSES {
        let more = losses.split_off(LOSSES);
        let datasets = more.iter().map(|it| it.datasets).max().unwrap_or(0);
        losses.push(Loss { what: format!("{} more, of other kinds", more.len()), datasets });
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dataset, report};
    use super::*;

    fn blocked(name: &str, reason: &str) -> DatasetReport {
        let reason = Some(format!("dataset `{name}` {reason}"));
        DatasetReport { state: State::Refused, reason, ..dataset(name, "0.18.0", &[]) }
    }

    #[test]
    fn datasets_to_which_the_same_happens_are_one_group() {
        let mut datasets: Vec<DatasetReport> =
            (0..60).map(|it| dataset(&format!("stamp {it}"), "1.12.0", &[])).collect();
        datasets.extend(["a", "b"].map(|it| dataset(it, "0.18.0", &["0.19.0", "1.0.0"])));
        datasets.push(dataset("c", "0.21.0", &["1.0.0"]));
        datasets.extend(["x", "y"].map(|it| blocked(it, "cannot cross v1.0.0: it has groups")));
        datasets.push(DatasetReport { state: State::Current, ..dataset("z", "1.22.1", &[]) });
        datasets.push(dataset("waits", "1.22.1", &[]));
        let report = report("1.0.0", "1.22.1", datasets);
        let groups = groups(&report, true);
        let told: Vec<(u64, usize)> =
            groups.iter().map(|it| (it.count, it.datasets.len())).collect();
        assert_eq!(told, [(2, 2), (60, 50), (2, 2), (1, 1), (1, 1), (1, 1)]);
        let reason = "cannot cross v1.0.0: it has groups".to_owned();
        assert_eq!(groups[0].change, PlanChange::Blocked { reason });
        assert_eq!(groups[0].datasets, ["x", "y"]);
        let destination = "1.22.1".to_owned();
        assert_eq!(groups[1].change, PlanChange::Version { destination, down: false });
        assert!(groups.iter().any(|it| it.change == PlanChange::GivenBack));
        assert_eq!(groups[5].change, PlanChange::Stays);
    }

    #[test]
    fn whoever_may_not_see_names_is_told_counts_and_causes() {
        let datasets = vec![
            blocked("secret", "cannot cross v1.0.0: it clashes with `hidden`"),
            blocked("hidden", "cannot cross v1.0.0: it clashes with `secret`"),
            dataset("private", "1.12.0", &[]),
        ];
        let groups = groups(&report("1.0.0", "1.22.1", datasets), false);
        let reason = "blocked by what it holds".to_owned();
        let told: Vec<(u64, usize)> =
            groups.iter().map(|it| (it.count, it.datasets.len())).collect();
        assert_eq!(
            (&groups[0].change, told),
            (&PlanChange::Blocked { reason }, vec![(2, 0), (1, 0)])
        );
        let loss = |what: &str, datasets| Loss { what: what.to_owned(), datasets };
        let losses =
            vec![loss("it is named `a`", 2), loss("it is named `b`", 1), loss("a view", 1)];
        assert_eq!(without_names(losses), [loss("it is named `…`", 2), loss("a view", 1)]);
    }

    #[test]
    fn of_very_many_groups_the_last_are_told_as_one() {
        let many = (0..200).map(|it| blocked(&format!("d{it}"), &format!("has {it} wrong things")));
        let groups = groups(&report("1.0.0", "1.22.1", many.collect()), true);
        assert_eq!(groups.len(), MOST);
        assert_eq!(groups.iter().map(|it| it.count).sum::<u64>(), 200);
        assert_eq!(groups[MOST - 1].change, PlanChange::Others);
    }

    #[test]
    fn losses_are_counted_and_what_the_archive_keeps_is_none() {
        let mut datasets =
            vec![dataset("a", "1.22.1", &["1.0.0"]), dataset("b", "1.22.1", &["1.0.0"])];
        for it in &mut datasets {
            it.kept.push("its slug".to_owned());
        }
        datasets[0].kept.push("a color scheme".to_owned());
        datasets[1].warnings.push("1 saved view is deleted".to_owned());
        let mut report = report("1.22.1", "0.21.0", datasets);
        let (lost, kept) = losses(&report);
        assert_eq!(lost, [Loss { what: "1 saved view is deleted".to_owned(), datasets: 1 }]);
        assert_eq!((kept[0].what.as_str(), kept[0].datasets, kept.len()), ("its slug", 2, 2));
        if let Some(database) = &mut report.database {
            database.drops = vec!["samples.1".to_owned(), "samples.2".to_owned()];
        }
        assert!(losses(&report).0[0].what.ends_with("dropped: 2"));
    }
}
