//! Builds what the browser downloads into `target/site`, ready to be embedded.
//!
//! ```text
//! pkg/fiftyone-migrate.{wasm,js,css}   the app, its glue and its style
//! favicon.svg  robots.txt  ..          what lies in `public/`
//! *.br  *.gz                           all of these once more, compressed
//! ```

mod budget;
mod compress;
mod folders;
mod public;
mod stamp;
mod style;
mod wasm;

use std::fs;
use std::process::ExitCode;

use anyhow::Result;

use folders::Folders;

/// The name of the wasm, the glue and the stylesheet; pages ask for them by it.
const OUTPUT_NAME: &str = env!("LEPTOS_OUTPUT_NAME");

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    let folders = Folders::find();
    let compiled = wasm::compile(&folders)?;
    let stamp = stamp::of(&folders, &compiled)?;
    if stamp::is_current(&folders, &stamp) {
        eprintln!("site: up to date in {}", folders.site.display());
        return Ok(());
    }
    // Built beside the old one, so that there is never half a site.
    let package = folders.fresh.join("pkg");
    if folders.fresh.exists() {
        fs::remove_dir_all(&folders.fresh)?;
    }
    fs::create_dir_all(&package)?;
    wasm::bind(&compiled, &package)?;
    fs::write(package.join(OUTPUT_NAME).with_extension("css"), style::join(&folders)?)?;
    public::copy(&folders.public, &folders.fresh)?;
    let sizes = compress::all_in(&folders.fresh)?;
    budget::report(&sizes);
    budget::check(&sizes)?;
    folders.publish()?;
    stamp::write(&folders, &stamp)
}
