//! Databases that the real FiftyOne left, as the comparison with it keeps them.

use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::Dump;

/// A whole database: images, a video and groups, with runs, results, views and delegated operations.
#[derive(Clone, Debug)]
pub struct State {
    /// Its documents.
    pub collections: Dump,
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
