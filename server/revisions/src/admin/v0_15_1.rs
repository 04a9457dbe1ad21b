//! v0.15.1: the database says which client it belongs to, as `type`.
//!
//! Source: `fiftyone/migrations/revisions/admin/v0_15_1.py`. Going up adds nothing: clients write the
//! type themselves when they connect.
//!
//! Differs: going down really removes `type` (in FiftyOne the runner writes it back right after).

use model::Version;

use super::Revision;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 15, 1),
    summary: "Say which client a database belongs to",
    up: |_| Ok(()),
    down: |database| {
        database.config.remove("type");
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::{super::Database, *};

    #[test]
    fn going_down_removes_the_type_and_going_up_adds_none() {
        let config = doc! { "_id": 1, "version": "0.15.1", "type": "fiftyone", "other": 2 };
        let mut database = Database { config, ..Database::default() };
        (REVISION.down)(&mut database).unwrap();
        let without = doc! { "_id": 1, "version": "0.15.1", "other": 2 };
        assert_eq!(database.config, without);
        (REVISION.down)(&mut database).unwrap();
        (REVISION.up)(&mut database).unwrap();
        assert_eq!(database, Database { config: without, ..Database::default() });
    }
}
