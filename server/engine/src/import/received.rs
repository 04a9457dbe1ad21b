//! An archive that somebody sends: written below the folder of imports, where only they know its place, and there whole or not at all.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use model::{Action, Permit};
use tokio::{fs, io::AsyncWriteExt};

use crate::{Engine, Error, Result, accounts::Token};

/// What of archives is in a folder of imports.
const SENT: &str = "sent";

/// After what time without a byte somebody is taken not to send any more.
const ABANDONED: Duration = Duration::from_hours(24);

/// The longest name that a file keeps.
const LONGEST: usize = 100;

/// An archive on its way. If it is dropped before its end, nothing of it stays.
#[derive(Debug)]
pub struct Receiving {
    folder: PathBuf,
    name: String,
    file: fs::File,
    bytes: u64,
    is_whole: bool,
}

impl Engine {
    /// Where members import from, and archives are sent to; `None` if there is no such folder.
    ///
    /// # Errors
    ///
    /// If it is not allowed, or one is named that is not there.
    pub async fn imports(&self, permit: &Permit) -> Result<Option<String>> {
        permit.covers(Action::ImportDataset)?;
        let Some(imports) = &self.imports else { return Ok(None) };
        if fs::metadata(imports).await.is_ok_and(|it| it.is_dir()) {
            return Ok(Some(imports.display().to_string()));
        }
        Err(Error::Refused(format!(
            "`FIFTYONE_MIGRATE_IMPORTS` names {}, which is no folder; make it, or name another",
            imports.display()
        )))
    }

    /// Begins to take an archive that is called `name` where it comes from.
    ///
    /// # Errors
    ///
    /// If it is not allowed, there is no folder for it, or that cannot be written.
    pub async fn receive_archive(&self, permit: &Permit, name: &str) -> Result<Receiving> {
        permit.covers(Action::ImportDataset)?;
        self.may_write("importing")?;
        let Some(imports) = &self.imports else {
            let why = "nobody can send archives, as `FIFTYONE_MIGRATE_IMPORTS` names no folder for them; ask an admin to set it, or \
                       to import from a folder of the server";
            return Err(Error::Refused(why.to_owned()));
        };
        let sent = imports.join(SENT);
        remove_abandoned(&sent).await;
        // Its name is a secret: whoever knows it may import from there.
        let secret = Token::draw().map_err(|it| Error::Refused(it.to_string()))?;
        let folder = sent.join(secret.text());
        fs::create_dir_all(&folder).await.map_err(|it| unwritable(&folder, &it))?;
        let name = plain(name);
        let part = part(&folder, &name);
        let file = fs::File::create(&part).await.map_err(|it| unwritable(&part, &it))?;
        Ok(Receiving { folder, name, file, bytes: 0, is_whole: false })
    }
}

impl Receiving {
    /// Takes some more of it.
    ///
    /// # Errors
    ///
    /// If it cannot be written, for example because the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).await;
        written.map_err(|it| unwritable(&self.folder, &it))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Says that this was all of it. Returns where it is.
    ///
    /// # Errors
    ///
    /// If nothing was sent, or it cannot be written.
    pub async fn end(mut self) -> Result<PathBuf> {
        if self.bytes == 0 {
            return Err(Error::Refused("the archive is empty; choose another file".to_owned()));
        }
        let to = self.folder.join(&self.name);
        let done = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            fs::rename(part(&self.folder, &self.name), &to).await
        };
        done.await.map_err(|it| unwritable(&to, &it))?;
        self.is_whole = true;
        Ok(to)
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if !self.is_whole
            && let Err(why) = std::fs::remove_dir_all(&self.folder)
        {
            tracing::warn!("`{}` could not be removed: {why}", self.folder.display());
        }
    }
}

/// Where an archive is unpacked that was sent: beside it, and anywhere else in the folder of imports.
pub fn unpacked_below<'a>(imports: &'a Path, archive: &'a Path) -> &'a Path {
    match archive.parent() {
        Some(parent) if parent.starts_with(imports.join(SENT)) => parent,
        _ => imports,
    }
}

/// Removes what was begun to be sent long ago by somebody whose program or ours was ended then.
async fn remove_abandoned(sent: &Path) {
    let Ok(mut folders) = fs::read_dir(sent).await else { return };
    while let Ok(Some(folder)) = folders.next_entry().await {
        let Ok(mut files) = fs::read_dir(folder.path()).await else { continue };
        while let Ok(Some(file)) = files.next_entry().await {
            let is_part = file.path().extension().is_some_and(|it| it == "part");
            let changed = file.metadata().await.ok().and_then(|it| it.modified().ok());
            let since = changed.and_then(|it| it.elapsed().ok());
            if is_part && since.is_some_and(|it| it > ABANDONED) {
                let removed = fs::remove_dir_all(folder.path()).await;
                tracing::info!("an archive that was not sent to its end is removed: {removed:?}");
                break;
            }
        }
    }
}

fn part(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.part"))
}

/// A name that cannot lead anywhere.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |it: char| if it.is_alphanumeric() || "._-".contains(it) { it } else { '_' };
    let text: String = last.trim_start_matches('.').chars().map(plain).collect();
    let too_many = text.chars().count().saturating_sub(LONGEST);
    // The end of it says what kind it is.
    let text: String = text.chars().skip(too_many).collect();
    if text.is_empty() { "archive".to_owned() } else { text }
}

fn unwritable(path: &Path, why: &std::io::Error) -> Error {
    Error::Refused(format!(
        "`{}` cannot be written: {why}; nothing of the archive was kept; ask an admin to look at the folder of imports",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere() {
        for (name, expected) in [
            ("cats.zip", "cats.zip"),
            ("C:\\data\\my cats.tar.gz", "my_cats.tar.gz"),
            ("../../etc/passwd", "passwd"),
            ("..", "archive"),
            ("", "archive"),
            (".hidden.zip", "hidden.zip"),
        ] {
            assert_eq!(plain(name), expected, "{name}");
        }
        assert_eq!(plain(&format!("{}.zip", "x".repeat(300))), format!("{}.zip", "x".repeat(96)));
    }
}
