//! Where things come from and where they go.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// Every folder the builder touches.
pub struct Folders {
    pub root: PathBuf,
    pub style: PathBuf,
    pub public: PathBuf,
    /// A target folder of its own for wasm, so that nobody waits for cargo's lock.
    pub front: PathBuf,
    /// The site being built.
    pub fresh: PathBuf,
    /// The site that is ready.
    pub site: PathBuf,
    /// What the ready site was made of.
    pub stamp: PathBuf,
}

impl Folders {
    /// Those of this checkout, with cargo's `CARGO_TARGET_DIR`.
    pub fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        Self {
            style: root.join("style"),
            public: root.join("public"),
            front: target.join("front"),
            fresh: target.join("site.new"),
            site: target.join("site"),
            stamp: target.join("site.stamp"),
            root,
        }
    }

    /// Puts the fresh site where the ready one was.
    pub fn publish(&self) -> Result<()> {
        if self.site.exists() {
            fs::remove_dir_all(&self.site)?;
        }
        fs::rename(&self.fresh, &self.site)
            .with_context(|| format!("cannot put the site into `{}`", self.site.display()))
    }
}

/// All files below `folder`, in an order that does not depend on the disk.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_in(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
