//! Runs and their results: brain methods, annotations and custom ones.

use bson::{Bson, Document, doc};

use super::{labels::rounded, schema::list_of, sketch::Sketch};

impl Sketch {
    /// Adds a run, filed in the dataset under `field` (`evaluations`) and `key`.
    pub fn run(&mut self, field: &str, key: &str, config: Document, results: Option<Document>) {
        let id = self.id();
        let [major, minor, patch] = self.version;
        let mut run = doc! {
            "_id": id, "_dataset_id": self.dataset_id(), "key": key,
            "version": format!("{major}.{minor}.{patch}"), "timestamp": self.now(), "config": config,
        };
        // Before that, results were not kept.
        if let (true, Some(results)) = (self.has([0, 8, 0]), results) {
            let file = self.id();
            run.insert("results", file);
            self.results.push((file, results));
        }
        self.runs.push(run);
        if let Ok(slots) = self.document.get_document_mut(field) {
            slots.insert(key, id);
        }
    }

    /// Adds an index of how similar the samples are, or the objects in `patches`.
    pub fn index_similarity(&mut self, key: &str, patches: Option<&str>) {
        let config = doc! {
            "cls": "fiftyone.brain.internal.core.sklearn.SklearnSimilarityConfig", "type": "similarity",
            "method": "sklearn", "embeddings_field": null, "model": "mobilenet-v2-imagenet-torch",
            "model_kwargs": null, "patches_field": patches, "roi_field": null, "supports_prompts": null,
            "metric": "cosine",
        };
        let mut ids = Vec::new();
        for sample in &self.samples {
            match patches {
                Some(field) => {
                    ids.extend(items(sample, field, "Detection").map(|it| (hex(sample), hex(it))));
                }
                None => ids.push((hex(sample), Bson::Null)),
            }
        }
        let embeddings: Vec<Vec<f64>> =
            ids.iter().map(|_| (0..8).map(|_| rounded(self.turn())).collect()).collect();
        let (samples, objects): (Vec<Bson>, Vec<Bson>) = ids.into_iter().unzip();
        let results = doc! {
            "cls": "fiftyone.brain.internal.core.sklearn.SklearnSimilarityIndex",
            "embeddings": embeddings, "sample_ids": samples,
            "label_ids": if patches.is_some() { Bson::from(objects) } else { Bson::Null },
        };
        self.run("brain_methods", key, config, Some(results));
    }

    /// Says of every sample how unlike the others it is.
    pub fn compute_uniqueness(&mut self) {
        let config = doc! {
            "cls": "fiftyone.brain.internal.core.uniqueness.UniquenessConfig", "type": "uniqueness",
            "method": "neighbors", "uniqueness_field": "uniqueness", "roi_field": null,
            "embeddings_field": null, "model": null, "model_kwargs": null,
        };
        let mut samples = std::mem::take(&mut self.samples);
        for sample in &mut samples {
            sample.insert("uniqueness", rounded(self.turn()));
        }
        self.samples = samples;
        self.declare("uniqueness:Float");
        self.run("brain_methods", "uniqueness", config, None);
    }

    /// Adds the record of an annotation task in CVAT for the labels in `field`.
    pub fn annotate(&mut self, key: &str, field: &str, class: &str, classes: &[&str]) {
        let config = doc! {
            "cls": "fiftyone.utils.cvat.CVATBackendConfig", "type": "annotation", "method": "cvat",
            "name": "cvat",
            "label_schema": { field: {
                "type": format!("{}s", class.to_lowercase()), "classes": classes.to_vec(), "attributes": {},
                "existing_field": true, "allow_additions": true, "allow_deletions": true,
                "allow_label_edits": true, "allow_spatial_edits": true,
            } },
            "media_field": "filepath", "url": "https://cvat.example.com", "segment_size": null,
            "image_quality": 75, "task_assignee": null, "job_assignees": null, "job_reviewers": null,
        };
        let (mut ids, mut frames) = (Document::new(), Document::new());
        for (number, sample) in self.samples.iter().take(20).enumerate() {
            let labels: Vec<Bson> = items(sample, field, class).map(hex).collect();
            let Bson::String(sample) = hex(sample) else { continue };
            frames.insert(number.to_string(), doc! { "sample_id": &sample });
            ids.insert(sample, labels);
        }
        let results = doc! {
            "cls": "fiftyone.utils.cvat.CVATAnnotationResults", "id_map": { field: ids },
            "server_id_map": {}, "project_ids": [], "task_ids": [17], "job_ids": { "17": [23] },
            "frame_id_map": { "17": frames }, "labels_task_map": { field: [17] },
        };
        self.run("annotation_runs", key, config, Some(results));
    }
}

/// The labels in the list `field`.
pub fn items<'a>(
    sample: &'a Document,
    field: &str,
    class: &str,
) -> impl Iterator<Item = &'a Document> + use<'a> {
    let list = sample.get_document(field).and_then(|it| it.get_array(list_of(class)));
    list.into_iter().flatten().filter_map(Bson::as_document)
}

/// The id of a document as results spell it.
pub fn hex(document: &Document) -> Bson {
    document.get_object_id("_id").map_or(Bson::Null, |it| it.to_hex().into())
}
