//! Databases that the real FiftyOne left, as the comparison with it keeps them.

use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::Dump;

/// The versions that [`State::down_to`] has: the last before each revision, oldest first.
pub const BOUNDARIES: [&str; 22] = [
    "0.6.1", "0.6.4", "0.7.1", "0.7.2", "0.7.3", "0.7.4", "0.9.3", "0.11.1", "0.12.0", "0.13.3",
    "0.15.0", "0.15.1", "0.16.0", "0.16.2", "0.16.6", "0.17.2", "0.18.0", "0.19.1", "0.22.3",
    "0.25.2", "1.0.2", "1.3.0",
];

/// A whole database: images, a video and groups, with runs, results, views and delegated operations.
#[derive(Clone, Debug)]
pub struct State {
    /// Its documents.
    pub collections: Dump,
}

/// Every way up from a boundary: a name for it, where it begins, and where to.
pub fn ways_up() -> impl Iterator<Item = (String, State, &'static str)> {
    let way = |at: &'static str| (named("up", at), State::down_to(at), crate::NEWEST);
    BOUNDARIES.into_iter().map(way)
}

/// Every way down to a boundary.
pub fn ways_down() -> impl Iterator<Item = (String, State, &'static str)> {
    let newest = State::newest();
    BOUNDARIES.into_iter().map(move |at| (named("down", at), newest.clone(), at))
}

fn named(way: &str, version: &str) -> String {
    format!("{way}-{}", version.replace('.', "-"))
}

impl State {
    /// The state that FiftyOne left when it took its datasets down to `version`. Its `config` document says
    /// so as well.
    pub fn down_to(version: &str) -> Self {
        Self::read(&format!("down_to_{version}"), version)
    }

    /// The state that all others were made from, at the newest version.
    pub fn newest() -> Self {
        Self::read("v1.22.1_original", crate::NEWEST)
    }

    fn read(name: &str, version: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/fixtures");
        let file = File::open(format!("{folder}/{name}.json.gz")).unwrap();
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut collections: Dump = serde_json::from_str(&text).unwrap();
        for config in collections.get_mut("config").into_iter().flatten() {
            config.insert("version", version);
        }
        Self { collections }
    }
}
