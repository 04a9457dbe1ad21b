//! Who is connected to the server, as `$currentOp` and the server's log tell it.

use std::collections::BTreeMap;

use bson::{Bson, DateTime, Document, doc};
use futures_util::TryStreamExt;

use super::{Failure, Store, server::number};

/// Connections that the servers of a deployment have among themselves.
const INTERNAL: [&str; 2] = ["MongoDB Internal Client", "NetworkInterface"];

/// What drivers ask again and again to know that the server is there: it is no work.
const WATCHING: [&str; 3] = ["hello", "isMaster", "ismaster"];

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Its number, counted by the server.
    pub id: i64,
    /// The machine it comes from.
    pub address: String,
    /// What the program calls itself.
    pub application: Option<String>,
    /// The driver and its version.
    pub driver: Option<String>,
    /// What the driver runs on.
    pub platform: Option<String>,
    /// Who it has signed in as.
    pub user: Option<String>,
    /// Whether it does something.
    pub busy: bool,
}

impl Store {
    /// All connections of programs, or those of our own user. Everybody's takes the privilege `inprog`.
    pub async fn connections(&self, everybody: bool) -> Result<Vec<Connection>, Failure> {
        let stages = [
            doc! { "$currentOp": { "allUsers": everybody, "idleConnections": true } },
            doc! { "$match": { "connectionId": { "$exists": true }, "client": { "$exists": true } } },
        ];
        let found = self.client.database("admin").aggregate(stages).await?;
        let operations: Vec<Document> = found.try_collect().await?;
        let mut connections: BTreeMap<i64, Connection> = BTreeMap::new();
        for operation in operations.iter().filter_map(connection) {
            // One connection is there once for each of its operations.
            let busy = connections.get(&operation.id).is_some_and(|it| it.busy) || operation.busy;
            connections.insert(operation.id, Connection { busy, ..operation });
        }
        Ok(connections.into_values().collect())
    }

    /// When connections were made, as far as the server's log still has it.
    pub async fn accepted(&self) -> Result<BTreeMap<i64, DateTime>, Failure> {
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "getLog": "global" }).await?;
        let lines = answer.get_array("log").map(Vec::as_slice).unwrap_or_default();
        Ok(lines.iter().filter_map(Bson::as_str).filter_map(accepted).collect())
    }

    /// The user we have signed in as and the database it belongs to; `None` where nobody signs in.
    pub async fn own_user(&self) -> Result<Option<(String, String)>, Failure> {
        let admin = self.client.database("admin");
        let answer = admin.run_command(doc! { "connectionStatus": 1 }).await?;
        let users =
            answer.get_document("authInfo").and_then(|it| it.get_array("authenticatedUsers"));
        let user = users.ok().and_then(|it| it.first()).and_then(Bson::as_document);
        let text = |key: &str| Some(user?.get_str(key).ok()?.to_owned());
        Ok(text("user").zip(text("db")))
    }
}

/// The connection of an operation, if it is a program's.
fn connection(operation: &Document) -> Option<Connection> {
    let metadata = operation.get_document("clientMetadata").ok();
    let driver = metadata.and_then(|it| it.get_document("driver").ok());
    let text = |of: Option<&Document>, key: &str| {
        of.and_then(|it| it.get_str(key).ok()).filter(|it| !it.is_empty()).map(str::to_owned)
    };
    let name = text(driver, "name");
    if name.as_ref().is_some_and(|name| INTERNAL.iter().any(|it| name.starts_with(it))) {
        return None;
    }
    let client = operation.get_str("client").ok()?;
    let command = operation.get_document("command").ok();
    let watching = command.is_some_and(|it| WATCHING.iter().any(|key| it.contains_key(key)));
    let users = operation.get_array("effectiveUsers").ok();
    let user = users.and_then(|it| it.first()).and_then(Bson::as_document);
    Some(Connection {
        id: number(operation.get("connectionId"))?,
        address: client.rsplit_once(':').map_or(client, |(host, _)| host).to_owned(),
        application: text(Some(operation), "appName"),
        driver: name.map(|name| match text(driver, "version") {
            Some(version) => format!("{name} {version}"),
            None => name,
        }),
        platform: text(metadata, "platform"),
        user: text(user, "user"),
        busy: operation.get_bool("active").unwrap_or(false) && !watching,
    })
}

/// The number of a connection and when it was made, out of a line of the server's log.
fn accepted(line: &str) -> Option<(i64, DateTime)> {
    /// "Connection accepted", in all versions whose log is JSON.
    const ACCEPTED: i64 = 22943;
    // Most lines are others.
    if !line.contains("22943") {
        return None;
    }
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line["id"].as_i64() != Some(ACCEPTED) {
        return None;
    }
    let at = DateTime::parse_rfc3339_str(line["t"]["$date"].as_str()?).ok()?;
    Some((line["attr"]["connectionId"].as_i64()?, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Document {
        let driver = doc! { "name": "PyMongo", "version": "4.9.2" };
        doc! {
            "connectionId": 3, "client": "10.0.0.7:54442", "appName": "fiftyone", "active": true,
            "clientMetadata": { "driver": driver, "platform": "CPython 3.11.7.final.0" },
            "effectiveUsers": [{ "user": "ana", "db": "admin" }],
            "command": { "find": "datasets" },
        }
    }

    #[test]
    fn an_operation_tells_who_is_connected_from_where_and_with_what() {
        let expected = Connection {
            id: 3,
            address: "10.0.0.7".into(),
            application: Some("fiftyone".into()),
            driver: Some("PyMongo 4.9.2".into()),
            platform: Some("CPython 3.11.7.final.0".into()),
            user: Some("ana".into()),
            busy: true,
        };
        assert_eq!(connection(&operation()), Some(expected));
        let bare = doc! { "connectionId": 4_i64, "client": "[::1]:5000" };
        let expected = Connection { id: 4, address: "[::1]".into(), ..Connection::default() };
        assert_eq!(connection(&bare), Some(expected));
    }

    #[test]
    fn asking_whether_the_server_is_there_is_no_work_and_members_are_no_programs() {
        let mut watching = operation();
        watching.insert("command", doc! { "hello": 1 });
        assert!(!connection(&watching).unwrap().busy);
        let mut member = operation();
        let driver = doc! { "name": "NetworkInterfaceTL-ReplNetwork", "version": "6.0.5" };
        member.insert("clientMetadata", doc! { "driver": driver });
        assert_eq!(connection(&member), None);
    }

    #[test]
    fn the_log_says_when_a_connection_was_made() {
        let line = r#"{"t":{"$date":"2026-11-23T11:56:31.522+00:00"},"s":"I","c":"NETWORK","id":22943,"ctx":"listener","msg":"Connection accepted","attr":{"remote":"127.0.0.1:54442","connectionId":3,"connectionCount":3}}"#;
        let (id, at) = accepted(line).unwrap();
        assert_eq!((id, at.timestamp_millis()), (3, 1_795_434_991_522));
        assert_eq!(accepted(&line.replace("\"id\":22943", "\"id\":22944")), None);
        assert_eq!(accepted("22943"), None);
    }
}
