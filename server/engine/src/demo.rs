//! A small deployment to try things out with, made of nothing, always the same.
//!
//! Each dataset is described in the layout of the newest version and then taken down to its own by the
//! revisions themselves, so that the old layouts are right by construction. No media exist, and no indexes but
//! those on `_id`: FiftyOne makes the others when it creates a dataset, and works without.

mod evaluations;
mod groups;
mod images;
mod labels;
mod plant;
mod records;
mod runs;
mod schema;
mod sketch;
#[cfg(test)]
mod tests;
mod videos;

use std::collections::BTreeMap;

use bson::{Document, doc, oid::ObjectId};
use revisions::Refusal;

use self::sketch::Sketch;

/// Everything that goes into the database.
#[derive(Debug, Default)]
pub struct Garden {
    /// The documents by collection.
    pub collections: Vec<(String, Vec<Document>)>,
    /// How many datasets there are.
    pub datasets: usize,
}

/// Where the deployment stopped being upgraded. Later clients could still connect to it, without the right to
/// migrate, and added the newer datasets; nobody has loaded the older ones since.
const DATABASE_VERSION: &str = "0.19.1";

/// All datasets, oldest first. Each gets its place in the list as its number.
const SKETCHES: &[fn(u32) -> Sketch] = &[
    images::harbor_traffic,
    images::kitchen_tools,
    videos::river_crossing,
    images::warehouse_aisles,
    images::street_scenes,
    images::yoga_poses,
    images::bicycles,
    groups::intersection_rig,
    images::street_scenes_again,
    images::leaf_disease,
    videos::night_patrol,
    images::field_notebook,
    images::orchard_rows,
];

/// The demo deployment.
///
/// # Errors
///
/// If a dataset cannot be taken down to its version, which would be a fault of its description.
pub fn garden() -> Result<Garden, Refusal> {
    let mut collections: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    let mut add = |(collection, documents): (String, Vec<Document>)| {
        if !documents.is_empty() {
            collections.entry(collection).or_default().extend(documents);
        }
    };
    add(("config".to_owned(), vec![config()]));
    for (number, sketch) in (1..).zip(SKETCHES) {
        plant::plant(sketch(number))?.into_iter().for_each(&mut add);
    }
    add(orphan());
    Ok(Garden { collections: collections.into_iter().collect(), datasets: SKETCHES.len() })
}

fn config() -> Document {
    doc! { "_id": sketch::id(0, 0), "version": DATABASE_VERSION, "type": "fiftyone" }
}

/// What a dataset that was deleted by halves left behind. The admin revision 0.15.0 drops it, on the way up
/// from below that.
fn orphan() -> (String, Vec<Document>) {
    let dataset: ObjectId = sketch::id(0, 1);
    let samples = (2..12).map(|counter| {
        let filepath = format!("/data/scratch/{counter:04}.jpg");
        doc! {
            "_id": sketch::id(0, counter), "filepath": filepath, "tags": [], "metadata": null,
            "_media_type": "image", "_rand": f64::from(counter) / 12.0,
        }
    });
    (format!("samples.{dataset}"), samples.collect())
}
