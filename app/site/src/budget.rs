//! What a page may weigh.

use anyhow::{Result, ensure};

use crate::compress::Size;

/// Wasm and glue together, compressed with brotli.
const SCRIPT_BYTES: usize = 300_000;

/// Prints what everything weighs.
pub fn report(sizes: &[Size]) {
    eprintln!("{:>10} {:>10} {:>10}", "plain", "gzip", "brotli");
    for size in sizes {
        eprintln!(
            "{:>10} {:>10} {:>10}  {}",
            size.plain_bytes,
            size.gzip_bytes,
            size.brotli_bytes,
            size.file.display()
        );
    }
}

/// Fails when wasm and glue have grown beyond their budget.
pub fn check(sizes: &[Size]) -> Result<()> {
    let is_script = |it: &&Size| it.file.extension().is_some_and(|it| it == "wasm" || it == "js");
    let script_bytes: usize = sizes.iter().filter(is_script).map(|it| it.brotli_bytes).sum();
    ensure!(
        script_bytes <= SCRIPT_BYTES,
        "wasm and glue are {script_bytes} bytes with brotli, and {SCRIPT_BYTES} is the budget; \
         find what grew, or raise the budget in `app/site/src/budget.rs`"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(file: &str, brotli_bytes: usize) -> Size {
        Size { file: file.into(), plain_bytes: 0, gzip_bytes: 0, brotli_bytes }
    }

    #[test]
    fn wasm_and_glue_share_one_budget() {
        let within = [size("pkg/a.wasm", SCRIPT_BYTES - 1), size("pkg/a.js", 1)];
        assert!(check(&within).is_ok());
        let beyond = [size("pkg/a.wasm", SCRIPT_BYTES), size("pkg/a.js", 1)];
        assert!(check(&beyond).is_err());
    }

    #[test]
    fn a_picture_is_not_in_the_budget() {
        assert!(check(&[size("logo.svg", SCRIPT_BYTES + 1)]).is_ok());
    }
}
