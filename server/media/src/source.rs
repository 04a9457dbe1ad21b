//! Reading the files of a dataset, and seeing whether they are changed meanwhile.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::PathBuf,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    fault::{Cause, Fault},
    hash,
};

/// What a file is recognized by: if one of these is another, it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its size.
    pub size: u64,
    /// When it was changed, in nanoseconds since 1970.
    pub modified: i64,
}

impl Stamp {
    /// That of the file at a path.
    ///
    /// # Errors
    ///
    /// If it is not there, or is no file.
    pub async fn of(path: &str) -> Result<Self, Fault> {
        let found = tokio::fs::metadata(path).await.map_err(|it| Fault::reading(path, &it))?;
        Self::from(&found, path)
    }

    /// The same where waiting for the disk keeps nobody else waiting.
    ///
    /// # Errors
    ///
    /// If it is not there, or is no file.
    pub fn at(path: &str) -> Result<Self, Fault> {
        let found = std::fs::metadata(path).map_err(|it| Fault::reading(path, &it))?;
        Self::from(&found, path)
    }

    fn from(found: &Metadata, path: &str) -> Result<Self, Fault> {
        if !found.is_file() {
            let what = format!(
                "`{path}` is a folder or something else, and no file; name a file in the sample"
            );
            return Err(Fault::new(Cause::Unreadable, what));
        }
        let modified = found.modified().ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|it| i64::try_from(it.as_nanos()).ok()).unwrap_or(0);
        Ok(Self { size: found.len(), modified })
    }
}

/// A file that is read from its beginning to its end, piece by piece, and hashed on the way.
pub struct Reading {
    path: String,
    file: File,
    hash: Sha256,
    stamp: Stamp,
}

impl Reading {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn open(path: &str) -> Result<Self, Fault> {
        let path = path.to_owned();
        off_thread(move || {
            let file = File::open(&path).map_err(|it| Fault::reading(&path, &it))?;
            let found = file.metadata().map_err(|it| Fault::reading(&path, &it))?;
            let stamp = Stamp::from(&found, &path)?;
            Ok(Self { path, file, hash: Sha256::new(), stamp })
        })
        .await
    }

    /// How it was when it was opened.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The next piece, of this size unless it is the last. Empty at the end.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or has become longer than it was.
    pub async fn piece(mut self, size: u64) -> Result<(Self, Vec<u8>), Fault> {
        off_thread(move || {
            let mut piece =
                Vec::with_capacity(usize::try_from(size.min(self.stamp.size)).unwrap_or(0));
            let read = Read::by_ref(&mut self.file).take(size).read_to_end(&mut piece);
            read.map_err(|it| Fault::reading(&self.path, &it))?;
            self.hash.update(&piece);
            Ok((self, piece))
        })
        .await
    }

    /// The SHA-256 of all that was read, if the file is what it was when it was opened.
    ///
    /// # Errors
    ///
    /// [`Cause::Changed`] if it is not.
    pub async fn end(self, read: u64) -> Result<String, Fault> {
        let now = Stamp::of(&self.path).await?;
        if now != self.stamp || read != self.stamp.size {
            return Err(Fault::changed(&self.path));
        }
        Ok(hash::text(&self.hash.finalize()))
    }
}

/// The size and SHA-256 of a file; `None` if there is none. `path`: what it is called.
///
/// # Errors
///
/// If it cannot be read.
pub async fn hashed(file: PathBuf, path: String) -> Result<Option<(u64, String)>, Fault> {
    off_thread(move || {
        let read = || -> io::Result<(u64, String)> {
            let mut hash = Sha256::new();
            let size = io::copy(&mut File::open(&file)?, &mut hash)?;
            Ok((size, hash::text(&hash.finalize())))
        };
        match read() {
            Ok(it) => Ok(Some(it)),
            Err(it) if it.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(it) => Err(Fault::reading(&path, &it)),
        }
    })
    .await
}

/// Disks and hashes keep a thread busy, which is not one of those that wait for the network.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(broken) => Err(Fault::new(
            Cause::Other,
            format!("a task has ended unexpectedly: {broken}; run the same again"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_file_is_read_in_pieces_and_hashed_as_a_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abcdefg").unwrap();
        let reading = Reading::open(file.path().to_str().unwrap()).await.unwrap();
        let (reading, first) = reading.piece(4).await.unwrap();
        let (reading, rest) = reading.piece(4).await.unwrap();
        assert_eq!((first.as_slice(), rest.as_slice()), (b"abcd".as_slice(), b"efg".as_slice()));
        assert_eq!(reading.end(7).await.unwrap(), hash::of(b"abcdefg"));
    }

    #[tokio::test]
    async fn a_file_that_is_changed_while_it_is_read_is_told() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"abc").unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        let (reading, _) = Reading::open(&path).await.unwrap().piece(9).await.unwrap();
        file.write_all(b"d").unwrap();
        assert_eq!(reading.end(3).await.unwrap_err().cause, Cause::Changed);
        assert_eq!(Stamp::of("/no/such/file").await.unwrap_err().cause, Cause::Missing);
        assert_eq!(Stamp::of("/").await.unwrap_err().cause, Cause::Unreadable);
    }
}
