//! The grouped dataset.

use bson::doc;

use super::{labels::labels, schema, sketch::Sketch};

/// Three cameras at one crossing. It cannot go below 0.17, the first version with groups.
pub fn intersection_rig(number: u32) -> Sketch {
    const SLICES: &[&str] = &["left", "center", "right"];
    let mut it = Sketch::new(number, "intersection-rig", [0, 17, 2], "group");
    schema::group(&mut it);
    let objects = it.labels_field("objects", "Detection", "");
    it.push("sample_fields", objects);
    for scene in 1..=30 {
        let group = it.id();
        for slice in SLICES {
            let metadata = it.image_metadata();
            let filepath = format!("/data/intersection-rig/{scene:04}-{slice}.jpg");
            let mut sample = it.sample(filepath, "image", metadata);
            sample.insert("group", doc! { "_id": group, "_cls": "Group", "name": *slice });
            let (label, bounds) = (it.pick(&["bus", "car", "tram"]), it.bounds());
            let object = it.detection(label, bounds);
            sample.insert("objects", labels("Detection", vec![object]));
            it.add(sample);
        }
    }
    it.set("group_field", "group");
    it.set("default_group_slice", "center");
    it.set("group_media_types", doc! { "left": "image", "center": "image", "right": "image" });
    it
}
