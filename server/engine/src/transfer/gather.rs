//! Going through every path of a dataset, piece by piece: each file of this system once, with what is in scenes.

use std::{collections::HashSet, fs};

use bson::Bson;
use media::{
    Cause, Destination, Stamp,
    fields::paths,
    layout::{Misplaced, local},
    scene,
};
use model::FieldSurvey;

use super::{
    blocking, mark,
    subject::{Part, Subject},
};
use crate::{Result, store::Store};

/// How many documents are read at once.
pub const PIECE: i64 = 2_000;

/// How many examples are kept of each kind.
pub const EXAMPLES: usize = 5;

/// A file that a dataset refers to.
#[derive(Clone, Debug)]
pub struct File {
    /// Where it is, without `.` and doubled slashes.
    pub source: String,
    /// The number of the field that refers to it.
    pub field: usize,
    /// How it is; `None` if it is not there or cannot be read.
    pub stamp: Option<Stamp>,
    /// Why it cannot be read, where it is there.
    pub unreadable: Option<String>,
    /// Whether it is what a scene refers to.
    pub is_asset: bool,
}

/// A way through a dataset.
pub struct Gather<'a> {
    store: &'a Store,
    subject: &'a Subject,
    to: &'a Destination,
    part: usize,
    after: Option<Bson>,
    seen: HashSet<u128>,
    /// What was met in each field, in the order of [`Subject::fields`].
    pub met: Vec<FieldSurvey>,
    /// Whether each file is looked at, and not only what it is called.
    with_stamps: bool,
}

impl<'a> Gather<'a> {
    /// From the beginning. What is at the destination already is no file to be taken there.
    pub fn new(store: &'a Store, subject: &'a Subject, to: &'a Destination) -> Self {
        let met = |name: &str| FieldSurvey { field: name.to_owned(), ..FieldSurvey::default() };
        let met = subject.fields().map(|it| met(&it.name)).collect();
        let seen = HashSet::new();
        Self { store, subject, to, part: 0, after: None, seen, met, with_stamps: true }
    }

    /// The same, for whoever wants to know only which files there are: nothing but scenes is looked at, and nothing of what was met
    /// counts but what is wrong with scenes.
    pub fn names(store: &'a Store, subject: &'a Subject, to: &'a Destination) -> Self {
        Self { with_stamps: false, ..Self::new(store, subject, to) }
    }

    /// The files of the next piece that were not met before; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached.
    pub async fn next(&mut self) -> Result<Option<Vec<File>>> {
        loop {
            let Some(part) = self.subject.parts.get(self.part) else { return Ok(None) };
            let keys = part.keys();
            let found = self.store.piece(&part.collection, self.after.as_ref(), &keys, PIECE);
            let documents = found.await.map_err(|it| self.store.error(it))?;
            let Some(last) = documents.last() else {
                (self.part, self.after) = (self.part + 1, None);
                continue;
            };
            self.after = last.get("_id").cloned();
            let first = self.subject.parts.iter().take(self.part).map(|it| it.fields.len()).sum();
            let mut new = Vec::new();
            for document in &documents {
                self.meet(document, part, first, &mut new);
            }
            return self.looked_at(new).await.map(Some);
        }
    }

    fn meet(
        &mut self,
        document: &bson::Document,
        part: &Part,
        first: usize,
        new: &mut Vec<(String, usize)>,
    ) {
        for (index, field) in part.fields.iter().enumerate() {
            let index = first + index;
            let Some(met) = self.met.get_mut(index) else { continue };
            for found in paths(document, &field.keys) {
                met.paths += 1;
                match local(found.path) {
                    Ok(path) if self.to.place_of(&path).is_some() => met.at_the_destination += 1,
                    Ok(path) => {
                        if self.seen.insert(mark(&path)) {
                            new.push((path, index));
                        }
                    }
                    Err(Misplaced::InTheCloud) => met.in_the_cloud += 1,
                    Err(why) => {
                        *met.elsewhere.entry(why.to_string()).or_default() += 1;
                        if met.elsewhere_examples.len() < EXAMPLES {
                            met.elsewhere_examples.push(found.path.to_owned());
                        }
                    }
                }
            }
        }
    }

    async fn looked_at(&mut self, new: Vec<(String, usize)>) -> Result<Vec<File>> {
        let (seen, with_stamps) = (std::mem::take(&mut self.seen), self.with_stamps);
        let mut look = Look { with_stamps, seen, files: Vec::new(), broken: Vec::new() };
        let look = blocking(move || {
            for (source, field) in new {
                look.at(source, field);
            }
            look
        });
        let Look { seen, files, broken, .. } = look.await?;
        self.seen = seen;
        for (field, what) in broken {
            if let Some(met) = self.met.get_mut(field)
                && met.broken_scenes.len() < EXAMPLES
            {
                met.broken_scenes.push(what);
            }
        }
        for it in &files {
            let Some(met) = self.met.get_mut(it.field) else { continue };
            met.files += 1;
            met.assets += u64::from(it.is_asset);
            if let Some(stamp) = it.stamp {
                met.bytes += stamp.size;
            } else if let Some(why) = &it.unreadable {
                met.unreadable += 1;
                if met.unreadable_examples.len() < EXAMPLES {
                    met.unreadable_examples.push(why.clone());
                }
            } else {
                met.missing += 1;
                if met.missing_examples.len() < EXAMPLES {
                    met.missing_examples.push(it.source.clone());
                }
            }
        }
        Ok(files)
    }
}

/// Files that are looked at, and what was seen.
struct Look {
    with_stamps: bool,
    seen: HashSet<u128>,
    files: Vec<File>,
    broken: Vec<(usize, String)>,
}

impl Look {
    /// Looks at a file, and at what it refers to if it is a scene.
    fn at(&mut self, source: String, field: usize) {
        let is_scene = scene::is_scene(&source);
        let file = self.file(source, field, is_scene);
        if is_scene && file.stamp.is_some() {
            match read(&file.source) {
                Ok(scene) => self.assets(&file.source, &scene, field),
                Err(why) => self.broken.push((field, why)),
            }
        } else if let (true, Some(why)) = (is_scene, &file.unreadable) {
            self.broken.push((field, why.clone()));
        }
        self.files.push(file);
    }

    fn assets(&mut self, source: &str, scene: &serde_json::Value, field: usize) {
        for asset in scene::assets(scene) {
            let Some(path) = scene::resolve(source, &asset) else { continue };
            let Ok(path) = local(&path) else { continue };
            if self.seen.insert(mark(&path)) {
                let file = self.file(path, field, false);
                self.files.push(File { is_asset: true, ..file });
            }
        }
    }

    fn file(&self, source: String, field: usize, anyway: bool) -> File {
        let (stamp, unreadable) = if self.with_stamps || anyway {
            match Stamp::at(&source) {
                Ok(stamp) => (Some(stamp), None),
                Err(fault) if fault.cause == Cause::Missing => (None, None),
                Err(fault) => (None, Some(fault.text)),
            }
        } else {
            (None, None)
        };
        File { source, field, stamp, unreadable, is_asset: false }
    }
}

/// The scene in a file.
pub fn read(path: &str) -> std::result::Result<serde_json::Value, String> {
    let text = fs::read(path).map_err(|it| format!("`{path}` cannot be read: {it}"))?;
    serde_json::from_slice(&text).map_err(|it| format!("`{path}` is no scene: {it}"))
}
