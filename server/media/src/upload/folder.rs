//! Copying into a folder: beside its place first, and there by one rename.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Done, Uploader};
use crate::{
    Destination,
    fault::Fault,
    hash,
    manifest::{Entry, Sent},
    source::{Reading, off_thread},
};

/// How much is copied at once.
const PIECE: u64 = 4 << 20;

impl Uploader<'_> {
    /// Copies a file.
    pub(super) async fn copy(&self, root: &Path, entry: &Entry) -> Result<Done, Fault> {
        let _slot = self.throttle.slot().await?;
        let mut reading = Reading::open(&entry.source).await?;
        let stamp = reading.stamp();
        let path = self.to.path_of(&entry.place);
        let mut copy = Copy::begin(Destination::file(root, &entry.place), path).await?;
        let mut size = 0;
        loop {
            let (read, piece) = reading.piece(PIECE).await?;
            reading = read;
            if piece.is_empty() {
                break;
            }
            size += piece.len() as u64;
            self.throttle.bytes(piece.len() as u64).await?;
            copy = copy.write(piece).await?;
        }
        let sha256 = reading.end(size).await?;
        copy.end().await?;
        Ok(Done { stamp, sent: Sent { size, sha256, tag: None }, was_there: false })
    }

    /// Writes what is in memory.
    pub(super) async fn write(
        &self,
        root: &Path,
        place: &str,
        content: Vec<u8>,
    ) -> Result<Sent, Fault> {
        let _slot = self.throttle.slot().await?;
        let sent = Sent { size: content.len() as u64, sha256: hash::of(&content), tag: None };
        self.throttle.bytes(sent.size).await?;
        let copy = Copy::begin(Destination::file(root, place), self.to.path_of(place)).await?;
        copy.write(content).await?.end().await?;
        Ok(sent)
    }
}

/// A copy that is not in its place yet. It is removed if it does not get there.
struct Copy {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    path: String,
    is_there: bool,
}

impl Copy {
    async fn begin(place: PathBuf, path: String) -> Result<Self, Fault> {
        off_thread(move || {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            // Names have an end; the mark of the whole name keeps two long ones apart.
            let short: String = name.chars().take(40).collect();
            let mark = &hash::of(name.as_bytes())[..8];
            let beside = place.with_file_name(format!(".{short}.{mark}.fiftyone-migrate"));
            let begin = || -> io::Result<File> {
                if let Some(folder) = place.parent() {
                    fs::create_dir_all(folder)?;
                }
                File::create(&beside)
            };
            let file = begin().map_err(|it| Fault::writing(&path, &it))?;
            Ok(Self { file, beside, place, path, is_there: false })
        })
        .await
    }

    async fn write(mut self, piece: Vec<u8>) -> Result<Self, Fault> {
        off_thread(move || {
            self.file.write_all(&piece).map_err(|it| Fault::writing(&self.path, &it))?;
            Ok(self)
        })
        .await
    }

    async fn end(self) -> Result<(), Fault> {
        let mut copy = self;
        off_thread(move || {
            let end = || -> io::Result<()> {
                // It may be the only one soon.
                copy.file.sync_all()?;
                fs::rename(&copy.beside, &copy.place)
            };
            let ended = end();
            copy.is_there = ended.is_ok();
            ended.map_err(|it| Fault::writing(&copy.path, &it))
        })
        .await
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_there {
            fs::remove_file(&self.beside).ok();
        }
    }
}
