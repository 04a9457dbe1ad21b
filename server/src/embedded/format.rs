//! The feature compatibility version of a database, read from its files without a server.
//!
//! A server that opens a folder it should not have opened may have changed it before it notices. The
//! version is one small document, `{ _id: "featureCompatibilityVersion", version: "6.0" }`, alone on
//! a page of a collection's file, too small to be compressed. Old pages linger in the file, and each
//! says with which generation it was written: the last one counts.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// Pages begin at multiples of this.
const PAGE: usize = 4096;
/// Where on its page the generation is, a little-endian `u64`.
const GENERATION: usize = 8;
/// Larger files hold people's data: the collection of settings has a handful of documents.
const FILE_LIMIT: u64 = 1 << 20;
/// How the document begins, as BSON after its length: the `_id`.
const ID: &[u8] = b"\x02_id\0\x1c\0\0\0featureCompatibilityVersion\0";
/// How its version begins: the key, and the length of three characters and a zero.
const VERSION: &[u8] = b"\x02version\0\x04\0\0\0";

/// The feature compatibility version of the database in a folder; `None` where there is none to see.
///
/// # Errors
///
/// When the folder or one of its files cannot be read.
pub fn read(dir: &Path) -> io::Result<Option<Release>> {
    let mut last = None;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_collection = name.to_str().is_some_and(|it| it.starts_with("collection-"));
        if is_collection && entry.metadata()?.len() <= FILE_LIMIT {
            last = last.max(last_in(&fs::read(entry.path())?));
        }
    }
    Ok(last.map(|(_, release)| release))
}

/// The version in a collection's file that was written last, with its generation.
fn last_in(file: &[u8]) -> Option<(u64, Release)> {
    let starts = file.windows(ID.len()).enumerate().filter(|(_, it)| *it == ID);
    starts
        .filter_map(|(at, _)| Some((generation(file, at)?, version(file.get(at + ID.len()..)?)?)))
        .max()
}

fn generation(file: &[u8], at: usize) -> Option<u64> {
    let start = at / PAGE * PAGE + GENERATION;
    Some(u64::from_le_bytes(file.get(start..start + 8)?.try_into().ok()?))
}

/// The version among the first fields after the `_id`: a server in the middle of a change has others.
fn version(fields: &[u8]) -> Option<Release> {
    let near = fields.get(..fields.len().min(128))?;
    let at = near.windows(VERSION.len()).position(|it| it == VERSION)? + VERSION.len();
    std::str::from_utf8(near.get(at..at + 3)?).ok()?.parse().ok()
}

/// A release of MongoDB by its first two numbers, as its feature compatibility version names it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Release {
    major: u32,
    minor: u32,
}

/// What a server makes of a folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It opens it, and leaves the format as it is.
    Opens,
    /// The folder's format is newer than the server.
    Newer,
    /// The folder's format is older than the release before the server's.
    TooOld,
}

impl Release {
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// What a server of this release makes of a folder.
    pub fn fit(self, format: Self) -> Fit {
        if format > self {
            Fit::Newer
        } else if format < self.oldest_format() {
            Fit::TooOld
        } else {
            Fit::Opens
        }
    }

    /// The oldest format that it opens: that of the long-term release before it.
    const fn oldest_format(self) -> Self {
        match (self.major, self.minor) {
            (5, 0) => Self::new(4, 4),
            // Until 4.4, every even minor release was a long-term one.
            (4, 2..) => Self::new(4, (self.minor - 1) / 2 * 2),
            (4, _) => Self::new(3, 6),
            (major, 0) => Self::new(major.saturating_sub(1), 0),
            (major, _) => Self::new(major, 0),
        }
    }
}

impl FromStr for Release {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.splitn(3, '.');
        let mut next = || numbers.next().unwrap_or_default().parse();
        Ok(Self::new(next()?, next()?))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    /// A page with the document, as a server lays it out.
    fn page(generation: u64, format: &str) -> Vec<u8> {
        let mut page = vec![0; 8];
        page.extend(generation.to_le_bytes());
        page.resize(48, 0);
        page.extend(ID);
        page.extend(VERSION);
        page.extend(format.bytes());
        page.resize(PAGE, 0);
        page
    }

    #[test]
    fn a_server_opens_its_own_format_and_that_of_the_release_before() {
        for (server, format, fit) in [
            ("6.0.5", "6.0", Fit::Opens),
            ("6.0.5", "5.0", Fit::Opens),
            ("6.0.5", "5.3", Fit::Opens),
            ("6.0.5", "4.4", Fit::TooOld),
            ("6.0.5", "7.0", Fit::Newer),
            ("8.0.1", "7.0", Fit::Opens),
            ("8.0.1", "6.0", Fit::TooOld),
            ("7.3.0", "7.0", Fit::Opens),
            ("7.3.0", "8.0", Fit::Newer),
            ("5.0.9", "4.4", Fit::Opens),
            ("5.0.9", "4.2", Fit::TooOld),
            ("4.4.1", "4.2", Fit::Opens),
            ("4.4.1", "4.0", Fit::TooOld),
            ("4.4.1", "5.0", Fit::Newer),
        ] {
            assert_eq!(release(server).fit(release(format)), fit, "{server} on {format}");
        }
    }

    #[test]
    fn of_several_pages_the_one_written_last_counts() {
        let file = [vec![0; PAGE], page(9, "6.0"), page(4, "5.0"), page(2, "4.4")].concat();
        assert_eq!(last_in(&file), Some((9, release("6.0"))));
        let file = [vec![0; PAGE], page(3, "6.0"), page(7, "5.0")].concat();
        assert_eq!(last_in(&file), Some((7, release("5.0"))));
    }

    #[test]
    fn a_file_without_the_document_has_no_version() {
        assert_eq!(last_in(&[0; 3 * PAGE]), None);
        assert_eq!(last_in(ID), None);
    }

    #[test]
    fn an_empty_folder_has_no_version() {
        assert_eq!(read(tempfile::tempdir().unwrap().path()).unwrap(), None);
    }
}
