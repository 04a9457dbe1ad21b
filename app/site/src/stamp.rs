//! Telling whether the site that is there was made of the same things.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::folders::{Folders, files_in};
use crate::style;

/// One hash over everything that goes in: the wasm, the style, the public files, this builder.
pub fn of(folders: &Folders, compiled: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut add = |name: &Path, bytes: &[u8]| {
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    add(Path::new("style"), style::join(folders)?.as_bytes());
    for file in files_in(&folders.public)? {
        add(file.strip_prefix(&folders.public)?, &fs::read(&file)?);
    }
    let wasm = fs::read(compiled)
        .with_context(|| format!("cargo left no wasm at `{}`", compiled.display()))?;
    add(Path::new("wasm"), &wasm);
    // The builder is large, and cargo writes it only when it is another.
    let built = fs::metadata(env::current_exe()?)?.modified()?;
    add(Path::new("builder"), format!("{built:?}").as_bytes());
    let mut text = String::new();
    for byte in hash.finalize() {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// Whether the site is there, and was made of the same.
pub fn is_current(folders: &Folders, stamp: &str) -> bool {
    folders.site.is_dir() && fs::read_to_string(&folders.stamp).is_ok_and(|it| it == stamp)
}

/// Remembers what the site was made of.
pub fn write(folders: &Folders, stamp: &str) -> Result<()> {
    fs::write(&folders.stamp, stamp)
        .with_context(|| format!("cannot write `{}`", folders.stamp.display()))
}
