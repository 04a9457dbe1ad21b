//! What an import makes: the dataset, its runs, views and workspaces, taken to the version of the database in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use bundle::{Fault, Folder, RUN_KINDS};
use revisions::{
    Dataset, Effect, Env, Names, Release, Scope, Step, Update, base, between, fold, head,
    name_in_urls,
};

use super::{ImportRequest, fault, has_dates};
use crate::{Error, Result, versions::newest};

/// Everything that will be there but samples and frames.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// The dataset's id.
    pub id: ObjectId,
    /// Its name.
    pub name: String,
    /// The version it will be at.
    pub destination: Release,
    /// The collection of its samples.
    pub samples: String,
    /// The collection of its frames.
    pub frames: String,
    /// The dataset document.
    pub document: Document,
    /// Its runs.
    pub runs: BTreeMap<ObjectId, Document>,
    /// Its saved views.
    pub views: Vec<Document>,
    /// Its workspaces.
    pub workspaces: Vec<Document>,
    /// The files of its results.
    pub files: Vec<ResultsFile>,
    /// What crossing the revisions means for people.
    pub warnings: Vec<String>,
    /// The revisions that it crosses.
    pub revisions: Vec<String>,
    steps: Vec<Step>,
}

/// A file of results.
#[derive(Clone, Debug)]
pub struct ResultsFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its id in the database.
    pub id: ObjectId,
    /// What is changed of it on the way.
    pub set: Vec<(&'static str, &'static str)>,
}

impl ImportPlan {
    /// The name of a collection.
    pub fn collection(&self, scope: Scope) -> &str {
        match scope {
            Scope::Samples => &self.samples,
            Scope::Frames => &self.frames,
        }
    }

    /// What happens to every document of a collection.
    pub fn updates(&self, scope: Scope) -> Vec<Update> {
        let updates = self.steps.iter().filter_map(|it| match it {
            Step::Update { scope: at, update } if *at == scope => Some(update.clone()),
            _ => None,
        });
        updates.collect()
    }

    /// The indexes that FiftyOne gives a collection: name, keys, whether unique.
    pub fn indexes(&self, scope: Scope) -> Vec<(String, Document, bool)> {
        let named = |key: &str| (format!("{key}_1"), doc! { key: 1 }, false);
        let mut indexes = Vec::new();
        match scope {
            Scope::Samples => {
                indexes.push(named("filepath"));
                if let Ok(group) = self.document.get_str("group_field") {
                    indexes.push(named(&format!("{group}._id")));
                    indexes.push(named(&format!("{group}.name")));
                }
            }
            Scope::Frames => indexes.push((
                "_sample_id_1_frame_number_1".to_owned(),
                doc! { "_sample_id": 1, "frame_number": 1 },
                true,
            )),
        }
        if has_dates(&self.destination) {
            indexes.extend(["created_at", "last_modified_at"].map(named));
        }
        indexes
    }
}

/// Why there is no plan.
enum Stop {
    /// It cannot be imported: a sentence for people, beside what else the report says.
    Blocked(String),
    /// It cannot even be read.
    Unreadable(Error),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Blocked(why)
    }
}

impl From<Fault> for Stop {
    fn from(it: Fault) -> Self {
        Self::Unreadable(fault(it))
    }
}

/// Plans an import. The inner error is why it cannot be, as a sentence.
///
/// # Errors
///
/// If what is in the export cannot be read.
pub fn plan(
    request: &ImportRequest,
    folder: &Folder,
    database: Option<&str>,
    names: &Names,
) -> Result<std::result::Result<ImportPlan, String>> {
    match planned(request, folder, database, names) {
        Ok(plan) => Ok(Ok(plan)),
        Err(Stop::Blocked(why)) => Ok(Err(why)),
        Err(Stop::Unreadable(error)) => Err(error),
    }
}

