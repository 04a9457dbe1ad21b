//! Compressing once, so that the server never has to.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::folders::files_in;

/// How large a file is, as it is and compressed.
pub struct Size {
    /// Relative to the site.
    pub file: PathBuf,
    pub plain_bytes: usize,
    pub gzip_bytes: usize,
    pub brotli_bytes: usize,
}

const WORTH_IT: [&str; 5] = ["css", "js", "svg", "txt", "wasm"];

/// Writes a `.br` and a `.gz` beside every file that gets smaller by it.
pub fn all_in(site: &Path) -> Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for path in files_in(site)? {
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if !WORTH_IT.contains(&extension) {
            continue;
        }
        let plain = fs::read(&path)?;
        let (gzip, brotli) = (gzip(&plain)?, brotli(&plain)?);
        for (compressed, suffix) in [(&gzip, ".gz"), (&brotli, ".br")] {
            if compressed.len() < plain.len() {
                let mut name = path.clone().into_os_string();
                name.push(suffix);
                fs::write(name, compressed)?;
            }
        }
        sizes.push(Size {
            file: path.strip_prefix(site)?.to_owned(),
            plain_bytes: plain.len(),
            gzip_bytes: gzip.len(),
            brotli_bytes: brotli.len(),
        });
    }
    Ok(sizes)
}

fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

fn brotli(plain: &[u8]) -> Result<Vec<u8>> {
    const BUFFER_BYTES: usize = 1 << 16;
    const QUALITY: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let mut encoder = CompressorWriter::new(Vec::new(), BUFFER_BYTES, QUALITY, WINDOW_BITS);
    encoder.write_all(plain)?;
    Ok(encoder.into_inner())
}
