//! Which field gets another name, and what that changes of the dataset document.
//!
//! As `rename_sample_field` and `rename_frame_field` of FiftyOne do it (`_rename_fields` in `core/odm/mixins.py`, `_rename_path` in
//! `core/odm/dataset.py`): the schema, and the paths in the app's settings. Differs: what the dataset says of the field beside that
//! (its classes, mask targets, skeleton and colors) goes with it. FiftyOne leaves it under the old name, where it would be said of
//! the date that 1.0.0 puts there.

use bson::{Bson, Document};
use revisions::{Release, Shape, base};

/// What FiftyOne keeps under these names from 1.0.0 on.
pub const DATES: [&str; 2] = ["created_at", "last_modified_at"];
const DATE: &str = "fiftyone.core.fields.DateTimeField";

/// What stands before the name of a frame field in a path.
const FRAMES: &str = "frames.";

/// Names that are none of a person's in samples of some media type.
const RESERVED: [&str; 4] = ["frames", "groups", "id", "pk"];

/// How long a name may be.
const LONGEST: usize = 100;

/// One field with the name that it is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// Whether it is a field of frames.
    pub of_frames: bool,
    /// Its name.
    pub old: String,
    /// The name that it gets.
    pub new: String,
    /// What it is called in the documents.
    pub old_key: String,
    /// What it will be called there.
    pub new_key: String,
    /// Its type, as `StringField`.
    pub kind: String,
    /// Where the documents are.
    pub collection: String,
}

/// The fields that keep a dataset from crossing 1.0.0, of samples or of frames.
pub fn clashes<'a>(fields: &[&'a Document]) -> Vec<&'a Document> {
    let clash = |name: &str| {
        fields.iter().find(|it| it.text("name") == name && it.text("ftype") != DATE).copied()
    };
    DATES.into_iter().filter_map(clash).collect()
}

/// A name that no field has.
pub fn free_name(fields: &[&Document], name: &str) -> String {
    let first = format!("{name}_own");
    if !is_taken(fields, &first) {
        return first;
    }
    let numbered = (2..).map(|it| format!("{first}_{it}"));
    numbered.into_iter().find(|it| !is_taken(fields, it)).unwrap_or(first)
}

/// The fields of a schema.
pub fn fields<'a>(document: &'a Document, schema: &str) -> Vec<&'a Document> {
    let fields = document.get_array(schema).ok().into_iter().flatten();
    fields.filter_map(Bson::as_document).collect()
}

fn is_taken(fields: &[&Document], name: &str) -> bool {
    fields.iter().any(|it| it.text("name") == name || it.text("db_field") == name)
}

impl Renaming {
    /// Finds the field at `path` (`created_at`, `frames.created_at`), which may be called `new` from then on.
    ///
    /// # Errors
    ///
    /// One sentence about what does not make sense.
    pub fn of(document: &Document, path: &str, new: &str) -> Result<Self, String> {
        if document.text("version").parse::<Release>().is_err() {
            return Err("the dataset does not say which version it is at".to_owned());
        }
        if !Self::is_before_the_dates(document) {
            let version = document.text("version");
            return Err(format!(
                "the dataset is at {version}, and fields are renamed only where they keep a dataset from crossing 1.0.0; \
                 rename others with FiftyOne itself"
            ));
        }
        let of_frames = path.starts_with(FRAMES);
        let old = path.strip_prefix(FRAMES).unwrap_or(path);
        let schema = if of_frames { "frame_fields" } else { "sample_fields" };
        let what = if of_frames { "frame" } else { "sample" };
        let fields = fields(document, schema);
        let same: Vec<_> = fields.iter().filter(|it| it.text("name") == old).collect();
        let field = match same.as_slice() {
            [field] => *field,
            [] => {
                return Err(format!("there is no {what} field `{}`", crate::printable(old)));
            }
            _ => return Err(format!("the schema has the {what} field `{old}` several times")),
        };
        if !clashes(&fields).iter().any(|it| it.text("name") == old) {
            return Err(format!(
                "the {what} field `{old}` does not keep the dataset from crossing 1.0.0; rename it with FiftyOne itself"
            ));
        }
        let new = name(new)?;
        if is_taken(&fields, new) || DATES.contains(&new) {
            return Err(format!("there is a {what} field `{new}` already; choose another name"));
        }
        if !of_frames && document.text("group_field") == old {
            return Err(format!(
                "`{old}` is the field that groups the samples; rename it with FiftyOne itself"
            ));
        }
        let old_key = match field.text("db_field") {
            "" => old,
            key => key,
        };
        if old_key.starts_with('$') || old_key.contains('.') {
            return Err(format!(
                "`{old_key}`, as the field is called in the documents, is not a key"
            ));
        }
        let new_key = if old_key == format!("_{old}") { format!("_{new}") } else { new.to_owned() };
        if is_taken(&fields, &new_key) {
            return Err(format!(
                "there is a {what} field `{new_key}` already; choose another name"
            ));
        }
        let samples = document.text("sample_collection_name");
        let collection = match (of_frames, document.text("frame_collection_name")) {
            (false, _) => samples.to_owned(),
            (true, "") => format!("frames.{samples}"),
            (true, frames) => frames.to_owned(),
        };
        if samples.is_empty() {
            return Err("the dataset does not say where its samples are".to_owned());
        }
        Ok(Self {
            of_frames,
            old: old.to_owned(),
            new: new.to_owned(),
            old_key: old_key.to_owned(),
            new_key,
            kind: field.text("ftype").rsplit('.').next().unwrap_or_default().to_owned(),
            collection,
        })
    }