fn planned(
    request: &ImportRequest,
    folder: &Folder,
    database: Option<&str>,
    names: &Names,
) -> std::result::Result<ImportPlan, Stop> {
    let (id, now) = (ObjectId::new(), DateTime::now());
    let head = head(&folder.metadata).map_err(|it| format!("`metadata.json`: {it}"))?.release;
    let destination = destination(&head, database)?;
    importable(folder)?;
    let name = named(request, folder, names)?;
    let mut parts = Parts::of(request, folder, (id, &name), now)?;
    parts.take_runs(request.along.runs, folder, id, head < Release::new([0, 19]))?;
    let Parts { document, runs, mut views, workspaces, mut files } = parts;
    let results: BTreeSet<ObjectId> = files.keys().copied().collect();
    let env = Env { now, named: now, names, results: &results };
    let outcome = fold(Dataset { document, runs }, &head, &destination, env);
    let outcome = outcome.map_err(|it| it.to_string())?;
    for step in &outcome.steps {
        match step {
            Step::Update { .. } => {}
            Step::Merge(_) => {
                return Err(Stop::Blocked(format!(
                    "the export is at {head}, and a database at {destination} is too far from it to import it; bring the \
                     database up first"
                )));
            }
            Step::Effect(effect) => apply(effect, &mut files, &mut views),
        }
    }
    let warnings = outcome.warnings.iter().map(|(at, text)| format!("{at}: {text}")).collect();
    let crossed = between(&head, &destination).into_iter().map(|it| it.version.to_string());
    Ok(ImportPlan {
        id,
        name: outcome.dataset.document.get_str("name").unwrap_or(&name).to_owned(),
        revisions: crossed.collect(),
        destination,
        samples: format!("samples.{id}"),
        frames: format!("frames.samples.{id}"),
        document: outcome.dataset.document,
        runs: outcome.dataset.runs,
        views,
        workspaces,
        files: files.into_values().collect(),
        warnings,
        steps: outcome.steps,
    })
}

/// What becomes of the export before it crosses any revision.
struct Parts {
    document: Document,
    runs: BTreeMap<ObjectId, Document>,
    views: Vec<Document>,
    workspaces: Vec<Document>,
    files: BTreeMap<ObjectId, ResultsFile>,
}

impl Parts {
    /// The dataset under its new name and id, with saved views and workspaces.
    fn of(
        request: &ImportRequest,
        folder: &Folder,
        (id, name): (ObjectId, &str),
        now: DateTime,
    ) -> std::result::Result<Self, Stop> {
        let mut document = folder.metadata.clone();
        document.insert("_id", id);
        document.insert("name", name);
        if document.contains_key("slug") {
            document.insert("slug", name_in_urls(&Bson::from(name), now));
        }
        document.insert("persistent", request.persistent);
        document.insert("sample_collection_name", format!("samples.{id}"));
        if folder.frames()?.is_some() || document.get_str("frame_collection_name").is_ok() {
            document.insert("frame_collection_name", format!("frames.samples.{id}"));
        }
        let mut listed = |key: &str, wanted: bool| -> std::result::Result<_, Stop> {
            let all = if wanted { folder.listed(key)? } else { Vec::new() };
            let all: Vec<Document> = all.into_iter().map(|it| owned(it, id)).collect();
            if document.contains_key(key) {
                let ids: Vec<Bson> = all.iter().filter_map(|it| it.get("_id").cloned()).collect();
                document.insert(key, ids);
            }
            Ok(all)
        };
        let views = listed("saved_views", request.along.views)?;
        let workspaces = listed("workspaces", request.along.workspaces)?;
        Ok(Self { document, runs: BTreeMap::new(), views, workspaces, files: BTreeMap::new() })
    }

    /// Its runs, inside the document as before 0.19, or on their own.
    fn take_runs(
        &mut self,
        wanted: bool,
        folder: &Folder,
        dataset: ObjectId,
        inside: bool,
    ) -> std::result::Result<(), Stop> {
        for kind in RUN_KINDS {
            if !self.document.contains_key(kind.key) {
                continue;
            }
            let (all, mut results) = if wanted {
                (folder.runs(kind)?, folder.results(kind)?)
            } else {
                (Vec::new(), BTreeMap::new())
            };
            let mut slots = Document::new();
            for (key, mut run) in all {
                // Very old exports hold `null` where there are no results.
                run.remove("results");
                if let Some(path) = results.remove(&key).filter(|it| !is_null(it)) {
                    let file = ObjectId::new();
                    self.files.insert(file, ResultsFile { path, id: file, set: Vec::new() });
                    run.insert("results", file);
                }
                if inside {
                    run.remove("_id");
                    slots.insert(key, run);
                } else {
                    let run = owned(run, dataset);
                    let id = run.get_object_id("_id").unwrap_or_default();
                    self.runs.insert(id, run);
                    slots.insert(key, id);
                }
            }
            self.document.insert(kind.key, slots);
        }
        Ok(())
    }
}

