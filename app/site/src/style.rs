//! One stylesheet out of several.

use std::fs;

use anyhow::{Context, Result};

use crate::folders::Folders;

/// The sheets of `style/`, in the order in which `style/sheets.txt` lists them.
pub fn join(folders: &Folders) -> Result<String> {
    let read = |name: &str| {
        let path = folders.style.join(name);
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    read("sheets.txt")?.lines().map(read).collect()
}
