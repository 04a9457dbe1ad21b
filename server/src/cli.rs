//! The command line: the flags of `fiftyone migrate`, and more.

mod archive;
pub mod console;
mod control;
mod doctor;
mod export;
mod figures;
mod import;
mod info;
mod media;
mod migrate;
mod output;
mod rename;
mod runs;
mod undo;
mod users;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use engine::{
    Cause, Connection, Engine, Release,
    versions::{Row, VersionTable},
};

use crate::{
    embedded::{self, Embedded},
    settings::Settings,
};

pub use output::Output;

/// Takes a FiftyOne deployment, whole or dataset by dataset, up or down to another version.
///
/// Without a flag it migrates the database's own version only, as `fiftyone migrate` does.
#[derive(Debug, Parser)]
#[command(name = "fiftyone-migrate", disable_version_flag = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    migrate: MigrateArgs,
    #[command(flatten)]
    deployment: DeploymentArgs,
}

const AFTER_HELP: &str = "Exit status: 0 done or nothing to do; 1 refused, failed, paused or cancelled; 2 wrong usage; \
3 finished, but some datasets failed or were not undone, or findings of the doctor are left.\nConfiguration: FIFTYONE_DATABASE_URI, FIFTYONE_DATABASE_NAME, FIFTYONE_DATABASE_ADMIN, \
FIFTYONE_DATABASE_DIR, FIFTYONE_DATABASE_VALIDATION, FIFTYONE_DISABLE_MIGRATIONS, FIFTYONE_CONFIG_PATH, \
FIFTYONE_MONGOD, \
FIFTYONE_MIGRATE_DATABASE, FIFTYONE_MIGRATE_UNDO_DAYS, FIFTYONE_MIGRATE_IMPORTS,
FIFTYONE_MIGRATE_LOG.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the web app; with the right to migrate, also carry out runs that were left to a server, help with those of
    /// others, and take over those that were left behind.
    Serve(ServeArgs),
    /// List the newest runs of this database, or control one.
    Runs(RunsArgs),
    /// Look for what was damaged in the past: dates that are missing, migrations that failed in the middle, orphans and
    /// references to nothing. Writes nothing without `--repair`.
    Doctor(DoctorArgs),
    /// Give a field another name that keeps its dataset from crossing 1.0.0, because FiftyOne needs the name for itself:
    /// `created_at` or `last_modified_at`.
    RenameField(RenameArgs),
    /// Make a dataset out of an export (a `FiftyOneDataset` folder), taken to the version of the database. It is there when it is
    /// whole; if anything fails, nothing is.
    Import(ImportArgs),
    /// Write a dataset, of whatever version, as an export that FiftyOne imports.
    Export(ExportArgs),
    /// Take the files that a dataset refers to elsewhere, and verify them there. The same again goes on where it was.
    UploadMedia(media::UploadArgs),
    /// Let the paths of a dataset lead to where its files are now; or bring them back.
    RewritePaths(media::RewriteArgs),
    /// Remove files here that were uploaded and verified, once no dataset refers to them any more.
    CleanUp(media::CleanArgs),
    /// Try whether media can be taken to a destination: write a probe, read it back, delete it.
    TestDestination(media::TestArgs),
    /// List who may sign in to the web app, invite somebody, or let somebody choose a new password.
    Users(UsersArgs),
    /// List what downgrades have dropped and the archive keeps, or drop some of it. It is given back when a dataset comes
    /// up again.
    Archive(ArchiveArgs),
}

/// What `archive` takes.
#[derive(Args, Clone, Debug)]
struct ArchiveArgs {
    #[command(subcommand)]
    command: Option<ArchiveCommand>,
}

#[derive(Clone, Debug, Subcommand)]
enum ArchiveCommand {
    /// Drop what is kept for a dataset, which then cannot be given back any more.
    Forget {
        /// Its name, or its id.
        #[arg(required_unless_present = "all_gone", conflicts_with = "all_gone")]
        dataset: Option<String>,
        /// Drop what is kept for all datasets that were deleted.
        #[arg(long)]
        all_gone: bool,
    },
}

