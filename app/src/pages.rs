//! One file per route, named by what it shows.

#[cfg(feature = "ssr")]
mod account;
#[cfg(feature = "ssr")]
mod clients;
#[cfg(feature = "ssr")]
mod dataset;
mod datasets;
#[cfg(feature = "ssr")]
mod exports;
#[cfg(feature = "ssr")]
mod help;
#[cfg(feature = "ssr")]
mod import;
#[cfg(feature = "ssr")]
mod invitation;
#[cfg(feature = "ssr")]
mod media;
#[cfg(feature = "ssr")]
mod migrate;
mod not_found;
mod overview;
#[cfg(feature = "ssr")]
mod rename;
#[cfg(feature = "ssr")]
mod rights;
mod run;
#[cfg(feature = "ssr")]
mod run_log;
#[cfg(feature = "ssr")]
mod run_pace;
mod runs;
mod sdk;
#[cfg(feature = "ssr")]
mod settings;
#[cfg(feature = "ssr")]
mod sign_in;
#[cfg(feature = "ssr")]
mod task;
#[cfg(feature = "ssr")]
mod users;
#[cfg(feature = "ssr")]
mod version;
#[cfg(feature = "ssr")]
mod versions;

#[cfg(feature = "ssr")]
pub use account::AccountPage;
#[cfg(feature = "ssr")]
pub use clients::ClientsPage;
#[cfg(feature = "ssr")]
pub use dataset::Dataset;
pub use datasets::Datasets;
#[cfg(feature = "ssr")]
pub use exports::ExportsPage;
#[cfg(feature = "ssr")]
pub use help::Help;
#[cfg(feature = "ssr")]
pub use import::ImportPage;
#[cfg(feature = "ssr")]
pub use invitation::InvitationPage;
#[cfg(feature = "ssr")]
pub use media::{CleanUpPage, MediaPage, NewUpload, UploadPage};
#[cfg(feature = "ssr")]
pub use migrate::Migrate;
pub use not_found::NotFound;
pub use overview::Overview;
#[cfg(feature = "ssr")]
pub use rename::RenamePage;
#[cfg(feature = "ssr")]
pub use rights::{RightsOfGroup, RightsOfMembers, RightsOfPerson, RightsToDataset};
pub use run::Run;
#[cfg(feature = "ssr")]
pub use run_log::RunLogPage;
#[cfg(feature = "ssr")]
pub use run_pace::RunPacePage;
pub use runs::Runs;
pub use sdk::SdkPage;
#[cfg(feature = "ssr")]
pub use settings::Settings;
#[cfg(feature = "ssr")]
pub use sign_in::SignInPage;
#[cfg(feature = "ssr")]
pub use task::{ExportTask, ImportTask};
#[cfg(feature = "ssr")]
pub use users::UsersPage;
#[cfg(feature = "ssr")]
pub use version::VersionPage;
#[cfg(feature = "ssr")]
pub use versions::Versions;

#[cfg(feature = "ssr")]
/// The browser asks again in some seconds: only where somebody has chosen to watch.
fn reload_soon() {
    if let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>() {
        let name = http::HeaderName::from_static("refresh");
        response.insert_header(name, http::HeaderValue::from_static("3"));
    }
}
