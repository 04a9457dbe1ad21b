//! The image datasets.

use bson::{Document, doc};

use super::{
    labels::{labels, rounded},
    sketch::Sketch,
};

/// The oldest: evaluations are only just recorded, in a layout of their own.
pub fn harbor_traffic(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["buoy", "ferry", "sailing boat", "tug"];
    let mut it = Sketch::new(number, "harbor-traffic", [0, 7, 3], "image");
    it.declare_evaluated_detections();
    it.declare("weather:String");
    it.fill(60, "harbor-traffic", |it, sample| {
        it.evaluated_detections(sample, CLASSES);
        sample.insert("weather", it.pick(&["clear", "fog", "rain"]));
    });
    it.evaluate_detections(CLASSES);
    it.set("info", doc! { "location": "Pier 4, camera 2", "license": "CC BY 4.0" });
    it
}

/// Classes, and runs with and without results.
pub fn kitchen_tools(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["colander", "ladle", "peeler", "whisk"];
    let mut it = Sketch::new(number, "kitchen-tools", [0, 8, 0], "image");
    it.declare_classified();
    it.fill(80, "kitchen-tools", |it, sample| it.classified(sample, CLASSES));
    it.evaluate_classifications(CLASSES);
    it.compute_uniqueness();
    it.set("default_classes", CLASSES.to_vec());
    it.set("classes", doc! { "ground_truth": CLASSES.to_vec() });
    it
}

/// Similarity of images and of objects, under its old names.
pub fn warehouse_aisles(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["forklift", "pallet", "person", "shelf"];
    let mut it = Sketch::new(number, "warehouse-aisles", [0, 12, 0], "image");
    it.declare_evaluated_detections();
    it.fill(100, "warehouse-aisles", |it, sample| it.evaluated_detections(sample, CLASSES));
    it.evaluate_detections(CLASSES);
    it.index_similarity("similar_images", None);
    it.index_similarity("similar_objects", Some("ground_truth"));
    it
}

/// Its slug will be that of [`street_scenes_again`]. Lanes that somebody annotates.
pub fn street_scenes(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["curb", "lane", "zebra crossing"];
    let mut it = Sketch::new(number, "Street Scenes", [0, 14, 4], "image");
    let lanes = it.labels_field("lanes", "Polyline", "");
    it.push("sample_fields", lanes);
    it.fill(50, "street-scenes/2022", |it, sample| {
        let lanes: Vec<Document> = (0..it.pick(&[1, 2, 3]))
            .map(|_| {
                let (label, [left, top, width, height]) = (it.pick(CLASSES), it.bounds());
                let corners = [[left, top], [left + width, top], [left + width, top + height]];
                it.polyline(label, &corners, label == "zebra crossing")
            })
            .collect();
        sample.insert("lanes", labels("Polyline", lanes));
    });
    it.annotate("lanes_review", "lanes", "Polyline", CLASSES);
    it.set("default_mask_targets", doc! { "0": "background", "1": "road", "2": "sidewalk" });
    it
}

/// Keypoints and their skeletons. No older, because 0.16.0 and 0.16.1 declare keypoints as polylines, as in
/// FiftyOne, and FiftyOne 1.22.1 cannot read those.
pub fn yoga_poses(number: u32) -> Sketch {
    const POSES: &[&str] = &["cobra", "tree", "warrior"];
    let mut it = Sketch::new(number, "yoga-poses", [0, 16, 1], "image");
    let poses = it.labels_field("pose", "Keypoint", "");
    it.push("sample_fields", poses);
    it.fill(40, "yoga-poses", |it, sample| {
        let (label, [left, top, width, height]) = (it.pick(POSES), it.bounds());
        let joint = |x: f64, y: f64| [left + x * width, top + y * height];
        let joints =
            [joint(0.5, 0.0), joint(0.5, 0.2), joint(0.5, 0.5), joint(0.3, 1.0), joint(0.7, 1.0)];
        let pose = it.keypoint(label, &joints);
        sample.insert("pose", labels("Keypoint", vec![pose]));
    });
    let joints = ["head", "neck", "hip", "left foot", "right foot"];
    let skeleton = doc! { "labels": joints.to_vec(), "edges": [[0, 1, 2, 3], [2, 4]] };
    it.set("skeletons", doc! { "pose": &skeleton });
    it.set("default_skeleton", skeleton);
    it
}

/// A name beyond ASCII, places on a map, and an arranged sidebar.
pub fn bicycles(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["cargo bike", "e-bike", "vélo de course"];
    let mut it = Sketch::new(number, "Vélos à Genève 自転車", [0, 16, 6], "image");
    let (bikes, location) =
        (it.labels_field("bikes", "Detection", ""), it.label_field("location", "GeoLocation"));
    it.push("sample_fields", bikes);
    it.push("sample_fields", location);
    it.declare("street:String");
    it.fill(45, "vélos", |it, sample| {
        let (label, bounds) = (it.pick(CLASSES), it.bounds());
        let bike = it.detection(label, bounds);
        sample.insert("bikes", labels("Detection", vec![bike]));
        let (east, north) = (rounded(6.1 + 0.1 * it.turn()), rounded(46.15 + 0.1 * it.turn()));
        sample.insert("location", it.location(east, north));
        sample.insert("street", it.pick(&["Rue du Rhône", "Quai du Mont-Blanc", "Plaine"]));
    });
    it.annotate("bikes_review", "bikes", "Detection", CLASSES);
    it.arrange(&["bikes", "location"], &["street", "filepath"]);
    it.set("tags", vec!["été", "outdoor"]);
    it
}