    /// Whether a dataset is at a version before the one that puts dates under these names.
    pub fn is_before_the_dates(document: &Document) -> bool {
        let version = document.text("version").parse::<Release>();
        version.is_ok_and(|it| base(&it) < Release::new([1, 0, 0]))
    }

    /// `sample` or `frame`.
    pub fn what(&self) -> &'static str {
        if self.of_frames { "frame" } else { "sample" }
    }

    /// How the app's settings name the field.
    pub fn path(&self) -> String {
        self.prefixed(&self.old)
    }

    /// How they will name it.
    pub fn new_path(&self) -> String {
        self.prefixed(&self.new)
    }

    fn prefixed(&self, name: &str) -> String {
        if self.of_frames { format!("{FRAMES}{name}") } else { name.to_owned() }
    }

    /// Gives it its name in the dataset document. Returns what was changed there beside the schema, in words.
    pub fn apply(&self, document: &mut Document) -> Vec<String> {
        let schema = if self.of_frames { "frame_fields" } else { "sample_fields" };
        for field in document.get_array_mut(schema).into_iter().flatten() {
            if let Some(field) = field.as_document_mut()
                && field.text("name") == self.old
            {
                field.insert("name", &self.new);
                field.insert("db_field", &self.new_key);
            }
        }
        let mut told = Vec::new();
        for (key, what) in [
            ("classes", "the list of its classes"),
            ("mask_targets", "its mask targets"),
            ("skeletons", "its skeleton"),
        ] {
            if let Ok(by_field) = document.get_document_mut(key)
                && self.rename_keys(by_field)
            {
                told.push(what.to_owned());
            }
        }
        if let Ok(config) = document.get_document_mut("app_config") {
            self.rename_in_app(config, &mut told);
        }
        told
    }

    fn rename_in_app(&self, config: &mut Document, told: &mut Vec<String>) {
        let mut tell = |changed: bool, what: &str| {
            if changed && !told.iter().any(|it| it == what) {
                told.push(what.to_owned());
            }
        };
        for group in config.get_array_mut("sidebar_groups").into_iter().flatten() {
            let paths = group.as_document_mut().and_then(|it| it.get_array_mut("paths").ok());
            tell(self.rename_paths(paths), "the sidebar of the app");
        }
        let active = config.get_document_mut("active_fields").ok();
        let active = active.and_then(|it| it.get_array_mut("paths").ok());
        tell(self.rename_paths(active), "the fields that the app shows");
        let media = config.get_array_mut("media_fields").ok();
        tell(self.rename_paths(media), "the media fields");
        for key in ["grid_media_field", "modal_media_field"] {
            let field = config.get_mut(key).is_some_and(|it| self.rename_path(it));
            tell(field, "the media fields");
        }
        let colors = config.get_document_mut("color_scheme").ok();
        let colors = colors.and_then(|it| it.get_array_mut("fields").ok());
        for field in colors.into_iter().flatten() {
            let path = field.as_document_mut().and_then(|it| it.get_mut("path"));
            tell(path.is_some_and(|it| self.rename_path(it)), "its colors");
        }
    }

    fn rename_paths(&self, paths: Option<&mut Vec<Bson>>) -> bool {
        let renamed = paths.into_iter().flatten().map(|it| self.rename_path(it));
        renamed.fold(false, |any, it| any | it)
    }

    fn rename_path(&self, path: &mut Bson) -> bool {
        let Bson::String(text) = path else { return false };
        match self.renamed(text) {
            Some(new) => {
                *text = new;
                true
            }
            None => false,
        }
    }

    /// Renames a key where it stands.
    fn rename_keys(&self, by_field: &mut Document) -> bool {
        if !by_field.keys().any(|it| self.renamed(it).is_some()) {
            return false;
        }
        let renamed = std::mem::take(by_field);
        *by_field = renamed
            .into_iter()
            .map(|(key, value)| (self.renamed(&key).unwrap_or(key), value))
            .collect();
        true
    }

    fn renamed(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&self.path())?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{}{rest}", self.new_path()))
    }

    /// The saved views and runs, of all that are there, that name the field: they would mean the date that 1.0.0 puts there.
    pub fn mentions(&self, document: &Document, others: &[Document]) -> Vec<String> {
        let mut found = Vec::new();
        let stages = |it: &Document| it.get("view_stages").is_some_and(|it| self.is_in(it));
        for it in others {
            if it.contains_key("view_stages") && stages(it)
                || it.get("config").is_some_and(|it| self.is_in(it))
            {
                found.push(label(it));
            }
        }
        // Where runs are kept before 0.19.
        for key in ["annotation_runs", "brain_methods", "evaluations"] {
            for (name, run) in document.get_document(key).into_iter().flatten() {
                let parts = run.as_document().into_iter();
                let mut parts =
                    parts.flat_map(|it| [it.get("config"), it.get("view_stages")]).flatten();
                if parts.any(|it| self.is_in(it)) {
                    found.push(format!("run `{}`", crate::printable(name)));
                }
            }
        }
        found
    }

    fn is_in(&self, value: &Bson) -> bool {
        match value {
            Bson::String(text) => self.is_named_in(text),
            Bson::Array(items) => items.iter().any(|it| self.is_in(it)),
            Bson::Document(it) => {
                it.iter().any(|(key, it)| self.is_named_in(key) || self.is_in(it))
            }
            _ => false,
        }
    }

    /// Whether the field's name is in a text as a word of its own: stages are kept as JSON.
    fn is_named_in(&self, text: &str) -> bool {
        let is_part = |it: char| it.is_alphanumeric() || it == '_';
        text.match_indices(&self.old).any(|(at, it)| {
            let before = text[..at].chars().next_back();
            let after = text[at + it.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    }
}

fn label(it: &Document) -> String {
    let text = |key: &str| it.get_str(key).ok().map(crate::printable);
    match (text("name"), text("key")) {
        (Some(name), _) => format!("saved view `{name}`"),
        (None, Some(key)) => format!("run `{key}`"),
        (None, None) => "a saved view".to_owned(),
    }
}

/// A name as FiftyOne takes them.
fn name(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let shown = || crate::printable(&text.chars().take(LONGEST).collect::<String>());
    if text.is_empty() {
        return Err("the new name is missing".to_owned());
    }
    if text.starts_with('_') {
        return Err(format!("`{}` cannot be the name of a field: it begins with `_`", shown()));
    }
    if text.contains(['.', '$']) || text.chars().any(|it| it.is_control() || it.is_whitespace()) {
        return Err(format!(
            "`{}` cannot be the name of a field: leave out `.`, `$` and spaces",
            shown()
        ));
    }
    if text.chars().count() > LONGEST {
        return Err(format!("a name has {LONGEST} letters at most"));
    }
    if RESERVED.contains(&text) {
        return Err(format!("`{text}` is a name that FiftyOne needs for itself; choose another"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn field(name: &str, db_field: &str, kind: &str) -> Document {
        doc! { "name": name, "ftype": format!("fiftyone.core.fields.{kind}"), "db_field": db_field }
    }

    fn dataset() -> Document {
        doc! {
            "version": "0.25.2", "sample_collection_name": "samples.1",
            "sample_fields": [field("id", "_id", "ObjectIdField"), field("created_at", "created_at", "StringField"),
                field("created_at_own", "made", "IntField"), field("last_modified_at", "last_modified_at", "DateTimeField")],
            "frame_collection_name": "frames.samples.1",
            "frame_fields": [field("created_at", "_created_at", "ObjectIdField"), field("made", "made", "IntField")],
            "classes": { "a": ["x"], "created_at": ["y"], "b": [] },
            "mask_targets": {},
            "app_config": {
                "sidebar_groups": [
                    { "name": "other", "paths": ["created_at", "created_at.label", "created_at_own", "frames.created_at"] },
                ],
                "active_fields": null, "media_fields": ["filepath"], "grid_media_field": "created_at",
                "color_scheme": { "fields": [{ "path": "created_at", "fieldColor": "red" }] },
            },
        }
    }

    fn refusal(path: &str, new: &str) -> String {
        Renaming::of(&dataset(), path, new).unwrap_err()
    }

    #[test]
    fn a_field_gets_its_new_name_wherever_the_dataset_names_it_and_nothing_else_does() {
        let mut document = dataset();
        let renaming = Renaming::of(&document, "created_at", " written ").unwrap();
        assert_eq!(
            (renaming.old_key.as_str(), renaming.new_key.as_str()),
            ("created_at", "written")
        );
        assert_eq!((renaming.what(), renaming.kind.as_str()), ("sample", "StringField"));
        let told = renaming.apply(&mut document);
        assert_eq!(
            told,
            ["the list of its classes", "the sidebar of the app", "the media fields", "its colors"]
        );
        let mut expected = dataset();
        expected.get_array_mut("sample_fields").unwrap()[1] =
            field("written", "written", "StringField").into();
        expected.insert("classes", doc! { "a": ["x"], "written": ["y"], "b": [] });
        let config = expected.get_document_mut("app_config").unwrap();
        config.get_array_mut("sidebar_groups").unwrap()[0] = doc! {
            "name": "other", "paths": ["written", "written.label", "created_at_own", "frames.created_at"],
        }
        .into();
        config.insert("grid_media_field", "written");
        let color = doc! { "path": "written", "fieldColor": "red" };
        config.insert("color_scheme", doc! { "fields": [color] });
        assert_eq!(document, expected);
        assert!(Renaming::of(&document, "created_at", "written").is_err(), "it is done");
    }

    #[test]
    fn a_frame_field_is_named_by_its_path_and_keeps_the_underscore_of_its_key() {
        let mut document = dataset();
        let renaming = Renaming::of(&document, "frames.created_at", "seen").unwrap();
        assert_eq!(
            (renaming.old_key.as_str(), renaming.new_key.as_str()),
            ("_created_at", "_seen")
        );
        assert_eq!(renaming.collection, "frames.samples.1");
        assert_eq!(renaming.apply(&mut document), ["the sidebar of the app"]);
        let paths =
            document.get_document("app_config").unwrap().get_array("sidebar_groups").unwrap();
        let paths = paths[0].as_document().unwrap().get_array("paths").unwrap();
        assert_eq!(paths[3].as_str(), Some("frames.seen"));
        assert_eq!(paths[0].as_str(), Some("created_at"));
    }

    #[test]
    fn what_cannot_be_renamed_so_is_refused_in_one_sentence() {
        for (said, part) in [
            (refusal("nothing", "x"), "there is no sample field `nothing`"),
            (refusal("id", "x"), "does not keep the dataset from crossing 1.0.0"),
            (refusal("last_modified_at", "x"), "does not keep the dataset from crossing 1.0.0"),
            (refusal("created_at", " "), "the new name is missing"),
            (refusal("created_at", "_x"), "it begins with `_`"),
            (refusal("created_at", "a.b"), "leave out `.`"),
            (refusal("created_at", "$a"), "leave out `.`"),
            (refusal("created_at", "a b"), "leave out `.`"),
            (
                refusal("created_at", "created_at_own"),
                "there is a sample field `created_at_own` already",
            ),
            (refusal("created_at", "made"), "there is a sample field `made` already"),
            (refusal("created_at", "last_modified_at"), "already"),
            (refusal("created_at", "frames"), "needs for itself"),
            (refusal("created_at", &"x".repeat(101)), "100 letters at most"),
        ] {
            assert!(said.contains(part), "{said}");
        }
        let mut newer = dataset();
        newer.insert("version", "1.0.0");
        assert!(
            Renaming::of(&newer, "created_at", "x")
                .unwrap_err()
                .starts_with("the dataset is at 1.0.0")
        );
        let mut grouped = dataset();
        grouped.insert("group_field", "created_at");
        assert!(
            Renaming::of(&grouped, "created_at", "x").unwrap_err().contains("groups the samples")
        );
    }

    #[test]
    fn views_and_runs_that_name_the_field_are_found_by_whole_words() {
        let renaming = Renaming::of(&dataset(), "created_at", "written").unwrap();
        let view = |name: &str, stage: &str| doc! { "name": name, "view_stages": [stage], "created_at": 1 };
        let others = [
            view("by day", r#"{"kwargs": [["field", "created_at"]]}"#),
            view("mine", r#"{"kwargs": [["filter", {"$gt": ["$created_at", 1]}]]}"#),
            view("other", r#"{"kwargs": [["field", "created_at_own"]]}"#),
            doc! { "key": "eval", "config": { "pred_field": "created_at" } },
            doc! { "key": "fine", "config": { "pred_field": "predictions" }, "timestamp": 1 },
        ];
        let found = renaming.mentions(&dataset(), &others);
        assert_eq!(found, ["saved view `by day`", "saved view `mine`", "run `eval`"]);
        let mut old = dataset();
        old.insert("evaluations", doc! { "ev": { "config": { "gt_field": "created_at.x" } } });
        assert_eq!(renaming.mentions(&old, &[]), ["run `ev`"]);
    }
}
