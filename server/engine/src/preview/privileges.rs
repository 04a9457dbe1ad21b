//! Whether the database user may do what a migration needs, judging by what the server says of them.

use std::collections::BTreeSet;

use bson::{Bson, Document};

/// What is done to FiftyOne's database, and to the one for runs.
const ON_DATA: [&str; 7] =
    ["find", "insert", "update", "remove", "createIndex", "dropIndex", "dropCollection"];
const ON_RUNS: [&str; 5] = ["find", "insert", "update", "remove", "createIndex"];

/// What the server says of a user.
#[derive(Debug, PartialEq, Eq)]
pub enum Rights {
    /// Nobody has to sign in.
    Open,
    /// They may do all that is needed.
    Enough {
        /// `user@database`, as they are known.
        user: String,
    },
    /// They may not.
    Lacking {
        /// `user@database`, as they are known.
        user: String,
        /// What they lack, where.
        what: Vec<String>,
    },
}

/// What `info` (the `authInfo` of a connection) says of these databases.
pub fn rights(info: &Document, data: &str, runs: &str) -> Rights {
    let Some(user) = documents(info, "authenticatedUsers").next() else { return Rights::Open };
    let text = |key: &str| user.get_str(key).unwrap_or_default();
    let user = format!("{}@{}", text("user"), text("db"));
    let lacks = |database: &str, needed: &[&str]| {
        let has = actions(info, database);
        let missing: Vec<&str> = needed.iter().copied().filter(|it| !has.contains(*it)).collect();
        (!missing.is_empty()).then(|| format!("`{}` on `{database}`", missing.join("`, `")))
    };
    let what: Vec<String> =
        [lacks(data, &ON_DATA), lacks(runs, &ON_RUNS)].into_iter().flatten().collect();
    if what.is_empty() { Rights::Enough { user } } else { Rights::Lacking { user, what } }
}

/// What may be done to every collection of a database.
fn actions(info: &Document, database: &str) -> BTreeSet<String> {
    let about = |it: &&Document| {
        let Ok(resource) = it.get_document("resource") else { return false };
        let is =
            |key: &str, words: &[&str]| resource.get_str(key).is_ok_and(|it| words.contains(&it));
        resource.get_bool("anyResource").unwrap_or(false)
            || (is("db", &["", database]) && is("collection", &[""]))
    };
    let all = documents(info, "authenticatedUserPrivileges").filter(about);
    let actions = all.flat_map(|it| it.get_array("actions").into_iter().flatten());
    let mut actions: BTreeSet<String> =
        actions.filter_map(Bson::as_str).map(str::to_owned).collect();
    if actions.contains("anyAction") {
        actions.extend(ON_DATA.map(str::to_owned));
    }
    actions
}

fn documents<'a>(info: &'a Document, key: &str) -> impl Iterator<Item = &'a Document> {
    info.get_array(key).into_iter().flatten().filter_map(Bson::as_document)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn info(privileges: Vec<Document>) -> Document {
        let user = doc! { "user": "ana", "db": "admin" };
        doc! { "authenticatedUsers": [user], "authenticatedUserPrivileges": privileges }
    }

    fn on(database: &str, collection: &str, actions: &[&str]) -> Document {
        let resource = doc! { "db": database, "collection": collection };
        doc! { "resource": resource, "actions": actions.to_vec() }
    }

    #[test]
    fn where_nobody_signs_in_everything_may_be_done() {
        let nobody = doc! { "authenticatedUsers": [], "authenticatedUserPrivileges": [] };
        assert_eq!(rights(&nobody, "data", "runs"), Rights::Open);
    }

    #[test]
    fn rights_on_both_databases_or_on_any_are_enough() {
        let enough = Rights::Enough { user: "ana@admin".to_owned() };
        let both = vec![on("data", "", &ON_DATA), on("runs", "", &ON_RUNS)];
        assert_eq!(rights(&info(both), "data", "runs"), enough);
        assert_eq!(rights(&info(vec![on("", "", &ON_DATA)]), "data", "runs"), enough);
        let root = doc! { "resource": { "anyResource": true }, "actions": ["anyAction"] };
        assert_eq!(rights(&info(vec![root]), "data", "runs"), enough);
    }

    #[test]
    fn what_is_lacking_is_named_with_its_place() {
        let reader = vec![
            on("data", "", &["find"]),
            on("data", "datasets", &ON_DATA),
            on("runs", "", &ON_RUNS),
        ];
        let Rights::Lacking { user, what } = rights(&info(reader), "data", "runs") else {
            panic!()
        };
        assert_eq!(user, "ana@admin");
        let named =
            "`insert`, `update`, `remove`, `createIndex`, `dropIndex`, `dropCollection` on `data`";
        assert_eq!(what, [named]);
    }
}
