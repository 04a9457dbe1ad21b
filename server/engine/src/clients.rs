//! Who is connected to the database, and what a migration means for them.

use std::collections::{BTreeMap, BTreeSet};

use bson::DateTime;
use model::{ClientGroup, Clients, Fate, Program};
use revisions::{Release, base};

use crate::{
    Engine, Result,
    store::{APP_NAME, Connection},
    versions::{Question, Row, VersionTable, newest, opening, opens},
};

/// What FiftyOne's own connections are called.
const FIFTYONE: &str = "fiftyone";
/// The driver of those it makes beside them, which are not called anything.
const BESIDE: &str = "MongoEngine";

impl Engine {
    /// What the database says it is at. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn head(&self) -> Result<Option<String>> {
        Ok(self.store.config().await?.version().map(str::to_owned))
    }

    /// Whether a client can open the database. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn opening(&self, question: &Question) -> Result<model::Opening> {
        let config = self.store.config().await?;
        Ok(opening(question, config.version(), config.document.get_str("type").ok()))
    }

    /// Everybody who is connected, and what becomes of them if the database goes to `destination`, or to the version of this
    /// program. Writes nothing.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or the `config` documents make no sense.
    pub async fn clients(&self, destination: Option<&Release>) -> Result<Clients> {
        let head = self.head().await?;
        let destination = destination.unwrap_or(newest());
        let told = |it| self.store.error(it);
        let (connections, remedy) = match self.store.connections(true).await {
            Ok(all) => (all, None),
            Err(failure) if failure.is_of_rights() => {
                let user = self.store.own_user().await.map_err(told)?;
                (self.store.connections(false).await.map_err(told)?, Some(remedy(user)))
            }
            Err(failure) => return Err(told(failure)),
        };
        // Whoever may not read the log still sees who is there.
        let accepted = match self.store.accepted().await {
            Ok(accepted) => accepted,
            Err(failure) if failure.is_unreachable() => return Err(told(failure)),
            Err(_) => BTreeMap::new(),
        };
        let versions = self.versions().await?;
        let at: Option<Release> = head.as_deref().and_then(|it| it.parse().ok());
        Ok(Clients {
            groups: grouped(connections, &accepted, &fate(&versions, at.as_ref(), destination)),
            head,
            destination: destination.to_string(),
            remedy,
            sdk: versions.reached_by(destination).map(Row::shown),
        })
    }
}

/// What to type so that everybody can be seen.
fn remedy(user: Option<(String, String)>) -> String {
    let (user, database) = user.unwrap_or_else(|| ("USER".to_owned(), "admin".to_owned()));
    format!(
        "db.getSiblingDB({database:?}).grantRolesToUser({user:?}, [{{ role: \"clusterMonitor\", db: \"admin\" }}])"
    )
}

/// Connections by the program they seem to belong to.
fn grouped(
    connections: Vec<Connection>,
    accepted: &BTreeMap<i64, DateTime>,
    of_fiftyone: &(Fate, String),
) -> Vec<ClientGroup> {
    type Alike = (Program, Option<String>, String, Option<String>, Option<String>);
    let mut groups: BTreeMap<Alike, Vec<Connection>> = BTreeMap::new();
    for it in connections {
        let program = program(&it);
        let application = match program {
            Program::FiftyOne => Some(FIFTYONE.to_owned()),
            Program::Ours | Program::Other => it.application.clone(),
        };
        let alike =
            (program, application, it.address.clone(), it.platform.clone(), it.user.clone());
        groups.entry(alike).or_default().push(it);
    }
    let group = |(alike, connections): (Alike, Vec<Connection>)| {
        let (program, application, address, platform, user) = alike;
        let count = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
        let drivers: BTreeSet<_> = connections.iter().filter_map(|it| it.driver.clone()).collect();
        let since = connections.iter().filter_map(|it| accepted.get(&it.id)).min();
        let (fate, reason) = match program {
            Program::FiftyOne => of_fiftyone.clone(),
            Program::Ours => (Fate::Fine, "This app and its command line.".to_owned()),
            Program::Other => (
                Fate::Fine,
                "It does not call itself FiftyOne: MongoDB itself refuses nobody for a version."
                    .to_owned(),
            ),
        };
        ClientGroup {
            program,
            application,
            drivers: drivers.into_iter().collect(),
            platform,
            address,
            user,
            connections: count(connections.len()),
            busy: count(connections.iter().filter(|it| it.busy).count()),
            since: since.and_then(|it| it.try_to_rfc3339_string().ok()),
            fate,
            reason,
        }
    };
    groups.into_iter().map(group).collect()
}

fn program(connection: &Connection) -> Program {
    match connection.application.as_deref() {
        Some(APP_NAME) => Program::Ours,
        Some(FIFTYONE) => Program::FiftyOne,
        None if connection.driver.as_ref().is_some_and(|it| it.contains(BESIDE)) => {
            Program::FiftyOne
        }
        Some(_) | None => Program::Other,
    }
}

