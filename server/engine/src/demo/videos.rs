//! The video datasets.

use bson::{Document, doc};

use super::{
    labels::{labels, rounded, video_metadata},
    sketch::Sketch,
};

/// From before fields said under which key they are stored.
pub fn river_crossing(number: u32) -> Sketch {
    let mut it = Sketch::new(number, "river-crossing", [0, 9, 3], "video");
    it.declare_tracks();
    it.declare("water_level:Float");
    for clip in 1..=20 {
        let mut sample = it.clip("river-crossing", clip, 15);
        sample.insert("water_level", rounded(1.0 + it.turn()));
        it.track(&sample, 15, &["deer", "otter", "wader"]);
        it.add(sample);
    }
    it
}

/// Events, a saved view of frames, colors and delegated operations.
pub fn night_patrol(number: u32) -> Sketch {
    let mut it = Sketch::new(number, "night-patrol", [0, 21, 6], "video");
    it.declare_tracks();
    let events = it.labels_field("events", "TemporalDetection", "");
    it.push("sample_fields", events);
    for clip in 1..=24 {
        let mut sample = it.clip("night-patrol", clip, 20);
        let (start, label) = (it.pick(&[1, 4, 8]), it.pick(&["approach", "turn", "stop"]));
        let event = it.event(label, [start, start + 9]);
        sample.insert("events", labels("TemporalDetection", vec![event]));
        it.track(&sample, 20, &["car", "fox", "pedestrian"]);
        it.add(sample);
    }
    it.save_view(
        "with-objects",
        "Only frames that show something",
        &[(
            "MatchFrames",
            r#"[["filter", {"$gt": [{"$size": {"$ifNull": ["$$this.detections.detections", []]}}, 0]}], ["omit_empty", true]]"#,
        )],
    );
    it.color(&[("events", "#3355ff"), ("frames.detections", "#cc3377")]);
    it.operation("@voxel51/utils/compute_metadata", "Compute metadata", "completed");
    it
}

impl Sketch {
    fn declare_tracks(&mut self) {
        let field = self.labels_field("detections", "Detection", "");
        self.push("frame_fields", field);
        self.declare_in_frames("brightness:Float");
    }

    fn clip(&mut self, folder: &str, clip: u32, frames: u32) -> Document {
        self.sample(format!("/data/{folder}/{clip:03}.mp4"), "video", video_metadata(frames))
    }

    /// Adds the frames of a clip, through which one object moves. It has left before the last ones.
    fn track(&mut self, sample: &Document, frames: u32, classes: &[&str]) {
        let (label, [_, top, width, height]) = (self.pick(classes), self.bounds());
        for number in 1..=frames {
            let left = rounded(f64::from(number) / f64::from(frames) * (1.0 - width));
            let mut seen = Vec::new();
            if number + 3 <= frames {
                let mut detection = self.detection(label, [left, top, width, height]);
                detection.extend(doc! { "confidence": self.confidence(), "index": 1 });
                seen.push(detection);
            }
            let brightness = rounded(self.turn());
            let content =
                doc! { "detections": labels("Detection", seen), "brightness": brightness };
            self.add_frame(sample, number, content);
        }
    }
}
