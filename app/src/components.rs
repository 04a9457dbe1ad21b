//! One file per component; those that only the server needs are not compiled for the browser.

#[cfg(feature = "ssr")]
mod client_table;
#[cfg(feature = "ssr")]
mod command;
mod facts;
#[cfg(feature = "ssr")]
mod field;
mod help_link;
#[cfg(feature = "ssr")]
mod loaded;
mod masthead;
mod notice;
#[cfg(feature = "ssr")]
mod opening_answer;
mod progress_bar;
mod read_only;
mod refresh_form;
mod run_state;
mod table;
mod time_ago;
mod typed_name;
mod verdict_banner;
mod version_chart;
#[cfg(feature = "ssr")]
mod version_table;
#[cfg(feature = "ssr")]
mod way_summary;
#[cfg(feature = "ssr")]
mod when;

#[cfg(feature = "ssr")]
pub use client_table::ClientTable;
#[cfg(feature = "ssr")]
pub use command::Command;
pub use facts::Facts;
#[cfg(feature = "ssr")]
pub use field::Field;
pub use help_link::HelpLink;
#[cfg(feature = "ssr")]
pub use loaded::Loaded;
pub use masthead::{Masthead, Who};
pub use notice::Notice;
#[cfg(feature = "ssr")]
pub use opening_answer::OpeningAnswer;
pub use progress_bar::ProgressBar;
pub use read_only::ReadOnly;
pub use refresh_form::RefreshForm;
pub use run_state::{RunMark, RunState};
pub use table::{Cell, Head, Row, Table};
pub use time_ago::TimeAgo;
pub use typed_name::{PasswordAgain, Typed};
pub use verdict_banner::VerdictBanner;
pub use version_chart::VersionChart;
#[cfg(feature = "ssr")]
pub use version_table::{Corrected, VersionTable};
#[cfg(feature = "ssr")]
pub use way_summary::WaySummary;
#[cfg(feature = "ssr")]
pub use when::When;
