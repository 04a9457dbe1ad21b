//! What becomes of the paths of a piece of a dataset.

use std::collections::HashMap;

use bson::oid::ObjectId;
use media::{Destination, layout::local, manifest::State, mapping::Mapping};

use crate::{Engine, Result};

/// Where new paths come from.
pub enum Mapped {
    /// From what was uploaded and verified.
    Uploaded(ObjectId, Box<Destination>),
    /// From a rule alone.
    Ruled(Mapping),
}

impl Engine {
    /// What becomes of each of these paths of fields; those of which nothing is known are left out.
    pub(super) async fn mapped(
        &self,
        how: &Mapped,
        paths: &[(&str, &str)],
    ) -> Result<HashMap<(String, String), String>> {
        let key = |path: &str, field: &str| (path.to_owned(), field.to_owned());
        let (upload, to) = match how {
            Mapped::Ruled(mapping) => {
                let each = paths.iter().filter_map(|(path, field)| {
                    Some((key(path, field), mapping.apply(path, field)?))
                });
                return Ok(each.collect());
            }
            Mapped::Uploaded(upload, to) => (*upload, to),
        };
        let sources: Vec<(String, &str, &str)> = paths
            .iter()
            .filter_map(|(path, field)| Some((local(path).ok()?, *path, *field)))
            .collect();
        let mut asked: Vec<&str> = sources.iter().map(|(source, ..)| source.as_str()).collect();
        asked.sort_unstable();
        asked.dedup();
        let mut known = HashMap::new();
        for some in asked.chunks(2_000) {
            let found = self.store.files_of(upload, some).await;
            known.extend(found.map_err(|it| self.store.error(it))?);
        }
        let mut mapped = HashMap::new();
        for (source, path, field) in &sources {
            let Some(entry) = known.get(source) else { continue };
            if matches!(entry.state, State::Verified | State::Cleaned) {
                mapped.insert(key(path, field), to.path_of(&entry.place));
            }
        }
        Ok(mapped)
    }
}
