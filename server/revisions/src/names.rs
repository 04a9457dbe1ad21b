//! The names and slugs that are taken.

use std::collections::HashMap;

use bson::Bson;

/// Who has which name and which slug, over all datasets of a database.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: HashMap<String, Vec<String>>,
    slugs: HashMap<String, Vec<String>>,
}

impl Names {
    /// Records that the dataset `id` has this name and this slug.
    pub fn claim(&mut self, id: &Bson, name: Option<&str>, slug: Option<&str>) {
        for (taken, text) in [(&mut self.names, name), (&mut self.slugs, slug)] {
            let Some(text) = text else { continue };
            let owners = taken.entry(text.to_owned()).or_default();
            let owner = key(id);
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }

    /// Forgets a name and a slug of the dataset `id`, because it has others now.
    pub fn release(&mut self, id: &Bson, name: Option<&str>, slug: Option<&str>) {
        let owner = key(id);
        for (taken, text) in [(&mut self.names, name), (&mut self.slugs, slug)] {
            if let Some(owners) = text.and_then(|it| taken.get_mut(it)) {
                owners.retain(|it| *it != owner);
            }
        }
    }

    /// Whether a dataset other than `id` has this name.
    pub fn name_is_taken(&self, id: &Bson, name: &str) -> bool {
        another(&self.names, id, name)
    }

    /// Whether a dataset other than `id` has this slug.
    pub fn slug_is_taken(&self, id: &Bson, slug: &str) -> bool {
        another(&self.slugs, id, slug)
    }
}

fn another(taken: &HashMap<String, Vec<String>>, id: &Bson, text: &str) -> bool {
    taken.get(text).is_some_and(|owners| owners.iter().any(|it| *it != key(id)))
}

fn key(id: &Bson) -> String {
    format!("{id:?}")
}
