//! What the user of this connection may do.

use bson::{Document, doc};

use super::{Failure, Store};

impl Store {
    /// The users that are signed in on this connection, and what they may do, as the server says it. Needs no privilege.
    pub async fn privileges(&self) -> Result<Document, Failure> {
        let command = doc! { "connectionStatus": 1, "showPrivileges": true };
        let answer = self.client.database("admin").run_command(command).await?;
        Ok(answer.get_document("authInfo").cloned().unwrap_or_default())
    }

    /// The name of the database in which runs are written down.
    pub fn name_of_runs(&self) -> &str {
        self.jobs.name()
    }
}
