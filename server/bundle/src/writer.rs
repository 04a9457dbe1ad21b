//! Writing an export: files appear whole or not at all.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use bson::{Bson, Document};

use crate::{Fault, json};

/// Writes `{"samples": [{..},{..}]}` one document after the other, under its name only when it is complete.
#[derive(Debug)]
pub struct CollectionWriter {
    path: PathBuf,
    partial: PathBuf,
    out: BufWriter<File>,
    text: Vec<u8>,
    written: u64,
}

impl CollectionWriter {
    /// Begins `folder/key.json`.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn create(folder: &Path, key: &str) -> Result<Self, Fault> {
        let path = folder.join(format!("{key}.json"));
        let partial = partial(&path);
        let mut out = BufWriter::new(File::create(&partial).map_err(Fault::writing(&partial))?);
        write!(out, "{{\"{key}\": [").map_err(Fault::writing(&partial))?;
        Ok(Self { path, partial, out, text: Vec::new(), written: 0 })
    }

    /// Writes one more.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&mut self, document: Document) -> Result<(), Fault> {
        self.text.clear();
        if self.written > 0 {
            self.text.push(b',');
        }
        json::write(&mut self.text, &Bson::Document(document));
        self.written += 1;
        self.out.write_all(&self.text).map_err(Fault::writing(&self.partial))
    }

    /// Ends it. Returns how many documents it has.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<u64, Fault> {
        self.out.write_all(b"]}").map_err(Fault::writing(&self.partial))?;
        let file =
            self.out.into_inner().map_err(|it| Fault::writing(&self.partial)(it.into_error()))?;
        file.sync_all().map_err(Fault::writing(&self.partial))?;
        fs::rename(&self.partial, &self.path).map_err(Fault::writing(&self.path))?;
        Ok(self.written)
    }
}

/// Writes one document as a file of its own.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_document(path: &Path, document: Document) -> Result<(), Fault> {
    let partial = partial(path);
    let mut text = Vec::new();
    json::write(&mut text, &Bson::Document(document));
    fs::write(&partial, text).map_err(Fault::writing(&partial))?;
    fs::rename(&partial, path).map_err(Fault::writing(path))
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    path.with_file_name(name)
}
