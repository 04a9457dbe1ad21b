//! Files that would have one place, and what to do about it.

use std::collections::BTreeMap;

use model::media_path::rest_below;
use serde::{Deserialize, Serialize};

use crate::hash;

/// Several files with one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collision {
    /// The place.
    pub place: String,
    /// The files.
    pub sources: Vec<String>,
}

/// What becomes of files that collide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Nothing is uploaded before somebody has decided.
    #[default]
    Refuse,
    /// Each gets something into its name that only it has.
    Suffix,
    /// Each keeps its sub-folders below the root.
    Folder,
}

/// The collisions among files with their places. The same file twice is none.
pub fn colliding(placed: impl IntoIterator<Item = (String, String)>) -> Vec<Collision> {
    let mut by_place: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (source, place) in placed {
        let sources = by_place.entry(place).or_default();
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let several = by_place.into_iter().filter(|(_, sources)| sources.len() > 1);
    several.map(|(place, sources)| Collision { place, sources }).collect()
}

/// The place of a file that collides, once it is decided how. It depends on the file alone, so that it stays the same when more
/// files come.
pub fn settled(how: Resolution, root: &str, source: &str, place: &str) -> String {
    match how {
        Resolution::Refuse => place.to_owned(),
        Resolution::Folder => {
            rest_below(root, source).unwrap_or_else(|| source.trim_start_matches('/')).to_owned()
        }
        Resolution::Suffix => {
            let hash = hash::of(source.as_bytes());
            let mark = &hash[..8];
            let (folder, name) =
                place.rsplit_once('/').map_or(("", place), |(folder, name)| (folder, name));
            let name = match name.rsplit_once('.') {
                Some((stem, ext)) if !stem.is_empty() => format!("{stem}-{mark}.{ext}"),
                _ => format!("{name}-{mark}"),
            };
            if folder.is_empty() { name } else { format!("{folder}/{name}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_with_one_place_collide_and_a_file_with_itself_does_not() {
        let placed = [
            ("/a/0.png", "0.png"),
            ("/b/0.png", "0.png"),
            ("/a/0.png", "0.png"),
            ("/a/1.png", "1.png"),
        ];
        let found = colliding(placed.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].place.as_str(), found[0].sources.len()), ("0.png", 2));
    }

    #[test]
    fn a_proposal_tells_them_apart() {
        let suffix = |source: &str| settled(Resolution::Suffix, "/", source, "x/0.png");
        assert_ne!(suffix("/a/0.png"), suffix("/b/0.png"));
        assert!(suffix("/a/0.png").starts_with("x/0-") && suffix("/a/0.png").contains(".png"));
        assert_eq!(settled(Resolution::Folder, "/d", "/d/a/0.png", "0.png"), "a/0.png");
        assert_eq!(settled(Resolution::Folder, "/d", "/e/0.png", "0.png"), "e/0.png");
        assert_eq!(settled(Resolution::Refuse, "/d", "/d/a/0.png", "0.png"), "0.png");
        assert!(settled(Resolution::Suffix, "/", "/a", ".env").starts_with(".env-"));
    }

    proptest! {
        #[test]
        fn settled_files_do_not_collide(sources in prop::collection::btree_set("(/[ab]){1,3}/0.png", 2..8), suffix: bool) {
            let how = if suffix { Resolution::Suffix } else { Resolution::Folder };
            let placed = sources.iter().map(|it| (it.clone(), settled(how, "/", it, "0.png")));
            prop_assert_eq!(colliding(placed), []);
        }
    }
}