/// How it will be called.
fn named(
    request: &ImportRequest,
    folder: &Folder,
    names: &Names,
) -> std::result::Result<String, String> {
    let exported = || folder.metadata.get_str("name").ok().map(str::to_owned);
    let name = request.name.clone().or_else(exported).filter(|it| !it.is_empty());
    let name = name.ok_or("the export does not say how the dataset is called; give it a name")?;
    free(&name, names)?;
    Ok(name)
}

/// What a revision asks for beside the dataset, done to what is going to be written.
fn apply(effect: &Effect, files: &mut BTreeMap<ObjectId, ResultsFile>, views: &mut Vec<Document>) {
    match effect {
        Effect::DeleteViews(ids) => {
            views.retain(|it| it.get("_id").is_none_or(|id| !ids.contains(id)));
        }
        Effect::RewriteResults { from, to, set, delete_from } => {
            let found = if *delete_from { files.remove(from) } else { files.get(from).cloned() };
            if let Some(mut file) = found {
                file.id = *to;
                file.set.extend(set.iter().copied());
                files.insert(*to, file);
            }
        }
        Effect::DeleteResults(file) => drop(files.remove(file)),
        // A new dataset has no operations, and nothing in the archive.
        Effect::RenameOperationLog { .. }
        | Effect::ReturnResults { .. }
        | Effect::PutBack { .. }
        | Effect::ChangeOperation { .. } => {}
    }
}

fn destination(head: &Release, database: Option<&str>) -> std::result::Result<Release, String> {
    let Some(database) = database else {
        return Err(
            "the database has no version yet: run `fiftyone-migrate` with `FIFTYONE_DATABASE_ADMIN=true` once, which gives it one"
                .to_owned(),
        );
    };
    let destination: Release = database.parse().map_err(|_| {
        format!("the database's version `{database}` is not a version; mend it first")
    })?;
    for (what, version) in [("export", head), ("database", &destination)] {
        if base(version) > *newest() {
            return Err(format!(
                "the {what} is at {version}, and this program knows nothing newer than {}; use a newer fiftyone-migrate",
                newest()
            ));
        }
    }
    Ok(destination)
}

fn importable(folder: &Folder) -> std::result::Result<(), String> {
    if folder.metadata.get_array("_media_sources").is_ok_and(|it| !it.is_empty()) {
        return Err(
            "its samples refer to media sources, which are not files that could come along; import it with FiftyOne"
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether a new dataset may have this name, or another that it could have.
fn free(name: &str, names: &Names) -> std::result::Result<(), String> {
    let taken = |name: &str| {
        let slug = name_in_urls(&Bson::from(name), DateTime::now());
        names.name_is_taken(&Bson::Null, name)
            || slug.is_none_or(|it| names.slug_is_taken(&Bson::Null, &it))
    };
    if name_in_urls(&Bson::from(name), DateTime::now()).is_none() {
        return Err(format!(
            "`{name}` has nothing in it that a URL could say; give it a name with letters or digits"
        ));
    }
    if !taken(name) {
        return Ok(());
    }
    let others = (2..1_000).map(|it| format!("{name}-{it}"));
    let proposal = others.into_iter().find(|it| !taken(it));
    let proposal = proposal.map(|it| format!(", such as `{it}`")).unwrap_or_default();
    Err(format!(
        "there is a dataset `{name}` already, or one whose name looks the same in a URL; give this one another name{proposal}"
    ))
}

/// Of this dataset, and under a new id: the old one may be taken where it came from.
fn owned(mut document: Document, dataset: ObjectId) -> Document {
    document.remove("_id");
    let mut owned = doc! { "_id": ObjectId::new() };
    owned.extend(document);
    owned.insert("_dataset_id", dataset);
    owned
}

fn is_null(path: &std::path::Path) -> bool {
    let small = std::fs::metadata(path).is_ok_and(|it| it.len() < 64);
    small && std::fs::read(path).is_ok_and(|it| it.trim_ascii() == b"null")
}
