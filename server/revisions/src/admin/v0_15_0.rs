//! v0.15.0: collections that deleted datasets left behind are dropped.
//!
//! Source: `fiftyone/migrations/revisions/admin/v0_15_0.py`.
//!
//! Differs: it is about the configured database (Python always takes the one called `fiftyone`), and a frame
//! collection that a dataset names is in use whatever its name (Python would drop it).

use model::Version;

use super::{Database, Revision};
use crate::Reason;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 15, 0),
    summary: "Drop collections that no dataset uses",
    up,
    down: |_| Ok(()),
};

/// Nothing else is ever dropped.
const PREFIXES: [&str; 4] = ["samples.", "frames.", "patches.", "clips."];

fn up(database: &mut Database) -> Result<(), Reason> {
    let Database { collections, in_use, drop, .. } = database;
    let orphans = collections.iter().filter(|name| {
        let owned = in_use.contains(*name)
            // The frames of a sample collection, named by the dataset or not.
            || name.strip_prefix("frames.").is_some_and(|samples| in_use.contains(samples));
        !owned && PREFIXES.iter().any(|it| name.starts_with(it))
    });
    drop.extend(orphans.cloned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|it| (*it).to_owned()).collect()
    }

    fn dropped(collections: &[&str], in_use: &[&str]) -> BTreeSet<String> {
        let mut database = Database {
            collections: set(collections),
            in_use: set(in_use),
            ..Database::default()
        };
        up(&mut database).unwrap();
        let once = database.clone();
        up(&mut database).unwrap();
        assert_eq!(database, once);
        database.drop
    }

    #[test]
    fn orphans_of_all_four_kinds_are_dropped() {
        let orphans = ["samples.1", "frames.samples.1", "patches.1", "clips.1"];
        assert_eq!(dropped(&orphans, &["samples.2"]), set(&orphans));
    }

    #[test]
    fn what_a_dataset_uses_stays_and_so_do_the_frames_that_go_with_it() {
        let collections =
            ["samples.1", "frames.samples.1", "frames.elsewhere", "patches.1", "frames.patches.1"];
        let in_use = ["samples.1", "frames.elsewhere", "patches.1"];
        assert_eq!(dropped(&collections, &in_use), set(&[]));
    }

    #[test]
    fn other_collections_are_never_dropped() {
        let collections = [
            "datasets",
            "runs",
            "samples",
            "mysamples.1",
            "system.views",
            "system.buckets.samples.1",
            "fs.chunks",
            "Samples.1",
        ];
        assert_eq!(dropped(&collections, &[]), set(&[]));
    }

    #[test]
    fn going_down_drops_nothing() {
        let mut database = Database { collections: set(&["samples.1"]), ..Database::default() };
        (REVISION.down)(&mut database).unwrap();
        assert_eq!(database.drop, set(&[]));
    }
}
