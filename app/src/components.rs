//! One file per component.

mod client_table;
mod copy_button;
mod field;
mod loaded;
mod masthead;
mod notice;
mod opening_answer;
mod progress_bar;
mod read_only;
mod refresh_form;
mod run_state;
mod time_ago;
mod verdict_banner;
mod version_chart;
mod version_facts;
mod version_table;
mod way_summary;
mod when;

pub use client_table::ClientTable;
pub use copy_button::Command;
pub use field::Field;
pub use loaded::Loaded;
pub use masthead::{Masthead, Who};
pub use notice::Notice;
pub use opening_answer::OpeningAnswer;
pub use progress_bar::ProgressBar;
pub use read_only::ReadOnly;
pub use refresh_form::RefreshForm;
pub use run_state::RunState;
pub use time_ago::TimeAgo;
pub use verdict_banner::VerdictBanner;
pub use version_chart::VersionChart;
pub use version_facts::VersionFacts;
pub use version_table::VersionTable;
pub use way_summary::WaySummary;
pub use when::When;
