//! Files that are served as they are.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::folders::files_in;

/// Copies everything below `from` to the same place below `to`.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files_in(from)? {
        let destination = to.join(file.strip_prefix(from)?);
        if let Some(folder) = destination.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, destination)?;
    }
    Ok(())
}
