//! Where the deployment is and what may be done with it: the environment over `~/.fiftyone/config.json` over
//! defaults, as FiftyOne reads them.

use std::{
    env, fs,
    path::{self, Path, PathBuf},
};

use serde_json::{Map, Value};

/// What FiftyOne and we agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `FIFTYONE_DATABASE_URI`; without it the program runs its own server.
    pub uri: Option<String>,
    /// `FIFTYONE_DATABASE_NAME`.
    pub database: String,
    /// `FIFTYONE_MIGRATE_DATABASE`: the database in which runs are written down.
    pub runs: String,
    /// `FIFTYONE_DATABASE_ADMIN`; false by default, as in Enterprise.
    pub admin: bool,
    /// `FIFTYONE_DATABASE_DIR`: the folder of the embedded server.
    pub dir: PathBuf,
    /// `FIFTYONE_MONGOD`: the program of the embedded server; without it one is looked for.
    pub mongod: Option<PathBuf>,
    /// `FIFTYONE_DATABASE_VALIDATION`: whether the server's version is checked.
    pub validation: bool,
    /// `FIFTYONE_DISABLE_MIGRATIONS`.
    pub migrations_disabled: bool,
    /// `FIFTYONE_MIGRATE_UNDO_DAYS`: for how long runs can be undone.
    pub undo_days: u32,
    /// `FIFTYONE_MIGRATE_IMPORTS`: the folder that members import from, and in which archives are unpacked.
    pub imports: Option<PathBuf>,
}

/// A setting that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is there, but not readable or not JSON.
    #[error(
        "the configuration file `{path}` cannot be read: {reason}; correct it or set `FIFTYONE_CONFIG_PATH`"
    )]
    File {
        /// Where it is.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A yes-or-no setting says something else.
    #[error("`{name}` is `{value}`, which is neither true nor false; use `true` or `false`")]
    NotABoolean {
        /// The setting.
        name: String,
        /// What it says.
        value: String,
    },
    /// A number of days says something else.
    #[error(
        "`{name}` is `{value}`, which is not a number of days; use a whole number such as `30`"
    )]
    NotDays {
        /// The setting.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// A text setting in the file is not a text.
    #[error("`{key}` in the configuration file `{path}` is not a text; put it in quotes")]
    NotAText {
        /// The key.
        key: String,
        /// Where the file is.
        path: String,
    },
    /// MongoDB would not take the name.
    #[error(
        "`{name}` is not a name that a database can have; correct `{setting}`: no spaces and none of `/\\.\"$`, and \
         at most 63 bytes"
    )]
    NotADatabase {
        /// The name.
        name: String,
        /// Where it comes from.
        setting: &'static str,
    },
    /// Runs would be written down among FiftyOne's own collections, one of which has that name.
    #[error(
        "`FIFTYONE_MIGRATE_DATABASE` is `{0}`, which is FiftyOne's own database; give the runs a database of their own"
    )]
    SameDatabase(String),
    /// There is nowhere to look for defaults.
    #[error("the home folder is not known; set `HOME` or `FIFTYONE_DATABASE_DIR`")]
    Homeless,
}

impl Settings {
    /// Reads the environment and the configuration file.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be understood.
    pub fn read() -> Result<Self, SettingsError> {
        Self::from(|name| env::var(name).ok(), |path| fs::read_to_string(path))
    }

    /// Insists on what MongoDB would otherwise refuse in words that name no setting.
    ///
    /// # Errors
    ///
    /// If the name of the database cannot be one.
    pub fn check(&self) -> Result<(), SettingsError> {
        let impossible = |it: char| it.is_control() || "/\\. \"$".contains(it);
        let names =
            [(&self.database, "FIFTYONE_DATABASE_NAME"), (&self.runs, "FIFTYONE_MIGRATE_DATABASE")];
        for (name, setting) in names {
            if name.is_empty() || name.len() > 63 || name.contains(impossible) {
                return Err(SettingsError::NotADatabase { name: name.clone(), setting });
            }
        }
        if self.database == self.runs {
            return Err(SettingsError::SameDatabase(self.runs.clone()));
        }
        Ok(())
    }

