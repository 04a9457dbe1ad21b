//! Where every part of a deployment is, and what it runs on, in the words of the first page.

use model::{Fact, Status, Tone, Topology, words};

/// Enterprise, compatibility, database, datasets: the rungs of the ladder, where each is, and where it can go.
pub fn ladder(status: &Status) -> Vec<Fact> {
    let newest = &status.compatibility_version;
    let goal = (status.verdict.tone == Tone::Todo).then(|| newest.clone());
    let inferred = (!status.enterprise_version.stated).then(|| {
        "inferred: no release note states this pair; it follows from numbers and dates".to_owned()
    });
    let database = status.database_version.as_deref();
    let total = |behind: bool| {
        let some = status.datasets.iter().filter(|it| it.needs_migration || !behind);
        some.map(|it| it.datasets).sum::<u64>()
    };
    let (all, behind) = (total(false), total(true));
    let first = status.datasets.iter().find(|it| it.needs_migration).or(status.datasets.first());
    let oldest = first.map(|it| it.version.as_deref().unwrap_or("no version"));
    let note = match behind {
        0 => format!("all {} there", words::count(all)),
        _ => format!("{} of {} to migrate", words::count(behind), words::count(all)),
    };
    vec![
        Fact { note: inferred, ..fact("Enterprise version", &status.enterprise_version.version) },
        fact("Compatibility version", newest),
        Fact {
            goal: goal.clone().filter(|it| database != Some(it)),
            ..fact("Database version", database.unwrap_or("not recorded yet"))
        },
        Fact {
            goal: goal.filter(|_| behind > 0),
            note: (all > 0).then_some(note),
            ..fact("Datasets", oldest.unwrap_or("none"))
        },
    ]
}

/// What a deployment runs on. `None`: MongoDB does not say it to our user.
pub fn deployment(
    status: &Status,
    topology: Option<&Topology>,
    feature_version: Option<&str>,
    disk_free_bytes: Option<u64>,
) -> Vec<Fact> {
    let unknown = || "not told to our user".to_owned();
    let allowed = if status.database_admin {
        fact("Migrations from here", "Allowed")
    } else {
        let note = Some("FIFTYONE_DATABASE_ADMIN is not true.".to_owned());
        Fact { note, ..fact("Migrations from here", "Not allowed") }
    };
    vec![
        fact("Database", &status.database),
        fact("MongoDB server version", &status.mongodb_version),
        fact("Feature compatibility", feature_version.unwrap_or(&unknown())),
        fact("Servers", &topology.map_or_else(unknown, ToString::to_string)),
        fact("Free disk space", &disk_free_bytes.map_or_else(unknown, words::bytes)),
        fact("Other compatible versions", &status.other_compatible_versions),
        allowed,
    ]
}

fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.to_owned(), value: value.to_owned(), goal: None, note: None }
}

#[cfg(test)]
mod tests {
    use model::{EnterpriseVersion, Verdict, VersionCount};

    use super::*;

    fn status(tone: Tone, database: &str, datasets: &[(Option<&str>, u64)]) -> Status {
        let count = |(version, datasets): &(Option<&str>, u64)| VersionCount {
            version: version.map(str::to_owned),
            datasets: *datasets,
            needs_migration: *version != Some("1.22.1"),
        };
        Status {
            database: "fiftyone".into(),
            enterprise_version: EnterpriseVersion { version: "2.22.1".into(), stated: false },
            compatibility_version: "1.22.1".into(),
            other_compatible_versions: ">=0.19,<2".into(),
            database_version: Some(database.into()),
            mongodb_version: "6.0.5".into(),
            database_admin: true,
            datasets: datasets.iter().map(count).collect(),
            verdict: Verdict { tone, sentence: String::new() },
        }
    }

    fn rungs(status: &Status) -> Vec<String> {
        let words = |it: Fact| {
            let goal = it.goal.map(|it| format!(" > {it}")).unwrap_or_default();
            let note = it.note.map(|it| format!(" ({it})")).unwrap_or_default();
            format!("{}{goal}{note}", it.value)
        };
        ladder(status).into_iter().skip(2).map(words).collect()
    }

    #[test]
    fn each_rung_says_where_it_is_and_where_it_can_go() {
        let both = status(Tone::Todo, "0.21.2", &[(None, 1), (Some("1.22.1"), 3)]);
        assert_eq!(rungs(&both), ["0.21.2 > 1.22.1", "no version > 1.22.1 (1 of 4 to migrate)"]);
        let datasets = status(Tone::Todo, "1.22.1", &[(Some("0.18.0"), 2_000)]);
        assert_eq!(rungs(&datasets), ["1.22.1", "0.18.0 > 1.22.1 (2,000 of 2,000 to migrate)"]);
        let done = status(Tone::Good, "1.22.1", &[(Some("1.22.1"), 2)]);
        assert_eq!(rungs(&done), ["1.22.1", "1.22.1 (all 2 there)"]);
        assert_eq!(rungs(&status(Tone::Good, "1.22.1", &[])), ["1.22.1", "none"]);
        let newer = status(Tone::Problem, "2.0.0", &[]);
        assert_eq!(rungs(&newer), ["2.0.0", "none"], "it is not led down");
    }
}
