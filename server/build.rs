//! Says where the site is, and that it has to be built before it can be embedded.

use std::path::{Path, PathBuf};
use std::{env, process};

fn main() {
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    let site = target_folder().join("site");
    println!("cargo::rustc-env=SITE={}", site.display());
    if env::var_os("CARGO_FEATURE_SITE").is_none() {
        return;
    }
    if !site.join("pkg").is_dir() {
        println!(
            "cargo::error=there is no site at `{}` to embed: run `make site` first",
            site.display()
        );
        process::exit(1);
    }
    println!("cargo::rerun-if-changed={}", site.display());
}

/// Where cargo puts things.
fn target_folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}
