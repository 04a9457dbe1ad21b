//! `upload-media`, `rewrite-paths`, `clean-up` and `test-destination`: media of a dataset go elsewhere, and its paths with them.

mod clean;
mod rewrite;
mod show;
mod upload;

use clap::Args;

pub use clean::clean_up;
pub use rewrite::rewrite;
pub use upload::{test, upload};

/// What `upload-media` takes.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the command line")]
pub struct UploadArgs {
    /// The dataset's name, or its id.
    dataset: String,
    /// Where to: `s3://bucket/folder`, `gs://bucket/folder`, the address of a container of Azure or of a bucket of another server, or a folder.
    destination: String,
    #[command(flatten)]
    fields: FieldArgs,
    #[command(flatten)]
    layout: LayoutArgs,
    /// What becomes of files that would have one place: `refuse` uploads nothing, `suffix` gives each a name of its own, `folder`
    /// leaves them their sub-folders.
    #[arg(long, value_name = "HOW", value_enum, default_value = "refuse")]
    on_collision: OnCollision,
    /// Replace something else that is in a file's place.
    #[arg(long)]
    overwrite: bool,
    /// How many requests go side by side.
    #[arg(long, value_name = "COUNT", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=256))]
    side_by_side: u32,
    /// How many MiB a second are sent; 0 for as many as there are.
    #[arg(long, value_name = "MIB", default_value = "0")]
    bandwidth: u64,
    /// Only files that have failed for this cause.
    #[arg(long, value_name = "CAUSE")]
    only: Option<media::Cause>,
    /// Send nothing; verify again what was sent.
    #[arg(long, conflicts_with_all = ["only", "overwrite"])]
    verify: bool,
    /// Read everything back to verify it, also what the store has compared with a checksum when it arrived.
    #[arg(long)]
    read_back: bool,
    /// Write the manifest of all files into this file, as CSV.
    #[arg(long, value_name = "FILE")]
    manifest: Option<std::path::PathBuf>,
    /// Change the limits of the upload that goes on elsewhere, and end.
    #[arg(long, conflicts_with_all = ["dry_run", "verify", "only"])]
    set_limits: bool,
    /// Say which files there are and where they would go; write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What `rewrite-paths` takes.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct RewriteArgs {
    /// The dataset's name, or its id.
    dataset: String,
    #[command(flatten)]
    fields: FieldArgs,
    /// Paths of files whose upload to this destination was verified become their places there.
    #[arg(long, value_name = "DESTINATION", group = "way")]
    uploaded: Option<String>,
    /// Paths below this folder become such below `--to`, as they are.
    #[arg(long, value_name = "FOLDER", group = "way", requires = "to")]
    from: Option<String>,
    /// Where the files are already.
    #[arg(long, value_name = "FOLDER")]
    to: Option<String>,
    /// Each path becomes what this CSV file of two columns has for it.
    #[arg(long, value_name = "FILE", group = "way")]
    list: Option<std::path::PathBuf>,
    /// Paths become places below `--to`, laid out as `upload-media` would.
    #[arg(long, value_name = "LAYOUT", group = "way", requires = "to")]
    layout: Option<String>,
    /// For `--layout`: the folder that is left out of every place. [default: /]
    #[arg(long, value_name = "FOLDER", requires = "layout")]
    root: Option<String>,
    /// How many of the new paths are looked for before anything is written.
    #[arg(long, value_name = "COUNT", default_value = "20")]
    check: usize,
    /// List what was rewritten before.
    #[arg(long, group = "way")]
    list_undo: bool,
    /// Bring back what was rewritten; with `--field`, only that.
    #[arg(long, value_name = "ID", group = "way")]
    undo: Option<String>,
    /// Say what would become of the paths, with ten of each field; write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What `clean-up` takes.
#[derive(Args, Clone, Debug)]
pub struct CleanArgs {
    /// The dataset's name, or its id.
    dataset: String,
    /// Where its files were uploaded to.
    destination: String,
    /// Say which files would be removed; remove none.
    #[arg(long)]
    dry_run: bool,
}

/// What `test-destination` takes.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// Its address.
    destination: String,
}

/// Which fields are meant.
#[derive(Args, Clone, Debug)]
struct FieldArgs {
    /// A media field, or one that it is in: `filepath`, `ground_truth`. [default: all of them]
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<String>,
}

/// Which file goes where.
#[derive(Args, Clone, Debug)]
struct LayoutArgs {
    /// `keep` leaves sub-folders, `flat` leaves none; or a template such as `{dataset}/{field}/{path}`, of {dataset}, {field},
    /// {path}, {folder}, {name}, {stem} and {ext}.
    #[arg(long, default_value = "keep")]
    layout: String,
    /// The folder that is left out of every place. [default: the longest that all files are below]
    #[arg(long, value_name = "FOLDER")]
    root: Option<String>,
}

/// What becomes of files that would have one place.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum OnCollision {
    Refuse,
    Suffix,
    Folder,
}

impl OnCollision {
    fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Suffix => "suffix",
            Self::Folder => "folder",
        }
    }
}