/// Its slug is that of [`street_scenes`]. Similarity under its old names.
pub fn street_scenes_again(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["bus", "car", "cyclist", "pedestrian"];
    let mut it = Sketch::new(number, "street-scenes", [0, 18, 0], "image");
    it.declare_evaluated_detections();
    it.fill(120, "street-scenes/2022-autumn", |it, sample| {
        it.evaluated_detections(sample, CLASSES);
    });
    it.evaluate_detections(CLASSES);
    it.index_similarity("similar", None);
    it
}

/// Saved views and a description; runs live in a collection of their own.
pub fn leaf_disease(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["healthy", "mildew", "rust"];
    let mut it = Sketch::new(number, "leaf-disease", [0, 19, 1], "image");
    it.declare_classified();
    it.fill(90, "leaf-disease", |it, sample| it.classified(sample, CLASSES));
    it.evaluate_classifications(CLASSES);
    it.index_similarity("similar", None);
    it.compute_uniqueness();
    it.set("description", "Leaves of three vineyards, one photograph each");
    it.save_view(
        "most-unique",
        "The ten most unusual leaves",
        &[
            ("SortBy", r#"[["field_or_expr", "uniqueness"], ["reverse", true]]"#),
            ("Limit", r#"[["limit", 10]]"#),
        ],
    );
    it.save_view(
        "validation",
        "What the model did not see",
        &[("MatchTags", r#"[["tags", ["validation"]], ["bool", true], ["all", false]]"#)],
    );
    it
}

/// Cannot go to 1.0.0: the user has a field of his own that is called `created_at`.
pub fn field_notebook(number: u32) -> Sketch {
    let mut it = Sketch::new(number, "field-notebook", [0, 25, 2], "image");
    it.declare("created_at:String page:Int");
    let mut page = 0;
    it.fill(25, "field-notebook", |it, sample| {
        page += 1;
        let part = it.pick(&["morning", "noon", "evening"]);
        sample.insert("created_at", format!("day {}, {part}", page / 3 + 1));
        sample.insert("page", page);
    });
    it.set("description", "Scanned pages; `created_at` is what somebody wrote at the top");
    it
}

/// The newest: dates on every sample, colors, a workspace, a custom run and delegated operations.
pub fn orchard_rows(number: u32) -> Sketch {
    const CLASSES: &[&str] = &["apple", "blossom", "pear"];
    let mut it = Sketch::new(number, "orchard-rows", [1, 0, 2], "image");
    it.declare_evaluated_detections();
    it.fill(150, "orchard-rows", |it, sample| it.evaluated_detections(sample, CLASSES));
    it.evaluate_detections(CLASSES);
    it.index_similarity("similar", None);
    let config =
        doc! { "cls": "fiftyone.core.runs.RunConfig", "type": "run", "method": null, "rows": 12 };
    let results = doc! { "cls": "fiftyone.core.runs.RunResults", "trees": [31, 28, 30, 33] };
    it.run("runs", "count_trees", config, Some(results));
    it.save_view(
        "missed",
        "Where the model missed something",
        &[("Match", r#"[["filter", {"$expr": {"$gt": ["$eval_fn", 0]}}]]"#)],
    );
    it.save_workspace("review");
    it.color(&[("ground_truth", "#33aa77"), ("predictions", "#ff9933")]);
    it.operation("@voxel51/brain/compute_similarity", "Compute similarity", "completed");
    it.operation("@voxel51/io/export_samples", "Export samples", "failed");
    it
}

impl Sketch {
    /// Adds `count` images from the folder `folder`, each with what `describe` gives it.
    pub fn fill(
        &mut self,
        count: u32,
        folder: &str,
        mut describe: impl FnMut(&mut Self, &mut Document),
    ) {
        for number in 1..=count {
            let metadata = self.image_metadata();
            let filepath = format!("/data/{folder}/{number:06}.jpg");
            let mut sample = self.sample(filepath, "image", metadata);
            describe(self, &mut sample);
            self.add(sample);
        }
    }

    fn declare_classified(&mut self) {
        for name in ["ground_truth", "prediction"] {
            let field = self.label_field(name, "Classification");
            self.push("sample_fields", field);
        }
    }

    /// A class, and what a model took it for.
    fn classified(&mut self, sample: &mut Document, classes: &[&str]) {
        let truth = self.pick(classes);
        let taken_for = if self.turn() < 0.8 { truth } else { self.pick(classes) };
        let confidence = self.confidence();
        sample.insert("ground_truth", self.classification(truth, None));
        sample.insert("prediction", self.classification(taken_for, Some(confidence)));
    }
}
