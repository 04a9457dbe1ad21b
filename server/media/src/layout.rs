//! Where each file goes below its destination, and which files would get in each other's way.

mod collision;
mod root;
mod template;

use model::media_path::{PathKind, below, rest_below};
use serde::{Deserialize, Serialize};

pub use collision::{Collision, Resolution, colliding, settled};
pub use root::Root;
pub use template::{BadTemplate, Template};

/// How files are laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// The sub-folders below the root stay.
    #[default]
    Keep,
    /// All files in one folder, by their names.
    Flat,
    /// As a template says.
    Template(Template),
}

/// Why a path has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It has a scheme.
    #[error("it is in the cloud already")]
    InTheCloud,
    /// It is a path of Windows.
    #[error(
        "it is a path of Windows, which this system cannot read; run this where the file is, or rewrite the path first"
    )]
    Windows,
    /// It depends on where somebody stood.
    #[error("it is relative, and nothing says to what; make it absolute first, by `rewrite-paths`")]
    Relative,
    /// It is not below the root.
    #[error("it is not below the root; give a `--root` that is above all files, or another layout")]
    OutsideOfRoot,
    /// No store takes it.
    #[error(
        "its name has a letter that stores do not take (a line break or the like); rename the file"
    )]
    Unprintable,
}

/// A plan for one dataset: what every place follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How.
    pub layout: Layout,
    /// The folder that is left out of every place.
    pub root: String,
    /// The dataset's name.
    pub dataset: String,
}

/// A file of a dataset, as it is placed.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Where it is, as the dataset has it.
    pub path: &'a str,
    /// The media field that refers to it.
    pub field: &'a str,
}

impl Plan {
    /// The place of a file below the destination.
    ///
    /// # Errors
    ///
    /// [`Misplaced`], if it has none.
    pub fn place(&self, source: Source<'_>) -> Result<String, Misplaced> {
        let path = local(source.path)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let place = match &self.layout {
            Layout::Flat => name.to_owned(),
            Layout::Keep => self.inside(&path)?.to_owned(),
            Layout::Template(template) => {
                // Where a template does not ask for it, a file may lie anywhere.
                let inside = match self.inside(&path) {
                    Err(why) if template.needs_root() => return Err(why),
                    inside => inside.unwrap_or(name),
                };
                template.fill(inside, source.field, &self.dataset)
            }
        };
        if place.chars().any(|it| it.is_ascii_control()) {
            return Err(Misplaced::Unprintable);
        }
        // A template may leave empty parts, and `..` in a field's or dataset's name is no way out.
        below("", &place).map(|it| it[1..].to_owned()).ok_or(Misplaced::OutsideOfRoot)
    }

    fn inside<'a>(&self, path: &'a str) -> Result<&'a str, Misplaced> {
        rest_below(&self.root, path).ok_or(Misplaced::OutsideOfRoot)
    }
}

/// The path of a file on this system, without `.`, `..` and doubled slashes.
///
/// # Errors
///
/// [`Misplaced`], if it is none.
pub fn local(path: &str) -> Result<String, Misplaced> {
    match PathKind::of(path) {
        PathKind::Url => Err(Misplaced::InTheCloud),
        PathKind::Windows => Err(Misplaced::Windows),
        PathKind::Relative => Err(Misplaced::Relative),
        // A name may have a backslash here, which `below` would take for a separator.
        PathKind::Unix => Ok(tidy(path)),
    }
}

fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Above the root there is the root.
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(layout: Layout) -> Plan {
        Plan { layout, root: "/data".into(), dataset: "quick/start".into() }
    }

    fn place(layout: Layout, path: &str) -> Result<String, Misplaced> {
        plan(layout).place(Source { path, field: "gt.detections.mask_path" })
    }

    #[test]
    fn sub_folders_stay_and_a_flat_layout_has_none() {
        assert_eq!(place(Layout::Keep, "/data/a/./b//1.png").as_deref(), Ok("a/b/1.png"));
        assert_eq!(place(Layout::Flat, "/data/a/../b/1.png").as_deref(), Ok("1.png"));
        assert_eq!(place(Layout::Keep, "/data/a b/ü%.png").as_deref(), Ok("a b/ü%.png"));
        assert_eq!(place(Layout::Flat, "/elsewhere/1.png").as_deref(), Ok("1.png"));
    }

    #[test]
    fn a_template_says_where() {
        let template = |text: &str| Layout::Template(text.parse().unwrap());
        let at = |text: &str| place(template(text), "/data/a/1.tar.gz");
        assert_eq!(
            at("{dataset}/{field}/{path}").as_deref(),
            Ok("quick-start/gt.detections.mask_path/a/1.tar.gz")
        );
        assert_eq!(at("x/{folder}/{stem}-0.{ext}").as_deref(), Ok("x/a/1.tar-0.gz"));
        assert_eq!(place(template("{folder}/{name}"), "/data/1.png").as_deref(), Ok("1.png"));
        assert_eq!(place(template("m/{name}"), "/elsewhere/1.png").as_deref(), Ok("m/1.png"));
        assert_eq!(place(template("{path}"), "/elsewhere/1.png"), Err(Misplaced::OutsideOfRoot));
    }

    #[test]
    fn what_is_not_on_this_system_has_no_place() {
        for (path, why) in [
            ("s3://b/k.png", Misplaced::InTheCloud),
            ("C:\\a.png", Misplaced::Windows),
            ("a/b.png", Misplaced::Relative),
            ("/database/1.png", Misplaced::OutsideOfRoot),
            ("/data/../1.png", Misplaced::OutsideOfRoot),
            ("/data/a\nb.png", Misplaced::Unprintable),
        ] {
            assert_eq!(place(Layout::Keep, path), Err(why), "{path}");
        }
    }
}
