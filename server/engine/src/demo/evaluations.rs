//! Evaluations: the marks they leave on labels, and their results.

use bson::{Bson, Document, doc};

use super::{
    labels::{Bounds, labels, overlap, rounded},
    runs::{hex, items},
    sketch::Sketch,
};

impl Sketch {
    /// Objects and what a model made of them, as an evaluation under the key `eval` leaves both: found, missed
    /// or made up.
    pub fn evaluated_detections(&mut self, sample: &mut Document, classes: &[&str]) {
        let (mut truth, mut found) = (Vec::new(), Vec::new());
        let (mut tp, mut fp, mut fn_) = (0, 0, 0);
        for _ in 0..self.pick(&[1, 2, 3, 4]) {
            let (label, bounds) = (self.pick(classes), self.bounds());
            let mut object = self.detection(label, bounds);
            if self.turn() < 0.8 {
                let shifted = bounds_beside(bounds, rounded(0.1 * self.turn()));
                let mut prediction = self.detection(label, shifted);
                prediction.insert("confidence", self.confidence());
                let iou = overlap(bounds, shifted);
                match_up(&mut object, Some(&prediction), "tp", iou);
                match_up(&mut prediction, Some(&object), "tp", iou);
                found.push(prediction);
                tp += 1;
            } else {
                match_up(&mut object, None, "fn", 0.0);
                fn_ += 1;
            }
            truth.push(object);
        }
        if self.turn() < 0.3 {
            let (label, bounds) = (self.pick(classes), self.bounds());
            let mut ghost = self.detection(label, bounds);
            ghost.insert("confidence", self.confidence());
            match_up(&mut ghost, None, "fp", 0.0);
            found.push(ghost);
            fp += 1;
        }
        sample.insert("ground_truth", labels("Detection", truth));
        sample.insert("predictions", labels("Detection", found));
        sample.extend(doc! { "eval_tp": tp, "eval_fp": fp, "eval_fn": fn_ });
    }

    /// Declares what [`evaluated_detections`](Self::evaluated_detections) puts into samples.
    pub fn declare_evaluated_detections(&mut self) {
        for name in ["ground_truth", "predictions"] {
            let attributes = "eval:String eval_id:String eval_iou:Float";
            let field = self.labels_field(name, "Detection", attributes);
            self.push("sample_fields", field);
        }
        self.declare("eval_tp:Int eval_fp:Int eval_fn:Int");
    }

    /// Adds the evaluation that all samples bear the marks of already.
    pub fn evaluate_detections(&mut self, classes: &[&str]) {
        let config = doc! {
            "cls": "fiftyone.utils.eval.coco.COCOEvaluationConfig", "type": "detection", "method": "coco",
            "pred_field": "predictions", "gt_field": "ground_truth", "iou": 0.5, "classwise": true,
            "iscrowd": "iscrowd", "use_masks": false, "use_boxes": false, "tolerance": null,
            "compute_mAP": false, "iou_threshs": null, "max_preds": null, "error_level": 1,
        };
        let (mut ytrue, mut ypred, mut confs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut true_ids, mut pred_ids, mut ious) = (Vec::new(), Vec::new(), Vec::new());
        for sample in &self.samples {
            let found: Vec<_> = items(sample, "predictions", "Detection").collect();
            let matched = items(sample, "ground_truth", "Detection").map(|object| {
                let partner = object.get_str("eval_id").unwrap_or_default();
                (Some(object), found.iter().find(|it| hex(it) == Bson::from(partner)).copied())
            });
            let ghosts = found.iter().filter(|it| it.get_str("eval").is_ok_and(|it| it == "fp"));
            for (object, prediction) in matched.chain(ghosts.map(|it| (None, Some(*it)))) {
                let label = |it: Option<&Document>| {
                    it.and_then(|it| it.get("label").cloned()).unwrap_or_else(|| "(none)".into())
                };
                ytrue.push(label(object));
                ypred.push(label(prediction));
                confs.push(
                    prediction.and_then(|it| it.get("confidence")).cloned().unwrap_or_default(),
                );
                true_ids.push(object.map(hex).unwrap_or_default());
                pred_ids.push(prediction.map(hex).unwrap_or_default());
                ious.push(object.and_then(|it| it.get("eval_iou")).cloned().unwrap_or_default());
            }
        }
        let results = doc! {
            "cls": "fiftyone.utils.eval.detection.DetectionResults", "ytrue": ytrue, "ypred": ypred,
            "confs": confs, "weights": null, "ytrue_ids": true_ids, "ypred_ids": pred_ids,
            "classes": classes.to_vec(), "missing": "(none)", "ious": ious,
        };
        self.run("evaluations", "eval", config, Some(results));
    }

    /// Adds an evaluation of the classes in `prediction` against those in `ground_truth`, and its marks.
    pub fn evaluate_classifications(&mut self, classes: &[&str]) {
        let config = doc! {
            "cls": "fiftyone.utils.eval.classification.SimpleEvaluationConfig", "type": "classification",
            "method": "simple", "pred_field": "prediction", "gt_field": "ground_truth",
        };
        let column =
            |field: &str, key: &str| -> Vec<Bson> {
                let labels = self.samples.iter().filter_map(|it| it.get_document(field).ok());
                labels
                    .map(|it| {
                        if key == "_id" {
                            hex(it)
                        } else {
                            it.get(key).cloned().unwrap_or_default()
                        }
                    })
                    .collect()
            };
        let (ytrue, ypred) = (column("ground_truth", "label"), column("prediction", "label"));
        let marks: Vec<bool> = ytrue.iter().zip(&ypred).map(|(one, other)| one == other).collect();
        let results = doc! {
            "cls": "fiftyone.utils.eval.classification.ClassificationResults",
            "ytrue": ytrue, "ypred": ypred, "confs": column("prediction", "confidence"), "weights": null,
            "ytrue_ids": column("ground_truth", "_id"), "ypred_ids": column("prediction", "_id"),
            "classes": classes.to_vec(), "missing": "(none)",
        };
        for (sample, mark) in self.samples.iter_mut().zip(marks) {
            sample.insert("eval", mark);
        }
        self.declare("eval:Boolean");
        self.run("evaluations", "eval", config, Some(results));
    }
}

/// A box a little to the right of another, in the image.
fn bounds_beside([left, top, width, height]: Bounds, shift: f64) -> Bounds {
    [left + shift * width, top, width, height].map(rounded)
}

/// Marks a label with how it fared in the evaluation `eval`.
fn match_up(label: &mut Document, partner: Option<&Document>, mark: &str, iou: f64) {
    label.insert("eval", mark);
    label.insert("eval_id", partner.map_or_else(|| "".into(), hex));
    if partner.is_some() {
        label.insert("eval_iou", iou);
    }
}
