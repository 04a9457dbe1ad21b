//! A deployment of several groups of datasets, with a collection that is walked in ranges.

use bson::{Document, doc};
use tests::{
    Dump, State, image_dataset, image_samples, video_dataset, video_frames, video_samples,
};

/// So many samples no server changes in the time that a small collection may take.
const LARGE: u32 = 24_000;

/// More than fit into one group.
const SMALL: usize = 200;

/// Everything of 0.18.0.
pub fn deployment() -> Dump {
    let mut dump = State::down_to("0.18.0").collections;
    let datasets = dump.entry("datasets".to_owned()).or_default();
    let (images, videos) = (image_dataset("images"), video_dataset("videos"));
    datasets.extend((0..SMALL).map(|at| image_dataset(&format!("small {at}"))));
    // Two whose names come to the same slug.
    datasets.extend([image_dataset("Twin 1"), image_dataset("twin-1")]);
    datasets.extend([images.clone(), videos.clone()]);
    let name = |it: &Document| it.get_str("sample_collection_name").unwrap().to_owned();
    let samples: Vec<Document> = video_samples(20).collect();
    dump.insert(format!("frames.{}", name(&videos)), video_frames(&samples, 20));
    dump.insert(name(&videos), samples);
    let samples = image_samples(LARGE).zip(0_u32..).map(|(mut it, at)| {
        if at % 100 == 0 {
            it.insert("created_at", doc! { "in the way": at });
        }
        it
    });
    dump.insert(name(&images), samples.collect());
    dump
}
