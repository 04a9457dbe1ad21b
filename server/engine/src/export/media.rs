//! The files of an export: copied or linked under names of their own.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use bson::{Bson, Document};
use bundle::Fault;
use model::media_path::PathKind;

use super::ExportMedia;

/// Takes the media of samples into an export.
#[derive(Debug)]
pub struct Media {
    folder: PathBuf,
    how: ExportMedia,
    /// What each path became.
    taken: HashMap<String, String>,
    /// How often each file name was met.
    names: HashMap<String, u32>,
    missing: u64,
    elsewhere: u64,
}

impl Media {
    /// Into `data/` of this export.
    pub fn new(folder: &Path, how: ExportMedia) -> Self {
        let (taken, names) = (HashMap::new(), HashMap::new());
        Self { folder: folder.to_owned(), how, taken, names, missing: 0, elsewhere: 0 }
    }

    /// Takes the file of one sample, whose `filepath` then is where it lies in the export. A file that is not there, or is not
    /// on this machine, keeps its path.
    ///
    /// # Errors
    ///
    /// If the export cannot be written.
    pub fn take(&mut self, sample: &mut Document) -> Result<(), Fault> {
        if self.how == ExportMedia::Left {
            return Ok(());
        }
        let Ok(path) = sample.get_str("filepath").map(str::to_owned) else { return Ok(()) };
        if PathKind::of(&path) != PathKind::Unix {
            self.elsewhere += 1;
            return Ok(());
        }
        if !Path::new(&path).is_file() {
            self.missing += 1;
            return Ok(());
        }
        let place = match self.taken.get(&path) {
            Some(place) => place.clone(),
            None => self.placed(&path)?,
        };
        sample.insert("filepath", Bson::String(place));
        Ok(())
    }

    fn placed(&mut self, path: &str) -> Result<String, Fault> {
        let fault = |source: io::Error| Fault::Io {
            path: self.folder.join("data"),
            doing: "written",
            source,
        };
        let (stem, ending) = split(path);
        let name = loop {
            // As FiftyOne names what it has met before: `0.png`, `0-2.png`.
            let name = format!("{stem}{ending}");
            let times = self.names.entry(name.clone()).or_default();
            *times += 1;
            let name = if *times == 1 { name } else { format!("{stem}-{times}{ending}") };
            if *times == 1 || self.names.insert(name.clone(), 1).is_none() {
                break name;
            }
        };
        let data = self.folder.join("data");
        fs::create_dir_all(&data).map_err(fault)?;
        let to = data.join(&name);
        match self.how {
            ExportMedia::Copied => fs::copy(path, &to).map(drop),
            ExportMedia::Linked => std::os::unix::fs::symlink(path, &to),
            ExportMedia::Left => Ok(()),
        }
        .map_err(fault)?;
        let place = format!("data/{name}");
        self.taken.insert(path.to_owned(), place.clone());
        Ok(place)
    }

    /// How many files were taken.
    pub fn files(&self) -> u64 {
        self.taken.len() as u64
    }

    /// What was not.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.missing > 0 {
            warnings
                .push(format!("{} samples keep their path: their file is not there", self.missing));
        }
        if self.elsewhere > 0 {
            warnings.push(format!(
                "{} samples keep their path: their file is not on this machine",
                self.elsewhere
            ));
        }
        if self.how != ExportMedia::Left {
            warnings
                .push("masks, maps and other media beside `filepath` keep their paths".to_owned());
        }
        warnings
    }
}

fn split(path: &str) -> (&str, &str) {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn files_of_one_name_get_names_of_their_own_and_one_file_is_taken_once() {
        let root = tempfile::tempdir().unwrap();
        let (out, path) = (root.path().join("out"), |it: &str| root.path().join(it));
        for it in ["a", "b", "c"] {
            fs::create_dir_all(path(it)).unwrap();
            fs::write(path(it).join("0.png"), it).unwrap();
        }
        fs::write(path("a").join("0-2.png"), "a two").unwrap();
        let mut media = Media::new(&out, ExportMedia::Copied);
        let mut take = |it: &str| {
            let mut sample = doc! { "filepath": path(it).display().to_string() };
            media.take(&mut sample).unwrap();
            sample.get_str("filepath").unwrap().to_owned()
        };
        let all = ["a/0.png", "b/0.png", "a/0.png", "a/0-2.png", "c/0.png"];
        let placed: Vec<String> = all.iter().map(|it| take(it)).collect();
        assert_eq!(placed[0], "data/0.png");
        assert_eq!(placed[2], placed[0]);
        let kept = |at: usize| fs::read_to_string(out.join(&placed[at])).unwrap();
        assert_eq!([kept(0), kept(1), kept(3), kept(4)], ["a", "b", "a two", "c"]);
        assert!(take("none.png").ends_with("/none.png"));
        assert_eq!(media.files(), 4);
    }
}
