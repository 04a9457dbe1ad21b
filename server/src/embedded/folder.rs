//! The folder of a database: who has it open, and which server wrote it.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::binary::Binary;
use super::error::EmbeddedError;
use super::format::{self, Fit};
use super::log::Log;

/// A database folder, by its one true path.
#[derive(Debug)]
pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// The folder at a path; made if it is not there.
    pub fn at(path: &Path) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(path)
            .and_then(|()| fs::canonicalize(path))
            .map(|path| Self { path })
            .map_err(|reason| EmbeddedError::Folder { dir: path.to_owned(), reason })
    }

    /// The process that has the database open.
    ///
    /// Asks for the lock that every server since 3.0 takes and never takes it, as a server that
    /// started at that moment would find it taken and give up.
    pub fn holder(&self) -> Result<Option<Holder>, EmbeddedError> {
        let lock = match File::open(self.path.join("WiredTiger.lock")) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(error)),
        };
        let mut wanted = libc::flock {
            #[expect(clippy::cast_possible_truncation, reason = "the constants are small")]
            l_type: libc::F_WRLCK as libc::c_short,
            #[expect(clippy::cast_possible_truncation, reason = "the constants are small")]
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&lock, FcntlArg::F_GETLK(&mut wanted))
            .map_err(|error| self.unusable(error.into()))?;
        if i32::from(wanted.l_type) == libc::F_UNLCK {
            return Ok(None);
        }
        // A process that we cannot see, in another container, has no number here.
        Ok(Some(Holder { pid: u32::try_from(wanted.l_pid).ok().filter(|it| *it > 0) }))
    }

    /// Refuses what this server would convert, harm or not open.
    pub fn check(&self, binary: &Binary) -> Result<(), EmbeddedError> {
        let Some(format) = format::read(&self.path).map_err(|error| self.unusable(error))? else {
            return Ok(()); // A new folder, or one that the server itself will have to judge.
        };
        let (dir, server) = (self.path.clone(), binary.release);
        match server.fit(format) {
            Fit::Opens => Ok(()),
            Fit::Newer => Err(EmbeddedError::Newer { dir, format, server }),
            Fit::TooOld => Err(EmbeddedError::TooOld { dir, format, server }),
        }
    }

    /// The log of the server, where FiftyOne has it.
    pub fn log(&self) -> Result<Log, EmbeddedError> {
        let dir = self.path.join("log");
        fs::create_dir_all(&dir).map_err(|error| self.unusable(error))?;
        Ok(Log::from_here(dir.join("mongo.log")))
    }

    fn unusable(&self, reason: io::Error) -> EmbeddedError {
        EmbeddedError::Folder { dir: self.path.clone(), reason }
    }
}

/// A process that has a database open; its number, if it can be seen from here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holder {
    pub pid: Option<u32>,
}

impl Holder {
    /// A process we know nothing of but that it is there.
    pub const fn unknown() -> Self {
        Self { pid: None }
    }

    /// The port it listens on.
    pub fn port(self) -> Option<u16> {
        let pid = self.pid?;
        listeners::get_all().ok()?.into_iter().find_map(|it| {
            let tcp = it.protocol == listeners::Protocol::TCP;
            (tcp && it.process.pid == pid).then(|| it.socket.port())
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_holds_a_new_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(&dir.path().join("var/lib/mongo")).unwrap();
        assert!(folder.path.is_dir());
        assert_eq!(folder.holder().unwrap(), None);
    }

    #[test]
    fn a_lock_file_that_a_dead_server_left_is_not_held() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("WiredTiger.lock"), "WiredTiger lock file\n").unwrap();
        assert_eq!(Folder::at(dir.path()).unwrap().holder().unwrap(), None);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mongo");
        fs::write(&path, "").unwrap();
        let error = Folder::at(&path).unwrap_err().to_string();
        assert!(error.contains("FIFTYONE_DATABASE_DIR"), "{error}");
    }
}