/// What `rename-field` takes.
#[derive(Args, Clone, Debug)]
struct RenameArgs {
    /// The dataset's name, or its id.
    dataset: String,
    /// The field: `created_at`, or `frames.created_at` for that of frames.
    old: String,
    /// The name that it gets, without `frames.`
    new: String,
    /// Say what would be changed; write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What `import` takes.
#[derive(Args, Clone, Debug)]
struct ImportArgs {
    /// The export: the folder that has `metadata.json` in it, or an archive of one (zip, tar, tar.gz, tar.zst).
    folder: std::path::PathBuf,
    /// Where an archive is unpacked: a folder that is not there yet. It stays there, with the media.
    #[arg(long, value_name = "FOLDER")]
    unpack_to: Option<std::path::PathBuf>,
    /// How the dataset shall be called. [default: as in the export]
    #[arg(long)]
    name: Option<String>,
    /// A tag that every sample gets.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The folder, or the URL, that relative paths of media are below. [default: the export]
    #[arg(long, value_name = "FOLDER")]
    rel_dir: Option<String>,
    /// FiftyOne deletes it when its last client goes.
    #[arg(long)]
    not_persistent: bool,
    /// What stays behind.
    #[arg(long, value_name = "WHAT", value_enum, num_args = 1..)]
    without: Vec<Beside>,
    /// Look at all of the export and say what would be imported; write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What is imported and exported beside samples and frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Beside {
    /// Saved views.
    Views,
    /// Runs and their results.
    Runs,
    /// Workspaces.
    Workspaces,
}

impl Beside {
    /// What comes along if these stay behind.
    fn along(without: &[Self]) -> engine::Along {
        let wanted = |it: Self| !without.contains(&it);
        engine::Along {
            views: wanted(Self::Views),
            runs: wanted(Self::Runs),
            workspaces: wanted(Self::Workspaces),
        }
    }
}

/// What `export` takes.
#[derive(Args, Clone, Debug)]
struct ExportArgs {
    /// The dataset's name, or its id.
    dataset: String,
    /// Where to: a folder that is empty or not there yet.
    folder: std::path::PathBuf,
    /// What becomes of the files that samples refer to.
    #[arg(long, value_enum, default_value = "none")]
    media: MediaArg,
    /// What stays behind.
    #[arg(long, value_name = "WHAT", value_enum, num_args = 1..)]
    without: Vec<Beside>,
}

/// What becomes of media.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum MediaArg {
    /// They stay where they are; the export refers to them.
    None,
    /// They are copied.
    Copy,
    /// The export has links to them.
    Link,
}

/// What `users` takes.
#[derive(Args, Clone, Debug)]
struct UsersArgs {
    #[command(subcommand)]
    command: Option<UsersCommand>,
    /// The address that people use, for links, such as `https://migrate.example.com`
    #[arg(long, global = true, value_name = "ADDRESS", env = "FIFTYONE_MIGRATE_URL")]
    url: Option<crate::web::Reach>,
}

#[derive(Clone, Debug, Subcommand)]
enum UsersCommand {
    /// List accounts and open invitations.
    List,
    /// Print a link by which somebody makes themselves an account.
    Invite {
        /// Guest, labeler, collaborator, member or admin, in small letters.
        #[arg(long, value_name = "ROLE")]
        role: model::Role,
        /// For whom it is meant, for the list.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Print a link by which somebody who has forgotten their password chooses a new one.
    Reset {
        /// As `users list` has it.
        name: String,
    },
}

/// What `doctor` takes.
#[derive(Args, Clone, Debug)]
struct DoctorArgs {
    /// Mend what can be mended; what is removed is kept in the records of the repair.
    #[arg(long)]
    repair: bool,
}

/// What `runs` takes.
#[derive(Args, Clone, Debug)]
struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
}

