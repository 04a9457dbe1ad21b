//! The app as wasm, and the glue that starts it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::OUTPUT_NAME;
use crate::folders::Folders;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// Compiles `hydrate`, and says where the wasm is.
pub fn compile(folders: &Folders) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(&folders.root)
        .args(["build", "--package", "hydrate", "--target", TARGET, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(&folders.front)
        .status()
        .context("cannot start cargo to compile the app for the browser")?;
    ensure!(status.success(), "the app did not compile for `{TARGET}`; cargo said why above");
    Ok(folders.front.join(TARGET).join(PROFILE).join("hydrate.wasm"))
}

/// Writes the wasm and its glue into `package`, under the names that pages ask for.
///
/// There is no `wasm-opt`: after brotli it gains less than one percent, and Debian's breaks the
/// module without saying so.
pub fn bind(compiled: &Path, package: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .out_name(OUTPUT_NAME)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.web(true)?;
    bindgen.generate(package).context("cannot make the glue between the page and the wasm")?;
    let written = package.join(format!("{OUTPUT_NAME}_bg.wasm"));
    fs::rename(written, package.join(OUTPUT_NAME).with_extension("wasm"))?;
    Ok(())
}
