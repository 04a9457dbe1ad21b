//! From the description of a dataset to its documents in the layout of its version.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Binary, Document, doc, oid::ObjectId, spec::BinarySubtype};
use revisions::{Dataset, Effect, Env, Names, Outcome, Refusal, Release, Scope, Step, fold};

use super::sketch::Sketch;
use crate::versions::newest;

/// The size of a GridFS chunk.
const CHUNK_BYTES: usize = 255 << 10;

/// The dataset's documents, by collection.
///
/// # Errors
///
/// If a revision refuses to let it down.
pub fn plant(mut sketch: Sketch) -> Result<Vec<(String, Vec<Document>)>, Refusal> {
    let Outcome { dataset, steps, .. } = fold_down(&mut sketch)?;
    for step in steps {
        take(&mut sketch, step);
    }
    let (files, chunks) = files(&mut sketch);
    let samples = format!("samples.{}", sketch.dataset_id());
    Ok(vec![
        (format!("frames.{samples}"), sketch.frames),
        (samples, sketch.samples),
        ("datasets".to_owned(), vec![dataset.document]),
        ("runs".to_owned(), dataset.runs.into_values().collect()),
        ("fs.files".to_owned(), files),
        ("fs.chunks".to_owned(), chunks),
        ("views".to_owned(), sketch.views),
        ("workspaces".to_owned(), sketch.workspaces),
        ("delegated_ops".to_owned(), sketch.operations),
    ])
}

fn fold_down(sketch: &mut Sketch) -> Result<Outcome, Refusal> {
    let runs: BTreeMap<ObjectId, Document> = std::mem::take(&mut sketch.runs)
        .into_iter()
        .filter_map(|it| Some((it.get_object_id("_id").ok()?, it)))
        .collect();
    let dataset = Dataset { document: sketch.document.clone(), runs };
    let results: BTreeSet<ObjectId> = sketch.results.iter().map(|(file, _)| *file).collect();
    let env =
        Env { now: sketch.now(), named: sketch.now(), names: &Names::default(), results: &results };
    fold(dataset, newest(), &Release::new(sketch.version), env)
}

/// Does to the rest of the dataset what a revision asked for.
fn take(sketch: &mut Sketch, step: Step) {
    match step {
        Step::Update { scope, update } => {
            let documents = match scope {
                Scope::Samples => &mut sketch.samples,
                Scope::Frames => &mut sketch.frames,
            };
            for document in documents {
                update.apply(document);
            }
        }
        // Only asked for below 0.7.2, where there are no datasets, and by an archive, which there is not.
        Step::Merge(_)
        | Step::Effect(
            Effect::DeleteResults(_)
            | Effect::ReturnResults { .. }
            | Effect::PutBack { .. }
            | Effect::ChangeOperation { .. },
        ) => {}
        Step::Effect(Effect::DeleteViews(views)) => {
            sketch.views.retain(|it| it.get("_id").is_none_or(|id| !views.contains(id)));
        }
        Step::Effect(Effect::RewriteResults { from, to, set, delete_from }) => {
            let Some(at) = sketch.results.iter().position(|(file, _)| *file == from) else {
                return;
            };
            let mut copy = sketch.results[at].1.clone();
            for (key, text) in set {
                copy.insert(key, text);
            }
            if delete_from {
                sketch.results.remove(at);
            }
            sketch.results.push((to, copy));
        }
        Step::Effect(Effect::RenameOperationLog { from, to }) => {
            for operation in &mut sketch.operations {
                let is_log =
                    operation.get_str(from).is_ok_and(|it| it.strip_suffix(".log").is_some());
                if let (true, Some(path)) = (is_log, operation.remove(from)) {
                    operation.insert(to, path);
                }
            }
        }
    }
}

/// The results as GridFS stores them: `fs.files` and `fs.chunks`.
fn files(sketch: &mut Sketch) -> (Vec<Document>, Vec<Document>) {
    let (mut files, mut chunks) = (Vec::new(), Vec::new());
    for (file, results) in std::mem::take(&mut sketch.results) {
        // Documents of numbers, plain texts, nulls, lists and documents are written as JSON.
        let json = results.to_string();
        files.push(doc! {
            "_id": file,
            "contentType": "application/json",
            "chunkSize": i32::try_from(CHUNK_BYTES).unwrap_or(i32::MAX),
            "length": i64::try_from(json.len()).unwrap_or(i64::MAX),
            "uploadDate": file.timestamp(),
        });
        for (number, data) in (0_i32..).zip(json.as_bytes().chunks(CHUNK_BYTES)) {
            let data = Binary { subtype: BinarySubtype::Generic, bytes: data.to_vec() };
            chunks.push(doc! { "_id": sketch.id(), "files_id": file, "n": number, "data": data });
        }
    }
    (files, chunks)
}