#[derive(Clone, Debug, Subcommand)]
enum RunsCommand {
    /// Show one run and what became of its datasets.
    Show {
        /// As `runs` lists it.
        id: String,
        /// Every dataset, with how far it is and when, not only those that are not where they were to go.
        #[arg(long)]
        datasets: bool,
    },
    /// Watch a run until it comes to rest; Ctrl-C ends the watching, not the run.
    Watch {
        /// As `runs` lists it.
        id: String,
    },
    /// Let a run hold at its next batch edge.
    Pause {
        /// As `runs` lists it.
        id: String,
    },
    /// Go on with a run that was paused, cancelled, failed, or left behind by a program that is gone.
    Resume {
        /// As `runs` lists it.
        id: String,
    },
    /// End a run at its next batch edge. What is done stays done; it can be resumed.
    Cancel {
        /// As `runs` lists it.
        id: String,
    },
    /// Try the datasets of a run again that are not where they were to go; not those that cannot get there until
    /// something is done, which are told.
    Retry {
        /// As `runs` lists it.
        id: String,
        /// Only those that failed for this cause, whatever it is: `runs show` groups them by it.
        #[arg(long, value_name = "WORD")]
        cause: Option<Cause>,
    },
    /// Help with a run that is carried out elsewhere, until it ends or rests; Ctrl-C ends the help, not the run. A server
    /// (`fiftyone-migrate serve`) does so by itself.
    Join {
        /// As `runs` lists it.
        id: String,
    },
    /// Let a run go faster or slower, also while it goes.
    Pace(PaceArgs),
    /// Bring back what a run has changed to what it was before; or go on with that.
    Undo {
        /// As `runs` lists it.
        id: String,
        /// Only these datasets, not the database.
        #[arg(short = 'n', long, value_name = "NAME", num_args = 1..)]
        dataset_name: Vec<String>,
    },
    /// Drop the undo journal of a run, which then cannot be undone any more.
    Forget {
        /// As `runs` lists it.
        id: String,
    },
}

/// What `runs pace` takes.
#[derive(Args, Clone, Debug)]
struct PaceArgs {
    /// As `runs` lists it.
    id: String,
    /// How many operations on samples and frames may run side by side, up to 32.
    #[arg(long, value_name = "COUNT")]
    side_by_side: Option<u32>,
    /// How long one of them shall take, in milliseconds: their size follows.
    #[arg(long, value_name = "MS")]
    batch: Option<u32>,
    /// How many seconds a majority of a replica set may be behind before the run holds.
    #[arg(long, value_name = "SECONDS")]
    lag: Option<u32>,
    /// To how few writes a second flow control may slow everybody on a replica set down before the run holds; 0 for
    /// any.
    #[arg(long, value_name = "PER_SECOND")]
    flow: Option<u32>,
    /// How many minutes a full oplog must reach back, or the run holds; 0 for any.
    #[arg(long, value_name = "MINUTES")]
    oplog: Option<u32>,
    /// How many MiB must be free on the disk of the server, or the run holds; 0 for any.
    #[arg(long, value_name = "MIB")]
    disk: Option<u32>,
}

/// Which deployment.
#[derive(Args, Clone, Debug)]
struct DeploymentArgs {
    /// The MongoDB to connect to, over `FIFTYONE_DATABASE_URI`.
    #[arg(long, global = true, value_name = "URI")]
    uri: Option<String>,
    /// The database, over `FIFTYONE_DATABASE_NAME`.
    #[arg(long, global = true, value_name = "NAME")]
    database: Option<String>,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    json: bool,
}