    fn from(
        environment: impl Fn(&str) -> Option<String>,
        file: impl Fn(&PathBuf) -> std::io::Result<String>,
    ) -> Result<Self, SettingsError> {
        // An empty variable counts as unset, as in FiftyOne.
        let variable = |name: &str| environment(name).filter(|it| !it.is_empty());
        let home = variable("HOME").map(PathBuf::from);
        let fiftyone = home.as_ref().map(|it| it.join(".fiftyone"));
        let config = match variable("FIFTYONE_CONFIG_PATH").map(PathBuf::from) {
            Some(path) => ConfigFile::read(path, &file)?,
            None => match &fiftyone {
                Some(folder) => ConfigFile::read(folder.join("config.json"), &file)?,
                None => ConfigFile::default(),
            },
        };
        let text = |name: &str, key: &str| match variable(name) {
            Some(value) => Ok(Some(value)),
            None => config.text(key),
        };
        let truth = |name: &str, key: &str, default: bool| match variable(name) {
            Some(value) => truth(name, &value),
            None => config.truth(key, default),
        };
        let port = variable("FIFTYONE_PRIVATE_DATABASE_PORT");
        let dir = match (text("FIFTYONE_DATABASE_DIR", "database_dir")?, fiftyone) {
            (Some(dir), _) => {
                path::absolute(at_home(&dir, home.as_deref())).unwrap_or_else(|_| dir.into())
            }
            (None, Some(folder)) => folder.join("var/lib/mongo"),
            (None, None) => return Err(SettingsError::Homeless),
        };
        let undo_days = variable(UNDO_DAYS).map_or(Ok(engine::UNDO_DAYS), |value| {
            value.parse().map_err(|_| SettingsError::NotDays { name: UNDO_DAYS, value })
        })?;
        Ok(Self {
            undo_days,
            imports: variable("FIFTYONE_MIGRATE_IMPORTS").map(PathBuf::from),
            uri: match port {
                Some(port) => Some(format!("mongodb://127.0.0.1:{port}")),
                None => text("FIFTYONE_DATABASE_URI", "database_uri")?,
            },
            runs: variable("FIFTYONE_MIGRATE_DATABASE")
                .unwrap_or_else(|| "fiftyone_migrate".to_owned()),
            database: text("FIFTYONE_DATABASE_NAME", "database_name")?
                .unwrap_or_else(|| "fiftyone".to_owned()),
            admin: truth("FIFTYONE_DATABASE_ADMIN", "database_admin", false)?,
            dir,
            mongod: variable("FIFTYONE_MONGOD").map(PathBuf::from),
            validation: truth("FIFTYONE_DATABASE_VALIDATION", "database_validation", true)?,
            migrations_disabled: variable("FIFTYONE_DISABLE_MIGRATIONS")
                .is_some_and(|it| it != "0"),
        })
    }
}

const UNDO_DAYS: &str = "FIFTYONE_MIGRATE_UNDO_DAYS";

#[derive(Default)]
struct ConfigFile {
    path: String,
    keys: Map<String, Value>,
}

impl ConfigFile {
    fn read(
        path: PathBuf,
        file: impl Fn(&PathBuf) -> std::io::Result<String>,
    ) -> Result<Self, SettingsError> {
        let shown = path.display().to_string();
        let wrong = |reason: String| SettingsError::File { path: shown.clone(), reason };
        let text = match file(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(wrong(error.to_string())),
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(keys)) => Ok(Self { path: shown, keys }),
            Ok(_) => Err(wrong("it does not hold a JSON object".to_owned())),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|it| !it.is_empty())),
            Some(_) => {
                Err(SettingsError::NotAText { key: key.to_owned(), path: self.path.clone() })
            }
        }
    }

    fn truth(&self, key: &str, default: bool) -> Result<bool, SettingsError> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(it)) => Ok(*it),
            Some(Value::String(text)) => truth(key, text),
            Some(other) => truth(key, &other.to_string()),
        }
    }
}

