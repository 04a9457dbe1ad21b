//! Labels and metadata, as FiftyOne stores them in samples and frames.

use bson::{Bson, Document, doc};

use super::{schema::list_of, sketch::Sketch};

/// A box in fractions of the image: left, top, width, height.
pub type Bounds = [f64; 4];

impl Sketch {
    /// What is known about an image of the usual size.
    pub fn image_metadata(&mut self) -> Document {
        let (width, height) = self.pick(&[(1280, 720), (1920, 1080), (1024, 768)]);
        let bytes = self.pick(&[183_244, 201_871, 240_316, 256_002, 312_455]);
        doc! {
            "_cls": "ImageMetadata", "size_bytes": bytes, "mime_type": "image/jpeg",
            "width": width, "height": height, "num_channels": 3,
        }
    }

    /// How sure a model is.
    pub fn confidence(&mut self) -> f64 {
        rounded(0.4 + 0.6 * self.turn())
    }

    /// Somewhere in the image.
    pub fn bounds(&mut self) -> Bounds {
        let (width, height) = (0.08 + 0.3 * self.turn(), 0.08 + 0.3 * self.turn());
        let (left, top) = (self.turn() * (1.0 - width), self.turn() * (1.0 - height));
        [left, top, width, height].map(rounded)
    }

    /// A class for the whole image.
    pub fn classification(&mut self, label: &str, confidence: Option<f64>) -> Document {
        let mut it =
            doc! { "_id": self.id(), "_cls": "Classification", "tags": [], "label": label };
        it.extend(confidence.map(|it| ("confidence".to_owned(), it.into())));
        it
    }

    /// An object in a box.
    pub fn detection(&mut self, label: &str, bounds: Bounds) -> Document {
        doc! {
            "_id": self.id(), "_cls": "Detection", "attributes": {}, "tags": [], "label": label,
            "bounding_box": bounds.to_vec(),
        }
    }

    /// The joints of something, in fractions of the image.
    pub fn keypoint(&mut self, label: &str, points: &[[f64; 2]]) -> Document {
        doc! {
            "_id": self.id(), "_cls": "Keypoint", "attributes": {}, "tags": [], "label": label,
            "points": points.iter().map(|it| it.map(rounded).to_vec()).collect::<Vec<_>>(),
        }
    }

    /// A shape in one piece.
    pub fn polyline(&mut self, label: &str, points: &[[f64; 2]], closed: bool) -> Document {
        let points: Vec<_> = points.iter().map(|it| it.map(rounded).to_vec()).collect();
        doc! {
            "_id": self.id(), "_cls": "Polyline", "attributes": {}, "tags": [], "label": label,
            "points": [points], "closed": closed, "filled": closed,
        }
    }

    /// Something that goes on from one frame to another.
    pub fn event(&mut self, label: &str, support: [u32; 2]) -> Document {
        doc! {
            "_id": self.id(), "_cls": "TemporalDetection", "tags": [], "label": label,
            "support": support.to_vec(),
        }
    }

    /// A place on earth.
    pub fn location(&mut self, longitude: f64, latitude: f64) -> Document {
        let point = doc! { "type": "Point", "coordinates": [longitude, latitude] };
        doc! { "_id": self.id(), "_cls": "GeoLocation", "tags": [], "point": point }
    }
}

/// What is known about a video of `frames` frames, 10 each second.
pub fn video_metadata(frames: u32) -> Document {
    doc! {
        "_cls": "VideoMetadata", "size_bytes": 48_000 * frames, "mime_type": "video/mp4",
        "frame_width": 1280, "frame_height": 720, "frame_rate": 10.0,
        "total_frame_count": frames, "duration": f64::from(frames) / 10.0, "encoding_str": "avc1",
    }
}

/// Labels of `class` in a list.
pub fn labels(class: &str, labels: Vec<Document>) -> Bson {
    doc! { "_cls": format!("{class}s"), list_of(class): labels }.into()
}

/// How much of two boxes is in both.
pub fn overlap(one: Bounds, other: Bounds) -> f64 {
    let shared = |at: usize| {
        let end = (one[at] + one[at + 2]).min(other[at] + other[at + 2]);
        (end - one[at].max(other[at])).max(0.0)
    };
    let (both, area) = (shared(0) * shared(1), |it: Bounds| it[2] * it[3]);
    both / (area(one) + area(other) - both)
}

/// To three decimals.
pub fn rounded(it: f64) -> f64 {
    (it * 1000.0).round() / 1000.0
}