/// What `fiftyone migrate` takes, and more.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
struct MigrateArgs {
    /// Print the versions and change nothing.
    #[arg(short, long)]
    info: bool,
    /// Migrate the database and all datasets.
    #[arg(short, long)]
    all: bool,
    /// Where to: a compatibility version such as 1.0.0, or an Enterprise version as enterprise:2.1.0.
    #[arg(short, long, value_name = "VERSION", value_parser = destination)]
    version: Option<Destination>,
    /// The Enterprise release that this is, as the deployment has it; looked up there.
    #[arg(skip)]
    enterprise: Option<Row>,
    /// Migrate these datasets, not the database.
    #[arg(short = 'n', long, value_name = "NAME", num_args = 1..)]
    dataset_name: Vec<String>,
    /// What to do when a dataset cannot be migrated: 0 stop; 1 or 2 go on, and name it at the end. [default: 1]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=2))]
    error_level: Option<u8>,
    /// Say which revisions run.
    #[arg(long)]
    verbose: bool,
    /// Say what would be done and what would be lost, dataset by dataset; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Leave it to a server (`fiftyone-migrate serve`), and end.
    #[arg(long, conflicts_with_all = ["dry_run", "info"])]
    detach: bool,
    /// Keep no undo journal: the run cannot be undone.
    #[arg(long)]
    without_undo: bool,
    /// Going down, keep nothing of what the older version does not know: it is lost, as with FiftyOne. Going up, give nothing
    /// back: what is kept stays in the archive.
    #[arg(long)]
    without_archive: bool,
}

impl MigrateArgs {
    /// Whether any of these flags was given: they make no sense beside a subcommand.
    fn is_used(&self) -> bool {
        self.info
            || self.all
            || self.version.is_some()
            || !self.dataset_name.is_empty()
            || self.verbose
            || self.error_level.is_some()
            || self.dry_run
            || self.detach
            || self.without_undo
            || self.without_archive
    }

    /// Whether the first dataset that cannot be migrated ends the run.
    fn stops(&self) -> bool {
        self.error_level == Some(0)
    }
}

/// What `serve` takes.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8051")]
    pub listen: std::net::SocketAddr,
    /// The address that people use, where a proxy with a certificate stands in front, such as `https://migrate.example.com`
    #[arg(long, value_name = "ADDRESS", env = "FIFTYONE_MIGRATE_URL")]
    pub url: Option<crate::web::Reach>,
    /// Fill an empty database with a small deployment of old datasets, to try things out.
    #[arg(long)]
    pub demo: bool,
}

/// A destination as it was typed: which version an Enterprise release has may be corrected in the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A compatibility version.
    Version(Release),
    /// An Enterprise version.
    Enterprise(String),
}

impl Destination {
    /// The Enterprise release that is meant, if it is one, as this deployment has it.
    ///
    /// # Errors
    ///
    /// If it does not know the release.
    pub fn release<'a>(&self, versions: &'a VersionTable) -> Result<Option<&'a Row>, String> {
        match self {
            Self::Version(_) => Ok(None),
            Self::Enterprise(version) => versions.release(version).map(Some).ok_or_else(|| {
                format!(
                    "no Enterprise release with the version {version} is known; use the compatibility version instead"
                )
            }),
        }
    }
}

fn destination(text: &str) -> Result<Destination, String> {
    let expected = "expected a version such as 1.22.1, or enterprise:2.1.0";
    let parsed = |text: &str| {
        text.parse::<Release>().map_err(|_| format!("it is not a version; {expected}"))
    };
    match text.split_once(':') {
        Some(("enterprise", version)) => Ok(Destination::Enterprise(parsed(version)?.to_string())),
        Some((kind, _)) => Err(format!("`{kind}:` is not known; {expected}")),
        None => Ok(Destination::Version(parsed(text)?)),
    }
}

