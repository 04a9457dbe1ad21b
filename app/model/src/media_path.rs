//! What a path of a dataset's media says about where the media is.

/// What kind of path it is. FiftyOne's open source importer asks the local system, to which `s3://b/k` and `C:\k` are relative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathKind {
    /// Below the root of a Unix system: `/data/1.png`.
    Unix,
    /// With a drive letter, `C:\data\1.png`, or on another machine, `\\server\share\1.png`.
    Windows,
    /// With a scheme: `s3://bucket/1.png`, `https://host/1.png`, `minio://bucket/1.png`.
    Url,
    /// Below a folder that has to be known: `data/1.png`.
    Relative,
}

impl PathKind {
    /// The kind of `path`.
    pub fn of(path: &str) -> Self {
        let bytes = path.as_bytes();
        let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && bytes.get(1) == Some(&b':')
            && matches!(bytes.get(2), None | Some(b'/' | b'\\'));
        if scheme(path).is_some() {
            Self::Url
        } else if drive || path.starts_with("\\\\") {
            Self::Windows
        } else if path.starts_with('/') {
            Self::Unix
        } else {
            Self::Relative
        }
    }

    /// Whether it says where the media is without a folder.
    pub fn is_absolute(self) -> bool {
        self != Self::Relative
    }
}

/// The scheme of a URL, such as `s3`; `None` if `path` is none.
pub fn scheme(path: &str) -> Option<&str> {
    let (scheme, _) = path.split_once("://")?;
    let mut letters = scheme.chars();
    let begins = letters.next().is_some_and(|it| it.is_ascii_alphabetic());
    // One letter is a drive.
    let rest = scheme.len() > 1
        && letters.all(|it| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.'));
    (begins && rest).then_some(scheme)
}

/// A relative path below `folder`, with `/` between its parts and without `.` and `..`; `None` if it leaves the folder.
pub fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let folder = folder.trim_end_matches('/');
    Some(format!("{folder}/{}", parts.join("/")))
}

/// What of `path` comes after `folder`, if it is below it: `/data/a.png` is below `/data`, and `/database/a.png` is not.
pub fn rest_below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    const SLASHES: [char; 2] = ['/', '\\'];
    let rest = path.strip_prefix(folder.trim_end_matches(SLASHES))?.strip_prefix(SLASHES)?;
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_other_systems_and_of_clouds_are_absolute() {
        let kind = PathKind::of;
        assert_eq!(kind("/a/b.png"), PathKind::Unix);
        for windows in ["C:\\a\\b.png", "c:/a/b.png", "C:", "a://b", "\\\\server\\share\\b.png"] {
            assert_eq!(kind(windows), PathKind::Windows, "{windows}");
        }
        for url in ["s3://b/k", "gs://b/k", "https://h/b.png", "my-minio://b/k"] {
            assert_eq!(kind(url), PathKind::Url, "{url}");
        }
        for relative in ["a/b.png", "C:b.png", "./a", "../a", "", "1s://b", "a b://c"] {
            assert_eq!(kind(relative), PathKind::Relative, "{relative}");
        }
    }

    #[test]
    fn a_folder_is_no_part_of_a_name() {
        for folder in ["/data", "/data/"] {
            assert_eq!(rest_below(folder, "/data/a/0.png"), Some("a/0.png"));
            assert_eq!(rest_below(folder, "/database/0.png"), None);
            assert_eq!(rest_below(folder, "/data/"), None);
        }
        assert_eq!(rest_below("/", "/0.png"), Some("0.png"));
        assert_eq!(rest_below("C:\\data", "C:\\data\\0.png"), Some("0.png"));
        assert_eq!(rest_below("s3://b", "s3://b/0.png"), Some("0.png"));
    }

    #[test]
    fn a_relative_path_stays_below_its_folder_or_is_none() {
        assert_eq!(below("/x", "data/0.png").as_deref(), Some("/x/data/0.png"));
        assert_eq!(below("/x/", "data\\.\\a//0.png").as_deref(), Some("/x/data/a/0.png"));
        assert_eq!(below("/x", "data/../0.png").as_deref(), Some("/x/0.png"));
        assert_eq!(below("/x", "data/../../0.png"), None);
        assert_eq!(below("s3://b", "..\\0.png"), None);
    }
}
