//! Unpacking an export that comes as an archive, which may be anybody's: nothing is written but plain files below one folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use crate::Fault;

/// An archive may unpack to this many times its size, and to a GiB in any case: ten times what exports come to.
const MOST_TIMES: u64 = 200;
const ALWAYS: u64 = 1 << 30;

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.zst`
    TarZst,
}

impl Kind {
    /// By what it begins with, whatever it is called; `None` if it is no archive.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn of(path: &Path) -> Result<Option<Self>, Fault> {
        let file = File::open(path).map_err(Fault::reading(path))?;
        let mut begin = Vec::new();
        file.take(512).read_to_end(&mut begin).map_err(Fault::reading(path))?;
        Ok(match begin.as_slice() {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::TarZst),
            it if it.get(257..262) == Some(b"ustar") => Some(Self::Tar),
            _ => None,
        })
    }
}

/// Unpacks an archive into a folder that is not there yet. Returns where `metadata.json` is: there, or in the one folder in it.
///
/// # Errors
///
/// If it is no archive, has an entry that is no plain file or folder below it, unpacks to far more than it has, or cannot be read
/// or written. Then the folder is not there.
pub fn unpack(path: &Path, into: &Path) -> Result<PathBuf, Fault> {
    let refused =
        |reason: &str| Fault::Archive { path: path.to_owned(), reason: reason.to_owned() };
    let kind = Kind::of(path)?.ok_or_else(|| {
        refused("it is none of zip, tar, tar.gz and tar.zst; name such an archive, or the folder of an export")
    })?;
    fs::create_dir(into).map_err(Fault::writing(into))?;
    let unpacked = Unpacking::new(path, into).and_then(|mut it| it.run(kind)).and_then(|()| {
        root(into)?.ok_or_else(|| refused("it has no `metadata.json`; it is no export of FiftyOne"))
    });
    if unpacked.is_err() {
        fs::remove_dir_all(into).ok();
    }
    unpacked
}

/// The folder with `metadata.json`.
fn root(into: &Path) -> Result<Option<PathBuf>, Fault> {
    let has = |it: &Path| it.join("metadata.json").is_file();
    if has(into) {
        return Ok(Some(into.to_owned()));
    }
    let entries = fs::read_dir(into).map_err(Fault::reading(into))?;
    let folders: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    Ok(folders.into_iter().find(|it| has(it)))
}

struct Unpacking<'a> {
    archive: &'a Path,
    into: &'a Path,
    left: u64,
}

impl<'a> Unpacking<'a> {
    fn new(archive: &'a Path, into: &'a Path) -> Result<Self, Fault> {
        let bytes = fs::metadata(archive).map_err(Fault::reading(archive))?.len();
        Ok(Self { archive, into, left: bytes.saturating_mul(MOST_TIMES).max(ALWAYS) })
    }

    fn run(&mut self, kind: Kind) -> Result<(), Fault> {
        let reading = || Fault::reading(self.archive);
        let file = BufReader::new(File::open(self.archive).map_err(reading())?);
        match kind {
            Kind::Zip => self.zip(file),
            Kind::Tar => self.tar(file),
            Kind::TarGz => self.tar(flate2::bufread::MultiGzDecoder::new(file)),
            Kind::TarZst => {
                let read = zstd::stream::read::Decoder::with_buffer(file).map_err(reading())?;
                self.tar(read)
            }
        }
    }

    fn zip(&mut self, file: BufReader<File>) -> Result<(), Fault> {
        let broken = |it: zip::result::ZipError| it.to_string();
        let archive = zip::ZipArchive::new(file).map_err(broken);
        let mut archive = archive.map_err(|it| self.refused(&it))?;
        for number in 0..archive.len() {
            let entry = archive.by_index(number).map_err(broken);
            let mut entry = entry.map_err(|it| self.refused(&it))?;
            let name = entry.name().map(std::borrow::Cow::into_owned).map_err(broken);
            let name = name.map_err(|it| self.refused(&it))?;
            if entry.is_symlink() {
                return Err(self.entry(&name, "is a link"));
            }
            if entry.is_dir() {
                self.folder(&name)?;
            } else {
                self.file(&name, &mut entry)?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, read: impl Read) -> Result<(), Fault> {
        let mut archive = tar::Archive::new(read);
        let entries = archive.entries().map_err(|it| self.refused(&it.to_string()))?;
        for entry in entries {
            let mut entry = entry.map_err(|it| self.refused(&it.to_string()))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match entry.header().entry_type() {
                tar::EntryType::Directory => self.folder(&name)?,
                tar::EntryType::Regular | tar::EntryType::Continuous => {
                    self.file(&name, &mut entry)?;
                }
                tar::EntryType::XGlobalHeader => {}
                tar::EntryType::Symlink | tar::EntryType::Link => {
                    return Err(self.entry(&name, "is a link"));
                }
                _ => return Err(self.entry(&name, "is no plain file")),
            }
        }
        Ok(())
    }

    fn folder(&self, name: &str) -> Result<(), Fault> {
        let path = self.place(name)?;
        fs::create_dir_all(&path).map_err(Fault::writing(&path))
    }

    fn file(&mut self, name: &str, from: &mut impl Read) -> Result<(), Fault> {
        let path = self.place(name)?;
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(Fault::writing(above))?;
        }
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut to = match created {
            Err(it) if it.kind() == ErrorKind::AlreadyExists => {
                return Err(self.entry(name, "is in it twice"));
            }
            other => other.map_err(Fault::writing(&path))?,
        };
        // One byte more than allowed is enough to know.
        let mut allowed = from.take(self.left.saturating_add(1));
        let mut buffer = vec![0; 64 << 10];
        loop {
            let many = match allowed.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(many) => many,
                Err(it) if it.kind() == ErrorKind::Interrupted => continue,
                Err(it) => return Err(self.entry(name, &broken(&it))),
            };
            let Some(left) = self.left.checked_sub(many as u64) else {
                return Err(self.entry(
                    name,
                    "unpacks to far more than an export does; unpack it yourself if you trust it, and name the folder",
                ));
            };
            self.left = left;
            to.write_all(&buffer[..many]).map_err(Fault::writing(&path))?;
        }
    }

    /// Where an entry goes: below the folder, or nowhere.
    fn place(&self, name: &str) -> Result<PathBuf, Fault> {
        // Archives made on Windows have the other one.
        let plain = name.replace('\\', "/");
        let outside = plain.starts_with('/')
            || plain.split('/').any(|it| it == ".." || it.contains('\0'))
            || plain.as_bytes().get(1) == Some(&b':');
        if outside {
            return Err(self.entry(name, "leads out of it"));
        }
        let parts = plain.split('/').filter(|it| !it.is_empty() && *it != ".");
        Ok(parts.fold(self.into.to_owned(), |path, it| path.join(it)))
    }

    fn entry(&self, name: &str, what: &str) -> Fault {
        let name: String = name.chars().flat_map(char::escape_debug).take(200).collect();
        self.refused(&format!("its entry `{name}` {what}"))
    }

    fn refused(&self, reason: &str) -> Fault {
        Fault::Archive { path: self.archive.to_owned(), reason: reason.to_owned() }
    }
}

fn broken(why: &io::Error) -> String {
    format!("cannot be unpacked: {why}; the archive is damaged, make it again")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    type Entry<'a> = (&'a str, tar::EntryType, &'a [u8]);

    const PLAIN: tar::EntryType = tar::EntryType::Regular;

    fn tarred(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut out = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_ustar();
            // Not by `set_path`, which refuses what has to be refused here.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            out.append(&header, *content).unwrap();
        }
        out.into_inner().unwrap()
    }

    fn zipped(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, kind, content) in entries {
            if *kind == tar::EntryType::Symlink {
                out.add_symlink(*name, "/etc/passwd", options).unwrap();
            } else {
                out.start_file(*name, options).unwrap();
                out.write_all(content).unwrap();
            }
        }
        out.finish().unwrap().into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn unpacked(bytes: &[u8]) -> (TempDir, Result<PathBuf, String>) {
        let root = tempfile::tempdir().unwrap();
        let (archive, into) = (root.path().join("it"), root.path().join("out"));
        fs::write(&archive, bytes).unwrap();
        let done = unpack(&archive, &into).map_err(|it| it.to_string());
        assert_eq!(into.exists(), done.is_ok(), "something is left");
        (root, done)
    }

    #[test]
    fn every_kind_is_unpacked_and_known_by_its_content() {
        let entries: [Entry<'_>; 2] =
            [("cats/metadata.json", PLAIN, b"{}"), ("cats/data/0.png", PLAIN, b"picture")];
        let tar = tarred(&entries);
        let zst = zstd::stream::encode_all(tar.as_slice(), 0).unwrap();
        for bytes in [zipped(&entries), gzipped(&tar), zst, tar] {
            let (_root, done) = unpacked(&bytes);
            let folder = done.unwrap();
            assert!(folder.ends_with("out/cats"));
            assert_eq!(fs::read(folder.join("data/0.png")).unwrap(), b"picture");
        }
    }

    #[test]
    fn whatever_would_leave_the_folder_is_refused_with_its_name_and_nothing_is_left() {
        let metadata: Entry<'_> = ("metadata.json", PLAIN, b"{}");
        let refused = |bytes: Vec<u8>| unpacked(&bytes).1.unwrap_err();
        for name in ["../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "a/.."] {
            let entries = [metadata, (name, PLAIN, &b"x"[..])];
            for bytes in [tarred(&entries), zipped(&entries)] {
                let why = refused(bytes);
                assert!(why.contains("leads out of it"), "{name}: {why}");
            }
        }
        let link = [metadata, ("x", tar::EntryType::Symlink, &b""[..])];
        assert!(refused(tarred(&link)).contains("its entry `x` is a link"));
        assert!(refused(zipped(&link)).contains("its entry `x` is a link"));
        let hard = [metadata, ("x", tar::EntryType::Link, &b""[..])];
        assert!(refused(tarred(&hard)).contains("is a link"));
        let pipe = [metadata, ("x", tar::EntryType::Fifo, &b""[..])];
        assert!(refused(tarred(&pipe)).contains("is no plain file"));
        assert!(refused(tarred(&[metadata, metadata])).contains("is in it twice"));
        assert!(refused(tarred(&[("x", PLAIN, b"x")])).contains("no `metadata.json`"));
        assert!(refused(b"nothing".to_vec()).contains("none of zip"));
        let mut cut = gzipped(&tarred(&[metadata, ("x", PLAIN, &[7; 9_000])]));
        cut.truncate(cut.len() / 2);
        assert!(refused(cut).contains("not unpacked"));
    }

    #[test]
    fn a_bomb_is_refused_before_it_fills_the_disk() {
        let root = tempfile::tempdir().unwrap();
        let (archive, into) = (root.path().join("bomb"), root.path().join("out"));
        fs::write(&archive, tarred(&[("metadata.json", PLAIN, &[b' '; 5_000])])).unwrap();
        fs::create_dir(&into).unwrap();
        let mut unpacking = Unpacking { archive: &archive, into: &into, left: 4_999 };
        let why = unpacking.run(Kind::Tar).unwrap_err().to_string();
        assert!(why.contains("far more than an export does"), "{why}");
        assert!(fs::metadata(into.join("metadata.json")).unwrap().len() < 5_000);
    }
}