/// Reads the command line and does what it says.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.deployment.json);
    if cli.command.is_some() && cli.migrate.is_used() {
        return output.usage_error(
            "flags of a migration make no sense together with a subcommand; leave one of the two away",
        );
    }
    let mut settings = match Settings::read() {
        Ok(settings) => settings,
        Err(error) => return output.usage_error(&error.to_string()),
    };
    settings.uri = cli.deployment.uri.clone().or(settings.uri);
    settings.database = cli.deployment.database.clone().unwrap_or(settings.database);
    if let Err(error) = settings.check() {
        return output.usage_error(&error.to_string());
    }
    let deployment = match Deployment::open(&settings).await {
        Ok(deployment) => deployment,
        Err(error) => return output.error(&error),
    };
    let code = match &cli.command {
        Some(Command::Serve(args)) => {
            crate::serve::serve(&deployment.engine, &settings, args, output).await
        }
        Some(Command::Runs(args)) => runs::runs(&deployment.engine, &settings, args, output).await,
        Some(Command::Doctor(args)) => {
            doctor::doctor(&deployment.engine, &settings, args, output).await
        }
        Some(Command::RenameField(args)) => rename::rename(&deployment.engine, args, output).await,
        Some(Command::Import(args)) => import::import(&deployment.engine, args, output).await,
        Some(Command::Export(args)) => export::export(&deployment.engine, args, output).await,
        Some(Command::UploadMedia(args)) => media::upload(&deployment.engine, args, output).await,
        Some(Command::RewritePaths(args)) => media::rewrite(&deployment.engine, args, output).await,
        Some(Command::CleanUp(args)) => media::clean_up(&deployment.engine, args, output).await,
        Some(Command::TestDestination(args)) => media::test(&deployment.engine, args, output).await,
        Some(Command::Archive(args)) => {
            archive::archive(&deployment.engine, &settings, args, output).await
        }
        Some(Command::Users(args)) => users::users(&deployment.engine, args, output).await,
        None if cli.migrate.info => {
            info::info(&deployment.engine, &cli.migrate.dataset_name, output).await
        }
        None => migrate::migrate(&deployment.engine, &settings, &cli.migrate, output).await,
    };
    deployment.close().await;
    code
}

/// A connection, and the server behind it where that is ours.
struct Deployment {
    engine: Engine,
    embedded: Option<Embedded>,
}

impl Deployment {
    async fn open(settings: &Settings) -> Result<Self, String> {
        let (uri, embedded) = if let Some(uri) = &settings.uri {
            (uri.clone(), None)
        } else {
            let (dir, mongod) = (settings.dir.clone(), settings.mongod.clone());
            let options = embedded::Options { dir, mongod };
            let embedded = embedded::start(&options).await.map_err(|it| it.to_string())?;
            (embedded.uri().to_owned(), Some(embedded))
        };
        let connection = Connection {
            uri,
            database: settings.database.clone(),
            runs: settings.runs.clone(),
            admin: settings.admin,
            validation: settings.validation,
        };
        match Engine::open(&connection).await {
            Ok(engine) => {
                let engine =
                    engine.keeping_for(settings.undo_days).importing_from(settings.imports.clone());
                Ok(Self { engine: engine.disabled(settings.migrations_disabled), embedded })
            }
            Err(error) => {
                if let Some(embedded) = embedded {
                    embedded.stop().await;
                }
                Err(error.to_string())
            }
        }
    }

    async fn close(self) {
        self.engine.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_destination_is_a_version_or_an_enterprise_version() {
        let release = |text: &str| {
            let it = destination(text).unwrap();
            it.release(&VersionTable::embedded()).map(|it| it.map(|it| it.compatibility.clone()))
        };
        assert_eq!(destination("1.0.0"), Ok(Destination::Version("1.0.0".parse().unwrap())));
        assert_eq!(release("1.0.0"), Ok(None));
        assert_eq!(release("enterprise:2.1.0"), Ok(Some("1.0.0".to_owned())));
        assert!(destination("banana").unwrap_err().contains("not a version"));
        assert!(release("enterprise:9.9.9").unwrap_err().contains("no Enterprise release"));
        assert!(destination("teams:1.0.0").unwrap_err().contains("`teams:` is not known"));
    }
}
