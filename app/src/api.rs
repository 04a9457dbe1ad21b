//! Server functions, one file per subject: nothing else talks to the server.

mod account;
mod clients;
#[cfg(feature = "ssr")]
mod cookie;
mod dataset;
mod datasets;
mod error;
pub mod form;
#[cfg(feature = "ssr")]
mod gate;
mod media;
mod migrate;
#[cfg(feature = "ssr")]
mod once;
mod rights;
mod runs;
mod session;
mod settings;
mod status;
mod tasks;
mod theme;
mod users;
mod versions;
#[cfg(feature = "ssr")]
mod visit;

pub use account::{ChangePassword, EndSession, own_sessions};
pub use clients::{ConnectedClients, connected_clients};
#[cfg(feature = "ssr")]
pub use cookie::SessionCookie;
pub use dataset::{RenameField, ShownDataset, rename_plan, shown_dataset};
pub use datasets::{FindDatasets, SelectDatasets, find_datasets, select_datasets};
pub use error::ApiError;
#[cfg(feature = "ssr")]
pub use form::refused_on;
#[cfg(feature = "ssr")]
pub use gate::{Asking, status as status_of};
pub use media::{
    BeginUpload, CleanUp, LimitUpload, ResumeUpload, RewritePaths, StopUpload, TestDestination,
    UndoRewrite, clean_up_plan, shown_upload, survey_media, uploads,
};
pub use migrate::{
    MigrationDestinations, PreviewMigration, StartMigration, migration_destinations,
    preview_migration, start_migration,
};
#[cfg(feature = "ssr")]
pub use once::told_invitation;
pub use rights::{
    ChangeGroup, GiveRight, MakeGroup, RemoveGroup, TakeRight, all_groups, rights_of, rights_to,
};
pub use runs::{
    ControlRun, PaceRun, RunLog, ShownRun, ShownRuns, control_run, pace_run, run_log, shown_run,
    shown_runs,
};
pub use session::{AcceptInvitation, SignIn, SignOut, invitation, who_is_asking};
pub use settings::read_settings;
pub use status::{DeploymentStatus, deployment_status};
pub use tasks::{
    BeginExport, BeginImport, StopTask, begin_export, begin_import, check_export, check_import,
    import_place, shown_task, stop_task, tasks,
};
pub use theme::{ChooseTheme, theme};
pub use users::{EndSessions, Invite, SetDisabled, SetRole, TakeBack, everybody};
pub use versions::{
    CanOpen, CorrectVersion, PutVersionBack, ReleaseForm, SdkFor, VersionTable, WayTo, can_open,
    release_form, sdk_for, version_table, way_to,
};
#[cfg(feature = "ssr")]
pub use visit::ClientAddress;

/// The path of the page that was asked for; empty in the browser.
pub fn path() -> String {
    #[cfg(feature = "ssr")]
    let path = leptos::prelude::use_context::<http::request::Parts>()
        .map_or_else(String::new, |it| it.uri.path().to_owned());
    #[cfg(not(feature = "ssr"))]
    let path = String::new();
    path
}