/// A folder as FiftyOne reads it: `~` is the home folder.
fn at_home(dir: &str, home: Option<&Path>) -> PathBuf {
    let inside = dir.strip_prefix('~').filter(|it| it.is_empty() || it.starts_with('/'));
    match (inside, home) {
        (Some(inside), Some(home)) => home.join(inside.trim_start_matches('/')),
        _ => PathBuf::from(dir),
    }
}

fn truth(name: &str, value: &str) -> Result<bool, SettingsError> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(SettingsError::NotABoolean { name: name.to_owned(), value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], file: Option<&str>) -> Result<Settings, SettingsError> {
        let variables = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .or((name == "HOME").then(|| "/home/ana".to_owned()))
        };
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        Settings::from(variables, |_| file.map(str::to_owned).ok_or_else(missing))
    }

    #[test]
    fn without_anything_the_defaults_are_those_of_enterprise() {
        let settings = read(&[], None).unwrap();
        assert_eq!(
            (settings.uri, settings.database.as_str(), settings.admin),
            (None, "fiftyone", false)
        );
        assert_eq!(settings.dir, PathBuf::from("/home/ana/.fiftyone/var/lib/mongo"));
        assert!(settings.validation && !settings.migrations_disabled);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let file =
            r#"{ "database_uri": "mongodb://file", "database_name": "f", "database_admin": true }"#;
        let settings = read(&[("FIFTYONE_DATABASE_NAME", "e")], Some(file)).unwrap();
        assert_eq!(settings.uri.as_deref(), Some("mongodb://file"));
        assert_eq!((settings.database.as_str(), settings.admin), ("e", true));
        let settings = read(&[("FIFTYONE_DATABASE_ADMIN", "no")], Some(file)).unwrap();
        assert!(!settings.admin);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let file = r#"{ "database_admin": true }"#;
        assert!(read(&[("FIFTYONE_DATABASE_ADMIN", "")], Some(file)).unwrap().admin);
    }

    #[test]
    fn a_folder_can_be_given_from_home_or_from_here() {
        let dir = |it| read(&[("FIFTYONE_DATABASE_DIR", it)], None).unwrap().dir;
        assert_eq!(dir("~/mongo"), PathBuf::from("/home/ana/mongo"));
        assert_eq!(dir("~"), PathBuf::from("/home/ana"));
        assert_eq!(dir("here"), env::current_dir().unwrap().join("here"));
        assert_eq!(dir("/there/~"), PathBuf::from("/there/~"));
    }

    #[test]
    fn what_is_neither_true_nor_false_is_told() {
        let error = read(&[("FIFTYONE_DATABASE_ADMIN", "maybe")], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`FIFTYONE_DATABASE_ADMIN` is `maybe`, which is neither true nor false; use `true` or `false`"
        );
    }

    #[test]
    fn how_long_a_run_can_be_undone_is_a_number_of_days() {
        assert_eq!(read(&[], None).unwrap().undo_days, 30);
        assert_eq!(read(&[("FIFTYONE_MIGRATE_UNDO_DAYS", "7")], None).unwrap().undo_days, 7);
        for odd in ["-1", "a week", "1.5"] {
            let error = read(&[("FIFTYONE_MIGRATE_UNDO_DAYS", odd)], None).unwrap_err();
            assert!(error.to_string().contains("not a number of days"), "{error}");
        }
    }

    #[test]
    fn a_broken_file_is_told_and_not_ignored() {
        assert!(matches!(read(&[], Some("{")), Err(SettingsError::File { .. })));
        assert!(matches!(read(&[], Some("[]")), Err(SettingsError::File { .. })));
        let file = r#"{ "database_uri": 7 }"#;
        assert!(matches!(read(&[], Some(file)), Err(SettingsError::NotAText { .. })));
    }

    #[test]
    fn disabled_migrations_are_seen_as_fiftyone_sees_them() {
        assert!(read(&[("FIFTYONE_DISABLE_MIGRATIONS", "1")], None).unwrap().migrations_disabled);
        assert!(!read(&[("FIFTYONE_DISABLE_MIGRATIONS", "0")], None).unwrap().migrations_disabled);
    }
}