/// What becomes of a FiftyOne that is connected now: it does not tell MongoDB its version, but not every version could have
/// connected to this database.
fn fate(versions: &VersionTable, head: Option<&Release>, destination: &Release) -> (Fate, String) {
    let Some(head) = head else {
        let reason = "FiftyOne does not tell MongoDB its version, and the database does not say which it is at.";
        return (Fate::Unknown, reason.to_owned());
    };
    if base(head) == base(destination) {
        return (Fate::Fine, format!("The database stays at v{destination}."));
    }
    let here: Vec<Release> =
        versions.open_source().into_iter().filter(|it| opens(it, head)).collect();
    let (good, bad): (Vec<_>, Vec<_>) = here.iter().partition(|it| opens(it, destination));
    match (good.is_empty(), bad.is_empty()) {
        (true, true) => (
            Fate::Unknown,
            format!("This program knows no release that opens a database at v{head}."),
        ),
        (false, true) => (
            Fate::Fine,
            format!(
                "Every release that opens a database at v{head} also opens one at v{destination}."
            ),
        ),
        (true, false) => (
            Fate::Refused,
            format!(
                "No release that opens a database at v{head} opens one at v{destination}: the next time it connects, it \
                 will be refused."
            ),
        ),
        (false, false) => (
            Fate::Unknown,
            format!(
                "FiftyOne does not tell MongoDB its version. Of the releases that open a database at v{head}, {} will be \
                 refused at v{destination}, and {} will not.",
                spans(&bad, &here),
                spans(&good, &here),
            ),
        ),
    }
}

/// Releases out of all that could be here, those that follow each other as `1.4.0 to 1.22.1`.
fn spans(some: &[&Release], all: &[Release]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for at in some.iter().filter_map(|one| all.iter().position(|it| it == *one)) {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => spans.push((at, at)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last {
            all[*first].to_string()
        } else {
            format!("{} to {}", all[*first], all[*last])
        }
    };
    spans.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str, destination: &str) -> (Fate, String) {
        fate(&VersionTable::embedded(), Some(&head.parse().unwrap()), &destination.parse().unwrap())
    }

    fn connection(id: i64, application: Option<&str>, driver: &str) -> Connection {
        Connection {
            id,
            address: "10.0.0.7".into(),
            application: application.map(str::to_owned),
            driver: Some(driver.into()),
            platform: Some("CPython 3.11.7.final.0".into()),
            ..Connection::default()
        }
    }

    #[test]
    fn a_fiftyone_is_fine_where_every_release_that_could_be_here_can_go_on() {
        assert_eq!(of("1.22.1", "1.0.0").0, Fate::Fine);
        assert_eq!(of("1.22.1", "1.22.1").0, Fate::Fine);
    }

    #[test]
    fn a_fiftyone_will_be_refused_where_no_release_that_could_be_here_can_go_on() {
        let (fate, reason) = of("1.22.1", "0.18.0");
        assert_eq!(fate, Fate::Refused);
        assert!(
            reason.starts_with("No release that opens a database at v1.22.1 opens one at v0.18.0")
        );
    }

    #[test]
    fn else_nobody_knows_and_the_releases_that_will_be_refused_are_named() {
        let (fate, reason) = of("1.3.0", "1.22.1");
        assert_eq!(fate, Fate::Unknown);
        assert!(reason.contains("1.3.0 to 1.3.2 will be refused at v1.22.1"), "{reason}");
        assert!(reason.contains("and 1.4.0 to 1.22.1 will not"), "{reason}");
        assert_eq!(super::fate(&VersionTable::embedded(), None, newest()).0, Fate::Unknown);
        assert_eq!(of("9.0.0", "1.22.1").0, Fate::Unknown);
    }

    #[test]
    fn the_two_connections_that_a_fiftyone_makes_are_one_program() {
        let connections = vec![
            connection(1, Some("fiftyone"), "PyMongo 4.9.2"),
            connection(2, None, "PyMongo|MongoEngine 4.9.2|0.29.3"),
            connection(3, Some(APP_NAME), "mongo-rust-driver 3.9.1"),
            Connection { busy: true, ..connection(4, Some("mongosh"), "nodejs") },
        ];
        let accepted =
            BTreeMap::from([(2, DateTime::from_millis(0)), (1, DateTime::from_millis(5))]);
        let head: Release = "1.22.1".parse().unwrap();
        let groups = grouped(
            connections,
            &accepted,
            &fate(&VersionTable::embedded(), Some(&head), &"0.18.0".parse().unwrap()),
        );
        let shown: Vec<_> =
            groups.iter().map(|it| (it.program, it.connections, it.busy, it.fate)).collect();
        assert_eq!(
            shown,
            [
                (Program::FiftyOne, 2, 0, Fate::Refused),
                (Program::Other, 1, 1, Fate::Fine),
                (Program::Ours, 1, 0, Fate::Fine),
            ]
        );
        assert_eq!(groups[0].drivers, ["PyMongo 4.9.2", "PyMongo|MongoEngine 4.9.2|0.29.3"]);
        assert_eq!(groups[0].since.as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(groups[1].since, None);
    }

    #[test]
    fn the_remedy_can_be_typed_as_it_is() {
        assert_eq!(
            remedy(Some(("ana".into(), "users".into()))),
            r#"db.getSiblingDB("users").grantRolesToUser("ana", [{ role: "clusterMonitor", db: "admin" }])"#
        );
    }
}
