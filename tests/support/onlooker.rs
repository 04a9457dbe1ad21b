//! A server that knows who is asking, with somebody who may read FiftyOne's database and nothing else.

use bson::doc;
use engine::Connection;
use mongodb::Client;

use crate::Mongod;

/// The server, whoever may do everything there, and how the onlooker connects.
pub struct Onlooker {
    pub server: Mongod,
    /// With the name that FiftyOne gives its connections.
    pub root: Client,
    pub connection: Connection,
}

impl Onlooker {
    /// Starts a server without anything in it.
    pub async fn start() -> Self {
        let server = Mongod::start(&["--auth"]);
        let users = server.client().await.database("admin");
        let root = doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] };
        users.run_command(root).await.unwrap();
        let uri = |user: &str| {
            let signed_in = format!("mongodb://{user}:pw@");
            server.uri().replace("mongodb://", &signed_in) + "&authSource=admin"
        };
        let root = Client::with_uri_str(uri("root") + "&appName=fiftyone").await.unwrap();
        let reads = doc! { "role": "read", "db": "fiftyone" };
        let onlooker = doc! { "createUser": "onlooker", "pwd": "pw", "roles": [reads] };
        root.database("admin").run_command(onlooker).await.unwrap();
        let connection = Connection {
            uri: uri("onlooker"),
            database: "fiftyone".into(),
            runs: "fiftyone_migrate".into(),
            admin: false,
            validation: true,
        };
        Self { server, root, connection }
    }
}
